// The machine's disk behind a device of a given rate: writes take as long as they would there, and
// what they have taken is a clock that stands still while nothing is written, however busy the
// machine is. Barriers cost nothing, so they do not get in the way of what is measured, and tests
// that need none are quick.
//
// Thread-safe. Lives longer than what was opened by it.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "internal/io/file.h"
#include "internal/io/posix_file.h"

namespace spillway::test {

class SlowDisk final : public io::FileSystem {
 public:
  // 0: as fast as the machine's.
  explicit SlowDisk(uint64_t bytes_per_second = 0) : bytes_per_second_(bytes_per_second) {}

  // So far. Those of a write that is under way count when it is done.
  uint64_t bytes_written() const {
    std::lock_guard lock(mutex_);
    return bytes_written_;
  }

  base::Result<std::unique_ptr<io::File>> OpenFile(const std::string& path,
                                                   io::Open mode) override {
    auto file = disk_->OpenFile(path, mode);
    SPW_RETURN_IF_ERROR(file.status());
    return std::unique_ptr<io::File>(new OpenedFile(this, std::move(file.value())));
  }
  base::Status Remove(const std::string& path) override { return disk_->Remove(path); }
  base::Status RenameNew(const std::string& from, const std::string& to) override {
    return disk_->RenameNew(from, to);
  }
  base::Status SyncFolderOf(const std::string& /*path*/) override { return {}; }
  base::Result<bool> Exists(const std::string& path) override { return disk_->Exists(path); }
  base::Result<std::unique_ptr<io::Folder>> OpenFolder(const std::string& path) override {
    return disk_->OpenFolder(path);
  }
  base::Status MakeFolder(const std::string& path) override { return disk_->MakeFolder(path); }

 private:
  using Clock = std::chrono::steady_clock;
  // What a device writes from its own memory while nobody gives it more.
  static constexpr std::chrono::milliseconds kBacklog{5};

  class OpenedFile final : public io::File {
   public:
    OpenedFile(SlowDisk* disk, std::unique_ptr<io::File> file)
        : File(file->path()), disk_(disk), file_(std::move(file)) {}

    base::Status ReadAt(uint64_t offset, std::span<uint8_t> buffer, size_t* bytes_read) override {
      return file_->ReadAt(offset, buffer, bytes_read);
    }
    base::Status WriteAt(uint64_t offset, std::span<const uint8_t> bytes) override {
      const base::Status status = file_->WriteAt(offset, bytes);
      disk_->Take(bytes.size());
      return status;
    }
    base::Status Truncate(uint64_t size) override { return file_->Truncate(size); }
    base::Status Reserve(uint64_t offset, uint64_t bytes) override {
      return file_->Reserve(offset, bytes);
    }
    base::Status PunchHole(uint64_t offset, uint64_t bytes) override {
      return file_->PunchHole(offset, bytes);
    }
    base::Result<uint64_t> Size() override { return file_->Size(); }
    base::Result<uint64_t> AllocatedBytes() override { return file_->AllocatedBytes(); }
    void StartWriting(uint64_t /*offset*/, uint64_t /*bytes*/) override {}
    void StartReading(uint64_t offset, uint64_t bytes) override {
      file_->StartReading(offset, bytes);
    }
    void ForgetCached() override { file_->ForgetCached(); }
    base::Status Sync() override { return {}; }
    base::Status Lock() override { return file_->Lock(); }
    base::Status LockShared() override { return file_->LockShared(); }

   private:
    SlowDisk* const disk_;
    const std::unique_ptr<io::File> file_;
  };

  // Returns when the device would have written them.
  void Take(uint64_t bytes) {
    std::unique_lock lock(mutex_);
    if (bytes_per_second_ > 0) {
      done_at_ = std::max(done_at_, Clock::now() - kBacklog) +
                 std::chrono::nanoseconds(bytes * 1'000'000'000 / bytes_per_second_);
      const Clock::time_point mine = done_at_;
      never_.wait_until(lock, mine, [&] { return Clock::now() >= mine; });
    }
    bytes_written_ += bytes;
  }

  io::FileSystem* const disk_ = io::PosixFileSystem();
  const uint64_t bytes_per_second_;
  mutable std::mutex mutex_;
  std::condition_variable never_;
  Clock::time_point done_at_;
  uint64_t bytes_written_ = 0;
};

}  // namespace spillway::test
