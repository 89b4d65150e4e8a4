#include "internal/blockfile/folder_export.h"

#include <algorithm>
#include <cerrno>
#include <random>
#include <utility>

#include "internal/blockfile/folder_names.h"
#include "internal/blockfile/lister.h"
#include "internal/blockfile/transaction.h"
#include "internal/io/folder_path.h"

namespace spillway::blockfile {
namespace {

using base::Code;
using base::Result;
using base::Status;
using Path = std::vector<std::string>;

constexpr uint64_t kBlocksPerPage = 256;  // of the list

class Exporter {
 public:
  Exporter(BlockFile* file, Transaction* txn, std::unique_ptr<io::Folder> root, size_t prefix_bytes,
           base::Operation* operation, Transferred* done)
      : transfer_(file, txn, operation),
        folders_(std::move(root)),
        prefix_bytes_(prefix_bytes),
        done_(done) {}

  Status Run(Lister* lister) {
    SPW_RETURN_IF_ERROR(transfer_.Step(0));
    SPW_RETURN_IF_ERROR(RemoveLeftovers());
    for (BlockPage page;;) {
      SPW_RETURN_IF_ERROR(lister->Next(kBlocksPerPage, &page));
      if (page.count == 0) {
        break;
      }
      for (uint64_t i = 0; i < page.count; ++i) {
        const uint64_t begin = page.name_offsets[i];
        const std::string_view name =
            std::string_view(page.names).substr(begin, page.name_offsets[i + 1] - begin);
        SPW_RETURN_IF_ERROR(ExportBlock(name));
      }
    }
    SPW_RETURN_IF_ERROR(GoTo({}));
    SPW_RETURN_IF_ERROR(SyncHere());
    return damaged_ == 0 ? Status()
                         : About(first_damaged_ + " (the first of " + std::to_string(damaged_) +
                                     " blocks that were left out)",
                                 first_damage_);
  }

 private:
  struct Target {
    std::string name;
    std::unique_ptr<io::File> existing;  // null: none, or it cannot be equal
  };

  Status ExportBlock(std::string_view name);
  // Writes all that can be written. Sets *damage if it is the block that cannot be read.
  Status Write(StreamReader* block, uint64_t length, const std::string& target, Status* damage);
  Status Fill(StreamReader* block, uint64_t length, io::File* to, Status* damage);
  Status FindTarget(io::Folder* folder, const std::string& component, uint64_t length,
                    Target* target);

  // Stands in the folder of those components, in whatever form; each is made if it is not there.
  Status GoTo(std::span<const std::string> components);
  Status EnterOrMake(const std::string& component);
  Status SyncHere();
  Status RemoveLeftovers();
  Status MakeTemporary(io::Folder* folder, std::string* name, std::unique_ptr<io::File>* file);

  void NoteDamage(std::string_view name, const Status& damage) {
    if (++damaged_ == 1) {
      first_damaged_ = name;
      first_damage_ = damage;
    }
  }

  Transfer transfer_;
  io::FolderPath folders_;
  const size_t prefix_bytes_;
  Transferred* const done_;
  Path at_;  // where it stands, each in form 0
  std::random_device random_;
  uint64_t damaged_ = 0;
  std::string first_damaged_;
  Status first_damage_;
};

Status Exporter::ExportBlock(std::string_view name) {
  SPW_RETURN_IF_ERROR(transfer_.Step(0));
  std::unique_ptr<StreamReader> block;
  BlockInfo info;
  Status damage = transfer_.Open(name, &block);
  damage = damage.ok() ? block->Info(&info) : damage;
  if (IsDamage(damage)) {
    NoteDamage(name, damage);
    return {};
  }
  SPW_RETURN_IF_ERROR(damage);
  const Path path = EncodeName(name.substr(prefix_bytes_));
  SPW_RETURN_IF_ERROR(GoTo(std::span(path).first(path.size() - 1)));
  const Result<io::Folder*> here = folders_.Here();
  SPW_RETURN_IF_ERROR(here.status());
  Target target;
  SPW_RETURN_IF_ERROR(FindTarget(here.value(), path.back(), info.length, &target));
  Transfer::Found found;
  if (target.existing != nullptr) {
    SPW_RETURN_IF_ERROR(transfer_.Compare(block.get(), target.existing.get(), &found));
    if (found.equal) {
      ++done_->equal;
      return target.existing->Sync();  // nobody may have done that yet
    }
    target.existing = nullptr;
  }
  damage = found.block;
  if (damage.ok()) {
    SPW_RETURN_IF_ERROR(Write(block.get(), info.length, target.name, &damage));
  }
  if (!damage.ok()) {
    NoteDamage(name, damage);
  }
  return {};
}

Status Exporter::Write(StreamReader* block, uint64_t length, const std::string& target,
                       Status* damage) {
  const Result<io::Folder*> here = folders_.Here();
  SPW_RETURN_IF_ERROR(here.status());
  io::Folder* const folder = here.value();
  std::string temporary;
  std::unique_ptr<io::File> to;
  SPW_RETURN_IF_ERROR(MakeTemporary(folder, &temporary, &to));
  Status status = Fill(block, length, to.get(), damage);
  if (status.ok() && damage->ok()) {
    status = folder->Rename(temporary, target);
  }
  if (!status.ok() || !damage->ok()) {
    static_cast<void>(folder->Remove(temporary));  // else the next export does
    return status;
  }
  ++done_->blocks;
  done_->bytes += length;
  return {};
}

Status Exporter::Fill(StreamReader* block, uint64_t length, io::File* to, Status* damage) {
  SPW_RETURN_IF_ERROR(block->Seek(0));
  for (uint64_t offset = 0; offset < length;) {
    uint64_t bytes_read = 0;
    const Status read = block->Read(transfer_.piece(), &bytes_read);
    if (IsDamage(read)) {
      *damage = read;
      return {};
    }
    SPW_RETURN_IF_ERROR(read);
    SPW_RETURN_IF_ERROR(to->WriteAt(offset, transfer_.piece().first(bytes_read)));
    SPW_RETURN_IF_ERROR(transfer_.Step(bytes_read));
    offset += bytes_read;
  }
  SPW_RETURN_IF_ERROR(to->Sync());
  Transfer::Found found;
  SPW_RETURN_IF_ERROR(transfer_.Compare(block, to, &found));
  *damage = found.block;
  return found.equal || !damage->ok()
             ? Status()
             : Status(Code::kIo, to->path() + ": holds something else than was written");
}

// A file that is there, in whatever form; else the first form that is no folder.
Status Exporter::FindTarget(io::Folder* folder, const std::string& component, uint64_t length,
                            Target* target) {
  for (size_t form = 0; form < kForms; ++form) {
    const std::string name = OtherForm(component, form);
    const Result<io::Entry> entry = folder->Look(name);
    if (!entry.ok() && entry.status().code() != Code::kNotFound) {
      return entry.status();
    }
    if (entry.ok() && entry.value().kind == io::EntryKind::kFile) {
      target->name = name;
      Result<std::unique_ptr<io::File>> file = folder->OpenFile(name, io::Open::kReadOnly);
      if (file.ok() && entry.value().size == length) {
        target->existing = std::move(file.value());
      }
      return {};
    }
    const bool taken = entry.ok() && entry.value().kind == io::EntryKind::kFolder;
    if (target->name.empty() && !taken) {
      target->name = name;
    }
  }
  return target->name.empty()
             ? Status(Code::kIo, folder->path() + "/" + component + ": folders stand in its place")
             : Status();
}

Status Exporter::GoTo(std::span<const std::string> components) {
  size_t same = 0;
  while (same < std::min(components.size(), at_.size()) && at_[same] == components[same]) {
    ++same;
  }
  while (at_.size() > same) {
    SPW_RETURN_IF_ERROR(SyncHere());
    folders_.Leave();
    at_.pop_back();
  }
  for (; same < components.size(); ++same) {
    SPW_RETURN_IF_ERROR(EnterOrMake(components[same]));
  }
  return {};
}

// A folder that is there, in whatever form; else the first form that is free.
Status Exporter::EnterOrMake(const std::string& component) {
  const Result<io::Folder*> here = folders_.Here();
  SPW_RETURN_IF_ERROR(here.status());
  io::Folder* const folder = here.value();
  std::string free;
  std::string found;
  for (size_t form = 0; form < kForms && found.empty(); ++form) {
    const std::string name = OtherForm(component, form);
    const Result<io::Entry> entry = folder->Look(name);
    if (entry.ok() && entry.value().kind == io::EntryKind::kFolder) {
      found = name;
    } else if (!entry.ok() && entry.status().code() != Code::kNotFound) {
      return entry.status();
    } else if (!entry.ok() && free.empty()) {
      free = name;
    }
  }
  if (found.empty() && free.empty()) {
    return {Code::kIo, folder->path() + "/" + component + ": files stand in its place"};
  }
  if (found.empty()) {
    SPW_RETURN_IF_ERROR(folder->MakeFolder(free));
    found = free;
  }
  SPW_RETURN_IF_ERROR(folders_.Enter(found));
  at_.push_back(component);
  return RemoveLeftovers();
}

Status Exporter::SyncHere() {
  const Result<io::Folder*> here = folders_.Here();
  SPW_RETURN_IF_ERROR(here.status());
  return here.value()->Sync();
}

Status Exporter::RemoveLeftovers() {
  const Result<io::Folder*> here = folders_.Here();
  SPW_RETURN_IF_ERROR(here.status());
  io::Folder* const folder = here.value();
  std::vector<std::string> names;
  SPW_RETURN_IF_ERROR(folder->List([&](std::string_view name) {
    if (IsTemporaryName(name)) {
      names.emplace_back(name);
    }
    return Status();
  }));
  for (const std::string& name : names) {
    const Result<std::unique_ptr<io::File>> file = folder->OpenFile(name, io::Open::kExisting);
    const Status locked = file.ok() ? file.value()->Lock() : file.status();
    if (locked.ok() || locked.code() == Code::kUnsupported) {
      static_cast<void>(folder->Remove(name));  // in nobody's way if it stays
    }
  }
  return {};
}

Status Exporter::MakeTemporary(io::Folder* folder, std::string* name,
                               std::unique_ptr<io::File>* file) {
  // Somebody who looks for leftovers may have it locked for a moment.
  for (int turn = 0;; ++turn) {
    *name = TemporaryName(uint64_t{random_()} << 32 | random_());
    Result<std::unique_ptr<io::File>> made = folder->OpenFile(*name, io::Open::kCreateNew);
    SPW_RETURN_IF_ERROR(made.status());
    const Status locked = made.value()->Lock();
    if (locked.ok() || locked.code() == Code::kUnsupported) {
      *file = std::move(made.value());
      return {};
    }
    static_cast<void>(folder->Remove(*name));
    if (locked.code() != Code::kBusy || turn == 3) {
      return locked;
    }
  }
}

// The folder that holds it lists it, on the device.
Status SyncRootsName(io::FileSystem* files, const std::string& folder, bool made) {
  const size_t end = folder.find_last_not_of('/');
  const Status status = files->SyncFolderOf(folder.substr(0, end + 1));
  // A folder that was there may lie in one that we may not read, where others saw to that.
  return status.os_code() == EACCES && !made ? Status() : status;
}

}  // namespace

Status ExportFolder(BlockFile* file, Transaction* txn, io::FileSystem* files,
                    std::string_view prefix, const std::string& folder, base::Operation* operation,
                    Transferred* done) {
  std::shared_ptr<Transaction> snapshot;
  if (txn == nullptr) {
    SPW_RETURN_IF_ERROR(file->Begin(true, &snapshot));
    txn = snapshot.get();
  }
  std::unique_ptr<Lister> lister;
  SPW_RETURN_IF_ERROR(file->List(txn, prefix, true, &lister));
  const Status made = files->MakeFolder(folder);
  if (!made.ok() && made.code() != Code::kAlreadyExists) {
    return made;
  }
  Result<std::unique_ptr<io::Folder>> root = OpenRoot(files, folder);
  SPW_RETURN_IF_ERROR(root.status());
  SPW_RETURN_IF_ERROR(SyncRootsName(files, folder, made.ok()));
  return Exporter(file, txn, std::move(root.value()), prefix.size(), operation, done)
      .Run(lister.get());
}

}  // namespace spillway::blockfile
