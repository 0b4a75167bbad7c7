@_exported import FieldPrograms
