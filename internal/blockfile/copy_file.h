// All blocks of one moment of a file, with tags, times and versions, written into a new file one
// behind the other. Reads as any reader does, so the writer of the file does not notice.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "internal/base/operation.h"
#include "internal/base/status.h"
#include "internal/blockfile/engine.h"
#include "internal/blockfile/lister.h"
#include "internal/io/file.h"

namespace spillway::blockfile {

struct CopySource {
  Engine* engine = nullptr;
  std::unique_ptr<Lister> names;
  std::function<base::Status(std::string_view name, Block* block)> find;  // with tag and times
};

// The file appears under its name when it is whole and durable. kAlreadyExists; kBusy: somebody
// else copies to there; kCorrupt names the block.
base::Status CopyFile(CopySource* source, io::FileSystem* files, const std::string& path,
                      base::Operation* operation);

}  // namespace spillway::blockfile
