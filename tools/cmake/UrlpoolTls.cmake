# The TLS library: BoringSSL, absorbed so that nobody sees it, or OpenSSL 3, shared as a distribution
# wants it (-DURLPOOL_TLS=openssl). Nothing else is ever both: what differs between the two is in
# lib/net/tls_boring.c and tls_openssl.c, and for the tests in tests/support/tls_kit_*.c.
#
#   urlp_tls           the target to link
#   urlp_tls_name      boring or openssl, as the files that differ are named
#   urlp_tls_libraries the files behind it
#   urlp_tls_requires  what urlpool.pc requires privately: " libssl libcrypto", or nothing
#   BORINGSSL_ABSORBED whether a static BoringSSL becomes part of the library

set(URLPOOL_TLS "boringssl" CACHE STRING "The TLS library: boringssl or openssl")
set_property(CACHE URLPOOL_TLS PROPERTY STRINGS boringssl openssl)

add_library(urlp_tls INTERFACE)
set(urlp_tls_requires "")
if(URLPOOL_TLS STREQUAL "boringssl")
  set(urlp_tls_name boring)
  find_package(BoringSSL REQUIRED)
  target_link_libraries(urlp_tls INTERFACE BoringSSL::ssl BoringSSL::crypto)
  set(urlp_tls_libraries ${BORINGSSL_SSL_LIBRARY} ${BORINGSSL_CRYPTO_LIBRARY})
elseif(URLPOOL_TLS STREQUAL "openssl")
  set(urlp_tls_name openssl)
  set(BORINGSSL_ABSORBED OFF)
  find_package(OpenSSL 3.0 REQUIRED)
  target_link_libraries(urlp_tls INTERFACE OpenSSL::SSL OpenSSL::Crypto)
  set(urlp_tls_libraries ${OPENSSL_SSL_LIBRARY} ${OPENSSL_CRYPTO_LIBRARY})
  # What both libraries have stays without a warning: SHA256_Init, EC_KEY, RSA of the tests.
  target_compile_definitions(urlp_tls INTERFACE OPENSSL_API_COMPAT=0x10101000L)
  set(urlp_tls_requires " libssl libcrypto")
else()
  message(FATAL_ERROR "URLPOOL_TLS is boringssl or openssl, not \"${URLPOOL_TLS}\".")
endif()
