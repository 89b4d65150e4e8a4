# How every file of ours is compiled. Third-party code gets none of this.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(SPW_CCACHE ccache)
if(SPW_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${SPW_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SPW_CCACHE})
endif()

if(SPW_SANITIZE)
  # -O1: the sanitizers' own advice, frames stay readable and the tests stay fast.
  add_compile_options(-fsanitize=${SPW_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -O1)
  add_link_options(-fsanitize=${SPW_SANITIZE})
endif()

add_library(spw_flags INTERFACE)
target_include_directories(spw_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/capi)
target_compile_options(spw_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wundef -Wshadow -Wconversion -Werror
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
# g++ 12 sees overlapping copies in std::string where there are none (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(spw_flags INTERFACE -Wno-restrict)
endif()

# What goes into the library: nothing visible unless the header says so, one section per function
# so that the linker can drop what nobody calls.
add_library(spw_library_flags INTERFACE)
target_link_libraries(spw_library_flags INTERFACE spw_flags)
target_compile_options(spw_library_flags INTERFACE
  -fvisibility=$<IF:$<BOOL:$<TARGET_PROPERTY:SPW_VISIBILITY>>,$<TARGET_PROPERTY:SPW_VISIBILITY>,hidden>
  $<$<COMPILE_LANGUAGE:CXX>:-fvisibility-inlines-hidden>
  -ffunction-sections -fdata-sections)
