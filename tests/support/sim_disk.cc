#include "tests/support/sim_disk.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "internal/io/posix_file.h"

namespace spillway::test {

using base::Code;
using base::Result;
using base::Status;
using Guard = std::lock_guard<std::recursive_mutex>;

namespace {

constexpr const char* kCallNames[] = {
    "open", "read", "write",  "truncate", "reserve",     "punch hole", "size", "allocated size",
    "sync", "lock", "remove", "rename",   "sync folder", "exists",     "any"};
static_assert(std::size(kCallNames) == static_cast<size_t>(Call::kAny) + 1);

const char* NameOfCall(Call kind) { return kCallNames[static_cast<size_t>(kind)]; }

}  // namespace

class SimFile final : public io::File {
 public:
  SimFile(SimDisk* disk, uint64_t node, std::unique_ptr<io::File> real)
      : File(real->path()), disk_(disk), node_(node), real_(std::move(real)) {}

  Status ReadAt(uint64_t offset, std::span<uint8_t> buffer, size_t* bytes_read) override {
    Guard guard(disk_->mutex_);
    if (const auto os_code = disk_->Strike(Call::kRead)) {
      *bytes_read = 0;
      return disk_->Failure(Call::kRead, path(), *os_code);
    }
    return real_->ReadAt(offset, buffer, bytes_read);
  }

  Status WriteAt(uint64_t offset, std::span<const uint8_t> bytes) override {
    Guard guard(disk_->mutex_);
    if (const auto os_code = disk_->Strike(Call::kWrite)) {
      SPW_RETURN_IF_ERROR(Write(offset, bytes.first(SomeOf(bytes.size()))));
      return disk_->Failure(Call::kWrite, path(), *os_code);
    }
    const Result<uint64_t> size = real_->Size();
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
    const Result<uint64_t> size = real_->Size();
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
    const Result<uint64_t> size = real_->Size();
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

  Result<uint64_t> Size() override {
    Guard guard(disk_->mutex_);
    if (const auto os_code = disk_->Strike(Call::kSize)) {
      return disk_->Failure(Call::kSize, path(), *os_code);
    }
    return real_->Size();
  }

  Result<uint64_t> AllocatedBytes() override {
    Guard guard(disk_->mutex_);
    if (const auto os_code = disk_->Strike(Call::kAllocatedBytes)) {
      return disk_->Failure(Call::kAllocatedBytes, path(), *os_code);
    }
    return real_->AllocatedBytes();
  }

  // Any write may be on the device before its sync anyway.
  void StartWriting(uint64_t, uint64_t) override {}
  void StartReading(uint64_t, uint64_t) override {}

  Status Sync() override {
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
};

SimDisk::SimDisk(std::string folder, uint64_t seed, Record record)
    : folder_(std::move(folder)), record_(record), real_(io::PosixFileSystem()), random_(seed) {
  if (record_ == Record::kNo) {
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    std::ifstream in(entry.path(), std::ios::binary);
    first_names_[name] = nodes_++;
    first_contents_.emplace_back(std::istreambuf_iterator<char>(in),
                                 std::istreambuf_iterator<char>());
  }
  names_ = first_names_;
}

SimDisk::~SimDisk() = default;

Result<std::unique_ptr<io::File>> SimDisk::OpenFile(const std::string& path, io::Open mode) {
  Guard guard(mutex_);
  if (const auto os_code = Strike(Call::kOpen)) {
    return Failure(Call::kOpen, path, *os_code);
  }
  const Result<bool> existed = real_->Exists(path);
  if (!existed.ok()) {
    return existed.status();
  }
  Result<std::unique_ptr<io::File>> file = real_->OpenFile(path, mode);
  if (!file.ok()) {
    return file.status();
  }
  const std::string name = NameOf(path);
  if (!existed.value()) {
    names_[name] = nodes_++;
    Log({Change::Kind::kCreate, names_[name], 0, {}, name, {}});
  }
  return std::unique_ptr<io::File>(
      std::make_unique<SimFile>(this, NodeOf(name), std::move(file.value())));
}

Status SimDisk::Remove(const std::string& path) {
  Guard guard(mutex_);
  if (const auto os_code = Strike(Call::kRemove)) {
    return Failure(Call::kRemove, path, *os_code);
  }
  SPW_RETURN_IF_ERROR(real_->Remove(path));
  const std::string name = NameOf(path);
  Log({Change::Kind::kRemove, NodeOf(name), 0, {}, name, {}});
  names_.erase(name);
  return Status();
}

Status SimDisk::RenameNew(const std::string& from, const std::string& to) {
  Guard guard(mutex_);
  if (const auto os_code = Strike(Call::kRename)) {
    return Failure(Call::kRename, from, *os_code);
  }
  SPW_RETURN_IF_ERROR(real_->RenameNew(from, to));
  const uint64_t node = NodeOf(NameOf(from));
  Log({Change::Kind::kRename, node, 0, {}, NameOf(from), NameOf(to)});
  names_.erase(NameOf(from));
  names_[NameOf(to)] = node;
  return Status();
}

Status SimDisk::SyncFolderOf(const std::string& path) {
  Guard guard(mutex_);
  syncs_after_failure_ += sync_failed_ ? 1 : 0;
  if (const auto os_code = Strike(Call::kSyncFolder)) {
    sync_failed_ = true;
    return Failure(Call::kSyncFolder, path, *os_code);
  }
  Log({Change::Kind::kSyncFolder, 0, 0, {}, {}, {}});
  return Status();
}

Result<bool> SimDisk::Exists(const std::string& path) {
  Guard guard(mutex_);
  if (const auto os_code = Strike(Call::kExists)) {
    return Failure(Call::kExists, path, *os_code);
  }
  return real_->Exists(path);
}

void SimDisk::Fail(const Fault& fault) {
  Guard guard(mutex_);
  fault_ = fault;
  fault_at_ = calls_[static_cast<size_t>(fault.kind)] + fault.number;
  failed_ = false;
}

void SimDisk::Heal() {
  Guard guard(mutex_);
  fault_.reset();
}

bool SimDisk::HasFailed() const {
  Guard guard(mutex_);
  return failed_;
}

void SimDisk::SetSpace(std::optional<uint64_t> bytes) {
  Guard guard(mutex_);
  space_ = bytes;
  failed_ = false;
}

uint64_t SimDisk::calls(Call kind) const {
  Guard guard(mutex_);
  return calls_[static_cast<size_t>(kind)];
}

uint64_t SimDisk::bytes_written() const {
  Guard guard(mutex_);
  return bytes_written_;
}

uint64_t SimDisk::syncs_after_failure() const {
  Guard guard(mutex_);
  return syncs_after_failure_;
}

void SimDisk::PardonFailedSyncs() {
  Guard guard(mutex_);
  sync_failed_ = false;
}

size_t SimDisk::log_size() const {
  Guard guard(mutex_);
  return log_.size();
}

std::optional<int> SimDisk::Strike(Call kind) {
  ++calls_[static_cast<size_t>(kind)];
  ++calls_[static_cast<size_t>(Call::kAny)];
  if (!fault_.has_value() || (fault_->kind != Call::kAny && fault_->kind != kind)) {
    return std::nullopt;
  }
  const uint64_t count = calls_[static_cast<size_t>(fault_->kind)];
  if (count < fault_at_ || (count > fault_at_ && !fault_->for_ever)) {
    return std::nullopt;
  }
  failed_ = true;
  return fault_->os_code;
}

Status SimDisk::Failure(Call kind, const std::string& path, int os_code) const {
  const Status status = io::OsError(NameOfCall(kind), path, os_code);
  // As the seam has it: only what takes room can be full.
  const bool grows = kind == Call::kWrite || kind == Call::kTruncate || kind == Call::kReserve ||
                     kind == Call::kPunchHole || kind == Call::kOpen || kind == Call::kRename;
  const bool full = status.code() == Code::kFull;
  return full && !grows ? status.As(Code::kIo) : status;
}

void SimDisk::Log(Change change) {
  if (record_ == Record::kYes) {
    log_.push_back(std::move(change));
  }
}

std::string SimDisk::NameOf(const std::string& path) const {
  return path.substr(path.rfind('/') + 1);
}

uint64_t SimDisk::NodeOf(const std::string& name) {
  const auto found = names_.find(name);
  return found == names_.end() ? 0 : found->second;
}

uint64_t SimDisk::TakeSpace(uint64_t bytes) {
  if (!space_.has_value()) {
    return bytes;
  }
  const uint64_t taken = std::min(bytes, *space_);
  *space_ -= taken;
  return taken;
}

}  // namespace spillway::test
