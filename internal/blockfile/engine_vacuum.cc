// Vacuum: what stands near the file's end moves to free space in front of it, and the end goes.
//
// Blocks move as any change comes in: into held pages, by a commit that says where they are, with a
// condition that nobody has changed them. The registry's pages, the space map and the journal move
// with the checkpoint behind that. Only for that checkpoint the writer's turn is taken for longer
// than it takes to find a place, and readers need no turn. A read that runs at a checkpoint keeps
// the pages of the moment before, so before the next step such reads are waited for.
#include <algorithm>
#include <string>

#include "internal/blockfile/engine.h"
#include "internal/blockfile/lister.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Status;

class Engine::Vacuuming {
 public:
  Vacuuming(Engine* engine, const VacuumPlan& plan, base::Operation* operation,
            VacuumResult* result)
      : engine_(engine), plan_(plan), operation_(operation), result_(result) {}

  Status Run() {
    SPW_RETURN_IF_ERROR(Measure(&result_->bytes_before));
    const Status status = plan_.dry_run ? Estimate() : Passes();
    SPW_RETURN_IF_ERROR(plan_.dry_run ? Status() : Measure(&result_->bytes_after));
    return status;
  }

 private:
  static constexpr uint64_t kRegionPages = 64;     // of the journal meanwhile
  static constexpr uint64_t kPiecePagesLeast = 4;  // into shorter ones no payload is cut
  static constexpr uint64_t kHolePagesLeast = 16;  // unless it is a full one
  static constexpr size_t kHolesAtOnce = 256;
  static constexpr uint64_t kNamesAtOnce = 512;
  static constexpr size_t kPassesMost = 8;

  struct Move {
    std::vector<DraftPart> parts;
    std::vector<Digest> digests;
    std::vector<PageRun> held;
  };

  // With the writer's turn.
  template <class Body>
  Status InTurn(Body&& body, bool closing = false) {
    SPW_RETURN_IF_ERROR(engine_->TakeTurn(closing));
    const Status status = base::CatchToStatus(std::forward<Body>(body));
    engine_->EndTurn(status);
    return status;
  }

  Status Measure(uint64_t* bytes) {
    const base::Result<uint64_t> allocated = engine_->file_->AllocatedBytes();
    *bytes = allocated.ok() ? allocated.value() : 0;
    return allocated.status();
  }

  SpaceMap& map() { return engine_->space_.map(); }
  uint64_t BytesOf(uint64_t pages) const { return pages * engine_->page_bytes_; }

  uint64_t region_pages() const { return std::min(kRegionPages, engine_->settings_.region_pages); }
  // Regions of the journal lie somewhere, and not everything fits everywhere.
  uint64_t SlackPages(uint64_t needed) const { return needed / 64 + 2 * region_pages(); }

  Status Estimate() {
    if (operation_ != nullptr && operation_->cancelled()) {
      return Status(Code::kCancelled);
    }
    return InTurn([&] {
      const uint64_t reserve = engine_->settings_.reserve_bytes;
      const uint64_t used = map().pages_used();
      const uint64_t slack = SlackPages(used);
      result_->bytes_moved = BytesOf(map().pages_used_from(used + slack));
      result_->bytes_needed = result_->bytes_moved + BytesOf(slack) + reserve;
      result_->bytes_file = BytesOf(map().size());
      result_->bytes_after = std::min(result_->bytes_before, BytesOf(used) + reserve);
      result_->done = result_->bytes_moved == 0 && map().pages_free() <= slack;
      return Status();
    });
  }

  Status Passes() {
    if (plan_.full) {
      engine_->vacuum_from_.clear();
    }
    Status status;
    bool again = true;
    for (size_t pass = 0; status.ok() && again && pass < kPassesMost; ++pass) {
      status = Pass(&again);
    }
    const Status ended = InTurn(
        [&] {
          engine_->space_.PreferBelow(UINT64_MAX);
          engine_->journal_.SetRegion(engine_->settings_.region_pages);
          result_->bytes_file = BytesOf(map().size());
          return Status();
        },
        true);
    SPW_RETURN_IF_ERROR(status);
    SPW_RETURN_IF_ERROR(ended);
    return all_ ? PunchHoles() : Status();  // else the next call fills what is in front
  }

  // *again: another may gain more.
  Status Pass(bool* again) {
    SPW_RETURN_IF_ERROR(Checkpoint(When::kIfAnythingChanged));
    const Status aimed = InTurn([&] { return Aim(); });
    SPW_RETURN_IF_ERROR(aimed);
    const uint64_t before = result_->bytes_moved;
    const bool from_begin = engine_->vacuum_from_.empty();
    const bool moves = total_ > before;
    all_ = true;
    SPW_RETURN_IF_ERROR(moves ? MoveBlocks() : Status());
    SPW_RETURN_IF_ERROR(Checkpoint(When::kAlways));
    const Status cut = InTurn([&] { return CutEnd(); });
    SPW_RETURN_IF_ERROR(cut);
    result_->done = all_ && from_begin && (plan_.full || result_->bytes_moved == before);
    *again = plan_.full && all_ && moves && pages_after_ + pages_after_ / 128 < pages_before_;
    return {};
  }

  // What was deleted or moved becomes free, but for what a long reader keeps.
  Status Checkpoint(When when) {
    const Status written = InTurn([&] {
      engine_->journal_.SetRegion(region_pages());
      SPW_RETURN_IF_ERROR(engine_->WriteAll(Level::kKernel));
      return engine_->WriteCheckpoint(when);
    });
    SPW_RETURN_IF_ERROR(written);
    ViewCount* const views = engine_->views_.get();
    const base::Deadline deadline = base::Deadline::AfterMs(engine_->settings_.readers_ms_most);
    while (views->living.load(std::memory_order_acquire) > 1 && !deadline.passed()) {
      views->waiter.Park(deadline);
    }
    return {};
  }

  // Sees where the file could end.
  Status Aim() {
    SPW_RETURN_IF_ERROR(engine_->space_.Reclaim());
    pages_before_ = map().size() - map().free_at_end();
    const uint64_t needed = map().pages_used() + map().pages_held();
    end_ = needed + SlackPages(needed);
    engine_->space_.PreferBelow(end_);
    total_ = result_->bytes_moved + BytesOf(map().pages_used_from(end_));
    return {};
  }

  Status CheckGoesOn() const {
    if (operation_ != nullptr) {
      operation_->SetProgress(result_->bytes_moved, std::max(total_, result_->bytes_moved));
      if (operation_->cancelled()) {
        return Status(Code::kCancelled);
      }
    }
    return engine_->gate_.shut() ? Status(Code::kClosed) : Status();
  }

  // All names from where the last one stopped, as many as the quota allows.
  Status MoveBlocks() {
    std::string from = engine_->vacuum_from_;
    BlockPage page;
    for (;;) {
      SPW_RETURN_IF_ERROR(Names(from, &page));
      for (uint64_t i = 0; i < page.count; ++i) {
        const uint64_t begin = page.name_offsets[i];
        const std::string_view name =
            std::string_view(page.names).substr(begin, page.name_offsets[i + 1] - begin);
        engine_->vacuum_from_ = name;
        SPW_RETURN_IF_ERROR(CheckGoesOn());
        if (result_->bytes_moved >= plan_.bytes_most) {
          all_ = false;
          return {};
        }
        SPW_RETURN_IF_ERROR(MoveBlock(name));
        from.assign(name);
        from.push_back('\0');  // behind it, and in front of all others
      }
      if (page.count == 0) {
        engine_->vacuum_from_.clear();
        return {};
      }
    }
  }

  // No snapshot is kept meanwhile: it would keep what is to be given back.
  Status Names(const std::string& from, BlockPage* page) {
    std::shared_ptr<const Snapshot> snapshot;
    SPW_RETURN_IF_ERROR(engine_->TakeSnapshot(&snapshot));
    Lister lister(std::move(snapshot), {}, {}, true);
    SPW_RETURN_IF_ERROR(lister.Seek(from));
    return lister.Next(kNamesAtOnce, page);
  }

  bool IsBehind(const PageRun& run) const { return run.end() > end_; }

  // What waits for the writer gets a place in front, and what is damaged stays where it is.
  Status MoveBlock(std::string_view name) {
    Block block;
    const Status found = engine_->Find(nullptr, name, true, &block);
    if (found.code() == Code::kCorrupt || (found.ok() && (!block.exists || block.waits))) {
      return {};
    }
    SPW_RETURN_IF_ERROR(found);
    const bool behind = std::any_of(block.parts.begin(), block.parts.end(),
                                    [&](const Part& part) {
                                      return IsBehind(part.extent.run(engine_->page_bytes_));
                                    }) ||
                        (block.list.has_value() && IsBehind(block.list->run(engine_->page_bytes_)));
    if (block.is_inline || !behind) {
      return {};
    }
    Move move;
    bool placed = false;
    Status status = InTurn([&] { return Place(block, &move, &placed); });
    if (status.ok()) {
      status = placed ? base::CatchToStatus([&] { return Carry(block, name, &move); })
                      : Status(Code::kConflict);
    }
    if (!status.ok() && !move.held.empty()) {
      engine_->GiveBackLater(move.held);
    }
    const bool stays = status.code() == Code::kConflict || status.code() == Code::kCorrupt;
    return stays ? Status() : status;
  }

  // Holds pages in front of the end for the parts that are behind it.
  Status Place(const Block& block, Move* move, bool* placed) {
    *placed = true;
    for (const Part& part : block.parts) {
      if (!IsBehind(part.extent.run(engine_->page_bytes_))) {
        move->parts.push_back({.memory = {}, .extent = part.extent});
        continue;
      }
      for (uint64_t left = part.extent.bytes; left > 0 && *placed;) {
        const uint64_t pages = engine_->PagesOf(left);
        move->held.reserve(move->held.size() + 1);
        const PageRun run = engine_->space_.HoldPreferred(std::min(kPiecePagesLeast, pages), pages);
        if (run.pages == 0 || run.end() > end_) {
          *placed = false;
          return run.pages == 0 ? Status() : engine_->space_.GiveBack(run);
        }
        move->held.push_back(run);
        const uint64_t bytes = std::min(left, BytesOf(run.pages));
        move->parts.push_back({.memory = {}, .extent = {run.first, bytes}, .fresh = true});
        left -= bytes;
      }
    }
    return engine_->space_.MakeRoom(engine_->PromisedPages());
  }

  Status Carry(const Block& block, std::string_view name, Move* move) {
    const Digest* known = block.digests.data();
    uint64_t offset = 0;
    uint64_t moved = 0;
    auto old = block.parts.begin();
    uint64_t old_end = old == block.parts.end() ? 0 : old->extent.bytes;
    for (const DraftPart& part : move->parts) {
      for (; offset >= old_end; old_end += old->extent.bytes) {  // the part that this one is of
        known += old->extent.chunks();
        ++old;
      }
      if (part.fresh) {
        SPW_RETURN_IF_ERROR(CheckGoesOn());
        SPW_RETURN_IF_ERROR(
            engine_->CopyIn(engine_, block, offset, part.extent, block.block_id, &move->digests));
        moved += part.extent.bytes;
      } else {
        move->digests.insert(move->digests.end(), known, known + part.extent.chunks());
      }
      offset += part.extent.bytes;
    }
    Draft draft;
    draft.name = name;
    draft.block_id = block.block_id;
    draft.modified_ns = block.modified_ns;
    draft.length = block.length;
    draft.parts = move->parts;
    draft.digests = move->digests;
    draft.on = &block;
    draft.moves = true;
    draft.keep_version = block.version;
    SPW_RETURN_IF_ERROR(engine_->Commit({&draft, 1}, nullptr));
    result_->bytes_moved += moved;
    return {};
  }

  // What is free at the end goes, but for what was promised to changes that wait.
  Status CutEnd() {
    SPW_RETURN_IF_ERROR(engine_->space_.Reclaim());
    SPW_RETURN_IF_ERROR(engine_->space_.MoveReserve());
    {
      MutexLock lock(engine_->mu_);
      engine_->room_pages_ = 0;  // no promises until the turn ends
    }
    const uint64_t free = map().free_at_end();
    const uint64_t cut = free - std::min(free, engine_->PromisedPages());
    if (cut > 0) {
      const uint64_t pages = map().size() - cut;
      SPW_RETURN_IF_ERROR(engine_->file_->Truncate(BytesOf(pages)));
      SPW_RETURN_IF_ERROR(engine_->CutMap(pages));
    }
    pages_after_ = map().size();
    return {};
  }

  Status PunchHoles() {
    bool more = true;
    for (uint64_t page = 0; more;) {
      SPW_RETURN_IF_ERROR(CheckGoesOn());
      const Status punched = InTurn([&] { return PunchSome(&page, &more); });
      SPW_RETURN_IF_ERROR(punched);
    }
    return {};
  }

  // A few in one turn, from *page on.
  Status PunchSome(uint64_t* page, bool* more) {
    const uint64_t least = plan_.full ? 1 : kHolePagesLeast;
    uint64_t allocated = 0;
    SPW_RETURN_IF_ERROR(Measure(&allocated));
    *more = allocated > BytesOf(map().pages_used() + map().pages_held());
    for (size_t i = 0; *more && i < kHolesAtOnce; ++i) {
      const PageRun run = map().NextFree(*page);
      *more = run.pages > 0;
      *page = run.end();
      if (run.pages >= least) {
        SPW_RETURN_IF_ERROR(engine_->file_->PunchHole(BytesOf(run.first), BytesOf(run.pages)));
      }
    }
    return {};
  }

  Engine* const engine_;
  const VacuumPlan plan_;
  base::Operation* const operation_;
  VacuumResult* const result_;
  bool all_ = false;           // names were seen up to the last
  uint64_t end_ = 0;           // the page behind which nothing should be
  uint64_t total_ = 0;         // bytes that move, as far as is known
  uint64_t pages_before_ = 0;  // up to the last that is not free, in this pass
  uint64_t pages_after_ = 0;
};

Status Engine::Vacuum(const VacuumPlan& plan, base::Operation* operation, VacuumResult* result) {
  SPW_RETURN_IF_ERROR(MayChange());
  if (vacuuming_.exchange(true)) {
    return {Code::kBusy, path() + ": another vacuum runs"};
  }
  const Status status =
      base::CatchToStatus([&] { return Vacuuming(this, plan, operation, result).Run(); });
  vacuuming_ = false;
  return status;
}

Status Engine::CopyIn(Engine* from, const Block& block, uint64_t offset, const Extent& to,
                      uint64_t block_id, std::vector<Digest>* digests) {
  constexpr uint64_t kStepBytes = 16 * kChunkBytes;
  std::vector<uint8_t> bytes;
  for (uint64_t at = 0; at < to.bytes; at += kStepBytes) {
    bytes.resize(std::min(kStepBytes, to.bytes - at));
    SPW_RETURN_IF_ERROR(from->ReadRange(block, offset + at, bytes));
    const uint64_t page = to.first_page + at / page_bytes_;
    SPW_RETURN_IF_ERROR(WriteAside(bytes, block_id, {page, PagesOf(bytes.size())}, digests));
  }
  return {};
}

}  // namespace spillway::blockfile
