/* Opening connections along routes, over loopback. */

#include <stdio.h>
#include <unistd.h>

#include "urlpool/tls.h"

#include "base/call.h"
#include "conn/opener.h"
#include "support/http_server.h"
#include "support/loopback.h"
#include "support/run_tests.h"

static struct urlpool_error err;
static const struct urlp_call call = {.by = {INT64_MAX}, .total_by = {INT64_MAX}};

static struct urlp_opener *opener_new(void)
{
    const struct urlp_opener_options options = {0};
    struct urlp_opener *opener = urlp_opener_new(&options, &err);

    ck_assert_msg(opener != NULL, "%s", err.message);
    return opener;
}

static struct urlp_route route_to(const char *host, int port)
{
    return (struct urlp_route){
        .origin = {.host = urlp_span_of(host), .port = (uint16_t)port}
    };
}

static void reply_length(struct test_peer *peer, const struct test_request *request, void *user)
{
    char text[32];

    (void)user;
    (void)snprintf(text, sizeof(text), "%zu", request->body_len);
    test_peer_reply(peer, 200, NULL, text);
}

START_TEST(opener__opens_by_name_and_by_address)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    struct test_server *server = test_server_start(reply_length, NULL, NULL);
    struct urlp_opener *opener = opener_new();
    size_t i;

    for (i = 0; i < 2; i++) {
        struct urlp_route route = route_to(hosts[i], test_server_port(server));
        struct urlpool_connection *connection = urlp_opener_open(opener, &route, &call, &err);
        bool is_closed = true;

        ck_assert_msg(connection != NULL, "%s", err.message);
        ck_assert(urlp_connection_look(connection, &is_closed));
        ck_assert(!is_closed);
        urlp_connection_end(connection, true);
    }
    urlp_opener_free(opener);
    urlp_opener_free(NULL);
    test_server_stop(server);
}
END_TEST

START_TEST(opener__fails_as_dialling_does)
{
    int bound = loopback_bind("127.0.0.1", 0);
    struct urlp_opener *opener = opener_new();
    struct urlp_route route = route_to("127.0.0.1", loopback_port(bound));
    struct urlp_call late = call;

    ck_assert_ptr_null(urlp_opener_open(opener, &route, &call, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT);
    late.by = late.total_by = (struct urlpool_deadline){0};
    ck_assert_ptr_null(urlp_opener_open(opener, &route, &late, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TOTAL_TIMEOUT);
    route.origin.is_https = true; /* and no TLS settings */
    ck_assert_ptr_null(urlp_opener_open(opener, &route, &call, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    urlp_opener_free(opener);
    close(bound);
}
END_TEST

START_TEST(opener__refuses_limits_that_make_no_sense)
{
    const struct urlp_opener_options options = {.limits.head_bytes_max = -7};

    ck_assert_ptr_null(urlp_opener_new(&options, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
}
END_TEST

START_TEST(opener__closes_what_it_opened_when_the_handshake_fails)
{
    struct test_server *server = test_server_start(reply_length, NULL, NULL);
    struct urlp_opener *opener = opener_new();
    struct urlp_route route = route_to("127.0.0.1", test_server_port(server));
    struct urlp_call brief = urlp_call_until(&call, 100);
    unsigned num_fds;

    route.origin.is_https = true;
    route.tls = urlpool_tls_new(&(struct urlpool_tls_options){.insecure_no_verify = true}, &err);
    ck_assert_ptr_null(urlp_opener_open(opener, &route, &brief, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT_TIMEOUT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
    test_server_stop(server); /* all of its descriptors are gone now */
    num_fds = loopback_num_fds();
    urlp_opener_free(opener);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
    urlpool_tls_unref(route.tls);
}
END_TEST

RUN_TESTS("opener", opener__opens_by_name_and_by_address, opener__fails_as_dialling_does,
          opener__refuses_limits_that_make_no_sense,
          opener__closes_what_it_opened_when_the_handshake_fails)
