/// What a file holds apart from its values: groups, datasets and attributes, as told by a process of their own.
struct Catalogue: Sendable {
  struct Object: Sendable {
    var content: Content
    var attributes: [Attribute] = []
    /// Why attributes are missing from the list.
    var attributesFailure: HDF5Error.Reason?
  }

  enum Content: Sendable {
    case group(Group)
    case dataset(Result<Description, HDF5Error.Reason>)
    case datatype
  }

  struct Group: Sendable {
    /// Sorted by the bytes of the names.
    var links: [Link] = []
    /// By `name`.
    var indexes: [String: Int] = [:]
    /// Why links are missing from the list.
    var failure: HDF5Error.Reason?
  }

  struct Link: Sendable {
    enum Target: Sendable {
      case object(Int)
      case path(String)
      case outOfFile
      case failure(HDF5Error.Reason)
    }
    var name: FileName
    var target: Target
  }

  struct Attribute: Sendable {
    var name: FileName
    var value: Result<RawValue, HDF5Error.Reason>
  }

  /// An attribute's value as stored.
  struct RawValue: Sendable {
    enum Payload: Sendable {
      case bytes([UInt8])
      case texts([String])
      case none
    }
    var type: TypeRecord
    /// nil for the null space.
    var shape: [Int]?
    var payload: Payload
  }

  /// A dataset.
  struct Description: Sendable {
    enum Layout: Sendable {
      /// With the metadata.
      case compact([UInt8])
      /// One run of values; nil when nothing is stored.
      case contiguous(offset: Int?)
      case chunked(ChunkTable)
    }
    var type: TypeRecord
    var shape: [Int]?
    var storedBytes: Int
    var fill: Fill
    var layout: Layout
  }

  /// What values are that were never written.
  enum Fill: Sendable {
    case zeros
    /// One element as stored.
    case value([UInt8])
    /// To be read only once they are written.
    case none
  }

  struct ChunkTable: Sendable {
    struct Chunk: Sendable {
      /// In C order among all places for chunks.
      var index: Int
      /// The filters that were left out, by bit.
      var skippedFilters: UInt32
      var address: Int
      var byteCount: Int
    }
    var extents: [Int]
    var filters: [Int]
    var chunks: [Chunk]
    /// Why chunks are missing from the list.
    var failure: HDF5Error.Reason?
  }

  /// The first is the root group.
  var objects: [Object]
}
