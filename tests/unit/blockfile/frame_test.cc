// Frames of the journal, and the entries that stand in them.
#include "internal/blockfile/frame.h"

#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/blockfile/entry.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using base::Code;
using blockfile::AsBytes;
using blockfile::AsText;
using blockfile::Bytes;
using blockfile::Entry;
using blockfile::Extent;
using blockfile::FrameHeader;
using blockfile::kChunkBytes;
using blockfile::kFrameHeaderBytes;
using blockfile::ListRef;
using blockfile::TreeChange;

constexpr uint64_t kPageBytes = 512;
constexpr uint64_t kPages = 1 << 20;

std::map<std::string, std::string> AnyPairs(Prng* random) {
  std::map<std::string, std::string> pairs;
  for (uint64_t i = random->Below(50); i > 0; --i) {
    pairs[std::to_string(random->Below(10'000)) + std::string(random->Below(40), 'k')] =
        random->OneIn(4) ? "" : std::string(random->Below(400), 'v');
  }
  return pairs;
}

TEST(FrameTest, IsReadAsItWasWrittenAndFillsWholePages) {
  Prng random(TestSeed("IsReadAsItWasWrittenAndFillsWholePages", 1));
  for (int round = 0; round < 300; ++round) {
    const auto pairs = AnyPairs(&random);
    std::vector<TreeChange> changes;
    for (const auto& [key, value] : pairs) {
      changes.push_back({key, random.OneIn(3) ? std::nullopt : std::optional(AsBytes(value))});
    }
    FrameHeader header{.salt = random.Next(), .number = 7, .previous_sum = 8, .next_page = 9};
    std::vector<uint8_t> bytes(random.Below(3) * kPageBytes, 0xee);
    const uint64_t begin = bytes.size();
    EncodeFrame(changes, kPageBytes, &header, &bytes);
    ASSERT_EQ(bytes.size() % kPageBytes, 0u);
    const Bytes frame = Bytes(bytes).subspan(begin);
    FrameHeader found;
    ASSERT_TRUE(DecodeFrameHeader(frame, &found));
    EXPECT_EQ(found.salt, header.salt);
    EXPECT_EQ(found.number, 7u);
    EXPECT_EQ(found.previous_sum, 8u);
    EXPECT_EQ(found.next_page, 9u);
    std::vector<TreeChange> read;
    const Bytes body = frame.subspan(kFrameHeaderBytes, found.body_bytes);
    ASSERT_TRUE(DecodeFrameBody(found, body, &read).ok());
    ASSERT_EQ(read.size(), changes.size());
    for (size_t i = 0; i < read.size(); ++i) {
      EXPECT_EQ(read[i].key, changes[i].key);
      ASSERT_EQ(read[i].value.has_value(), changes[i].value.has_value());
      EXPECT_EQ(AsText(read[i].value.value_or(Bytes())),
                AsText(changes[i].value.value_or(Bytes())));
    }
    // Any other byte is seen.
    std::vector<uint8_t> damaged(frame.begin(), frame.end());
    const uint64_t at = random.Below(kFrameHeaderBytes + found.body_bytes);
    damaged[at] ^= static_cast<uint8_t>(random.Between(1, 255));
    FrameHeader other;
    ASSERT_FALSE(
        DecodeFrameHeader(damaged, &other) &&
        DecodeFrameBody(other, Bytes(damaged).subspan(kFrameHeaderBytes, found.body_bytes), &read)
            .ok())
        << at;
  }
}

TEST(FrameTest, ChangesThatMakeNoSenseAreCorruptThoughTheChecksumsAreRight) {
  for (const auto& keys : {std::vector<std::string>{"b", "a"}, {"a", "a"}}) {
    std::vector<TreeChange> changes;
    for (const std::string& key : keys) {
      changes.push_back({key, AsBytes("v")});
    }
    FrameHeader header{.salt = 5};
    std::vector<uint8_t> bytes;
    EncodeFrame(changes, kPageBytes, &header, &bytes);
    std::vector<TreeChange> read;
    const Bytes body = Bytes(bytes).subspan(kFrameHeaderBytes, header.body_bytes);
    EXPECT_EQ(DecodeFrameBody(header, body, &read).code(), Code::kCorrupt);
  }
}

Entry AnyEntry(Prng* random, const std::string& tag, const std::string& payload) {
  Entry entry;
  entry.block_id = random->Next();
  entry.version = random->Next();
  entry.created_ns = static_cast<int64_t>(random->Next());
  entry.modified_ns = static_cast<int64_t>(random->Next());
  entry.tag = AsBytes(tag);
  if (random->OneIn(3)) {
    entry.inline_bytes = AsBytes(payload);
    entry.length = payload.size();
    return entry;
  }
  for (uint64_t i = random->Between(1, 5); i > 0; --i) {
    entry.extents.push_back(
        Extent{random->Between(100, 100'000), random->Between(1, 5 * kChunkBytes)});
    entry.length += entry.extents.back().bytes;
    for (uint64_t chunk = entry.extents.back().chunks(); chunk > 0; --chunk) {
      entry.digests.push_back({random->Next()});
    }
  }
  return entry;
}

void ExpectEqual(const Entry& found, const Entry& entry) {
  EXPECT_EQ(found.block_id, entry.block_id);
  EXPECT_EQ(found.version, entry.version);
  EXPECT_EQ(found.length, entry.length);
  EXPECT_EQ(found.created_ns, entry.created_ns);
  EXPECT_EQ(found.modified_ns, entry.modified_ns);
  EXPECT_EQ(AsText(found.tag), AsText(entry.tag));
  EXPECT_EQ(AsText(found.inline_bytes), AsText(entry.inline_bytes));
  EXPECT_EQ(found.extents, entry.extents);
  EXPECT_EQ(found.digests, entry.digests);
}

TEST(EntryTest, IsReadAsItWasWrittenWithItsListInItOrElsewhere) {
  Prng random(TestSeed("IsReadAsItWasWrittenWithItsListInItOrElsewhere", 1));
  for (int round = 0; round < 2000; ++round) {
    const std::string tag(random.Below(129), 't');
    const std::string payload(random.Below(600), 'p');
    const Entry entry = AnyEntry(&random, tag, payload);
    const ListRef ref{{500, random.Between(1, 9000)}, {random.Next()}};
    const bool elsewhere = !entry.extents.empty() && random.OneIn(2);
    std::vector<uint8_t> bytes;
    EncodeEntry(entry, elsewhere ? &ref : nullptr, &bytes);
    Entry found;
    bool has_list = false;
    ListRef found_ref;
    ASSERT_TRUE(DecodeEntry(bytes, kPageBytes, kPages, &found, &has_list, &found_ref).ok());
    ASSERT_EQ(has_list, elsewhere);
    if (elsewhere) {
      EXPECT_EQ(found_ref.extent, ref.extent);
      EXPECT_EQ(found_ref.digest, ref.digest);
      std::vector<uint8_t> list;
      EncodeList(entry, &list);
      ASSERT_TRUE(DecodeList(list, kPageBytes, kPages, &found).ok());
    }
    ExpectEqual(found, entry);
  }
}

// The bytes have passed a checksum, but whoever wrote them may mean harm.
TEST(EntryTest, HostileBytesAreRefusedOrAgreeWithThemselves) {
  Prng random(TestSeed("HostileBytesAreRefusedOrAgreeWithThemselves", 1));
  uint64_t refused = 0;
  for (int round = 0; round < 50'000; ++round) {
    const std::string tag(random.Below(20), 't');
    const std::string payload(random.Below(50), 'p');
    const Entry entry = AnyEntry(&random, tag, payload);
    std::vector<uint8_t> bytes;
    EncodeEntry(entry, nullptr, &bytes);
    for (uint64_t flips = random.Between(1, 3); flips > 0; --flips) {
      bytes[random.Below(bytes.size())] =
          static_cast<uint8_t>(random.OneIn(3) ? 255 : random.Next());
    }
    bytes.resize(random.OneIn(5) ? random.Below(bytes.size() + 9) : bytes.size());
    Entry found;
    bool has_list = false;
    ListRef ref;
    if (!DecodeEntry(bytes, kPageBytes, kPages, &found, &has_list, &ref).ok()) {
      ++refused;
      continue;
    }
    uint64_t length = found.inline_bytes.size();
    uint64_t chunks = 0;
    for (const Extent& extent : found.extents) {
      ASSERT_GT(extent.bytes, 0u);
      ASSERT_LE(extent.run(kPageBytes).end(), kPages);
      length += extent.bytes;
      chunks += extent.chunks();
    }
    ASSERT_EQ(found.digests.size(), chunks);
    ASSERT_TRUE(has_list || length == found.length);
  }
  EXPECT_GT(refused, 5000u);
}

}  // namespace
}  // namespace spillway::test
