#!/usr/bin/env bash
# tests/smoke/go/run.sh build-folder: builds the program here against the shared library there and runs it.
# Exit code 77: there is no Go (an error with SPW_REQUIRE_ALL=1).
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd) build=$(cd "${1:?"usage: run.sh build-folder"}" && pwd)
readonly capi=$(cd "$here/../../../capi" && pwd)

go=$(command -v go || compgen -G '/usr/lib/go-*/bin/go' | sort -V | tail -n 1 || true)
if [[ -z $go ]] || ! command -v cc >/dev/null; then
  echo "SKIP: no Go or no C compiler here"
  [[ ${SPW_REQUIRE_ALL-} == 1 ]] && exit 1
  exit 77
fi

missing=$("$here/../uncalled.sh" "$capi/spillway.h" 'C\.' "$here"/*.go)
if [[ -n $missing ]]; then
  echo "the programs do not call" $missing
  exit 1
fi

export GOTOOLCHAIN=local GOFLAGS=-mod=mod GOPROXY=off GOCACHE=$build/go-cache CGO_ENABLED=1
export CGO_CFLAGS="-I$capi" CGO_LDFLAGS="-L$build/capi -lspillway -Wl,-rpath,$build/capi"
cd "$here"
"$go" build -o "$build/smoke_go" .
exec "$build/smoke_go"
