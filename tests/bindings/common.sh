# shellcheck shell=bash
# Sourced by the scripts of the bindings, their consumer tests and their examples.

# Says why a test is skipped and ends it (77; CTest counts that as skipped), or fails it where
# nothing may be skipped.
skip() { # reason
  echo "SKIP: $1"
  [[ ${SPW_REQUIRE_ALL-} == 1 ]] && exit 1
  exit 77
}

# Sets $go to a Go of at least 1.23 and what keeps it from fetching anything.
need_go() {
  local each
  go=
  for each in "$(command -v go || true)" $(compgen -G '/usr/lib/go-*/bin/go' | sort -rV) /usr/local/go/bin/go; do
    [[ -x $each ]] || continue
    if [[ $("$each" env GOVERSION) =~ ^go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= 23)); then
      go=$each
      break
    fi
  done
  [[ -n $go ]] || skip "no Go 1.23 or later here"
  command -v cc >/dev/null || skip "no C compiler here, which cgo needs"
  command -v pkg-config >/dev/null || skip "no pkg-config here"
  export GOTOOLCHAIN=local GOPROXY=off GOSUMDB=off GOFLAGS=-mod=mod CGO_ENABLED=1
}

need_cargo() {
  command -v cargo >/dev/null && command -v rustc >/dev/null || skip "no Rust here"
  command -v cc >/dev/null || skip "no C compiler here, which Rust links with"
  export CARGO_NET_OFFLINE=true
}

need_dotnet() {
  command -v dotnet >/dev/null || skip "C#: no .NET SDK here"
  local version
  version=$(dotnet --list-sdks | sort -V | tail -n 1)
  [[ ${version%%.*} =~ ^[0-9]+$ ]] && ((${version%%.*} >= 10)) || skip "C#: no .NET SDK 10 or later here"
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1
}

# Installs what is in the build folder under a folder, as a user's /usr would look; sets
# PKG_CONFIG_PATH, and $libdir to where the libraries are.
install_tree() { # build-folder folder
  cmake --install "$1" --prefix "$2" >/dev/null
  libdir=$(dirname "$(find "$2" -name libspillway.so)")
  export PKG_CONFIG_PATH=$libdir/pkgconfig
}
