# mimalloc 2.0.9, hidden and without override. Its source is unpacked once, for all build folders,
# by .ci/mimalloc (the distribution's source package, no other network needed) or, where there is no
# apt, downloaded from its own project pinned by hash.
set(source ${SPW_MIMALLOC_SOURCE})
if(NOT source)
  set(source ${PROJECT_SOURCE_DIR}/build/deps/mimalloc)
  if(NOT EXISTS ${source}/src/static.c)
    execute_process(COMMAND ${PROJECT_SOURCE_DIR}/.ci/mimalloc ${source} RESULT_VARIABLE failed)
    if(failed)
      include(FetchContent)
      FetchContent_Declare(mimalloc
        URL https://github.com/microsoft/mimalloc/archive/refs/tags/v2.0.9.tar.gz
        URL_HASH SHA256=4a29edae32a914a706715e2ac8e7e4109e25353212edeed0888f4e3e15db5850
        SOURCE_DIR ${source}
        SOURCE_SUBDIR no-cmake-of-its-own  # only unpacked: its own build makes the override variants
        DOWNLOAD_EXTRACT_TIMESTAMP ON)
      FetchContent_MakeAvailable(mimalloc)
    endif()
  endif()
endif()
if(NOT EXISTS ${source}/src/static.c)
  message(FATAL_ERROR "no mimalloc source in ${source}; see SPW_MIMALLOC_SOURCE")
endif()

# static.c is the whole allocator in one unit. MI_NO_GETENV: the environment of a host must not
# change how the library allocates or make it print. Thread-locals stay initial-exec, as upstream
# builds them: a few bytes of the loader's reserve.
add_library(spw_mimalloc_objects OBJECT ${source}/src/static.c)
target_include_directories(spw_mimalloc_objects SYSTEM PUBLIC ${source}/include)
target_compile_definitions(spw_mimalloc_objects PRIVATE MI_STATIC_LIB MI_NO_GETENV NDEBUG)
target_compile_options(spw_mimalloc_objects PRIVATE
  -O2 -w -fvisibility=hidden -ftls-model=initial-exec -fno-builtin-malloc
  -ffunction-sections -fdata-sections)
target_include_directories(spw_mimalloc SYSTEM INTERFACE ${source}/include)
target_compile_definitions(spw_mimalloc INTERFACE SPW_WITH_MIMALLOC=1)
