#!/usr/bin/env bash
# tests/smoke/uncalled.sh header source 'call prefix': prints the functions that the header declares
# and the source never calls. `call prefix` is what stands before the name in a call.
set -euo pipefail
readonly header=$1 source=$2 prefix=$3

declared() { cc -E -P "$header" | grep -oE '\bspw_[a-z0-9_]+ *\(' | tr -d ' (' | LC_ALL=C sort -u; }
called() {
  grep -vE '^[[:space:]]*(//|pub fn|fn )' "$source" | grep -oE "$prefix"'spw_[a-z0-9_]+\(' |
    grep -oE 'spw_[a-z0-9_]+' | LC_ALL=C sort -u
}
[[ $(declared | wc -l) -gt 10 ]] || { echo "no functions found in $header" >&2; exit 1; }
LC_ALL=C comm -23 <(declared) <(called)
