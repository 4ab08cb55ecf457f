import Configuration
import DetectionCore
import Foundation
import Testing

/// The configurations in docs/recipes.
@Suite struct RecipeTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("docs/recipes")

  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasSuffix(".yaml") }.sorted()

  @Test func thereAreSome() { #expect(Self.names.count >= 4) }

  @Test(arguments: names)
  func everyRecipeParsesAndSurvivesEmission(name: String) throws {
    let configuration = try ExperimentConfiguration.load(Self.folder.appendingPathComponent(name).path)
    let yaml = configuration.yaml
    let again = try ExperimentConfiguration(yaml: yaml, name: "emitted")
    #expect(again == configuration)
    #expect(again.yaml == yaml)
  }

  @Test func theTinyRecipeIsSamplingFree() throws {
    let tiny = try ExperimentConfiguration.load(Self.folder.appendingPathComponent("retinanet-tiny.yaml").path)
    #expect(tiny.sampler.name == "none" && tiny.lossScaler.name == "guided")
    #expect(tiny.bias.name == "optimal" && tiny.thresholder.name == "class-adaptive")
    #expect(tiny.detector.backbone.depth == 18 && tiny.input.width == 128)
  }

  @Test func recipesBuildOnTheirBases() throws {
    let digits = try ExperimentConfiguration.load(Self.folder.appendingPathComponent("digit-scenes.yaml").path)
    #expect(digits.data.name == .digitScenes && digits.detector.backbone.depth == 18 && digits.detector.head.convolutions == 2)
    let trees = try ExperimentConfiguration.load(Self.folder.appendingPathComponent("tree-crowns.yaml").path)
    #expect(trees.data.name == .treeCrowns && trees.input.width == 384)
    #expect(trees.detector.anchors.sizes.count == 3 && trees.detector.anchors.aspectRatios == [0.5, 1, 2])
  }
}
