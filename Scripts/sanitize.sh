#!/usr/bin/env bash
# Builds the C library and its tests with sanitizers, with the Clang of the Swift toolchain, and runs the tests.
#
#   Scripts/sanitize.sh [address] [fuzz] [thread]     all without an argument
#
#   address   AddressSanitizer with UndefinedBehaviorSanitizer; every report fails its test. Red zones separate the
#             arrays of a solver (host/red_zones.h).
#   fuzz      the same build: field programs and calls that libFuzzer makes up, each for SECONDS_EACH seconds (default
#             20). What it has found stays in .build-c/fuzz, where the next run begins; so do inputs that fail.
#   thread    ThreadSanitizer
#
# Builds stay in .build-c/sanitize-address and .build-c/sanitize-thread. Two tests are left out: allocation_test, which
# defines malloc as the sanitizers do, and the Python example, whose interpreter lacks a sanitizer's runtime.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly kernels=$PWD/CSources/CNFKernels
readonly seconds=${SECONDS_EACH:-20}
compiler=$(Scripts/swift-clang.sh)
swift_libraries=$(dirname "$compiler")/../lib/swift/linux
jobs=$(getconf _NPROCESSORS_ONLN)
readonly compiler swift_libraries jobs

fail() {
  printf 'sanitize: %s\n' "$*" >&2
  exit 1
}

# Builds the targets. -z undefs: the sanitizers' runtime is linked to programs, so libcnf.so has undefined symbols until
# it is loaded. Swift's lld knows the option; its other linkers do not. Swift's ThreadSanitizer calls libdispatch.
build() {
  local which=$1 flags=$2 folder=$PWD/.build-c/sanitize-$1 link="-fuse-ld=lld" fuzzes=OFF
  [[ $which != address ]] || fuzzes=ON
  [[ $which != thread ]] || link+=" -L$swift_libraries -Wl,-rpath,$swift_libraries -ldispatch -lBlocksRuntime"
  printf '\n== %s\n' "$flags"
  cmake -S "$kernels" -B "$folder" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_CXX_COMPILER="$compiler++" \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=ON -DCMAKE_C_FLAGS="$flags -fno-omit-frame-pointer" \
    -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_C_STANDARD_LIBRARIES=-Wl,-z,undefs -DCNF_FUZZ="$fuzzes" \
    -DCMAKE_EXE_LINKER_FLAGS="$link" -DCMAKE_SHARED_LINKER_FLAGS="$link" >/dev/null
  cmake --build "$folder" --parallel "$jobs" --target "${@:3}"
}

# fuzzer-no-link: libFuzzer sees which code an input reaches.
build_address() {
  build address "-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined" "$@"
}

run_tests() {
  ctest --test-dir ".build-c/sanitize-$1" --output-on-failure --no-tests=error --parallel "$jobs" \
    --exclude-regex '^(allocation_test|example_python_first)$'
}

fuzz() {
  local target=$1
  mkdir -p ".build-c/fuzz/$target"
  printf '\n== %s, %s seconds\n' "$target" "$seconds"
  ".build-c/sanitize-address/tests/$target" -max_total_time="$seconds" -max_len=400 -len_control=0 -timeout=20 \
    -artifact_prefix=".build-c/fuzz/$target-" ".build-c/fuzz/$target" 2>&1 | grep -vE '^#[0-9]+[[:space:]]|NEW_FUNC'
}

(($# > 0)) || set -- address fuzz thread
export UBSAN_OPTIONS=print_stacktrace=1
for which in "$@"; do
  case $which in
  address)
    build_address all
    run_tests address
    ;;
  fuzz)
    build_address program_fuzzer call_fuzzer
    fuzz program_fuzzer
    fuzz call_fuzzer
    ;;
  thread)
    build thread -fsanitize=thread all
    # a test starts threads in the child of a fork
    OMP_NUM_THREADS=4 TSAN_OPTIONS=die_after_fork=0 run_tests thread
    ;;
  *) fail "unknown sanitizer '$which': say 'address', 'fuzz' or 'thread'" ;;
  esac
done
