#include "internal/cold/sqlite_vfs.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace spillway::cold {
namespace {

using base::Code;
using base::Result;
using base::Status;

constexpr int kPathMax = 4096 + 64;  // PATH_MAX and the longest suffix
// Threads whose last failure is remembered until they ask for it; the writer and four readers ask
// at once.
constexpr size_t kFailuresMax = 16;
// SQLite pads a synced commit in the WAL to this, so that a sector that holds acknowledged bytes is
// never written again. 4096 is the physical sector of today's disks.
constexpr int kSectorBytes = 4096;

std::string FreshName() {
  static std::atomic<uint64_t> count{0};
  return "spillway-" + std::to_string(count.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace

// One open file of one connection. Lives in memory that SQLite allocates, followed by the file
// object of the unix VFS if it is the database.
struct SqliteVfsFile {
  sqlite3_file base;  // first: SQLite knows the file by it
  SqliteVfs* vfs;
  io::File* file;
  std::unique_ptr<io::File> owned;  // null for the database, whose file belongs to the VFS
  sqlite3_file* locks;              // the same path in the unix VFS; null for all but the database
};

template <class Body>
int SqliteVfs::Run(Step step, int otherwise, Body&& body) noexcept {
  int code = SQLITE_OK;
  const Status outer = base::CatchToStatus([&] {
    if (step != Step::kRead && latched_.load(std::memory_order_acquire)) {
      code = Fail(step, otherwise, Latched());
      return Status();
    }
    Status status = base::CatchToStatus(std::forward<Body>(body));
    if (!status.ok()) {
      code = Fail(step, otherwise, std::move(status));
    }
    return Status();
  });
  if (!outer.ok()) {  // no memory to remember the failure; it counts all the same
    code = SQLITE_IOERR_NOMEM;
  }
  return code;
}

int SqliteVfs::Fail(Step step, int otherwise, Status status) {
  if (step == Step::kSync && status.code() == Code::kNoMemory) {
    status =
        Status(Code::kIo);  // it may have failed on the disk before the memory for its text did
  }
  const Code code = status.code();
  if (step == Step::kSync ||
      (step == Step::kWrite && code != Code::kFull && code != Code::kNoMemory)) {
    latched_.store(true, std::memory_order_release);  // before anything that can throw
    EndWriting(status);
  }
  {
    base::MutexLock lock(mutex_);
    const std::thread::id self = std::this_thread::get_id();
    std::erase_if(failures_, [&](const Failure& failure) { return failure.thread == self; });
    if (failures_.size() == kFailuresMax) {
      failures_.erase(failures_.begin());
    }
    failures_.push_back(Failure{self, std::move(status)});
  }
  switch (code) {
    case Code::kFull:
      return SQLITE_FULL;
    case Code::kNoMemory:
      return SQLITE_IOERR_NOMEM;
    default:
      return otherwise;
  }
}

Status SqliteVfs::Latched() const {
  base::MutexLock lock(mutex_);
  // Latched without a reason: its text found no memory.
  return latched_.load(std::memory_order_relaxed) && latch_.ok() ? Status(Code::kIo) : latch_;
}

void SqliteVfs::EndWriting(Status reason) {
  base::MutexLock lock(mutex_);
  latched_.store(true, std::memory_order_release);
  if (latch_.ok()) {
    latch_ = std::move(reason);
  }
}

Status SqliteVfs::TakeFailure() {
  base::MutexLock lock(mutex_);
  const std::thread::id self = std::this_thread::get_id();
  const auto found = std::find_if(failures_.begin(), failures_.end(),
                                  [&](const Failure& failure) { return failure.thread == self; });
  if (found == failures_.end()) {
    return Status();
  }
  Status status = std::move(found->status);
  failures_.erase(found);
  return status;
}

// The callbacks. Each finds its objects and does one step.
struct SqliteVfsCalls {
  using Step = SqliteVfs::Step;

  static SqliteVfs* Self(sqlite3_vfs* vfs) { return static_cast<SqliteVfs*>(vfs->pAppData); }
  static SqliteVfsFile* Self(sqlite3_file* file) { return reinterpret_cast<SqliteVfsFile*>(file); }

  // --- files ---

  static int Close(sqlite3_file* file) {
    SqliteVfsFile* self = Self(file);
    const int rc = self->locks == nullptr ? SQLITE_OK : self->locks->pMethods->xClose(self->locks);
    self->~SqliteVfsFile();
    return rc;
  }

  static int Read(sqlite3_file* file, void* buffer, int amount, sqlite3_int64 offset) {
    SqliteVfsFile* self = Self(file);
    const std::span<uint8_t> bytes(static_cast<uint8_t*>(buffer), static_cast<size_t>(amount));
    size_t got = 0;
    const int rc = self->vfs->Run(Step::kRead, SQLITE_IOERR_READ, [&] {
      return self->file->ReadAt(static_cast<uint64_t>(offset), bytes, &got);
    });
    if (rc == SQLITE_OK && got < bytes.size()) {  // SQLite asks for zeroes behind the end
      std::memset(bytes.data() + got, 0, bytes.size() - got);
      return SQLITE_IOERR_SHORT_READ;
    }
    return rc;
  }

  static int Write(sqlite3_file* file, const void* buffer, int amount, sqlite3_int64 offset) {
    SqliteVfsFile* self = Self(file);
    return self->vfs->Run(Step::kWrite, SQLITE_IOERR_WRITE, [&] {
      return self->file->WriteAt(
          static_cast<uint64_t>(offset),
          std::span(static_cast<const uint8_t*>(buffer), static_cast<size_t>(amount)));
    });
  }

  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    SqliteVfsFile* self = Self(file);
    return self->vfs->Run(Step::kWrite, SQLITE_IOERR_TRUNCATE,
                          [&] { return self->file->Truncate(static_cast<uint64_t>(size)); });
  }

  static int Sync(sqlite3_file* file, int /*flags*/) {
    SqliteVfsFile* self = Self(file);
    return self->vfs->Run(Step::kSync, SQLITE_IOERR_FSYNC, [&] { return self->file->Sync(); });
  }

  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    SqliteVfsFile* self = Self(file);
    return self->vfs->Run(Step::kRead, SQLITE_IOERR_FSTAT, [&] {
      const Result<uint64_t> found = self->file->Size();
      if (found.ok()) {
        *size = static_cast<sqlite3_int64>(found.value());
      }
      return found.status();
    });
  }

  static int SectorSize(sqlite3_file* /*file*/) { return kSectorBytes; }

  // None. Above all not POWERSAFE_OVERWRITE: a power cut while a sector is written may take all of
  // it.
  static int DeviceCharacteristics(sqlite3_file* /*file*/) { return 0; }

  // --- locks: the unix VFS has them; WAL and journal need none ---

  static int Lock(sqlite3_file* file, int level) {
    sqlite3_file* locks = Self(file)->locks;
    return locks == nullptr ? SQLITE_OK : locks->pMethods->xLock(locks, level);
  }
  static int Unlock(sqlite3_file* file, int level) {
    sqlite3_file* locks = Self(file)->locks;
    return locks == nullptr ? SQLITE_OK : locks->pMethods->xUnlock(locks, level);
  }
  static int CheckReservedLock(sqlite3_file* file, int* reserved) {
    sqlite3_file* locks = Self(file)->locks;
    *reserved = 0;
    return locks == nullptr ? SQLITE_OK : locks->pMethods->xCheckReservedLock(locks, reserved);
  }
  static int FileControl(sqlite3_file* file, int operation, void* argument) {
    sqlite3_file* locks = Self(file)->locks;
    // The others concern writing, which is ours.
    const bool about_place =
        operation == SQLITE_FCNTL_HAS_MOVED || operation == SQLITE_FCNTL_LOCKSTATE;
    if (locks != nullptr && about_place) {
      return locks->pMethods->xFileControl(locks, operation, argument);
    }
    return SQLITE_NOTFOUND;
  }
  static int ShmMap(sqlite3_file* file, int region, int bytes, int extend, void volatile** out) {
    sqlite3_file* locks = Self(file)->locks;
    return locks->pMethods->xShmMap(locks, region, bytes, extend, out);
  }
  static int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
    sqlite3_file* locks = Self(file)->locks;
    return locks->pMethods->xShmLock(locks, offset, count, flags);
  }
  static void ShmBarrier(sqlite3_file* file) {
    sqlite3_file* locks = Self(file)->locks;
    locks->pMethods->xShmBarrier(locks);
  }
  static int ShmUnmap(sqlite3_file* file, int remove) {
    sqlite3_file* locks = Self(file)->locks;
    return locks->pMethods->xShmUnmap(locks, remove);
  }

  // --- names ---

  // WAL or journal. Its name is made durable at once: a commit that is synced into a file without a
  // name is lost.
  static int OpenBeside(SqliteVfs* self, const char* path, int flags,
                        std::unique_ptr<io::File>* out) {
    bool missing = false;
    const auto open_as = [&](io::Open mode) {
      Result<std::unique_ptr<io::File>> file = self->file_system_->OpenFile(path, mode);
      missing = file.status().code() == Code::kNotFound && (flags & SQLITE_OPEN_CREATE) != 0;
      if (file.ok()) {
        *out = std::move(file.value());
      }
      return missing ? Status() : file.status();
    };
    int rc = self->Run(Step::kRead, SQLITE_CANTOPEN, [&] { return open_as(io::Open::kExisting); });
    if (rc != SQLITE_OK || !missing) {
      return rc;
    }
    rc = self->Run(Step::kName, SQLITE_CANTOPEN, [&] { return open_as(io::Open::kCreateNew); });
    if (rc != SQLITE_OK) {
      return rc;
    }
    return self->Run(Step::kSync, SQLITE_IOERR_DIR_FSYNC,
                     [&] { return self->file_system_->SyncFolderOf(path); });
  }

  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags,
                  int* out_flags) {
    static const sqlite3_io_methods kDatabase = {2,
                                                 Close,
                                                 Read,
                                                 Write,
                                                 Truncate,
                                                 Sync,
                                                 FileSize,
                                                 Lock,
                                                 Unlock,
                                                 CheckReservedLock,
                                                 FileControl,
                                                 SectorSize,
                                                 DeviceCharacteristics,
                                                 ShmMap,
                                                 ShmLock,
                                                 ShmBarrier,
                                                 ShmUnmap,
                                                 nullptr,
                                                 nullptr};
    static const sqlite3_io_methods kBeside = {1,
                                               Close,
                                               Read,
                                               Write,
                                               Truncate,
                                               Sync,
                                               FileSize,
                                               Lock,
                                               Unlock,
                                               CheckReservedLock,
                                               FileControl,
                                               SectorSize,
                                               DeviceCharacteristics,
                                               nullptr,
                                               nullptr,
                                               nullptr,
                                               nullptr,
                                               nullptr,
                                               nullptr};
    SqliteVfs* self = Self(vfs);
    file->pMethods = nullptr;  // until it is open, SQLite must not close it
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
      auto* locks =
          reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(SqliteVfsFile));
      const int rc =
          self->unix_->xOpen(self->unix_, path, locks, flags & ~SQLITE_OPEN_CREATE, out_flags);
      if (rc != SQLITE_OK) {
        if (locks->pMethods != nullptr) {
          locks->pMethods->xClose(locks);
        }
        return rc;
      }
      new (file) SqliteVfsFile{{&kDatabase}, self, self->database_.get(), nullptr, locks};
      return SQLITE_OK;
    }
    if ((flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) == 0) {
      return SQLITE_CANTOPEN;  // temporary files: temp_store=MEMORY leaves none
    }
    std::unique_ptr<io::File> opened;
    const int rc = OpenBeside(self, path, flags, &opened);
    if (rc != SQLITE_OK) {
      return rc;
    }
    io::File* borrowed = opened.get();
    new (file) SqliteVfsFile{{&kBeside}, self, borrowed, std::move(opened), nullptr};
    if (out_flags != nullptr) {
      *out_flags = flags;
    }
    return SQLITE_OK;
  }

  static int Delete(sqlite3_vfs* vfs, const char* path, int /*sync_folder*/) {
    SqliteVfs* self = Self(vfs);
    bool missing = false;
    int rc = self->Run(Step::kName, SQLITE_IOERR_DELETE, [&] {
      Status status = self->file_system_->Remove(path);
      missing = status.code() == Code::kNotFound;
      return missing ? Status() : status;
    });
    if (rc != SQLITE_OK || missing) {
      return rc != SQLITE_OK ? rc : SQLITE_IOERR_DELETE_NOENT;
    }
    // Always, also where SQLite does not ask for it: a WAL or journal that comes back after a power
    // cut would be replayed over newer pages.
    return self->Run(Step::kSync, SQLITE_IOERR_DIR_FSYNC,
                     [&] { return self->file_system_->SyncFolderOf(path); });
  }

  // As in the unix VFS, an empty file is none.
  static int Access(sqlite3_vfs* vfs, const char* path, int /*flags*/, int* out) {
    SqliteVfs* self = Self(vfs);
    *out = 0;
    return self->Run(Step::kRead, SQLITE_IOERR_ACCESS, [&] {
      const Result<bool> exists = self->file_system_->Exists(path);
      if (!exists.ok() || !exists.value()) {
        return exists.status();
      }
      if (path == self->database_->path()) {  // see POSIX locks above: not opened a second time
        *out = 1;
        return Status();
      }
      const Result<std::unique_ptr<io::File>> file =
          self->file_system_->OpenFile(path, io::Open::kReadOnly);
      if (!file.ok()) {
        return file.status().code() == Code::kNotFound ? Status() : file.status();
      }
      const Result<uint64_t> size = file.value()->Size();
      *out = size.ok() && size.value() > 0 ? 1 : 0;
      return size.status();
    });
  }

  // Paths come absolute and mean themselves: symbolic links are not resolved, they are refused.
  static int FullPathname(sqlite3_vfs* /*vfs*/, const char* path, int out_bytes, char* out) {
    const size_t length = std::strlen(path);
    if (path[0] != '/' || length >= static_cast<size_t>(out_bytes)) {
      return SQLITE_CANTOPEN;
    }
    std::memcpy(out, path, length + 1);
    return SQLITE_OK;
  }

  // --- the machine ---

  static int Randomness(sqlite3_vfs* vfs, int bytes, char* out) {
    sqlite3_vfs* unix_vfs = Self(vfs)->unix_;
    return unix_vfs->xRandomness(unix_vfs, bytes, out);
  }
  static int Sleep(sqlite3_vfs* vfs, int microseconds) {
    sqlite3_vfs* unix_vfs = Self(vfs)->unix_;
    return unix_vfs->xSleep(unix_vfs, microseconds);
  }
  static int CurrentTime(sqlite3_vfs* vfs, double* days) {
    sqlite3_vfs* unix_vfs = Self(vfs)->unix_;
    return unix_vfs->xCurrentTime(unix_vfs, days);
  }
  static int CurrentTimeInt64(sqlite3_vfs* vfs, sqlite3_int64* ms) {
    sqlite3_vfs* unix_vfs = Self(vfs)->unix_;
    return unix_vfs->xCurrentTimeInt64(unix_vfs, ms);
  }
  static int GetLastError(sqlite3_vfs* vfs, int bytes, char* out) {
    sqlite3_vfs* unix_vfs = Self(vfs)->unix_;
    return unix_vfs->xGetLastError(unix_vfs, bytes, out);
  }
};

SqliteVfs::SqliteVfs(io::FileSystem* file_system, std::unique_ptr<io::File> database)
    : file_system_(file_system),
      database_(std::move(database)),
      name_(FreshName()),
      unix_(sqlite3_vfs_find("unix")) {
  vfs_.iVersion = 2;
  vfs_.szOsFile = static_cast<int>(sizeof(SqliteVfsFile)) + unix_->szOsFile;
  vfs_.mxPathname = kPathMax;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = SqliteVfsCalls::Open;
  vfs_.xDelete = SqliteVfsCalls::Delete;
  vfs_.xAccess = SqliteVfsCalls::Access;
  vfs_.xFullPathname = SqliteVfsCalls::FullPathname;
  vfs_.xRandomness = SqliteVfsCalls::Randomness;
  vfs_.xSleep = SqliteVfsCalls::Sleep;
  vfs_.xCurrentTime = SqliteVfsCalls::CurrentTime;
  vfs_.xCurrentTimeInt64 = SqliteVfsCalls::CurrentTimeInt64;
  vfs_.xGetLastError = SqliteVfsCalls::GetLastError;
}

Result<std::unique_ptr<SqliteVfs>> SqliteVfs::Register(io::FileSystem* file_system,
                                                       std::unique_ptr<io::File> database) {
  if (sqlite3_vfs_find("unix") == nullptr) {
    return Status(Code::kUnsupported, "this SQLite has no unix VFS");
  }
  std::unique_ptr<SqliteVfs> vfs(new SqliteVfs(file_system, std::move(database)));
  const int rc = sqlite3_vfs_register(&vfs->vfs_, 0);
  if (rc != SQLITE_OK) {
    return rc == SQLITE_NOMEM ? base::NoMemory() : Status(Code::kInternal).WithDetail(rc);
  }
  return vfs;
}

SqliteVfs::~SqliteVfs() { sqlite3_vfs_unregister(&vfs_); }

}  // namespace spillway::cold
