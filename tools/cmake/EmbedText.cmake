# Writes C source with the text of files in it, as constants that end in NUL.
#
#   cmake -DOUTPUT=FILE.c -DHEADER=FILE.h "-DTEXTS=NAME=FILE;..." -P EmbedText.cmake
#
# HEADER is the one that declares them.

set(source "/* Generated from the files it holds. */\n\n#include \"${HEADER}\"\n")
foreach(text IN LISTS TEXTS)
  string(REGEX MATCH "^([^=]+)=(.*)$" _ "${text}")
  set(name ${CMAKE_MATCH_1})
  file(READ "${CMAKE_MATCH_2}" bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "(char)0x\\1, " bytes "${bytes}")
  string(APPEND source "\nconst char ${name}[] = {\n${bytes}0};\n")
endforeach()
file(WRITE "${OUTPUT}" "${source}")
