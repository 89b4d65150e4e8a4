// Superblocks and marks: what is written is read, and nothing else passes.
#include "internal/blockfile/layout.h"

#include <vector>

#include "gtest/gtest.h"
#include "internal/base/checksum.h"
#include "internal/blockfile/codec.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using base::Code;
using blockfile::ChecksumKind;
using blockfile::Digest;
using blockfile::FileId;
using blockfile::kUnitBytes;
using blockfile::Mark;
using blockfile::Superblock;
using Unit = std::array<uint8_t, kUnitBytes>;

Digest AnyDigest(ChecksumKind kind, Prng* random) {
  Digest digest{{random->Next()}};
  if (kind == ChecksumKind::kSha256) {
    digest.words = {random->Next(), random->Next(), random->Next(), random->Next()};
  }
  return digest;
}

Superblock AnySuperblock(Prng* random) {
  Superblock superblock;
  for (uint8_t& byte : superblock.file_id) {
    byte = static_cast<uint8_t>(random->Next());
  }
  superblock.page_bytes = uint32_t{512} << random->Below(8);
  superblock.generation = random->Next() >> 2;
  superblock.pages = random->Between(100, 1'000'000);
  superblock.next_block_id = random->Next() >> 2 | 1;
  superblock.next_version = random->Next() >> 2 | 1;
  superblock.payload_bytes = random->Next();
  superblock.checksum = random->OneIn(2) ? ChecksumKind::kXxh3 : ChecksumKind::kSha256;
  superblock.registry = {
      {random->Between(32, 99), AnyDigest(superblock.checksum, random)}, 3, random->Next()};
  const uint64_t pages_per_leaf = uint64_t{superblock.page_bytes} * 8;
  superblock.space.leaves = (superblock.pages + pages_per_leaf - 1) / pages_per_leaf;
  superblock.space.first_page = random->Between(32, 60);
  superblock.space.digest = AnyDigest(superblock.checksum, random);
  superblock.journal_page = random->Between(32, superblock.pages);
  superblock.journal_salt = random->Next();
  return superblock;
}

TEST(BlockFileLayoutTest, ASuperblockIsReadAsItWasWritten) {
  Prng random(TestSeed("ASuperblockIsReadAsItWasWritten", 1));
  for (int i = 0; i < 200; ++i) {
    const Superblock superblock = AnySuperblock(&random);
    Unit unit;
    EncodeSuperblock(superblock, unit);
    Superblock found;
    ASSERT_EQ(DecodeSuperblock(unit, &found).code(), Code::kOk);
    EXPECT_EQ(found, superblock);
  }
}

TEST(BlockFileLayoutTest, EveryFlippedBitOfASuperblockIsSeen) {
  Prng random(TestSeed("EveryFlippedBitOfASuperblockIsSeen", 2));
  Unit unit;
  EncodeSuperblock(AnySuperblock(&random), unit);
  for (uint64_t bit = 0; bit < kUnitBytes * 8; bit += random.Between(1, 7)) {
    Unit damaged = unit;
    damaged[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    Superblock found;
    EXPECT_EQ(DecodeSuperblock(damaged, &found).code(), bit < 64 ? Code::kNotFound : Code::kCorrupt)
        << bit;
    EXPECT_EQ(found, Superblock());
  }
}

// Somebody who repairs the checksum gets no further than to a clear answer.
TEST(BlockFileLayoutTest, ImpossibleValuesAreRefusedThoughTheChecksumIsRight) {
  Prng random(TestSeed("ImpossibleValuesAreRefused", 3));
  const auto code = [&](auto change) {
    Superblock superblock = AnySuperblock(&random);
    change(&superblock);
    Unit unit;
    EncodeSuperblock(superblock, unit);
    Superblock found;
    return DecodeSuperblock(unit, &found).code();
  };
  EXPECT_EQ(code([](Superblock* s) { s->page_bytes = 1000; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->page_bytes = 0; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->page_bytes = 1 << 20; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->pages = 0; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->pages = UINT64_MAX; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->registry.level = 200; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->registry.ref.page = s->pages; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { ++s->space.leaves; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->space.first_page = s->pages; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->journal_page = 0; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->next_block_id = 0; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->next_version = 0; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->next_version = UINT64_MAX; }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->generation = UINT64_MAX; }), Code::kCorrupt);
  const auto too_long = [](Digest* digest, Superblock* s) {
    s->checksum = ChecksumKind::kXxh3;
    *digest = {{1, 0, 0, 2}};
  };
  EXPECT_EQ(code([&](Superblock* s) { too_long(&s->registry.ref.digest, s); }), Code::kCorrupt);
  EXPECT_EQ(code([&](Superblock* s) { too_long(&s->space.digest, s); }), Code::kCorrupt);
  EXPECT_EQ(code([](Superblock* s) { s->checksum = ChecksumKind{0}; }), Code::kUnsupported);
  EXPECT_EQ(code([](Superblock* s) { s->checksum = ChecksumKind{3}; }), Code::kUnsupported);
  EXPECT_EQ(code([](Superblock* s) { s->features.incompatible = 1; }), Code::kUnsupported);
  EXPECT_EQ(code([](Superblock* s) { s->features.compatible = 1; }), Code::kOk);
}

// What a later version may write there is not taken for nothing.
TEST(BlockFileLayoutTest, PartsWithoutUseAreEmptyAndRefusedIfTheyAreNot) {
  Prng random(TestSeed("PartsWithoutUseAreEmpty", 4));
  Unit unit;
  EncodeSuperblock(AnySuperblock(&random), unit);
  constexpr uint64_t kBegin = 100;  // codec, cipher, 0; registry; the second tree
  constexpr uint64_t kRegistry = 112;
  constexpr uint64_t kSecondTree = 168;
  constexpr uint64_t kEnd = 224;
  for (uint64_t byte = kBegin; byte < kEnd; ++byte) {
    if (byte >= kRegistry && byte < kSecondTree) {
      continue;
    }
    ASSERT_EQ(unit[byte], 0) << byte;
    Unit later = unit;
    later[byte] = 1;
    blockfile::Store(later.data() + kUnitBytes - 8,
                     base::Hash64(std::span(later).first(kUnitBytes - 8), 0));
    Superblock found;
    EXPECT_EQ(DecodeSuperblock(later, &found).code(), Code::kUnsupported) << byte;
  }
}

// The places that FORMAT.md gives.
TEST(BlockFileLayoutTest, PartsOfASuperblockStandWhereTheFormatSays) {
  Prng random(TestSeed("PartsOfASuperblockStandWhereTheFormatSays", 5));
  const Superblock s = AnySuperblock(&random);
  Unit unit;
  EncodeSuperblock(s, unit);
  const auto at = [&](uint64_t offset) { return blockfile::Load<uint64_t>(unit.data() + offset); };
  EXPECT_EQ(blockfile::AsText(std::span(unit).first(8)), "SPWBLOCK");
  EXPECT_EQ(at(8), 1 | uint64_t{s.page_bytes} << 32);
  const uint64_t numbers[][2] = {{56, s.generation},
                                 {64, s.pages},
                                 {72, s.next_block_id},
                                 {80, s.next_version},
                                 {88, s.payload_bytes},
                                 {96, static_cast<uint32_t>(s.checksum)},
                                 {104, 0},
                                 {112, s.registry.ref.page},
                                 {152, s.registry.entries},
                                 {160, s.registry.level},
                                 {168, 0},
                                 {224, s.space.first_page},
                                 {232, s.space.leaves},
                                 {272, s.journal_page},
                                 {280, s.journal_salt},
                                 {288, 0}};
  for (const auto& [offset, value] : numbers) {
    EXPECT_EQ(at(offset), value) << offset;
  }
  EXPECT_EQ(blockfile::LoadDigest(unit.data() + 120, 32), s.registry.ref.digest);
  EXPECT_EQ(blockfile::LoadDigest(unit.data() + 240, 32), s.space.digest);
  EXPECT_EQ(at(4088), base::Hash64(std::span(unit).first(4088), 0));
}

// Pages of 32 and 64 KiB once were said to leave none to the header.
TEST(BlockFileLayoutTest, TheHeaderHasPagesOfItsOwnWhateverTheirSize) {
  for (uint64_t bytes = blockfile::kPageBytesLeast; bytes <= blockfile::kPageBytesMost;
       bytes *= 2) {
    EXPECT_GE(blockfile::HeaderPages(bytes) * bytes, 4 * kUnitBytes);
    EXPECT_LT((blockfile::HeaderPages(bytes) - 1) * bytes, 4 * kUnitBytes);
  }
}

TEST(BlockFileLayoutTest, AMarkIsReadByItsOwnFileOnly) {
  const FileId file = {1, 2, 3};
  const FileId other = {1, 2, 4};
  const Mark mark = {.number = 9, .generation = 5, .frames = 77, .closed = true};
  Unit unit;
  EncodeMark(mark, file, unit);
  Mark found;
  ASSERT_TRUE(DecodeMark(unit, file, &found));
  EXPECT_EQ(found, mark);
  EXPECT_FALSE(DecodeMark(unit, other, &found));
  for (uint64_t byte = 0; byte < kUnitBytes; byte += 3) {
    Unit damaged = unit;
    damaged[byte] ^= 0x40;
    EXPECT_FALSE(DecodeMark(damaged, file, &found)) << byte;
  }
}

}  // namespace
}  // namespace spillway::test
