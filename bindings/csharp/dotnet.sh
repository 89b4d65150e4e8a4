# shellcheck shell=bash
# Sourced by the scripts of this binding: where .NET builds to, and from what it restores.

# Each script has outputs of its own, for they may run at the same time. Everything below is a
# property of MSBuild, which takes them from the environment. No compiler server is left behind.
use_dotnet() { # build-folder folder-of-outputs
  export SpillwayNativeLibrary=$1/capi/libspillway.so
  export SpillwayArtifacts=$2
  export UseSharedCompilation=false
  # A machine without its default package source names a folder of packages.
  if [[ -n ${SPW_NUGET_SOURCE-} ]]; then export RestoreSources=$SPW_NUGET_SOURCE; fi
  [[ -e $SpillwayNativeLibrary ]] || { echo "no library in $1/capi: build it first" >&2; exit 1; }
}

# Restores a project with what else `dotnet` is given; a machine that has neither network nor the
# packages skips, as one without the SDK does.
restore() { # project [option...]
  local log
  log=$(mktemp)
  if dotnet restore "$@" >"$log" 2>&1; then rm "$log"; return; fi
  cat "$log" >&2
  if grep -qE 'NU1101|NU1102|NU1301' "$log"; then
    rm "$log"
    skip "C#: packages cannot be restored here"
  fi
  rm "$log"
  exit 1
}

# Builds a restored project; prints something only if that fails.
build() { # project [option...]
  local log
  log=$(mktemp)
  if dotnet build --no-restore -c Release "$@" >"$log" 2>&1; then rm "$log"; return; fi
  cat "$log" >&2
  rm "$log"
  exit 1
}
