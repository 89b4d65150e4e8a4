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

Status Transfer::Compare(std::string_view name, uint64_t length, io::File* file, Found* found) {
  *found = {};
  for (uint64_t offset = 0;; offset += kPieceBytes) {
    const uint64_t wanted = std::min(kPieceBytes, length - offset);
    size_t in_file = 0;
    SPW_RETURN_IF_ERROR(file->ReadAt(offset, one_, &in_file));
    SPW_RETURN_IF_ERROR(Step(in_file));
    if (in_file != wanted) {
      return {};
    }
    uint64_t in_block = 0;
    const Status read = file_->Read(txn_, name, offset, std::span(other_).first(wanted), &in_block);
    if (IsDamage(read)) {
      found->block = read;
      return {};
    }
    SPW_RETURN_IF_ERROR(read);
    if (in_block != wanted || !std::equal(one_.data(), one_.data() + wanted, other_.data())) {
      return {};
    }
    if (wanted < kPieceBytes) {
      found->equal = true;
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

Status Transfer::ReadPiece(std::string_view name, uint64_t offset, Bytes* piece) {
  uint64_t bytes_read = 0;
  SPW_RETURN_IF_ERROR(file_->Read(txn_, name, offset, one_, &bytes_read));
  *piece = Bytes(one_).first(bytes_read);
  return {};
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
