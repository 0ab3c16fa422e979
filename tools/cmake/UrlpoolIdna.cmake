# Internationalised host names: URLPOOL_IDNA is AUTO (if libidn2 is there), ON (it must be) or OFF.
#
#   urlp_idna            interface target: the library, and URLP_HAS_IDNA as 0 or 1
#   urlp_idna_source     the file of lib/http that stands behind lib/http/idna.h
#   urlp_idna_libraries  the files of libraries, for the static library's users
#   urlp_idna_requires   the same for urlpool.pc

set(URLPOOL_IDNA AUTO CACHE STRING "Take internationalised host names: AUTO, ON or OFF")
set_property(CACHE URLPOOL_IDNA PROPERTY STRINGS AUTO ON OFF)
set(urlp_idna_source no_idna.c)
set(urlp_idna_libraries)
set(urlp_idna_requires)
set(urlp_has_idna 0)
if(URLPOOL_IDNA)
  set(urlp_idna_must REQUIRED)
  if(URLPOOL_IDNA STREQUAL "AUTO")
    set(urlp_idna_must QUIET)
  endif()
  pkg_check_modules(URLP_IDN2 ${urlp_idna_must} IMPORTED_TARGET libidn2>=2.0.5)
  if(URLP_IDN2_FOUND)
    set(urlp_has_idna 1)
    set(urlp_idna_source idna.c)
    set(urlp_idna_libraries ${URLP_IDN2_LINK_LIBRARIES})
    set(urlp_idna_requires " libidn2")
  endif()
endif()
add_library(urlp_idna INTERFACE)
target_compile_definitions(urlp_idna INTERFACE URLP_HAS_IDNA=${urlp_has_idna})
if(urlp_has_idna)
  target_link_libraries(urlp_idna INTERFACE PkgConfig::URLP_IDN2)
endif()
