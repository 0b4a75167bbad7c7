#!/usr/bin/env bash
# Checks the format of every Swift, C and shell file, the sizes of the C library's folders and functions, and the prose
# of comments, messages and pages. With --fix it repairs the format. Prints what is wrong, and one line for each check
# that passes.
#
# Versions of clang-format format differently; the C sources follow that of Debian 12. With another version, or none,
# the C check is skipped and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly clang_format_version=14
fix=false
[[ ${1:-} == --fix ]] && fix=true

swift_paths=()
for path in Sources Tests Package.swift Benchmarks/Library Benchmarks/Package.swift; do [[ -e $path ]] && swift_paths+=("$path"); done
if $fix; then
  swift format format --in-place --parallel --recursive "${swift_paths[@]}"
else
  swift format lint --strict --parallel --recursive "${swift_paths[@]}"
fi
printf 'lint: Swift ok\n'

version=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p' || true)
if [[ $version != "$clang_format_version" ]]; then
  printf 'lint: C SKIPPED (needs clang-format %s, found %s)\n' "$clang_format_version" "${version:-none}"
else
  mapfile -d '' c_files < <(find CSources Tests/C Examples Benchmarks -name '.build*' -prune -o \
    \( -name '*.[ch]' -o -name '*.inc' -o -name '*.cpp' \) -print0 2>/dev/null)
  if $fix; then clang-format -i "${c_files[@]}"; else clang-format --dry-run -Werror "${c_files[@]}"; fi
  printf 'lint: C ok (%d files)\n' "${#c_files[@]}"
fi

python3 Scripts/measure_code.py --check

Scripts/prose.py --self-test
Scripts/prose.py
printf 'lint: prose ok\n'

for script in Scripts/*.sh .ci/run; do bash -n "$script"; done
printf 'lint: shell ok\n'
