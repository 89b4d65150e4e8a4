#include "internal/cold/stream_blocks.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

namespace spillway::cold {

using base::MutexLock;
using base::Status;

void StreamBlocks::Add(uint32_t id, StreamInFile stream) {
  MutexLock lock(mu_);
  streams_.emplace(id, std::move(stream));
}

StreamBlocks::Plan StreamBlocks::Ends(std::span<const StreamState> streams) const {
  Plan plan;
  MutexLock lock(mu_);
  for (const StreamState& state : streams) {
    StreamEnd& end = plan[state.id];
    if (const auto found = streams_.find(state.id); found != streams_.end()) {
      const StreamInFile& stream = found->second;
      end = {stream.described,
             stream.begin_seq,
             stream.end_seq,
             stream.blocks.empty() ? RecordsBlock() : stream.blocks.back(),
             {}};
    }
  }
  return plan;
}

void StreamBlocks::Reserve(const Plan& plan) {
  MutexLock lock(mu_);
  for (const auto& [id, end] : plan) {
    std::vector<RecordsBlock>& blocks = streams_[id].blocks;
    blocks.reserve(std::max(blocks.capacity(), std::bit_ceil(blocks.size() + end.blocks.size())));
  }
}

void StreamBlocks::Apply(const Plan& plan) noexcept {
  MutexLock lock(mu_);
  for (const auto& [id, end] : plan) {
    StreamInFile& stream = streams_.find(id)->second;
    stream.described = end.described;
    stream.begin_seq = end.begin_seq;
    stream.end_seq = end.end_seq;
    if (!end.blocks.empty() && !stream.blocks.empty() &&
        stream.blocks.back().first_seq == end.blocks.front().first_seq) {
      stream.blocks.pop_back();  // it has grown
    }
    stream.blocks.insert(stream.blocks.end(), end.blocks.begin(), end.blocks.end());
  }
}

Status StreamBlocks::Find(uint32_t stream, uint64_t seq, RecordsBlock* block) const {
  MutexLock lock(mu_);
  const std::vector<RecordsBlock>& blocks = streams_.at(stream).blocks;
  const auto found =
      std::partition_point(blocks.begin(), blocks.end(),
                           [&](const RecordsBlock& each) { return each.end_seq() <= seq; });
  if (found == blocks.end() || found->first_seq > seq) {
    return base::Corrupt("stream " + std::to_string(stream) + ": the block with record " +
                         std::to_string(seq) + " is missing");
  }
  *block = *found;
  return {};
}

uint64_t StreamBlocks::NextBlock(uint32_t stream, uint64_t seq) const {
  MutexLock lock(mu_);
  const std::vector<RecordsBlock>& blocks = streams_.at(stream).blocks;
  const auto found =
      std::partition_point(blocks.begin(), blocks.end(),
                           [&](const RecordsBlock& each) { return each.first_seq <= seq; });
  return found == blocks.end() ? UINT64_MAX : found->first_seq;
}

std::vector<RecordsName> StreamBlocks::Dropped(std::span<const Trim> begins, size_t most,
                                               bool* more) const {
  std::vector<RecordsName> names;
  *more = false;
  MutexLock lock(mu_);
  for (const Trim& begin : begins) {
    for (const RecordsBlock& block : streams_.at(begin.stream).blocks) {
      if (block.end_seq() > begin.begin_seq) {
        break;
      }
      if (names.size() == most || (!names.empty() && names.back().id != begin.stream)) {
        *more = true;
        return names;
      }
      names.push_back({begin.stream, block.first_seq});
    }
  }
  return names;
}

void StreamBlocks::EraseFirst(uint32_t stream, size_t count) noexcept {
  MutexLock lock(mu_);
  std::vector<RecordsBlock>& blocks = streams_.find(stream)->second.blocks;
  blocks.erase(blocks.begin(), blocks.begin() + static_cast<ptrdiff_t>(count));
}

bool StreamBlocks::TakeBack(uint32_t stream, uint64_t seq, RecordsName* name) noexcept {
  MutexLock lock(mu_);
  const auto found = streams_.find(stream);
  if (found == streams_.end()) {
    return false;
  }
  std::vector<RecordsBlock>& blocks = found->second.blocks;
  found->second.end_seq = std::min(found->second.end_seq, seq);
  if (blocks.empty() || blocks.back().first_seq < seq) {
    return false;
  }
  *name = {stream, blocks.back().first_seq};
  blocks.pop_back();
  return true;
}

}  // namespace spillway::cold
