#!/usr/bin/env bash
# examples/c/run.sh build-folder [options] [file...]: the main job. Puts the lines of the files
# into a Spillway store, once with each cold tier, then into plain SQLite, once synced after each
# batch and once at the end, as the store is, and sets the tables side by side.
# Without files it takes what every Debian has: package logs and lists, licences, headers, Perl
# modules. Options are those of the programs; see --help.
set -euo pipefail

readonly build=${1:?"usage: examples/c/run.sh build-folder [options] [file...]"}
shift
readonly programs=$build/examples/c

for argument in "$@"; do
  if [[ $argument == --help || $argument == -h ]]; then
    exec "$programs/spw_ingest" --help
  fi
done

work=$(mktemp -d "${TMPDIR:-/var/tmp}/spillway-run-XXXXXX")
trap 'rm -rf "$work"' EXIT

# The same order on every machine; folders that are not there are left out.
default_files() {
  find /var/log/dpkg.log /var/log/apt /var/log/bootstrap.log /var/lib/dpkg/status \
    -maxdepth 1 -type f -readable -name '[!.]*[!z]' 2>/dev/null | LC_ALL=C sort || true
  find /var/lib/dpkg/info -type f -readable -name '*.list' 2>/dev/null | LC_ALL=C sort || true
  find /usr/share/common-licenses -type f -readable 2>/dev/null | LC_ALL=C sort || true
  find /usr/include -type f -readable -name '*.h' 2>/dev/null | LC_ALL=C sort || true
  find /usr/share/perl /usr/share/perl5 -type f -readable \( -name '*.pm' -o -name '*.pl' \) \
    2>/dev/null | LC_ALL=C sort || true
}
default_files >"$work/files"
xargs -r -d '\n' cat <"$work/files" >/dev/null  # so that both programs find them in memory

# measure name program [option...]: one run; its table goes to $work/name.
measure() {
  local name=$1 program=$2 code
  shift 2
  sync  # what an earlier run has left for the disk is not paid for by this one
  "$programs/$program" --table "$work/$name" "$@" >"$work/out" || {
    code=$?
    cat "$work/out"
    exit "$code"
  }
}
measure block spw_ingest --default-list "$work/files" "$@" --tier block
measure sqlite spw_ingest --default-list "$work/files" "$@" --tier sqlite
measure each spw_sqlite_ingest --default-list "$work/files" --durable batch "$@"
measure end spw_sqlite_ingest --default-list "$work/files" --durable end "$@"

# Joins the tables by label, in the order of the first; what only the others have comes where the
# store's own numbers end.
awk -F '\t' '
  FNR == 1 { table++ }
  { value[table, $1] = $2 }
  !($1 in known) { known[$1]; if (table == 1) label[++labels] = $1; else extra[++extras] = $1 }
  function cell(number, name) { return (number, name) in value ? value[number, name] : "-" }
  function row(name) {
    printf format, name, cell(1, name), cell(2, name), cell(3, name), cell(4, name)
  }
  function times(name, number) {
    split(value[1, name], ours, " ")
    split(value[number, name], theirs, " ")
    return theirs[1] > 0 ? sprintf("%.2f", ours[1] / theirs[1]) : "-"
  }
  function compare(label, name) {
    printf format, label, "", times(name, 2), times(name, 3), times(name, 4)
  }
  END {
    format = "%-43s %24s %24s %24s %24s\n"
    printf format, "", "Spillway", "Spillway over SQLite", "SQLite, batches synced",
      "SQLite, end synced"
    for (i = 1; i <= labels; i++) {
      row(label[i])
      if (label[i] == "peak records in memory") for (j = 1; j <= extras; j++) row(extra[j])
    }
    print ""
    compare("Spillway takes of their total with close", "write: total with close")
    compare("Spillway takes of their wall clock", "wall clock of both")
  }' "$work/block" "$work/sqlite" "$work/each" "$work/end"
