#!/usr/bin/env bash
# tests/smoke/rust/run.sh build-folder: builds smoke.rs against the shared library there and runs it.
# Exit code 77: there is no Rust (an error with SPW_REQUIRE_ALL=1).
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd) build=$(cd "${1:?"usage: run.sh build-folder"}" && pwd)
readonly capi=$(cd "$here/../../../capi" && pwd)

if ! command -v rustc >/dev/null || ! command -v cc >/dev/null; then
  echo "SKIP: no Rust or no C compiler here"
  [[ ${SPW_REQUIRE_ALL-} == 1 ]] && exit 1
  exit 77
fi

missing=$("$here/../uncalled.sh" "$capi/spillway.h" '\b' "$here"/*.rs)
if [[ -n $missing ]]; then
  echo "the program does not call" $missing
  exit 1
fi

rustc --edition 2021 -C debuginfo=1 -L "native=$build/capi" -l dylib=spillway \
  -C "link-arg=-Wl,-rpath,$build/capi" -o "$build/smoke_rust" "$here/smoke.rs"
exec "$build/smoke_rust"
