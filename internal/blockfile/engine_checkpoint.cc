// Checkpoints: what the frames of a generation say goes into the registry's tree, the space map is
// written, and a superblock that names both ends the generation.
#include <string>
#include <utility>

#include "internal/base/bytes.h"
#include "internal/blockfile/engine.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Status;

struct Engine::Attempt {
  bool closing = false;
  std::vector<TreeChange> changes;
  std::shared_ptr<const View> ending;
  std::shared_ptr<const View> fresh;
  uint64_t written = 0;  // the commits that it covers
  Superblock next;
  size_t releases_before = 0;
  PageRun region;  // of the next journal
  PageRun map;     // of the space map
  std::vector<PageRef> leaves;
  std::vector<uint64_t> written_leaves;
  std::vector<PageRun> journal;  // which nobody needs after it
};

static constexpr uint64_t kPunchBytesLeast = uint64_t{1} << 20;

// How many names are looked at before others get the mutex.
static constexpr size_t kNamesAtOnce = 256;

// What the delta knows and the tree does not. Names and versions stay where they are: only the
// writer drops them.
void Engine::GatherChanges(Attempt* attempt) {
  MutexLock lock(mu_);
  attempt->ending = view_;
  attempt->written = written_;
  size_t seen = 0;
  for (auto each = delta_.names().begin(); each != delta_.names().end(); ++each) {
    const Version* version = each->second;
    while (version != nullptr && version->group != nullptr) {
      version = version->older;
    }
    if (version != nullptr) {
      attempt->changes.push_back(
          {each->first, version->removes ? std::nullopt : std::optional<Bytes>(version->entry)});
    }
    if (++seen % kNamesAtOnce == 0) {
      mu_.Unlock();
      mu_.Lock();
    }
  }
}

// Drops what the new tree knows, but for what a snapshot of an older one still needs.
void Engine::PruneDelta() noexcept {
  mu_.Lock();
  size_t seen = 0;
  for (auto each = delta_.names().begin(); each != delta_.names().end();) {
    uint64_t newer = UINT64_MAX;
    bool above = false;  // one that is in the file has been seen
    each = delta_.Prune(each, [&](const Version& version) {
      mu_.AssertHeld();
      const auto snapshot = snapshots_.lower_bound(version.commit);
      const bool wanted = snapshot != snapshots_.end() && *snapshot < newer;
      // The newest hides the older ones that stay from whoever reads now.
      const bool hides = !above && version.older != nullptr && !snapshots_.empty() &&
                         *snapshots_.begin() < version.commit;
      newer = version.commit;
      above = above || version.group == nullptr;
      return wanted || hides || version.group != nullptr;
    });
    if (++seen % kNamesAtOnce == 0) {
      mu_.Unlock();
      mu_.Lock();
    }
  }
  mu_.Unlock();
}

// Finds the leaves of the space map that have to be written, and a run for them and the index. To
// take a run changes leaves, so until nothing changes any more; leaves are only ever added.
Status Engine::ReserveSpaceMap(Attempt* attempt) {
  std::vector<bool> chosen;
  std::vector<uint64_t>* const leaves = &attempt->written_leaves;
  for (bool settled = false; !settled;) {
    settled = true;
    const uint64_t count = space_.map().leaf_count();
    chosen.resize(count, false);
    attempt->leaves.resize(count);
    for (uint64_t leaf = 0; leaf < count; ++leaf) {
      if (chosen[leaf] || !(space_.map().leaf_dirty(leaf) || attempt->leaves[leaf].empty())) {
        continue;
      }
      chosen[leaf] = true;
      leaves->push_back(leaf);
      settled = false;
      if (!attempt->leaves[leaf].empty()) {
        SPW_RETURN_IF_ERROR(space_.Release({attempt->leaves[leaf].page, 1}));
      }
    }
    const uint64_t needed = leaves->size() + PagesOf(SpaceIndexBytes(count));
    if (attempt->map.pages != needed) {
      settled = false;
      SPW_RETURN_IF_ERROR(space_.GiveBack(std::exchange(attempt->map, PageRun())));
      SPW_RETURN_IF_ERROR(space_.Hold(needed, Space::Need::kUrgent, &attempt->map));
      SPW_RETURN_IF_ERROR(space_.Keep(attempt->map));
    }
  }
  return {};
}

Status Engine::WriteSpaceMap(Attempt* attempt) {
  if (superblock_.space.first_page != 0) {
    SPW_RETURN_IF_ERROR(space_.Release(SpaceIndexRun()));
  }
  attempt->leaves = space_leaves_;
  SPW_RETURN_IF_ERROR(ReserveSpaceMap(attempt));
  const PageRun& run = attempt->map;
  const std::vector<uint64_t>& written = attempt->written_leaves;
  std::vector<uint8_t> bytes(written.size() * page_bytes_);
  for (uint64_t i = 0; i < written.size(); ++i) {
    const std::span<uint8_t> page = std::span(bytes).subspan(i * page_bytes_, page_bytes_);
    space_.map().EncodeLeaf(written[i], page);
    attempt->leaves[written[i]] = {run.first + i, digester_.OfPage(page)};
  }
  std::vector<uint8_t> index;
  Writer out(&index);
  for (const PageRef& leaf : attempt->leaves) {
    out.Put(leaf.page);
    out.PutDigest(leaf.digest, digester_.digest_bytes());
  }
  attempt->next.space = {run.first + written.size(), attempt->leaves.size(),
                         digester_.OfPage(index)};
  bytes.insert(bytes.end(), index.begin(), index.end());
  bytes.resize(run.pages * page_bytes_);
  return file_->WriteAt(run.first * page_bytes_, bytes);
}

Status Engine::WriteSuperblock(const Superblock& superblock) {
  std::array<uint8_t, kUnitBytes> unit;
  EncodeSuperblock(superblock, unit);
  const Status status = file_->WriteAt(SuperblockOffset(superblock.generation), unit);
  if (status.code() == Code::kFull) {
    // Part of it may stand there, and nobody knows whether that is whole: no going on as before.
    return status.As(Code::kIo);
  }
  SPW_RETURN_IF_ERROR(status);
  return file_->Sync();
}

Status Engine::WriteCheckpoint(When when, bool closing) {
  Attempt attempt;
  GatherChanges(&attempt);
  ReleaseOrphans();
  if (when == When::kIfAnythingChanged && attempt.changes.empty() && journal_.frames() == 0 &&
      space_.releases() == 0) {
    return {};
  }
  attempt.next = superblock_;
  attempt.releases_before = space_.releases();
  if (closing) {
    SPW_RETURN_IF_ERROR(space_.DropReserve());
  }
  attempt.closing = closing;
  pages_.Begin();
  const Status status = base::CatchToStatus([&] { return TryCheckpoint(&attempt); });
  if (!status.ok()) {
    const Status undone = Undo(&attempt);
    return undone.ok() ? status : undone;
  }
  StartGeneration(&attempt);
  for (const PageRun& run : attempt.journal) {
    SPW_RETURN_IF_ERROR(space_.GiveBack(run));
  }
  attempt.ending.reset();
  SPW_RETURN_IF_ERROR(ReclaimSpace(closing));
  if (!closing) {
    space_.FillReserve(Space::MayGrow::kYes);
  }
  return {};
}

// A full disk or missing memory leaves everything as it was; another failure ends writing.
Status Engine::TryCheckpoint(Attempt* attempt) {
  Superblock* const next = &attempt->next;
  SPW_RETURN_IF_ERROR(
      TreeUpdate(&pages_, &pages_, attempt->ending->registry, attempt->changes, &next->registry));
  if (space_.preferred_end() != UINT64_MAX) {
    SPW_RETURN_IF_ERROR(
        TreeMove(&pages_, &pages_, next->registry, space_.preferred_end(), &next->registry));
    DirtySpaceLeaves(space_.preferred_end());
  }
  SPW_RETURN_IF_ERROR(pages_.End());
  attempt->journal = journal_.held();
  SPW_RETURN_IF_ERROR(journal_.HoldNext(attempt->closing, &attempt->region));
  SPW_RETURN_IF_ERROR(WriteSpaceMap(attempt));  // the file must not grow after that
  attempt->fresh = std::make_shared<const View>(next->registry, views_);
  space_.PrepareEnd();
  ++next->generation;
  next->pages = space_.map().size();
  next->journal_page = attempt->region.first;
  next->journal_salt =
      settings_.random() + next->generation;  // differs where random numbers repeat
  next->next_block_id = next_block_id_.load();
  {
    MutexLock lock(mu_);
    next->next_version = next_version_;
  }
  SPW_RETURN_IF_ERROR(file_->Sync());
  return WriteSuperblock(*next);
}

Status Engine::Undo(Attempt* attempt) {
  SPW_RETURN_IF_ERROR(space_.GiveBack(attempt->map));
  SPW_RETURN_IF_ERROR(space_.GiveBack(attempt->region));
  return pages_.Abort();
}

// The superblock is on the device.
void Engine::StartGeneration(Attempt* attempt) {
  superblock_ = attempt->next;
  closed_marks_ = 0;
  space_leaves_ = std::move(attempt->leaves);
  for (const uint64_t leaf : attempt->written_leaves) {
    space_.map().CleanLeaf(leaf);
  }
  journal_.Start(attempt->region, superblock_.journal_salt);
  space_.EndGeneration(attempt->ending);
  counters_.checkpoints.fetch_add(1, std::memory_order_relaxed);
  {
    MutexLock lock(mu_);
    view_ = std::move(attempt->fresh);
    durable_ = std::max(durable_, attempt->written);
  }
  PruneDelta();
}

// Space that came free goes back to the file system when there is far more than is used again, and
// in large pieces: a hole costs as much as a small write, and filling it costs more than writing
// over what was written once. So a file in use keeps much of it.
Status Engine::ReclaimSpace(bool closing) {
  SPW_RETURN_IF_ERROR(space_.Reclaim());
  const uint64_t taken = (space_.map().size() - space_.map().pages_free()) * page_bytes_;
  const uint64_t kept = std::max(8 * settings_.growth_bytes, (closing ? 1 : 4) * taken);
  if (space_.map().pages_free() * page_bytes_ <= kept) {
    return {};
  }
  const base::Result<uint64_t> allocated = file_->AllocatedBytes();
  if (!allocated.ok() || allocated.value() <= taken + kept) {
    return allocated.status();
  }
  uint64_t seen = 0;
  return space_.map().ForEachFree([&](const PageRun& run) {
    const uint64_t bytes = run.pages * page_bytes_;
    seen += bytes;  // the first are used again first
    return seen > kept && bytes >= kPunchBytesLeast
               ? file_->PunchHole(run.first * page_bytes_, bytes)
               : Status();
  });
}

// Whether the last page that is in use is one that the next checkpoint can put elsewhere.
bool Engine::EndsWithOurOwn() {
  const uint64_t end = space_.map().size() - space_.map().free_at_end();
  return end == superblock_.journal_page + 1 || end == SpaceIndexRun().end() ||
         std::any_of(space_leaves_.begin(), space_leaves_.end(),
                     [&](const PageRef& leaf) { return end == leaf.page + 1; });
}

// Leaves of the space map that stand at `from` or behind it are to be written elsewhere.
void Engine::DirtySpaceLeaves(uint64_t from) {
  for (uint64_t leaf = 0; leaf < space_leaves_.size(); ++leaf) {
    if (space_leaves_[leaf].page >= from) {
      space_.map().DirtyLeaf(leaf);
    }
  }
}

// Lets go of what the next changes would have taken.
Status Engine::DropSpace() {
  SPW_RETURN_IF_ERROR(space_.DropReserve());
  return space_.GiveBack(journal_.CutRegion());
}

// Leaves a file without slack, and says so.
Status Engine::WriteLastCheckpoint() {
  SPW_RETURN_IF_ERROR(WriteCheckpoint(When::kIfAnythingChanged, true));
  SPW_RETURN_IF_ERROR(DropSpace());
  // A little stays, so that deleting works even if the disk is full when it is opened again.
  const uint64_t kept = std::clamp<uint64_t>(
      space_.map().pages_used() / 16, 16, std::max<uint64_t>(16, PagesOf(settings_.reserve_bytes)));
  const auto slack = [&] {
    return space_.map().pages_free() - std::min(space_.map().pages_free(), kept);
  };
  const auto cut = [&] { return std::min(space_.map().free_at_end(), slack()); };
  if (slack() - cut() > 4 * kept && EndsWithOurOwn()) {
    DirtySpaceLeaves(0);
    const Status moved = WriteCheckpoint(When::kAlways, true);
    SPW_RETURN_IF_ERROR(moved.code() == Code::kFull ? Status() : moved);
    SPW_RETURN_IF_ERROR(DropSpace());
  }
  if (!mark_.closed || mark_.generation != superblock_.generation) {
    // Nothing depends on when they get there. In both places, so that a file at rest has one even
    // if a damage takes the other and the superblock. Without room, the next open looks for frames.
    for (int place = 0; place < 2; ++place) {
      const Status marked = WriteMark(true);
      SPW_RETURN_IF_ERROR(marked.code() == Code::kFull ? Status() : marked);
    }
  }
  // Whether that is done before a power cut or not, the file is whole.
  return cut() == 0 ? Status() : file_->Truncate((space_.map().size() - cut()) * page_bytes_);
}

}  // namespace spillway::blockfile
