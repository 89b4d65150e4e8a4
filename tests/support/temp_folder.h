// A folder of its own for a test, removed with all that is in it: in memory (/dev/shm) if there is
// such a file system, else in TMPDIR or /tmp.
#pragma once

#include <stdlib.h>
#include <sys/statfs.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"

namespace spillway::test {

enum class Medium { kMemory, kDisk };

class TempFolder {
 public:
  explicit TempFolder(Medium medium = Medium::kMemory) {
    std::string pattern = Base(medium) + "/spillway-test-XXXXXX";
    const char* made = ::mkdtemp(pattern.data());
    EXPECT_NE(made, nullptr) << pattern;
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  static std::string Base(Medium medium) {
    constexpr auto kTmpfsMagic = 0x01021994;
    constexpr uint64_t kFreeBytesMin = uint64_t{256} << 20;
    struct statfs found = {};
    if (medium == Medium::kMemory && ::statfs("/dev/shm", &found) == 0 &&
        found.f_type == kTmpfsMagic &&
        found.f_bavail * static_cast<uint64_t>(found.f_bsize) > kFreeBytesMin) {
      return "/dev/shm";
    }
    const char* folder = std::getenv("TMPDIR");
    return folder == nullptr || *folder == '\0' ? "/tmp" : folder;
  }

  std::string path_;
};

}  // namespace spillway::test
