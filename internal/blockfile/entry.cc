#include "internal/blockfile/entry.h"

#include <algorithm>
#include <string>

#include "internal/base/check.h"

namespace spillway::blockfile {

using base::Status;

namespace {

// Entry: kind u8, tag bytes u8, 0 u16, extents u32, block id, version, length, created, modified
// (u64 each), tag; then by kind: the payload; or the list; or where the list stands.
// List: per extent its first page and bytes (u64 each), then the digests.
enum class Kind : uint8_t { kInline = 0, kList = 1, kListElsewhere = 2 };

Status Damaged(const char* what) { return base::Corrupt(std::string("block entry: ") + what); }

Status CheckExtent(const Extent& extent, uint64_t page_bytes, uint64_t pages) {
  const uint64_t header_pages = kHeaderBytes / page_bytes;
  if (extent.bytes == 0 || extent.bytes > pages * page_bytes || extent.first_page < header_pages ||
      extent.run(page_bytes).pages > pages - std::min(pages, extent.first_page)) {
    return Damaged("an extent stands where none can");
  }
  return {};
}

Status GetList(Reader* in, uint64_t extents, uint64_t page_bytes, uint64_t pages, Entry* entry) {
  if (extents == 0 || extents > in->left() / sizeof(Extent)) {
    return Damaged("it has more extents than there is room for");
  }
  uint64_t bytes = 0;
  uint64_t chunks = 0;
  entry->extents.clear();
  for (uint64_t i = 0; i < extents; ++i) {
    const auto extent = in->Get<Extent>();
    SPW_RETURN_IF_ERROR(CheckExtent(extent, page_bytes, pages));
    if (extent.bytes > entry->length - bytes) {
      return Damaged("its extents do not add up to its length");
    }
    bytes += extent.bytes;
    chunks += extent.chunks();
    entry->extents.push_back(extent);
  }
  if (bytes != entry->length) {
    return Damaged("its extents do not add up to its length");
  }
  if (in->left() != chunks * sizeof(Digest)) {
    return Damaged("its chunks and digests do not agree");
  }
  entry->digests.clear();
  for (uint64_t i = 0; i < chunks; ++i) {
    entry->digests.push_back(in->Get<Digest>());
  }
  return {};
}

}  // namespace

void EncodeList(const Entry& entry, std::vector<uint8_t>* out) {
  Writer writer(out);
  for (const Extent& extent : entry.extents) {
    writer.Put(extent);
  }
  for (const Digest& digest : entry.digests) {
    writer.Put(digest);
  }
}

void EncodeEntry(const Entry& entry, const ListRef* list_ref, std::vector<uint8_t>* out) {
  SPW_DCHECK(entry.tag.size() <= kTagBytesMost);
  Writer writer(out);
  const Kind kind = list_ref != nullptr     ? Kind::kListElsewhere
                    : entry.extents.empty() ? Kind::kInline
                                            : Kind::kList;
  writer.Put(kind);
  writer.Put(static_cast<uint8_t>(entry.tag.size()));
  writer.Put(uint16_t{0});
  writer.Put(static_cast<uint32_t>(entry.extents.size()));
  writer.Put(entry.block_id);
  writer.Put(entry.version);
  writer.Put(entry.length);
  writer.Put(entry.created_ns);
  writer.Put(entry.modified_ns);
  writer.PutBytes(entry.tag);
  switch (kind) {
    case Kind::kInline:
      SPW_DCHECK(entry.inline_bytes.size() == entry.length);
      writer.PutBytes(entry.inline_bytes);
      break;
    case Kind::kList:
      EncodeList(entry, out);
      break;
    case Kind::kListElsewhere:
      writer.Put(list_ref->extent);
      writer.Put(list_ref->digest);
      break;
  }
}

Status DecodeEntry(Bytes bytes, uint64_t page_bytes, uint64_t pages, Entry* entry, bool* has_list,
                   ListRef* list_ref) {
  Reader in(bytes);
  const auto kind = in.Get<uint8_t>();
  const auto tag_bytes = in.Get<uint8_t>();
  const auto zero = in.Get<uint16_t>();
  const auto extents = in.Get<uint32_t>();
  *entry = {};
  *has_list = false;
  entry->block_id = in.Get<uint64_t>();
  entry->version = in.Get<uint64_t>();
  entry->length = in.Get<uint64_t>();
  entry->created_ns = in.Get<int64_t>();
  entry->modified_ns = in.Get<int64_t>();
  entry->tag = in.GetBytes(tag_bytes);
  if (!in.ok() || tag_bytes > kTagBytesMost || zero != 0) {
    return Damaged("its header is none");
  }
  switch (Kind{kind}) {
    case Kind::kInline:
      if (extents != 0 || entry->length != in.left()) {
        return Damaged("its payload has another length");
      }
      entry->inline_bytes = in.GetBytes(in.left());
      return {};
    case Kind::kList:
      return GetList(&in, extents, page_bytes, pages, entry);
    case Kind::kListElsewhere:
      list_ref->extent = in.Get<Extent>();
      list_ref->digest = in.Get<Digest>();
      if (!in.done()) {
        return Damaged("its header is none");
      }
      *has_list = true;
      // Until the list is there, its length says how many extents it must have.
      entry->extents.clear();
      return CheckExtent(list_ref->extent, page_bytes, pages);
  }
  return Damaged("of no known kind");
}

Status DecodeList(Bytes bytes, uint64_t page_bytes, uint64_t pages, Entry* entry) {
  Reader in(bytes);
  // The extents end where their bytes add up to the block's length.
  uint64_t extents = 0;
  uint64_t sum = 0;
  for (Reader scan(bytes); sum < entry->length && scan.left() >= sizeof(Extent); ++extents) {
    const auto extent = scan.Get<Extent>();
    if (extent.bytes > entry->length - sum) {
      return Damaged("its extents do not add up to its length");
    }
    sum += extent.bytes;
  }
  return GetList(&in, extents, page_bytes, pages, entry);
}

}  // namespace spillway::blockfile
