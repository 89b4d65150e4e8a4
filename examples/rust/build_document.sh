#!/usr/bin/env bash
# examples/rust/build_document.sh build-folder: builds the document example against the library in the
# build folder, and prints the command that runs it, a word per line.
set -euo pipefail
build=$(realpath "${1:?"usage: examples/rust/build_document.sh build-folder"}")
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../../tests/bindings/common.sh"
need_cargo
export CARGO_TARGET_DIR=$build/bindings/rust/target SPW_LIB_DIR=$build/capi
cargo build --quiet --release --offline --locked --bin document --manifest-path "$here/Cargo.toml" >&2
printf '%s\n' env "LD_LIBRARY_PATH=$SPW_LIB_DIR" "$CARGO_TARGET_DIR/release/document"
