# SPDX-License-Identifier: MIT
#
# The rooms of src/ as object libraries: NACRE_OBJECTS is all of them, NACRE_UP_TO_<room> what
# stands up to a room, that room included.

# -- the kernels' template, once per instruction set, by flags alone; best first ------------------
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
	set(NACRE_ISAS v4 v3 v2)
	check_c_compiler_flag(-march=x86-64-v4 NACRE_KNOWS_LEVELS)
	if(NOT NACRE_KNOWS_LEVELS)
		message(FATAL_ERROR "${CMAKE_C_COMPILER} does not know -march=x86-64-v4: "
			"needs GCC 11, Clang 12 or newer")
	endif()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
	set(NACRE_ISAS neon)
else()
	message(FATAL_ERROR "no kernels for ${CMAKE_SYSTEM_PROCESSOR}: needs x86-64 or aarch64")
endif()

# Even a debug build optimises the kernels: without, the tests take minutes instead of seconds.
add_library(nacre_kernel_flags INTERFACE)
target_link_libraries(nacre_kernel_flags INTERFACE nacre_flags)
if(NOT NACRE_PLAIN_KERNELS)
	target_compile_options(nacre_kernel_flags INTERFACE $<$<CONFIG:Debug>:-O2>)
endif()
# Clang 14's MemorySanitizer does not see what the vectorizer's scatters write.
if(NACRE_SANITIZE STREQUAL "memory")
	target_compile_options(nacre_kernel_flags INTERFACE -fno-vectorize -fno-slp-vectorize)
endif()
# What -O3 adds to -O2 is half as much code again and no speed (docs/decisions.md), but for the
# vectors of loops over lanes (vec.h).
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	target_compile_options(nacre_kernel_flags INTERFACE $<$<CONFIG:Release>:-O2
		-ftree-loop-vectorize -ftree-slp-vectorize -fvect-cost-model=dynamic>)
endif()

# Nothing is thrown through a kernel, which calls nobody: 50 KB of tables for it stay away.
target_compile_options(nacre_kernel_flags INTERFACE
	$<$<CONFIG:Release>:-fno-asynchronous-unwind-tables>)

set(NACRE_ISA_OBJECTS)
foreach(isa ${NACRE_ISAS})
	add_library(nacre_kernels_${isa} OBJECT src/kernels/isa.c)
	target_link_libraries(nacre_kernels_${isa} PRIVATE nacre_kernel_flags)
	target_compile_definitions(nacre_kernels_${isa} PRIVATE NC_ISA=${isa})
	if(NOT isa STREQUAL "neon")
		target_compile_options(nacre_kernels_${isa} PRIVATE -march=x86-64-${isa})
	endif()
	if(isa STREQUAL "v4") # else the compilers halve the vectors
		target_compile_options(nacre_kernels_v4 PRIVATE -mprefer-vector-width=512)
		target_compile_definitions(nacre_kernels_v4 PRIVATE NC_ISA_BF16)
		add_library(nacre_kernels_v4_bf16 OBJECT src/kernels/pairs.c)
		target_link_libraries(nacre_kernels_v4_bf16 PRIVATE nacre_kernel_flags)
		target_compile_options(nacre_kernels_v4_bf16 PRIVATE
			-march=x86-64-v4 -mavx512bf16 -mprefer-vector-width=512)
		list(APPEND NACRE_ISA_OBJECTS $<TARGET_OBJECTS:nacre_kernels_v4_bf16>)
	endif()
	list(APPEND NACRE_ISA_OBJECTS $<TARGET_OBJECTS:nacre_kernels_${isa}>)
endforeach()

# -- the rooms, lowest first; a room includes only what stands before it (script/check-includes) ---
set(NACRE_ROOMS base tensor kernels ir op compile backend nn format data train)
set(NACRE_SMALL_ROOMS ir op compile nn format train) # no loop over data here is hot
set(NACRE_OBJECTS ${NACRE_ISA_OBJECTS})
foreach(room ${NACRE_ROOMS})
	file(GLOB_RECURSE sources CONFIGURE_DEPENDS src/${room}/*.c)
	list(FILTER sources EXCLUDE REGEX "kernels/(isa|pairs)\\.c$")
	if(sources)
		add_library(nacre_${room} OBJECT ${sources})
		if(room STREQUAL "kernels")
			target_link_libraries(nacre_${room} PRIVATE nacre_kernel_flags)
		else()
			target_link_libraries(nacre_${room} PRIVATE nacre_strict)
		endif()
		if(room IN_LIST NACRE_SMALL_ROOMS)
			target_compile_options(nacre_${room} PRIVATE $<$<CONFIG:Release>:-Os>)
		endif()
		list(APPEND NACRE_OBJECTS $<TARGET_OBJECTS:nacre_${room}>)
	endif()
	set(NACRE_UP_TO_${room} ${NACRE_OBJECTS})
endforeach()
if(TARGET nacre_base)
	target_compile_definitions(nacre_base PRIVATE NACRE_VERSION="${PROJECT_VERSION}")
endif()
if(TARGET nacre_data)
	target_compile_definitions(nacre_data PRIVATE
		NACRE_DATA_DIR="${CMAKE_INSTALL_FULL_DATADIR}/nacre")
	if(NACRE_SOURCE_DATA)
		target_compile_definitions(nacre_data PRIVATE
			NACRE_DATA_SOURCE="${PROJECT_SOURCE_DIR}/data")
	endif()
endif()
