#!/usr/bin/env bash
# bindings/csharp/bench.sh build-folder: measures RECORDS (default 3000000) records, and blocks in a
# new file BLOCKS if that is set, as tests/bindings/throughput.sh says.
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly build_folder=$(cd "${1:?"usage: bench.sh build-folder"}" && pwd)
. "$here/../../tests/bindings/common.sh"
. "$here/dotnet.sh"
need_dotnet
use_dotnet "$build_folder" "$build_folder/bindings/csharp/bench"
restore "$here/bench" >&2
build "$here/bench" >&2
exec dotnet "$SpillwayArtifacts/bin/Bench/release/Bench.dll" "${RECORDS:-3000000}"
