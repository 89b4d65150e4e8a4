// The files below a folder into blocks: spw_file_import, whose contract stands in spillway_file.h.
//
// Memory is bounded by some MiB and the names in the folders on the way to the current one.
#pragma once

#include <string>
#include <string_view>

#include "internal/blockfile/folder_transfer.h"

namespace spillway::blockfile {

// operation may be null. *done tells what was done, also after a failure.
base::Status ImportFolder(BlockFile* file, io::FileSystem* files, const std::string& folder,
                          std::string_view prefix, base::Operation* operation, Transferred* done);

}  // namespace spillway::blockfile
