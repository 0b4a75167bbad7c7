// The platform's C library under one name. `@_exported` makes `import CLibrary` stand for the import of that library,
// so that no other file asks which platform it is built for.

#if canImport(Glibc)
  @_exported import Glibc
#elseif canImport(Musl)
  @_exported import Musl
#else
  @_exported import Darwin
#endif
