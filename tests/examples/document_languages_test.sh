#!/usr/bin/env bash
# tests/examples/document_languages_test.sh build-folder csharp|go|rust: the document example of a language
# writes what that in C reads and the other way round, finds damage as it does, and is whole after each kill.
# Its examples/LANGUAGE/build_document.sh builds it and prints the command that runs it, a word per line; 77
# says that a toolchain is missing, which is a failure with SPW_REQUIRE_ALL=1.
set -uo pipefail

readonly usage="usage: document_languages_test.sh build-folder csharp|go|rust"
build=$(cd "${1:?"$usage"}" && pwd)
readonly build language=${2:?"$usage"} parts=2000
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../bindings/common.sh"
source "$here/document_common.sh"

readonly in_c=$build/examples/c/spw_document spillway=$build/examples/cli/spillway
[[ -x $in_c && -x $spillway ]] || skip "$in_c or $spillway is not built"
command=$("$here/../../examples/$language/build_document.sh" "$build")
code=$?
((code == 0)) || { echo "$command"; exit $code; }
mapfile -t document <<<"$command"

work=$(mktemp -d "${TMPDIR:-/var/tmp}/spillway-document-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# What a program prints, its errors left out, and its exit code.
said() { "$@" 2>err; echo "exit code $?"; }
# Both programs find the document whole, as of a save.
both_find() {  # path save
  check "as of save $2" equal "$(save_of "$1")" "$2"
  check "as C finds it" equal "$(cat checked)" "$("$in_c" check "$1")"
}
# A program does the same to `mine` and the other one to `theirs`; then both are the same documents.
both() {  # verb number save
  check "$language: $1 $2" equal "$(said "${document[@]}" "$1" mine "$2")" "$(said "$in_c" "$1" theirs "$2")"
  both_find mine "$3"
  both_find theirs "$3"
  check "$1 $2: the same names" diff <("$spillway" ls mine) <("$spillway" ls theirs)
  check "$1 $2: the same manifest" cmp <("$spillway" get mine manifest) <("$spillway" get theirs manifest)
  mv mine other && mv theirs mine && mv other theirs  # each goes on with what the other has written
}

echo "$language and C write the same, each what the other has written"
both new $parts 0
both save 150 1
both save 150 2
both save 9999 3
both delete 1 4
both delete 99 5
both save 1 6
"$spillway" export mine mine.parts >/dev/null
"$spillway" export theirs theirs.parts >/dev/null
check "the same bytes" diff -r mine.parts theirs.parts
check "1901 blocks" equal "$(find mine.parts -type f | wc -l)" 1901

echo "$language finds what C finds"
damage() {  # block message
  cp mine hurt
  head -c 1500 /dev/urandom | "$spillway" put hurt "$1" >/dev/null
  check "$1: C finds it" equal "$("$in_c" check hurt 2>&1)" "document: $2"
  check "$1: $language finds it" equal "$("${document[@]}" check hurt 2>&1; echo $?)" $'document: '"$2"$'\n1'
}
damage part/000007 "a part of another save (part 7)"
damage part/009999 "more parts than the manifest knows (part 1900)"
damage manifest "a manifest of another length (part 0)"
cp mine hurt
"$spillway" get hurt part/000008 >part
printf '\377' | dd of=part bs=1 seek=1000 conv=notrunc status=none  # bytes of a part are below 251
"$spillway" put hurt part/000008 part >/dev/null
check "one byte of a part" equal "$("${document[@]}" check hurt 2>&1)" "document: a part with other bytes (part 8)"

echo "$language is killed while it saves"
save=6
kill_saves mine 1900 8000000 20
save=$(save_of mine)
both_find mine "$save"

echo "$language deletes four of five parts and gives their space back"
before=$(on_disk mine)
save=$((save + 1))
check "delete" equal "$("${document[@]}" delete mine 1520)" "save $save: 380 of 380 parts left"
both_find mine "$save"
length=$(length_of mine)
check "shrink" "${document[@]}" shrink mine >said
check "it says what it gained" equal "$(cat said)" "the file: $length bytes, now $(length_of mine)"
check "the file is smaller" below "$(on_disk mine)" $((before / 2))
both_find mine "$save"
echo "$before bytes on disk, then $(on_disk mine)"

echo "$language refuses what C refuses"
for arguments in "" "check" "check none" "save none 1" "shrink none" "new mine 5" "new doc" "new doc 0" \
  "new doc 1000000" "save mine x" "save mine -1" "nothing mine" "check mine 1" "check mine 1 2"; do
  read -ra words <<<"$arguments"
  check "document $arguments" equal "$(said "${document[@]}" ${words[@]+"${words[@]}"})" \
    "$(said "$in_c" ${words[@]+"${words[@]}"})"
  [[ $arguments == "" ]] || check "document $arguments: a message" test -s err
done
both_find mine "$save"

echo "$language: $passed passed, $failed failed"
((failed == 0))
