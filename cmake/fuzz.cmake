# SPDX-License-Identifier: MIT
#
# Each fuzz/fuzz_<format>.c is a libFuzzer program, its seeds are fuzz/corpus/<format>: run all of
# them with script/fuzz.
file(GLOB targets CONFIGURE_DEPENDS fuzz/fuzz_*.c)
foreach(source ${targets})
	get_filename_component(target ${source} NAME_WE)
	add_executable(${target} ${source} ${NACRE_UP_TO_train})
	set_target_properties(${target} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
	target_link_libraries(${target} PRIVATE nacre_strict)
	target_link_options(${target} PRIVATE -fsanitize=fuzzer)
endforeach()
