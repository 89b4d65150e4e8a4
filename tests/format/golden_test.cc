// Files of version 0.1 of the format, byte by byte as they are committed in golden/: they can be
// read by every later version, and the same changes give the same bytes.
//
// When the format or the layout changes on purpose: SPW_GOLDEN=write
// build/release/tests/format_tests writes the files anew (in the source folder). From the first
// release on, files are added for what is new and the old ones stay, for reading.
#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/block_bytes.h"
#include "tests/support/blocks.h"
#include "tests/support/prng.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Status;
using blockfile::AsBytes;
using blockfile::ChecksumKind;
using blockfile::OpenMode;

struct Golden {
  const char* name;
  ChecksumKind checksum;
  uint32_t page_bytes;
  bool closed;  // else frames stand behind the checkpoint
};
void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.name; }
constexpr Golden kGoldens[] = {
    {"xxh3-closed", ChecksumKind::kXxh3, 1024, true},
    {"xxh3-frames", ChecksumKind::kXxh3, 1024, false},
    {"sha256-closed", ChecksumKind::kSha256, 1024, true},
    {"sha256-frames", ChecksumKind::kSha256, 1024, false},
};

struct Content {
  std::string payload;
  std::string tag;
};
using Model = std::map<std::string, Content>;

std::string PathOf(const Golden& golden) {
  return std::string(SPW_GOLDEN_FOLDER) + "/" + golden.name + ".blocks";
}

// Nothing is left to chance: ids, salts and times count.
blockfile::Settings SettingsFor(const Golden& golden) {
  blockfile::Settings settings;
  settings.checksum = golden.checksum;
  settings.page_bytes = golden.page_bytes;
  settings.growth_bytes = uint64_t{3} * settings.page_bytes;
  settings.growth_bytes_most = settings.growth_bytes;
  settings.region_pages = 2;
  settings.reserve_bytes = 0;
  settings.background = false;
  auto number = std::make_shared<std::atomic<uint64_t>>(0x0123'4567'89ab'cdef);
  settings.random = [number] { return number->fetch_add(0x1111'1111'1111'1111); };
  auto now_ns = std::make_shared<std::atomic<int64_t>>(1'700'000'000'000'000'000);
  settings.clock_ns = [now_ns] { return now_ns->fetch_add(1'000'000); };
  return settings;
}

// Each kind of entry and change, in few pages.
Status Change(Blocks* file, Model* model) {
  Prng random(1);
  const auto put = [&](const std::string& name, uint64_t size) {
    (*model)[name].payload = RandomBytes(size, &random);
    return file->Put(name, (*model)[name].payload);
  };
  const std::string more = RandomBytes(500, &random);
  const auto append = [&](const std::string& name) {
    uint64_t length = 0;
    (*model)[name].payload += more;
    return (*file)->Append(nullptr, name, AsBytes(more), &length);
  };
  SPW_RETURN_IF_ERROR(put("empty", 0));
  SPW_RETURN_IF_ERROR(put("within the entry", 200));
  SPW_RETURN_IF_ERROR(put("\xc3\xa4 page and a byte", 4097));
  SPW_RETURN_IF_ERROR(put("goes", 10));
  SPW_RETURN_IF_ERROR(put("in pieces", 1100));
  SPW_RETURN_IF_ERROR(file->Checkpoint());
  SPW_RETURN_IF_ERROR(append("in pieces"));
  SPW_RETURN_IF_ERROR((*file)->SetTag(nullptr, "empty", AsBytes("a tag")));
  (*model)["empty"].tag = "a tag";
  SPW_RETURN_IF_ERROR((*file)->Rename(nullptr, "within the entry", "renamed", false));
  (*model)["renamed"] = (*model)["within the entry"];
  model->erase("within the entry");
  SPW_RETURN_IF_ERROR(file->Flush());
  SPW_RETURN_IF_ERROR(file->Remove("goes"));
  model->erase("goes");
  return file->Flush();
}

Status Write(const Golden& golden, const std::string& path, Model* model) {
  const blockfile::Settings settings = SettingsFor(golden);
  auto file = Blocks::Open(io::PosixFileSystem(), path, OpenMode::kNew, settings);
  SPW_RETURN_IF_ERROR(file.status());
  SPW_RETURN_IF_ERROR(Change(file.value().get(), model));
  if (!golden.closed) {
    return {};
  }
  SPW_RETURN_IF_ERROR(file.value()->Close());
  // Once more, so that the file can end where its blocks do.
  file = Blocks::Open(io::PosixFileSystem(), path, OpenMode::kExisting, settings);
  SPW_RETURN_IF_ERROR(file.status());
  SPW_RETURN_IF_ERROR(file.value()->Put("renamed", (*model)["renamed"].payload));
  return file.value()->Close();
}

void ExpectContents(Blocks* file, const Model& model) {
  std::vector<std::string> names;
  ASSERT_TRUE(file->ListNames(&names).ok());
  EXPECT_EQ(names.size(), model.size());
  for (const auto& [name, content] : model) {
    std::string payload;
    const Status read = file->Read(name, &payload);
    ASSERT_TRUE(read.ok()) << name << ": " << read.message();
    EXPECT_EQ(payload, content.payload) << name;
    blockfile::BlockInfo info;
    ASSERT_TRUE((*file)->Stat(nullptr, name, &info).ok());
    EXPECT_EQ(std::string(info.tag.begin(), info.tag.begin() + info.tag_bytes), content.tag);
    EXPECT_GE(info.modified_ns, info.created_ns);
    EXPECT_EQ(info.created_ns / 1'000'000'000, 1'700'000'000);
  }
  const Status checked = file->CheckSpace(true);
  EXPECT_TRUE(checked.ok()) << checked.message();
}

class GoldenTest : public testing::TestWithParam<Golden> {};

TEST_P(GoldenTest, TheSameChangesGiveTheSameBytes) {
  const TempFolder folder;
  Model model;
  const std::string path = folder.File("blocks");
  const Status written = Write(GetParam(), path, &model);
  ASSERT_TRUE(written.ok()) << written.message();
  const std::string bytes = ReadWholeFile(path);
  EXPECT_LT(bytes.size(), 131'072u);
  const char* const verb = std::getenv("SPW_GOLDEN");
  if (verb != nullptr && std::string(verb) == "write") {
    WriteWholeFile(PathOf(GetParam()), bytes);
  }
  Model again;
  ASSERT_TRUE(Write(GetParam(), folder.File("again"), &again).ok());
  EXPECT_TRUE(ReadWholeFile(folder.File("again")) == bytes);
  const std::string golden = ReadWholeFile(PathOf(GetParam()));
  const auto differ = std::mismatch(bytes.begin(), bytes.end(), golden.begin(), golden.end());
  EXPECT_TRUE(bytes == golden) << "at byte " << differ.first - bytes.begin() << " of "
                               << bytes.size() << "; golden has " << golden.size()
                               << ". If that is on purpose: SPW_GOLDEN=write, see above";
}

TEST_P(GoldenTest, IsReadAndContinued) {
  const TempFolder folder;
  Model model;
  ASSERT_TRUE(Write(GetParam(), folder.File("other"), &model).ok());
  const std::string golden = ReadWholeFile(PathOf(GetParam()));
  ASSERT_FALSE(golden.empty());
  const std::string path = folder.File("copy");
  WriteWholeFile(path, golden);
  {
    auto file = Blocks::Open(io::PosixFileSystem(), path, OpenMode::kReadOnly, {});
    ASSERT_TRUE(file.ok()) << file.status().message();
    ExpectContents(file.value().get(), model);
  }
  EXPECT_TRUE(ReadWholeFile(path) == golden) << "reading changed it";
  blockfile::Settings settings;
  settings.background = false;  // it would keep a killed file for a moment
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    auto file = Blocks::Open(io::PosixFileSystem(), path, OpenMode::kExisting, settings);
    ASSERT_TRUE(file.ok()) << file.status().message();
    ExpectContents(file.value().get(), model);
    EXPECT_TRUE(file.value()->Put("of today", std::string(5000, 'x')).ok());
    EXPECT_TRUE(file.value()->Flush().ok());
    EXPECT_TRUE(file.value()->Remove("of today").ok());
    EXPECT_TRUE((round == 1 ? file.value()->Flush() : file.value()->Close()).ok());
  }
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenTest, testing::ValuesIn(kGoldens), [](const auto& golden) {
  std::string name = golden.param.name;
  name[name.find('-')] = '_';
  return name;
});

}  // namespace
}  // namespace spillway::test
