#!/usr/bin/env bash
# bindings/go/test.sh build-folder: formats, vets, builds and tests the binding against the library
# in the build folder; then once more with the race detector, with cgo's pointer checks, linked
# statically, and linked by hand.
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly build=$(cd "${1:?"usage: test.sh build-folder"}" && pwd)
source "$here/../../tests/bindings/common.sh"
need_go
source "$here/build_env.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here"

step() { printf -- '--- %s\n' "$*"; }
# Go keeps results of tests by its own sources alone; the library is none of them: -count=1.
run_tests() { "$go" test -count=1 "$@" .; }
needs_library() { readelf -d "$1" | grep NEEDED | grep -q libspillway; }

step gofmt
unformatted=$("$(dirname "$go")/gofmt" -l . "$repo/examples/go")
[[ -z $unformatted ]] || { echo "gofmt would change: $unformatted"; exit 1; }
step vet
"$go" vet ./...
(cd "$repo/examples/go" && "$go" vet ./...)

step test
run_tests
step race detector
run_tests -race -short
step cgo pointer checks
GOEXPERIMENT=cgocheck2 run_tests -short

step spw_static
(
  # Always at one place: Go's build cache keeps the path that pkg-config told the first time.
  install_tree "$build" "$out/installed"
  "$go" test -c -tags spw_static -o "$work/static_test" .
  ! needs_library "$work/static_test" || { echo "it needs the shared library"; exit 1; }
  rm -rf "$out/installed"
  "$work/static_test" -test.run 'Trip|Errors|Versions'
)
step spw_nolink
(
  export PKG_CONFIG_PATH=$work CGO_CFLAGS="-I$repo/capi"
  export CGO_LDFLAGS="-L$build/capi -lspillway -Wl,-rpath,$build/capi"
  "$go" test -c -tags spw_nolink -o "$work/nolink_test" .
  needs_library "$work/nolink_test"
  "$work/nolink_test" -test.run 'Trip|Errors|Versions'
)
