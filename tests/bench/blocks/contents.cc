#include "tests/bench/blocks/contents.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "tests/bench/files.h"

namespace spillway::bench {
namespace {

constexpr size_t kPreloadBytes = size_t{8} << 20;  // of a group
constexpr size_t kPreloadBlocks = 5000;

}  // namespace

void SetVersions(Versions* versions, const BlockBatch& batch, uint32_t version) {
  for (const uint32_t index : batch.indexes) {
    (*versions)[index] = version;
  }
}

void Preload(BlockStore* store, const BlockSet& set, size_t count, const std::string& folder) {
  const std::vector<uint32_t> order = Shuffled(0, count, kBlockSeed);
  const size_t size = std::clamp<size_t>(kPreloadBytes / set.bytes_max(), 1, kPreloadBlocks);
  store->Open(folder, Durability::kAtEnd);
  for (size_t begin = 0; begin < count; begin += size) {
    const size_t end = std::min(begin + size, count);
    store->Put(MakeBatch(set, std::span(order).subspan(begin, end - begin), 0));
  }
  store->Close();
}

bool HoldsExactly(BlockStore* store, const BlockSet& set, const Versions& versions) {
  const std::unique_ptr<BlockSession> session = store->StartSession(SessionKind::kSnapshot);
  std::vector<char> buffer(set.bytes_max());
  for (size_t i = 0; i < versions.size(); ++i) {
    const size_t bytes = session->Read(i, buffer);
    const bool right = versions[i] == kGone
                           ? bytes == kNoBlock
                           : bytes != kNoBlock &&
                                 set.Holds(i, versions[i], std::string_view(buffer.data(), bytes));
    if (!right) {
      return false;
    }
  }
  return true;
}

void Settle(const std::string& folder) {
  Fd fd;
  fd.Open(folder, O_RDONLY | O_DIRECTORY);
  if (syncfs(fd.get()) != 0) {
    DieErrno("syncfs");
  }
}

}  // namespace spillway::bench
