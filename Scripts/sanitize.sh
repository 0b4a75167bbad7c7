#!/usr/bin/env bash
# Builds the C library and its tests with sanitizers, with the Clang of the Swift toolchain, and runs the tests.
#
#   Scripts/sanitize.sh [address] [thread]     both without an argument; builds stay in .build-c/sanitize-<which>
#
#   address   AddressSanitizer with UndefinedBehaviorSanitizer; every report fails its test
#   thread    ThreadSanitizer. libomp is not instrumented; Archer, which comes with it, reports OpenMP's barriers.
#
# Two tests are left out: allocation_test, which defines malloc as the sanitizers do, and the Python example, whose
# interpreter lacks a sanitizer's runtime.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly kernels=$PWD/CSources/CNFKernels
compiler=$(Scripts/swift-clang.sh)
swift_libraries=$(dirname "$compiler")/../lib/swift/linux
jobs=$(getconf _NPROCESSORS_ONLN)
readonly compiler swift_libraries jobs

fail() {
  printf 'sanitize: %s\n' "$*" >&2
  exit 1
}

# -z undefs: the sanitizers' runtime is linked to programs, so libcnf.so has undefined symbols until it is loaded.
# Swift's lld knows the option; its other linkers do not. Swift's ThreadSanitizer calls libdispatch.
sanitize() {
  local which=$1 flags=$2 build=$PWD/.build-c/sanitize-$1 link="-fuse-ld=lld"
  [[ $which != thread ]] || link+=" -L$swift_libraries -Wl,-rpath,$swift_libraries -ldispatch -lBlocksRuntime"
  printf '\n== %s\n' "$flags"
  cmake -S "$kernels" -B "$build" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_CXX_COMPILER="$compiler++" \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=ON -DCMAKE_C_FLAGS="$flags -fno-omit-frame-pointer" \
    -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_C_STANDARD_LIBRARIES=-Wl,-z,undefs \
    -DCMAKE_EXE_LINKER_FLAGS="$link" -DCMAKE_SHARED_LINKER_FLAGS="$link" >/dev/null
  cmake --build "$build" --parallel "$jobs"
  ctest --test-dir "$build" --output-on-failure --no-tests=error --parallel "$jobs" --exclude-regex '^(allocation_test|example_python_first)$'
}

(($# > 0)) || set -- address thread
for which in "$@"; do
  case $which in
  address)
    UBSAN_OPTIONS=print_stacktrace=1 sanitize address "-fsanitize=address,undefined -fno-sanitize-recover=undefined"
    ;;
  thread)
    archer=$(find /usr/lib/llvm-*/lib -name libarcher.so 2>/dev/null | sort -V | tail -n 1)
    [[ -n $archer ]] || fail "no libarcher.so under /usr/lib/llvm-*: it comes with libomp-dev"
    OMP_NUM_THREADS=4 OMP_TOOL_LIBRARIES=$archer TSAN_OPTIONS=ignore_noninstrumented_modules=1:report_thread_leaks=0 \
      sanitize thread -fsanitize=thread
    ;;
  *) fail "unknown sanitizer '$which': say 'address' or 'thread'" ;;
  esac
done
