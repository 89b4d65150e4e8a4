#include "internal/cold/block_format.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "internal/blockfile/codec.h"

namespace spillway::cold {

using base::Code;
using base::Status;
using blockfile::AsBytes;
using blockfile::AsText;
using blockfile::Reader;
using blockfile::Writer;

namespace {

constexpr uint32_t kFormat = 1;
constexpr uint8_t kCodecNone = 0;
constexpr uint8_t kHasTimes = 1;
constexpr size_t kIdDigits = 8;
constexpr size_t kSeqDigits = 16;

// With zeros in front, so that names sort as numbers do.
void AppendHex(uint64_t value, size_t digits, std::string* to) {
  for (size_t i = digits; i-- > 0;) {
    to->push_back("0123456789abcdef"[value >> (4 * i) & 15]);
  }
}

std::optional<uint64_t> ParseHex(std::string_view text, size_t digits) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  std::string again;
  AppendHex(value, digits, &again);
  const bool whole = error == std::errc() && end == text.data() + text.size() && again == text;
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string StreamBlockName(uint32_t id) {
  std::string name(kStreamsPrefix);
  AppendHex(id, kIdDigits, &name);
  return name;
}

std::string RecordsPrefixOf(uint32_t id) {
  std::string name(kRecordsPrefix);
  AppendHex(id, kIdDigits, &name);
  name.push_back('/');
  return name;
}

std::string RecordsBlockName(uint32_t id, uint64_t first_seq) {
  std::string name = RecordsPrefixOf(id);
  AppendHex(first_seq, kSeqDigits, &name);
  return name;
}

std::optional<uint32_t> ParseStreamBlockName(std::string_view name) {
  if (!name.starts_with(kStreamsPrefix)) {
    return std::nullopt;
  }
  const std::optional<uint64_t> id = ParseHex(name.substr(kStreamsPrefix.size()), kIdDigits);
  return id.has_value() && *id <= kStreamIdMax ? std::optional(static_cast<uint32_t>(*id))
                                               : std::nullopt;
}

std::optional<RecordsName> ParseRecordsBlockName(std::string_view name) {
  if (!name.starts_with(kRecordsPrefix) ||
      name.size() != kRecordsPrefix.size() + kIdDigits + 1 + kSeqDigits ||
      name[kRecordsPrefix.size() + kIdDigits] != '/') {
    return std::nullopt;
  }
  const auto id = ParseHex(name.substr(kRecordsPrefix.size(), kIdDigits), kIdDigits);
  const auto seq = ParseHex(name.substr(kRecordsPrefix.size() + kIdDigits + 1), kSeqDigits);
  if (!id.has_value() || *id > kStreamIdMax || !seq.has_value() || *seq >= kSeqMax) {
    return std::nullopt;
  }
  return RecordsName{static_cast<uint32_t>(*id), *seq};
}

std::vector<uint8_t> EncodeStore() {
  std::vector<uint8_t> bytes;
  bytes.reserve(sizeof kFormat);
  Writer(&bytes).Put(kFormat);
  return bytes;
}

Status CheckStore(Bytes bytes) {
  Reader reader(bytes);
  const auto format = reader.Get<uint32_t>();
  if (!reader.ok() || format == 0) {
    return base::Corrupt("the block that describes the store is not one");
  }
  return format > kFormat
             ? Status(Code::kUnsupported,
                      "a store of format " + std::to_string(format) + ", made by a later version")
             : Status();
}

std::vector<uint8_t> EncodeStream(const StreamState& state) {
  std::vector<uint8_t> bytes;
  bytes.reserve(16 + state.name.size());
  Writer out(&bytes);
  out.Put(state.begin_seq);
  out.Put(uint32_t{state.has_times ? kHasTimes : uint8_t{0}});
  out.PutBytes(AsBytes(state.name));
  return bytes;
}

bool DecodeStream(Bytes bytes, StreamState* state) {
  Reader reader(bytes);
  state->begin_seq = reader.Get<uint64_t>();
  const auto flags = reader.Get<uint32_t>();
  state->has_times = flags == kHasTimes;
  state->name = AsText(reader.GetBytes(reader.left()));
  return reader.ok() && flags <= kHasTimes && state->begin_seq <= kSeqMax && !state->name.empty() &&
         state->name.size() <= kStreamNameMax;
}

std::vector<uint8_t> EncodeTag(const RecordsBlock& block, bool has_times) {
  std::vector<uint8_t> bytes;
  bytes.reserve(64);
  Writer out(&bytes);
  out.Put(kCodecNone);
  out.Put(has_times ? kHasTimes : uint8_t{0});
  out.Put(uint16_t{0});
  out.Put(block.frames);
  out.Put(block.count);
  out.Put(block.payload_bytes);
  out.Put(block.time_least);
  out.Put(block.time_most);
  return bytes;
}

bool DecodeTag(Bytes tag, RecordsBlock* block) {
  Reader reader(tag);
  const auto codec = reader.Get<uint8_t>();
  const auto flags = reader.Get<uint8_t>();
  const auto reserved = reader.Get<uint16_t>();
  block->frames = reader.Get<uint32_t>();
  block->count = reader.Get<uint64_t>();
  block->payload_bytes = reader.Get<uint64_t>();
  block->time_least = reader.Get<int64_t>();
  block->time_most = reader.Get<int64_t>();
  return reader.done() && codec == kCodecNone && flags <= kHasTimes && reserved == 0 &&
         block->frames > 0 && block->count >= block->frames && block->count <= kSeqMax;
}

FrameShape EncodeFrameHead(std::span<const record::Columns> columns, std::vector<uint8_t>* head,
                           RecordsBlock* block) {
  FrameShape shape;
  shape.first_seq = columns.front().first_seq;
  shape.has_times = columns.front().times != nullptr;
  for (const record::Columns& each : columns) {
    shape.count += static_cast<uint32_t>(each.count);
    shape.payload_bytes += each.payload_bytes();
  }
  head->clear();
  head->reserve(shape.payload_at());
  Writer out(head);
  out.Put(shape.first_seq);
  out.Put(shape.payload_bytes);
  out.Put(shape.count);
  out.Put(kCodecNone);
  out.Put(shape.has_times ? kHasTimes : uint8_t{0});
  out.Put(uint16_t{0});
  head->resize(shape.payload_at());
  uint8_t* to = head->data() + shape.ends_at();
  uint64_t before = 0;
  for (const record::Columns& each : columns) {
    const uint64_t shift = before - each.begin[0];  // wraps where it must
    for (uint64_t i = 1; i <= each.count; ++i, to += sizeof(uint32_t)) {
      blockfile::Store(to, static_cast<uint32_t>(each.begin[i] + shift));
    }
    before += each.payload_bytes();
  }
  to = head->data() + shape.times_at();
  for (const record::Columns& each : columns) {
    for (uint64_t i = 0; shape.has_times && i < each.count; ++i) {
      const int64_t time = each.times[i];
      const bool first = block->count == 0 && &each == &columns.front() && i == 0;
      block->time_least = first ? time : std::min(block->time_least, time);
      block->time_most = first ? time : std::max(block->time_most, time);
      to = blockfile::Store(to, time);
    }
  }
  block->count += shape.count;
  block->payload_bytes += shape.payload_bytes;
  block->bytes += shape.bytes();
  ++block->frames;
  return shape;
}

bool DecodeFrameHeader(Bytes header, FrameShape* shape) {
  Reader reader(header);
  shape->first_seq = reader.Get<uint64_t>();
  shape->payload_bytes = reader.Get<uint64_t>();
  shape->count = reader.Get<uint32_t>();
  const auto codec = reader.Get<uint8_t>();
  const auto flags = reader.Get<uint8_t>();
  const auto reserved = reader.Get<uint16_t>();
  shape->has_times = flags == kHasTimes;
  return reader.ok() && codec == kCodecNone && flags <= kHasTimes && reserved == 0 &&
         shape->count > 0 && shape->first_seq < kSeqMax && shape->payload_bytes <= UINT32_MAX;
}

}  // namespace spillway::cold
