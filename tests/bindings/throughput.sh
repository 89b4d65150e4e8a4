#!/usr/bin/env bash
# throughput.sh build-folder [rounds]: the loops of loop.c in C and through every binding whose
# toolchain is here, the languages in turn, and the best round of each. Prints the tables that stand
# in the bindings' READMEs; fails if a binding adds or reads records at less than 80 % of the speed
# of C, or takes more than 1.2 times as long as C for a batch of blocks.
#
# What a bench.sh does: `RECORDS=n BLOCKS=path bindings/<language>/bench.sh build-folder` prints on
# stdout exactly these lines, the last three only if BLOCKS is set:
#     add_ns_per_record X
#     read_ns_per_record X
#     block_put_us X
#     block_durable_us X
#     block_read_us X
# Records: RECORDS (3,000,000) of 128 bytes in batches of 1,000 through a store in memory, packed one
# by one through the binding's own batch, added in one call each; then read through views, the first
# and the last byte of each record touched. The best of three rounds, each with a store of its own,
# after one that only warms up.
# Blocks: a new block file at the path BLOCKS, with default options, gets 1,000 blocks of 4,096 bytes
# named block/0000 to block/0999 as one batch, which is flushed to the device. Round r, 0 to 40: the
# 500 blocks of even number i get, as one batch that keeps its memory from round to round, the eight
# bytes of r * 1000 + i (little-endian) and otherwise 'x'; block_put_us is packing them one by one
# and putting the batch, block_durable_us the same and a flush to the device. block_read_us is reading
# the 500 in one call into memory that is used again; they are compared after that, outside of the
# time. In microseconds, the best of rounds 1 to 40.
set -euo pipefail
build=$(realpath "$1")
readonly rounds=${2:-3} least_percent=80 most_times=1.2
cd "$(dirname "$0")/../.."
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

cc -std=c99 -O2 -Wall -Wextra -Werror -Icapi -o "$temp/loop" tests/bindings/loop.c \
  -L"$build/capi" -lspillway -Wl,-rpath,"$build/capi"

measure() { # language
  rm -f "$temp"/blocks*
  export BLOCKS=$temp/blocks
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

awk -v least="$least_percent" -v most="$most_times" '
  { key = $1 " " $2; if (!(key in best) || $3 < best[key]) best[key] = $3; seen[$1] }
  function rate(language, what) {
    percent = 100 * best["c " what] / best[language " " what]
    if (percent < least) { slow = slow " " language " " what }
    return sprintf("%.1f M records/s, %.0f %% of C", 1000 / best[language " " what], percent)
  }
  function time(language, what) {
    if (!((language " " what) in best)) { missing = missing " " language " " what; return "" }
    times = best[language " " what] / best["c " what]
    if (times > most) { slow = slow " " language " " what }
    return sprintf("%.0f us, %.2f times C", best[language " " what], times)
  }
  function row(language, title) {
    if (language in seen)
      printf "| %s | %s | %s |\n", title, rate(language, "add_ns_per_record"), rate(language, "read_ns_per_record")
  }
  function block_row(language, title) {
    if (language in seen)
      printf "| %s | %s | %s | %s |\n", title, time(language, "block_put_us"),
        time(language, "block_durable_us"), time(language, "block_read_us")
  }
  END {
    print "| | add | read |"
    print "|---|---|---|"
    row("c", "C"); row("csharp", "C#"); row("go", "Go"); row("rust", "Rust")
    print ""
    print "| 500 of 1,000 blocks of 4 KiB | put as one batch | put and on the device | read in one call |"
    print "|---|---|---|---|"
    block_row("c", "C"); block_row("csharp", "C#"); block_row("go", "Go"); block_row("rust", "Rust")
    if (missing != "") { print "not measured:" missing }
    if (slow != "") { print "too slow:" slow }
    exit missing != "" || slow != ""
  }' "$temp/rows"
