# SPDX-License-Identifier: MIT
#
# Each file of bench/ is a program on the inside of the library.  Peers to measure against are used
# where they are installed.
set(peers)
set(peer_definitions)
find_path(NACRE_CBLAS_INCLUDE cblas.h PATH_SUFFIXES openblas openblas-pthread)
find_library(NACRE_OPENBLAS openblas)
if(NACRE_CBLAS_INCLUDE AND NACRE_OPENBLAS)
	list(APPEND peers ${NACRE_OPENBLAS})
	list(APPEND peer_definitions HAVE_OPENBLAS)
endif()
find_path(NACRE_DNNL_INCLUDE dnnl.h PATH_SUFFIXES oneapi/dnnl)
find_library(NACRE_DNNL dnnl)
if(NACRE_DNNL_INCLUDE AND NACRE_DNNL)
	list(APPEND peers ${NACRE_DNNL})
	list(APPEND peer_definitions HAVE_DNNL)
endif()

file(GLOB benches CONFIGURE_DEPENDS bench/*.c)
foreach(bench ${benches})
	get_filename_component(name ${bench} NAME_WE)
	add_executable(bench_${name} ${bench} ${NACRE_OBJECTS})
	set_target_properties(bench_${name} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
	target_link_libraries(bench_${name} PRIVATE nacre_strict ${peers})
	target_compile_definitions(bench_${name} PRIVATE ${peer_definitions}
		NACRE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
	foreach(folder ${NACRE_CBLAS_INCLUDE} ${NACRE_DNNL_INCLUDE})
		target_include_directories(bench_${name} SYSTEM PRIVATE ${folder})
	endforeach()
endforeach()
