/* Many threads, one manager, a real server: the reason why this library exists. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/urlpool.h"

#include "support/nginx.h"
#include "support/run_tests.h"

enum {
    NUM_THREADS = 16,
    MAXSIZE = 16
};

/* What each thread is to do. */
struct job {
    struct urlpool_manager *manager;
    char url[128];
    unsigned num_requests;
    _Atomic unsigned num_right;
    _Atomic unsigned num_failed;
};

static void *work(void *arg)
{
    struct job *job = arg;

    for (unsigned i = 0; i < job->num_requests; i++) {
        struct urlpool_error err;
        struct urlpool_response *response =
            urlpool_request(job->manager, "GET", job->url, NULL, &err);

        if (response == NULL) {
            fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
            atomic_fetch_add(&job->num_failed, 1);
        } else if (response->status == 200 && response->data_len == 11 &&
                   memcmp(response->data, "hello nginx", 12) == 0) {
            atomic_fetch_add(&job->num_right, 1);
        }
        urlpool_response_free(response);
    }
    return NULL;
}

/* requests_per_thread is 6 250, so that there are 100 000 in all; less where each costs much more.
 */
static unsigned requests_per_thread(void)
{
    const char *asked = getenv("URLPOOL_TEST_REQUESTS");

    return asked != NULL ? (unsigned)atoi(asked) : 6250;
}

static struct urlpool_manager *manager_for(const struct test_nginx *nginx)
{
    struct urlpool_error err;
    const struct urlpool_tls_options trust = {.ca_data = test_nginx_ca(nginx),
                                              .ca_data_len = strlen(test_nginx_ca(nginx))};
    struct urlpool_tls *tls = urlpool_tls_new(&trust, &err);
    const struct urlpool_manager_options options = {.maxsize = MAXSIZE, .block = true, .tls = tls};
    struct urlpool_manager *manager = urlpool_manager_new(&options, &err);

    ck_assert_msg(tls != NULL && manager != NULL, "%s", err.message);
    urlpool_tls_unref(tls);
    return manager;
}

/* hammer lets sixteen threads loose on one manager and checks what came of it. */
static void hammer(bool https)
{
    struct test_nginx *nginx = test_nginx_start("location = /status { stub_status; }");
    struct job job = {.manager = manager_for(nginx), .num_requests = requests_per_thread()};
    struct urlpool_stats stats;
    struct urlpool_response *response;
    struct urlpool_error err;
    pthread_t threads[NUM_THREADS];
    char url[128];
    unsigned accepts = 0;

    snprintf(job.url, sizeof(job.url), "http%s://127.0.0.1:%d/small", https ? "s" : "",
             test_nginx_port(nginx, https));
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &job), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    urlpool_manager_stats(job.manager, &stats, sizeof(stats));
    ck_assert_uint_eq(job.num_failed, 0);
    ck_assert_uint_eq(job.num_right, NUM_THREADS * job.num_requests);
    ck_assert_uint_le(stats.peak_open, MAXSIZE);
    ck_assert_uint_le(stats.opened, MAXSIZE);
    ck_assert_uint_eq(stats.opened + stats.reused, NUM_THREADS * job.num_requests);
    ck_assert_uint_eq(stats.leased, 0);
    ck_assert_uint_eq(stats.idle, stats.open);

    /* nginx says the same; two of its connections were the start's own looks */
    snprintf(url, sizeof(url), "http%s://127.0.0.1:%d/status", https ? "s" : "",
             test_nginx_port(nginx, https));
    response = urlpool_request(job.manager, "GET", url, NULL, &err);
    ck_assert_msg(response != NULL, "%s", err.message);
    ck_assert_int_eq(sscanf((const char *)response->data, "%*[^\n]\n%*[^\n]\n %u", &accepts), 1);
    ck_assert_uint_le(accepts, MAXSIZE + 4);
    urlpool_response_free(response);
    urlpool_manager_free(job.manager);
    test_nginx_stop(nginx);
}

START_TEST(nginx__sixteen_threads_share_sixteen_connections_over_http)
{
    hammer(false);
}
END_TEST

START_TEST(nginx__sixteen_threads_share_sixteen_connections_over_https)
{
    hammer(true);
}
END_TEST

START_TEST(nginx__serves_a_big_body_a_head_and_a_conditional_answer)
{
    struct test_nginx *nginx = test_nginx_start(NULL);
    struct urlpool_manager *manager = manager_for(nginx);

    for (int https = 0; https <= 1; https++) {
        struct urlpool_error err;
        char url[128];
        struct urlpool_response *response;
        struct urlpool_headers *headers = urlpool_headers_new(&err);
        const struct urlpool_request_options options = {.headers = headers};

        snprintf(url, sizeof(url), "http%s://localhost:%d/big", https ? "s" : "",
                 test_nginx_port(nginx, https));
        response = urlpool_request(manager, "GET", url, NULL, &err);
        ck_assert_msg(response != NULL, "%s", err.message);
        ck_assert_uint_eq(response->data_len, 300000);
        ck_assert_int_eq(urlpool_headers_add(headers, "If-None-Match",
                                             urlpool_response_header(response, "ETag"), &err),
                         URLPOOL_OK);
        urlpool_response_free(response);
        response = urlpool_request(manager, "HEAD", url, NULL, &err);
        ck_assert_msg(response != NULL, "%s", err.message);
        ck_assert_str_eq(urlpool_response_header(response, "Content-Length"), "300000");
        ck_assert_uint_eq(response->data_len, 0);
        urlpool_response_free(response);
        response = urlpool_request(manager, "GET", url, &options, &err);
        ck_assert_msg(response != NULL, "%s", err.message);
        ck_assert_int_eq(response->status, 304);
        ck_assert(response->connection_reused);
        urlpool_response_free(response);
        urlpool_headers_free(headers);
    }
    urlpool_manager_free(manager);
    test_nginx_stop(nginx);
}
END_TEST

START_TEST(nginx__uses_gzip_as_asked)
{
    struct test_nginx *nginx =
        test_nginx_start("gzip on; gzip_types text/plain; gzip_min_length 1;");
    struct urlpool_manager *manager = manager_for(nginx);
    const struct urlpool_request_options as_sent = {.keep_encoded = true};
    struct urlpool_error err;
    struct urlpool_stats before;
    struct urlpool_stats after;
    struct urlpool_response *response;
    char url[128];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/big", test_nginx_port(nginx, false));
    urlpool_manager_stats(manager, &before, sizeof(before));
    response = urlpool_request(manager, "GET", url, NULL, &err);
    ck_assert_msg(response != NULL, "%s", err.message);
    ck_assert_uint_eq(response->data_len, 300000);
    ck_assert_int_eq(response->data[299999], 'b');
    urlpool_response_free(response);
    urlpool_manager_stats(manager, &after, sizeof(after));
    ck_assert_uint_lt(after.bytes_received - before.bytes_received, 30000);
    response = urlpool_request(manager, "GET", url, &as_sent, &err);
    ck_assert_msg(response != NULL, "%s", err.message);
    ck_assert_ptr_null(urlpool_response_header(response, "Content-Encoding"));
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_nginx_stop(nginx);
}
END_TEST

int main(void)
{
    static const TTest *tests[4];

    if (!test_nginx_exists()) {
        fprintf(stderr, "skipped: no nginx\n");
        return TEST_SKIPPED;
    }
    tests[0] = nginx__sixteen_threads_share_sixteen_connections_over_http;
    tests[1] = nginx__sixteen_threads_share_sixteen_connections_over_https;
    tests[2] = nginx__serves_a_big_body_a_head_and_a_conditional_answer;
    tests[3] = nginx__uses_gzip_as_asked;
    return run_tests("nginx", tests, sizeof(tests) / sizeof(tests[0]));
}
