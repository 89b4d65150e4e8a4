// spw_list: the blocks of a file in the order of their names.

#include <algorithm>

#include "capi/arguments.h"
#include "capi/file_handles.h"
#include "capi/guard.h"
#include "capi/structs.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::InvalidArgument;
using spillway::base::Status;
using spillway::blockfile::BlockInfo;

namespace {

// A view takes some 180 bytes a block and a call some 50 ns: more in one would only cost memory.
constexpr uint64_t kBlocksPerView = 1024;

spw_block_view MakeView(const spw_list& list) {
  spw_block_view view = {};
  view.count = list.page.count;
  if (view.count > 0) {
    view.names = list.page.names.data();
    view.name_offsets = list.page.name_offsets.data();
    view.infos = list.names_only ? nullptr : list.infos.data();
  }
  return view;
}

}  // namespace

extern "C" {

spw_status spw_list_open(spw_file* file, spw_txn* txn, const char* prefix, size_t prefix_len,
                         uint32_t flags, spw_list** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    SPW_RETURN_IF_ERROR(CheckFile(file, txn));
    std::string_view begin;
    SPW_RETURN_IF_ERROR(CheckPrefix(prefix, prefix_len, "prefix", &begin));
    if ((flags & ~SPW_LIST_NAMES_ONLY) != 0) {
      return {Code::kUnsupported, "unknown flags " + std::to_string(flags) + " for a list"};
    }
    auto list = std::make_unique<spw_list>();
    list->fork_guard = file->fork_guard;
    list->names_only = (flags & SPW_LIST_NAMES_ONLY) != 0;
    SPW_RETURN_IF_ERROR(file->file->List(Of(txn), begin, list->names_only, &list->lister));
    *out = list.release();
    return {};
  });
}

spw_status spw_list_next(spw_list* list, uint64_t max_blocks, spw_block_view* out,
                         spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_block_view"));
    SoleCall<spw_list> call;
    SPW_RETURN_IF_ERROR(call.Enter(list));
    if (max_blocks == 0) {
      return InvalidArgument("max_blocks must be at least 1");
    }
    const uint64_t most = std::min(max_blocks, kBlocksPerView);
    list->infos.clear();
    if (!list->names_only) {
      list->infos.reserve(most);  // before the list moves on: from there nothing may fail
    }
    SPW_RETURN_IF_ERROR(list->lister->Next(most, &list->page));
    for (const BlockInfo& info : list->page.infos) {
      list->infos.push_back(MakeInfo(info));
    }
    WriteStruct(out, MakeView(*list));
    return {};
  });
}

spw_status spw_list_seek(spw_list* list, const char* name, size_t name_len, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SoleCall<spw_list> call;
    SPW_RETURN_IF_ERROR(call.Enter(list));
    std::string_view place;
    SPW_RETURN_IF_ERROR(CheckPrefix(name, name_len, "name", &place));
    return list->lister->Seek(place);
  });
}

void spw_list_free(spw_list* list) { FreeHandle(list); }

}  // extern "C"
