/* The stale rule over its whole matrix: every fact, every code. */

#include "policy/judge.h"
#include "support/run_tests.h"

/* Bits of a row of the matrix, one for each fact beside the code. */
enum {
    REUSED = 1,
    SENT = 2,
    SEEN = 4,
    IDEMPOTENT = 8,
    KEYED = 16,
    REWINDS = 32,
    RETRIED = 64,
    NUM_ROWS = 128,
    CODES_END = 160 /* past the last code */
};

static enum urlp_verdict judge(int row, int code)
{
    const struct urlp_attempt attempt = {
        .code = (enum urlpool_code)code,
        .connection_reused = (row & REUSED) != 0,
        .request_bytes_sent = (row & SENT) != 0,
        .response_bytes_seen = (row & SEEN) != 0,
        .method_idempotent = (row & IDEMPOTENT) != 0,
        .has_idempotency_key = (row & KEYED) != 0,
        .body_can_rewind = (row & REWINDS) != 0,
        .retried_stale = (row & RETRIED) != 0,
    };

    return urlp_judge(&attempt);
}

/* The rows that are tried again, written out; all others fail. */
static const int retried_rows[] = {
    /* nothing written: any method whose body can be sent again */
    REUSED | REWINDS,
    REUSED | REWINDS | IDEMPOTENT,
    REUSED | REWINDS | KEYED,
    REUSED | REWINDS | IDEMPOTENT | KEYED,
    /* something written: only what may happen twice */
    REUSED | REWINDS | SENT | IDEMPOTENT,
    REUSED | REWINDS | SENT | KEYED,
    REUSED | REWINDS | SENT | IDEMPOTENT | KEYED,
};

static bool is_retried_row(int row)
{
    for (size_t i = 0; i < sizeof(retried_rows) / sizeof(retried_rows[0]); i++) {
        if (retried_rows[i] == row) {
            return true;
        }
    }
    return false;
}

START_TEST(judge__retries_a_stale_connection_and_nothing_else)
{
    for (int code = 0; code < CODES_END; code++) {
        bool is_stale = code == URLPOOL_E_RESET || code == URLPOOL_E_REMOTE_DISCONNECTED;

        for (int row = 0; row < NUM_ROWS; row++) {
            bool is_retried = judge(row, code) == URLP_VERDICT_RETRY_FRESH;

            ck_assert_msg(is_retried == (is_stale && is_retried_row(row)), "code %d, row 0x%02x",
                          code, (unsigned)row);
        }
    }
}
END_TEST

START_TEST(judge__never_sends_a_post_twice_once_it_was_written)
{
    ck_assert_int_eq(judge(REUSED | REWINDS | SENT, URLPOOL_E_RESET), URLP_VERDICT_FAIL);
    ck_assert_int_eq(judge(REUSED | REWINDS | SENT, URLPOOL_E_REMOTE_DISCONNECTED),
                     URLP_VERDICT_FAIL);
    ck_assert_int_eq(judge(REUSED | REWINDS | SENT | KEYED, URLPOOL_E_REMOTE_DISCONNECTED),
                     URLP_VERDICT_RETRY_FRESH);
}
END_TEST

START_TEST(judge__never_hides_a_failure_on_a_fresh_connection)
{
    for (int row = 0; row < NUM_ROWS; row++) {
        if ((row & REUSED) == 0) {
            ck_assert_int_eq(judge(row, URLPOOL_E_REMOTE_DISCONNECTED), URLP_VERDICT_FAIL);
        }
    }
}
END_TEST

START_TEST(judge__never_retries_a_time_out_or_cancel)
{
    static const int codes[] = {URLPOOL_E_READ_TIMEOUT,   URLPOOL_E_WRITE_TIMEOUT,
                                URLPOOL_E_TOTAL_TIMEOUT,  URLPOOL_E_CANCELLED,
                                URLPOOL_E_NOMEM,          URLPOOL_E_TLS,
                                URLPOOL_E_BAD_STATUS_LINE};
    int row = REUSED | REWINDS | IDEMPOTENT;

    ck_assert_int_eq(judge(row, URLPOOL_E_RESET), URLP_VERDICT_RETRY_FRESH);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        ck_assert_int_eq(judge(row, codes[i]), URLP_VERDICT_FAIL);
    }
}
END_TEST

RUN_TESTS("judge", judge__retries_a_stale_connection_and_nothing_else,
          judge__never_sends_a_post_twice_once_it_was_written,
          judge__never_hides_a_failure_on_a_fresh_connection,
          judge__never_retries_a_time_out_or_cancel)
