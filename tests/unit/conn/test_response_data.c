/* A body read whole into the caller's memory, and what is kept of one that breaks off, over a
 * scripted stream cut at every byte. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/memory.h"

#include "support/conn_fixture.h"
#include "support/run_tests.h"

static struct fixture fixture;

/* Wire images of "hello world" after their heads, without a byte too many. */
static const struct {
    const char *head, *body;
    size_t part_lens[32]; /* of the body, that arrive with so many bytes of it */
} framings[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n",
     "hello world",                            {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}                                                    },
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", {0, 0, 0, 0, 1, 2, 3, 4, 5, 5, 5, 5, 5, 5, 6, 7, 8, 9, 10, 11, 11, 11, 11, 11, 11, 11}},
};

static struct urlpool_response *cut_at(size_t framing, size_t len)
{
    fixture_begin(&fixture);
    script_give(fixture.script, framings[framing].head);
    if (len > 0) {
        script_give_bytes(fixture.script, framings[framing].body, len);
    }
    script_end(fixture.script, URLP_END_CLEAN);
    return fixture_exchange(&fixture);
}

START_TEST(partial__is_every_byte_that_arrived_wherever_the_body_is_cut)
{
    for (size_t i = 0; i < sizeof(framings) / sizeof(framings[0]); i++) {
        for (size_t len = 0; len < strlen(framings[i].body); len++) {
            for (int has_place = 0; has_place < 2; has_place++) {
                uint8_t buf[11] = {0};
                const struct urlp_place place = {has_place ? buf : NULL, sizeof(buf), true};
                struct urlpool_response *response = cut_at(i, len);

                ck_assert_ptr_nonnull(response);
                urlp_response_set_place(response, &place);
                ck_assert_int_eq(urlpool_response_read_all(response, NULL),
                                 URLPOOL_E_INCOMPLETE_READ);
                ck_assert_ptr_null(response->data);
                urlp_response_keep_partial(response);
                ck_assert_int_eq(response->error_code, URLPOOL_E_INCOMPLETE_READ);
                ck_assert_uint_eq(response->data_len, framings[i].part_lens[len]);
                ck_assert_mem_eq(response->data, "hello world", response->data_len);
                urlpool_response_free(response);
                fixture_end(&fixture);
            }
        }
    }
}
END_TEST

START_TEST(into__takes_a_body_that_just_fits_and_refuses_one_byte_more)
{
    for (size_t i = 0; i < sizeof(framings) / sizeof(framings[0]); i++) {
        for (size_t room = 9; room < 13; room++) {
            uint8_t buf[13] = "#############";
            const struct urlp_place place = {buf, room, true};
            struct urlpool_response *response = cut_at(i, strlen(framings[i].body));
            const enum urlpool_code expected = room < 11 ? URLPOOL_E_DATA_TOO_LARGE : URLPOOL_OK;

            urlp_response_set_place(response, &place);
            ck_assert_int_eq(urlpool_response_read_all(response, NULL), expected);
            ck_assert_int_eq(buf[room], '#');
            ck_assert_mem_eq(buf, "hello world", room < 11 ? room : 11);
            ck_assert(room < 11 || fixture.verdict.is_reusable);
            urlpool_response_free(response);
            fixture_end(&fixture);
        }
    }
}
END_TEST

START_TEST(into__and_data_bytes_max_both_bound_the_body)
{
    static const int64_t bounds[] = {10, 11};

    for (size_t i = 0; i < 2; i++) {
        uint8_t buf[64];
        const struct urlp_place place = {buf, sizeof(buf), false};
        struct urlpool_response *response;

        fixture_begin(&fixture);
        fixture.data_bytes_max = bounds[i];
        response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                            "b\r\nhello world\r\n0\r\n\r\n");
        urlp_response_set_place(response, &place);
        ck_assert_int_eq(urlpool_response_read_all(response, &fixture.err),
                         i == 0 ? URLPOOL_E_DATA_TOO_LARGE : URLPOOL_OK);
        urlpool_response_free(response);
        fixture_end(&fixture);
    }
}
END_TEST

static size_t largest; /* block that was asked for */

static void *take(void *user, size_t size)
{
    (void)user;
    largest = size > largest ? size : largest;
    return malloc(size);
}

static void *take_again(void *user, void *block, size_t size)
{
    (void)user;
    largest = size > largest ? size : largest;
    return realloc(block, size);
}

static void give_back(void *user, void *block)
{
    (void)user;
    free(block);
}

START_TEST(data__of_an_announced_length_takes_a_few_times_what_has_come)
{
    const struct urlpool_allocator counting = {
        .allocate = take, .reallocate = take_again, .release = give_back};
    static char sent[300000];
    struct urlpool_response *response;

    memset(sent, 'x', sizeof(sent) - 1);
    ck_assert_int_eq(urlpool_set_allocator(&counting, NULL), URLPOOL_OK);
    fixture_begin(&fixture);
    fixture.data_bytes_max = -1;
    script_give(fixture.script, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    script_give(fixture.script, sent);
    script_end(fixture.script, URLP_END_CLEAN);
    response = fixture_exchange(&fixture);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_E_INCOMPLETE_READ);
    ck_assert_uint_ge(largest, sizeof(sent));
    ck_assert_uint_le(largest, 17 * sizeof(sent));
    urlpool_response_free(response);
    fixture_end(&fixture);
    ck_assert_int_eq(urlpool_set_allocator(NULL, NULL), URLPOOL_OK);
}
END_TEST

RUN_TESTS("response data", partial__is_every_byte_that_arrived_wherever_the_body_is_cut,
          into__takes_a_body_that_just_fits_and_refuses_one_byte_more,
          into__and_data_bytes_max_both_bound_the_body,
          data__of_an_announced_length_takes_a_few_times_what_has_come)
