// Digests tell bytes, files, blocks and places apart, and are what FORMAT.md says.
#include "internal/blockfile/digest.h"

#include <set>
#include <vector>

#include "gtest/gtest.h"
#include "internal/base/checksum.h"

namespace spillway::test {
namespace {

using blockfile::ChecksumKind;
using blockfile::Digest;
using blockfile::Digester;
using blockfile::FileId;

TEST(DigestTest, FilesBlocksPlacesAndBytesAreToldApart) {
  std::vector<std::vector<uint8_t>> payloads(2, std::vector<uint8_t>(100, 7));
  payloads[1][99] = 8;
  for (const ChecksumKind kind : {ChecksumKind::kXxh3, ChecksumKind::kSha256}) {
    std::set<std::array<uint64_t, 4>> seen;
    for (uint8_t file = 0; file < 4; ++file) {
      const Digester digester(FileId{file}, kind);
      for (const std::vector<uint8_t>& bytes : payloads) {
        EXPECT_TRUE(seen.insert(digester.OfPage(bytes).words).second);
        for (uint64_t block = 0; block < 20; ++block) {
          for (uint64_t page = 0; page < 20; ++page) {
            EXPECT_TRUE(seen.insert(digester.OfChunk(block, page, bytes).words).second);
          }
        }
      }
    }
  }
}

TEST(DigestTest, IsWhatTheFormatSays) {
  const FileId file = {1, 2, 3};
  const std::vector<uint8_t> bytes = {9, 8, 7};
  const uint64_t file_seed = base::Hash64(file, 0);
  const uint64_t chunk_seed = file_seed + 5 * 0x9e3779b97f4a7c15 + 6 * 0xc2b2ae3d27d4eb4f;
  const Digester xxh3(file, ChecksumKind::kXxh3);
  EXPECT_EQ(xxh3.digest_bytes(), 8u);
  EXPECT_EQ(xxh3.OfPage(bytes), Digest{{base::Hash64(bytes, file_seed)}});
  EXPECT_EQ(xxh3.OfChunk(4, 5, bytes), Digest{{base::Hash64(bytes, chunk_seed)}});
  EXPECT_EQ(xxh3.OfFrameBody(77, bytes), Digest{{base::Hash64(bytes, 77)}});
  const auto sha256 = [&](uint64_t seed) {
    std::vector<uint8_t> seeded;
    for (int shift = 0; shift < 64; shift += 8) {
      seeded.push_back(static_cast<uint8_t>(seed >> shift));
    }
    seeded.insert(seeded.end(), bytes.begin(), bytes.end());
    return base::Sha256({}, seeded);
  };
  const Digester digester(file, ChecksumKind::kSha256);
  const auto stored = [&](const Digest& digest) {
    base::Sha256Sum sum;
    EXPECT_EQ(blockfile::StoreDigest(sum.data(), digest, digester.digest_bytes()), &*sum.end());
    EXPECT_EQ(blockfile::LoadDigest(sum.data(), digester.digest_bytes()), digest);
    return sum;
  };
  EXPECT_EQ(digester.digest_bytes(), 32u);
  EXPECT_EQ(stored(digester.OfPage(bytes)), sha256(file_seed));
  EXPECT_EQ(stored(digester.OfChunk(4, 5, bytes)), sha256(chunk_seed));
  EXPECT_EQ(stored(digester.OfFrameBody(77, bytes)), sha256(77));
}

}  // namespace
}  // namespace spillway::test
