#include "internal/blockfile/frame.h"

#include "internal/base/bytes.h"
#include "internal/base/checksum.h"

namespace spillway::blockfile {

using base::Status;

namespace {

// Header: magic u64, salt, number, previous sum, next page, body bytes, acknowledged (u64
// each), the body's digest in a field of 32 bytes, sum u64. Body: per change its key's bytes u16, 1
// for a value or 0 for a removal u16, the value's bytes u32, key, value.
constexpr uint64_t kMagic = 0x454d'4152'4657'5053;  // "SPWFRAME"

uint64_t SumOf(Bytes header, uint64_t salt) {
  return base::Hash64(header.first(kFrameHeaderBytes - 8), salt);
}

}  // namespace

void EncodeFrame(const std::vector<TreeChange>& changes, uint64_t page_bytes,
                 const Digester& digester, FrameHeader* header, std::vector<uint8_t>* out) {
  const size_t begin = out->size();
  Writer writer(out);
  out->resize(begin + kFrameHeaderBytes);
  for (const TreeChange& change : changes) {
    const Bytes value = change.value.value_or(Bytes());
    writer.Put(static_cast<uint16_t>(change.key.size()));
    writer.Put(uint16_t{change.value.has_value()});
    writer.Put(static_cast<uint32_t>(value.size()));
    writer.PutBytes(AsBytes(change.key));
    writer.PutBytes(value);
  }
  const size_t end = out->size();
  out->resize(begin + base::RoundUp(end - begin, page_bytes));
  const Bytes frame = Bytes(*out).subspan(begin);
  header->body_bytes = end - begin - kFrameHeaderBytes;
  header->body_digest =
      digester.OfFrameBody(header->salt, frame.subspan(kFrameHeaderBytes, header->body_bytes));
  uint8_t* at = out->data() + begin;
  for (const uint64_t number : {kMagic, header->salt, header->number, header->previous_sum,
                                header->next_page, header->body_bytes, header->acknowledged}) {
    at = Store(at, number);
  }
  at = StoreDigest(at, header->body_digest, kDigestBytesMost);
  header->sum = SumOf(frame, header->salt);
  Store(at, header->sum);
}

bool DecodeFrameHeader(Bytes bytes, FrameHeader* header) {
  Reader in(bytes);
  if (in.Get<uint64_t>() != kMagic) {
    return false;
  }
  header->salt = in.Get<uint64_t>();
  header->number = in.Get<uint64_t>();
  header->previous_sum = in.Get<uint64_t>();
  header->next_page = in.Get<uint64_t>();
  header->body_bytes = in.Get<uint64_t>();
  header->acknowledged = in.Get<uint64_t>();
  header->body_digest = in.GetDigest(kDigestBytesMost);
  header->sum = in.Get<uint64_t>();
  return in.ok() && header->sum == SumOf(bytes, header->salt);
}

Status DecodeFrameBody(const FrameHeader& header, Bytes body, const Digester& digester,
                       std::vector<TreeChange>* changes) {
  changes->clear();
  if (body.size() != header.body_bytes ||
      !(digester.OfFrameBody(header.salt, body) == header.body_digest)) {
    return Status(base::Code::kNotFound);
  }
  for (Reader in(body); in.left() > 0;) {
    const auto key_bytes = in.Get<uint16_t>();
    const auto has_value = in.Get<uint16_t>();
    const auto value_bytes = in.Get<uint32_t>();
    TreeChange change;
    change.key = AsText(in.GetBytes(key_bytes));
    const Bytes value = in.GetBytes(value_bytes);
    if (!in.ok() || has_value > 1 || (has_value == 0 && value_bytes != 0) ||
        (!changes->empty() && change.key <= changes->back().key)) {
      return base::Corrupt("journal: a frame whose changes make no sense");
    }
    if (has_value == 1) {
      change.value = value;
    }
    changes->push_back(change);
  }
  return {};
}

}  // namespace spillway::blockfile
