// Superblocks and marks: what is written is read, and nothing else passes.
#include "internal/blockfile/layout.h"

#include <vector>

#include "gtest/gtest.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using base::Code;
using blockfile::FileId;
using blockfile::kUnitBytes;
using blockfile::Mark;
using blockfile::Superblock;
using Unit = std::array<uint8_t, kUnitBytes>;

Superblock AnySuperblock(Prng* random) {
  Superblock superblock;
  for (uint8_t& byte : superblock.file_id) {
    byte = static_cast<uint8_t>(random->Next());
  }
  superblock.page_bytes = uint32_t{512} << random->Below(8);
  superblock.generation = random->Next();
  superblock.pages = random->Between(100, 1'000'000);
  superblock.next_block_id = random->Next();
  superblock.next_version = random->Next();
  superblock.payload_bytes = random->Next();
  superblock.registry = {{random->Between(32, 99), {random->Next()}}, 3, random->Next()};
  const uint64_t pages_per_leaf = uint64_t{superblock.page_bytes} * 8;
  superblock.space.leaves = (superblock.pages + pages_per_leaf - 1) / pages_per_leaf;
  superblock.space.first_page = random->Between(32, 60);
  superblock.space.digest = {random->Next()};
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
  EXPECT_EQ(code([](Superblock* s) { s->features.incompatible = 1; }), Code::kUnsupported);
  EXPECT_EQ(code([](Superblock* s) { s->features.compatible = 1; }), Code::kOk);
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
