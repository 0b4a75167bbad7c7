#!/usr/bin/env bash
# Builds the C library without Swift, as a program that embeds it does, with gcc and with the Clang of the Swift
# toolchain. Runs its tests and examples, installs it into a scratch folder, and builds the examples against the
# installed library, with find_package and with pkg-config.
#
#   Scripts/test-c.sh [gcc] [clang]      both without an argument; builds stay in .build-c/<compiler>
set -euo pipefail
cd "$(dirname "$0")/.."

readonly root=$PWD
readonly kernels=$root/CSources/CNFKernels
jobs=$(getconf _NPROCESSORS_ONLN)
readonly jobs

heading() { printf '\n== %s\n' "$*"; }
fail() {
  printf 'test-c: %s\n' "$*" >&2
  exit 1
}

# What the header promises of the object code, read off the symbols: only declared names are exported; nothing in the
# library can print, exit or abort.
check_symbols() {
  local shared=$1 static=$2 name stray
  while read -r name; do
    grep -qw "$name" "$kernels/include/cnf.h" || fail "$shared exports $name, which cnf.h does not declare"
  done < <(nm -D --defined-only "$shared" | awk '{print $3}')
  while read -r name; do
    nm -D --defined-only "$shared" | grep -qw "$name" || fail "$shared lacks $name, which cnf.h declares"
  done < <(sed -n 's/^CNF_API .*[ *]\(cnf_[a-z0-9_]*\)(.*/\1/p' "$kernels/include/cnf.h")
  stray=$(nm -u "$static" | awk '$1 == "U" {print $2}' | sort -u |
    grep -Ex '(v?f?printf|__(v?f?printf)_chk|f?puts|f?putc|putchar|f?write|perror|_?exit|abort|__assert_fail|raise|kill)' || true)
  [[ -z $stray ]] || fail "$static may print or end the process: it calls" $stray
  printf 'symbols: exports are those of cnf.h; no call prints, exits or aborts\n'
}

# Every example must run against what `cmake --install` made, the way a stranger would use it.
check_installation() {
  local compiler=$1 prefix=$2 scratch=$3 linkage name
  export PKG_CONFIG_PATH=
  for linkage in shared static; do
    cmake -S "$root/Examples/c" -B "$scratch/$linkage" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release \
      -DCMAKE_PREFIX_PATH="$prefix" -DCNF_LINKAGE="$linkage" >/dev/null
    cmake --build "$scratch/$linkage" >/dev/null
    for name in first callback_loss callback_field callback_training; do "$scratch/$linkage/$name" >/dev/null; done
    printf 'find_package(cnf), %s library: examples build and run\n' "$linkage"
  done
  PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name cnf.pc)")
  local library_folder
  library_folder=$(pkg-config --variable=libdir cnf)
  # shellcheck disable=SC2046 # the flags are words
  "$compiler" -std=c11 "$root/Examples/c/first.c" -o "$scratch/first" $(pkg-config --cflags --libs cnf) -lm
  LD_LIBRARY_PATH=$library_folder "$scratch/first" >/dev/null
  sed -n '/^```c$/,/^```$/p' "$root/README.md" | sed '1d;$d' >"$scratch/readme.c"
  # shellcheck disable=SC2046 # the flags are words
  "$compiler" -std=c11 "$scratch/readme.c" -o "$scratch/readme" $(pkg-config --cflags --libs cnf)
  LD_LIBRARY_PATH=$library_folder "$scratch/readme" | grep -q '^0.328 -0.510, log det -1.000$' ||
    fail "the program in README.md does not print what its comments say"
  printf 'pkg-config cnf %s: first.c and the program in README.md build and run\n' "$(pkg-config --modversion cnf)"
}

# An installation may be moved: cnf.pc then finds it where it is.
check_moved_installation() {
  local compiler=$1 moved=$2 scratch=$3
  PKG_CONFIG_PATH=$(dirname "$(find "$moved" -name cnf.pc)")
  # shellcheck disable=SC2046 # the flags are words
  "$compiler" -std=c11 "$root/Examples/c/first.c" -o "$scratch/moved" $(pkg-config --cflags --libs cnf) -lm
  LD_LIBRARY_PATH=$(pkg-config --variable=libdir cnf) "$scratch/moved" >/dev/null
  printf 'pkg-config cnf: first.c builds and runs after the installation has been moved\n'
}

# Configures the parent project of check_subdirectory for one type of build.
configure_parent() {
  local compiler=$1 folder=$2 type=$3
  cmake -S "$folder" -B "$folder/$type" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_BUILD_TYPE="$type" \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >/dev/null
}

# A project that adds the library's folder gets the library alone: it builds, has no other test, and installs nothing
# but its own program. A configuration keeps its own level of optimisation; that of Debug is built, in the least time.
check_subdirectory() {
  local compiler=$1 folder=$2 tests stray
  mkdir -p "$folder"
  cat >"$folder/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.18)
project(parent LANGUAGES C)
enable_testing()
add_subdirectory($kernels cnf)
add_executable(first $root/Examples/c/first.c)
target_link_libraries(first PRIVATE cnf::static m)
add_test(NAME first COMMAND first)
install(TARGETS first DESTINATION bin)
END
  configure_parent "$compiler" "$folder" Release
  configure_parent "$compiler" "$folder" Debug
  grep -q -- '-O3 .*solver_f32' "$folder/Release/compile_commands.json" || fail "Release is compiled without -O3"
  ! grep -- '-O3' "$folder/Debug/compile_commands.json" >/dev/null || fail "Debug is compiled with -O3"
  cmake --build "$folder/Debug" --target first --parallel "$jobs" >/dev/null
  tests=$(ctest --test-dir "$folder/Debug" --show-only | sed -n 's/^Total Tests: //p')
  [[ $tests == 1 ]] || fail "add_subdirectory adds tests: the parent project has $tests, and 1 is its own"
  ctest --test-dir "$folder/Debug" --output-on-failure >/dev/null
  cmake --install "$folder/Debug" --prefix "$folder/prefix" >/dev/null
  stray=$(cd "$folder/prefix" && find . -type f ! -path ./bin/first)
  [[ -z $stray ]] || fail "add_subdirectory installs" $stray
  printf 'add_subdirectory: the library alone, without tests, rules of installation or -O3 in Debug\n'
}

test_compiler() {
  local kind=$1 build compiler
  build=$(Scripts/build-c.sh "$kind")
  compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
  heading "C library by $("$compiler" --version | head -n 1)"
  ctest --test-dir "$build" --output-on-failure --no-tests=error --parallel "$jobs"
  # Which instruction sets were compared, and which this machine lacks.
  grep -E '^(generic|avx|neon).*(comparisons in|SKIPPED)' "$build/Testing/Temporary/LastTest.log" | sort
  rm -rf "$build/prefix" "$build/consumer"
  cmake --install "$build" --prefix "$build/prefix" >/dev/null
  check_symbols "$(find "$build/prefix" -name libcnf.so)" "$(find "$build/prefix" -name libcnf.a)"
  check_installation "$compiler" "$build/prefix" "$build/consumer"
  mv "$build/prefix" "$build/consumer/prefix"
  check_moved_installation "$compiler" "$build/consumer/prefix" "$build/consumer"
  check_subdirectory "$compiler" "$build/consumer/parent"
}

(($# > 0)) || set -- gcc clang
for kind in "$@"; do test_compiler "$kind"; done
