// What every cold tier keeps, gives back and refuses, while all goes well.
#include <filesystem>
#include <string>
#include <vector>

#include "internal/cold/block_tier.h"
#include "tests/unit/cold/tier_fixture.h"

namespace spillway::test {
namespace {

using base::Code;
using cold::OpenMode;

enum class Kind { kBlock, kSqlite };

class TierTest : public TierFixture, public ::testing::WithParamInterface<Kind> {
 protected:
  base::Result<Tier> OpenTier(OpenMode mode) override {
    return GetParam() == Kind::kSqlite ? cold::OpenSqliteTier(io::PosixFileSystem(), path_, mode)
                                       : cold::OpenBlockTier(io::PosixFileSystem(), path_, mode);
  }
};

TEST_P(TierTest, RecordsOfAllSizesComeBackByteForByte) {
  Open();
  AddStream(0, "sizes", true);
  record::ColumnBuffer buffer;
  buffer.Reset(0, true);
  std::vector<std::string> payloads;
  for (const uint64_t size : std::initializer_list<uint64_t>{
           0, 1, 0, 16383, 16384, 16385, 65535, 65536, 65537, uint64_t{300} << 10, 0,
           uint64_t{9} << 20, 3, uint64_t{1} << 20}) {
    std::string payload(size, '\0');
    for (size_t i = 0; i < size; ++i) {
      payload[i] = static_cast<char>(i * 7 + size);
    }
    buffer.Append({reinterpret_cast<const uint8_t*>(payload.data()), size},
                  INT64_MIN + int64_t(size));
    payloads.push_back(payload);
  }
  const cold::Piece piece = {0, buffer.columns()};
  ASSERT_TRUE(Commit({{}, {}, {&piece, 1}}).ok());
  for (int turn = 0; turn < 2; ++turn) {
    record::ColumnBuffer out;
    for (uint64_t seq = 0; seq < payloads.size(); ++seq) {
      ASSERT_TRUE(tier_->Read(0, seq, payloads.size(), 1, &out).ok());
      const record::Columns columns = out.columns();
      ASSERT_LE(columns.first_seq, seq);
      ASSERT_GT(columns.end_seq(), seq);
      const std::span<const uint8_t> got = columns.payload(seq - columns.first_seq);
      EXPECT_EQ(std::string(got.begin(), got.end()), payloads[seq]);
      EXPECT_EQ(columns.times[seq - columns.first_seq], INT64_MIN + int64_t(payloads[seq].size()));
    }
    Reopen();
  }
}

TEST_P(TierTest, ManyStreamsInOneCommitAndAcrossReopen) {
  Open();
  constexpr uint32_t kStreams = 300;
  std::vector<cold::StreamState> added;
  for (uint32_t id = 0; id < kStreams; ++id) {
    added.push_back({id * 7, "stream/" + std::to_string(id), id % 2 == 0, id, id});
    model_.streams[id * 7] = {added.back().name, added.back().has_times, id, id};
  }
  ASSERT_TRUE(Commit({added, {}, {}}).ok());
  for (int turn = 0; turn < 3; ++turn) {
    std::vector<record::ColumnBuffer> buffers;
    std::vector<cold::Piece> pieces;
    for (const auto& [id, stream] : model_.streams) {
      buffers.push_back(model_.Next(id, 1 + id % 5));
    }
    size_t i = 0;
    for (auto& [id, stream] : model_.streams) {
      pieces.push_back({id, buffers[i].columns()});
      stream.end_seq += buffers[i++].count();
    }
    ASSERT_TRUE(Commit({{}, {}, pieces}).ok());
  }
  ExpectModel();
  Reopen();
  ExpectModel();
}

TEST_P(TierTest, OneCommitCreatesTrimsAndAppends) {
  Open();
  AddStream(0, "old");
  Append(0, 100);
  const cold::StreamState stream = {1, "new", false, 5, 5};
  model_.streams[1] = {"new", false, 5, 5};
  const record::ColumnBuffer first = model_.Next(1, 10);
  model_.streams[1].end_seq = 15;
  const record::ColumnBuffer second = model_.Next(1, 10);
  model_.streams[1].end_seq = 25;
  model_.streams[1].begin_seq = 5;
  model_.streams[0].begin_seq = model_.streams[0].end_seq = 200;
  const record::ColumnBuffer third = model_.Next(0, 3);
  model_.streams[0].end_seq = 203;
  const cold::Trim trim = {0, 200};
  const cold::Piece pieces[] = {{1, first.columns()}, {0, third.columns()}, {1, second.columns()}};
  ASSERT_TRUE(Commit({{&stream, 1}, {&trim, 1}, pieces}).ok());
  ExpectModel();
  tier_.reset();
  Open(OpenMode::kExisting);
  ExpectModel();
}

TEST_P(TierTest, ChangesThatDoNotFitAreRefusedAndChangeNothing) {
  Open();
  AddStream(3, "a", true);
  Append(3, 10);
  const cold::StreamState twice = {3, "b", false, 0, 0};
  const cold::StreamState backwards = {4, "b", false, 0, 1};
  const cold::StreamState too_high = {65536, "b", false, 0, 0};
  for (const cold::StreamState& stream : {twice, backwards, too_high}) {
    EXPECT_EQ(Commit({{&stream, 1}, {}, {}}).code(), Code::kInvalidArgument);
  }
  const cold::Trim unknown = {9, 1};
  EXPECT_EQ(Commit({{}, {&unknown, 1}, {}}).code(), Code::kInvalidArgument);
  TierModel other = model_;
  other.streams[3].end_seq = 9;  // would overlap
  record::ColumnBuffer buffer = other.Next(3, 2);
  cold::Piece piece = {3, buffer.columns()};
  EXPECT_EQ(Commit({{}, {}, {&piece, 1}}).code(), Code::kInvalidArgument);
  buffer = model_.Next(3, 2);
  piece.columns = buffer.columns();
  piece.columns.times = nullptr;  // the stream has times
  EXPECT_EQ(Commit({{}, {}, {&piece, 1}}).code(), Code::kInvalidArgument);
  ExpectModel();
  Append(3, 2);
  ExpectModel();
}

TEST_P(TierTest, ReadTellsWhatIsNotThere) {
  Open();
  AddStream(0, "a");
  Append(0, 100);
  TrimTo(0, 40);
  record::ColumnBuffer out;
  EXPECT_EQ(tier_->Read(0, 39, 100, 1000, &out).code(), Code::kTrimmed);
  EXPECT_EQ(tier_->Read(0, 40, 101, 1000, &out).code(), Code::kInvalidArgument);
  EXPECT_EQ(tier_->Read(0, 50, 50, 1000, &out).code(), Code::kInvalidArgument);
  EXPECT_EQ(tier_->Read(1, 0, 1, 1000, &out).code(), Code::kInvalidArgument);
  EXPECT_TRUE(tier_->Read(0, 40, 100, 1000, &out).ok());
  EXPECT_EQ(tier_->stats().checksum_errors, 0u);
}

TEST_P(TierTest, OpenModesMeanWhatTheySay) {
  EXPECT_EQ(TryOpen(OpenMode::kExisting).status().code(), Code::kNotFound);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  Open(OpenMode::kNew);
  EXPECT_EQ(TryOpen(OpenMode::kCreate).status().code(), Code::kBusy);
  Close();
  EXPECT_EQ(TryOpen(OpenMode::kNew).status().code(), Code::kAlreadyExists);
  Open(OpenMode::kExisting);
  tier_.reset();
  Open(OpenMode::kCreate);
}

INSTANTIATE_TEST_SUITE_P(Both, TierTest, ::testing::Values(Kind::kBlock, Kind::kSqlite),
                         [](const auto& kind) {
                           return kind.param == Kind::kSqlite ? "Sqlite" : "Block";
                         });

}  // namespace
}  // namespace spillway::test
