# spw_add_layer(name [EXCEPT file...]): one OBJECT library spw_<name> from the .cc files of this
# folder. Objects and not archives: every file of a layer is in the library, called or not.
set_property(GLOBAL PROPERTY SPW_LAYERS "")

function(spw_add_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "EXCEPT")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  foreach(file IN LISTS arg_EXCEPT)
    list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  endforeach()
  if(NOT sources)  # CMake knows no empty object library
    file(CONFIGURE OUTPUT empty_layer.cc CONTENT "")
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/empty_layer.cc)
  endif()
  add_library(spw_${name} OBJECT ${sources})
  target_link_libraries(spw_${name} PRIVATE spw_library_flags spw_dependency_headers)
  set_property(GLOBAL APPEND PROPERTY SPW_LAYERS spw_${name})
endfunction()
