/* TLS sessions with OpenSSL at the other end, alone and in HAProxy: resumed from connection to
 * connection and by all threads, and refused by a server that was started anew. */

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/daemon.h"
#include "support/program.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define OPENSSL "/usr/bin/openssl"
#define HAPROXY "/usr/sbin/haproxy"

enum {
    NUM_THREADS = 8,
    NUM_REQUESTS = 10 /* of each */
};

/* struct site is a server with a certificate for 127.0.0.1, on a port that it comes back to. */
struct site {
    struct test_cert *ca, *server;
    struct program *program;
    struct urlpool_manager *manager;
    char *dir, *pem_file;
    char url[64];
    int port;
    const char *version; /* of s_server; NULL: HAProxy, any */
};

static void start_openssl(struct site *site)
{
    char port[16];
    const char *args[] = {OPENSSL, "s_server",     "-quiet", "-www",         "-accept",     port,
                          "-cert", site->pem_file, "-key",   site->pem_file, site->version, NULL};

    (void)snprintf(port, sizeof(port), "%d", site->port);
    site->program = program_start(args, &(struct program_options){0});
}

static void start_haproxy(struct site *site)
{
    const char *args[] = {HAPROXY, "-db", "-f", NULL, NULL};
    char *conf = NULL;
    char *conf_file;

    ck_assert_int_gt(
        asprintf(&conf,
                 "global\n  maxconn 100\n"
                 "defaults\n  mode http\n  timeout client 10s\n  timeout server 10s\n"
                 "  timeout connect 10s\n"
                 "frontend tests\n  bind 127.0.0.1:%d ssl crt %s\n"
                 "  http-request return status 200 content-type text/plain string hi\n",
                 site->port, site->pem_file),
        0);
    conf_file = test_file(site->dir, "haproxy.cfg", conf);
    args[3] = conf_file;
    site->program = program_start(args, &(struct program_options){0});
    free(conf);
    free(conf_file);
}

static void start(struct site *site)
{
    if (site->version != NULL) {
        start_openssl(site);
    } else {
        start_haproxy(site);
    }
    ck_assert(test_daemon_came_up(program_pid(site->program), &site->port, 1));
}

static void stop(struct site *site)
{
    program_signal(site->program, SIGKILL);
    ran_free(program_wait(site->program));
}

static struct site site_begin(const char *version)
{
    static const struct test_name names[] = {TEST_IP("\x7f\x00\x00\x01")};
    struct site site = {.ca = test_ca("us"),
                        .dir = test_dir(),
                        .port = test_daemon_free_port(),
                        .version = version};
    struct urlpool_manager_options options = {.maxsize = NUM_THREADS};
    char *ca_pem = test_cert_pem(site.ca);
    char *cert_pem;
    char *key_pem;
    char *both = NULL;

    site.server =
        test_cert_new(&(struct test_cert_options){.names = names, .num_names = 1}, site.ca);
    cert_pem = test_cert_pem(site.server);
    key_pem = test_cert_key_pem(site.server);
    ck_assert_int_gt(asprintf(&both, "%s%s", cert_pem, key_pem), 0);
    site.pem_file = test_file(site.dir, "server.pem", both);
    options.tls = urlpool_tls_new(
        &(struct urlpool_tls_options){.ca_data = ca_pem, .ca_data_len = strlen(ca_pem)}, &test_err);
    ck_assert_ptr_nonnull(options.tls);
    site.manager = test_manager(&options);
    urlpool_tls_unref(options.tls);
    (void)snprintf(site.url, sizeof(site.url), "https://127.0.0.1:%d/", site.port);
    free(ca_pem);
    free(cert_pem);
    free(key_pem);
    free(both);
    start(&site);
    return site;
}

static void site_end(struct site *site)
{
    urlpool_manager_free(site->manager);
    stop(site);
    test_dir_remove(site->dir);
    free(site->pem_file);
    test_cert_free(site->server);
    test_cert_free(site->ca);
}

/* get makes a request on a new connection. */
static void get(struct site *site)
{
    struct urlpool_response *response =
        urlpool_request(site->manager, "GET", site->url, NULL, &test_err);

    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(response->status, 200);
    urlpool_response_free(response);
    (void)urlpool_manager_close_idle(site->manager);
}

static void expect_counts(struct site *site, uint64_t full, uint64_t resumed, uint64_t refused)
{
    struct urlpool_stats stats = test_stats(site->manager);

    ck_assert_uint_eq(stats.tls_full, full);
    ck_assert_uint_eq(stats.tls_resumed, resumed);
    ck_assert_uint_eq(stats.tls_refused, refused);
}

static void resume_across_a_restart(const char *version)
{
    struct site site = site_begin(version);

    for (int i = 0; i < 4; i++) {
        get(&site);
    }
    expect_counts(&site, 1, 3, 0);
    stop(&site);
    start(&site); /* with other ticket keys */
    get(&site);
    expect_counts(&site, 2, 3, 1);
    ck_assert_uint_eq(test_stats(site.manager).failures, 0);
    get(&site);
    expect_counts(&site, 2, 4, 1);
    site_end(&site);
}

START_TEST(openssl__resumes_tls_1_3_and_refuses_after_a_restart)
{
    resume_across_a_restart("-tls1_3");
}
END_TEST

START_TEST(openssl__resumes_tls_1_2_and_refuses_after_a_restart)
{
    resume_across_a_restart("-tls1_2");
}
END_TEST

START_TEST(haproxy__resumes_and_refuses_after_a_restart)
{
    resume_across_a_restart(NULL);
}
END_TEST

static void *get_often(void *arg)
{
    struct site *site = arg;

    for (int i = 0; i < NUM_REQUESTS; i++) {
        struct urlpool_error err;
        struct urlpool_response *response =
            urlpool_request(site->manager, "GET", site->url, NULL, &err);

        ck_assert_msg(response != NULL, "%s", err.message);
        urlpool_response_free(response);
        (void)urlpool_manager_close_idle(site->manager);
    }
    return NULL;
}

START_TEST(haproxy__sessions_are_shared_by_all_threads)
{
    struct site site = site_begin(NULL);
    pthread_t threads[NUM_THREADS];
    struct urlpool_stats stats;

    get(&site);
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, get_often, &site), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    stats = test_stats(site.manager);
    ck_assert_uint_eq(stats.tls_full + stats.tls_resumed, stats.opened);
    ck_assert_uint_ge(stats.tls_resumed, 8 * stats.tls_full / 10); /* tickets are for one use */
    ck_assert_uint_eq(stats.tls_refused, 0);
    site_end(&site);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {openssl__resumes_tls_1_3_and_refuses_after_a_restart,
                                  openssl__resumes_tls_1_2_and_refuses_after_a_restart,
                                  haproxy__resumes_and_refuses_after_a_restart,
                                  haproxy__sessions_are_shared_by_all_threads};

    if (access(OPENSSL, X_OK) != 0 || access(HAPROXY, X_OK) != 0) {
        (void)fprintf(stderr, "skipped: no openssl, or no haproxy\n");
        return TEST_SKIPPED;
    }
    return run_tests("resumption peers", tests, sizeof(tests) / sizeof(tests[0]));
}
