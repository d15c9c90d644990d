# SPDX-License-Identifier: MIT
#
# What every file of the project is compiled with: nacre_flags (the kernels) and nacre_strict (all
# the rest, with -Wconversion; in the kernels sizes, floats and vectors meet all over, and it
# would be noise).
add_library(nacre_flags INTERFACE)
target_include_directories(nacre_flags INTERFACE ${PROJECT_SOURCE_DIR}/include
	${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(nacre_flags INTERFACE _GNU_SOURCE)
target_compile_options(nacre_flags INTERFACE -fvisibility=hidden -fno-math-errno
	-ffp-contract=fast -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla)
target_link_libraries(nacre_flags INTERFACE Threads::Threads m ${CMAKE_DL_LIBS})
if(NACRE_WERROR)
	target_compile_options(nacre_flags INTERFACE -Werror)
endif()

# __FILE__ and, in releases, debug information name no folder of the machine that built it
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
	target_compile_options(nacre_flags INTERFACE -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
else()
	target_compile_options(nacre_flags INTERFACE -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
	# so that the linker of a program can leave out what it does not use (--gc-sections)
	target_compile_options(nacre_flags INTERFACE -ffunction-sections -fdata-sections)
endif()

if(ZLIB_FOUND)
	target_compile_definitions(nacre_flags INTERFACE NACRE_HAVE_ZLIB)
	target_link_libraries(nacre_flags INTERFACE ZLIB::ZLIB)
endif()
if(PNG_FOUND)
	target_compile_definitions(nacre_flags INTERFACE NACRE_HAVE_PNG)
	target_link_libraries(nacre_flags INTERFACE PNG::PNG)
endif()
if(JPEG_FOUND)
	target_compile_definitions(nacre_flags INTERFACE NACRE_HAVE_JPEG)
	target_link_libraries(nacre_flags INTERFACE JPEG::JPEG)
endif()

# The sanitizers at -O1: at -O0 the suite takes minutes.  Set for all files at once, so that the
# kernels can raise it.
if(NACRE_SANITIZE STREQUAL "address")
	set(NACRE_SANITIZE_FLAGS -fsanitize=address,undefined -fno-sanitize-recover=undefined)
elseif(NACRE_SANITIZE STREQUAL "thread")
	set(NACRE_SANITIZE_FLAGS -fsanitize=thread)
elseif(NACRE_SANITIZE STREQUAL "memory")
	# what libraries write that were built without it counts as uninitialized
	if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang" OR ZLIB_FOUND OR PNG_FOUND OR JPEG_FOUND)
		message(FATAL_ERROR "NACRE_SANITIZE=memory needs Clang, and NACRE_ZLIB, NACRE_PNG and "
			"NACRE_JPEG off: cmake --preset msan")
	endif()
	set(NACRE_SANITIZE_FLAGS -fsanitize=memory -fsanitize-memory-track-origins)
elseif(NACRE_SANITIZE)
	message(FATAL_ERROR "NACRE_SANITIZE is \"${NACRE_SANITIZE}\": expected address, thread, memory "
		"or nothing")
endif()
if(NACRE_SANITIZE)
	string(APPEND CMAKE_C_FLAGS_DEBUG " -O1")
	target_compile_options(nacre_flags INTERFACE ${NACRE_SANITIZE_FLAGS} -fno-omit-frame-pointer)
	target_link_options(nacre_flags INTERFACE ${NACRE_SANITIZE_FLAGS})
endif()
if(NACRE_FUZZ)
	if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
		message(FATAL_ERROR "NACRE_FUZZ needs Clang (libFuzzer): configure with CC=clang")
	endif()
	target_compile_options(nacre_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

add_library(nacre_strict INTERFACE)
target_link_libraries(nacre_strict INTERFACE nacre_flags)
target_compile_options(nacre_strict INTERFACE -Wconversion)
