import DetectionCore
import Foundation
import Testing

@Suite struct BoxCoderTests {
  @Test func deltasAreTorchvisions() throws {
    let golden = try TorchvisionGoldens.load().coder
    let coder = BoxCoder(weights: SIMD4(golden.weights[0], golden.weights[1], golden.weights[2], golden.weights[3]))
    let anchors = TorchvisionGoldens.boxes(golden.anchors)
    for (i, box) in TorchvisionGoldens.boxes(golden.boxes).enumerated() {
      let delta = coder.encode(box, anchor: anchors[i])
      for c in 0..<4 {
        #expect(abs(delta[c] - golden.encoded[4 * i + c]) <= 1e-5 * max(10, abs(golden.encoded[4 * i + c])))
      }
    }
    for (i, expected) in TorchvisionGoldens.boxes(golden.decoded).enumerated() {
      let d = golden.deltas[(4 * i)..<(4 * i + 4)]
      let box = coder.decode(SIMD4(Array(d)), anchor: anchors[i])
      #expect(box.distance(to: expected) <= 1e-5 * max(1, expected.width, expected.height))
    }
    #expect(golden.deltas.indices.contains { $0 % 4 > 1 && golden.deltas[$0] / 5 > coder.maximumLogScale }, "no scale meets the bound")
  }

  @Test(arguments: [SIMD4<Float>(1, 1, 1, 1), SIMD4(10, 10, 5, 5)])
  func decodingUndoesEncoding(weights: SIMD4<Float>) {
    let coder = BoxCoder(weights: weights)
    var random = SplitMix(seed: 3)
    for _ in 0..<500 {
      let (box, anchor) = (random.box(in: 40), random.box(in: 40))
      #expect(coder.decode(coder.encode(box, anchor: anchor), anchor: anchor).distance(to: box) < 1e-3)
    }
  }

  @Test func theAnchorItselfIsZero() {
    let anchor = Box(x: 3, y: 5, width: 16, height: 8)
    #expect(BoxCoder().encode(anchor, anchor: anchor) == .zero)
    #expect(BoxCoder().decode(.zero, anchor: anchor) == anchor)
  }

  @Test func scalesAreBoundedAbove() {
    let anchor = Box(x: 0, y: 0, width: 16, height: 16)
    let box = BoxCoder().decode(SIMD4(0, 0, 1e6, 3e38), anchor: anchor)
    #expect(abs(box.width - 1000) < 0.01 && abs(box.height - 1000) < 0.01)
  }

  @Test func whatIsNoNumberStaysNone() {
    let anchor = Box(x: 0, y: 0, width: 16, height: 16)
    #expect(BoxCoder().decode(SIMD4(.nan, 0, 0, 0), anchor: anchor).x1.isNaN)
    #expect(BoxCoder().decode(SIMD4(0, 0, .nan, 0), anchor: anchor).x2.isNaN)
  }
}
