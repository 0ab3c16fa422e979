/* pooled-fetch over HTTPS: whom it trusts. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fetch_site.h"
#include "support/https_scene.h"
#include "support/run_tests.h"
#include "support/tls_server.h"

static struct https_scene scene;
static struct site site;

static void begin(const struct test_cert_options *leaf)
{
    char *pem;

    scene = https_scene_begin(site_answer, NULL, leaf);
    site = (struct site){.server = scene.server, .dir = test_dir()};
    pem = test_cert_pem(scene.ca);
    free(test_file(site.dir, "ca.pem", pem));
    free(pem);
}

static void end(void)
{
    test_dir_remove(site.dir);
    https_scene_end(&scene);
}

/* url is "https://127.0.0.1:PORT" and a path. */
static const char *url(const char *path)
{
    static char text[128];

    (void)snprintf(text, sizeof(text), "https://127.0.0.1:%d%s", test_server_port(scene.server),
                   path);
    return text;
}

START_TEST(fetch__trusts_a_ca_file_and_nobody_else)
{
    begin(NULL);
    ck_assert_ran(FETCH(&site, "--cacert", "ca.pem", url("/hello")), 0, "hello\n");
    ck_assert_refused(FETCH(&site, url("/hello")), 60, "(60) https://127.0.0.1:");
    ck_assert_ran(FETCH(&site, "-k", url("/hello")), 0, "hello\n");
    ck_assert_refused(FETCH(&site, "--cacert", "missing.pem", url("/hello")), 77, "missing.pem");
    end();
}
END_TEST

START_TEST(fetch__trusts_a_hashed_directory)
{
    char name[16];
    char *pem;

    begin(NULL);
    ck_assert_refused(FETCH(&site, "--capath", ".", url("/hello")), 77, "no trusted roots");
    test_cert_hash_name(scene.ca, name);
    pem = test_cert_pem(scene.ca);
    free(test_file(site.dir, name, pem));
    free(pem);
    ck_assert_ran(FETCH(&site, "--capath", ".", url("/hello")), 0, "hello\n");
    end();
}
END_TEST

START_TEST(fetch__refuses_a_certificate_for_another_name)
{
    static const struct test_name names[] = {TEST_DNS("other.example")};
    const struct test_cert_options leaf = {.names = names, .num_names = 1};

    begin(&leaf);
    ck_assert_refused(FETCH(&site, "--cacert", "ca.pem", url("/hello")), 60, "other.example");
    ck_assert_ran(FETCH(&site, "-k", url("/hello")), 0, "hello\n");
    end();
}
END_TEST

START_TEST(fetch__refuses_an_expired_certificate)
{
    static const struct test_name names[] = {TEST_IP("\x7f\x00\x00\x01")};
    const struct test_cert_options leaf = {
        .names = names, .num_names = 1, .begin_s = -7200, .end_s = -3600};

    begin(&leaf);
    ck_assert_refused(FETCH(&site, "--cacert", "ca.pem", url("/hello")), 60, "expired");
    end();
}
END_TEST

START_TEST(fetch__a_server_without_tls_is_a_handshake_error)
{
    const struct tls_server_options plain = {.manner = TLS_SERVER_SPEAKS_HTTP};
    struct tls_server *server = tls_server_start(&plain);
    struct ran *ran;
    char text[64];

    begin(NULL);
    (void)snprintf(text, sizeof(text), "https://127.0.0.1:%d/", tls_server_port(server));
    ck_assert_refused(FETCH(&site, "-k", text), 35, "(35)");
    ran = FETCH(&site, "-ks", "--report=json", "--out-null", text);
    ck_assert_ptr_nonnull(strstr(ran->out, "\"dial_failures\": 1,")); /* no retry unasked */
    ran_free(ran);
    end();
    tls_server_stop(server);
}
END_TEST

START_TEST(fetch__jsonl_says_how_a_transfer_was_secured)
{
    struct ran *ran;

    begin(NULL);
    ran = FETCH(&site, "-s", "--jsonl", "--out-null", "--cacert", "ca.pem", url("/hello"));
    ck_assert_ptr_nonnull(strstr(ran->out, "\"tls\":{\"version\":\"TLSv1.3\",\"cipher\":\"TLS_"));
    ck_assert_ptr_nonnull(strstr(ran->out, "\"verified\":true},"));
    ran_free(ran);
    ran = FETCH(&site, "-s", "--jsonl", "--out-null", "-k", url("/hello"));
    ck_assert_ptr_nonnull(strstr(ran->out, "\"verified\":false},"));
    ran_free(ran);
    end();
}
END_TEST

START_TEST(fetch__reports_the_handshake)
{
    struct ran *ran;
    double connected = 0;
    double secured = 0;

    begin(NULL);
    ran = FETCH(&site, "-v", "--cacert=ca.pem", "--out-null", "-w",
                "%{time_connect} %{time_appconnect} %{scheme}", url("/hello"));
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_int_eq(sscanf(ran->out, "%lf %lf https", &connected, &secured), 2);
    ck_assert_double_gt(secured, connected);
    ck_assert_ptr_nonnull(strstr(ran->err, "* TLS is up: TLSv1.3 "));
    ran_free(ran);
    end();
}
END_TEST

START_TEST(fetch__follows_from_https_to_http_as_curl_does)
{
    struct test_server *plain = test_server_start(site_answer, NULL, NULL);
    char path[64];

    begin(NULL);
    (void)snprintf(path, sizeof(path), "/to/http://127.0.0.1:%d/hello2", test_server_port(plain));
    ck_assert_ran(FETCH(&site, "-L", "--cacert", "ca.pem", url(path)), 0, "hello again\n");
    end();
    test_server_stop(plain);
}
END_TEST

START_TEST(fetch__redirects_lead_to_allowed_schemes_only)
{
    struct test_server *plain = test_server_start(site_answer, NULL, NULL);
    char down[64];
    char up[128];
    char plain_url[256];

    begin(NULL);
    (void)snprintf(down, sizeof(down), "/to/http://127.0.0.1:%d/hello", test_server_port(plain));
    (void)snprintf(up, sizeof(up), "/to/%s", url("/hello"));
    (void)test_server_url(plain, up, plain_url, sizeof(plain_url));
    ck_assert_ran(FETCH(&site, "-L", "--proto-redir", "=http", "-k", url(down)), 0, "hello\n");
    ck_assert_refused(FETCH(&site, "-L", "--proto-redir", "=https", "-k", url(down)), 1, "to http");
    ck_assert_refused(FETCH(&site, "-L", "--proto-redir", "-http", "-k", url(down)), 1, "to http");
    ck_assert_ran(FETCH(&site, "-L", "--proto-redir", "=https", "-k", plain_url), 0, "hello\n");
    ck_assert_ran(FETCH(&site, "-L", "--proto-redir", "-all,+https", "-k", plain_url), 0,
                  "hello\n");
    ck_assert_refused(FETCH(&site, "-L", "--proto-redir", "-https", "-k", plain_url), 1,
                      "to https");
    ck_assert_ran(FETCH(&site, "-L", "--proto-redir", "=http,https", "-k", plain_url), 0,
                  "hello\n");
    end();
    test_server_stop(plain);
}
END_TEST

RUN_TESTS("fetch https", fetch__trusts_a_ca_file_and_nobody_else, fetch__trusts_a_hashed_directory,
          fetch__refuses_a_certificate_for_another_name, fetch__refuses_an_expired_certificate,
          fetch__a_server_without_tls_is_a_handshake_error,
          fetch__jsonl_says_how_a_transfer_was_secured, fetch__reports_the_handshake,
          fetch__follows_from_https_to_http_as_curl_does,
          fetch__redirects_lead_to_allowed_schemes_only)
