#!/usr/bin/env bash
# bindings/csharp/test.sh build-folder [option of dotnet test...]: builds the binding with warnings
# as errors against the library there, checks its format, and runs its tests on both targets.
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly build_folder=$(cd "${1:?"usage: test.sh build-folder"}" && pwd)
shift
. "$here/../../tests/bindings/common.sh"
. "$here/dotnet.sh"
need_dotnet
use_dotnet "$build_folder" "$build_folder/bindings/csharp/test"

if grep -rnE '.{101,}' "$here" "$here/../../examples/csharp" --include='*.cs' --include='*.sh' | grep -v 'cref='; then
  echo "lines above 100 columns" >&2
  exit 1
fi
dotnet format whitespace "$here" --folder --verify-no-changes
dotnet format whitespace "$here/../../examples/csharp" --folder --verify-no-changes

readonly tests=$here/tests/Spillway.Tests
restore "$tests"
build "$tests"
# The net8.0 build runs on a later .NET where its own is not installed.
for target in net10.0 net8.0; do
  log=$SpillwayArtifacts/test-$target.log
  dotnet test "$tests" --no-build -c Release -f "$target" "$@" | tee "$log"
  grep -qE '^(Passed!|Test Run Successful)' "$log" || { echo "no tests ran" >&2; exit 1; }
done
