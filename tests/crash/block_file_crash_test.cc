// Power failures of the block file: a random history on a recording disk, cut at random moments.
// What is found then is what some commit left: none before the last that was durable, and none that
// had not begun.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/block_model.h"
#include "tests/support/blocks.h"
#include "tests/support/power_cut.h"
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

constexpr char kName[] = "blocks";

// What the file holds from a commit on, and how long the log was when that began.
struct State {
  size_t begun;
  BlockModel model;
};
// From that position of the log on, this state and no older one.
struct Durable {
  size_t position;
  size_t state;
};

class History {
 public:
  explicit History(uint64_t seed)
      : random_(seed), disk_(folder_.path(), seed), settings_(SmallBlockFile(&random_)) {
    style_.names_few = 6;
    style_.names_many = 20;
    style_.bytes_most = random_.OneIn(3) ? 140'000 : 9000;  // images are copied often
    states_.push_back({0, {}});
    durable_.push_back({0, 0});
    Open();
  }
  void Run(uint64_t steps) {
    for (uint64_t i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) {
      Step();
    }
    Crash();
  }
  // A few operations that are told, for all that can happen to them.
  void RunOps(const std::vector<BlockOp>& ops) {
    for (const BlockOp& op : ops) {
      Do(op);
    }
  }
  void Flush(Level level) {
    const Status status = file_->get()->Flush(level);
    ASSERT_TRUE(status.ok()) << status.message();
    if (level >= Level::kDevice) {
      NoteDurable();
    }
  }
  void Transact(const std::vector<BlockOp>& ops, Level level) {
    std::shared_ptr<Transaction> txn;
    ASSERT_TRUE(file_->get()->Begin(false, &txn).ok());
    BlockModel seen = states_.back().model;
    std::vector<std::string> changed;
    for (const BlockOp& op : ops) {
      const Code wanted = ApplyTo(&seen, op);
      const Status status = ApplyTo(file_.get(), txn.get(), op);
      ASSERT_EQ(status.code(), wanted) << op.Describe() << ": " << status.message();
      if (status.ok()) {
        uint64_t unused = 0;
        ASSERT_TRUE(LearnMeta(file_.get(), txn.get(), op.names(), &seen, &unused).ok());
        const std::vector<std::string> names = op.names();
        changed.insert(changed.end(), names.begin(), names.end());
      }
    }
    if (random_.OneIn(5)) {
      return;  // rolled back
    }
    const size_t begun = disk_.log_size();
    const Status status = file_->get()->Commit(txn.get(), level);
    ASSERT_TRUE(status.ok()) << status.message();
    Add(begun, std::move(seen), changed);
    if (level >= Level::kDevice) {
      NoteDurable();
    }
  }
  void Close() {
    ASSERT_TRUE(file_->Close().ok());
    NoteDurable();
  }

  const SimDisk& disk() const { return disk_; }
  const blockfile::Settings& settings() const { return settings_; }
  size_t created() const { return created_; }
  uint64_t streams() const { return streams_; }

  // Which state it is; -1: none that may be there.
  int64_t Find(const BlockModel& found, size_t position) const {
    size_t first = 0;
    for (const Durable& durable : durable_) {
      first = durable.position <= position ? durable.state : first;
    }
    for (size_t i = first; i < states_.size() && states_[i].begun <= position; ++i) {
      if (states_[i].model.sum() == found.sum()) {
        return static_cast<int64_t>(i);
      }
    }
    return -1;
  }
  std::string Explain(const BlockModel& found, size_t position) const {
    std::string text;
    for (size_t i = 0; i < states_.size(); ++i) {
      if (states_[i].model.sum() == found.sum()) {
        text += " is state " + std::to_string(i) + " of " + std::to_string(states_[i].begun);
      }
    }
    return text + "; cut at " + std::to_string(position) +
           "; last state: " + Difference(states_.back().model, found);
  }

 private:
  void Crash() {
    file_.reset();
    writer_.reset();
  }
  void Open() {
    Crash();
    auto opened = Blocks::Open(&disk_, folder_.File(kName), OpenMode::kCreate, settings_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    file_ = std::move(opened.value());
    created_ = created_ == 0 ? disk_.log_size() : created_;
    BlockModel found;
    ASSERT_TRUE(ReadAll(file_.get(), nullptr, Meta::kYes, &found).ok());
    ASSERT_GE(Find(found, disk_.log_size()), 0);
    version_most_ = 0;
    for (const auto& [name, block] : found.blocks()) {
      version_most_ = std::max(version_most_, block->version);
    }
    states_.push_back({disk_.log_size(), std::move(found)});
    NoteDurable();
  }

  void Step() {
    const uint64_t what = random_.Below(40);
    if (random_.OneIn(3)) {
      StreamOn();
    } else if (what < 24) {
      Do(RandomOp(&random_, style_, states_.back().model));
    } else if (what < 29) {
      BlockModel seen = states_.back().model;
      std::vector<BlockOp> ops;
      for (uint64_t i = random_.Between(1, 4); i > 0; --i) {
        ops.push_back(RandomOp(&random_, style_, seen));
        ApplyTo(&seen, ops.back());
      }
      Transact(ops, std::array{Level::kRelaxed, Level::kKernel, Level::kDevice}[random_.Below(3)]);
    } else if (what == 29) {
      Vacuum();
    } else if (what < 37) {
      Flush(what < 31 ? Level::kKernel : what < 36 ? Level::kDevice : Level::kCheckpoint);
    } else {
      if (what == 37) {
        Close();
      }  // else as if the process had been killed
      Open();
    }
  }

  // Changes nothing that anybody sees; what was changed before is durable then.
  void Vacuum() {
    blockfile::VacuumPlan plan;
    plan.full = random_.OneIn(2);
    plan.bytes_most = random_.OneIn(2) ? UINT64_MAX : random_.Between(1, 50'000);
    blockfile::VacuumResult result;
    const Status status = file_->get()->Vacuum(plan, nullptr, &result);
    ASSERT_TRUE(status.ok()) << status.message();
    NoteDurable();
  }

  // A block that comes piece by piece while others come and go.
  void StreamOn() {
    if (writer_ == nullptr) {
      streamed_ = {};
      streamed_.kind = BlockOp::Kind::kStream;
      streamed_.items.push_back(
          {RandomName(&random_, style_), RandomBytes(&random_, random_.Below(style_.bytes_most))});
      at_ = 0;
      ASSERT_TRUE(file_->get()
                      ->OpenWriter(nullptr, streamed_.name(), blockfile::kAnyVersion, &writer_)
                      .ok());
      return;
    }
    const std::string_view payload = streamed_.items[0].payload;
    const std::string_view piece = payload.substr(at_, 1 + random_.Below(payload.size() / 2 + 1));
    if (!piece.empty()) {
      const Status written = writer_->Write(blockfile::AsBytes(piece));
      ASSERT_TRUE(written.ok()) << written.message();
      at_ += piece.size();
      return;
    }
    const size_t begun = disk_.log_size();
    uint64_t version = 0;
    const Status status = writer_->Commit(&version);
    ASSERT_TRUE(status.ok()) << status.message();
    writer_.reset();
    BlockModel next = states_.back().model;
    ApplyTo(&next, streamed_);
    Add(begun, std::move(next), streamed_.names());
    ++streams_;
  }

  void Do(const BlockOp& op) {
    const size_t begun = disk_.log_size();
    BlockModel next = states_.back().model;
    const Code wanted = ApplyTo(&next, op);
    const Status status = ApplyTo(file_.get(), nullptr, op);
    ASSERT_EQ(status.code(), wanted) << op.Describe() << ": " << status.message();
    if (status.ok()) {
      Add(begun, std::move(next), op.names());
    }
  }

  void Add(size_t begun, BlockModel model, const std::vector<std::string>& names) {
    const Status learnt = LearnMeta(file_.get(), nullptr, names, &model, &version_most_);
    ASSERT_TRUE(learnt.ok()) << learnt.message();
    states_.push_back({begun, std::move(model)});
  }

  void NoteDurable() { durable_.push_back({disk_.log_size(), states_.size() - 1}); }

  Prng random_;
  TempFolder folder_;
  SimDisk disk_;
  const blockfile::Settings settings_;
  OpStyle style_;
  std::unique_ptr<Blocks> file_;
  std::unique_ptr<blockfile::StreamWriter> writer_;
  BlockOp streamed_;  // what it is to write
  uint64_t at_ = 0;   // of it
  uint64_t streams_ = 0;
  std::vector<State> states_;
  std::vector<Durable> durable_;
  uint64_t version_most_ = 0;
  size_t created_ = 0;
};

// Sound, but that a superblock that was being written may be torn until it is written again.
Status Contents(Blocks* file, BlockModel* found) {
  SPW_RETURN_IF_ERROR(ReadAll(file, nullptr, Meta::kYes, found));
  blockfile::Report report;
  SPW_RETURN_IF_ERROR(file->get()->Verify(true, UINT64_MAX, nullptr, &report));
  for (const blockfile::Problem& problem : report.problems) {
    if (problem.message.find(": superblock at offset ") == std::string::npos) {
      return base::Corrupt(problem.name + ": " + problem.message);
    }
  }
  return {};
}

// A recovered file takes more, and is as sound afterwards.
::testing::AssertionResult GoesOn(Blocks* file, BlockModel* model) {
  BlockModel found;
  uint64_t version_most = 0;
  ModelBlock more = model->Find("more") == nullptr ? ModelBlock() : *model->Find("more");
  more.payload = std::string(3000, 'm');
  model->Set("more", more);
  Status status = file->Put("more", more.payload);
  status = status.ok() ? LearnMeta(file, nullptr, {"more"}, model, &version_most) : status;
  status = status.ok() ? file->Flush() : status;
  status = status.ok() ? Contents(file, &found) : status;
  return status.ok() && found.sum() == model->sum()
             ? ::testing::AssertionSuccess()
             : ::testing::AssertionFailure() << "does not go on: " << status.message();
}

std::string BytesOf(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Reading only finds the same, and changes no byte.
::testing::AssertionResult ReadsOnly(io::FileSystem* disk, const std::string& path,
                                     const History& history, BlockModel* found) {
  const std::string before = BytesOf(path);
  auto file = Blocks::Open(disk, path, OpenMode::kReadOnly, history.settings());
  if (!file.ok()) {
    return ::testing::AssertionFailure() << "not even for reading: " << file.status().message();
  }
  const Status read = Contents(file.value().get(), found);
  const Status closed = file.value()->Close();
  return read.ok() && closed.ok() && BytesOf(path) == before
             ? ::testing::AssertionSuccess()
             : ::testing::AssertionFailure() << "reading only: " << read.message();
}

enum class Then { kGoOn, kLookFirst, kLeaveIt };

::testing::AssertionResult Recovers(io::FileSystem* disk, const std::string& folder,
                                    const History& history, size_t position, Then then) {
  const std::string path = folder + "/" + kName;
  if (!std::filesystem::exists(path) && position < history.created()) {
    return ::testing::AssertionSuccess();
  }
  BlockModel only_read;
  if (then == Then::kLookFirst) {
    if (auto reads = ReadsOnly(disk, path, history, &only_read); !reads) {
      return reads;
    }
  }
  auto file = Blocks::Open(disk, path, OpenMode::kExisting, history.settings());
  if (!file.ok()) {
    return ::testing::AssertionFailure() << "does not open: " << file.status().message();
  }
  BlockModel found;
  const Status read = Contents(file.value().get(), &found);
  if (!read.ok()) {
    return ::testing::AssertionFailure() << "does not read: " << read.message();
  }
  if (then == Then::kLookFirst && only_read.sum() != found.sum()) {
    return ::testing::AssertionFailure()
           << "read only it holds something else: " << Difference(found, only_read);
  }
  if (history.Find(found, position) < 0) {
    return ::testing::AssertionFailure() << history.Explain(found, position);
  }
  return then == Then::kLeaveIt ? ::testing::AssertionSuccess()
                                : GoesOn(file.value().get(), &found);
}

struct Counts {
  uint64_t images = 0;
  uint64_t second = 0;   // of power failing while the file was opened again
  uint64_t streams = 0;  // committed amid other changes
  void Print() const {
    std::printf("%llu images, %llu of a second failure, %llu streams\n",
                static_cast<unsigned long long>(images), static_cast<unsigned long long>(second),
                static_cast<unsigned long long>(streams));
  }
};

// The power fails again while the first image is opened: the second open finds the same.
void CutTheRecovery(const History& history, const std::string& image, size_t position,
                    uint64_t step_most, Prng* random, Counts* counts) {
  SimDisk disk(image, random->Next());
  const ::testing::AssertionResult recovers =
      Recovers(&disk, image, history, position, Then::kLeaveIt);
  ASSERT_TRUE(recovers) << "at " << position;
  PowerCut again(disk);
  TempFolder folder;
  for (size_t at = 0; at <= disk.log_size(); at += random->Between(1, step_most)) {
    again.AdvanceTo(at);
    again.WriteImage(random->Next(), folder.path());
    SimDisk plain(folder.path(), 1, SimDisk::Record::kNo);
    ASSERT_TRUE(Recovers(&plain, folder.path(), history, position, Then::kGoOn))
        << "at " << position << ", then at " << at;
    ++counts->second;
  }
}

void CutAt(size_t position, PowerCut* cut, const History& history, const TempFolder& folder,
           Prng* random, Counts* counts) {
  cut->AdvanceTo(position);
  cut->WriteImage(random->Next(), folder.path());
  ++counts->images;
  if (random->OneIn(20)) {
    return CutTheRecovery(history, folder.path(), position, 4, random, counts);
  }
  SimDisk disk(folder.path(), 1, SimDisk::Record::kNo);
  ASSERT_TRUE(Recovers(&disk, folder.path(), history, position,
                       random->OneIn(4) ? Then::kLookFirst : Then::kGoOn))
      << "at " << position;
}

void CutEverywhere(uint64_t seed, PowerCut::Garbage garbage, Counts* counts) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  History history(seed);
  history.Run(120);
  if (::testing::Test::HasFatalFailure()) {
    return;
  }
  counts->streams += history.streams();
  Prng random(seed + 1);
  PowerCut cut(history.disk(), garbage);
  TempFolder folder;
  for (size_t position = 0;
       position <= history.disk().log_size() && !::testing::Test::HasFatalFailure();
       position += random.Between(1, 5)) {
    CutAt(position, &cut, history, folder, &random, counts);
  }
}

#ifdef __SANITIZE_THREAD__
constexpr uint64_t kSeeds = 4;
#else
constexpr uint64_t kSeeds = 24;
#endif

TEST(BlockFileCrashTest, EveryImageIsWhatSomeCommitLeftAndNotBeforeTheLastDurable) {
  const uint64_t seed = TestSeed("EveryImageIsWhatSomeCommitLeft", 1);
  Counts counts;
  for (uint64_t i = 0; i < kSeeds && !::testing::Test::HasFailure(); ++i) {
    CutEverywhere(seed + i, PowerCut::Garbage::kNo, &counts);
  }
  counts.Print();
  EXPECT_GT(counts.images, 50 * kSeeds);
  EXPECT_GT(counts.streams, kSeeds);
}

TEST(BlockFileCrashTest, SectorsInFlightMayHoldGarbage) {
  const uint64_t seed = TestSeed("BlockFileSectorsInFlight", 1000);
  Counts counts;
  for (uint64_t i = 0; i < kSeeds / 3 && !::testing::Test::HasFailure(); ++i) {
    CutEverywhere(seed + i, PowerCut::Garbage::kYes, &counts);
  }
  counts.Print();
  EXPECT_GT(counts.images, 50 * (kSeeds / 3));
}

// ---- every prefix of a short log ----

BlockOp Op(BlockOp::Kind kind, const std::string& name, const std::string& payload) {
  BlockOp op;
  op.kind = kind;
  op.items.push_back({name, payload});
  return op;
}

// Each kind of change, small, in the image and around it, in each kind of commit.
void RunShortLife(History* history) {
  using Kind = BlockOp::Kind;
  BlockOp both = Op(Kind::kPut, "a", std::string(700, 'a'));
  both.items.push_back({"b", std::string(5000, 'b')});
  BlockOp rename = Op(Kind::kRename, "b", "");
  rename.to = "c";
  BlockOp patch = Op(Kind::kPatch, "c", std::string(10, 'p'));
  patch.offset = 4990;
  history->RunOps({both});
  history->Flush(Level::kDevice);
  history->RunOps({rename, Op(Kind::kAppend, "a", std::string(300, 'A')), patch});
  history->Flush(Level::kKernel);
  history->RunOps({Op(Kind::kSetTag, "a", "tag"), Op(Kind::kPut, "in", "line")});
  history->Transact({Op(Kind::kPut, "d", std::string(6000, 'd')), Op(Kind::kRemove, "a", "")},
                    Level::kDevice);
  history->Transact({Op(Kind::kAppend, "d", "more"), Op(Kind::kPut, "c", "short")},
                    Level::kRelaxed);
  history->Flush(Level::kCheckpoint);
  BlockOp stream = Op(Kind::kStream, "c", std::string(9000, 's'));
  stream.piece = 2000;
  history->RunOps({stream});
  history->Flush(Level::kDevice);
  stream = Op(Kind::kStream, "d", std::string(70'000, 't'));
  stream.piece = 40'000;
  history->Transact({stream}, Level::kDevice);
  history->RunOps({Op(Kind::kRemove, "d", ""), Op(Kind::kPut, "e", std::string(2000, 'e'))});
  history->Close();
}

TEST(BlockFileCrashTest, EveryPrefixOfAShortLifeRecoversAlsoWhenRecoveryIsCutAnywhere) {
  const uint64_t seed = TestSeed("EveryPrefixOfAShortLife", 1);
  Counts counts;
  for (uint64_t i = 0; i < 3 && !::testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed + i));
    History history(seed + i);
    RunShortLife(&history);
    Prng random(seed + i);
    PowerCut cut(history.disk(), i == 2 ? PowerCut::Garbage::kYes : PowerCut::Garbage::kNo);
    TempFolder folder;
    for (size_t position = 0; position <= history.disk().log_size(); ++position) {
      for (int image = 0; image < 8 && !::testing::Test::HasFailure(); ++image) {
        CutAt(position, &cut, history, folder, &random, &counts);
      }
      if (i == 0 && !::testing::Test::HasFailure()) {
        cut.WriteImage(random.Next(), folder.path());
        CutTheRecovery(history, folder.path(), position, 1, &random, &counts);
      }
    }
  }
  counts.Print();
  EXPECT_GT(counts.images, 500u);
}

}  // namespace
}  // namespace spillway::test
