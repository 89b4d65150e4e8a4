#!/usr/bin/env bash
# bench.sh build-folder: what a record costs through the binding. Prints on stdout exactly
#     add_ns_per_record X
#     read_ns_per_record Y
# RECORDS (default 3,000,000) records of 128 bytes in batches of 1,000 into a store in memory; read
# through views of up to 1,000 records. The best of three rounds after one that only warms up.
set -euo pipefail
build=$(realpath "${1:?"usage: bench.sh build-folder"}")
cd "$(dirname "$0")"
source ../../tests/bindings/common.sh
need_cargo
export CARGO_TARGET_DIR=$build/bindings/rust/target SPW_LIB_DIR=$build/capi
cargo bench --quiet --offline --locked --package spillway --bench records
