// Folders of files as tests want them: a map from paths to bytes, and names that are hard to write
// as paths.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "gtest/gtest.h"
#include "internal/blockfile/folder_export.h"
#include "internal/blockfile/folder_import.h"
#include "tests/support/blocks.h"
#include "tests/support/prng.h"

namespace spillway::test {

// Regular files by their paths below a folder; or blocks by their names.
using Contents = std::map<std::string, std::string>;

inline std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void WriteFile(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(out.good()) << path;
}

inline Contents ReadTree(const std::string& folder) {
  Contents tree;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && !entry.is_symlink()) {
      const std::string path = entry.path().string();
      tree[path.substr(folder.size() + 1)] = ReadFile(path);
    }
  }
  return tree;
}

inline void WriteTree(const std::string& folder, const Contents& tree) {
  std::filesystem::create_directories(folder);
  for (const auto& [path, bytes] : tree) {
    WriteFile(folder + "/" + path, bytes);
  }
}

inline Contents ReadBlocks(Blocks* file) {
  Contents blocks;
  std::vector<std::string> names;
  base::Status status = file->ListNames(&names);
  EXPECT_TRUE(status.ok()) << status.message();
  for (const std::string& name : names) {
    status = file->Read(name, &blocks[name]);
    EXPECT_TRUE(status.ok()) << name << ": " << status.message();
  }
  return blocks;
}

inline void PutAll(Blocks* file, const Contents& blocks) {
  for (const auto& [name, bytes] : blocks) {
    const base::Status status = file->Put(name, bytes);
    ASSERT_TRUE(status.ok()) << status.message();
  }
}

// What differs, in few words; "" if nothing does.
inline std::string Difference(const Contents& wanted, const Contents& found) {
  std::string text;
  for (const auto& [name, bytes] : wanted) {
    const auto other = found.find(name);
    text += other == found.end()     ? " missing: " + name
            : other->second != bytes ? " other bytes: " + name
                                     : "";
  }
  for (const auto& [name, bytes] : found) {
    text += wanted.contains(name) ? "" : " too much: " + name;
  }
  return text;
}

inline std::string NastyName(Prng* random, size_t most) {
  constexpr std::string_view kNasty = "//..%%,_~ 0F\\:*?\"<>|a";
  constexpr std::string_view kPieces[] = {"%_",   "%,",           "%2E", "%FF", "\xc3\xbc",
                                          "\xff", "\xed\xa0\x80", "..",  "/",   "\xf0\x9f\x98\x80"};
  const uint64_t kind = random->Below(4);
  const size_t bytes = random->Below(most + 1);
  std::string name;
  while (name.size() < bytes) {
    const uint64_t what = kind == 3 ? random->Below(3) : kind;
    if (what == 0) {
      name += kNasty[random->Below(kNasty.size())];
    } else if (what == 1) {
      name += kPieces[random->Below(std::size(kPieces))];
    } else {
      name += static_cast<char>(random->OneIn(2) ? random->Between(1, 255) : 'a');
    }
  }
  name.resize(bytes);
  return name;
}

inline std::string RandomPayload(Prng* random, size_t most) {
  std::string bytes(random->Below(most + 1), '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(random->Next());
  }
  return bytes;
}

}  // namespace spillway::test
