import ArgumentParser
import FlowIO

/// How results and remarks are written, the same for every command.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print the result as one line of JSON.")
  var json = false

  @Flag(name: [.short, .long], help: "Show no progress. Errors are still shown.")
  var quiet = false

  func print(_ value: JSONValue) throws { try Terminal.result(value.description) }
}
