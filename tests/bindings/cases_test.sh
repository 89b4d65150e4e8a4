#!/usr/bin/env bash
# cases_test.sh build-folder: every binding has a test for each case of the conformance suite
# (cases.txt), by its name.
set -euo pipefail
cd "$(dirname "$0")/../.."
missing=0
has() { # language case pattern folder
  grep -rqE --include='*.cs' --include='*.go' --include='*.rs' "$3" "$4" || {
    echo "$1: no test for $2"
    missing=$((missing + 1))
  }
}
cases=0
while read -r name; do
  cases=$((cases + 1))
  pascal=$(sed -E 's/(^|_)([a-z0-9])/\U\2/g' <<<"$name")
  has rust "$name" "^ *fn $name\(" bindings/rust
  has go "$name" "^func Test$pascal\(" bindings/go
  has csharp "$name" "public .*\b$pascal\(" bindings/csharp/tests
done < <(grep -E '^[a-z]' tests/bindings/cases.txt)
echo "$cases cases, $missing missing"
((cases > 10 && missing == 0))
