// A disk that fails and loses power on command, behind io::FileSystem.
//
// It wraps real files in a folder of the test's (so that SQLite's own locks and shared memory find
// real paths) and keeps a log of everything that changes them. From the log, PowerCut (power_cut.h)
// makes the folder as it may be found after the power failed at any moment.
//
// Faults are told by call: "the third write fails with EIO", "the fifth call of any kind and all
// after it fail with ENOSPC". A failing write may have written some of its bytes. A hole is a write
// of zeros: as little of it is on the device before the next sync. A sync that fails
// leaves its file as Linux does: what was not synced is marked clean and never reaches the device,
// though reads still show it. Thread-safe. Names are paths below its folder.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "internal/io/file.h"
#include "tests/support/prng.h"

namespace spillway::test {

enum class Call {
  kOpen,
  kRead,
  kWrite,
  kTruncate,
  kReserve,
  kPunchHole,
  kSize,
  kAllocatedBytes,
  kSync,
  kLock,  // exclusive or shared
  kRemove,
  kRename,
  kSyncFolder,
  kExists,
  kOpenFolder,
  kMakeFolder,
  kList,
  kLook,
  kAny,  // all of them, and their number
};

struct Fault {
  Call kind = Call::kAny;
  uint64_t number = 1;  // of the calls of this kind from now on; 1 is the next
  int os_code = 0;      // errno
  bool for_ever = false;
};

// One change, in the order of the calls. A node is a file whatever its name.
struct Change {
  enum class Kind {
    kCreate,  // also of a folder
    kRename,
    kRemove,
    kWrite,
    kTruncate,
    kSync,
    kFailedSync,
    kSyncFolder
  };
  static constexpr uint64_t kFolder = UINT64_MAX;  // the node of every folder
  Kind kind;
  uint64_t node = 0;
  uint64_t offset = 0;  // kWrite; the size for kTruncate, which also tells of a reservation
  std::vector<uint8_t> bytes;
  std::string name;  // kCreate ("": none), kRemove, kSyncFolder ("": the whole), kRename (the old)
  std::string to;
};

class SimDisk final : public io::FileSystem {
 public:
  enum class Record { kNo, kYes };

  // Files that are in the folder already are on the device. The seed decides how much a failing
  // write writes.
  SimDisk(std::string folder, uint64_t seed, Record record = Record::kYes);
  ~SimDisk() override;

  base::Result<std::unique_ptr<io::File>> OpenFile(const std::string& path, io::Open mode) override;
  base::Status Remove(const std::string& path) override;
  base::Status RenameNew(const std::string& from, const std::string& to) override;
  base::Status SyncFolderOf(const std::string& path) override;
  base::Result<bool> Exists(const std::string& path) override;
  base::Result<std::unique_ptr<io::Folder>> OpenFolder(const std::string& path) override;
  base::Status MakeFolder(const std::string& path) override;

  // Arms a fault instead of an earlier one, or ends it.
  void Fail(const Fault& fault);
  void Heal();
  // Whether the armed fault has struck.
  bool HasFailed() const;

  // Runs before each call with the number of calls so far; must not use the disk. Empty: no more.
  void SetWatcher(std::function<void(uint64_t calls)> watcher);
  // Runs before each write, where it may wait while others use the disk. Set it while nobody does.
  void SetGate(std::function<void()> gate) { gate_ = std::move(gate); }

  // Files may grow together by at most this from now on, by writes and reservations; nullopt:
  // without limit.
  void SetSpace(std::optional<uint64_t> bytes);

  uint64_t calls(Call kind) const;
  uint64_t bytes_written() const;
  // Syncs that were asked for after one had failed, until PardonFailedSyncs (the store was opened
  // anew).
  uint64_t syncs_after_failure() const;
  void PardonFailedSyncs();

  // For PowerCut, while nobody uses the disk.
  size_t log_size() const;
  const std::vector<Change>& log() const { return log_; }
  const std::map<std::string, uint64_t>& first_names() const { return first_names_; }
  const std::vector<std::vector<uint8_t>>& first_contents() const { return first_contents_; }

 private:
  friend class SimFile;
  friend class SimFolder;

  // Counts the call. nullopt: go on; else its errno.
  std::optional<int> Strike(Call kind);
  base::Status Failure(Call kind, const std::string& path, int os_code) const;
  void Log(Change change);
  // Does one call: `real` unless a fault strikes, then what is to be noted.
  template <class Real, class Note>
  auto Do(Call kind, const std::string& path, Real&& real, Note&& note) -> decltype(real());
  // The same for both ways to open a file; `existed` before.
  template <class Existed, class Real>
  base::Result<std::unique_ptr<io::File>> Open(const std::string& path, Existed&& existed,
                                               Real&& real);
  base::Result<std::unique_ptr<io::File>> OpenNameless(const std::string& folder);
  template <class Real>
  base::Result<std::unique_ptr<io::Folder>> OpenBelow(const std::string& path, Real&& real);
  base::Status SyncNames(const std::string& path, const std::string& folder);
  void NoteFolder(const std::string& name);
  void NoteRemove(const std::string& name);
  void NoteRename(const std::string& from, const std::string& to);
  std::string NameOf(const std::string& path) const;
  uint64_t NodeOf(const std::string& name);
  // How many of `bytes` behind the end of a file there is room for; takes the room.
  uint64_t TakeSpace(uint64_t bytes);

  const std::string folder_;
  const Record record_;
  io::FileSystem* const real_;

  mutable std::recursive_mutex mutex_;
  Prng random_;
  std::array<uint64_t, static_cast<size_t>(Call::kAny) + 1> calls_ = {};
  std::optional<Fault> fault_;
  uint64_t fault_at_ = 0;  // count of its kind at which it strikes
  bool failed_ = false;
  std::optional<uint64_t> space_;
  std::function<void(uint64_t)> watcher_;
  std::function<void()> gate_;
  uint64_t bytes_written_ = 0;
  bool sync_failed_ = false;
  uint64_t syncs_after_failure_ = 0;
  std::vector<Change> log_;
  std::map<std::string, uint64_t> first_names_;
  std::vector<std::vector<uint8_t>> first_contents_;  // by node
  std::map<std::string, uint64_t> names_;             // as they are now
  uint64_t nodes_ = 0;
};

}  // namespace spillway::test
