// Which records the point reads want.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace spillway::bench {

std::vector<uint64_t> UniformPositions(uint64_t records, size_t count, uint64_t seed);

// Zipfian with exponent 0.99 over the ranks, as YCSB draws it, and the ranks scattered over all
// positions: the popular records do not lie together.
std::vector<uint64_t> ZipfianPositions(uint64_t records, size_t count, uint64_t seed);

}  // namespace spillway::bench
