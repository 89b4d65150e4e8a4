#include "internal/blockfile/digest.h"

#include "internal/base/checksum.h"

namespace spillway::blockfile {

// Odd, and far from each other: blocks and places take seeds of their own. See FORMAT.md.
static constexpr uint64_t kBlockStep = 0x9e3779b97f4a7c15;
static constexpr uint64_t kPageStep = 0xc2b2ae3d27d4eb4f;

Digester::Digester(const FileId& file, ChecksumKind kind)
    : kind_(kind), seed_(base::Hash64(file, 0)) {}

Digest Digester::Of(uint64_t seed, std::span<const uint8_t> bytes) const {
  Digest digest;
  if (kind_ == ChecksumKind::kXxh3) {
    digest.words[0] = base::Hash64(bytes, seed);
    return digest;
  }
  std::array<uint8_t, sizeof seed> head;
  std::memcpy(head.data(), &seed, sizeof seed);
  return LoadDigest(base::Sha256(head, bytes).data(), kDigestBytesMost);
}

Digest Digester::OfPage(std::span<const uint8_t> page) const { return Of(seed_, page); }

Digest Digester::OfChunk(uint64_t block_id, uint64_t page, std::span<const uint8_t> bytes) const {
  return Of(seed_ + (block_id + 1) * kBlockStep + (page + 1) * kPageStep, bytes);
}

Digest Digester::OfFrameBody(uint64_t salt, std::span<const uint8_t> body) const {
  return Of(salt, body);
}

}  // namespace spillway::blockfile
