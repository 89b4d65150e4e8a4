// Blocks into the files below a folder: spw_file_export, whose contract stands in spillway_file.h.
//
// A file is written under a temporary name, made durable, read again and compared, and then
// renamed; a lock tells others that it is still being written, so that whoever finds one without a
// lock knows it for the remains of a crash and removes it.
#pragma once

#include <string>
#include <string_view>

#include "internal/blockfile/folder_transfer.h"

namespace spillway::blockfile {

// txn and operation may be null. *done tells what was done, also after a failure.
base::Status ExportFolder(BlockFile* file, Transaction* txn, io::FileSystem* files,
                          std::string_view prefix, const std::string& folder,
                          base::Operation* operation, Transferred* done);

}  // namespace spillway::blockfile
