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

class Transaction {
 public:
  Transaction(std::shared_ptr<const Engine::Snapshot> snapshot, bool read_only)
      : snapshot_(std::move(snapshot)), read_only_(read_only) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  const Engine::Snapshot& snapshot() const { return *snapshot_; }
  const std::shared_ptr<const Engine::Snapshot>& shared_snapshot() const { return snapshot_; }

  // As this transaction sees it; a block that it has changed has version 0.
  base::Status Find(std::string_view name, bool meta, Block* block) SPW_EXCLUDES(mu_);
  // Copies what the drafts point to. All or none.
  base::Status Stage(std::span<const Draft> drafts) SPW_EXCLUDES(mu_);
  // kInvalidState: it was committed. kReadOnly.
  base::Status MayChange() SPW_EXCLUDES(mu_);
  // Over from now on, whatever commit(drafts) returns.
  base::Status Finish(const std::function<base::Status(std::span<Draft>)>& commit)
      SPW_EXCLUDES(mu_);

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
  base::Status Check() const SPW_REQUIRES(mu_);

  const std::shared_ptr<const Engine::Snapshot> snapshot_;
  const bool read_only_;
  base::Mutex mu_;
  bool over_ SPW_GUARDED_BY(mu_) = false;
  std::pmr::monotonic_buffer_resource memory_ SPW_GUARDED_BY(mu_){uint64_t{16} << 10,
                                                                  std::pmr::new_delete_resource()};
  Staged staged_ SPW_GUARDED_BY(mu_){&memory_};
  std::vector<PageRun> held_ SPW_GUARDED_BY(mu_);  // of the file
};

}  // namespace spillway::blockfile
