#!/usr/bin/env bash
# tests/bench/run.sh build-folder: runs the workloads quick, then the gate. JSON goes to
# <build-folder>/../bench.json, tables to the terminal. Below 5 minutes on 2 cores.
#
# SPW_BENCH_RECORDS (400000), SPW_BENCH_REPETITIONS (3), SPW_BENCH_FILTER (all), SPW_BENCH_FILES
# (generated lines), SPW_GATE_RECORDS (3000000), SPW_GATE_ROUNDS (5), SPW_BENCH_DIR (TMPDIR, /tmp).
set -euo pipefail
readonly build=${1:?usage: run.sh build-folder}
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly programs=$build/tests/bench
readonly json=$(dirname "$build")/bench.json

folder=$(mktemp -d "${SPW_BENCH_DIR:-${TMPDIR:-/tmp}}/spw_bench_run_XXXXXX")
trap 'rm -rf "$folder"' EXIT

failed=0
SPW_BENCH_RECORDS=${SPW_BENCH_RECORDS:-400000} "$programs/spw_bench" --dir="$folder" \
  --benchmark_filter="${SPW_BENCH_FILTER:-.}" \
  --benchmark_repetitions="${SPW_BENCH_REPETITIONS:-3}" \
  --benchmark_enable_random_interleaving=true \
  --benchmark_out="$json" --benchmark_out_format=json || failed=1
python3 "$here/summary.py" "$json"
echo "json: $json"
echo
"$programs/spw_gate" --dir="$folder" || failed=1
exit "$failed"
