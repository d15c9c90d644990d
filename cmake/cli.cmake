# SPDX-License-Identifier: MIT
#
# The command nacre, of the public headers alone.  Its manual page and completion are printed by the
# command itself, from the tables that it parses options with.
file(GLOB sources CONFIGURE_DEPENDS cli/*.c)
add_executable(nacre_cli ${sources})
set_target_properties(nacre_cli PROPERTIES OUTPUT_NAME nacre
	RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/cli)
target_compile_definitions(nacre_cli PRIVATE _GNU_SOURCE NACRE_CLI_ZLIB=$<BOOL:${ZLIB_FOUND}>
	NACRE_CLI_PNG=$<BOOL:${PNG_FOUND}> NACRE_CLI_JPEG=$<BOOL:${JPEG_FOUND}>)
target_compile_options(nacre_cli PRIVATE -Wall -Wextra -Wshadow -Wstrict-prototypes
	-Wmissing-prototypes -Wvla -Wconversion)
if(NACRE_WERROR)
	target_compile_options(nacre_cli PRIVATE -Werror)
endif()
if(NACRE_SANITIZE)
	target_compile_options(nacre_cli PRIVATE ${NACRE_SANITIZE_FLAGS})
endif()
if(NACRE_STATIC) # one file that needs no library of ours
	target_link_libraries(nacre_cli PRIVATE nacre::nacre_static m)
else()
	target_link_libraries(nacre_cli PRIVATE nacre::nacre m)
	set_target_properties(nacre_cli PROPERTIES
		INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
endif()
install(TARGETS nacre_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# -- the manual page and the completion -----------------------------------------------------------
# (no sanitizer reports its leaks here: it cannot under a debugger or some launchers)
set(printed)
foreach(kind man bash)
	set(file ${PROJECT_BINARY_DIR}/cli/nacre.${kind})
	add_custom_command(OUTPUT ${file}
		COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0
			${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:nacre_cli> help --${kind} > ${file}
		DEPENDS nacre_cli VERBATIM)
	list(APPEND printed ${file})
endforeach()
add_custom_target(nacre_cli_texts ALL DEPENDS ${printed})
install(FILES ${PROJECT_BINARY_DIR}/cli/nacre.man
	DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 RENAME nacre.1)
install(FILES ${PROJECT_BINARY_DIR}/cli/nacre.bash
	DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME nacre)

# -- tests/cli/<topic>.sh is the test cli/<topic> ---------------------------------------------------
if(NACRE_TESTS AND NOT CMAKE_CROSSCOMPILING)
	add_executable(test_cli_json tests/cli/json.c)
	# the command inside of a test, which brings main.c in
	set(inside ${sources})
	list(FILTER inside EXCLUDE REGEX "/main.c$")
	add_executable(test_cli_transfer tests/cli/transfer.c ${inside}
		$<TARGET_OBJECTS:nacre_test_main> ${NACRE_OBJECTS})
	target_link_libraries(test_cli_transfer PRIVATE nacre_strict)
	target_include_directories(test_cli_transfer PRIVATE tests cli)
	target_compile_definitions(test_cli_transfer PRIVATE NACRE_CLI_ZLIB=0 NACRE_CLI_PNG=0
		NACRE_CLI_JPEG=0 NACRE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
	add_test(NAME cli/transfer COMMAND ${NACRE_LAUNCHER} $<TARGET_FILE:test_cli_transfer>)
	set_tests_properties(cli/transfer PROPERTIES TIMEOUT ${NACRE_TIMEOUT} LABELS cli
		ENVIRONMENT "${NACRE_TEST_ENVIRONMENT}")
	file(GLOB tests CONFIGURE_DEPENDS tests/cli/*.sh)
	foreach(test ${tests})
		get_filename_component(name ${test} NAME_WE)
		if(name STREQUAL "common")
			continue()
		endif()
		add_test(NAME cli/${name} COMMAND ${NACRE_LAUNCHER} sh ${test}
			$<TARGET_FILE:nacre_cli> ${PROJECT_SOURCE_DIR} $<TARGET_FILE:test_cli_json>)
		set_tests_properties(cli/${name} PROPERTIES TIMEOUT ${NACRE_TIMEOUT} LABELS cli
			ENVIRONMENT "${NACRE_TEST_ENVIRONMENT}")
	endforeach()
endif()
