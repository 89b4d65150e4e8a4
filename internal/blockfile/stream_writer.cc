#include "internal/blockfile/stream_writer.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace spillway::blockfile {

using base::Code;
using base::Status;

// Runs that it takes grow with what it has written, so that a long one has few extents, and a short
// one takes little that it does not need.
static constexpr uint64_t kStretchesMost = 8;

StreamWriter::StreamWriter(std::shared_ptr<Engine> engine, Transaction* txn, std::string_view name,
                           uint64_t expected, std::optional<Bytes> tag)
    : engine_(std::move(engine)),
      in_txn_(txn != nullptr),
      txn_(txn == nullptr ? std::weak_ptr<Transaction>() : txn->weak_from_this()),
      name_(name),
      expected_(expected),
      tag_(!tag.has_value() ? std::nullopt
                            : std::optional(std::vector<uint8_t>(tag->begin(), tag->end()))) {}

StreamWriter::~StreamWriter() { End(); }

// Nobody reads them; without waiting for the writer's turn all the same.
void StreamWriter::GiveBack(size_t first) noexcept {
  if (first < aside_.held.size()) {
    engine_->GiveBackLater(std::span(aside_.held).subspan(first));
    aside_.held.resize(first);
  }
}

void StreamWriter::End() noexcept {
  over_ = true;
  GiveBack(0);
  for (PieceStore::Piece* const piece : {&memory_, &aligned_}) {
    if (*piece) {
      engine_->recycled()->GiveBack(std::exchange(*piece, PieceStore::Piece()));
    }
  }
}

Status StreamWriter::MayChange(std::shared_ptr<Transaction>* txn) const {
  if (over_) {
    return {Code::kInvalidState, "the writer has ended"};
  }
  SPW_RETURN_IF_ERROR(engine_->MayChange());
  *txn = txn_.lock();
  if (*txn == nullptr) {
    return in_txn_ ? Status(Code::kInvalidState, "the transaction has ended") : Status();
  }
  return (*txn)->MayChange();
}

Status StreamWriter::Write(Bytes bytes) {
  const base::GateCall call(&engine_->gate());
  if (!call.inside()) {
    return Status(Code::kClosed);
  }
  std::shared_ptr<Transaction> txn;
  SPW_RETURN_IF_ERROR(MayChange(&txn));
  const uint64_t gathered = gathered_;
  const uint64_t moved = moved_;
  const size_t parts = parts_.size();
  const uint64_t last = parts == 0 ? 0 : parts_.back().extent.bytes;
  const size_t digests = digests_.size();
  const size_t held = aside_.held.size();
  const PageRun left = aside_.left;
  const Status status = base::CatchToStatus([&] { return Add(bytes); });
  if (!status.ok()) {
    // What was gathered is there still. Runs have whole stretches, so none was cut.
    gathered_ = gathered;
    moved_ = moved;
    parts_.resize(parts);
    if (parts > 0) {
      parts_.back().extent.bytes = last;
    }
    digests_.resize(digests);
    GiveBack(held);
    aside_.left = left;
  }
  return status;
}

// The memory is changed only behind what was gathered before, until nothing can fail any more.
Status StreamWriter::Add(Bytes bytes) {
  const uint64_t stretch = engine_->settings().stretch_bytes;
  const auto gather = [&](uint64_t count) {
    std::copy_n(bytes.begin(), count, memory_.data() + gathered_);
    gathered_ += count;
    bytes = bytes.subspan(count);
  };
  if (!memory_ && !bytes.empty()) {
    memory_ = engine_->recycled()->Take();
  }
  if (gathered_ > 0 && bytes.size() >= stretch - gathered_) {
    gather(stretch - gathered_);
    SPW_RETURN_IF_ERROR(MoveAside({memory_.data(), stretch}));
    gathered_ = 0;
  }
  for (; bytes.size() >= stretch; bytes = bytes.subspan(stretch)) {
    // From memory that lies as the device wants it, and not that of what was gathered before, which
    // has to be there still if this fails.
    if (!aligned_) {
      aligned_ = engine_->recycled()->Take();
    }
    std::copy_n(bytes.begin(), stretch, aligned_.data());
    SPW_RETURN_IF_ERROR(MoveAside({aligned_.data(), stretch}));
  }
  gather(bytes.size());
  return {};
}

Status StreamWriter::MoveAside(Bytes stretch) {
  if (block_id_ == 0) {
    block_id_ = engine_->NewBlockId();
  }
  const uint64_t pages = stretch.size() / engine_->page_bytes();
  const uint64_t wanted =
      std::bit_floor(std::clamp<uint64_t>(moved_ / stretch.size(), 1, kStretchesMost));
  parts_.reserve(parts_.size() + 1);
  DraftPart part{.memory = stretch, .extent = {}};
  Status status = engine_->MovePartAside(block_id_, wanted * pages, &part, &digests_, &aside_);
  if (status.code() == Code::kFull && wanted > 1 && aside_.left.pages == 0) {
    status = engine_->MovePartAside(block_id_, pages, &part, &digests_, &aside_);
  }
  SPW_RETURN_IF_ERROR(status);
  moved_ += stretch.size();
  Extent* const last = parts_.empty() ? nullptr : &parts_.back().extent;
  if (last != nullptr && last->bytes % kChunkBytes == 0 &&
      last->run(engine_->page_bytes()).end() == part.extent.first_page) {
    last->bytes += stretch.size();
  } else {
    parts_.push_back(part);
  }
  return {};
}

Status StreamWriter::Commit(uint64_t* version) {
  *version = 0;
  const base::GateCall call(&engine_->gate());
  if (!call.inside()) {
    return Status(Code::kClosed);
  }
  std::shared_ptr<Transaction> txn;
  SPW_RETURN_IF_ERROR(MayChange(&txn));
  Draft draft;
  const size_t parts = parts_.size();
  const Status status = base::CatchToStatus([&] { return TryCommit(txn.get(), &draft); });
  parts_.resize(parts);
  if (status.code() != Code::kFull && status.code() != Code::kNoMemory) {
    End();
  }
  *version = txn == nullptr ? draft.version : 0;
  return status;
}

Status StreamWriter::TryCommit(Transaction* txn, Draft* draft) {
  if (gathered_ > 0) {
    parts_.push_back({.memory = {memory_.data(), gathered_}, .extent = {}});
  }
  draft->name = name_;
  draft->block_id = block_id_;
  draft->created_ns = draft->modified_ns = engine_->Now();
  draft->length = moved_ + gathered_;
  draft->parts = parts_;
  draft->digests = digests_;
  draft->inherits = !tag_.has_value();
  draft->tag = tag_.has_value() ? Bytes(*tag_) : Bytes();
  if (txn == nullptr) {
    draft->expected = expected_;
    SPW_RETURN_IF_ERROR(engine_->Commit({draft, 1}, nullptr));
    // The pages that it names are the file's now.
    aside_.held.assign(aside_.left.pages > 0 ? 1 : 0, aside_.left);
    return {};
  }
  if (expected_ != kAnyVersion) {
    Block found;
    SPW_RETURN_IF_ERROR(txn->Find(name_, false, &found));
    SPW_RETURN_IF_ERROR(CheckExpected(found, expected_));
  }
  SPW_RETURN_IF_ERROR(txn->Stage({draft, 1}, aside_.held));
  aside_.held.clear();
  return {};
}

}  // namespace spillway::blockfile
