// What the block-file tier keeps, where it puts it, and what it says to damage. What all tiers do
// alike is tested in tier_test.cc, model, crash and fault.
#include "internal/cold/block_tier.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/blockfile/block_file.h"
#include "internal/blockfile/lister.h"
#include "internal/cold/block_format.h"
#include "tests/support/prng.h"
#include "tests/unit/cold/tier_fixture.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Result;
using base::Status;
using blockfile::BlockFile;
using cold::OpenMode;

class BlockTierTest : public TierFixture {
 protected:
  Result<Tier> OpenTier(OpenMode mode) override {
    return cold::OpenBlockTier(io::PosixFileSystem(), path_, mode);
  }
  void Reclaim() {
    for (bool more = true; more;) {
      ASSERT_TRUE(tier_->Reclaim(&more).ok());
    }
  }

  // The file's own blocks, as the library sees them.
  std::shared_ptr<BlockFile> OpenFile() {
    auto file =
        BlockFile::Open(io::PosixFileSystem(), path_, {}, nullptr, BlockFile::Owner::kLibrary);
    EXPECT_TRUE(file.ok());
    return file.value();
  }
  static std::vector<std::string> NamesOf(BlockFile* file) {
    std::unique_ptr<blockfile::Lister> lister;
    EXPECT_TRUE(file->List(nullptr, "", true, &lister).ok());
    std::vector<std::string> names;
    blockfile::BlockPage page;
    do {
      EXPECT_TRUE(lister->Next(100, &page).ok());
      for (uint64_t i = 0; i < page.count; ++i) {
        names.push_back(page.names.substr(page.name_offsets[i],
                                          page.name_offsets[i + 1] - page.name_offsets[i]));
      }
    } while (page.count > 0);
    return names;
  }
  static std::vector<uint8_t> BytesOf(BlockFile* file, const std::string& name) {
    blockfile::BlockInfo info;
    EXPECT_TRUE(file->Stat(nullptr, name, &info).ok());
    std::vector<uint8_t> bytes(info.length);
    uint64_t bytes_read = 0;
    EXPECT_TRUE(file->Read(nullptr, name, 0, bytes, &bytes_read).ok());
    return bytes;
  }
};

TEST_F(BlockTierTest, SmallCommitsShareBlocksAndLargeOnesHaveTheirOwn) {
  Open();
  AddStream(0, "a");
  AddStream(1, "b", true);
  for (int i = 0; i < 300; ++i) {
    Append(0, 3);
    Append(1, 2);
  }
  model_.bytes_max = 30'000;  // of what is made from now on: another stream's
  AddStream(2, "c");
  Append(2, 2000);
  Append(2, 5);
  {
    std::shared_ptr<BlockFile> file = tier_->file()->ForApplication();
    const std::vector<std::string> names = NamesOf(file.get());
    EXPECT_EQ(names, (std::vector<std::string>{".spillway/records/00000000/0000000000000000",
                                               ".spillway/records/00000001/0000000000000000",
                                               ".spillway/records/00000002/0000000000000000",
                                               ".spillway/records/00000002/00000000000007d0",
                                               ".spillway/store", ".spillway/streams/00000000",
                                               ".spillway/streams/00000001",
                                               ".spillway/streams/00000002"}));
  }
  const TierModel large = model_;
  for (int turn = 0; turn < 2; ++turn) {
    EXPECT_TRUE(HoldsRecords(tier_.get(), large, 2, 0, 2005, 100'000));
    model_.bytes_max = 100;
    EXPECT_TRUE(HoldsRecords(tier_.get(), model_, 0, 0, 900, 1));
    EXPECT_TRUE(HoldsRecords(tier_.get(), model_, 1, 0, 600, 1 << 20));
    Reopen();
  }
}

TEST_F(BlockTierTest, BytesAreAsTheFormatTextSays) {
  Open();
  AddStream(0x12, "n", true);
  Append(0x12, 4);
  Append(0x12, 1);
  Close();
  const std::shared_ptr<BlockFile> file = OpenFile();
  EXPECT_EQ(BytesOf(file.get(), ".spillway/store"), (std::vector<uint8_t>{1, 0, 0, 0}));
  const std::vector<uint8_t> stream = BytesOf(file.get(), ".spillway/streams/00000012");
  const std::string name = "n";
  EXPECT_EQ(std::vector<uint8_t>(stream.begin(), stream.begin() + 12),
            (std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(std::string(stream.begin() + 12, stream.end()), name);
  const std::string records = ".spillway/records/00000012/0000000000000000";
  const std::vector<uint8_t> bytes = BytesOf(file.get(), records);
  const auto u32 = [&](size_t at) {
    uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  };
  const auto u64 = [&](size_t at) {
    uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  };
  size_t at = 0;
  uint64_t seq = 0;
  for (const uint64_t count : {4U, 1U}) {
    EXPECT_EQ(u64(at), seq);
    ASSERT_EQ(u32(at + 16), count);
    EXPECT_EQ(u32(at + 20), 0x100U);  // no codec, with times
    const size_t times = at + 24 + (count * 4 + 7) / 8 * 8;
    const size_t payload = times + count * 8;
    uint64_t begin = 0;
    for (uint64_t i = 0; i < count; ++i, ++seq) {
      const uint64_t end = u32(at + 24 + i * 4);
      EXPECT_EQ(std::string(bytes.begin() + static_cast<ptrdiff_t>(payload + begin),
                            bytes.begin() + static_cast<ptrdiff_t>(payload + end)),
                PayloadOf(0x12, seq, model_.salt, model_.bytes_max));
      EXPECT_EQ(static_cast<int64_t>(u64(times + i * 8)), TimeOf(0x12, seq, model_.salt));
      begin = end;
    }
    EXPECT_EQ(u64(at + 8), begin);
    at = payload + begin;
  }
  EXPECT_EQ(at, bytes.size());
  blockfile::BlockInfo info;
  ASSERT_TRUE(file->Stat(nullptr, records, &info).ok());
  cold::RecordsBlock block;
  ASSERT_EQ(info.tag_bytes, 40U);
  ASSERT_TRUE(cold::DecodeTag(cold::Bytes(info.tag).first(40), &block));
  EXPECT_EQ(block.frames, 2U);
  EXPECT_EQ(block.count, 5U);
  int64_t least = INT64_MAX;
  int64_t most = INT64_MIN;
  for (uint64_t i = 0; i < 5; ++i) {
    least = std::min(least, TimeOf(0x12, i, model_.salt));
    most = std::max(most, TimeOf(0x12, i, model_.salt));
  }
  EXPECT_EQ(block.time_least, least);
  EXPECT_EQ(block.time_most, most);
}

TEST_F(BlockTierTest, DroppedRecordsGiveTheirBlocksBack) {
  Open();
  AddStream(0, "a");
  model_.bytes_max = 20'000;
  for (int i = 0; i < 10; ++i) {
    Append(0, 1000);  // a block of its own
  }
  std::shared_ptr<BlockFile> file = tier_->file()->ForApplication();
  EXPECT_EQ(NamesOf(file.get()).size(), 12U);
  TrimTo(0, 5500);
  EXPECT_EQ(NamesOf(file.get()).size(), 12U);
  Reclaim();
  EXPECT_EQ(NamesOf(file.get()).size(), 7U);  // the one that is in use in part stays whole
  ExpectModel();
  file.reset();
  Reopen();
  ExpectModel();
  TrimTo(0, 20'000);
  Reclaim();
  Append(0, 10);
  Reopen();
  ExpectModel();
}

TEST_F(BlockTierTest, ALostBlockIsAGapAndTheOthersAreRead) {
  Open();
  AddStream(0, "a");
  model_.bytes_max = 20'000;
  for (int i = 0; i < 3; ++i) {
    Append(0, 1000);
  }
  Close();
  {
    const std::shared_ptr<BlockFile> file = OpenFile();
    ASSERT_TRUE(file->Remove(nullptr, cold::RecordsBlockName(0, 1000)).ok());
    ASSERT_TRUE(file->Close(false).ok());
  }
  Open();
  EXPECT_TRUE(HoldsRecords(tier_.get(), model_, 0, 0, 1000, 50'000));
  EXPECT_TRUE(HoldsRecords(tier_.get(), model_, 0, 2000, 3000, 50'000));
  record::ColumnBuffer out;
  for (const uint64_t seq : {1000U, 1500U, 1999U}) {
    EXPECT_EQ(tier_->Read(0, seq, 3000, 1, &out).code(), Code::kCorrupt);
  }
  ASSERT_TRUE(tier_->Read(0, 990, 3000, 1 << 30, &out).ok());
  EXPECT_EQ(out.count(), 10U);  // up to the damage
  EXPECT_EQ(tier_->stats().checksum_errors, 3U);
}

TEST_F(BlockTierTest, BlocksThatNoStoreMakesAreRefused) {
  const auto open_with = [&](const std::string& name, const std::string& text,
                             std::optional<cold::Bytes> tag = std::nullopt) {
    std::filesystem::remove(path_);
    Open();
    AddStream(0, "a");
    Append(0, 10);
    Close();
    const std::shared_ptr<BlockFile> file = OpenFile();
    blockfile::PutItem item{.name = name, .payload = blockfile::AsBytes(text), .tag = tag};
    EXPECT_TRUE(file->Put(nullptr, {&item, 1}).ok());
    EXPECT_TRUE(file->Close(false).ok());
    return TryOpen().status().code();
  };
  EXPECT_EQ(open_with("anything", "of the application"), Code::kOk);
  EXPECT_EQ(open_with(".spillway/else", "of a later version"), Code::kOk);
  EXPECT_EQ(open_with(".spillway/store", {"\2\0\0\0", 4}), Code::kUnsupported);
  EXPECT_EQ(open_with(".spillway/store", "x"), Code::kCorrupt);
  EXPECT_EQ(open_with(".spillway/streams/00000000", "short"), Code::kCorrupt);
  EXPECT_EQ(open_with(".spillway/streams/1", std::string(20, 'a')), Code::kCorrupt);
  EXPECT_EQ(open_with(".spillway/streams/0000000A", std::string(20, '\0')), Code::kCorrupt);
  EXPECT_EQ(open_with(".spillway/records/00000007/0000000000000000", "of no stream"),
            Code::kCorrupt);
  EXPECT_EQ(open_with(".spillway/records/00000000/000000000000000a", "without a tag"),
            Code::kCorrupt);
  const std::vector<uint8_t> tag =
      cold::EncodeTag({.first_seq = 5, .count = 10, .frames = 1}, false);
  EXPECT_EQ(open_with(".spillway/records/00000000/0000000000000005", "overlaps", tag),
            Code::kCorrupt);
}

TEST_F(BlockTierTest, ATagThatLiesIsDamage) {
  Open();
  AddStream(0, "a");
  Append(0, 10);
  Append(0, 10);
  Append(0, 10);
  Close();
  const std::string name = cold::RecordsBlockName(0, 0);
  for (const auto& [count, frames] : {std::pair{30U, 2U}, std::pair{30U, 4U}, std::pair{29U, 3U},
                                      std::pair{31U, 3U}, std::pair{30U, 1U}}) {
    {
      const std::shared_ptr<BlockFile> file = OpenFile();
      const std::vector<uint8_t> tag = cold::EncodeTag({.count = count, .frames = frames}, false);
      ASSERT_TRUE(file->SetTag(nullptr, name, tag).ok());
      ASSERT_TRUE(file->Close(false).ok());
    }
    Open();
    record::ColumnBuffer out;
    EXPECT_EQ(tier_->Read(0, 15, 20, 1, &out).code(), Code::kCorrupt) << count << " " << frames;
    Close();
  }
}

// Bytes of the file change at random: what is read is what was written, or is refused.
TEST_F(BlockTierTest, FlippedBytesAreNeverReadAsData) {
  Open();
  model_.bytes_max = 600;
  AddStream(0, "a", true);
  AddStream(1, "b");
  Append(0, 1500);
  Append(1, 20);
  Append(1, 20);
  Append(0, 1500);
  TrimTo(0, 7);
  Close();
  const std::string whole = folder_.File("whole");
  std::filesystem::copy_file(path_, whole);
  const uint64_t bytes = std::filesystem::file_size(whole);
  Prng random(TestSeed("BlockTierTest", 3));
  uint64_t refused = 0;
  uint64_t opened = 0;
  for (int i = 0; i < 150; ++i) {
    std::filesystem::copy_file(whole, path_, std::filesystem::copy_options::overwrite_existing);
    if (i % 10 == 9) {
      std::filesystem::resize_file(path_, random.Below(bytes));
    } else {
      auto file = io::PosixFileSystem()->OpenFile(path_, io::Open::kExisting);
      const std::vector<uint8_t> noise = {static_cast<uint8_t>(random.Next()), 0xA5};
      ASSERT_TRUE(file.value()->WriteAt(random.Below(bytes - 2), noise).ok());
    }
    Result<Tier> tier = TryOpen(OpenMode::kExisting);
    if (!tier.ok()) {
      EXPECT_TRUE(tier.status().code() == Code::kCorrupt || tier.status().code() == Code::kNotFound)
          << tier.status().message();
      continue;
    }
    ++opened;
    for (const cold::StreamState& state : tier.value()->Streams()) {
      const TierStream& wanted = model_.streams.at(state.id);
      ASSERT_EQ(state.end_seq, wanted.end_seq);
      for (uint64_t seq = state.begin_seq; seq < state.end_seq;) {
        record::ColumnBuffer out;
        const Status status = tier.value()->Read(state.id, seq, state.end_seq, 10'000, &out);
        if (!status.ok()) {
          EXPECT_EQ(status.code(), Code::kCorrupt) << status.message();
          ++refused;
          ++seq;
          continue;
        }
        for (uint64_t at = 0; at < out.count(); ++at, ++seq) {
          const std::span<const uint8_t> got = out.columns().payload(at);
          ASSERT_EQ(std::string(got.begin(), got.end()),
                    PayloadOf(state.id, seq, model_.salt, model_.bytes_max));
        }
      }
    }
  }
  std::printf("%llu of 150 opened, %llu records refused\n", static_cast<unsigned long long>(opened),
              static_cast<unsigned long long>(refused));
  EXPECT_GT(refused, 0U);
  EXPECT_GT(opened, 100U);
}

}  // namespace
}  // namespace spillway::test
