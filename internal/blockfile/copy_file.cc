#include "internal/blockfile/copy_file.h"

#include <deque>
#include <utility>
#include <vector>

#include "internal/base/bytes.h"

namespace spillway::blockfile {

using base::Code;
using base::Status;

namespace {

constexpr uint64_t kBatchBytes = uint64_t{4} << 20;
constexpr size_t kBatchBlocks = 1024;
constexpr uint64_t kNamesAtOnce = 1024;
constexpr uint64_t kRegionPages = 16;  // of the copy's journal: they would be gaps

class Copy {
 public:
  Copy(CopySource* source, Engine* target, base::Operation* operation)
      : source_(source), target_(target), operation_(operation) {}

  Status Run() {
    total_ = source_->engine->Stats().payload_bytes;
    BlockPage page;
    do {
      SPW_RETURN_IF_ERROR(source_->names->Next(kNamesAtOnce, &page));
      for (uint64_t i = 0; i < page.count; ++i) {
        const uint64_t begin = page.name_offsets[i];
        Status status =
            One(std::string_view(page.names).substr(begin, page.name_offsets[i + 1] - begin));
        SPW_RETURN_IF_ERROR(status);
      }
    } while (page.count > 0);
    SPW_RETURN_IF_ERROR(Commit());
    target_->SetNextVersion(source_->engine->next_version());
    return {};
  }

 private:
  // A block on its way: what its draft points to.
  struct Carried {
    std::string name;
    std::vector<uint8_t> bytes;
    std::vector<uint8_t> tag;
    std::vector<DraftPart> parts;
    std::vector<Digest> digests;
    Draft draft;
  };

  Status CheckGoesOn() const {
    if (operation_ != nullptr) {
      operation_->SetProgress(done_, std::max(done_, total_));
      if (operation_->cancelled()) {
        return Status(Code::kCancelled);
      }
    }
    return source_->engine->gate().shut() ? Status(Code::kClosed) : Status();
  }

  Status One(std::string_view name) {
    SPW_RETURN_IF_ERROR(CheckGoesOn());
    Block block;
    Status status = source_->find(name, &block);
    if (status.ok() && block.exists) {
      status = Add(name, block);
    }
    if (status.code() == Code::kCorrupt) {
      return base::Corrupt("block \"" + std::string(name) + "\": " + std::string(status.message()));
    }
    return status;
  }

  Status Add(std::string_view name, const Block& block) {
    Carried& each = batch_.emplace_back();
    each.name = name;
    each.tag.assign(block.tag.begin(), block.tag.end());
    Draft& draft = each.draft;
    draft.inherits = false;
    draft.created_ns = block.created_ns;
    draft.modified_ns = block.modified_ns;
    draft.length = block.length;
    draft.keep_version = block.version;
    if (block.length > kBatchBytes) {
      SPW_RETURN_IF_ERROR(CarryLarge(block, &each));
    } else {
      each.bytes.resize(block.length);
      SPW_RETURN_IF_ERROR(source_->engine->ReadRange(block, 0, each.bytes));
      each.parts.resize(each.bytes.empty() ? 0 : 1, {.memory = each.bytes, .extent = {}});
    }
    bytes_ += each.bytes.size();
    done_ += block.length;
    return bytes_ >= kBatchBytes || batch_.size() >= kBatchBlocks ? Commit() : Status();
  }

  // Payload that is not to be in memory as a whole.
  Status CarryLarge(const Block& block, Carried* to) {
    to->draft.block_id = target_->NewBlockId();
    for (uint64_t at = 0; at < block.length;) {
      const uint64_t left = block.length - at;
      PageRun run;
      SPW_RETURN_IF_ERROR(target_->HoldForPart(base::CeilDiv(left, target_->page_bytes()), &run));
      const uint64_t bytes = std::min(left, run.pages * target_->page_bytes());
      to->parts.push_back({.memory = {}, .extent = {run.first, bytes}, .fresh = true});
      SPW_RETURN_IF_ERROR(target_->CopyIn(source_->engine, block, at, to->parts.back().extent,
                                          to->draft.block_id, &to->digests));
      at += bytes;
    }
    return {};
  }

  Status Commit() {
    std::vector<Draft> drafts;
    for (Carried& each : batch_) {
      each.draft.name = each.name;
      each.draft.tag = each.tag;
      each.draft.parts = each.parts;
      each.draft.digests = each.digests;
      drafts.push_back(each.draft);
    }
    SPW_RETURN_IF_ERROR(target_->Commit(drafts, nullptr));
    batch_.clear();
    bytes_ = 0;
    return CheckGoesOn();
  }

  CopySource* const source_;
  Engine* const target_;
  base::Operation* const operation_;
  std::deque<Carried> batch_;
  uint64_t bytes_ = 0;  // of the batch
  uint64_t done_ = 0;
  uint64_t total_ = 0;
};

// What an earlier copy to there left when it was interrupted, unless it is still at work.
Status RemoveLeftover(io::FileSystem* files, const std::string& temporary) {
  const base::Result<bool> exists = files->Exists(temporary);
  if (!exists.ok() || !exists.value()) {
    return exists.status();
  }
  const base::Result<std::unique_ptr<io::File>> file =
      files->OpenFile(temporary, io::Open::kExisting);
  if (!file.ok()) {
    return file.status();
  }
  SPW_RETURN_IF_ERROR(file.value()->Lock());
  return files->Remove(temporary);
}

}  // namespace

Status CopyFile(CopySource* source, io::FileSystem* files, const std::string& path,
                base::Operation* operation) {
  const base::Result<bool> exists = files->Exists(path);
  if (!exists.ok() || exists.value()) {
    return exists.ok() ? Status(Code::kAlreadyExists, path + ": there is one already")
                       : exists.status();
  }
  const std::string temporary = path + "-copy";
  SPW_RETURN_IF_ERROR(RemoveLeftover(files, temporary));
  Settings settings = source->engine->settings();
  settings.mode = OpenMode::kNew;
  settings.named_checksum = false;
  settings.checksum = source->engine->checksum();
  settings.page_bytes = static_cast<uint32_t>(source->engine->page_bytes());
  settings.background = false;
  settings.region_pages = std::min(settings.region_pages, kRegionPages);
  base::Result<std::shared_ptr<Engine>> target = Engine::Open(files, temporary, settings, nullptr);
  if (!target.ok()) {
    return target.status();
  }
  Status status =
      base::CatchToStatus([&] { return Copy(source, target.value().get(), operation).Run(); });
  if (status.ok()) {
    status = target.value()->Close(false);
  }
  if (status.ok()) {
    status = files->RenameNew(temporary, path);
  }
  if (status.ok()) {
    return files->SyncFolderOf(path);
  }
  target.value()->Abandon();
  const Status removed = files->Remove(temporary);
  static_cast<void>(removed.ok());  // what failed first is what the caller hears of
  return status;
}

}  // namespace spillway::blockfile
