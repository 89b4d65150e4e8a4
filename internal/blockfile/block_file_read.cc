// Looking blocks up and reading them.
#include <algorithm>
#include <string>

#include "internal/base/bytes.h"
#include "internal/blockfile/block_file.h"

namespace spillway::blockfile {

using base::Code;
using base::MutexLock;
using base::Status;

Status BlockFile::FindCommitted(std::string_view name, Found* found) {
  TreeRoot registry;
  {
    MutexLock lock(mu_);
    found->pin = version_.pin;
    const auto overlaid = overlay_.find(name);
    if (overlaid != overlay_.end()) {
      if (overlaid->second.has_value()) {
        found->overlaid = *overlaid->second;
        found->value = found->overlaid;
      }
      return {};
    }
    registry = version_.registry;
  }
  return TreeFind(&pages_, registry, name, &found->page, &found->value);
}

Status BlockFile::DecodeWhole(Bytes value, Entry* entry, std::optional<ListRef>* list) {
  bool has_list = false;
  ListRef ref;
  SPW_RETURN_IF_ERROR(DecodeEntry(value, shape(), entry, &has_list, &ref));
  list->reset();
  if (!has_list) {
    return {};
  }
  *list = ref;
  std::vector<uint8_t> bytes(ref.extent.bytes);
  size_t bytes_read = 0;
  const uint64_t offset = ref.extent.first_page * page_bytes_;
  SPW_RETURN_IF_ERROR(file_->ReadAt(offset, bytes, &bytes_read));
  if (bytes_read < bytes.size() || !(digester_.OfPage(bytes) == ref.digest)) {
    return base::Corrupt(file_->path() + ": the list of a block's extents at offset " +
                         std::to_string(offset) + " is damaged");
  }
  return DecodeList(bytes, shape(), ref.extents, entry);
}

Status BlockFile::ReadProved(const Extent& extent, uint64_t block_id,
                             std::span<const Digest> digests, std::vector<uint8_t>* out) {
  const uint64_t begin = out->size();
  out->resize(begin + extent.bytes);
  size_t bytes_read = 0;
  const std::span<uint8_t> bytes = std::span(*out).subspan(begin);
  SPW_RETURN_IF_ERROR(file_->ReadAt(extent.first_page * page_bytes_, bytes, &bytes_read));
  for (uint64_t i = 0; i < extent.chunks(); ++i) {
    const uint64_t at = i * kChunkBytes;
    const uint64_t size = std::min(kChunkBytes, extent.bytes - at);
    const uint64_t page = extent.first_page + at / page_bytes_;
    if (at + size > bytes_read ||
        !(digester_.OfChunk(block_id, page, bytes.subspan(at, size)) == digests[i])) {
      return base::Corrupt(file_->path() + ": block " + std::to_string(block_id) + ": " +
                           std::to_string(size) + " bytes at offset " +
                           std::to_string(page * page_bytes_) + " are damaged");
    }
  }
  return {};
}

Status BlockFile::ReadExtents(const Entry& entry, std::vector<uint8_t>* payload) {
  payload->clear();
  payload->reserve(entry.length);
  uint64_t chunk = 0;
  for (const Extent& extent : entry.extents) {
    SPW_RETURN_IF_ERROR(ReadProved(
        extent, entry.block_id, std::span(entry.digests).subspan(chunk, extent.chunks()), payload));
    chunk += extent.chunks();
  }
  return {};
}

Status BlockFile::Read(std::string_view name, std::vector<uint8_t>* payload) {
  {
    MutexLock lock(mu_);
    if (closed_) {
      return Status(Code::kClosed);
    }
    for (const Group* group : {open_.get(), in_flight_.get()}) {
      const PendingChange* change = group == nullptr ? nullptr : group->Find(name);
      if (change != nullptr && change->removes) {
        return {Code::kNotFound, "no such block"};
      }
      if (change != nullptr) {
        group->CopyPayload(*change, payload);
        return {};
      }
    }
  }
  Found found;
  SPW_RETURN_IF_ERROR(FindCommitted(name, &found));
  if (!found.value.has_value()) {
    return {Code::kNotFound, "no such block"};
  }
  Entry entry;
  std::optional<ListRef> list;
  SPW_RETURN_IF_ERROR(DecodeWhole(*found.value, &entry, &list));
  if (entry.extents.empty()) {
    payload->assign(entry.inline_bytes.begin(), entry.inline_bytes.end());
    return {};
  }
  return ReadExtents(entry, payload);
}

Status BlockFile::Exists(std::string_view name, bool* exists) {
  {
    MutexLock lock(mu_);
    if (closed_) {
      return Status(Code::kClosed);
    }
    for (const Group* group : {open_.get(), in_flight_.get()}) {
      const PendingChange* change = group == nullptr ? nullptr : group->Find(name);
      if (change != nullptr) {
        *exists = !change->removes;
        return {};
      }
    }
  }
  Found found;
  SPW_RETURN_IF_ERROR(FindCommitted(name, &found));
  *exists = found.value.has_value();
  return {};
}

Status BlockFile::ListNames(std::vector<std::string>* names) {
  std::map<std::string, bool> changed;
  Version version;
  {
    MutexLock lock(mu_);
    version = version_;
    for (const auto& [name, value] : overlay_) {
      changed[name] = value.has_value();
    }
    for (const Group* group : {in_flight_.get(), open_.get()}) {
      if (group != nullptr) {
        for (const auto& [name, change] : group->changes()) {
          changed[name] = !change.removes;
        }
      }
    }
  }
  names->clear();
  TreeCursor cursor(&pages_, version.registry);
  SPW_RETURN_IF_ERROR(cursor.Seek(""));
  while (cursor.valid()) {
    if (!changed.contains(std::string(cursor.key()))) {
      names->emplace_back(cursor.key());
    }
    SPW_RETURN_IF_ERROR(cursor.Next());
  }
  for (const auto& [name, there] : changed) {
    if (there) {
      names->push_back(name);
    }
  }
  std::sort(names->begin(), names->end());
  return {};
}

}  // namespace spillway::blockfile
