import ArgumentParser
import FlowIO

/// How results and remarks are written: the same for every command.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Write the result as JSON, on one line.")
  var json = false

  @Flag(name: [.short, .long], help: "Show no progress; errors are still shown.")
  var quiet = false

  func print(_ value: JSONValue) throws { try Terminal.result(value.description) }
}
