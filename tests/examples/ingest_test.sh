#!/usr/bin/env bash
# tests/examples/ingest_test.sh build-folder: odd files through the programs of the main job. What
# is put together again from the records must be the files byte by byte, and what cannot be read
# must end with a message and the promised exit code.
set -uo pipefail

readonly build=$(cd "${1:?"usage: ingest_test.sh build-folder"}" && pwd)
readonly ingest=$build/examples/c/spw_ingest sqlite_ingest=$build/examples/c/spw_sqlite_ingest
for program in "$ingest" "$sqlite_ingest"; do
  [[ -x $program ]] || { echo "SKIP: $program is not built"; exit 77; }
done

work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 1
export TMPDIR=$work/tmp
mkdir "$TMPDIR"

exec 3>&1  # where a failure is told, whatever a check redirects
passed=0 failed=0
check() {  # check "what it means" command...
  if "${@:2}"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $1 (${*:2})" >&3
  fi
}

equal() { [[ $1 == "$2" ]] || { echo "got '$1', want '$2'" >&3; false; }; }
value() { sed -n "s/^$1\t//p" table | tr -d ','; }
nothing_left() { equal "$(ls -A "$TMPDIR")" ""; }

# same_lines name records file...: the files once, through both programs and both tiers.
same_lines() {
  local name=$1 records=$2 program bytes
  shift 2
  bytes=$(cat "$@" | tr -d '\n' | wc -c)
  for program in "$ingest" "$ingest --tier sqlite" "$sqlite_ingest"; do
    rm -f table copy
    # shellcheck disable=SC2086 # a program and its options
    check "$name: exit code" $program --budget 256K --table table --copy copy "$@" >out 2>err
    check "$name: records" equal "$(value records)" "$records"
    check "$name: bytes" equal "$(value bytes)" "$bytes"
    check "$name: the same bytes" cmp copy <(cat "$@")
    check "$name: no file stays behind" nothing_left
  done
}

# refuses code text argument...: ends with that code, and says that on stderr, nothing on stdout.
refuses() {
  local code=$1 text=$2 got
  shift 2
  "$ingest" "$@" >out 2>err
  got=$?
  check "$*: exit code" equal "$got" "$code"
  check "$*: message" grep -qF -- "$text" err
  check "$*: no table" test ! -s out
  check "$*: no file stays behind" nothing_left
}

echo "files that are odd"
: >empty
printf 'one\ntwo\n' >plain
printf 'one\ntwo' >no_final_newline
printf 'one\r\ntwo\r\n\r\nfour\r' >cr_lf
printf '\n\n\n' >empty_lines
printf 'a\0b\n\0\n\0\0' >nul_bytes
printf '\xff\xfe\x80\n\xc3\n\xed\xa0\x80 half a surrogate\n' >not_utf8
head -c 20971520 /dev/zero | tr '\0' 'x' >long_line
same_lines "an empty file" 0 empty
same_lines "two lines" 2 plain
same_lines "no final newline" 2 no_final_newline
same_lines "CR LF" 4 cr_lf
same_lines "empty lines" 3 empty_lines
same_lines "NUL bytes" 3 nul_bytes
same_lines "not UTF-8" 3 not_utf8
same_lines "a line of 20 MiB, no newline" 1 long_line
same_lines "all in a row" 18 plain no_final_newline cr_lf empty empty_lines nul_bytes not_utf8 long_line
same_lines "a file twice" 4 no_final_newline no_final_newline

echo "more than fits in memory"
seq -f 'line number %09.0f of a file that spills' 1 60000 >many
same_lines "60,005 lines" 60005 many no_final_newline empty_lines

echo "options"
rm -f table
check "files repeated" "$ingest" --records 5 --batch 2 --table table plain >out 2>err
check "files repeated: records" equal "$(value records)" 5
check "files repeated: batches" equal "$(value batches)" 3
check "files without a line, repeated" "$ingest" --records 5 --table table empty empty >out 2>err
check "files without a line, repeated: records" equal "$(value records)" 0
check "a pipe" "$ingest" --table table /dev/stdin <plain >out 2>err
printf 'plain\nno_final_newline\n' >list
check "a list of files" "$ingest" --default-list list --records 4 --table table >out 2>err
check "a list of files: records" equal "$(value records)" 4
check "grep" "$ingest" --grep two --table table plain cr_lf nul_bytes >out 2>err
check "grep: records found" equal "$(value 'records found')" 2
check "a named store" "$ingest" --store "$work/kept" plain >out 2>err
check "a named store stays" test -s "$work/kept"
check "a temporary store" "$ingest" --keep plain >out 2>err
kept=$(sed -n 's/^ *the store is kept: //p' out)
check "a temporary store that is kept" test -s "$kept"
rm -rf "$(dirname "${kept:-/nothing/here}")"
check "help" "$ingest" --help >out 2>err
check "help explains" grep -q -- --budget out

echo "what cannot be done"
mkdir folder
refuses 2 "cannot read missing: No such file or directory" plain missing
refuses 2 "cannot read folder: Is a directory" folder
refuses 2 "cannot read plain/below: Not a directory" plain/below
refuses 2 "cannot read missing: No such file or directory" --default-list missing
refuses 64 "no file to read"
refuses 64 "--records takes a number" --records many plain
refuses 64 "--budget takes a number" --budget 12X plain
refuses 64 "unrecognized option" --no-such-option plain
refuses 1 "SPW_ALREADY_EXISTS" --store "$work/kept" plain
refuses 1 "SPW_INVALID_ARGUMENT" --budget 1 plain
refuses 1 "$work/folder/none/store" --store "$work/folder/none/store" plain
if ((EUID == 0)); then
  echo "root can read everything: not tried with a file that is not readable"
else
  cp plain unreadable
  chmod 000 unreadable
  refuses 2 "cannot read unreadable: Permission denied" unreadable
fi

echo "$passed passed, $failed failed"
((failed == 0))
