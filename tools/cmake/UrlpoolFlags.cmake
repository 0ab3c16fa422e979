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
  target_compile_options(urlpool_flags INTERFACE -fstack-protector-strong
    $<$<CONFIG:Release,RelWithDebInfo>:-D_FORTIFY_SOURCE=2>)
endif()
