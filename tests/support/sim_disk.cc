#include "tests/support/sim_disk.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "gtest/gtest.h"
#include "internal/io/posix_file.h"
#include "tests/support/power_cut.h"
#include "tests/support/sim_file.h"

namespace spillway::test {

using base::Code;
using base::Result;
using base::Status;
using Guard = std::lock_guard<std::recursive_mutex>;

namespace {

constexpr const char* kCallNames[] = {
    "open",           "read",        "write", "truncate", "reserve", "punch hole",  "size",
    "allocated size", "sync",        "lock",  "remove",   "rename",  "sync folder", "exists",
    "open folder",    "make folder", "list",  "look",     "any"};
static_assert(std::size(kCallNames) == static_cast<size_t>(Call::kAny) + 1);

const char* NameOfCall(Call kind) { return kCallNames[static_cast<size_t>(kind)]; }

}  // namespace

SimDisk::SimDisk(std::string folder, uint64_t seed, Record record)
    : folder_(std::move(folder)), record_(record), real_(io::PosixFileSystem()), random_(seed) {
  if (record_ == Record::kNo) {
    return;
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    const std::string name = NameOf(entry.path().string());
    if (entry.is_directory()) {
      first_names_[name] = Change::kFolder;
      continue;
    }
    std::ifstream in(entry.path(), std::ios::binary);
    first_names_[name] = nodes_++;
    first_contents_.emplace_back(std::istreambuf_iterator<char>(in),
                                 std::istreambuf_iterator<char>());
  }
  names_ = first_names_;
}

SimDisk::~SimDisk() = default;

template <class Real, class Note>
auto SimDisk::Do(Call kind, const std::string& path, Real&& real, Note&& note) -> decltype(real()) {
  Guard guard(mutex_);
  if (const auto os_code = Strike(kind)) {
    return Failure(kind, path, *os_code);
  }
  auto result = real();
  if (result.ok()) {
    note();
  }
  return result;
}

template <class Existed, class Real>
Result<std::unique_ptr<io::File>> SimDisk::Open(const std::string& path, Existed&& existed,
                                                Real&& real) {
  Guard guard(mutex_);
  if (const auto os_code = Strike(Call::kOpen)) {
    return Failure(Call::kOpen, path, *os_code);
  }
  const bool was_there = existed();
  Result<std::unique_ptr<io::File>> file = real();
  if (!file.ok()) {
    return file.status();
  }
  const std::string name = NameOf(path);
  if (!was_there) {
    names_[name] = nodes_++;
    Log({Change::Kind::kCreate, names_[name], 0, {}, name, {}});
  }
  return std::unique_ptr<io::File>(
      std::make_unique<SimFile>(this, NodeOf(name), std::move(file.value())));
}

Result<std::unique_ptr<io::File>> SimDisk::OpenFile(const std::string& path, io::Open mode) {
  if (mode == io::Open::kNameless) {
    return OpenNameless(path);
  }
  return Open(
      path,
      [&] {
        const Result<bool> existed = real_->Exists(path);
        return existed.ok() && existed.value();
      },
      [&] { return real_->OpenFile(path, mode); });
}

Result<std::unique_ptr<io::File>> SimDisk::OpenNameless(const std::string& folder) {
  Guard guard(mutex_);
  if (const auto os_code = Strike(Call::kOpen)) {
    return Failure(Call::kOpen, folder, *os_code);
  }
  Result<std::unique_ptr<io::File>> file = real_->OpenFile(folder, io::Open::kNameless);
  if (!file.ok()) {
    return file.status();
  }
  const uint64_t node = nodes_++;
  Log({Change::Kind::kCreate, node, 0, {}, {}, {}});
  return std::unique_ptr<io::File>(
      std::make_unique<SimFile>(this, node, std::move(file.value()), true));
}

Status SimDisk::Remove(const std::string& path) {
  return Do(
      Call::kRemove, path, [&] { return real_->Remove(path); }, [&] { NoteRemove(NameOf(path)); });
}

Status SimDisk::RenameNew(const std::string& from, const std::string& to) {
  return Do(
      Call::kRename, from, [&] { return real_->RenameNew(from, to); },
      [&] { NoteRename(NameOf(from), NameOf(to)); });
}

Status SimDisk::SyncFolderOf(const std::string& path) {
  const std::string name = NameOf(path);
  const size_t slash = name.rfind('/');
  return SyncNames(path, slash == std::string::npos ? "" : name.substr(0, slash));
}

Status SimDisk::SyncNames(const std::string& path, const std::string& folder) {
  Guard guard(mutex_);
  syncs_after_failure_ += sync_failed_ ? 1 : 0;
  if (const auto os_code = Strike(Call::kSyncFolder)) {
    sync_failed_ = true;
    return Failure(Call::kSyncFolder, path, *os_code);
  }
  Log({Change::Kind::kSyncFolder, 0, 0, {}, folder, {}});
  return Status();
}

Result<bool> SimDisk::Exists(const std::string& path) {
  return Do(
      Call::kExists, path, [&] { return real_->Exists(path); }, [] {});
}

Status SimDisk::MakeFolder(const std::string& path) {
  return Do(
      Call::kMakeFolder, path, [&] { return real_->MakeFolder(path); },
      [&] { NoteFolder(NameOf(path)); });
}

void SimDisk::NoteFolder(const std::string& name) {
  names_[name] = Change::kFolder;
  Log({Change::Kind::kCreate, Change::kFolder, 0, {}, name, {}});
}

void SimDisk::NoteRemove(const std::string& name) {
  Log({Change::Kind::kRemove, NodeOf(name), 0, {}, name, {}});
  names_.erase(name);
}

void SimDisk::NoteRename(const std::string& from, const std::string& to) {
  const uint64_t node = NodeOf(from);
  Log({Change::Kind::kRename, node, 0, {}, from, to});
  names_.erase(from);
  names_[to] = node;
}

class SimFolder final : public io::Folder {
 public:
  SimFolder(SimDisk* disk, std::unique_ptr<io::Folder> real)
      : Folder(real->path()), disk_(disk), real_(std::move(real)) {}

  Status List(const EachName& each) override {
    return disk_->Do(
        Call::kList, path(), [&] { return real_->List(each); }, [] {});
  }
  Result<io::Entry> Look(const std::string& name) override {
    return disk_->Do(
        Call::kLook, Below(name), [&] { return real_->Look(name); }, [] {});
  }
  Result<std::unique_ptr<io::File>> OpenFile(const std::string& name, io::Open mode) override {
    return disk_->Open(
        Below(name), [&] { return real_->Look(name).ok(); },
        [&] { return real_->OpenFile(name, mode); });
  }
  Result<std::unique_ptr<io::Folder>> OpenFolder(const std::string& name) override {
    return disk_->OpenBelow(Below(name), [&] { return real_->OpenFolder(name); });
  }
  Status MakeFolder(const std::string& name) override {
    return disk_->Do(
        Call::kMakeFolder, Below(name), [&] { return real_->MakeFolder(name); },
        [&] { disk_->NoteFolder(NameOf(name)); });
  }
  Status Remove(const std::string& name) override {
    return disk_->Do(
        Call::kRemove, Below(name), [&] { return real_->Remove(name); },
        [&] { disk_->NoteRemove(NameOf(name)); });
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return disk_->Do(
        Call::kRename, Below(to), [&] { return real_->Rename(from, to); },
        [&] { disk_->NoteRename(NameOf(from), NameOf(to)); });
  }
  Status Sync() override { return disk_->SyncNames(path(), disk_->NameOf(path())); }

 private:
  std::string Below(const std::string& name) const { return path() + "/" + name; }
  std::string NameOf(const std::string& name) const { return disk_->NameOf(Below(name)); }

  SimDisk* const disk_;
  const std::unique_ptr<io::Folder> real_;
};

template <class Real>
Result<std::unique_ptr<io::Folder>> SimDisk::OpenBelow(const std::string& path, Real&& real) {
  Result<std::unique_ptr<io::Folder>> folder = Do(Call::kOpenFolder, path, real, [] {});
  if (!folder.ok()) {
    return folder.status();
  }
  return std::unique_ptr<io::Folder>(std::make_unique<SimFolder>(this, std::move(folder.value())));
}

Result<std::unique_ptr<io::Folder>> SimDisk::OpenFolder(const std::string& path) {
  return OpenBelow(path, [&] { return real_->OpenFolder(path); });
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

void SimDisk::SetWatcher(std::function<void(uint64_t)> watcher) {
  Guard guard(mutex_);
  watcher_ = std::move(watcher);
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
  const uint64_t calls = ++calls_[static_cast<size_t>(Call::kAny)];
  if (watcher_ != nullptr) {
    watcher_(calls);
  }
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
                     kind == Call::kPunchHole || kind == Call::kOpen || kind == Call::kRename ||
                     kind == Call::kMakeFolder;
  const bool full = status.code() == Code::kFull;
  return full && !grows ? status.As(Code::kIo) : status;
}

void SimDisk::Log(Change change) {
  if (record_ == Record::kYes) {
    log_.push_back(std::move(change));
  }
}

std::string SimDisk::NameOf(const std::string& path) const {
  if (path == folder_) {
    return "";
  }
  return path.starts_with(folder_ + "/") ? path.substr(folder_.size() + 1)
                                         : path.substr(path.rfind('/') + 1);
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
