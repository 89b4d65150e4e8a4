#include "internal/blockfile/transaction.h"

#include <algorithm>
#include <type_traits>

#include "internal/blockfile/runs.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Status;

Transaction::~Transaction() {
  std::vector<PageRun> held;
  {
    MutexLock lock(mu_);
    held.swap(held_);
    for (PieceStore::Piece& piece : pieces_) {
      engine_->recycled()->GiveBack(std::move(piece));
    }
  }
  if (!held.empty()) {
    engine_->GiveBackLater(held);
  }
}

Status Transaction::Check() const {
  return over_ ? Status(Code::kInvalidState, "the transaction has ended") : Status();
}

Status Transaction::MayChange() {
  MutexLock lock(mu_);
  SPW_RETURN_IF_ERROR(Check());
  return read_only_ ? Status(Code::kReadOnly, "a snapshot is for reading") : Status();
}

Status Transaction::Find(std::string_view name, bool meta, Block* block) {
  bool inherits = false;
  std::shared_ptr<const Engine::Snapshot> snapshot;
  {
    MutexLock lock(mu_);
    SPW_RETURN_IF_ERROR(Check());
    snapshot = snapshot_;
    const auto found = staged_.find(name);
    if (found == staged_.end()) {
      // the snapshot's
    } else if (found->second.removes) {
      return {};
    } else {
      const Draft& draft = found->second;
      block->exists = true;
      block->block_id = draft.block_id;
      block->length = draft.length;
      block->created_ns = draft.created_ns;
      block->modified_ns = draft.modified_ns;
      block->tag.assign(draft.tag.begin(), draft.tag.end());
      for (const DraftPart& part : draft.parts) {
        const uint64_t bytes = part.memory.empty() ? part.extent.bytes : part.memory.size();
        block->parts.push_back({.extent = {part.extent.first_page, bytes},
                                .fresh = part.fresh,
                                .memory = part.memory.empty() ? nullptr : part.memory.data()});
      }
      block->digests.assign(draft.digests.begin(), draft.digests.end());
      block->view = snapshot->view;
      inherits = draft.inherits && meta;
      if (!inherits) {
        return {};
      }
    }
  }
  if (!inherits) {
    return engine_->Find(snapshot.get(), name, meta, block);
  }
  Block base;
  SPW_RETURN_IF_ERROR(engine_->Find(snapshot.get(), name, true, &base));
  block->created_ns = base.exists ? base.created_ns : block->created_ns;
  block->tag.assign(base.tag.begin(), base.tag.end());
  return {};
}

Bytes Transaction::Keep(Bytes payload) {
  constexpr uint64_t kFirst = uint64_t{64} << 10;
  payload_bytes_ += payload.size();
  uint8_t* to = nullptr;
  if (payload_bytes_ <= kFirst || payload.size() > PieceStore::kPieceBytes) {
    to = static_cast<uint8_t*>(memory_.allocate(payload.size(), 1));
  } else {
    if (pieces_.empty() || PieceStore::kPieceBytes - piece_bytes_ < payload.size()) {
      pieces_.reserve(pieces_.size() + 1);
      pieces_.push_back(engine_->recycled()->Take());
      piece_bytes_ = 0;
    }
    to = pieces_.back().data() + piece_bytes_;
    piece_bytes_ += payload.size();
  }
  std::copy(payload.begin(), payload.end(), to);
  return {to, payload.size()};
}

// Bytes that nothing will change until the transaction ends.
void Transaction::Copy(const Draft& draft, Draft* copy) {
  *copy = draft;
  const auto keep = [&](const auto* from, size_t count) {
    mu_.AssertHeld();
    using Each = std::remove_cvref_t<decltype(*from)>;
    auto* const to = static_cast<Each*>(memory_.allocate(count * sizeof(Each) + 1, alignof(Each)));
    std::uninitialized_copy_n(from, count, to);
    return std::span<Each>(to, count);
  };
  copy->on = nullptr;
  copy->tag = keep(draft.tag.data(), draft.tag.size());
  copy->digests = keep(draft.digests.data(), draft.digests.size());
  const std::span<DraftPart> parts = keep(draft.parts.data(), draft.parts.size());
  for (DraftPart& part : parts) {
    if (!part.memory.empty()) {
      part.memory = Keep(part.memory);
      continue;
    }
    // Also a stretch of what was written before.
    const PageRun run = part.extent.run(engine_->page_bytes());
    part.fresh = part.fresh || std::any_of(held_.begin(), held_.end(), [&](const PageRun& each) {
                   return each.first <= run.first && run.end() <= each.end();
                 });
  }
  copy->parts = parts;
  copy->expected = kAnyVersion;
  copy->must_exist = false;
}

Status Transaction::Stage(std::span<const Draft> drafts, std::span<const PageRun> held) {
  // Very large payloads do not stay in memory.
  std::vector<Draft> ready(drafts.begin(), drafts.end());
  Engine::Aside aside;
  const Status status = base::CatchToStatus([&] {
    SPW_RETURN_IF_ERROR(engine_->MoveLargeAside(ready, &aside));
    MutexLock lock(mu_);
    SPW_RETURN_IF_ERROR(Check());
    const size_t held_before = held_.size();
    Status staged = base::CatchToStatus([&] {
      mu_.AssertHeld();
      held_.insert(held_.end(), aside.held.begin(), aside.held.end());
      held_.insert(held_.end(), held.begin(), held.end());
      StageReady(ready);
      return Status();
    });
    if (!staged.ok()) {
      held_.resize(held_before);
    }
    return staged;
  });
  if (!status.ok() && !aside.held.empty()) {
    engine_->GiveBackLater(aside.held);
  }
  return status;
}

// Nothing is changed before all of it is copied.
void Transaction::StageReady(std::span<const Draft> ready) {
  std::vector<Draft> copies(ready.size());
  for (size_t i = 0; i < ready.size(); ++i) {
    Copy(ready[i], &copies[i]);
  }
  Staged added(&memory_);
  for (const Draft& copy : copies) {
    if (!staged_.contains(copy.name)) {
      added.emplace(copy.name, Draft());
    }
  }
  staged_.merge(added);  // what follows cannot fail
  for (const Draft& copy : copies) {
    const auto found = staged_.find(copy.name);
    Draft next = copy;
    next.name = found->first;
    // What a plain put leaves as it was may be this transaction's own.
    const Draft& before = found->second;
    if (!before.name.empty() && copy.inherits && (before.removes || !before.inherits)) {
      next.inherits = false;
      next.created_ns = before.removes ? copy.modified_ns : before.created_ns;
      next.tag = before.removes ? Bytes() : before.tag;
    } else if (!before.name.empty() && copy.inherits) {
      next.created_ns = before.created_ns;  // if it is a new one
    }
    found->second = next;
  }
}

std::shared_ptr<const Engine::Snapshot> Transaction::snapshot() {
  MutexLock lock(mu_);
  return snapshot_;
}

Status Transaction::Finish(const Committer& commit) {
  std::shared_ptr<const Engine::Snapshot> snapshot;
  std::vector<Draft> drafts;
  std::vector<PageRun> left;  // the pages that drafts still name are the file's then
  {
    MutexLock lock(mu_);
    SPW_RETURN_IF_ERROR(Check());
    over_ = true;
    snapshot.swap(snapshot_);
    std::vector<PageRun> named;
    drafts.reserve(staged_.size());
    for (const auto& [name, draft] : staged_) {
      drafts.push_back(draft);
      for (const DraftPart& part : draft.parts) {
        if (part.fresh) {
          named.push_back(part.extent.run(engine_->page_bytes()));
        }
      }
    }
    left = Without(&held_, &named);
  }
  SPW_RETURN_IF_ERROR(commit(drafts, *snapshot));
  MutexLock lock(mu_);
  held_.swap(left);  // cannot fail, for it is visible
  return {};
}

void Transaction::GiveUp() {
  std::shared_ptr<const Engine::Snapshot> snapshot;  // ends outside of the mutex
  MutexLock lock(mu_);
  over_ = true;
  snapshot.swap(snapshot_);
}

Status Transaction::ListOwn(std::string_view prefix, bool infos, std::vector<Own>* own) {
  {
    MutexLock lock(mu_);
    SPW_RETURN_IF_ERROR(Check());
    for (auto each = staged_.lower_bound(prefix);
         each != staged_.end() && std::string_view(each->first).starts_with(prefix); ++each) {
      own->push_back({std::string(each->first), each->second.removes, {}});
    }
  }
  for (Own& each : *own) {
    Block block;
    SPW_RETURN_IF_ERROR(infos && !each.removes ? Find(each.name, true, &block) : Status());
    each.info = InfoOf(block);
  }
  return {};
}

}  // namespace spillway::blockfile
