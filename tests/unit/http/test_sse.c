/* Event streams, each read whole, byte by byte, and cut once at every offset: what comes out is the
 * same. */

#include <stdio.h>
#include <string.h>

#include "http/sse.h"
#include "support/run_tests.h"

/* Events are printed as "type(data)id"; line ends in data as '/'. */
static const struct {
    const char *stream, *events;
    bool is_between; /* at the end */
} rows[] = {
    {"data: hello\n\n",                               "message(hello)",                   true },
    {"data: hello\r\n\r\n",                           "message(hello)",                   true },
    {"data: hello\r\r",                               "message(hello)",                   true },
    {"data: a\r\ndata: b\rdata: c\n\r\n",             "message(a/b/c)",                   true },
    {"data: a\r\n\r\ndata: b\r\n\r\n",                "message(a)message(b)",             true },
    {"\xef\xbb\xbf"
     "data: a\n\n",                              "message(a)",                       true },
    {"\xef\xbb\xbf\xef\xbb\xbf"
     "data: a\n\ndata: b\n\n",                   "message(b)",                       true },
    {"\xef\xbb"
     "data: a\n\ndata: b\n\n",                   "message(b)",                       true },
    {"data:a\ndata: b\ndata:  c\n\n",                 "message(a/b/ c)",                  true },
    {"data\n\ndata\ndata\n\ndata:",                   "message()message(/)",              false},
    {"event: add\ndata: 1\n\ndata: 2\n\n",            "add(1)message(2)",                 true },
    {"event: add\n\ndata: 2\n\n",                     "message(2)",                       true },
    {"event: a\nevent: b\ndata: 1\n\n",               "b(1)",                             true },
    {": comment\n\n:\n:data: x\n\ndata: 1\n\n",       "message(1)",                       true },
    {"id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",  "message(a)7message(b)7message(c)", true },
    {"id: 7\n\ndata: b\n\n",                          "message(b)7",                      true },
    {"Data: a\ndata : b\nfoo: c\nfoo\n\ndata: d\n\n", "message(d)",                       true },
    {"data: a: b:c\n\n",                              "message(a: b:c)",                  true },
    {"data: a\n",                                     "",                                 false},
    {"data: a",                                       "",                                 false},
    {"event: a\n",                                    "",                                 false},
    {"data: a\n\n: done\n",                           "message(a)",                       true },
    {"",                                              "",                                 true },
    {"\n\r\n\r\r\n",                                  "",                                 true },
};

/* feed reads `len` bytes and prints the events. */
static void feed(struct urlp_sse *sse, const char *bytes, size_t len, char *out)
{
    size_t at = 0;

    while (at < len) {
        size_t used = 0;
        bool has_event = false;

        ck_assert_int_eq(
            urlp_sse_next(sse, (const uint8_t *)bytes + at, len - at, &used, &has_event, NULL),
            URLPOOL_OK);
        ck_assert_uint_gt(used, 0);
        at += used;
        if (has_event) {
            ck_assert_uint_eq(strlen((const char *)sse->data.data), sse->data.len);
            for (size_t i = 0; i < sse->data.len; i++) {
                sse->data.data[i] = sse->data.data[i] == '\n' ? '/' : sse->data.data[i];
            }
            (void)sprintf(out + strlen(out), "%s(%s)%s", (const char *)sse->event.data,
                          (const char *)sse->data.data, (const char *)sse->last_id.data);
        }
    }
}

static void check(size_t row, size_t cut, size_t piece)
{
    const size_t len = strlen(rows[row].stream);
    struct urlp_sse sse = {.bytes_max = -1};
    char events[256] = "";

    feed(&sse, rows[row].stream, cut, events);
    for (size_t at = cut; at < len; at += piece) {
        feed(&sse, rows[row].stream + at, len - at < piece ? len - at : piece, events);
    }
    ck_assert_msg(strcmp(events, rows[row].events) == 0, "row %zu, cut %zu, pieces of %zu: %s", row,
                  cut, piece, events);
    ck_assert_msg(urlp_sse_is_between(&sse) == rows[row].is_between, "row %zu", row);
    urlp_sse_deinit(&sse);
}

START_TEST(stream__gives_the_same_events_however_it_is_cut)
{
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        check(row, 0, 1);
        for (size_t cut = 0; cut <= strlen(rows[row].stream); cut++) {
            check(row, cut, 1000);
        }
    }
}
END_TEST

START_TEST(id__with_a_nul_is_dropped_and_data_with_one_is_not)
{
    static const char stream[] = "id: 1\nid: 2\0x\ndata: a\0b\n\n";
    struct urlp_sse sse = {.bytes_max = -1};
    size_t used = 0;
    bool has_event = false;

    ck_assert_int_eq(
        urlp_sse_next(&sse, (const uint8_t *)stream, sizeof(stream) - 1, &used, &has_event, NULL),
        URLPOOL_OK);
    ck_assert(has_event);
    ck_assert_str_eq((const char *)sse.last_id.data, "1");
    ck_assert_uint_eq(sse.data.len, 3);
    ck_assert_mem_eq(sse.data.data, "a\0b", 4);
    urlp_sse_deinit(&sse);
}
END_TEST

START_TEST(retry__is_a_number_of_nothing_but_digits)
{
    static const struct {
        const char *line;
        int64_t ms; /* -1: none */
    } lines[] = {
        {"retry: 1500\n",                 1500},
        {"retry: 0\n",                    0   },
        {"retry:\n",                      -1  },
        {"retry: 1.5\n",                  -1  },
        {"retry: -1\n",                   -1  },
        {"retry: 99999999999999999999\n", -1  },
        {"retry: 12 \n",                  -1  },
        {"retry: x\n",                    -1  }
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct urlp_sse sse = {.bytes_max = -1};
        size_t used = 0;
        bool has_event = false;

        ck_assert_int_eq(urlp_sse_next(&sse, (const uint8_t *)lines[i].line, strlen(lines[i].line),
                                       &used, &has_event, NULL),
                         URLPOOL_OK);
        ck_assert_int_eq(sse.has_retry ? sse.retry_ms : -1, lines[i].ms);
        urlp_sse_deinit(&sse);
    }
}
END_TEST

START_TEST(bytes_max__bounds_an_event_and_not_the_comments_before_it)
{
    static const struct {
        const char *stream;
        bool is_too_long;
    } streams[] = {
        {"data: 345\n\n",                          false}, /* 11 bytes */
        {"data: 3456\n\n",                         true },
        {"data: 3\ndata: 4\n\n",                   true },
        {"data: 3456789012345",                    true },
        {":234567\n:234567\n:234567\ndata: 3\n\n", false},
        {":2345678901234567890",                   true },
        {"data: 345\n\ndata: 345\n\n",             false},
    };

    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        struct urlp_sse sse = {.bytes_max = 11};
        enum urlpool_code code = URLPOOL_OK;

        for (const char *at = streams[i].stream; *at != '\0' && code == URLPOOL_OK; at++) {
            size_t used = 0;
            bool has_event = false;

            code = urlp_sse_next(&sse, (const uint8_t *)at, 1, &used, &has_event, NULL);
        }
        ck_assert_msg(code == (streams[i].is_too_long ? URLPOOL_E_DATA_TOO_LARGE : URLPOOL_OK),
                      "row %zu", i);
        urlp_sse_deinit(&sse);
    }
}
END_TEST

RUN_TESTS("sse", stream__gives_the_same_events_however_it_is_cut,
          id__with_a_nul_is_dropped_and_data_with_one_is_not,
          retry__is_a_number_of_nothing_but_digits,
          bytes_max__bounds_an_event_and_not_the_comments_before_it)
