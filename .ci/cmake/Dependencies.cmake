# Four libraries, each a private static copy: SQLite, xxHash and nettle from the system's packages,
# mimalloc from source, because no distribution ships it as an archive without malloc override.
find_package(Threads REQUIRED)

# --- SQLite -------------------------------------------------------------------------------------
find_path(SPW_SQLITE_INCLUDE sqlite3.h REQUIRED)
find_library(SPW_SQLITE_ARCHIVE libsqlite3.a REQUIRED)
add_library(spw_sqlite STATIC IMPORTED GLOBAL)
set_target_properties(spw_sqlite PROPERTIES
  IMPORTED_LOCATION ${SPW_SQLITE_ARCHIVE}
  INTERFACE_INCLUDE_DIRECTORIES ${SPW_SQLITE_INCLUDE})

# --- xxHash -------------------------------------------------------------------------------------
# The packaged archive has the baseline (SSE2) code but not xxHash's own run-time dispatcher. So the
# packaged header is compiled once more for AVX2, and internal/base/xxh3_dispatch.c chooses.
find_path(SPW_XXHASH_INCLUDE xxhash.h REQUIRED)
find_library(SPW_XXHASH_ARCHIVE libxxhash.a REQUIRED)
add_library(spw_xxhash INTERFACE)
target_include_directories(spw_xxhash SYSTEM INTERFACE ${SPW_XXHASH_INCLUDE})
target_link_libraries(spw_xxhash INTERFACE ${SPW_XXHASH_ARCHIVE})

# --- nettle -------------------------------------------------------------------------------------
# For SHA-256; internal/base/sha256_dispatch.c says what is left out of it.
find_path(SPW_NETTLE_INCLUDE nettle/sha2.h REQUIRED)
find_library(SPW_NETTLE_ARCHIVE libnettle.a REQUIRED)
add_library(spw_nettle STATIC IMPORTED GLOBAL)
set_target_properties(spw_nettle PROPERTIES
  IMPORTED_LOCATION ${SPW_NETTLE_ARCHIVE}
  INTERFACE_INCLUDE_DIRECTORIES ${SPW_NETTLE_INCLUDE})

# --- mimalloc -----------------------------------------------------------------------------------
add_library(spw_mimalloc INTERFACE)
if(SPW_MALLOC STREQUAL "mimalloc")
  include(Mimalloc)
elseif(NOT SPW_MALLOC STREQUAL "system")
  message(FATAL_ERROR "SPW_MALLOC is '${SPW_MALLOC}', must be mimalloc or system")
endif()

# What our sources may include. Linking is a matter of the finished library and of the tests.
add_library(spw_dependency_headers INTERFACE)
target_include_directories(spw_dependency_headers SYSTEM INTERFACE
  ${SPW_SQLITE_INCLUDE} ${SPW_XXHASH_INCLUDE} ${SPW_NETTLE_INCLUDE})
