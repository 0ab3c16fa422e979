/* TLS options as OpenSSL in a real server sees them, and keys as OpenSSL's own tool encrypts them.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/urlpool.h"

#include "support/certs.h"
#include "support/nginx.h"
#include "support/run_tests.h"
#include "support/tls_kit.h"

#define PASSWORD "correct horse"

/* struct site is nginx with a CA for clients, and a certificate of it. */
struct site {
    struct test_nginx *nginx;
    struct test_cert *ca, *middle, *client;
    char *dir;
    char *chain_file, *key_file;
};

/* site_begin: `verify` is nginx's ssl_verify_client, `more` goes into its configuration. */
static struct site site_begin(const char *verify, const char *more)
{
    struct site site = {.ca = test_ca("clients"), .dir = test_dir()};
    char *ca_pem = test_cert_pem(site.ca);
    char *key_pem;
    char *client_pem;
    char *middle_pem;
    char *chain = NULL;
    char *ca_file;
    char *text = NULL;

    site.middle =
        test_cert_new(&(struct test_cert_options){.common_name = "middle", .is_ca = true}, site.ca);
    site.client = test_cert_new(
        &(struct test_cert_options){.common_name = "somebody", .usage = "clientAuth"}, site.middle);
    client_pem = test_cert_pem(site.client);
    middle_pem = test_cert_pem(site.middle);
    key_pem = test_cert_key_pem(site.client);
    ck_assert_int_gt(asprintf(&chain, "%s%s", client_pem, middle_pem), 0);
    site.chain_file = test_file(site.dir, "chain.pem", chain);
    site.key_file = test_file(site.dir, "key.pem", key_pem);
    ca_file = test_file(site.dir, "ca.pem", ca_pem);
    ck_assert_int_gt(
        asprintf(&text,
                 "ssl_client_certificate %s; ssl_verify_client %s; ssl_verify_depth 3; %s "
                 "location = /who { return 200 "
                 "\"$ssl_client_verify $ssl_client_s_dn $ssl_protocol $ssl_cipher "
                 "$ssl_server_name\"; }",
                 ca_file, verify, more),
        0);
    site.nginx = test_nginx_start(text);
    free(ca_pem);
    free(key_pem);
    free(client_pem);
    free(middle_pem);
    free(chain);
    free(ca_file);
    free(text);
    return site;
}

static void site_end(struct site *site)
{
    test_nginx_stop(site->nginx);
    test_dir_remove(site->dir);
    free(site->chain_file);
    free(site->key_file);
    test_cert_free(site->client);
    test_cert_free(site->middle);
    test_cert_free(site->ca);
}

/* who asks nginx, with `options`, who it thinks we are. Owns: good until the next call. */
static const char *who(struct site *site, struct urlpool_tls_options options, int *out_status,
                       struct urlpool_error *err)
{
    static char text[512];
    struct urlpool_manager_options managing = {.retries = {.total = URLPOOL_NONE}};
    struct urlpool_response *response = NULL;
    struct urlpool_manager *manager;
    char url[64];

    text[0] = '\0';
    *out_status = 0;
    options.ca_data = test_nginx_ca(site->nginx);
    options.ca_data_len = strlen(test_nginx_ca(site->nginx));
    managing.tls = urlpool_tls_new(&options, err);
    if (managing.tls == NULL) {
        return text;
    }
    manager = urlpool_manager_new(&managing, err);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/who",
                   test_nginx_port(site->nginx, true));
    response = urlpool_request(manager, "GET", url, NULL, err);
    if (response != NULL) {
        *out_status = response->status;
        (void)snprintf(text, sizeof(text), "%.*s", (int)response->data_len,
                       (const char *)response->data);
    }
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    urlpool_tls_unref(managing.tls);
    return text;
}

START_TEST(client__is_known_by_its_certificate)
{
    static const enum urlpool_tls_version versions[] = {URLPOOL_TLS_1_2, URLPOOL_TLS_1_3};

    for (int i = 0; i < 2; i++) {
        struct site site = site_begin("on", "");
        const struct urlpool_tls_options options = {.version_min = versions[i],
                                                    .version_max = versions[i],
                                                    .cert_file = site.chain_file,
                                                    .key_file = site.key_file};
        struct urlpool_error err = {0};
        const char *text;
        int status;

        text = who(&site, options, &status, &err);
        ck_assert_msg(status == 200, "%s", err.message);
        ck_assert_msg(strncmp(text, "SUCCESS CN=somebody ", 20) == 0, "%s", text);
        (void)who(&site, (struct urlpool_tls_options){.version_min = versions[i]}, &status, &err);
        ck_assert_int_eq(status, 400); /* nginx says so by HTTP */
        site_end(&site);
    }
}
END_TEST

/* openssl runs it in `dir`; false when the machine has none. */
static bool openssl(const char *dir, const char *arguments)
{
    char command[512];

    if (system("command -v openssl >/dev/null 2>&1") != 0) {
        return false;
    }
    (void)snprintf(command, sizeof(command), "cd %s && openssl %s >/dev/null 2>&1", dir, arguments);
    ck_assert_msg(system(command) == 0, "%s", command);
    return true;
}

START_TEST(client__opens_the_keys_that_openssl_encrypts)
{
    static const char *const ways[] = {
        "pkcs8 -topk8 -v2 aes-256-cbc -in key.pem -passout 'pass:" PASSWORD "' -out other.pem",
        "pkcs8 -topk8 -outform DER -in key.pem -passout 'pass:" PASSWORD "' -out other.pem",
        "ec -aes128 -in key.pem -passout 'pass:" PASSWORD "' -out other.pem",
        "ec -in key.pem -out other.pem",
        "ec -outform DER -in key.pem -out other.pem",
    };
    struct site site = site_begin("on", "");
    char other[128];

    (void)snprintf(other, sizeof(other), "%s/other.pem", site.dir);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        const bool is_encrypted = strstr(ways[i], "passout") != NULL;
        struct urlpool_tls_options options = {
            .cert_file = site.chain_file, .key_file = other, .key_password = PASSWORD};
        struct urlpool_error err = {0};
        int status;

        if (!openssl(site.dir, ways[i])) {
            break;
        }
        (void)who(&site, options, &status, &err);
        ck_assert_msg(status == 200, "%s: %s", ways[i], err.message);
        options.key_password = "another";
        (void)who(&site, options, &status, &err);
        ck_assert_int_eq(status, is_encrypted ? 0 : 200);
        ck_assert_int_eq(err.code, is_encrypted ? URLPOOL_E_TLS_KEY_PASSWORD : URLPOOL_OK);
    }
    site_end(&site);
}
END_TEST

/* OpenSSL knows it. */
START_TEST(client__says_that_it_knows_a_cipher_not)
{
    struct site site = site_begin("on", "");
    char other[128];
    struct urlpool_error err = {0};
    int status;

    (void)snprintf(other, sizeof(other), "%s/other.pem", site.dir);
    if (openssl(site.dir, "pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA512 -in key.pem -passout "
                          "'pass:" PASSWORD "' -out other.pem")) {
        (void)who(&site,
                  (struct urlpool_tls_options){
                      .cert_file = site.chain_file, .key_file = other, .key_password = PASSWORD},
                  &status, &err);
        if (tls_kit_is_openssl()) {
            ck_assert_msg(status == 200, "%s", err.message);
        } else {
            ck_assert_int_eq(err.code, URLPOOL_E_TLS_CLIENT_CERT);
            ck_assert_ptr_nonnull(strstr(err.message, "in a way not supported"));
        }
    }
    site_end(&site);
}
END_TEST

START_TEST(version__is_agreed_on_or_refused)
{
    static const struct {
        const char *protocols;
        enum urlpool_tls_version version_min, version_max;
        const char *spoken; /* NULL: none */
    } rows[] = {
        {"ssl_protocols TLSv1.2;",         0,               0,               "TLSv1.2"},
        {"ssl_protocols TLSv1.2 TLSv1.3;", 0,               0,               "TLSv1.3"},
        {"ssl_protocols TLSv1.2 TLSv1.3;", 0,               URLPOOL_TLS_1_2, "TLSv1.2"},
        {"ssl_protocols TLSv1.2;",         URLPOOL_TLS_1_3, 0,               NULL     },
        {"ssl_protocols TLSv1.3;",         0,               URLPOOL_TLS_1_2, NULL     },
        {"ssl_protocols TLSv1 TLSv1.1;",   0,               0,               NULL     },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct site site = site_begin("off", rows[i].protocols);
        struct urlpool_error err = {0};
        const char *text;
        int status;

        text = who(&site,
                   (struct urlpool_tls_options){.version_min = rows[i].version_min,
                                                .version_max = rows[i].version_max},
                   &status, &err);
        ck_assert_int_eq(status, rows[i].spoken != NULL ? 200 : 0);
        if (rows[i].spoken != NULL) {
            ck_assert_msg(strstr(text, rows[i].spoken) != NULL, "%s", text);
        } else {
            ck_assert_int_eq(err.code, URLPOOL_E_TLS);
            ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
        }
        site_end(&site);
    }
}
END_TEST

START_TEST(ciphers__and_names_are_as_asked_for)
{
    struct site site = site_begin("off", "");
    struct urlpool_error err = {0};
    const char *text;
    int status;

    text = who(&site,
               (struct urlpool_tls_options){.version_max = URLPOOL_TLS_1_2,
                                            .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305",
                                            .server_name = "localhost"},
               &status, &err);
    ck_assert_msg(strstr(text, "TLSv1.2 ECDHE-ECDSA-CHACHA20-POLY1305 localhost") != NULL, "%s %s",
                  text, err.message);
    text = who(&site,
               (struct urlpool_tls_options){.server_name = "elsewhere.example",
                                            .assert_hostname = "localhost"},
               &status, &err);
    ck_assert_msg(strstr(text, " elsewhere.example") != NULL, "%s %s", text, err.message);
    site_end(&site);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        client__is_known_by_its_certificate, client__opens_the_keys_that_openssl_encrypts,
        client__says_that_it_knows_a_cipher_not, version__is_agreed_on_or_refused,
        ciphers__and_names_are_as_asked_for};

    if (!test_nginx_exists()) {
        return TEST_SKIPPED;
    }
    return run_tests("nginx tls", tests, sizeof(tests) / sizeof(tests[0]));
}
