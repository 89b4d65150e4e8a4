// Power failures during import and export: a recording disk, cut at every moment. What is found
// then is old or new for every block and every file, a second run completes it byte for byte, and
// after one that had returned OK nothing is missing.
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "internal/blockfile/folder_names.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/blocks.h"
#include "tests/support/folder_tree.h"
#include "tests/support/power_cut.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Status;
using blockfile::OpenMode;
using blockfile::Transferred;

constexpr char kFile[] = "blocks";
constexpr char kFolder[] = "files";

#ifdef __SANITIZE_THREAD__
constexpr uint64_t kRounds = 3;
#else
constexpr uint64_t kRounds = 40;
#endif

// Some names in a few folders, one of them a file's too; every size that matters to the settings.
Contents RandomBlocks(Prng* random) {
  Contents blocks;
  for (uint64_t i = random->Between(4, 14); i > 0; --i) {
    std::string name = random->OneIn(3) ? NastyName(random, 12) : "";
    name = (random->OneIn(2) ? "f" + std::to_string(random->Below(3)) + "/" : "") + name;
    blocks[name.empty() ? "f0" : name] = RandomPayload(random, random->OneIn(6)   ? 150'000
                                                               : random->OneIn(2) ? 6000
                                                                                  : 60);
  }
  return blocks;
}

// Some of them with other contents, and some missing.
Contents Earlier(const Contents& now, Prng* random) {
  Contents earlier;
  for (const auto& [name, bytes] : now) {
    if (random->OneIn(2)) {
      earlier[name] = random->OneIn(2) ? bytes : RandomPayload(random, bytes.size() + 10);
    }
  }
  return earlier;
}

// A run on a recording disk, then images of it.
class Run {
 public:
  explicit Run(uint64_t seed) : random_(seed), settings_(SmallBlockFile(&random_)) {
    now_ = RandomBlocks(&random_);
    earlier_ = Earlier(now_, &random_);
  }
  virtual ~Run() = default;

  void Cut(uint64_t* images) {
    Prepare();
    SimDisk disk(folder_.path(), random_.Next());
    ASSERT_NO_FATAL_FAILURE(Transfer(&disk, folder_.path()));
    PowerCut cut(disk);
    TempFolder image;
    const size_t end = disk.log_size();
    for (size_t at = 0; at <= end;
         at = at == end ? end + 1 : std::min(end, at + random_.Between(1, 1 + end / 40))) {
      cut.AdvanceTo(at);
      for (uint64_t i = random_.Between(1, at == end ? 6 : 4); i > 0; --i) {
        CheckImage(cut, image, images, at == end);
        ASSERT_FALSE(::testing::Test::HasFailure()) << "cut at " << at << " of " << end;
      }
    }
  }

 protected:
  // What there is before, all durable.
  virtual void Prepare() = 0;
  virtual void Transfer(SimDisk* disk, const std::string& folder) = 0;
  // What is there is old or new; `complete`: all of it is new.
  virtual void CheckFound(SimDisk* disk, const std::string& folder, bool complete) = 0;
  virtual void CheckComplete(SimDisk* disk, const std::string& folder) = 0;

  std::unique_ptr<Blocks> Open(SimDisk* disk, const std::string& folder) {
    auto opened = Blocks::Open(disk, folder + "/" + kFile, OpenMode::kCreate, settings_);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    return opened.ok() ? std::move(opened.value()) : nullptr;
  }
  void PrepareBlocks(const Contents& blocks) {
    SimDisk disk(folder_.path(), 1, SimDisk::Record::kNo);
    auto file = Open(&disk, folder_.path());
    ASSERT_NE(file, nullptr);
    PutAll(file.get(), blocks);
    const Status closed = file->Close();
    ASSERT_TRUE(closed.ok()) << closed.message();
  }
  Prng random_;
  TempFolder folder_;
  blockfile::Settings settings_;
  Contents now_;
  Contents earlier_;

 private:
  void CheckImage(const PowerCut& cut, const TempFolder& image, uint64_t* images, bool complete) {
    cut.WriteImage(random_.Next(), image.path());
    ++*images;
    SimDisk disk(image.path(), 1, SimDisk::Record::kNo);
    CheckFound(&disk, image.path(), complete);
    if (!::testing::Test::HasFailure()) {
      Transfer(&disk, image.path());
      CheckComplete(&disk, image.path());
    }
  }
};

bool IsOldOrNew(const Contents& old, const Contents& now, const std::string& name,
                const std::string& bytes) {
  const auto holds = [&](const Contents& contents) {
    const auto found = contents.find(name);
    return found != contents.end() && found->second == bytes;
  };
  return holds(old) || holds(now);
}

class ImportRun final : public Run {
 public:
  using Run::Run;

 private:
  // The files as an export writes them.
  void Prepare() override {
    TempFolder other;
    SimDisk disk(other.path(), 1, SimDisk::Record::kNo);
    auto file = Open(&disk, other.path());
    ASSERT_NE(file, nullptr);
    PutAll(file.get(), now_);
    Transferred done;
    const Status status = ExportFolder(file->get(), nullptr, &disk, "",
                                       folder_.path() + "/" + kFolder, nullptr, &done);
    ASSERT_TRUE(status.ok()) << status.message();
    PrepareBlocks(earlier_);
  }
  void Transfer(SimDisk* disk, const std::string& folder) override {
    auto file = Open(disk, folder);
    ASSERT_NE(file, nullptr);
    Transferred done;
    const Status status =
        ImportFolder(file->get(), disk, folder + "/" + kFolder, "", nullptr, &done);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(done.blocks + done.equal, now_.size());
  }
  void CheckFound(SimDisk* disk, const std::string& folder, bool complete) override {
    auto file = Open(disk, folder);
    ASSERT_NE(file, nullptr);
    const Contents found = ReadBlocks(file.get());
    for (const auto& [name, bytes] : found) {
      EXPECT_TRUE(IsOldOrNew(earlier_, now_, name, bytes)) << name;
    }
    for (const auto& [name, bytes] : earlier_) {
      EXPECT_TRUE(found.contains(name)) << name;
    }
    if (complete) {
      EXPECT_EQ(Difference(now_, found), "");
    }
    EXPECT_TRUE(file->Close().ok());
  }
  void CheckComplete(SimDisk* disk, const std::string& folder) override {
    CheckFound(disk, folder, true);
  }
};

class ExportRun final : public Run {
 public:
  using Run::Run;

 private:
  void Prepare() override {
    if (random_.OneIn(4)) {
      earlier_.clear();
    } else {
      PrepareBlocks(earlier_);
      SimDisk disk(folder_.path(), 1, SimDisk::Record::kNo);
      Transfer(&disk, folder_.path());
      before_ = ReadTree(folder_.path() + "/" + kFolder);
      std::filesystem::remove(folder_.path() + "/" + kFile);
    }
    PrepareBlocks(now_);
    // What it is to be, in a folder of its own.
    TempFolder other;
    std::filesystem::copy(folder_.path(), other.path(),
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
    SimDisk disk(other.path(), 1, SimDisk::Record::kNo);
    Transfer(&disk, other.path());
    after_ = ReadTree(other.path() + "/" + kFolder);
  }
  void Transfer(SimDisk* disk, const std::string& folder) override {
    auto file = Open(disk, folder);
    ASSERT_NE(file, nullptr);
    Transferred done;
    const Status status =
        ExportFolder(file->get(), nullptr, disk, "", folder + "/" + kFolder, nullptr, &done);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_TRUE(file->Close().ok());
  }
  void CheckFound(SimDisk* /*disk*/, const std::string& folder, bool complete) override {
    const std::string files = folder + "/" + kFolder;
    Contents found;
    if (std::filesystem::exists(files)) {
      found = ReadTree(files);
    }
    if (complete) {
      EXPECT_EQ(Difference(after_, found), "");
    }
    for (const auto& [path, bytes] : found) {
      if (!blockfile::IsTemporaryName(path.substr(path.rfind('/') + 1))) {
        EXPECT_TRUE(IsOldOrNew(before_, after_, path, bytes)) << path;
      }
    }
    for (const auto& [path, bytes] : before_) {
      EXPECT_TRUE(found.contains(path)) << path;
    }
  }
  void CheckComplete(SimDisk* disk, const std::string& folder) override {
    CheckFound(disk, folder, true);
  }

  Contents before_;
  Contents after_;
};

template <class Kind>
void CutRuns(uint64_t seed) {
  uint64_t images = 0;
  for (uint64_t i = 0; i < kRounds && !::testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed + i));
    Kind(seed + i).Cut(&images);
  }
  std::printf("%llu images\n", static_cast<unsigned long long>(images));
  EXPECT_GT(images, kRounds * 25);
}

TEST(FolderCrashTest, AnInterruptedImportIsOldOrNewAndTheNextCompletesIt) {
  CutRuns<ImportRun>(TestSeed("AnInterruptedImport", 1));
}

TEST(FolderCrashTest, AnInterruptedExportIsOldOrNewAndTheNextCompletesIt) {
  CutRuns<ExportRun>(TestSeed("AnInterruptedExport", 1));
}

}  // namespace
}  // namespace spillway::test
