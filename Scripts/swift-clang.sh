#!/usr/bin/env bash
# Prints the path of the Clang of the Swift toolchain, also if `swift` on PATH is a launcher in another folder. Without
# such a Clang it prints the path of the Clang on PATH.
set -euo pipefail

resources=$(swift -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
if [[ -x $resources/../../bin/clang ]]; then
  cd "$resources/../../bin"
  printf '%s/clang\n' "$PWD"
else
  command -v clang || {
    printf 'swift-clang: no clang, neither in the Swift toolchain nor on PATH\n' >&2
    exit 1
  }
fi
