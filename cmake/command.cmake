# SPDX-License-Identifier: MIT
#
# The command nacre: cli/, on the public headers alone.  Installed, it finds its library beside it.
file(GLOB sources CONFIGURE_DEPENDS cli/*.c)
add_executable(nacre_command ${sources})
set_target_properties(nacre_command PROPERTIES OUTPUT_NAME nacre
	INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
target_compile_definitions(nacre_command PRIVATE _GNU_SOURCE)
target_compile_options(nacre_command PRIVATE -Wall -Wextra -Wshadow -Wstrict-prototypes
	-Wmissing-prototypes -Wvla -Wconversion)
if(NACRE_WERROR)
	target_compile_options(nacre_command PRIVATE -Werror)
endif()
if(NACRE_SANITIZE)
	target_compile_options(nacre_command PRIVATE ${NACRE_SANITIZE_FLAGS} -fno-omit-frame-pointer)
endif()
if(NACRE_SHARED)
	target_link_libraries(nacre_command PRIVATE nacre::nacre m)
else()
	target_link_libraries(nacre_command PRIVATE nacre::nacre_static m)
endif()
install(TARGETS nacre_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# tests/cli/<name>.sh: exits with 0; $NACRE is the command, $NACRE_SOURCE_DIR the source tree
if(NACRE_TESTS)
	file(GLOB tests CONFIGURE_DEPENDS tests/cli/*.sh)
	foreach(test ${tests})
		get_filename_component(name ${test} NAME_WE)
		add_test(NAME cli/${name} COMMAND sh ${test})
		set_tests_properties(cli/${name} PROPERTIES LABELS cli TIMEOUT ${NACRE_TIMEOUT}
			ENVIRONMENT "${NACRE_TEST_ENVIRONMENT};NACRE=$<TARGET_FILE:nacre_command>;NACRE_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
	endforeach()
endif()
