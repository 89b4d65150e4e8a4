#include "internal/io/posix_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <numeric>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Result;
using io::File;
using io::Open;

std::vector<uint8_t> Bytes(size_t count) {
  std::vector<uint8_t> bytes(count);
  std::iota(bytes.begin(), bytes.end(), uint8_t{1});
  return bytes;
}

class PosixFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<File> MustOpen(const std::string& name, Open mode) {
    Result<std::unique_ptr<File>> file = files_->OpenFile(folder_.File(name), mode);
    EXPECT_TRUE(file.ok()) << file.status().message();
    return file.ok() ? std::move(file.value()) : nullptr;
  }
  Code CodeOfOpen(const std::string& name, Open mode) {
    return files_->OpenFile(folder_.File(name), mode).status().code();
  }

  TempFolder folder_;
  io::FileSystem* const files_ = io::PosixFileSystem();
};

TEST_F(PosixFileTest, ReadsBackWhatWasWrittenAndTellsTheEnd) {
  const auto file = MustOpen("a", Open::kCreateNew);
  ASSERT_TRUE(file->WriteAt(1000, Bytes(300)).ok());
  std::vector<uint8_t> back(500, 0xff);
  size_t got = 0;
  ASSERT_TRUE(file->ReadAt(900, back, &got).ok());
  EXPECT_EQ(got, 400u);
  EXPECT_EQ(back[99], 0);  // a hole reads as zeroes
  EXPECT_EQ(std::vector<uint8_t>(back.begin() + 100, back.begin() + 400), Bytes(300));
  EXPECT_EQ(file->Size().value(), 1300u);
  ASSERT_TRUE(file->Truncate(10).ok());
  EXPECT_EQ(file->Size().value(), 10u);
  ASSERT_TRUE(file->ReadAt(10, back, &got).ok());
  EXPECT_EQ(got, 0u);
  ASSERT_TRUE(file->ReadAt(UINT64_MAX - 3, back, &got).ok());
  EXPECT_EQ(got, 0u);
  EXPECT_TRUE(file->Sync().ok());
}

TEST_F(PosixFileTest, OpenModesMeanWhatTheySay) {
  EXPECT_EQ(CodeOfOpen("a", Open::kExisting), Code::kNotFound);
  EXPECT_EQ(CodeOfOpen("a", Open::kReadOnly), Code::kNotFound);
  MustOpen("a", Open::kCreate);
  MustOpen("a", Open::kCreate);
  EXPECT_EQ(CodeOfOpen("a", Open::kCreateNew), Code::kAlreadyExists);
  const auto file = MustOpen("a", Open::kReadOnly);
  const base::Status status = file->WriteAt(0, Bytes(1));
  EXPECT_EQ(status.code(), Code::kIo);
  EXPECT_EQ(status.os_code(), EBADF);
}

TEST_F(PosixFileTest, AnErrorNamesOperationPathAndReason) {
  const Result<std::unique_ptr<File>> file = files_->OpenFile("/nowhere/at/all", Open::kExisting);
  EXPECT_EQ(file.status().message(), "open /nowhere/at/all: No such file or directory");
  EXPECT_EQ(file.status().os_code(), ENOENT);
  const auto readable = MustOpen("a", Open::kCreate);
  const base::Status status = readable->WriteAt(UINT64_MAX - 5, Bytes(10));
  EXPECT_EQ(status.code(), Code::kFull);  // EFBIG
  EXPECT_NE(status.message().find("at offset 18446744073709551610"), std::string::npos);
}

TEST_F(PosixFileTest, NewFilesArePrivateWhateverTheUmaskAndOldOnesKeepTheirMode) {
  for (const mode_t mask : {mode_t{0}, mode_t{077}, mode_t{0777}}) {
    const mode_t before = ::umask(mask);
    const std::string name = "mode" + std::to_string(mask);
    MustOpen(name, mask == 0 ? Open::kCreate : Open::kCreateNew);
    ::umask(before);
    struct stat found = {};
    ASSERT_EQ(::stat(folder_.File(name).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777, 0600u);
    ASSERT_EQ(::chmod(folder_.File(name).c_str(), 0640), 0);
    MustOpen(name, Open::kCreate);
    ASSERT_EQ(::stat(folder_.File(name).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777, 0640u);
  }
}

TEST_F(PosixFileTest, ALinkInTheLastPartIsRefusedAndSoIsWhatIsNoFile) {
  MustOpen("real", Open::kCreate);
  ASSERT_EQ(::symlink(folder_.File("real").c_str(), folder_.File("link").c_str()), 0);
  ASSERT_EQ(::symlink("dangling", folder_.File("dangling-link").c_str()), 0);
  ASSERT_EQ(::mkfifo(folder_.File("fifo").c_str(), 0600), 0);
  std::filesystem::create_directory(folder_.File("folder"));
  for (const char* name : {"link", "dangling-link", "fifo", "folder"}) {
    EXPECT_EQ(CodeOfOpen(name, Open::kExisting), Code::kIo) << name;
    EXPECT_EQ(CodeOfOpen(name, Open::kCreate), Code::kIo) << name;
    EXPECT_EQ(CodeOfOpen(name, Open::kReadOnly), Code::kIo) << name;
    EXPECT_TRUE(files_->Exists(folder_.File(name)).value()) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.File("dangling")));
}

TEST_F(PosixFileTest, APathWithNulIsRefused) {
  EXPECT_EQ(CodeOfOpen(std::string("a\0b", 3), Open::kCreate), Code::kInvalidArgument);
}

TEST_F(PosixFileTest, DescriptorsAreNeverStandardOnesNorInherited) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(0);
    ::close(1);
    const auto opened = files_->OpenFile(folder_.File("a"), Open::kCreate);
    const bool free = ::fcntl(0, F_GETFD) == -1 && ::fcntl(1, F_GETFD) == -1;
    const bool folder_sync = files_->SyncFolderOf(folder_.File("a")).ok();
    int descriptor = 3;
    while (descriptor < 1000) {  // those that this test opened have the flag
      struct stat a = {};
      struct stat b = {};
      if (::fstat(descriptor, &a) == 0 && ::stat(folder_.File("a").c_str(), &b) == 0 &&
          a.st_ino == b.st_ino && a.st_dev == b.st_dev) {
        break;
      }
      ++descriptor;
    }
    const bool hidden = ::fcntl(descriptor, F_GETFD) == FD_CLOEXEC;
    ::_exit(opened.ok() && free && folder_sync && hidden ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(PosixFileTest, ALockIsRefusedToASecondFileOfTheSameProcessAndOfAnother) {
  auto first = MustOpen("lock", Open::kCreate);
  const auto second = MustOpen("lock", Open::kCreate);
  ASSERT_TRUE(first->Lock().ok());
  EXPECT_EQ(second->Lock().code(), Code::kBusy);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto other = files_->OpenFile(folder_.File("lock"), Open::kCreate);
    ::_exit(other.ok() && other.value()->Lock().code() == Code::kBusy ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  first.reset();
  EXPECT_TRUE(second->Lock().ok());
}

TEST_F(PosixFileTest, ASharedLockIsSharedAndKeepsExclusiveOnesOut) {
  auto writer = MustOpen("lock", Open::kCreate);
  auto reader = MustOpen("lock", Open::kReadOnly);
  auto other = MustOpen("lock", Open::kReadOnly);
  ASSERT_TRUE(writer->Lock().ok());
  EXPECT_EQ(reader->LockShared().code(), Code::kBusy);
  writer.reset();
  ASSERT_TRUE(reader->LockShared().ok());
  EXPECT_TRUE(other->LockShared().ok());
  writer = MustOpen("lock", Open::kExisting);
  EXPECT_EQ(writer->Lock().code(), Code::kBusy);
  reader.reset();
  EXPECT_EQ(writer->Lock().code(), Code::kBusy);
  other.reset();
  EXPECT_TRUE(writer->Lock().ok());
}

TEST_F(PosixFileTest, WhatIsReservedIsThereAndKeepsItsBytes) {
  const auto file = MustOpen("a", Open::kCreateNew);
  ASSERT_TRUE(file->WriteAt(0, Bytes(100)).ok());
  ASSERT_TRUE(file->Reserve(50, 1'000'000).ok());
  EXPECT_EQ(file->Size().value(), 1'000'050u);
  const uint64_t allocated = file->AllocatedBytes().value();
  EXPECT_TRUE(allocated >= 1'000'000 || allocated <= 65'536) << "neither reserved nor only grown";
  ASSERT_TRUE(file->Reserve(0, 10).ok());  // never shrinks
  ASSERT_TRUE(file->Reserve(2'000'000, 0).ok());
  EXPECT_EQ(file->Size().value(), 1'000'050u);
  std::vector<uint8_t> expected = Bytes(100);
  expected.resize(1'000'050);
  std::vector<uint8_t> back(expected.size() + 1);
  size_t got = 0;
  ASSERT_TRUE(file->ReadAt(0, back, &got).ok());
  back.resize(got);
  EXPECT_EQ(back, expected);
  EXPECT_EQ(file->Reserve(UINT64_MAX - 5, 3).code(), Code::kFull);
  EXPECT_EQ(file->Reserve(5, UINT64_MAX - 2).code(), Code::kFull);
  const base::Status status = MustOpen("a", Open::kReadOnly)->Reserve(0, 2'000'000);
  EXPECT_EQ(status.code(), Code::kIo);
  EXPECT_EQ(status.os_code(), EBADF);
}

TEST_F(PosixFileTest, AHoleGivesRoomBackAndTouchesNothingElse) {
  const auto file = MustOpen("a", Open::kCreateNew);
  const std::vector<uint8_t> bytes = Bytes(1 << 20);
  ASSERT_TRUE(file->WriteAt(0, bytes).ok());
  ASSERT_TRUE(file->Sync().ok());  // some file systems allocate then only
  const uint64_t before = file->AllocatedBytes().value();
  EXPECT_GE(before, 1u << 20);
  constexpr uint64_t kFrom = 100'000;
  constexpr uint64_t kTo = 900'000;
  ASSERT_TRUE(file->PunchHole(kFrom, kTo - kFrom).ok());
  ASSERT_TRUE(file->PunchHole(1 << 20, 4096).ok());  // behind the end
  ASSERT_TRUE(file->PunchHole(0, 0).ok());
  EXPECT_EQ(file->Size().value(), bytes.size());
  const uint64_t after = file->AllocatedBytes().value();
  EXPECT_TRUE(after == before || after < before / 2) << before << " to " << after;
  std::vector<uint8_t> back(bytes.size());
  size_t got = 0;
  ASSERT_TRUE(file->ReadAt(0, back, &got).ok());
  const bool hole = after < before;
  for (size_t i = 0; i < back.size(); ++i) {
    ASSERT_EQ(back[i], hole && i >= kFrom && i < kTo ? 0 : bytes[i]) << i;
  }
  const base::Status status = MustOpen("a", Open::kReadOnly)->PunchHole(0, 4096);
  EXPECT_TRUE(status.ok() || status.os_code() == EBADF);
}

TEST_F(PosixFileTest, RenameNeverReplaces) {
  ASSERT_TRUE(MustOpen("from", Open::kCreate)->WriteAt(0, Bytes(3)).ok());
  MustOpen("to", Open::kCreate);
  EXPECT_EQ(files_->RenameNew(folder_.File("from"), folder_.File("to")).code(),
            Code::kAlreadyExists);
  EXPECT_EQ(files_->RenameNew(folder_.File("none"), folder_.File("new")).code(), Code::kNotFound);
  ASSERT_TRUE(files_->RenameNew(folder_.File("from"), folder_.File("new")).ok());
  EXPECT_FALSE(files_->Exists(folder_.File("from")).value());
  EXPECT_EQ(MustOpen("new", Open::kExisting)->Size().value(), 3u);
  EXPECT_TRUE(files_->SyncFolderOf(folder_.File("new")).ok());
  EXPECT_TRUE(files_->Remove(folder_.File("new")).ok());
  EXPECT_EQ(files_->Remove(folder_.File("new")).code(), Code::kNotFound);
  EXPECT_EQ(files_->SyncFolderOf("/nowhere/at/all").code(), Code::kIo);
}

TEST_F(PosixFileTest, AFileSizeLimitIsFullAndLeavesWhatFitted) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto file = files_->OpenFile(folder_.File("a"), Open::kCreate);
    const base::Status status = file.value()->WriteAt(0, Bytes(3000));
    const bool told = status.code() == Code::kFull && status.os_code() == EFBIG;
    const bool grown = file.value()->Truncate(5000).code() == Code::kFull &&
                       file.value()->Reserve(500, 4500).code() == Code::kFull;
    ::_exit(told && grown && file.value()->Size().value() == 1000 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(PosixFileTest, AFullDeviceIsFull) {
  // /dev/full is no regular file, so the seam refuses it before it could say ENOSPC.
  EXPECT_EQ(files_->OpenFile("/dev/full", Open::kExisting).status().code(), Code::kIo);
  EXPECT_EQ(io::OsError("write", "x", ENOSPC).code(), Code::kFull);
  EXPECT_EQ(io::OsError("write", "x", EDQUOT).code(), Code::kFull);
  EXPECT_EQ(io::OsError("open", "x", EROFS).code(), Code::kReadOnly);
  EXPECT_EQ(io::OsError("open", "x", EACCES).code(), Code::kReadOnly);
  EXPECT_EQ(io::OsErrorText(EIO), "Input/output error");
}

}  // namespace
}  // namespace spillway::test
