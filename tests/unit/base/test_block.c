/* Sixteen bytes at once: for every byte at every place the same answer as for the byte alone, from
 * what this machine uses and from what any machine can. */

#include <string.h>

#define urlp_block_name_len  plain_name_len
#define urlp_block_value_len plain_value_len
#include "base/block_plain.h"
#undef urlp_block_name_len
#undef urlp_block_value_len

#include "base/block.h"
#include "support/run_tests.h"

/* block_with is a block of `others`, but `byte` at `place`. */
static const char *block_with(size_t place, int byte, char others)
{
    static char bytes[URLP_BLOCK_BYTES];

    memset(bytes, others, sizeof(bytes));
    bytes[place] = (char)byte;
    return bytes;
}

/* is_usual says whether names almost always consist of such bytes. */
static bool is_usual(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

START_TEST(block__counts_the_letters_of_a_name_up_to_any_other_byte)
{
    for (size_t place = 0; place < URLP_BLOCK_BYTES; place++) {
        for (int c = 0; c < 256; c++) {
            const char *block = block_with(place, c, 'Z');
            const size_t len = is_usual(c) ? URLP_BLOCK_BYTES : place;

            ck_assert_msg(urlp_block_name_len(block) == len, "0x%02x at %zu", c, place);
            ck_assert_msg(plain_name_len(block) == len, "plain: 0x%02x at %zu", c, place);
        }
    }
}
END_TEST

START_TEST(block__counts_the_bytes_of_a_value_up_to_a_control)
{
    for (size_t place = 0; place < URLP_BLOCK_BYTES; place++) {
        for (int c = 0; c < 256; c++) {
            const char *block = block_with(place, c, '\xff');
            const bool is_control = (c < 0x20 && c != '\t') || c == 0x7f;
            const size_t len = is_control ? place : URLP_BLOCK_BYTES;

            ck_assert_msg(urlp_block_value_len(block) == len, "0x%02x at %zu", c, place);
            ck_assert_msg(plain_value_len(block) == len, "plain: 0x%02x at %zu", c, place);
        }
    }
}
END_TEST

RUN_TESTS("block", block__counts_the_letters_of_a_name_up_to_any_other_byte,
          block__counts_the_bytes_of_a_value_up_to_a_control)
