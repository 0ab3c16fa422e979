/* The chunk reader alone: how lines are weighed against data, and data taken past it. What it
 * accepts and refuses is in the transcripts. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "h1/chunk.h"
#include "support/run_tests.h"

static struct urlp_h1_chunk_reader reader;
static struct urlp_h1_bounds bounds;
static struct urlpool_error err;

static void begin(void)
{
    ck_assert_int_eq(urlp_h1_bounds_of(NULL, &bounds, &err), URLPOOL_OK);
    urlp_h1_chunk_begin(&reader);
}

static enum urlpool_code feed(const char *text, size_t *out_used)
{
    struct urlp_h1_chunk_run run = {0, 0};
    enum urlpool_code code =
        urlp_h1_chunk_step(&reader, &bounds, (const uint8_t *)text, strlen(text), &run, &err);

    *out_used = run.used;
    return code;
}

/* feed_chunk gives a chunk of `data_len` bytes, read past the reader, whose line is `line_len`
 * bytes long. */
static enum urlpool_code feed_chunk(size_t data_len, size_t line_len)
{
    char line[4096 + 1];
    size_t used;
    int len = snprintf(line, sizeof(line), "%zx;", data_len);
    enum urlpool_code code;

    memset(line + len, 'a', line_len - (size_t)len - 2);
    memcpy(line + line_len - 2, "\r\n", 3);
    code = feed(line, &used);
    if (code == URLPOOL_OK) {
        urlp_h1_chunk_took(&reader, data_len);
        code = feed("\r\n", &used);
    }
    return code;
}

START_TEST(chunk__refuses_lines_out_of_proportion_to_the_data)
{
    size_t num_chunks = 0;

    begin();
    while (feed_chunk(1, 1000) == URLPOOL_OK) {
        num_chunks++;
        ck_assert_uint_le(num_chunks, 100);
    }
    ck_assert_int_eq(err.code, URLPOOL_E_LINE_TOO_LONG);
    /* 1000 bytes a line, 18 of them allowed for, and 16 KiB in all. */
    ck_assert_uint_eq(num_chunks, 16);
}
END_TEST

START_TEST(chunk__allows_long_lines_that_come_with_data)
{
    begin();
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(feed_chunk(500, 1000), URLPOOL_OK);
    }
}
END_TEST

START_TEST(chunk__allows_any_number_of_short_lines)
{
    begin();
    for (int i = 0; i < 10000; i++) {
        ck_assert_int_eq(feed_chunk(1, 18), URLPOOL_OK);
    }
}
END_TEST

START_TEST(chunk__lets_data_make_up_for_lines_before)
{
    begin();
    for (int i = 0; i < 16; i++) {
        ck_assert_int_eq(feed_chunk(1, 1000), URLPOOL_OK);
    }
    ck_assert_int_eq(feed_chunk(100000, 10), URLPOOL_OK);
    ck_assert_uint_eq(reader.excess, 0);
    ck_assert_int_eq(feed_chunk(1, 1000), URLPOOL_OK);
}
END_TEST

START_TEST(chunk__weighs_the_largest_size_without_wrapping)
{
    size_t used;

    begin();
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(feed_chunk(1, 1000), URLPOOL_OK);
    }
    ck_assert_int_eq(feed("7fffffffffffffff\r\n", &used), URLPOOL_OK);
    ck_assert_uint_eq(reader.excess, 0);
    ck_assert_uint_eq(reader.remaining, INT64_MAX);
}
END_TEST

START_TEST(chunk__stops_behind_the_last_chunk)
{
    size_t used;

    begin();
    ck_assert_int_eq(feed("0\r\nX: a\r\n\r\n", &used), URLPOOL_OK);
    ck_assert_uint_eq(used, 3);
    ck_assert_int_eq(reader.state, URLP_H1_CHUNK_TRAILERS);
    ck_assert_int_eq(feed("X: a\r\n\r\n", &used), URLPOOL_OK);
    ck_assert_uint_eq(used, 0);
}
END_TEST

RUN_TESTS("chunk", chunk__refuses_lines_out_of_proportion_to_the_data,
          chunk__allows_long_lines_that_come_with_data, chunk__allows_any_number_of_short_lines,
          chunk__lets_data_make_up_for_lines_before,
          chunk__weighs_the_largest_size_without_wrapping, chunk__stops_behind_the_last_chunk)
