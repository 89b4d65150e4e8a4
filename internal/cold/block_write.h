// Puts one frame of records into a block file, within a transaction.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/block_file.h"
#include "internal/blockfile/transaction.h"
#include "internal/cold/block_format.h"
#include "internal/record/columns.h"

namespace spillway::cold {

// As a block of its own or (grows) at the end of the one of that name. *bytes: the frame's head.
base::Status PutSmall(blockfile::BlockFile* file, blockfile::Transaction* txn,
                      std::string_view name, bool grows, std::span<const record::Columns> columns,
                      Bytes tag, std::vector<uint8_t>* bytes);

// As a block of its own, from where the records lie.
base::Status PutLarge(blockfile::BlockFile* file, blockfile::Transaction* txn,
                      std::string_view name, std::span<const record::Columns> columns, Bytes tag,
                      Bytes head);

}  // namespace spillway::cold
