import Testing

import NeuralNetwork

@Suite struct ArenaPlanTests {
  @Test func buffersAliveTogetherNeverOverlap() {
    var state: UInt64 = 1
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let requests = (0..<200).map { _ in
      let start = random(100)
      return ArenaPlan.Request(byteCount: 1 + random(5000), lifetime: start...(start + random(20)))
    }
    let (offsets, total) = ArenaPlan.offsets(of: requests)
    for i in requests.indices {
      #expect(offsets[i] % 64 == 0 && offsets[i] + requests[i].byteCount <= total)
      for j in requests.indices where j < i && requests[i].lifetime.overlaps(requests[j].lifetime) {
        #expect(
          offsets[i] + requests[i].byteCount <= offsets[j] || offsets[j] + requests[j].byteCount <= offsets[i])
      }
    }
    let sum = requests.reduce(0) { $0 + ($1.byteCount + 63) / 64 * 64 }
    #expect(total < sum / 2)
  }

  @Test func nothingNeedsNothing() { #expect(ArenaPlan.offsets(of: []).byteCount == 0) }
}
