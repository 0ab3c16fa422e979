/* Whom a response came from: an origin, a proxy, over TLS or not; told as long as the response
 * lives, whatever has become of its connection. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/count_of.h"
#include "support/https_scene.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

static const char *proxy_url(const char *scheme, int port)
{
    static char texts[4][64];
    static unsigned next;
    char *text = texts[next++ % 4];

    (void)snprintf(text, sizeof(texts[0]), "%s://127.0.0.1:%d", scheme, port);
    return text;
}

static struct urlpool_response *must_get(struct urlpool_manager *manager, const char *url)
{
    struct urlpool_response *response = urlpool_request(manager, "GET", url, NULL, &test_err);

    ck_assert_msg(response != NULL, "%s: %s", url, test_err.message);
    return response;
}

static void expect_address(const struct urlpool_peer *peer, int port)
{
    ck_assert_str_eq(peer->address, "127.0.0.1");
    ck_assert_int_eq(peer->port, port);
}

static void expect_plain(const struct urlpool_peer *peer)
{
    ck_assert_ptr_null(peer->tls_version);
    ck_assert_ptr_null(peer->tls_cipher);
    ck_assert_ptr_null(peer->certificate);
    ck_assert_uint_eq(peer->certificate_len, 0);
    ck_assert(!peer->tls_verified && !peer->tls_resumed);
}

/* expect_certificate: it is `scene`'s that was shown. */
static void expect_certificate(const struct urlpool_peer *peer, const struct https_scene *scene)
{
    size_t len;
    uint8_t *der = test_cert_der(scene->leaf, &len);

    ck_assert_str_eq(peer->tls_version, "TLSv1.3");
    ck_assert_int_eq(strncmp(peer->tls_cipher, "TLS_", 4), 0);
    ck_assert_uint_eq(peer->certificate_len, len);
    ck_assert_mem_eq(peer->certificate, der, len);
    free(der);
}

/* answer closes the connection behind its answer to /close. */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    test_answer_hello(peer, request, user);
    if (strcmp(request->target, "/close") == 0) {
        test_peer_close(peer);
    }
}

START_TEST(peer__is_known_when_the_connection_is_gone)
{
    struct test_server *server = test_server_start(answer, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options streamed = {.stream = true};
    struct urlpool_response *responses[4];

    responses[0] = test_fetch(manager, "GET", server, "/", NULL);
    responses[1] = test_fetch(manager, "GET", server, "/", &streamed);
    urlpool_response_close(responses[1]);
    responses[2] = test_fetch(manager, "GET", server, "/close", NULL);
    responses[3] = test_fetch(manager, "GET", server, "/",
                              &(struct urlpool_request_options){
                                  .recycle = test_fetch(manager, "GET", server, "/", NULL)});
    urlpool_manager_free(manager);
    for (int i = 0; i < 4; i++) {
        struct urlpool_peer peer = urlpool_response_peer(responses[i]);

        expect_address(&peer, test_server_port(server));
        expect_plain(&peer);
        urlpool_response_free(responses[i]);
    }
    test_server_stop(server);
}
END_TEST

START_TEST(peer__says_which_request_of_its_connection_this_was)
{
    struct test_server *server = test_server_start(answer, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    static const struct {
        const char *target;
        uint64_t num_requests;
    } fetched[] = {
        {"/",      1},
        {"/",      2},
        {"/close", 3},
        {"/",      1}
    };

    for (size_t i = 0; i < COUNT_OF(fetched); i++) {
        struct urlpool_response *response =
            test_fetch(manager, "GET", server, fetched[i].target, NULL);

        ck_assert_uint_eq(urlpool_response_peer(response).connection_requests,
                          fetched[i].num_requests);
        urlpool_response_free(response);
    }
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(peer__of_tls_has_shown_its_certificate)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = scene.tls});
    struct urlpool_response *first = test_fetch(manager, "GET", scene.server, "/", NULL);
    struct urlpool_response *same = test_fetch(manager, "GET", scene.server, "/", NULL);
    struct urlpool_response *second;
    struct urlpool_peer peer;

    ck_assert_uint_eq(urlpool_manager_close_idle(manager), 1);
    second = test_fetch(manager, "GET", scene.server, "/", NULL);
    urlpool_manager_free(manager);
    peer = urlpool_response_peer(first);
    expect_address(&peer, test_server_port(scene.server));
    expect_certificate(&peer, &scene);
    ck_assert(peer.tls_verified && !peer.tls_resumed);
    urlpool_response_free(first);
    peer = urlpool_response_peer(same);
    expect_certificate(&peer, &scene);
    ck_assert(!peer.tls_resumed);
    urlpool_response_free(same);
    peer = urlpool_response_peer(second);
    expect_certificate(&peer, &scene);
    ck_assert(peer.tls_verified && peer.tls_resumed);
    urlpool_response_free(second);
    https_scene_end(&scene);
}
END_TEST

START_TEST(peer__that_may_be_anybody_is_not_verified)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    const struct urlpool_tls_options options = {.insecure_no_verify = true};
    struct urlpool_tls *tls = urlpool_tls_new(&options, &test_err);
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){.tls = tls});
    struct urlpool_response *response = test_fetch(manager, "GET", scene.server, "/", NULL);
    struct urlpool_peer peer = urlpool_response_peer(response);

    expect_certificate(&peer, &scene);
    ck_assert(!peer.tls_verified);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    urlpool_tls_unref(tls);
    https_scene_end(&scene);
}
END_TEST

START_TEST(peer__behind_a_proxy_is_the_proxy_with_the_tls_of_the_origin)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct proxy_server *proxy = proxy_server_start(&(struct proxy_server_options){0});
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .tls = scene.tls, .proxy = {.url = proxy_url("http", proxy_server_port(proxy))}});
    struct urlpool_response *response = test_fetch(manager, "GET", scene.server, "/", NULL);
    struct urlpool_peer peer = urlpool_response_peer(response);

    expect_address(&peer, proxy_server_port(proxy));
    expect_certificate(&peer, &scene);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    proxy_server_stop(proxy);
    https_scene_end(&scene);
}
END_TEST

START_TEST(peer__that_forwards_has_its_own_tls)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    const int port = test_server_port(scene.server);
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .proxy = {.url = proxy_url("https", port), .tls = scene.tls}
    });
    struct urlpool_response *response = must_get(manager, "http://shop.example/");
    struct urlpool_peer peer = urlpool_response_peer(response);

    expect_address(&peer, port);
    expect_certificate(&peer, &scene);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

/* The one that forwards is spoken to in plain, through a tunnel over TLS: that is not its own. */
START_TEST(peer__that_forwards_has_not_the_tls_of_the_way_to_it)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct test_server *forwarder = test_server_start(test_answer_hello, NULL, NULL);
    struct proxy_server *before =
        proxy_server_start(&(struct proxy_server_options){.tls = scene.context});
    const struct urlpool_manager_options options = {
        .proxy = {.url = proxy_url("http",     test_server_port(forwarder))},
        .preproxy = { .url = proxy_url("https", proxy_server_port(before)),             .tls = scene.tls}
    };
    struct urlpool_manager *manager = test_manager(&options);
    struct urlpool_response *response = must_get(manager, "http://shop.example/");
    struct urlpool_peer peer = urlpool_response_peer(response);

    expect_address(&peer, proxy_server_port(before));
    expect_plain(&peer);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    proxy_server_stop(before);
    test_server_stop(forwarder);
    https_scene_end(&scene);
}
END_TEST

START_TEST(peer__is_told_on_the_lower_floor)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    const struct urlpool_connection_options options = {.https = true, .tls = scene.tls};
    struct urlpool_connection *connection =
        urlpool_connection_new("localhost", test_server_port(scene.server), &options, &test_err);
    struct urlpool_response *response;
    struct urlpool_peer peer;

    ck_assert_int_eq(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &test_err),
                     URLPOOL_OK);
    response = urlpool_connection_getresponse(connection, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    urlpool_connection_free(connection);
    peer = urlpool_response_peer(response);
    expect_address(&peer, test_server_port(scene.server));
    expect_certificate(&peer, &scene);
    urlpool_response_free(response);
    https_scene_end(&scene);
}
END_TEST

RUN_TESTS("peers", peer__is_known_when_the_connection_is_gone,
          peer__says_which_request_of_its_connection_this_was,
          peer__of_tls_has_shown_its_certificate, peer__that_may_be_anybody_is_not_verified,
          peer__behind_a_proxy_is_the_proxy_with_the_tls_of_the_origin,
          peer__that_forwards_has_its_own_tls, peer__that_forwards_has_not_the_tls_of_the_way_to_it,
          peer__is_told_on_the_lower_floor)
