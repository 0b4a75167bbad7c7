#!/usr/bin/env bash
# Measures what the tests run, with the instrumentation of the Swift toolchain's compilers: lines by folder, and the
# functions that no test runs. Instrumented code is slow, so it has builds of its own: .build-c/coverage,
# .build-coverage.
#
#   Scripts/coverage.sh [c] [swift]     both without an argument
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(dirname "$(Scripts/swift-clang.sh)")
jobs=$(getconf _NPROCESSORS_ONLN)
readonly tools jobs root=$PWD

# Prints what the profiles say about the programs and libraries that follow.
report() {
  local name=$1 profiles=$2 object objects=()
  "$tools/llvm-profdata" merge -sparse "$profiles"/*.profraw -o "$profiles/merged.profdata"
  for object in "${@:3}"; do objects+=(-object "$object"); done
  "$tools/llvm-cov" export -instr-profile "$profiles/merged.profdata" "${objects[@]}" >"$profiles/export.json"
  python3 Scripts/coverage.py "$name" "$profiles/export.json"
}

# Every program writes a file of its own: %m is a signature of the program, whose runs are added up.
cover_c() {
  local build=$root/.build-c/coverage
  rm -rf "$build/profiles"
  cmake -S CSources/CNFKernels -B "$build" -DCMAKE_C_COMPILER="$tools/clang" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON \
    -DCMAKE_C_FLAGS="-fprofile-instr-generate -fcoverage-mapping" >/dev/null
  cmake --build "$build" --parallel "$jobs" >/dev/null
  LLVM_PROFILE_FILE=$build/profiles/%m.profraw ctest --test-dir "$build" --output-on-failure --parallel "$jobs" >"$build/ctest.log" ||
    { cat "$build/ctest.log" && exit 1; }
  local program programs=()
  for program in "$build"/tests/*_test; do programs+=("$program"); done
  report C "$build/profiles" "$build/libcnf.so" "${programs[@]}"
}

cover_swift() {
  local build=$root/.build-coverage
  local flags=(-c release --enable-code-coverage --scratch-path "$build")
  rm -rf "$build/profiles"
  swift build "${flags[@]}" --build-tests >"$build.log" 2>&1 || { cat "$build.log" && exit 1; }
  LLVM_PROFILE_FILE=$build/profiles/%m.profraw swift test "${flags[@]}" --disable-testable-imports \
    --skip-build >"$build.log" 2>&1 ||
    { grep -E '✘|error:' "$build.log" && exit 1; }
  mkdir -p "$build/profiles"
  cp "$build"/release/codecov/*.profraw "$build/profiles/" 2>/dev/null || true
  report Swift "$build/profiles" "$build"/release/*.xctest "$build/release/cnf" "$build/release/cnf-examples"
}

(($# > 0)) || set -- c swift
for which in "$@"; do
  case $which in
  c) cover_c ;;
  swift) cover_swift ;;
  *)
    printf "coverage: unknown part '%s': say 'c' or 'swift'\n" "$which" >&2
    exit 1
    ;;
  esac
done
