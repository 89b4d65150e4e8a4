#include "internal/blockfile/folder_import.h"

#include <algorithm>
#include <utility>

#include "internal/blockfile/folder_names.h"
#include "internal/blockfile/stream_writer.h"
#include "internal/io/folder_path.h"

namespace spillway::blockfile {
namespace {

using base::Code;
using base::Result;
using base::Status;
using Path = std::vector<std::string>;

constexpr uint64_t kGroupBytes = uint64_t{8} << 20;
constexpr size_t kGroupFiles = 1000;
// No path to a block's file is as long; deeper there are only folders, if they have an end.
constexpr size_t kPathBytesMost = 8192;

std::string Joined(const Path& path) {
  std::string text;
  for (const std::string& component : path) {
    text += (&component == path.data() ? "" : "/") + component;
  }
  return text;
}

// A file that is about to be a block, or just became one.
struct Item {
  Path path;
  std::string name;
  io::Entry entry;  // as it was when it was read
  uint64_t at = 0;  // of its bytes in the group's
};

class Importer {
 public:
  Importer(BlockFile* file, std::unique_ptr<io::Folder> root, std::string_view prefix,
           base::Operation* operation, Transferred* done)
      : transfer_(file, nullptr, operation),
        folders_(std::move(root)),
        prefix_(prefix),
        done_(done) {}

  Status Run() {
    SPW_RETURN_IF_ERROR(file()->Put(nullptr, {}));  // whether it may change at all
    SPW_RETURN_IF_ERROR(transfer_.Step(0));
    SPW_RETURN_IF_ERROR(Walk());
    SPW_RETURN_IF_ERROR(FinishGroup());
    return file()->Flush(Level::kDevice);
  }

 private:
  // The names in a folder, of which some were dealt with.
  struct Listing {
    std::vector<std::string> names;
    size_t next = 0;
  };

  BlockFile* file() const { return transfer_.file(); }
  // In depth, in the order of names.
  Status Walk();
  Status EnterFolder(const std::string& name, std::vector<Listing>* listings);
  Status ListHere(std::vector<Listing>* listings);
  Status AddFile(const std::string& name);
  Status AddTo(Item item, io::File* from);
  Status Stream(const Item& item, io::File* from);
  Status FinishGroup();
  Status Prove(const Item& item);
  Status CheckSame(const Item& item);
  Status IsEqual(StreamReader* block, const Item& item, io::File* from, bool* equal);
  Status FindTwin(const Item& item, bool* is_twin);

  // The folder of that path, and what stands there under its last name.
  Status GoTo(const Path& path, io::Folder** folder);
  Status Changed(const Path& path) const {
    return {Code::kConflict, Joined(path) + ": was changed while it was read"};
  }
  Transfer transfer_;
  io::FolderPath folders_;
  const std::string prefix_;
  Transferred* const done_;
  Path at_;  // the folder of the walk
  std::vector<Item> group_;
  std::vector<uint8_t> bytes_;  // of the group
};

Status Importer::Walk() {
  std::vector<Listing> listings;
  SPW_RETURN_IF_ERROR(ListHere(&listings));
  while (!listings.empty()) {
    Listing& listing = listings.back();
    if (listing.next == listing.names.size()) {
      listings.pop_back();
      if (!at_.empty()) {
        at_.pop_back();
      }
      continue;
    }
    const std::string name = std::move(listing.names[listing.next++]);
    SPW_RETURN_IF_ERROR(transfer_.Step(0));
    SPW_RETURN_IF_ERROR(folders_.MoveTo(at_));
    const Result<io::Folder*> here = folders_.Here();
    SPW_RETURN_IF_ERROR(here.status());
    const Result<io::Entry> entry = here.value()->Look(name);
    SPW_RETURN_IF_ERROR(entry.status());
    if (entry.value().kind == io::EntryKind::kFolder) {
      SPW_RETURN_IF_ERROR(EnterFolder(name, &listings));
    } else if (entry.value().kind == io::EntryKind::kOther || IsTemporaryName(name)) {
      ++done_->ignored;
    } else {
      SPW_RETURN_IF_ERROR(AddFile(name));
    }
  }
  return {};
}

Status Importer::EnterFolder(const std::string& name, std::vector<Listing>* listings) {
  at_.push_back(name);
  if (Joined(at_).size() > kPathBytesMost) {
    return base::InvalidArgument(Joined(at_) + ": too deep to be the path of a block");
  }
  SPW_RETURN_IF_ERROR(folders_.Enter(name));
  return ListHere(listings);
}

Status Importer::ListHere(std::vector<Listing>* listings) {
  const Result<io::Folder*> here = folders_.Here();
  SPW_RETURN_IF_ERROR(here.status());
  listings->emplace_back();
  std::vector<std::string>* const names = &listings->back().names;
  SPW_RETURN_IF_ERROR(here.value()->List([&](std::string_view name) {
    names->emplace_back(name);
    return Status();
  }));
  std::sort(names->begin(), names->end());
  return {};
}

Status Importer::AddFile(const std::string& name) {
  Item item;
  item.path = at_;
  item.path.push_back(name);
  item.name = prefix_ + DecodePath(item.path);
  std::unique_ptr<StreamReader> there;
  const Status opened = transfer_.Open(item.name, &there);
  if (opened.code() == Code::kInvalidArgument) {
    return About(Joined(item.path), opened);
  }
  SPW_RETURN_IF_ERROR(IsDamage(opened) || opened.code() == Code::kNotFound ? Status() : opened);
  bool is_twin = false;
  SPW_RETURN_IF_ERROR(FindTwin(item, &is_twin));
  if (is_twin) {
    ++done_->ignored;
    return {};
  }
  io::Folder* folder = nullptr;
  SPW_RETURN_IF_ERROR(GoTo(item.path, &folder));
  const Result<io::Entry> entry = folder->Look(name);
  SPW_RETURN_IF_ERROR(entry.status());
  item.entry = entry.value();
  const Result<std::unique_ptr<io::File>> from = folder->OpenFile(name, io::Open::kReadOnly);
  SPW_RETURN_IF_ERROR(from.status());
  if (opened.ok()) {
    bool equal = false;
    SPW_RETURN_IF_ERROR(IsEqual(there.get(), item, from.value().get(), &equal));
    if (equal) {
      ++done_->equal;
      return CheckSame(item);
    }
  }
  return item.entry.size > kGroupBytes ? Stream(item, from.value().get())
                                       : AddTo(std::move(item), from.value().get());
}

// Small ones wait for others.
Status Importer::AddTo(Item item, io::File* from) {
  if (bytes_.size() + item.entry.size > kGroupBytes || group_.size() == kGroupFiles) {
    SPW_RETURN_IF_ERROR(FinishGroup());
  }
  item.at = bytes_.size();
  bytes_.resize(item.at + item.entry.size);
  size_t bytes_read = 0;
  SPW_RETURN_IF_ERROR(
      from->ReadAt(0, std::span(bytes_).subspan(item.at, item.entry.size), &bytes_read));
  if (bytes_read < item.entry.size) {
    return Changed(item.path);
  }
  SPW_RETURN_IF_ERROR(CheckSame(item));
  group_.push_back(std::move(item));
  return transfer_.Step(bytes_read);
}

Status Importer::FinishGroup() {
  std::vector<PutItem> items(group_.size());
  for (size_t i = 0; i < group_.size(); ++i) {
    items[i].name = group_[i].name;
    items[i].payload = Bytes(bytes_).subspan(group_[i].at, group_[i].entry.size);
  }
  if (!items.empty()) {
    SPW_RETURN_IF_ERROR(file()->Put(nullptr, items));
    SPW_RETURN_IF_ERROR(file()->Flush(Level::kKernel));  // so that it is read from there
  }
  for (const Item& item : group_) {
    SPW_RETURN_IF_ERROR(Prove(item));
  }
  group_.clear();
  bytes_.clear();
  return {};
}

Status Importer::Stream(const Item& item, io::File* from) {
  std::unique_ptr<StreamWriter> writer;
  SPW_RETURN_IF_ERROR(file()->OpenWriter(nullptr, item.name, kAnyVersion, &writer));
  const std::span<uint8_t> piece = transfer_.piece();
  for (uint64_t offset = 0; offset < item.entry.size; offset += piece.size()) {
    size_t bytes_read = 0;
    SPW_RETURN_IF_ERROR(from->ReadAt(offset, piece, &bytes_read));
    if (bytes_read != std::min<uint64_t>(piece.size(), item.entry.size - offset)) {
      return Changed(item.path);
    }
    SPW_RETURN_IF_ERROR(writer->Write(piece.first(bytes_read)));
    SPW_RETURN_IF_ERROR(transfer_.Step(bytes_read));
  }
  SPW_RETURN_IF_ERROR(CheckSame(item));
  uint64_t version = 0;
  SPW_RETURN_IF_ERROR(writer->Commit(&version));
  SPW_RETURN_IF_ERROR(file()->Flush(Level::kKernel));
  return Prove(item);
}

// The block holds what the file holds, and the file is what it was.
Status Importer::Prove(const Item& item) {
  io::Folder* folder = nullptr;
  SPW_RETURN_IF_ERROR(GoTo(item.path, &folder));
  const Result<std::unique_ptr<io::File>> from =
      folder->OpenFile(item.path.back(), io::Open::kReadOnly);
  SPW_RETURN_IF_ERROR(from.status());
  std::unique_ptr<StreamReader> block;
  const Status opened = transfer_.Open(item.name, &block);
  SPW_RETURN_IF_ERROR(opened.ok() ? Status() : About(Joined(item.path), opened));
  Transfer::Found found;
  SPW_RETURN_IF_ERROR(transfer_.Compare(block.get(), from.value().get(), &found));
  SPW_RETURN_IF_ERROR(found.block.ok() ? Status() : About(Joined(item.path), found.block));
  SPW_RETURN_IF_ERROR(CheckSame(item));
  if (!found.equal) {
    return {Code::kConflict, Joined(item.path) + ": it or its block was changed meanwhile"};
  }
  ++done_->blocks;
  done_->bytes += item.entry.size;
  return {};
}

Status Importer::IsEqual(StreamReader* block, const Item& item, io::File* from, bool* equal) {
  BlockInfo info;
  SPW_RETURN_IF_ERROR(block->Info(&info));
  if (info.length != item.entry.size) {
    return {};
  }
  Transfer::Found found;
  SPW_RETURN_IF_ERROR(transfer_.Compare(block, from, &found));
  *equal = found.equal;
  return {};
}

Status Importer::CheckSame(const Item& item) {
  io::Folder* folder = nullptr;
  SPW_RETURN_IF_ERROR(GoTo(item.path, &folder));
  const Result<io::Entry> now = folder->Look(item.path.back());
  if (!now.ok() && now.status().code() != Code::kNotFound) {
    return now.status();
  }
  return now.ok() && now.value() == item.entry ? Status() : Changed(item.path);
}

Status Importer::GoTo(const Path& path, io::Folder** folder) {
  SPW_RETURN_IF_ERROR(folders_.MoveTo(std::span(path).first(path.size() - 1)));
  const Result<io::Folder*> here = folders_.Here();
  SPW_RETURN_IF_ERROR(here.status());
  *folder = here.value();
  return {};
}

// A file that stands for itself or is in another form may have the name of one that stands where an
// export would have put it. Then they must be equal, and that one counts.
Status Importer::FindTwin(const Item& item, bool* is_twin) {
  const Path plain = EncodeName(std::string_view(item.name).substr(prefix_.size()));
  if (plain == item.path) {
    return {};
  }
  SPW_RETURN_IF_ERROR(folders_.MoveTo({}));
  io::Folder* folder = nullptr;
  for (const std::string& name : plain) {
    const Result<io::Folder*> here = folders_.Here();
    SPW_RETURN_IF_ERROR(here.status());
    folder = here.value();
    const Result<io::Entry> entry = folder->Look(name);
    if (!entry.ok()) {
      return entry.status().code() == Code::kNotFound ? Status() : entry.status();
    }
    const bool last = &name == &plain.back();
    if (entry.value().kind != (last ? io::EntryKind::kFile : io::EntryKind::kFolder)) {
      return {};
    }
    SPW_RETURN_IF_ERROR(last ? Status() : folders_.Enter(name));
  }
  const Result<std::unique_ptr<io::File>> twin =
      folder->OpenFile(plain.back(), io::Open::kReadOnly);
  SPW_RETURN_IF_ERROR(twin.status());
  SPW_RETURN_IF_ERROR(GoTo(item.path, &folder));
  const Result<std::unique_ptr<io::File>> own =
      folder->OpenFile(item.path.back(), io::Open::kReadOnly);
  SPW_RETURN_IF_ERROR(own.status());
  SPW_RETURN_IF_ERROR(transfer_.CompareFiles(twin.value().get(), own.value().get(), is_twin));
  return *is_twin ? Status()
                  : base::InvalidArgument(Joined(item.path) + ": and " + Joined(plain) +
                                          " are different files of one block");
}

}  // namespace

Status ImportFolder(BlockFile* file, io::FileSystem* files, const std::string& folder,
                    std::string_view prefix, base::Operation* operation, Transferred* done) {
  Result<std::unique_ptr<io::Folder>> root = OpenRoot(files, folder);
  SPW_RETURN_IF_ERROR(root.status());
  return Importer(file, std::move(root.value()), prefix, operation, done).Run();
}

}  // namespace spillway::blockfile
