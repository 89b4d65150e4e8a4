#!/usr/bin/env bash
# examples/go/run.sh build-folder store word file...: builds the example against the library in the
# build folder and runs it.
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly build=$(cd "${1:?"usage: run.sh build-folder store word file..."}" && pwd)
shift
source "$here/../../tests/bindings/common.sh"
need_go >&2
source "$here/../../bindings/go/build_env.sh"
(cd "$here" && "$go" build -o "$out/search" .) >&2
exec "$out/search" "$@"
