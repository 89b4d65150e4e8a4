// Damaged block files: what is read is right, or it is said that it is not.
#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/blockfile/block_file.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/prng.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::AsBytes;
using blockfile::BlockFile;
using Model = std::map<std::string, std::string>;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

enum class End { kClosed, kKilled };

// A file with blocks of all kinds, some replaced; killed ones have frames behind the checkpoint.
Model MakeFile(const std::string& path, const BlockFile::Settings& settings, End end,
               Prng* random) {
  Model model;
  auto file = BlockFile::Open(io::PosixFileSystem(), path, BlockFile::Create::kIfMissing, settings);
  EXPECT_TRUE(file.ok());
  for (int i = 0; i < 200; ++i) {
    const uint64_t sizes[] = {0, 50, 128, 1000, 6000, 140'000};
    std::string payload(sizes[random->Below(random->OneIn(20) ? 6 : 5)], '\0');
    for (char& byte : payload) {
      byte = static_cast<char>(random->Next());
    }
    const std::string name = "block " + std::to_string(random->Below(60));
    EXPECT_TRUE(file.value()->Put(name, AsBytes(payload)).ok());
    model[name] = payload;
    if (random->OneIn(20)) {
      EXPECT_TRUE(file.value()->Flush().ok());
    }
  }
  EXPECT_TRUE((end == End::kClosed ? file.value()->Close() : file.value()->Flush()).ok());
  return model;
}

void Damage(std::string* bytes, Prng* random) {
  const uint64_t size = bytes->size();
  // Half of it where the structures are.
  const auto place = [&] { return random->OneIn(2) ? random->Below(20'000) : random->Below(size); };
  switch (random->Below(5)) {
    case 0:
      bytes->resize(random->Below(size));
      return;
    case 1: {  // a page in the place of another
      const uint64_t from = place() / 512 * 512;
      const uint64_t to = place() / 512 * 512;
      const std::string page = bytes->substr(from, 512);
      bytes->replace(to, page.size(), page);
      return;
    }
    case 2: {
      const uint64_t from = place();
      const uint64_t count = std::min<uint64_t>(random->Between(1, 2000), size - from);
      std::fill_n(bytes->begin() + static_cast<std::ptrdiff_t>(from), count, '\0');
      return;
    }
    default:
      for (uint64_t flips = random->Between(1, 3); flips > 0; --flips) {
        char& byte = (*bytes)[place()];
        byte = static_cast<char>(byte ^ (1 << random->Below(8)));
      }
  }
}

// Every block is as it was, or its read says that it is damaged; names are all there.
void ExpectTruth(BlockFile* file, const Model& model, uint64_t* corrupt) {
  std::vector<std::string> names;
  const Status listed = file->ListNames(&names);
  EXPECT_TRUE(listed.ok() || listed.code() == Code::kCorrupt);
  EXPECT_TRUE(!listed.ok() || names.size() == model.size());
  for (const auto& [name, payload] : model) {
    std::vector<uint8_t> found;
    const Status read = file->Read(name, &found);
    if (read.ok()) {
      ASSERT_EQ(std::string(found.begin(), found.end()), payload) << name;
    } else {
      ASSERT_EQ(read.code(), Code::kCorrupt) << name << ": " << read.message();
      ++*corrupt;
    }
  }
}

TEST(BlockFileDamageTest, DamagedBytesAreReportedAndNeverReadAsData) {
  const uint64_t seed = TestSeed("DamagedBytesAreReported", 1);
  uint64_t refused = 0;
  uint64_t corrupt = 0;
  for (uint64_t i = 0; i < 6; ++i) {
    Prng random(seed + i);
    const BlockFile::Settings settings = SmallBlockFile(&random);
    TempFolder folder;
    const std::string path = folder.File("blocks");
    const Model model = MakeFile(path, settings, End::kClosed, &random);
    const std::string whole = ReadFile(path);
    for (int copy = 0; copy < 300; ++copy) {
      std::string bytes = whole;
      Damage(&bytes, &random);
      WriteFile(path, bytes);
      auto file = BlockFile::Open(io::PosixFileSystem(), path, BlockFile::Create::kNo, settings);
      if (!file.ok()) {
        ASSERT_EQ(file.status().code(), Code::kCorrupt) << file.status().message();
        ++refused;
        continue;
      }
      ExpectTruth(file.value().get(), model, &corrupt);
    }
  }
  EXPECT_GT(refused, 50u);
  EXPECT_GT(corrupt, 50u);
}

// Frames behind the checkpoint that were acknowledged: damage among them is no end of the journal.
TEST(BlockFileDamageTest, DamageAmongAcknowledgedFramesIsNoTornTail) {
  const uint64_t seed = TestSeed("DamageAmongAcknowledgedFrames", 1);
  uint64_t refused = 0;
  for (uint64_t i = 0; i < 6; ++i) {
    Prng random(seed + i);
    BlockFile::Settings settings = SmallBlockFile(&random);
    settings.journal_pages_most = 1 << 20;  // all of it stays in frames
    TempFolder folder;
    const std::string path = folder.File("blocks");
    const Model model = MakeFile(path, settings, End::kKilled, &random);
    const std::string whole = ReadFile(path);
    for (size_t at = whole.find("SPWFRAME"); at != std::string::npos;
         at = whole.find("SPWFRAME", at + 1)) {
      std::string bytes = whole;
      char& byte = bytes[at + random.Below(100)];
      byte = static_cast<char>(byte ^ 0x10);
      WriteFile(path, bytes);
      auto file = BlockFile::Open(io::PosixFileSystem(), path, BlockFile::Create::kNo, settings);
      if (file.ok()) {  // a frame of an earlier generation
        uint64_t corrupt = 0;
        ExpectTruth(file.value().get(), model, &corrupt);
        EXPECT_EQ(corrupt, 0u);
      } else {
        EXPECT_EQ(file.status().code(), Code::kCorrupt) << file.status().message();
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 30u);
}

}  // namespace
}  // namespace spillway::test
