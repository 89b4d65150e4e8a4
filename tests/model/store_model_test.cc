// Random operations on a store and on plain vectors, with budgets so small that it spills all the
// time; both must hold the same at every step, after every reopen, and in the statistics.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/model_store.h"
#include "tests/support/prng.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_store.h"
#include "tests/support/tier_of_run.h"

namespace spillway::test {
namespace {

constexpr uint64_t kBytesMin = 256 << 10;  // the smallest budget
constexpr uint64_t kCursorsMax = 4;
constexpr uint64_t kDetachedMax = 6;

struct OpenCursor {
  std::string stream;
  std::unique_ptr<TestCursor> cursor;
  uint64_t position;
  bool trimmed = false;  // stays until a seek
};

struct OpenBatch {
  uint64_t first_seq;
  Records wanted;
  Detached read;
};

class Walk {
 public:
  enum class Where { kDisk, kMemory };

  Walk(uint64_t seed, Where where)
      : random_(seed),
        in_memory_(where == Where::kMemory),
        store_(in_memory_ ? std::nullopt : std::optional(folder_.File("store.db"))) {}

  void Run(uint64_t steps) {
    Open();
    for (step_ = 0; step_ < steps && !::testing::Test::HasFailure(); ++step_) {
      SCOPED_TRACE("step " + std::to_string(step_));
      Step();
      CheckWatermarks();
    }
    if (::testing::Test::HasFailure()) {
      return;
    }
    CheckAll();
    if (!in_memory_) {
      Close(0);
      Open();
      CheckAll();
    }
    cursors_.clear();
    EXPECT_EQ(store_.Close(SPW_CLOSE_DISCARD), SPW_OK);
    CheckDetached();
  }

 private:
  // ---- Opening and closing
  Settings RandomSettings() {
    constexpr int64_t kRecords[] = {1, 7, 100, 1000, SPW_UNLIMITED};
    Settings settings = {
        {SPW_OPT_BUDGET_BYTES, static_cast<int64_t>(kBytesMin) << random_.Below(3)},
        {SPW_OPT_BUDGET_RECORDS, kRecords[random_.Below(5)]},
        {SPW_OPT_HARD_PERCENT, random_.OneIn(2)   ? 130
                               : random_.OneIn(2) ? 100
                                                  : 300},
    };
    if (!in_memory_) {
      settings.push_back({SPW_OPT_LOW_PERCENT, static_cast<int64_t>(random_.Below(101))});
      settings.push_back({SPW_OPT_SPILLS_IN_FLIGHT, static_cast<int64_t>(random_.Between(1, 2))});
      settings.push_back(TierOfRun());
    }
    return settings;
  }

  void Open() {
    ASSERT_EQ(store_.Open(RandomSettings()), SPW_OK);
    NoteLimits();
    added_ = cleared_ = trimmed_ = batches_ = payload_bytes_ = 0;
    marks_.clear();
    ids_.clear();
  }

  void NoteLimits() {
    const spw_stats stats = store_.Stats();
    bytes_hard_ = std::max(bytes_hard_, stats.bytes_hard);
    records_hard_ = std::max(records_hard_, stats.records_hard);
  }

  void Close(uint32_t flags) {
    ASSERT_EQ(store_.Close(flags), SPW_OK);
    for (OpenCursor& open : cursors_) {
      uint64_t first = 0;
      Records found;
      EXPECT_EQ(open.cursor->Next(1, 1, &first, &found), SPW_CLOSED);
    }
    cursors_.clear();
    store_.Drop();
    bytes_hard_ = records_hard_ = 0;
  }

  // level as for Recovered.
  void Reopen(int32_t level) {
    Open();
    ASSERT_TRUE(Recovered(&store_, level, &model_));
    for (const uint32_t id : store_.Streams()) {
      ids_[store_.NameOf(id)] = id;
    }
  }

  void CloseAndReopen() {
    if (in_memory_) {
      return;
    }
    const uint64_t leaked = spw_leaked_stores();
    switch (random_.Below(3)) {
      case 0:
        Close(0);
        return Reopen(0);
      case 1:
        Close(SPW_CLOSE_DISCARD);
        return Reopen(SPW_FLUSH_KERNEL);
      default:
        cursors_.clear();
        store_.Drop();
        EXPECT_EQ(spw_leaked_stores(), leaked + 1);
        bytes_hard_ = records_hard_ = 0;
        return Reopen(SPW_FLUSH_KERNEL);
    }
  }

  // ---- Streams
  // A stream of the model, made if it is time for one, or known again after a loss.
  std::string AnyStream() {
    const std::string name = "stream " + std::to_string(random_.Below(4));
    if (!model_.contains(name)) {
      model_[name].has_times = random_.OneIn(2);
    }
    if (!ids_.contains(name)) {
      const Settings settings = {{SPW_OPT_TIMES, model_[name].has_times ? 1 : 0}};
      EXPECT_EQ(store_.Stream(name, settings, &ids_[name]), SPW_OK);
    }
    return name;
  }

  // ---- Steps
  void Step() {
    const uint64_t choice = random_.Below(100);
    if (choice < 45) {
      Add();
    } else if (choice < 48) {
      Flush(SPW_FLUSH_KERNEL);
    } else if (choice < 50) {
      Flush(SPW_FLUSH_DEVICE);
    } else if (choice < 51) {
      Clear();
    } else if (choice < 52) {
      Trim();
    } else if (choice < 56) {
      OpenCursorSomewhere();
    } else if (choice < 78) {
      MoveCursor();
    } else if (choice < 84) {
      ReadOne();
    } else if (choice < 90) {
      GatherSome();
    } else if (choice < 93) {
      ChangeBudget();
    } else if (choice < 96) {
      const std::string name = AnyStream();
      EXPECT_TRUE(Holds(&store_, ids_[name], model_[name])) << name;
    } else if (choice < 98) {
      CheckStatistics();
    } else {
      CloseAndReopen();
    }
  }

  Records RandomBatch() {
    const uint64_t kind = random_.Below(40);
    if (kind == 0) {
      return {};
    }
    if (kind == 1) {
      return RandomRecords(&random_, random_.Between(1, 3), 200 << 10);  // arenas of their own
    }
    if (kind == 2) {
      return RandomRecords(&random_, random_.Between(1, 400), 10 << 10);  // perhaps oversize
    }
    return RandomRecords(&random_, random_.Between(1, random_.OneIn(4) ? 300 : 10), 300);
  }

  void Add() {
    const std::string name = AnyStream();
    ModelStream& model = model_[name];
    const Records batch = RandomBatch();
    const Form form = random_.OneIn(2) ? Form::kPacked : Form::kVectored;
    uint64_t first = 1;
    const spw_status status = store_.Add(ids_[name], batch, model.has_times, form, &first);
    if (status != SPW_OK) {
      ASSERT_TRUE(in_memory_ && (status == SPW_WOULD_BLOCK || status == SPW_TOO_BIG))
          << spw_status_name(status);
      ASSERT_EQ(first, SPW_SEQ_NONE);
      return random_.OneIn(3) ? Clear() : void();
    }
    ASSERT_EQ(first, batch.empty() ? SPW_SEQ_NONE : model.tail_seq());
    model.Add(batch);
    added_ += batch.size();
    batches_ += batch.empty() ? 0 : 1;
    for (const Record& record : batch) {
      payload_bytes_ += record.payload.size();
    }
  }

  void Flush(int32_t level) {
    const spw_status status = store_.Flush(level);
    ASSERT_EQ(status, in_memory_ ? SPW_UNSUPPORTED : SPW_OK);
    for (auto& [name, stream] : model_) {
      stream.Flushed(level);
      if (level == SPW_FLUSH_DEVICE && ids_.contains(name)) {
        const spw_stream_stats stats = store_.StreamStats(ids_[name]);
        EXPECT_TRUE(in_memory_ || stats.spilled_seq == stats.tail_seq) << name;
      }
    }
  }

  void Clear() {
    const std::string name = AnyStream();
    ASSERT_EQ(store_.Clear(ids_[name]), SPW_OK);
    cleared_ += model_[name].count();
    model_[name].Clear();
  }

  void Trim() {
    const std::string name = AnyStream();
    ModelStream& model = model_[name];
    const uint64_t seq = random_.Between(model.begin_seq, model.tail_seq());
    ASSERT_EQ(store_.Trim(ids_[name], model.tail_seq() + 1), SPW_INVALID_ARGUMENT);
    ASSERT_EQ(store_.Trim(ids_[name], seq), SPW_OK);
    trimmed_ += seq - model.begin_seq;
    model.TrimTo(seq);
    const uint64_t most = random_.Below(100 << 10);
    uint64_t begin = model.tail_seq();
    for (uint64_t room = most;
         begin > model.begin_seq && model.records[begin - 1].payload.size() <= room;) {
      room -= model.records[--begin].payload.size();
    }
    uint64_t found = 0;
    ASSERT_EQ(spw_store_trim_bytes(store_.handle(), ids_[name], most, &found, nullptr), SPW_OK);
    ASSERT_EQ(found, begin);
    trimmed_ += begin - model.begin_seq;
    model.TrimTo(begin);
  }

  void ChangeBudget() {
    const uint32_t stream = random_.OneIn(3) ? ids_[AnyStream()] : SPW_ALL;
    const bool bytes = random_.OneIn(2);
    const int64_t value = bytes ? static_cast<int64_t>(kBytesMin + random_.Below(kBytesMin * 3))
                                : static_cast<int64_t>(random_.Between(1, 1000));
    const int32_t key = bytes ? SPW_OPT_BUDGET_BYTES : SPW_OPT_BUDGET_RECORDS;
    ASSERT_EQ(store_.Set(stream, key, random_.OneIn(4) ? SPW_UNLIMITED : value), SPW_OK);
    NoteLimits();
  }

  // ---- Reading
  void OpenCursorSomewhere() {
    if (cursors_.size() == kCursorsMax) {
      cursors_.erase(cursors_.begin() + static_cast<ptrdiff_t>(random_.Below(kCursorsMax)));
    }
    const std::string name = AnyStream();
    const ModelStream& model = model_[name];
    const uint64_t begin = random_.OneIn(2) ? 0 : random_.Below(model.tail_seq() + 2);
    const uint64_t end = random_.OneIn(2) ? SPW_SEQ_NONE : begin + random_.Below(500);
    auto cursor = store_.Cursor(ids_[name], begin, end);
    ASSERT_NE(cursor, nullptr);
    const uint64_t wanted_end = std::min(end, model.tail_seq());
    const uint64_t wanted_begin = std::min(std::max(begin, model.begin_seq), wanted_end);
    ASSERT_EQ(cursor->begin_seq(), wanted_begin);
    ASSERT_EQ(cursor->end_seq(), wanted_end);
    cursors_.push_back(OpenCursor{name, std::move(cursor), wanted_begin});
  }

  void MoveCursor() {
    if (cursors_.empty()) {
      return;
    }
    OpenCursor& open = cursors_[random_.Below(cursors_.size())];
    const uint64_t span = open.cursor->end_seq() - open.cursor->begin_seq();
    if (random_.OneIn(5)) {
      open.position = open.cursor->begin_seq() + random_.Below(span + 1);
      open.trimmed = false;
      ASSERT_EQ(open.cursor->Seek(open.position), SPW_OK);
      ASSERT_EQ(open.cursor->Seek(open.cursor->end_seq() + 1), SPW_INVALID_ARGUMENT);
      ASSERT_EQ(open.cursor->Seek(open.position), SPW_OK);
    }
    const uint64_t max_records = random_.OneIn(2) ? SPW_NO_LIMIT : random_.Between(1, 50);
    const uint64_t max_bytes = random_.OneIn(2) ? SPW_NO_LIMIT : random_.Between(1, 5000);
    uint64_t first = 0;
    Records found;
    const spw_status status = open.cursor->Next(max_records, max_bytes, &first, &found);
    CheckView(&open, status, first, found, max_records, max_bytes);
    if (random_.OneIn(4)) {
      DetachView(open, first, found);
    }
  }

  void CheckView(OpenCursor* open, spw_status status, uint64_t first, const Records& found,
                 uint64_t max_records, uint64_t max_bytes) {
    const ModelStream& model = model_[open->stream];
    const bool at_end = open->position == open->cursor->end_seq();
    open->trimmed = open->trimmed || (!at_end && open->position < model.begin_seq);
    ASSERT_EQ(status, open->trimmed ? SPW_TRIMMED : SPW_OK) << open->position;
    if (open->trimmed) {
      ASSERT_TRUE(found.empty());
      return;
    }
    ASSERT_EQ(first, open->position);
    ASSERT_EQ(found.empty(), at_end);
    ASSERT_TRUE(Equals(model, first, found));
    ASSERT_LE(first + found.size(), open->cursor->end_seq());
    ASSERT_LE(found.size(), max_records);
    uint64_t bytes = 0;
    for (const Record& record : found) {
      bytes += record.payload.size();
    }
    ASSERT_TRUE(bytes <= max_bytes || found.size() == 1) << bytes << " of " << max_bytes;
    open->position += found.size();
  }

  void DetachView(const OpenCursor& open, uint64_t first, const Records& found) {
    Detached read;
    const spw_status status = open.cursor->Detach(&read);
    ASSERT_EQ(status, found.empty() ? SPW_INVALID_STATE : SPW_OK);
    if (found.empty()) {
      return;
    }
    if (detached_.size() == kDetachedMax) {
      detached_.erase(detached_.begin() + static_cast<ptrdiff_t>(random_.Below(kDetachedMax)));
    }
    detached_.push_back(OpenBatch{first, found, std::move(read)});
  }

  spw_status WantedOf(const ModelStream& model, uint64_t seq) const {
    return seq >= model.tail_seq() ? SPW_NOT_FOUND : seq < model.begin_seq ? SPW_TRIMMED : SPW_OK;
  }

  void ReadOne() {
    const std::string name = AnyStream();
    const ModelStream& model = model_[name];
    const uint64_t seq = random_.OneIn(50) ? UINT64_MAX : random_.Below(model.tail_seq() + 2);
    Record found;
    ASSERT_EQ(store_.Read(ids_[name], seq, &found), WantedOf(model, seq)) << seq;
    if (WantedOf(model, seq) == SPW_OK) {
      ASSERT_TRUE(Equals(model, seq, {found}));
    }
  }

  void GatherSome() {
    const std::string name = AnyStream();
    const ModelStream& model = model_[name];
    std::vector<uint64_t> seqs(random_.Below(random_.OneIn(3) ? 200 : 5));
    for (uint64_t& seq : seqs) {
      seq = model.begin_seq + random_.Below(model.count());
    }
    if (random_.OneIn(4) && !seqs.empty()) {
      seqs[random_.Below(seqs.size())] = random_.Below(model.tail_seq() + 2);
    }
    spw_status wanted = SPW_OK;
    for (const uint64_t seq : seqs) {
      wanted = wanted == SPW_OK ? WantedOf(model, seq) : wanted;
    }
    Records found;
    int64_t bad = 0;
    const spw_status status = store_.Gather(ids_[name], seqs, &found, &bad);
    ASSERT_EQ(status == SPW_OK, wanted == SPW_OK) << spw_status_name(status);
    if (status != SPW_OK) {
      ASSERT_TRUE(bad >= 0 && bad < static_cast<int64_t>(seqs.size())) << bad;
      ASSERT_EQ(status, WantedOf(model, seqs[static_cast<size_t>(bad)]));
      return;
    }
    ASSERT_EQ(found.size(), seqs.size());
    for (size_t i = 0; i < seqs.size(); ++i) {
      ASSERT_TRUE(Equals(model, seqs[i], {found[i]})) << i;
    }
  }

  // ---- Checks
  void CheckWatermarks() {
    for (const auto& [name, id] : ids_) {
      const spw_stream_stats now = store_.StreamStats(id);
      spw_stream_stats& before = marks_[name];
      ASSERT_LE(now.begin_seq, now.spilled_seq) << name;
      ASSERT_LE(now.spilled_seq, now.tail_seq) << name;
      ASSERT_GE(now.begin_seq, before.begin_seq) << name;
      ASSERT_GE(now.spilled_seq, before.spilled_seq) << name;
      ASSERT_EQ(now.tail_seq, model_[name].tail_seq()) << name;
      ASSERT_EQ(now.begin_seq, model_[name].begin_seq) << name;
      before = now;
    }
  }

  // Resident memory is compared with the highest limit since the open: a lower one takes effect by
  // spilling.
  void CheckStatistics() {
    const spw_stats stats = store_.Stats();
    uint64_t live = 0;
    for (const auto& [name, stream] : model_) {
      live += stream.count();
    }
    EXPECT_EQ(stats.records_live, live);
    EXPECT_EQ(stats.records_added, added_);
    EXPECT_EQ(stats.batches_added, batches_);
    EXPECT_EQ(stats.payload_bytes_added, payload_bytes_);
    EXPECT_EQ(stats.records_cleared, cleared_);
    EXPECT_EQ(stats.records_trimmed, trimmed_);
    EXPECT_EQ(stats.records_live, stats.records_unspilled + stats.records_cold);
    EXPECT_EQ(stats.bytes_resident, stats.bytes_unspilled + stats.bytes_clean + stats.bytes_free);
    EXPECT_LE(stats.bytes_resident_peak, bytes_hard_);
    EXPECT_LE(stats.records_resident_peak, records_hard_);
    EXPECT_LE(stats.bytes_resident, stats.bytes_resident_peak);
    EXPECT_LE(stats.records_spilled, added_);
    EXPECT_EQ(stats.health, static_cast<uint64_t>(SPW_OK));
    EXPECT_EQ(stats.checksum_errors, 0u);
    if (detached_.empty() && cursors_.empty()) {
      EXPECT_EQ(stats.bytes_pinned, 0u);
    }
  }

  void CheckDetached() {
    for (const OpenBatch& batch : detached_) {
      EXPECT_EQ(batch.read(), batch.wanted) << "batch from " << batch.first_seq;
    }
  }

  void CheckAll() {
    for (const auto& [name, id] : ids_) {
      EXPECT_TRUE(Holds(&store_, id, model_[name])) << name;
    }
    CheckStatistics();
    CheckDetached();
  }

  Prng random_;
  const bool in_memory_;
  TempFolder folder_;
  TestStore store_;
  ModelStore model_;
  std::map<std::string, uint32_t> ids_;  // of the streams that this opening knows
  std::map<std::string, spw_stream_stats> marks_;
  std::vector<OpenCursor> cursors_;
  std::vector<OpenBatch> detached_;
  uint64_t step_ = 0;
  uint64_t bytes_hard_ = 0;
  uint64_t records_hard_ = 0;
  uint64_t added_ = 0;
  uint64_t batches_ = 0;
  uint64_t payload_bytes_ = 0;
  uint64_t cleared_ = 0;
  uint64_t trimmed_ = 0;
};

constexpr uint64_t kSteps = 4000;

void RunWalk(uint64_t seed, Walk::Where where) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Walk(seed, where).Run(kSteps);
}

TEST(StoreModelTest, HoldsWhatVectorsHoldWhileItSpillsAllTheTime) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    ASSERT_NO_FATAL_FAILURE(RunWalk(seed, Walk::Where::kDisk));
  }
}

TEST(StoreModelTest, HoldsWhatVectorsHoldFromAFreshSeed) {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const uint64_t seed = TestSeed("StoreModelTest", static_cast<uint64_t>(now));
  RunWalk(seed, Walk::Where::kDisk);
  RunWalk(seed, Walk::Where::kMemory);
}

TEST(StoreModelTest, HoldsWhatVectorsHoldInMemoryOnly) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    ASSERT_NO_FATAL_FAILURE(RunWalk(seed, Walk::Where::kMemory));
  }
}

}  // namespace
}  // namespace spillway::test
