#include "internal/blockfile/stream_reader.h"

#include <algorithm>

#include "internal/base/bytes.h"

namespace spillway::blockfile {

using base::Code;
using base::Status;

// Of reads that follow one another: what is fetched at least, and how far ahead the device works.
static constexpr uint64_t kKeptBytes = 4 * kChunkBytes;
static constexpr uint64_t kAheadBytes = uint64_t{4} << 20;

void StreamReader::KeepOf(Transaction* txn) {
  if (txn != nullptr && std::any_of(block_.parts.begin(), block_.parts.end(), [](const Part& part) {
        return part.memory != nullptr || part.fresh;
      })) {
    own_ = txn->shared_from_this();
  }
}

Status StreamReader::Info(BlockInfo* info) const {
  const base::GateCall call(&engine_->gate());
  if (!call.inside()) {
    return Status(Code::kClosed);
  }
  *info = InfoOf(block_);
  return {};
}

Status StreamReader::ReadAt(uint64_t offset, std::span<uint8_t> buffer,
                            uint64_t* bytes_read) const {
  const base::GateCall call(&engine_->gate());
  if (!call.inside()) {
    return Status(Code::kClosed);
  }
  const uint64_t left = block_.length - std::min(block_.length, offset);
  const uint64_t wanted = std::min<uint64_t>(left, buffer.size());
  SPW_RETURN_IF_ERROR(engine_->ReadRange(block_, offset, buffer.first(wanted)));
  *bytes_read = wanted;
  return {};
}

Status StreamReader::Read(std::span<uint8_t> buffer, uint64_t* bytes_read) {
  const base::GateCall call(&engine_->gate());
  if (!call.inside()) {
    return Status(Code::kClosed);
  }
  const uint64_t left = block_.length - std::min(block_.length, at_);
  const uint64_t wanted = std::min<uint64_t>(left, buffer.size());
  SPW_RETURN_IF_ERROR(ReadNext(buffer.first(wanted)));
  at_ += wanted;
  follows_ = at_;
  *bytes_read = wanted;
  return {};
}

Status StreamReader::Seek(uint64_t offset) {
  const base::GateCall call(&engine_->gate());
  if (!call.inside()) {
    return Status(Code::kClosed);
  }
  at_ = offset;
  return {};
}

// From the position on, within the block.
Status StreamReader::ReadNext(std::span<uint8_t> buffer) {
  const bool follows = at_ == follows_;
  uint64_t at = at_;
  if (at >= kept_at_ && at - kept_at_ < kept_.size()) {
    const uint64_t from = at - kept_at_;
    const uint64_t taken = std::min<uint64_t>(buffer.size(), kept_.size() - from);
    std::copy_n(kept_.begin() + static_cast<ptrdiff_t>(from), taken, buffer.begin());
    buffer = buffer.subspan(taken);
    at += taken;
  }
  if (buffer.empty()) {
    return {};
  }
  if (follows) {
    ReadAhead(at, at + std::max<uint64_t>(buffer.size(), kKeptBytes));
  } else {
    told_until_ = 0;
  }
  if (buffer.size() > kKeptBytes - kChunkBytes || block_.is_inline) {
    return engine_->ReadRange(block_, at, buffer);
  }
  // To the end of a chunk, which has to be read anyway, and where the next then begins.
  const uint64_t end = follows ? (at + kKeptBytes) / kChunkBytes * kChunkBytes
                               : base::RoundUp(at + buffer.size(), kChunkBytes);
  const Status kept = base::CatchToStatus([&] {
    kept_.resize(std::min(block_.length, end) - at);
    return engine_->ReadRange(block_, at, kept_);
  });
  if (!kept.ok()) {  // what was asked for may be well
    kept_.clear();
    return engine_->ReadRange(block_, at, buffer);
  }
  kept_at_ = at;
  std::copy_n(kept_.begin(), buffer.size(), buffer.begin());
  return {};
}

// begin and end: of what is read now.
void StreamReader::ReadAhead(uint64_t begin, uint64_t end) {
  if (end >= block_.length || told_until_ >= std::min(block_.length, end + kAheadBytes / 2)) {
    return;
  }
  const uint64_t from = std::max(told_until_, begin);
  told_until_ = std::min(block_.length, end + kAheadBytes);
  engine_->StartReading(block_, from, told_until_ - from);
}

}  // namespace spillway::blockfile
