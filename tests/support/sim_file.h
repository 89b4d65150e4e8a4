// A file of a SimDisk: each call is counted, may fail as the disk says, and is logged.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "tests/support/sim_disk.h"

namespace spillway::test {

class SimFile final : public io::File {
 public:
  using Guard = std::lock_guard<std::recursive_mutex>;
  using Status = base::Status;
  SimFile(SimDisk* disk, uint64_t node, std::unique_ptr<io::File> real, bool nameless = false)
      : File(real->path()), disk_(disk), node_(node), real_(std::move(real)), nameless_(nameless) {}

  Status ReadAt(uint64_t offset, std::span<uint8_t> buffer, size_t* bytes_read) override {
    Guard guard(disk_->mutex_);
    if (const auto os_code = disk_->Strike(Call::kRead)) {
      *bytes_read = 0;
      return disk_->Failure(Call::kRead, path(), *os_code);
    }
    return real_->ReadAt(offset, buffer, bytes_read);
  }

  Status WriteAt(uint64_t offset, std::span<const uint8_t> bytes) override {
    if (disk_->gate_ != nullptr) {
      disk_->gate_();
    }
    Guard guard(disk_->mutex_);
    if (const auto os_code = disk_->Strike(Call::kWrite)) {
      SPW_RETURN_IF_ERROR(Write(offset, bytes.first(SomeOf(bytes.size()))));
      return disk_->Failure(Call::kWrite, path(), *os_code);
    }
    const base::Result<uint64_t> size = real_->Size();
    if (!size.ok()) {
      return size.status();
    }
    const uint64_t end = offset + bytes.size();
    const uint64_t growth = end > size.value() ? end - size.value() : 0;
    const uint64_t missing = growth - disk_->TakeSpace(growth);
    if (missing == 0) {
      return Write(offset, bytes);
    }
    SPW_RETURN_IF_ERROR(
        Write(offset, bytes.first(bytes.size() - std::min<uint64_t>(missing, bytes.size()))));
    disk_->failed_ = true;
    return disk_->Failure(Call::kWrite, path(), ENOSPC);
  }

  Status Truncate(uint64_t size) override {
    Guard guard(disk_->mutex_);
    if (const auto os_code = disk_->Strike(Call::kTruncate)) {
      return disk_->Failure(Call::kTruncate, path(), *os_code);
    }
    disk_->Log({Change::Kind::kTruncate, node_, size, {}, {}, {}});
    return real_->Truncate(size);
  }

  // What it adds to the file is there or not, as with a truncation.
  Status Reserve(uint64_t offset, uint64_t bytes) override {
    Guard guard(disk_->mutex_);
    if (const auto os_code = disk_->Strike(Call::kReserve)) {
      return disk_->Failure(Call::kReserve, path(), *os_code);
    }
    const base::Result<uint64_t> size = real_->Size();
    if (!size.ok()) {
      return size.status();
    }
    const uint64_t end = offset + bytes;
    const uint64_t growth = end > size.value() ? end - size.value() : 0;
    if (disk_->space_.has_value() && *disk_->space_ < growth) {
      disk_->failed_ = true;
      return disk_->Failure(Call::kReserve, path(), ENOSPC);
    }
    SPW_RETURN_IF_ERROR(real_->Reserve(offset, bytes));
    disk_->TakeSpace(growth);
    if (growth > 0) {
      disk_->Log({Change::Kind::kTruncate, node_, end, {}, {}, {}});
    }
    return Status();
  }

  Status PunchHole(uint64_t offset, uint64_t bytes) override {
    Guard guard(disk_->mutex_);
    const auto os_code = disk_->Strike(Call::kPunchHole);
    const base::Result<uint64_t> size = real_->Size();
    if (!size.ok()) {
      return size.status();
    }
    const uint64_t there = std::min(bytes, size.value() - std::min(size.value(), offset));
    const std::vector<uint8_t> zeros(os_code.has_value() ? SomeOf(there) : there);
    SPW_RETURN_IF_ERROR(Write(offset, zeros));  // also where the real disk has no holes
    if (os_code.has_value()) {
      return disk_->Failure(Call::kPunchHole, path(), *os_code);
    }
    return real_->PunchHole(offset, bytes);
  }

  base::Result<uint64_t> Size() override {
    Guard guard(disk_->mutex_);
    if (const auto os_code = disk_->Strike(Call::kSize)) {
      return disk_->Failure(Call::kSize, path(), *os_code);
    }
    return real_->Size();
  }

  base::Result<uint64_t> AllocatedBytes() override {
    Guard guard(disk_->mutex_);
    if (const auto os_code = disk_->Strike(Call::kAllocatedBytes)) {
      return disk_->Failure(Call::kAllocatedBytes, path(), *os_code);
    }
    return real_->AllocatedBytes();
  }

  // Any write may be on the device before its sync anyway.
  void StartWriting(uint64_t, uint64_t) override {}
  void StartReading(uint64_t, uint64_t) override {}

  // Only where there is a log it is known what was lost.
  void ForgetCached() override {
    Guard guard(disk_->mutex_);
    const bool lost =
        std::any_of(disk_->log_.begin(), disk_->log_.end(), [&](const Change& change) {
          return change.kind == Change::Kind::kFailedSync && change.node == node_;
        });
    const base::Result<uint64_t> size = real_->Size();
    if (!lost || !size.ok()) {
      return;
    }
    PowerCut cut(*disk_);
    cut.AdvanceTo(disk_->log_.size());
    std::vector<uint8_t> bytes = cut.WithAllPending(node_);
    bytes.resize(size.value());
    EXPECT_TRUE(real_->WriteAt(0, bytes).ok());
  }

  Status Sync() override {
    if (nameless_) {
      return real_->Sync();  // nothing is to be found after a power cut
    }
    Guard guard(disk_->mutex_);
    disk_->syncs_after_failure_ += disk_->sync_failed_ ? 1 : 0;
    if (const auto os_code = disk_->Strike(Call::kSync)) {
      disk_->sync_failed_ = true;
      disk_->Log({Change::Kind::kFailedSync, node_, 0, {}, {}, {}});
      return disk_->Failure(Call::kSync, path(), *os_code);
    }
    disk_->Log({Change::Kind::kSync, node_, 0, {}, {}, {}});
    return Status();
  }

  Status Lock() override {
    Guard guard(disk_->mutex_);
    if (const auto os_code = disk_->Strike(Call::kLock)) {
      return disk_->Failure(Call::kLock, path(), *os_code);
    }
    return real_->Lock();
  }

  Status LockShared() override {
    Guard guard(disk_->mutex_);
    if (const auto os_code = disk_->Strike(Call::kLock)) {
      return disk_->Failure(Call::kLock, path(), *os_code);
    }
    return real_->LockShared();
  }

 private:
  // What a failing call did of so many bytes: nothing, all but the last, or anything between.
  uint64_t SomeOf(uint64_t bytes) {
    const uint64_t choice = disk_->random_.Below(3);
    return choice == 0   ? 0
           : choice == 1 ? disk_->random_.Below(bytes)
                         : std::max<uint64_t>(bytes, 1) - 1;
  }

  Status Write(uint64_t offset, std::span<const uint8_t> bytes) {
    if (bytes.empty()) {
      return Status();
    }
    disk_->bytes_written_ += bytes.size();
    disk_->Log({Change::Kind::kWrite, node_, offset, {bytes.begin(), bytes.end()}, {}, {}});
    return real_->WriteAt(offset, bytes);
  }

  SimDisk* const disk_;
  const uint64_t node_;
  const std::unique_ptr<io::File> real_;
  const bool nameless_;
};

}  // namespace spillway::test
