#include "internal/cold/block_load.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "internal/blockfile/lister.h"

namespace spillway::cold {

using base::Code;
using base::Status;
using blockfile::BlockFile;
using blockfile::BlockInfo;

namespace {

constexpr uint64_t kNamesAtOnce = 1024;
constexpr uint64_t kDescriptionBytesMost = 4096;

Status Strange(std::string_view name) {
  return base::Corrupt("block \"" + std::string(name) + "\" is none that a store makes");
}

Status ReadWhole(BlockFile* file, std::string_view name, std::vector<uint8_t>* bytes) {
  BlockInfo info;
  SPW_RETURN_IF_ERROR(file->Stat(nullptr, name, &info));
  if (info.length > kDescriptionBytesMost) {
    return Strange(name);
  }
  bytes->resize(info.length);
  uint64_t bytes_read = 0;
  return file->Read(nullptr, name, 0, *bytes, &bytes_read);
}

// visit(name, info) for each block of the prefix.
template <class Visit>
Status ForEachBlock(BlockFile* file, std::string_view prefix, Visit&& visit) {
  std::unique_ptr<blockfile::Lister> lister;
  SPW_RETURN_IF_ERROR(file->List(nullptr, prefix, false, &lister));
  blockfile::BlockPage page;
  do {
    SPW_RETURN_IF_ERROR(lister->Next(kNamesAtOnce, &page));
    for (uint64_t i = 0; i < page.count; ++i) {
      const uint64_t begin = page.name_offsets[i];
      const std::string_view name =
          std::string_view(page.names).substr(begin, page.name_offsets[i + 1] - begin);
      SPW_RETURN_IF_ERROR(visit(name, page.infos[i]));
    }
  } while (page.count > 0);
  return {};
}

}  // namespace

Status LoadStreams(BlockFile* file, std::map<uint32_t, StoredStream>* streams, bool* found) {
  std::vector<uint8_t> bytes;
  const Status read = ReadWhole(file, kStoreBlock, &bytes);
  *found = read.code() != Code::kNotFound;
  if (!*found) {
    return {};
  }
  SPW_RETURN_IF_ERROR(read);
  SPW_RETURN_IF_ERROR(CheckStore(bytes));
  const Status described =
      ForEachBlock(file, kStreamsPrefix, [&](std::string_view name, const BlockInfo&) -> Status {
        const std::optional<uint32_t> id = ParseStreamBlockName(name);
        SPW_RETURN_IF_ERROR(id.has_value() ? ReadWhole(file, name, &bytes) : Strange(name));
        StreamState state;
        if (!DecodeStream(bytes, &state)) {
          return Strange(name);
        }
        state.id = *id;
        state.end_seq = state.begin_seq;
        (*streams)[*id] = {state, {true, state.begin_seq, state.end_seq, {}}};
        return {};
      });
  SPW_RETURN_IF_ERROR(described);
  return ForEachBlock(file, kRecordsPrefix,
                      [&](std::string_view name, const BlockInfo& info) -> Status {
                        const std::optional<RecordsName> parsed = ParseRecordsBlockName(name);
                        RecordsBlock block;
                        if (!parsed.has_value() || !streams->contains(parsed->id) ||
                            !DecodeTag(Bytes(info.tag).first(info.tag_bytes), &block) ||
                            block.count > kSeqMax - parsed->first_seq) {
                          return Strange(name);
                        }
                        block.first_seq = parsed->first_seq;
                        block.bytes = info.length;
                        StoredStream& stream = streams->at(parsed->id);
                        std::vector<RecordsBlock>& blocks = stream.in_file.blocks;
                        if (!blocks.empty() && block.first_seq < blocks.back().end_seq()) {
                          return Strange(name);
                        }
                        blocks.push_back(block);
                        stream.state.end_seq = std::max(stream.state.end_seq, block.end_seq());
                        stream.in_file.end_seq = stream.state.end_seq;
                        return {};
                      });
}

}  // namespace spillway::cold
