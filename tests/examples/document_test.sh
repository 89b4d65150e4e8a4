#!/usr/bin/env bash
# tests/examples/document_test.sh build-folder: the document of thousands of parts. A save that is killed at
# any of its calls to the disk leaves the old document or the new one, never parts of both; parts that are
# deleted give their space back.
set -uo pipefail

readonly build=$(cd "${1:?"usage: document_test.sh build-folder"}" && pwd)
readonly document=$build/examples/c/spw_document
readonly parts=2000 changed=150
[[ -x $document ]] || { echo "SKIP: $document is not built"; exit 77; }

source "$(dirname "${BASH_SOURCE[0]}")/document_common.sh"

work=$(mktemp -d "${TMPDIR:-/var/tmp}/spillway-document-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# Kills the program at its call number KILL_AT to the disk; a write gets half of its bytes out before.
cat >killer.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static int is_the_one(void) {
  const char* at = getenv("KILL_AT");
  return at != NULL && atomic_fetch_add(&calls, 1) + 1 == atol(at);
}
static void die(void) { kill(getpid(), SIGKILL), pause(); }

ssize_t pwrite64(int fd, const void* data, size_t bytes, off64_t at) {
  ssize_t (*real)(int, const void*, size_t, off64_t) =
      (ssize_t(*)(int, const void*, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
  if (is_the_one()) real(fd, data, bytes / 2, at), die();
  return real(fd, data, bytes, at);
}
ssize_t pwrite(int fd, const void* data, size_t bytes, off_t at) { return pwrite64(fd, data, bytes, at); }

#define BEFORE(name, parameters, arguments)                             \
  int name parameters {                                                 \
    int(*real) parameters = (int(*) parameters)dlsym(RTLD_NEXT, #name); \
    if (is_the_one()) die();                                            \
    return real arguments;                                              \
  }
BEFORE(fdatasync, (int fd), (fd))
BEFORE(fsync, (int fd), (fd))
BEFORE(ftruncate, (int fd, off_t length), (fd, length))
BEFORE(ftruncate64, (int fd, off64_t length), (fd, length))
BEFORE(fallocate, (int fd, int mode, off_t at, off_t length), (fd, mode, at, length))
BEFORE(fallocate64, (int fd, int mode, off64_t at, off64_t length), (fd, mode, at, length))
C
cc -shared -fPIC -O1 -w -o killer.so killer.c -ldl || exit 1

# killed call verb path [number]: its output goes to said; true if it was killed, and did not end by itself.
killed() {
  local code=0
  { KILL_AT=$1 LD_PRELOAD=$work/killer.so "$document" "${@:2}" >said 2>err; } 2>job || code=$?  # job: "Killed"
  ((code == 0 || code == 137)) || check "${*:2}: killed or ended well: $(cat err)" equal "$code" "0 or 137"
  ((code == 137))
}
echo "a document is made, saved, and found as it was saved"
check "new" "$document" new doc $parts >said
check "new says so" equal "$(cat said)" "save 0: $parts of $parts parts written"
check "a second new" equal "$("$document" new doc $parts 2>/dev/null; echo $?)" 1
check "as of save 0" equal "$(save_of doc)" 0
check "save" equal "$("$document" save doc $changed)" "save 1: $changed of $parts parts written"
check "as of save 1" equal "$(save_of doc)" 1

echo "killed at every call to the disk"
save=1 kills=0 old=0 new=0
for ((at = 1; at < 10000; at++)); do
  killed "$at" save doc $changed || break
  kills=$((kills + 1))
  now=$(save_of doc)
  if [[ -s said ]]; then
    check "killed at call $at: what was told as saved is there" equal "$now" $((save + 1))
  fi
  case $now in
    "$save") old=$((old + 1)) ;;
    $((save + 1))) new=$((new + 1)) ;;
    *) check "killed at call $at: the old document or the new one" equal "$now" "$save or $((save + 1))" ;;
  esac
  save=${now:-$save}
done
check "the last one was not killed" equal "$(save_of doc)" $((save + 1))
save=$((save + 1))
check "killed in the middle of saves" below 3 "$kills"
check "some were found as before" below 0 "$old"
check "some were found as saved" below 0 "$new"
echo "$kills kills: $old times the old document, $new times the new one"

echo "killed from outside, when some of its bytes are written"
kill_saves doc $parts 8000000 20
save=$(save_of doc)

echo "parts are deleted"
check "delete" equal "$("$document" delete doc 1800)" "save $((save + 1)): 200 of 200 parts left"
save=$((save + 1))
check "the others are there" equal "$(save_of doc)" "$save"
check "200 of them" grep -q "^save $save: 200 parts, " checked

echo "and give their space back, also if that is killed"
cp doc big
before=$(on_disk big)
kills=0
for ((at = 1; at < 100000; at++)); do
  cp big doc
  killed "$at" shrink doc || break
  kills=$((kills + 1))
  check "shrink, killed at call $at: as it was" equal "$(save_of doc)" "$save"
done
check "killed in the middle of shrinking" below 3 "$kills"
check "it says what it gained" equal "$(cat said)" "the file: $(length_of big) bytes, now $(length_of doc)"
check "the file is smaller" below "$(on_disk doc)" $((before / 4))
check "and whole" equal "$(save_of doc)" "$save"
echo "$kills kills; $before bytes on disk, then $(on_disk doc)"

echo "what cannot be done"
check "no such document" equal "$("$document" check none 2>&1 >/dev/null; echo $?)" \
  $'document: open none: No such file or directory\n1'
for arguments in "" "check" "new doc" "new doc 0" "save doc x" "nothing doc" "check doc 1"; do
  read -ra words <<<"$arguments"
  "$document" ${words[@]+"${words[@]}"} >said 2>err
  check "document $arguments: usage" equal "$?" 64
  check "document $arguments: only a message" test -s err -a ! -s said
done

echo "$passed passed, $failed failed"
((failed == 0))
