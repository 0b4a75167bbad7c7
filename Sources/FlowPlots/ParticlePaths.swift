/// Particles that move from the base at the first time to the data at the last time.
///
/// The first panels show their positions at some times, and the last panel shows the paths of some particles.
public struct ParticlePaths: Plot {
  /// The positions of the particles, `[times][particles][2]`.
  public let positions: [Double]
  /// The time of each row of `positions`, in the order of integration.
  public let times: [Double]
  public let particles: Int
  /// The number of panels that show positions at one time. They include the first and the last time.
  public var snapshots: Int
  /// The largest number of paths in the last panel. More paths would cover each other.
  public var pathCount: Int
  public var colormap: Colormap
  public var title: String
  /// The range of the x axis; nil covers all positions.
  public var xLimits: ClosedRange<Double>?
  /// The range of the y axis; nil covers all positions.
  public var yLimits: ClosedRange<Double>?

  private static let panelWidth = 190.0
  private static let gap = 20.0
  private static let leftMargin = 56.0
  private static let panelTitle = 26.0

  /// - Parameter positions: `[times][particles][2]`.
  public init(
    positions: [Double], times: [Double], particles: Int, snapshots: Int = 5, pathCount: Int = 120,
    colormap: Colormap = Colormap.viridis.slice(0...0.8), title: String = "", xLimits: ClosedRange<Double>? = nil,
    yLimits: ClosedRange<Double>? = nil
  ) {
    precondition(snapshots >= 1, "snapshots is \(snapshots), must be at least 1")
    precondition(pathCount >= 0, "pathCount is \(pathCount), must not be negative")
    precondition(
      particles >= 0 && positions.count == times.count * particles * 2,
      "\(positions.count) numbers do not make positions [\(times.count)][\(particles)][2]")
    self.positions = positions
    self.times = times
    self.particles = particles
    self.snapshots = snapshots
    self.pathCount = pathCount
    self.colormap = colormap
    self.title = title
    self.xLimits = xLimits
    self.yLimits = yLimits
  }

  public var size: Size {
    let panels = Double(max(shownTimes.count, 1) + 1)
    return Size(
      width: ParticlePaths.leftMargin + panels * (ParticlePaths.panelWidth + ParticlePaths.gap) - ParticlePaths.gap
        + 24, height: top + panelHeight + Axes.tickRow + Axes.labelRow)
  }

  private var top: Double { Theme.margin + (title.isEmpty ? 0 : 26) + ParticlePaths.panelTitle }

  // MARK: Layout

  /// The indices of the times to show: evenly spaced in time, without duplicates.
  private var shownTimes: [Int] {
    guard let first = times.first, let last = times.last else { return [] }
    var shown: [Int] = []
    let count = min(snapshots, times.count)
    for panel in 0..<count {
      let target = first + (last - first) * Double(panel) / Double(max(count - 1, 1))
      let nearest = times.indices.min { abs(times[$0] - target) < abs(times[$1] - target) }!
      if shown.last != nearest { shown.append(nearest) }
    }
    return shown
  }

  private var axes: (x: Axis, y: Axis) {
    func axis(_ limits: ClosedRange<Double>?, _ offset: Int) -> Axis {
      if let limits { return Axis(limits: limits) }
      return Axis(covering: stride(from: offset, to: positions.count, by: 2).lazy.map { positions[$0] })
    }
    return (axis(xLimits, 0), axis(yLimits, 1))
  }

  /// The height at which one unit has the same length along x and y, unless that would make panels too flat or tall.
  private var panelHeight: Double {
    let (x, y) = axes
    let ratio = (y.limits.upperBound - y.limits.lowerBound) / (x.limits.upperBound - x.limits.lowerBound)
    return ParticlePaths.panelWidth * (ratio.isFinite && (0.5...1.6).contains(ratio) ? ratio : 1)
  }

  // MARK: Drawing

  public func draw(on canvas: borrowing Canvas) {
    let (x, y) = axes
    let (shown, height) = (shownTimes, panelHeight)
    func panel(_ index: Int) -> Axes {
      var panel = Axes(
        x: x, y: y,
        frame: Rectangle(
          x: ParticlePaths.leftMargin + Double(index) * (ParticlePaths.panelWidth + ParticlePaths.gap), y: top,
          width: ParticlePaths.panelWidth, height: height))
      panel.labelsY = index == 0
      return panel
    }
    canvas.text(
      canvas.shortened(title, font: Theme.titleFont, width: size.width - ParticlePaths.leftMargin - Theme.margin),
      at: Point(x: ParticlePaths.leftMargin, y: Theme.margin), font: Theme.titleFont, color: Theme.text, vertical: .top)
    for (index, time) in shown.enumerated() {
      let panel = panel(index)
      panel.draw(on: canvas) { panel.drawScatter(points(at: time), color: color(at: time), on: $0) }
      draw(name(of: time), above: panel, on: canvas)
    }
    if shown.isEmpty { panel(0).draw(on: canvas) { panel(0).drawNothing(on: $0) } }
    let last = panel(max(shown.count, 1))
    last.draw(on: canvas) { drawPaths(in: last, on: $0) }
    draw("trajectories", above: last, on: canvas)
  }

  private func draw(_ name: String, above panel: Axes, on canvas: borrowing Canvas) {
    canvas.text(
      name, at: Point(x: panel.frame.center.x, y: panel.frame.y - 9), font: Theme.panelFont, color: Theme.text,
      horizontal: .center)
  }

  /// A title such as "t = 0.25", with "(base)" at the first time and "(data)" at the last.
  private func name(of time: Int) -> String {
    let text = "t = " + DecimalText.rounded(times[time], digits: 3)
    if time == 0 { return text + "  (base)" }
    return time == times.count - 1 ? text + "  (data)" : text
  }

  private func color(at time: Int) -> Color {
    let span = times[times.count - 1] - times[0]
    return colormap.color(at: span == 0 ? 0 : (times[time] - times[0]) / span)
  }

  private func point(_ particle: Int, at time: Int) -> Point {
    let index = (time * particles + particle) * 2
    return Point(x: positions[index], y: positions[index + 1])
  }

  private func points(at time: Int) -> [Point] {
    (0..<particles).map { point($0, at: time) }
  }

  /// The indices of the particles whose paths are drawn.
  ///
  /// The stride has no common divisor with the number of particles. So the choice is spread over all particles, also if
  /// they are in a periodic order such as by class.
  private var chosenParticles: [Int] {
    func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
    guard particles > 0 else { return [] }
    var stride = max(Int(0.618 * Double(particles)), 1)
    while divisor(particles, stride) != 1 { stride += 1 }
    return (0..<min(particles, pathCount)).map { $0 * stride % particles }
  }

  /// Draws the paths of some particles in the colours of their times.
  private func drawPaths(in panel: Axes, on canvas: borrowing Canvas) {
    let chosen = chosenParticles
    var any = false
    for time in times.indices.dropFirst() {
      let steps = chosen.flatMap {
        Polyline([point($0, at: time - 1), point($0, at: time)], in: panel).lines
      }
      any = any || !steps.isEmpty
      canvas.lines(steps, stroke: Stroke(color: color(at: time).with(alpha: 0.6), width: 0.8))
    }
    if !any { return panel.drawNothing(on: canvas) }
    let ends = panel.places(of: chosen.map { point($0, at: times.count - 1) }, reach: 2)
    canvas.dots(ends, radius: 1.5, color: color(at: times.count - 1))
  }
}
