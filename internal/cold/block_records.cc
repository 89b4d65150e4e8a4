#include "internal/cold/block_records.h"

#include <algorithm>
#include <array>
#include <string>

#include "internal/blockfile/codec.h"

namespace spillway::cold {

using base::Code;
using base::MutexLock;
using base::Status;
using blockfile::StreamReader;

namespace {

constexpr uint64_t kEndsAtOnce = 16384;               // a chunk of them
constexpr uint64_t kWalkBytes = uint64_t{256} << 10;  // read at a time when frames are looked for

Status NotAsSaid(const char* what) {
  return base::Corrupt(std::string("a frame of records ") + what);
}

// All of it; the block is as long as its tag says.
Status ReadAll(const StreamReader& reader, uint64_t offset, std::span<uint8_t> buffer) {
  uint64_t bytes_read = 0;
  SPW_RETURN_IF_ERROR(reader.ReadAt(offset, buffer, &bytes_read));
  return bytes_read == buffer.size() ? Status() : NotAsSaid("is cut off");
}

}  // namespace

Status BlockRecords::Read(uint32_t stream, const RecordsBlock& block, bool has_times, uint64_t seq,
                          uint64_t end_seq, uint64_t max_payload_bytes, record::ColumnBuffer* out) {
  std::unique_ptr<StreamReader> reader;
  SPW_RETURN_IF_ERROR(
      file_->OpenReader(nullptr, RecordsBlockName(stream, block.first_seq), &reader));
  std::shared_ptr<const Frames> frames;
  SPW_RETURN_IF_ERROR(FramesOf(stream, block, has_times, *reader, &frames));
  auto frame = std::partition_point(frames->begin(), frames->end(),
                                    [&](const Frame& each) { return each.shape.end_seq() <= seq; });
  if (frame == frames->end() || frame->shape.first_seq > seq) {
    return NotAsSaid("is missing");
  }
  const uint64_t before = out->count();
  for (; frame != frames->end() && seq < end_seq; ++frame) {
    const uint64_t had = out->count();
    const Status status = ReadFrame(*frame, *reader, {seq, end_seq, max_payload_bytes}, out);
    seq += out->count() - had;
    if (!status.ok() || seq < frame->shape.end_seq()) {
      return out->count() > before ? Status() : status;
    }
    if (out->payload_bytes() >= max_payload_bytes) {
      break;
    }
  }
  return {};
}

Status BlockRecords::Check(uint32_t stream, const RecordsBlock& block, bool has_times) {
  std::unique_ptr<StreamReader> reader;
  SPW_RETURN_IF_ERROR(
      file_->OpenReader(nullptr, RecordsBlockName(stream, block.first_seq), &reader));
  std::shared_ptr<const Frames> frames;
  return FramesOf(stream, block, has_times, *reader, &frames);
}

Status BlockRecords::FramesOf(uint32_t stream, const RecordsBlock& block, bool has_times,
                              const StreamReader& reader, std::shared_ptr<const Frames>* frames) {
  if (block.frames == 1) {
    FrameShape shape{block.first_seq, static_cast<uint32_t>(block.count), block.payload_bytes,
                     has_times};
    if (block.count > UINT32_MAX || block.payload_bytes > UINT32_MAX ||
        shape.bytes() != block.bytes) {
      return NotAsSaid("has another length");
    }
    *frames = std::make_shared<const Frames>(Frames{{0, shape}});
    return {};
  }
  const std::pair key(stream, block.first_seq);
  {
    MutexLock lock(mu_);
    const auto found = found_.find(key);
    if (found != found_.end() && found->second.bytes == block.bytes) {
      *frames = found->second.frames;
      return {};
    }
  }
  auto walked = std::make_shared<Frames>();
  SPW_RETURN_IF_ERROR(Walk(block, has_times, reader, walked.get()));
  *frames = walked;
  MutexLock lock(mu_);
  if (found_.size() >= kRemembered && !found_.contains(key)) {
    // The oldest records: whoever reads them goes forward.
    found_.erase(found_.begin());
  }
  found_.insert_or_assign(key, Found{block.bytes, *frames});
  return {};
}

Status BlockRecords::Walk(const RecordsBlock& block, bool has_times, const StreamReader& reader,
                          Frames* frames) {
  frames->reserve(block.frames);
  std::vector<uint8_t> bytes;
  uint64_t from = 0;  // of `bytes` in the block
  uint64_t seq = block.first_seq;
  for (uint64_t at = 0; at < block.bytes;) {
    if (at < from || at + FrameShape::kHeaderBytes > from + bytes.size()) {
      from = at;
      bytes.resize(std::min(kWalkBytes, block.bytes - at));
      SPW_RETURN_IF_ERROR(ReadAll(reader, from, bytes));
    }
    Frame frame{at, {}};
    const Bytes left = Bytes(bytes).subspan(at - from);
    if (left.size() < FrameShape::kHeaderBytes ||
        !DecodeFrameHeader(left.first(FrameShape::kHeaderBytes), &frame.shape) ||
        frame.shape.first_seq != seq || frame.shape.has_times != has_times ||
        frame.shape.bytes() > block.bytes - at) {
      return NotAsSaid("is not what its block says");
    }
    frames->push_back(frame);
    at += frame.shape.bytes();
    seq = frame.shape.end_seq();
  }
  return frames->size() == block.frames && seq == block.end_seq()
             ? Status()
             : NotAsSaid("is not what its block says");
}

// In as large steps as it can; where one hits damage, records in front of it are still given.
Status BlockRecords::ReadFrame(const Frame& frame, const StreamReader& reader, const Wanted& wanted,
                               record::ColumnBuffer* out) {
  uint64_t at = wanted.seq - frame.shape.first_seq;
  const uint64_t end = std::min(wanted.end_seq, frame.shape.end_seq()) - frame.shape.first_seq;
  while (at < end) {
    const uint64_t had = out->count();
    const uint64_t room =
        wanted.max_payload_bytes - std::min(wanted.max_payload_bytes, out->payload_bytes());
    if (had > 0 && room == 0) {
      return {};
    }
    Status status = ReadSome(frame, reader, at, end, room, out);
    for (uint64_t most = room / 2; status.code() == Code::kCorrupt && most > 0; most /= 2) {
      status = ReadSome(frame, reader, at, end, most, out);
    }
    if (status.code() == Code::kCorrupt) {
      status = ReadSome(frame, reader, at, at + 1, 1, out);
    }
    SPW_RETURN_IF_ERROR(status);
    at += out->count() - had;
  }
  return {};
}

// Records [from, to) of the frame, or as many as the payload allows, at least one.
Status BlockRecords::ReadSome(const Frame& frame, const StreamReader& reader, uint64_t from,
                              uint64_t to, uint64_t max_payload_bytes, record::ColumnBuffer* out) {
  const FrameShape& shape = frame.shape;
  to = std::min(to, from + kEndsAtOnce);
  // ends[0] is where the first begins.
  std::vector<uint32_t> ends(to - from + 1);
  const bool at_begin = from == 0;
  const std::span<uint32_t> read = std::span(ends).subspan(at_begin ? 1 : 0);
  SPW_RETURN_IF_ERROR(
      ReadAll(reader, frame.offset + shape.ends_at() + (at_begin ? 0 : from - 1) * sizeof(uint32_t),
              {reinterpret_cast<uint8_t*>(read.data()), read.size_bytes()}));
  if (!std::is_sorted(ends.begin(), ends.end()) || ends.back() > shape.payload_bytes) {
    return NotAsSaid("has offsets that run backwards");
  }
  const auto past = std::partition_point(ends.begin() + 1, ends.end(), [&](uint32_t end) {
    return end - ends[0] <= max_payload_bytes;
  });
  const auto count = static_cast<uint64_t>(std::max<int64_t>(1, past - ends.begin() - 1));
  std::vector<int64_t> times(shape.has_times ? count : 0);
  if (shape.has_times) {
    SPW_RETURN_IF_ERROR(
        ReadAll(reader, frame.offset + shape.times_at() + from * sizeof(int64_t),
                {reinterpret_cast<uint8_t*>(times.data()), count * sizeof(int64_t)}));
  }
  return out->AppendRun({ends.data(), count + 1}, times, [&](std::span<uint8_t> payload) {
    return ReadAll(reader, frame.offset + shape.payload_at() + ends[0], payload);
  });
}

}  // namespace spillway::cold
