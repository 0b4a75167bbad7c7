import Testing

@testable import ContinuousFlows

@Suite struct LearningRateScheduleTests {
  @Test func warmupRisesLinearly() {
    let schedule = LearningRateSchedule(.constant, warmupSteps: 4)
    #expect((0..<6).map { schedule.factor(step: $0, progress: 0) } == [0.2, 0.4, 0.6, 0.8, 1, 1])
  }

  @Test func constantIgnoresProgress() {
    #expect(LearningRateSchedule().factor(step: 3, progress: 0.9) == 1)
  }

  @Test func cosineFallsToItsFinalFraction() {
    let schedule = LearningRateSchedule(.cosine(finalFraction: 0.1))
    #expect(schedule.factor(step: 0, progress: 0) == 1)
    #expect(abs(schedule.factor(step: 5, progress: 0.5) - 0.55) < 1e-15)
    // cos 60° = 1/2: three quarters of the way from 0.1 to 1.
    #expect(abs(schedule.factor(step: 5, progress: 1.0 / 3) - 0.775) < 1e-15)
    #expect(schedule.factor(step: 9, progress: 1) == 0.1)
    #expect(schedule.factor(step: 9, progress: 2) == 0.1)
  }

  @Test func warmupAndCosineMultiply() {
    let schedule = LearningRateSchedule(.cosine(), warmupSteps: 1)
    #expect(abs(schedule.factor(step: 0, progress: 0.5) - 0.25) < 1e-15)
  }
}
