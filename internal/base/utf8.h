// UTF-8 as the standard has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spillway::base {

// Length of the UTF-8 character at the front, 0 if there is none.
inline size_t CharacterLength(std::string_view bytes) {
  const auto at = [&](size_t i) { return i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0u; };
  const auto tail = [&](size_t i) { return (at(i) & 0xc0u) == 0x80u; };
  const uint32_t lead = at(0);
  if (lead < 0x80) {
    return bytes.empty() ? 0 : 1;
  }
  if (lead >= 0xc2 && lead < 0xe0) {
    return tail(1) ? 2 : 0;
  }
  if (lead >= 0xe0 && lead < 0xf0) {
    const bool fits = (lead != 0xe0 || at(1) >= 0xa0) && (lead != 0xed || at(1) < 0xa0);
    return fits && tail(1) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead < 0xf5) {
    const bool fits = (lead != 0xf0 || at(1) >= 0x90) && (lead != 0xf4 || at(1) < 0x90);
    return fits && tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

inline bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = CharacterLength(bytes);
    if (length == 0) {
      return false;
    }
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace spillway::base
