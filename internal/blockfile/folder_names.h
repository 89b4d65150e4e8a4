// Names of blocks as paths below a folder, and back: FORMAT.md, "Names in folders".
//
// Pure functions. DecodePath(EncodeName(name)) == name for every name, whatever forms its
// components were given by OtherForm; paths that no export wrote stand for themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::blockfile {

// Of a component, without what another form adds: so each has room in the 255 of file systems.
inline constexpr size_t kComponentBytesMost = 240;
// A component can be written in so many ways, so that a file and a folder that would have the same
// name can stand beside each other.
inline constexpr size_t kForms = 4;

// Names of folders, and last that of the file. `name` has no byte 0 and may be empty.
std::vector<std::string> EncodeName(std::string_view name);

// The name of the file at that path below a folder. As good for the path of a folder itself: names
// of what is in it begin with the result and "/", unless it is a piece of a longer part.
std::string DecodePath(std::span<const std::string> components);

// A component as EncodeName gives it, in form 0 (as it is) to kForms - 1; they all stand for the
// same.
std::string OtherForm(std::string_view component, size_t form);

// What a file is called while it is written: no block's file, and never a block.
std::string TemporaryName(uint64_t number);
bool IsTemporaryName(std::string_view component);

}  // namespace spillway::blockfile
