#!/usr/bin/env bash
# examples/rust/run.sh build-folder STORE WORD FILE...: builds and runs the search example.
set -euo pipefail
build=$(realpath "${1:?"usage: examples/rust/run.sh build-folder STORE WORD FILE..."}")
shift
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../../tests/bindings/common.sh"
need_cargo
export CARGO_TARGET_DIR=$build/bindings/rust/target SPW_LIB_DIR=$build/capi
# cargo run also tells the loader where the library is.
exec cargo run --quiet --release --offline --locked --manifest-path "$here/Cargo.toml" -- "$@"
