#!/usr/bin/env bash
# bindings/go/bench.sh build-folder: prints what a record costs, in nanoseconds, and, if BLOCKS is a
# path, what a batch of blocks costs there, in microseconds. RECORDS=n.
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly build=$(cd "${1:?"usage: bench.sh build-folder"}" && pwd)
source "$here/../../tests/bindings/common.sh"
need_go >&2
source "$here/build_env.sh"
cd "$here"
"$go" build -o "$out/bench" ./bench >&2
exec "$out/bench"
