# The content codings beside zlib's: URLPOOL_BROTLI and URLPOOL_ZSTD, each AUTO (if its library is
# there), ON (it must be) or OFF.
#
#   urlp_codings           interface target: the libraries, and URLP_HAS_BROTLI, URLP_HAS_ZSTD as 0 or 1
#   urlp_coding_sources    the files of lib/coding that need them
#   urlp_coding_libraries  the files of libraries, for the static library's users
#   urlp_coding_requires   the same for urlpool.pc

include(CheckSymbolExists)
include(CMakePushCheckState)

set(urlp_coding_sources)
set(urlp_coding_libraries)
set(urlp_coding_requires)
add_library(urlp_codings INTERFACE)

# urlp_add_coding looks for the pkg-config module `wanted` and, unless it is "", for `symbol` of
# `header` in it.
function(urlp_add_coding name wanted source header symbol)
  set(URLPOOL_${name} AUTO CACHE STRING "Build in the content coding: AUTO, ON or OFF")
  set_property(CACHE URLPOOL_${name} PROPERTY STRINGS AUTO ON OFF)
  set(has 0)
  if(URLPOOL_${name})
    set(must REQUIRED)
    if(URLPOOL_${name} STREQUAL "AUTO")
      set(must QUIET)
    endif()
    pkg_check_modules(URLP_${name} ${must} IMPORTED_TARGET ${wanted})
    if(URLP_${name}_FOUND)
      cmake_push_check_state(RESET)
      set(CMAKE_REQUIRED_LIBRARIES PkgConfig::URLP_${name})
      set(CMAKE_REQUIRED_DEFINITIONS -DZSTD_STATIC_LINKING_ONLY)
      check_symbol_exists(${symbol} ${header} URLP_${name}_HAS_ALLOCATOR)
      cmake_pop_check_state()
    endif()
    if(URLP_${name}_FOUND AND URLP_${name}_HAS_ALLOCATOR)
      set(has 1)
    elseif(NOT URLPOOL_${name} STREQUAL "AUTO")
      message(FATAL_ERROR "URLPOOL_${name} is ON, and ${wanted} has no ${symbol}")
    endif()
  endif()
  target_compile_definitions(urlp_codings INTERFACE URLP_HAS_${name}=${has})
  if(has)
    string(REGEX MATCH "^[a-z]+" module ${wanted})
    target_link_libraries(urlp_codings INTERFACE PkgConfig::URLP_${name})
    set(urlp_coding_sources ${urlp_coding_sources} ${source} PARENT_SCOPE)
    set(urlp_coding_libraries ${urlp_coding_libraries} ${URLP_${name}_LINK_LIBRARIES} PARENT_SCOPE)
    set(urlp_coding_requires "${urlp_coding_requires} ${module}" PARENT_SCOPE)
  endif()
endfunction()

urlp_add_coding(BROTLI libbrotlidec unbrotli.c brotli/decode.h BrotliDecoderCreateInstance)
urlp_add_coding(ZSTD libzstd>=1.4.0 unzstd.c zstd.h ZSTD_createDCtx_advanced)
