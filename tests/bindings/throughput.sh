#!/usr/bin/env bash
# throughput.sh build-folder [rounds]: the loop of loop.c in C and through every binding whose
# toolchain is here, the languages in turn, and the best round of each. Prints the table that stands
# in the bindings' READMEs; fails if a binding is slower than 80 % of C.
set -euo pipefail
build=$(realpath "$1")
readonly rounds=${2:-3} least_percent=80
cd "$(dirname "$0")/../.."
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

cc -std=c99 -O2 -Wall -Wextra -Werror -Icapi -o "$temp/loop" tests/bindings/loop.c \
  -L"$build/capi" -lspillway -Wl,-rpath,"$build/capi"

measure() { # language
  if [[ $1 == c ]]; then "$temp/loop"; else "bindings/$1/bench.sh" "$build" 2>"$temp/log"; fi
}
languages=(c)
for language in csharp go rust; do
  code=0
  RECORDS=10000 measure "$language" >"$temp/first" || code=$?  # also builds it
  case $code in
    0) languages+=("$language") ;;
    77) cat "$temp/first" ;;
    *) cat "$temp/first" "$temp/log"; exit 1 ;;
  esac
done
for ((round = 1; round <= rounds; round++)); do
  for language in "${languages[@]}"; do
    measure "$language" | sed "s/^/$language /" >>"$temp/rows"
  done
done

awk -v least="$least_percent" '
  { key = $1 " " $2; if (!(key in best) || $3 < best[key]) best[key] = $3; seen[$1] }
  function cell(language, what) {
    percent = 100 * best["c " what] / best[language " " what]
    if (percent < least) { slow = slow " " language " " what }
    return sprintf("%.1f M records/s, %.0f %% of C", 1000 / best[language " " what], percent)
  }
  function row(language, title) {
    if (language in seen)
      printf "| %s | %s | %s |\n", title, cell(language, "add_ns_per_record"), cell(language, "read_ns_per_record")
  }
  END {
    print "| | add | read |"
    print "|---|---|---|"
    row("c", "C"); row("csharp", "C#"); row("go", "Go"); row("rust", "Rust")
    if (slow != "") { print "slower than " least " % of C:" slow; exit 1 }
  }' "$temp/rows"
