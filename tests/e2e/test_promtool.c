/* docs/examples/metrics_server.c as its reader runs it, and its page as Prometheus' own promtool
 * reads it. */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/example.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define PROMTOOL "/usr/bin/promtool"

enum {
    TRIES = 500,
    PAUSE_MS = 10
};

/* struct site is the example, which has fetched something from `server`. */
struct site {
    struct test_server *server;
    struct program *example;
    struct urlpool_manager *manager;
    int port;
};

static void site_start(struct site *site)
{
    char port[16];
    char url[128];

    site->server = test_server_start(test_answer_hello, NULL, NULL);
    site->port = test_daemon_free_port();
    site->manager = test_manager(NULL);
    (void)snprintf(port, sizeof(port), "%d", site->port);
    test_server_url(site->server, "/", url, sizeof(url));
    site->example = EXAMPLE_START("metrics_server", port, url, url);
}

static void site_stop(struct site *site)
{
    struct ran *ran;
    char said[64];

    program_signal(site->example, SIGTERM);
    ran = program_wait(site->example);
    (void)snprintf(said, sizeof(said), "http://127.0.0.1:%d/metrics\n", site->port);
    ck_assert_str_eq(ran->out, said);
    ck_assert_str_eq(ran->err, "");
    ran_free(ran);
    urlpool_manager_free(site->manager);
    test_server_stop(site->server);
}

/* fetch asks the example for a page, as soon as it listens. */
static struct urlpool_response *fetch(const struct site *site, const char *path, const char *accept)
{
    const struct urlpool_retry once = TEST_ONE_TRY;
    struct urlpool_request_options options = {.retries = once};
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    struct urlpool_response *response = NULL;
    char url[128];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", site->port, path);
    ck_assert_int_eq(urlpool_headers_add(headers, "Accept", accept, &test_err), URLPOOL_OK);
    options.headers = headers;
    for (int i = 0; i < TRIES && response == NULL; i++) {
        response = urlpool_request(site->manager, "GET", url, &options, &test_err);
        if (response == NULL) {
            (void)poll(NULL, 0, PAUSE_MS);
        }
    }
    ck_assert_msg(response != NULL, "%s", test_err.message);
    urlpool_headers_free(headers);
    return response;
}

static void assert_checked(const char *const *args, const struct urlpool_response *page)
{
    const struct program_options options = {.input = (const char *)page->data};
    struct ran *ran = program_run(args, &options);

    ck_assert_msg(ran->exit_code == 0, "%s%s", ran->out, ran->err);
    ck_assert_str_eq(ran->out, "");
    ck_assert_str_eq(ran->err, ""); /* what promtool finds odd, too */
    ran_free(ran);
}

START_TEST(promtool__has_nothing_to_say_of_the_page)
{
    const char *const promtool[] = {PROMTOOL, "check", "metrics", NULL};
    struct site site;
    struct urlpool_response *page;

    site_start(&site);
    page = fetch(&site, "/metrics", "text/plain");
    ck_assert_str_eq(urlpool_response_header(page, "Content-Type"),
                     "text/plain; version=0.0.4; charset=utf-8");
    ck_assert_ptr_nonnull(strstr((const char *)page->data, "\nurlpool_requests_total 2\n"));
    assert_checked(promtool, page);
    urlpool_response_free(page);
    site_stop(&site);
}
END_TEST

START_TEST(openmetrics__is_served_to_who_asks_for_it)
{
    const char *const checker[] = {URLP_CHECK_OPENMETRICS, NULL};
    struct site site;
    struct urlpool_response *page;

    site_start(&site);
    page = fetch(&site, "/metrics", "application/openmetrics-text; version=1.0.0, text/plain");
    ck_assert_str_eq(urlpool_response_header(page, "Content-Type"),
                     "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_checked(checker, page);
    urlpool_response_free(page);
    page = fetch(&site, "/else", "*/*");
    ck_assert_int_eq(page->status, 404);
    urlpool_response_free(page);
    site_stop(&site);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {promtool__has_nothing_to_say_of_the_page,
                                  openmetrics__is_served_to_who_asks_for_it};

    if (access(PROMTOOL, X_OK) != 0) {
        (void)fprintf(stderr, "skipped: no promtool, which is in Debian's prometheus\n");
        return TEST_SKIPPED;
    }
    return run_tests("promtool", tests, sizeof(tests) / sizeof(tests[0]));
}
