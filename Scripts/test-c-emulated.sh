#!/usr/bin/env bash
# Builds the C library with gcc for an instruction set that this machine may lack, and runs its tests and examples in an
# emulator.
#
#   Scripts/test-c-emulated.sh arm       AArch64 with NEON: a cross compiler, and QEMU's user mode
#   Scripts/test-c-emulated.sh avx512    x86-64 with AVX-512, with and without BF16: SIMDe's intrinsics (Tests/C/avx512)
#
# Emulation shows whether results are right; it says nothing about speed. Builds stay in .build-c/<what>. CNF_TEST_SHORT
# lets allocation_test make fewer calls.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly what=${1:-}
readonly kernels=$PWD/CSources/CNFKernels
readonly build=$PWD/.build-c/$what
jobs=$(getconf _NPROCESSORS_ONLN)
readonly jobs

fail() {
  printf 'test-c-emulated: %s\n' "$*" >&2
  exit 1
}

case $what in
arm)
  readonly -a isas=(neon)
  readonly -a settings=(-DCMAKE_TOOLCHAIN_FILE="$kernels/cmake/aarch64-linux-gnu.cmake")
  ;;
avx512)
  readonly -a isas=(avx512 avx512bf16)
  readonly -a settings=(-DCMAKE_C_COMPILER=gcc -DCMAKE_PROJECT_cnf_INCLUDE="$PWD/Tests/C/avx512/emulation.cmake")
  ;;
*) fail "unknown machine '$what': say 'arm' or 'avx512'" ;;
esac

cmake -S "$kernels" -B "$build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON "${settings[@]}"
cmake --build "$build" --parallel "$jobs"
CNF_TEST_SHORT=1 ctest --test-dir "$build" --output-on-failure --no-tests=error --parallel "$jobs"

# Which instruction sets were compared, and which are lacking. The one that all this is for must have been compared.
compared=$(grep -E '^(generic|avx|neon).*(comparisons in|SKIPPED)' "$build/Testing/Temporary/LastTest.log" | sort)
printf '%s\n' "$compared"
for isa in "${isas[@]}"; do
  for dtype in f32 f64; do
    grep -qE "$isa $dtype: [0-9]+ comparisons" <<<"$compared" || fail "no kernel of $isa $dtype was compared"
  done
done
