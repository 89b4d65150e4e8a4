#include "internal/blockfile/group.h"

#include <algorithm>
#include <cstring>

#include "internal/base/bytes.h"
#include "internal/base/check.h"

namespace spillway::blockfile {

using base::Status;

uint64_t Image::Append(Bytes payload) {
  const uint64_t first = pages_;
  const uint64_t pages = base::CeilDiv(payload.size(), page_bytes_);
  const uint64_t pages_per_piece = kPieceBytes / page_bytes_;
  while (pieces_.size() * pages_per_piece < first + pages) {
    pieces_.push_back(std::make_unique<uint8_t[]>(kPieceBytes));
  }
  const uint64_t end = (first + pages) * page_bytes_;
  for (uint64_t at = first * page_bytes_; at < end;) {
    uint8_t* const to = pieces_[at / kPieceBytes].get() + at % kPieceBytes;
    const uint64_t room = std::min(end - at, kPieceBytes - at % kPieceBytes);
    const uint64_t copied = std::min<uint64_t>(room, payload.size());
    std::memcpy(to, payload.data(), copied);
    std::memset(to + copied, 0, room - copied);
    payload = payload.subspan(copied);
    at += room;
  }
  pages_ += pages;
  return first;
}

Status Image::ForEachPiece(uint64_t page, uint64_t bytes,
                           const std::function<Status(Bytes)>& visit) const {
  for (uint64_t at = page * page_bytes_; bytes > 0;) {
    const uint64_t size = std::min(bytes, kPieceBytes - at % kPieceBytes);
    SPW_RETURN_IF_ERROR(visit({pieces_[at / kPieceBytes].get() + at % kPieceBytes, size}));
    at += size;
    bytes -= size;
  }
  return {};
}

void Image::Overwrite(uint64_t page, Bytes bytes) {
  for (uint64_t at = page * page_bytes_; !bytes.empty();) {
    const uint64_t size = std::min<uint64_t>(bytes.size(), kPieceBytes - at % kPieceBytes);
    std::memcpy(pieces_[at / kPieceBytes].get() + at % kPieceBytes, bytes.data(), size);
    bytes = bytes.subspan(size);
    at += size;
  }
}

void Group::Put(std::string_view name, Bytes payload, std::string_view tag, uint64_t version,
                int64_t modified_ns) {
  PendingChange change;
  change.tag = tag;
  change.version = version;
  change.modified_ns = modified_ns;
  change.length = payload.size();
  if (payload.size() <= inline_bytes_most_) {
    change.is_inline = true;
    change.inline_bytes = AsText(payload);
  } else {
    change.page = image_.Append(payload);
  }
  changes_.insert_or_assign(std::string(name), std::move(change));
}

void Group::Remove(std::string_view name, uint64_t version) {
  PendingChange change;
  change.removes = true;
  change.version = version;
  changes_.insert_or_assign(std::string(name), std::move(change));
}

const PendingChange* Group::Find(std::string_view name) const {
  const auto found = changes_.find(name);
  return found == changes_.end() ? nullptr : &found->second;
}

void Group::CopyPayload(const PendingChange& change, std::vector<uint8_t>* payload) const {
  payload->clear();
  payload->reserve(change.length);
  const auto add = [&](Bytes piece) -> Status {
    payload->insert(payload->end(), piece.begin(), piece.end());
    return {};
  };
  const Status status = change.is_inline ? add(AsBytes(change.inline_bytes))
                                         : image_.ForEachPiece(change.page, change.length, add);
  SPW_DCHECK(status.ok());
}

}  // namespace spillway::blockfile
