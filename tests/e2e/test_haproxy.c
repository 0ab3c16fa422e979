/* Client certificates and versions of TLS as HAProxy has them: it turns away, in the handshake, who
 * shows no certificate. It is handed a listening socket, so there is nothing to wait for. */

#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "urlpool/urlpool.h"

#include "support/certs.h"
#include "support/loopback.h"
#include "support/program.h"
#include "support/run_tests.h"

#define HAPROXY "/usr/sbin/haproxy"

enum {
    MISSING = 77 /* counts as skipped */
};

/* struct site is HAProxy with a certificate for 127.0.0.1, and a CA for clients. */
struct site {
    struct test_cert *ca, *server, *client;
    struct program *program;
    int port;
    char *dir;
    char *ca_pem, *client_file;
};

static char *joined(char *first, char *second)
{
    char *text = NULL;

    ck_assert_int_gt(asprintf(&text, "%s%s", first, second), 0);
    free(first);
    free(second);
    return text;
}

static void start(struct site *site, const char *bind_options)
{
    const int listener = loopback_listen("127.0.0.1", 0);
    const char *args[] = {HAPROXY, "-db", "-f", NULL, NULL};
    char *conf = NULL;
    char *conf_file;

    ck_assert_int_eq(fcntl(listener, F_SETFD, 0), 0);
    site->port = loopback_port(listener);
    ck_assert_int_gt(
        asprintf(&conf,
                 "global\n  maxconn 100\n"
                 "defaults\n  mode http\n  timeout client 10s\n  timeout server 10s\n"
                 "  timeout connect 10s\n"
                 "frontend tests\n"
                 "  bind fd@%d ssl crt %s/server.pem ca-file %s/ca.pem %s\n"
                 "  http-request return status 200 content-type text/plain lf-string "
                 "\"%%[ssl_c_s_dn(CN)] %%[ssl_fc_protocol] resumed %%[ssl_fc_is_resumed]\"\n",
                 listener, site->dir, site->dir, bind_options),
        0);
    conf_file = test_file(site->dir, "haproxy.cfg", conf);
    args[3] = conf_file;
    site->program = program_start(args, &(struct program_options){0});
    (void)close(listener);
    free(conf);
    free(conf_file);
}

static struct site site_begin(const char *bind_options)
{
    static const struct test_name names[] = {TEST_IP("\x7f\x00\x00\x01")};
    struct site site = {.ca = test_ca("both"), .dir = test_dir()};
    char *server_pem;
    char *client_pem;

    site.server =
        test_cert_new(&(struct test_cert_options){.names = names, .num_names = 1}, site.ca);
    site.client = test_cert_new(
        &(struct test_cert_options){.common_name = "somebody", .usage = "clientAuth"}, site.ca);
    site.ca_pem = test_cert_pem(site.ca);
    server_pem = joined(test_cert_pem(site.server), test_cert_key_pem(site.server));
    client_pem = joined(test_cert_pem(site.client), test_cert_key_pem(site.client));
    site.client_file = test_file(site.dir, "client.pem", client_pem);
    free(test_file(site.dir, "server.pem", server_pem));
    free(test_file(site.dir, "ca.pem", site.ca_pem));
    free(server_pem);
    free(client_pem);
    start(&site, bind_options);
    return site;
}

static void site_end(struct site *site)
{
    program_signal(site->program, SIGKILL);
    ran_free(program_wait(site->program));
    test_dir_remove(site->dir);
    free(site->ca_pem);
    free(site->client_file);
    test_cert_free(site->client);
    test_cert_free(site->server);
    test_cert_free(site->ca);
}

static struct urlpool_manager *manager_for(const struct site *site,
                                           struct urlpool_tls_options options)
{
    struct urlpool_manager_options managing = {.retries = {.total = URLPOOL_NONE}};
    struct urlpool_error err = {0};
    struct urlpool_manager *manager;

    options.ca_data = site->ca_pem;
    options.ca_data_len = strlen(site->ca_pem);
    managing.tls = urlpool_tls_new(&options, &err);
    ck_assert_msg(managing.tls != NULL, "%s", err.message);
    manager = urlpool_manager_new(&managing, &err);
    urlpool_tls_unref(managing.tls);
    return manager;
}

/* ask gives what HAProxy thinks of us, NULL with `err` when there is no answer. Owns: the string is
 * good until the next call. */
static const char *ask(struct urlpool_manager *manager, const struct site *site,
                       struct urlpool_error *err)
{
    static char text[256];
    struct urlpool_response *response;
    char url[64];

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", site->port);
    response = urlpool_request(manager, "GET", url, NULL, err);
    if (response == NULL) {
        return NULL;
    }
    (void)snprintf(text, sizeof(text), "%.*s", (int)response->data_len,
                   (const char *)response->data);
    urlpool_response_free(response);
    return text;
}

static void expect_answer(const struct site *site, struct urlpool_tls_options options,
                          const char *wanted)
{
    struct urlpool_manager *manager = manager_for(site, options);
    struct urlpool_error err = {0};
    const char *text = ask(manager, site, &err);

    ck_assert_msg(text != NULL && strcmp(text, wanted) == 0, "%s %s",
                  text != NULL ? text : "no answer:", err.message);
    urlpool_manager_free(manager);
}

static struct urlpool_error expect_none(const struct site *site, struct urlpool_tls_options options)
{
    struct urlpool_manager *manager = manager_for(site, options);
    struct urlpool_error err = {0};

    ck_assert_ptr_null(ask(manager, site, &err));
    urlpool_manager_free(manager);
    return err;
}

START_TEST(haproxy__lets_in_who_shows_a_certificate)
{
    struct site site = site_begin("verify required");
    struct urlpool_tls_options options = {.cert_file = site.client_file};

    expect_answer(&site, options, "somebody TLSv1.3 resumed 0");
    options.version_max = URLPOOL_TLS_1_2;
    expect_answer(&site, options, "somebody TLSv1.2 resumed 0");
    site_end(&site);
}
END_TEST

START_TEST(haproxy__knows_who_resumes)
{
    struct site site = site_begin("verify required");
    struct urlpool_manager *manager =
        manager_for(&site, (struct urlpool_tls_options){.cert_file = site.client_file});
    struct urlpool_error err = {0};

    ck_assert_str_eq(ask(manager, &site, &err), "somebody TLSv1.3 resumed 0");
    ck_assert_uint_eq(urlpool_manager_close_idle(manager), 1);
    ck_assert_str_eq(ask(manager, &site, &err), "somebody TLSv1.3 resumed 1");
    urlpool_manager_free(manager);
    site_end(&site);
}
END_TEST

START_TEST(haproxy__turns_away_who_shows_none)
{
    struct site site = site_begin("verify required");
    struct urlpool_error err =
        expect_none(&site, (struct urlpool_tls_options){.version_max = URLPOOL_TLS_1_2});

    ck_assert_int_eq(err.code, URLPOOL_E_TLS);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
    ck_assert_ptr_nonnull(strstr(err.message, "the peer sent the alert"));
    /* Over TLS 1.3 it says so behind the handshake, and may cut off what we have sent by then. */
    err = expect_none(&site, (struct urlpool_tls_options){.version_min = URLPOOL_TLS_1_3});
    if (err.code != URLPOOL_E_RESET) {
        ck_assert_int_eq(err.code, URLPOOL_E_TLS);
        ck_assert_ptr_nonnull(strstr(err.message, "the peer sent the alert certificate required"));
    }
    site_end(&site);
}
END_TEST

START_TEST(haproxy__and_we_agree_on_a_version_or_part)
{
    struct site site = site_begin("ssl-min-ver TLSv1.3");

    expect_answer(&site, (struct urlpool_tls_options){0}, " TLSv1.3 resumed 0");
    ck_assert_int_eq(
        expect_none(&site, (struct urlpool_tls_options){.version_max = URLPOOL_TLS_1_2}).code,
        URLPOOL_E_TLS);
    site_end(&site);
    site = site_begin("ssl-max-ver TLSv1.2");
    expect_answer(&site, (struct urlpool_tls_options){0}, " TLSv1.2 resumed 0");
    ck_assert_int_eq(
        expect_none(&site, (struct urlpool_tls_options){.version_min = URLPOOL_TLS_1_3}).code,
        URLPOOL_E_TLS);
    site_end(&site);
}
END_TEST

START_TEST(haproxy__is_known_by_its_key)
{
    struct site site = site_begin("");
    char *right = test_cert_pin(site.server);
    char *wrong = test_cert_pin(site.client);

    expect_answer(&site, (struct urlpool_tls_options){.pins = right}, " TLSv1.3 resumed 0");
    ck_assert_int_eq(expect_none(&site, (struct urlpool_tls_options){.pins = wrong}).code,
                     URLPOOL_E_TLS_PIN);
    free(right);
    free(wrong);
    site_end(&site);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {haproxy__lets_in_who_shows_a_certificate,
                                  haproxy__knows_who_resumes, haproxy__turns_away_who_shows_none,
                                  haproxy__and_we_agree_on_a_version_or_part,
                                  haproxy__is_known_by_its_key};

    if (access(HAPROXY, X_OK) != 0) {
        (void)fprintf(stderr, "skipped: no haproxy\n");
        return MISSING;
    }
    return run_tests("haproxy", tests, sizeof(tests) / sizeof(tests[0]));
}
