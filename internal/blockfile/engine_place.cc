// Ways into the file that are cheaper than the usual one: what grows bit by bit grows in its place
// in the image, and what is very large is written at once.
#include <algorithm>
#include <utility>

#include "internal/base/bytes.h"
#include "internal/blockfile/engine.h"

namespace spillway::blockfile {

using base::MutexLock;
using base::Status;

static constexpr uint64_t kStretchBytes = uint64_t{2} << 20;

uint64_t Engine::DirtyPages() const {
  uint64_t pages = open_->image->pages();
  for (const auto& group : sealed_) {
    pages += group->image->pages();
  }
  return pages;
}

size_t Engine::DirtyBlocks() const {
  size_t blocks = open_->versions.size();
  for (const auto& group : sealed_) {
    blocks += group->versions.size();
  }
  return blocks;
}

// Of the digests and extents of what is in the file already, which nothing else bounds.
uint64_t Engine::ListPages(std::span<const Draft> drafts) const {
  uint64_t pages = 0;
  for (const Draft& draft : drafts) {
    if (!draft.digests.empty()) {
      pages += PagesOf(draft.parts.size() * sizeof(Extent) +
                       draft.digests.size() * digester_.digest_bytes());
    }
  }
  return pages;
}

uint64_t Engine::PromisedPages() {
  MutexLock lock(mu_);
  const uint64_t dirty = DirtyPages();
  return dirty == 0 ? 0 : RoomFor(dirty, DirtyBlocks());
}

// The open group takes no more; another is open. Waits until all its places are filled.
void Engine::Seal(uint64_t pages) {
  while (sealing_) {
    changed_.Wait(mu_);
  }
  const uint64_t needed = PiecesOf(pages) + 1 + kPiecesForLists;
  const uint64_t usual =
      std::min<uint64_t>(settings_.dirty_bytes_most / PieceStore::kPieceBytes, 4096) + 16;
  auto fresh = std::make_shared<Group>(page_bytes_, pieces_, std::max(needed, usual));
  if (open_ == nullptr) {
    open_ = std::move(fresh);
    return;
  }
  sealed_.push_back(open_);  // what follows cannot fail
  sealing_ = true;
  while (open_->filling > 0) {
    changed_.Wait(mu_);
  }
  sealing_ = false;
  if (open_->versions.empty() && pages == 0) {
    sealed_.pop_back();
  } else {
    open_ = std::move(fresh);
  }
  changed_.NotifyAll();
}

void Engine::GiveBackLater(std::span<const PageRun> runs) noexcept {
  MutexLock lock(mu_);
  const Status kept = base::CatchToStatus([&] {
    mu_.AssertHeld();
    orphans_.insert(orphans_.end(), runs.begin(), runs.end());
    return Status();
  });
  // Without memory they stay held until the file is opened again.
  static_cast<void>(kept.ok());
}

// What grows bit by bit takes place in the image in doubling steps up to a chunk, and then in
// chunks; readers know how far their version goes.
Status Engine::AppendInPlace(std::string_view name, Bytes bytes, uint64_t* length, bool* done) {
  *done = false;
  const int64_t now_ns = settings_.clock_ns();
  MutexLock lock(mu_);
  Version* const version = delta_.Newest(name);
  if (closing_ || closed_ || !poison_.ok() || sealing_ || version == nullptr ||
      version->group != open_.get() || version->removes || IsWantedOpen(version) ||
      bytes.size() > kChunkBytes || version->parts.empty() || !version->parts.back().in_image ||
      (DirtyPages() + 16) * page_bytes_ > settings_.dirty_bytes_most) {
    return {};
  }
  Image* const image = open_->image.get();
  Part* tail = &version->parts.back();
  const uint64_t own = std::max(tail->room_pages, PagesOf(tail->extent.bytes));
  uint64_t wanted = tail->extent.bytes + bytes.size();
  if (wanted > own * page_bytes_) {
    const bool fits = wanted <= kChunkBytes;  // else another part
    wanted = fits ? wanted : bytes.size();
    const uint64_t pages = PagesOf(std::min(kChunkBytes, 2 * wanted));
    const uint64_t room = RoomFor(DirtyPages() + pages, DirtyBlocks());
    if (image->pieces_missing(pages) > 0 || room > room_pages_) {
      return {};
    }
    const uint64_t page = image->GiveOut(pages);
    if (fits) {
      std::vector<uint8_t> moved(tail->extent.bytes);
      image->Read(tail->extent.first_page * page_bytes_, moved);
      image->Write(page * page_bytes_, moved);
    } else {
      version->parts.push_back({.extent = {page, 0}, .in_image = true});
      tail = &version->parts.back();
    }
    tail->extent.first_page = page;
    tail->room_pages = pages;
  }
  const uint64_t end = tail->extent.first_page * page_bytes_ + tail->extent.bytes;
  image->Write(end, bytes);
  const uint64_t after = end + bytes.size();
  image->Zero(after, base::RoundUp(after, page_bytes_) - after);
  tail->extent.bytes += bytes.size();
  version->length += bytes.size();
  version->commit = ++commit_;
  version->version = next_version_++;
  version->modified_ns = now_ns;
  open_->last_commit = commit_;
  *length = version->length;
  *done = true;
  counters_.puts.fetch_add(1, std::memory_order_relaxed);
  return {};
}

// Another run for the next part, of `least` pages, and if it can be for all of the `pages` that are
// left, that does not take the room that was promised to what waits. What is left of the one before
// goes back.
Status Engine::HoldAside(uint64_t least, uint64_t pages, Aside* aside) {
  PageRun* const run = &aside->left;
  SPW_RETURN_IF_ERROR(TakeTurn());
  const Status held = base::CatchToStatus([&] {
    aside->held.reserve(aside->held.size() + 1);
    if (run->pages > 0) {
      aside->held.back().pages -= run->pages;
      SPW_RETURN_IF_ERROR(space_.GiveBack(std::exchange(*run, PageRun())));
    }
    SPW_RETURN_IF_ERROR(space_.HoldRegion(least, pages, Space::Need::kUsual, run));
    const Status kept = base::CatchToStatus([&] { return space_.MakeRoom(PromisedPages()); });
    if (!kept.ok()) {
      const Status given_back = space_.GiveBack(std::exchange(*run, PageRun()));
      return given_back.ok() ? kept : given_back;
    }
    aside->held.push_back(*run);
    return Status();
  });
  EndTurn(held);
  return held;
}

Status Engine::HoldForPart(uint64_t pages_most, PageRun* run) {
  constexpr uint64_t kPagesLeast = 16;
  SPW_RETURN_IF_ERROR(TakeTurn());
  const Status held = base::CatchToStatus([&] {
    return space_.HoldRegion(std::min(kPagesLeast, pages_most), pages_most, Space::Need::kUsual,
                             run);
  });
  EndTurn(held);
  return held;
}

Status Engine::MoveLargeAside(std::span<Draft> drafts, Aside* aside) {
  const uint64_t least = std::min(settings_.direct_bytes, kChunkBytes);
  uint64_t bytes = 0;
  uint64_t pages = 0;
  for (const Draft& draft : drafts) {
    for (const DraftPart& part : draft.parts) {
      bytes += part.memory.size() >= least ? part.memory.size() : 0;
      pages += part.memory.size() >= least ? PagesOf(part.memory.size()) : 0;
    }
  }
  if (bytes < settings_.direct_bytes) {
    return {};
  }
  for (Draft& draft : drafts) {
    SPW_RETURN_IF_ERROR(MoveAside(&draft, least, &pages, aside));
  }
  return {};
}

// The device works at what was written while the next is copied; in stretches that are worth it.
void Engine::StartWriting(const PageRun& written, Aside* aside) {
  PageRun* const waiting = &aside->written;
  if (waiting->end() != written.first) {
    *waiting = {written.first, 0};
  }
  waiting->pages += written.pages;
  if (waiting->pages * page_bytes_ >= kStretchBytes) {
    file_->StartWriting(waiting->first * page_bytes_, waiting->pages * page_bytes_);
    *waiting = {};
  }
}

// Writes the part to the begin of what is left of the last run, and takes that off.
Status Engine::MovePartAside(uint64_t block_id, uint64_t pages, DraftPart* part,
                             std::vector<Digest>* digests, Aside* aside) {
  const uint64_t needed = PagesOf(part->memory.size());
  PageRun* const run = &aside->left;
  if (run->pages < needed) {
    // In scattered places it would cost what writing in place costs.
    const uint64_t worth_it = std::min(pages, PagesOf(kStretchBytes));
    SPW_RETURN_IF_ERROR(HoldAside(std::max(needed, worth_it), pages, aside));
  }
  SPW_RETURN_IF_ERROR(WriteAside(part->memory, block_id, *run, digests));
  *part = {.memory = {}, .extent = {run->first, part->memory.size()}, .fresh = true};
  StartWriting({run->first, needed}, aside);
  *run = {run->first + needed, run->pages - needed};
  return {};
}

// The large parts of a draft. pages: of all that are still to be moved.
Status Engine::MoveAside(Draft* draft, uint64_t least, uint64_t* pages, Aside* aside) {
  const auto is_large = [&](const DraftPart& part) { return part.memory.size() >= least; };
  if (std::none_of(draft->parts.begin(), draft->parts.end(), is_large)) {
    return {};
  }
  aside->parts.push_back(
      std::make_unique<std::vector<DraftPart>>(draft->parts.begin(), draft->parts.end()));
  aside->digests.push_back(std::make_unique<std::vector<Digest>>());
  std::vector<Digest>* const digests = aside->digests.back().get();
  if (draft->block_id == 0) {
    draft->block_id = NewBlockId();
  }
  auto known = draft->digests.begin();
  for (DraftPart& part : *aside->parts.back()) {
    if (is_large(part)) {
      SPW_RETURN_IF_ERROR(MovePartAside(draft->block_id, *pages, &part, digests, aside));
      *pages -= part.extent.run(page_bytes_).pages;
    } else if (part.memory.empty() && !part.in_image) {
      digests->insert(digests->end(), known, known + static_cast<ptrdiff_t>(part.extent.chunks()));
      known += static_cast<ptrdiff_t>(part.extent.chunks());
    }
  }
  draft->parts = *aside->parts.back();
  draft->digests = *digests;
  return {};
}

Status Engine::WriteAside(Bytes payload, uint64_t block_id, const PageRun& run,
                          std::vector<Digest>* digests) {
  const uint64_t whole = payload.size() / page_bytes_ * page_bytes_;
  const uint64_t offset = run.first * page_bytes_;
  Status status = file_->WriteAt(offset, payload.first(whole));
  if (status.ok() && whole < payload.size()) {
    std::vector<uint8_t> last(page_bytes_);  // with zeros behind it
    std::copy(payload.begin() + static_cast<ptrdiff_t>(whole), payload.end(), last.begin());
    status = file_->WriteAt(offset + whole, last);
  }
  if (!status.ok()) {
    Fail(status);
    return status;
  }
  for (uint64_t at = 0; at < payload.size(); at += kChunkBytes) {
    const uint64_t size = std::min<uint64_t>(kChunkBytes, payload.size() - at);
    digests->push_back(
        digester_.OfChunk(block_id, run.first + at / page_bytes_, payload.subspan(at, size)));
  }
  return {};
}

}  // namespace spillway::blockfile
