// A whole block file: opened for reading and for writing, listed, read, verified, changed.
#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "internal/base/checksum.h"
#include "tests/fuzz/targets.h"
#include "tests/support/block_repair.h"
#include "tests/support/blocks.h"
#include "tests/support/memory_disk.h"
#include "tests/support/prng.h"

namespace spillway::fuzz {

using base::Code;
using base::Status;
using blockfile::OpenMode;
using test::Blocks;
using test::MemoryDisk;

namespace {

constexpr char kPath[] = "blocks";

blockfile::Settings FileSettings() {
  blockfile::Settings settings;
  constexpr uint32_t kPageBytes = 512;
  settings.page_bytes = kPageBytes;
  settings.growth_bytes = uint64_t{64} * kPageBytes;
  settings.growth_bytes_most = settings.growth_bytes;
  settings.region_pages = 8;
  settings.reserve_bytes = uint64_t{8} * kPageBytes;
  settings.cached_pages = 8;
  settings.cache_bytes = 4096;
  settings.background = false;
  auto number = std::make_shared<uint64_t>(0);
  settings.random = [number] { return ++*number; };
  settings.clock_ns = [] { return int64_t{0}; };
  return settings;
}

// Damage may be met anywhere. That something else fails, or an invariant does not hold, it is not
// an excuse for.
void RequireExcuse(const Status& status, bool writing) {
  const bool excused = status.code() == Code::kCorrupt || status.code() == Code::kUnsupported ||
                       (writing && status.code() == Code::kFull);
  if (!status.ok() && !excused) {
    std::fprintf(stderr, "%d: %s\n", static_cast<int>(status.code()),
                 std::string(status.message()).c_str());
  }
  Require(status.ok() || excused, "what fails fails for damage");
}

// Lists, reads and verifies all; false if the listing met damage.
bool ReadAll(Blocks* file, bool writing) {
  std::vector<std::string> names;
  const Status listed = file->ListNames(&names);
  RequireExcuse(listed, false);
  // Bytes that claim to be more than they are make reading slow and not wrong; the first megabytes
  // tell enough.
  uint64_t left = uint64_t{8} << 20;
  for (const std::string& name : names) {
    blockfile::BlockInfo info;
    Status read = (*file)->Stat(nullptr, name, &info);
    // In a hostile registry may stand names that no block can have, and names where nobody looks.
    const bool hidden = read.code() == Code::kInvalidArgument || read.code() == Code::kNotFound;
    RequireExcuse(hidden ? Status() : read, false);
    if (read.ok() && info.length <= left) {
      left -= info.length;
      std::string payload;
      read = file->Read(name, &payload);
      RequireExcuse(read, false);
      Require(!read.ok() || payload.size() == info.length, "as many bytes as it has");
    }
  }
  blockfile::Report report;
  RequireExcuse((*file)->Verify(true, UINT64_MAX, nullptr, &report), writing);
  return listed.ok();
}

}  // namespace

void File(Input input) {
  MemoryDisk disk;
  disk.SetBytesMost(uint64_t{4} << 20);
  const std::string bytes(input.begin(), input.end());
  disk[kPath] = bytes;
  {
    auto file = Blocks::Open(&disk, kPath, OpenMode::kReadOnly, FileSettings());
    RequireExcuse(file.status(), false);
    if (file.ok()) {
      ReadAll(file.value().get(), false);
    }
    Require(disk.writes() == 0 && disk[kPath] == bytes, "reading changes nothing");
  }
  for (int round = 0; round < 2; ++round) {
    auto file = Blocks::Open(&disk, kPath, OpenMode::kExisting, FileSettings());
    RequireExcuse(file.status(), true);
    if (!file.ok()) {
      return;
    }
    ReadAll(file.value().get(), true);
    const std::string payload(static_cast<size_t>(700 * (round + 1)), 'x');
    Status changed = file.value()->Put("a new block", payload);
    if (changed.ok()) {
      std::string found;
      changed = file.value()->Flush();
      Require(!changed.ok() || (file.value()->Read("a new block", &found).ok() && found == payload),
              "what was written is read");
    }
    RequireExcuse(changed, true);
    const Status removed = file.value()->Remove("a");
    RequireExcuse(removed.code() == Code::kNotFound ? Status() : removed, true);
    RequireExcuse(round == 0 ? file.value()->Flush() : file.value()->Checkpoint(), true);
    RequireExcuse(file.value()->Close(), true);
  }
}

// In place: what stands behind would otherwise move, and nothing would be found any more.
static void MutateAt(std::string* file, uint64_t at, uint64_t most, Mutate mutate) {
  if (at >= file->size()) {
    return;
  }
  uint8_t piece[64];
  const uint64_t size = std::min<uint64_t>({most, sizeof piece, file->size() - at});
  std::memcpy(piece, file->data() + at, size);
  mutate(piece, size, size);
  std::memcpy(file->data() + at, piece, size);
}

void MutateFile(std::string* file, uint32_t seed, Mutate mutate) {
  test::Prng random(seed);
  const auto any_of = [&](const std::vector<uint64_t>& places, uint64_t within) {
    return places.empty() ? 0 : places[random.Below(places.size())] + random.Below(within);
  };
  const test::Places found = test::FindPlaces(*file);
  for (uint64_t changes = random.Between(1, 3); changes > 0; --changes) {
    uint64_t at = 0;
    switch (random.Below(7)) {
      case 0:
        at = random.Below(2) * 4096 + random.Below(288);
        break;
      case 1:
        at = (2 + random.Below(2)) * 4096 + random.Below(40);
        break;
      case 2:
      case 3:
        at = any_of(found.registry, 512);
        break;
      case 4:
        at = any_of(found.map, 512);
        break;
      case 5:
        at = any_of(found.frames, 512);
        break;
      default:
        at = random.Below(file->size() + 1);
    }
    MutateAt(file, at, random.OneIn(2) ? 8 : 64, mutate);
    if (random.OneIn(20)) {  // a page in the place of another
      const uint64_t from = random.Below(file->size() + 1) / 512 * 512;
      const std::string page = file->substr(from, 512);
      const uint64_t to = random.Below(file->size() + 1) / 512 * 512;
      if (to + page.size() <= file->size()) {
        file->replace(to, page.size(), page);
      }
    }
    if (random.OneIn(50)) {
      file->resize(random.Below(file->size() + 1));
    }
  }
  if (!random.OneIn(8)) {
    random.OneIn(4) ? test::RepairUnits(file) : test::RepairAll(file);
  }
}

}  // namespace spillway::fuzz
