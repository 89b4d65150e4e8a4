#!/usr/bin/env bash
# binary_test.sh build-folder: what the library asks of the process that loads it.
set -euo pipefail
readonly so=$1/capi/libspillway.so
readonly glibc_newest=2.36 # Debian 12, the oldest system we promise
readonly tls_bytes_max=256 # initial-exec blocks come from a small reserve of the loader
status=0
fail() {
  echo "binary: $*"
  status=1
}
dynamic=$(readelf -dW "$so")

grep -q 'SONAME.*\[libspillway\.so\.0\]' <<<"$dynamic" || fail "SONAME is not libspillway.so.0"
grep -q 'TEXTREL' <<<"$dynamic" && fail "has text relocations"
grep -q 'FLAGS_1.*NODELETE' <<<"$dynamic" || fail "not linked with -z nodelete"
grep -q 'FLAGS.*BIND_NOW' <<<"$dynamic" || fail "not linked with -z now"
readelf -lW "$so" | grep -q GNU_RELRO || fail "not linked with -z relro"
readelf -lW "$so" | grep 'GNU_STACK' | grep -q 'E ' && fail "wants an executable stack"
grep -E 'RPATH|RUNPATH' <<<"$dynamic" && fail "carries a search path"

while read -r needed; do
  case $needed in
    libc.so.6 | libm.so.6 | ld-linux-x86-64.so.2) ;;
    *) fail "needs $needed" ;;
  esac
done < <(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic")

tls=$(readelf -lW "$so" | awk '$1 == "TLS" { print $6 }')
((${tls:-0} <= tls_bytes_max)) || fail "$((tls)) bytes of thread-local storage"

newest=$(objdump -T "$so" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -n 1)
[[ $(printf '%s\n' "${newest#GLIBC_}" "$glibc_newest" | sort -V | tail -n 1) == "$glibc_newest" ]] ||
  fail "needs $newest"
exit "$status"
