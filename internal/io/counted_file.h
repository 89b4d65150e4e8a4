// A file that counts what goes through it. Counters may be read by any thread.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "internal/io/file.h"

namespace spillway::io {

struct FileCounters {
  std::atomic<uint64_t> bytes_read{0};
  std::atomic<uint64_t> bytes_written{0};
  std::atomic<uint64_t> syncs{0};
};

class CountedFile final : public File {
 public:
  // The counters outlive the file.
  CountedFile(std::shared_ptr<File> file, FileCounters* counters)
      : File(file->path()), file_(std::move(file)), counters_(counters) {}

  base::Status ReadAt(uint64_t offset, std::span<uint8_t> buffer, size_t* bytes_read) override {
    const base::Status status = file_->ReadAt(offset, buffer, bytes_read);
    Add(&counters_->bytes_read, *bytes_read);
    return status;
  }
  base::Status WriteAt(uint64_t offset, std::span<const uint8_t> bytes) override {
    Add(&counters_->bytes_written, bytes.size());
    return file_->WriteAt(offset, bytes);
  }
  base::Status Truncate(uint64_t size) override { return file_->Truncate(size); }
  base::Result<uint64_t> Size() override { return file_->Size(); }
  void StartWriting(uint64_t offset, uint64_t bytes) override {
    file_->StartWriting(offset, bytes);
  }
  void StartReading(uint64_t offset, uint64_t bytes) override {
    file_->StartReading(offset, bytes);
  }
  void ForgetCached() override { file_->ForgetCached(); }
  base::Status Sync() override {
    Add(&counters_->syncs, 1);
    return file_->Sync();
  }
  base::Status Lock() override { return file_->Lock(); }
  base::Status LockShared() override { return file_->LockShared(); }
  base::Status Reserve(uint64_t offset, uint64_t bytes) override {
    return file_->Reserve(offset, bytes);
  }
  base::Status PunchHole(uint64_t offset, uint64_t bytes) override {
    return file_->PunchHole(offset, bytes);
  }
  base::Result<uint64_t> AllocatedBytes() override { return file_->AllocatedBytes(); }

 private:
  static void Add(std::atomic<uint64_t>* counter, uint64_t count) {
    counter->fetch_add(count, std::memory_order_relaxed);
  }

  const std::shared_ptr<File> file_;
  FileCounters* const counters_;
};

}  // namespace spillway::io
