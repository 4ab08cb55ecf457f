/// Which part of a data set: to fit the weights, or to judge them.
public enum DatasetSplit: String, Hashable, Sendable, CaseIterable {
  case train
  case validation
}
