// Proving a file while it is in use: a moment is held fast, and everything that it reaches is
// looked at. Also what the statistics say.
#include <map>
#include <string>

#include "internal/base/bytes.h"
#include "internal/base/rate_limit.h"
#include "internal/blockfile/engine.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Status;

class Engine::Verification {
 public:
  Verification(Engine* engine, bool full, uint64_t bytes_per_second, base::Operation* operation,
               Report* report)
      : engine_(engine),
        full_(full),
        rate_(bytes_per_second, operation, &engine->gate_),
        operation_(operation),
        report_(report) {}

  // What is looked at: the groups are in the file, and the map is of that moment.
  Status Begin() {
    SPW_RETURN_IF_ERROR(engine_->TakeTurn());
    const Status status = base::CatchToStatus([&] {
      SPW_RETURN_IF_ERROR(engine_->read_only_ ? Status() : engine_->WriteAll(Level::kKernel));
      SPW_RETURN_IF_ERROR(engine_->TakeSnapshot(&snapshot_, Engine::Moment::kWritten));
      const SpaceMap& map = engine_->space_.map();
      pages_ = map.size();
      used_ = map.pages_used();
      state_.resize(pages_);
      for (uint64_t page = 0; page < pages_; ++page) {
        state_[page] = map.IsUsed({page, 1}) || !engine_->space_damage_.ok();
      }
      superblock_ = engine_->superblock_;
      leaves_ = engine_->space_leaves_;
      return Status();
    });
    engine_->EndTurn(status);
    return status;
  }

  Status Run() {
    SPW_RETURN_IF_ERROR(Units());
    SPW_RETURN_IF_ERROR(Map());
    SPW_RETURN_IF_ERROR(Changed());
    if (!superblock_.registry.ref.empty()) {
      SPW_RETURN_IF_ERROR(
          Tree(snapshot_->view->registry.ref, snapshot_->view->registry.level, {}, std::nullopt));
    }
    for (const auto& [name, entry] : changed_) {
      if (entry.has_value()) {
        SPW_RETURN_IF_ERROR(Value(name, *entry));
      }
    }
    if (report_->problems_found == 0 && counted_ != used_) {
      Note({}, base::Corrupt(engine_->path() + ": " + std::to_string(used_ - counted_) +
                             " pages are in use by nothing"));
    }
    if (operation_ != nullptr) {
      operation_->SetProgress(report_->bytes, report_->bytes);
    }
    return {};
  }

 private:
  void Note(std::string_view name, const Status& status) {
    ++report_->problems_found;
    if (report_->problems.size() < Report::kProblemsMost) {
      report_->problems.push_back(
          {status.code(), std::string(name), std::string(status.message())});
    }
  }

  // Damage is noted, and the rest goes on; other failures end it.
  Status Noted(std::string_view name, const Status& status) {
    if (status.code() != Code::kCorrupt && status.code() != Code::kIo) {
      return status;
    }
    Note(name, status);
    return {};
  }

  // Keeps to the rate, and lets itself be cancelled.
  Status Pace(uint64_t bytes) {
    report_->bytes += bytes;
    if (operation_ != nullptr) {
      operation_->SetProgress(report_->bytes,
                              std::max(report_->bytes, used_ * engine_->page_bytes_));
    }
    return rate_.Await(report_->bytes);
  }

  Status Units() {
    std::array<uint8_t, kHeaderBytes> bytes{};
    size_t bytes_read = 0;
    SPW_RETURN_IF_ERROR(engine_->file_->ReadAt(0, bytes, &bytes_read));
    Count({0, HeaderPages(engine_->page_bytes_)}, {}, "the header");
    for (uint64_t slot = 0; slot < kSlots; ++slot) {
      Superblock found;
      const Status status = DecodeSuperblock(
          std::span<const uint8_t, kUnitBytes>(bytes.data() + slot * kUnitBytes, kUnitBytes),
          &found);
      const bool is_spare = slot * kUnitBytes != SuperblockOffset(superblock_.generation);
      if (status.code() == Code::kCorrupt && !(is_spare && engine_->spare_may_be_torn_)) {
        Note({}, Status(Code::kCorrupt, engine_->path() + ": superblock at offset " +
                                            std::to_string(slot * kUnitBytes) + ": " +
                                            std::string(status.message())));
      }
    }
    return Pace(bytes.size());
  }

  Status Map() {
    if (!engine_->space_damage_.ok()) {
      return Noted({}, engine_->space_damage_);
    }
    const SpaceIndexRef& ref = superblock_.space;
    std::vector<uint8_t> index(engine_->SpaceIndexBytes(ref.leaves));
    size_t bytes_read = 0;
    SPW_RETURN_IF_ERROR(
        engine_->file_->ReadAt(ref.first_page * engine_->page_bytes_, index, &bytes_read));
    Count({ref.first_page, engine_->PagesOf(index.size())}, {}, "the space map's index");
    if (bytes_read < index.size() || !(engine_->digester_.OfPage(index) == ref.digest)) {
      Note({}, base::Corrupt(engine_->path() + ": the index of the space map is damaged"));
    }
    for (const PageRef& leaf : leaves_) {
      PageBuffer page;
      Count({leaf.page, 1}, {}, "the space map");
      SPW_RETURN_IF_ERROR(Noted({}, engine_->pages_.ReadUncached(leaf, &page)));
      SPW_RETURN_IF_ERROR(Pace(engine_->page_bytes_));
    }
    return {};
  }

  // What the delta knows better than the tree.
  Status Changed() {
    std::vector<Listed> some;
    std::string from;
    for (bool beyond = false;; beyond = true) {
      SPW_RETURN_IF_ERROR(engine_->ListDelta(*snapshot_, from, beyond, 1024, &some));
      for (Listed& each : some) {
        changed_[each.name] = each.removes ? std::nullopt : std::optional(std::move(each.entry));
        from = each.name;
      }
      if (some.empty()) {
        return {};
      }
    }
  }

  // A page of the registry and all below it; its keys are at least `low` and below `high`, if there
  // is one.
  Status Tree(const PageRef& ref, uint8_t level, std::string_view low,
              std::optional<std::string_view> high) {
    PageBuffer page;
    Node node;
    if (!Count({ref.page, 1}, {}, "the registry")) {
      return {};  // it was walked already, or is to be used for something else
    }
    SPW_RETURN_IF_ERROR(Pace(engine_->page_bytes_));
    Status status = engine_->pages_.ReadUncached(ref, &page);
    if (status.ok()) {
      status = Node::Parse(std::move(page), engine_->digester_.digest_bytes(), level, &node);
    }
    if (status.ok() &&
        (node.key(0) < low || (high.has_value() && node.key(node.count() - 1) >= *high))) {
      status = base::Corrupt(engine_->path() + ": page " + std::to_string(ref.page) +
                             " of the registry has keys that are looked for elsewhere");
    }
    if (!status.ok()) {
      return Noted({}, status);
    }
    for (uint32_t i = 0; i < node.count(); ++i) {
      const Item item = node.item(i);
      if (level > 0) {
        const auto next = i + 1 < node.count() ? std::optional(node.key(i + 1)) : high;
        SPW_RETURN_IF_ERROR(Tree(item.child.ref, static_cast<uint8_t>(level - 1), item.key, next));
      } else if (!changed_.contains(item.key)) {
        SPW_RETURN_IF_ERROR(Value(item.key, item.value));
      }
    }
    return {};
  }

  Status Value(std::string_view name, Bytes value) {
    Block block;
    const uint64_t before = report_->problems_found;
    ++report_->blocks;
    const Status decoded = engine_->DecodeEntryInto(value, &block);
    SPW_RETURN_IF_ERROR(Noted(name, decoded));
    if (decoded.ok()) {
      for (const Part& part : block.parts) {
        Count(part.extent.run(engine_->page_bytes_), name, "a block");
      }
      if (block.list.has_value()) {
        Count(block.list->run(engine_->page_bytes_), name, "a block's list");
      }
      SPW_RETURN_IF_ERROR(full_ ? Payload(name, block) : Status());
    }
    report_->blocks_damaged += report_->problems_found > before ? 1 : 0;
    return {};
  }

  Status Payload(std::string_view name, const Block& block) {
    if (block.is_inline) {
      return {};
    }
    for (uint64_t at = 0; at < block.length; at += kAtOnce) {
      buffer_.resize(std::min(kAtOnce, block.length - at));
      SPW_RETURN_IF_ERROR(Noted(name, engine_->ReadRange(block, at, buffer_)));
      SPW_RETURN_IF_ERROR(Pace(buffer_.size()));
    }
    return {};
  }

  // Each page is used, and once; else it is noted.
  bool Count(const PageRun& run, std::string_view name, const char* what) {
    for (uint64_t page = run.first; page < run.end(); ++page) {
      if (page >= pages_ || !state_[page]) {
        Note(name, base::Corrupt(engine_->path() + ": page " + std::to_string(page) + " of " +
                                 what + " is free, used twice or not there"));
        return false;
      }
      state_[page] = false;
      ++counted_;
    }
    return true;
  }

  static constexpr uint64_t kAtOnce = 16 * kChunkBytes;

  Engine* const engine_;
  const bool full_;
  const base::RateLimit rate_;
  base::Operation* const operation_;
  Report* const report_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<bool> state_;  // used, and not yet seen
  uint64_t pages_ = 0;
  uint64_t used_ = 0;
  uint64_t counted_ = 0;
  Superblock superblock_;
  std::vector<PageRef> leaves_;
  std::map<std::string, std::optional<std::vector<uint8_t>>, std::less<>> changed_;
  std::vector<uint8_t> buffer_;
};

Status Engine::Verify(bool full, uint64_t bytes_per_second, base::Operation* operation,
                      Report* report) {
  Verification verification(this, full, bytes_per_second, operation, report);
  SPW_RETURN_IF_ERROR(verification.Begin());
  return verification.Run();
}

// The scrubber's thread keeps no engine alive but for the pass that it makes.
void Engine::MakeScrubber() {
  scrubber_ = std::make_shared<Scrubber>(
      [weak = weak_from_this()](uint64_t rate, base::Operation* operation, Report* report) {
        const std::shared_ptr<Engine> engine = weak.lock();
        if (engine == nullptr) {
          return Status(Code::kClosed);
        }
        const base::GateCall call(&engine->gate_);
        return call.inside() ? engine->Verify(true, rate, operation, report)
                             : Status(Code::kClosed);
      });
}

FileStats Engine::Stats() {
  const auto get = [](const std::atomic<uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  FileStats stats;
  stats.blocks = get(counters_.blocks);
  stats.payload_bytes = get(counters_.payload_bytes);
  stats.bytes_file = get(counters_.pages) * page_bytes_;
  stats.bytes_used = get(counters_.pages_used) * page_bytes_;
  stats.bytes_held = get(counters_.pages_held) * page_bytes_;
  stats.bytes_free = stats.bytes_file - stats.bytes_used - stats.bytes_held;
  if (const base::GateCall call(&gate_); call.inside()) {  // else there may be no file any more
    const base::Result<uint64_t> allocated = file_->AllocatedBytes();
    stats.bytes_disk = allocated.ok() ? allocated.value() : 0;
  }
  stats.scrub_passes = scrubber_->passes();
  stats.scrub_problems = scrubber_->problems();
  stats.bytes_cached = cache_.bytes();
  stats.cache_hits = cache_.hits();
  stats.cache_misses = cache_.misses();
  stats.snapshots = get(counters_.snapshots);
  stats.puts = get(counters_.puts);
  stats.groups = get(counters_.groups);
  stats.barriers = get(io_.syncs);
  stats.checkpoints = get(counters_.checkpoints);
  stats.bytes_written = get(io_.bytes_written);
  stats.bytes_read = get(io_.bytes_read);
  stats.waits = get(counters_.waits);
  stats.checksum_errors = get(counters_.checksum_errors);
  MutexLock lock(mu_);
  stats.blocks_dirty = DirtyBlocks();
  stats.bytes_dirty = DirtyPages() * page_bytes_;
  stats.health = poison_.ok() ? health_ : poison_.code();
  return stats;
}

}  // namespace spillway::blockfile
