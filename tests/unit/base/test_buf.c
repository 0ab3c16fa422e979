/* Buffers: growing, the hard limit, all or nothing. */

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

static void assert_holds(const struct urlp_buf *buf, const char *text)
{
    ck_assert_uint_eq(buf->len, strlen(text));
    ck_assert(buf->len == 0 || memcmp(buf->data, text, buf->len) == 0);
}

START_TEST(buf__zero_bytes_are_an_empty_buffer_without_limit)
{
    struct urlp_buf buf = {0};

    assert_holds(&buf, "");
    ck_assert_int_eq(urlp_buf_append_text(&buf, "hello"), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_append(&buf, " world", 6), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_append_span(&buf, urlp_span_make("!?", 1)), URLPOOL_OK);
    assert_holds(&buf, "hello world!");
    urlp_buf_deinit(&buf);
    assert_holds(&buf, "");
    urlp_buf_deinit(&buf);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}
END_TEST

START_TEST(buf__takes_as_much_as_its_limit_and_not_a_byte_more)
{
    struct urlp_buf buf;

    urlp_buf_init(&buf, 5);
    ck_assert_int_eq(urlp_buf_append_text(&buf, "abc"), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_append_text(&buf, "def"), URLPOOL_E_DATA_TOO_LARGE);
    assert_holds(&buf, "abc");
    ck_assert_int_eq(urlp_buf_printf(&buf, "%s", "def"), URLPOOL_E_DATA_TOO_LARGE);
    assert_holds(&buf, "abc");
    ck_assert_int_eq(urlp_buf_printf(&buf, "%s", "de"), URLPOOL_OK);
    assert_holds(&buf, "abcde");
    ck_assert_int_eq(urlp_buf_append(&buf, "", 0), URLPOOL_OK);
    urlp_buf_deinit(&buf);
}
END_TEST

START_TEST(buf__capacity_never_passes_the_limit)
{
    struct urlp_buf buf;

    urlp_buf_init(&buf, 100);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(urlp_buf_append(&buf, "x", 1), URLPOOL_OK);
        ck_assert_uint_le(buf.cap, 100);
    }
    ck_assert_int_eq(urlp_buf_append(&buf, "x", 1), URLPOOL_E_DATA_TOO_LARGE);
    urlp_buf_deinit(&buf);
}
END_TEST

START_TEST(buf__limit_outlives_deinit)
{
    struct urlp_buf buf;

    urlp_buf_init(&buf, 2);
    urlp_buf_deinit(&buf);
    ck_assert_int_eq(urlp_buf_append_text(&buf, "abc"), URLPOOL_E_DATA_TOO_LARGE);
}
END_TEST

START_TEST(buf__grows_by_half_so_that_appending_bytes_stays_linear)
{
    struct urlp_buf buf = {0};

    failing_allocator_install();
    for (int i = 0; i < 100000; i++) {
        ck_assert_int_eq(urlp_buf_append(&buf, "x", 1), URLPOOL_OK);
    }
    ck_assert_uint_le(failing_allocator_num_tried(), 25); /* 64 * 1.5^19 > 100 000 */
    urlp_buf_deinit(&buf);
}
END_TEST

START_TEST(buf__reserve_makes_room_without_filling_it)
{
    struct urlp_buf buf = {0};

    ck_assert_int_eq(urlp_buf_reserve(&buf, 1000), URLPOOL_OK);
    ck_assert_uint_eq(buf.len, 0);
    ck_assert_uint_ge(buf.cap, 1000);
    memset(buf.data, 'x', 1000);
    urlp_buf_deinit(&buf);
}
END_TEST

START_TEST(buf__a_length_past_size_max_is_too_large)
{
    struct urlp_buf buf = {0};

    ck_assert_int_eq(urlp_buf_append_text(&buf, "a"), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_reserve(&buf, SIZE_MAX), URLPOOL_E_DATA_TOO_LARGE);
    assert_holds(&buf, "a");
    urlp_buf_deinit(&buf);
}
END_TEST

START_TEST(buf__is_unchanged_when_memory_runs_out)
{
    struct urlp_buf buf = {0};
    char big[1000];

    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    failing_allocator_install();
    ck_assert_int_eq(urlp_buf_append_text(&buf, "abc"), URLPOOL_OK);
    failing_allocator_fail_nth(1);
    ck_assert_int_eq(urlp_buf_append_text(&buf, big), URLPOOL_E_NOMEM);
    assert_holds(&buf, "abc");
    for (uint64_t n = 1; n <= 2; n++) { /* the text of printf, the buffer */
        failing_allocator_fail_nth(n);
        ck_assert_int_eq(urlp_buf_printf(&buf, "%s", big), URLPOOL_E_NOMEM);
        assert_holds(&buf, "abc");
        ck_assert_int_eq(failing_allocator_num_live(), 1);
    }
    failing_allocator_fail_nth(0);
    ck_assert_int_eq(urlp_buf_printf(&buf, "%s", big), URLPOOL_OK);
    ck_assert_uint_eq(buf.len, 3 + sizeof(big) - 1);
    urlp_buf_deinit(&buf);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

START_TEST(buf__writes_numbers)
{
    struct urlp_buf buf = {0};

    ck_assert_int_eq(urlp_buf_append_number(&buf, 0), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_append_text(&buf, " "), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_append_number(&buf, 65535), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_append_text(&buf, " "), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_append_number(&buf, UINT64_MAX), URLPOOL_OK);
    ck_assert(urlp_span_is(urlp_span_make(buf.data, buf.len), "0 65535 18446744073709551615"));
    urlp_buf_deinit(&buf);
}
END_TEST

START_TEST(buf__printf_formats_short_and_long_text)
{
    struct urlp_buf buf = {0};

    ck_assert_int_eq(urlp_buf_printf(&buf, "%d-%s", 42, "x"), URLPOOL_OK);
    assert_holds(&buf, "42-x");
    for (int len = 250; len < 260; len++) { /* about the size of its own memory */
        buf.len = 0;
        ck_assert_int_eq(urlp_buf_printf(&buf, "%*d", len, 7), URLPOOL_OK);
        ck_assert_uint_eq(buf.len, (size_t)len);
        ck_assert_int_eq(buf.data[len - 1], '7');
        ck_assert_int_eq(buf.data[len - 2], ' ');
    }
    urlp_buf_deinit(&buf);
}
END_TEST

START_TEST(buf__leaves_memory_it_was_lent_when_it_is_full)
{
    uint8_t memory[8] = {0};
    struct urlp_buf buf = urlp_buf_lend(memory, sizeof(memory));

    ck_assert_int_eq(urlp_buf_append_text(&buf, "12345678"), URLPOOL_OK);
    ck_assert_ptr_eq(buf.data, memory);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
    ck_assert_int_eq(urlp_buf_append_text(&buf, "9"), URLPOOL_OK);
    assert_holds(&buf, "123456789");
    ck_assert_ptr_ne(buf.data, memory);
    ck_assert_mem_eq(memory, "12345678", 8);
    urlp_buf_deinit(&buf);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
    buf = urlp_buf_lend(memory, sizeof(memory));
    urlp_buf_deinit(&buf); /* frees nothing */
}
END_TEST

RUN_TESTS("buf", buf__zero_bytes_are_an_empty_buffer_without_limit,
          buf__takes_as_much_as_its_limit_and_not_a_byte_more, buf__capacity_never_passes_the_limit,
          buf__limit_outlives_deinit, buf__grows_by_half_so_that_appending_bytes_stays_linear,
          buf__reserve_makes_room_without_filling_it, buf__a_length_past_size_max_is_too_large,
          buf__is_unchanged_when_memory_runs_out, buf__writes_numbers,
          buf__printf_formats_short_and_long_text, buf__leaves_memory_it_was_lent_when_it_is_full)
