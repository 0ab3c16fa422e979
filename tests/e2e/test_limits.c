/* Every limit and tolerance of struct urlpool_limits, as a manager and a connection of the lower
 * floor keep them. What exactly each counts is told in the tests of lib/h1; here, that the option
 * gets there. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/requests.h"
#include "support/run_tests.h"

/* A response: `head`, then `num_fields` short fields, then one field of `field_len` bytes, then
 * `tail`. `num_interims` heads of 100 go before it all. */
struct script {
    const char *head;
    int num_interims;
    int num_fields;
    size_t field_len;
    const char *tail;
};

static void play(struct test_peer *peer, const struct test_request *request, void *user)
{
    const struct script *script = user;

    (void)request;
    for (int i = 0; i < script->num_interims; i++) {
        test_peer_send_text(peer, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    test_peer_send_text(peer, script->head);
    for (int i = 0; i < script->num_fields; i++) {
        test_peer_send_text(peer, "A: b\r\n");
    }
    if (script->field_len > 0) {
        char *line = malloc(script->field_len + 1);

        ck_assert_ptr_nonnull(line);
        memset(line, 'x', script->field_len);
        memcpy(line, "L: ", 3);
        memcpy(line + script->field_len - 2, "\r\n", 3);
        test_peer_send(peer, line, script->field_len);
        free(line);
    }
    test_peer_send_text(peer, script->tail);
    test_peer_close(peer);
}

/* fate plays `script` to a manager with `limits`: the code of the failure, or URLPOOL_OK. */
static enum urlpool_code fate(const struct urlpool_limits *limits, struct script script)
{
    struct test_server *server = test_server_start(play, &script, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.limits = *limits, .retries = TEST_ONE_TRY});
    char url[128];
    struct urlpool_response *response = urlpool_request(
        manager, "GET", test_server_url(server, "/", url, sizeof(url)), NULL, &test_err);
    enum urlpool_code code = response != NULL ? URLPOOL_OK : test_err.code;

    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(manager).leased, 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
    return code;
}

#define WITH(...) (&(const struct urlpool_limits){__VA_ARGS__})

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define NO_BODY "Content-Length: 0\r\n\r\n"

START_TEST(line_bytes_max__is_kept)
{
    const struct script at = {.head = OK_HEAD, .field_len = 65536, .tail = NO_BODY};
    const struct script over = {.head = OK_HEAD, .field_len = 65539, .tail = NO_BODY};
    const struct script short_one = {.head = OK_HEAD, .field_len = 103, .tail = NO_BODY};

    ck_assert_int_eq(fate(WITH(0), at), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(0), over), URLPOOL_E_LINE_TOO_LONG);
    ck_assert_int_eq(fate(WITH(.line_bytes_max = 100), short_one), URLPOOL_E_LINE_TOO_LONG);
    ck_assert_int_eq(fate(WITH(.line_bytes_max = 103), short_one), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(.line_bytes_max = 70000), over), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(.line_bytes_max = URLPOOL_NONE), short_one),
                     URLPOOL_E_LINE_TOO_LONG);
}
END_TEST

START_TEST(head_bytes_max__is_kept)
{
    const struct script small = {.head = OK_HEAD, .field_len = 400, .tail = NO_BODY};
    const struct script large = {.head = OK_HEAD, .field_len = 262200, .tail = NO_BODY};

    ck_assert_int_eq(fate(WITH(.head_bytes_max = 300), small), URLPOOL_E_HEAD_TOO_LARGE);
    ck_assert_int_eq(fate(WITH(.head_bytes_max = 500), small), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(.head_bytes_max = URLPOOL_NONE), small), URLPOOL_E_HEAD_TOO_LARGE);
    ck_assert_int_eq(fate(WITH(.line_bytes_max = 300000), large), URLPOOL_E_HEAD_TOO_LARGE);
    ck_assert_int_eq(fate(WITH(.line_bytes_max = 300000, .head_bytes_max = 300000), large),
                     URLPOOL_OK);
}
END_TEST

START_TEST(head_bytes_max__counts_interim_responses)
{
    const struct script script = {.head = OK_HEAD, .num_interims = 10, .tail = NO_BODY};

    ck_assert_int_eq(fate(WITH(.head_bytes_max = 200), script), URLPOOL_E_HEAD_TOO_LARGE);
    ck_assert_int_eq(fate(WITH(.head_bytes_max = 400), script), URLPOOL_OK);
}
END_TEST

START_TEST(fields_max__is_kept)
{
    const struct script ten = {.head = OK_HEAD, .num_fields = 9, .tail = NO_BODY};
    const struct script at = {.head = OK_HEAD, .num_fields = 199, .tail = NO_BODY};
    const struct script over = {.head = OK_HEAD, .num_fields = 200, .tail = NO_BODY};

    ck_assert_int_eq(fate(WITH(0), at), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(0), over), URLPOOL_E_TOO_MANY_HEADERS);
    ck_assert_int_eq(fate(WITH(.fields_max = 201), over), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(.fields_max = 10), ten), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(.fields_max = 9), ten), URLPOOL_E_TOO_MANY_HEADERS);
    ck_assert_int_eq(fate(WITH(.fields_max = URLPOOL_NONE), ten), URLPOOL_E_TOO_MANY_HEADERS);
}
END_TEST

START_TEST(interims_max__is_kept)
{
    const struct script one = {.head = OK_HEAD, .num_interims = 1, .tail = NO_BODY};
    const struct script at = {.head = OK_HEAD, .num_interims = 32, .tail = NO_BODY};
    const struct script over = {.head = OK_HEAD, .num_interims = 33, .tail = NO_BODY};

    ck_assert_int_eq(fate(WITH(0), at), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(0), over), URLPOOL_E_HEAD_TOO_LARGE);
    ck_assert_int_eq(fate(WITH(.interims_max = 33), over), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(.interims_max = 1), one), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(.interims_max = URLPOOL_NONE), one), URLPOOL_E_HEAD_TOO_LARGE);
}
END_TEST

#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

START_TEST(trailer_bytes_max__is_kept)
{
    const struct script trailer = {.head = OK_HEAD, .tail = CHUNKED "0\r\nT: 4567890\r\n\r\n"};
    const struct script large = {
        .head = OK_HEAD CHUNKED "0\r\n", .field_len = 16500, .tail = "\r\n"};

    ck_assert_int_eq(fate(WITH(0), trailer), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(.trailer_bytes_max = 5), trailer), URLPOOL_E_HEAD_TOO_LARGE);
    ck_assert_int_eq(fate(WITH(.trailer_bytes_max = URLPOOL_NONE), trailer),
                     URLPOOL_E_HEAD_TOO_LARGE);
    ck_assert_int_eq(fate(WITH(0), large), URLPOOL_E_HEAD_TOO_LARGE);
    ck_assert_int_eq(fate(WITH(.trailer_bytes_max = 20000), large), URLPOOL_OK);
}
END_TEST

START_TEST(chunk_line_bytes_max__is_kept)
{
    static char line[5100] = CHUNKED "5;x=";
    const struct script script = {.head = OK_HEAD,
                                  .tail = CHUNKED "5;a=bcdefgh\r\nhello\r\n0\r\n\r\n"};
    const struct script large = {.head = OK_HEAD, .tail = line};
    size_t len = strlen(line);

    memset(line + len, 'y', 4200);
    strcpy(line + len + 4200, "\r\nhello\r\n0\r\n\r\n");
    ck_assert_int_eq(fate(WITH(0), script), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(.chunk_line_bytes_max = 8), script), URLPOOL_E_LINE_TOO_LONG);
    ck_assert_int_eq(fate(WITH(.chunk_line_bytes_max = 20), script), URLPOOL_OK);
    ck_assert_int_eq(fate(WITH(.chunk_line_bytes_max = URLPOOL_NONE), script),
                     URLPOOL_E_LINE_TOO_LONG);
    ck_assert_int_eq(fate(WITH(0), large), URLPOOL_E_LINE_TOO_LONG);
    ck_assert_int_eq(fate(WITH(.chunk_line_bytes_max = 5000), large), URLPOOL_OK);
}
END_TEST

START_TEST(codings_max__is_kept)
{
    const struct script one = {.head = OK_HEAD "Content-Encoding: gzip\r\n", .tail = NO_BODY};
    const struct script five = {.head =
                                    OK_HEAD "Content-Encoding: gzip, gzip, gzip, gzip, gzip\r\n",
                                .tail = "Content-Length: 1\r\n\r\n\x1f"};
    const struct script six = {.head = OK_HEAD
                               "Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip\r\n",
                               .tail = "Content-Length: 1\r\n\r\n\x1f"};
    const struct script single = {.head = OK_HEAD "Content-Encoding: gzip\r\n",
                                  .tail = "Content-Length: 1\r\n\r\n\x1f"};

    ck_assert_int_eq(fate(WITH(0), one), URLPOOL_OK); /* nothing is coded: no decoder is needed */
    ck_assert_int_eq(fate(WITH(0), five), URLPOOL_E_DECODE);
    ck_assert_ptr_null(strstr(test_err.message, "codings"));
    ck_assert_int_eq(fate(WITH(0), six), URLPOOL_E_DECODE);
    ck_assert_ptr_nonnull(strstr(test_err.message, "codings"));
    ck_assert_int_eq(fate(WITH(.codings_max = 6), six), URLPOOL_E_DECODE);
    ck_assert_ptr_null(strstr(test_err.message, "codings"));
    ck_assert_int_eq(fate(WITH(.codings_max = 1), five), URLPOOL_E_DECODE);
    ck_assert_ptr_nonnull(strstr(test_err.message, "codings"));
    ck_assert_int_eq(fate(WITH(.codings_max = URLPOOL_NONE), single), URLPOOL_E_DECODE);
    ck_assert_ptr_nonnull(strstr(test_err.message, "codings"));
}
END_TEST

START_TEST(tolerances__are_refused_only_when_asked)
{
    static const struct {
        struct script script;
        struct urlpool_limits strict;
        enum urlpool_code code;
    } cases[] = {
        {{.head = "HTTP/1.1 200 OK\n", .tail = NO_BODY},
         {.refuse_bare_lf = true},
         URLPOOL_E_BAD_STATUS_LINE},
        {{.head = "HTTP/1.1 200\r\n", .tail = NO_BODY},
         {.refuse_missing_reason = true},
         URLPOOL_E_BAD_STATUS_LINE},
        {{.head = OK_HEAD "A: b\r\n c\r\n", .tail = NO_BODY},
         {.refuse_obs_fold = true},
         URLPOOL_E_BAD_FIELD      },
        {{.head = OK_HEAD, .tail = CHUNKED "1 \r\na\r\n0\r\n\r\n"},
         {.refuse_chunk_blanks = true},
         URLPOOL_E_BAD_CHUNK      },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct urlpool_limits others = {.refuse_bare_lf = true,
                                        .refuse_missing_reason = true,
                                        .refuse_obs_fold = true,
                                        .refuse_chunk_blanks = true};

        others.refuse_bare_lf ^= cases[i].strict.refuse_bare_lf;
        others.refuse_missing_reason ^= cases[i].strict.refuse_missing_reason;
        others.refuse_obs_fold ^= cases[i].strict.refuse_obs_fold;
        others.refuse_chunk_blanks ^= cases[i].strict.refuse_chunk_blanks;
        ck_assert_int_eq(fate(WITH(0), cases[i].script), URLPOOL_OK);
        ck_assert_int_eq(fate(&others, cases[i].script), URLPOOL_OK);
        ck_assert_int_eq(fate(&cases[i].strict, cases[i].script), cases[i].code);
    }
}
END_TEST

START_TEST(limits__that_are_no_value_are_refused_by_name)
{
    static const struct {
        struct urlpool_limits limits;
        const char *name;
    } cases[] = {
        {{.line_bytes_max = -3},                       "line_bytes_max"      },
        {{.line_bytes_max = URLPOOL_NO_TIMEOUT},       "line_bytes_max"      },
        {{.line_bytes_max = INT64_MIN},                "line_bytes_max"      },
        {{.head_bytes_max = -3},                       "head_bytes_max"      },
        {{.head_bytes_max = URLPOOL_NO_TIMEOUT},       "head_bytes_max"      },
        {{.trailer_bytes_max = -3},                    "trailer_bytes_max"   },
        {{.trailer_bytes_max = URLPOOL_NO_TIMEOUT},    "trailer_bytes_max"   },
        {{.fields_max = -3},                           "fields_max"          },
        {{.fields_max = URLPOOL_NO_TIMEOUT},           "fields_max"          },
        {{.interims_max = -3},                         "interims_max"        },
        {{.interims_max = URLPOOL_NO_TIMEOUT},         "interims_max"        },
        {{.chunk_line_bytes_max = -3},                 "chunk_line_bytes_max"},
        {{.chunk_line_bytes_max = URLPOOL_NO_TIMEOUT}, "chunk_line_bytes_max"},
        {{.codings_max = -3},                          "codings_max"         },
        {{.codings_max = URLPOOL_NO_TIMEOUT},          "codings_max"         },
        {{.coding_ratio_max = -3},                     "coding_ratio_max"    },
        {{.coding_ratio_max = URLPOOL_NO_TIMEOUT},     "coding_ratio_max"    },
        {{.coding_window_max = -3},                    "coding_window_max"   },
        {{.coding_window_max = URLPOOL_NO_TIMEOUT},    "coding_window_max"   },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct urlpool_manager_options options = {.limits = cases[i].limits};
        const struct urlpool_connection_options floor = {.limits = cases[i].limits};

        ck_assert_ptr_null(urlpool_manager_new(&options, &test_err));
        ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
        ck_assert_ptr_nonnull(strstr(test_err.message, cases[i].name));
        ck_assert_ptr_null(urlpool_connection_new("h", 0, &floor, &test_err));
        ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
        ck_assert_ptr_nonnull(strstr(test_err.message, cases[i].name));
    }
}
END_TEST

START_TEST(limits__are_kept_on_the_lower_floor_too)
{
    struct script script = {.head = OK_HEAD, .num_fields = 4, .tail = NO_BODY};
    struct test_server *server = test_server_start(play, &script, NULL);

    for (int max = 4; max <= 5; max++) {
        const struct urlpool_connection_options options = {.limits = {.fields_max = max}};
        struct urlpool_connection *connection =
            urlpool_connection_new("127.0.0.1", test_server_port(server), &options, &test_err);
        struct urlpool_response *response;

        ck_assert_int_eq(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &test_err),
                         URLPOOL_OK);
        response = urlpool_connection_getresponse(connection, &test_err);
        ck_assert_int_eq(response != NULL, max == 5);
        urlpool_response_free(response);
        urlpool_connection_free(connection);
    }
    test_server_stop(server);
}
END_TEST

RUN_TESTS("limits", line_bytes_max__is_kept, head_bytes_max__is_kept,
          head_bytes_max__counts_interim_responses, fields_max__is_kept, interims_max__is_kept,
          trailer_bytes_max__is_kept, chunk_line_bytes_max__is_kept, codings_max__is_kept,
          tolerances__are_refused_only_when_asked, limits__that_are_no_value_are_refused_by_name,
          limits__are_kept_on_the_lower_floor_too)
