#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "internal/io/folder_path.h"
#include "internal/io/posix_file.h"
#include "tests/support/folder_tree.h"
#include "tests/support/power_cut.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

namespace fs = std::filesystem;
using base::Code;
using io::EntryKind;

std::unique_ptr<io::Folder> OpenFolder(io::FileSystem* files, const std::string& path) {
  auto folder = files->OpenFolder(path);
  EXPECT_TRUE(folder.ok()) << folder.status().message();
  return std::move(folder.value());
}

std::set<std::string> NamesIn(io::Folder* folder) {
  std::set<std::string> names;
  EXPECT_TRUE(folder
                  ->List([&](std::string_view name) {
                    EXPECT_TRUE(names.emplace(name).second);
                    return base::Status();
                  })
                  .ok());
  return names;
}

TEST(FolderTest, ListsLooksAndChangesWithoutFollowingALink) {
  TempFolder outside;
  WriteFile(outside.File("secret"), "no");
  TempFolder temp;
  WriteFile(temp.File("file"), "12345");
  fs::create_symlink(outside.File("secret"), temp.File("link"));
  fs::create_directory_symlink(outside.path(), temp.File("way"));
  ASSERT_EQ(::mkfifo(temp.File("fifo").c_str(), 0600), 0);
  auto folder = OpenFolder(io::PosixFileSystem(), temp.path());
  ASSERT_TRUE(folder->MakeFolder("made").ok());
  EXPECT_EQ(folder->MakeFolder("made").code(), Code::kAlreadyExists);
  const std::set<std::string> names = {"fifo", "file", "link", "made", "way"};
  EXPECT_EQ(NamesIn(folder.get()), names);
  EXPECT_EQ(NamesIn(folder.get()), names);  // from the begin again

  EXPECT_EQ(folder->Look("file").value().kind, EntryKind::kFile);
  EXPECT_EQ(folder->Look("file").value().size, 5u);
  EXPECT_EQ(folder->Look("made").value().kind, EntryKind::kFolder);
  for (const char* other : {"link", "way", "fifo"}) {
    EXPECT_EQ(folder->Look(other).value().kind, EntryKind::kOther) << other;
    EXPECT_EQ(folder->OpenFile(other, io::Open::kReadOnly).status().code(), Code::kIo) << other;
    EXPECT_EQ(folder->OpenFolder(other).status().code(), Code::kIo) << other;
  }
  EXPECT_EQ(folder->Look("none").status().code(), Code::kNotFound);
  EXPECT_EQ(folder->OpenFolder("none").status().code(), Code::kNotFound);

  const io::Entry before = folder->Look("file").value();
  EXPECT_EQ(folder->Look("file").value(), before);
  ASSERT_TRUE(folder->OpenFile("new", io::Open::kCreateNew).ok());
  ASSERT_TRUE(folder->Rename("new", "link").ok());  // the link, not what it leads to
  EXPECT_EQ(folder->Look("link").value().kind, EntryKind::kFile);
  ASSERT_TRUE(folder->Rename("link", "file").ok());
  EXPECT_NE(folder->Look("file").value(), before);
  EXPECT_FALSE(folder->Rename("file", "made").ok());
  ASSERT_TRUE(folder->Remove("way").ok());
  EXPECT_TRUE(folder->Sync().ok());
  EXPECT_EQ(NamesIn(folder.get()), (std::set<std::string>{"fifo", "file", "made"}));
  EXPECT_EQ(ReadFile(outside.File("secret")), "no");
}

TEST(FolderTest, AWalkGoesDeepOnFewDescriptorsAndComesBack) {
  TempFolder temp;
  io::FolderPath path(OpenFolder(io::PosixFileSystem(), temp.path()));
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) {
    names.push_back("level" + std::to_string(i));
    ASSERT_TRUE(path.Here().value()->MakeFolder(names.back()).ok());
    ASSERT_TRUE(path.Enter(names.back()).ok());
  }
  EXPECT_EQ(path.Enter("none").code(), Code::kNotFound);
  for (size_t depth = names.size(); depth-- > 0;) {
    path.Leave();
    ASSERT_TRUE(path.Here().ok());
    ASSERT_EQ(NamesIn(path.Here().value()), std::set<std::string>{names[depth]});
  }
  ASSERT_TRUE(path.MoveTo(std::span(names).first(60)).ok());
  EXPECT_EQ(NamesIn(path.Here().value()), std::set<std::string>{names[60]});
  ASSERT_TRUE(path.MoveTo(std::span(names).first(10)).ok());

  // What it has to open again may be a link by now.
  ASSERT_TRUE(path.MoveTo(names).ok());
  TempFolder outside;
  const std::string swapped = temp.File(names[0]);
  fs::rename(swapped, temp.File("elsewhere"));
  fs::create_directory_symlink(outside.path(), swapped);
  EXPECT_FALSE(path.MoveTo(std::span(names).first(1)).ok() && path.Here().ok());
}

// Names in a folder are durable with that folder's sync, and are lost with the folder.
TEST(FolderTest, TheSimulatedDiskLosesNamesFolderByFolder) {
  TempFolder temp;
  SimDisk disk(temp.path(), 1);
  auto root = OpenFolder(&disk, temp.path());
  ASSERT_TRUE(root->MakeFolder("kept").ok());
  ASSERT_TRUE(root->Sync().ok());
  ASSERT_TRUE(root->MakeFolder("lost").ok());
  for (const char* name : {"kept", "lost"}) {
    auto folder = OpenFolder(&disk, temp.File(name));
    for (const char* file : {"synced", "late"}) {
      auto opened = folder->OpenFile(file, io::Open::kCreateNew);
      ASSERT_TRUE(opened.ok() && opened.value()->WriteAt(0, blockfile::AsBytes("bytes")).ok() &&
                  opened.value()->Sync().ok());
      ASSERT_TRUE(file == std::string("late") || folder->Sync().ok());
    }
  }
  PowerCut cut(disk);
  cut.AdvanceTo(disk.log_size());
  std::set<std::set<std::string>> seen;
  TempFolder image;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    cut.WriteImage(seed, image.path());
    std::set<std::string> names;
    for (const auto& [path, bytes] : ReadTree(image.path())) {
      EXPECT_EQ(bytes, "bytes");
      names.insert(path);
    }
    EXPECT_TRUE(names.contains("kept/synced"));
    EXPECT_EQ(names.contains("lost/synced"), fs::exists(image.File("lost")));
    seen.insert(names);
  }
  EXPECT_TRUE(seen.contains({"kept/synced"}));
  EXPECT_TRUE(seen.contains({"kept/synced", "kept/late", "lost/synced", "lost/late"}));
  EXPECT_TRUE(seen.contains({"kept/synced", "lost/synced"}));
}

}  // namespace
}  // namespace spillway::test
