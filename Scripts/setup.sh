#!/usr/bin/env bash
# Checks that this machine has what a build needs, and installs what is missing with apt-get.
#
#   Scripts/setup.sh train    what `make build` and `make train` need
#   Scripts/setup.sh c        the same, and what building the C library by itself needs: CMake, gcc
#   Scripts/setup.sh test     the same, and what the checks of `make test` need: clang-format, codespell, python3
#   Scripts/setup.sh arm      what `make test-arm` needs: CMake, a cross compiler, QEMU; no Swift
#   Scripts/setup.sh avx512   what `make test-avx512` needs: CMake, gcc, SIMDe; no Swift
#   Scripts/setup.sh peers    what `c` needs, and Python for `make bench-peers`
#
# If nothing is missing, it prints nothing and takes milliseconds. It looks for the things themselves (a program on
# PATH, a module of pkg-config), not for packages, so it works on any system. Only
# installing needs Debian or Ubuntu, as root or through sudo. Elsewhere it prints what to install and exits with 1.
set -euo pipefail

readonly purpose=${1:-train}
readonly swift_needed=6.2

# One line for each need: packages of Debian and Ubuntu | how to look for it | what it is for.
readonly needs_train='
git ca-certificates | program git      | fetching the Swift packages
pkg-config       | program pkg-config  | finding OpenBLAS and Cairo
g++              | program g++         | the C library headers and the linker that Swift uses
libopenblas-dev  | module openblas     | OpenBLAS
libcairo2-dev    | module cairo        | drawing plots'
readonly needs_c="$needs_train
gcc              | program gcc         | building the C library without Swift
cmake            | program cmake       | building the C library without Swift"
readonly needs_test="$needs_c
clang-format     | program clang-format | checking the format of the C sources
codespell        | program codespell    | checking the spelling of every text
python3          | program python3      | checking the words of every text"
readonly needs_arm='
cmake            | program cmake        | building the C library without Swift
g++-aarch64-linux-gnu | program aarch64-linux-gnu-g++ | compiling for 64-bit Arm
qemu-user        | program qemu-aarch64 | running what was compiled for 64-bit Arm'
readonly needs_avx512='
gcc              | program gcc         | building the C library without Swift
g++              | program g++         | the C library headers and the test of cnf.h as C++
cmake            | program cmake       | building the C library without Swift
libsimde-dev     | header simde/x86/avx512.h | emulating AVX-512'
readonly needs_peers="$needs_c
python3-venv     | python venv         | a Python environment for the other libraries
python3-dev      | python headers      | code that PyTorch compiles"

fail() {
  printf 'setup: %s\n' "$1" >&2
  printf '%s\n' "${@:2}" >&2
  exit 1
}

case $purpose in
train) readonly needs=$needs_train ;;
c) readonly needs=$needs_c ;;
test) readonly needs=$needs_test ;;
arm) readonly needs=$needs_arm ;;
avx512) readonly needs=$needs_avx512 ;;
peers) readonly needs=$needs_peers ;;
*) fail "unknown purpose '$purpose': say 'train', 'c', 'test', 'arm', 'avx512' or 'peers'" ;;
esac

have_program() { command -v "$1" >/dev/null; }
have_module() { have_program pkg-config && pkg-config --exists "$1"; }
have_header() { have_program gcc && gcc -E -include "$1" -x c - </dev/null >/dev/null 2>&1; }
# Debian's python3 has the module venv, and lacks ensurepip, which fills an environment.
have_python() {
  have_program python3 && case $1 in
  venv) python3 -c 'import ensurepip, venv' ;;
  headers) [[ -f $(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h ]] ;;
  esac
} 2>/dev/null

# Prints the lines of `needs` that this machine does not meet.
missing_needs() {
  local package probe use kind name
  while IFS='|' read -r package probe use; do
    [[ -n ${package// /} ]] || continue
    read -r kind name <<<"$probe"
    "have_$kind" "$name" || printf '  %s:%s\n' "${package%"${package##*[! ]}"}" "$use"
  done <<<"$needs"
}

# Debian has no package of Swift, so this can only say what is missing.
check_swift() {
  local text version
  have_program swift || fail "Swift $swift_needed or newer is needed, and there is no 'swift' on PATH." \
    "Install it as https://www.swift.org/install describes, then run this again."
  text=$(swift --version 2>&1) || fail "'swift --version' failed: $text"
  version=$(sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' <<<"$text" | head -n 1)
  [[ -n $version ]] || fail "cannot read a version from 'swift --version': $text"
  [[ $(printf '%s\n' "$swift_needed" "$version" | sort -V | head -n 1) == "$swift_needed" ]] ||
    fail "Swift $swift_needed or newer is needed, and this is Swift $version ($(command -v swift))." \
      "Install a newer one as https://www.swift.org/install describes, then run this again."
}

# apt-get as root, or through sudo, which may ask for a password only if there is a terminal.
apt_get() {
  local -a become=()
  if ((EUID != 0)); then
    become=(sudo)
    [[ -t 0 ]] || become+=(-n)
  fi
  "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

list_and_fail() {
  fail "$1" "Please install (names as in Debian and Ubuntu):" "$2"
}

[[ $purpose =~ ^(arm|avx512)$ ]] || check_swift
missing=$(missing_needs)
[[ -n $missing ]] || exit 0

have_program apt-get || list_and_fail "some things are missing, and this system has no apt-get." "$missing"
((EUID == 0)) || have_program sudo ||
  list_and_fail "some things are missing; installing them needs root or sudo, and neither is available." "$missing"

printf 'setup: installing what is missing:\n%s\n' "$missing" >&2
read -r -a packages <<<"$(sed 's/:.*//' <<<"$missing" | tr '\n' ' ')"
{
  # The lists of packages may be missing or old. Refresh them only if something has to be installed.
  apt_get update && apt_get install -y --no-install-recommends "${packages[@]}"
} >&2 || list_and_fail "apt-get could not install everything." "$missing"

missing=$(missing_needs)
[[ -z $missing ]] || list_and_fail "apt-get succeeded, but some things are still missing." "$missing"
