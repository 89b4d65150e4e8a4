// A block file as tests want it: whole payloads as strings, one call each.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "internal/blockfile/block_file.h"
#include "internal/blockfile/lister.h"
#include "internal/blockfile/stream_reader.h"
#include "internal/blockfile/stream_writer.h"

namespace spillway::test {

class Blocks {
 public:
  using Status = base::Status;

  static base::Result<std::unique_ptr<Blocks>> Open(io::FileSystem* files, const std::string& path,
                                                    blockfile::OpenMode mode,
                                                    const blockfile::Settings& given) {
    blockfile::Settings settings = given;
    settings.mode = mode;
    auto opened = blockfile::BlockFile::Open(files, path, settings);
    if (!opened.ok()) {
      return opened.status();
    }
    return std::make_unique<Blocks>(std::move(opened.value()));
  }
  explicit Blocks(std::shared_ptr<blockfile::BlockFile> file) : file_(std::move(file)) {}

  blockfile::BlockFile* operator->() { return file_.get(); }
  blockfile::BlockFile* get() { return file_.get(); }

  Status Put(std::string_view name, std::string_view payload) {
    blockfile::PutItem item{.name = name, .payload = blockfile::AsBytes(payload)};
    return file_->Put(nullptr, {&item, 1});
  }
  Status Remove(std::string_view name) { return file_->Remove(nullptr, name); }
  Status Read(std::string_view name, std::string* payload) { return Read(nullptr, name, payload); }
  Status Read(blockfile::Transaction* txn, std::string_view name, std::string* payload) {
    blockfile::BlockInfo info;
    SPW_RETURN_IF_ERROR(file_->Stat(txn, name, &info));
    // Others may change it between the two: again as long as it may have been longer.
    for (uint64_t room = info.length + 1;; room *= 2) {
      payload->assign(room, '\0');
      uint64_t bytes_read = 0;
      const Status read = file_->Read(
          txn, name, 0, {reinterpret_cast<uint8_t*>(payload->data()), room}, &bytes_read);
      payload->resize(bytes_read);
      if (!read.ok() || bytes_read < room) {
        return read;
      }
    }
  }
  // So many bytes at a time. A full disk may take it when it is asked again.
  Status Stream(blockfile::Transaction* txn, std::string_view name, std::string_view payload,
                uint64_t piece, uint64_t expected = blockfile::kAnyVersion) {
    std::unique_ptr<blockfile::StreamWriter> writer;
    SPW_RETURN_IF_ERROR(file_->OpenWriter(txn, name, expected, &writer));
    for (uint64_t at = 0; at < payload.size(); at += piece) {
      const blockfile::Bytes bytes = blockfile::AsBytes(payload.substr(at, piece));
      const Status written = writer->Write(bytes);
      SPW_RETURN_IF_ERROR(written.code() == base::Code::kFull ? writer->Write(bytes) : written);
    }
    uint64_t version = 0;
    const Status status = writer->Commit(&version);
    return status.code() == base::Code::kFull ? writer->Commit(&version) : status;
  }
  Status ReadStream(blockfile::Transaction* txn, std::string_view name, uint64_t piece,
                    std::string* payload) {
    std::unique_ptr<blockfile::StreamReader> reader;
    SPW_RETURN_IF_ERROR(file_->OpenReader(txn, name, &reader));
    payload->clear();
    for (std::string some(piece, '\0');;) {
      uint64_t bytes_read = 0;
      SPW_RETURN_IF_ERROR(
          reader->Read({reinterpret_cast<uint8_t*>(some.data()), piece}, &bytes_read));
      payload->append(some, 0, bytes_read);
      if (bytes_read < piece) {
        return {};
      }
    }
  }
  Status Flush() { return file_->Flush(blockfile::Level::kDevice); }
  Status Checkpoint() { return file_->Flush(blockfile::Level::kCheckpoint); }
  Status Close() { return file_->Close(false); }

  Status ListNames(std::vector<std::string>* names) { return ListNames(nullptr, "", names); }
  Status ListNames(blockfile::Transaction* txn, std::string_view prefix,
                   std::vector<std::string>* names) {
    std::unique_ptr<blockfile::Lister> lister;
    SPW_RETURN_IF_ERROR(file_->List(txn, prefix, false, &lister));
    names->clear();
    for (blockfile::BlockPage page;;) {
      SPW_RETURN_IF_ERROR(lister->Next(7 + names->size() % 5, &page));
      if (page.count == 0) {
        return {};
      }
      for (uint64_t i = 0; i < page.count; ++i) {
        const uint64_t begin = page.name_offsets[i];
        names->push_back(page.names.substr(begin, page.name_offsets[i + 1] - begin));
      }
    }
  }
  // Every page is used by exactly what the space map says, and every structure is sound.
  Status CheckSpace(bool full = false) {
    blockfile::Report report;
    SPW_RETURN_IF_ERROR(file_->Verify(full, UINT64_MAX, nullptr, &report));
    return report.problems.empty()
               ? Status()
               : base::Corrupt(report.problems[0].name + ": " + report.problems[0].message);
  }

 private:
  std::shared_ptr<blockfile::BlockFile> file_;
};

}  // namespace spillway::test
