#!/usr/bin/env bash
# tests/bench/run.sh build-folder [records|blocks|gates]...: runs the workloads of the record store and
# of the block file quick, then the gates; by default all. What they measure goes to bench.json,
# block_bench.json, gate.txt and block_gate.txt in <build-folder>/.., tables to the terminal. Below 8
# minutes on 2 cores that have nothing else to do.
#
# SPW_BENCH_RECORDS (400000), SPW_BENCH_REPETITIONS (3), SPW_BENCH_FILTER (all), SPW_BENCH_FILES
# (generated lines), SPW_BENCH_BLOBS (10000), SPW_BENCH_LISTED (1000000), SPW_BENCH_MIXED_SECONDS
# (2), SPW_GATE_RECORDS (3000000), SPW_GATE_ROUNDS (5), SPW_BLOCK_GATE_ROUNDS (7), SPW_BENCH_DIR
# (TMPDIR, /tmp).
set -euo pipefail
readonly build=${1:?usage: run.sh build-folder [records|blocks|gates]...}
shift
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly programs=$build/tests/bench
readonly results=$(dirname "$build")

folder=$(mktemp -d "${SPW_BENCH_DIR:-${TMPDIR:-/tmp}}/spw_bench_run_XXXXXX")
trap 'rm -rf "$folder"' EXIT

failed=0
measured=()
run() { # program json
  measured+=("$results/$2")
  "$programs/$1" --dir="$folder" \
    --benchmark_filter="${SPW_BENCH_FILTER:-.}" \
    --benchmark_repetitions="${SPW_BENCH_REPETITIONS:-3}" \
    --benchmark_enable_random_interleaving=true \
    --benchmark_out="$results/$2" --benchmark_out_format=json || failed=1
}
judge() { # program text
  echo
  "$programs/$1" --dir="$folder" | tee "$results/$2" || failed=1
}

(($#)) || set -- records blocks gates
parts=" $* "
[[ $parts != *" records "* ]] || SPW_BENCH_RECORDS=${SPW_BENCH_RECORDS:-400000} run spw_bench bench.json
[[ $parts != *" blocks "* ]] || run spw_block_bench block_bench.json
if ((${#measured[@]})); then
  python3 "$here/results/summary.py" "${measured[@]}"
  echo "json: ${measured[*]}"
fi
if [[ $parts == *" gates "* ]]; then
  judge spw_gate gate.txt
  judge spw_block_gate block_gate.txt
fi
exit "$failed"
