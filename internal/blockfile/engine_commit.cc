// Changes come into the open group: a place is given out under the mutex, filled without it, and
// made visible under it again, all drafts of a call at once.
#include <string>
#include <unordered_map>

#include "internal/base/bytes.h"
#include "internal/blockfile/engine.h"
#include "internal/blockfile/engine_commitment.h"
#include "internal/blockfile/runs.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Status;

Status Engine::CheckName(std::string_view name) const {
  if (name.empty() || name.size() > name_bytes_most() ||
      name.find('\0') != std::string_view::npos) {
    return base::InvalidArgument("a block's name has 1 to " + std::to_string(name_bytes_most()) +
                                 " bytes, none of them 0");
  }
  return {};
}

Status Engine::MayChange() {
  MutexLock lock(mu_);
  if (closing_ || closed_) {
    return Status(Code::kClosed);
  }
  return read_only_ ? Status(Code::kReadOnly, path() + ": opened for reading") : poison_;
}

// Whether the newest version waits in the open group, and a snapshot wants it to stay: then the
// next goes into another group, for a group has one of a name.
bool Engine::IsWantedOpen(const Version* newest) const {
  return newest != nullptr && newest->group == open_.get() && !snapshots_.empty() &&
         *snapshots_.rbegin() >= newest->commit;
}

Status Engine::Commit(std::span<Draft> drafts, const Snapshot* since) {
  SPW_RETURN_IF_ERROR(MayChange());
  if (drafts.empty()) {
    return {};
  }
  Commitment commitment(drafts, since);
  const Status status = base::CatchToStatus([&] {
    for (;;) {
      Status tried = TryCommit(&commitment);
      if (tried.code() != Code::kWouldBlock) {  // else something changed meanwhile
        return tried;
      }
    }
  });
  if (!status.ok()) {
    if (!commitment.aside.held.empty()) {
      GiveBackLater(commitment.aside.held);
    }
    return status;
  }
  counters_.puts.fetch_add(
      static_cast<uint64_t>(std::count_if(drafts.begin(), drafts.end(),
                                          [](const Draft& draft) { return !draft.moves; })),
      std::memory_order_relaxed);
  return {};
}

Status Engine::TryCommit(Commitment* commitment) {
  SPW_RETURN_IF_ERROR(CheckConditions(commitment));
  SPW_RETURN_IF_ERROR(BringAlong(commitment));
  SPW_RETURN_IF_ERROR(MoveLargeAside(commitment->drafts, &commitment->aside));
  SPW_RETURN_IF_ERROR(Admit(commitment));
  Fill(*commitment);
  return Insert(commitment);
}

// What waits is bounded in memory, and every page of it has a place in the file.
Status Engine::AwaitRoom(const Commitment& commitment) {
  const uint64_t pages = commitment.pages;
  for (bool waited = false;; waited = true) {
    if (closing_ || closed_ || !poison_.ok()) {
      return closing_ || closed_ ? Status(Code::kClosed) : poison_;
    }
    const uint64_t dirty = DirtyPages();
    const size_t blocks = DirtyBlocks();
    const bool over = (dirty + pages) * page_bytes_ > settings_.dirty_bytes_most ||
                      blocks + commitment.drafts.size() > settings_.dirty_blocks_most;
    const bool frees = pages == 0 && commitment.drafts.front().removes;
    if (over && blocks > 0 && !(frees && health_ == Code::kFull)) {
      counters_.waits.fetch_add(waited ? 0 : 1, std::memory_order_relaxed);
      mu_.Unlock();
      const Status written = Flush(Level::kKernel);
      mu_.Lock();
      SPW_RETURN_IF_ERROR(written);
      continue;
    }
    const uint64_t room = pages == 0 ? 0 : RoomFor(dirty + pages, blocks);
    if (room > room_pages_) {
      mu_.Unlock();
      const Status made = MakeRoom(room);
      mu_.Lock();
      SPW_RETURN_IF_ERROR(made);
      continue;
    }
    if (sealing_) {
      changed_.Wait(mu_);
      continue;
    }
    return {};
  }
}

// Memory comes from outside the mutex.
Status Engine::AddPieces(Group* group, uint64_t pages) {
  std::vector<PieceStore::Piece> pieces(group->image->pieces_missing(pages));
  mu_.Unlock();
  const Status taken = base::CatchToStatus([&] {
    for (PieceStore::Piece& piece : pieces) {
      piece = pieces_->Take();
    }
    return Status();
  });
  mu_.Lock();
  if (taken.ok() && group == open_.get()) {
    for (PieceStore::Piece& piece : pieces) {
      if (group->image->pieces_missing(pages) > 0) {
        group->image->AddPiece(std::move(piece));
      }
    }
  }
  for (PieceStore::Piece& piece : pieces) {
    if (piece) {
      pieces_->GiveBack(std::move(piece));
    }
  }
  return taken;
}

Status Engine::Admit(Commitment* commitment) {
  commitment->pages = 0;
  for (size_t i = 0; i < commitment->drafts.size(); ++i) {
    const Draft& draft = commitment->drafts[i];
    Commitment::Place& place = commitment->places[i];
    place.is_inline = draft.length <= inline_bytes_most() && draft.all_in_memory();
    place.image_page = commitment->pages;
    if (!place.is_inline) {
      draft.ForEachRun([&](bool in_memory, auto, uint64_t bytes) {
        commitment->pages += in_memory ? PagesOf(bytes) : 0;
      });
    }
  }
  const uint64_t lists = ListPages(commitment->drafts);
  MutexLock lock(mu_);
  for (;;) {
    SPW_RETURN_IF_ERROR(AwaitRoom(*commitment));
    const bool must_seal =
        !snapshots_.empty() && !open_->versions.empty() &&
        std::any_of(commitment->drafts.begin(), commitment->drafts.end(), [&](const Draft& draft) {
          mu_.AssertHeld();
          return IsWantedOpen(delta_.Newest(draft.name));
        });
    const size_t missing = open_->image->pieces_missing(commitment->pages);
    const uint64_t for_lists = PiecesOf(open_->list_pages + lists) + kPiecesForLists;
    if (must_seal || missing + for_lists > open_->image->pieces_left()) {
      Seal(commitment->pages + lists);
      continue;
    }
    if (missing > 0) {
      SPW_RETURN_IF_ERROR(AddPieces(open_.get(), commitment->pages));
      continue;
    }
    break;
  }
  const uint64_t first = open_->image->GiveOut(commitment->pages);
  for (Commitment::Place& place : commitment->places) {
    place.image_page += first;
  }
  open_->list_pages += lists;
  commitment->group = open_;
  ++open_->filling;
  return {};
}

void Engine::Fill(const Commitment& commitment) {
  Image* const image = commitment.group->image.get();
  for (size_t i = 0; i < commitment.drafts.size(); ++i) {
    const Commitment::Place& place = commitment.places[i];
    if (place.is_inline) {
      continue;
    }
    uint64_t page = place.image_page;
    commitment.drafts[i].ForEachRun([&](bool in_memory, auto parts, uint64_t bytes) {
      if (!in_memory) {
        return;
      }
      uint64_t at = page * page_bytes_;
      for (const DraftPart& part : parts) {
        image->Write(at, part.memory);
        at += part.memory.size();
      }
      page += PagesOf(bytes);
      image->Zero(at, page * page_bytes_ - at);
    });
  }
}

Status Engine::Insert(Commitment* commitment) {
  MutexLock lock(mu_);
  Group* const group = commitment->group.get();  // still the open one: it has a place being filled
  const auto filled = [&] {
    mu_.AssertHeld();
    if (--group->filling == 0) {
      changed_.NotifyAll();
    }
  };
  Status status;
  if (closing_ || closed_ || !poison_.ok()) {
    status = closing_ || closed_ ? Status(Code::kClosed) : poison_;
  } else if (!StillSo(*commitment)) {
    const bool on = std::any_of(commitment->drafts.begin(), commitment->drafts.end(),
                                [](const Draft& draft) { return draft.on != nullptr; });
    status = Status(on ? Code::kConflict : Code::kWouldBlock);
  } else {
    // First all that can fail; nothing of it is visible.
    status = base::CatchToStatus([&] {
      mu_.AssertHeld();
      const size_t needed = group->versions.size() + commitment->drafts.size();
      if (needed > group->versions.capacity()) {  // by doubling, not to copy them all each time
        group->versions.reserve(std::max(needed, 2 * group->versions.capacity()));
      }
      for (size_t i = 0; i < commitment->drafts.size(); ++i) {
        MakeVersion(commitment, i);
      }
      FindOrphans(commitment);
      return Status();
    });
  }
  if (!status.ok()) {
    for (Commitment::Place& place : commitment->places) {
      if (place.made != nullptr) {
        delta_.Discard(std::exchange(place.made, nullptr));
      }
    }
    filled();
    return status;
  }
  ++commit_;
  group->last_commit = commit_;
  for (size_t i = 0; i < commitment->drafts.size(); ++i) {
    Version* const version = commitment->places[i].made;
    version->commit = commit_;
    const uint64_t kept = commitment->drafts[i].keep_version;
    version->version = kept != 0 ? kept : next_version_;
    next_version_ = std::max(next_version_, version->version + 1);
    moves_ += commitment->drafts[i].moves ? 1 : 0;
    commitment->drafts[i].version = version->version;
    LinkVersion(version);
  }
  const std::vector<PageRun>& orphans = commitment->orphans;
  orphans_.insert(orphans_.end(), orphans.begin(), orphans.end());  // there is room
  filled();
  if (!write_wanted_ && DirtyPages() * page_bytes_ > settings_.dirty_bytes_most / 2) {
    write_wanted_ = true;
    work_.NotifyOne();
  }
  return {};
}

void Engine::MakeVersion(Commitment* commitment, size_t index) {
  const Draft& draft = commitment->drafts[index];
  Commitment::Place& place = commitment->places[index];
  Version* const version = place.made = delta_.Make(draft.name);
  const Version* const newest = *version->newest;
  const bool in_place = newest != nullptr && newest->group == open_.get();
  version->group = open_.get();
  version->removes = draft.removes;
  version->modified_ns = draft.modified_ns;
  version->inherits = draft.inherits;
  version->block_id = draft.block_id;
  version->created_ns = draft.created_ns;
  version->length = draft.length;
  version->is_inline = place.is_inline;
  version->tag.assign(draft.tag.begin(), draft.tag.end());
  if (in_place && draft.inherits && (newest->removes || !newest->inherits)) {
    version->inherits = false;
    version->created_ns = newest->removes ? version->modified_ns : newest->created_ns;
    version->tag = newest->removes ? std::pmr::vector<uint8_t>() : newest->tag;
  } else if (draft.inherits && newest != nullptr && newest->group != nullptr && newest->inherits &&
             !newest->removes) {
    version->created_ns = newest->created_ns;  // if it was a new one
  }
  if (place.is_inline) {
    for (const DraftPart& part : draft.parts) {
      version->bytes.insert(version->bytes.end(), part.memory.begin(), part.memory.end());
    }
  } else {
    uint64_t page = place.image_page;
    draft.ForEachRun([&](bool in_memory, auto parts, uint64_t bytes) {
      if (in_memory) {
        version->parts.push_back({.extent = {page, bytes}, .in_image = true});
        page += PagesOf(bytes);
      } else {
        const DraftPart& part = parts[0];
        version->parts.push_back(
            {.extent = part.extent, .in_image = part.in_image, .fresh = part.fresh});
      }
    });
    version->digests.assign(draft.digests.begin(), draft.digests.end());
    version->image = open_->image;
  }
}

// What was written around the group and is part of no block any more. All drafts at once: a rename
// moves such pages from one name to another, and of two drafts with one name the last counts.
void Engine::FindOrphans(Commitment* commitment) {
  std::vector<PageRun> fresh;
  const auto add = [&](const Version& version) {
    for (const Part& part : version.parts) {
      if (part.fresh) {
        fresh.push_back(part.extent.run(page_bytes_));
      }
    }
  };
  for (const Commitment::Place& place : commitment->places) {
    const Version* const newest = *place.made->newest;
    if (newest != nullptr && newest->group == open_.get()) {
      add(*newest);
    }
    add(*place.made);
  }
  if (fresh.empty()) {
    return;
  }
  std::unordered_map<const void*, const Version*> last;  // by name
  for (const Commitment::Place& place : commitment->places) {
    last[place.made->name] = place.made;
  }
  std::vector<PageRun> kept;
  for (const auto& [name, version] : last) {
    for (const Part& part : version->parts) {
      if (part.in_file()) {
        kept.push_back(part.extent.run(page_bytes_));
      }
    }
  }
  std::sort(fresh.begin(), fresh.end(),
            [](const PageRun& a, const PageRun& b) { return a.first < b.first; });
  // A part that stays is there twice: whole, as it was, and as much of it as stays.
  std::vector<PageRun> joined;
  for (const PageRun& run : fresh) {
    if (!joined.empty() && run.first < joined.back().end()) {
      joined.back().pages = std::max(joined.back().end(), run.end()) - joined.back().first;
    } else {
      joined.push_back(run);
    }
  }
  commitment->orphans = Without(&joined, &kept);
  orphans_.reserve(orphans_.size() + commitment->orphans.size());
}

void Engine::LinkVersion(Version* version) {
  const Version* const newest = *version->newest;
  if (newest != nullptr && newest->group == open_.get()) {
    version->place = newest->place;
    open_->versions[version->place] = version;
    delta_.LinkInPlace(version);
    return;
  }
  version->place = open_->versions.size();
  open_->versions.push_back(version);  // there is room
  delta_.Link(version);
}

}  // namespace spillway::blockfile
