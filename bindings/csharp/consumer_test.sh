#!/usr/bin/env bash
# bindings/csharp/consumer_test.sh build-folder: packs the binding and uses the packages as a
# stranger does: in a project elsewhere that knows nothing but a folder with two packages.
set -euo pipefail
readonly here=$(cd "$(dirname "$0")" && pwd)
readonly build_folder=$(cd "${1:?"usage: consumer_test.sh build-folder"}" && pwd)
. "$here/../../tests/bindings/common.sh"
. "$here/dotnet.sh"
need_dotnet
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$here/pack.sh" "$build_folder" "$work/feed" >&2
mkdir "$work/first"
cd "$work/first"
export NUGET_PACKAGES=$work/packages UseSharedCompilation=false

cat >nuget.config <<'EOF'
<configuration>
  <packageSources>
    <clear />
    <add key="feed" value="../feed" />
  </packageSources>
</configuration>
EOF
cat >first.csproj <<'EOF'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <Nullable>enable</Nullable>
    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Spillway" Version="0.1.0" />
  </ItemGroup>
</Project>
EOF
# The programs are those in the README, so that they cannot go stale.
readme_program() { # name
  sed -n '/^```csharp '"$1"'$/,/^```$/{//!p}' "$here/README.md" >Program.cs
  [[ -s Program.cs ]] || { echo "no $1 program in README.md" >&2; exit 1; }
}
readme_program first

expect() { # expected actual what
  [[ $2 == "$1" ]] || { printf '%s\nexpected:\n%s\ngot:\n%s\n' "$3" "$1" "$2" >&2; exit 1; }
}
readonly said=$'0: Hello\n1: world'
restore first.csproj
build first.csproj -o out
expect "$said" "$(cd "$work" && dotnet first/out/first.dll)" "the first program"
expect "$said" "$(cd "$work" && rm first.spw* && first/out/first)" "the same without dotnet"

# The second program of the README, of the block file, in the same project.
readme_program second
build first.csproj -o out-second
readonly chapters=$'chapter/1: Hello\nchapter/2: world'
expect "$chapters" "$(cd "$work" && dotnet first/out-second/first.dll)" "the second program"
expect "$chapters" "$(cd "$work" && first/out-second/first)" "the same once more, without dotnet"

# The third, of both in one file, goes on with the store of the first.
readme_program third
build first.csproj -o out-third
(cd "$work" && rm first.spw* && dotnet first/out/first.dll >first.out)
expect "3 records" "$(cd "$work" && dotnet first/out-third/first.dll)" "the third program"
expect "4 records" "$(cd "$work" && first/out-third/first)" "the same without dotnet"

# A library that is not there, or not one, is explained.
message=$(SPW_LIBRARY_PATH=/nowhere/libspillway.so dotnet out/first.dll 2>&1 || true)
[[ $message == *DllNotFoundException*'SPW_LIBRARY_PATH is set to "/nowhere/libspillway.so"'* ]] ||
  expect "an explanation" "$message" "SPW_LIBRARY_PATH that leads nowhere"
rm -r out/runtimes "$work"/first.spw*
message=$(dotnet out/first.dll 2>&1 || true)
[[ $message == *DllNotFoundException*'Add the package Spillway.Native.linux-x64'* ]] ||
  expect "an explanation" "$message" "no library"
rm -f first.spw*
expect "$said" "$(SPW_LIBRARY_PATH=$build_folder/capi dotnet out/first.dll)" "SPW_LIBRARY_PATH"
echo "consumer test of C#: passed"
