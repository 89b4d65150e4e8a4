#include "internal/blockfile/folder_transfer.h"

#include <algorithm>
#include <cerrno>

namespace spillway::blockfile {

using base::Code;
using base::Result;
using base::Status;

Status Transfer::Step(uint64_t bytes) {
  done_ += bytes;
  if (operation_ == nullptr) {
    return {};
  }
  operation_->SetProgress(done_, 0);
  return operation_->cancelled() ? Status(Code::kCancelled) : Status();
}

Status Transfer::Compare(StreamReader* block, io::File* file, Found* found) {
  *found = {};
  SPW_RETURN_IF_ERROR(block->Seek(0));
  for (uint64_t offset = 0;; offset += kPieceBytes) {
    size_t in_file = 0;
    SPW_RETURN_IF_ERROR(file->ReadAt(offset, one_, &in_file));
    SPW_RETURN_IF_ERROR(Step(in_file));
    uint64_t in_block = 0;
    const Status read = block->Read(other_, &in_block);
    if (IsDamage(read)) {
      found->block = read;
      return {};
    }
    SPW_RETURN_IF_ERROR(read);
    found->equal =
        std::equal(one_.data(), one_.data() + in_file, other_.data(), other_.data() + in_block);
    if (!found->equal || in_file < kPieceBytes) {
      return {};
    }
  }
}

Status Transfer::CompareFiles(io::File* one, io::File* other, bool* equal) {
  for (uint64_t offset = 0;; offset += kPieceBytes) {
    size_t in_one = 0;
    size_t in_other = 0;
    SPW_RETURN_IF_ERROR(one->ReadAt(offset, one_, &in_one));
    SPW_RETURN_IF_ERROR(other->ReadAt(offset, other_, &in_other));
    SPW_RETURN_IF_ERROR(Step(in_one + in_other));
    *equal = std::equal(one_.data(), one_.data() + in_one, other_.data(), other_.data() + in_other);
    if (!*equal || in_one < kPieceBytes) {
      return {};
    }
  }
}

Status About(std::string_view what, const Status& status) {
  return Status::Os(status.code(), status.os_code(),
                    [&] { return std::string(what) + ": " + std::string(status.message()); });
}

Result<std::unique_ptr<io::Folder>> OpenRoot(io::FileSystem* files, const std::string& path) {
  Result<std::unique_ptr<io::Folder>> folder = files->OpenFolder(path);
  if (!folder.ok() && folder.status().os_code() == ENOTDIR) {
    return folder.status().As(Code::kNotFound);
  }
  return folder;
}

}  // namespace spillway::blockfile
