#!/usr/bin/env bash
# Builds the C library with one compiler, without Swift, and prints the folder of the build, .build-c/<compiler>. Tests,
# benchmarks and `make bits` share that folder, so nothing is compiled twice.
#
#   Scripts/build-c.sh gcc|clang [TARGET...]     clang is that of the Swift toolchain; without a target: everything
set -euo pipefail
cd "$(dirname "$0")/.."

readonly kind=${1:-}
readonly build=$PWD/.build-c/$kind
case $kind in
gcc) compiler=$(command -v gcc) ;;
clang) compiler=$(Scripts/swift-clang.sh) ;;
*)
  printf "build-c: unknown compiler '%s': say 'gcc' or 'clang'\n" "$kind" >&2
  exit 1
  ;;
esac
mkdir -p .build-c
(($# > 1)) && targets=(--target "${@:2}") || targets=()

{
  cmake -S CSources/CNFKernels -B "$build" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON
  cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)" "${targets[@]}"
} >"$build.log" 2>&1 || {
  cat "$build.log" >&2
  exit 1
}
printf '%s\n' "$build"
