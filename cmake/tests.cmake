# SPDX-License-Identifier: MIT
#
# tests/<room>/<topic>.c is the program test_<room>_<topic> and the test <room>/<topic>.  It links
# the rooms up to its own; from op on, up to the backends, which do the arithmetic that the tests
# of ops and of the compiler check, and with the helpers of tests/support.

# Cross-compiled programs run under the toolchain's emulator.  Under a sanitizer all reports are
# fatal, and address space randomisation is off where that is allowed: with many random bits the
# shadow memory of older runtimes finds no place.
set(NACRE_TIMEOUT 300)
set(NACRE_LAUNCHER)
if(CMAKE_CROSSCOMPILING)
	set(NACRE_TIMEOUT 900)
	set(NACRE_LAUNCHER ${CMAKE_CROSSCOMPILING_EMULATOR})
elseif(NACRE_SANITIZE)
	set(NACRE_TIMEOUT 900)
	execute_process(COMMAND setarch -R true RESULT_VARIABLE refused OUTPUT_QUIET ERROR_QUIET)
	if("${refused}" STREQUAL "0")
		set(NACRE_LAUNCHER setarch -R)
	endif()
endif()
set(NACRE_TEST_ENVIRONMENT
	"ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
	"UBSAN_OPTIONS=print_stacktrace=1"
	"TSAN_OPTIONS=halt_on_error=1"
	"MSAN_OPTIONS=exitcode=1")

set(NACRE_UP_TO_op ${NACRE_UP_TO_backend})
set(NACRE_UP_TO_compile ${NACRE_UP_TO_backend})
file(GLOB support CONFIGURE_DEPENDS tests/support/*.c)
add_library(nacre_test_main OBJECT tests/main.c)
add_library(nacre_test_support OBJECT ${support})
foreach(helper nacre_test_main nacre_test_support)
	target_link_libraries(${helper} PRIVATE nacre_strict)
	target_include_directories(${helper} PRIVATE tests)
	target_compile_definitions(${helper} PRIVATE NACRE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endforeach()

set(helped FALSE)
foreach(room ${NACRE_ROOMS})
	if(room STREQUAL "op")
		set(helped TRUE)
	endif()
	file(GLOB tests CONFIGURE_DEPENDS tests/${room}/*.c)
	foreach(test ${tests})
		get_filename_component(name ${test} NAME_WE)
		set(target test_${room}_${name})
		add_executable(${target} ${test} $<TARGET_OBJECTS:nacre_test_main> ${NACRE_UP_TO_${room}})
		if(helped)
			target_sources(${target} PRIVATE $<TARGET_OBJECTS:nacre_test_support>)
		endif()
		target_link_libraries(${target} PRIVATE nacre_strict)
		target_include_directories(${target} PRIVATE tests)
		target_compile_definitions(${target} PRIVATE
			NACRE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
		add_test(NAME ${room}/${name} COMMAND ${NACRE_LAUNCHER} $<TARGET_FILE:${target}>)
		set_tests_properties(${room}/${name} PROPERTIES TIMEOUT ${NACRE_TIMEOUT}
			ENVIRONMENT "${NACRE_TEST_ENVIRONMENT}" LABELS ${room})
		# what TSan is for: tests that start threads of their own or the pool's
		file(STRINGS ${test} threaded REGEX "thread|nc_pool|nacre_fit" LIMIT_COUNT 1)
		if(threaded)
			set_property(TEST ${room}/${name} APPEND PROPERTY LABELS threads)
		endif()
	endforeach()
endforeach()

# -- examples that check themselves; tables are public data that do not come with the sources: the
# folder of NACRE_TABULAR, when the tests run ------------------------------------------------------
if(TARGET example_simple_models AND NOT CMAKE_CROSSCOMPILING)
	add_test(NAME examples/simple_models COMMAND ${NACRE_LAUNCHER} $<TARGET_FILE:example_simple_models>)
	add_test(NAME examples/tables COMMAND sh -c
		"if [ -d \"$NACRE_TABULAR\" ]; then exec \"$0\" \"$NACRE_TABULAR\"; fi
		echo 'skipped: NACRE_TABULAR names no folder with california-housing.csv and others'; exit 77"
		$<TARGET_FILE:example_simple_models>)
	set_tests_properties(examples/simple_models examples/tables PROPERTIES
		TIMEOUT ${NACRE_TIMEOUT} LABELS examples SKIP_RETURN_CODE 77)
endif()

# -- examples with few samples; what needs photos is skipped where they are not there -----------------
if(TARGET example_digits AND NOT CMAKE_CROSSCOMPILING)
	set(train_example sh ${PROJECT_SOURCE_DIR}/tests/examples.sh)
	add_test(NAME examples/digits COMMAND ${train_example} $<TARGET_FILE:example_digits> 0.5 1 2000)
	add_test(NAME examples/flowers COMMAND sh -c
		"exec sh \"$0\" \"$1\" 0.4 \"$NACRE_MOBILENET/model.json\" 6 320"
		${PROJECT_SOURCE_DIR}/tests/examples.sh $<TARGET_FILE:example_flowers>)
	add_test(NAME examples/denoise COMMAND ${train_example} $<TARGET_FILE:example_denoise> 11 2 1500)
	add_test(NAME examples/objects COMMAND ${train_example} $<TARGET_FILE:example_objects> 0.17 6 1500)
	add_test(NAME examples/saliency COMMAND ${train_example} $<TARGET_FILE:example_saliency> 0.5 1 2000)
	add_test(NAME examples/faces COMMAND ${train_example} $<TARGET_FILE:example_faces> 0.5 1 4)
	set_tests_properties(examples/digits examples/flowers examples/denoise examples/objects
		examples/saliency examples/faces PROPERTIES
		TIMEOUT ${NACRE_TIMEOUT} LABELS examples SKIP_RETURN_CODE 77)
endif()

# -- checks of the sources, the library and what is installed ------------------------------------------
find_program(NACRE_CXX NAMES $ENV{CXX} c++ g++ clang++)
set(compilers "CC=${CMAKE_C_COMPILER}")
if(NACRE_CXX)
	list(APPEND compilers "CXX=${NACRE_CXX}")
endif()
add_test(NAME check/includes COMMAND ${PROJECT_SOURCE_DIR}/script/check-includes)
add_test(NAME check/style COMMAND ${PROJECT_SOURCE_DIR}/script/check-style)
add_test(NAME check/headers COMMAND ${PROJECT_SOURCE_DIR}/script/check-headers)
set_tests_properties(check/includes check/style check/headers PROPERTIES LABELS check
	ENVIRONMENT "${compilers}")
if(NACRE_SHARED AND NOT NACRE_SANITIZE AND NOT NACRE_FUZZ AND NOT CMAKE_CROSSCOMPILING)
	add_test(NAME check/exports
		COMMAND ${PROJECT_SOURCE_DIR}/script/check-exports $<TARGET_FILE:nacre>)
	set_tests_properties(check/exports PROPERTIES LABELS check)

	foreach(what prefix c99 cpp17 static cmake moved)
		add_test(NAME install/${what}
			COMMAND ${PROJECT_SOURCE_DIR}/tests/consumer/run ${what} ${PROJECT_BINARY_DIR})
		set_tests_properties(install/${what} PROPERTIES LABELS install TIMEOUT 300
			ENVIRONMENT "${compilers}" SKIP_RETURN_CODE 77)
		if(what STREQUAL "prefix")
			set_tests_properties(install/prefix PROPERTIES FIXTURES_SETUP installed)
		else()
			set_tests_properties(install/${what} PROPERTIES FIXTURES_REQUIRED installed)
		endif()
	endforeach()
endif()
