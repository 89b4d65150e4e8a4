// What proves that bytes are those that were written, in that place: a digest that stands with the
// reference to them, never beside the bytes themselves. So bytes of another file, block or place,
// and older bytes of the same place, do not pass.
//
// A file has one kind of digest: XXH3 against accidents, or SHA-256 also against whoever changes
// bytes on purpose and cannot change the superblock.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace spillway::blockfile {

using FileId = std::array<uint8_t, 16>;

// As it stands in the file.
enum class ChecksumKind : uint32_t { kXxh3 = 1, kSha256 = 2 };

struct Digest {
  std::array<uint64_t, 4> words{};  // XXH3 is the first; SHA-256 all, its bytes as they come
  friend bool operator==(const Digest&, const Digest&) = default;
};
inline constexpr uint64_t kDigestBytesMost = sizeof(Digest);

// A digest takes this many bytes in a file.
inline constexpr uint64_t DigestBytes(ChecksumKind kind) {
  return kind == ChecksumKind::kSha256 ? kDigestBytesMost : sizeof(uint64_t);
}
inline uint8_t* StoreDigest(uint8_t* to, const Digest& digest, uint64_t digest_bytes) {
  std::memcpy(to, digest.words.data(), digest_bytes);
  return to + digest_bytes;
}
inline Digest LoadDigest(const uint8_t* from, uint64_t digest_bytes) {
  Digest digest;
  std::memcpy(digest.words.data(), from, digest_bytes);
  return digest;
}

class Digester {
 public:
  Digester(const FileId& file, ChecksumKind kind);

  ChecksumKind kind() const { return kind_; }
  uint64_t digest_bytes() const { return DigestBytes(kind_); }

  Digest OfPage(std::span<const uint8_t> page) const;
  // A chunk of a block's payload that begins at that page: told by its place on disk and not in the
  // block, so that what stands before it may grow or shrink.
  Digest OfChunk(uint64_t block_id, uint64_t page, std::span<const uint8_t> bytes) const;
  // The body of a frame of the journal, told by the salt of its generation.
  Digest OfFrameBody(uint64_t salt, std::span<const uint8_t> body) const;

 private:
  Digest Of(uint64_t seed, std::span<const uint8_t> bytes) const;

  ChecksumKind kind_;
  uint64_t seed_;
};

}  // namespace spillway::blockfile
