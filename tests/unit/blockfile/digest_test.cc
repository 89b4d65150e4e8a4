// Digests tell bytes, files, blocks and places apart, and are what FORMAT.md says.
#include "internal/blockfile/digest.h"

#include <set>
#include <vector>

#include "gtest/gtest.h"
#include "internal/base/checksum.h"

namespace spillway::test {
namespace {

using blockfile::Digester;
using blockfile::FileId;

TEST(DigestTest, FilesBlocksPlacesAndBytesAreToldApart) {
  std::vector<std::vector<uint8_t>> payloads(2, std::vector<uint8_t>(100, 7));
  payloads[1][99] = 8;
  std::set<uint64_t> seen;
  for (uint8_t file = 0; file < 4; ++file) {
    const Digester digester(FileId{file});
    for (const std::vector<uint8_t>& bytes : payloads) {
      EXPECT_TRUE(seen.insert(digester.OfPage(bytes).xxh3).second);
      for (uint64_t block = 0; block < 20; ++block) {
        for (uint64_t page = 0; page < 20; ++page) {
          EXPECT_TRUE(seen.insert(digester.OfChunk(block, page, bytes).xxh3).second);
        }
      }
    }
  }
}

TEST(DigestTest, IsWhatTheFormatSays) {
  const FileId file = {1, 2, 3};
  const std::vector<uint8_t> bytes = {9, 8, 7};
  const uint64_t file_seed = base::Hash64(file, 0);
  const Digester digester(file);
  EXPECT_EQ(digester.OfPage(bytes).xxh3, base::Hash64(bytes, file_seed));
  EXPECT_EQ(digester.OfChunk(4, 5, bytes).xxh3,
            base::Hash64(bytes, file_seed + 5 * 0x9e3779b97f4a7c15 + 6 * 0xc2b2ae3d27d4eb4f));
}

}  // namespace
}  // namespace spillway::test
