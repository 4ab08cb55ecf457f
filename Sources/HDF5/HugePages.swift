import Glibc

extension UnsafeMutableRawBufferPointer {
  /// Asks for pages of 2 MiB where the system hands them out on request: a fault for each 4 KiB of fresh memory costs more
  /// than the values that are read into it. A hint, which changes nothing else.
  func adviseHugePages() {
    let (page, huge) = (Int(getpagesize()), 1 << 21)
    guard count >= huge, let baseAddress else { return }
    let skipped = -Int(bitPattern: baseAddress) & (page - 1)
    madvise(baseAddress + skipped, count - skipped, Int32(MADV_HUGEPAGE))
  }
}
