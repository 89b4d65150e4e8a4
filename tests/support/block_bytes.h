// Whole files as strings, and payloads that are made up.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/prng.h"

namespace spillway::test {

inline std::string ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteWholeFile(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline std::string RandomBytes(uint64_t size, Prng* random) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(random->Next());
  }
  return bytes;
}

}  // namespace spillway::test
