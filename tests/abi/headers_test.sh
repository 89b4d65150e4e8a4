#!/usr/bin/env bash
# headers_test.sh: the public header compiles alone, in every C and C++ a user may have; those that
# it includes say that they do not.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly warnings=(-Wall -Wextra -Wpedantic -Wundef -Werror -fsyntax-only)

clang=$(command -v clang-14 clang | head -n 1 || true)
status=0
for compiler in gcc $clang; do
  for standard in c99 c11 c17; do
    "$compiler" "${warnings[@]}" -Wstrict-prototypes -std=$standard -x c capi/spillway.h || status=1
  done
  for standard in c++11 c++14 c++17 c++20; do
    "$compiler" "${warnings[@]}" -std=$standard -x c++ capi/spillway.h || status=1
  done
done
for header in spillway_stats.h spillway_file.h; do
  alone=$(gcc -fsyntax-only -x c "capi/$header" 2>&1 || true)
  if [[ $alone != *'include spillway.h'* ]]; then
    echo "$header can be included without spillway.h, or does not say that it cannot"
    status=1
  fi
done
if [[ -z $clang && $status == 0 ]]; then
  echo "SKIP: headers were tried with gcc only, there is no clang"
  exit 77
fi
exit "$status"
