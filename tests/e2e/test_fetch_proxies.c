/* pooled-fetch through proxies: its options, the environment, and curl's numbers. */

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/certs.h"
#include "support/fetch_site.h"
#include "support/https_scene.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define CREDENTIALS "Basic bWU6c2VjcmV0" /* me:secret */

/* at writes "SCHEME127.0.0.1:PORT"; some are remembered at once. */
static const char *at(const char *scheme, int port)
{
    static char texts[8][128];
    static unsigned next;
    char *text = texts[next++ % 8];

    snprintf(text, sizeof(texts[0]), "%s127.0.0.1:%d", scheme, port);
    return text;
}

static bool last_head_has(struct test_server *server, const char *text)
{
    char *head = test_server_last_head(server);
    const bool has = strstr(head, text) != NULL;

    free(head);
    return has;
}

START_TEST(proxy__is_asked_for_the_whole_url)
{
    struct site site;
    struct test_server *proxy;
    const char *there;

    site_begin(&site);
    proxy = test_server_start(test_answer_hello, NULL, NULL);
    there = at("", test_server_port(proxy));
    ck_assert_ran(FETCH(&site, "-x", there, "-U", "me:secret", "--proxy-header", "X-Way: this",
                        "http://a.example/b"),
                  0, "hello");
    ck_assert(last_head_has(proxy, "GET http://a.example/b HTTP/1.1\r\nHost: a.example\r\n"));
    ck_assert(last_head_has(proxy, "\r\nProxy-Authorization: " CREDENTIALS "\r\n"));
    ck_assert(last_head_has(proxy, "\r\nX-Way: this\r\n"));
    ck_assert(last_head_has(proxy, "\r\nUser-Agent: pooled-fetch/"));
    ck_assert_ran(FETCH(&site, "--proxy", at("http://me:secret@", test_server_port(proxy)),
                        "http://a.example/"),
                  0, "hello");
    ck_assert(last_head_has(proxy, "\r\nProxy-Authorization: " CREDENTIALS "\r\n"));
    ck_assert_ran(
        FETCH(&site, "-x", there, "--noproxy", "b.example,127.0.0.1", site_url(&site, "/hello")), 0,
        "hello\n");
    ck_assert_ran(FETCH(&site, "-x", there, site_url(&site, "/hello")), 0, "hello");
    ck_assert_uint_eq(test_server_num_requests(proxy), 3);
    test_server_stop(proxy);
    site_end(&site);
}
END_TEST

START_TEST(proxy__of_https_is_trusted_as_its_own_options_say)
{
    struct site site;
    struct https_scene proxy = https_scene_begin(test_answer_hello, NULL, NULL);
    const char *there = at("https://", test_server_port(proxy.server));
    char *pem = test_cert_pem(proxy.ca);

    site_begin(&site);
    free(test_file(site.dir, "ca.pem", pem));
    free(pem);
    ck_assert_refused(FETCH(&site, "-sS", "-x", there, "http://a.example/"), 60, "proxy 127.0.0.1");
    ck_assert_code(FETCH(&site, "-s", "-x", there, "-k", "http://a.example/"), 60);
    ck_assert_code(FETCH(&site, "-s", "-x", there, "--cacert", "ca.pem", "http://a.example/"), 60);
    ck_assert_ran(FETCH(&site, "-x", there, "--proxy-cacert", "ca.pem", "http://a.example/"), 0,
                  "hello");
    ck_assert_ran(FETCH(&site, "-x", there, "--proxy-insecure", "http://a.example/"), 0, "hello");
    ck_assert_code(FETCH(&site, "-s", "-x", there, "--proxy-cacert", "none", "http://a.example/"),
                   77);
    site_end(&site);
    https_scene_end(&proxy);
}
END_TEST

/* --- a proxy that asks who we are --------------------------------------------------------------
 */

#define CIPHER       "ECDHE-ECDSA-AES128-GCM-SHA256"
#define OTHER_CIPHER "ECDHE-ECDSA-CHACHA20-POLY1305"

static struct test_cert *ca, *leaf, *me;
static SSL_CTX *context;
static struct test_server *strict_proxy;

static void write_text(const struct site *site, const char *name, char *text)
{
    free(test_file(site->dir, name, text));
    free(text);
}

/* strict_begin starts a proxy behind TLS 1.2 with that one cipher, which asks for a certificate of
 * its CA when `asks`; and writes what a client needs for it. */
static void strict_begin(struct site *site, bool asks)
{
    static const struct test_name names[] = {TEST_IP("\x7f\x00\x00\x01")};
    static const struct test_cert_options who = {.names = names, .num_names = 1};
    static const struct test_cert_options client = {.common_name = "me", .usage = "clientAuth"};
    struct test_server_options options = {0};

    ca = test_ca("Proxy CA");
    leaf = test_cert_new(&who, ca);
    me = test_cert_new(&client, ca);
    context = test_cert_context((const struct test_cert *const[]){leaf, NULL});
    ck_assert(SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) == 1);
    ck_assert(SSL_CTX_set_cipher_list(context, CIPHER) == 1);
    if (asks) {
        ck_assert(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca->x509) == 1);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        ck_assert(SSL_CTX_set_session_id_context(context, (const uint8_t *)"c", 1) == 1);
    }
    options.tls = context;
    strict_proxy = test_server_start(test_answer_hello, NULL, &options);
    site_begin(site);
    write_text(site, "ca.pem", test_cert_pem(ca));
    write_text(site, "me.pem", test_cert_pem(me));
    write_text(site, "key.pem", test_cert_key_pem(me));
    write_text(site, "locked.pem", test_cert_key_encrypted(me, "secret", false));
}

static void strict_end(struct site *site)
{
    site_end(site);
    test_server_stop(strict_proxy);
    SSL_CTX_free(context);
    test_cert_free(me);
    test_cert_free(leaf);
    test_cert_free(ca);
}

#define BY_PROXY(site, ...)                                                               \
    FETCH(site, "-sS", "-x", at("https://", test_server_port(strict_proxy)), __VA_ARGS__, \
          "http://a.example/")

START_TEST(proxy__of_https_is_shown_its_own_certificate)
{
    struct site site;

    strict_begin(&site, true);
    ck_assert_refused(BY_PROXY(&site, "--proxy-cacert", "ca.pem"), 35, "(35)");
    ck_assert_refused(
        BY_PROXY(&site, "--proxy-cacert", "ca.pem", "--cert", "me.pem", "--key", "key.pem"), 35,
        "(35)");
    ck_assert_ran(BY_PROXY(&site, "--proxy-cacert", "ca.pem", "--proxy-cert", "me.pem",
                           "--proxy-key", "key.pem"),
                  0, "hello");
    ck_assert_ran(BY_PROXY(&site, "--proxy-cacert", "ca.pem", "--proxy-cert", "me.pem",
                           "--proxy-key", "locked.pem", "--proxy-pass", "secret"),
                  0, "hello");
    ck_assert_ran(BY_PROXY(&site, "--proxy-cacert", "ca.pem", "--proxy-cert", "me.pem:secret",
                           "--proxy-key", "locked.pem"),
                  0, "hello");
    ck_assert_refused(BY_PROXY(&site, "--proxy-cacert", "ca.pem", "--proxy-cert", "me.pem",
                               "--proxy-key", "locked.pem", "--proxy-pass", "other"),
                      58, "(58)");
    ck_assert_refused(BY_PROXY(&site, "--proxy-key", "key.pem"), 2, "(2)");
    ck_assert_refused(BY_PROXY(&site, "--proxy-pass", "secret"), 2, "(2)");
    strict_end(&site);
}
END_TEST

START_TEST(proxy__of_https_is_held_to_its_pin_ciphers_and_folder_of_roots)
{
    struct site site;
    char *good;
    char *bad;
    char name[16];

    strict_begin(&site, false);
    good = test_cert_pin(leaf);
    bad = test_cert_pin(ca);
    ck_assert_ran(BY_PROXY(&site, "--proxy-cacert", "ca.pem", "--proxy-pinnedpubkey", good), 0,
                  "hello");
    ck_assert_refused(BY_PROXY(&site, "--proxy-cacert", "ca.pem", "--proxy-pinnedpubkey", bad), 90,
                      "(90)");
    ck_assert_ran(BY_PROXY(&site, "--proxy-cacert", "ca.pem", "--proxy-ciphers", CIPHER), 0,
                  "hello");
    ck_assert_refused(BY_PROXY(&site, "--proxy-cacert", "ca.pem", "--proxy-ciphers", OTHER_CIPHER),
                      35, "(35)");
    test_cert_hash_name(ca, name);
    write_text(&site, name, test_cert_pem(ca));
    ck_assert_ran(BY_PROXY(&site, "--proxy-capath", "."), 0, "hello");
    ck_assert_refused(BY_PROXY(&site, "--proxy-capath", "missing"), 77, "missing");
    free(good);
    free(bad);
    strict_end(&site);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- */

START_TEST(proxy__of_socks_is_asked_as_its_option_says)
{
    static const struct {
        const char *option, *scheme, *host, *seen;
    } cases[] = {
        {"--socks4",          "",           "127.0.0.1", "socks4 127.0.0.1:"     },
        {"--socks4a",         "",           "a.example", "socks4a a.example:"    },
        {"--socks5",          "",           "127.0.0.1", "socks5 v4 127.0.0.1:"  },
        {"--socks5-hostname", "",           "a.example", "socks5 name a.example:"},
        {"-x",                "socks5h://", "a.example", "socks5 name a.example:"},
        {"--preproxy",        "socks4a://", "a.example", "socks4a a.example:"    },
    };
    struct site site;

    site_begin(&site);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct proxy_server_options plain = {.manner = PROXY_CARRIES};
        struct proxy_server *proxy = proxy_server_start(&plain);
        char url[64];
        char *seen;

        snprintf(url, sizeof(url), "http://%s:%d/hello", cases[i].host,
                 test_server_port(site.server));
        ck_assert_ran(
            FETCH(&site, cases[i].option, at(cases[i].scheme, proxy_server_port(proxy)), url), 0,
            "hello\n");
        seen = proxy_server_seen(proxy);
        ck_assert_msg(strstr(seen, cases[i].seen) != NULL, "%s", seen);
        free(seen);
        proxy_server_stop(proxy);
    }
    site_end(&site);
}
END_TEST

START_TEST(preproxy__leads_to_the_proxy)
{
    const struct proxy_server_options plain = {.manner = PROXY_CARRIES};
    struct proxy_server *before = proxy_server_start(&plain);
    struct test_server *proxy = test_server_start(test_answer_hello, NULL, NULL);
    struct site site;
    char *seen;

    site_begin(&site);
    ck_assert_ran(FETCH(&site, "--preproxy", at("socks5h://", proxy_server_port(before)), "-x",
                        at("", test_server_port(proxy)), "http://a.example/"),
                  0, "hello");
    seen = proxy_server_seen(before);
    ck_assert_ptr_nonnull(strstr(seen, at("", test_server_port(proxy))));
    free(seen);
    test_server_stop(proxy);
    proxy_server_stop(before);
    site_end(&site);
}
END_TEST

START_TEST(environment__is_heard_as_curl_hears_it)
{
    struct site site;
    struct test_server *proxy = test_server_start(test_answer_hello, NULL, NULL);
    const char *there = at("", test_server_port(proxy));

    site_begin(&site);
    ck_assert_int_eq(setenv("HTTP_PROXY", there, 1), 0); /* not this one */
    ck_assert_ran(FETCH(&site, site_url(&site, "/hello")), 0, "hello\n");
    ck_assert_int_eq(setenv("http_proxy", there, 1), 0);
    ck_assert_ran(FETCH(&site, site_url(&site, "/hello")), 0, "hello");
    ck_assert_ran(FETCH(&site, "-U", "me:secret", site_url(&site, "/hello")), 0, "hello");
    ck_assert(last_head_has(proxy, "\r\nProxy-Authorization: " CREDENTIALS "\r\n"));
    ck_assert_ran(FETCH(&site, "-x", "", site_url(&site, "/hello")), 0, "hello\n");
    ck_assert_ran(FETCH(&site, "--noproxy", "*", site_url(&site, "/hello")), 0, "hello\n");
    ck_assert_int_eq(setenv("NO_PROXY", "127.0.0.0/8", 1), 0);
    ck_assert_ran(FETCH(&site, site_url(&site, "/hello")), 0, "hello\n");
    ck_assert_ran(FETCH(&site, "-x", there, site_url(&site, "/hello")), 0, "hello\n");
    ck_assert_ran(FETCH(&site, "--noproxy", "", site_url(&site, "/hello")), 0, "hello");
    ck_assert_int_eq(unsetenv("http_proxy"), 0);
    ck_assert_int_eq(unsetenv("NO_PROXY"), 0);
    ck_assert_int_eq(setenv("ALL_PROXY", there, 1), 0);
    ck_assert_ran(FETCH(&site, site_url(&site, "/hello")), 0, "hello");
    ck_assert_int_eq(setenv("all_proxy", "gopher://u:secret@127.0.0.1", 1), 0);
    ck_assert_refused(FETCH(&site, "-sS", site_url(&site, "/hello")), 1, "all_proxy URL has");
    ck_assert_int_eq(unsetenv("ALL_PROXY"), 0);
    ck_assert_int_eq(unsetenv("all_proxy"), 0);
    ck_assert_int_eq(unsetenv("HTTP_PROXY"), 0);
    site_end(&site);
    test_server_stop(proxy);
}
END_TEST

START_TEST(failure__has_curls_number)
{
    const struct proxy_server_options refusing = {.refuses_with = 407};
    const struct proxy_server_options garbling = {.manner = PROXY_GARBLES};
    const struct proxy_server_options closing = {.manner = PROXY_CLOSES};
    struct proxy_server *refuser = proxy_server_start(&refusing);
    struct proxy_server *garbler = proxy_server_start(&garbling);
    struct proxy_server *closer = proxy_server_start(&closing);
    struct proxy_server *gone = proxy_server_start(&closing);
    const char *nobody = at("", proxy_server_port(gone));
    struct site site;

    site_begin(&site);
    proxy_server_stop(gone);
    ck_assert_refused(FETCH(&site, "-sS", "-x", at("", proxy_server_port(refuser)), "-U",
                            "me:secret", "https://a.example/"),
                      56, "refused: 407");
    ck_assert_code(
        FETCH(&site, "-s", "-x", at("", proxy_server_port(garbler)), "https://a.example/"), 56);
    ck_assert_code(
        FETCH(&site, "-s", "-x", at("", proxy_server_port(closer)), "https://a.example/"), 56);
    ck_assert_code(FETCH(&site, "-s", "-x", nobody, "http://a.example/"), 7);
    ck_assert_code(FETCH(&site, "-s", "-x", "proxy.invalid", "http://a.example/"), 5);
    proxy_server_stop(refuser);
    proxy_server_stop(garbler);
    proxy_server_stop(closer);

    const struct proxy_server_options barring = {.refuses_with = 2};
    struct proxy_server *barrier = proxy_server_start(&barring);

    ck_assert_refused(FETCH(&site, "-sS", "--socks5-hostname", at("", proxy_server_port(barrier)),
                            "http://a.example/"),
                      97, "refused");
    proxy_server_stop(barrier);
    site_end(&site);
}
END_TEST

START_TEST(usage__that_makes_no_sense_is_refused)
{
    struct site site;

    site_begin(&site);
    ck_assert_refused(FETCH(&site, "-U", "me", "http://a.example/"), 2, "user:password");
    ck_assert_refused(FETCH(&site, "--proxy-header", "X", "http://a.example/"), 2,
                      "--proxy-header");
    ck_assert_refused(FETCH(&site, "--proxy-header", "@none", "http://a.example/"), 26, "none");
    ck_assert_refused(FETCH(&site, "--socks5", "http://a", "http://a.example/"), 2, "--socks5");
    ck_assert_refused(FETCH(&site, "-x", "ftp://a", "http://a.example/"), 1, "scheme");
    ck_assert_refused(FETCH(&site, "-x", "a", "--noproxy", "10.0.0.0/99", "http://a.example/"), 2,
                      "no_proxy");
    site_end(&site);
}
END_TEST

RUN_TESTS("fetch proxies", proxy__is_asked_for_the_whole_url,
          proxy__of_https_is_trusted_as_its_own_options_say,
          proxy__of_https_is_shown_its_own_certificate,
          proxy__of_https_is_held_to_its_pin_ciphers_and_folder_of_roots,
          proxy__of_socks_is_asked_as_its_option_says, preproxy__leads_to_the_proxy,
          environment__is_heard_as_curl_hears_it, failure__has_curls_number,
          usage__that_makes_no_sense_is_refused)
