// Blocks that are read and written as streams: what is asked of the device, full disks, and memory.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "internal/io/posix_file.h"
#include "tests/support/block_model.h"
#include "tests/support/blocks.h"
#include "tests/support/memory_disk.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::AsBytes;
using blockfile::kAnyVersion;
using blockfile::kChunkBytes;
using blockfile::OpenMode;
using blockfile::StreamReader;
using blockfile::StreamWriter;

constexpr uint64_t kMiB = uint64_t{1} << 20;

blockfile::Settings SmallStretches() {
  blockfile::Settings settings;
  settings.growth_bytes = kMiB;
  settings.reserve_bytes = 64 << 10;
  settings.stretch_bytes = kChunkBytes;
  settings.background = false;
  return settings;
}

std::unique_ptr<Blocks> Open(io::FileSystem* files, const std::string& path,
                             const blockfile::Settings& settings) {
  auto opened = Blocks::Open(files, path, OpenMode::kCreate, settings);
  EXPECT_TRUE(opened.ok()) << opened.status().message();
  return opened.ok() ? std::move(opened.value()) : nullptr;
}

void ExpectHolds(Blocks* file, const std::string& name, const std::string& payload) {
  std::string found;
  const Status read = file->Read(name, &found);
  ASSERT_TRUE(read.ok()) << read.message();
  ASSERT_TRUE(found == payload);
  const Status streamed = file->ReadStream(nullptr, name, 10'000, &found);
  ASSERT_TRUE(streamed.ok()) << streamed.message();
  ASSERT_TRUE(found == payload);
}

// ---- reading ahead ----

// Notes what is read, and what is told to be wanted soon.
class NotingDisk final : public io::FileSystem {
 public:
  struct Request {
    bool ahead;
    uint64_t begin, end;
  };
  explicit NotingDisk(io::FileSystem* files) : files_(files) {}
  std::vector<Request> requests;

  base::Result<std::unique_ptr<io::File>> OpenFile(const std::string& path,
                                                   io::Open mode) override {
    auto opened = files_->OpenFile(path, mode);
    if (!opened.ok()) {
      return opened.status();
    }
    return std::unique_ptr<io::File>(new Noting(std::move(opened.value()), &requests));
  }
  Status Remove(const std::string& path) override { return files_->Remove(path); }
  Status RenameNew(const std::string& from, const std::string& to) override {
    return files_->RenameNew(from, to);
  }
  Status SyncFolderOf(const std::string& path) override { return files_->SyncFolderOf(path); }
  base::Result<bool> Exists(const std::string& path) override { return files_->Exists(path); }
  base::Result<std::unique_ptr<io::Folder>> OpenFolder(const std::string& path) override {
    return files_->OpenFolder(path);
  }
  Status MakeFolder(const std::string& path) override { return files_->MakeFolder(path); }

 private:
  class Noting final : public io::File {
   public:
    Noting(std::unique_ptr<io::File> file, std::vector<Request>* requests)
        : File(file->path()), file_(std::move(file)), requests_(requests) {}
    Status ReadAt(uint64_t offset, std::span<uint8_t> buffer, size_t* bytes_read) override {
      requests_->push_back({false, offset, offset + buffer.size()});
      return file_->ReadAt(offset, buffer, bytes_read);
    }
    void StartReading(uint64_t offset, uint64_t bytes) override {
      requests_->push_back({true, offset, offset + bytes});
    }
    Status WriteAt(uint64_t offset, std::span<const uint8_t> bytes) override {
      return file_->WriteAt(offset, bytes);
    }
    void ForgetCached() override { file_->ForgetCached(); }
    Status Truncate(uint64_t size) override { return file_->Truncate(size); }
    Status Reserve(uint64_t offset, uint64_t bytes) override {
      return file_->Reserve(offset, bytes);
    }
    Status PunchHole(uint64_t offset, uint64_t bytes) override {
      return file_->PunchHole(offset, bytes);
    }
    base::Result<uint64_t> Size() override { return file_->Size(); }
    base::Result<uint64_t> AllocatedBytes() override { return file_->AllocatedBytes(); }
    void StartWriting(uint64_t offset, uint64_t bytes) override {
      file_->StartWriting(offset, bytes);
    }
    Status Sync() override { return file_->Sync(); }
    Status Lock() override { return file_->Lock(); }
    Status LockShared() override { return file_->LockShared(); }

   private:
    const std::unique_ptr<io::File> file_;
    std::vector<Request>* const requests_;
  };

  io::FileSystem* const files_;
};

class ReadAheadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = Open(&disk_, "blocks", SmallStretches());
    Prng random(1);
    payload_ = RandomBytes(&random, 20 * kMiB + 1000);
    ASSERT_TRUE(file_->Stream(nullptr, "large", payload_, kMiB).ok());
    ASSERT_TRUE(file_->Put("small", payload_.substr(0, 300'000)).ok());
    ASSERT_TRUE(file_->Checkpoint().ok());
  }
  std::unique_ptr<StreamReader> Reader(const std::string& name) {
    std::unique_ptr<StreamReader> reader;
    EXPECT_TRUE(file_->get()->OpenReader(nullptr, name, &reader).ok());
    disk_.requests.clear();
    return reader;
  }
  // So many bytes at a time, up to there.
  void ReadOn(StreamReader* reader, uint64_t piece, uint64_t begin, uint64_t end) {
    std::vector<uint8_t> some(piece);
    for (uint64_t at = begin; at < end; at += piece) {
      uint64_t bytes_read = 0;
      ASSERT_TRUE(reader->Read(some, &bytes_read).ok());
      ASSERT_EQ(bytes_read, std::min(piece, payload_.size() - at));
      ASSERT_TRUE(std::equal(some.begin(), some.begin() + static_cast<ptrdiff_t>(bytes_read),
                             AsBytes(payload_).begin() + static_cast<ptrdiff_t>(at)));
    }
  }
  uint64_t Bytes(bool ahead) const {
    uint64_t bytes = 0;
    for (const NotingDisk::Request& request : disk_.requests) {
      bytes += request.ahead == ahead ? request.end - request.begin : 0;
    }
    return bytes;
  }

  MemoryDisk memory_;
  NotingDisk disk_{&memory_};
  std::string payload_;
  std::unique_ptr<Blocks> file_;
};

// All but what the first read takes, each byte once, in large stretches, and before it is read.
TEST_F(ReadAheadTest, WhatComesNextIsAskedForOnceAndInTime) {
  for (const uint64_t piece : {uint64_t{4000}, kChunkBytes, uint64_t{100'000}, kMiB}) {
    SCOPED_TRACE("pieces of " + std::to_string(piece));
    const auto reader = Reader("large");
    ReadOn(reader.get(), piece, 0, payload_.size());
    EXPECT_GE(Bytes(true), payload_.size() - 2 * kMiB);
    EXPECT_LE(Bytes(true), payload_.size());
    std::vector<bool> told(memory_["blocks"].size());
    uint64_t hints = 0;
    uint64_t wrong = 0;
    for (const NotingDisk::Request& request : disk_.requests) {
      hints += request.ahead ? 1 : 0;
      for (uint64_t at = request.begin; at < request.end && hints > 0; ++at) {
        wrong += told[at] == request.ahead ? 1 : 0;
        told[at] = true;
      }
    }
    EXPECT_EQ(wrong, 0u);
    EXPECT_LE(hints, payload_.size() / (2 * kMiB) + 5);  // it has some parts
  }
}

TEST_F(ReadAheadTest, SmallReadsReadEachChunkOnce) {
  const auto reader = Reader("large");
  ReadOn(reader.get(), 1000, 0, payload_.size());
  EXPECT_EQ(Bytes(false), payload_.size());
}

TEST_F(ReadAheadTest, NothingIsAskedForWhereReadsDoNotFollowOneAnother) {
  auto reader = Reader("large");
  ReadOn(reader.get(), 100'000, 0, 100'000);
  for (uint64_t at = payload_.size() - kMiB; at > kMiB; at -= kMiB) {
    ASSERT_TRUE(reader->Seek(at).ok());
    ReadOn(reader.get(), 100'000, at, at + 100'000);
    std::vector<uint8_t> some(5000);
    uint64_t bytes_read = 0;
    ASSERT_TRUE(reader->ReadAt(at + 100'000, some, &bytes_read).ok());
  }
  EXPECT_EQ(Bytes(true), 0u);
  ReadOn(reader.get(), 100'000, 2 * kMiB - kMiB + (payload_.size() % kMiB) + 100'000,
         2 * kMiB + (payload_.size() % kMiB));
  EXPECT_GT(Bytes(true), 0u);  // and there it goes on
}

TEST_F(ReadAheadTest, NothingIsAskedForOfWhatIsInMemoryOrRead) {
  auto reader = Reader("small");
  ReadOn(reader.get(), 300'000, 0, 300'000);
  EXPECT_EQ(Bytes(true), 0u);
  ASSERT_TRUE(file_->Put("waits", payload_.substr(0, 5 * kMiB)).ok());
  reader = Reader("waits");
  ReadOn(reader.get(), 100'000, 0, 5 * kMiB - 100'000);
  EXPECT_EQ(Bytes(true), 0u);
  EXPECT_EQ(Bytes(false), 0u);
}

// A damaged chunk is the fault of reads that want it, and of no others.
TEST_F(ReadAheadTest, DamageIsToldWhereItIsAndThePositionStays) {
  ASSERT_TRUE(file_->Close().ok());
  std::string& bytes = memory_["blocks"];
  constexpr uint64_t kAt = 3 * kMiB + 70'000;
  const size_t place = bytes.find(payload_.substr(kAt, 100));
  ASSERT_NE(place, std::string::npos);
  bytes[place] ^= 1;
  file_ = Open(&disk_, "blocks", SmallStretches());
  const auto reader = Reader("large");
  const uint64_t chunk = kAt / kChunkBytes * kChunkBytes;
  ReadOn(reader.get(), 4096, 0, chunk);
  std::vector<uint8_t> some(4096);
  uint64_t bytes_read = 0;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(reader->Read(some, &bytes_read).code(), Code::kCorrupt);
    EXPECT_EQ(reader->ReadAt(kAt, some, &bytes_read).code(), Code::kCorrupt);
  }
  ASSERT_TRUE(reader->Seek(chunk - 4096).ok());
  ReadOn(reader.get(), 4096, chunk - 4096, chunk);
  EXPECT_EQ(reader->Read(some, &bytes_read).code(), Code::kCorrupt);
  ASSERT_TRUE(reader->Seek(chunk + kChunkBytes).ok());
  ReadOn(reader.get(), 4096, chunk + kChunkBytes, payload_.size());
}

// ---- writing ----

TEST(StreamWriterTest, ALongBlockHasFewExtents) {
  MemoryDisk disk;
  const auto file = Open(&disk, "blocks", SmallStretches());
  const std::string payload(16 * kMiB, 'x');
  ASSERT_TRUE(file->Stream(nullptr, "a", payload, 50'000).ok());
  ASSERT_TRUE(file->Flush().ok());
  ExpectHolds(file.get(), "a", payload);
  std::unique_ptr<StreamReader> reader;
  ASSERT_TRUE(file->get()->OpenReader(nullptr, "a", &reader).ok());
  EXPECT_LE(reader->block()->parts.size(), 4u);
}

// FULL adds nothing, and what was written before is as it was, whatever the sizes.
TEST(StreamWriterTest, AFullDiskAddsNothingAndItCanBeCalledAgain) {
  uint64_t full = 0;
  for (uint64_t seed = 0; seed < 60 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Prng random(seed);
    TempFolder folder;
    SimDisk disk(folder.path(), seed, SimDisk::Record::kNo);
    const auto file = Open(&disk, folder.File("blocks"), SmallStretches());
    const std::string other = RandomBytes(&random, 100'000);
    ASSERT_TRUE(file->Put("other", other).ok());
    ASSERT_TRUE(file->Flush().ok());
    const std::string payload = RandomBytes(&random, 4 * kMiB + random.Below(100'000));
    std::unique_ptr<StreamWriter> writer;
    ASSERT_TRUE(file->get()->OpenWriter(nullptr, "a", kAnyVersion, &writer).ok());
    disk.SetSpace(random.Below(5 * kMiB));
    for (uint64_t at = 0; at < payload.size() && !::testing::Test::HasFailure();) {
      const uint64_t size = 1 + random.Below(random.OneIn(2) ? 2 * kMiB : 90'000);
      const std::string_view piece = std::string_view(payload).substr(at, size);
      const Status status = writer->Write(AsBytes(piece));
      if (status.code() == Code::kFull) {
        ++full;
        disk.SetSpace(random.Below(3 * kMiB));
        ASSERT_TRUE(file->Put("small", std::string(random.Below(100), 's')).ok());
        const Status flushed = file->Checkpoint();
        ASSERT_TRUE(flushed.ok() || flushed.code() == Code::kFull) << flushed.message();
        continue;
      }
      ASSERT_TRUE(status.ok()) << status.message();
      at += piece.size();
    }
    disk.SetSpace(std::nullopt);
    uint64_t version = 0;
    const Status status = writer->Commit(&version);
    ASSERT_TRUE(status.ok()) << status.message();
    writer.reset();
    for (int round = 0; round < 2; ++round) {
      ExpectHolds(file.get(), "a", payload);
      ExpectHolds(file.get(), "other", other);
      const Status sound = file->CheckSpace(true);
      ASSERT_TRUE(sound.ok()) << sound.message();
      ASSERT_TRUE(file->Checkpoint().ok());
    }
  }
  EXPECT_GT(full, 20u);
}

// What was held beyond the payload, and what writers gave up, is free after the next checkpoint.
TEST(StreamWriterTest, PagesThatNothingNamesComeBack) {
  MemoryDisk disk;
  const auto file = Open(&disk, "blocks", SmallStretches());
  const auto pages_in_use = [&] {
    EXPECT_TRUE(file->Put("small", "x").ok());
    EXPECT_TRUE(file->Checkpoint().ok());
    EXPECT_TRUE(file->Put("small", "y").ok());
    EXPECT_TRUE(file->Checkpoint().ok());
    const blockfile::FileStats stats = file->get()->Stats();
    return stats.bytes_used + stats.bytes_held;
  };
  const uint64_t before = pages_in_use();
  const std::string payload(3 * kMiB, 'x');
  for (int i = 0; i < 5; ++i) {
    std::unique_ptr<StreamWriter> writer;
    ASSERT_TRUE(file->get()->OpenWriter(nullptr, "a", kAnyVersion, &writer).ok());
    ASSERT_TRUE(writer->Write(AsBytes(payload)).ok());
    EXPECT_GE(pages_in_use(), before + payload.size());
    writer.reset();
    EXPECT_LE(pages_in_use(), before + kMiB);
    ASSERT_TRUE(file->Stream(nullptr, "b", payload, 70'000).ok());
    EXPECT_LE(pages_in_use(), before + payload.size() + kMiB);
    ASSERT_TRUE(file->Remove("b").ok());
    EXPECT_LE(pages_in_use(), before + kMiB);
  }
}

uint64_t ResidentBytes() {
  uint64_t pages = 0;
  uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

// With settings that users have, on a real disk.
TEST(StreamMemoryTest, AStreamOfAnyLengthTakesFewMiB) {
  constexpr uint64_t kPieces = 256;
  TempFolder folder;
  const auto file = Open(io::PosixFileSystem(), folder.File("blocks"), {});
  Prng random(1);
  std::string piece = RandomBytes(&random, kMiB);
  std::vector<uint8_t> found(kMiB);
  std::unique_ptr<StreamWriter> writer;
  std::unique_ptr<StreamReader> reader;
  ASSERT_TRUE(file->get()->OpenWriter(nullptr, "a", kAnyVersion, &writer).ok());
  Status status;
  uint64_t different = 0;
  const uint64_t before = ResidentBytes();
  uint64_t most = before;
  for (uint64_t i = 0; i < kPieces && status.ok(); ++i) {
    piece[i] = static_cast<char>(i);
    status = writer->Write(AsBytes(piece));
    most = std::max(most, ResidentBytes());
  }
  uint64_t version = 0;
  status = status.ok() ? writer->Commit(&version) : status;
  status = status.ok() ? file->Flush() : status;
  status = status.ok() ? file->get()->OpenReader(nullptr, "a", &reader) : status;
  for (uint64_t i = 0; i < kPieces && status.ok(); ++i) {
    uint64_t bytes_read = 0;
    status = reader->Read(found, &bytes_read);
    most = std::max(most, ResidentBytes());
    different += bytes_read == kMiB && found[i] == static_cast<uint8_t>(i) ? 0 : 1;
    different +=
        i + 1 == kPieces && !std::equal(found.begin(), found.end(), AsBytes(piece).begin()) ? 1 : 0;
  }
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(different, 0u);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose shadow grows as well
  EXPECT_LT(most - before, 16 * kMiB);
#endif
  std::printf("%llu KiB\n", static_cast<unsigned long long>((most - before) >> 10));
}

}  // namespace
}  // namespace spillway::test
