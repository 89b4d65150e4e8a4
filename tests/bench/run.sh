#!/usr/bin/env bash
# tests/bench/run.sh build-folder: runs the workloads quick, then the gates. JSON goes to
# <build-folder>/../bench.json and block_bench.json, tables to the terminal. Below 8 minutes on 2
# cores that have nothing else to do.
#
# SPW_BENCH_RECORDS (400000), SPW_BENCH_REPETITIONS (3), SPW_BENCH_FILTER (all), SPW_BENCH_FILES
# (generated lines), SPW_BENCH_BLOBS (10000), SPW_BENCH_LISTED (1000000), SPW_BENCH_MIXED_SECONDS
# (2), SPW_GATE_RECORDS (3000000), SPW_GATE_ROUNDS (5), SPW_BLOCK_GATE_ROUNDS (7), SPW_BENCH_DIR
# (TMPDIR, /tmp).
set -euo pipefail
readonly build=${1:?usage: run.sh build-folder}
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly programs=$build/tests/bench
readonly results=$(dirname "$build")

folder=$(mktemp -d "${SPW_BENCH_DIR:-${TMPDIR:-/tmp}}/spw_bench_run_XXXXXX")
trap 'rm -rf "$folder"' EXIT

failed=0
run() { # program json
  "$programs/$1" --dir="$folder" \
    --benchmark_filter="${SPW_BENCH_FILTER:-.}" \
    --benchmark_repetitions="${SPW_BENCH_REPETITIONS:-3}" \
    --benchmark_enable_random_interleaving=true \
    --benchmark_out="$results/$2" --benchmark_out_format=json || failed=1
}
SPW_BENCH_RECORDS=${SPW_BENCH_RECORDS:-400000} run spw_bench bench.json
run spw_block_bench block_bench.json
python3 "$here/summary.py" "$results/bench.json" "$results/block_bench.json"
echo "json: $results/bench.json $results/block_bench.json"
for gate in spw_gate spw_block_gate; do
  echo
  "$programs/$gate" --dir="$folder" || failed=1
done
exit "$failed"
