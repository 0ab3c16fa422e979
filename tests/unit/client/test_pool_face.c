/* One origin: the public face of a pool. */

#include <stdio.h>
#include <string.h>

#include "support/failing_allocator.h"
#include "support/requests.h"
#include "support/run_tests.h"

/* answer_elsewhere redirects "/to/URL" to URL. */
static void answer_elsewhere(struct test_peer *peer, const struct test_request *request, void *user)
{
    char location[512];

    (void)user;
    if (strncmp(request->target, "/to/", 4) == 0) {
        snprintf(location, sizeof(location), "Location: %s\r\n", request->target + 4);
        test_peer_reply(peer, 302, location, "");
    } else {
        test_peer_reply(peer, 200, NULL, request->method);
    }
}

START_TEST(pool__is_one_origin_and_refuses_another)
{
    struct test_server *server = test_server_start(answer_elsewhere, NULL, NULL);
    struct test_server *other = test_server_start(answer_elsewhere, NULL, NULL);
    char url[256];
    char path[300];
    struct urlpool_pool *pool =
        urlpool_pool_new(test_server_url(server, "/", url, sizeof(url)), NULL, &test_err);
    struct urlpool_response *response = urlpool_pool_request(pool, "GET", "/x", NULL, &test_err);

    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(response->status, 200);
    urlpool_response_free(response);
    test_server_url(other, "/", url, sizeof(url));
    ck_assert_ptr_null(urlpool_pool_request(pool, "GET", url, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_HOST_CHANGED);
    snprintf(path, sizeof(path), "/to/%s", url);
    ck_assert_ptr_null(urlpool_pool_request(pool, "GET", path, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_HOST_CHANGED);
    ck_assert_uint_eq(test_server_num_requests(other), 0);
    urlpool_pool_close(pool);
    ck_assert_ptr_null(urlpool_pool_request(pool, "GET", "/x", NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_POOL_CLOSED);
    urlpool_pool_unref(pool);
    test_server_stop(server);
    test_server_stop(other);
}
END_TEST

START_TEST(pool__lends_connections_to_speak_on)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    char url[256];
    struct urlpool_pool *pool =
        urlpool_pool_new(test_server_url(server, "/", url, sizeof(url)), NULL, &test_err);
    struct urlpool_connection *first = urlpool_pool_acquire(pool, NULL, NULL, &test_err);
    struct urlpool_connection *second = urlpool_pool_acquire(pool, NULL, NULL, &test_err);
    struct urlpool_response *response;
    struct urlpool_stats stats;

    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(second);
    ck_assert_int_eq(urlpool_connection_request(first, "GET", "/", NULL, NULL, &test_err),
                     URLPOOL_OK);
    response = urlpool_connection_getresponse(first, &test_err);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_OK);
    urlpool_response_free(response);
    ck_assert_int_eq(urlpool_connection_request(second, "GET", "/", NULL, NULL, &test_err),
                     URLPOOL_OK);
    urlpool_pool_release(pool, first);
    urlpool_pool_release(pool, second); /* its response was never read */
    urlpool_pool_stats(pool, &stats, sizeof(stats));
    ck_assert_uint_eq(stats.idle, 1);
    ck_assert_uint_eq(stats.open, 1);
    ck_assert_uint_eq(stats.closed[URLPOOL_CLOSED_UNREAD], 1);
    urlpool_pool_unref(pool);
    test_server_stop(server);
}
END_TEST

START_TEST(pool__lent_connection_counts_each_of_its_requests)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    const struct urlpool_manager_options options = {.requests_max = 2};
    char url[256];
    struct urlpool_pool *pool =
        urlpool_pool_new(test_server_url(server, "/", url, sizeof(url)), &options, &test_err);
    struct urlpool_connection *connection = urlpool_pool_acquire(pool, NULL, NULL, &test_err);
    struct urlpool_stats stats;

    ck_assert_ptr_nonnull(connection);
    for (int i = 0; i < 2; i++) {
        struct urlpool_response *response;

        ck_assert_int_eq(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &test_err),
                         URLPOOL_OK);
        response = urlpool_connection_getresponse(connection, &test_err);
        ck_assert_ptr_nonnull(response);
        urlpool_response_free(response);
    }
    urlpool_pool_release(pool, connection);
    urlpool_pool_stats(pool, &stats, sizeof(stats));
    ck_assert_uint_eq(stats.closed[URLPOOL_CLOSED_REQUESTS], 1);
    ck_assert_uint_eq(stats.idle, 0);
    urlpool_pool_unref(pool);
    test_server_stop(server);
}
END_TEST

static void count_line(void *user, const char *line)
{
    (void)line;
    ++*(unsigned *)user;
}

START_TEST(pool__lent_connection_forgets_the_debug_sink_of_who_had_it)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    char url[256];
    struct urlpool_pool *pool =
        urlpool_pool_new(test_server_url(server, "/", url, sizeof(url)), NULL, &test_err);
    unsigned num_lines = 0, num_before = 0;

    for (int i = 0; i < 2; i++) {
        struct urlpool_connection *connection = urlpool_pool_acquire(pool, NULL, NULL, &test_err);
        struct urlpool_response *response;

        ck_assert_ptr_nonnull(connection);
        if (i == 0) {
            urlpool_connection_set_debuglevel(connection, 1, count_line, &num_lines);
        }
        ck_assert_int_eq(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &test_err),
                         URLPOOL_OK);
        response = urlpool_connection_getresponse(connection, &test_err);
        ck_assert_ptr_nonnull(response);
        ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_OK);
        urlpool_response_free(response);
        urlpool_pool_release(pool, connection);
        ck_assert_uint_gt(num_lines, 0);
        num_before = i == 0 ? num_lines : num_before;
    }
    ck_assert_uint_eq(num_lines, num_before);
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_pool_unref(pool);
    test_server_stop(server);
}
END_TEST

START_TEST(pool__takes_a_connection_back_once)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    char url[256];
    struct urlpool_pool *pool =
        urlpool_pool_new(test_server_url(server, "/", url, sizeof(url)), NULL, &test_err);
    /* Volatile: gcc would refuse what is done wrong here on purpose. */
    struct urlpool_connection *volatile connection =
        urlpool_pool_acquire(pool, NULL, NULL, &test_err);
    struct urlpool_connection *volatile strange =
        urlpool_connection_new("127.0.0.1", 1, NULL, &test_err);
    struct urlpool_stats stats;

    urlpool_pool_release(pool, connection);
    urlpool_pool_release(pool, connection);
    urlpool_pool_release(pool, strange);
    urlpool_pool_release(pool, NULL);
    urlpool_pool_release(NULL, connection);
    urlpool_pool_stats(pool, &stats, sizeof(stats));
    ck_assert_uint_eq(stats.idle, 1);
    ck_assert_uint_eq(stats.open, 1);
    urlpool_connection_free(strange);
    urlpool_pool_unref(pool);
    test_server_stop(server);
}
END_TEST

START_TEST(pool__lent_connection_keeps_pool_and_manager)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    char url[256];
    struct urlpool_pool *pool = urlpool_manager_pool_for_url(
        manager, test_server_url(server, "/", url, sizeof(url)), &test_err);
    struct urlpool_connection *connection = urlpool_pool_acquire(pool, NULL, NULL, &test_err);
    struct urlpool_response *response;

    urlpool_manager_free(manager);
    ck_assert_int_eq(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &test_err),
                     URLPOOL_OK);
    response = urlpool_connection_getresponse(connection, &test_err);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "hello");
    urlpool_response_free(response);
    urlpool_pool_release(pool, connection);
    urlpool_pool_unref(pool);
    test_server_stop(server);
}
END_TEST

START_TEST(pool__lent_connection_obeys_the_borrowers_limits)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    const struct urlpool_manager_options options = {.maxsize = 1, .block = true};
    const struct urlpool_timeout brief = {.pool_ms = 30};
    char url[256];
    struct urlpool_pool *pool =
        urlpool_pool_new(test_server_url(server, "/", url, sizeof(url)), &options, &test_err);
    struct urlpool_connection *connection = urlpool_pool_acquire(pool, NULL, NULL, &test_err);
    struct urlpool_timeout bad = {.reserved = {1}};
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);

    ck_assert_ptr_null(urlpool_pool_acquire(pool, &brief, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_POOL_TIMEOUT);
    ck_assert_ptr_null(urlpool_pool_acquire(pool, &bad, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    urlpool_cancel_now(cancel);
    ck_assert_ptr_null(urlpool_pool_acquire(pool, NULL, cancel, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_CANCELLED);
    ck_assert_ptr_null(urlpool_pool_acquire(NULL, NULL, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    urlpool_pool_release(pool, connection);
    urlpool_cancel_free(cancel);
    urlpool_pool_unref(pool);
    test_server_stop(server);
}
END_TEST

START_TEST(pool_for__names_an_origin_by_its_parts)
{
    static const struct {
        const char *scheme, *host;
        int port;
        const char *line; /* the beginning of describe's */
    } cases[] = {
        {"http",  "Example.COM",    0,    "http://example.com:80 "   },
        {"HTTPS", "example.com",    8443, "https://example.com:8443 "},
        {"http",  "example.com:81", 0,    "http://example.com:81 "   },
        {"http",  "example.com:81", 81,   "http://example.com:81 "   },
        {"http",  "::1",            0,    "http://[::1]:80 "         },
        {"http",  "[::1]",          8080, "http://[::1]:8080 "       },
        {"http",  "example.com:0",  0,    "http://example.com:0 "    },
        {"https", "example.com",    80,   "https://example.com:80 "  },
        {"https", "example.com",    0,    "https://example.com:443 " },
    };
    const struct urlpool_tls_options anybody = {.insecure_no_verify = true};
    struct urlpool_tls *tls = urlpool_tls_new(&anybody, &test_err);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct urlpool_manager *manager =
            test_manager(&(struct urlpool_manager_options){.tls = tls});
        struct urlpool_pool *pool = urlpool_manager_pool_for(
            manager, cases[i].scheme, cases[i].host, cases[i].port, &test_err);
        char *line;

        ck_assert_msg(pool != NULL, "%s: %s", cases[i].host, test_err.message);
        line = urlpool_pool_describe(pool, &test_err);
        ck_assert_msg(strncmp(line, cases[i].line, strlen(cases[i].line)) == 0, "%s", line);
        urlpool_string_free(line);
        urlpool_pool_unref(pool);
        urlpool_manager_free(manager);
    }
    urlpool_tls_unref(tls);
}
END_TEST

START_TEST(pool_for__refuses_what_is_no_origin)
{
    static const struct {
        const char *scheme, *host;
        int port;
        enum urlpool_code code;
    } cases[] = {
        {"http",             "example.com", -1,    URLPOOL_E_URL    },
        {"http",             "example.com", 65536, URLPOOL_E_URL    },
        {"http",             "",            0,     URLPOOL_E_URL    },
        {"http",             "h/path",      0,     URLPOOL_E_URL    },
        {"http",             "user@h",      0,     URLPOOL_E_URL    },
        {"http",             "h?q",         0,     URLPOOL_E_URL    },
        {"http",             "h#f",         0,     URLPOOL_E_URL    },
        {"http",             "h:81",        82,    URLPOOL_E_URL    },
        {"http",             "a b",         0,     URLPOOL_E_URL    },
        {"ftp",              "h",           0,     URLPOOL_E_SCHEME },
        {"http://other.org", "h",           0,     URLPOOL_E_SCHEME },
        {"",                 "h",           0,     URLPOOL_E_SCHEME },
        {NULL,               "h",           0,     URLPOOL_E_INVALID},
        {"http",             NULL,          0,     URLPOOL_E_INVALID},
    };
    struct urlpool_manager *manager = test_manager(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_ptr_null(urlpool_manager_pool_for(manager, cases[i].scheme, cases[i].host,
                                                    cases[i].port, &test_err));
        ck_assert_msg(test_err.code == cases[i].code, "case %zu: %s: %s", i,
                      urlpool_code_name(test_err.code), test_err.message);
    }
    ck_assert_ptr_null(urlpool_manager_pool_for(NULL, "http", "h", 0, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    urlpool_manager_free(manager);
}
END_TEST

/* expect_line checks the beginning of what a pool says of itself, and gives it back. */
static void expect_line(struct urlpool_pool *pool, const char *line)
{
    char *described;

    ck_assert_msg(pool != NULL, "%s", test_err.message);
    described = urlpool_pool_describe(pool, &test_err);
    ck_assert_msg(strncmp(described, line, strlen(line)) == 0, "%s", described);
    urlpool_string_free(described);
    urlpool_pool_unref(pool);
}

START_TEST(pool_for_url__and_pool_new_name_the_origin_of_a_url)
{
    static const struct {
        const char *url, *line;
    } cases[] = {
        {"http://Example.COM/p?q#f", "http://example.com:80 "  },
        {"HTTP://example.com",       "http://example.com:80 "  },
        {"http://example.com:/",     "http://example.com:80 "  },
        {"http://example.com:080/",  "http://example.com:80 "  },
        {"http://example.com:0/",    "http://example.com:0 "   }, /* not the default's place */
        {"http://me:pw@h:81/",       "http://h:81 "            },
        {"https://example.com",      "https://example.com:443 "},
        {"https://example.com:80",   "https://example.com:80 " },
        {"http://[::1]/",            "http://[::1]:80 "        },
    };
    const struct urlpool_tls_options anybody = {.insecure_no_verify = true};
    const struct urlpool_manager_options options = {.tls = urlpool_tls_new(&anybody, &test_err)};
    struct urlpool_manager *manager = test_manager(&options);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_line(urlpool_manager_pool_for_url(manager, cases[i].url, &test_err), cases[i].line);
        expect_line(urlpool_pool_new(cases[i].url, &options, &test_err), cases[i].line);
    }
    urlpool_manager_free(manager);
    urlpool_tls_unref(options.tls);
}
END_TEST

START_TEST(pool_for_url__and_pool_new_refuse_what_names_no_origin)
{
    static const struct {
        const char *url;
        enum urlpool_code code;
    } cases[] = {
        {"http://",            URLPOOL_E_URL    },
        {"http:///p",          URLPOOL_E_URL    },
        {"http://:80/",        URLPOOL_E_URL    },
        {"http://me:secret@/", URLPOOL_E_URL    },
        {"http://h:65536/",    URLPOOL_E_URL    },
        {"http://h:-1/",       URLPOOL_E_URL    },
        {"http://h:http/",     URLPOOL_E_URL    },
        {"h",                  URLPOOL_E_SCHEME },
        {"//h/",               URLPOOL_E_SCHEME },
        {"",                   URLPOOL_E_SCHEME },
        {"ftp://me:secret@h/", URLPOOL_E_SCHEME },
        {NULL,                 URLPOOL_E_INVALID},
    };
    struct urlpool_manager *manager = test_manager(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_ptr_null(urlpool_manager_pool_for_url(manager, cases[i].url, &test_err));
        ck_assert_msg(test_err.code == cases[i].code, "case %zu: %s", i, test_err.message);
        ck_assert_ptr_null(strstr(test_err.message, "secret"));
        ck_assert_ptr_null(urlpool_pool_new(cases[i].url, NULL, &test_err));
        ck_assert_msg(test_err.code == cases[i].code, "case %zu: %s", i, test_err.message);
    }
    ck_assert_ptr_null(urlpool_manager_pool_for_url(NULL, "http://h/", &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    urlpool_manager_free(manager);
}
END_TEST

START_TEST(pool_for__and_pool_for_url_give_one_pool_to_one_origin)
{
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_pool *pools[] = {
        urlpool_manager_pool_for_url(manager, "http://example.com/a", &test_err),
        urlpool_manager_pool_for_url(manager, "http://me@EXAMPLE.com:80/b", &test_err),
        urlpool_manager_pool_for(manager, "http", "example.COM", 0, &test_err),
        urlpool_manager_pool_for(manager, "HTTP", "example.com:80", 80, &test_err),
        urlpool_manager_pool_for(manager, "http", "example.com", 81, &test_err),
        urlpool_manager_pool_for(manager, "http", "example.com:0", 0, &test_err),
    };
    const size_t num = sizeof(pools) / sizeof(pools[0]);

    for (size_t i = 0; i < num; i++) {
        ck_assert_msg(pools[i] != NULL, "%s", test_err.message);
        ck_assert_int_eq(pools[i] == pools[0], i < 4);
    }
    ck_assert_ptr_ne(pools[4], pools[5]);
    for (size_t i = 0; i < num; i++) {
        urlpool_pool_unref(pools[i]);
    }
    urlpool_manager_free(manager);
}
END_TEST

START_TEST(pool__is_the_managers_own_for_its_origin)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    char url[256];
    struct urlpool_pool *pool;
    struct urlpool_stats stats;

    test_get(manager, server);
    pool = urlpool_manager_pool_for_url(manager, test_server_url(server, "/x", url, sizeof(url)),
                                        &test_err);
    urlpool_pool_stats(pool, &stats, sizeof(stats));
    ck_assert_uint_eq(stats.idle, 1);
    urlpool_response_free(urlpool_pool_request(pool, "GET", "//x", NULL, &test_err));
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_pool_unref(pool);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(pool__reference_outlives_the_manager_and_is_closed_with_it)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    char url[256];
    struct urlpool_pool *pool = urlpool_manager_pool_for_url(
        manager, test_server_url(server, "/x", url, sizeof(url)), &test_err);
    struct urlpool_pool *again = urlpool_pool_ref(pool);

    urlpool_pool_unref(pool);
    urlpool_manager_free(manager);
    ck_assert_ptr_null(urlpool_pool_request(again, "GET", "/", NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_POOL_CLOSED);
    urlpool_pool_unref(again);
    test_server_stop(server);
}
END_TEST

/* struct departure is a caller who gives everything back while its request is under way. */
struct departure {
    struct urlpool_manager *manager;
    struct urlpool_pool *pool;
};

static void depart(void *user, const struct urlpool_trace_event *event)
{
    struct departure *departure = user;

    if (event->kind == URLPOOL_TRACE_RETRY && departure->pool != NULL) {
        urlpool_manager_clear(departure->manager);
        urlpool_pool_unref(departure->pool);
        urlpool_manager_unref(departure->manager);
        *departure = (struct departure){NULL, NULL};
    }
}

/* answer_second refuses the first request. */
static void answer_second(struct test_peer *peer, const struct test_request *request, void *user)
{
    int *num_requests = user;

    test_peer_reply(peer, (*num_requests)++ == 0 ? 500 : 200, NULL, request->target);
}

START_TEST(pool__request_holds_the_pool_by_itself)
{
    int num_requests = 0;
    struct test_server *server = test_server_start(answer_second, &num_requests, NULL);
    struct departure departure;
    const struct urlpool_request_options options = {
        .trace = {.event = depart, .user = &departure},
          .retries = {.status_forcelist = {500}              }
    };
    struct urlpool_response *response;
    char url[256];

    failing_allocator_install();
    departure.manager = test_manager(NULL);
    departure.pool = urlpool_manager_pool_for_url(
        departure.manager, test_server_url(server, "/", url, sizeof(url)), &test_err);
    response = urlpool_pool_request(departure.pool, "GET", "/x", &options, &test_err);
    ck_assert_ptr_null(departure.pool);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(response->status, 200);
    urlpool_response_free(response);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    test_server_stop(server);
}
END_TEST

START_TEST(pool__knows_which_urls_are_its_own)
{
    static const struct {
        const char *pool, *url;
        bool is_same;
    } rows[] = {
        {"http://example.com/",      "/x",                             true },
        {"http://example.com/",      "//example.org/",                 true }, /* a path */
        {"http://example.com/",      "http://EXAMPLE.com:80/x?y",      true },
        {"http://example.com:80/",   "http://example.com",             true },
        {"http://example.com:8080/", "http://example.com:8080/",       true },
        {"http://[::1]/",            "http://[0:0::1]/",               true },
        {"http://example.com/",      "https://example.com/",           false},
        {"http://example.com/",      "https://example.com:80/",        false},
        {"http://example.com/",      "http://example.com:0/",          false},
        {"http://example.com/",      "http://example.com:8080/",       false},
        {"http://example.com/",      "http://www.example.com/",        false},
        {"http://example.com/",      "http://example.com@example.org", false},
        {"http://example.com/",      "example.com",                    false},
        {"http://example.com/",      "http://",                        false},
        {"http://example.com/",      "",                               false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct urlpool_pool *pool = urlpool_pool_new(rows[i].pool, NULL, &test_err);

        ck_assert_ptr_nonnull(pool);
        ck_assert_msg(urlpool_pool_is_same_host(pool, rows[i].url) == rows[i].is_same, "%s, %s",
                      rows[i].pool, rows[i].url);
        ck_assert(!urlpool_pool_is_same_host(pool, NULL));
        urlpool_pool_unref(pool);
    }
    ck_assert(!urlpool_pool_is_same_host(NULL, "/"));
}
END_TEST

START_TEST(pool__loses_no_place_to_what_is_no_value)
{
    const struct urlpool_manager_options one_place = {.maxsize = 1, .block = true};
    const struct urlpool_request_options no_value = {.timeout = {.read_ms = -3}};
    const struct urlpool_timeout no_time = {.connect_ms = -3};
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    char url[256];
    struct urlpool_pool *pool =
        urlpool_pool_new(test_server_url(server, "/", url, sizeof(url)), &one_place, &test_err);
    struct urlpool_stats stats;

    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_null(urlpool_pool_request(pool, "GET", "/", &no_value, &test_err));
        ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
        ck_assert_ptr_null(urlpool_pool_acquire(pool, &no_time, NULL, &test_err));
        ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
        ck_assert_ptr_null(urlpool_pool_request(pool, "G T", "/", NULL, &test_err));
        ck_assert_int_eq(test_err.code, URLPOOL_E_HEADER);
    }
    urlpool_pool_stats(pool, &stats, sizeof(stats));
    ck_assert_uint_eq(stats.leased + stats.dialling, 0);
    urlpool_response_free(urlpool_pool_request(pool, "GET", "/", NULL, &test_err));
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_pool_unref(pool);
    test_server_stop(server);
}
END_TEST

START_TEST(pool__refuses_null)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    char url[256];
    struct urlpool_pool *pool =
        urlpool_pool_new(test_server_url(server, "/", url, sizeof(url)), NULL, &test_err);

    ck_assert_ptr_null(urlpool_pool_new(NULL, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_pool_new("ftp://h/", NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_SCHEME);
    ck_assert_ptr_null(urlpool_pool_request(NULL, "GET", "/", NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_pool_request(pool, NULL, "/", NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_pool_request(pool, "GET", NULL, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_pool_describe(NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_pool_ref(NULL));
    urlpool_pool_unref(NULL);
    urlpool_pool_close(NULL);
    urlpool_pool_stats(NULL, NULL, 0);
    urlpool_pool_unref(pool);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("pool face", pool__is_one_origin_and_refuses_another, pool__lends_connections_to_speak_on,
          pool__lent_connection_counts_each_of_its_requests,
          pool__lent_connection_forgets_the_debug_sink_of_who_had_it,
          pool__takes_a_connection_back_once, pool__lent_connection_keeps_pool_and_manager,
          pool__lent_connection_obeys_the_borrowers_limits, pool_for__names_an_origin_by_its_parts,
          pool_for__refuses_what_is_no_origin, pool_for_url__and_pool_new_name_the_origin_of_a_url,
          pool_for_url__and_pool_new_refuse_what_names_no_origin,
          pool_for__and_pool_for_url_give_one_pool_to_one_origin,
          pool__is_the_managers_own_for_its_origin,
          pool__reference_outlives_the_manager_and_is_closed_with_it,
          pool__request_holds_the_pool_by_itself, pool__knows_which_urls_are_its_own,
          pool__loses_no_place_to_what_is_no_value, pool__refuses_null)
