#include "internal/cold/block_write.h"

#include <memory>

#include "internal/blockfile/stream_writer.h"

namespace spillway::cold {

using base::Status;
using blockfile::BlockFile;
using record::Columns;

Status PutSmall(BlockFile* file, blockfile::Transaction* txn, std::string_view name, bool grows,
                std::span<const Columns> columns, Bytes tag, std::vector<uint8_t>* bytes) {
  for (const Columns& each : columns) {
    const uint8_t* const data = each.data;
    bytes->insert(bytes->end(), data + each.begin[0], data + each.begin[each.count]);
  }
  if (!grows) {
    blockfile::PutItem item{.name = name, .payload = *bytes, .tag = tag};
    return file->Put(txn, {&item, 1});
  }
  uint64_t length = 0;
  SPW_RETURN_IF_ERROR(file->Append(txn, name, *bytes, &length));
  return file->SetTag(txn, name, tag);
}

Status PutLarge(BlockFile* file, blockfile::Transaction* txn, std::string_view name,
                std::span<const Columns> columns, Bytes tag, Bytes head) {
  std::unique_ptr<blockfile::StreamWriter> writer;
  SPW_RETURN_IF_ERROR(file->OpenWriter(txn, name, blockfile::kAnyVersion, &writer, tag));
  SPW_RETURN_IF_ERROR(writer->Write(head));
  for (const Columns& each : columns) {
    SPW_RETURN_IF_ERROR(writer->Write({each.data + each.begin[0], each.payload_bytes()}));
  }
  uint64_t version = 0;
  return writer->Commit(&version);
}

}  // namespace spillway::cold
