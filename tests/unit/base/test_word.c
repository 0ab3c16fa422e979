/* Eight bytes at once: for every byte at every place the same answer as for the byte alone. */

#include <string.h>

#include "base/word.h"
#include "support/run_tests.h"

/* word_with is eight times `others`, but `byte` at `place`. */
static uint64_t word_with(size_t place, unsigned char byte, unsigned char others)
{
    unsigned char bytes[URLP_WORD_BYTES];

    memset(bytes, others, sizeof(bytes));
    bytes[place] = byte;
    return urlp_word_load(bytes);
}

START_TEST(word__finds_a_byte_below_a_limit_at_every_place)
{
    static const unsigned char limits[] = {0x01, 0x20, 0x21, 0x80};

    for (size_t place = 0; place < URLP_WORD_BYTES; place++) {
        for (size_t i = 0; i < sizeof(limits); i++) {
            for (int c = 0; c < 256; c++) {
                const uint64_t word = word_with(place, (unsigned char)c, 0xff);

                ck_assert_msg(urlp_word_has_below(word, limits[i]) == (c < limits[i]),
                              "0x%02x at %zu below 0x%02x", c, place, limits[i]);
            }
        }
    }
}
END_TEST

START_TEST(word__finds_a_byte_at_every_place)
{
    static const unsigned char wanted[] = {0x00, 0x7f, '\\', 0x80, 0xff};

    for (size_t place = 0; place < URLP_WORD_BYTES; place++) {
        for (size_t i = 0; i < sizeof(wanted); i++) {
            for (int c = 0; c < 256; c++) {
                const uint64_t word = word_with(place, (unsigned char)c, 'a');

                ck_assert_msg(urlp_word_has(word, wanted[i]) == (c == wanted[i]),
                              "0x%02x at %zu and 0x%02x", c, place, wanted[i]);
            }
        }
    }
}
END_TEST

RUN_TESTS("word", word__finds_a_byte_below_a_limit_at_every_place,
          word__finds_a_byte_at_every_place)
