#include "internal/cold/block_tier.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>
#include <vector>

#include "internal/blockfile/transaction.h"
#include "internal/cold/block_format.h"
#include "internal/cold/block_load.h"
#include "internal/cold/block_records.h"
#include "internal/cold/block_write.h"
#include "internal/cold/stream_blocks.h"
#include "internal/cold/stream_states.h"
#include "internal/cold/turn.h"

namespace spillway::cold {
namespace {

using base::Code;
using base::Result;
using base::Status;
using blockfile::BlockFile;
using blockfile::Level;

class BlockTier final : public ColdTier {
 public:
  BlockTier(std::shared_ptr<BlockFile> file, const BlockTuning& tuning)
      : tuning_(tuning), file_(std::move(file)), records_(file_.get()) {}

  ~BlockTier() override { static_cast<void>(file_->Close(true).ok()); }

  // Finds the streams. *found false: there is no store in the file.
  Status Load(bool* found) {
    std::map<uint32_t, StoredStream> stored;
    SPW_RETURN_IF_ERROR(LoadStreams(file_.get(), &stored, found));
    for (auto& [id, stream] : stored) {
      blocks_.Add(id, std::move(stream.in_file));
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

  // What takes long, writing the payload, is done by several at a time; naming it by one.
  Status Commit(const Changes& changes, Durability durability) override {
    SPW_RETURN_IF_ERROR(MayWrite());
    StreamStates::Staged staged;
    SPW_RETURN_IF_ERROR(streams_.Stage(changes, &staged));
    Prepared prepared;
    Status status = base::CatchToStatus([&] { return Prepare(changes, staged, &prepared); });
    TurnHolder turn(turn_);
    if (!poison_.ok()) {
      return poison_;
    }
    if (staged.touched.empty() && (durability == Durability::kKernel || !unsynced_)) {
      return Status();
    }
    if (status.ok()) {
      status = base::CatchToStatus([&] {
        turn_.AssertTaken();
        return Apply(changes, prepared);
      });
    }
    SPW_RETURN_IF_ERROR(Wrote(status));
    const bool device = durability == Durability::kDevice;
    const Status flushed = Wrote(file_->Flush(device ? Level::kDevice : Level::kKernel));
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
      counters_.checksum_errors.fetch_add(1, std::memory_order_relaxed);
    }
    return status;
  }

  uint64_t EndOfDamage(uint32_t stream, uint64_t seq, uint64_t end_seq) override {
    RecordsBlock block;
    bool has_times = false;
    if (!blocks_.Find(stream, seq, &block).ok()) {
      return std::min(end_seq, blocks_.NextBlock(stream, seq));
    }
    const bool has_frames = streams_.CheckRange(stream, seq, end_seq, &has_times).ok() &&
                            records_.Check(stream, block, has_times).ok();
    return has_frames ? seq + 1 : std::min(end_seq, block.end_seq());
  }

  Status Reclaim(bool* more) override {
    *more = false;
    TurnHolder turn(turn_);
    if (!poison_.ok()) {
      return poison_;
    }
    const std::vector<RecordsName> names =
        blocks_.Dropped(streams_.Begins(), tuning_.reclaim_blocks, more);
    if (names.empty()) {
      return Status();
    }
    SPW_RETURN_IF_ERROR(Wrote(RemoveBlocks(names)));
    blocks_.EraseFirst(names.front().id, names.size());
    return Wrote(file_->Flush(Level::kKernel));
  }

  TierStats stats() const override { return counters_.Read(); }

  Status Close(CloseMode mode) override {
    TurnHolder turn(turn_);
    if (mode == CloseMode::kAbandon || !poison_.ok()) {
      const Status discarded = file_->Close(true);
      return mode == CloseMode::kAbandon ? discarded : poison_;
    }
    const Status removed = RemoveGivenUp();
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

  // Does not wait for the turn unless there is a reason.
  Status MayWrite() {
    if (!troubled_.load(std::memory_order_relaxed)) {
      return {};
    }
    TurnHolder turn(turn_);
    return poison_.ok() ? Wrote(RemoveGivenUp()) : poison_;
  }

  // Changes as a transaction of the file, and what it then has.
  struct Prepared {
    std::shared_ptr<blockfile::Transaction> txn;
    StreamBlocks::Plan plan;
  };

  Status Prepare(const Changes& changes, const StreamStates::Staged& staged, Prepared* prepared) {
    if (staged.touched.empty()) {
      return {};
    }
    StreamBlocks::Plan plan = blocks_.Ends(staged.touched);
    SPW_RETURN_IF_ERROR(file_->Begin(false, &prepared->txn));
    BlockWriter writer(file_.get(), prepared->txn.get(), tuning_);
    for (const StreamState& state : staged.touched) {
      SPW_RETURN_IF_ERROR(writer.PutStream(state, &plan.at(state.id)));
    }
    for (size_t begin = 0; begin < changes.pieces.size();) {
      const uint32_t id = changes.pieces[begin].stream;
      size_t end = begin + 1;
      while (end < changes.pieces.size() && changes.pieces[end].stream == id) {
        ++end;
      }
      if (const auto stream = plan.find(id); stream != plan.end()) {  // not only empty pieces
        SPW_RETURN_IF_ERROR(writer.PutRecords(changes.pieces.subspan(begin, end - begin),
                                              changes.once, &stream->second));
      }
      begin = end;
    }
    blocks_.Reserve(plan);
    prepared->plan = std::move(plan);
    return {};
  }

  // Visible in the file; flushed by whoever comes next.
  Status Apply(const Changes& changes, const Prepared& prepared) SPW_REQUIRES(turn_) {
    if (prepared.txn == nullptr) {
      return {};
    }
    if (changes.once) {
      size_t blocks = given_up_.size();
      for (const auto& [id, stream] : prepared.plan) {
        blocks += stream.blocks.size();
      }
      given_up_.reserve(blocks);
    }
    SPW_RETURN_IF_ERROR(file_->Commit(prepared.txn.get(), Level::kRelaxed));
    blocks_.Apply(prepared.plan);
    return {};
  }

  // What could not be flushed and may never come again is none of the stream's.
  void GiveUp(const Changes& changes) noexcept SPW_REQUIRES(turn_) {
    for (const Piece& piece : changes.pieces) {
      RecordsName name{};
      while (blocks_.TakeBack(piece.stream, piece.columns.first_seq, &name)) {
        given_up_.push_back(name);  // Apply has made room
        troubled_.store(true, std::memory_order_relaxed);
      }
    }
    // If that fails too, whoever comes next tries again.
    static_cast<void>(RemoveGivenUp().ok());
  }

  Status RemoveGivenUp() SPW_REQUIRES(turn_) {
    if (!given_up_.empty()) {
      SPW_RETURN_IF_ERROR(RemoveBlocks(given_up_));
      given_up_.clear();
      troubled_.store(false, std::memory_order_relaxed);
    }
    return {};
  }

  Status RemoveBlocks(const std::vector<RecordsName>& names) SPW_REQUIRES(turn_) {
    return base::CatchToStatus([&] {
      turn_.AssertTaken();
      std::shared_ptr<blockfile::Transaction> txn;
      SPW_RETURN_IF_ERROR(file_->Begin(false, &txn));
      for (const RecordsName& name : names) {
        SPW_RETURN_IF_ERROR(file_->Remove(txn.get(), RecordsBlockName(name.id, name.first_seq)));
      }
      SPW_RETURN_IF_ERROR(file_->Commit(txn.get(), Level::kRelaxed));
      unsynced_ = true;
      return Status();
    });
  }

  // What a write came to: keeps the first failure that ends writing.
  Status Wrote(Status status) SPW_REQUIRES(turn_) {
    if (!status.ok() && !MayRetry(status)) {
      poison_ = status;
      troubled_.store(true, std::memory_order_relaxed);
    }
    return status;
  }

  void MeasureFile() noexcept {
    counters_.file_bytes.store(file_->Stats().bytes_file, std::memory_order_relaxed);
  }

  // ---- Reading

  Status ReadBlocks(uint32_t stream, bool has_times, uint64_t seq, uint64_t end_seq,
                    uint64_t max_payload_bytes, record::ColumnBuffer* out) {
    while (seq < end_seq) {
      RecordsBlock block;
      SPW_RETURN_IF_ERROR(blocks_.Find(stream, seq, &block));
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
  bool unsynced_ SPW_GUARDED_BY(turn_) = false;  // commits that a power cut could take
  Status poison_ SPW_GUARDED_BY(turn_);
  // Blocks that were put and then given up, and are still in the file.
  std::vector<RecordsName> given_up_ SPW_GUARDED_BY(turn_);
  std::atomic<bool> troubled_{false};  // there may be poison, or blocks that were given up

  StreamStates streams_;
  StreamBlocks blocks_;
  TierCounters counters_;
};

}  // namespace

Result<std::unique_ptr<ColdTier>> OpenBlockTier(io::FileSystem* file_system,
                                                const std::string& path, OpenMode mode,
                                                const BlockTuning& tuning,
                                                base::Operation* operation) {
  blockfile::Settings settings = tuning.file;
  settings.mode = mode == OpenMode::kExisting   ? blockfile::OpenMode::kExisting
                  : mode == OpenMode::kNew      ? blockfile::OpenMode::kNew
                  : mode == OpenMode::kNameless ? blockfile::OpenMode::kNameless
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
