// Random numbers for tests: the same everywhere for the same seed (splitmix64). And the seed
// itself.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace spillway::test {

class Prng {
 public:
  explicit Prng(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // In [0, bound); 0 for bound 0.
  uint64_t Below(uint64_t bound) { return bound == 0 ? 0 : Next() % bound; }
  uint64_t Between(uint64_t first, uint64_t last) { return first + Below(last - first + 1); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};

// SEED=... from the environment, else `otherwise`; printed, so that a failure can be repeated.
inline uint64_t TestSeed(const char* test, uint64_t otherwise) {
  const char* text = std::getenv("SEED");
  const uint64_t seed = text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
  std::printf("seed=%llu rerun: make test T=%s SEED=%llu\n", static_cast<unsigned long long>(seed),
              test, static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace spillway::test
