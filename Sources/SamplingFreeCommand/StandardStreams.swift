@preconcurrency import Glibc

enum StandardStreams {
  /// Takes the places of streams that the parent has closed: a file opened there would get what is printed.
  static func claim() {
    for descriptor in 0...2 as ClosedRange<Int32> where fcntl(descriptor, F_GETFD) < 0 {
      // For reading, so that printing fails as it should.
      open("/dev/null", O_RDONLY)
    }
  }
}
