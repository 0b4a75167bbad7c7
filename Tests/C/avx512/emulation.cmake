# Emulates AVX-512, so that its kernels can be tested on a processor without it. Pass this file to the CMakeLists.txt of
# CNFKernels as CMAKE_PROJECT_cnf_INCLUDE. It compiles the AVX-512 kernels with SIMDe, which computes intrinsics in plain
# C, and makes api/machine.c report the instruction set. The sources of the library need no change, because this folder
# comes first in the include path: its immintrin.h and target_avx512_begin.h replace those of the compiler and the
# library.

if(NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
  message(FATAL_ERROR "Emulated AVX-512 needs gcc, because Clang's headers define types that SIMDe 0.7.4 also defines: "
                      "set CMAKE_C_COMPILER to gcc")
endif()
set(emulation ${CMAKE_CURRENT_LIST_DIR})
file(GLOB emulated CONFIGURE_DEPENDS simd/tables/kernels_avx512*.c)
set_source_files_properties(${emulated} PROPERTIES INCLUDE_DIRECTORIES ${emulation} COMPILE_OPTIONS -Wno-psabi)
set_source_files_properties(api/machine.c PROPERTIES COMPILE_OPTIONS "-include;${emulation}/processor.h")
