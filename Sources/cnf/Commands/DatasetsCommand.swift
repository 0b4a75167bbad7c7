import ArgumentParser
import ContinuousFlows
import FlowIO

/// `cnf datasets`: what `--data` can name.
struct DatasetsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "datasets",
    abstract: "List the built-in data sets.",
    discussion: """
      Any of these names can follow --data. The two-dimensional sets are generated: --count is their number of samples, and \
      --data-seed chooses the samples. --data also takes the path of a .npy or .csv file with one row per sample.

      Examples:
        cnf datasets
        cnf train --data pinwheel --out runs/pinwheel
      """)

  @OptionGroup var output: OutputOptions

  func run() throws {
    let sources = try DatasetSource.names.map { (name: $0, source: try DatasetSource($0)) }
    guard !output.json else {
      let list = sources.map { name, source -> JSONValue in
        [
          "name": .string(name), "dimension": .integer(source.dimension ?? 0), "count": .integer(source.count ?? 0),
          "description": .string(source.summary),
        ]
      }
      return try output.print(.array(list))
    }
    let width = sources.map(\.name.count).max() ?? 0
    for (name, source) in sources {
      let dimension = Format.aligned("\(source.dimension ?? 0)", to: 2)
      let count = Format.aligned("\(source.count ?? 0)", to: 6)
      try Terminal.result("\(Format.padded(name, to: width))  \(dimension)-D \(count) samples  \(source.summary)")
    }
  }
}
