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
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

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
  // What is remembered of the file and is not waiting to be written is forgotten, as far as the
  // system does so: after a sync that failed it may show what never got to the device. A hint.
  virtual void ForgetCached() = 0;
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
  // The path is a folder's: a new file in it that has no name, so it is gone with its last
  // descriptor, also after a crash. Its Sync does nothing, for nobody could find it later.
  kNameless,
};

enum class EntryKind {
  kFile,  // a regular one
  kFolder,
  kOther,  // links, devices, pipes, sockets
};

// What a name in a folder stands for. A file whose entry is the same as before was not changed or
// replaced in between, as far as the clock of the file system tells moments apart.
struct Entry {
  EntryKind kind = EntryKind::kOther;
  uint64_t size = 0;
  uint64_t device = 0;
  uint64_t node = 0;
  int64_t modified_ns = 0;  // since 1970, as the file system has it
  int64_t changed_ns = 0;

  bool operator==(const Entry&) const = default;
};

// An open folder. Names are single ones, without "/", and a symbolic link is never followed, not
// even one that was put there a moment ago: what is opened lies in this very folder. Thread-safe.
class Folder {
 public:
  virtual ~Folder() = default;

  // Every name but "." and "..", in no order; whether one sees what comes and goes meanwhile is not
  // said. Ends with the first failure of `each`, which must not use the folder.
  using EachName = std::function<base::Status(std::string_view name)>;
  virtual base::Status List(const EachName& each) = 0;
  virtual base::Result<Entry> Look(const std::string& name) = 0;
  // As FileSystem::OpenFile.
  virtual base::Result<std::unique_ptr<File>> OpenFile(const std::string& name, Open mode) = 0;
  // kIo if it is no folder.
  virtual base::Result<std::unique_ptr<Folder>> OpenFolder(const std::string& name) = 0;
  // For its owner only. kAlreadyExists.
  virtual base::Status MakeFolder(const std::string& name) = 0;
  virtual base::Status Remove(const std::string& name) = 0;  // of a file
  // In one step; `to`, unless it is a folder, is gone then.
  virtual base::Status Rename(const std::string& from, const std::string& to) = 0;
  // The names in it are on the device.
  virtual base::Status Sync() = 0;

  const std::string& path() const { return path_; }

 protected:
  explicit Folder(std::string path) : path_(std::move(path)) {}

 private:
  const std::string path_;
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
  // Follows links as every program does. kIo if it is no folder.
  virtual base::Result<std::unique_ptr<Folder>> OpenFolder(const std::string& path) = 0;
  // As Folder::MakeFolder.
  virtual base::Status MakeFolder(const std::string& path) = 0;
};

// The disk of this machine. Lives for ever.
FileSystem* PosixFileSystem();

}  // namespace spillway::io
