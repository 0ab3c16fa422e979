/* What comes down: every framing and coding of a body as a caller of urlpool_request gets it, and
 * whether the connection is used again. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "support/requests.h"
#include "support/run_tests.h"

/* Bytes that the server sends as they are. */
struct wire {
    const char *data;
    size_t len; /* 0: a string */
    bool closes;
};

static void send_wire(struct test_peer *peer, const struct test_request *request, void *user)
{
    const struct wire *wire = user;

    (void)request;
    test_peer_send(peer, wire->data, wire->len > 0 ? wire->len : strlen(wire->data));
    if (wire->closes) {
        test_peer_close(peer);
    }
}

#define OK_11   "HTTP/1.1 200 OK\r\n"
#define OK_10   "HTTP/1.0 200 OK\r\n"
#define CHUNKED OK_11 "Transfer-Encoding: chunked\r\n\r\n"

START_TEST(body__of_each_framing_is_read_whole)
{
    static const struct {
        const char *method, *wire;
        bool closes;
        int status, version;
        const char *data;
        bool is_kept;
    } cases[] = {
        {"GET",  OK_11 "Content-Length: 3\r\n\r\nabc",                           false, 200, 11, "abc",  true },
        {"GET",  OK_11 "Content-Length: 0\r\n\r\n",                              false, 200, 11, "",     true },
        {"GET",  CHUNKED "1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n",                   false, 200, 11, "abc",  true },
        {"GET",  CHUNKED "0\r\n\r\n",                                            false, 200, 11, "",     true },
        {"GET",  OK_11 "\r\nabc",                                                true,  200, 11, "abc",  false},
        {"GET",  OK_10 "Content-Length: 3\r\n\r\nabc",                           true,  200, 10, "abc",  false},
        {"GET",  OK_10 "Connection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", false, 200, 10,
         "abc",                                                                                          true },
        {"GET",  OK_11 "Connection: close\r\nContent-Length: 3\r\n\r\nabc",      true,  200, 11, "abc",
         false                                                                                                },
        {"HEAD", OK_11 "Content-Length: 12345\r\n\r\n",                          false, 200, 11, "",     true },
        {"HEAD", CHUNKED,                                                        false, 200, 11, "",     true },
        {"GET",  "HTTP/1.1 204 No Content\r\n\r\n",                              false, 204, 11, "",     true },
        {"GET",  "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n",      false, 304, 11, "",
         true                                                                                                 },
        {"GET",  "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone",      false, 404, 11, "gone",
         true                                                                                                 },
        {"GET",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK_11
         "Content-Length: 2\r\n\r\nok",                                          false, 200, 11, "ok",   true },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wire wire = {cases[i].wire, 0, cases[i].closes};
        struct test_server *server = test_server_start(send_wire, &wire, NULL);
        struct urlpool_manager *manager = test_manager(NULL);

        for (int again = 0; again < 2; again++) {
            struct urlpool_response *response =
                test_fetch(manager, cases[i].method, server, "/", NULL);

            ck_assert_int_eq(response->status, cases[i].status);
            ck_assert_int_eq(response->version, cases[i].version);
            ck_assert_msg(strcmp((const char *)response->data, cases[i].data) == 0, "case %zu", i);
            ck_assert_uint_eq(response->data_len, strlen(cases[i].data));
            ck_assert_msg(response->connection_reused == (again == 1 && cases[i].is_kept),
                          "case %zu", i);
            ck_assert_int_eq(response->error_code, URLPOOL_OK);
            urlpool_response_free(response);
        }
        urlpool_manager_free(manager);
        test_server_stop(server);
    }
}
END_TEST

START_TEST(trailers__are_kept_apart_from_the_headers)
{
    struct wire wire = {CHUNKED "1\r\na\r\n0\r\nDigest: x\r\nContent-Length: 9\r\n\r\n", 0, false};
    struct test_server *server = test_server_start(send_wire, &wire, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/", NULL);
    const struct urlpool_headers *trailers = urlpool_response_trailers(response);

    ck_assert_ptr_nonnull(trailers);
    ck_assert_str_eq(urlpool_headers_get(trailers, "digest"), "x");
    ck_assert_ptr_null(urlpool_response_header(response, "Digest"));
    ck_assert_ptr_null(urlpool_response_header(response, "Content-Length"));
    urlpool_response_free(response);
    test_get(manager, server);
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* coded makes a response whose body is `len` bytes of 'z' in one coding; `window` is zlib's: 31
 * gzip, 15 zlib, -15 raw. The caller frees wire.data. */
static struct wire coded(const char *coding, int window, size_t len)
{
    z_stream stream = {0};
    size_t size = len / 100 + 4096;
    char *data = malloc(size);
    void *plain = malloc(len);
    char *body;
    int head_len;

    ck_assert_ptr_nonnull(data);
    ck_assert_ptr_nonnull(plain);
    memset(plain, 'z', len);
    ck_assert_int_eq(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    body = malloc(size);
    ck_assert_ptr_nonnull(body);
    stream.next_in = plain;
    stream.avail_in = (uInt)len;
    stream.next_out = (Bytef *)body;
    stream.avail_out = (uInt)size;
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    head_len = snprintf(data, size,
                        "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %lu\r\n\r\n",
                        coding, stream.total_out);
    memcpy(data + head_len, body, stream.total_out);
    size = (size_t)head_len + stream.total_out;
    (void)deflateEnd(&stream);
    free(body);
    free(plain);
    return (struct wire){data, size, false};
}

START_TEST(coding__of_each_kind_is_undone)
{
    static const struct {
        const char *coding;
        int window;
    } cases[] = {
        {"gzip",    31 },
        {"GZip",    31 },
        {"x-gzip",  31 },
        {"deflate", 15 },
        {"deflate", -15},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wire wire = coded(cases[i].coding, cases[i].window, 100000);
        struct test_server *server = test_server_start(send_wire, &wire, NULL);
        struct urlpool_manager *manager = test_manager(NULL);

        for (int again = 0; again < 2; again++) {
            struct urlpool_response *response = test_fetch(manager, "GET", server, "/", NULL);

            ck_assert_msg(response->data_len == 100000, "case %zu: %zu", i, response->data_len);
            ck_assert_int_eq(response->data[0], 'z');
            ck_assert_int_eq(response->data[99999], 'z');
            ck_assert_int_eq(response->data[100000], '\0');
            urlpool_response_free(response);
        }
        ck_assert_uint_eq(test_server_num_connections(server), 1);
        urlpool_manager_free(manager);
        test_server_stop(server);
        free((void *)(uintptr_t)wire.data);
    }
}
END_TEST

/* "hello", as encoders make it. */
#define HELLO_BR   "\x0b\x02\x80hello\x03"
#define HELLO_ZSTD "\x28\xb5\x2f\xfd\x20\x05\x29\0\0hello"

/* check_hello fetches a body in an optional coding: undone where that is built in, else as it is.
 */
static void check_hello(const char *coding, const char *body, size_t len, bool is_built_in)
{
    char data[256];
    int head_len = snprintf(
        data, sizeof(data),
        "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n", coding, len);
    struct wire wire = {data, (size_t)head_len + len, false};
    struct test_server *server = test_server_start(send_wire, &wire, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response;
    char *head;

    memcpy(data + head_len, body, len);
    response = test_fetch(manager, "GET", server, "/", NULL);
    ck_assert_uint_eq(response->data_len, is_built_in ? 5 : len);
    ck_assert_mem_eq(response->data, is_built_in ? "hello" : body, response->data_len);
    ck_assert_str_eq(urlpool_response_header(response, "Content-Encoding"), coding);
    urlpool_response_free(response);
    head = test_server_last_head(server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nAccept-Encoding: " TEST_ACCEPT_ENCODING "\r\n"));
    free(head);
    urlpool_manager_free(manager);
    test_server_stop(server);
}

START_TEST(coding__that_is_not_built_in_is_passed_on)
{
    check_hello("br", HELLO_BR, sizeof(HELLO_BR) - 1, URLP_HAS_BROTLI);
    check_hello("zstd", HELLO_ZSTD, sizeof(HELLO_ZSTD) - 1, URLP_HAS_ZSTD);
    check_hello("compress", "\x1f\x9d", 2, false);
    check_hello("br, compress", HELLO_BR, sizeof(HELLO_BR) - 1, false);
}
END_TEST

START_TEST(coding__that_unfolds_past_coding_ratio_max_is_an_error)
{
    struct wire wire = coded("gzip", 31, (size_t)20 << 20); /* of some twenty thousand bytes */
    struct test_server *server = test_server_start(send_wire, &wire, NULL);
    struct urlpool_manager *strict =
        test_manager(&(struct urlpool_manager_options){.limits.coding_ratio_max = 100});
    struct urlpool_manager *manager = test_manager(NULL);

    ck_assert_int_eq(test_fetch_fails(strict, "GET", server, "/", NULL), URLPOOL_E_DECODE);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
    test_get(manager, server);
    urlpool_manager_free(strict);
    urlpool_manager_free(manager);
    test_server_stop(server);
    free((void *)(uintptr_t)wire.data);
}
END_TEST

START_TEST(coding__that_unfolds_past_data_bytes_max_is_an_error)
{
    struct wire wire = coded("gzip", 31, (size_t)8 << 20); /* of some eight thousand bytes */
    struct test_server *server = test_server_start(send_wire, &wire, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {.data_bytes_max = ((int64_t)8 << 20) - 1};
    struct urlpool_response *response;

    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", &options),
                     URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
    ck_assert_int_eq(test_err.http_status, 200);
    options.data_bytes_max++;
    response = test_fetch(manager, "GET", server, "/", &options);
    ck_assert_uint_eq(response->data_len, (size_t)8 << 20);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
    free((void *)(uintptr_t)wire.data);
}
END_TEST

START_TEST(coding__that_is_broken_is_an_error_and_not_a_body)
{
    static const struct wire wires[] = {
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain",    0, false},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: "
         "4\r\n\r\n\xff\xff\xff\xff",                                             0, false},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", 0,
         false                                                                                     },
    };

    for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++) {
        struct wire wire = wires[i];
        struct test_server *server = test_server_start(send_wire, &wire, NULL);
        struct urlpool_manager *manager = test_manager(NULL);

        ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", NULL), URLPOOL_E_DECODE);
        ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
        ck_assert_uint_eq(test_stats(manager).leased, 0);
        urlpool_manager_free(manager);
        test_server_stop(server);
    }
}
END_TEST

START_TEST(coding__that_nobody_knows_is_left_as_it_is)
{
    struct wire wire = {
        "HTTP/1.1 200 OK\r\nContent-Encoding: zebra\r\nContent-Length: 3\r\n\r\nabc", 0, false};
    struct test_server *server = test_server_start(send_wire, &wire, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/", NULL);

    ck_assert_str_eq((const char *)response->data, "abc");
    ck_assert_str_eq(urlpool_response_header(response, "content-encoding"), "zebra");
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(body__that_breaks_off_is_never_handed_out)
{
    static const struct {
        const char *data;
        enum urlpool_code code;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",                       URLPOOL_E_INCOMPLETE_READ  },
        {CHUNKED "5\r\nab",                                                       URLPOOL_E_INCOMPLETE_READ  },
        {CHUNKED "2\r\nab\r\n",                                                   URLPOOL_E_INCOMPLETE_READ  },
        {CHUNKED "2\r\nab\r\n0\r\n",                                              URLPOOL_E_INCOMPLETE_READ  },
        {CHUNKED "zz\r\nab\r\n0\r\n\r\n",                                         URLPOOL_E_BAD_CHUNK        },
        {CHUNKED "2\r\nabc\r\n0\r\n\r\n",                                         URLPOOL_E_BAD_CHUNK        },
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
         URLPOOL_E_BAD_LENGTH                                                                                },
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabcd",                     URLPOOL_E_BAD_LENGTH       },
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabcd",                URLPOOL_E_TRANSFER_ENCODING},
        {"HTTP/1.1 200 OK\r\nbad field\r\n\r\n",                                  URLPOOL_E_BAD_FIELD        },
        {"HTTP/1.1 200 O",                                                        URLPOOL_E_INCOMPLETE_READ  },
        {"HTTP/2.0 200 OK\r\n\r\n",                                               URLPOOL_E_UNKNOWN_PROTOCOL },
        {"HTTP/1.1 200 OK\r\nContent-Len",                                        URLPOOL_E_INCOMPLETE_READ  },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wire wire = {cases[i].data, 0, true};
        struct test_server *server = test_server_start(send_wire, &wire, NULL);
        struct urlpool_manager *manager =
            test_manager(&(struct urlpool_manager_options){.retries = TEST_ONE_TRY});
        enum urlpool_code code = test_fetch_fails(manager, "GET", server, "/", NULL);

        ck_assert_msg(code == cases[i].code, "case %zu: %s: %s", i, urlpool_code_name(code),
                      test_err.message);
        ck_assert(test_err.maybe_processed);
        ck_assert_uint_eq(test_stats(manager).open, 0);
        ck_assert_uint_eq(test_server_num_requests(server), 1);
        urlpool_manager_free(manager);
        test_server_stop(server);
    }
}
END_TEST

START_TEST(body__of_three_megabytes_is_read_in_each_framing)
{
    static const char *const heads[] = {"Content-Length: 3145728\r\n\r\n", "\r\n",
                                        "Transfer-Encoding: chunked\r\n\r\n300000\r\n"};
    const size_t len = (size_t)3 << 20;

    for (size_t i = 0; i < 3; i++) {
        char *data = malloc(len + 200);
        struct wire wire = {data, 0, true};
        struct test_server *server;
        struct urlpool_manager *manager = test_manager(NULL);
        struct urlpool_response *response;
        int head_len = snprintf(data, 200, "HTTP/1.1 200 OK\r\n%s", heads[i]);

        memset(data + head_len, 'm', len);
        strcpy(data + (size_t)head_len + len, i == 2 ? "\r\n0\r\n\r\n" : "");
        server = test_server_start(send_wire, &wire, NULL);
        response = test_fetch(manager, "GET", server, "/", NULL);
        ck_assert_uint_eq(response->data_len, len);
        ck_assert_int_eq(response->data[len - 1], 'm');
        urlpool_response_free(response);
        urlpool_manager_free(manager);
        test_server_stop(server);
        free(data);
    }
}
END_TEST

RUN_TESTS("download", body__of_each_framing_is_read_whole,
          trailers__are_kept_apart_from_the_headers, coding__of_each_kind_is_undone,
          coding__that_is_not_built_in_is_passed_on,
          coding__that_unfolds_past_coding_ratio_max_is_an_error,
          coding__that_unfolds_past_data_bytes_max_is_an_error,
          coding__that_is_broken_is_an_error_and_not_a_body,
          coding__that_nobody_knows_is_left_as_it_is, body__that_breaks_off_is_never_handed_out,
          body__of_three_megabytes_is_read_in_each_framing)
