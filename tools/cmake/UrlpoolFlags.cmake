# How urlpool's own code is compiled: language, warnings, hardening, sanitizers.
#
# urlpool_flags          everything below, for every object of ours
# urlpool_library_flags  what is asked of lib/ and not of tests and programs

add_library(urlpool_flags INTERFACE)
add_library(urlpool_library_flags INTERFACE)

target_compile_features(urlpool_flags INTERFACE c_std_11)
# Empty, as a file that writes `#define _GNU_SOURCE` defines it, so that both may stand.
target_compile_definitions(urlpool_flags INTERFACE _GNU_SOURCE=)
target_compile_options(urlpool_flags INTERFACE
  -fno-strict-aliasing -fvisibility=hidden -fno-common
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wold-style-definition -Wwrite-strings -Wvla
  -Wformat=2 -Wundef -Wpointer-arith -Wimplicit-fallthrough)
target_compile_options(urlpool_library_flags INTERFACE
  -fPIC -Wpedantic -Wmissing-prototypes -Wconversion -Wno-sign-conversion)

if(CMAKE_C_COMPILER_ID MATCHES "Clang")
  target_compile_options(urlpool_library_flags INTERFACE -Wthread-safety -Wthread-safety-negative)
endif()
if(URLPOOL_WERROR)
  target_compile_options(urlpool_flags INTERFACE -Werror)
endif()
if(URLPOOL_CHECKED)
  target_compile_definitions(urlpool_flags INTERFACE URLP_CHECKED=1)
endif()

if(URLPOOL_SANITIZE)
  set(urlpool_sanitizers -fsanitize=${URLPOOL_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_compile_options(urlpool_flags INTERFACE ${urlpool_sanitizers})
  target_link_options(urlpool_flags INTERFACE ${urlpool_sanitizers})
else()
  target_compile_options(urlpool_library_flags INTERFACE -ffunction-sections -fdata-sections)
  target_compile_options(urlpool_flags INTERFACE -fstack-protector-strong)
endif()

# --- hardening --------------------------------------------------------------------------------

# docs/decisions/0040-static.md says what each is for. tools/boringssl/CMakeLists.txt does the same.
if(URLPOOL_HARDENING AND NOT URLPOOL_SANITIZE)
  include(CheckCCompilerFlag)
  include(CheckCSourceCompiles)
  include(CMakePushCheckState)
  cmake_push_check_state(RESET)
  set(CMAKE_REQUIRED_FLAGS "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -Werror")
  check_c_source_compiles("#include <stdio.h>\nint main(void) { return 0; }" URLP_HAS_FORTIFY_3)
  cmake_pop_check_state()
  set(urlp_fortify 2)
  if(URLP_HAS_FORTIFY_3)
    set(urlp_fortify 3)
  endif()
  set(urlp_hardened -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${urlp_fortify})
  foreach(flag stack-clash-protection cf-protection=full) # the second is x86's alone
    string(MAKE_C_IDENTIFIER "URLP_HAS_${flag}" has)
    check_c_compiler_flag(-f${flag} ${has})
    if(${has})
      list(APPEND urlp_hardened -f${flag})
    endif()
  endforeach()
  set(urlp_is_release $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
  target_compile_options(urlpool_flags INTERFACE "$<${urlp_is_release}:${urlp_hardened}>")
  target_link_options(urlpool_flags INTERFACE
    "$<${urlp_is_release}:LINKER:-z,relro,-z,now;LINKER:-z,noexecstack>")
endif()

# --- the files of a release together ----------------------------------------------------------

# docs/decisions/0056-optimised-together.md. The libraries of a release are optimised as a whole by
# gcc; what they consist of afterwards is ordinary code, which any compiler links. Unit tests are
# linked from the same objects one by one, so these keep their own code beside it.
#
# urlp_together          for whatever links the objects so
# urlp_together_joined   the same where they become one object: only URLPOOL_API is seen from outside
set(urlp_together)
set(urlp_together_joined)
if(URLPOOL_TOGETHER AND NOT URLPOOL_SANITIZE AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  set(urlp_is_together $<CONFIG:Release,RelWithDebInfo>)
  target_compile_options(urlpool_library_flags INTERFACE
    "$<${urlp_is_together}:-flto;-ffat-lto-objects>")
  target_link_options(urlpool_flags INTERFACE "$<${urlp_is_together}:-fno-lto>")
  set(urlp_together -flto -flto-partition=one -O3 -fPIC -fno-strict-aliasing -fstack-protector-strong
    ${urlp_hardened} -Wno-stringop-overflow) # takes the first member of an object for all of it
  # -r alone would take each function for one that others may call; so it is told of a shared
  # library, whose code is the same, and the linker's say in it is left out.
  set(urlp_together_joined
    "$<${urlp_is_together}:${urlp_together};-fwhole-program;-fno-use-linker-plugin;-flinker-output=dyn>")
  set(urlp_together "$<${urlp_is_together}:${urlp_together}>")
endif()
