# AVX-512 without the processor: given to CNFKernels' CMakeLists.txt as CMAKE_PROJECT_cnf_INCLUDE, this compiles its AVX-512
# kernels against SIMDe's portable intrinsics, and lets api/machine.c find the instruction set. The library's sources know
# nothing of it: this folder stands before theirs and the compiler's, with an immintrin.h and a target_avx512_begin.h.

if(NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
  message(FATAL_ERROR "AVX-512 is emulated under gcc: Clang's own headers define types that SIMDe 0.7.4 defines too")
endif()
set(emulation ${CMAKE_CURRENT_LIST_DIR})
file(GLOB emulated CONFIGURE_DEPENDS simd/tables/kernels_avx512*.c)
set_source_files_properties(${emulated} PROPERTIES INCLUDE_DIRECTORIES ${emulation} COMPILE_OPTIONS -Wno-psabi)
set_source_files_properties(api/machine.c PROPERTIES COMPILE_OPTIONS "-include;${emulation}/processor.h")
