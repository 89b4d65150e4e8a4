#include "internal/base/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>

namespace spillway::base {
namespace {

// The first line of a small file, without its end; empty if there is none.
std::string FirstLine(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  char line[64] = {};
  if (file == nullptr || std::fgets(line, sizeof line, file.get()) == nullptr) {
    return {};
  }
  line[std::strcspn(line, "\n")] = '\0';
  return line;
}

// A limit such as "536870912"; "max" and whatever is not a number do not limit.
uint64_t LimitIn(const std::string& path) {
  const std::string line = FirstLine(path);
  uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), bytes);
  return error == std::errc() && end != line.data() ? bytes : UINT64_MAX;
}

// The smallest limit from a group up to the root: an outer group binds the inner ones.
uint64_t LimitUpTheTree(const std::string& root, std::string group, const char* file) {
  uint64_t limit = UINT64_MAX;
  for (;;) {
    limit = std::min(limit, LimitIn(root + group + "/" + file));
    const size_t slash = group.rfind('/');
    if (slash == std::string::npos) {
      return limit;
    }
    group.resize(slash);
  }
}

}  // namespace

uint64_t MemoryLimitBytes(const std::string& proc, const std::string& cgroup_root,
                          uint64_t machine_bytes) {
  uint64_t limit = machine_bytes;
  const std::unique_ptr<FILE, int (*)(FILE*)> groups(
      std::fopen((proc + "/self/cgroup").c_str(), "re"), std::fclose);
  char line[4096];
  while (groups != nullptr && std::fgets(line, sizeof line, groups.get()) != nullptr) {
    line[std::strcspn(line, "\n")] = '\0';
    // hierarchy:controllers:path, where v2 has no controllers.
    const char* controllers = std::strchr(line, ':');
    const char* path = controllers == nullptr ? nullptr : std::strchr(controllers + 1, ':');
    if (path == nullptr) {
      continue;
    }
    const std::string names(controllers + 1, path);
    const std::string group = std::strcmp(path + 1, "/") == 0 ? "" : path + 1;
    if (names.empty()) {
      limit = std::min(limit, LimitUpTheTree(cgroup_root, group, "memory.max"));
    } else if (("," + names + ",").find(",memory,") != std::string::npos) {
      limit =
          std::min(limit, LimitUpTheTree(cgroup_root + "/memory", group, "memory.limit_in_bytes"));
    }
  }
  return limit;
}

uint64_t MemoryLimitBytes() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGESIZE);
  const uint64_t machine = pages > 0 && page_bytes > 0
                               ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes)
                               : UINT64_MAX;
  return MemoryLimitBytes("/proc", "/sys/fs/cgroup", machine);
}

}  // namespace spillway::base
