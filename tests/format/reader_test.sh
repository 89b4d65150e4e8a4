#!/usr/bin/env bash
# tests/format/reader_test.sh build-folder: the reader in Python finds in files that the library wrote
# what was written, and in damaged ones what the library finds.
set -euo pipefail

readonly build=$(cd "${1:?"usage: reader_test.sh build-folder"}" && pwd)
command -v python3 >/dev/null || { echo "SKIP: no python3 for the reader of the file format"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PYTHONDONTWRITEBYTECODE=1 python3 "$(dirname "$0")/reader_test.py" "$build/tests/format/format_files" "$work"
