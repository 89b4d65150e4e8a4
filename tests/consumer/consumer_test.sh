#!/usr/bin/env bash
# consumer_test.sh build-folder: installs into a temporary folder and builds a user's program against
# it, by pkg-config and by CMake, in C99 and C++17, shared and static.
set -euo pipefail
build=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

DESTDIR=$temp/root cmake --install "$build" --prefix /opt/there >/dev/null
readonly prefix=$temp/root/opt/there
libdir=$(dirname "$(find "$prefix" -name libspillway.so)")
export PKG_CONFIG_PATH=$libdir/pkgconfig

built() { # name command...: builds ./name, then runs it
  local name=$1
  shift
  "$@" -o "$name"
  "./$name" >"$name.out" || { echo "$name: exit code $?"; exit 1; }
  grep -q '^spillway 0\.1\.0$' "$name.out"
  echo "ok: $name"
}
read -ra shared <<<"$(pkg-config --cflags --libs spillway) -Wl,-rpath,$libdir"
read -ra static <<<"$(pkg-config --cflags --libs --static spillway | sed 's/-lspillway/-l:libspillway.a/')"
readonly c=(cc -std=c99 -Wall -Wextra -Wpedantic -Werror) cxx=(c++ -std=c++17 -Wall -Wextra -Werror)

built c_shared "${c[@]}" "$here/consumer.c" "${shared[@]}"
built cxx_shared "${cxx[@]}" "$here/consumer.cc" "${shared[@]}"
built c_static "${c[@]}" "$here/consumer.c" "${static[@]}"
built cxx_static "${cxx[@]}" "$here/consumer.cc" "${static[@]}"
# The user's own SQLite, static as well, next to the one inside.
built c_static_own_sqlite "${c[@]}" -DWITH_OWN_SQLITE "$here/consumer.c" "${static[@]}" -l:libsqlite3.a -lm
# No C++ library, no SQLite, nothing else in the finished program.
if readelf -d c_static c_shared | grep NEEDED | grep -vE 'libspillway\.so\.0|libc\.so|libm\.so|ld-linux'; then
  echo "the program needs more than libc"
  exit 1
fi

cmake -S "$here" -B cmake -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build cmake >/dev/null
for program in cmake/consumer_c*_*; do
  "$program" | grep -q '^spillway ' || { echo "$program failed"; exit 1; }
  echo "ok: $program"
done
# The version file says no to what we are not.
mkdir other && sed 's/spillway 0\.1/spillway 0.9/' "$here/CMakeLists.txt" >other/CMakeLists.txt
cp "$here"/consumer.c* other/
if cmake -S other -B other/build -DCMAKE_PREFIX_PATH="$prefix" >/dev/null 2>&1; then
  echo "find_package(spillway 0.9) was content with 0.1"
  exit 1
fi
