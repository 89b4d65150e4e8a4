#include "internal/cold/block_tier.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/blockfile/transaction.h"
#include "internal/cold/block_format.h"
#include "internal/cold/block_load.h"
#include "internal/cold/block_records.h"
#include "internal/cold/block_write.h"
#include "internal/cold/stream_states.h"
#include "internal/cold/turn.h"

namespace spillway::cold {
namespace {

using base::Code;
using base::MutexLock;
using base::Result;
using base::Status;
using blockfile::BlockFile;
using blockfile::Level;
using record::Columns;

// A failure that leaves everything as it was, so that the same call can be made again.
bool MayRetry(const Status& status) {
  return status.code() == Code::kFull || status.code() == Code::kNoMemory ||
         status.code() == Code::kBusy;
}

class BlockTier final : public ColdTier {
 public:
  BlockTier(std::shared_ptr<BlockFile> file, const BlockTuning& tuning)
      : tuning_(tuning), file_(std::move(file)), records_(file_.get()) {}

  ~BlockTier() override { static_cast<void>(file_->Close(true).ok()); }

  // Finds the streams. *found false: there is no store in the file.
  Status Load(bool* found) {
    std::map<uint32_t, StoredStream> stored;
    SPW_RETURN_IF_ERROR(LoadStreams(file_.get(), &stored, found));
    MutexLock lock(mu_);
    for (auto& [id, stream] : stored) {
      const uint64_t end_seq = stream.blocks.empty() ? 0 : stream.blocks.back().end_seq();
      stream.state.end_seq = std::max(stream.state.begin_seq, end_seq);
      kept_[id] = {
          true, stream.state.begin_seq, stream.state.end_seq, std::move(stream.blocks), {}};
      streams_.Add(stream.state);
    }
    MeasureFile();
    return {};
  }

  // Makes the file one that holds a store.
  Status Describe() {
    const std::vector<uint8_t> bytes = EncodeStore();
    blockfile::PutItem item{.name = kStoreBlock, .payload = bytes};
    SPW_RETURN_IF_ERROR(file_->Put(nullptr, {&item, 1}));
    return file_->Flush(Level::kDevice);
  }

  std::vector<StreamState> Streams() const override { return streams_.All(); }

  Status Commit(const Changes& changes, Durability durability) override {
    TurnHolder turn(turn_);
    if (!poison_.ok()) {
      return poison_;
    }
    SPW_RETURN_IF_ERROR(Wrote(base::CatchToStatus([&] {
      turn_.AssertTaken();
      return RemoveStale();
    })));
    StreamStates::Staged staged;
    SPW_RETURN_IF_ERROR(streams_.Stage(changes, &staged));
    if (staged.touched.empty() && (durability == Durability::kKernel || !unsynced_)) {
      return Status();
    }
    if (!staged.touched.empty()) {
      SPW_RETURN_IF_ERROR(Wrote(base::CatchToStatus([&] {
        turn_.AssertTaken();
        return Apply(changes, staged);
      })));
    }
    const bool device = durability == Durability::kDevice;
    const Status flushed = Wrote(base::CatchToStatus(
        [&] { return file_->Flush(device ? Level::kDevice : Level::kKernel); }));
    if (!flushed.ok()) {
      if (changes.once) {
        GiveUp(changes);
      }
      return flushed;
    }
    unsynced_ = !device;
    streams_.Publish(&staged);
    MeasureFile();
    return Status();
  }

  Status Read(uint32_t stream, uint64_t seq, uint64_t end_seq, uint64_t max_payload_bytes,
              record::ColumnBuffer* out) override {
    bool has_times = false;
    SPW_RETURN_IF_ERROR(streams_.CheckRange(stream, seq, end_seq, &has_times));
    out->Reset(seq, has_times);
    const Status status = ReadBlocks(stream, has_times, seq, end_seq, max_payload_bytes, out);
    if (out->count() > 0) {
      return Status();
    }
    // What was dropped while it was read may be gone; that is no damage.
    SPW_RETURN_IF_ERROR(streams_.CheckRange(stream, seq, end_seq, &has_times));
    if (status.code() == Code::kCorrupt) {
      checksum_errors_.fetch_add(1, std::memory_order_relaxed);
    }
    return status;
  }

  Status Reclaim(bool* more) override {
    *more = false;
    TurnHolder turn(turn_);
    if (!poison_.ok()) {
      return poison_;
    }
    for (const StreamState& state : streams_.All()) {
      size_t count = 0;
      {
        MutexLock lock(mu_);
        const std::vector<RecordsBlock>& blocks = kept_.at(state.id).blocks;
        while (count < blocks.size() && blocks[count].end_seq() <= state.begin_seq) {
          ++count;
        }
      }
      if (count > 0) {
        *more = count > tuning_.reclaim_blocks;
        return Wrote(RemoveBlocks(state.id, std::min(count, tuning_.reclaim_blocks)));
      }
    }
    return Status();
  }

  TierStats stats() const override {
    return {file_bytes_.load(std::memory_order_relaxed),
            checksum_errors_.load(std::memory_order_relaxed)};
  }

  Status Close(CloseMode mode) override {
    TurnHolder turn(turn_);
    if (mode == CloseMode::kAbandon || !poison_.ok()) {
      const Status discarded = file_->Close(true);
      return mode == CloseMode::kAbandon ? discarded : poison_;
    }
    const Status removed = base::CatchToStatus([&] {
      turn_.AssertTaken();
      return RemoveStale();
    });
    if (!removed.ok()) {
      static_cast<void>(file_->Close(true).ok());
      return removed;
    }
    const Status closed = file_->Close(false);
    if (MayRetry(closed)) {
      // All is on the device; only the tidying up is missing.
      static_cast<void>(file_->Close(true).ok());
      return unsynced_ ? closed : Status();
    }
    return closed;
  }

  BlockFile* file() override { return file_.get(); }

 private:
  // ---- Committing

  // What becomes of the streams once the changes are in the file.
  using Plan = std::map<uint32_t, Kept>;

  // In one transaction of the file; visible there, and flushed by whoever comes next.
  Status Apply(const Changes& changes, const StreamStates::Staged& staged) SPW_REQUIRES(turn_) {
    Plan plan;
    {
      MutexLock lock(mu_);
      for (const StreamState& state : staged.touched) {
        const auto found = kept_.find(state.id);
        Kept& kept = plan[state.id];
        if (found != kept_.end()) {
          kept.described = found->second.described;
          kept.begin_seq = found->second.begin_seq;
          kept.end_seq = found->second.end_seq;
          if (!found->second.blocks.empty()) {
            kept.blocks.push_back(found->second.blocks.back());  // what may grow
          }
        }
      }
    }
    std::shared_ptr<blockfile::Transaction> txn;
    SPW_RETURN_IF_ERROR(file_->Begin(false, &txn));
    for (const StreamState& state : staged.touched) {
      SPW_RETURN_IF_ERROR(PutStream(txn.get(), state, &plan.at(state.id)));
    }
    for (size_t begin = 0; begin < changes.pieces.size();) {
      size_t end = begin + 1;
      while (end < changes.pieces.size() &&
             changes.pieces[end].stream == changes.pieces[begin].stream) {
        ++end;
      }
      SPW_RETURN_IF_ERROR(
          PutRecords(txn.get(), changes.pieces.subspan(begin, end - begin), changes.once, &plan));
      begin = end;
    }
    Plan fresh;
    {
      MutexLock lock(mu_);
      for (auto& [id, kept] : plan) {
        const auto found = kept_.find(id);
        if (found == kept_.end()) {
          fresh.emplace(id, Kept());
        }
      }
      kept_.merge(fresh);
      for (auto& [id, kept] : plan) {
        std::vector<RecordsBlock>& blocks = kept_.at(id).blocks;
        kept_.at(id).stale.reserve(kept_.at(id).stale.size() + kept.blocks.size());
        blocks.reserve(
            std::max(blocks.capacity(), std::bit_ceil(blocks.size() + kept.blocks.size())));
      }
    }
    SPW_RETURN_IF_ERROR(file_->Commit(txn.get(), Level::kRelaxed));
    MutexLock lock(mu_);  // nothing fails any more
    for (auto& [id, kept] : plan) {
      Kept& to = kept_.find(id)->second;
      to.described = kept.described;
      to.begin_seq = kept.begin_seq;
      to.end_seq = kept.end_seq;
      if (!to.blocks.empty()) {
        to.blocks.pop_back();
      }
      to.blocks.insert(to.blocks.end(), kept.blocks.begin(), kept.blocks.end());
    }
    return {};
  }

  Status PutStream(blockfile::Transaction* txn, const StreamState& state, Kept* kept)
      SPW_REQUIRES(turn_) {
    if (kept->described && kept->begin_seq == state.begin_seq) {
      return {};
    }
    const std::string name = StreamBlockName(state.id);
    const std::vector<uint8_t> bytes = EncodeStream(state);
    blockfile::PutItem item{.name = name, .payload = bytes};
    SPW_RETURN_IF_ERROR(file_->Put(txn, {&item, 1}));
    kept->described = true;
    kept->begin_seq = state.begin_seq;
    kept->end_seq = std::max(kept->end_seq, state.begin_seq);
    return {};
  }

  Status PutRecords(blockfile::Transaction* txn, std::span<const Piece> pieces, bool once,
                    Plan* plan) SPW_REQUIRES(turn_) {
    const uint32_t id = pieces.front().stream;
    const auto planned = plan->find(id);
    if (planned == plan->end()) {
      return {};  // nothing but empty pieces
    }
    Kept* const kept = &planned->second;
    std::vector<Columns> frame;
    uint64_t payload_bytes = 0;
    const auto write = [&]() -> Status {
      turn_.AssertTaken();
      SPW_RETURN_IF_ERROR(frame.empty() ? Status() : PutFrame(txn, id, frame, once, kept));
      frame.clear();
      payload_bytes = 0;
      return {};
    };
    for (const Piece& piece : pieces) {
      Columns left = piece.columns;
      if (left.end_seq() <= kept->end_seq) {
        continue;  // in the file already, but for a flush
      }
      left = left.Slice(std::max(left.first_seq, kept->end_seq), left.end_seq());
      while (left.count > 0) {
        const uint64_t most =
            tuning_.frame_payload_bytes - std::min(tuning_.frame_payload_bytes, payload_bytes);
        const uint64_t* const ends = left.begin + 1;
        const uint64_t* const past = std::partition_point(
            ends, ends + left.count, [&](uint64_t end) { return end - left.begin[0] <= most; });
        auto count = static_cast<uint64_t>(past - ends);
        if (count == 0 && !frame.empty()) {
          SPW_RETURN_IF_ERROR(write());
          continue;
        }
        count = std::clamp<uint64_t>(count, 1, UINT32_MAX / 2);
        frame.push_back(left.Slice(left.first_seq, left.first_seq + count));
        payload_bytes += frame.back().payload_bytes();
        left = left.Slice(left.first_seq + count, left.end_seq());
      }
    }
    return write();
  }

  // once: in a block of its own, which can be given up as it is.
  Status PutFrame(blockfile::Transaction* txn, uint32_t id, std::span<const Columns> columns,
                  bool once, Kept* kept) SPW_REQUIRES(turn_) {
    const bool has_times = columns.front().times != nullptr;
    const uint64_t first_seq = columns.front().first_seq;
    uint64_t payload_bytes = 0;
    for (const Columns& each : columns) {
      payload_bytes += each.payload_bytes();
    }
    RecordsBlock* const last = kept->blocks.empty() ? nullptr : &kept->blocks.back();
    const bool is_small = payload_bytes < tuning_.own_block_bytes;
    const bool grows = is_small && !once && last != nullptr && last->end_seq() == first_seq &&
                       last->bytes < tuning_.shared_block_bytes &&
                       last->frames < tuning_.shared_block_frames &&
                       last->first_seq >= kept->begin_seq;
    RecordsBlock block = grows ? *last : RecordsBlock{.first_seq = first_seq};
    std::vector<uint8_t> bytes;
    EncodeFrameHead(columns, &bytes, &block);
    const std::string name = RecordsBlockName(id, block.first_seq);
    const std::vector<uint8_t> tag = EncodeTag(block, has_times);
    if (is_small) {
      SPW_RETURN_IF_ERROR(PutSmall(file_.get(), txn, name, grows, columns, tag, &bytes));
    } else {
      SPW_RETURN_IF_ERROR(PutLarge(file_.get(), txn, name, columns, tag, bytes));
    }
    if (grows) {
      *last = block;
    } else {
      kept->blocks.push_back(block);
    }
    kept->end_seq = block.end_seq();
    return {};
  }

  // What could not be flushed and may never come again is none of the stream's.
  void GiveUp(const Changes& changes) noexcept SPW_REQUIRES(turn_) {
    {
      MutexLock lock(mu_);
      for (const Piece& piece : changes.pieces) {
        Kept& kept = kept_.find(piece.stream)->second;
        const uint64_t first_seq = piece.columns.first_seq;
        while (!kept.blocks.empty() && kept.blocks.back().first_seq >= first_seq) {
          kept.stale.push_back(kept.blocks.back().first_seq);  // Apply has made room
          kept.blocks.pop_back();
        }
        kept.end_seq = std::min(kept.end_seq, first_seq);
      }
    }
    // If that fails too, whoever comes next tries again.
    static_cast<void>(base::CatchToStatus([&] {
                        turn_.AssertTaken();
                        return RemoveStale();
                      }).ok());
  }

  Status RemoveStale() SPW_REQUIRES(turn_) {
    std::vector<std::string> names;
    {
      MutexLock lock(mu_);
      for (const auto& [id, kept] : kept_) {
        for (const uint64_t first_seq : kept.stale) {
          names.push_back(RecordsBlockName(id, first_seq));
        }
      }
    }
    if (names.empty()) {
      return {};
    }
    std::shared_ptr<blockfile::Transaction> txn;
    SPW_RETURN_IF_ERROR(file_->Begin(false, &txn));
    for (const std::string& name : names) {
      SPW_RETURN_IF_ERROR(file_->Remove(txn.get(), name));
    }
    SPW_RETURN_IF_ERROR(file_->Commit(txn.get(), Level::kRelaxed));
    MutexLock lock(mu_);
    for (auto& [id, kept] : kept_) {
      kept.stale.clear();
    }
    return {};
  }

  Status RemoveBlocks(uint32_t id, size_t count) SPW_REQUIRES(turn_) {
    std::vector<RecordsBlock> removed;
    {
      MutexLock lock(mu_);
      const std::vector<RecordsBlock>& blocks = kept_.at(id).blocks;
      removed.assign(blocks.begin(), blocks.begin() + static_cast<ptrdiff_t>(count));
    }
    std::shared_ptr<blockfile::Transaction> txn;
    SPW_RETURN_IF_ERROR(file_->Begin(false, &txn));
    for (const RecordsBlock& block : removed) {
      SPW_RETURN_IF_ERROR(file_->Remove(txn.get(), RecordsBlockName(id, block.first_seq)));
    }
    SPW_RETURN_IF_ERROR(file_->Commit(txn.get(), Level::kRelaxed));
    {
      MutexLock lock(mu_);
      std::vector<RecordsBlock>& blocks = kept_.at(id).blocks;
      blocks.erase(blocks.begin(), blocks.begin() + static_cast<ptrdiff_t>(count));
    }
    unsynced_ = true;
    return file_->Flush(Level::kKernel);
  }

  // What a write came to: keeps the first failure that ends writing.
  Status Wrote(Status status) SPW_REQUIRES(turn_) {
    if (!status.ok() && !MayRetry(status)) {
      poison_ = status;
    }
    return status;
  }

  void MeasureFile() noexcept {
    const blockfile::FileStats stats = file_->Stats();
    file_bytes_.store(stats.bytes_file, std::memory_order_relaxed);
  }

  // ---- Reading

  Status ReadBlocks(uint32_t stream, bool has_times, uint64_t seq, uint64_t end_seq,
                    uint64_t max_payload_bytes, record::ColumnBuffer* out) {
    while (seq < end_seq) {
      RecordsBlock block;
      {
        MutexLock lock(mu_);
        const std::vector<RecordsBlock>& blocks = kept_.at(stream).blocks;
        const auto found =
            std::partition_point(blocks.begin(), blocks.end(),
                                 [&](const RecordsBlock& each) { return each.end_seq() <= seq; });
        if (found == blocks.end() || found->first_seq > seq) {
          return base::Corrupt("stream " + std::to_string(stream) + ": the block with record " +
                               std::to_string(seq) + " is missing");
        }
        block = *found;
      }
      const uint64_t had = out->count();
      const Status status =
          records_.Read(stream, block, has_times, seq, end_seq, max_payload_bytes, out);
      if (status.code() == Code::kCorrupt || status.code() == Code::kNotFound) {
        return base::Corrupt("stream " + std::to_string(stream) + ", record " +
                             std::to_string(seq) + ": " + std::string(status.message()));
      }
      SPW_RETURN_IF_ERROR(status);
      seq += out->count() - had;
      if (seq < block.end_seq() || out->payload_bytes() >= max_payload_bytes) {
        return {};
      }
    }
    return {};
  }

  const BlockTuning tuning_;
  const std::shared_ptr<BlockFile> file_;
  BlockRecords records_;
  Turn turn_;
  Status poison_ SPW_GUARDED_BY(turn_);
  bool unsynced_ SPW_GUARDED_BY(turn_) = false;  // commits that a power cut could take

  StreamStates streams_;
  mutable base::Mutex mu_;
  std::map<uint32_t, Kept> kept_ SPW_GUARDED_BY(mu_);  // changed only with the turn
  std::atomic<uint64_t> file_bytes_{0};
  std::atomic<uint64_t> checksum_errors_{0};
};

}  // namespace

Result<std::unique_ptr<ColdTier>> OpenBlockTier(io::FileSystem* file_system,
                                                const std::string& path, OpenMode mode,
                                                const BlockTuning& tuning,
                                                base::Operation* operation) {
  blockfile::Settings settings = tuning.file;
  settings.mode = mode == OpenMode::kExisting ? blockfile::OpenMode::kExisting
                  : mode == OpenMode::kNew    ? blockfile::OpenMode::kNew
                                              : blockfile::OpenMode::kCreate;
  Result<std::shared_ptr<BlockFile>> file =
      BlockFile::Open(file_system, path, settings, operation, BlockFile::Owner::kLibrary);
  if (!file.ok()) {
    return file.status();
  }
  std::unique_ptr<BlockTier> tier;
  const Status status = base::CatchToStatus([&]() -> Status {
    tier = std::make_unique<BlockTier>(file.value(), tuning);
    bool found = false;
    SPW_RETURN_IF_ERROR(tier->Load(&found));
    if (!found && mode == OpenMode::kExisting) {
      return {Code::kNotFound, path + ": a block file without a store in it"};
    }
    return found ? Status() : tier->Describe();
  });
  if (!status.ok()) {
    static_cast<void>(file.value()->Close(true).ok());  // waits until it has let go of the file
    return status;
  }
  return std::unique_ptr<ColdTier>(std::move(tier));
}

}  // namespace spillway::cold
