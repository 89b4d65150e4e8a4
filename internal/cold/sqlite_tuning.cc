#include "internal/cold/sqlite_tuning.h"

namespace spillway::cold {

// cell_size_check: the structure of a page that may be damaged or made up is checked when it is
// read. wal_autocheckpoint: the writer checkpoints by bytes, after a commit and not inside it.
std::string ConnectionPragmas(uint32_t cache_kib) {
  return "PRAGMA cache_size=-" + std::to_string(cache_kib) +
         ";PRAGMA synchronous=FULL;PRAGMA wal_autocheckpoint=0;PRAGMA temp_store=MEMORY;"
         "PRAGMA mmap_size=0;PRAGMA secure_delete=OFF;PRAGMA cell_size_check=ON;";
}

std::string DatabasePragmas(uint32_t page_bytes) {
  return "PRAGMA page_size=" + std::to_string(page_bytes) +
         ";PRAGMA auto_vacuum=INCREMENTAL;PRAGMA encoding='UTF-8';";
}

}  // namespace spillway::cold
