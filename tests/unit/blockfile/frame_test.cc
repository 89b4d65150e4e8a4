// Frames of the journal, and the entries that stand in them.
#include "internal/blockfile/frame.h"

#include <array>
#include <cstring>
#include <map>
#include <memory_resource>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/base/checksum.h"
#include "internal/blockfile/entry.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using base::Code;
using blockfile::AsBytes;
using blockfile::AsText;
using blockfile::Bytes;
using blockfile::ChecksumKind;
using blockfile::Digest;
using blockfile::Digester;
using blockfile::Entry;
using blockfile::Extent;
using blockfile::FrameHeader;
using blockfile::kChunkBytes;
using blockfile::kFrameHeaderBytes;
using blockfile::ListRef;
using blockfile::Shape;
using blockfile::TreeChange;

constexpr uint64_t kPageBytes = 512;

Digester AnyDigester(Prng* random) {
  return {blockfile::FileId{1}, random->OneIn(2) ? ChecksumKind::kXxh3 : ChecksumKind::kSha256};
}

Shape ShapeOf(ChecksumKind kind) { return {kPageBytes, 1 << 20, blockfile::DigestBytes(kind)}; }

Shape AnyShape(Prng* random) {
  return ShapeOf(random->OneIn(2) ? ChecksumKind::kXxh3 : ChecksumKind::kSha256);
}

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
    const Digester digester = AnyDigester(&random);
    const auto pairs = AnyPairs(&random);
    std::vector<TreeChange> changes;
    for (const auto& [key, value] : pairs) {
      changes.push_back({key, random.OneIn(3) ? std::nullopt : std::optional(AsBytes(value))});
    }
    FrameHeader header{.salt = random.Next(), .number = 7, .previous_sum = 8, .next_page = 9};
    std::vector<uint8_t> bytes(random.Below(3) * kPageBytes, 0xee);
    const uint64_t begin = bytes.size();
    EncodeFrame(changes, kPageBytes, digester, &header, &bytes);
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
    ASSERT_TRUE(DecodeFrameBody(found, body, digester, &read).ok());
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
    ASSERT_FALSE(DecodeFrameHeader(damaged, &other) &&
                 DecodeFrameBody(other, Bytes(damaged).subspan(kFrameHeaderBytes, found.body_bytes),
                                 digester, &read)
                     .ok())
        << at;
  }
}

// The places that FORMAT.md gives.
TEST(FrameTest, PartsStandWhereTheFormatSays) {
  for (const ChecksumKind kind : {ChecksumKind::kXxh3, ChecksumKind::kSha256}) {
    const Digester digester(blockfile::FileId{1}, kind);
    FrameHeader header{
        .salt = 11, .number = 12, .previous_sum = 13, .next_page = 14, .acknowledged = 16};
    std::vector<uint8_t> frame;
    EncodeFrame({{"key", AsBytes("value")}, {"z", std::nullopt}}, kPageBytes, digester, &header,
                &frame);
    ASSERT_EQ(frame.size(), kPageBytes);
    const uint64_t numbers[] = {11, 12, 13, 14, 8 + 3 + 5 + 8 + 1, 16};
    EXPECT_EQ(AsText(Bytes(frame).first(8)), "SPWFRAME");
    for (size_t i = 0; i < std::size(numbers); ++i) {
      EXPECT_EQ(blockfile::Load<uint64_t>(frame.data() + 8 + 8 * i), numbers[i]);
    }
    const Bytes body = Bytes(frame).subspan(96, 25);
    EXPECT_EQ(AsText(body), std::string("\3\0\1\0\5\0\0\0keyvalue\1\0\0\0\0\0\0\0z", 25));
    EXPECT_EQ(blockfile::LoadDigest(frame.data() + 56, 32), digester.OfFrameBody(11, body));
    EXPECT_EQ(blockfile::Load<uint64_t>(frame.data() + 88),
              base::Hash64(Bytes(frame).first(88), 11));
  }
}

TEST(FrameTest, ChangesThatMakeNoSenseAreCorruptThoughTheChecksumsAreRight) {
  const Digester digester(blockfile::FileId{1}, ChecksumKind::kXxh3);
  for (const auto& keys : {std::vector<std::string>{"b", "a"}, {"a", "a"}}) {
    std::vector<TreeChange> changes;
    for (const std::string& key : keys) {
      changes.push_back({key, AsBytes("v")});
    }
    FrameHeader header{.salt = 5};
    std::vector<uint8_t> bytes;
    EncodeFrame(changes, kPageBytes, digester, &header, &bytes);
    std::vector<TreeChange> read;
    const Bytes body = Bytes(bytes).subspan(kFrameHeaderBytes, header.body_bytes);
    EXPECT_EQ(DecodeFrameBody(header, body, digester, &read).code(), Code::kCorrupt);
  }
}

Digest AnyDigest(const Shape& shape, Prng* random) {
  const uint64_t words[] = {random->Next(), random->Next(), random->Next(), random->Next()};
  return blockfile::LoadDigest(reinterpret_cast<const uint8_t*>(words), shape.digest_bytes);
}

Entry AnyEntry(const Shape& shape, const std::string& tag, const std::string& payload,
               Prng* random) {
  Entry entry;
  entry.block_id = random->Next() >> 3 | 1;
  entry.version = random->Next() >> 3 | 1;
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
      entry.digests.push_back(AnyDigest(shape, random));
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
    const Shape shape = AnyShape(&random);
    const std::string tag(random.Below(129), 't');
    const std::string payload(random.Below(600), 'p');
    const Entry entry = AnyEntry(shape, tag, payload, &random);
    const ListRef ref{.extent = {500, random.Between(1, 9000)},
                      .digest = AnyDigest(shape, &random)};
    const bool elsewhere = !entry.extents.empty() && random.OneIn(2);
    std::vector<uint8_t> bytes;
    EncodeEntry(entry, elsewhere ? &ref : nullptr, shape.digest_bytes, &bytes);
    Entry found;
    bool has_list = false;
    ListRef found_ref;
    ASSERT_TRUE(DecodeEntry(bytes, shape, &found, &has_list, &found_ref).ok());
    ASSERT_EQ(has_list, elsewhere);
    if (elsewhere) {
      EXPECT_EQ(found_ref.extent, ref.extent);
      EXPECT_EQ(found_ref.digest, ref.digest);
      EXPECT_EQ(found_ref.extents, entry.extents.size());
      std::vector<uint8_t> list;
      EncodeList(entry, shape.digest_bytes, &list);
      for (const uint32_t wrong : {found_ref.extents - 1, found_ref.extents + 1}) {
        ASSERT_EQ(DecodeList(list, shape, wrong, &found).code(), Code::kCorrupt);
      }
      ASSERT_TRUE(DecodeList(list, shape, found_ref.extents, &found).ok());
    }
    ExpectEqual(found, entry);
  }
}

TEST(EntryTest, WhatALaterVersionMayWriteIsUnsupportedAndNoIdOrVersionIsNone) {
  Prng random(TestSeed("WhatALaterVersionMayWriteIsUnsupported", 1));
  const Shape shape = ShapeOf(ChecksumKind::kXxh3);
  std::vector<uint8_t> bytes;
  const std::string tag = "tag";
  const std::string payload = "payload";
  EncodeEntry(AnyEntry(shape, tag, payload, &random), nullptr, shape.digest_bytes, &bytes);
  const auto code_with = [&](size_t at, uint64_t value, size_t count) {
    std::vector<uint8_t> changed = bytes;
    std::memcpy(changed.data() + at, &value, count);
    Entry found;
    bool has_list = false;
    ListRef ref;
    return DecodeEntry(changed, shape, &found, &has_list, &ref).code();
  };
  EXPECT_EQ(code_with(2, 0, 2), Code::kOk);
  EXPECT_EQ(code_with(2, 1, 1), Code::kUnsupported);  // codec
  EXPECT_EQ(code_with(3, 1, 1), Code::kUnsupported);  // cipher
  EXPECT_EQ(code_with(8, 0, 8), Code::kCorrupt);      // block id
  EXPECT_EQ(code_with(16, 0, 8), Code::kCorrupt);     // version
}

// A reader's entry lives on its stack, decoded as often as it likes, also after what failed.
TEST(EntryTest, IsDecodedInTheMemoryItIsGiven) {
  Prng random(TestSeed("IsDecodedInTheMemoryItIsGiven", 1));
  const std::string tag = "tag";
  const std::string payload = "payload";
  for (int round = 0; round < 200; ++round) {
    std::array<uint8_t, 16384> stack;
    // Throws where there is no more: nothing comes from elsewhere.
    std::pmr::monotonic_buffer_resource memory(stack.data(), stack.size(),
                                               std::pmr::null_memory_resource());
    Entry found(&memory);
    for (int again = 0; again < 2; ++again) {
      const Shape shape = AnyShape(&random);
      const Entry entry = AnyEntry(shape, tag, payload, &random);
      std::vector<uint8_t> bytes;
      EncodeEntry(entry, nullptr, shape.digest_bytes, &bytes);
      bool has_list = false;
      ListRef ref;
      ASSERT_FALSE(
          DecodeEntry(Bytes(bytes).first(bytes.size() - 1), shape, &found, &has_list, &ref).ok());
      ASSERT_TRUE(DecodeEntry(bytes, shape, &found, &has_list, &ref).ok());
      ExpectEqual(found, entry);
    }
  }
}

// The bytes have passed a checksum, but whoever wrote them may mean harm.
TEST(EntryTest, HostileBytesAreRefusedOrAgreeWithThemselves) {
  Prng random(TestSeed("HostileBytesAreRefusedOrAgreeWithThemselves", 1));
  uint64_t refused = 0;
  for (int round = 0; round < 50'000; ++round) {
    const Shape shape = AnyShape(&random);
    const std::string tag(random.Below(20), 't');
    const std::string payload(random.Below(50), 'p');
    const Entry entry = AnyEntry(shape, tag, payload, &random);
    std::vector<uint8_t> bytes;
    EncodeEntry(entry, nullptr, shape.digest_bytes, &bytes);
    for (uint64_t flips = random.Between(1, 3); flips > 0; --flips) {
      bytes[random.Below(bytes.size())] =
          static_cast<uint8_t>(random.OneIn(3) ? 255 : random.Next());
    }
    bytes.resize(random.OneIn(5) ? random.Below(bytes.size() + 9) : bytes.size());
    Entry found;
    bool has_list = false;
    ListRef ref;
    if (!DecodeEntry(bytes, shape, &found, &has_list, &ref).ok()) {
      ++refused;
      continue;
    }
    uint64_t length = found.inline_bytes.size();
    uint64_t chunks = 0;
    for (const Extent& extent : found.extents) {
      ASSERT_GT(extent.bytes, 0u);
      ASSERT_LE(extent.run(kPageBytes).end(), shape.pages);
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
