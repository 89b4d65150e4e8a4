// How much memory this process may use: the smallest limit of its control groups (v2, v1, nested),
// or the machine's.
#pragma once

#include <cstdint>
#include <string>

namespace spillway::base {

uint64_t MemoryLimitBytes();

// The same with other places for /proc and /sys/fs/cgroup, and the machine's memory given; for
// tests.
uint64_t MemoryLimitBytes(const std::string& proc, const std::string& cgroup_root,
                          uint64_t machine_bytes);

}  // namespace spillway::base
