/* Where a TLS connection may end and how: with close_notify, without, or by a reset. What is whole
 * is given; what lacks a byte never is, nor is what only the end of the connection ends, unless
 * close_notify says so (RFC 9112 section 9.8). */

#include <openssl/ssl.h>
#include <string.h>

#include "support/https_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/tls_client.h"

enum ending {
    CUT,   /* FIN alone */
    CLOSE, /* close_notify and FIN */
    RESET
};

struct row {
    const char *what;
    const char *said;       /* by the server, before the end */
    enum urlpool_code code; /* after FIN alone */
    enum urlpool_code told; /* after close_notify */
    const char *body;       /* of what is given */
};

#define HEAD    "HTTP/1.1 200 OK\r\n"
#define SIZED   HEAD "Content-Length: 4\r\n\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

static const struct row rows[] = {
    {"before the answer",        "",                                 URLPOOL_E_REMOTE_DISCONNECTED, URLPOOL_E_REMOTE_DISCONNECTED, NULL  },
    {"in the status line",       "HTTP/1.1 20",                      URLPOOL_E_INCOMPLETE_READ,     URLPOOL_E_INCOMPLETE_READ,
     NULL                                                                                                                                },
    {"in the head",              HEAD "Content-Len",                 URLPOOL_E_INCOMPLETE_READ,     URLPOOL_E_INCOMPLETE_READ,     NULL  },
    {"before the empty line",    HEAD "Content-Length: 4\r\n",       URLPOOL_E_INCOMPLETE_READ,
     URLPOOL_E_INCOMPLETE_READ,                                                                                                    NULL  },
    {"behind an interim head",   "HTTP/1.1 103 Early Hints\r\n\r\n", URLPOOL_E_INCOMPLETE_READ,
     URLPOOL_E_INCOMPLETE_READ,                                                                                                    NULL  },
    {"before the body",          SIZED,                              URLPOOL_E_INCOMPLETE_READ,     URLPOOL_E_INCOMPLETE_READ,     NULL  },
    {"in the body",              SIZED "bod",                        URLPOOL_E_INCOMPLETE_READ,     URLPOOL_E_INCOMPLETE_READ,     NULL  },
    {"behind the body",          SIZED "body",                       URLPOOL_OK,                    URLPOOL_OK,                    "body"},
    {"before the chunks",        CHUNKED,                            URLPOOL_E_INCOMPLETE_READ,     URLPOOL_E_INCOMPLETE_READ,     NULL  },
    {"in a chunk's size",        CHUNKED "4",                        URLPOOL_E_INCOMPLETE_READ,     URLPOOL_E_INCOMPLETE_READ,     NULL  },
    {"in a chunk",               CHUNKED "4\r\nbod",                 URLPOOL_E_INCOMPLETE_READ,     URLPOOL_E_INCOMPLETE_READ,     NULL  },
    {"between chunks",           CHUNKED "4\r\nbody\r\n",            URLPOOL_E_INCOMPLETE_READ,
     URLPOOL_E_INCOMPLETE_READ,                                                                                                    NULL  },
    {"behind the last chunk",    CHUNKED "4\r\nbody\r\n0\r\n",       URLPOOL_E_INCOMPLETE_READ,
     URLPOOL_E_INCOMPLETE_READ,                                                                                                    NULL  },
    {"in a trailer",             CHUNKED "4\r\nbody\r\n0\r\nX: y",   URLPOOL_E_INCOMPLETE_READ,
     URLPOOL_E_INCOMPLETE_READ,                                                                                                    NULL  },
    {"behind all chunks",        CHUNKED "4\r\nbody\r\n0\r\n\r\n",   URLPOOL_OK,                    URLPOOL_OK,                    "body"},
    {"in what the end ends",     HEAD "\r\nbody",                    URLPOOL_E_INCOMPLETE_READ,     URLPOOL_OK,                    "body"},
    {"before what the end ends", HEAD "\r\n",                        URLPOOL_E_INCOMPLETE_READ,     URLPOOL_OK,                    ""    },
};

/* struct act is what the server does with a request. */
struct act {
    const struct row *row;
    enum ending ending;
};

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    const struct act *act = user;

    (void)request;
    test_peer_send_text(peer, act->row->said);
    if (act->ending == CUT) {
        test_peer_cut(peer);
    } else if (act->ending == RESET) {
        test_peer_reset(peer);
    } else {
        test_peer_close(peer);
    }
}

/* read_streamed reads a streamed body to its end, or to its failure, and gives the code. */
static enum urlpool_code read_streamed(struct urlpool_response *response, char *out, size_t size)
{
    size_t len = 0;
    size_t got = 1;
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && got > 0) {
        code = urlpool_response_read(response, out + len, size - 1 - len, &got, &test_err);
        len += code == URLPOOL_OK ? got : 0;
    }
    out[len] = '\0';
    return code;
}

/* ask makes a request, buffered or streamed, gives its code, and its body in `out`. */
static enum urlpool_code ask(struct urlpool_manager *manager, const struct test_server *server,
                             bool is_streamed, char *out, size_t size)
{
    const struct urlpool_request_options options = {.stream = is_streamed, .retries = TEST_ONE_TRY};
    char url[64];
    struct urlpool_response *response = urlpool_request(
        manager, "GET", test_server_url(server, "/", url, sizeof(url)), &options, &test_err);
    enum urlpool_code code = URLPOOL_OK;

    if (response == NULL) {
        return test_err.code;
    }
    if (is_streamed) {
        code = read_streamed(response, out, size);
    } else {
        snprintf(out, size, "%s", (const char *)response->data);
    }
    urlpool_response_free(response);
    return code;
}

/* check holds all rows against one way to end and one version of TLS. */
static void check(enum ending ending, enum urlpool_tls_version version, bool is_streamed)
{
    struct act act = {.ending = ending};
    struct https_scene scene = https_scene_begin(answer, &act, NULL);
    struct urlpool_tls *tls =
        test_trust_with(scene.ca, (struct urlpool_tls_options){.version_max = version});
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){.tls = tls});

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const enum urlpool_code expected = ending == CLOSE ? rows[i].told : rows[i].code;
        char body[16] = "";
        enum urlpool_code code;

        act.row = &rows[i];
        code = ask(manager, scene.server, is_streamed, body, sizeof(body));
        /* A reset may overtake what was sent before it. */
        ck_assert_msg(ending == RESET ? code != URLPOOL_OK || rows[i].code == URLPOOL_OK
                                      : code == expected,
                      "%s: %s: %s", rows[i].what, urlpool_code_name(code), test_err.message);
        ck_assert_msg(code != URLPOOL_OK || strcmp(body, rows[i].body) == 0, "%s: \"%s\"",
                      rows[i].what, body);
        /* Behind a whole answer the end may not have come yet. */
        ck_assert_msg(rows[i].code == URLPOOL_OK || test_stats(manager).open == 0, "%s: kept",
                      rows[i].what);
        (void)urlpool_manager_close_idle(manager);
    }
    urlpool_manager_free(manager);
    urlpool_tls_unref(tls);
    https_scene_end(&scene);
}

START_TEST(end__without_close_notify_gives_what_is_whole)
{
    check(CUT, URLPOOL_TLS_1_3, false);
    check(CUT, URLPOOL_TLS_1_2, false);
    check(CUT, URLPOOL_TLS_1_3, true);
}
END_TEST

START_TEST(end__with_close_notify_ends_a_body_too)
{
    check(CLOSE, URLPOOL_TLS_1_3, false);
    check(CLOSE, URLPOOL_TLS_1_2, false);
    check(CLOSE, URLPOOL_TLS_1_3, true);
}
END_TEST

START_TEST(end__by_a_reset_gives_nothing_that_it_would_end)
{
    check(RESET, URLPOOL_TLS_1_3, false);
    check(RESET, URLPOOL_TLS_1_2, true);
}
END_TEST

RUN_TESTS("TLS endings", end__without_close_notify_gives_what_is_whole,
          end__with_close_notify_ends_a_body_too, end__by_a_reset_gives_nothing_that_it_would_end)
