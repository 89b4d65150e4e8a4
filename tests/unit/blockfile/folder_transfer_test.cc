// Import and export with folders of this machine.
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "internal/blockfile/folder_names.h"
#include "tests/support/folder_tree.h"
#include "tests/support/memory_cap.h"
#include "tests/support/prng.h"
#include "tests/unit/blockfile/folder_fixture.h"

namespace spillway::test {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Status;

Contents NastyBlocks(uint64_t seed, int count) {
  Prng random(seed);
  Contents blocks = {{"empty", ""}, {"a", "file"}, {"a/b", "in folder"}, {"/", "root"}, {".", "."}};
  for (int i = 0; i < count; ++i) {
    std::string name = NastyName(&random, random.OneIn(4) ? 1024 : 20);
    if (!name.empty()) {
      blocks[name] = RandomPayload(&random, random.OneIn(10) ? 100'000 : 50);
    }
  }
  return blocks;
}

TEST_F(FolderTransferTest, EveryBlockComesBackByteForByte) {
  const uint64_t seed = TestSeed("EveryBlockComesBack", 1);
  const Contents blocks = NastyBlocks(seed, 400);
  PutAll(file_.get(), blocks);
  EXPECT_OK(Export("out"));
  ExpectDone(blocks.size(), 0);
  const Contents tree = ReadTree(Path("out"));
  EXPECT_EQ(tree.size(), blocks.size());
  uint64_t bytes = 0;
  for (const auto& [name, payload] : blocks) {
    bytes += payload.size();
  }
  EXPECT_EQ(done_.bytes, bytes);
  EXPECT_GE(operation_.done(), bytes);

  EXPECT_OK(Export("out"));  // nothing is written again
  ExpectDone(0, blocks.size());
  EXPECT_EQ(Difference(tree, ReadTree(Path("out"))), "");

  Use("other");
  EXPECT_OK(Import("out"));
  ExpectDone(blocks.size(), 0);
  EXPECT_EQ(done_.bytes, bytes);
  EXPECT_EQ(Difference(blocks, ReadBlocks(file_.get())), "");
  const uint64_t puts = (*file_)->Stats().puts;
  EXPECT_OK(Import("out"));
  ExpectDone(0, blocks.size());
  EXPECT_EQ((*file_)->Stats().puts, puts);
}

TEST_F(FolderTransferTest, APrefixIsTakenOffAndPutBeforeAgain) {
  const Contents blocks = {{"doc/1", "one"},
                           {"doc/1/x", "below"},
                           {"doc", "no"},
                           {"dot/1", "no"},
                           {"doc/", "empty rest"}};
  PutAll(file_.get(), blocks);
  EXPECT_OK(Export("out", "doc/"));
  EXPECT_EQ(
      Difference({{"1", "one"}, {"1%,/x", "below"}, {"%,", "empty rest"}}, ReadTree(Path("out"))),
      "");
  EXPECT_OK(Export("half", "do"));
  EXPECT_EQ(ReadTree(Path("half")).size(), blocks.size());

  Use("other");
  EXPECT_OK(Import("out", "new/"));
  EXPECT_EQ(Difference({{"new/1", "one"}, {"new/1/x", "below"}, {"new/", "empty rest"}},
                       ReadBlocks(file_.get())),
            "");
  Use("third");
  EXPECT_OK(Import("half", "do"));
  EXPECT_EQ(Difference(blocks, ReadBlocks(file_.get())), "");
  EXPECT_OK(Export("none", "nothing begins with this"));
  EXPECT_TRUE(fs::is_empty(Path("none")));
}

// Whatever came first, each is found where it was the last time.
TEST_F(FolderTransferTest, FilesAndFoldersOfOneNameTakeTurns) {
  PutAll(file_.get(), {{"a/b", "1"}, {"c", "2"}});
  EXPECT_OK(Export("out"));
  PutAll(file_.get(), {{"a", "3"}, {"c/d", "4"}});
  EXPECT_OK(Export("out"));
  ExpectDone(2, 2);
  const Contents tree = {{"a/b", "1"}, {"c", "2"}, {"a%,", "3"}, {"c%,/d", "4"}};
  EXPECT_EQ(Difference(tree, ReadTree(Path("out"))), "");
  PutAll(file_.get(), {{"a", "5"}, {"c/d", "6"}});
  EXPECT_OK(Export("out"));
  ExpectDone(2, 2);
  EXPECT_EQ(
      Difference({{"a/b", "1"}, {"c", "2"}, {"a%,", "5"}, {"c%,/d", "6"}}, ReadTree(Path("out"))),
      "");
  const Contents blocks = ReadBlocks(file_.get());
  Use("other");
  EXPECT_OK(Import("out"));
  EXPECT_EQ(Difference(blocks, ReadBlocks(file_.get())), "");

  for (const char* name : {"x", "x%,", "x%,%,", "x%,%,%,"}) {
    fs::create_directories(Path("full") + "/" + name);
  }
  PutAll(file_.get(), {{"x", "no room"}});
  const Status status = Export("full");
  EXPECT_EQ(status.code(), Code::kIo) << status.message();
}

TEST_F(FolderTransferTest, OthersFilesStayAndDifferentOnesAreReplaced) {
  WriteTree(Path("out"), {{"same", "same"},
                          {"longer", "longer than it"},
                          {"other", "otto"},
                          {"stays", "x"},
                          {"in/stays", "y"}});
  struct stat before = {};
  ASSERT_EQ(::stat(Path("out/same").c_str(), &before), 0);
  PutAll(file_.get(), {{"same", "same"}, {"longer", "short"}, {"other", "emma"}, {"in/new", "n"}});
  EXPECT_OK(Export("out"));
  ExpectDone(3, 1);
  EXPECT_EQ(Difference({{"same", "same"},
                        {"longer", "short"},
                        {"other", "emma"},
                        {"stays", "x"},
                        {"in/stays", "y"},
                        {"in/new", "n"}},
                       ReadTree(Path("out"))),
            "");
  struct stat after = {};
  ASSERT_EQ(::stat(Path("out/same").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
}

// ---- links and other things ----

void MakeSocket(const std::string& path) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_GE(socket, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(socket);
}

TEST_F(FolderTransferTest, LinksAndDevicesAreIgnoredByAnImport) {
  WriteTree(Path("in"), {{"file", "bytes"}, {"folder/file", "more"}});
  WriteTree(Path("outside"), {{"secret", "no"}});
  fs::create_symlink(Path("outside/secret"), Path("in/link"));
  fs::create_directory_symlink(Path("outside"), Path("in/linked"));
  fs::create_symlink("nowhere", Path("in/folder/dangling"));
  ASSERT_EQ(::mkfifo(Path("in/fifo").c_str(), 0600), 0);
  MakeSocket(Path("in/socket"));
  WriteFile(Path("in/folder/") + blockfile::TemporaryName(7), "of a crash");
  fs::create_directory(Path("in/empty"));
  EXPECT_OK(Import("in"));
  EXPECT_EQ(Difference({{"file", "bytes"}, {"folder/file", "more"}}, ReadBlocks(file_.get())), "");
  EXPECT_EQ(done_.ignored, 6u);
  fs::create_directory_symlink(Path("in"), Path("way"));  // the folder itself may be named by one
  EXPECT_OK(Import("way"));
  EXPECT_EQ(done_.equal, 2u);
}

TEST_F(FolderTransferTest, ExportFollowsNoLinkAndReplacesIt) {
  WriteTree(Path("outside"), {{"file", "untouched"}});
  fs::create_directory(Path("out"));
  fs::create_symlink(Path("outside/file"), Path("out/file"));
  fs::create_directory_symlink(Path("outside"), Path("out/folder"));
  ASSERT_EQ(::mkfifo(Path("out/fifo").c_str(), 0600), 0);
  PutAll(file_.get(), {{"file", "new"}, {"folder/file", "new too"}, {"fifo", "no pipe"}});
  EXPECT_OK(Export("out"));
  EXPECT_EQ(Difference({{"file", "new"}, {"folder%,/file", "new too"}, {"fifo", "no pipe"}},
                       ReadTree(Path("out"))),
            "");
  EXPECT_TRUE(fs::is_symlink(Path("out/folder")));
  EXPECT_EQ(Difference({{"file", "untouched"}}, ReadTree(Path("outside"))), "");
  const Contents blocks = ReadBlocks(file_.get());
  Use("other");
  EXPECT_OK(Import("out"));
  EXPECT_EQ(done_.ignored, 1u);
  EXPECT_EQ(Difference(blocks, ReadBlocks(file_.get())), "");
}

TEST_F(FolderTransferTest, ForeignNamesStandForThemselves) {
  const Contents tree = {{"100%41", "1"},
                         {"50% off", "2"},
                         {"a%20b", "3"},
                         {"a b", "4"},
                         {"bytes\xff", "5"},
                         {"odd%_/x%3F", "6"},
                         {std::string(255, 'n'), "7"},
                         {"q?:*", "8"},
                         {"tail. ", "9"}};
  WriteTree(Path("in"), tree);
  EXPECT_OK(Import("in"));
  Contents blocks = tree;
  blocks.erase("odd%_/x%3F");
  blocks["odd%_/x?"] = "6";
  EXPECT_EQ(Difference(blocks, ReadBlocks(file_.get())), "");
  // Written back, some have a second path; equal ones are no harm.
  EXPECT_OK(Export("in"));
  EXPECT_OK(Import("in"));
  EXPECT_EQ(done_.equal, blocks.size());
  EXPECT_GT(done_.ignored, 0u);
  EXPECT_EQ(Difference(blocks, ReadBlocks(file_.get())), "");
  WriteFile(Path("in/100%41"), "changed");
  const Status status = Import("in");
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(status.message().find("100%2541"), std::string::npos) << status.message();
}

TEST_F(FolderTransferTest, PathsThatCannotBeNamesAreRefused) {
  std::string path = "in";
  for (int i = 0; i < 20; ++i) {
    path += "/" + std::string(60, 'd');
  }
  WriteFile(Path(path + "/file"), "too deep");
  Status status = Import("in");
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(status.message().find("dddd"), std::string::npos);
  fs::remove(Path(path + "/file"));
  EXPECT_OK(Import("in"));
  WriteFile(Path("flat/") + std::string(25, 'f'), "");
  EXPECT_EQ(Import("flat", std::string(1000, 'p')).code(), Code::kInvalidArgument);
  EXPECT_OK(Import("flat", std::string(999, 'p')));
  EXPECT_EQ(Import("nowhere").code(), Code::kNotFound);
  EXPECT_EQ(Import("blocks").code(), Code::kNotFound);
  EXPECT_EQ(Export("nowhere/out").code(), Code::kNotFound);
  EXPECT_EQ(Export("blocks").code(), Code::kNotFound);
}

TEST_F(FolderTransferTest, AnUnreadableFileIsAnErrorThatNamesIt) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can become somebody who may not read";
  }
  WriteTree(Path("in"), {{"a", "1"}, {"closed", "2"}});
  fs::permissions(folder_.path(), fs::perms::all);
  fs::permissions(Path("in"), fs::perms::all);
  fs::permissions(Path("in/a"), fs::perms::all);
  fs::permissions(Path("in/closed"), fs::perms::none);
  ASSERT_EQ(::seteuid(65534), 0);
  const Status status = Import("in");
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(status.code(), Code::kIo);
  EXPECT_NE(status.message().find("in/closed"), std::string::npos) << status.message();
}

// ---- many, deep, large ----

TEST_F(FolderTransferTest, AThousandFoldersDeepWithFewDescriptors) {
  Contents blocks;
  std::string deep = "d";
  for (int i = 0; i < 511; ++i) {
    deep += "/d";
    blocks[deep] = std::to_string(i);  // a file and a folder at every level
  }
  blocks[std::string(1024, '/')] = "slashes";
  blocks[std::string(1024, '?')] = "cut";
  PutAll(file_.get(), blocks);
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 80;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_OK(Export("out"));
  ExpectDone(blocks.size(), 0);
  Use("other");
  EXPECT_OK(Import("out"));
  ExpectDone(blocks.size(), 0);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(Difference(blocks, ReadBlocks(file_.get())), "");
}

TEST_F(FolderTransferTest, TenThousandSmallFilesAreGrouped) {
  Prng random(1);
  Contents blocks;
  for (int i = 0; i < 10'000; ++i) {
    blocks["folder" + std::to_string(i % 7) + "/file" + std::to_string(i)] =
        RandomPayload(&random, 300);
  }
  WriteTree(Path("in"), blocks);
  const uint64_t groups = (*file_)->Stats().groups;
  EXPECT_OK(Import("in"));
  ExpectDone(10'000, 0);
  EXPECT_LE((*file_)->Stats().groups - groups, 30u);
  EXPECT_EQ(Difference(blocks, ReadBlocks(file_.get())), "");
  EXPECT_OK(Export("out"));
  EXPECT_EQ(Difference(blocks, ReadTree(Path("out"))), "");
}

TEST_F(FolderTransferTest, LargeFilesTakeLittleMemory) {
  Prng random(1);
  const std::string some = RandomPayload(&random, 1 << 20) + std::string(1 << 20, 'x');
  std::string bytes;
  while (bytes.size() < (size_t{64} << 20) + 12'345) {
    bytes += some;
  }
  WriteTree(Path("in"), {{"large", bytes}, {"exact", bytes.substr(0, 16 << 20)}, {"small", "s"}});
  {
    MemoryCap cap(uint64_t{60} << 20);  // less than the file has
    EXPECT_OK(Import("in"));
    ExpectDone(3, 0);
    EXPECT_OK(Export("out"));
    ExpectDone(3, 0);
  }
  EXPECT_EQ(Difference(ReadTree(Path("in")), ReadTree(Path("out"))), "");
  bytes.back() = static_cast<char>(bytes.back() + 1);
  WriteFile(Path("in/large"), bytes);
  EXPECT_OK(Import("in"));
  ExpectDone(1, 2);
  EXPECT_OK(Export("out"));
  ExpectDone(1, 2);
  EXPECT_EQ(Difference(ReadTree(Path("in")), ReadTree(Path("out"))), "");
}

}  // namespace
}  // namespace spillway::test
