#include "internal/blockfile/lister.h"

#include <algorithm>

namespace spillway::blockfile {

using base::Code;
using base::Status;

static constexpr size_t kFetched = 256;
static constexpr uint64_t kBlocksMost = 4096;  // in one page

static void AddName(std::string_view name, BlockPage* page) {
  page->names.append(name);
  page->name_offsets.push_back(page->names.size());
  ++page->count;
}

Lister::Lister(std::shared_ptr<const Engine::Snapshot> snapshot, std::vector<Transaction::Own> own,
               std::string_view prefix, bool names_only)
    : snapshot_(std::move(snapshot)),
      own_(std::move(own)),
      prefix_(prefix),
      names_only_(names_only),
      next_(prefix),
      tree_(engine().pages(), snapshot_->view->registry) {}

Status Lister::Seek(std::string_view name) {
  const base::GateCall call(&engine().gate());
  if (!call.inside()) {
    return Status(Code::kClosed);
  }
  next_ = std::max<std::string_view>(name, prefix_);
  beyond_ = false;
  started_ = false;
  return {};
}

// More of the delta, behind what it gave last, or from the place to start.
Status Lister::Fetch() {
  if (at_ < some_.size() || !more_) {
    return {};
  }
  const bool beyond = some_.empty() ? beyond_ : true;
  const std::string from = some_.empty() ? next_ : some_.back().name;
  at_ = 0;
  SPW_RETURN_IF_ERROR(engine().ListDelta(*snapshot_, from, beyond, kFetched, &some_));
  more_ = some_.size() == kFetched;
  return {};
}

Status Lister::Start() {
  some_.clear();
  at_ = 0;
  more_ = true;
  const auto before = [&](const Transaction::Own& own, const std::string& name) {
    return beyond_ ? own.name <= name : own.name < name;
  };
  own_at_ =
      static_cast<size_t>(std::lower_bound(own_.begin(), own_.end(), next_, before) - own_.begin());
  SPW_RETURN_IF_ERROR(tree_.Seek(next_));
  if (beyond_ && tree_.valid() && tree_.key() == next_) {
    SPW_RETURN_IF_ERROR(tree_.Next());
  }
  started_ = true;
  return {};
}

Status Lister::AddEntry(std::string_view name, Bytes entry, BlockPage* page) {
  if (!names_only_) {
    // Without its list: nothing of it is asked for.
    std::array<std::byte, 2048> buffer;
    std::pmr::monotonic_buffer_resource memory(buffer.data(), buffer.size(),
                                               std::pmr::new_delete_resource());
    Entry decoded(&memory);
    bool has_list = false;
    ListRef list;
    SPW_RETURN_IF_ERROR(DecodeEntry(entry, engine().shape(), &decoded, &has_list, &list));
    BlockInfo& info = page->infos.emplace_back();
    info.length = decoded.length;
    info.version = decoded.version;
    info.created_ns = decoded.created_ns;
    info.modified_ns = decoded.modified_ns;
    info.tag_bytes = static_cast<uint32_t>(decoded.tag.size());
    std::copy(decoded.tag.begin(), decoded.tag.end(), info.tag.begin());
  }
  AddName(name, page);
  return {};
}

// For what waits in memory.
Status Lister::AddFound(std::string_view name, BlockPage* page) {
  if (!names_only_) {
    Block block;
    SPW_RETURN_IF_ERROR(engine().Find(snapshot_.get(), name, true, &block));
    page->infos.push_back(InfoOf(block));
  }
  AddName(name, page);
  return {};
}

// The next name, with what is known of it by whoever knows best. kNotFound: the end.
Status Lister::One(BlockPage* page) {
  SPW_RETURN_IF_ERROR(Fetch());
  const std::string* name = delta() != nullptr ? &delta()->name : nullptr;
  if (own() != nullptr && (name == nullptr || own()->name < *name)) {
    name = &own()->name;
  }
  if (tree_.valid() && (name == nullptr || tree_.key() < *name)) {
    if (!tree_.key().starts_with(prefix_)) {
      return Status(Code::kNotFound);
    }
    SPW_RETURN_IF_ERROR(AddEntry(tree_.key(), tree_.value(), page));
    return tree_.Next();
  }
  if (name == nullptr || !std::string_view(*name).starts_with(prefix_)) {
    return Status(Code::kNotFound);
  }
  const bool in_delta = delta() != nullptr && delta()->name == *name;
  const bool in_tree = tree_.valid() && tree_.key() == *name;
  if (own() != nullptr && own()->name == *name) {
    if (!own()->removes) {
      AddName(*name, page);
      page->infos.resize(names_only_ ? 0 : page->infos.size() + 1, own()->info);
    }
    ++own_at_;
  } else if (!delta()->removes) {
    SPW_RETURN_IF_ERROR(delta()->entry.empty() ? AddFound(*name, page)
                                               : AddEntry(*name, delta()->entry, page));
  }
  at_ += in_delta ? 1 : 0;
  return in_tree ? tree_.Next() : Status();
}

Status Lister::Next(uint64_t blocks_most, BlockPage* page) {
  page->names.clear();
  page->infos.clear();
  page->name_offsets.assign(1, 0);
  page->count = 0;
  const base::GateCall call(&engine().gate());  // a close waits until the file is not read
  if (!call.inside()) {
    return Status(Code::kClosed);
  }
  const uint64_t most = std::min(blocks_most, kBlocksMost);
  Status status = started_ ? Status() : Start();
  while (status.ok() && page->count < most) {
    status = One(page);
  }
  if (!status.ok() && status.code() != Code::kNotFound) {
    started_ = false;  // from next_ again
    return status;
  }
  if (page->count > 0) {
    const uint64_t begin = page->name_offsets[page->count - 1];
    next_ = page->names.substr(begin);
    beyond_ = true;
  }
  return {};
}

}  // namespace spillway::blockfile
