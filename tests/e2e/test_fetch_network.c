/* pooled-fetch: where connections go, where they come from, who we are and what TLS is spoken. */

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/fetch_site.h"
#include "support/loopback.h"
#include "support/run_tests.h"

static struct site site;

/* of_port writes `text` with the site's port for its "PORT"; two are remembered at once. */
static const char *of_port(const char *text)
{
    static char texts[2][256];
    static size_t next;
    char *out = texts[next++ % 2];
    const char *port = strstr(text, "PORT");

    (void)snprintf(out, sizeof(texts[0]), "%.*s%d%s", (int)(port - text), text,
                   test_server_port(site.server), port + 4);
    return out;
}

START_TEST(fetch__resolve_takes_the_place_of_dns)
{
    char *head;

    site_begin(&site);
    ck_assert_ran(FETCH(&site, "--resolve", of_port("shop.example:PORT:127.0.0.1"),
                        of_port("http://shop.example:PORT/hello")),
                  0, "hello\n");
    head = test_server_last_head(site.server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nHost: shop.example:"));
    free(head);
    ck_assert_ran(FETCH(&site, "--resolve", of_port("+*:PORT:127.0.0.1"),
                        of_port("http://any.example:PORT/hello")),
                  0, "hello\n");
    ck_assert_ran(FETCH(&site, "--resolve", of_port("shop.example:PORT:127.0.0.7,127.0.0.1"),
                        of_port("http://shop.example:PORT/hello")),
                  0, "hello\n");
    site_end(&site);
}
END_TEST

START_TEST(fetch__the_last_resolve_for_a_host_holds_and_any_host_comes_last)
{
    char url[128];
    char good[128];
    char bad[128];
    char any[128];
    int port;

    site_begin(&site);
    port = test_server_port(site.server);
    (void)snprintf(url, sizeof(url), "http://shop.example:%d/hello", port);
    (void)snprintf(good, sizeof(good), "shop.example:%d:127.0.0.1", port);
    (void)snprintf(bad, sizeof(bad), "shop.example:%d:127.0.0.7", port);
    (void)snprintf(any, sizeof(any), "*:%d:127.0.0.7", port);
    ck_assert_ran(FETCH(&site, "--resolve", bad, "--resolve", good, "--resolve", any, url), 0,
                  "hello\n");
    ck_assert_refused(FETCH(&site, "--resolve", good, "--resolve", bad, url), 7, "(7)");
    site_end(&site);
}
END_TEST

START_TEST(fetch__connect_to_changes_the_way_and_not_the_request)
{
    char *head;

    site_begin(&site);
    ck_assert_ran(FETCH(&site, "--connect-to", "other.example:80:127.0.0.7:1", "--connect-to",
                        of_port("shop.example:80:127.0.0.1:PORT"), "http://shop.example/hello"),
                  0, "hello\n");
    head = test_server_last_head(site.server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nHost: shop.example\r\n"));
    free(head);
    ck_assert_ran(
        FETCH(&site, "--connect-to", of_port("::127.0.0.1:PORT"), "http://any.example:81/hello"), 0,
        "hello\n");
    site_end(&site);
}
END_TEST

START_TEST(fetch__dials_addresses_of_one_version)
{
    site_begin(&site);
    ck_assert_refused(FETCH(&site, "-4", of_port("http://[::1]:PORT/hello")), 6, "(6)");
    ck_assert_refused(FETCH(&site, "--ipv6", site_url(&site, "/hello")), 6, "(6)");
    ck_assert_ran(FETCH(&site, "-6", "-4", of_port("http://localhost:PORT/hello")), 0, "hello\n");
    ck_assert_refused(FETCH(&site, "--ipv4", "-6s", "-S", site_url(&site, "/hello")), 6, "(6)");
    site_end(&site);
}
END_TEST

/* --- servers that say who calls --- */

struct greeter {
    int listener;
    pthread_t thread;
};

/* greet answers one request with the caller's address, or "local". */
static void *greet(void *user)
{
    const struct greeter *greeter = user;
    int peer = loopback_accept(greeter->listener);
    struct sockaddr_storage from = {0};
    socklen_t len = sizeof(from);
    char text[INET6_ADDRSTRLEN] = "local";
    char head[4096];
    char answer[256];
    int answer_len;

    ck_assert_int_gt(recv(peer, head, sizeof(head), 0), 0);
    ck_assert_int_eq(getpeername(peer, (struct sockaddr *)&from, &len), 0);
    if (from.ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&from;
        (void)inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    }
    answer_len = snprintf(answer, sizeof(answer),
                          "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(text), text);
    ck_assert_int_eq(send(peer, answer, (size_t)answer_len, MSG_NOSIGNAL), answer_len);
    (void)close(peer);
    return NULL;
}

static void greeter_start(struct greeter *greeter, int listener)
{
    greeter->listener = listener;
    ck_assert_int_eq(pthread_create(&greeter->thread, NULL, greet, greeter), 0);
}

static void greeter_stop(struct greeter *greeter)
{
    ck_assert_int_eq(pthread_join(greeter->thread, NULL), 0);
    (void)close(greeter->listener);
}

static const struct {
    const char *words[4];
    const char *from;
} interfaces[] = {
    {{"--interface", "127.0.0.9"},                   "127.0.0.9"},
    {{"--interface=host!127.0.0.9"},                 "127.0.0.9"},
    {{"--interface=lo"},                             "127.0.0.1"},
    {{"--interface=127.0.0.9", "--interface=if!lo"}, "127.0.0.1"},
    {{"--interface", "lo", "--interface=127.0.0.9"}, "127.0.0.9"},
};

START_TEST(fetch__dials_from_an_address_or_an_interface)
{
    struct greeter greeter;
    const char *words[7] = {POOLED_FETCH, NULL};
    char url[64];
    size_t n = 1;

    site_begin(&site);
    greeter_start(&greeter, loopback_listen("127.0.0.1", 0));
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(greeter.listener));
    for (size_t i = 0; i < 4 && interfaces[_i].words[i] != NULL; i++) {
        words[n++] = interfaces[_i].words[i];
    }
    words[n] = url;
    ck_assert_ran(site_fetch(&site, NULL, words), 0, interfaces[_i].from);
    greeter_stop(&greeter);
    site_end(&site);
}
END_TEST

/* listen_locally listens on a path, or on an abstract name when it begins with "@". */
static int listen_locally(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const size_t len = strlen(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_uint_lt(len, sizeof(at.sun_path));
    memcpy(at.sun_path, path, len);
    at.sun_path[0] = path[0] == '@' ? '\0' : path[0];
    ck_assert_int_eq(
        bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
        0);
    ck_assert_int_eq(listen(fd, 1), 0);
    return fd;
}

START_TEST(fetch__dials_a_unix_socket_whatever_the_host)
{
    struct greeter greeter;
    char name[64];

    site_begin(&site);
    greeter_start(&greeter, listen_locally(site_path(&site, "socket")));
    ck_assert_ran(FETCH(&site, "--unix-socket", "socket", "http://anybody.example/"), 0, "local");
    greeter_stop(&greeter);
    greeter_start(&greeter, listen_locally(site_path(&site, "@odd")));
    ck_assert_ran(FETCH(&site, "--unix-socket", "@odd", "http://anybody.example/"), 0, "local");
    greeter_stop(&greeter);
    (void)snprintf(name, sizeof(name), "@pooled-fetch-test-%ld", (long)getpid());
    greeter_start(&greeter, listen_locally(name));
    ck_assert_ran(FETCH(&site, "--abstract-unix-socket", name + 1, "http://anybody.example/"), 0,
                  "local");
    greeter_stop(&greeter);
    ck_assert_refused(FETCH(&site, "--unix-socket", "missing", site_url(&site, "/hello")), 7,
                      "(7)");
    site_end(&site);
}
END_TEST

/* --- TLS --- */

static struct test_cert *ca, *leaf;
static SSL_CTX *context;

/* secure_begin starts the site behind TLS, and writes ca.pem; it asks for a certificate of its CA
 * with `asks`, and speaks these versions and ciphers of TLS 1.2 (NULL: any) alone. */
static void secure_begin(uint16_t min, uint16_t max, const char *ciphers, bool asks)
{
    static const struct test_name names[] = {TEST_IP("\x7f\x00\x00\x01")};
    static const struct test_cert_options who = {.names = names, .num_names = 1};
    struct test_server_options options = {0};
    char *pem;

    ca = test_ca("Network CA");
    leaf = test_cert_new(&who, ca);
    context = test_cert_context((const struct test_cert *const[]){leaf, NULL});
    ck_assert(SSL_CTX_set_min_proto_version(context, min) == 1);
    ck_assert(SSL_CTX_set_max_proto_version(context, max) == 1);
    ck_assert(ciphers == NULL || SSL_CTX_set_cipher_list(context, ciphers) == 1);
    if (asks) {
        ck_assert(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca->x509) == 1);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        ck_assert(SSL_CTX_set_session_id_context(context, (const uint8_t *)"c", 1) == 1);
    }
    options.tls = context;
    site =
        (struct site){.server = test_server_start(site_answer, NULL, &options), .dir = test_dir()};
    pem = test_cert_pem(ca);
    free(test_file(site.dir, "ca.pem", pem));
    free(pem);
}

static void secure_end(void)
{
    site_end(&site);
    SSL_CTX_free(context);
    test_cert_free(leaf);
    test_cert_free(ca);
}

#define SECURELY(...) \
    FETCH(&site, "--cacert", "ca.pem", __VA_ARGS__, of_port("https://127.0.0.1:PORT/hello"))

START_TEST(fetch__speaks_the_asked_versions_of_tls)
{
    secure_begin(TLS1_2_VERSION, TLS1_2_VERSION, NULL, false);
    ck_assert_ran(SECURELY("--tlsv1.2"), 0, "hello\n");
    ck_assert_ran(SECURELY("--tls-max", "1.2"), 0, "hello\n");
    ck_assert_ran(SECURELY("--tlsv1.3", "--tlsv1.2"), 0, "hello\n");
    ck_assert_refused(SECURELY("--tlsv1.3"), 35, "(35)");
    secure_end();
    secure_begin(TLS1_3_VERSION, TLS1_3_VERSION, NULL, false);
    ck_assert_ran(SECURELY("--tlsv1.3", "--tls-max", "1.3"), 0, "hello\n");
    ck_assert_ran(SECURELY("--tls-max=1.2", "--tls-max=default"), 0, "hello\n");
    ck_assert_refused(SECURELY("--tls-max", "1.2"), 35, "(35)");
    secure_end();
}
END_TEST

START_TEST(fetch__offers_the_asked_ciphers_of_tls_1_2)
{
    secure_begin(TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", false);
    ck_assert_ran(SECURELY("--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"), 0, "hello\n");
    ck_assert_ran(SECURELY("--ciphers", "HIGH:!aNULL:!MD5:!RC4"), 0, "hello\n");
    ck_assert_refused(SECURELY("--ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305"), 35, "(35)");
    secure_end();
}
END_TEST

START_TEST(fetch__pins_the_key_of_the_server)
{
    char *good;
    char *bad;
    char *both;

    secure_begin(TLS1_2_VERSION, TLS1_3_VERSION, NULL, false);
    good = test_cert_pin(leaf);
    bad = test_cert_pin(ca);
    both = malloc(strlen(good) + strlen(bad) + 2);
    (void)sprintf(both, "%s;%s", bad, good);
    ck_assert_ran(SECURELY("--pinnedpubkey", good), 0, "hello\n");
    ck_assert_ran(SECURELY("--pinnedpubkey", both), 0, "hello\n");
    ck_assert_refused(SECURELY("--pinnedpubkey", bad), 90, "(90)");
    ck_assert_refused(SECURELY("-k", "--pinnedpubkey", bad), 90, "(90)");
    free(good);
    free(bad);
    free(both);
    secure_end();
}
END_TEST

static void write_text(const char *name, char *text)
{
    free(test_file(site.dir, name, text));
    free(text);
}

START_TEST(fetch__shows_its_own_certificate)
{
    static const struct test_cert_options who = {.common_name = "me", .usage = "clientAuth"};
    struct test_cert *me;

    secure_begin(TLS1_2_VERSION, TLS1_2_VERSION, NULL, true);
    me = test_cert_new(&who, ca);
    write_text("me.pem", test_cert_pem(me));
    write_text("a:b.pem", test_cert_pem(me));
    write_text("key.pem", test_cert_key_pem(me));
    write_text("locked.pem", test_cert_key_encrypted(me, "se:cret", false));
    ck_assert_refused(SECURELY("-S"), 35, "(35)");
    ck_assert_ran(SECURELY("--cert", "me.pem", "--key", "key.pem"), 0, "hello\n");
    ck_assert_ran(SECURELY("-Eme.pem:se:cret", "--key", "locked.pem"), 0, "hello\n");
    ck_assert_ran(SECURELY("-E", "a\\:b.pem:se:cret", "--key", "locked.pem"), 0, "hello\n");
    ck_assert_ran(SECURELY("--cert", "me.pem", "--key", "locked.pem", "--pass", "se:cret"), 0,
                  "hello\n");
    ck_assert_ran(SECURELY("--cert=me.pem:wrong", "--key=locked.pem", "--pass=se:cret"), 0,
                  "hello\n");
    ck_assert_refused(SECURELY("--cert", "me.pem", "--key", "locked.pem", "--pass", "wrong"), 58,
                      "(58)");
    ck_assert_refused(SECURELY("--cert", "me.pem", "--key", "locked.pem"), 58, "(58)");
    ck_assert_refused(SECURELY("--cert", "me.pem"), 58, "(58)");
    ck_assert_refused(SECURELY("--cert", "me.pem", "--key", "missing.pem"), 58, "missing.pem");
    test_cert_free(me);
    secure_end();
}
END_TEST

START_TEST(fetch__passwords_of_keys_do_not_stay_in_the_list_of_processes)
{
    static const struct test_cert_options who = {.common_name = "me"};
    struct test_cert *me;
    struct program *program;
    const char *cert;
    const char *key;
    char with_password[256];
    char path[64];
    char text[4096];
    FILE *file;
    size_t len;

    site_begin(&site);
    me = test_cert_new(&who, NULL);
    write_text("me.pem", test_cert_pem(me));
    write_text("locked.pem", test_cert_key_encrypted(me, "hidden1", false));
    cert = site_path(&site, "me.pem");
    key = site_path(&site, "locked.pem");
    (void)snprintf(with_password, sizeof(with_password), "%s:hidden1", cert);
    program = program_start((const char *const[]){POOLED_FETCH, "--pass", "hidden2", "--cert",
                                                  with_password, "-Ex:hidden1", "-E", with_password,
                                                  "--pass=hidden1", "--key", key, "--max-time",
                                                  "10", site_url(&site, "/stay"), NULL},
                            NULL);
    for (int i = 0; test_server_num_requests(site.server) == 0; i++) {
        if (i == 2000) {
            ck_abort_msg("%s", program_wait(program)->err);
        }
        (void)usleep(1000);
    }
    (void)snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)program_pid(program));
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    len = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    ck_assert_ptr_null(memmem(text, len, "hidden", 6));
    ck_assert_ptr_nonnull(memmem(text, len, "me.pem:", 7)); /* it is the right one */
    program_signal(program, SIGTERM);
    ran_free(program_wait(program));
    test_cert_free(me);
    site_end(&site);
}
END_TEST

RUN_LOOPS("fetch network", TEST_ONCE(fetch__resolve_takes_the_place_of_dns),
          TEST_ONCE(fetch__the_last_resolve_for_a_host_holds_and_any_host_comes_last),
          TEST_ONCE(fetch__connect_to_changes_the_way_and_not_the_request),
          TEST_ONCE(fetch__dials_addresses_of_one_version),
          TEST_ROWS(fetch__dials_from_an_address_or_an_interface, interfaces),
          TEST_ONCE(fetch__dials_a_unix_socket_whatever_the_host),
          TEST_ONCE(fetch__speaks_the_asked_versions_of_tls),
          TEST_ONCE(fetch__offers_the_asked_ciphers_of_tls_1_2),
          TEST_ONCE(fetch__pins_the_key_of_the_server), TEST_ONCE(fetch__shows_its_own_certificate),
          TEST_ONCE(fetch__passwords_of_keys_do_not_stay_in_the_list_of_processes))
