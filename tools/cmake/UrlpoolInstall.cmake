# What is installed where, in four components:
#
#   Runtime  liburlpool.so.1
#   Devel    headers, liburlpool.so, liburlpool.a, urlpool.pc, urlpoolConfig.cmake
#   Tools    pooled-fetch, its manual page, completions, and the schema of its report
#   Doc      manual pages of the library: docs/CMakeLists.txt

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(urlp_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/urlpool)

# --- libraries and headers --------------------------------------------------------------------

# NAMELINK: liburlpool.so is what a linker looks for, liburlpool.so.1 what a program does.
install(TARGETS urlpool EXPORT urlpoolTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Runtime NAMELINK_COMPONENT Devel)
install(TARGETS urlpool_static EXPORT urlpoolStaticTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Devel)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/urlpool
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT Devel FILES_MATCHING PATTERN "*.h")

# --- urlpool.pc -------------------------------------------------------------------------------

# It finds the tree by where it stands, so that --prefix and a move are no lie; in /usr, where nothing
# moves, pkg-config leaves out what compilers know anyway if it is said plainly.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(urlp_pc_prefix /usr)
else()
  file(RELATIVE_PATH urlp_pc_to_prefix
    ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  string(REGEX REPLACE "/$" "" urlp_pc_to_prefix ${urlp_pc_to_prefix})
  set(urlp_pc_prefix "\${pcfiledir}/${urlp_pc_to_prefix}")
endif()
set(urlp_requires "libcares zlib${urlp_tls_requires}${urlp_coding_requires}${urlp_idna_requires}")
set(urlp_pc_libs_private -pthread)
if(URLPOOL_TLS STREQUAL "boringssl" AND NOT BORINGSSL_ABSORBED)
  string(APPEND urlp_pc_libs_private " ${BORINGSSL_SSL_LIBRARY} ${BORINGSSL_CRYPTO_LIBRARY}")
endif()
configure_file(${PROJECT_SOURCE_DIR}/tools/cmake/urlpool.pc.in ${PROJECT_BINARY_DIR}/urlpool.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/urlpool.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT Devel)

# --- find_package -----------------------------------------------------------------------------

install(EXPORT urlpoolTargets NAMESPACE urlpool:: DESTINATION ${urlp_config_dir} COMPONENT Devel)
install(EXPORT urlpoolStaticTargets NAMESPACE urlpool::
  DESTINATION ${urlp_config_dir} COMPONENT Devel)
configure_package_config_file(${PROJECT_SOURCE_DIR}/tools/cmake/urlpoolConfig.cmake.in
  ${PROJECT_BINARY_DIR}/urlpoolConfig.cmake INSTALL_DESTINATION ${urlp_config_dir}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/urlpoolConfigVersion.cmake
  COMPATIBILITY SameMinorVersion) # until 1.0.0
install(FILES ${PROJECT_BINARY_DIR}/urlpoolConfig.cmake ${PROJECT_BINARY_DIR}/urlpoolConfigVersion.cmake
  DESTINATION ${urlp_config_dir} COMPONENT Devel)

# --- pooled-fetch -----------------------------------------------------------------------------

if(TARGET pooled-fetch)
  set(urlp_completions ${PROJECT_SOURCE_DIR}/tools/pooled-fetch/completions)
  install(TARGETS pooled-fetch RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT Tools)
  install(FILES ${PROJECT_SOURCE_DIR}/docs/man/pooled-fetch.1
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT Tools)
  install(FILES ${PROJECT_SOURCE_DIR}/docs/pooled-fetch-report.schema.json
    DESTINATION ${CMAKE_INSTALL_DATADIR}/urlpool COMPONENT Tools)
  install(FILES ${urlp_completions}/pooled-fetch.bash RENAME pooled-fetch
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT Tools)
  install(FILES ${urlp_completions}/_pooled-fetch
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT Tools)
  install(FILES ${urlp_completions}/pooled-fetch.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT Tools)
endif()

if(urlpool_is_top)
  include(UrlpoolPackages)
endif()
