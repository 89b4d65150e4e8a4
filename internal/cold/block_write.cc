#include "internal/cold/block_write.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "internal/blockfile/stream_writer.h"

namespace spillway::cold {

using base::Status;
using record::Columns;

namespace {

// How many records from the first on have at most so many bytes of payload.
uint64_t CountWithin(const Columns& columns, uint64_t bytes_most) {
  const uint64_t* const ends = columns.begin + 1;
  return static_cast<uint64_t>(
      std::partition_point(ends, ends + columns.count,
                           [&](uint64_t end) { return end - columns.begin[0] <= bytes_most; }) -
      ends);
}

}  // namespace

Status BlockWriter::PutStream(const StreamState& state, StreamEnd* stream) {
  if (stream->described && stream->begin_seq == state.begin_seq) {
    return {};
  }
  const std::string name = StreamBlockName(state.id);
  const std::vector<uint8_t> bytes = EncodeStream(state);
  blockfile::PutItem item{.name = name, .payload = bytes};
  SPW_RETURN_IF_ERROR(file_->Put(txn_, {&item, 1}));
  stream->described = true;
  stream->begin_seq = state.begin_seq;
  stream->end_seq = std::max(stream->end_seq, state.begin_seq);
  return {};
}

Status BlockWriter::PutRecords(std::span<const Piece> pieces, bool own_blocks, StreamEnd* stream) {
  Frame frame;
  const auto write = [&]() -> Status {
    if (!frame.columns.empty()) {
      SPW_RETURN_IF_ERROR(PutFrame(pieces.front().stream, frame, own_blocks, stream));
    }
    frame = {};
    return {};
  };
  for (const Piece& piece : pieces) {
    Columns left = piece.columns;
    if (left.end_seq() <= stream->end_seq) {
      continue;  // in the file already, but for a flush
    }
    left = left.Slice(std::max(left.first_seq, stream->end_seq), left.end_seq());
    while (left.count > 0) {
      const uint64_t room =
          tuning_.frame_payload_bytes - std::min(tuning_.frame_payload_bytes, frame.payload_bytes);
      uint64_t count = CountWithin(left, room);
      if (count == 0 && !frame.columns.empty()) {
        SPW_RETURN_IF_ERROR(write());
        continue;
      }
      count = std::clamp<uint64_t>(count, 1, UINT32_MAX / 2);
      frame.columns.push_back(left.Slice(left.first_seq, left.first_seq + count));
      frame.payload_bytes += frame.columns.back().payload_bytes();
      left = left.Slice(left.first_seq + count, left.end_seq());
    }
  }
  return write();
}

Status BlockWriter::PutFrame(uint32_t id, const Frame& frame, bool own_block, StreamEnd* stream) {
  const bool has_times = frame.columns.front().times != nullptr;
  const uint64_t first_seq = frame.columns.front().first_seq;
  const RecordsBlock& last = stream->blocks.empty() ? stream->last : stream->blocks.back();
  const bool is_small = frame.payload_bytes < tuning_.own_block_bytes;
  const bool grows = is_small && !own_block && last.count > 0 && last.end_seq() == first_seq &&
                     last.bytes < tuning_.shared_block_bytes &&
                     last.frames < tuning_.shared_block_frames &&
                     last.first_seq >= stream->begin_seq;
  RecordsBlock block = grows ? last : RecordsBlock{.first_seq = first_seq};
  std::vector<uint8_t> bytes;
  EncodeFrameHead(frame.columns, &bytes, &block);
  const std::string name = RecordsBlockName(id, block.first_seq);
  const std::vector<uint8_t> tag = EncodeTag(block, has_times);
  SPW_RETURN_IF_ERROR(is_small ? PutSmall(name, grows, frame, tag, &bytes)
                               : PutLarge(name, frame, tag, bytes));
  if (grows && !stream->blocks.empty()) {
    stream->blocks.back() = block;
  } else {
    stream->blocks.push_back(block);
  }
  stream->end_seq = block.end_seq();
  return {};
}

// As a block of its own, or (grows) at the end of the one of that name. *bytes: the frame's head.
Status BlockWriter::PutSmall(std::string_view name, bool grows, const Frame& frame, Bytes tag,
                             std::vector<uint8_t>* bytes) {
  for (const Columns& each : frame.columns) {
    const uint8_t* const data = each.data;
    bytes->insert(bytes->end(), data + each.begin[0], data + each.begin[each.count]);
  }
  if (!grows) {
    blockfile::PutItem item{.name = name, .payload = *bytes, .tag = tag};
    return file_->Put(txn_, {&item, 1});
  }
  uint64_t length = 0;
  SPW_RETURN_IF_ERROR(file_->Append(txn_, name, *bytes, &length));
  return file_->SetTag(txn_, name, tag);
}

// As a block of its own, from where the records lie.
Status BlockWriter::PutLarge(std::string_view name, const Frame& frame, Bytes tag, Bytes head) {
  std::unique_ptr<blockfile::StreamWriter> writer;
  SPW_RETURN_IF_ERROR(file_->OpenWriter(txn_, name, blockfile::kAnyVersion, &writer, tag));
  SPW_RETURN_IF_ERROR(writer->Write(head));
  for (const Columns& each : frame.columns) {
    SPW_RETURN_IF_ERROR(writer->Write({each.data + each.begin[0], each.payload_bytes()}));
  }
  uint64_t version = 0;
  return writer->Commit(&version);
}

}  // namespace spillway::cold
