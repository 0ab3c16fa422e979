/* The head parser alone: that it looks at no byte twice, and that its memory is that of the field
 * lines which came. What it accepts and refuses is in the transcripts. */

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
    char data[] = "HTTP/1.1 200 OK\r\nX: aaaaaaaaaa\r\n\r\n";

    begin();
    ck_assert_uint_eq(step(data, 25), 0);
    /* Whoever looks here again finds a line that is no field. */
    data[22] = '\n';
    ck_assert_uint_eq(step(data, 26), 0);
    data[22] = 'a';
    ck_assert_uint_eq(step(data, sizeof(data) - 1), sizeof(data) - 1);
    ck_assert_uint_eq(parser.head.num_fields, 1);
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
    ck_assert_int_eq(failing_allocator_num_live(), 2);
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

RUN_TESTS("head_parser", head__is_not_searched_twice_for_a_line_end,
          head__does_not_read_a_line_twice, head__points_to_where_the_bytes_are_at_last,
          head__takes_memory_by_the_lines_that_came_and_keeps_it)
