// Runs the fuzzers' inputs without a fuzzer: fuzz_replay TARGET FOLDER. Also mutates each input of
// a whole file some times, as the fuzzer would. fuzz_replay --seeds FOLDER writes seeds anew.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <vector>

#include "tests/fuzz/targets.h"
#include "tests/support/block_bytes.h"
#include "tests/support/prng.h"

namespace {

using spillway::fuzz::Input;
using spillway::test::Prng;

Input AsInput(const std::string& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

// In the place of libFuzzer's.
Prng mutations(1);
size_t FlipSome(uint8_t* bytes, size_t size, size_t /*size_most*/) {
  for (uint64_t flips = mutations.Between(1, 3); flips > 0 && size > 0; --flips) {
    uint8_t& byte = bytes[mutations.Below(size)];
    byte = static_cast<uint8_t>(mutations.OneIn(2) ? byte ^ (1 << mutations.Below(8))
                                                   : mutations.Next());
  }
  return size;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: fuzz_replay TARGET FOLDER | --seeds FOLDER\n");
    return 2;
  }
  const std::string_view name = argv[1];
  if (name == "--seeds") {
    return spillway::fuzz::WriteSeeds(argv[2]);
  }
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[2])) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& target : spillway::fuzz::kTargets) {
    if (name != target.name || paths.empty()) {
      continue;
    }
    const uint64_t seed = name == "file" ? spillway::test::TestSeed("fuzz.file", 1) : 0;
    for (const std::string& path : paths) {
      const std::string bytes = spillway::test::ReadWholeFile(path);
      std::printf("%s\n", path.c_str());
      std::fflush(stdout);  // the last line tells which one it was
      target.run(AsInput(bytes));
      for (uint32_t i = 0; name == "file" && i < 300; ++i) {
        std::string mutated = bytes;
        spillway::fuzz::MutateFile(&mutated, static_cast<uint32_t>(seed) * 1000 + i, FlipSome);
        target.run(AsInput(mutated));
      }
    }
    std::printf("%zu inputs\n", paths.size());
    return 0;
  }
  std::fprintf(stderr, "no such target, or no inputs\n");
  return 1;
}
