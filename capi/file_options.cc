#include "capi/file_options.h"

#include <algorithm>

#include "spillway.h"

namespace spillway::capi {

using base::Option;
using base::Status;
using blockfile::ChecksumKind;
using blockfile::OpenMode;

static_assert(static_cast<int>(OpenMode::kCreate) == SPW_OPEN_CREATE &&
              static_cast<int>(OpenMode::kExisting) == SPW_OPEN_EXISTING &&
              static_cast<int>(OpenMode::kNew) == SPW_OPEN_NEW &&
              static_cast<int>(OpenMode::kReadOnly) == SPW_OPEN_READ_ONLY);
static_assert(static_cast<int>(ChecksumKind::kXxh3) == SPW_CHECKSUM_XXH3 &&
              static_cast<int>(ChecksumKind::kSha256) == SPW_CHECKSUM_SHA256);
static_assert(static_cast<int>(Option::kFileChecksum) == SPW_OPT_FILE_CHECKSUM &&
              static_cast<int>(Option::kFileDirtyBytes) == SPW_OPT_FILE_DIRTY_BYTES &&
              static_cast<int>(Option::kFileDirtyBlocks) == SPW_OPT_FILE_DIRTY_BLOCKS &&
              static_cast<int>(Option::kFileCacheBytes) == SPW_OPT_FILE_CACHE_BYTES &&
              static_cast<int>(Option::kFileGrowthBytes) == SPW_OPT_FILE_GROWTH_BYTES &&
              static_cast<int>(Option::kFileJournalBytes) == SPW_OPT_FILE_JOURNAL_BYTES);

Status ParseFileOptions(const base::Options* options, blockfile::Settings* out) {
  if (options == nullptr) {
    return {};
  }
  SPW_RETURN_IF_ERROR(options->CheckKeys(
      "a block file",
      {Option::kOpen, Option::kFileChecksum, Option::kFileDirtyBytes, Option::kFileDirtyBlocks,
       Option::kFileCacheBytes, Option::kFileGrowthBytes, Option::kFileJournalBytes}));
  if (const auto value = options->Get(Option::kOpen)) {
    if (*value == SPW_OPEN_TEMPORARY) {
      return {base::Code::kUnsupported, "SPW_OPEN_TEMPORARY is for a store"};
    }
    out->mode = static_cast<OpenMode>(*value);
  }
  if (const auto value = options->Get(Option::kFileChecksum)) {
    out->named_checksum = true;
    out->checksum = static_cast<ChecksumKind>(*value);
  }
  const auto take = [&](Option key, uint64_t* place) {
    if (const auto value = options->Get(key)) {
      *place = static_cast<uint64_t>(*value);
    }
  };
  take(Option::kFileDirtyBytes, &out->dirty_bytes_most);
  take(Option::kFileDirtyBlocks, &out->dirty_blocks_most);
  take(Option::kFileCacheBytes, &out->cache_bytes);
  take(Option::kFileGrowthBytes, &out->growth_bytes);
  take(Option::kFileJournalBytes, &out->journal_bytes_most);
  out->growth_bytes_most = std::max(out->growth_bytes_most, out->growth_bytes);
  return {};
}

}  // namespace spillway::capi
