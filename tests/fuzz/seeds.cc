// Inputs to start from, taken from real files.
#include <filesystem>
#include <functional>

#include "tests/fuzz/targets.h"
#include "tests/support/block_bytes.h"
#include "tests/support/block_repair.h"
#include "tests/support/blocks.h"
#include "tests/support/memory_disk.h"
#include "tests/support/prng.h"

namespace spillway::fuzz {

using base::Status;
using blockfile::OpenMode;
using test::Blocks;
using test::MemoryDisk;

namespace {

constexpr char kPath[] = "blocks";

blockfile::Settings SeedSettings(blockfile::ChecksumKind checksum) {
  blockfile::Settings settings;
  constexpr uint32_t kPageBytes = 512;
  settings.page_bytes = kPageBytes;
  settings.checksum = checksum;
  settings.growth_bytes = uint64_t{4} * kPageBytes;
  settings.growth_bytes_most = settings.growth_bytes;
  settings.region_pages = 4;
  settings.reserve_bytes = 0;
  settings.background = false;
  auto number = std::make_shared<uint64_t>(0x5eed);
  settings.random = [number] { return ++*number; };
  settings.clock_ns = [number] { return static_cast<int64_t>(++*number); };
  return settings;
}

Status MakeFile(Blocks* file, bool closed, int blocks) {
  test::Prng random(1);
  for (int i = 0; i < blocks; ++i) {
    const std::string name = (i % 2 == 0 ? "a" : "block ") + std::to_string(i);
    constexpr uint64_t kSizes[] = {0, 20, 100, 300, 600};
    SPW_RETURN_IF_ERROR(file->Put(name, test::RandomBytes(kSizes[i % 5], &random)));
  }
  SPW_RETURN_IF_ERROR(file->Checkpoint());
  uint64_t length = 0;
  for (int i = 0; i < 4; ++i) {  // a list that is too long for its entry
    const std::string more = test::RandomBytes(600 - 100 * static_cast<uint64_t>(i), &random);
    SPW_RETURN_IF_ERROR((*file)->Append(nullptr, "grows", blockfile::AsBytes(more), &length));
    SPW_RETURN_IF_ERROR(file->Flush());
  }
  SPW_RETURN_IF_ERROR((*file)->SetTag(nullptr, "grows", blockfile::AsBytes("tag")));
  SPW_RETURN_IF_ERROR(file->Remove("a0"));
  return closed ? file->Close() : file->Flush();
}

// The parts of a file, each with the bytes before it that its target wants.
void WriteParts(const std::string& folder, const std::string& name, const std::string& file,
                bool is_sha256) {
  const auto write_as = [&](const char* target, const std::string& as, const std::string& text) {
    std::filesystem::create_directories(folder + "/" + target);
    test::WriteWholeFile(folder + "/" + target + "/" + as, text);
  };
  const auto write = [&](const char* target, const std::string& text) {
    write_as(target, name, text);
  };
  const auto choice = [](int number) { return std::string(1, static_cast<char>(number)); };
  write("superblock", file.substr(0, 288));
  write_as("superblock", "mark-" + name, file.substr(8192, 40));
  const test::Places found = test::FindPlaces(file);
  const std::vector<uint64_t>& frames = found.frames;
  if (!frames.empty()) {
    const auto body = blockfile::Load<uint64_t>(reinterpret_cast<const uint8_t*>(file.data()) +
                                                frames.back() + 40);
    write("frame", choice(is_sha256) + file.substr(frames.back(), 96 + body));
  }
  for (const uint64_t page : found.registry) {
    const int level = static_cast<uint8_t>(file[page + 1]);
    write_as("tree_node", (level > 0 ? "branch-" : "leaf-") + name,
             choice(2 * is_sha256 + 4 * level) + file.substr(page, 512));
    if (level > 0) {
      continue;
    }
    const auto* const bytes = reinterpret_cast<const uint8_t*>(file.data()) + page;
    for (size_t i = 0; i < blockfile::Load<uint16_t>(bytes + 2); ++i) {
      const uint64_t at = blockfile::Load<uint16_t>(bytes + 8 + 2 * i);
      const uint64_t value = at + 4 + blockfile::Load<uint16_t>(bytes + at);
      const uint64_t entry_bytes = blockfile::Load<uint16_t>(bytes + at + 2);
      const uint64_t size = entry_bytes / 4 * 4;
      // Behind it what would be its list, if that stands elsewhere.
      write_as("entry", "kind" + std::to_string(bytes[value]) + "-" + name,
               choice(2 * is_sha256) + choice(static_cast<int>(size / 4)) +
                   file.substr(page + value, size) + std::string(48, '\1'));
    }
  }
  for (const uint64_t page : found.map) {
    write("space_map",
          choice(0) + choice(200) + file.substr(page, 64) + std::string("\1\0\7\2\0\7\3\0\7", 9));
  }
  write("file", file);
}

}  // namespace

int WriteSeeds(const std::string& folder) {
  for (int i = 0; i < 6; ++i) {
    const bool is_sha256 = i % 2 == 1;
    const bool closed = i / 2 == 0;
    MemoryDisk disk;
    auto file = Blocks::Open(&disk, kPath, OpenMode::kNew,
                             SeedSettings(is_sha256 ? blockfile::ChecksumKind::kSha256
                                                    : blockfile::ChecksumKind::kXxh3));
    const Status made =
        file.ok() ? MakeFile(file.value().get(), closed, i / 2 == 2 ? 30 : 6) : file.status();
    if (!made.ok()) {
      std::fprintf(stderr, "%s\n", std::string(made.message()).c_str());
      return 1;
    }
    const char* const ends[] = {"closed", "frames", "deep"};
    WriteParts(folder, std::string(ends[i / 2]) + (is_sha256 ? "-sha256" : "-xxh3"), disk[kPath],
               is_sha256);
  }
  return 0;
}

}  // namespace spillway::fuzz
