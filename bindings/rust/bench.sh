#!/usr/bin/env bash
# bench.sh build-folder: what a record costs through the binding and, if BLOCKS is set, what a batch
# of blocks does. What it measures and prints on stdout stands at the top of
# tests/bindings/throughput.sh. RECORDS: 3,000,000. BLOCKS: the path of a new block file.
set -euo pipefail
build=$(realpath "${1:?"usage: bench.sh build-folder"}")
[[ -z ${BLOCKS-} ]] || BLOCKS=$(realpath -m "$BLOCKS")
cd "$(dirname "$0")"
source ../../tests/bindings/common.sh
need_cargo
export CARGO_TARGET_DIR=$build/bindings/rust/target SPW_LIB_DIR=$build/capi
cargo bench --quiet --offline --locked --package spillway --bench records
[[ -z ${BLOCKS-} ]] || cargo bench --quiet --offline --locked --package spillway --bench blocks
