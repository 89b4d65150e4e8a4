// Checkpoints: what the frames of a generation say goes into the registry's tree, the space map is
// written, and a superblock that names both ends the generation.
#include <algorithm>
#include <string>

#include "internal/base/bytes.h"
#include "internal/blockfile/block_file.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Status;

// Finds the leaves of the space map that have to be written, and a run for them and the index. To
// take a run changes leaves, so until nothing changes any more; leaves are only ever added.
Status BlockFile::ReserveSpaceMap(std::vector<uint64_t>* leaves, PageRun* run) {
  std::vector<bool> chosen;
  for (bool settled = false; !settled;) {
    settled = true;
    const uint64_t count = space_.map().leaf_count();
    chosen.resize(count, false);
    space_leaves_.resize(count);
    for (uint64_t leaf = 0; leaf < count; ++leaf) {
      if (chosen[leaf] || !(space_.map().leaf_dirty(leaf) || space_leaves_[leaf].empty())) {
        continue;
      }
      chosen[leaf] = true;
      leaves->push_back(leaf);
      settled = false;
      if (!space_leaves_[leaf].empty()) {
        SPW_RETURN_IF_ERROR(space_.Release({space_leaves_[leaf].page, 1}));
      }
    }
    const uint64_t index_pages =
        base::CeilDiv(count * SpaceIndexEntryBytes(digester_.digest_bytes()), page_bytes_);
    const uint64_t needed = leaves->size() + index_pages;
    if (run->pages != needed) {
      settled = false;
      SPW_RETURN_IF_ERROR(space_.GiveBack(std::exchange(*run, PageRun())));
      SPW_RETURN_IF_ERROR(space_.Allocate(needed, run));
    }
  }
  return {};
}

// region: what the next generation's journal begins with; on disk it is free. *taken is for the
// caller to give back if the checkpoint fails.
Status BlockFile::WriteSpaceMap(const PageRun& region, SpaceIndexRef* index, PageRun* taken) {
  if (superblock_.space.first_page != 0) {
    const uint64_t pages = base::CeilDiv(
        superblock_.space.leaves * SpaceIndexEntryBytes(digester_.digest_bytes()), page_bytes_);
    SPW_RETURN_IF_ERROR(space_.Release({superblock_.space.first_page, pages}));
  }
  std::vector<uint64_t> leaves;
  SPW_RETURN_IF_ERROR(ReserveSpaceMap(&leaves, taken));
  SPW_RETURN_IF_ERROR(space_.GiveBack(region));
  std::vector<uint8_t> bytes(taken->pages * page_bytes_);
  std::vector<PageRef> refs = space_leaves_;
  for (uint64_t i = 0; i < leaves.size(); ++i) {
    const std::span<uint8_t> page = std::span(bytes).subspan(i * page_bytes_, page_bytes_);
    space_.map().EncodeLeaf(leaves[i], page);
    refs[leaves[i]] = {taken->first + i, digester_.OfPage(page)};
  }
  const uint64_t index_at = leaves.size() * page_bytes_;
  uint8_t* at = bytes.data() + index_at;
  for (const PageRef& ref : refs) {
    at = Store(at, ref.page);
    at = StoreDigest(at, ref.digest, digester_.digest_bytes());
  }
  index->first_page = taken->first + leaves.size();
  index->leaves = refs.size();
  index->digest = digester_.OfPage(
      Bytes(bytes).subspan(index_at, refs.size() * SpaceIndexEntryBytes(digester_.digest_bytes())));
  const bool ours = space_.map().AllocateAt(region);
  SPW_CHECK(ours);
  SPW_RETURN_IF_ERROR(file_->WriteAt(taken->first * page_bytes_, bytes));
  for (const uint64_t leaf : leaves) {
    space_.map().CleanLeaf(leaf);
  }
  for (uint64_t leaf = region.first / space_.map().pages_per_leaf();
       leaf <= (region.end() - 1) / space_.map().pages_per_leaf(); ++leaf) {
    space_.map().DirtyLeaf(leaf);  // there the region is free, here it is not
  }
  space_leaves_ = std::move(refs);
  return {};
}

Status BlockFile::WriteSuperblock(const Superblock& superblock) {
  std::array<uint8_t, kUnitBytes> unit;
  EncodeSuperblock(superblock, unit);
  SPW_RETURN_IF_ERROR(file_->WriteAt(SuperblockOffset(superblock.generation), unit));
  return file_->Sync();
}

Status BlockFile::WriteCheckpoint(When when) {
  std::vector<TreeChange> changes;
  TreeRoot registry;
  GenerationPin ending;
  {
    MutexLock lock(mu_);
    registry = version_.registry;
    ending = version_.pin;
    changes.reserve(overlay_.size());
    for (const auto& [name, value] : overlay_) {  // its nodes stay: only we change it
      changes.push_back({name, value.has_value() ? std::optional<Bytes>(*value) : std::nullopt});
    }
  }
  if (when == When::kIfAnythingChanged && changes.empty() && journal_.frames() == 0) {
    return {};
  }
  // A full disk leaves everything as it was; another failure ends writing, and then it does not
  // matter.
  const size_t releases = space_.releases();
  PageRun region;
  PageRun taken;
  Superblock next = superblock_;
  pages_.Begin();
  Status status = TreeUpdate(&pages_, &pages_, registry, changes, &next.registry);
  if (status.ok()) {
    status = pages_.End();
  }
  if (status.ok()) {
    status = space_.Allocate(journal_.region_pages(), &region);
  }
  const PageRun rest = journal_.rest();
  if (status.ok()) {
    for (const PageRun& run : journal_.frame_pages()) {
      SPW_RETURN_IF_ERROR(space_.Release(run));
    }
    if (rest.pages > 0) {
      SPW_RETURN_IF_ERROR(space_.Release(rest));
    }
    status = WriteSpaceMap(region, &next.space, &taken);
  }
  if (!status.ok()) {
    SPW_RETURN_IF_ERROR(space_.TakeBackReleases(releases));
    SPW_RETURN_IF_ERROR(space_.GiveBack(taken));
    SPW_RETURN_IF_ERROR(space_.GiveBack(region));
    SPW_RETURN_IF_ERROR(pages_.Abort());
    return status;
  }
  SPW_RETURN_IF_ERROR(file_->Sync());
  ++next.generation;
  next.pages = space_.map().size();
  next.journal_page = region.first;
  next.journal_salt = settings_.random();
  SPW_RETURN_IF_ERROR(WriteSuperblock(next));

  superblock_ = next;
  journal_.Start(region, next.journal_salt);
  known_pages_.store(next.pages, std::memory_order_release);
  {
    MutexLock lock(mu_);
    version_ = {std::make_shared<Generation>(), next.registry};
    overlay_.clear();
  }
  space_.EndGeneration(ending);
  ending.reset();
  return space_.Reclaim();
}

Status BlockFile::TakeTurn() {
  MutexLock lock(mu_);
  while (writing_) {
    turn_ended_.Wait(mu_);
  }
  if (closed_ || !poison_.ok()) {
    return closed_ ? Status(Code::kClosed) : poison_;
  }
  writing_ = true;
  return {};
}

void BlockFile::EndTurnLocked(const Status& status) {
  writing_ = false;
  if (!status.ok() && status.code() != Code::kFull) {
    poison_ = status;
  }
  turn_ended_.NotifyAll();
}

void BlockFile::EndTurn(const Status& status) {
  MutexLock lock(mu_);
  EndTurnLocked(status);
}

Status BlockFile::Checkpoint() {
  SPW_RETURN_IF_ERROR(Flush());
  SPW_RETURN_IF_ERROR(TakeTurn());
  const Status status =
      base::CatchToStatus([&] { return WriteCheckpoint(When::kIfAnythingChanged); });
  EndTurn(status);
  return status;
}

Status BlockFile::Close() {
  {
    MutexLock lock(mu_);
    if (closed_) {
      return {};
    }
    closing_ = true;
  }
  Status status = Checkpoint();
  if (status.ok()) {
    status = TakeTurn();
  }
  if (status.ok()) {
    status = WriteMark(true);
    status = status.ok() ? file_->Sync() : status;
    EndTurn(status);
  }
  MutexLock lock(mu_);
  closing_ = false;
  closed_ = status.ok();
  return status;
}

}  // namespace spillway::blockfile
