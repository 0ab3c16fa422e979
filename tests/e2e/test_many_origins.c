/* Ten thousand origins, visited once each: what is kept of them is bounded by time and by number,
 * not by how many there were. */

#include <stdio.h>

#include "base/clock.h"
#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define S INT64_C(1000000000)

/* visit fetches from origin `number`, a second after the one before. */
static void visit(struct urlpool_manager *manager, const struct test_server *server, int number)
{
    struct urlpool_response *response;
    char url[64];

    urlp_clock_fake_advance(1 * S);
    (void)snprintf(url, sizeof(url), "http://o%d.example:%d/", number, test_server_port(server));
    response = urlpool_request(manager, "GET", url, NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    urlpool_response_free(response);
}

/* visit_all goes to all origins, and holds the heap half-way against the heap at the end. */
static void visit_all(const struct urlpool_manager_options *options, int num, uint64_t pools_max)
{
    struct test_server *server;
    struct urlpool_manager *manager;
    struct urlpool_stats stats;
    int64_t half_way = 0;
    unsigned num_fds;

    urlp_clock_fake_begin(1000 * S);
    failing_allocator_install();
    num_fds = loopback_num_fds();
    server = test_server_start(test_answer_hello, NULL, NULL);
    manager = test_manager(options);
    for (int i = 0; i < num; i++) {
        visit(manager, server, i);
        if (i == num / 2) {
            half_way = failing_allocator_num_live();
        }
    }
    stats = test_stats(manager);
    ck_assert_uint_le(stats.pools, pools_max);
    ck_assert_uint_le(stats.idle, 56); /* idle_ms are 55 s */
    ck_assert_int_le(failing_allocator_num_live(), half_way + 4);
    (void)urlpool_manager_close_idle(manager);
    urlp_clock_fake_advance(601 * S);
    (void)urlpool_manager_maintain(manager);
    ck_assert_uint_eq(test_stats(manager).pools, 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    urlp_clock_fake_end();
}

static const char *const anybody[] = {"*:*:127.0.0.1", NULL};

START_TEST(origins__ten_thousand_leave_no_memory_behind)
{
    /* as many pools as one likes: only those of the last ten minutes stay */
    visit_all(
        &(struct urlpool_manager_options){.num_pools = 1000000, .network = {.answers = anybody}},
        10000, 601);
}
END_TEST

START_TEST(origins__a_thousand_are_no_more_than_num_pools)
{
    visit_all(&(struct urlpool_manager_options){.network = {.answers = anybody}}, 1000, 64);
}
END_TEST

RUN_TESTS("many origins", origins__ten_thousand_leave_no_memory_behind,
          origins__a_thousand_are_no_more_than_num_pools)
