# libspillway.a: one object that contains everything, with all names local but spw_*. So a program may
# have its own SQLite, mimalloc or another C++ library next to it, and a C program needs no libstdc++.
# --force-group-allocation: groups of inline functions are dissolved; otherwise the final link could
# throw ours away for the program's copy of the same name, which is no longer ours to call.
set(archive ${CMAKE_CURRENT_BINARY_DIR}/libspillway.a)
set(objects $<TARGET_OBJECTS:spw_allocation>)
foreach(layer IN LISTS layers)
  list(APPEND objects $<TARGET_OBJECTS:${layer}>)
endforeach()
if(TARGET spw_mimalloc_objects)
  list(APPEND objects $<TARGET_OBJECTS:spw_mimalloc_objects>)
endif()

add_custom_command(OUTPUT ${archive}
  COMMAND ${PROJECT_SOURCE_DIR}/.ci/static_archive ${archive} ${CMAKE_CXX_COMPILER}
          ${objects} ${SPW_SQLITE_ARCHIVE} ${SPW_XXHASH_ARCHIVE} ${SPW_NETTLE_ARCHIVE}
  DEPENDS ${PROJECT_SOURCE_DIR}/.ci/static_archive ${objects}
          ${SPW_SQLITE_ARCHIVE} ${SPW_XXHASH_ARCHIVE} ${SPW_NETTLE_ARCHIVE}
  COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(spw_archive ALL DEPENDS ${archive})

add_library(spw_static STATIC IMPORTED GLOBAL)
add_library(spillway::static ALIAS spw_static)
add_dependencies(spw_static spw_archive)
set_target_properties(spw_static PROPERTIES
  IMPORTED_LOCATION ${archive}
  INTERFACE_INCLUDE_DIRECTORIES ${CMAKE_CURRENT_SOURCE_DIR}
  INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
