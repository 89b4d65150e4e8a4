#!/usr/bin/env bash
# tests/examples/first_test.sh build-folder: the first example compiles as strict C99, does what it
# says, also on a store that is there already, and stands in the README as it is.
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
check "it compiles" cc "${flags[@]}" -o first "$root/examples/c/first.c" \
  -L"$build/capi" -lspillway -Wl,-rpath,"$build/capi"

echo "run twice"
check "the first time" cmp <(./first) <(printf 'Hello,\nworld\n')
check "the second time" cmp <(./first) <(printf 'Hello,\nworld\nHello,\nworld\n')

echo "run where it cannot work"
mkdir elsewhere && cp first elsewhere && cd elsewhere && echo "this is no store" >first.spw
./first >out 2>err
check "it fails" test $? -eq 1
check "it says why" test -s err
check "and prints nothing else" test ! -s out

echo "shown in the README"
in_readme() {
  python3 - "$root/README.md" "$root/examples/c/first.c" <<'PYTHON'
import sys
readme, example = (open(path, encoding="utf-8").read() for path in sys.argv[1:])
sys.exit(0 if "```c\n" + example + "```" in readme else 1)
PYTHON
}
check "as it is" in_readme

echo "$passed passed, $failed failed"
((failed == 0))
