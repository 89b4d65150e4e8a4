#!/usr/bin/env bash
# tests/fuzz/run.sh build-folder [seconds]: every fuzzer for so long, all at once as far as there are
# processors. What one finds stays in build-folder/fuzz/.
set -uo pipefail

readonly build=$(cd "${1:?"usage: run.sh build-folder [seconds]"}" && pwd) seconds=${2:-60}
readonly corpus=$(cd "$(dirname "$0")" && pwd)/corpus found=$build/fuzz
one() {
  local target=$1 status
  mkdir -p "$found/$target"
  "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -max_len=65536 \
    -print_final_stats=1 -artifact_prefix="$found/$target-" "$found/$target" "$corpus/$target" >"$found/$target.log" 2>&1
  status=$?
  echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$found/$target.log") inputs, exit code $status"
  [[ $status -eq 0 ]] || tail -n 40 "$found/$target.log"
  return "$status"
}
export -f one
export build seconds corpus found
mkdir -p "$found"
ls "$corpus" | xargs -P "$(nproc)" -I{} bash -c 'one {}'
