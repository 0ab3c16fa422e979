/* The facts of a try, as they reach policy. */

#include <string.h>

#include "client/journey.h"
#include "support/run_tests.h"

enum {
    NUM_DRAWS = 64
};

static struct urlpool_manager plain_manager; /* with no budget */

/* failed is a journey whose GET has failed, on a connection used before. */
static struct urlp_journey failed(enum urlpool_code code)
{
    return (struct urlp_journey){
        .manager = &plain_manager,
        .method = urlp_span_of("GET"),
        .retry_rules = urlp_retry_defaults,
        .tried = {.code = code, .connection_reused = true, .request_bytes_sent = true},
    };
}

static const struct urlpool_error plain; /* a failure that says no more than its code */

static enum urlp_verdict_kind kind_of(struct urlp_journey *journey)
{
    return urlp_journey_judge_failure(journey, &plain).kind;
}

START_TEST(failure__is_judged_by_what_the_try_has_shown)
{
    struct urlp_journey journey = failed(URLPOOL_E_RESET);

    ck_assert_int_eq(kind_of(&journey), URLP_VERDICT_RETRY_FRESH);
    journey.tried.response_bytes_seen = true;
    ck_assert_int_eq(kind_of(&journey), URLP_VERDICT_RETRY);
    journey.tried.response_bytes_seen = false;
    journey.tried.connection_reused = false;
    ck_assert_int_eq(kind_of(&journey), URLP_VERDICT_RETRY);
    journey.method = urlp_span_of("POST");
    ck_assert_int_eq(kind_of(&journey), URLP_VERDICT_FAIL);
    journey.tried.request_bytes_sent = false;
    ck_assert_int_eq(kind_of(&journey), URLP_VERDICT_RETRY);
    journey = failed(URLPOOL_E_DECODE);
    ck_assert_int_eq(kind_of(&journey), URLP_VERDICT_FAIL);
}
END_TEST

START_TEST(failure__with_a_body_that_is_gone_is_final)
{
    struct urlp_journey journey = failed(URLPOOL_E_RESET);

    journey.body.has_body = true;
    journey.body.is_begun = true;
    ck_assert_int_eq(kind_of(&journey), URLP_VERDICT_FAIL);
    journey.body.can_rewind = true;
    ck_assert_int_eq(kind_of(&journey), URLP_VERDICT_RETRY_FRESH);
}
END_TEST

START_TEST(failure__of_a_post_with_a_key_is_made_good)
{
    struct urlp_journey journey = failed(URLPOOL_E_RESET);
    struct urlpool_headers *headers = urlpool_headers_new(NULL);

    journey.method = urlp_span_of("POST");
    ck_assert_int_eq(kind_of(&journey), URLP_VERDICT_FAIL);
    ck_assert_int_eq(urlpool_headers_add(headers, "idempotency-key", "7", NULL), URLPOOL_OK);
    journey.given = urlp_given_headers_of(headers, NULL, false);
    ck_assert_int_eq(kind_of(&journey), URLP_VERDICT_RETRY_FRESH);
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(failure__counts_against_what_is_used)
{
    struct urlp_journey journey = failed(URLPOOL_E_CONNECT);
    struct urlp_verdict verdict = urlp_journey_judge_failure(&journey, &plain);

    ck_assert_int_eq(verdict.kind, URLP_VERDICT_RETRY);
    ck_assert_int_eq(verdict.state.connect, 1);
    ck_assert_int_eq(journey.used.connect, 0);
    journey.used.total = 3;
    journey.used.connect = 3;
    ck_assert_int_eq(kind_of(&journey), URLP_VERDICT_MAX_RETRIES);
}
END_TEST

START_TEST(failure__of_a_proxy_is_judged_by_what_it_said)
{
    struct urlp_journey journey = failed(URLPOOL_E_PROXY);
    struct urlpool_error failure = {.cause = URLPOOL_E_CONNECT};

    ck_assert_int_eq(urlp_journey_judge_failure(&journey, &failure).kind, URLP_VERDICT_RETRY);
    failure.cause = URLPOOL_E_TLS_VERIFY;
    ck_assert_int_eq(urlp_journey_judge_failure(&journey, &failure).kind, URLP_VERDICT_FAIL);
    failure = (struct urlpool_error){.http_status = 502};
    ck_assert_int_eq(urlp_journey_judge_failure(&journey, &failure).kind, URLP_VERDICT_RETRY);
    failure.http_status = 407;
    ck_assert_int_eq(urlp_journey_judge_failure(&journey, &failure).kind, URLP_VERDICT_FAIL);
}
END_TEST

START_TEST(failure__waits_by_chance_where_there_is_jitter)
{
    struct urlp_journey journey = failed(URLPOOL_E_CONNECT);
    int64_t least = INT64_MAX;
    int64_t most = 0;

    journey.used.row = 1;
    ck_assert_int_eq(urlp_journey_judge_failure(&journey, &plain).wait_ms, 0);
    journey.retry_rules.backoff_jitter_ms = 1000000;
    journey.retry_rules.backoff_max_ms = -1;
    for (int i = 0; i < NUM_DRAWS; i++) {
        int64_t wait_ms = urlp_journey_judge_failure(&journey, &plain).wait_ms;

        least = wait_ms < least ? wait_ms : least;
        most = wait_ms > most ? wait_ms : most;
    }
    ck_assert_int_lt(least, 250000); /* by chance once in 10^8 */
    ck_assert_int_gt(most, 750000);
    ck_assert_int_le(most, 1000000);
}
END_TEST

RUN_TESTS("journey judge", failure__is_judged_by_what_the_try_has_shown,
          failure__with_a_body_that_is_gone_is_final, failure__of_a_post_with_a_key_is_made_good,
          failure__counts_against_what_is_used, failure__of_a_proxy_is_judged_by_what_it_said,
          failure__waits_by_chance_where_there_is_jitter)
