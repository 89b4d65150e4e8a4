#include "tests/bench/positions.h"

#include <cmath>
#include <random>

namespace spillway::bench {
namespace {

constexpr double kExponent = 0.99;

double Unit(std::mt19937_64* random) { return static_cast<double>((*random)() >> 11) * 0x1.0p-53; }

uint64_t Scatter(uint64_t rank) {  // splitmix64's finalizer
  uint64_t z = rank + 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

}  // namespace

std::vector<uint64_t> UniformPositions(uint64_t records, size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> positions(count);
  for (uint64_t& position : positions) {
    position = random() % records;
  }
  return positions;
}

// Gray et al., "Quickly generating billion-record synthetic databases", 1994.
std::vector<uint64_t> ZipfianPositions(uint64_t records, size_t count, uint64_t seed) {
  double zeta = 0;
  for (uint64_t rank = 1; rank <= records; ++rank) {
    zeta += std::pow(1.0 / static_cast<double>(rank), kExponent);
  }
  const double n = static_cast<double>(records);
  const double zeta_of_2 = 1 + std::pow(0.5, kExponent);
  const double alpha = 1 / (1 - kExponent);
  const double eta = (1 - std::pow(2 / n, 1 - kExponent)) / (1 - zeta_of_2 / zeta);
  std::mt19937_64 random(seed);
  std::vector<uint64_t> positions(count);
  for (uint64_t& position : positions) {
    const double u = Unit(&random);
    uint64_t rank = 0;
    if (u * zeta >= zeta_of_2) {
      rank = static_cast<uint64_t>(n * std::pow(eta * u - eta + 1, alpha));
    } else if (u * zeta >= 1) {
      rank = 1;
    }
    position = Scatter(rank) % records;
  }
  return positions;
}

}  // namespace spillway::bench
