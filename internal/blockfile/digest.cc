#include "internal/blockfile/digest.h"

#include "internal/base/checksum.h"

namespace spillway::blockfile {

// Odd, and far from each other: blocks and places take seeds of their own. See FORMAT.md.
static constexpr uint64_t kBlockStep = 0x9e3779b97f4a7c15;
static constexpr uint64_t kPageStep = 0xc2b2ae3d27d4eb4f;

Digester::Digester(const FileId& file) : seed_(base::Hash64(file, 0)) {}

Digest Digester::OfPage(std::span<const uint8_t> page) const { return {base::Hash64(page, seed_)}; }

Digest Digester::OfChunk(uint64_t block_id, uint64_t page, std::span<const uint8_t> bytes) const {
  return {base::Hash64(bytes, seed_ + (block_id + 1) * kBlockStep + (page + 1) * kPageStep)};
}

}  // namespace spillway::blockfile
