/* What a manager shows to a monitoring system: the figures it has, whole and well formed. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/program.h"
#include "support/requests.h"
#include "support/run_tests.h"

/* page_of writes a page and holds it against the rules of its format. */
static char *page_of(struct urlpool_manager *manager, enum urlpool_metrics_format format)
{
    char *page = urlpool_manager_metrics(manager, format, &test_err);
    const struct program_options options = {.input = page};
    const char *const args[] = {URLP_CHECK_OPENMETRICS,
                                format == URLPOOL_METRICS_PROMETHEUS ? "--prometheus" : NULL, NULL};
    struct ran *ran;

    ck_assert_msg(page != NULL, "%s", test_err.message);
    ran = program_run(args, &options);
    ck_assert_msg(ran->exit_code == 0, "%s%s", ran->out, ran->err);
    ran_free(ran);
    return page;
}

/* value_in is the value of a sample; -1: it is not there. */
static double value_in(const char *page, const char *sample)
{
    size_t len = strlen(sample);

    for (const char *line = page; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        if (strncmp(line, sample, len) == 0 && line[len] == ' ') {
            return strtod(line + len + 1, NULL);
        }
    }
    return -1;
}

/* value_of is the value of a sample with the labels of `server`, and `more` behind them. */
static double value_of(const char *page, const char *name, struct test_server *server,
                       const char *more)
{
    char sample[256];

    (void)snprintf(sample, sizeof(sample),
                   "%s{server_address=\"127.0.0.1\",server_port=\"%d\",url_scheme=\"http\"%s}",
                   name, test_server_port(server), more);
    return value_in(page, sample);
}

START_TEST(page__has_the_figures_of_the_stats)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *held;
    struct urlpool_stats stats;

    test_get(manager, server);
    test_get(manager, server);
    held = test_fetch(manager, "GET", server, "/", &options);
    test_get(manager, server);
    stats = test_stats(manager);
    for (int format = 0; format < 2; format++) {
        char *page = page_of(manager, (enum urlpool_metrics_format)format);

        ck_assert(value_of(page, "http_client_open_connections", server,
                           ",http_connection_state=\"active\"") == 1);
        ck_assert(value_of(page, "http_client_open_connections", server,
                           ",http_connection_state=\"idle\"") == 1);
        ck_assert(value_of(page, "http_client_active_requests", server, "") == 1);
        ck_assert(value_of(page, "http_client_request_duration_seconds_count", server, "") == 3);
        ck_assert(value_of(page, "http_client_connection_duration_seconds_count", server, "") == 0);
        ck_assert(value_of(page, "http_client_request_time_in_queue_seconds_count", server, "") ==
                  (double)stats.waits);
        ck_assert(value_of(page, "urlpool_pool_requests_total", server, "") == 4);
        ck_assert(value_in(page, "urlpool_requests_total") == 4);
        ck_assert(value_in(page, "urlpool_sent_bytes_total") == (double)stats.bytes_sent);
        ck_assert(value_of(page, "urlpool_pool_received_bytes_total", server, "") ==
                  (double)stats.bytes_received);
        ck_assert(value_in(page, "urlpool_opened_connections_total") == 2);
        ck_assert(value_in(page, "urlpool_reused_connections_total") == 2);
        ck_assert(value_in(page, "urlpool_pools") == 1);
        urlpool_string_free(page);
    }
    urlpool_response_free(held);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(page__shows_how_long_connections_lasted_and_why_they_died)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    char *page;

    test_get(manager, server);
    ck_assert_uint_eq(urlpool_manager_close_idle(manager), 1);
    page = page_of(manager, URLPOOL_METRICS_PROMETHEUS);
    ck_assert(value_of(page, "http_client_connection_duration_seconds_count", server, "") == 1);
    ck_assert(value_of(page, "http_client_connection_duration_seconds_bucket", server,
                       ",le=\"300.0\"") == 1);
    ck_assert(value_of(page, "urlpool_pool_closed_connections_total", server,
                       ",reason=\"cleared\"") == 1);
    ck_assert(value_in(page, "urlpool_closed_connections_total{reason=\"cleared\"}") == 1);
    ck_assert(value_in(page, "urlpool_closed_connections_total{reason=\"by peer\"}") == 0);
    urlpool_string_free(page);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(page__is_bounded_by_num_pools_and_never_goes_down)
{
    enum {
        NUM_SERVERS = 4
    };
    const struct urlpool_manager_options options = {.num_pools = 2};
    struct urlpool_manager *manager = test_manager(&options);
    struct test_server *servers[NUM_SERVERS];
    int num_shown = 0;
    char *page;

    for (int i = 0; i < NUM_SERVERS; i++) {
        servers[i] = test_server_start(test_answer_hello, NULL, NULL);
        test_get(manager, servers[i]);
        page = page_of(manager, URLPOOL_METRICS_OPENMETRICS);
        ck_assert(value_in(page, "urlpool_requests_total") == i + 1);
        ck_assert(value_in(page, "urlpool_opened_connections_total") == i + 1);
        urlpool_string_free(page);
    }
    page = page_of(manager, URLPOOL_METRICS_PROMETHEUS);
    for (int i = 0; i < NUM_SERVERS; i++) {
        num_shown += value_of(page, "urlpool_pool_requests_total", servers[i], "") == 1 ? 1 : 0;
    }
    ck_assert_int_eq(num_shown, 2);
    ck_assert(value_in(page, "urlpool_pools_retired_total") == 2);
    urlpool_string_free(page);
    urlpool_manager_free(manager);
    for (int i = 0; i < NUM_SERVERS; i++) {
        test_server_stop(servers[i]);
    }
}
END_TEST

START_TEST(page__counts_what_got_to_no_pool_and_what_failed)
{
    struct urlpool_manager *manager = test_manager(NULL);
    char *page;

    ck_assert_ptr_null(urlpool_request(manager, "GET", "no url", NULL, &test_err));
    page = page_of(manager, URLPOOL_METRICS_PROMETHEUS);
    ck_assert(value_in(page, "urlpool_requests_total") == 1);
    ck_assert(value_in(page, "urlpool_request_failures_total") == 1);
    urlpool_string_free(page);
    urlpool_manager_free(manager);
}
END_TEST

START_TEST(page__merges_pools_that_no_label_tells_apart)
{
    struct test_server *proxy = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager;
    struct urlpool_manager_options options = {0};
    struct urlpool_pool *own;
    struct urlpool_response *response;
    char url[128];
    char *page;

    options.proxy.url = test_server_url(proxy, "/", url, sizeof(url));
    manager = test_manager(&options);
    response = urlpool_request(manager, "GET", "http://one.test/", NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    urlpool_response_free(response);
    own = urlpool_manager_pool_for_url(manager, url, &test_err); /* named like the shared one */
    ck_assert_ptr_nonnull(own);
    page = page_of(manager, URLPOOL_METRICS_OPENMETRICS); /* no sample comes twice */
    ck_assert(value_in(page, "urlpool_pools") == 2);
    ck_assert(value_of(page, "urlpool_pool_requests_total", proxy, "") == 1);
    urlpool_string_free(page);
    urlpool_pool_unref(own);
    urlpool_manager_free(manager);
    test_server_stop(proxy);
}
END_TEST

START_TEST(what_is_no_manager_or_no_format__is_refused)
{
    struct urlpool_manager *manager = test_manager(NULL);

    ck_assert_ptr_null(urlpool_manager_metrics(NULL, URLPOOL_METRICS_PROMETHEUS, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_manager_metrics(manager, (enum urlpool_metrics_format)2, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_metrics_content_type((enum urlpool_metrics_format)2));
    ck_assert_ptr_null(urlpool_metrics_content_type((enum urlpool_metrics_format) - 1));
    ck_assert_str_eq(urlpool_metrics_content_type(URLPOOL_METRICS_PROMETHEUS),
                     "text/plain; version=0.0.4; charset=utf-8");
    ck_assert_str_eq(urlpool_metrics_content_type(URLPOOL_METRICS_OPENMETRICS),
                     "application/openmetrics-text; version=1.0.0; charset=utf-8");
    urlpool_manager_free(manager);
}
END_TEST

RUN_TESTS("metrics", page__has_the_figures_of_the_stats,
          page__shows_how_long_connections_lasted_and_why_they_died,
          page__is_bounded_by_num_pools_and_never_goes_down,
          page__counts_what_got_to_no_pool_and_what_failed,
          page__merges_pools_that_no_label_tells_apart, what_is_no_manager_or_no_format__is_refused)
