#!/usr/bin/env bash
# abidiff_test.sh build-folder [update]: the shared library against the committed description of its
# ABI (baseline.abi.xml): functions gone, parameters or structs changed. Functions that are new are
# no difference here; symbols.txt tells of them. With `update` the description is written anew:
# right as long as nothing has been released, or when a struct that carries its size has grown at
# its end.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly library=$1/capi/libspillway.so baseline=tests/abi/baseline.abi.xml
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

command -v abidw >/dev/null || {
  echo "SKIP: no abidw here (abigail-tools)"
  [[ ${SPW_REQUIRE_ALL-} == 1 ]] && exit 1
  exit 77
}

# Only what the public headers show, and not where it was built.
headers=()
for header in spillway.h spillway_stats.h spillway_file.h; do headers+=(--header-file "$PWD/capi/$header"); done
abidw "${headers[@]}" --drop-private-types --exported-interfaces-only \
  --no-corpus-path --no-show-locs --no-comp-dir-path --no-elf-needed --type-id-style hash "$library" |
  sed -E "s| path='[^']*/(capi/[^']*)'| path='\1'|" >"$temp/now.xml"
if [[ ${2-} == update ]]; then
  cp "$temp/now.xml" "$baseline"
  exit
fi

# Description against description: against the library itself abidiff takes a struct that stands in
# the header for a private one.
compare() { abidiff --no-added-syms "$1" "$temp/now.xml"; }
if ! compare "$baseline"; then
  echo "the ABI is not what $baseline says"
  exit 1
fi

# A gate that lets everything through looks the same; so it has to refuse other ABIs.
refused() { # name sed-expression
  sed -E "$2" "$baseline" >"$temp/$1.xml"
  ! cmp -s "$baseline" "$temp/$1.xml" || { echo "$1: nothing to change there any more"; exit 1; }
  ! compare "$temp/$1.xml" >/dev/null 2>&1 || { echo "$1: a changed ABI passes"; exit 1; }
}
refused function_gone "s/spw_cursor_seek/spw_cursor_sought/g"
refused parameter_gone "/<function-decl name='spw_cursor_seek'/,/<\/function-decl>/ { /name='seq'/d }"
refused members_swapped "/<class-decl name='spw_view'/,/<\/class-decl>/ { s/'data_len'/'x'/; s/'data'/'data_len'/; s/'x'/'data'/ }"
refused member_moved "/<class-decl name='spw_view'/,/<\/class-decl>/ s/(layout-offset-in-bits=')512'/\1640'/"
refused struct_grown "/<class-decl name='spw_stats'/,/<\/class-decl>/ s/ size-in-bits='[0-9]*'/ size-in-bits='512'/"
