/* The words of the table as urlpool_side reads and prints them: the escapes of text.py. */

#include "side_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/count_of.h"

static const struct {
    char letter, byte;
} escapes[] = {
    {'r',  '\r'},
    {'n',  '\n'},
    {'t',  '\t'},
    {'0',  '\0'},
    {'\\', '\\'},
};

_Noreturn void side_die(const char *what, const char *word)
{
    fprintf(stderr, "urlpool_side: %s '%s'\n", what, word);
    exit(1);
}

void side_bytes_add(struct side_bytes *bytes, const void *data, size_t len)
{
    char *grown = realloc(bytes->data, bytes->len + len + 1);

    if (grown == NULL) {
        side_die("no memory for", "bytes");
    }
    memcpy(grown + bytes->len, data, len);
    bytes->data = grown;
    bytes->len += len;
    bytes->data[bytes->len] = '\0';
}

void side_bytes_clear(struct side_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct side_bytes){0};
}

/* one_escape reads what follows a backslash and returns how many characters that was. */
static size_t one_escape(const char *text, char *out)
{
    char digits[3] = {0};

    if (text[0] == 'x' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2])) {
        memcpy(digits, text + 1, 2);
        *out = (char)strtol(digits, NULL, 16);
        return 3;
    }
    for (size_t i = 0; i < COUNT_OF(escapes); i++) {
        if (text[0] == escapes[i].letter) {
            *out = escapes[i].byte;
            return 1;
        }
    }
    side_die("no escape", text);
}

struct side_bytes side_unescape(const char *text)
{
    struct side_bytes out = {0};

    side_bytes_add(&out, "", 0);
    while (*text != '\0') {
        char byte = *text++;

        if (byte == '\\') {
            text += one_escape(text, &byte);
        }
        side_bytes_add(&out, &byte, 1);
    }
    return out;
}

static void print_byte(unsigned char byte)
{
    for (size_t i = 0; i < COUNT_OF(escapes); i++) {
        if (byte == (unsigned char)escapes[i].byte && byte != '\0') {
            printf("\\%c", escapes[i].letter);
            return;
        }
    }
    printf(byte >= 0x20 && byte < 0x7F ? "%c" : "\\x%02x", byte);
}

void side_print_escaped(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        print_byte((unsigned char)data[i]);
    }
}

void side_print_lower(const char *name)
{
    for (; *name != '\0'; name++) {
        putchar(tolower((unsigned char)*name));
    }
}
