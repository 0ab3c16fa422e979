/* What urllib3's own tests hold its proxies to, where no other test of ours does: whose certificate
 * a proxy may have, what limits and addresses hold on the way, what is said within a tunnel. */

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/count_of.h"
#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    LIMIT_MS = 600
};

static char url[128];

static struct urlpool_manager *manager_via(const char *scheme, int port, struct urlpool_tls *tls)
{
    struct urlpool_manager_options options = {.tls = tls, .retries = TEST_ONE_TRY};
    char proxy_url[64];

    (void)snprintf(proxy_url, sizeof(proxy_url), "%s://127.0.0.1:%d", scheme, port);
    options.proxy.url = proxy_url;
    return test_manager(&options);
}

/* --- the certificate of an https proxy --- */

static const struct test_name name_of_localhost[] = {TEST_DNS("localhost")};
static const struct test_name name_of_another[] = {TEST_DNS("another.example")};
static const struct test_name name_of_v4[] = {TEST_IP("\x7f\x00\x00\x01")};
static const struct test_name name_of_v6[] = {TEST_IP("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1")};

/* struct proof is what a proxy shows and is held to. `fingerprint`: 1 is its own, 2 another's. */
static const struct proof {
    const char *what, *host;
    const struct test_name *name;
    const char *common_name, *assert_hostname;
    int fingerprint;
    bool insecure;
    enum urlpool_code cause; /* URLPOOL_OK: it is spoken to */
} proofs[] = {
    {"its name",                      "localhost", name_of_localhost, NULL,        NULL,              0, false, URLPOOL_OK            },
    {"its address",                   "127.0.0.1", name_of_v4,        NULL,        NULL,              0, false, URLPOOL_OK            },
    {"its address of IPv6",           "[::1]",     name_of_v6,        NULL,        NULL,              0, false, URLPOOL_OK            },
    {"another name",                  "localhost", name_of_another,   NULL,        NULL,              0, false, URLPOOL_E_TLS_HOSTNAME},
    {"a name for an address",         "127.0.0.1", name_of_localhost, NULL,        NULL,              0, false,
     URLPOOL_E_TLS_HOSTNAME                                                                                                           },
    {"another address",               "[::1]",     name_of_v4,        NULL,        NULL,              0, false, URLPOOL_E_TLS_HOSTNAME},
    {"no name",                       "localhost", NULL,              NULL,        NULL,              0, false, URLPOOL_E_TLS_HOSTNAME},
    {"a common name",                 "localhost", NULL,              "localhost", NULL,              0, false, URLPOOL_E_TLS_HOSTNAME},
    {"the name asked for",            "localhost", name_of_another,   NULL,        "another.example", 0, false,
     URLPOOL_OK                                                                                                                       },
    {"not the name asked for",        "localhost", name_of_localhost, NULL,        "another.example", 0, false,
     URLPOOL_E_TLS_HOSTNAME                                                                                                           },
    {"its fingerprint",               "localhost", name_of_another,   NULL,        NULL,              1, false, URLPOOL_OK            },
    {"another fingerprint",           "localhost", name_of_localhost, NULL,        NULL,              2, false,
     URLPOOL_E_TLS_PIN                                                                                                                },
    {"another fingerprint, insecure", "localhost", name_of_localhost, NULL,        NULL,              2, true,
     URLPOOL_E_TLS_PIN                                                                                                                },
    {"anything, insecure",            "localhost", name_of_another,   NULL,        NULL,              0, true,  URLPOOL_OK            },
};

static void check_proof(const struct proof *proof, struct test_cert *ca)
{
    const struct test_cert_options leaf_options = {.names = proof->name,
                                                   .num_names = proof->name != NULL ? 1 : 0,
                                                   .common_name = proof->common_name};
    struct test_cert *leaf = test_cert_new(&leaf_options, ca);
    SSL_CTX *context = test_cert_context((const struct test_cert *const[]){leaf, ca, NULL});
    const struct test_server_options listening = {
        .tls = context, .ip = strchr(proof->host, ':') != NULL ? "::1" : NULL};
    struct test_server *proxy = test_server_start(test_answer_hello, NULL, &listening);
    char *pem = test_cert_pem(ca);
    char *fingerprint = test_cert_fingerprint(proof->fingerprint == 1 ? leaf : ca, 64);
    const struct urlpool_tls_options to_proxy = {.ca_data = pem,
                                                 .ca_data_len = strlen(pem),
                                                 .assert_hostname = proof->assert_hostname,
                                                 .assert_fingerprint =
                                                     proof->fingerprint != 0 ? fingerprint : NULL,
                                                 .insecure_no_verify = proof->insecure};
    struct urlpool_manager_options options = {.retries = TEST_ONE_TRY};
    struct urlpool_manager *manager;
    struct urlpool_response *response;

    options.proxy.tls = urlpool_tls_new(&to_proxy, &test_err);
    (void)snprintf(url, sizeof(url), "https://%s:%d", proof->host, test_server_port(proxy));
    options.proxy.url = url;
    manager = test_manager(&options);
    urlpool_tls_unref(options.proxy.tls);
    response = urlpool_request(manager, "GET", "http://a.example/", NULL, &test_err);
    ck_assert_msg((response != NULL) == (proof->cause == URLPOOL_OK), "%s: %s", proof->what,
                  test_err.message);
    if (response == NULL) {
        ck_assert_int_eq(test_err.code, URLPOOL_E_PROXY);
        ck_assert_msg(test_err.cause == proof->cause, "%s: %s", proof->what, test_err.message);
        ck_assert_uint_eq(test_server_num_requests(proxy), 0);
    }
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(proxy);
    SSL_CTX_free(context);
    test_cert_free(leaf);
    free(pem);
    free(fingerprint);
}

START_TEST(https_proxy__is_verified_as_any_peer)
{
    struct test_cert *ca = test_ca("Proxy CA");

    if (strchr(proofs[_i].host, ':') == NULL || loopback_has_v6()) {
        check_proof(&proofs[_i], ca);
    }
    test_cert_free(ca);
}
END_TEST

/* --- limits --- */

static void answer_never(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_stay(peer);
}

START_TEST(limit__of_reading_is_the_origins_behind_a_proxy)
{
    const struct urlpool_request_options brief = {.timeout.read_ms = LIMIT_MS};
    struct https_scene scene = https_scene_begin(answer_never, NULL, NULL);
    struct test_server *forwarder = test_server_start(answer_never, NULL, NULL);
    struct proxy_server *tunneller =
        proxy_server_start(&(struct proxy_server_options){.manner = PROXY_CARRIES});
    struct urlpool_manager *manager = manager_via("http", proxy_server_port(tunneller), scene.tls);

    ck_assert_int_eq(test_fetch_fails(manager, "GET", scene.server, "/", &brief),
                     URLPOOL_E_READ_TIMEOUT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_HEAD);
    urlpool_manager_free(manager);
    manager = manager_via("http", test_server_port(forwarder), NULL);
    ck_assert_ptr_null(urlpool_request(manager, "GET", "http://a.example/", &brief, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_READ_TIMEOUT);
    urlpool_manager_free(manager);
    proxy_server_stop(tunneller);
    test_server_stop(forwarder);
    https_scene_end(&scene);
}
END_TEST

/* --- the way --- */

static void answer_and_close(struct test_peer *peer, const struct test_request *request, void *user)
{
    test_answer_hello(peer, request, user);
    test_peer_close(peer);
}

START_TEST(tunnel__that_has_ended_is_asked_for_anew)
{
    struct https_scene scene = https_scene_begin(answer_and_close, NULL, NULL);
    struct proxy_server *proxy =
        proxy_server_start(&(struct proxy_server_options){.manner = PROXY_CARRIES});
    struct urlpool_manager *manager = manager_via("http", proxy_server_port(proxy), scene.tls);
    char expected[128];
    char *seen;

    test_get(manager, scene.server);
    test_get(manager, scene.server);
    (void)snprintf(expected, sizeof(expected), "connect 127.0.0.1:%d\nconnect 127.0.0.1:%d\n",
                   test_server_port(scene.server), test_server_port(scene.server));
    seen = proxy_server_seen(proxy);
    ck_assert_str_eq(seen, expected);
    free(seen);
    urlpool_manager_free(manager);
    proxy_server_stop(proxy);
    https_scene_end(&scene);
}
END_TEST

static int note_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *offered,
                     unsigned len, void *user)
{
    (void)ssl;
    (void)out;
    (void)out_len;
    (void)snprintf(user, 64, "%.*s", (int)len, (const char *)offered);
    return SSL_TLSEXT_ERR_NOACK;
}

START_TEST(tunnel__offers_http_1_1_alone_to_the_proxy_and_within)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct https_scene proxy_scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct proxy_server *proxy = NULL;
    struct urlpool_manager_options options = {.tls = scene.tls, .proxy.tls = proxy_scene.tls};
    struct urlpool_manager *manager;
    char within[64] = "", without[64] = "";

    SSL_CTX_set_alpn_select_cb(scene.context, note_alpn, within);
    SSL_CTX_set_alpn_select_cb(proxy_scene.context, note_alpn, without);
    proxy = proxy_server_start(&(struct proxy_server_options){.tls = proxy_scene.context});
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u", (unsigned)proxy_server_port(proxy));
    options.proxy.url = url;
    manager = test_manager(&options);
    test_get(manager, scene.server);
    ck_assert_str_eq(within, "\x08http/1.1");
    ck_assert_str_eq(without, "\x08http/1.1");
    urlpool_manager_free(manager);
    proxy_server_stop(proxy);
    https_scene_end(&proxy_scene);
    https_scene_end(&scene);
}
END_TEST

static const char *const schemes[] = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"};

/* The proxy is dialled as everybody is: from the address that was asked for. */
START_TEST(proxy__is_dialled_from_the_source_address)
{
    const struct urlpool_request_options brief = {.timeout.connect_ms = LIMIT_MS};
    const struct urlpool_tls_options anybody = {.insecure_no_verify = true};
    struct urlpool_manager_options options = {.retries = TEST_ONE_TRY,
                                              .network.source_address = "127.0.0.9"};
    int listener = loopback_listen("127.0.0.1", 0);
    struct sockaddr_in from = {0};
    socklen_t len = sizeof(from);
    struct urlpool_manager *manager;
    int peer;

    (void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u", schemes[_i],
                   (unsigned)loopback_port(listener));
    options.proxy.url = url;
    options.tls = options.proxy.tls = urlpool_tls_new(&anybody, &test_err);
    if (strcmp(schemes[_i], "https") != 0) {
        options.proxy.tls = NULL;
    }
    manager = test_manager(&options);
    ck_assert_ptr_null(urlpool_request(manager, "GET", "https://127.0.0.1/", &brief, &test_err));
    ck_assert(urlpool_error_is(&test_err, URLPOOL_CLASS_TIMEOUT));
    peer = loopback_accept(listener);
    ck_assert_int_eq(getpeername(peer, (struct sockaddr *)&from, &len), 0);
    ck_assert_uint_eq(ntohl(from.sin_addr.s_addr), 0x7f000009);
    (void)close(peer);
    (void)close(listener);
    urlpool_tls_unref(options.tls);
    urlpool_manager_free(manager);
}
END_TEST

RUN_LOOPS("proxy rules", TEST_ROWS(https_proxy__is_verified_as_any_peer, proofs),
          TEST_ONCE(limit__of_reading_is_the_origins_behind_a_proxy),
          TEST_ONCE(tunnel__that_has_ended_is_asked_for_anew),
          TEST_ONCE(tunnel__offers_http_1_1_alone_to_the_proxy_and_within),
          TEST_ROWS(proxy__is_dialled_from_the_source_address, schemes))
