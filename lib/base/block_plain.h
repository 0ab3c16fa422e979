#ifndef URLP_BASE_BLOCK_PLAIN_H
#define URLP_BASE_BLOCK_PLAIN_H

#include <stddef.h>

#include "base/byte_class.h"

/* base/block.h for any machine. */

#define URLP_BLOCK_BYTES 16

/* urlp_block_name_len says how many of the first bytes at `data` are letters, digits or "-". */
static inline size_t urlp_block_name_len(const char *data)
{
    size_t len = 0;

    while (len < URLP_BLOCK_BYTES &&
           (urlp_byte_is((unsigned char)data[len], URLP_BYTE_ALPHA | URLP_BYTE_DIGIT) ||
            data[len] == '-')) {
        len++;
    }
    return len;
}

/* urlp_block_value_len says how many of the first bytes at `data` may stand in a field value. */
static inline size_t urlp_block_value_len(const char *data)
{
    size_t len = 0;

    while (len < URLP_BLOCK_BYTES &&
           !urlp_byte_is((unsigned char)data[len], URLP_BYTE_NOT_IN_FIELD)) {
        len++;
    }
    return len;
}

#endif /* URLP_BASE_BLOCK_PLAIN_H */
