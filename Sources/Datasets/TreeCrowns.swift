import Foundation

/// Aerial photographs with the crowns of trees annotated, cut into tiles; training and validation tiles share no pixel.
/// From the DeepForest package (MIT); see Resources/tree-crowns.
public enum TreeCrowns {
  /// - Throws: `COCODatasetError` where the files cannot be read.
  public static func dataset(split: DatasetSplit) throws -> COCODataset {
    let folder = Bundle.module.bundleURL.appendingPathComponent("Resources/tree-crowns")
    return try COCODataset(
      annotations: folder.appendingPathComponent("\(split.rawValue).json").path,
      images: folder.appendingPathComponent("images").path)
  }
}
