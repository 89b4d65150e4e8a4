// Recovery: the frames behind the checkpoint come into the delta.
#include <string>

#include "internal/base/bytes.h"
#include "internal/blockfile/engine.h"
#include "internal/blockfile/runs.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Status;

struct Engine::Replay {
  uint64_t page = 0;    // where the next frame should stand
  uint64_t number = 1;  // its number
  uint64_t sum = 0;     // of the one before
  FrameHeader header;
  std::vector<uint8_t> body;
  std::vector<TreeChange> changes;
  bool whole = false;

  // Of the frame that is being applied.
  std::vector<PageRun> before;  // what its names stood for
  std::vector<PageRun> after;
  std::vector<PageRun> frames;  // of all frames
};

// replay->whole: there is a whole frame of that number.
Status Engine::ReadFrame(Replay* replay) {
  replay->whole = false;
  FrameHeader* const header = &replay->header;
  const uint64_t file_bytes = space_.map().size() * page_bytes_;
  const uint64_t offset = replay->page * page_bytes_;
  if (replay->page >= space_.map().size()) {
    return {};
  }
  std::array<uint8_t, kFrameHeaderBytes> bytes;
  size_t bytes_read = 0;
  SPW_RETURN_IF_ERROR(file_->ReadAt(offset, bytes, &bytes_read));
  if (bytes_read < bytes.size() || !DecodeFrameHeader(bytes, header) ||
      header->salt != superblock_.journal_salt || header->number != replay->number ||
      header->previous_sum != replay->sum || header->body_bytes > file_bytes - offset) {
    return {};
  }
  replay->body.resize(header->body_bytes);
  SPW_RETURN_IF_ERROR(file_->ReadAt(offset + kFrameHeaderBytes, replay->body, &bytes_read));
  if (bytes_read < replay->body.size()) {
    return {};
  }
  const Status decoded = DecodeFrameBody(*header, replay->body, digester_, &replay->changes);
  replay->whole = decoded.code() != Code::kNotFound;  // else its body is another
  return replay->whole ? decoded : Status();
}

// Pages change hands as the frame says; *whole becomes false if they cannot.
Status Engine::TakePages(Replay* replay) {
  if (!space_damage_.ok()) {  // nobody will write
    return {};
  }
  const uint64_t frame_bytes = kFrameHeaderBytes + replay->header.body_bytes;
  const PageRun frame = {replay->page, PagesOf(frame_bytes)};
  std::vector<PageRun> before = replay->before;
  std::vector<PageRun> after = replay->after;
  const std::vector<PageRun> taken = Without(&after, &before);
  const std::vector<PageRun> gone = Without(&before, &after);
  if (!space_.map().HoldAt(frame)) {
    replay->whole = false;
    return {};
  }
  for (size_t i = 0; i < taken.size(); ++i) {
    if (!space_.map().HoldAt(taken[i])) {
      replay->whole = false;
      for (size_t back = 0; back < i; ++back) {
        SPW_RETURN_IF_ERROR(space_.GiveBack(taken[back]));
      }
      return space_.GiveBack(frame);
    }
  }
  for (const PageRun& run : taken) {
    SPW_RETURN_IF_ERROR(space_.Keep(run));
  }
  for (const PageRun& run : gone) {
    SPW_RETURN_IF_ERROR(space_.Release(run));
  }
  replay->frames.push_back(frame);
  return {};
}

// What the frame says is what readers find.
Status Engine::AdoptChanges(const Replay& replay) {
  MutexLock lock(mu_);
  ++commit_;
  for (const TreeChange& change : replay.changes) {
    Version* const version = delta_.Make(change.key);
    version->commit = commit_;
    version->removes = !change.value.has_value();
    const Bytes entry = change.value.value_or(Bytes());
    if (const Status kept = base::CatchToStatus([&] {
          mu_.AssertHeld();
          version->entry.assign(entry.begin(), entry.end());
          return Status();
        });
        !kept.ok()) {
      delta_.Discard(version);
      return kept;
    }
    delta_.Link(version);
    while (version->older != nullptr) {
      delta_.DropOlder(version);
    }
  }
  written_ = durable_ = commit_;
  return {};
}

// proved: the mark or a later frame says that its data is on the device. Else it is looked at, and
// replay->whole tells.
Status Engine::ApplyFrame(Replay* replay, bool proved) {
  replay->before.clear();
  replay->after.clear();
  TreeRoot registry;
  {
    MutexLock lock(mu_);
    registry = view_->registry;
  }
  uint64_t blocks = 0;
  uint64_t bytes = 0;
  std::vector<uint8_t> payload;
  for (const TreeChange& change : replay->changes) {
    SPW_RETURN_IF_ERROR(CheckName(change.key).ok()
                            ? Status()
                            : base::Corrupt(path() + ": a frame names a block as none can be"));
    Block old;
    Version* version = nullptr;
    {
      MutexLock lock(mu_);
      version = delta_.Newest(change.key);
    }
    SPW_RETURN_IF_ERROR(FindFrom(version, registry, change.key, &old));
    for (const Part& part : old.parts) {
      replay->before.push_back(part.extent.run(page_bytes_));
    }
    if (old.list.has_value()) {
      replay->before.push_back(old.list->run(page_bytes_));
    }
    blocks -= old.exists ? 1 : 0;
    bytes -= old.exists ? old.length : 0;
    if (!change.value.has_value()) {
      continue;
    }
    Block fresh;
    Status status = DecodeEntryInto(*change.value, &fresh);
    for (uint64_t at = 0; status.ok() && !proved && at < fresh.length; at += kChunkBytes * 16) {
      payload.resize(std::min<uint64_t>(kChunkBytes * 16, fresh.length - at));
      status = ReadRange(fresh, at, payload);
    }
    if (status.code() == Code::kCorrupt && !proved) {
      replay->whole = false;
      return {};
    }
    SPW_RETURN_IF_ERROR(status);
    for (const Part& part : fresh.parts) {
      replay->after.push_back(part.extent.run(page_bytes_));
    }
    if (fresh.list.has_value()) {
      replay->after.push_back(fresh.list->run(page_bytes_));
    }
    blocks += 1;
    bytes += fresh.length;
    next_block_id_.store(std::max(next_block_id_.load(), fresh.block_id + 1));
    superblock_.next_version = std::max(superblock_.next_version, fresh.version + 1);
  }
  SPW_RETURN_IF_ERROR(TakePages(replay));
  if (!replay->whole) {
    return proved ? base::Corrupt(path() + ": frame " + std::to_string(replay->number) +
                                  " uses pages that are in use")
                  : Status();
  }
  superblock_.payload_bytes += bytes;
  counters_.blocks.fetch_add(blocks);
  return AdoptChanges(*replay);
}

// Whether a frame near the one that is missing was written after somebody had been told that this
// one is on the device.
Status Engine::LookForLater(const Replay& replay, bool* found) {
  const uint64_t end =
      replay.page + std::min(kUnmarkedPagesMost + 1,
                             space_.map().size() - std::min(space_.map().size(), replay.page));
  for (uint64_t page = replay.page; !*found && page < end; ++page) {
    std::array<uint8_t, kFrameHeaderBytes> bytes;
    size_t bytes_read = 0;
    SPW_RETURN_IF_ERROR(file_->ReadAt(page * page_bytes_, bytes, &bytes_read));
    FrameHeader header;
    *found = bytes_read == bytes.size() && DecodeFrameHeader(bytes, &header) &&
             header.salt == superblock_.journal_salt && header.number > replay.number &&
             header.acknowledged >= replay.number;
  }
  return {};
}

Status Engine::Recover(const Mark& mark, base::Operation* operation) {
  mark_ = mark;
  counters_.blocks.store(superblock_.registry.entries);
  const bool is_current = mark.generation == superblock_.generation;
  const uint64_t acknowledged = is_current ? mark.frames : 0;
  const bool closed = is_current && mark.closed;  // what stands there is of no use
  spare_may_be_torn_ = !closed;
  Replay replay;
  replay.page = superblock_.journal_page;
  for (; !closed; ++replay.number) {
    if (operation != nullptr && operation->cancelled()) {
      return Status(Code::kCancelled);
    }
    bool proved = replay.number <= acknowledged;
    SPW_RETURN_IF_ERROR(ReadFrame(&replay));
    const bool is_there = replay.whole;
    if (is_there) {
      SPW_RETURN_IF_ERROR(ApplyFrame(&replay, proved));
    }
    if (!replay.whole && !proved) {
      SPW_RETURN_IF_ERROR(LookForLater(replay, &proved));
      if (!proved) {
        break;
      }
      replay.whole = is_there;  // then it is the payload of some blocks that is damaged
      SPW_RETURN_IF_ERROR(is_there ? ApplyFrame(&replay, proved) : Status());
    }
    if (!replay.whole) {
      return base::Corrupt(path() + ": frame " + std::to_string(replay.number) + " at offset " +
                           std::to_string(replay.page * page_bytes_) +
                           " is damaged, though it was acknowledged");
    }
    replay.page = replay.header.next_page;
    replay.sum = replay.header.sum;
  }
  counters_.payload_bytes.store(superblock_.payload_bytes);
  {
    MutexLock lock(mu_);
    next_version_ = superblock_.next_version;
  }
  if (read_only_) {
    return {};
  }
  if (replay.frames.empty()) {
    return journal_.StartAt(superblock_.journal_page, superblock_.journal_salt);
  }
  // The frames are merged, and the next generation begins in a place of its own; also if they say
  // nothing, as one does that leads to a region where the next is missing.
  journal_.Adopt(std::move(replay.frames));
  return WriteCheckpoint(When::kAlways);
}

}  // namespace spillway::blockfile
