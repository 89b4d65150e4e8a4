// Sends what SQLite does with files through the io seam, and remembers how that went.
//
// One SqliteVfs serves all connections of one database. Bytes, sizes, syncs and names go through
// io::FileSystem; locks and the shared memory of WAL mode go to SQLite's own "unix" VFS, which
// opens the same path beside us, so that SQLite tools in other processes see the usual protocol.
// POSIX locks of a process vanish when it closes any descriptor of the file. Therefore the
// database's io::File is opened by the caller before, belongs to this object, and is closed after
// all connections.
//
// Invariant: after the first failed sync (of a file or folder), and after the first write that
// failed for another reason than a full disk or no memory, no write and no sync reaches the disk
// again: each fails as the first one did. SQLite by itself would repeat a failed sync, which then
// succeeds although the data are gone. Reads go on. Thread-safe. No exception leaves a callback, as
// SQLite's frames could not carry it.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/base/status.h"
#include "internal/io/file.h"

namespace spillway::cold {

class SqliteVfs {
 public:
  // Registers a VFS under a name of its own. `database` is the open main file, with an absolute
  // path; file_system outlives this object.
  static base::Result<std::unique_ptr<SqliteVfs>> Register(io::FileSystem* file_system,
                                                           std::unique_ptr<io::File> database);
  // All connections must be closed.
  ~SqliteVfs();
  SqliteVfs(const SqliteVfs&) = delete;
  SqliteVfs& operator=(const SqliteVfs&) = delete;

  const char* name() const { return name_.c_str(); }
  io::File* database() { return database_.get(); }

  // What ended writing; OK while it goes on.
  base::Status Latched() const;
  bool ended() const noexcept { return latched_.load(std::memory_order_acquire); }

  // From now on nothing is written: as if the process had ended. Keeps an earlier reason.
  void EndWriting(base::Status reason);

  // What the seam last refused to the calling thread since it last asked; OK if nothing.
  base::Status TakeFailure();

 private:
  friend struct SqliteVfsCalls;  // the callbacks, in sqlite_vfs.cc

  struct Failure {
    std::thread::id thread;
    base::Status status;
  };
  enum class Step { kRead, kWrite, kSync, kName };

  SqliteVfs(io::FileSystem* file_system, std::unique_ptr<io::File> database);

  // Runs a step on the seam unless it is a write or sync after the latch; remembers its failure.
  // Returns SQLITE_OK or the SQLite code for it, `otherwise` where there is no special one.
  template <class Body>
  int Run(Step step, int otherwise, Body&& body) noexcept;
  int Fail(Step step, int otherwise, base::Status status);

  io::FileSystem* const file_system_;
  const std::unique_ptr<io::File> database_;
  const std::string name_;
  sqlite3_vfs* const unix_;
  sqlite3_vfs vfs_ = {};

  std::atomic<bool> latched_{false};
  mutable base::Mutex mutex_;
  base::Status latch_ SPW_GUARDED_BY(mutex_);
  std::vector<Failure> failures_ SPW_GUARDED_BY(mutex_);  // a few; the oldest make room
};

}  // namespace spillway::cold
