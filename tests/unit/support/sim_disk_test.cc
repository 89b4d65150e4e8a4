// The simulated disk itself: a test that stands on it proves nothing if it forgets too little.
#include "tests/support/sim_disk.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/power_cut.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using io::Open;

constexpr uint64_t kSeeds = 400;

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string Contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class SimDiskTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) { return folder_.File(name); }
  std::unique_ptr<io::File> MustOpen(const std::string& name, Open mode = Open::kCreate) {
    auto file = disk_.OpenFile(Path(name), mode);
    EXPECT_TRUE(file.ok()) << file.status().message();
    return std::move(file.value());
  }

  // All contents of `name` over many seeds; "-" where there is no such file.
  std::set<std::string> Images(const std::string& name, size_t position,
                               PowerCut::Garbage garbage = PowerCut::Garbage::kNo) {
    PowerCut cut(disk_, garbage);
    cut.AdvanceTo(position);
    std::set<std::string> images;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      cut.WriteImage(seed, image_.path());
      const std::string path = image_.File(name);
      images.insert(std::filesystem::exists(path) ? Contents(path) : "-");
    }
    return images;
  }

  TempFolder folder_;
  TempFolder image_;
  SimDisk disk_{folder_.path(), 1};
};

TEST_F(SimDiskTest, SyncedBytesAreInEveryImageAndUnsyncedOnesInSome) {
  const auto file = MustOpen("a");
  ASSERT_TRUE(disk_.SyncFolderOf(Path("a")).ok());
  ASSERT_TRUE(file->WriteAt(0, Bytes("old")).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->WriteAt(0, Bytes("new")).ok());
  const std::set<std::string> expected = {"old", "new"};
  EXPECT_EQ(Images("a", disk_.log_size()), expected);
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(Images("a", disk_.log_size()), std::set<std::string>{"new"});
  // An earlier moment does not know of the second write.
  EXPECT_EQ(Images("a", disk_.log_size() - 2), std::set<std::string>{"old"});
}

TEST_F(SimDiskTest, LaterWritesSurviveWithoutEarlierOnesAndAreTorn) {
  const auto file = MustOpen("a");
  ASSERT_TRUE(disk_.SyncFolderOf(Path("a")).ok());
  ASSERT_TRUE(file->WriteAt(0, Bytes(std::string(16384, '.'))).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->WriteAt(0, Bytes(std::string(8192, 'a'))).ok());
  ASSERT_TRUE(file->WriteAt(8192, Bytes(std::string(8192, 'b'))).ok());
  const std::set<std::string> images = Images("a", disk_.log_size());
  const std::string before(16384, '.');
  EXPECT_TRUE(images.contains(before));
  EXPECT_TRUE(images.contains(std::string(8192, 'a') + std::string(8192, 'b')));
  bool later_alone = false;
  bool torn = false;
  for (const std::string& image : images) {
    ASSERT_EQ(image.size(), 16384u);
    for (size_t i = 0; i < image.size(); ++i) {
      ASSERT_TRUE(image[i] == '.' || image[i] == (i < 8192 ? 'a' : 'b'));
      ASSERT_EQ(image[i], image[i / 64 * 64]);  // never torn inside 64 bytes
    }
    const bool has_a = image.find('a') != std::string::npos;
    later_alone = later_alone || (!has_a && image.find('b') != std::string::npos);
    torn = torn || (has_a && image.substr(0, 8192).find('.') != std::string::npos);
  }
  EXPECT_TRUE(later_alone);
  EXPECT_TRUE(torn);
}

TEST_F(SimDiskTest, APieceNeverGoesBackToAnEarlierWriteAfterALaterOne) {
  const auto file = MustOpen("a");
  ASSERT_TRUE(disk_.SyncFolderOf(Path("a")).ok());
  for (const char* text : {"1", "2", "3"}) {
    ASSERT_TRUE(file->WriteAt(0, Bytes(text)).ok());
  }
  const std::set<std::string> expected = {"", std::string(1, '\0'), "1", "2", "3"};
  for (const std::string& image : Images("a", disk_.log_size())) {
    EXPECT_TRUE(expected.contains(image)) << image;
  }
}

TEST_F(SimDiskTest, ATruncationIsKeptOrLostAndBringsNoStaleBytesBack) {
  const auto file = MustOpen("a");
  ASSERT_TRUE(disk_.SyncFolderOf(Path("a")).ok());
  ASSERT_TRUE(file->WriteAt(0, Bytes(std::string(8192, 'o'))).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->Truncate(0).ok());
  std::set<std::string> expected = {"", std::string(8192, 'o')};
  EXPECT_EQ(Images("a", disk_.log_size()), expected);
  ASSERT_TRUE(file->WriteAt(4096, Bytes(std::string(4096, 'n'))).ok());
  bool shrunk = false;
  for (const std::string& image : Images("a", disk_.log_size())) {
    const bool whole_old = image == std::string(8192, 'o');
    EXPECT_TRUE(whole_old || image.find('o') == std::string::npos);
    shrunk = shrunk || image.empty();
  }
  EXPECT_TRUE(shrunk);
}

TEST_F(SimDiskTest, AReservationIsKeptOrLostOrCutShort) {
  const auto file = MustOpen("a");
  ASSERT_TRUE(disk_.SyncFolderOf(Path("a")).ok());
  ASSERT_TRUE(file->WriteAt(0, Bytes("old")).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->Reserve(1, 99'999).ok());
  EXPECT_EQ(Contents(Path("a")), "old" + std::string(99'997, '\0'));
  std::set<size_t> sizes;
  for (const std::string& image : Images("a", disk_.log_size())) {
    ASSERT_EQ(image.substr(0, 3), "old");
    ASSERT_EQ(image.find_first_not_of('\0', 3), std::string::npos);
    sizes.insert(image.size());
  }
  EXPECT_TRUE(sizes.contains(3) && sizes.contains(100'000) && sizes.size() > 2);
  EXPECT_LE(*sizes.rbegin(), 100'000u);
  const size_t before = disk_.log_size();
  ASSERT_TRUE(file->Reserve(0, 50'000).ok());  // all there already
  EXPECT_EQ(disk_.log_size(), before);
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(Images("a", disk_.log_size()), std::set<std::string>{Contents(Path("a"))});
}

TEST_F(SimDiskTest, AHoleIsAWriteOfZeros) {
  const auto file = MustOpen("a");
  ASSERT_TRUE(disk_.SyncFolderOf(Path("a")).ok());
  ASSERT_TRUE(file->WriteAt(0, Bytes(std::string(8192, 'o'))).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->PunchHole(4096, 9999).ok());
  const std::string punched = std::string(4096, 'o') + std::string(4096, '\0');
  EXPECT_EQ(Contents(Path("a")), punched);
  bool torn = false;
  const std::set<std::string> images = Images("a", disk_.log_size());
  for (const std::string& image : images) {
    ASSERT_EQ(image.size(), 8192u);
    ASSERT_EQ(image.substr(0, 4096), std::string(4096, 'o'));
    torn = torn || (image != punched && image.find('\0') != std::string::npos);
  }
  EXPECT_TRUE(torn && images.contains(punched) && images.contains(std::string(8192, 'o')));
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(Images("a", disk_.log_size()), std::set<std::string>{punched});
}

TEST_F(SimDiskTest, NamesLastOnlyWithTheFolder) {
  ASSERT_TRUE(MustOpen("a")->Sync().ok());
  EXPECT_TRUE(Images("a", disk_.log_size()).contains("-"));
  ASSERT_TRUE(disk_.SyncFolderOf(Path("a")).ok());
  EXPECT_EQ(Images("a", disk_.log_size()), std::set<std::string>{""});
  ASSERT_TRUE(disk_.RenameNew(Path("a"), Path("b")).ok());
  const std::set<std::string> either = {"", "-"};
  EXPECT_EQ(Images("a", disk_.log_size()), either);
  EXPECT_EQ(Images("b", disk_.log_size()), either);
  ASSERT_TRUE(disk_.SyncFolderOf(Path("a")).ok());
  ASSERT_TRUE(disk_.Remove(Path("b")).ok());
  EXPECT_EQ(Images("a", disk_.log_size()), std::set<std::string>{"-"});
  EXPECT_EQ(Images("b", disk_.log_size()), either);
}

TEST_F(SimDiskTest, WhatAFailedSyncLeftNeverGetsToTheDevice) {
  const auto file = MustOpen("a");
  ASSERT_TRUE(disk_.SyncFolderOf(Path("a")).ok());
  ASSERT_TRUE(file->WriteAt(0, Bytes("old")).ok());
  ASSERT_TRUE(file->Sync().ok());
  std::set<std::string> after;
  for (int i = 0; i < 20; ++i) {  // each failed sync has its own luck
    disk_.PardonFailedSyncs();
    ASSERT_TRUE(file->WriteAt(0, Bytes("old")).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(file->WriteAt(0, Bytes("new")).ok());
    disk_.Fail({Call::kSync, 1, EIO, false});
    EXPECT_EQ(file->Sync().code(), Code::kIo);
    EXPECT_TRUE(disk_.HasFailed());
    EXPECT_TRUE(file->Sync().ok());  // the lie that the store must not believe
    EXPECT_EQ(Contents(Path("a")), "new");
    after.merge(Images("a", disk_.log_size()));
  }
  const std::set<std::string> either = {"new", "old"};
  EXPECT_EQ(after, either);
  EXPECT_EQ(disk_.syncs_after_failure(), 20u);
}

TEST_F(SimDiskTest, GarbageIsOnlyWhereAWriteWasInFlight) {
  const auto file = MustOpen("a");
  ASSERT_TRUE(disk_.SyncFolderOf(Path("a")).ok());
  ASSERT_TRUE(file->WriteAt(0, Bytes(std::string(1024, '.'))).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->WriteAt(512, Bytes(std::string(512, 'x'))).ok());
  bool garbled = false;
  for (const std::string& image : Images("a", disk_.log_size(), PowerCut::Garbage::kYes)) {
    ASSERT_EQ(image.substr(0, 512), std::string(512, '.'));
    garbled = garbled || image.find_first_not_of(".x") != std::string::npos;
  }
  EXPECT_TRUE(garbled);
}

TEST_F(SimDiskTest, FaultsStrikeTheCallTheyNameOnceOrForEver) {
  const auto file = MustOpen("a");
  disk_.Fail({Call::kWrite, 2, ENOSPC, false});
  EXPECT_TRUE(file->WriteAt(0, Bytes("1")).ok());
  EXPECT_FALSE(disk_.HasFailed());
  const base::Status status = file->WriteAt(0, Bytes("2"));
  EXPECT_EQ(status.code(), Code::kFull);
  EXPECT_EQ(status.os_code(), ENOSPC);
  EXPECT_TRUE(disk_.HasFailed());
  EXPECT_TRUE(file->WriteAt(0, Bytes("3")).ok());
  disk_.Fail({Call::kAny, 2, EIO, true});
  EXPECT_TRUE(file->Size().ok());
  EXPECT_EQ(file->Size().status().code(), Code::kIo);
  EXPECT_EQ(disk_.OpenFile(Path("b"), Open::kCreate).status().code(), Code::kIo);
  disk_.Heal();
  EXPECT_TRUE(file->Size().ok());
  disk_.Fail({Call::kOpen, 1, EMFILE, false});
  EXPECT_EQ(disk_.OpenFile(Path("b"), Open::kCreate).status().os_code(), EMFILE);
}

TEST_F(SimDiskTest, EveryCallOfAFileIsOneFaultPoint) {
  const auto file = MustOpen("a");
  ASSERT_TRUE(file->WriteAt(0, Bytes("0123456789")).ok());
  const std::pair<Call, std::function<base::Status()>> calls[] = {
      {Call::kReserve, [&] { return file->Reserve(0, 100); }},
      {Call::kPunchHole, [&] { return file->PunchHole(0, 100); }},
      {Call::kAllocatedBytes, [&] { return file->AllocatedBytes().status(); }},
      {Call::kLock, [&] { return file->LockShared(); }},
      {Call::kLock, [&] { return file->Lock(); }},
  };
  for (const auto& [kind, call] : calls) {
    const uint64_t before = disk_.calls(Call::kAny);
    disk_.Fail({Call::kAny, 1, EIO, false});
    EXPECT_EQ(call().code(), Code::kIo);
    EXPECT_TRUE(disk_.HasFailed());
    EXPECT_EQ(call().code(), Code::kOk);
    EXPECT_EQ(disk_.calls(Call::kAny), before + 2);
    disk_.Fail({kind, 1, ENOSPC, false});
    const Code full = kind == Call::kReserve || kind == Call::kPunchHole ? Code::kFull : Code::kIo;
    EXPECT_EQ(call().code(), full);
  }
}

TEST_F(SimDiskTest, LocksAreThoseOfTheRealFile) {
  const auto first = MustOpen("a");
  const auto second = MustOpen("a");
  ASSERT_TRUE(first->LockShared().ok());
  EXPECT_TRUE(second->LockShared().ok());
  EXPECT_EQ(second->Lock().code(), Code::kBusy);
}

TEST_F(SimDiskTest, AFailingWriteMayHaveWrittenAPrefix) {
  const auto file = MustOpen("a");
  std::set<size_t> lengths;
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(file->Truncate(0).ok());
    disk_.Fail({Call::kWrite, 1, EIO, false});
    EXPECT_FALSE(file->WriteAt(0, Bytes("0123456789")).ok());
    const std::string contents = Contents(Path("a"));
    EXPECT_EQ(contents, std::string("0123456789").substr(0, contents.size()));
    lengths.insert(contents.size());
  }
  EXPECT_TRUE(lengths.contains(0));
  EXPECT_TRUE(lengths.contains(9));
  EXPECT_FALSE(lengths.contains(10));
}

TEST_F(SimDiskTest, SpaceRunsOutAndComesBack) {
  const auto file = MustOpen("a");
  disk_.SetSpace(4);
  EXPECT_TRUE(file->WriteAt(0, Bytes("012")).ok());
  EXPECT_TRUE(file->WriteAt(0, Bytes("abc")).ok());  // in place: needs none
  EXPECT_EQ(file->WriteAt(3, Bytes("345")).code(), Code::kFull);
  EXPECT_EQ(Contents(Path("a")), "abc3");
  disk_.SetSpace(9);
  EXPECT_EQ(file->Reserve(4, 10).code(), Code::kFull);  // all or nothing
  EXPECT_EQ(Contents(Path("a")), "abc3");
  EXPECT_TRUE(file->Reserve(0, 12).ok());
  EXPECT_EQ(file->Reserve(12, 2).code(), Code::kFull);
  disk_.SetSpace(std::nullopt);
  EXPECT_TRUE(file->WriteAt(4, Bytes("45")).ok());
}

}  // namespace
}  // namespace spillway::test
