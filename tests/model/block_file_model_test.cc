// The block file beside a map: random changes, transactions, snapshots, flushes, checkpoints,
// closes and kills. After a kill the file holds what the map held at some moment, not before the
// last flush.
#include <cstdio>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/block_model.h"
#include "tests/support/blocks.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::Level;
using blockfile::OpenMode;
using blockfile::Transaction;

// A transaction or snapshot, and what the map was when it began.
struct Open {
  std::shared_ptr<Transaction> txn;
  bool read_only = false;
  uint64_t begun = 0;
  BlockModel began;
  BlockModel model;  // with its own changes
  std::vector<std::string> changed;
};

class Pair {
 public:
  explicit Pair(uint64_t seed)
      : random_(seed),
        disk_(folder_.path(), seed, SimDisk::Record::kNo),
        settings_(SmallBlockFile(&random_)) {
    style_.names_many = random_.OneIn(3) ? 400 : 60;
    Reopen();
  }

  void Step() {
    const uint64_t what = random_.Below(100);
    if (what < 50) {
      Change();
    } else if (what < 56) {
      Begin();
    } else if (what < 80) {
      InTransaction();
    } else if (what < 84) {
      EndOne();
    } else if (what < 90) {
      Flush();
    } else if (what < 93) {
      ReadSome(nullptr, model_);
    } else if (what < 95) {
      CheckAll();
    } else if (what < 96) {
      random_.OneIn(2) ? LookWithoutChanging() : Copy();
    } else if (what < 97) {
      Vacuum();
    } else if (what < 98) {
      Kill();
    } else {
      CloseAndReopen();
    }
  }

  uint64_t moved() const { return moved_; }

  void CheckAll() {
    CheckContent(nullptr, model_);
    for (const Open& open : open_) {
      CheckContent(open.txn.get(), open.model);
    }
    const Status sound = file_->CheckSpace(true);
    ASSERT_TRUE(sound.ok()) << sound.message();
  }

 private:
  // ---- changes ----

  void Change() {
    const BlockOp op = RandomOp(&random_, style_, model_);
    SCOPED_TRACE(op.Describe());
    const Code wanted = ApplyTo(&model_, op);
    const Status status = ApplyTo(file_.get(), nullptr, op);
    ASSERT_EQ(status.code(), wanted) << status.message();
    if (status.ok() && !Nothing(op)) {
      Committed(op.names());
    }
  }

  // These names have changed, visible to all.
  void Committed(const std::vector<std::string>& names) {
    const Status learnt = LearnMeta(file_.get(), nullptr, names, &model_, &version_most_);
    ASSERT_TRUE(learnt.ok()) << learnt.message();
    ++commit_;
    for (const std::string& name : names) {
      touched_[name] = commit_;
    }
    since_.push_back(model_);
  }

  void Flush() {
    const Level level = std::array{Level::kRelaxed, Level::kKernel, Level::kDevice,
                                   Level::kCheckpoint}[random_.Below(4)];
    const Status status = file_->get()->Flush(level);
    ASSERT_TRUE(status.ok()) << status.message();
    if (level != Level::kRelaxed) {
      since_.assign(1, model_);
      CheckStats();
    }
  }

  // ---- transactions ----

  void Begin() {
    if (open_.size() >= 5) {
      return EndOne();
    }
    Open open;
    open.read_only = random_.OneIn(2);
    ASSERT_TRUE(file_->get()->Begin(open.read_only, &open.txn).ok());
    open.begun = commit_;
    open.began = open.model = model_;
    open_.push_back(std::move(open));
  }

  void InTransaction() {
    if (open_.empty()) {
      return Begin();
    }
    Open* const open = &open_[random_.Below(open_.size())];
    if (random_.OneIn(6)) {
      return CheckContent(open->txn.get(), open->model);
    }
    const BlockOp op = RandomOp(&random_, style_, open->model);
    SCOPED_TRACE("in a transaction: " + op.Describe());
    if (open->read_only) {
      EXPECT_EQ(
          ApplyTo(file_.get(), open->txn.get(), op).code(),
          op.kind == BlockOp::Kind::kSetTag && op.items[0].payload.size() > blockfile::kTagBytesMost
              ? Code::kTooBig
              : Code::kReadOnly);
      return ReadSome(open->txn.get(), open->model);
    }
    const Code wanted = ApplyTo(&open->model, op);
    const Status status = ApplyTo(file_.get(), open->txn.get(), op);
    ASSERT_EQ(status.code(), wanted) << status.message();
    if (!status.ok() || Nothing(op)) {
      return;
    }
    uint64_t unused = 0;
    const Status learnt =
        LearnMeta(file_.get(), open->txn.get(), op.names(), &open->model, &unused);
    ASSERT_TRUE(learnt.ok()) << learnt.message();
    for (const std::string& name : op.names()) {
      open->changed.push_back(name);
    }
  }

  // A change that is none.
  static bool Nothing(const BlockOp& op) {
    return (op.kind == BlockOp::Kind::kRename && op.to == op.name()) ||
           (op.kind == BlockOp::Kind::kPatch && op.items[0].payload.empty());
  }

  void EndOne() {
    if (open_.empty()) {
      return;
    }
    const size_t index = random_.Below(open_.size());
    const Open open = open_[index];
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(index));
    if (random_.OneIn(3)) {
      return;  // as if it had never been
    }
    bool conflicts = false;
    bool may_conflict = false;  // it was not there, nor is it now, but it was in between
    for (const std::string& name : open.changed) {
      const bool touched = touched_.contains(name) && touched_[name] > open.begun;
      const bool is_there = open.began.Find(name) != nullptr || model_.Find(name) != nullptr;
      conflicts = conflicts || (touched && is_there);
      may_conflict = may_conflict || touched;
    }
    const Level level = std::array{Level::kRelaxed, Level::kKernel, Level::kDevice,
                                   Level::kCheckpoint}[random_.Below(4)];
    const Status status = file_->get()->Commit(open.txn.get(), level);
    if (conflicts || (may_conflict && !status.ok())) {
      ASSERT_EQ(status.code(), Code::kConflict) << status.message();
      return ReadSome(nullptr, model_);
    }
    ASSERT_TRUE(status.ok()) << status.message();
    for (const std::string& name : open.changed) {
      const ModelBlock* const block = open.model.Find(name);
      if (block == nullptr) {
        model_.Erase(name);
      } else {
        model_.Set(name, *block);
      }
    }
    Committed(open.changed);
    if (level != Level::kRelaxed) {
      since_.assign(1, model_);
    }
    EXPECT_EQ(file_->get()->Commit(open.txn.get(), level).code(), Code::kInvalidState);
  }

  // ---- the file as a whole ----

  // Nobody sees it but by the room that the file takes.
  void Vacuum() {
    blockfile::VacuumPlan plan;
    plan.full = random_.OneIn(2);
    plan.dry_run = random_.OneIn(6);
    plan.bytes_most = random_.OneIn(2) ? UINT64_MAX : random_.Between(1, 100'000);
    blockfile::VacuumResult result;
    ASSERT_TRUE(file_->get()->Vacuum(plan, nullptr, &result).ok());
    moved_ += plan.dry_run ? 0 : result.bytes_moved;
    ASSERT_EQ(result.bytes_file, file_->get()->Stats().bytes_file);
    CheckAll();
    if (!plan.dry_run) {
      since_.assign(1, model_);  // it ends with a checkpoint
    }
  }

  void Copy() {
    const bool now = open_.empty() || random_.OneIn(2);
    const Open* const open = now ? nullptr : &open_[random_.Below(open_.size())];
    Transaction* const txn = now ? nullptr : open->txn.get();
    const std::string path = folder_.File("copy");
    ASSERT_TRUE(file_->get()->CopyTo(txn, &disk_, path, nullptr).ok());
    EXPECT_EQ(file_->get()->CopyTo(txn, &disk_, path, nullptr).code(), Code::kAlreadyExists);
    auto opened = Blocks::Open(&disk_, path, OpenMode::kExisting, settings_);
    BlockModel found;
    ASSERT_TRUE(opened.ok() && ReadAll(opened.value().get(), nullptr, Meta::kYes, &found).ok());
    const BlockModel& seen = now ? model_ : open->model;
    BlockModel wanted = seen;
    for (const auto& [name, block] : seen.blocks()) {
      const ModelBlock* const copy = found.Find(name);
      if (block->version == 0 && copy != nullptr && copy->version > 0) {  // a transaction's own
        ModelBlock same = *block;
        same.version = copy->version;
        wanted.Set(name, same);
      }
    }
    ASSERT_EQ(Difference(wanted, found), "");
    ASSERT_TRUE(opened.value()->CheckSpace(true).ok());
    ASSERT_TRUE(opened.value()->Close().ok() && disk_.Remove(path).ok());
  }

  // ---- the end, and what comes after it ----

  void Reopen() {
    file_.reset();
    auto opened = Blocks::Open(&disk_, folder_.File("blocks"), OpenMode::kCreate, settings_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    file_ = std::move(opened.value());
    BlockModel found;
    const Status read = ReadAll(file_.get(), nullptr, Meta::kYes, &found);
    ASSERT_TRUE(read.ok()) << read.message();
    std::string difference = "nothing fits";
    for (const BlockModel& each : since_) {
      if (each.sum() == found.sum()) {
        difference = Difference(each, found);
      }
    }
    ASSERT_EQ(difference, "") << "of " << since_.size()
                              << " states; from the last: " << Difference(since_.back(), found);
    model_ = found;
    since_.assign(1, model_);
    touched_.clear();
    version_most_ = 0;  // versions of changes that were lost are given again
    for (const auto& [name, block] : model_.blocks()) {
      version_most_ = std::max(version_most_, block->version);
    }
    CheckAll();
    CheckStats();
  }

  void Kill() {
    if (random_.OneIn(2)) {
      file_.reset();
    } else {
      ASSERT_TRUE(file_->get()->Close(true).ok());
    }
    LeaveOpen();
    Reopen();
  }

  void CloseAndReopen() {
    ASSERT_TRUE(file_->Close().ok());
    since_.assign(1, model_);
    std::string payload;
    EXPECT_EQ(file_->Read("block 1", &payload).code(), Code::kClosed);
    LeaveOpen();
    Reopen();
  }

  // Transactions outlive the file, and so do views.
  void LeaveOpen() {
    for (const Open& open : open_) {
      blockfile::Block block;
      const auto snapshot = open.txn->snapshot();
      EXPECT_EQ(snapshot->engine->Find(snapshot.get(), "x", false, &block).code(), Code::kClosed);
    }
    open_.clear();
    CheckViews();
  }

  // Closed, then opened for reading: the same, and not a byte is changed.
  void LookWithoutChanging() {
    const bool orderly = random_.OneIn(2);
    if (orderly) {
      ASSERT_TRUE(file_->Close().ok());
      since_.assign(1, model_);
    }
    file_.reset();
    open_.clear();
    const uint64_t written = disk_.bytes_written();
    const uint64_t calls = disk_.calls(Call::kTruncate) + disk_.calls(Call::kReserve);
    auto opened = Blocks::Open(&disk_, folder_.File("blocks"), OpenMode::kReadOnly, settings_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    auto again = Blocks::Open(&disk_, folder_.File("blocks"), OpenMode::kReadOnly, settings_);
    ASSERT_TRUE(again.ok()) << again.status().message();
    BlockModel found;
    ASSERT_TRUE(ReadAll(opened.value().get(), nullptr, Meta::kYes, &found).ok());
    const Status sound = opened.value()->CheckSpace(true);
    ASSERT_TRUE(sound.ok()) << sound.message();
    EXPECT_EQ(opened.value()->Put("x", "y").code(), Code::kReadOnly);
    EXPECT_TRUE(opened.value()->Checkpoint().ok());
    EXPECT_TRUE(opened.value()->Close().ok());
    again.value().reset();
    EXPECT_EQ(disk_.bytes_written(), written);
    EXPECT_EQ(disk_.calls(Call::kTruncate) + disk_.calls(Call::kReserve), calls);
    Reopen();
    ASSERT_EQ(Difference(model_, found), "");
  }

  // ---- looking ----

  void CheckContent(Transaction* txn, const BlockModel& model) {
    BlockModel found;
    const Status read = ReadAll(file_.get(), txn, Meta::kYes, &found);
    ASSERT_TRUE(read.ok()) << read.message();
    ASSERT_EQ(Difference(model, found), "") << (txn == nullptr ? "" : "in a transaction");
    ReadSome(txn, model);
  }

  void ReadSome(Transaction* txn, const BlockModel& model) {
    for (int i = 0; i < 4; ++i) {
      const std::string name = RandomName(&random_, style_);
      const ModelBlock* const block = model.Find(name);
      bool exists = false;
      Status status = file_->get()->Exists(txn, name, &exists);
      ASSERT_TRUE(status.ok()) << status.message();
      ASSERT_EQ(exists, block != nullptr) << name;
      const std::string payload = block == nullptr ? "" : block->payload;
      const uint64_t offset = random_.Below(payload.size() + 2);
      const uint64_t length = random_.OneIn(3) ? UINT64_MAX : random_.Below(payload.size() + 2);
      const std::string wanted = offset > payload.size() ? "" : payload.substr(offset, length);
      std::string buffer(std::min<uint64_t>(length, payload.size() + 10), '\0');
      uint64_t bytes_read = 0;
      status = file_->get()->Read(txn, name, offset,
                                  {reinterpret_cast<uint8_t*>(buffer.data()), buffer.size()},
                                  &bytes_read);
      ASSERT_EQ(status.code(), exists ? Code::kOk : Code::kNotFound) << status.message();
      ASSERT_EQ(buffer.substr(0, bytes_read), wanted) << name << " at " << offset;
      blockfile::Blob blob;
      status = file_->get()->Get(txn, name, offset, length, &blob);
      ASSERT_EQ(status.code(), exists ? Code::kOk : Code::kNotFound) << status.message();
      ASSERT_EQ(blockfile::AsText(blob.bytes), wanted) << name << " at " << offset;
      views_.emplace_back(std::move(blob), wanted);
    }
    CheckViews();
    CheckMany(txn, model);
    CheckList(txn, model);
  }

  // Views stay what they are, whatever has happened since.
  void CheckViews() {
    for (const auto& [blob, wanted] : views_) {
      ASSERT_EQ(blockfile::AsText(blob.bytes), wanted);
    }
    while (views_.size() > 12) {
      views_.pop_front();
    }
  }

  void CheckMany(Transaction* txn, const BlockModel& model) {
    std::vector<std::string> names(random_.Below(9));
    std::vector<std::string_view> views;
    std::string wanted;
    for (std::string& name : names) {
      name = RandomName(&random_, style_);
      views.push_back(name);
      wanted += model.Find(name) == nullptr ? "" : model.Find(name)->payload;
    }
    std::string buffer(wanted.size() + 9 - random_.Below(std::min<size_t>(12, wanted.size() + 9)),
                       '\0');
    std::vector<uint64_t> offsets(names.size() + 1);
    std::vector<Code> statuses(names.size());
    const Status status = file_->get()->ReadMany(
        txn, views, {reinterpret_cast<uint8_t*>(buffer.data()), buffer.size()}, offsets, statuses);
    ASSERT_EQ(status.code(), buffer.size() < wanted.size() ? Code::kTooBig : Code::kOk);
    ASSERT_EQ(offsets.back(), wanted.size());
    ASSERT_TRUE(!status.ok() || buffer.substr(0, wanted.size()) == wanted);
    for (size_t i = 0; i < names.size(); ++i) {
      ASSERT_EQ(statuses[i], model.Find(names[i]) == nullptr ? Code::kNotFound : Code::kOk);
    }
  }

  void CheckList(Transaction* txn, const BlockModel& model) {
    const std::string prefix = std::array{"", "block 1", "block 12", "c"}[random_.Below(4)];
    const bool names_only = random_.OneIn(2);
    std::unique_ptr<blockfile::Lister> lister;
    ASSERT_TRUE(file_->get()->List(txn, prefix, names_only, &lister).ok());
    for (int seeks = 0; seeks < 2; ++seeks) {
      const std::string from = seeks == 0 ? "" : RandomName(&random_, style_);
      if (seeks > 0) {
        ASSERT_TRUE(lister->Seek(from).ok());
      }
      auto each = model.blocks().lower_bound(std::max(from, prefix));
      for (blockfile::BlockPage page;;) {
        ASSERT_TRUE(lister->Next(random_.Between(1, 50), &page).ok());
        for (uint64_t i = 0; i < page.count; ++i, ++each) {
          ASSERT_TRUE(each != model.blocks().end());
          ASSERT_EQ(page.names.substr(page.name_offsets[i],
                                      page.name_offsets[i + 1] - page.name_offsets[i]),
                    each->first);
          ASSERT_TRUE(names_only || page.infos[i].length == each->second->payload.size());
        }
        if (page.count == 0 || (seeks == 0 && random_.OneIn(3))) {
          ASSERT_TRUE(page.count > 0 || each == model.blocks().end() ||
                      !each->first.starts_with(prefix));
          break;
        }
      }
    }
  }

  void CheckStats() {
    const blockfile::FileStats stats = file_->get()->Stats();
    EXPECT_EQ(stats.blocks, model_.blocks().size());
    EXPECT_EQ(stats.payload_bytes, model_.payload_bytes());
    EXPECT_EQ(stats.bytes_file, stats.bytes_used + stats.bytes_held + stats.bytes_free);
    EXPECT_EQ(stats.snapshots, open_.size());
    EXPECT_EQ(stats.checksum_errors, 0u);
    EXPECT_EQ(stats.health, Code::kOk);
  }

  Prng random_;
  TempFolder folder_;
  SimDisk disk_;
  const blockfile::Settings settings_;
  OpStyle style_;
  BlockModel model_;
  std::deque<BlockModel> since_ = {BlockModel()};  // all states since what cannot be lost
  uint64_t commit_ = 0;
  uint64_t version_most_ = 0;
  uint64_t moved_ = 0;                       // bytes, by vacuums
  std::map<std::string, uint64_t> touched_;  // in which commit
  std::vector<Open> open_;
  std::deque<std::pair<blockfile::Blob, std::string>> views_;
  std::unique_ptr<Blocks> file_;
};

#ifdef __SANITIZE_THREAD__
constexpr uint64_t kSeeds = 2;  // ten times slower, and one thread is not what it looks for
#else
constexpr uint64_t kSeeds = 12;
#endif

TEST(BlockFileModelTest, HoldsWhatAMapHoldsThroughEverythingThatCanBeDone) {
  const uint64_t seed = TestSeed("HoldsWhatAMapHolds", 100);
  uint64_t moved = 0;
  for (uint64_t i = 0; i < kSeeds && !::testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed + i));
    Pair pair(seed + i);
    for (int step = 0; step < 600 && !::testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      pair.Step();
    }
    if (!::testing::Test::HasFailure()) {
      pair.CheckAll();
    }
    moved += pair.moved();
  }
  EXPECT_GT(moved, 0u);
  std::printf("vacuums moved %llu bytes\n", static_cast<unsigned long long>(moved));
}

}  // namespace
}  // namespace spillway::test
