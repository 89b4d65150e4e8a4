#include "internal/hybrid/store.h"

#include <algorithm>
#include <bit>

#include "internal/cold/block_tier.h"
#include "internal/cold/sqlite_tier.h"
#include "internal/hybrid/trim_point.h"

namespace spillway::hybrid {

using base::Code;
using base::Status;

// ---- Opening ----

Store::Store(const StoreOptions& options, bool in_memory)
    : in_memory_(in_memory),
      options_(options),
      budget_bytes_(options.budget_bytes),
      budget_records_(options.budget_records),
      timeout_ms_(options.timeout_ms),
      budget_(std::make_shared<memory::MemoryBudget>(
          options.LimitsFor(options.budget_bytes, options.budget_records))),
      residency_(&streams_, budget_.get()) {}

base::Result<std::shared_ptr<Store>> Store::Open(io::FileSystem* file_system,
                                                 const std::optional<std::string>& path,
                                                 const Options* options,
                                                 base::Operation* operation) {
  StoreOptions parsed;
  SPW_RETURN_IF_ERROR(StoreOptions::Parse(options, !path.has_value(), &parsed));
  if (operation != nullptr && operation->cancelled()) {
    return Status(Code::kCancelled);
  }
  auto store = std::make_shared<Store>(parsed, !path.has_value());
  if (path.has_value()) {
    SPW_RETURN_IF_ERROR(store->OpenTier(file_system, *path, operation));
  }
  store->reader_ = std::make_unique<Reader>(
      Reader::Parts{store->tier_.get(), store->budget_, &store->residency_, store->promoter_.get(),
                    &store->events_, &store->counters_});
  store->admission_ = std::make_unique<Admission>(
      Admission::Parts{store->budget_.get(), &store->residency_, store->spiller_.get(),
                       &store->events_, &store->counters_});
  if (store->spiller_ != nullptr) {
    Store* const self = store.get();
    // Also when it throws: a thread that runs keeps the store, and its lock, for ever.
    const Status started = base::CatchToStatus([&] {
      return store->spiller_->Start(parsed.spills_in_flight, store, [self] {
        // Runs on the last thread of a store that was freed: calls of cursors may still be inside.
        static_cast<void>(base::CatchToStatus([&] { return self->gate_.AwaitEmpty({}); }));
        static_cast<void>(
            base::CatchToStatus([&] { return self->tier_->Close(cold::CloseMode::kAbandon); }));
      });
    });
    if (!started.ok()) {
      store->spiller_->Stop();
      return started;
    }
  }
  return store;
}

// What is at the path; unset: nothing, or something else. A SQLite database may have lost how it
// begins, and recover that, so what is no block file is taken for one unless it is said to be the
// other.
static Status FindTier(io::FileSystem* file_system, const std::string& path, ColdTierKind named,
                       ColdTierKind* found) {
  const base::Result<bool> exists = file_system->Exists(path);
  SPW_RETURN_IF_ERROR(exists.status());
  if (!exists.value()) {
    return {};
  }
  bool is = false;
  SPW_RETURN_IF_ERROR(blockfile::BlockFile::IsOne(file_system, path, &is));
  if (is) {
    *found = ColdTierKind::kBlockFile;
    return {};
  }
  if (named == ColdTierKind::kBlockFile) {
    SPW_RETURN_IF_ERROR(cold::IsSqlite(file_system, path, &is));
  }
  *found = is || named != ColdTierKind::kBlockFile ? ColdTierKind::kSqlite : ColdTierKind::kUnset;
  return {};
}

Status Store::OpenTier(io::FileSystem* file_system, const std::string& path,
                       base::Operation* operation) {
  const bool temporary = options_.open == OpenPolicy::kTemporary;
  ColdTierKind found = ColdTierKind::kUnset;
  SPW_RETURN_IF_ERROR(temporary ? Status()
                                : FindTier(file_system, path, options_.cold_tier, &found));
  if (found != ColdTierKind::kUnset && options_.cold_tier != ColdTierKind::kUnset &&
      options_.open != OpenPolicy::kNew && options_.cold_tier != found) {
    const bool sqlite = found == ColdTierKind::kSqlite;
    return base::InvalidArgument(path + ": the store's cold tier is " +
                                 (sqlite ? "SPW_TIER_SQLITE, not SPW_TIER_BLOCK_FILE"
                                         : "SPW_TIER_BLOCK_FILE, not SPW_TIER_SQLITE"));
  }
  tier_kind_ = options_.cold_tier != ColdTierKind::kUnset ? options_.cold_tier
               : found != ColdTierKind::kUnset            ? found
                                                          : ColdTierKind::kBlockFile;
  const cold::OpenMode mode = options_.open == OpenPolicy::kExisting ? cold::OpenMode::kExisting
                              : options_.open == OpenPolicy::kNew    ? cold::OpenMode::kNew
                              : temporary                            ? cold::OpenMode::kNameless
                                                                     : cold::OpenMode::kCreate;
  base::Result<std::unique_ptr<cold::ColdTier>> tier =
      tier_kind_ == ColdTierKind::kSqlite
          ? cold::OpenSqliteTier(file_system, path, mode)
          : cold::OpenBlockTier(file_system, path, mode, {}, operation);
  SPW_RETURN_IF_ERROR(tier.status());
  tier_ = std::move(tier.value());
  for (cold::StreamState& state : tier_->Streams()) {
    bool added = false;
    base::Result<Stream*> stream = streams_.FindOrAdd(std::move(state), true, budget_, &added);
    SPW_RETURN_IF_ERROR(stream.status());
    StreamOptions defaults;
    defaults.when_full = options_.when_full;
    ApplyStreamOptions(stream.value(), defaults);
    Count(counters_.records_live, stream.value()->tail_seq() - stream.value()->begin_seq());
  }
  spiller_ = std::make_unique<Spiller>(
      Spiller::Parts{tier_.get(), &streams_, budget_.get(), &residency_, &events_, &counters_},
      Spiller::Settings{options_.sync_ms, options_.eager, options_.idle_ms});
  promoter_ = std::make_unique<Promoter>(
      Promoter::Parts{tier_.get(), budget_, &residency_, &counters_}, options_.promote_reads);
  return {};
}

// ---- Closing ----

Status Store::Close(CloseMode mode, int64_t timeout_ms, base::Operation* operation) {
  const base::Patience patience = PatienceFor(timeout_ms, operation);
  bool was_closed = false;
  SPW_RETURN_IF_ERROR(closers_.Wait(close_mu_, patience, [&] {
    close_mu_.AssertHeld();
    was_closed = closed_;
    if (closed_ || closing_) {
      return closed_;
    }
    closing_ = true;
    return true;
  }));
  if (was_closed) {
    return {};
  }
  // New calls are turned away, waiting ones are woken with kClosed; when all are out, nothing
  // changes any more.
  gate_.Shut();
  budget_->SetVerdict(Status(Code::kClosed));
  bool ended = true;
  Status status;
  if (spiller_ != nullptr) {
    spiller_->SetClosing(true);
    status = base::CatchToStatus([&] { return EndSpilling(mode, patience, &ended); });
  } else {
    status = gate_.AwaitEmpty({});
  }
  if (!ended) {
    spiller_->SetClosing(false);
    gate_.Reopen();
  }
  base::MutexLock lock(close_mu_);
  closing_ = false;
  closed_ = ended;
  closers_.NotifyAll();
  return status;
}

// *ended false: the store stays as it is, open.
Status Store::EndSpilling(CloseMode mode, const base::Patience& patience, bool* ended) {
  *ended = false;
  // Calls that do not wait end soon; those that do have been woken.
  SPW_RETURN_IF_ERROR(gate_.AwaitEmpty({}));
  Status flushed;
  // What is gone after it need not be written before it.
  if (mode == CloseMode::kFlush && options_.open != OpenPolicy::kTemporary) {
    flushed = spiller_->Flush(cold::Durability::kDevice, patience, Spiller::Flusher::kCloser);
    const Code code = flushed.code();
    if (code == Code::kTimeout || code == Code::kCancelled || code == Code::kWouldBlock ||
        Spiller::retried(code)) {
      return flushed;
    }
  }
  *ended = true;
  spiller_->Stop();
  const Status closed = base::CatchToStatus([&] {
    const bool clean = flushed.ok() && options_.open != OpenPolicy::kTemporary;
    return tier_->Close(clean ? cold::CloseMode::kClean : cold::CloseMode::kAbandon);
  });
  if (!flushed.ok() || Spiller::retried(closed.code())) {
    return flushed;  // everything is on the device; that the files could not be tidied up is no
                     // loss
  }
  return closed;
}

bool Store::Abandon() {
  {
    base::MutexLock lock(close_mu_);
    if (closed_) {
      return false;
    }
    closed_ = true;
  }
  gate_.Shut();
  budget_->SetVerdict(Status(Code::kClosed));
  if (spiller_ != nullptr) {
    spiller_->SetClosing(true);
    spiller_->Abandon();
  }
  return true;
}

// ---- Streams ----

base::Result<uint32_t> Store::StreamId(const std::string& name, const Options* options,
                                       StreamMode mode) {
  StreamOptions parsed;
  SPW_RETURN_IF_ERROR(StreamOptions::Parse(options, in_memory_, &parsed));
  Stream* stream = streams_.Find(name);
  if (stream == nullptr && mode == StreamMode::kExisting) {
    return Status(Code::kNotFound, "no stream '" + name + "'");
  }
  bool added = false;
  if (stream == nullptr) {
    const cold::StreamState state{StreamTable::kNewId, name, parsed.has_times.value_or(false), 0,
                                  0};
    base::Result<Stream*> result = streams_.FindOrAdd(state, false, budget_, &added);
    SPW_RETURN_IF_ERROR(result.status());
    stream = result.value();
  }
  if (!added && mode == StreamMode::kMustCreate) {
    return Status(Code::kAlreadyExists, "stream '" + name + "' exists");
  }
  if (parsed.has_times.has_value() && *parsed.has_times != stream->has_times()) {
    return base::InvalidArgument("stream '" + name + "' was created with" +
                                 (stream->has_times() ? "" : "out") + " times");
  }
  if (added && !parsed.when_full.has_value()) {
    parsed.when_full = options_.when_full;
  }
  ApplyStreamOptions(stream, parsed);
  return stream->id();
}

base::Result<Stream*> Store::FindStream(uint32_t id) const {
  Stream* const stream = streams_.Find(id);
  if (stream == nullptr) {
    return Status(Code::kNotFound, "no stream with the id " + std::to_string(id));
  }
  return stream;
}

// ---- Records ----

base::Patience Store::PatienceFor(int64_t timeout_ms, base::Operation* operation) const {
  const int64_t ms =
      timeout_ms == kWaitDefault ? timeout_ms_.load(std::memory_order_relaxed) : timeout_ms;
  return {base::Deadline::AfterMs(ms), operation};
}

Status Store::Add(uint32_t stream_id, const record::RecordBatch& batch, int64_t timeout_ms,
                  base::Operation* operation, uint64_t* first_seq) {
  base::Result<Stream*> found = FindStream(stream_id);
  SPW_RETURN_IF_ERROR(found.status());
  Stream* const stream = found.value();
  if (operation != nullptr && operation->cancelled()) {
    return Status(Code::kCancelled);
  }
  if (batch.count() > 0 && batch.has_times() != stream->has_times()) {
    return base::InvalidArgument("stream '" + stream->name() + "' has " +
                                 (stream->has_times() ? "times" : "no times") + ", the batch has " +
                                 (batch.has_times() ? "some" : "none"));
  }
  if (const Code code = health_code(); code != Code::kOk && !Spiller::retried(code)) {
    return spiller_->health();
  }
  if (batch.count() == 0) {
    return {};
  }
  const auto when_full = static_cast<WhenFull>(stream->when_full.load(std::memory_order_relaxed));
  const bool may_wait = when_full == WhenFull::kBlock;
  const base::Patience patience = PatienceFor(may_wait ? timeout_ms : 0, operation);
  const Status status = AddToMemory(stream, batch, patience, first_seq);
  if (status.code() == Code::kTooBig && spiller_ != nullptr && may_wait) {
    return AddAroundMemory(stream, batch, patience, first_seq);
  }
  if (status.code() == Code::kWouldBlock && when_full == WhenFull::kDropNewest) {
    CountDropped(*stream, batch);
    return {};
  }
  return status;
}

void Store::CountDropped(const Stream& stream, const record::RecordBatch& batch) {
  Count(counters_.batches_dropped);
  Count(counters_.records_dropped, batch.count());
  events_.Post({.kind = EventKind::kDropped, .stream = stream.id(), .count = batch.count()});
}

Status Store::AddToMemory(Stream* stream, const record::RecordBatch& batch,
                          const base::Patience& patience, uint64_t* first_seq) {
  SPW_RETURN_IF_ERROR(admission_->Pace(patience));
  const uint64_t sealed_before = stream->sealed_seq();
  memory::Reservation reservation(budget_.get());
  std::vector<uint64_t> own_arenas;
  memory::Request request{.account = stream->account()};
  uint64_t spare = 0;
  if (!stream->LikelyFits(batch)) {
    const uint64_t most =
        std::min(limits().bytes.hard, stream->hard_bytes.load(std::memory_order_relaxed));
    if (base::SaturatingAdd(batch.payload_bytes(), batch.count() * sizeof(uint64_t)) > most) {
      return {Code::kTooBig, "a batch of " + std::to_string(batch.payload_bytes()) +
                                 " bytes is larger than the hard limit of " + std::to_string(most)};
    }
    request = stream->PlanArenas(batch, spare, &own_arenas);
  }
  for (;;) {
    request.records = batch.count();
    SPW_RETURN_IF_ERROR(admission_->Reserve(stream, request, own_arenas, patience, &reservation));
    const Stream::Append result =
        stream->TryAppend(batch, &reservation, residency_.clock(), first_seq);
    if (result == Stream::Append::kDone) {
      break;
    }
    // Others took the room, or a batch that started elsewhere is cut differently: again, with
    // arenas for all of it. Nothing is held meanwhile.
    reservation.GiveBack();
    if (result == Stream::Append::kDirectWriter) {
      SPW_RETURN_IF_ERROR(stream->AwaitNoDirect(patience));
    }
    request = stream->PlanArenas(batch, spare++, &own_arenas);
  }
  CountAdded(batch);
  if (spiller_ == nullptr) {
    return {};
  }
  if (budget_->total().pressed() || stream->account()->pressed() ||
      (options_.eager && stream->sealed_seq() > sealed_before)) {
    spiller_->Kick();
  }
  reservation.GiveBack();  // what others may wait for, while this waits
  return spiller_->SyncAdded(stream, *first_seq + batch.count());
}

void Store::CountAdded(const record::RecordBatch& batch) {
  Count(counters_.batches_added);
  Count(counters_.records_added, batch.count());
  Count(counters_.payload_bytes_added, batch.payload_bytes());
  Count(counters_.records_live, batch.count());
}

// A batch that no memory can hold: all before it is spilled, then it is written from the caller's
// memory in one transaction.
Status Store::AddAroundMemory(Stream* stream, const record::RecordBatch& batch,
                              const base::Patience& patience, uint64_t* first_seq) {
  if (patience.deadline.no_wait()) {
    return Status(Code::kWouldBlock);
  }
  SPW_RETURN_IF_ERROR(stream->EnterDirect(patience));
  const Status status = base::CatchToStatus([&]() -> Status {
    SPW_RETURN_IF_ERROR(
        spiller_->Flush(cold::Durability::kDevice, patience, Spiller::Flusher::kCaller));
    return WriteTail(stream, batch, patience, first_seq);
  });
  stream->LeaveDirect();
  return status;
}

Status Store::WriteTail(Stream* stream, const record::RecordBatch& batch,
                        const base::Patience& patience, uint64_t* first_seq) {
  Stream::Claim claim;
  SPW_RETURN_IF_ERROR(stream->ClaimTail(patience, &claim));
  const Status status = base::CatchToStatus([&]() -> Status {
    std::vector<uint64_t> begins;
    const std::vector<record::Columns> columns = batch.AsColumns(claim.written_seq, &begins);
    std::vector<cold::Piece> pieces;
    pieces.reserve(columns.size());
    for (const record::Columns& each : columns) {
      pieces.push_back(cold::Piece{stream->id(), each});
    }
    return spiller_->CommitDirect(claim, pieces);
  });
  if (!status.ok()) {
    stream->EndClaim(claim, false);
    return status;
  }
  *first_seq = claim.written_seq;
  stream->PublishDirect(claim, batch.count());
  spiller_->Kick();
  CountAdded(batch);
  return {};
}

Status Store::Flush(cold::Durability durability, int64_t timeout_ms, base::Operation* operation) {
  if (spiller_ == nullptr) {
    return {Code::kUnsupported, "a store in memory only has nothing to flush to"};
  }
  if (operation != nullptr && operation->cancelled()) {
    return Status(Code::kCancelled);
  }
  return spiller_->Flush(durability, PatienceFor(timeout_ms, operation), Spiller::Flusher::kCaller);
}

base::Result<std::shared_ptr<blockfile::BlockFile>> Store::File() const {
  if (tier_ == nullptr || tier_->file() == nullptr) {
    return Status(Code::kUnsupported, "only a store with SPW_TIER_BLOCK_FILE has a block file");
  }
  return tier_->file()->ForApplication();
}

Status Store::Commit(blockfile::Transaction* txn, blockfile::Level level, int64_t timeout_ms,
                     base::Operation* operation) {
  base::Result<std::shared_ptr<blockfile::BlockFile>> file = File();
  SPW_RETURN_IF_ERROR(file.status());
  // The file's commits get to the device in their order: the blocks do not without the records.
  SPW_RETURN_IF_ERROR(Flush(cold::Durability::kKernel, timeout_ms, operation));
  SPW_RETURN_IF_ERROR(file.value()->Commit(txn, level));
  // One barrier was for both; what the streams know of it is brought up to date.
  return level < blockfile::Level::kDevice
             ? Status()
             : spiller_->Flush(cold::Durability::kDevice, {}, Spiller::Flusher::kCaller);
}

Status Store::Settle(int64_t timeout_ms, base::Operation* operation) {
  SPW_RETURN_IF_ERROR(Flush(cold::Durability::kDevice, timeout_ms, operation));
  residency_.EvictAll();
  ReleaseMemory();
  return {};
}

// ---- Dropping ----

// A trim is written down with the next run: none comes once writing has ended.
base::Result<Stream*> Store::FindToTrim(uint32_t id) const {
  base::Result<Stream*> stream = FindStream(id);
  if (const Code code = health_code();
      stream.ok() && code != Code::kOk && !Spiller::retried(code)) {
    return spiller_->health();
  }
  return stream;
}

uint64_t Store::TrimTo(Stream* stream, uint64_t seq, std::atomic<uint64_t>* counter) {
  const Stream::Trimmed trimmed = stream->TrimTo(seq);
  counters_.records_live.fetch_sub(trimmed.count, std::memory_order_relaxed);
  Count(*counter, trimmed.count);
  if (spiller_ != nullptr && trimmed.count > 0) {
    spiller_->Kick();
  }
  return trimmed.begin_seq;
}

Status Store::Clear(uint32_t stream_id) {
  base::Result<Stream*> stream = FindToTrim(stream_id);
  SPW_RETURN_IF_ERROR(stream.status());
  TrimTo(stream.value(), base::kUnlimited, &counters_.records_cleared);
  return {};
}

Status Store::Trim(uint32_t stream_id, uint64_t begin_seq) {
  base::Result<Stream*> stream = FindToTrim(stream_id);
  SPW_RETURN_IF_ERROR(stream.status());
  if (const uint64_t tail = stream.value()->tail_seq(); begin_seq > tail) {
    return base::InvalidArgument("trim to " + std::to_string(begin_seq) + ", but stream '" +
                                 stream.value()->name() + "' ends at " + std::to_string(tail));
  }
  TrimTo(stream.value(), begin_seq, &counters_.records_trimmed);
  return {};
}

Status Store::TrimByTime(uint32_t stream_id, int64_t time, uint64_t* begin_seq) {
  base::Result<Stream*> stream = FindToTrim(stream_id);
  SPW_RETURN_IF_ERROR(stream.status());
  if (!stream.value()->has_times()) {
    return base::InvalidArgument("stream '" + stream.value()->name() + "' has no times");
  }
  const base::Result<uint64_t> seq = TrimPoint(reader_.get(), stream.value()).ByTime(time);
  SPW_RETURN_IF_ERROR(seq.status());
  *begin_seq = TrimTo(stream.value(), seq.value(), &counters_.records_trimmed);
  return {};
}

Status Store::TrimByBytes(uint32_t stream_id, uint64_t bytes_most, uint64_t* begin_seq) {
  base::Result<Stream*> stream = FindToTrim(stream_id);
  SPW_RETURN_IF_ERROR(stream.status());
  const base::Result<uint64_t> seq = TrimPoint(reader_.get(), stream.value()).ByBytes(bytes_most);
  SPW_RETURN_IF_ERROR(seq.status());
  *begin_seq = TrimTo(stream.value(), seq.value(), &counters_.records_trimmed);
  return {};
}

}  // namespace spillway::hybrid
