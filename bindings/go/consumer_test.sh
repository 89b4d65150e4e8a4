#!/usr/bin/env bash
# bindings/go/consumer_test.sh build-folder: installs the library, copies the module away from here,
# vendors it into a stranger's module as README.md says, builds and runs that, shared and static:
# the program with records, the one with blocks and the one with both.
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly build=$(cd "${1:?"usage: consumer_test.sh build-folder"}" && pwd)
source "$here/../../tests/bindings/common.sh"
need_go
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$build/bindings/go"
export GOCACHE=$build/bindings/go/cache GOPATH=$work/path
install_tree "$build" "$work/installed"

# The n-th program in README.md.
program() { # n
  awk -v n="$1" '
    /^```go$/ { getline; inside = /^package main$/ && ++seen == n }
    /^```$/ { inside = 0 }
    inside' "$here/README.md"
}

# The module as it is shipped: what is in the folder.
cp -r "$here" "$work/spillway"
mkdir -p "$work/first/blocks" "$work/first/both"
cd "$work/first"
program 1 >main.go
program 2 >blocks/main.go
program 3 >both/main.go
"$go" mod init first >/dev/null 2>&1
"$go" mod edit -require spillway@v0.0.0 -replace spillway=../spillway
"$go" mod vendor
rm -r "$work/spillway" # from here on, what was vendored has to do

check() { # folder: runs two of its programs twice, with a new store and a new block file, then the third
  rm -f first.*
  { "$1/first" && "$1/first" && "$1/blocks" && "$1/blocks" && "$1/both"; } >"$1.out"
  diff "$1.out" - <<EXPECTED
0: Hello,
1: world
0: Hello,
1: world
2: Hello,
3: world
chapter/1: Hello,
chapter/2: world!
chapter/1: Hello,
chapter/2: world!world!
5 records
EXPECTED
  echo "ok: $1"
}
export GOFLAGS=-mod=vendor
mkdir shared static whole
CGO_LDFLAGS="-Wl,-rpath,$libdir" "$go" build -o shared ./...
check shared
"$go" build -tags spw_static -o static ./...
# All of it static: no name service and no users from libc, which a static program cannot load. The
# linker warns of dlopen, which the SQLite inside never calls.
"$go" build -tags spw_static,netgo,osusergo -o whole \
  -ldflags '-extldflags "-static -Wl,--eh-frame-hdr"' ./... 2>whole.log || { cat whole.log; exit 1; }
rm -r "$work/installed" # neither needs it any more
check static
check whole
