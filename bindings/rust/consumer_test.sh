#!/usr/bin/env bash
# consumer_test.sh build-folder: packs the crates, and builds and runs a stranger's programs with
# them against an installed library: shared, as pkg-config tells, and static.
set -euo pipefail
build=$(realpath "${1:?"usage: consumer_test.sh build-folder"}")
cd "$(dirname "$0")"
source ../../tests/bindings/common.sh
need_cargo
temp=$(mktemp -d "${TMPDIR:-/var/tmp}/spillway-consumer-rust-XXXXXX")
trap 'rm -rf "$temp"' EXIT
libdir=
install_tree "$build" "$temp/usr" # sets it

# Packing spillway resolves its dependencies, as publishing does, and no registry has spillway-sys:
# a folder of unpacked crates stands in for one, for packing and for the stranger.
mkdir -p "$temp/packing" "$temp/vendor" "$temp/stranger/.cargo" "$temp/stranger/src"
cp -r Cargo.toml Cargo.lock README.md spillway-sys spillway "$temp/packing"
cat >"$temp/config.toml" <<END
[source.crates-io]
replace-with = "packed"
[source.packed]
directory = "$temp/vendor"
END
pack() { # crate
  local version=0.1.0 packed
  (cd "$temp/packing" && cargo package --quiet --no-verify --allow-dirty --offline --package "$1" \
    --config "$temp/config.toml" --target-dir "$temp/target")
  packed=$temp/target/package/$1-$version.crate
  tar -xzf "$packed" -C "$temp/vendor"
  printf '{"files":{},"package":"%s"}' "$(sha256sum "$packed" | cut -d ' ' -f 1)" \
    >"$temp/vendor/$1-$version/.cargo-checksum.json"
}
pack spillway-sys
pack spillway

cp "$temp/config.toml" "$temp/stranger/.cargo/config.toml"
cat >"$temp/stranger/Cargo.toml" <<END
[package]
name = "stranger"
version = "1.0.0"
edition = "2021"
[dependencies]
spillway = "0.1"
END
# The programs of the README, word for word.
program() { # number
  awk -v number="$1" '/^```rust$/ { n++; inside = n == number; next } /^```/ { inside = 0 } inside' README.md
}
mkdir "$temp/stranger/src/bin"
program 1 >"$temp/stranger/src/main.rs"
program 2 >"$temp/stranger/src/bin/blocks.rs"
program 3 >"$temp/stranger/src/bin/both.rs"

cd "$temp/stranger"
try() { # name command..., which the program's name ends
  local name=$1 program output
  shift
  for program in stranger blocks both; do
    rm -f first.*
    output=$("$@$program")
    [[ $output == "${prints[$program]}" ]] || { echo "$name, $program: printed: $output"; exit 1; }
    [[ -f ${makes[$program]} ]] || { echo "$name, $program: no file"; exit 1; }
    echo "$name, $program: ok"
  done
}
declare -rA makes=([stranger]=first.spw [blocks]=first.blocks [both]=first.spw)
declare -rA prints=([stranger]=$'0: Hello\n1: world' [blocks]=$'chapter/1: Hello\nchapter/2: world'
  [both]='1 records')
export CARGO_TARGET_DIR=$temp/shared
command -v pkg-config >/dev/null || export SPW_LIB_DIR=$libdir
try "cargo run, shared library" cargo run --quiet --offline --bin=
try "the program alone, shared library" env LD_LIBRARY_PATH="$libdir" "$temp/shared/debug/"
export CARGO_TARGET_DIR=$temp/static SPW_STATIC=1
try "cargo run, static library" cargo run --quiet --offline --bin=
rm -r "${temp:?}/usr" # the programs need none of it
try "the program alone, static library" "$temp/static/debug/"
