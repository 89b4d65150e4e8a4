#include "internal/cold/stream_states.h"

#include <algorithm>
#include <string>

namespace spillway::cold {

using base::Code;
using base::MutexLock;
using base::Status;

void StreamStates::Add(const StreamState& state) {
  MutexLock lock(mu_);
  streams_.emplace(state.id, state);
}

std::vector<StreamState> StreamStates::All() const {
  MutexLock lock(mu_);
  std::vector<StreamState> states;
  for (const auto& [id, state] : streams_) {
    states.push_back(state);
  }
  return states;
}

std::vector<Trim> StreamStates::Begins() const {
  MutexLock lock(mu_);
  std::vector<Trim> begins;
  begins.reserve(streams_.size());
  for (const auto& [id, state] : streams_) {
    begins.push_back({id, state.begin_seq});
  }
  return begins;
}

// The stream as staged so far; null if there is none.
StreamState* StreamStates::StagedState(const Streams& streams, Staged* staged, uint32_t id) {
  if (const auto added = staged->added.find(id); added != staged->added.end()) {
    return &added->second;
  }
  const auto found = streams.find(id);
  return found == streams.end() ? nullptr
                                : &staged->changed.try_emplace(id, found->second).first->second;
}

Status StreamStates::Stage(const Changes& changes, Staged* staged) const {
  MutexLock lock(mu_);
  const auto reject = [](uint32_t id, const char* what) {
    return base::InvalidArgument("stream " + std::to_string(id) + ": " + what);
  };
  for (const StreamState& stream : changes.new_streams) {
    if (stream.id > kStreamIdMax || stream.name.size() > kStreamNameMax ||
        stream.begin_seq != stream.end_seq || stream.end_seq > kSeqMax ||
        streams_.contains(stream.id) || !staged->added.emplace(stream.id, stream).second) {
      return reject(stream.id, "cannot be created so");
    }
  }
  for (const Trim& trim : changes.trims) {
    StreamState* const state = StagedState(streams_, staged, trim.stream);
    if (state == nullptr || trim.begin_seq > kSeqMax) {
      return reject(trim.stream, "cannot be trimmed so");
    }
    state->begin_seq = std::max(state->begin_seq, trim.begin_seq);
    state->end_seq = std::max(state->begin_seq, state->end_seq);
  }
  for (const Piece& piece : changes.pieces) {
    StreamState* const state = StagedState(streams_, staged, piece.stream);
    if (state == nullptr || piece.columns.first_seq != state->end_seq ||
        piece.columns.count > kSeqMax - state->end_seq ||
        (piece.columns.count != 0 && (piece.columns.times != nullptr) != state->has_times)) {
      return reject(piece.stream, "records do not fit its end");
    }
    state->end_seq += piece.columns.count;
  }
  for (const auto& [id, state] : staged->added) {
    staged->touched.push_back(state);
  }
  for (const auto& [id, state] : staged->changed) {
    const StreamState& before = streams_.at(id);
    if (before.begin_seq != state.begin_seq || before.end_seq != state.end_seq) {
      staged->touched.push_back(state);
    }
  }
  return {};
}

void StreamStates::Publish(Staged* staged) noexcept {
  MutexLock lock(mu_);
  for (const auto& [id, state] : staged->changed) {
    StreamState& stream = streams_.find(id)->second;
    stream.begin_seq = state.begin_seq;
    stream.end_seq = state.end_seq;
  }
  streams_.merge(staged->added);  // moves nodes, allocates nothing
}

Status StreamStates::CheckRange(uint32_t stream, uint64_t seq, uint64_t end_seq,
                                bool* has_times) const {
  MutexLock lock(mu_);
  const auto found = streams_.find(stream);
  if (found == streams_.end() || seq >= end_seq || end_seq > found->second.end_seq) {
    return base::InvalidArgument("stream " + std::to_string(stream) +
                                 ": no such records in the cold tier");
  }
  *has_times = found->second.has_times;
  return seq < found->second.begin_seq ? Status(Code::kTrimmed) : Status();
}

}  // namespace spillway::cold
