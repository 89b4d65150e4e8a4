// Bytes, paths, names and offsets as callers give them, checked before anything changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "internal/base/status.h"

namespace spillway::capi {

// Empty bytes lie somewhere too: NULL + 0 is undefined in C and no slice in other languages.
inline const uint8_t* PlaceOf(const uint8_t* data) {
  static constexpr uint8_t kNothing = 0;
  return data != nullptr ? data : &kNothing;
}

// Each of these calls the argument what the header calls it.
base::Status CheckPath(const char* path, size_t bytes, std::string* out);
base::Status CheckBytes(const void* data, uint64_t bytes, const char* what,
                        std::span<const uint8_t>* out);
base::Status CheckBuffer(void* buffer, uint64_t cap, std::span<uint8_t>* out);
base::Status CheckName(const char* name, uint64_t bytes, const char* what, std::string_view* out);
// What names begin with, or nothing at all.
base::Status CheckPrefix(const char* prefix, uint64_t bytes, const char* what,
                         std::string_view* out);

// `count` byte strings that lie one behind another: i is data[offsets[i] .. offsets[i+1]).
class Column {
 public:
  // An error says which one is to blame.
  static base::Status Parse(const void* data, uint64_t bytes, const uint64_t* offsets, size_t count,
                            const char* data_name, const char* offsets_name, Column* out);
  std::span<const uint8_t> operator[](size_t i) const {
    return data_.subspan(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }
  // It as the name of a block.
  base::Status Name(size_t i, std::string_view* out) const;

 private:
  std::span<const uint8_t> data_;
  const uint64_t* offsets_ = nullptr;
};

}  // namespace spillway::capi
