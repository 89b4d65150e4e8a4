// Makes checksums of a block file right again after its bytes were changed, as somebody would who
// means harm: what the decoders are given then is wrong and passes. Knows the file from FORMAT.md
// alone, for the library's own decoders would refuse it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace spillway::test {

// The sums of superblocks and marks, whatever they say; nothing that they refer to.
void RepairUnits(std::string* file);
// The sum of the frame header that begins at this byte.
void RepairFrameHeader(std::string* file, uint64_t at);
// The digests of everything that the newest superblock and the frames behind it reach: payload,
// lists, pages, space map, frames; then the units.
void RepairAll(std::string* file);

// Where things begin that the newest superblock reaches.
struct Places {
  std::vector<uint64_t> registry;  // pages
  std::vector<uint64_t> map;       // pages of the space map
  std::vector<uint64_t> frames;    // behind the checkpoint
};
Places FindPlaces(const std::string& file);

}  // namespace spillway::test
