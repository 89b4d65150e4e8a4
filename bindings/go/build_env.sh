# shellcheck shell=bash
# Sourced after need_go with $build set: lets `go` find the library of the build folder as
# pkg-config would find an installed one, and keeps all that it writes below $build/bindings/go.
readonly repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly out=$build/bindings/go
mkdir -p "$out"
export GOCACHE=$out/cache GOPATH=$out/path
# The define is there for Go's build cache alone, which does not look at headers outside of a
# package: a changed header is a changed flag.
cat >"$out/spillway.pc" <<PC
Name: spillway
Description: the library of a build folder
Version: 0
Libs: -L$build/capi -lspillway -Wl,-rpath,$build/capi
Cflags: -I$repo/capi -DSPW_HEADER_SUM=$(cat "$repo"/capi/spillway*.h | cksum | tr ' ' '_')
PC
export PKG_CONFIG_PATH=$out
