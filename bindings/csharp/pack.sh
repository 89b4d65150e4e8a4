#!/usr/bin/env bash
# bindings/csharp/pack.sh build-folder folder: packs Spillway and Spillway.Native.linux-x64, with
# the library of the build folder (without its debug information), into the folder.
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly build_folder=$(cd "${1:?"usage: pack.sh build-folder folder"}" && pwd)
mkdir -p "${2:?"usage: pack.sh build-folder folder"}"
readonly out=$(cd "$2" && pwd)
. "$here/../../tests/bindings/common.sh"
. "$here/dotnet.sh"
need_dotnet
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
use_dotnet "$build_folder" "$work"

cp -L "$SpillwayNativeLibrary" "$work/libspillway.so"
if command -v strip >/dev/null; then strip --strip-unneeded "$work/libspillway.so"; fi
export SpillwayNativeLibrary=$work/libspillway.so

# Spillway depends on the package that has just been packed, so it is restored from there; into a
# folder of its own, for the user's must not get a package that no one released. What the user's has
# need not be fetched again.
options=(-p:SpillwayPack=true "-p:RestoreAdditionalProjectSources=$out"
  "-p:RestorePackagesPath=$work/packages")
readonly packages=${NUGET_PACKAGES:-$HOME/.nuget/packages}
if [[ -d $packages ]]; then options+=("-p:RestoreFallbackFolders=$packages"); fi
for name in Spillway.Native.linux-x64 Spillway; do
  restore "$here/src/$name" "${options[@]}"
  build "$here/src/$name" -p:SpillwayPack=true
  dotnet pack "$here/src/$name" --no-build -c Release -p:SpillwayPack=true -o "$out" >"$work/log" ||
    { cat "$work/log" >&2; exit 1; }
done
ls "$out"/*.nupkg
