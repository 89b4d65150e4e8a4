#!/usr/bin/env bash
# test.sh build-folder: builds the crates against the library there, runs all their tests and looks
# at their form. Nothing is written outside of build-folder/bindings/rust and the temporary folder.
set -euo pipefail
build=$(realpath "${1:?"usage: test.sh build-folder"}")
cd "$(dirname "$0")"
source ../../tests/bindings/common.sh
need_cargo
export CARGO_TARGET_DIR=$build/bindings/rust/target SPW_LIB_DIR=$build/capi

# Linters of the same toolchain only: another's cannot read what this one's compiler wrote.
toolchain=$(dirname "$(command -v cargo)")
has() { [[ -x $toolchain/cargo-$1 ]] && cargo "$1" --version >/dev/null 2>&1; }
if has fmt; then
  cargo fmt --check
  cargo fmt --check --manifest-path ../../examples/rust/Cargo.toml
fi
if has clippy; then
  for manifest in Cargo.toml ../../examples/rust/Cargo.toml; do
    cargo clippy --quiet --offline --locked --manifest-path "$manifest" --all-targets -- -D warnings
  done
fi
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --offline --locked --no-deps

# A crate is its sources, its tests and what says how to build it: no library, no leftovers.
for crate in spillway-sys spillway; do
  files=$(cargo package --list --offline --allow-dirty --quiet --package "$crate")
  strangers=$(grep -vE '^(src|tests|benches)/.*\.rs$|^build\.rs$|^README\.md$' <<<"$files" |
    grep -vE '^(Cargo\.(toml|toml\.orig|lock)|\.cargo_vcs_info\.json)$' || true)
  [[ -z $strangers ]] || { echo "$crate would be packed with: $strangers"; exit 1; }
done

# Without LD_LIBRARY_PATH: cargo says where the library is; that of Debian 12 not to doctests.
cargo test --offline --locked --workspace --tests
LD_LIBRARY_PATH=$SPW_LIB_DIR cargo test --offline --locked --workspace --doc
