@_exported import FieldPrograms
@_exported import NeuralODE
