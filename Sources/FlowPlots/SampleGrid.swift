/// A grid of grey images from the data next to a grid of images from the model.
public struct SampleGrid: Plot {
  /// The images of the data, `[count][height·width]`, each row by row from the top.
  public var data: [Double]
  /// The images of the model, `[count][height·width]`, each row by row from the top.
  public var samples: [Double]
  /// The height of an image in pixels.
  public let height: Int
  /// The width of an image in pixels.
  public let width: Int
  /// The number of rows of a grid. Images that do not fit into the grid are left out.
  public let rows: Int
  /// The number of columns of a grid.
  public let columns: Int
  /// The values that are drawn as black and as white; the value for black may be the larger one.
  public var black: Double
  public var white: Double
  public var title: String

  /// The approximate longer side of an image in pixels of the PNG.
  private static let side = 72
  private static let gap = 6
  private static let gridGap = 36.0
  private static let gridTitle = 24.0
  private static let narrowest = 110.0
  /// The colour of NaN. It is not grey, so that it cannot be taken for a value.
  private static let notANumber = Theme.palette[1]

  /// - Parameters:
  ///   - data: the images of the data, `[count][height·width]`. There may be any number, including none.
  ///   - samples: the images of the model, in the same layout.
  public init(
    data: [Double], samples: [Double], height: Int, width: Int, rows: Int = 10, columns: Int = 10, black: Double = 0,
    white: Double = 1, title: String = ""
  ) {
    precondition(height > 0 && width > 0, "images have \(height)×\(width) pixels, must be at least 1×1")
    precondition(rows > 0 && columns > 0, "a grid has \(rows)×\(columns) images, must be at least 1×1")
    for values in [data, samples] {
      precondition(
        values.count % (height * width) == 0, "\(values.count) values do not make images of \(height)×\(width) pixels")
    }
    self.data = data
    self.samples = samples
    self.height = height
    self.width = width
    self.rows = rows
    self.columns = columns
    self.black = black
    self.white = white
    self.title = title
  }

  public var size: Size {
    Size(
      width: 2 * columnWidth + SampleGrid.gridGap + 2 * Theme.margin,
      height: top + gridSize.height + Theme.margin)
  }

  /// The width of a grid with its title. A grid of few small images is narrower than its title.
  private var columnWidth: Double { max(gridSize.width, SampleGrid.narrowest) }

  private var top: Double { Theme.margin + (title.isEmpty ? 0 : 24) + SampleGrid.gridTitle }

  // MARK: Layout in pixels

  /// The factor by which small images are magnified. It is an integer, so that all pixels stay equal squares.
  private var magnification: Int { max(SampleGrid.side / max(height, width), 1) }
  /// Of large images, only every `stride`-th pixel is shown.
  private var stride: Int { (max(height, width) + 2 * SampleGrid.side - 1) / (2 * SampleGrid.side) }
  private var cellHeight: Int { (height + stride - 1) / stride * magnification }
  private var cellWidth: Int { (width + stride - 1) / stride * magnification }

  private var gridSize: Size {
    Size(
      width: Double(columns * (cellWidth + SampleGrid.gap) - SampleGrid.gap) / Canvas.pixelsPerPoint,
      height: Double(rows * (cellHeight + SampleGrid.gap) - SampleGrid.gap) / Canvas.pixelsPerPoint)
  }

  // MARK: Drawing

  public func draw(on canvas: borrowing Canvas) {
    canvas.text(
      canvas.shortened(title, font: Theme.titleFont, width: size.width - 2 * Theme.margin),
      at: Point(x: Theme.margin, y: Theme.margin), font: Theme.titleFont, color: Theme.text, vertical: .top)
    for (index, (name, values)) in [("data", data), ("model samples", samples)].enumerated() {
      let frame = Rectangle(
        x: Theme.margin + Double(index) * (columnWidth + SampleGrid.gridGap) + (columnWidth - gridSize.width) / 2,
        y: top, width: gridSize.width, height: gridSize.height)
      canvas.text(
        name, at: Point(x: frame.center.x, y: frame.y - 9), font: Theme.panelFont, color: Theme.text,
        horizontal: .center)
      canvas.draw(mosaic(of: values), in: frame, smooth: false)
      if values.isEmpty {
        canvas.text(
          "no data", at: frame.center, font: Theme.labelFont, color: Theme.faintText, horizontal: .center,
          vertical: .middle)
      }
    }
  }

  /// The whole grid as one image. It is magnified here, because viewers blur small images when they magnify them.
  private func mosaic(of values: [Double]) -> PixelImage {
    let (stepDown, stepAcross) = (cellHeight + SampleGrid.gap, cellWidth + SampleGrid.gap)
    var image = PixelImage(
      width: columns * stepAcross - SampleGrid.gap, height: rows * stepDown - SampleGrid.gap, color: .white)
    let count = values.count / (height * width)
    for place in 0..<rows * columns {
      let (top, left) = (place / columns * stepDown, place % columns * stepAcross)
      for y in 0..<cellHeight {
        for x in 0..<cellWidth {
          let source = y / magnification * stride * width + x / magnification * stride
          image.pixels[(top + y) * image.width + left + x] =
            place < count ? color(of: values[place * height * width + source]).pixel : Theme.missing.pixel
        }
      }
    }
    return image
  }

  private func color(of value: Double) -> Color {
    if value.isNaN { return SampleGrid.notANumber }
    let share = black == white ? 0.5 : (value - black) / (white - black)
    let grey = min(max(share, 0), 1)
    return Color(red: grey, green: grey, blue: grey)
  }
}
