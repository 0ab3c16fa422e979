/* The head parser alone: that it looks at no byte twice, and that its memory is that of the field
 * lines which came. What it accepts and refuses is in the transcripts. */

#include <stdio.h>
#include <string.h>

#include "h1/head_parser.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

static struct urlp_h1_head_parser parser;
static struct urlp_h1_bounds bounds;

static void begin(void)
{
    struct urlpool_error err;

    ck_assert_int_eq(urlp_h1_bounds_of(NULL, &bounds, &err), URLPOOL_OK);
    urlp_h1_head_begin(&parser, false, bounds.head_bytes_max);
}

static size_t step(char *data, size_t len)
{
    struct urlpool_error err;
    size_t used = SIZE_MAX;

    ck_assert_int_eq(urlp_h1_head_step(&parser, &bounds, (uint8_t *)data, len, &used, &err),
                     URLPOOL_OK);
    return used;
}

START_TEST(head__is_not_searched_twice_for_a_line_end)
{
    /* A parser that has memory for fields reads lines in one pass. */
    for (int num_before = 0; num_before < 2; num_before++) {
        char data[] = "HTTP/1.1 200 OK\r\nX: aaaaaaaaaa\r\n\r\n";

        begin();
        ck_assert_uint_eq(step(data, 25), 0);
        /* Whoever looks here again finds a line that ends, and behind it one that is no field. */
        memcpy(data + 22, "\r\n", 2);
        ck_assert_uint_eq(step(data, 26), 0);
        memcpy(data + 22, "aa", 2);
        ck_assert_uint_eq(step(data, sizeof(data) - 1), sizeof(data) - 1);
        ck_assert_uint_eq(parser.head.num_fields, 1);
        ck_assert_uint_eq(parser.head.fields[0].value.len, 10);
    }
    urlp_h1_head_deinit(&parser);
}
END_TEST

START_TEST(head__does_not_read_a_line_twice)
{
    char data[] = "HTTP/1.1 200 OK\r\nX: a\r\nY: b\r\n\r\n";

    begin();
    ck_assert_uint_eq(step(data, 24), 0);
    /* The line of X is done with: a name that is none is not seen any more. */
    data[17] = ' ';
    data[19] = '\0';
    ck_assert_uint_eq(step(data, sizeof(data) - 1), sizeof(data) - 1);
    ck_assert_uint_eq(parser.head.num_fields, 2);
    urlp_h1_head_deinit(&parser);
}
END_TEST

START_TEST(head__points_to_where_the_bytes_are_at_last)
{
    char first[] = "HTTP/1.1 200 Fine\r\nX: a\r\n";
    char second[] = "HTTP/1.1 200 Fine\r\nX: a\r\nY:  b \r\n\r\n";

    begin();
    ck_assert_uint_eq(step(first, sizeof(first) - 1), 0);
    memset(first, '?', sizeof(first));
    ck_assert_uint_eq(step(second, sizeof(second) - 1), sizeof(second) - 1);
    ck_assert(urlp_span_is(parser.head.reason, "Fine"));
    ck_assert(urlp_span_is(parser.head.fields[0].name, "X"));
    ck_assert(urlp_span_is(parser.head.fields[0].value, "a"));
    ck_assert(urlp_span_is(parser.head.fields[1].value, "b"));
    ck_assert_ptr_eq(parser.head.fields[1].name.data, second + 25);
    urlp_h1_head_deinit(&parser);
}
END_TEST

START_TEST(head__takes_memory_by_the_lines_that_came_and_keeps_it)
{
    char data[] = "HTTP/1.1 200 OK\r\nX: a\r\n\r\n";

    failing_allocator_install();
    begin();
    bounds.fields_max = SIZE_MAX / 2;
    ck_assert_uint_eq(step(data, 17), 0);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    ck_assert_uint_ne(step(data, sizeof(data) - 1), 0);
    ck_assert_int_eq(failing_allocator_num_live(), 1);
    ck_assert_uint_le(parser.places_cap, 64);
    failing_allocator_fail_nth(0);
    urlp_h1_head_begin(&parser, false, 1000);
    ck_assert_uint_ne(step(data, sizeof(data) - 1), 0);
    ck_assert_uint_eq(failing_allocator_num_tried(), 0);
    urlp_h1_head_deinit(&parser);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    failing_allocator_remove();
}
END_TEST

/* struct verdict is all that is seen of a head. */
struct verdict {
    enum urlpool_code code;
    struct urlpool_error err;
    size_t used;
    size_t num_fields;
    struct urlp_field last; /* into the head */
};

/* judge reads `len` bytes at `data` as a head with small limits, piece by piece. */
static struct verdict judge(char *data, size_t len, size_t piece)
{
    struct verdict seen = {.code = URLPOOL_OK};
    size_t have = 0;

    urlp_h1_head_begin(&parser, false, 75);
    while (seen.code == URLPOOL_OK && seen.used == 0 && have < len) {
        have = have + piece < len ? have + piece : len;
        seen.code =
            urlp_h1_head_step(&parser, &bounds, (uint8_t *)data, have, &seen.used, &seen.err);
    }
    if (seen.used > 0) {
        seen.num_fields = parser.head.num_fields;
        seen.last = parser.head.fields[seen.num_fields - 1];
    }
    return seen;
}

/* What stands behind a status line, in a head whose limits are small. */
static const struct {
    const char *text;
    bool is_good;
} lines[] = {
    {"Name: value",                                                 true },
    {"N:",                                                          true },
    {"N: ",                                                         true },
    {"N:\t v \t",                                                   true },
    {"N: \tv\xff",                                                  true },
    {"Name : v",                                                    false},
    {": v",                                                         false},
    {"N",                                                           false},
    {"Na(me: v",                                                    false},
    {"N: a\rb",                                                     false},
    {"N: a\x01",                                                    false},
    {"N: a\x01\nM: b",                                              false},
    {"N: 123456789\x7f",                                            false},
    {"N: a\r",                                                      false},
    {"N: a\n M: b",                                                 true },
    {"N: a\r\n M: b",                                               true },
    {"N: a\r\n\tb",                                                 true },
    {"N: a\nM: b",                                                  true },
    {" N: a",                                                       false},
    {"N: 01234567890123456789012",                                  true },
    {"N: 012345678901234567890123",                                 false},
    {"A:1\r\nB:2\r\nC:3\r\nD:4",                                    true },
    {"A:1\r\nB:2\r\nC:3\r\nD:4\r\nE:5",                             false},
    {"A: 01234567890123456\r\nB: 01234567890123456\r\nC: 0123456",  true },
    {"A: 01234567890123456\r\nB: 01234567890123456\r\nC: 01234567", false},
};

/* A parser that has no memory for fields yet reads its first line in the long way, one that has
 * reads it in one pass. */
START_TEST(head__is_the_same_in_one_pass_and_in_the_long_way)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        for (size_t piece = 1; piece < 130; piece += piece < 8 ? 1 : 40) {
            char data[2][160];
            struct verdict seen[2];
            size_t len = 0;

            begin();
            bounds.line_bytes_max = 28;
            bounds.fields_max = 4;
            urlp_h1_head_deinit(&parser);
            for (size_t j = 0; j < 2; j++) {
                char plain[] = "HTTP/1.1 200 OK\r\nX: a\r\n\r\n";

                len = (size_t)snprintf(data[j], sizeof(data[j]), "HTTP/1.1 200 OK\r\n%s\r\n\r\n",
                                       lines[i].text);
                seen[j] = judge(data[j], len, piece);
                ck_assert_int_eq(judge(plain, sizeof(plain) - 1, 100).code, URLPOOL_OK);
                ck_assert_uint_gt(parser.places_cap, 0);
            }
            ck_assert_msg(seen[0].code == seen[1].code && seen[0].used == seen[1].used &&
                              seen[0].num_fields == seen[1].num_fields,
                          "line %zu in pieces of %zu: %d and %d", i, piece, (int)seen[0].code,
                          (int)seen[1].code);
            ck_assert_msg((seen[0].code == URLPOOL_OK) == lines[i].is_good, "line %zu", i);
            ck_assert_str_eq(seen[0].err.message, seen[1].err.message);
            ck_assert_mem_eq(data[0], data[1], len);
            ck_assert(urlp_span_equals(seen[0].last.name, seen[1].last.name));
            ck_assert(urlp_span_equals(seen[0].last.value, seen[1].last.value));
        }
    }
    urlp_h1_head_deinit(&parser);
}
END_TEST

RUN_TESTS("head_parser", head__is_not_searched_twice_for_a_line_end,
          head__does_not_read_a_line_twice, head__points_to_where_the_bytes_are_at_last,
          head__takes_memory_by_the_lines_that_came_and_keeps_it,
          head__is_the_same_in_one_pass_and_in_the_long_way)
