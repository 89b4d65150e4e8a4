// The blocks of a file in the order of their names, as of a snapshot or as a transaction sees them:
// the tree, the delta and the transaction's changes walked side by side, some names at a time.
//
// One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/engine.h"
#include "internal/blockfile/transaction.h"

namespace spillway::blockfile {

class Lister {
 public:
  // own: what a transaction has changed on top of the snapshot.
  Lister(std::shared_ptr<const Engine::Snapshot> snapshot, std::vector<Transaction::Own> own,
         std::string_view prefix, bool names_only);

  // At least one block if there is one, at most so many. After a failure it stays where it was.
  base::Status Next(uint64_t blocks_most, BlockPage* page);
  // To the first block whose name is not below that one.
  base::Status Seek(std::string_view name);

 private:
  base::Status Fetch();
  base::Status Start();
  base::Status One(BlockPage* page);
  base::Status AddEntry(std::string_view name, Bytes entry, BlockPage* page);
  base::Status AddFound(std::string_view name, BlockPage* page);

  // The next of what the delta has, and of the transaction's own; null: there is none.
  const Engine::Listed* delta() const { return at_ < some_.size() ? &some_[at_] : nullptr; }
  const Transaction::Own* own() const { return own_at_ < own_.size() ? &own_[own_at_] : nullptr; }

  Engine& engine() const { return *snapshot_->engine; }

  const std::shared_ptr<const Engine::Snapshot> snapshot_;
  const std::vector<Transaction::Own> own_;
  const std::string prefix_;
  const bool names_only_;
  std::string next_;     // where it goes on
  bool beyond_ = false;  // behind that name
  bool started_ = false;
  TreeCursor tree_;
  std::vector<Engine::Listed> some_;  // of the delta
  size_t at_ = 0;
  bool more_ = true;  // behind the last of them
  size_t own_at_ = 0;
};

}  // namespace spillway::blockfile
