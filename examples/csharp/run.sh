#!/usr/bin/env bash
# examples/csharp/run.sh build-folder store word file...: builds the example against the library in
# the build folder, and runs it.
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly build_folder=$(cd "${1:?"usage: run.sh build-folder store word file..."}" && pwd)
shift
. "$here/../../tests/bindings/common.sh"
. "$here/../../bindings/csharp/dotnet.sh"
need_dotnet
use_dotnet "$build_folder" "$build_folder/bindings/csharp/example"
restore "$here/search.csproj" >&2
build "$here/search.csproj" >&2
exec dotnet "$SpillwayArtifacts/bin/search/release/search.dll" "$@"
