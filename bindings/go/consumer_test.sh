#!/usr/bin/env bash
# bindings/go/consumer_test.sh build-folder: installs the library, copies the module away from here,
# vendors it into a stranger's module as README.md says, builds and runs that, shared and static.
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

# The module as it is shipped: what is in the folder. The program: the first one in README.md.
cp -r "$here" "$work/spillway"
mkdir "$work/first"
cd "$work/first"
sed -n '/^```go$/,/^```$/{/^```$/q;/^```go$/!p}' "$here/README.md" >main.go
"$go" mod init first >/dev/null 2>&1
"$go" mod edit -require spillway@v0.0.0 -replace spillway=../spillway
"$go" mod vendor
rm -r "$work/spillway" # from here on, what was vendored has to do

check() { # name: runs ./name twice with a new store
  rm -f first.spw*
  { "./$1" && "./$1"; } >"$1.out"
  diff "$1.out" - <<EXPECTED
0: Hello,
1: world
0: Hello,
1: world
2: Hello,
3: world
EXPECTED
  echo "ok: $1"
}
export GOFLAGS=-mod=vendor
CGO_LDFLAGS="-Wl,-rpath,$libdir" "$go" build -o shared .
check shared
"$go" build -tags spw_static -o static .
# All of it static: no name service and no users from libc, which a static program cannot load. The
# linker warns of dlopen, which the SQLite inside never calls.
"$go" build -tags spw_static,netgo,osusergo -o whole \
  -ldflags '-extldflags "-static -Wl,--eh-frame-hdr"' . 2>whole.log || { cat whole.log; exit 1; }
rm -r "$work/installed" # neither needs it any more
check static
check whole
