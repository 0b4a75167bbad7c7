# Installs the header, both libraries, a CMake package and cnf.pc. CMakeLists.txt includes this file.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/cnf)
install(FILES include/cnf.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS cnf cnf_static EXPORT cnf
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT cnf NAMESPACE cnf:: FILE cnf-targets.cmake DESTINATION ${package_folder})
configure_package_config_file(cmake/cnf-config.cmake.in cnf-config.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(cnf-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cnf-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/cnf-config-version.cmake
  DESTINATION ${package_folder})

# cnf.pc finds the prefix from where it lies itself, so that an installation may be moved.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  string(REGEX REPLACE "/$" "" PC_PREFIX "\${pcfiledir}/${PC_PREFIX}")
endif()
foreach(folder LIBDIR INCLUDEDIR)
  set(PC_${folder} "${CMAKE_INSTALL_${folder}}")
  if(NOT IS_ABSOLUTE "${PC_${folder}}")
    set(PC_${folder} "\${prefix}/${PC_${folder}}")
  endif()
endforeach()
list(TRANSFORM system_libraries PREPEND "-l" OUTPUT_VARIABLE PC_LIBRARIES)
list(JOIN PC_LIBRARIES " " PC_LIBRARIES)
configure_file(cmake/cnf.pc.in cnf.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cnf.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
