#!/usr/bin/env bash
# signatures_test.sh build-folder: the declarations of the three bindings against spillway.h.
set -euo pipefail
cd "$(dirname "$0")/../.."
clang=$(command -v clang-14 clang | head -n 1 || true)
if [[ -z $clang ]]; then
  echo "SKIP: no clang here"
  [[ ${SPW_REQUIRE_ALL-} == 1 ]] && exit 1
  exit 77
fi
exec tests/abi/signatures.py "$clang"
