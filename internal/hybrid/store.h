// The hybrid record store: records appended in batches, in memory under one budget, spilled in the
// background, read back in order.
//
// Open -> (calls, from any threads) -> Close, or Abandon. Every call but Close and Abandon returns
// kClosed once it is closed. Owned by its handle, by cursors, and by its own threads while they
// run.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "internal/base/call_gate.h"
#include "internal/base/fork_guard.h"
#include "internal/base/operation.h"
#include "internal/blockfile/block_file.h"
#include "internal/cold/cold_tier.h"
#include "internal/hybrid/admission.h"
#include "internal/hybrid/counters.h"
#include "internal/hybrid/events.h"
#include "internal/hybrid/options.h"
#include "internal/hybrid/promoter.h"
#include "internal/hybrid/reader.h"
#include "internal/hybrid/record_verifier.h"
#include "internal/hybrid/residency.h"
#include "internal/hybrid/spiller.h"
#include "internal/hybrid/stream_table.h"
#include "internal/io/file.h"
#include "internal/memory/budget.h"

namespace spillway::hybrid {

class Store : public std::enable_shared_from_this<Store> {
 public:
  enum class StreamMode { kExisting, kCreate, kMustCreate };

  // path nullopt: memory only. file_system lives for ever, or outlives the store.
  static base::Result<std::shared_ptr<Store>> Open(io::FileSystem* file_system,
                                                   const std::optional<std::string>& path,
                                                   const Options* options,
                                                   base::Operation* operation);
  Store(const StoreOptions& options, bool in_memory);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // See spw_store_close. Idempotent.
  enum class CloseMode { kFlush, kDiscard };
  base::Status Close(CloseMode mode, int64_t timeout_ms, base::Operation* operation);
  // Ends it as a crash would, without waiting. No other call of the owner's runs or follows. True
  // if it had not been closed.
  bool Abandon();

  base::Result<uint32_t> StreamId(const std::string& name, const Options* options, StreamMode mode);
  base::Result<Stream*> FindStream(uint32_t id) const;
  const StreamTable& streams() const { return streams_; }

  // *first_seq is set if the batch is admitted; an error then means that it is not durable, which
  // the store was asked for.
  base::Status Add(uint32_t stream, const record::RecordBatch& batch, int64_t timeout_ms,
                   base::Operation* operation, uint64_t* first_seq);
  base::Status Flush(cold::Durability durability, int64_t timeout_ms, base::Operation* operation);
  // What its records are in, for blocks of the application's own. kUnsupported: no block file.
  base::Result<std::shared_ptr<blockfile::BlockFile>> File() const;
  // See spw_store_commit.
  base::Status Commit(blockfile::Transaction* txn, blockfile::Level level, int64_t timeout_ms,
                      base::Operation* operation);

  // A flush to the device after which the memory of all that was flushed is given back.
  base::Status Settle(int64_t timeout_ms, base::Operation* operation);
  void ReleaseMemory() { budget_->ReleaseFree(); }
  // See spw_store_verify; stream nullptr: all.
  base::Status Verify(const Stream* stream, uint64_t bytes_per_second, base::Operation* operation,
                      RecordReport* report);
  base::Status Clear(uint32_t stream);
  // See spw_store_trim and its kin; *begin_seq is where the stream begins from now on.
  base::Status Trim(uint32_t stream, uint64_t begin_seq);
  base::Status TrimByTime(uint32_t stream, int64_t time, uint64_t* begin_seq);
  base::Status TrimByBytes(uint32_t stream, uint64_t bytes_most, uint64_t* begin_seq);

  // stream nullptr: the store.
  base::Status SetOption(Stream* stream, int32_t key, int64_t value);
  base::Result<int64_t> GetOption(const Stream* stream, int32_t key) const;

  const Reader& reader() const { return *reader_; }
  const std::shared_ptr<const base::ForkGuard>& fork_guard() const { return fork_guard_; }
  base::CallGate& gate() { return gate_; }
  EventRing& events() { return events_; }

  // For statistics: lock-free.
  const Counters& counters() const { return counters_; }
  const memory::MemoryBudget& budget() const { return *budget_; }
  const std::shared_ptr<memory::MemoryBudget>& shared_budget() const { return budget_; }
  memory::Limits limits() const;
  uint64_t evictions() const { return residency_.evictions(); }
  cold::TierStats tier_stats() const {
    return tier_ == nullptr ? cold::TierStats{} : tier_->stats();
  }
  uint64_t adders_syncing() const { return spiller_ == nullptr ? 0 : spiller_->adders_syncing(); }
  base::Code health_code() const {
    return spiller_ == nullptr ? base::Code::kOk : spiller_->health_code();
  }

 private:
  base::Status OpenTier(io::FileSystem* file_system, const std::string& path,
                        base::Operation* operation);
  base::Status AddToMemory(Stream* stream, const record::RecordBatch& batch,
                           const base::Patience& patience, uint64_t* first_seq);
  base::Status AddAroundMemory(Stream* stream, const record::RecordBatch& batch,
                               const base::Patience& patience, uint64_t* first_seq);
  base::Status WriteTail(Stream* stream, const record::RecordBatch& batch,
                         const base::Patience& patience, uint64_t* first_seq);
  void CountAdded(const record::RecordBatch& batch);
  void CountDropped(const Stream& stream, const record::RecordBatch& batch);
  base::Result<Stream*> FindToTrim(uint32_t id) const;
  uint64_t TrimTo(Stream* stream, uint64_t seq, std::atomic<uint64_t>* counter);
  base::Status EndSpilling(CloseMode mode, const base::Patience& patience, bool* ended);
  base::Patience PatienceFor(int64_t timeout_ms, base::Operation* operation) const;
  void ApplyStreamOptions(Stream* stream, const StreamOptions& options);
  void ApplyLimits();
  SegmentSizes SegmentSizesFor(const Stream& stream) const;

  const bool in_memory_;
  const StoreOptions options_;
  const std::shared_ptr<const base::ForkGuard> fork_guard_ = std::make_shared<base::ForkGuard>();
  base::CallGate gate_;
  EventRing events_;
  Counters counters_;
  // Live options; UINT64_MAX: no limit.
  std::atomic<uint64_t> budget_bytes_;
  std::atomic<uint64_t> budget_records_;
  std::atomic<int64_t> timeout_ms_;

  const std::shared_ptr<memory::MemoryBudget> budget_;
  StreamTable streams_;
  Residency residency_;
  std::unique_ptr<cold::ColdTier> tier_;  // null: memory only
  ColdTierKind tier_kind_ = ColdTierKind::kUnset;
  std::unique_ptr<Spiller> spiller_;
  std::unique_ptr<Promoter> promoter_;  // null: memory only
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Admission> admission_;

  base::Mutex close_mu_;
  base::WaitList closers_;
  bool closing_ SPW_GUARDED_BY(close_mu_) = false;
  bool closed_ SPW_GUARDED_BY(close_mu_) = false;
};

}  // namespace spillway::hybrid
