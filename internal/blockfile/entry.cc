#include "internal/blockfile/entry.h"

#include <algorithm>
#include <string>

#include "internal/base/check.h"

namespace spillway::blockfile {

using base::Status;

namespace {

// Entry: kind u8, tag bytes u8, codec u8, cipher u8, extents u32, block id, version, length,
// created, modified (u64 each), tag; then by kind: the payload; or the list; or where the list
// stands. List: per extent its first page and bytes (u64 each), then the digests.
enum class Kind : uint8_t { kInline = 0, kList = 1, kListElsewhere = 2 };

Status Damaged(const char* what) { return base::Corrupt(std::string("block entry: ") + what); }

Status CheckExtent(const Extent& extent, const Shape& shape) {
  const uint64_t header_pages = HeaderPages(shape.page_bytes);
  if (extent.bytes == 0 || extent.bytes > shape.pages * shape.page_bytes ||
      extent.first_page < header_pages ||
      extent.run(shape.page_bytes).pages > shape.pages - std::min(shape.pages, extent.first_page)) {
    return Damaged("an extent stands where none can");
  }
  return {};
}

Status GetList(Reader* in, uint32_t extents, const Shape& shape, Entry* entry) {
  if (extents == 0 || extents > in->left() / sizeof(Extent)) {
    return Damaged("it has more extents than there is room for");
  }
  uint64_t bytes = 0;
  uint64_t chunks = 0;
  entry->extents.reserve(extents);
  for (uint32_t i = 0; i < extents; ++i) {
    const auto extent = in->Get<Extent>();
    SPW_RETURN_IF_ERROR(CheckExtent(extent, shape));
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
  if (in->left() != chunks * shape.digest_bytes) {
    return Damaged("its chunks and digests do not agree");
  }
  entry->digests.reserve(chunks);
  for (uint64_t i = 0; i < chunks; ++i) {
    entry->digests.push_back(in->GetDigest(shape.digest_bytes));
  }
  return {};
}

}  // namespace

void EncodeList(const Entry& entry, uint64_t digest_bytes, std::vector<uint8_t>* out) {
  Writer writer(out);
  for (const Extent& extent : entry.extents) {
    writer.Put(extent);
  }
  for (const Digest& digest : entry.digests) {
    writer.PutDigest(digest, digest_bytes);
  }
}

void EncodeEntry(const Entry& entry, const ListRef* list_ref, uint64_t digest_bytes,
                 std::vector<uint8_t>* out) {
  SPW_DCHECK(entry.tag.size() <= kTagBytesMost);
  Writer writer(out);
  const Kind kind = list_ref != nullptr     ? Kind::kListElsewhere
                    : entry.extents.empty() ? Kind::kInline
                                            : Kind::kList;
  writer.Put(kind);
  writer.Put(static_cast<uint8_t>(entry.tag.size()));
  writer.Put(uint8_t{0});  // neither codec
  writer.Put(uint8_t{0});  // nor cipher
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
      EncodeList(entry, digest_bytes, out);
      break;
    case Kind::kListElsewhere:
      writer.Put(list_ref->extent);
      writer.PutDigest(list_ref->digest, digest_bytes);
      break;
  }
}

Status DecodeEntry(Bytes bytes, const Shape& shape, Entry* entry, bool* has_list,
                   ListRef* list_ref) {
  Reader in(bytes);
  const auto kind = in.Get<uint8_t>();
  const auto tag_bytes = in.Get<uint8_t>();
  const auto codec = in.Get<uint8_t>();
  const auto cipher = in.Get<uint8_t>();
  const auto extents = in.Get<uint32_t>();
  *has_list = false;
  entry->extents.clear();
  entry->digests.clear();
  entry->inline_bytes = {};
  entry->block_id = in.Get<uint64_t>();
  entry->version = in.Get<uint64_t>();
  entry->length = in.Get<uint64_t>();
  entry->created_ns = in.Get<int64_t>();
  entry->modified_ns = in.Get<int64_t>();
  entry->tag = in.GetBytes(tag_bytes);
  const auto is_number = [](uint64_t number) { return number > 0 && number < kNumberMost; };
  if (!in.ok() || tag_bytes > kTagBytesMost || !is_number(entry->block_id) ||
      !is_number(entry->version)) {
    return Damaged("its header is none");
  }
  if (codec != 0 || cipher != 0) {
    return {base::Code::kUnsupported, "block entry: coded in a way that is not known here"};
  }
  switch (Kind{kind}) {
    case Kind::kInline:
      if (extents != 0 || entry->length != in.left()) {
        return Damaged("its payload has another length");
      }
      entry->inline_bytes = in.GetBytes(in.left());
      return {};
    case Kind::kList:
      return GetList(&in, extents, shape, entry);
    case Kind::kListElsewhere:
      list_ref->extent = in.Get<Extent>();
      list_ref->digest = in.GetDigest(shape.digest_bytes);
      list_ref->extents = extents;
      if (!in.done() || extents == 0) {
        return Damaged("its header is none");
      }
      *has_list = true;
      return CheckExtent(list_ref->extent, shape);
  }
  return Damaged("of no known kind");
}

Status DecodeList(Bytes bytes, const Shape& shape, uint32_t extents, Entry* entry) {
  Reader in(bytes);
  entry->extents.clear();
  entry->digests.clear();
  return GetList(&in, extents, shape, entry);
}

}  // namespace spillway::blockfile
