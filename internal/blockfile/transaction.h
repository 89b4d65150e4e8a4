// Changes that nobody else sees until they are committed, on top of a snapshot.
//
// Thread-safe. Payloads are copied into memory of the transaction's own, very large ones into held
// pages of the file; both go with it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/base/status.h"
#include "internal/blockfile/engine.h"

namespace spillway::blockfile {

class Transaction : public std::enable_shared_from_this<Transaction> {
 public:
  Transaction(std::shared_ptr<const Engine::Snapshot> snapshot, bool read_only)
      : engine_(snapshot->engine), read_only_(read_only), snapshot_(std::move(snapshot)) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Null once it was committed.
  std::shared_ptr<const Engine::Snapshot> snapshot() SPW_EXCLUDES(mu_);

  // As this transaction sees it; a block that it has changed has version 0.
  base::Status Find(std::string_view name, bool meta, Block* block) SPW_EXCLUDES(mu_);
  // Copies what the drafts point to. All or none. held: pages that fresh parts of the drafts are
  // in, and others; the transaction's from now on, unless it fails.
  base::Status Stage(std::span<const Draft> drafts, std::span<const PageRun> held = {})
      SPW_EXCLUDES(mu_);
  // kInvalidState: it was committed. kReadOnly.
  base::Status MayChange() SPW_EXCLUDES(mu_);
  // Over from now on, whatever commit(drafts, snapshot) returns. Ends the snapshot, so that what it
  // kept can go with the flush that may follow.
  using Committer = std::function<base::Status(std::span<Draft>, const Engine::Snapshot&)>;
  base::Status Finish(const Committer& commit) SPW_EXCLUDES(mu_);
  // Over without a commit, whoever still keeps it: readers of its own changes do.
  void GiveUp() SPW_EXCLUDES(mu_);

  // What it has changed, in order. kInvalidState.
  struct Own {
    std::string name;
    bool removes = false;
    BlockInfo info;
  };
  base::Status ListOwn(std::string_view prefix, bool infos, std::vector<Own>* own)
      SPW_EXCLUDES(mu_);

 private:
  using Staged = std::pmr::map<std::pmr::string, Draft, std::less<>>;
  void Copy(const Draft& draft, Draft* copy) SPW_REQUIRES(mu_);
  Bytes Keep(Bytes payload) SPW_REQUIRES(mu_);
  void StageReady(std::span<const Draft> ready) SPW_REQUIRES(mu_);
  base::Status Check() const SPW_REQUIRES(mu_);

  const std::shared_ptr<Engine> engine_;
  const bool read_only_;
  base::Mutex mu_;
  std::shared_ptr<const Engine::Snapshot> snapshot_ SPW_GUARDED_BY(mu_);
  bool over_ SPW_GUARDED_BY(mu_) = false;
  std::pmr::monotonic_buffer_resource memory_ SPW_GUARDED_BY(mu_){uint64_t{16} << 10,
                                                                  std::pmr::new_delete_resource()};
  Staged staged_ SPW_GUARDED_BY(mu_){&memory_};
  // Payloads beyond the first few: the engine's recycled memory costs less than fresh memory.
  std::vector<PieceStore::Piece> pieces_ SPW_GUARDED_BY(mu_);
  uint64_t piece_bytes_ SPW_GUARDED_BY(mu_) = 0;  // of the last one that are taken
  uint64_t payload_bytes_ SPW_GUARDED_BY(mu_) = 0;
  std::vector<PageRun> held_ SPW_GUARDED_BY(mu_);  // of the file
};

}  // namespace spillway::blockfile
