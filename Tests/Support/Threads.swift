import Parallel

/// How many threads the loops and the engine use that this thread starts from now on. Tests run side by side, so tiny
/// networks are fastest on one; on a busy machine more than one wait for one another.
public func useThreads(_ count: Int) { Parallel.setThreadCount(count) }
