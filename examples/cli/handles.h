// The library's handles as values that free themselves.
#ifndef SPILLWAY_CLI_HANDLES_H
#define SPILLWAY_CLI_HANDLES_H

#include <spillway.h>

#include <memory>

namespace spillway::cli {

template <auto kFree>
struct Freed {
  template <class Handle>
  void operator()(Handle* handle) const {
    kFree(handle);
  }
};

using File = std::unique_ptr<spw_file, Freed<spw_file_free>>;
using List = std::unique_ptr<spw_list, Freed<spw_list_free>>;
using Op = std::unique_ptr<spw_op, Freed<spw_op_free>>;
using Options = std::unique_ptr<spw_options, Freed<spw_options_free>>;
using Reader = std::unique_ptr<spw_reader, Freed<spw_reader_free>>;
using Report = std::unique_ptr<spw_report, Freed<spw_report_free>>;
using Store = std::unique_ptr<spw_store, Freed<spw_store_free>>;
using Transaction = std::unique_ptr<spw_txn, Freed<spw_txn_free>>;
using Writer = std::unique_ptr<spw_writer, Freed<spw_writer_free>>;

}  // namespace spillway::cli

#endif  // SPILLWAY_CLI_HANDLES_H
