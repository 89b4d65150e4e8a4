// How records stand in blocks, byte by byte; BLOCK_FORMAT.md says the same in words.
//
// A stream is a block that describes it and blocks of its records, whose names sort by sequence
// number. A block of records is a row of frames, each of which holds consecutive records as
// columns. What proves the bytes is the block file's business.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/status.h"
#include "internal/cold/cold_tier.h"
#include "internal/record/columns.h"

namespace spillway::cold {

using Bytes = std::span<const uint8_t>;

inline constexpr std::string_view kStoreBlock = ".spillway/store";
inline constexpr std::string_view kStreamsPrefix = ".spillway/streams/";
inline constexpr std::string_view kRecordsPrefix = ".spillway/records/";

std::string StreamBlockName(uint32_t id);
std::string RecordsPrefixOf(uint32_t id);
std::string RecordsBlockName(uint32_t id, uint64_t first_seq);
// nullopt: not such a name.
std::optional<uint32_t> ParseStreamBlockName(std::string_view name);
struct RecordsName {
  uint32_t id;
  uint64_t first_seq;
};
std::optional<RecordsName> ParseRecordsBlockName(std::string_view name);

std::vector<uint8_t> EncodeStore();
// kUnsupported: of a later version; kCorrupt.
base::Status CheckStore(Bytes bytes);

// Without end_seq, which the blocks of records say.
std::vector<uint8_t> EncodeStream(const StreamState& state);
bool DecodeStream(Bytes bytes, StreamState* state);

// What is known of a block of records without reading it: its tag.
struct RecordsBlock {
  uint64_t first_seq = 0;
  uint64_t count = 0;
  uint64_t payload_bytes = 0;
  uint64_t bytes = 0;  // of the block
  uint32_t frames = 0;
  int64_t time_least = 0;  // 0 without times
  int64_t time_most = 0;

  uint64_t end_seq() const { return first_seq + count; }
};
std::vector<uint8_t> EncodeTag(const RecordsBlock& block, bool has_times);
bool DecodeTag(Bytes tag, RecordsBlock* block);

// Where the parts of a frame stand.
struct FrameShape {
  uint64_t first_seq = 0;
  uint32_t count = 0;
  uint64_t payload_bytes = 0;
  bool has_times = false;

  static constexpr uint64_t kHeaderBytes = 24;
  uint64_t ends_at() const { return kHeaderBytes; }
  uint64_t times_at() const { return kHeaderBytes + (uint64_t{count} * 4 + 7) / 8 * 8; }
  uint64_t payload_at() const { return times_at() + (has_times ? uint64_t{count} * 8 : 0); }
  uint64_t bytes() const { return payload_at() + payload_bytes; }
  uint64_t end_seq() const { return first_seq + count; }
};

// Everything of a frame but the payloads, which follow in order. Adds the times to the block's.
FrameShape EncodeFrameHead(std::span<const record::Columns> columns, std::vector<uint8_t>* head,
                           RecordsBlock* block);
// From its first kHeaderBytes; false: they are none's.
bool DecodeFrameHeader(Bytes header, FrameShape* shape);

}  // namespace spillway::cold
