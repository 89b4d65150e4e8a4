// Descriptors, and what is opened relative to one: what files and folders of POSIX share.
//
// `folder` is the descriptor of an open folder, or AT_FDCWD. `path` is what messages say.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "internal/base/status.h"
#include "internal/io/file.h"

namespace spillway::io {

// An open descriptor, or -1.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  // Not retried on EINTR: Linux has closed it, and the number may be somebody else's by now.
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }

  bool ok() const { return number_ >= 0; }
  int number() const { return number_; }
  // Somebody else closes it.
  void Release() { number_ = -1; }

 private:
  int number_;
};

template <class Call>
auto RetryInterrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) {
    result = call();
  }
  return result;
}

// Of at least 3; not ok() and errno on failure.
Descriptor OpenDescriptor(int folder, const std::string& name, int flags, mode_t mode);

// A failed sync says nothing about what is on the device, so its code must not invite a retry.
base::Status SyncError(const char* operation, const std::string& path, int os_code);

base::Result<std::unique_ptr<File>> OpenFileAt(int folder, const std::string& name,
                                               const std::string& path, Open mode);

// flags: more of open's.
base::Result<std::unique_ptr<Folder>> OpenFolderAt(int folder, const std::string& name,
                                                   const std::string& path, int flags);
base::Status MakeFolderAt(int folder, const std::string& name, const std::string& path);
base::Status SyncFolder(const Descriptor& folder, const std::string& path);

}  // namespace spillway::io
