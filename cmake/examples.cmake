# SPDX-License-Identifier: MIT
#
# Each file of examples/ is a program that sees the public headers alone.  With
# NACRE_STATIC_EXAMPLES they need no shared library at all, not even libc.
include(CheckLinkerFlag)
# tables of names and functions as bits instead of 24 bytes for each pointer: 80 KB of the demo
check_linker_flag(C LINKER:-z,pack-relative-relocs NACRE_PACKS_RELOCATIONS)
file(GLOB examples CONFIGURE_DEPENDS examples/*.c)
foreach(example ${examples})
	get_filename_component(name ${example} NAME_WE)
	add_executable(example_${name} ${example})
	set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name}
		RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
	target_compile_options(example_${name} PRIVATE -Wall -Wextra)
	if(NACRE_WERROR)
		target_compile_options(example_${name} PRIVATE -Werror)
	endif()
	if(NACRE_STATIC_EXAMPLES) # by name: what find_package found is a shared library
		add_dependencies(example_${name} nacre_static)
		target_include_directories(example_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
		target_link_options(example_${name} PRIVATE -static LINKER:--gc-sections)
		target_link_libraries(example_${name} PRIVATE $<TARGET_FILE:nacre_static> m
			Threads::Threads $<$<BOOL:${PNG_FOUND}>:-lpng> $<$<BOOL:${JPEG_FOUND}>:-ljpeg>
			$<$<BOOL:${ZLIB_FOUND}>:-lz> m)
	elseif(NACRE_SHARED)
		target_link_libraries(example_${name} PRIVATE nacre::nacre m)
	else()
		target_link_libraries(example_${name} PRIVATE nacre::nacre_static m)
		target_link_options(example_${name} PRIVATE LINKER:--gc-sections
			$<$<BOOL:${NACRE_PACKS_RELOCATIONS}>:LINKER:-z,pack-relative-relocs>)
	endif()
endforeach()
