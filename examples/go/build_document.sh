#!/usr/bin/env bash
# examples/go/build_document.sh build-folder: builds the document example against the library in the build
# folder and prints the command that runs it.
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly build=$(cd "${1:?"usage: build_document.sh build-folder"}" && pwd)
source "$here/../../tests/bindings/common.sh"
need_go
source "$here/../../bindings/go/build_env.sh"
(cd "$here" && "$go" build -o "$out/document" ./document) >&2
echo "$out/document"
