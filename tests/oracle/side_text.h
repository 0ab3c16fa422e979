#ifndef ORACLE_SIDE_TEXT_H
#define ORACLE_SIDE_TEXT_H

#include <stddef.h>

/* struct side_bytes is bytes that a NUL follows; zero bytes are none. */
struct side_bytes {
    char *data;
    size_t len;
};

/* side_die ends the program with "what word" on stderr. */
_Noreturn void side_die(const char *what, const char *word);

/* side_bytes_add appends `len` bytes. */
void side_bytes_add(struct side_bytes *bytes, const void *data, size_t len);
/* side_bytes_clear gives the memory back. */
void side_bytes_clear(struct side_bytes *bytes);

/* side_unescape returns what a value of the table stands for: \r \n \t \0 \\ \xHH. */
struct side_bytes side_unescape(const char *text);
/* side_print_escaped prints bytes as one line of printable ASCII, as text.py's escape does. */
void side_print_escaped(const char *data, size_t len);
/* side_print_lower prints a name in lower case. */
void side_print_lower(const char *name);

#endif /* ORACLE_SIDE_TEXT_H */
