# SPDX-License-Identifier: MIT
#
# libnacre, shared and static, and all that is installed: headers, data, pkg-config, CMake package.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/nacre)

foreach(kind SHARED STATIC)
	if(NOT NACRE_${kind})
		continue()
	endif()
	if(kind STREQUAL "SHARED")
		set(target nacre)
	else()
		set(target nacre_static)
	endif()
	add_library(${target} ${kind} ${NACRE_OBJECTS})
	add_library(nacre::${target} ALIAS ${target})
	set_target_properties(${target} PROPERTIES OUTPUT_NAME nacre LINKER_LANGUAGE C)
	target_include_directories(${target} INTERFACE
		$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
		$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
	target_link_libraries(${target} PRIVATE Threads::Threads m ${CMAKE_DL_LIBS})
	foreach(library ZLIB PNG JPEG)
		if(${library}_FOUND)
			target_link_libraries(${target} PRIVATE ${library}::${library})
		endif()
	endforeach()
	if(NACRE_SANITIZE)
		target_link_options(${target} PUBLIC ${NACRE_SANITIZE_FLAGS})
	endif()
	# a target file of its own each: only the static library makes its users look for other libraries
	install(TARGETS ${target} EXPORT ${target}-targets
		LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
		ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
	install(EXPORT ${target}-targets NAMESPACE nacre:: DESTINATION ${package_dir})
endforeach()
if(NACRE_SHARED)
	set_target_properties(nacre PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${NACRE_ABI})
	if(NOT NACRE_SANITIZE AND NOT NACRE_FUZZ)
		target_link_options(nacre PRIVATE LINKER:--no-undefined)
	endif()
endif()

install(FILES include/nacre.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/nacre DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
install(DIRECTORY data/mnist DESTINATION ${CMAKE_INSTALL_DATADIR}/nacre)

# -- pkg-config: relocatable, the prefix is found from where the file lies -------------------------
file(RELATIVE_PATH NACRE_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" NACRE_PC_PREFIX "${NACRE_PC_PREFIX}")
set(NACRE_PC_REQUIRES)
if(ZLIB_FOUND)
	set(NACRE_PC_REQUIRES zlib)
endif()
if(PNG_FOUND)
	string(APPEND NACRE_PC_REQUIRES " libpng")
endif()
if(JPEG_FOUND)
	string(APPEND NACRE_PC_REQUIRES " libjpeg")
endif()
configure_file(cmake/nacre.pc.in nacre.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/nacre.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# -- find_package(nacre) ---------------------------------------------------------------------------
configure_package_config_file(cmake/nacre-config.cmake.in nacre-config.cmake
	INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(nacre-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/nacre-config.cmake
	${PROJECT_BINARY_DIR}/nacre-config-version.cmake DESTINATION ${package_dir})
