// Folders of this machine: everything relative to an open descriptor, nothing through links.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>

#include "internal/io/posix_descriptor.h"
#include "internal/io/posix_file.h"

namespace spillway::io {
namespace {

using base::Code;
using base::Result;
using base::Status;

constexpr mode_t kFolderMode = 0700;

int64_t Nanoseconds(const struct timespec& time) {
  constexpr int64_t kPerSecond = 1'000'000'000;
  return static_cast<int64_t>(time.tv_sec) * kPerSecond + time.tv_nsec;
}

struct CloseStream {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

class PosixFolder final : public Folder {
 public:
  PosixFolder(std::string path, Descriptor descriptor)
      : Folder(std::move(path)), owner_(std::move(descriptor)), folder_(owner_.number()) {}

  Status List(const EachName& each) override {
    // Opened anew, for a position of its own.
    Descriptor again = OpenDescriptor(folder_, ".", O_RDONLY | O_DIRECTORY, 0);
    const std::unique_ptr<DIR, CloseStream> stream(again.ok() ? ::fdopendir(again.number())
                                                              : nullptr);
    if (stream == nullptr) {
      return Failure("list", ".");
    }
    again.Release();
    for (;;) {
      errno = 0;
      const struct dirent* const entry = ::readdir(stream.get());
      if (entry == nullptr) {
        return errno == 0 ? Status() : Failure("list", ".");
      }
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") {
        SPW_RETURN_IF_ERROR(each(name));
      }
    }
  }

  Result<Entry> Look(const std::string& name) override {
    struct stat found = {};
    if (::fstatat(folder_, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
      return Failure("stat", name);
    }
    Entry entry;
    entry.kind = S_ISREG(found.st_mode)   ? EntryKind::kFile
                 : S_ISDIR(found.st_mode) ? EntryKind::kFolder
                                          : EntryKind::kOther;
    entry.size = static_cast<uint64_t>(found.st_size);
    entry.device = found.st_dev;
    entry.node = found.st_ino;
    entry.modified_ns = Nanoseconds(found.st_mtim);
    entry.changed_ns = Nanoseconds(found.st_ctim);
    return entry;
  }

  Result<std::unique_ptr<File>> OpenFile(const std::string& name, Open mode) override {
    return OpenFileAt(folder_, name, Below(name), mode);
  }
  Result<std::unique_ptr<Folder>> OpenFolder(const std::string& name) override {
    return OpenFolderAt(folder_, name, Below(name), O_NOFOLLOW);
  }
  Status MakeFolder(const std::string& name) override {
    return MakeFolderAt(folder_, name, Below(name));
  }
  Status Remove(const std::string& name) override {
    return ::unlinkat(folder_, name.c_str(), 0) == 0 ? Status() : Failure("remove", name);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return ::renameat(folder_, from.c_str(), folder_, to.c_str()) == 0 ? Status()
                                                                       : Failure("rename", to);
  }
  Status Sync() override { return SyncFolder(owner_, path()); }

 private:
  std::string Below(const std::string& name) const { return path() + "/" + name; }
  Status Failure(const char* operation, const std::string& name) const {
    const int os_code = errno;
    return OsError(operation, name == "." ? path() : Below(name), os_code);
  }

  const Descriptor owner_;
  const int folder_;
};

}  // namespace

Result<std::unique_ptr<Folder>> OpenFolderAt(int folder, const std::string& name,
                                             const std::string& path, int flags) {
  Descriptor opened = OpenDescriptor(folder, name, O_RDONLY | O_DIRECTORY | flags, 0);
  if (!opened.ok()) {
    const Status status = OsError("open folder", path, errno);
    return status.code() == Code::kReadOnly ? status.As(Code::kIo) : status;
  }
  return std::unique_ptr<Folder>(std::make_unique<PosixFolder>(path, std::move(opened)));
}

Status MakeFolderAt(int folder, const std::string& name, const std::string& path) {
  if (::mkdirat(folder, name.c_str(), kFolderMode) != 0) {
    return OsError("make folder", path, errno);
  }
  return {};
}

Status SyncFolder(const Descriptor& folder, const std::string& path) {
  // Some file systems have no folder sync and say EINVAL; their names are as durable as they get.
  if (::fsync(folder.number()) != 0 && errno != EINVAL) {
    return SyncError("sync folder", path, errno);
  }
  return {};
}

}  // namespace spillway::io
