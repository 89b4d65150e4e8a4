#!/usr/bin/env bash
# languages_test.sh build-folder: the search example in C, C#, Go and Rust on the same files; all
# have to print the same, and to find what grep finds. A language whose toolchain is missing is left
# out, or fails with SPW_REQUIRE_ALL=1.
set -euo pipefail
build=$(realpath "$1")
cd "$(dirname "$0")/../.."
temp=$(mktemp -d "${TMPDIR:-/var/tmp}/spillway-examples-XXXXXX")
trap 'rm -rf "$temp"' EXIT

# Real lines in plenty, and lines that are no text: CR LF, NUL, half a UTF-8 character, a long one,
# an empty file, a last line without its line feed.
find /usr/share/perl /var/lib/dpkg/info -type f \( -name '*.pm' -o -name '*.list' \) -print0 2>/dev/null |
  sort -z | head -z -n 3000 | xargs -0 -r cat >"$temp/real.log"
printf 'error in CR LF\r\n\n\xc3\x28 error \x00 here\n\xff\xfe\nplain\n' >"$temp/odd.log"
head -c 300000 /dev/zero | tr '\0' 'x' >"$temp/long.log"
: >"$temp/empty.log"
printf 'an error without its line feed' >"$temp/unended.log"
files=("$temp"/{odd,real,long,empty,unended}.log)

lines=0 found=0
for file in "${files[@]}"; do
  lines=$((lines + $(grep -ac '' "$file" || true)))
  found=$((found + $(grep -acF error "$file" || true)))
done

left_out=0
for language in c csharp go rust; do
  start=$SECONDS code=0
  if [[ $language == c ]]; then
    "$build/examples/c/spw_search" "$temp/c.spw" error "${files[@]}" >"$temp/c.out"
  else
    "examples/$language/run.sh" "$build" "$temp/$language.spw" error "${files[@]}" >"$temp/$language.out" \
      2>"$temp/$language.err" || code=$?
  fi
  if ((code == 77)); then
    cat "$temp/$language.out"
    left_out=$((left_out + 1))
    continue
  elif ((code != 0)); then
    cat "$temp/$language.out" "$temp/$language.err"
    echo "$language: exit code $code"
    exit 1
  fi
  cmp "$temp/c.out" "$temp/$language.out"
  grep -qF "$found lines with \"error\", $lines lines verified" "$temp/$language.out"
  echo "$language: $(tail -n 1 "$temp/$language.out"), $((SECONDS - start)) s with building"
done
((left_out == 0)) || echo "$left_out of 4 languages left out"
