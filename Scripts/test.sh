#!/usr/bin/env bash
# Runs every test. The checks of the sources come first; they take seconds. Then the C tests run next to the build and
# the tests of Swift, because each of them alone leaves a core idle for minutes. The output of the C tests comes last.
#
#   Scripts/test.sh COMMAND...     COMMAND builds and tests the Swift modules
set -euo pipefail
cd "$(dirname "$0")/.."

readonly log=.build-c/test.log
Scripts/lint.sh

mkdir -p "$(dirname "$log")"
printf 'test: the C tests run in the background and write to %s\n' "$log"
Scripts/test-c.sh >"$log" 2>&1 &
readonly c_tests=$!
trap 'kill "$c_tests" 2>/dev/null || true' EXIT

failed=()
"$@" || failed+=("Swift")
wait "$c_tests" || failed+=("C")
cat "$log"
((${#failed[@]} == 0)) || {
  printf '\ntest: FAILED: %s\n' "${failed[*]}" >&2
  exit 1
}
printf '\ntest: all passed: sources, C by gcc and clang, Swift\n'
