import Foundation
import Testing

@testable import FlowPlots

@Suite struct WritingTests {
  /// A plot with a red square from (10, 10) to (20, 20).
  struct Square: Plot {
    var size = Size(width: 40, height: 30)
    func draw(on canvas: borrowing Canvas) {
      canvas.fill(Rectangle(x: 10, y: 10, width: 10, height: 10), color: Color(hex: 0xFF0000))
    }
  }

  @Test func pngHasItsSizeAndColours() throws {
    let bytes = try Square().encoded(as: .png)
    #expect(Array(bytes.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    let image = try #require(DecodedPNG(bytes))
    #expect(image.width == 80 && image.height == 60)
    #expect(image.pixel(at: Point(x: 5, y: 5)) == 0xFFFF_FFFF)
    #expect(image.pixel(at: Point(x: 10.25, y: 10.25)) == 0xFFFF_0000)
    #expect(image.pixel(at: Point(x: 19.75, y: 19.75)) == 0xFFFF_0000)
    #expect(image.pixel(at: Point(x: 20.25, y: 20.25)) == 0xFFFF_FFFF)
  }

  @Test func vectorFormatsHaveTheirHeaders() throws {
    let svg = String(decoding: try Square().encoded(as: .svg), as: UTF8.self)
    #expect(svg.hasPrefix("<?xml"))
    #expect(svg.contains("<svg") && svg.hasSuffix("</svg>\n"))
    let pdf = String(decoding: try Square().encoded(as: .pdf), as: UTF8.self)
    #expect(pdf.hasPrefix("%PDF-"))
    #expect(pdf.contains("%%EOF"))
  }

  @Test func theSamePlotHasTheSameBytes() throws {
    // This holds for PNG only: cairo numbers the parts of SVG files across the process, and writes the date into PDF
    // files.
    #expect(try Square().encoded(as: .png) == Square().encoded(as: .png))
  }

  @Test(arguments: ["picture.png", "picture.SVG", "a.b.pdf"])
  func writesWhatTheExtensionSays(name: String) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent(name)
    // The old file is longer than the plot, so that remaining bytes of it would be seen.
    try Data(repeating: 7, count: 1_000_000).write(to: file)
    try Square().write(to: file.path)
    let written = [UInt8](try Data(contentsOf: file))
    #expect(written.count < 1_000_000)
    let beginnings: [PlotFormat: String] = [.png: "\u{89}PNG", .svg: "<?xml", .pdf: "%PDF-"]
    let beginning = try #require(beginnings[PlotFormat(path: name)])
    #expect(written.starts(with: beginning.unicodeScalars.map { UInt8($0.value) }))
  }

  @Test(arguments: ["picture", "picture.jpeg", "folder.png/picture", "", "png"])
  func unknownExtensionsAreNamed(path: String) {
    #expect(throws: PlotError.unknownFormat(path: path)) { try Square().write(to: path) }
    let sentence = PlotError.unknownFormat(path: path).description
    #expect(sentence.contains("\"\(path)\"") && sentence.contains(".png, .svg or .pdf"))
  }

  @Test(arguments: ["png", "svg", "pdf"])
  func unwritablePathsAreNamed(format: String) throws {
    let path = "/no/such/folder/picture.\(format)"
    let error = #expect(throws: PlotError.self) { try Square().write(to: path) }
    let sentence = try #require(error).description
    #expect(sentence == "Cannot write the plot \"\(path)\": No such file or directory.")
  }

  @Test(arguments: [
    Size(width: 0, height: 10), Size(width: .nan, height: 10), Size(width: 10, height: -1),
    Size(width: 1e9, height: 10), Size(width: 100_000, height: 10),
  ])
  func impossibleSizesAreRefused(size: Size) {
    let error = #expect(throws: PlotError.self) { try Square(size: size).encoded(as: .png) }
    guard case .cannotDraw = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }
}
