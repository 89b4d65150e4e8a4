// One history under many settings: whatever the tier, the budgets, the habits of flushing and the
// pages of the file, a store gives the same answers. The history is drawn once, and so are the
// answers, from plain vectors; no setting and no answer has a say in what comes next.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/blockfile/block_file.h"
#include "tests/support/model_store.h"
#include "tests/support/prng.h"
#include "tests/support/slow_disk.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_store.h"

namespace spillway::test {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr uint64_t kSteps = 30;
#else
constexpr uint64_t kSteps = 80;
#endif
constexpr uint64_t kStreams = 3;
constexpr uint64_t kCursors = 3;

struct Op {
  enum class Kind {
    kAdd,
    kTrim,
    kTrimBytes,
    kClear,
    kFlush,
    kSettle,
    kReopen,
    kScan,
    kRead,
    kGather,
    kOpenCursor,
    kMoveCursor
  };
  Kind kind = Kind::kAdd;
  uint64_t stream = 0;
  Records records;  // to be added; of reads: the answer
  std::vector<uint64_t>
      seqs;             // of a gather; the first: of a trim, a point read, the answer of a trim
  uint64_t number = 0;  // bytes of a trim; level of a flush; cursor; where its records begin
  uint64_t count = 0;   // of records that a cursor is to give
  spw_status wanted = SPW_OK;
};

std::string NameOf(uint64_t stream) { return "stream " + std::to_string(stream); }
bool HasTimes(uint64_t stream) { return stream == 1; }

// Draws the operations and what they are to answer.
class History {
 public:
  explicit History(uint64_t seed) : random_(seed) {
    for (uint64_t i = 0; i < kSteps; ++i) {
      Draw();
    }
    for (uint64_t i = 0; i < kStreams; ++i) {
      Scan(i);
    }
    DrawOp(Op::Kind::kReopen, 0);
    for (uint64_t i = 0; i < kStreams; ++i) {
      Scan(i);
    }
  }
  const std::vector<Op>& ops() const { return ops_; }

 private:
  struct Cursor {
    uint64_t stream;
    uint64_t position;
    uint64_t end;
  };

  Op* DrawOp(Op::Kind kind, uint64_t stream) {
    ops_.emplace_back();
    ops_.back().kind = kind;
    ops_.back().stream = stream;
    return &ops_.back();
  }

  void Draw() {
    const uint64_t id = random_.Below(kStreams);
    ModelStream& stream = streams_[id];
    const uint64_t choice = random_.Below(100);
    if (choice < 45) {
      Op* const op = DrawOp(Op::Kind::kAdd, id);
      const uint64_t kind = random_.Below(30);
      op->records = kind == 0   ? RandomRecords(&random_, 2, 150 << 10)
                    : kind == 1 ? RandomRecords(&random_, 400, 4 << 10)  // beyond the byte cap
                                : RandomRecords(&random_, random_.Between(1, 80), 400);
      if (!HasTimes(id)) {
        std::for_each(op->records.begin(), op->records.end(), [](Record& each) { each.time = 0; });
      }
      stream.Add(op->records);
    } else if (choice < 50) {
      Op* const op = DrawOp(Op::Kind::kTrim, id);
      op->seqs = {random_.Between(stream.begin_seq, stream.tail_seq())};
      stream.TrimTo(op->seqs[0]);
    } else if (choice < 53) {
      TrimBytes(id);
    } else if (choice < 55) {
      DrawOp(Op::Kind::kClear, id);
      stream.Clear();
    } else if (choice < 60) {
      DrawOp(Op::Kind::kFlush, id)->number = random_.OneIn(2) ? SPW_FLUSH_KERNEL : SPW_FLUSH_DEVICE;
    } else if (choice < 62) {
      DrawOp(Op::Kind::kSettle, id);
    } else if (choice < 64) {
      DrawOp(Op::Kind::kReopen, id);
      cursors_.clear();
    } else if (choice < 69) {
      Scan(id);
    } else if (choice < 77) {
      Op* const op = DrawOp(Op::Kind::kRead, id);
      op->seqs = {random_.Below(stream.tail_seq() + 2)};
      op->wanted = AnswerOf(stream, op->seqs[0], &op->records);
    } else if (choice < 84) {
      Gather(id);
    } else if (choice < 89 || cursors_.empty()) {
      Op* const op = DrawOp(Op::Kind::kOpenCursor, id);
      op->number = random_.Below(kCursors);
      cursors_[op->number] = {id, stream.begin_seq, stream.tail_seq()};
    } else {
      MoveCursor();
    }
  }

  static spw_status AnswerOf(const ModelStream& stream, uint64_t seq, Records* out) {
    if (seq >= stream.tail_seq()) {
      return SPW_NOT_FOUND;
    }
    if (seq < stream.begin_seq) {
      return SPW_TRIMMED;
    }
    out->push_back(stream.records[seq]);
    return SPW_OK;
  }

  void TrimBytes(uint64_t id) {
    ModelStream& stream = streams_[id];
    Op* const op = DrawOp(Op::Kind::kTrimBytes, id);
    op->number = random_.Below(200 << 10);
    uint64_t begin = stream.tail_seq();
    for (uint64_t room = op->number;
         begin > stream.begin_seq && stream.records[begin - 1].payload.size() <= room;) {
      room -= stream.records[--begin].payload.size();
    }
    op->seqs = {begin};
    stream.TrimTo(begin);
  }

  void Scan(uint64_t id) {
    const ModelStream& stream = streams_[id];
    Op* const op = DrawOp(Op::Kind::kScan, id);
    op->number = stream.begin_seq;
    op->records.assign(stream.records.begin() + static_cast<ptrdiff_t>(stream.begin_seq),
                       stream.records.end());
  }

  void Gather(uint64_t id) {
    const ModelStream& stream = streams_[id];
    Op* const op = DrawOp(Op::Kind::kGather, id);
    for (uint64_t left = stream.count() == 0 ? 0 : random_.Between(1, 60); left > 0; --left) {
      op->seqs.push_back(stream.begin_seq + random_.Below(stream.count()));
      AnswerOf(stream, op->seqs.back(), &op->records);
    }
  }

  void MoveCursor() {
    auto found = cursors_.begin();
    std::advance(found, static_cast<ptrdiff_t>(random_.Below(cursors_.size())));
    Cursor& cursor = found->second;
    const ModelStream& stream = streams_[cursor.stream];
    Op* const op = DrawOp(Op::Kind::kMoveCursor, cursor.stream);
    op->number = found->first;
    if (cursor.position < cursor.end && cursor.position < stream.begin_seq) {
      op->wanted = SPW_TRIMMED;
      op->count = 1;
      cursors_.erase(found);
      return;
    }
    op->count = std::min(random_.Between(1, 100), cursor.end - cursor.position);
    const auto first = stream.records.begin() + static_cast<ptrdiff_t>(cursor.position);
    op->records.assign(first, first + static_cast<ptrdiff_t>(op->count));
    cursor.position += op->count;
  }

  Prng random_;
  ModelStream streams_[kStreams];
  std::map<uint64_t, Cursor> cursors_;
  std::vector<Op> ops_;
};

// ---- Settings

enum class Tier { kMemory, kBlock, kSqlite };
enum class Flushes { kOfTheHistory, kKernelAfterEach, kDeviceNowAndThen, kEachAddIsDurable };

struct Setting {
  Tier tier = Tier::kBlock;
  bool cap_bytes = false;
  bool cap_records = false;
  bool eager = false;
  Flushes flushes = Flushes::kOfTheHistory;
  uint32_t page_bytes = 4096;  // of a block file

  std::string Name() const {
    const char* const tiers[] = {"memory", "block", "sqlite"};
    return std::string(tiers[static_cast<int>(tier)]) + (cap_bytes ? ", bytes" : "") +
           (cap_records ? ", records" : "") + (eager ? ", eager" : "") + ", flushes " +
           std::to_string(static_cast<int>(flushes)) + ", pages of " + std::to_string(page_bytes);
  }
};

std::vector<Setting> AllSettings() {
  std::vector<Setting> all = {{.tier = Tier::kMemory}};
  for (const Tier tier : {Tier::kBlock, Tier::kSqlite}) {
    for (int caps = 0; caps < 4; ++caps) {
      for (const bool eager : {false, true}) {
        for (int flushes = 0; flushes < 4; ++flushes) {
          for (const uint32_t page_bytes : {512U, 4096U, 65536U}) {
            if (tier == Tier::kBlock || page_bytes == 4096) {
              all.push_back({tier, caps % 2 == 1, caps >= 2, eager, static_cast<Flushes>(flushes),
                             page_bytes});
            }
          }
        }
      }
    }
  }
  return all;
}

// Does what the history says and compares every answer.
class Runner {
 public:
  explicit Runner(const Setting& setting)
      : setting_(setting),
        path_(folder_.File("store")),
        store_(setting.tier == Tier::kMemory ? std::nullopt : std::optional(path_), &disk_) {}

  void Do(const std::vector<Op>& ops) {
    MakeFile();
    Open();
    for (size_t i = 0; i < ops.size() && !::testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE("step " + std::to_string(i));
      Step(ops[i]);
      if (setting_.flushes == Flushes::kKernelAfterEach) {
        EXPECT_EQ(store_.Flush(SPW_FLUSH_KERNEL), SPW_OK);
      } else if (setting_.flushes == Flushes::kDeviceNowAndThen && i % 7 == 0) {
        EXPECT_EQ(store_.Flush(SPW_FLUSH_DEVICE), SPW_OK);
      }
    }
    Close();
  }
  uint64_t spills() const { return spills_; }

 private:
  // A block file that is there already becomes the store's, with the pages that it has.
  void MakeFile() {
    if (setting_.tier != Tier::kBlock) {
      return;
    }
    blockfile::Settings settings;
    settings.page_bytes = setting_.page_bytes;
    auto file = blockfile::BlockFile::Open(&disk_, path_, settings);
    ASSERT_TRUE(file.ok()) << file.status().message();
    ASSERT_TRUE(file.value()->Close(false).ok());
  }

  void Open() {
    Settings settings = {
        {SPW_OPT_BUDGET_BYTES, setting_.cap_bytes ? 256 << 10 : SPW_UNLIMITED},
        {SPW_OPT_BUDGET_RECORDS, setting_.cap_records ? 100 : SPW_UNLIMITED},
    };
    if (setting_.tier != Tier::kMemory) {
      settings.push_back({SPW_OPT_COLD_TIER,
                          setting_.tier == Tier::kSqlite ? SPW_TIER_SQLITE : SPW_TIER_BLOCK_FILE});
      settings.push_back({SPW_OPT_EAGER, setting_.eager ? 1 : 0});
      settings.push_back(
          {SPW_OPT_SYNC_MS, setting_.flushes == Flushes::kEachAddIsDurable ? 0 : SPW_UNLIMITED});
    }
    ASSERT_EQ(store_.Open(settings), SPW_OK);
    for (uint64_t i = 0; i < kStreams; ++i) {
      ASSERT_EQ(store_.Stream(NameOf(i), {{SPW_OPT_TIMES, HasTimes(i) ? 1 : 0}}, &ids_[i]), SPW_OK);
    }
  }

  void Close() {
    spills_ += store_.Stats().spills;
    cursors_.clear();
    Expect(store_.Close());
    store_.Drop();
  }

  void Step(const Op& op) {
    const bool in_memory = setting_.tier == Tier::kMemory;
    const spw_status on_disk = in_memory ? SPW_UNSUPPORTED : SPW_OK;
    const uint32_t id = ids_[op.stream];
    switch (op.kind) {
      case Op::Kind::kAdd: {
        uint64_t first = 0;
        return Expect(store_.Add(id, op.records, HasTimes(op.stream), Form::kPacked, &first));
      }
      case Op::Kind::kTrim:
        return Expect(store_.Trim(id, op.seqs[0]));
      case Op::Kind::kTrimBytes: {
        uint64_t begin = 0;
        Expect(spw_store_trim_bytes(store_.handle(), id, op.number, &begin, nullptr));
        EXPECT_EQ(begin, op.seqs[0]);
        return;
      }
      case Op::Kind::kClear:
        return Expect(store_.Clear(id));
      case Op::Kind::kFlush:
        return Expect(store_.Flush(static_cast<int32_t>(op.number)), on_disk);
      case Op::Kind::kSettle:
        return Expect(spw_store_settle(store_.handle(), SPW_WAIT_FOREVER, nullptr, nullptr),
                      on_disk);
      case Op::Kind::kReopen:
        if (!in_memory) {
          Close();
          Open();
        }
        return;
      default:
        return Look(op, id);
    }
  }

  void Look(const Op& op, uint32_t id) {
    Records found;
    switch (op.kind) {
      case Op::Kind::kRead:
        found.emplace_back();
        Expect(store_.Read(id, op.seqs[0], &found[0]), op.wanted);
        found.resize(op.records.size());
        break;
      case Op::Kind::kGather: {
        int64_t bad = 0;
        Expect(store_.Gather(id, op.seqs, &found, &bad));
        break;
      }
      case Op::Kind::kScan: {
        const auto cursor = store_.Cursor(id, 0, SPW_SEQ_NONE);
        ASSERT_NE(cursor, nullptr);
        EXPECT_EQ(cursor->begin_seq(), op.number);
        EXPECT_EQ(cursor->end_seq(), op.number + op.records.size());
        Expect(ReadOn(cursor.get(), UINT64_MAX, &found));
        break;
      }
      case Op::Kind::kOpenCursor:
        cursors_[op.number] = store_.Cursor(id, 0, SPW_SEQ_NONE);
        ASSERT_NE(cursors_[op.number], nullptr);
        return;
      default:
        Expect(ReadOn(cursors_[op.number].get(), op.count, &found), op.wanted);
    }
    EXPECT_TRUE(found == op.records) << found.size() << " records, not " << op.records.size();
  }

  // So many records, or all up to the end.
  static spw_status ReadOn(TestCursor* cursor, uint64_t count, Records* out) {
    while (out->size() < count) {
      uint64_t first = 0;
      Records found;
      const spw_status status = cursor->Next(count - out->size(), SPW_NO_LIMIT, &first, &found);
      if (status != SPW_OK || found.empty()) {
        return status;
      }
      out->insert(out->end(), found.begin(), found.end());
    }
    return SPW_OK;
  }

  static void Expect(spw_status found, spw_status wanted = SPW_OK) {
    EXPECT_EQ(found, wanted) << spw_status_name(found);
  }

  const Setting setting_;
  const TempFolder folder_;
  const std::string path_;
  SlowDisk disk_;  // without a rate: nothing is cut off here, so barriers need not cost anything
  TestStore store_;
  uint32_t ids_[kStreams] = {};
  std::map<uint64_t, std::unique_ptr<TestCursor>> cursors_;
  uint64_t spills_ = 0;
};

TEST(SettingsModelTest, OneHistoryGivesTheSameAnswersUnderEverySetting) {
  const uint64_t seed = TestSeed("OneHistoryGivesTheSameAnswers", 41);
  const History history(seed);
  const std::vector<Setting> settings = AllSettings();
  uint64_t spills = 0;
  for (const Setting& setting : settings) {
    SCOPED_TRACE(setting.Name());
    Runner runner(setting);
    runner.Do(history.ops());
    ASSERT_FALSE(HasFailure());
    spills += runner.spills();
  }
  std::printf("%zu settings, %zu operations, %llu spills\n", settings.size(), history.ops().size(),
              static_cast<unsigned long long>(spills));
  EXPECT_GT(spills, settings.size());
}

}  // namespace
}  // namespace spillway::test
