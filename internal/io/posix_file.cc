#include "internal/io/posix_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>

#include "internal/io/posix_descriptor.h"

namespace spillway::io {
namespace {

using base::Code;
using base::Result;
using base::Status;

constexpr mode_t kMode = 0600;
// Linux moves at most this many bytes per call, whatever is asked.
constexpr size_t kTransferMax = 0x7ffff000;
constexpr uint64_t kOffsetMax = static_cast<uint64_t>(std::numeric_limits<off_t>::max());

// strerror_r is the GNU or the POSIX one, depending on the C library.
[[maybe_unused]] const char* ErrorText(const char* result, const char* /*buffer*/) {
  return result;
}
[[maybe_unused]] const char* ErrorText(int /*result*/, const char* buffer) { return buffer; }

Code CodeFor(int os_code) {
  switch (os_code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Code::kFull;
    case ENOENT:
      return Code::kNotFound;
    case EEXIST:
      return Code::kAlreadyExists;
    case EROFS:
    case EACCES:
    case EPERM:
      return Code::kReadOnly;
    case ENOMEM:
      return Code::kNoMemory;
    default:
      return Code::kIo;
  }
}

Status OffsetError(const char* operation, const std::string& path, uint64_t offset, int os_code) {
  return Status::Os(CodeFor(os_code), os_code, [&] {
    return std::string(operation) + " " + path + " at offset " + std::to_string(offset) + ": " +
           OsErrorText(os_code);
  });
}

class PosixFile final : public File {
 public:
  PosixFile(std::string path, Descriptor descriptor, bool nameless)
      : File(std::move(path)),
        owner_(std::move(descriptor)),
        descriptor_(owner_.number()),
        nameless_(nameless) {}

  Status ReadAt(uint64_t offset, std::span<uint8_t> buffer, size_t* bytes_read) override {
    size_t done = 0;
    while (done < buffer.size()) {
      const uint64_t at = offset + done;
      if (at > kOffsetMax) {
        break;  // no file reaches there
      }
      const size_t want = std::min(buffer.size() - done, kTransferMax);
      const ssize_t got = RetryInterrupted(
          [&] { return ::pread(descriptor_, buffer.data() + done, want, static_cast<off_t>(at)); });
      if (got < 0) {
        const int os_code = errno;
        *bytes_read = done;
        return OffsetError("read", path(), at, os_code);
      }
      if (got == 0) {
        break;
      }
      done += static_cast<size_t>(got);
    }
    *bytes_read = done;
    return Status();
  }

  ~PosixFile() override {
    if (const int direct = direct_.load(std::memory_order_relaxed); direct >= 0) {
      ::close(direct);
    }
  }

  Status WriteAt(uint64_t offset, std::span<const uint8_t> bytes) override {
    size_t done = WriteAround(offset, bytes);
    while (done < bytes.size()) {
      const uint64_t at = offset + done;
      if (at > kOffsetMax || bytes.size() - done > kOffsetMax - at) {
        return OffsetError("write", path(), at, EFBIG);
      }
      const size_t want = std::min(bytes.size() - done, kTransferMax);
      const ssize_t put = RetryInterrupted(
          [&] { return ::pwrite(descriptor_, bytes.data() + done, want, static_cast<off_t>(at)); });
      if (put < 0) {
        return OffsetError("write", path(), at, errno);
      }
      if (put == 0) {  // does not happen for regular files; never loop on it
        return OffsetError("write", path(), at, EIO);
      }
      done += static_cast<size_t>(put);
    }
    return Status();
  }

  Status Truncate(uint64_t size) override {
    if (size > kOffsetMax) {
      return OffsetError("truncate", path(), size, EFBIG);
    }
    if (RetryInterrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) != 0) {
      return OffsetError("truncate", path(), size, errno);
    }
    return Status();
  }

  Status Reserve(uint64_t offset, uint64_t bytes) override {
    const int os_code = Allocate(0, offset, bytes);
    if (os_code != EOPNOTSUPP && os_code != ENOSYS) {
      return os_code == 0 ? Status() : OffsetError("reserve", path(), offset, os_code);
    }
    const Result<uint64_t> size = Size();
    if (!size.ok()) {
      return size.status();
    }
    return offset + bytes > size.value() ? Truncate(offset + bytes) : Status();
  }

  Status PunchHole(uint64_t offset, uint64_t bytes) override {
    const int os_code = Allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes);
    if (os_code == 0 || os_code == EOPNOTSUPP || os_code == ENOSYS) {
      return Status();
    }
    return OffsetError("punch hole", path(), offset, os_code);
  }

  Result<uint64_t> Size() override {
    struct stat found = {};
    if (::fstat(descriptor_, &found) != 0) {
      return OsError("stat", path(), errno);
    }
    return static_cast<uint64_t>(found.st_size);
  }

  Result<uint64_t> AllocatedBytes() override {
    constexpr uint64_t kStatBlock = 512;  // whatever the file system's blocks are
    struct stat found = {};
    if (::fstat(descriptor_, &found) != 0) {
      return OsError("stat", path(), errno);
    }
    return static_cast<uint64_t>(found.st_blocks) * kStatBlock;
  }

  void StartWriting(uint64_t offset, uint64_t bytes) override {
    if (nameless_) {
      return;  // no sync will wait for it
    }
    static_cast<void>(::sync_file_range(descriptor_, static_cast<off64_t>(offset),
                                        static_cast<off64_t>(bytes), SYNC_FILE_RANGE_WRITE));
  }

  void ForgetCached() override {
    static_cast<void>(::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED));
  }

  // In steps: Linux reads no more of one hint than the device takes in one request.
  void StartReading(uint64_t offset, uint64_t bytes) override {
    constexpr uint64_t kStepBytes = uint64_t{128} << 10;
    for (uint64_t at = 0; at < bytes; at += kStepBytes) {
      static_cast<void>(::posix_fadvise(descriptor_, static_cast<off_t>(offset + at),
                                        static_cast<off_t>(std::min(kStepBytes, bytes - at)),
                                        POSIX_FADV_WILLNEED));
    }
  }

  // EINTR of a sync is not retried either: it counts as failed.
  Status Sync() override {
    if (!nameless_ && ::fdatasync(descriptor_) != 0) {
      return SyncError("sync", path(), errno);
    }
    return Status();
  }

  Status Lock() override { return LockAs(F_WRLCK, LOCK_EX); }
  Status LockShared() override { return LockAs(F_RDLCK, LOCK_SH); }

 private:
  // fallocate; its errno.
  int Allocate(int mode, uint64_t offset, uint64_t bytes) {
    if (bytes == 0) {
      return 0;
    }
    if (offset > kOffsetMax || bytes > kOffsetMax - offset) {
      return EFBIG;
    }
    return RetryInterrupted([&] {
             return ::fallocate(descriptor_, mode, static_cast<off_t>(offset),
                                static_cast<off_t>(bytes));
           }) == 0
               ? 0
               : errno;
  }

  Status LockAs(short type, int flock_kind) {
    struct flock whole = {};
    whole.l_type = type;
    whole.l_whence = SEEK_SET;
    if (RetryInterrupted([&] { return ::fcntl(descriptor_, F_OFD_SETLK, &whole); }) == 0) {
      return Status();
    }
    if (errno == EAGAIN || errno == EACCES) {
      return Status(Code::kBusy);
    }
    // Kernels and file systems without OFD locks often have flock, which also belongs to the open
    // file.
    if (RetryInterrupted([&] { return ::flock(descriptor_, flock_kind | LOCK_NB); }) == 0) {
      return Status();
    }
    if (errno == EWOULDBLOCK) {
      return Status(Code::kBusy);
    }
    const int os_code = errno;
    return Status::Os(Code::kUnsupported, os_code,
                      "lock " + path() + ": " + OsErrorText(os_code) + "; no locks here");
  }

  // Much that lies as the device wants it goes around the page cache, which would cost a copy, its
  // pages and their write-back. Returns how many bytes did; the others, and whatever fails, go the
  // usual way, which also tells errors.
  size_t WriteAround(uint64_t offset, std::span<const uint8_t> bytes) {
    constexpr uint64_t kLeastBytes = uint64_t{1} << 20;
    constexpr uint64_t kUnit = 4096;
    const uint64_t odd = offset | bytes.size() | reinterpret_cast<uintptr_t>(bytes.data());
    if (bytes.size() < kLeastBytes || bytes.size() > kTransferMax || odd % kUnit != 0 ||
        offset > kOffsetMax - bytes.size()) {
      return 0;
    }
    const int direct = DirectDescriptor();
    if (direct < 0) {
      return 0;
    }
    const ssize_t put = RetryInterrupted(
        [&] { return ::pwrite(direct, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    return put < 0 ? 0 : static_cast<size_t>(put);
  }

  // A second one of the same file, made when it is first wanted; -1: the system refused.
  int DirectDescriptor() {
    const int known = direct_.load(std::memory_order_acquire);
    if (known != kUnknown) {
      return known;
    }
    Descriptor opened = OpenDescriptor(AT_FDCWD, "/proc/self/fd/" + std::to_string(descriptor_),
                                       O_WRONLY | O_DIRECT, 0);
    int expected = kUnknown;
    if (!direct_.compare_exchange_strong(expected, opened.number(), std::memory_order_acq_rel)) {
      return expected;  // somebody else's
    }
    const int number = opened.number();
    opened.Release();
    return number;
  }

  static constexpr int kUnknown = -2;
  const Descriptor owner_;
  const int descriptor_;
  const bool nameless_;
  std::atomic<int> direct_{kUnknown};
};

// The folder part of a path: "." for "a", "/" for "/a", "x/y" for "x/y/a".
std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

class PosixFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> OpenFile(const std::string& path, Open mode) override {
    return OpenFileAt(AT_FDCWD, path, path, mode);
  }

  Status Remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) {
      return OsError("remove", path, errno);
    }
    return Status();
  }

  Status RenameNew(const std::string& from, const std::string& to) override {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
      return Status();
    }
    if (errno != EINVAL && errno != ENOSYS) {
      return OsError("rename", from + " to " + to, errno);
    }
    // File systems without RENAME_NOREPLACE: a hard link does not replace either.
    if (::link(from.c_str(), to.c_str()) != 0) {
      return OsError("rename (as link)", from + " to " + to, errno);
    }
    if (::unlink(from.c_str()) != 0) {
      return OsError("rename (as unlink)", from, errno);
    }
    return Status();
  }

  Status SyncFolderOf(const std::string& path) override {
    const std::string folder = FolderOf(path);
    const Descriptor descriptor = OpenDescriptor(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    return descriptor.ok() ? SyncFolder(descriptor, folder)
                           : SyncError("open folder", folder, errno);
  }

  Result<bool> Exists(const std::string& path) override {
    struct stat found = {};
    if (::lstat(path.c_str(), &found) == 0) {
      return true;
    }
    if (errno == ENOENT || errno == ENOTDIR) {
      return false;
    }
    return OsError("stat", path, errno);
  }

  Result<std::unique_ptr<Folder>> OpenFolder(const std::string& path) override {
    return OpenFolderAt(AT_FDCWD, path, path, 0);
  }

  Status MakeFolder(const std::string& path) override { return MakeFolderAt(AT_FDCWD, path, path); }
};

struct Opened {
  Descriptor descriptor;
  bool made_now = false;
};

// A file without a name in a folder. Where the file system has none, one whose name goes at once.
Descriptor OpenNameless(const std::string& folder) {
  Descriptor made = OpenDescriptor(AT_FDCWD, folder, O_TMPFILE | O_RDWR, kMode);
  if (made.ok() || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
    return made;
  }
  for (int turn = 0; turn < 16; ++turn) {
    uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) {
      break;
    }
    const std::string name = folder + "/.spillway-" + std::to_string(number);
    made = OpenDescriptor(AT_FDCWD, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, kMode);
    if (made.ok() && ::unlink(name.c_str()) != 0) {
      made = Descriptor(-1);
      break;
    }
    if (made.ok() || errno != EEXIST) {
      break;
    }
  }
  return made;
}

// O_NONBLOCK: opening a FIFO that lies there must not hang; it means nothing for regular files.
Opened OpenAs(int folder, const std::string& name, Open mode) {
  if (mode == Open::kNameless) {
    return {OpenNameless(name), true};
  }
  const int flags = O_NOFOLLOW | O_NONBLOCK | (mode == Open::kReadOnly ? O_RDONLY : O_RDWR);
  if (mode == Open::kExisting || mode == Open::kReadOnly) {
    return {OpenDescriptor(folder, name, flags, kMode)};
  }
  // A file that comes and goes between the two calls is somebody else's game: a few turns, no more.
  for (int turn = 0; turn < 4; ++turn) {
    Descriptor made = OpenDescriptor(folder, name, flags | O_CREAT | O_EXCL, kMode);
    if (made.ok() || mode == Open::kCreateNew || errno != EEXIST) {
      return {std::move(made), true};
    }
    Descriptor found = OpenDescriptor(folder, name, flags, kMode);
    if (found.ok() || errno != ENOENT) {
      return {std::move(found)};
    }
  }
  return {Descriptor(-1)};
}

}  // namespace

Descriptor OpenDescriptor(int folder, const std::string& name, int flags, mode_t mode) {
  Descriptor opened(RetryInterrupted(
      [&] { return ::openat(folder, name.c_str(), flags | O_CLOEXEC | O_NOCTTY, mode); }));
  constexpr int kDescriptorMin = 3;
  if (!opened.ok() || opened.number() >= kDescriptorMin) {
    return opened;
  }
  Descriptor moved(::fcntl(opened.number(), F_DUPFD_CLOEXEC, kDescriptorMin));
  const int os_code = errno;
  opened = Descriptor(-1);  // the low number is closed here
  errno = os_code;
  return moved;
}

Status SyncError(const char* operation, const std::string& path, int os_code) {
  return Status::Os(Code::kIo, os_code, [&] {
    return std::string(operation) + " " + path + ": " + OsErrorText(os_code);
  });
}

Result<std::unique_ptr<File>> OpenFileAt(int folder, const std::string& name,
                                         const std::string& path, Open mode) {
  if (name.find('\0') != std::string::npos) {
    return base::InvalidArgument("a path contains a NUL byte");
  }
  Opened opened = OpenAs(folder, name, mode);
  if (!opened.descriptor.ok()) {
    const int os_code = errno;
    Status status = OsError("open", path, os_code);
    if (mode == Open::kReadOnly && status.code() == Code::kReadOnly) {
      return status.As(Code::kIo);
    }
    return status;
  }
  const int number = opened.descriptor.number();
  struct stat found = {};
  if (::fstat(number, &found) != 0) {
    return OsError("stat", path, errno);
  }
  if (!S_ISREG(found.st_mode)) {
    return Status(Code::kIo, "open " + path + ": not a regular file");
  }
  // The umask can only have taken bits away; an existing file keeps its mode.
  if (opened.made_now && (found.st_mode & 07777) != kMode && ::fchmod(number, kMode) != 0) {
    return OsError("chmod", path, errno);
  }
  return std::unique_ptr<File>(
      std::make_unique<PosixFile>(path, std::move(opened.descriptor), mode == Open::kNameless));
}

std::string OsErrorText(int os_code) {
  char buffer[256] = "";
  return ErrorText(::strerror_r(os_code, buffer, sizeof buffer), buffer);
}

Status OsError(const char* operation, const std::string& path, int os_code) {
  return Status::Os(CodeFor(os_code), os_code, [&] {
    return std::string(operation) + " " + path + ": " + OsErrorText(os_code);
  });
}

FileSystem* PosixFileSystem() {
  static PosixFiles files;
  return &files;
}

}  // namespace spillway::io
