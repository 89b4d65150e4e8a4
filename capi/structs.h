// Structs of spillway.h that begin with their size, so that callers and library may be of different
// versions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "internal/base/status.h"

namespace spillway::capi {

inline constexpr uint32_t kStructSizeMax = 4096;  // larger can only be uninitialised memory

// Reads what a caller filled. What lies beyond the known size must be 0: it would ask for something
// this version does not know.
template <class T>
base::Status ReadStruct(const T* from, const char* name, T* out) {
  const uint32_t size = from->struct_size;
  if (size < sizeof(T) || size > kStructSizeMax) {
    return base::InvalidArgument(std::string(name) + ".struct_size is " + std::to_string(size) +
                                 "; it should be " + std::to_string(sizeof(T)));
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(from);
  if (std::any_of(bytes + sizeof(T), bytes + size, [](uint8_t byte) { return byte != 0; })) {
    return {base::Code::kUnsupported,
            std::string(name) + " has fields that this version does not know"};
  }
  *out = *from;
  return {};
}

// Empties a struct that the library is to fill, before any work; WriteStruct then fills as much as
// the caller has room for.
template <class T>
base::Status ClearStruct(T* out, const char* name) {
  const uint32_t size = out->struct_size;
  if (size < 2 * sizeof(uint32_t) || size > kStructSizeMax) {
    return base::InvalidArgument(std::string(name) + ".struct_size is " + std::to_string(size) +
                                 "; it should be " + std::to_string(sizeof(T)));
  }
  std::memset(reinterpret_cast<uint8_t*>(out) + sizeof(uint32_t), 0,
              std::min<size_t>(size, sizeof(T)) - sizeof(uint32_t));
  return {};
}

template <class T>
void WriteStruct(T* out, const T& from) {
  const uint32_t size = out->struct_size;
  std::memcpy(out, &from, std::min<size_t>(size, sizeof(T)));
  out->struct_size = size;
}

}  // namespace spillway::capi
