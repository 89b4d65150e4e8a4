// A block whose payload comes bit by bit: gathered in memory, written into held pages of the file
// whenever that is full, and named by one commit. Nobody sees anything before; pages that nothing
// names are free after a crash.
//
// One thread at a time. kClosed once the file is closed. Keeps the engine alive, not open, and a
// transaction neither.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/engine.h"
#include "internal/blockfile/transaction.h"

namespace spillway::blockfile {

class StreamWriter {
 public:
  // txn may be null. tag: see PutItem; copied.
  StreamWriter(std::shared_ptr<Engine> engine, Transaction* txn, std::string_view name,
               uint64_t expected, std::optional<Bytes> tag);
  ~StreamWriter();
  StreamWriter(const StreamWriter&) = delete;
  StreamWriter& operator=(const StreamWriter&) = delete;

  // All of it or nothing. kInvalidState: it or its transaction has ended.
  base::Status Write(Bytes bytes);
  // *version: 0 within a transaction. After kFull and kNoMemory it can be called again, after
  // anything else it has ended.
  base::Status Commit(uint64_t* version);

 private:
  base::Status MayChange(std::shared_ptr<Transaction>* txn) const;
  base::Status Add(Bytes bytes);
  base::Status MoveAside(Bytes stretch);
  base::Status TryCommit(Transaction* txn, Draft* draft);
  void GiveBack(size_t first) noexcept;
  void End() noexcept;

  const std::shared_ptr<Engine> engine_;
  const bool in_txn_;
  const std::weak_ptr<Transaction> txn_;
  const std::string name_;
  const uint64_t expected_;
  const std::optional<std::vector<uint8_t>> tag_;
  bool over_ = false;
  PieceStore::Piece memory_;
  uint64_t gathered_ = 0;      // bytes in it
  PieceStore::Piece aligned_;  // for stretches that come whole
  // What is in the file.
  uint64_t block_id_ = 0;
  uint64_t moved_ = 0;  // bytes
  std::vector<DraftPart> parts_;
  std::vector<Digest> digests_;
  Engine::Aside aside_;
};

}  // namespace spillway::blockfile
