# Finds BoringSSL and refuses OpenSSL.
#
#   -DBORINGSSL_ROOT=dir   an install or source tree: include/openssl/base.h beside libssl.a and
#                          libcrypto.a, or the shared ones
# Without it, the build tools/setup keeps in its cache; the instrumented one for ThreadSanitizer,
# the one for aarch64 when that is compiled for elsewhere.
#
# Makes BoringSSL::ssl and BoringSSL::crypto, and sets BORINGSSL_ABSORBED when they are static.

set(boringssl_variant plain)
if(URLPOOL_SANITIZE MATCHES "thread")
  set(boringssl_variant tsan)
endif()
if(CMAKE_CROSSCOMPILING AND CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  set(boringssl_variant aarch64)
endif()

set(BORINGSSL_ROOT "" CACHE PATH "BoringSSL install tree; empty: the one tools/setup built")
set(boringssl_root "${BORINGSSL_ROOT}")
if(NOT boringssl_root)
  execute_process(
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/../setup --boringssl-root ${boringssl_variant}
    OUTPUT_VARIABLE boringssl_root ERROR_VARIABLE boringssl_complaint
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE boringssl_result)
  if(boringssl_result)
    message(FATAL_ERROR "No BoringSSL (${boringssl_complaint}); or name one with -DBORINGSSL_ROOT=dir.")
  endif()
endif()

set(boringssl_lib_dirs lib lib64 lib/${CMAKE_LIBRARY_ARCHITECTURE}
  lib/${CMAKE_LIBRARY_ARCHITECTURE}/android build build/ssl build/crypto)
foreach(name INCLUDE_DIR SSL_LIBRARY CRYPTO_LIBRARY)
  unset(BORINGSSL_${name} CACHE)
endforeach()
find_path(BORINGSSL_INCLUDE_DIR openssl/base.h PATHS ${boringssl_root}
  PATH_SUFFIXES include include/android src/include NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
find_library(BORINGSSL_SSL_LIBRARY NAMES libssl.a libssl.so PATHS ${boringssl_root}
  PATH_SUFFIXES ${boringssl_lib_dirs} NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
find_library(BORINGSSL_CRYPTO_LIBRARY NAMES libcrypto.a libcrypto.so PATHS ${boringssl_root}
  PATH_SUFFIXES ${boringssl_lib_dirs} NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
mark_as_advanced(BORINGSSL_INCLUDE_DIR BORINGSSL_SSL_LIBRARY BORINGSSL_CRYPTO_LIBRARY)

# OpenSSL has no openssl/base.h; its openssl/ssl.h tells the two apart for certain.
find_path(boringssl_openssl_dir openssl/opensslv.h PATHS ${boringssl_root}
  PATH_SUFFIXES include include/android src/include NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH NO_CACHE)
set(boringssl_is_boring FALSE)
if(BORINGSSL_INCLUDE_DIR)
  file(STRINGS ${BORINGSSL_INCLUDE_DIR}/openssl/base.h boringssl_mark
    REGEX "define[ \t]+OPENSSL_IS_BORINGSSL" LIMIT_COUNT 1)
  if(boringssl_mark)
    set(boringssl_is_boring TRUE)
  endif()
endif()
if(NOT boringssl_is_boring AND (BORINGSSL_INCLUDE_DIR OR boringssl_openssl_dir))
  message(FATAL_ERROR "${boringssl_root} holds OpenSSL, not BoringSSL; that is taken by -DURLPOOL_TLS=openssl.")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BoringSSL
  REQUIRED_VARS BORINGSSL_SSL_LIBRARY BORINGSSL_CRYPTO_LIBRARY BORINGSSL_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "looked below ${boringssl_root}")

if(BoringSSL_FOUND AND NOT TARGET BoringSSL::crypto)
  set(BORINGSSL_ABSORBED OFF)
  if(BORINGSSL_SSL_LIBRARY MATCHES "\\.a$" AND BORINGSSL_CRYPTO_LIBRARY MATCHES "\\.a$")
    set(BORINGSSL_ABSORBED ON)
  else()
    message(STATUS "A shared BoringSSL: its names are seen by all that is in the process")
  endif()
  add_library(BoringSSL::crypto UNKNOWN IMPORTED)
  set_target_properties(BoringSSL::crypto PROPERTIES
    IMPORTED_LOCATION ${BORINGSSL_CRYPTO_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${BORINGSSL_INCLUDE_DIR})
  add_library(BoringSSL::ssl UNKNOWN IMPORTED)
  set_target_properties(BoringSSL::ssl PROPERTIES
    IMPORTED_LOCATION ${BORINGSSL_SSL_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${BORINGSSL_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES BoringSSL::crypto)
endif()
