// What proves that bytes are those that were written, in that place: a digest that stands with the
// reference to them, never beside the bytes themselves. So bytes of another file, block or place,
// and older bytes of the same place, do not pass.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace spillway::blockfile {

using FileId = std::array<uint8_t, 16>;

struct Digest {
  uint64_t xxh3 = 0;
  friend bool operator==(const Digest&, const Digest&) = default;
};
inline constexpr uint64_t kDigestBytes = sizeof(Digest);

class Digester {
 public:
  explicit Digester(const FileId& file);

  Digest OfPage(std::span<const uint8_t> page) const;
  // A chunk of a block's payload that begins at that page: told by its place on disk and not in the
  // block, so that what stands before it may grow or shrink.
  Digest OfChunk(uint64_t block_id, uint64_t page, std::span<const uint8_t> bytes) const;

 private:
  uint64_t seed_;
};

}  // namespace spillway::blockfile
