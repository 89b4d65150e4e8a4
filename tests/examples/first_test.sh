#!/usr/bin/env bash
# tests/examples/first_test.sh build-folder: the README's programs compile as strict C99, do what they
# say, also on a file that is there already, and stand in the README as they are.
set -uo pipefail

readonly build=$(cd "${1:?"usage: first_test.sh build-folder"}" && pwd)
readonly root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

passed=0 failed=0
check() {  # check "what it means" command...
  if "${@:2}"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $1"
  fi
}

echo "compiled as a user would"
flags=(-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror -I"$root/capi")
for name in first blocks; do
  check "$name compiles" cc "${flags[@]}" -o "$name" "$root/examples/c/$name.c" \
    -L"$build/capi" -lspillway -Wl,-rpath,"$build/capi"
done

echo "run twice"
check "the first time" cmp <(./first) <(printf 'Hello,\nworld\n')
check "the second time" cmp <(./first) <(printf 'Hello,\nworld\nHello,\nworld\n')
check "blocks, the first time" cmp <(./blocks) <(printf 'world\n')
check "blocks, the second time" cmp <(./blocks) <(printf 'world\n')

echo "run where it cannot work"
mkdir elsewhere && cp first blocks elsewhere && cd elsewhere
echo "this is no store" | tee first.spw >first.blocks
for name in first blocks; do
  "./$name" >out 2>err
  check "$name fails" test $? -eq 1
  check "$name says why" test -s err
  check "$name prints nothing else" test ! -s out
done

echo "shown in the README"
in_readme() {
  python3 - "$root/README.md" "$root/examples/c/$1.c" <<'PYTHON'
import sys
readme, example = (open(path, encoding="utf-8").read() for path in sys.argv[1:])
sys.exit(0 if "```c\n" + example + "```" in readme else 1)
PYTHON
}
check "first, as it is" in_readme first
check "blocks, as it is" in_readme blocks

echo "$passed passed, $failed failed"
((failed == 0))
