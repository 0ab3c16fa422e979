# The layers: what each may include, what it links, and how it is built.
#
# lib/<layer>/CMakeLists.txt calls urlp_layer(<layer> SOURCES file.c ...), which makes the object
# library urlp_<layer>. The edges stand here for the linking of the unit tests;
# tools/check_layers holds them against the table in docs/ARCHITECTURE.md.

set(urlp_layers base http h1 coding policy net conn pool client)

# The objects of all layers.
set(urlp_layer_objects)
foreach(layer IN LISTS urlp_layers)
  list(APPEND urlp_layer_objects $<TARGET_OBJECTS:urlp_${layer}>)
endforeach()

set(urlp_below_base)
set(urlp_below_http base)
set(urlp_below_h1 base http)
set(urlp_below_coding base)
set(urlp_below_policy base http)
set(urlp_below_net base)
set(urlp_below_conn base http h1 coding net)
set(urlp_below_pool base http conn)
set(urlp_below_client base http policy conn pool)

# Third-party libraries, each behind one layer.
set(urlp_uses_http urlp_idna)
set(urlp_uses_coding ZLIB::ZLIB urlp_codings)
set(urlp_uses_net urlp_tls PkgConfig::URLP_CARES)

function(urlp_layer layer)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  if(NOT layer IN_LIST urlp_layers)
    message(FATAL_ERROR "urlp_layer: ${layer} is not a layer")
  endif()
  add_library(urlp_${layer} OBJECT ${arg_SOURCES})
  target_include_directories(urlp_${layer} PUBLIC
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/lib)
  target_link_libraries(urlp_${layer} PRIVATE urlpool_flags urlpool_library_flags
    ${urlp_uses_${layer}} Threads::Threads)
endfunction()

# urlp_closure puts `layer` and everything it stands on into `out_layers`.
function(urlp_closure layer out_layers)
  set(all ${layer})
  foreach(below IN LISTS urlp_below_${layer})
    urlp_closure(${below} deeper)
    list(APPEND all ${deeper})
  endforeach()
  list(REMOVE_DUPLICATES all)
  set(${out_layers} ${all} PARENT_SCOPE)
endfunction()

# urlp_link_layers links the layers and whatever stands behind them into `target`.
function(urlp_link_layers target)
  foreach(layer IN LISTS ARGN)
    target_link_libraries(${target} PRIVATE urlp_${layer} ${urlp_uses_${layer}})
  endforeach()
  target_link_libraries(${target} PRIVATE Threads::Threads)
endfunction()
