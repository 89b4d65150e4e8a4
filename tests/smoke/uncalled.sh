#!/usr/bin/env bash
# tests/smoke/uncalled.sh header 'call prefix' source...: prints the functions that the header
# declares and no source calls. `call prefix` is what stands before the name in a call.
set -euo pipefail
readonly header=$1 prefix=$2
shift 2
readonly sources=("$@")

declared() { cc -E -P "$header" | grep -oE '\bspw_[a-z0-9_]+ *\(' | tr -d ' (' | LC_ALL=C sort -u; }
called() {
  grep -hvE '^[[:space:]]*(//|pub fn|fn )' "${sources[@]}" | grep -oE "$prefix"'spw_[a-z0-9_]+\(' |
    grep -oE 'spw_[a-z0-9_]+' | LC_ALL=C sort -u
}
[[ $(declared | wc -l) -gt 10 ]] || { echo "no functions found in $header" >&2; exit 1; }
LC_ALL=C comm -23 <(declared) <(called)
