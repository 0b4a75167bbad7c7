#!/usr/bin/env bash
# Prints the path of the Clang that comes with Swift, wherever `swift` on PATH leads (it may be a launcher in another folder);
# else that of the Clang on PATH.
set -euo pipefail

resources=$(swift -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
if [[ -x $resources/../../bin/clang ]]; then
  cd "$resources/../../bin"
  printf '%s/clang\n' "$PWD"
else
  command -v clang || {
    printf 'swift-clang: no clang, neither beside swift nor on PATH\n' >&2
    exit 1
  }
fi
