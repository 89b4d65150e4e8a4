#!/usr/bin/env bash
# exports_test.sh build-folder [update]: what the library exports, what the headers declare and the
# golden list are the same names; the static archive shows no others. `update` rewrites the list.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly capi=$1/capi golden=tests/abi/symbols.txt
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

cc -E -P capi/spillway.h | grep -oE '\bspw_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u >"$temp/declared"
# With the version node, so that a name that moves to another node is seen as well.
nm -D --defined-only "$capi/libspillway.so" | awk '$2 != "A" { print $3 }' | sort >"$temp/exported"
nm -g --defined-only "$capi/libspillway.a" | awk 'NF == 3 { print $3 }' | sort >"$temp/archive"
[[ ${2-} == update ]] && cp "$temp/exported" "$golden"
sed 's/@@.*//' "$temp/exported" >"$temp/names"

status=0
same() { # what, wanted file, found file
  diff -u --label wanted "$2" --label found "$3" >"$temp/diff" && return
  echo "$1:"
  cat "$temp/diff"
  status=1
}
same "declared in the headers, but not exported (-) or the other way round (+)" \
  "$temp/declared" "$temp/names"
same "golden list (tests/abi/symbols.txt) and libspillway.so" "$golden" "$temp/exported"
same "libspillway.so and the global symbols of libspillway.a" "$temp/names" "$temp/archive"
[[ -s $temp/exported ]] || { echo "nothing is exported"; status=1; }
exit "$status"
