// Damaged block files: what is read is right, or it is said that it is not. Nothing hangs, takes
// memory without measure, or is written by reading.
#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/block_bytes.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/block_repair.h"
#include "tests/support/blocks.h"
#include "tests/support/memory_cap.h"
#include "tests/support/memory_disk.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::OpenMode;
using Model = std::map<std::string, std::string>;

constexpr char kPath[] = "blocks";
constexpr uint64_t kUnit = 4096;
constexpr uint64_t kUnits = 4;
constexpr uint64_t kCapBytes = uint64_t{256} << 20;
constexpr auto kLongest = std::chrono::seconds(10);  // of one copy, on a busy machine

constexpr uint64_t kNames = 50;
std::string NameOf(uint64_t number) { return "block " + std::to_string(number); }

enum class End { kClosed, kKilled, kReopened };  // the last: closed, opened, changed and killed

// A file, where its parts are, and what it was before.
struct Sample {
  blockfile::Settings settings;
  std::string bytes;
  Model model;
  std::string earlier_bytes;   // a checkpoint ago
  std::vector<Model> history;  // after each flush since
  Places places;
};

void Change(Blocks* file, Sample* sample, int changes, Prng* random) {
  Model* const model = &sample->model;
  for (int i = 0; i < changes; ++i) {
    constexpr uint64_t kSizes[] = {0, 50, 128, 1000, 6000, 70'000};
    const std::string payload =
        RandomBytes(kSizes[random->Below(random->OneIn(30) ? 6 : 5)], random);
    const std::string name = NameOf(random->Below(kNames));
    if (model->contains(name) && random->OneIn(8)) {
      EXPECT_TRUE(file->Remove(name).ok());
      model->erase(name);
    } else {
      EXPECT_TRUE(file->Put(name, payload).ok());
      (*model)[name] = payload;
    }
    if (random->OneIn(10)) {
      EXPECT_TRUE(file->Flush().ok());
      sample->history.push_back(*model);
    }
  }
}

Sample MakeSample(End end, uint64_t seed) {
  Prng random(seed);
  Sample sample;
  sample.settings = SmallBlockFile(&random);
  sample.settings.growth_bytes = 20 * uint64_t{sample.settings.page_bytes};
  if (end == End::kKilled) {
    sample.settings.journal_bytes_most = uint64_t{1} << 32;  // all of it stays in frames
  }
  MemoryDisk disk;
  auto file = Blocks::Open(&disk, kPath, OpenMode::kNew, sample.settings);
  EXPECT_TRUE(file.ok());
  Change(file.value().get(), &sample, 80, &random);
  EXPECT_TRUE(file.value()->Checkpoint().ok());
  sample.earlier_bytes = disk[kPath];
  sample.history = {sample.model};
  Change(file.value().get(), &sample, 40, &random);
  if (end == End::kReopened) {
    EXPECT_TRUE(file.value()->Close().ok());
    file = Blocks::Open(&disk, kPath, OpenMode::kExisting, sample.settings);
    EXPECT_TRUE(file.ok());
    EXPECT_TRUE(file.value()->Put(NameOf(0), "after it was closed").ok());
    sample.model[NameOf(0)] = "after it was closed";
  }
  EXPECT_TRUE((end == End::kClosed ? file.value()->Close() : file.value()->Flush()).ok());
  sample.bytes = disk[kPath];
  sample.places = FindPlaces(sample.bytes);
  EXPECT_FALSE(sample.places.registry.empty() || sample.places.map.empty());
  EXPECT_EQ(sample.places.frames.empty(), end == End::kClosed);
  return sample;
}

void Flip(std::string* bytes, uint64_t begin, uint64_t end, uint64_t flips, Prng* random) {
  for (; flips > 0 && begin < end; --flips) {
    char& byte = (*bytes)[begin + random->Below(end - begin)];
    byte = static_cast<char>(byte ^ (1 << random->Below(8)));
  }
}

uint64_t AnyOf(const std::vector<uint64_t>& places, Prng* random) {
  return places.empty() ? 0 : places[random->Below(places.size())];
}

// Somewhere, and more often where the structures are.
uint64_t Place(const Sample& sample, Prng* random) {
  switch (random->Below(5)) {
    case 0:
      return random->Below(kUnits * kUnit);
    case 1:
      return AnyOf(sample.places.registry, random) + random->Below(sample.settings.page_bytes);
    case 2:
      return AnyOf(sample.places.map, random) + random->Below(sample.settings.page_bytes);
    case 3:
      return AnyOf(sample.places.frames, random) + random->Below(200);
    default:
      return random->Below(sample.bytes.size());
  }
}

// One thing that disks do.
void Damage(const Sample& sample, std::string* bytes, Prng* random) {
  const uint64_t size = bytes->size();
  const uint64_t at = std::min(Place(sample, random), size - 1);
  const uint64_t unit = random->OneIn(2) ? kUnit : sample.settings.page_bytes;
  const uint64_t page = at / unit * unit;
  switch (random->Below(8)) {
    case 0:
      bytes->resize(random->OneIn(2) ? at : random->Below(size));
      return;
    case 1:  // a page in the place of another
      bytes->replace(page, unit, sample.bytes, Place(sample, random) / unit * unit,
                     std::min(unit, size - page));
      bytes->resize(size);
      return;
    case 2: {  // two that changed places
      const uint64_t other = std::min(Place(sample, random), size - 1) / unit * unit;
      const uint64_t length = std::min({unit, size - page, size - other});
      std::swap_ranges(bytes->begin() + static_cast<std::ptrdiff_t>(page),
                       bytes->begin() + static_cast<std::ptrdiff_t>(page + length),
                       bytes->begin() + static_cast<std::ptrdiff_t>(other));
      return;
    }
    case 3:  // a page as it was at an earlier time
      if (page + unit <= std::min<uint64_t>(size, sample.earlier_bytes.size())) {
        bytes->replace(page, unit, sample.earlier_bytes, page, unit);
      }
      return;
    case 4:  // zeros
      bytes->replace(page, std::min(unit, size - page), std::min(unit, size - page), '\0');
      return;
    case 5: {  // some bytes in the place of others
      const uint64_t count =
          std::min<uint64_t>({random->Between(1, 600), kUnit - at % kUnit, size - at});
      const std::string other = bytes->substr(random->Below(size - count), count);
      bytes->replace(at, count, other);
      return;
    }
    default:
      Flip(bytes, at, at + 1, 1, random);
      if (random->OneIn(3)) {
        const uint64_t second = std::min(Place(sample, random), size - 1);
        Flip(bytes, second, second + 1, 1, random);
      }
  }
}

// What was found of a file, beside what it has to be.
struct Found {
  Status listed;
  std::vector<std::string> names;
  std::map<std::string, std::string> payloads;
  std::set<std::string> damaged;
  std::set<std::string> missing;
};

Found ReadAll(Blocks* file, const std::set<std::string>& names) {
  Found found;
  found.listed = file->ListNames(&found.names);
  for (const std::string& name : names) {
    std::string payload;
    const Status read = file->Read(name, &payload);
    if (read.ok()) {
      found.payloads[name] = payload;
    } else if (read.code() == Code::kNotFound) {
      found.missing.insert(name);
    } else {
      EXPECT_EQ(read.code(), Code::kCorrupt) << name << ": " << read.message();
      found.damaged.insert(name);
    }
  }
  return found;
}

bool IsTrue(const Found& found, const Model& model) {
  if (found.listed.ok() &&
      (found.names.size() != model.size() ||
       !std::equal(found.names.begin(), found.names.end(), model.begin(),
                   [](const auto& a, const auto& b) { return a == b.first; }))) {
    return false;
  }
  return std::all_of(model.begin(), model.end(),
                     [&](const auto& block) {
                       const auto payload = found.payloads.find(block.first);
                       return payload == found.payloads.end() ? found.damaged.contains(block.first)
                                                              : payload->second == block.second;
                     }) &&
         std::all_of(found.payloads.begin(), found.payloads.end(),
                     [&](const auto& block) { return model.contains(block.first); });
}

// A full verification names the blocks whose read fails, and no others. Those whose page of the
// registry is damaged it cannot name; then it tells of a structure.
void ExpectVerified(Blocks* file, const Found& found) {
  blockfile::Report report;
  const Status verified = (*file)->Verify(true, UINT64_MAX, nullptr, &report);
  ASSERT_TRUE(verified.ok()) << verified.message();
  std::set<std::string> named;
  bool structure = false;
  for (const blockfile::Problem& problem : report.problems) {
    EXPECT_EQ(problem.code, Code::kCorrupt) << problem.message;
    structure = structure || problem.name.empty();
    if (!problem.name.empty()) {
      named.insert(problem.name);
      EXPECT_TRUE(found.damaged.contains(problem.name)) << problem.name << ": " << problem.message;
    }
  }
  EXPECT_EQ(report.blocks_damaged, named.size());
  for (const std::string& name : found.damaged) {
    EXPECT_TRUE(named.contains(name) || structure) << name << " cannot be read";
  }
}

struct Tally {
  uint64_t copies = 0;
  uint64_t refused = 0;
  uint64_t damaged = 0;  // opened, and some blocks could not be read
  uint64_t whole = 0;
  std::chrono::nanoseconds longest{0};
};

// How many frames the newest mark, or a later frame, tells of.
uint64_t FramesTold(const Sample& sample) {
  const auto number = [&](uint64_t at) {
    return blockfile::Load<uint64_t>(reinterpret_cast<const uint8_t*>(sample.bytes.data()) + at);
  };
  constexpr uint64_t kGeneration = 56;  // in a superblock
  const uint64_t generation = std::max(number(kGeneration), number(kUnit + kGeneration));
  uint64_t told = 0;
  for (const uint64_t mark : {2 * kUnit, 3 * kUnit}) {
    told = std::max(told, number(mark + 16) == generation ? number(mark + 24) : 0);
  }
  for (const uint64_t frame : sample.places.frames) {
    told = std::max(told, number(frame + 48));
  }
  return told;
}

// Whether what tells of a frame may be damaged with it: the newest mark, the frame that follows, or
// nothing if it is of the last flush. Then a frame that is not whole may be the torn tail, for all
// that anybody can tell.
bool MayLookTorn(const Sample& sample, const std::string& bytes) {
  const auto same = [&](uint64_t begin, uint64_t end) {
    return bytes.size() >= end &&
           bytes.compare(begin, end - begin, sample.bytes, begin, end - begin) == 0;
  };
  const Places& places = sample.places;
  const uint64_t page_bytes = sample.settings.page_bytes;
  std::vector<uint64_t> told_frames = places.frames;
  told_frames.resize(FramesTold(sample));
  const std::array<const std::vector<uint64_t>*, 3> told = {&places.registry, &places.map,
                                                            &told_frames};
  uint64_t pages = same(2 * kUnit, kUnits * kUnit) ? 0 : 1;
  bool untold = false;
  for (uint64_t at = kUnits * kUnit; at < sample.bytes.size(); at += page_bytes) {
    if (same(at, std::min<uint64_t>(at + page_bytes, sample.bytes.size()))) {
      continue;
    }
    ++pages;
    // Else it may be of the last flush: its frames, or payload anywhere.
    untold = untold || std::none_of(told.begin(), told.end(), [&](const auto* each) {
               return std::find(each->begin(), each->end(), at) != each->end();
             });
  }
  return pages > 1 || (untold && told_frames.size() < places.frames.size());
}

// `earlier`: the file may also be what it was at some time before, whole.
void Try(const Sample& sample, const std::string& bytes, OpenMode mode, bool earlier,
         Tally* tally) {
  std::set<std::string> names;
  for (uint64_t i = 0; i < kNames; ++i) {
    names.insert(NameOf(i));
  }
  MemoryDisk disk;
  disk[kPath] = bytes;
  ++tally->copies;
  const auto begun = std::chrono::steady_clock::now();
  {
    auto file = Blocks::Open(&disk, kPath, mode, sample.settings);
    if (!file.ok()) {
      EXPECT_TRUE(file.status().code() == Code::kCorrupt ||
                  file.status().code() == Code::kUnsupported)
          << file.status().message();
      ++tally->refused;
    } else {
      const Found found = ReadAll(file.value().get(), names);
      EXPECT_TRUE(IsTrue(found, sample.model) ||
                  (earlier && std::any_of(sample.history.begin(), sample.history.end(),
                                          [&](const Model& was) { return IsTrue(found, was); })))
          << "wrong data; " << found.missing.size() << " blocks missing";
      ExpectVerified(file.value().get(), found);
      ++(found.damaged.empty() ? tally->whole : tally->damaged);
    }
  }
  if (mode == OpenMode::kReadOnly) {
    EXPECT_EQ(disk.writes(), 0u);
  }
  // Else what frames say may have been taken up.
  if (sample.places.frames.empty() && bytes.starts_with(sample.bytes.substr(0, kUnits * kUnit))) {
    EXPECT_TRUE(disk[kPath].starts_with(bytes)) << "reading changed it";
  }
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_LT(took, kLongest);
  tally->longest = std::max<std::chrono::nanoseconds>(tally->longest, took);
}

using Injure = std::function<void(const Sample&, std::string*, Prng*)>;

Tally TryCopies(const char* test, End end, uint64_t samples, uint64_t copies, bool earlier,
                const Injure& injure) {
  const uint64_t seed = TestSeed(test, 1);
  Tally tally;
  for (uint64_t i = 0; i < samples && !testing::Test::HasFailure(); ++i) {
    const Sample sample = MakeSample(end, seed + i);
    const MemoryCap cap(kCapBytes);
    for (uint64_t copy = 0; copy < copies && !testing::Test::HasFailure(); ++copy) {
      SCOPED_TRACE("sample " + std::to_string(i) + ", copy " + std::to_string(copy));
      Prng random((seed + i) << 32 | copy);
      std::string bytes = sample.bytes;
      injure(sample, &bytes, &random);
      Try(sample, bytes, copy % 3 == 0 ? OpenMode::kExisting : OpenMode::kReadOnly,
          earlier || (end == End::kKilled && MayLookTorn(sample, bytes)), &tally);
    }
  }
  std::printf("%lu copies: %lu refused, %lu with damaged blocks, %lu whole; longest %.1f ms\n",
              tally.copies, tally.refused, tally.damaged, tally.whole,
              static_cast<double>(tally.longest.count()) / 1e6);
  return tally;
}

TEST(BlockFileDamageTest, DamagedBytesAreReportedAndNeverReadAsData) {
  const Tally tally = TryCopies("DamagedBytesAreReported", End::kClosed, 10, 800, false, Damage);
  EXPECT_GT(tally.refused, 1000u);
  EXPECT_GT(tally.damaged, 1000u);
}

// Somebody who changes a superblock or a mark and makes its sum right can hand out the file as
// it was before, as a whole; never a mix, and nothing that was not written.
TEST(BlockFileDamageTest, UnitsWithTheirSumsMadeRight) {
  const Tally tally = TryCopies("UnitsWithTheirSums", End::kClosed, 10, 200, true,
                                [](const Sample&, std::string* bytes, Prng* random) {
                                  const uint64_t unit = random->Below(kUnits) * kUnit;
                                  const uint64_t end = random->OneIn(10) ? kUnit : 288;
                                  Flip(bytes, unit, unit + end, random->Between(1, 3), random);
                                  RepairUnits(bytes);
                                });
  EXPECT_GT(tally.refused, 300u);
}

// Frames behind the checkpoint that were acknowledged: damage among them is no end of the journal.
TEST(BlockFileDamageTest, DamageAmongAcknowledgedFramesIsNoTornTail) {
  const Tally tally = TryCopies("DamageAmongAcknowledgedFrames", End::kKilled, 6, 200, false,
                                [](const Sample& sample, std::string* bytes, Prng* random) {
                                  std::vector<uint64_t> frames = sample.places.frames;
                                  frames.resize(FramesTold(sample));
                                  const uint64_t at = AnyOf(frames, random);
                                  Flip(bytes, at, at + 96, random->Between(1, 3), random);
                                });
  EXPECT_GT(tally.refused, 1150u);
}

// With its sum made right, one may lead to another place. Then what it led to is missing.
TEST(BlockFileDamageTest, FramesWithTheirSumsMadeRight) {
  const Tally tally = TryCopies("FramesWithTheirSums", End::kKilled, 6, 200, true,
                                [](const Sample& sample, std::string* bytes, Prng* random) {
                                  std::vector<uint64_t> frames = sample.places.frames;
                                  frames.resize(FramesTold(sample));
                                  const uint64_t at = AnyOf(frames, random);
                                  Flip(bytes, at, at + 96, random->Between(1, 3), random);
                                  RepairFrameHeader(bytes, at);
                                });
  EXPECT_GT(tally.refused, 500u);
}

// Marks that a clean close left do not hide what was written after it, whichever of them is lost.
TEST(BlockFileDamageTest, LostMarksOfAFileThatWasOpenedAgain) {
  const Tally tally = TryCopies("LostMarksOfAFile", End::kReopened, 6, 100, false,
                                [](const Sample&, std::string* bytes, Prng* random) {
                                  const uint64_t mark = random->Between(2, 3) * kUnit;
                                  Flip(bytes, mark, mark + 40, 1, random);
                                });
  EXPECT_EQ(tally.whole, tally.copies);
}

// Only who writes needs the space map, and pages that are not there take nothing from the others.
TEST(BlockFileDamageTest, WithoutASpaceMapItCanBeRead) {
  for (const End end : {End::kClosed, End::kKilled}) {
    const Sample sample = MakeSample(end, 1);
    std::string bytes = sample.bytes;
    for (const uint64_t page : sample.places.map) {
      bytes[page] = static_cast<char>(bytes[page] ^ 1);
    }
    MemoryDisk disk;
    disk[kPath] = bytes;
    EXPECT_EQ(Blocks::Open(&disk, kPath, OpenMode::kExisting, sample.settings).status().code(),
              Code::kCorrupt);
    auto file = Blocks::Open(&disk, kPath, OpenMode::kReadOnly, sample.settings);
    ASSERT_TRUE(file.ok()) << file.status().message();
    const Found found = ReadAll(file.value().get(), {sample.model.begin()->first});
    EXPECT_TRUE(found.listed.ok() && found.names.size() == sample.model.size());
    EXPECT_TRUE(found.damaged.empty());
    blockfile::Report report;
    EXPECT_TRUE((*file.value())->Verify(true, UINT64_MAX, nullptr, &report).ok());
    EXPECT_EQ(report.blocks, sample.model.size());
    EXPECT_EQ(report.blocks_damaged, 0u);
    EXPECT_EQ(report.problems_found, 1u);
  }
}

TEST(BlockFileDamageTest, DamageOfAFileThatWasKilled) {
  const Tally tally = TryCopies("DamageOfAFileThatWasKilled", End::kKilled, 6, 200, false, Damage);
  EXPECT_GT(tally.refused, 100u);
  EXPECT_GT(tally.damaged, 10u);
}

}  // namespace
}  // namespace spillway::test
