# Debian packages by CPack (tools/package builds them): liburlpool1, liburlpool-dev, urlpool-tools. Each is
# a group of install components, with its copyright and changelog as one more.

set(URLPOOL_MAINTAINER "urlpool maintainers <maintainers@urlpool.invalid>" CACHE STRING
  "Who answers for the Debian packages")
set(URLPOOL_PACKAGE_SYMBOLS "" CACHE FILEPATH "Symbols of liburlpool1, by dpkg-gensymbols")
mark_as_advanced(URLPOOL_PACKAGE_SYMBOLS)

set(urlp_debian ${PROJECT_SOURCE_DIR}/tools/debian)
set(urlp_revision 1)
set(urlp_full_version ${PROJECT_VERSION}-${urlp_revision})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME urlpool)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT ${URLPOOL_MAINTAINER})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/UrlpoolStaged.cmake)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${urlp_revision})
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_COMPONENTS_ALL Runtime Devel Doc Tools)

# urlp_debian_package makes a package of the components named; the options that CPack knows by the
# group's name follow.
function(urlp_debian_package group name section description)
  string(TOUPPER ${group} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION ${description} PARENT_SCOPE)
  install(FILES ${urlp_debian}/copyright
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} COMPONENT ${group}_notes EXCLUDE_FROM_ALL)
  install(FILES ${urlp_debian}/changelog RENAME changelog.Debian
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} COMPONENT ${group}_notes EXCLUDE_FROM_ALL)
  foreach(component IN LISTS ARGN ITEMS ${group}_notes)
    string(TOUPPER ${component} component)
    set(CPACK_COMPONENT_${component}_GROUP ${group} PARENT_SCOPE)
  endforeach()
  list(APPEND CPACK_COMPONENTS_ALL ${group}_notes)
  set(CPACK_COMPONENTS_ALL ${CPACK_COMPONENTS_ALL} PARENT_SCOPE)
endfunction()

if(URLPOOL_TLS STREQUAL "openssl")
  set(urlp_tls_words "Its TLS is that of OpenSSL.")
else()
  set(urlp_tls_words "BoringSSL is inside and not to be seen
from outside, so that it lives in one process with OpenSSL.")
endif()
urlp_debian_package(lib liburlpool1 libs
  "thread-safe connection-pooling HTTP/1.1 client - shared library
One manager, any number of threads: connections to HTTP and HTTPS servers are
shared, bounded and used again, with retries, redirects, deadlines, proxies
and TLS that verifies by default.

This package holds the shared library. ${urlp_tls_words}"
  Runtime)
urlp_debian_package(dev liburlpool-dev libdevel
  "thread-safe connection-pooling HTTP/1.1 client - development files
One manager, any number of threads: connections to HTTP and HTTPS servers are
shared, bounded and used again, with retries, redirects, deadlines, proxies
and TLS that verifies by default.

This package holds the headers, the static library, and what pkg-config and
CMake need to find them, and the manual pages of the functions."
  Devel Doc)
urlp_debian_package(tools urlpool-tools web
  "fetch many URLs at once through one pool of connections
pooled-fetch fetches any number of URLs by parallel threads over shared
connections, takes the options of curl, and reports how long requests took
and what the pool did."
  Tools)

# Both lean on what dpkg-shlibdeps says; who links the static library needs the headers' packages.
set(CPACK_DEBIAN_LIB_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOLS_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_LIB_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "pkg-config, cmake")
set(urlp_dev_depends "liburlpool1 (= ${urlp_full_version})" libc6-dev libc-ares-dev zlib1g-dev)
foreach(pair libbrotlidec=libbrotli-dev libzstd=libzstd-dev libidn2=libidn2-dev libssl=libssl-dev)
  string(REPLACE = ";" pair ${pair})
  list(GET pair 0 module)
  list(GET pair 1 package)
  if(urlp_requires MATCHES "(^| )${module}( |$)")
    list(APPEND urlp_dev_depends ${package})
  endif()
endforeach()
list(JOIN urlp_dev_depends ", " CPACK_DEBIAN_DEV_PACKAGE_DEPENDS)

file(WRITE ${PROJECT_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
file(WRITE ${PROJECT_BINARY_DIR}/debian/shlibs
  "liburlpool 1 liburlpool1 (>= ${PROJECT_VERSION})\n")
set(CPACK_DEBIAN_LIB_PACKAGE_CONTROL_EXTRA
  ${PROJECT_BINARY_DIR}/debian/triggers ${PROJECT_BINARY_DIR}/debian/shlibs)
if(URLPOOL_PACKAGE_SYMBOLS)
  list(APPEND CPACK_DEBIAN_LIB_PACKAGE_CONTROL_EXTRA ${URLPOOL_PACKAGE_SYMBOLS})
endif()

include(CPack)
