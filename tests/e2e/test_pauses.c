/* Pauses between tries, by a clock that stands still but for them: back-off, Retry-After in all its
 * forms, and what ends a pause before its time. */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "support/count_of.h"
#include "support/requests.h"
#include "support/retry_scene.h"
#include "support/run_tests.h"

enum {
    NOW_S = 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
};

/* fetch makes a request with these retries; its status, or the negative code of its failure. */
static int fetch(struct retry_scene *scene, const struct urlpool_retry *retries)
{
    const struct urlpool_request_options options = {.retries = *retries};
    char url[128];
    struct urlpool_response *response =
        urlpool_request(scene->manager, "GET",
                        test_server_url(scene->server, "/", url, sizeof(url)), &options, &test_err);
    int status = response != NULL ? response->status : -(int)test_err.code;

    urlpool_response_free(response);
    return status;
}

START_TEST(backoff__doubles_from_the_second_retry_on)
{
    static const struct {
        int64_t factor_ms, max_ms;
        const char *script;
        int64_t at_ms[7];
    } cases[] = {
        {0,      0,                  "ccccc2",  {0}                            },
        {200,    0,                  "ccccc2",  {0, 0, 400, 1200, 2800, 6000}  },
        {200,    1000,               "ccccc2",  {0, 0, 400, 1200, 2200, 3200}  },
        {200,    URLPOOL_NONE,       "ccccc2",  {0}                            },
        {100000, 0,                  "ccc2",    {0, 0, 120000, 240000}         },
        {100000, URLPOOL_NO_TIMEOUT, "ccc2",    {0, 0, 200000, 600000}         },
 /* statuses and failures are one row; the free try on a stale connection is not of it */
        {100,    0,                  "5c5c2",   {0, 0, 0, 200, 600}            },
 /* a redirect begins a new row, without a pause of its own */
        {100,    0,                  "ccRccc2", {0, 0, 200, 200, 200, 200, 400}},
    };
    struct retry_scene scene;

    retry_scene_begin(&scene, 100, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct urlpool_retry retries = {.total = 5,
                                              .backoff_factor_ms = cases[i].factor_ms,
                                              .backoff_max_ms = cases[i].max_ms,
                                              .status_forcelist = {500}};

        retry_scene_play(&scene, cases[i].script, NULL);
        ck_assert_int_eq(fetch(&scene, &retries), 200);
        retry_scene_expect_times(&scene, (unsigned)strlen(cases[i].script), cases[i].at_ms);
    }
    retry_scene_end(&scene);
}
END_TEST

START_TEST(backoff__has_jitter_within_its_bound)
{
    const struct urlpool_retry retries = {.total = 21, .backoff_jitter_ms = 1000};
    struct retry_scene scene;
    int64_t last_ms = 0;
    unsigned num_moved = 0;

    retry_scene_begin(&scene, 1, NULL);
    retry_scene_play(&scene, "ccccccccccccccccccccc2", NULL);
    ck_assert_int_eq(fetch(&scene, &retries), 200);
    ck_assert_uint_eq(retry_scene_num_visits(&scene), 22);
    ck_assert_int_eq(retry_scene_visit(&scene, 1).at_ms, 0);
    for (unsigned i = 1; i < 22; i++) {
        int64_t pause_ms = retry_scene_visit(&scene, i).at_ms - last_ms;

        ck_assert_int_ge(pause_ms, 0);
        ck_assert_int_le(pause_ms, 1000);
        num_moved += pause_ms > 0 && pause_ms != retry_scene_visit(&scene, 2).at_ms;
        last_ms += pause_ms;
    }
    ck_assert_uint_ge(num_moved, 10); /* by chance once in 10^27 */
    retry_scene_end(&scene);
}
END_TEST

/* What the server says, and what follows: the status in the end, and when the second request came;
 * -1: it did not. */
struct wish {
    const char *retry_after; /* NULL: no such field */
    struct urlpool_retry retries;
    int status;
    int64_t second_ms;
};

static void expect_wishes(const struct wish *wishes, size_t num_wishes, const char *script)
{
    struct retry_scene scene;

    retry_scene_begin(&scene, 1000, NULL);
    for (size_t i = 0; i < num_wishes; i++) {
        const int64_t at_ms[] = {0, wishes[i].second_ms};
        char field[128];
        int status;

        snprintf(field, sizeof(field), "Retry-After: %s\r\n",
                 wishes[i].retry_after != NULL ? wishes[i].retry_after : "");
        urlp_clock_fake_set_wall(NOW_S);
        retry_scene_play(&scene, script, wishes[i].retry_after != NULL ? field : NULL);
        status = fetch(&scene, &wishes[i].retries);
        ck_assert_msg(status == wishes[i].status, "case %zu: %d", i, status);
        ck_assert_msg(retry_scene_num_visits(&scene) == (wishes[i].second_ms < 0 ? 1 : 2),
                      "case %zu: %u requests", i, retry_scene_num_visits(&scene));
        retry_scene_expect_times(&scene, wishes[i].second_ms < 0 ? 1 : 2, at_ms);
    }
    retry_scene_end(&scene);
}

START_TEST(retry_after__is_waited_for_in_all_its_forms)
{
    static const struct wish wishes[] = {
        {"7",                              {0}, 200, 7000  },
        {"120",                            {0}, 200, 120000},
        {"0",                              {0}, 200, 0     },
        {"Sun, 06 Nov 1994 08:49:47 GMT",  {0}, 200, 10000 },
        {"Sunday, 06-Nov-94 08:50:37 GMT", {0}, 200, 60000 },
        {"Sun Nov  6 08:49:38 1994",       {0}, 200, 1000  },
        {"Sun, 06 Nov 1994 08:49:37 GMT",  {0}, 200, 0     },
        {"Sun, 06 Nov 1994 00:00:00 GMT",  {0}, 200, 0     }, /* past */
  /* what cannot be read is not there */
        {NULL,                             {0}, 503, -1    },
        {"",                               {0}, 503, -1    },
        {"soon",                           {0}, 503, -1    },
        {"-1",                             {0}, 503, -1    },
        {"1.5",                            {0}, 503, -1    },
    };

    expect_wishes(wishes, COUNT_OF(wishes), "32");
}
END_TEST

#define CLAMPED .clamp_retry_after = true
#define IGNORED .ignore_retry_after = true

START_TEST(retry_after__is_bounded)
{
    static const struct wish wishes[] = {
        {"121",                           {0},                                        503, -1     },
        {"99999999999999999999",          {0},                                        503, -1     },
        {"Mon, 07 Nov 1994 08:49:37 GMT", {0},                                        503, -1     },
        {"5",                             {.retry_after_max_ms = 5000},               200, 5000   },
        {"6",                             {.retry_after_max_ms = 5000},               503, -1     },
        {"6",                             {CLAMPED, .retry_after_max_ms = 5000},      200, 5000   },
        {"99999999999999999999",          {CLAMPED},                                  200, 120000 },
        {"1",                             {.retry_after_max_ms = URLPOOL_NONE},       503, -1     },
        {"0",                             {.retry_after_max_ms = URLPOOL_NONE},       200, 0      },
        {"1000",                          {.retry_after_max_ms = URLPOOL_NO_TIMEOUT}, 200, 1000000},
        {"7",                             {IGNORED},                                  503, -1     },
        {"7",                             {IGNORED, .status_forcelist = {503}},       200, 0      },
        {"7",                             {.total = URLPOOL_NONE},                    503, -1     },
        {"7",                             {.status = URLPOOL_NONE},                   503, -1     },
    };

    expect_wishes(wishes, COUNT_OF(wishes), "32");
}
END_TEST

START_TEST(retry_after__is_heard_from_three_statuses_and_those_listed)
{
    static const struct wish heard[] = {
        {"7", {0}, 200, 7000}
    };
    static const struct wish not_heard[] = {
        {"7", {0},                         500, -1  },
        {"7", {.status_forcelist = {500}}, 200, 7000},
    };

    expect_wishes(heard, COUNT_OF(heard), "M2");
    expect_wishes(heard, COUNT_OF(heard), "L2");
    expect_wishes(not_heard, COUNT_OF(not_heard), "52");
}
END_TEST

START_TEST(retry_after__of_zero_leaves_it_to_the_backoff)
{
    const struct urlpool_retry retries = {.backoff_factor_ms = 1000};
    static const int64_t at_ms[] = {0, 0, 2000, 6000};
    struct retry_scene scene;

    retry_scene_begin(&scene, 1000, NULL);
    retry_scene_play(&scene, "3332", "Retry-After: 0\r\n");
    ck_assert_int_eq(fetch(&scene, &retries), 200);
    retry_scene_expect_times(&scene, 4, at_ms);
    retry_scene_end(&scene);
}
END_TEST

START_TEST(retry_after__of_a_redirect_is_waited_for_too)
{
    static const struct wish wishes[] = {
        {"3",    {0},                         200, 3000  },
        {"121",  {0},                         302, -1    },
        {"121",  {CLAMPED},                   200, 120000},
        {"3",    {IGNORED},                   200, 0     },
        {"soon", {0},                         200, 0     },
        {"3",    {.backoff_factor_ms = 1000}, 200, 3000  },
    };

    expect_wishes(wishes, COUNT_OF(wishes), "R2");
}
END_TEST

/* A sink that looks at the pool just before the pause. */
struct look {
    struct urlpool_manager *manager;
    struct urlpool_stats stats;
};

static void look_at_retry(void *user, const struct urlpool_trace_event *event)
{
    struct look *look = user;

    if (event->kind == URLPOOL_TRACE_RETRY) {
        look->stats = test_stats(look->manager);
    }
}

START_TEST(pause__holds_no_connection)
{
    struct look look = {0};
    const struct urlpool_request_options options = {
        .trace = {.event = look_at_retry, .user = &look}
    };
    struct retry_scene scene;

    retry_scene_begin(&scene, 1000, NULL);
    look.manager = scene.manager;
    retry_scene_play(&scene, "32", "Retry-After: 7\r\n");
    urlpool_response_free(test_fetch(scene.manager, "GET", scene.server, "/", &options));
    ck_assert_uint_eq(look.stats.idle, 1); /* home again, for whoever wants it */
    ck_assert_uint_eq(look.stats.open, 1);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 1);
    retry_scene_end(&scene);
}
END_TEST

START_TEST(pause__ends_with_the_total_time)
{
    static const struct {
        const char *script, *fields;
        int64_t factor_ms;
        enum urlpool_code cause;
        int status;
        unsigned num_visits;
    } cases[] = {
        {"c", NULL,                  50000, URLPOOL_E_REMOTE_DISCONNECTED, 0,   2},
        {"3", "Retry-After: 60\r\n", 0,     URLPOOL_OK,                    503, 1},
        {"R", "Retry-After: 60\r\n", 0,     URLPOOL_OK,                    302, 1},
    };
    struct retry_scene scene;

    retry_scene_begin(&scene, 1000, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct urlpool_request_options options = {
            .retries = {.backoff_factor_ms = cases[i].factor_ms}, .timeout = {.total_ms = 5000}};
        int64_t began_ns = urlp_now_ns();

        retry_scene_play(&scene, cases[i].script, cases[i].fields);
        ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &options),
                         URLPOOL_E_TOTAL_TIMEOUT);
        ck_assert_int_eq((urlp_now_ns() - began_ns) / URLP_NS_PER_MS, 5000);
        ck_assert_int_eq(test_err.cause, cases[i].cause);
        ck_assert_int_eq(test_err.http_status, cases[i].status);
        ck_assert(test_err.maybe_processed);
        ck_assert_uint_eq(retry_scene_num_visits(&scene), cases[i].num_visits);
        ck_assert_uint_eq(test_stats(scene.manager).waiting, 0);
    }
    retry_scene_end(&scene);
}
END_TEST

/* A sink that cancels at the first retry, just before the pause. */
static void cancel_at_retry(void *user, const struct urlpool_trace_event *event)
{
    if (event->kind == URLPOOL_TRACE_RETRY) {
        urlpool_cancel_now(user);
    }
}

START_TEST(pause__ends_with_a_cancel)
{
    struct retry_scene scene;
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
    const struct urlpool_request_options options = {
        .cancel = cancel, .trace = {.event = cancel_at_retry, .user = cancel}
    };

    retry_scene_begin(&scene, 1000, NULL);
    retry_scene_play(&scene, "3", "Retry-After: 60\r\n");
    ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &options),
                     URLPOOL_E_CANCELLED);
    ck_assert_uint_eq(retry_scene_num_visits(&scene), 1);
    urlpool_cancel_free(cancel);
    retry_scene_end(&scene);
}
END_TEST

START_TEST(total__covers_every_try_and_every_pause)
{
    const struct urlpool_request_options options = {
        .retries = {.total = URLPOOL_NO_TIMEOUT, .backoff_factor_ms = 1000, .backoff_max_ms = 2000},
        .timeout = {.total_ms = 9000    }
    };
    static const int64_t at_ms[] = {0, 0, 2000, 4000, 6000, 8000};
    struct retry_scene scene;

    retry_scene_begin(&scene, 1000, NULL);
    retry_scene_play(&scene, "c", NULL);
    ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &options),
                     URLPOOL_E_TOTAL_TIMEOUT);
    retry_scene_expect_times(&scene, 6, at_ms);
    ck_assert_uint_eq(test_err.num_attempts, 6);
    retry_scene_end(&scene);
}
END_TEST

RUN_TESTS("pauses", backoff__doubles_from_the_second_retry_on, backoff__has_jitter_within_its_bound,
          retry_after__is_waited_for_in_all_its_forms, retry_after__is_bounded,
          retry_after__is_heard_from_three_statuses_and_those_listed,
          retry_after__of_zero_leaves_it_to_the_backoff,
          retry_after__of_a_redirect_is_waited_for_too, pause__holds_no_connection,
          pause__ends_with_the_total_time, pause__ends_with_a_cancel,
          total__covers_every_try_and_every_pause)
