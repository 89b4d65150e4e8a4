#include "tests/bench/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

namespace spillway::bench {
namespace {

std::string& ChosenFolder() {
  static std::string folder;
  return folder;
}

template <class Visit>
void ForEachFile(const std::string& folder, Visit visit) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      visit(entry.path().string());
    }
  }
}

// Pages of a file that are in the page cache, and all of them.
void CountCachedPages(int fd, uint64_t size, uint64_t* cached, uint64_t* total) {
  void* map = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) {
    DieErrno("mmap");
  }
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident((size + page - 1) / page);
  if (mincore(map, size, resident.data()) != 0) {
    DieErrno("mincore");
  }
  for (const unsigned char state : resident) {
    *cached += state & 1U;
  }
  *total += resident.size();
  munmap(map, size);
}

}  // namespace

void Die(const std::string& message) {
  std::fprintf(stderr, "spw_bench: %s\n", message.c_str());
  std::exit(2);
}

void DieErrno(const std::string& what) { Die(what + ": " + std::strerror(errno)); }

uint64_t NumberFromEnv(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') {
    return fallback;
  }
  char* end = nullptr;
  const uint64_t value = std::strtoull(text, &end, 10);
  if (*end != '\0' || value == 0) {
    Die(std::string(name) + "=" + text + " is not a number above 0");
  }
  return value;
}

void SetBaseFolder(const std::string& path) { ChosenFolder() = path; }

std::string BaseFolder() {
  if (!ChosenFolder().empty()) {
    return ChosenFolder();
  }
  for (const char* name : {"SPW_BENCH_DIR", "TMPDIR"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') {
      return value;
    }
  }
  return "/tmp";
}

std::string FileSystemName(const std::string& path) {
  struct statfs info;
  if (statfs(path.c_str(), &info) != 0) {
    DieErrno(path);
  }
  switch (static_cast<uint64_t>(info.f_type)) {
    case 0xEF53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683E:
      return "btrfs";
    case 0x01021994:
    case 0x858458F6:
      return "tmpfs";
    case 0x794C7630:
      return "overlayfs";
    default:
      return "type " + std::to_string(info.f_type);
  }
}

TempFolder::TempFolder() {
  path_ = BaseFolder() + "/spw_bench_XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) {
    DieErrno(path_);
  }
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Fd::Open(const std::string& path, int flags) {
  Reset();
  fd_ = open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd_ < 0) {
    DieErrno(path);
  }
}

void Fd::Reset() {
  if (fd_ >= 0) {
    close(fd_);
    fd_ = -1;
  }
}

uint64_t FolderBytes(const std::string& folder) {
  uint64_t bytes = 0;
  ForEachFile(folder, [&](const std::string& path) {
    struct stat info;
    if (stat(path.c_str(), &info) == 0) {
      bytes += static_cast<uint64_t>(info.st_blocks) * 512;
    }
  });
  return bytes;
}

void SyncFolder(const std::string& folder) {
  ForEachFile(folder, [](const std::string& path) {
    Fd fd;
    fd.Open(path, O_RDONLY);
    if (fdatasync(fd.get()) != 0) {
      DieErrno(path);
    }
  });
  Fd fd;
  fd.Open(folder, O_RDONLY | O_DIRECTORY);
  if (fsync(fd.get()) != 0) {
    DieErrno(folder);
  }
}

void WarmFolder(const std::string& folder) {
  std::vector<char> chunk(1 << 20);
  ForEachFile(folder, [&](const std::string& path) {
    Fd fd;
    fd.Open(path, O_RDONLY);
    while (read(fd.get(), chunk.data(), chunk.size()) > 0) {
    }
  });
}

double CoolFolder(const std::string& folder) {
  SyncFolder(folder);  // dirty pages cannot be dropped
  uint64_t cached = 0;
  uint64_t total = 0;
  ForEachFile(folder, [&](const std::string& path) {
    Fd fd;
    fd.Open(path, O_RDONLY);
    struct stat info;
    if (fstat(fd.get(), &info) != 0 || info.st_size == 0) {
      return;
    }
    posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
    CountCachedPages(fd.get(), static_cast<uint64_t>(info.st_size), &cached, &total);
  });
  return total == 0 ? 0.0 : static_cast<double>(cached) / static_cast<double>(total);
}

}  // namespace spillway::bench
