#!/usr/bin/env bash
# examples/csharp/build_document.sh build-folder: builds the document example against the library in
# the build folder, and prints the command that runs it, a word per line.
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly build_folder=$(cd "${1:?"usage: build_document.sh build-folder"}" && pwd)
. "$here/../../tests/bindings/common.sh"
. "$here/../../bindings/csharp/dotnet.sh"
need_dotnet
use_dotnet "$build_folder" "$build_folder/bindings/csharp/document"
restore "$here/document.csproj" >&2
build "$here/document.csproj" >&2
printf '%s\n' dotnet "$SpillwayArtifacts/bin/document/release/document.dll"
