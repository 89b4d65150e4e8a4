// Versions, layout and other facts about the loaded library.

#include "spillway.h"

extern "C" {

uint32_t spw_abi_version(void) { return SPW_VERSION_MAJOR << 16 | SPW_VERSION_MINOR; }

const char* spw_version(void) { return SPW_VERSION; }

size_t spw_sizeof(int32_t struct_id) {
  switch (struct_id) {
    case SPW_STRUCT_SCAN:
      return sizeof(spw_scan);
    case SPW_STRUCT_VIEW:
      return sizeof(spw_view);
    case SPW_STRUCT_STATS:
      return sizeof(spw_stats);
    case SPW_STRUCT_STREAM_STATS:
      return sizeof(spw_stream_stats);
    case SPW_STRUCT_EVENT:
      return sizeof(spw_event);
    case SPW_STRUCT_SLICE:
      return sizeof(spw_slice);
    case SPW_STRUCT_BLOCK_INFO:
      return sizeof(spw_block_info);
    case SPW_STRUCT_BLOCK_VIEW:
      return sizeof(spw_block_view);
    case SPW_STRUCT_BLOCK_STATS:
      return sizeof(spw_block_stats);
    case SPW_STRUCT_VERIFY_SUMMARY:
      return sizeof(spw_verify_summary);
    case SPW_STRUCT_PROBLEM:
      return sizeof(spw_problem);
    case SPW_STRUCT_VACUUM_RESULT:
      return sizeof(spw_vacuum_result);
    case SPW_STRUCT_TRANSFER:
      return sizeof(spw_transfer);
    case SPW_STRUCT_RECORD_SUMMARY:
      return sizeof(spw_record_summary);
    case SPW_STRUCT_RECORD_RANGE:
      return sizeof(spw_record_range);
    default:
      return 0;
  }
}

}  // extern "C"
