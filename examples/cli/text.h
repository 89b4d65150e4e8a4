// Names, numbers and times as people and as JSON read them.
#ifndef SPILLWAY_CLI_TEXT_H
#define SPILLWAY_CLI_TEXT_H

#include <cstdint>
#include <string>
#include <string_view>

#include "failure.h"

namespace spillway::cli {

bool IsUtf8(std::string_view bytes);

// Fit for a terminal and for JSON: control bytes and what is no UTF-8 become \n, \t, \r or \xHH.
std::string Printable(std::string_view bytes);

// As Printable, and a backslash is doubled: no two names look the same, and none takes two lines.
std::string Shown(std::string_view name);

// {"name": ...}, and "name_hex" beside it where the name is no UTF-8 and so no JSON string.
Json NameAsJson(std::string_view name);
std::string Hex(std::string_view bytes);

// Of bytes whose count is a multiple of 3, or which are the last.
std::string Base64(std::string_view bytes);

std::string Grouped(uint64_t number);                          // 1,234,567
std::string Size(uint64_t bytes);                              // 1.2 MiB
std::string SizeExactly(uint64_t bytes);                       // 1.2 MiB (1,234,567 bytes)
std::string Counted(uint64_t count, const std::string& unit);  // 1 block, 2 blocks
std::string Time(int64_t ns);                                  // 2026-01-31T12:00:00Z

}  // namespace spillway::cli

#endif  // SPILLWAY_CLI_TEXT_H
