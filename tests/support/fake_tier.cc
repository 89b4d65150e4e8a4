#include "tests/support/fake_tier.h"

#include <algorithm>
#include <chrono>
#include <new>

#include "gtest/gtest.h"

namespace spillway::test {

using base::Code;
using base::Status;
using Lock = std::unique_lock<std::mutex>;

void FakeTier::Fail(Status status) {
  Lock lock(mutex_);
  failures_.push_back(std::move(status));
}

void FakeTier::FailAlways(Status status) {
  Lock lock(mutex_);
  always_ = std::move(status);
}

void FakeTier::Heal() {
  Lock lock(mutex_);
  always_.reset();
}

void FakeTier::FailRead(Status status) {
  Lock lock(mutex_);
  read_failures_.push_back(std::move(status));
}

void FakeTier::Hold(Stop stop) {
  Lock lock(mutex_);
  held_at_ = stop;
}

void FakeTier::AwaitHeld(uint64_t commits) {
  Lock lock(mutex_);
  EXPECT_TRUE(
      moved_.wait_for(lock, std::chrono::seconds(60), [&] { return held_ >= commits + tickets_; }));
}

void FakeTier::LetOn(uint64_t commits) {
  Lock lock(mutex_);
  tickets_ += commits;
  moved_.notify_all();
}

void FakeTier::Release() {
  Lock lock(mutex_);
  held_at_.reset();
  moved_.notify_all();
}

std::vector<FakeTier::Committed> FakeTier::commits() const {
  Lock lock(mutex_);
  return commits_;
}

uint64_t FakeTier::end_seq(uint32_t stream) const {
  Lock lock(mutex_);
  const auto found = streams_.find(stream);
  return found == streams_.end() ? 0 : found->second.payloads.size();
}

uint64_t FakeTier::flushed_seq(uint32_t stream) const {
  Lock lock(mutex_);
  const auto found = streams_.find(stream);
  return found == streams_.end() ? 0 : found->second.flushed_seq;
}

uint64_t FakeTier::begin_seq(uint32_t stream) const {
  Lock lock(mutex_);
  const auto found = streams_.find(stream);
  return found == streams_.end() ? 0 : found->second.begin_seq;
}

std::string FakeTier::payload(uint32_t stream, uint64_t seq) const {
  Lock lock(mutex_);
  return streams_.at(stream).payloads.at(seq);
}

std::string FakeTier::complaint() const {
  Lock lock(mutex_);
  return complaint_;
}

void FakeTier::Complain(uint32_t stream, const char* what) {
  complaint_ += "stream " + std::to_string(stream) + ": " + what + "\n";
}

void FakeTier::Apply(const cold::Changes& changes) {
  for (const cold::StreamState& stream : changes.new_streams) {
    if (!streams_.try_emplace(stream.id).second) {
      Complain(stream.id, "created twice");
    }
  }
  for (const cold::Trim& trim : changes.trims) {
    Content& content = streams_[trim.stream];
    content.begin_seq = std::max(content.begin_seq, trim.begin_seq);
    content.payloads.resize(std::max<size_t>(content.payloads.size(), trim.begin_seq));
  }
  for (const cold::Piece& piece : changes.pieces) {
    if (!streams_.contains(piece.stream)) {
      Complain(piece.stream, "records before it was created");
    }
    Content& content = streams_[piece.stream];
    if (piece.columns.first_seq != content.payloads.size()) {
      Complain(piece.stream, "records that do not follow what is there");
    }
    for (uint64_t i = 0; i < piece.columns.count; ++i) {
      const std::span<const uint8_t> bytes = piece.columns.payload(i);
      content.payloads.emplace_back(bytes.begin(), bytes.end());
    }
  }
}

void FakeTier::WaitAt(Stop stop, Lock* lock) {
  if (held_at_ != stop) {
    return;
  }
  ++held_;
  moved_.notify_all();
  moved_.wait(*lock, [&] { return !held_at_.has_value() || tickets_ > 0; });
  --held_;
  tickets_ -= held_at_.has_value() ? 1 : 0;
}

Status FakeTier::Commit(const cold::Changes& changes, cold::Durability durability) {
  Lock lock(mutex_);
  WaitAt(Stop::kBeforeWrite, &lock);
  if (always_.has_value() || !failures_.empty()) {
    const Status failure = always_.has_value() ? *always_ : failures_.front();
    if (!always_.has_value()) {
      failures_.pop_front();
    }
    if (failure.ok()) {
      throw std::bad_alloc();
    }
    return failure;
  }
  Apply(changes);
  Committed committed{durability, {}, 0};
  for (const cold::Piece& piece : changes.pieces) {
    committed.streams.push_back(piece.stream);
    committed.records += piece.columns.count;
  }
  WaitAt(Stop::kBeforeFlush, &lock);
  for (auto& [id, content] : streams_) {
    if (durability == cold::Durability::kDevice) {
      content.flushed_seq = content.payloads.size();
    }
  }
  commits_.push_back(std::move(committed));
  WaitAt(Stop::kAfterFlush, &lock);
  return {};
}

Status FakeTier::Read(uint32_t stream, uint64_t seq, uint64_t end_seq, uint64_t max_payload_bytes,
                      record::ColumnBuffer* out) {
  Lock lock(mutex_);
  if (!read_failures_.empty()) {
    const Status failure = read_failures_.front();
    read_failures_.pop_front();
    return failure;
  }
  const Content& content = streams_.at(stream);
  if (seq < content.begin_seq) {
    return Status(Code::kTrimmed);
  }
  out->Reset(seq, false);
  do {
    const std::string& payload = content.payloads.at(seq);
    out->Append({reinterpret_cast<const uint8_t*>(payload.data()), payload.size()}, 0);
    ++seq;
  } while (seq < end_seq && out->payload_bytes() < max_payload_bytes);
  return {};
}

}  // namespace spillway::test
