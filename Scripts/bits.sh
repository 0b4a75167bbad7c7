#!/usr/bin/env bash
# Hashes every kind of result. Two lists of hashes show whether a change moves any result, to the last bit, on every
# instruction set of this machine.
#
#   Scripts/bits.sh LIST             writes the list of hashes, one line a case
#   Scripts/bits.sh LIST EARLIER     writes it, compares it with an earlier list, and fails where a line differs
#
# The list has two parts. Lines that begin with a compiler's name come from Tests/C/bits.c, built by that compiler.
# Lines that begin with "train" come from the cnf program: it trains six models for 200 steps, and the hashes are those
# of their weights and predictions. Bits depend on the compiler, the system's libm and the processor, so compare lists
# of one machine. A comparison fails if a line differs or is missing; it counts new lines.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly list=${1:?usage: Scripts/bits.sh LIST [EARLIER]} earlier=${2:-}
readonly program=$PWD/.build/release/cnf
fail() {
  printf 'bits: %s\n' "$*" >&2
  exit 1
}
[[ -z $earlier || -r $earlier ]] || fail "cannot read '$earlier'"
[[ -x $program ]] || fail "build the program first: make build"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# ---- The C library by each compiler. Threads that wait must not spin: two threads then take the time of one.
hash_library() {
  local kind=$1 build
  build=$(Scripts/build-c.sh "$kind" bits)
  "$build/tests/bits" | sed "s/^/$kind /"
}

# ---- The program: of a run, its weights, and what it says about the samples of points.npy.
# A .safetensors file is the header's length in 8 bytes, the header, and the numbers; the header holds times of day.
hash_numbers() {
  local length
  length=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
  tail -c "+$((length + 9))" "$1" | sha256sum | cut -c 1-16
}

train_and_hash() {
  local isa=$1 name=$2 run=$scratch/$1-$2 weights predicted
  shift 2
  CNF_ISA=$isa "$program" train --out "$run" --steps 200 --seed 3 --batch-size 64 --threads 2 "$@" >"$run.log" 2>&1 ||
    fail "training '$name' on $isa failed: $(tail -n 3 "$run.log")"
  weights=$(hash_numbers "$run/checkpoint.safetensors")-$(hash_numbers "$run/best.safetensors")
  if [[ $name == classifier ]]; then
    CNF_ISA=$isa "$program" predict "$run" --data digits --out "$run.npy" >>"$run.log" 2>&1
  else
    CNF_ISA=$isa "$program" logprob "$run" --data pinwheel --count 500 --data-seed 9 --out "$run.npy" >>"$run.log" 2>&1
  fi || fail "'$name' on $isa predicts nothing: $(tail -n 3 "$run.log")"
  predicted=$(sha256sum "$run.npy" | cut -c 1-16)
  printf 'train %s %s weights=%s predictions=%s\n' "$name" "$isa" "$weights" "$predicted"
}

hash_models() {
  local isa small=(--data pinwheel --count 2000 --hidden 16,16)
  for isa in "$@"; do
    train_and_hash "$isa" flow "${small[@]}" --trace hutchinson
    train_and_hash "$isa" stacked "${small[@]}" --model stacked --blocks 2
    train_and_hash "$isa" coupling "${small[@]}" --model coupling --depth 4
    train_and_hash "$isa" hamiltonian "${small[@]}" --model hamiltonian
    train_and_hash "$isa" diffusion "${small[@]}" --model diffusion --objective score-matching
    train_and_hash "$isa" classifier --data digits --hidden 16 --model classifier
  done
}

{
  hash_library gcc
  hash_library clang
} >"$scratch/list"
mapfile -t isas < <(grep -oE ' (generic|avx2|avx512|avx512bf16|neon) ' "$scratch/list" | sort -u | tr -d ' ')
hash_models "${isas[@]}" >>"$scratch/list"
mkdir -p "$(dirname "$list")"
cp "$scratch/list" "$list"
printf 'bits: %s lines in %s, on %s\n' "$(wc -l <"$list")" "$list" "${isas[*]}"
[[ -n $earlier ]] || exit 0

# A line is a name and its hashes: everything from the first "word=" or "refused" on.
awk '
  function key(line) { match(line, / [a-z0-9-]+=| refused/); return RSTART ? substr(line, 1, RSTART - 1) : line }
  NR == FNR { before[key($0)] = $0; next }
  { k = key($0); if (!(k in before)) { added++; next }
    same += before[k] == $0
    if (before[k] != $0) { differs++; print "differs: " k; print "  before" substr(before[k], length(k) + 1); print "  now   " substr($0, length(k) + 1) }
    delete before[k] }
  END { for (k in before) { missing++; print "missing: " k }
    printf "bits: %d lines are the same, %d differ, %d are missing, %d are new\n", same, differs, missing, added
    exit differs + missing > 0 }' "$earlier" "$list"
