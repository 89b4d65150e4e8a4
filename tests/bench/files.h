// Folders and files of the benchmarks: temporary, measured, warmed and made cold.
#pragma once

#include <cstdint>
#include <string>

namespace spillway::bench {

// Benchmarks have no caller to report to: prints the message and ends the process.
[[noreturn]] void Die(const std::string& message);
// The same with the text of errno.
[[noreturn]] void DieErrno(const std::string& what);

uint64_t NumberFromEnv(const char* name, uint64_t fallback);

// Where all temporary folders are made: --dir (SetBaseFolder), else SPW_BENCH_DIR, TMPDIR, /tmp.
void SetBaseFolder(const std::string& path);
std::string BaseFolder();
// Name of the file system under a path, "tmpfs" if it is none that has a disk.
std::string FileSystemName(const std::string& path);

// A new folder under BaseFolder(), removed with all that is in it by the destructor.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  ~Fd() { Reset(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  // Ends the process on failure.
  void Open(const std::string& path, int flags);
  void Reset();
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

// Allocated bytes of the files in a folder; holes do not count.
uint64_t FolderBytes(const std::string& folder);
// fdatasync of every file, and of the folder: for engines that leave their last log unsynced.
void SyncFolder(const std::string& folder);
// Reads every file once, so that all pages are in the page cache.
void WarmFolder(const std::string& folder);
// Asks the kernel to forget the pages of every file (only these files: others measure here, too).
// Returns the fraction of pages that stayed.
double CoolFolder(const std::string& folder);

}  // namespace spillway::bench
