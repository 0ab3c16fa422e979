/* Every option of a connection of the lower floor, and of a TLS configuration: zero, URLPOOL_NONE,
 * a value. What limits do is in test_limits.c. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

static struct urlpool_connection *connect_to(const struct test_server *server,
                                             const struct urlpool_connection_options *options)
{
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", test_server_port(server), options, &test_err);

    ck_assert_msg(connection != NULL, "%s", test_err.message);
    return connection;
}

/* ask makes a GET and reads all of its answer; the code of what went wrong. */
static enum urlpool_code ask(struct urlpool_connection *connection, const char *target)
{
    struct urlpool_response *response = NULL;
    enum urlpool_code code =
        urlpool_connection_request(connection, "GET", target, NULL, NULL, &test_err);

    if (code == URLPOOL_OK) {
        response = urlpool_connection_getresponse(connection, &test_err);
        code = response != NULL ? urlpool_response_read_all(response, &test_err) : test_err.code;
    }
    urlpool_response_free(response);
    return code;
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    char length[32] = "";
    char text[128];

    if (strcmp(request->target, "/silence") == 0) {
        test_peer_stay(peer);
    } else if (sscanf(request->target, "/long/%31[0-9]", length) == 1) {
        snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\nbegun", length);
        test_peer_send_text(peer, text);
        test_peer_close(peer);
    } else if (strcmp(request->target, "/coded") == 0) {
        test_peer_reply(peer, 200, "Content-Encoding: gzip\r\n", "not gzip");
    } else {
        test_answer_hello(peer, request, user);
    }
}

START_TEST(https__is_off_at_zero_and_trusts_the_systems_roots_when_on)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    const struct urlpool_connection_options plain = {.https = false};
    const struct urlpool_connection_options secure = {.https = true};
    struct urlpool_connection *connection = connect_to(scene.server, &plain);
    char *dir = test_dir();
    char *pem = test_cert_pem(scene.ca);
    char *file = test_file(dir, "ca.pem", pem);

    ck_assert_int_ne(ask(connection, "/"), URLPOOL_OK);
    urlpool_connection_free(connection);
    ck_assert_int_eq(unsetenv("SSL_CERT_DIR"), 0);
    ck_assert_int_eq(setenv("SSL_CERT_FILE", file, 1), 0);
    connection = connect_to(scene.server, &secure);
    ck_assert_int_eq(ask(connection, "/"), URLPOOL_OK);
    urlpool_connection_free(connection);
    free(pem);
    free(file);
    test_dir_remove(dir);
    https_scene_end(&scene);
}
END_TEST

START_TEST(timeout__of_each_kind_is_kept)
{
    struct test_server *server = test_server_start(answer, NULL, NULL);
    struct loopback_hole hole = loopback_hole_open("127.0.0.1", 0);
    const struct urlpool_connection_options reads = {.timeout = {.read_ms = 40}};
    const struct urlpool_connection_options totals = {.timeout = {.total_ms = 40}};
    const struct urlpool_connection_options nothing = {.timeout = {.read_ms = URLPOOL_NONE}};
    const struct urlpool_connection_options connects = {.timeout = {.connect_ms = 40}};
    const struct urlpool_connection_options never = {
        .timeout = {.read_ms = URLPOOL_NO_TIMEOUT, .total_ms = 60}
    };
    struct urlpool_connection *connection = connect_to(server, &reads);

    ck_assert_int_eq(ask(connection, "/silence"), URLPOOL_E_READ_TIMEOUT);
    urlpool_connection_free(connection);
    connection = connect_to(server, &totals);
    ck_assert_int_eq(ask(connection, "/silence"), URLPOOL_E_TOTAL_TIMEOUT);
    urlpool_connection_free(connection);
    connection = connect_to(server, &nothing);
    ck_assert_int_eq(ask(connection, "/silence"), URLPOOL_E_READ_TIMEOUT);
    urlpool_connection_free(connection);
    connection = connect_to(server, &never);
    ck_assert_int_eq(ask(connection, "/silence"), URLPOOL_E_TOTAL_TIMEOUT);
    urlpool_connection_free(connection);
    connection =
        urlpool_connection_new("127.0.0.1", loopback_port(hole.listener), &connects, &test_err);
    ck_assert_int_eq(urlpool_connection_connect(connection, &test_err), URLPOOL_E_CONNECT_TIMEOUT);
    urlpool_connection_free(connection);
    loopback_hole_close(&hole);
    test_server_stop(server);
}
END_TEST

START_TEST(data_bytes_max__is_a_gibibyte_none_or_a_value)
{
    static const struct {
        int64_t max;
        const char *target;
        enum urlpool_code code;
    } cases[] = {
        {0,                  "/long/1073741824", URLPOOL_E_INCOMPLETE_READ},
        {0,                  "/long/1073741825", URLPOOL_E_DATA_TOO_LARGE },
        {URLPOOL_NO_TIMEOUT, "/long/1073741825", URLPOOL_E_INCOMPLETE_READ},
        {URLPOOL_NONE,       "/",                URLPOOL_E_DATA_TOO_LARGE },
        {5,                  "/",                URLPOOL_OK               },
        {4,                  "/",                URLPOOL_E_DATA_TOO_LARGE },
    };
    struct test_server *server = test_server_start(answer, NULL, NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct urlpool_connection_options options = {.data_bytes_max = cases[i].max};
        struct urlpool_connection *connection = connect_to(server, &options);

        ck_assert_int_eq(ask(connection, cases[i].target), cases[i].code);
        urlpool_connection_free(connection);
    }
    test_server_stop(server);
}
END_TEST

START_TEST(keep_encoded__leaves_codings_as_they_are)
{
    struct test_server *server = test_server_start(answer, NULL, NULL);

    for (int keep = 0; keep <= 1; keep++) {
        const struct urlpool_connection_options options = {.keep_encoded = keep == 1};
        struct urlpool_connection *connection = connect_to(server, &options);

        ck_assert_int_eq(ask(connection, "/coded"), keep == 1 ? URLPOOL_OK : URLPOOL_E_DECODE);
        urlpool_connection_free(connection);
    }
    test_server_stop(server);
}
END_TEST

START_TEST(no_auto_open__leaves_connecting_to_the_caller)
{
    struct test_server *server = test_server_start(answer, NULL, NULL);
    const struct urlpool_connection_options options = {.no_auto_open = true};
    struct urlpool_connection *connection = connect_to(server, &options);

    ck_assert_int_eq(ask(connection, "/"), URLPOOL_E_NOT_CONNECTED);
    urlpool_connection_close(connection);
    ck_assert_int_eq(urlpool_connection_connect(connection, &test_err), URLPOOL_OK);
    ck_assert_int_eq(ask(connection, "/"), URLPOOL_OK);
    urlpool_connection_free(connection);
    test_server_stop(server);
}
END_TEST

START_TEST(cancel__ends_what_the_connection_does)
{
    struct test_server *server = test_server_start(answer, NULL, NULL);
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
    const struct urlpool_connection_options options = {.cancel = cancel};
    struct urlpool_connection *connection = connect_to(server, &options);

    ck_assert_int_eq(ask(connection, "/"), URLPOOL_OK);
    urlpool_cancel_now(cancel);
    ck_assert_int_eq(ask(connection, "/"), URLPOOL_E_CANCELLED);
    urlpool_connection_free(connection);
    urlpool_cancel_free(cancel);
    test_server_stop(server);
}
END_TEST

static void count(void *user, const struct urlpool_trace_event *event)
{
    (void)event;
    ++*(unsigned *)user;
}

START_TEST(trace__hears_of_each_step)
{
    struct test_server *server = test_server_start(answer, NULL, NULL);
    unsigned num = 0;
    const struct urlpool_connection_options options = {
        .trace = {.event = count, .user = &num}
    };
    struct urlpool_connection *connection = connect_to(server, &options);

    ck_assert_int_eq(ask(connection, "/"), URLPOOL_OK);
    ck_assert_uint_ge(num, 5);
    urlpool_connection_free(connection);
    test_server_stop(server);
}
END_TEST

/* expect_refused makes a connection with `options`, which must be refused as such. */
static void expect_refused(const struct urlpool_connection_options *options)
{
    test_err.code = URLPOOL_OK;
    ck_assert_ptr_null(urlpool_connection_new("h", 0, options, &test_err));
    ck_assert_msg(test_err.code == URLPOOL_E_INVALID, "%s", test_err.message);
}

START_TEST(options__with_an_unknown_byte_are_refused)
{
    struct urlpool_connection_options options = {0};

    for (size_t i = 0; i < sizeof(options.reserved); i++) {
        options.reserved[i] = 1;
        expect_refused(&options);
        options.reserved[i] = 0;
    }
    for (size_t i = 0; i < sizeof(options.timeout.reserved); i++) {
        options.timeout.reserved[i] = 1;
        expect_refused(&options);
        options.timeout.reserved[i] = 0;
    }
    for (size_t i = 0; i < sizeof(options.limits.reserved); i++) {
        options.limits.reserved[i] = 1;
        expect_refused(&options);
        options.limits.reserved[i] = 0;
    }
}
END_TEST

START_TEST(options__that_are_no_value_are_refused)
{
    expect_refused(&(struct urlpool_connection_options){.data_bytes_max = -3});
    expect_refused(&(struct urlpool_connection_options){.timeout.connect_ms = -3});
    expect_refused(&(struct urlpool_connection_options){.timeout.read_ms = -3});
    expect_refused(&(struct urlpool_connection_options){.timeout.write_ms = -3});
    expect_refused(&(struct urlpool_connection_options){.timeout.total_ms = -3});
    expect_refused(&(struct urlpool_connection_options){.timeout.pool_ms = -3});
}
END_TEST

/* fetches_with says whether the scene's server is trusted with these options. */
static bool fetches_with(const struct https_scene *scene, const struct urlpool_tls_options *options)
{
    struct urlpool_tls *tls = urlpool_tls_new(options, &test_err);
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){.tls = tls});
    char url[128];
    struct urlpool_response *response;

    ck_assert_msg(tls != NULL, "%s", test_err.message);
    response = urlpool_request(
        manager, "GET", test_server_url(scene->server, "/", url, sizeof(url)), NULL, &test_err);
    ck_assert(response != NULL || test_err.code == URLPOOL_E_TLS_VERIFY);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    urlpool_tls_unref(tls);
    return response != NULL;
}

START_TEST(tls__roots_are_taken_from_each_source)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct test_cert *stranger = test_ca("A Stranger");
    char *pem = test_cert_pem(scene.ca);
    char *other = test_cert_pem(stranger);
    size_t der_len = 0;
    uint8_t *der = test_cert_der(scene.ca, &der_len);
    char *dir = test_dir();
    char name[16];
    char *file;
    char *hashed;
    char *other_file = test_file(dir, "other.pem", other);

    file = test_file(dir, "ca.pem", pem);
    ck_assert(fetches_with(&scene, &(struct urlpool_tls_options){.ca_file = file}));
    ck_assert(!fetches_with(&scene, &(struct urlpool_tls_options){.ca_file = other_file}));
    ck_assert(
        !fetches_with(&scene, &(struct urlpool_tls_options){.ca_file = other_file, .ca_dir = dir}));
    test_cert_hash_name(scene.ca, name);
    hashed = test_file(dir, name, pem);
    ck_assert(fetches_with(&scene, &(struct urlpool_tls_options){.ca_dir = dir}));
    ck_assert(fetches_with(
        &scene, &(struct urlpool_tls_options){.ca_data = pem, .ca_data_len = strlen(pem)}));
    ck_assert(fetches_with(&scene,
                           &(struct urlpool_tls_options){.ca_data = der, .ca_data_len = der_len}));
    ck_assert(!fetches_with(
        &scene, &(struct urlpool_tls_options){.ca_data = other, .ca_data_len = strlen(other)}));
    ck_assert(fetches_with(&scene, &(struct urlpool_tls_options){.insecure_no_verify = true}));
    free(hashed);
    free(file);
    free(other_file);
    free(der);
    free(other);
    free(pem);
    test_dir_remove(dir);
    test_cert_free(stranger);
    https_scene_end(&scene);
}
END_TEST

START_TEST(tls__options_with_an_unknown_byte_are_refused)
{
    struct urlpool_tls_options options = {.insecure_no_verify = true};

    for (size_t i = 0; i < sizeof(options.reserved); i++) {
        options.reserved[i] = 1;
        test_err.code = URLPOOL_OK;
        ck_assert_ptr_null(urlpool_tls_new(&options, &test_err));
        ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
        options.reserved[i] = 0;
    }
}
END_TEST

/* open_through is a connection to `proxy`, over TLS, with a tunnel to 127.0.0.1:`port`. */
static struct urlpool_connection *open_through(struct proxy_server *proxy,
                                               const struct urlpool_connection_options *options,
                                               int port)
{
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", proxy_server_port(proxy), options, &test_err);

    ck_assert_msg(connection != NULL, "%s", test_err.message);
    ck_assert_int_eq(urlpool_connection_set_tunnel(connection, "127.0.0.1", port, NULL, &test_err),
                     URLPOOL_OK);
    return connection;
}

START_TEST(https_proxy__is_spoken_to_over_tls_with_and_without_tls_inside)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct test_server *plain = test_server_start(test_answer_hello, NULL, NULL);
    const struct proxy_server_options over_tls = {.tls = scene.context};
    struct proxy_server *proxy = proxy_server_start(&over_tls);

    for (int is_https = 0; is_https <= 1; is_https++) {
        const struct urlpool_connection_options options = {.https = is_https,
                                                           .tls = is_https ? scene.tls : NULL,
                                                           .https_proxy = true,
                                                           .proxy_tls = scene.tls};
        struct urlpool_connection *connection =
            open_through(proxy, &options, test_server_port(is_https ? scene.server : plain));
        struct urlpool_connection_info info;

        ck_assert_msg(ask(connection, "/x") == URLPOOL_OK, "%s", test_err.message);
        urlpool_connection_info(connection, &info, sizeof(info));
        ck_assert_int_eq(info.tls_verified, is_https); /* the origin's, not the proxy's */
        urlpool_connection_close(connection);
        ck_assert_msg(ask(connection, "/x") == URLPOOL_OK, "%s", test_err.message);
        urlpool_connection_free(connection);
    }
    ck_assert_uint_eq(proxy_server_num_connections(proxy), 4);
    ck_assert_uint_eq(test_server_num_requests(plain), 2);
    ck_assert_uint_eq(test_server_num_requests(scene.server), 2);
    proxy_server_stop(proxy);
    test_server_stop(plain);
    https_scene_end(&scene);
}
END_TEST

START_TEST(https_proxy__is_verified_by_its_own_configuration)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    const struct proxy_server_options over_tls = {.tls = scene.context};
    struct proxy_server *proxy = proxy_server_start(&over_tls);
    const struct urlpool_connection_options options = {
        .https = true,
        .tls = scene.tls,
        .https_proxy = true}; /* the system's roots for the proxy */
    struct urlpool_connection *connection =
        open_through(proxy, &options, test_server_port(scene.server));

    ck_assert_int_eq(ask(connection, "/"), URLPOOL_E_PROXY);
    ck_assert(urlpool_code_is(test_err.cause, URLPOOL_CLASS_TLS));
    urlpool_connection_free(connection);
    ck_assert_uint_eq(test_server_num_requests(scene.server), 0);
    proxy_server_stop(proxy);
    https_scene_end(&scene);
}
END_TEST

START_TEST(https_proxy__without_a_tunnel_is_refused)
{
    const struct urlpool_connection_options options = {.https_proxy = true};
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", 1, &options, &test_err);

    ck_assert_msg(connection != NULL, "%s", test_err.message);
    ck_assert_int_eq(urlpool_connection_connect(connection, &test_err), URLPOOL_E_INVALID);
    ck_assert_ptr_nonnull(strstr(test_err.message, "https_proxy"));
    urlpool_connection_free(connection);
}
END_TEST

RUN_TESTS("connection options", https__is_off_at_zero_and_trusts_the_systems_roots_when_on,
          timeout__of_each_kind_is_kept,
          https_proxy__is_spoken_to_over_tls_with_and_without_tls_inside,
          https_proxy__is_verified_by_its_own_configuration,
          https_proxy__without_a_tunnel_is_refused, data_bytes_max__is_a_gibibyte_none_or_a_value,
          keep_encoded__leaves_codings_as_they_are, no_auto_open__leaves_connecting_to_the_caller,
          cancel__ends_what_the_connection_does, trace__hears_of_each_step,
          options__with_an_unknown_byte_are_refused, options__that_are_no_value_are_refused,
          tls__roots_are_taken_from_each_source, tls__options_with_an_unknown_byte_are_refused)
