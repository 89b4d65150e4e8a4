// The only door to the disk: files and folders. Two implementations: POSIX (posix_file.h) and, in
// tests, a simulated disk that records, fails and loses power (tests/support/sim_disk.h).
//
// Hides errno, EINTR, short reads and writes, O_CLOEXEC, descriptors 0 to 2. Positional I/O only,
// so a File may be used by many threads at once. Errors: kFull for ENOSPC, EDQUOT and EFBIG of a
// write, growth or hole, kReadOnly for EROFS and EACCES on opening for writing, kNotFound,
// kAlreadyExists, else kIo; each with errno and the path. A failed Sync is always kIo: it must not
// be repeated.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "internal/base/status.h"

namespace spillway::io {

class File {
 public:
  virtual ~File() = default;  // closes the descriptor; releases a lock it holds

  // Reads up to buffer.size() bytes; fewer only at the end of the file. *bytes_read says how many.
  virtual base::Status ReadAt(uint64_t offset, std::span<uint8_t> buffer, size_t* bytes_read) = 0;
  // Writes all of it, or fails having written some.
  virtual base::Status WriteAt(uint64_t offset, std::span<const uint8_t> bytes) = 0;
  virtual base::Status Truncate(uint64_t size) = 0;
  // The file reaches to offset + bytes at least, and what lies between needs no more room when it
  // is written. Where the file system cannot promise that, the file only grows. Changes no byte.
  virtual base::Status Reserve(uint64_t offset, uint64_t bytes) = 0;
  // Gives the room of these bytes back; the size stays. What they read as then is unspecified:
  // zeros, or what was there where the file system has no holes.
  virtual base::Status PunchHole(uint64_t offset, uint64_t bytes) = 0;
  virtual base::Result<uint64_t> Size() = 0;
  // What the file takes of the device, holes not counted.
  virtual base::Result<uint64_t> AllocatedBytes() = 0;
  // The device may begin with these bytes, which a later Sync then need not wait for from their
  // start. A hint: promises nothing, and an error of the device is the Sync's.
  virtual void StartWriting(uint64_t offset, uint64_t bytes) = 0;
  // These bytes are wanted soon. A hint: promises nothing.
  virtual void StartReading(uint64_t offset, uint64_t bytes) = 0;
  // fdatasync: the file's bytes and its size are on the device.
  virtual base::Status Sync() = 0;
  // Exclusive OFD lock on the whole file without waiting; kBusy if somebody has it, kUnsupported
  // where there are no locks.
  virtual base::Status Lock() = 0;
  // The same, but shared: kBusy only if somebody has it exclusively. Also of a file that is open
  // for reading only.
  virtual base::Status LockShared() = 0;

  const std::string& path() const { return path_; }

 protected:
  explicit File(std::string path) : path_(std::move(path)) {}

 private:
  const std::string path_;
};

enum class Open {
  kExisting,  // read and write
  kReadOnly,
  kCreate,     // existing or new
  kCreateNew,  // kAlreadyExists if there is one
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Never follows a symbolic link in the last part of the path. New files have mode 0600 whatever
  // the umask.
  virtual base::Result<std::unique_ptr<File>> OpenFile(const std::string& path, Open mode) = 0;
  virtual base::Status Remove(const std::string& path) = 0;
  // Fails with kAlreadyExists rather than replace `to` (renameat2 RENAME_NOREPLACE).
  virtual base::Status RenameNew(const std::string& from, const std::string& to) = 0;
  // The names in the folder that holds `path` are on the device.
  virtual base::Status SyncFolderOf(const std::string& path) = 0;
  virtual base::Result<bool> Exists(const std::string& path) = 0;
};

// The disk of this machine. Lives for ever.
FileSystem* PosixFileSystem();

}  // namespace spillway::io
