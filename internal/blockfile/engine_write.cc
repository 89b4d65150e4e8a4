// Groups go into the file: a frame of the journal and right behind it the payloads, in one run.
#include <string>

#include "internal/base/bytes.h"
#include "internal/blockfile/engine.h"
#include "internal/blockfile/engine_prepared.h"
#include "internal/blockfile/runs.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Status;

// ---- turns ----

Status Engine::TakeTurn(bool closing) {
  MutexLock lock(mu_);
  while (writing_) {
    changed_.Wait(mu_);
  }
  if (closed_ || (closing_ && !closing)) {
    return Status(Code::kClosed);
  }
  SPW_RETURN_IF_ERROR(poison_);
  writing_ = true;
  return {};
}

void Engine::Fail(const Status& status) {
  MutexLock lock(mu_);
  health_ = status.code();
  if (!status.ok() && status.code() != Code::kFull && status.code() != Code::kNoMemory &&
      status.code() != Code::kClosed && poison_.ok()) {
    poison_ = status;
  }
}

void Engine::EndTurn(const Status& status) {
  const uint64_t room = read_only_ ? 0 : space_.map().longest_free();
  if (!read_only_) {
    known_pages_.store(space_.map().size(), std::memory_order_release);
  }
  counters_.pages.store(space_.map().size(), std::memory_order_relaxed);
  counters_.pages_used.store(space_.map().pages_used(), std::memory_order_relaxed);
  counters_.pages_held.store(space_.map().pages_held(), std::memory_order_relaxed);
  Fail(status);
  MutexLock lock(mu_);
  room_pages_ = room;
  writing_ = false;
  changed_.NotifyAll();
}

Status Engine::MakeRoom(uint64_t pages) {
  SPW_RETURN_IF_ERROR(TakeTurn());
  const Status status = base::CatchToStatus([&] {
    space_.FillReserve(Space::MayGrow::kYes);
    return space_.MakeRoom(pages);
  });
  EndTurn(status);
  return status;
}

// ---- flushing ----

Status Engine::Flush(Level level) {
  if (read_only_ || level == Level::kRelaxed) {
    return {};
  }
  mu_.Lock();
  const uint64_t target = commit_;
  Status status;
  for (;;) {
    if (closed_ || !poison_.ok()) {
      status = closed_ ? Status(Code::kClosed) : poison_;
      break;
    }
    if ((level == Level::kKernel ? written_ : durable_) >= target) {
      break;
    }
    if (writing_) {
      changed_.Wait(mu_);
      continue;
    }
    writing_ = true;
    mu_.Unlock();
    status = base::CatchToStatus([&] { return WriteAll(level); });
    EndTurn(status);
    mu_.Lock();
    if (!status.ok()) {
      break;
    }
  }
  mu_.Unlock();
  if (!status.ok() || level != Level::kCheckpoint) {
    return status;
  }
  SPW_RETURN_IF_ERROR(TakeTurn(true));
  status = base::CatchToStatus([&] { return WriteCheckpoint(When::kIfAnythingChanged); });
  EndTurn(status);
  return status;
}

// Whether a checkpoint would give back as much as is allowed to wait for it, or that part of it. A
// small file is not to grow to many times what it holds, and space that was written before is
// cheaper than fresh space.
bool Engine::CheckpointIsDue(uint64_t part) const {
  constexpr uint64_t kLeast = uint64_t{16} << 20;
  constexpr uint64_t kTimesPayload = 4;
  const uint64_t most = std::min(settings_.journal_bytes_most,
                                 std::max(kLeast, kTimesPayload * superblock_.payload_bytes));
  // What was written around the groups is in no journal.
  return std::max(journal_.pages_written(), space_.released_pages()) * page_bytes_ > most / part;
}

// They come free with the next checkpoint.
void Engine::ReleaseOrphans() {
  std::vector<PageRun> orphans;
  {
    MutexLock lock(mu_);
    orphans.swap(orphans_);
  }
  for (const PageRun& run : orphans) {
    space_.ReleaseHeld(run);
  }
}

// All groups that there are now.
Status Engine::WriteAll(Level level) {
  {
    MutexLock lock(mu_);
    Seal(0);
  }
  ReleaseOrphans();
  for (;;) {
    std::shared_ptr<Group> group;
    {
      MutexLock lock(mu_);
      while (sealing_) {  // the last of them may still be filled
        changed_.Wait(mu_);
      }
      if (sealed_.empty()) {
        break;
      }
      group = sealed_.front();
    }
    SPW_RETURN_IF_ERROR(WriteGroup(group.get()));
  }
  if (level != Level::kKernel) {
    SPW_RETURN_IF_ERROR(SyncAndMark());
  }
  if (!CheckpointIsDue(1)) {
    if (settings_.background && CheckpointIsDue(2)) {
      MutexLock lock(mu_);
      checkpoint_wanted_ = true;
      work_.NotifyOne();
    }
    return {};
  }
  // The groups are where they should be, whatever becomes of this; a full disk only puts it off.
  const Status status = WriteCheckpoint(When::kAlways);
  return status.code() == Code::kFull ? Status() : status;
}

Status Engine::SyncAndMark() {
  uint64_t synced = 0;
  {
    MutexLock lock(mu_);
    synced = written_;
    if (durable_ >= synced) {
      return {};
    }
  }
  SPW_RETURN_IF_ERROR(file_->Sync());
  const Status marked = journal_.Acknowledge() ? WriteMark(false) : Status();
  MutexLock lock(mu_);
  durable_ = synced;
  // Nothing needs this mark but the finding of later damage.
  return marked.code() == Code::kFull ? Status() : marked;
}

// Becomes durable with the next barrier.
Status Engine::WriteMark(bool closed) {
  Mark next = {mark_.number + 1, superblock_.generation, journal_.frames(), closed};
  std::array<uint8_t, kUnitBytes> unit;
  EncodeMark(next, superblock_.file_id, unit);
  SPW_RETURN_IF_ERROR(file_->WriteAt(MarkOffset(next.number), unit));
  mark_ = next;
  closed_marks_ = closed ? 2 : std::max(closed_marks_ - 1, 0);
  journal_.NoteMark();
  return {};
}

// ---- a group ----

Status Engine::WriteGroup(Group* group) {
  if (prepared_ == nullptr) {
    prepared_ = std::make_unique<Prepared>();
  }
  Prepared* const prepared = prepared_.get();
  prepared->Clear();
  const uint64_t image_pages = group->image->pages();
  Status status = base::CatchToStatus([&] { return TryGroup(group, prepared); });
  if (!status.ok()) {  // it may be tried again
    group->image->Cut(image_pages);
    const Status cancelled = journal_.Cancel(prepared->place);
    return cancelled.ok() ? status : cancelled;
  }
  if (prepared->count > 0) {
    SPW_RETURN_IF_ERROR(
        journal_.Advance(prepared->place, prepared->frame_pages, prepared->data_pages));
    SPW_RETURN_IF_ERROR(Account(group, prepared));
    counters_.groups.fetch_add(1, std::memory_order_relaxed);
  }
  Publish(group, prepared);
  return {};
}

Status Engine::TryGroup(Group* group, Prepared* prepared) {
  SPW_RETURN_IF_ERROR(Prepare(group, prepared));
  if (prepared->count == 0) {
    return {};
  }
  const Space::Need need = prepared->data_pages == 0 ? Space::Need::kUrgent : Space::Need::kUsual;
  SPW_RETURN_IF_ERROR(
      journal_.Reserve(prepared->frame_pages, prepared->data_pages, need, &prepared->place));
  // What is published must not fail for want of memory.
  space_.ReserveReleases(prepared->replaced.size());
  // A little data goes out in the frame's call: a copy costs less than another call. Much goes out
  // first, and the device works at it while the frame is made.
  constexpr uint64_t kLittleBytes = uint64_t{64} << 10;
  const bool is_little = prepared->data_pages * page_bytes_ <= kLittleBytes;
  if (!is_little) {
    SPW_RETURN_IF_ERROR(WriteData(*group, *prepared, 0, prepared->payload_pages));
  }
  SPW_RETURN_IF_ERROR(FillIn(group, prepared));
  while (closed_marks_ > 0) {  // who reads one looks for no frames
    SPW_RETURN_IF_ERROR(WriteMark(false));
  }
  const Bytes little = is_little && prepared->data_pages > 0
                           ? group->image->Contiguous(0, prepared->data_pages * page_bytes_)
                           : Bytes();
  SPW_RETURN_IF_ERROR(journal_.WriteFrame(prepared->place, prepared->changes, prepared->frame_pages,
                                          prepared->data_pages, little));
  return is_little ? Status()
                   : WriteData(*group, *prepared, prepared->payload_pages, prepared->data_pages);
}

// What the group comes to, but for the places. Nothing changes.
Status Engine::Prepare(Group* group, Prepared* prepared) {
  std::vector<Version*>& order = prepared->order;
  order.assign(group->versions.begin(), group->versions.end());
  std::sort(order.begin(), order.end(),
            [](const Version* a, const Version* b) { return *a->name < *b->name; });
  prepared->frame_bytes = kFrameHeaderBytes;
  {
    MutexLock lock(mu_);
    prepared->registry = view_->registry;
  }
  prepared->payload_pages = group->image->pages();
  for (Version* const version : order) {
    SPW_RETURN_IF_ERROR(PrepareOne(group, version, prepared));
  }
  prepared->frame_pages = PagesOf(prepared->frame_bytes);
  prepared->data_pages = group->image->pages();
  if (prepared->data_pages > 0) {
    std::vector<PageRun> data = {{0, prepared->data_pages}};
    prepared->gaps = Without(&data, &prepared->taken);
  }
  if (!prepared->kept.empty()) {  // pages change hands within the group
    prepared->replaced = Without(&prepared->replaced, &prepared->kept);
  }
  for (const PageRun& run : prepared->replaced) {
    if (!space_.map().IsUsed(run)) {
      return base::Corrupt(path() + ": pages [" + std::to_string(run.first) + ", " +
                           std::to_string(run.end()) +
                           ") are named by the registry, but the space map says they are free");
    }
  }
  return {};
}

Status Engine::PrepareOne(Group* group, Version* version, Prepared* prepared) {
  // What stood under that name before: older ones are in the file, for groups are written in order,
  // and change no more.
  Block base;
  SPW_RETURN_IF_ERROR(FindFrom(version->older, prepared->registry, *version->name, &base));
  if (base.exists) {
    for (const Part& part : base.parts) {
      prepared->replaced.push_back(part.extent.run(page_bytes_));
    }
    if (base.list.has_value()) {
      prepared->replaced.push_back(base.list->run(page_bytes_));
    }
    prepared->blocks_gone += 1;
    prepared->bytes_gone += base.length;
  } else if (version->removes) {
    return {};  // it came and went
  }
  Prepared::One* const one = prepared->Add();
  one->version = version;
  one->removes = version->removes;
  if (version->removes) {
    prepared->frame_bytes += kChangeHeaderBytes + version->name->size();
    return {};
  }
  Entry& entry = one->entry;
  const bool inherits = version->inherits && base.exists;
  entry.block_id = version->block_id;
  if (entry.block_id == 0) {  // the old one may have gone with a rename
    entry.block_id = inherits ? base.block_id : NewBlockId();
  }
  entry.version = version->version;
  entry.length = version->length;
  entry.modified_ns = version->modified_ns;
  entry.created_ns = inherits ? base.created_ns : version->created_ns;
  const Bytes tag = inherits ? Bytes(base.tag) : Bytes(version->tag);
  std::copy(tag.begin(), tag.end(), one->tag.begin());
  entry.tag = Bytes(one->tag).first(tag.size());
  if (version->is_inline) {
    entry.inline_bytes = version->bytes;
  }
  for (const Part& part : version->parts) {
    entry.extents.push_back(part.extent);
    if (part.in_image) {
      prepared->taken.push_back(part.extent.run(page_bytes_));
    } else if (!part.fresh) {
      prepared->kept.push_back(part.extent.run(page_bytes_));
    }
  }
  uint64_t chunks = 0;
  for (const Extent& extent : entry.extents) {
    chunks += extent.chunks();
  }
  entry.digests.resize(chunks);
  one->list_bytes = ListBytes(entry, digester_.digest_bytes());
  one->has_list = one->list_bytes > page_bytes_ / 8;
  if (one->has_list) {
    const uint64_t pages = PagesOf(one->list_bytes);
    while (group->image->pieces_missing(pages) > 0) {
      group->image->AddPiece(pieces_->Take());
    }
    one->list_page = group->image->GiveOut(pages);
    prepared->taken.push_back({one->list_page, pages});
  }
  one->value.clear();
  const ListRef nowhere;
  EncodeEntry(entry, one->has_list ? &nowhere : nullptr, digester_.digest_bytes(), &one->value);
  prepared->frame_bytes += kChangeHeaderBytes + version->name->size() + one->value.size();
  prepared->blocks_new += 1;
  prepared->bytes_new += entry.length;
  return {};
}

void Engine::DigestPart(const Image& image, uint64_t image_page, const Extent& extent,
                        uint64_t block_id, Digest* digests) {
  std::vector<uint8_t> joined;  // of a chunk that lies across two pieces of the image
  for (uint64_t at = 0; at < extent.bytes; at += kChunkBytes) {
    const uint64_t size = std::min(kChunkBytes, extent.bytes - at);
    const uint64_t offset = image_page * page_bytes_ + at;
    Bytes chunk = image.Contiguous(offset, size);
    if (chunk.size() < size) {
      joined.resize(size);
      image.Read(offset, joined);
      chunk = joined;
    }
    *digests++ = digester_.OfChunk(block_id, extent.first_page + at / page_bytes_, chunk);
  }
}

Status Engine::FillIn(Group* group, Prepared* prepared) {
  const uint64_t data_page = prepared->data_page();
  for (size_t i = 0; i < prepared->count; ++i) {
    Prepared::One& one = *prepared->ones[i];
    if (one.removes) {
      prepared->changes.push_back({*one.version->name, std::nullopt});
      continue;
    }
    Entry& entry = one.entry;
    size_t chunk = 0;
    size_t known = 0;
    for (size_t p = 0; p < entry.extents.size(); ++p) {
      const Part& part = one.version->parts[p];
      Extent& extent = entry.extents[p];
      if (part.in_image) {
        extent.first_page = data_page + part.extent.first_page;
        DigestPart(*group->image, part.extent.first_page, extent, entry.block_id,
                   entry.digests.data() + chunk);
      } else {
        std::copy_n(one.version->digests.begin() + static_cast<ptrdiff_t>(known), extent.chunks(),
                    entry.digests.begin() + static_cast<ptrdiff_t>(chunk));
        known += extent.chunks();
      }
      chunk += extent.chunks();
    }
    ListRef list_ref;
    if (one.has_list) {
      std::vector<uint8_t> list;
      EncodeList(entry, digester_.digest_bytes(), &list);
      const uint64_t at = one.list_page * page_bytes_;
      group->image->Write(at, list);
      group->image->Zero(at + list.size(), base::RoundUp(list.size(), page_bytes_) - list.size());
      list_ref = {{data_page + one.list_page, list.size()}, digester_.OfPage(list)};
    }
    one.value.clear();
    EncodeEntry(entry, one.has_list ? &list_ref : nullptr, digester_.digest_bytes(), &one.value);
    prepared->changes.push_back({*one.version->name, Bytes(one.value)});
  }
  MutexLock lock(mu_);  // the delta's pool
  for (size_t i = 0; i < prepared->count; ++i) {
    const Prepared::One& one = *prepared->ones[i];
    one.version->entry.assign(one.value.begin(), one.value.end());
  }
  return {};
}

// Pages [begin, end) of the image. Payloads that were replaced before they were written leave gaps,
// which are left out where that saves more than another request costs.
Status Engine::WriteData(const Group& group, const Prepared& prepared, uint64_t begin,
                         uint64_t end) {
  constexpr uint64_t kGapPages = 16;
  constexpr uint64_t kStepBytes = uint64_t{512} << 10;  // the device works while the next is copied
  uint64_t page = begin;
  const auto write_to = [&](uint64_t stop) {
    while (page < stop) {
      const uint64_t bytes = std::min((stop - page) * page_bytes_, kStepBytes);
      const Bytes piece = group.image->Contiguous(page * page_bytes_, bytes);
      const uint64_t offset = (prepared.data_page() + page) * page_bytes_;
      SPW_RETURN_IF_ERROR(file_->WriteAt(offset, piece));
      if (piece.size() == kStepBytes) {  // for less, the call costs what it saves
        file_->StartWriting(offset, piece.size());
      }
      page += piece.size() / page_bytes_;
    }
    return Status();
  };
  for (const PageRun& gap : prepared.gaps) {
    if (gap.end() <= page || gap.first >= end) {
      continue;
    }
    if (gap.pages >= kGapPages || gap.end() == end) {
      SPW_RETURN_IF_ERROR(write_to(std::max(gap.first, page)));
      page = gap.end();
    }
  }
  return write_to(end);
}

// Pages get their owners: what the group names is used, what nothing names any more is released,
// and gaps left by payloads that were replaced before they were written are free.
Status Engine::Account(Group* group, Prepared* prepared) {
  const uint64_t data_page = prepared->data_page();
  for (const PageRun& run : prepared->taken) {
    SPW_RETURN_IF_ERROR(space_.Keep({data_page + run.first, run.pages}));
  }
  for (const PageRun& gap : prepared->gaps) {
    SPW_RETURN_IF_ERROR(space_.GiveBack({data_page + gap.first, gap.pages}));
  }
  for (const Version* const version : group->versions) {
    for (const Part& part : version->parts) {
      SPW_RETURN_IF_ERROR(part.fresh ? space_.Keep(part.extent.run(page_bytes_)) : Status());
    }
  }
  for (const PageRun& run : prepared->replaced) {
    SPW_RETURN_IF_ERROR(space_.Release(run));
  }
  return {};
}

void Engine::Publish(Group* group, Prepared* prepared) noexcept {
  superblock_.payload_bytes += prepared->bytes_new - prepared->bytes_gone;
  counters_.payload_bytes.store(superblock_.payload_bytes, std::memory_order_relaxed);
  counters_.blocks.fetch_add(prepared->blocks_new - prepared->blocks_gone,
                             std::memory_order_relaxed);
  known_pages_.store(space_.map().size(), std::memory_order_release);
  std::shared_ptr<Group> written;  // ends outside of the mutex
  MutexLock lock(mu_);
  for (Version* const version : group->versions) {
    version->group = nullptr;
    version->parts.clear();
    version->digests.clear();
    version->bytes.clear();
    version->image.reset();
    while (version->older != nullptr) {
      const auto snapshot = snapshots_.lower_bound(version->older->commit);
      if (snapshot != snapshots_.end() && *snapshot < version->commit) {
        break;
      }
      delta_.DropOlder(version);
    }
  }
  written_ = std::max(written_, group->last_commit);  // of a group without changes it is 0
  if (!sealed_.empty()) {
    written = std::move(sealed_.front());
    sealed_.pop_front();
  }
}

}  // namespace spillway::blockfile
