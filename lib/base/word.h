#ifndef URLP_BASE_WORD_H
#define URLP_BASE_WORD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Eight bytes looked at together: what is asked of every byte of a text is asked of eight at once,
 * and of one at a time only where the answer is yes. Whether the machine has its lowest byte
 * first makes no difference. */

#define URLP_WORD_BYTES sizeof(uint64_t)

/* urlp_word_load takes the eight bytes at `data`, which need not be aligned. */
static inline uint64_t urlp_word_load(const void *data)
{
    uint64_t word;

    memcpy(&word, data, sizeof(word));
    return word;
}

/* urlp_word_of is eight times `byte`. */
static inline uint64_t urlp_word_of(unsigned char byte)
{
    return UINT64_MAX / 0xff * byte;
}

/* urlp_word_has_below says whether a byte of `word` is less than `limit`, which is 0x80 at most. */
static inline bool urlp_word_has_below(uint64_t word, unsigned char limit)
{
    return ((word - urlp_word_of(limit)) & ~word & urlp_word_of(0x80)) != 0;
}

/* urlp_word_has says whether a byte of `word` is `byte`. */
static inline bool urlp_word_has(uint64_t word, unsigned char byte)
{
    return urlp_word_has_below(word ^ urlp_word_of(byte), 1);
}

#endif /* URLP_BASE_WORD_H */
