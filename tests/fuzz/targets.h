// What is fuzzed: each target is given bytes from anywhere and must end, quickly, without touching
// what is not its own, without a broken invariant, and with what it promises. A target that finds
// something wrong aborts, because that is what a fuzzer sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace spillway::fuzz {

using Input = std::span<const uint8_t>;

void Superblock(Input input);  // and mark
void Frame(Input input);
void TreeNode(Input input);
void Entry(Input input);  // and list
void SpaceMap(Input input);
void File(Input input);  // a whole block file

struct Target {
  const char* name;
  void (*run)(Input);
};
inline constexpr Target kTargets[] = {
    {"superblock", Superblock}, {"frame", Frame},        {"tree_node", TreeNode},
    {"entry", Entry},           {"space_map", SpaceMap}, {"file", File},
};

// Changes a file somewhere, and mostly makes the digests and sums right that no longer are.
// `mutate` changes some bytes in place and returns how many there are then.
using Mutate = size_t (*)(uint8_t* bytes, size_t size, size_t size_most);
void MutateFile(std::string* file, uint32_t seed, Mutate mutate);

// Writes inputs for all targets, taken from real files, into FOLDER/<target>/.
int WriteSeeds(const std::string& folder);

// Says what is wrong, and aborts.
void Require(bool truth, const char* what);

}  // namespace spillway::fuzz
