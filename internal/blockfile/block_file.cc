// The door: checks what callers give, and sends it to the engine or to a transaction.
#include "internal/blockfile/block_file.h"

#include <algorithm>
#include <string>

#include "internal/blockfile/compose.h"
#include "internal/blockfile/copy_file.h"
#include "internal/blockfile/engine.h"
#include "internal/blockfile/lister.h"
#include "internal/blockfile/stream_reader.h"
#include "internal/blockfile/stream_writer.h"
#include "internal/blockfile/transaction.h"

namespace spillway::blockfile {

using base::Code;
using base::Status;

namespace {

#define SPW_ENTER(engine)                       \
  const base::GateCall call(&(engine)->gate()); \
  if (!call.inside()) {                         \
    return Status(base::Code::kClosed);         \
  }

Status NoSuchBlock() { return {Code::kNotFound, "no such block"}; }

}  // namespace

base::Result<std::shared_ptr<BlockFile>> BlockFile::Open(io::FileSystem* files,
                                                         const std::string& path,
                                                         const Settings& settings,
                                                         base::Operation* operation, Owner owner) {
  base::Result<std::shared_ptr<Engine>> engine = Engine::Open(files, path, settings, operation);
  if (!engine.ok()) {
    return engine.status();
  }
  std::shared_ptr<BlockFile> opened;
  const Status made = base::CatchToStatus([&] {
    opened = std::make_shared<BlockFile>(engine.value(), owner, true);
    return Status();
  });
  if (!made.ok()) {
    // Its thread keeps the engine: nobody else would end it, and the file would stay locked.
    static_cast<void>(engine.value()->Close(true).ok());
    return made;
  }
  return opened;
}

BlockFile::~BlockFile() {
  if (closes_) {
    engine_->Abandon();
  }
}

std::shared_ptr<BlockFile> BlockFile::ForApplication() const {
  return std::make_shared<BlockFile>(engine_, Owner::kApplication, false);
}

bool BlockFile::closed() const { return engine_->gate().shut(); }

Status BlockFile::CheckMayChange(std::string_view name) const {
  SPW_RETURN_IF_ERROR(engine_->CheckName(name));
  if (owner_ == Owner::kApplication && name.starts_with(kReservedPrefix)) {
    return base::InvalidArgument("names that begin with \"" + std::string(kReservedPrefix) +
                                 "\" are the library's");
  }
  return {};
}

Status BlockFile::Close(bool discard) { return engine_->Close(discard); }

Status BlockFile::Flush(Level level) {
  SPW_ENTER(engine_);
  return engine_->Flush(level);
}

Status BlockFile::Begin(bool read_only, std::shared_ptr<Transaction>* txn) {
  SPW_ENTER(engine_);
  std::shared_ptr<const Engine::Snapshot> snapshot;
  SPW_RETURN_IF_ERROR(engine_->TakeSnapshot(&snapshot));
  *txn = std::make_shared<Transaction>(std::move(snapshot), read_only);
  return {};
}

Status BlockFile::Commit(Transaction* txn, Level level) {
  SPW_ENTER(engine_);
  SPW_RETURN_IF_ERROR(txn->Finish([&](std::span<Draft> drafts, const Engine::Snapshot& since) {
    return engine_->Commit(drafts, &since);
  }));
  return engine_->Flush(level);
}

// ---- changing ----

// Where a call's changes go and its reads come from.
struct BlockFile::Target {
  Engine* engine;
  Transaction* txn;

  Status MayChange() const {
    SPW_RETURN_IF_ERROR(engine->MayChange());
    return txn == nullptr ? Status() : txn->MayChange();
  }
  Status Find(std::string_view name, bool meta, Block* block) const {
    SPW_RETURN_IF_ERROR(engine->CheckName(name));
    return txn == nullptr ? engine->Find(nullptr, name, meta, block) : txn->Find(name, meta, block);
  }
  Status Apply(std::span<Draft> drafts) const {
    return txn == nullptr ? engine->Commit(drafts, nullptr) : txn->Stage(drafts);
  }

  // Finds a block and changes it, again if somebody else was faster. compose(base) applies.
  template <class Compose>
  Status Change(std::string_view name, Compose&& compose) const {
    SPW_RETURN_IF_ERROR(MayChange());
    for (;;) {
      Block base;
      SPW_RETURN_IF_ERROR(Find(name, true, &base));
      // What waits in a group that is sealed, or beyond a transaction, cannot be named yet.
      if (base.waits && !base.is_inline && (txn != nullptr || !base.waits_open)) {
        SPW_RETURN_IF_ERROR(engine->Flush(Level::kKernel));
        continue;
      }
      const Status status = compose(base);
      if (status.code() != Code::kConflict || txn != nullptr) {
        return status;
      }
    }
  }
};

Status BlockFile::Put(Transaction* txn, std::span<PutItem> items) {
  SPW_ENTER(engine_);
  const Target target{engine_.get(), txn};
  SPW_RETURN_IF_ERROR(target.MayChange());
  std::array<std::byte, 512> buffer;
  std::pmr::monotonic_buffer_resource memory(buffer.data(), buffer.size(),
                                             std::pmr::new_delete_resource());
  std::pmr::vector<DraftPart> parts(items.size(), &memory);
  std::pmr::vector<Draft> drafts(items.size(), &memory);
  const int64_t now_ns = engine_->Now();
  for (size_t i = 0; i < items.size(); ++i) {
    PutItem& item = items[i];
    item.version = 0;
    if (Status named = CheckMayChange(item.name); !named.ok()) {
      return std::move(named).WithRecord(static_cast<int64_t>(i));
    }
    parts[i].memory = item.payload;
    Draft& draft = drafts[i];
    draft.name = item.name;
    draft.created_ns = draft.modified_ns = now_ns;
    draft.length = item.payload.size();
    draft.parts = {&parts[i], item.payload.empty() ? size_t{0} : size_t{1}};
    draft.expected = item.expected;
    draft.inherits = !item.tag.has_value();
    draft.tag = item.tag.value_or(Bytes());
    if (txn != nullptr && item.expected != kAnyVersion) {
      Block found;
      SPW_RETURN_IF_ERROR(txn->Find(item.name, false, &found));
      if (Status met = CheckExpected(found, item.expected); !met.ok()) {
        return std::move(met).WithRecord(static_cast<int64_t>(i));
      }
    }
  }
  SPW_RETURN_IF_ERROR(target.Apply(drafts));
  for (size_t i = 0; i < items.size(); ++i) {
    items[i].version = txn == nullptr ? drafts[i].version : 0;
  }
  return {};
}

Status BlockFile::Append(Transaction* txn, std::string_view name, Bytes bytes, uint64_t* length) {
  SPW_ENTER(engine_);
  const Target target{engine_.get(), txn};
  SPW_RETURN_IF_ERROR(CheckMayChange(name));
  if (txn == nullptr && !bytes.empty()) {
    bool done = false;
    SPW_RETURN_IF_ERROR(engine_->AppendInPlace(name, bytes, length, &done));
    if (done) {
      return {};
    }
  }
  return target.Change(name, [&](const Block& base) {
    *length = base.length + bytes.size();
    Composed composed;
    if (base.exists) {
      SPW_RETURN_IF_ERROR(ComposeAppend(engine_.get(), base, bytes, &composed));
    } else {
      composed.parts.push_back({.memory = bytes, .extent = {}});
      composed.draft.parts = {composed.parts.data(), bytes.empty() ? size_t{0} : size_t{1}};
      composed.draft.length = bytes.size();
      composed.draft.on = &base;
    }
    composed.draft.name = name;
    composed.draft.modified_ns = engine_->Now();
    composed.draft.created_ns =
        base.exists ? composed.draft.created_ns : composed.draft.modified_ns;
    return target.Apply({&composed.draft, 1});
  });
}

Status BlockFile::Patch(Transaction* txn, std::string_view name, uint64_t offset, Bytes bytes) {
  SPW_ENTER(engine_);
  const Target target{engine_.get(), txn};
  SPW_RETURN_IF_ERROR(CheckMayChange(name));
  return target.Change(name, [&](const Block& base) -> Status {
    if (!base.exists) {
      return NoSuchBlock();
    }
    if (offset > base.length || bytes.size() > base.length - offset) {
      return base::InvalidArgument("the range [" + std::to_string(offset) + ", " +
                                   std::to_string(offset) + " + " + std::to_string(bytes.size()) +
                                   ") reaches beyond the block's end at " +
                                   std::to_string(base.length));
    }
    if (bytes.empty()) {
      return {};
    }
    Composed composed;
    SPW_RETURN_IF_ERROR(ComposePatch(engine_.get(), base, offset, bytes, &composed));
    composed.draft.name = name;
    composed.draft.modified_ns = engine_->Now();
    return target.Apply({&composed.draft, 1});
  });
}

Status BlockFile::Remove(Transaction* txn, std::string_view name, uint64_t expected) {
  SPW_ENTER(engine_);
  const Target target{engine_.get(), txn};
  SPW_RETURN_IF_ERROR(target.MayChange());
  SPW_RETURN_IF_ERROR(CheckMayChange(name));
  if (txn != nullptr) {
    Block found;
    SPW_RETURN_IF_ERROR(txn->Find(name, false, &found));
    if (!found.exists) {
      return NoSuchBlock();
    }
    SPW_RETURN_IF_ERROR(CheckExpected(found, expected));
  }
  Draft draft;
  draft.name = name;
  draft.removes = true;
  draft.expected = expected;
  draft.must_exist = true;
  draft.modified_ns = engine_->Now();
  return target.Apply({&draft, 1});
}

Status BlockFile::Rename(Transaction* txn, std::string_view from, std::string_view to,
                         bool replace) {
  SPW_ENTER(engine_);
  const Target target{engine_.get(), txn};
  SPW_RETURN_IF_ERROR(CheckMayChange(from));
  SPW_RETURN_IF_ERROR(CheckMayChange(to));
  return target.Change(from, [&](const Block& base) -> Status {
    Block there;
    SPW_RETURN_IF_ERROR(target.Find(to, false, &there));
    if (!base.exists) {
      return NoSuchBlock();
    }
    if (from == to) {
      return {};
    }
    if (there.exists && !replace) {
      return {Code::kAlreadyExists, "there is a block of the new name"};
    }
    Composed composed;
    SPW_RETURN_IF_ERROR(ComposeSame(engine_.get(), base, &composed));
    std::array<Draft, 2> drafts;
    drafts[0].name = from;
    drafts[0].removes = true;
    drafts[0].on = &base;
    drafts[1] = composed.draft;
    drafts[1].name = to;
    drafts[1].on = &there;
    drafts[0].modified_ns = drafts[1].modified_ns = engine_->Now();
    return target.Apply(drafts);
  });
}

Status BlockFile::SetTag(Transaction* txn, std::string_view name, Bytes tag) {
  SPW_ENTER(engine_);
  const Target target{engine_.get(), txn};
  if (tag.size() > kTagBytesMost) {
    return {Code::kTooBig, "a tag has at most " + std::to_string(kTagBytesMost) + " bytes"};
  }
  SPW_RETURN_IF_ERROR(CheckMayChange(name));
  return target.Change(name, [&](const Block& base) -> Status {
    if (!base.exists) {
      return NoSuchBlock();
    }
    Composed composed;
    SPW_RETURN_IF_ERROR(ComposeSame(engine_.get(), base, &composed));
    composed.draft.name = name;
    composed.draft.tag = tag;
    composed.draft.modified_ns = engine_->Now();
    return target.Apply({&composed.draft, 1});
  });
}

// ---- reading ----

// What a transaction sees, or everybody now.
struct BlockFile::Moment {
  std::shared_ptr<const Engine::Snapshot> snapshot;
  std::vector<Transaction::Own> own;  // changes on top of it whose names begin with the prefix
};

Status BlockFile::TakeMoment(Transaction* txn, std::string_view prefix, bool infos,
                             Moment* moment) {
  if (txn == nullptr) {
    return engine_->TakeSnapshot(&moment->snapshot);
  }
  moment->snapshot = txn->snapshot();
  return txn->ListOwn(prefix, infos, &moment->own);
}

Status BlockFile::Stat(Transaction* txn, std::string_view name, BlockInfo* info) {
  SPW_ENTER(engine_);
  Block block;
  SPW_RETURN_IF_ERROR((Target{engine_.get(), txn}.Find(name, true, &block)));
  if (!block.exists) {
    return NoSuchBlock();
  }
  *info = InfoOf(block);
  return {};
}

Status BlockFile::Exists(Transaction* txn, std::string_view name, bool* exists) {
  SPW_ENTER(engine_);
  Block block;
  SPW_RETURN_IF_ERROR((Target{engine_.get(), txn}.Find(name, false, &block)));
  *exists = block.exists;
  return {};
}

Status BlockFile::Read(Transaction* txn, std::string_view name, uint64_t offset,
                       std::span<uint8_t> buffer, uint64_t* bytes_read) {
  SPW_ENTER(engine_);
  Block block;
  SPW_RETURN_IF_ERROR((Target{engine_.get(), txn}.Find(name, false, &block)));
  if (!block.exists) {
    return NoSuchBlock();
  }
  const uint64_t left = block.length - std::min(block.length, offset);
  const uint64_t wanted = std::min<uint64_t>(left, buffer.size());
  SPW_RETURN_IF_ERROR(engine_->ReadRange(block, offset, buffer.first(wanted)));
  *bytes_read = wanted;
  return {};
}

Status BlockFile::ReadMany(Transaction* txn, std::span<const std::string_view> names,
                           std::span<uint8_t> buffer, std::span<uint64_t> offsets,
                           std::span<Code> statuses) {
  SPW_ENTER(engine_);
  std::shared_ptr<const Engine::Snapshot> snapshot;
  if (txn == nullptr) {
    SPW_RETURN_IF_ERROR(engine_->TakeSnapshot(&snapshot));
  }
  const auto find = [&](std::string_view name, Block* block) {
    return txn == nullptr ? engine_->Find(snapshot.get(), name, false, block)
                          : txn->Find(name, false, block);
  };
  for (std::string_view name : names) {
    SPW_RETURN_IF_ERROR(engine_->CheckName(name));
  }
  // Optimistically in one pass; if the buffer is too small, sizes are what is wanted.
  uint64_t at = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    Block block;
    offsets[i] = at;
    Status status = find(names[i], &block);
    if (status.ok() && !block.exists) {
      status = Status(Code::kNotFound);
    }
    if (status.ok() && at <= buffer.size() && block.length <= buffer.size() - at) {
      status = engine_->ReadRange(block, 0, buffer.subspan(at, block.length));
    }
    if (!status.ok() && status.code() != Code::kNotFound && status.code() != Code::kCorrupt &&
        status.code() != Code::kIo) {
      return status;
    }
    statuses[i] = status.code();
    at = status.ok() ? base::SaturatingAdd(at, block.length) : at;
  }
  offsets[names.size()] = at;
  return at <= buffer.size()
             ? Status()
             : Status(Code::kTooBig, "the blocks have " + std::to_string(at) + " bytes");
}

Status BlockFile::Get(Transaction* txn, std::string_view name, uint64_t offset, uint64_t length,
                      Blob* blob) {
  SPW_ENTER(engine_);
  Block block;
  SPW_RETURN_IF_ERROR((Target{engine_.get(), txn}.Find(name, false, &block)));
  if (!block.exists) {
    return NoSuchBlock();
  }
  const uint64_t begin = std::min(offset, block.length);
  const uint64_t wanted = std::min(length, block.length - begin);
  if (wanted > kBlobBytesMost) {
    return {Code::kTooBig, "a view has at most 64 MiB; ask for a range"};
  }
  // Whole blocks are kept; a part of one is read by itself.
  const bool whole = wanted == block.length && block.version != 0;
  BlobCache::Payload payload =
      whole || block.version != 0 ? engine_->cache()->Find(block.version) : nullptr;
  if (payload != nullptr) {
    *blob = {payload, Bytes(*payload).subspan(begin, wanted)};
    return {};
  }
  auto fresh = std::make_shared<std::vector<uint8_t>>(wanted);
  SPW_RETURN_IF_ERROR(engine_->ReadRange(block, begin, *fresh));
  payload = std::move(fresh);
  if (whole) {
    engine_->cache()->Keep(block.version, payload);
  }
  *blob = {payload, Bytes(*payload)};
  return {};
}

Status BlockFile::List(Transaction* txn, std::string_view prefix, bool names_only,
                       std::unique_ptr<Lister>* lister) {
  SPW_ENTER(engine_);
  Moment moment;
  SPW_RETURN_IF_ERROR(TakeMoment(txn, prefix, !names_only, &moment));
  *lister = std::make_unique<Lister>(std::move(moment.snapshot), std::move(moment.own), prefix,
                                     names_only);
  return {};
}

// ---- streams ----

Status BlockFile::OpenReader(Transaction* txn, std::string_view name,
                             std::unique_ptr<StreamReader>* reader) {
  SPW_ENTER(engine_);
  auto opened = std::make_unique<StreamReader>(engine_);
  SPW_RETURN_IF_ERROR((Target{engine_.get(), txn}.Find(name, true, opened->block())));
  if (!opened->block()->exists) {
    return NoSuchBlock();
  }
  opened->KeepOf(txn);
  *reader = std::move(opened);
  return {};
}

Status BlockFile::OpenWriter(Transaction* txn, std::string_view name, uint64_t expected,
                             std::unique_ptr<StreamWriter>* writer, std::optional<Bytes> tag) {
  SPW_ENTER(engine_);
  SPW_RETURN_IF_ERROR((Target{engine_.get(), txn}.MayChange()));
  SPW_RETURN_IF_ERROR(CheckMayChange(name));
  *writer = std::make_unique<StreamWriter>(engine_, txn, name, expected, tag);
  return {};
}

Status BlockFile::Verify(bool full, uint64_t bytes_per_second, base::Operation* operation,
                         Report* report) {
  SPW_ENTER(engine_);
  return engine_->Verify(full, bytes_per_second, operation, report);
}

Status BlockFile::Vacuum(const VacuumPlan& plan, base::Operation* operation, VacuumResult* result) {
  SPW_ENTER(engine_);
  return engine_->Vacuum(plan, operation, result);
}

Status BlockFile::CopyTo(Transaction* txn, io::FileSystem* files, const std::string& path,
                         base::Operation* operation) {
  SPW_ENTER(engine_);
  Moment moment;
  SPW_RETURN_IF_ERROR(TakeMoment(txn, {}, false, &moment));
  const Engine::Snapshot* const snapshot = moment.snapshot.get();
  CopySource source;
  source.engine = engine_.get();
  source.names = std::make_unique<Lister>(moment.snapshot, std::move(moment.own), "", true);
  source.find = [&, snapshot](std::string_view name, Block* block) {
    return txn == nullptr ? engine_->Find(snapshot, name, true, block)
                          : txn->Find(name, true, block);
  };
  return CopyFile(&source, files, path, operation);
}

Status BlockFile::Scrub(uint64_t bytes_per_second) {
  SPW_ENTER(engine_);
  return engine_->scrubber()->SetRate(bytes_per_second);
}

Status BlockFile::ScrubReport(Report* report) {
  SPW_ENTER(engine_);
  return engine_->scrubber()->LastReport(report);
}

FileStats BlockFile::Stats() const { return engine_->Stats(); }

}  // namespace spillway::blockfile
