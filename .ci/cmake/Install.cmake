# headers, .so with its links, .a, pkg-config file and CMake package; all relocatable.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/spillway)

install(FILES spillway.h spillway_stats.h spillway_file.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS spillway EXPORT spillway LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT spillway FILE spillwayTargets.cmake NAMESPACE spillway:: DESTINATION ${package_dir})
if(TARGET spw_archive)
  install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()

configure_package_config_file(spillwayConfig.cmake.in spillwayConfig.cmake
  INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(spillwayConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/spillwayConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/spillwayConfigVersion.cmake
  DESTINATION ${package_dir})

file(RELATIVE_PATH pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(spillway.pc.in spillway.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/spillway.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
