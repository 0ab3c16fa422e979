/* The verdict over its whole matrix: each combination of facts against a table of decisions that is
 * read from the top, the first row that fits being the answer. Then pauses, and tries in a row. */

#include <limits.h>
#include <string.h>

#include "policy/verdict.h"
#include "support/count_of.h"
#include "support/run_tests.h"

/* Values of facts. 0 in a row of decisions: whatever it is. */
enum {
    NO = 1,
    YES,

    ZERO = 1, /* a count: none is allowed, one more is, all are used up, no bound */
    LEFT,
    USED,
    UNBOUNDED,

    ABSENT = 1, /* Retry-After */
    NOW,
    SHORT,
    LONG
};

enum fact {
    KIND,
    STALE_CODE,
    REUSED,
    SENT,
    SEEN,
    ALLOWED,
    IDEMPOTENT,
    KEYED,
    REWINDS,
    RETRIED_STALE,
    RETRIED, /* for another reason than this */
    TOTAL,
    OWN,
    LISTED,
    MAY_SAY_WHEN, /* the status is one of those that have Retry-After */
    RETRY_AFTER,
    REDIRECTS_MAX,
    CLAMP,
    IGNORE,
    RAISE,
    RETURN_LAST,
    NUM_FACTS
};

/* ck_assert_msg in millions: that one writes to a pipe each time. */
#define REQUIRE(condition, ...)        \
    do {                               \
        if (!(condition)) {            \
            ck_abort_msg(__VA_ARGS__); \
        }                              \
    } while (0)

enum kind {
    NEVER = 1,
    CONNECT,
    READ,
    OTHER
};

enum {
    CODES_END = 160, /* past the last code */
    PAUSE_MS = 14,   /* what all matrices' rules make of the second retry in a row */
    LONGEST_MS = 500,
    BOUND = 2 /* of a count, where it has one */
};

struct decision {
    int facts[NUM_FACTS];
    enum urlp_verdict_kind kind;
};

struct matrix {
    int num_values[NUM_FACTS]; /* 0: not a fact of this matrix */
    const struct decision *decisions;
    size_t num_decisions;
};

/* Moves to the next combination; false when all were there. */
static bool advance(const struct matrix *matrix, int *facts)
{
    for (size_t i = 0; i < NUM_FACTS; i++) {
        if (matrix->num_values[i] == 0) {
            continue;
        }
        if (facts[i] < matrix->num_values[i]) {
            facts[i]++;
            return true;
        }
        facts[i] = 1;
    }
    return false;
}

static void begin(const struct matrix *matrix, int *facts)
{
    for (size_t i = 0; i < NUM_FACTS; i++) {
        facts[i] = matrix->num_values[i] > 0 ? 1 : 0;
    }
}

static bool fits(const struct decision *decision, const int *facts)
{
    for (size_t i = 0; i < NUM_FACTS; i++) {
        if (decision->facts[i] != 0 && decision->facts[i] != facts[i]) {
            return false;
        }
    }
    return true;
}

static enum urlp_verdict_kind decide(const struct matrix *matrix, const int *facts)
{
    size_t i = 0;

    while (i < matrix->num_decisions && !fits(&matrix->decisions[i], facts)) {
        i++;
    }
    REQUIRE(i < matrix->num_decisions, "no decision fits");
    return matrix->decisions[i].kind;
}

/* Shows a combination when a verdict is not what was decided. */
static const char *print(const int *facts)
{
    static char text[8 * NUM_FACTS];
    size_t len = 0;

    for (size_t i = 0; i < NUM_FACTS; i++) {
        text[len++] = (char)('0' + facts[i]);
    }
    text[len] = '\0';
    return text;
}

static int bound_of(int fact)
{
    return fact == ZERO ? 0 : (fact == UNBOUNDED ? -1 : BOUND);
}

static int used_of(int fact)
{
    return fact == USED ? BOUND : (fact == UNBOUNDED ? INT_MAX : 0);
}

static int64_t retry_after_of(int fact)
{
    return fact == ABSENT ? -1 : (fact == NOW ? 0 : (fact == SHORT ? LONGEST_MS : LONGEST_MS + 1));
}

/* A method with these two properties, where the list allows GET and POST. */
static const char *method_of(const int *facts)
{
    if (facts[ALLOWED] == YES) {
        return facts[IDEMPOTENT] == NO ? "POST" : "GET";
    }
    return facts[IDEMPOTENT] == YES ? "PUT" : "PATCH";
}

static struct urlp_retry_rules rules_of(const int *facts)
{
    struct urlp_retry_rules rules = urlp_retry_defaults;

    rules.allowed_methods = "GET, POST";
    rules.backoff_factor_ms = PAUSE_MS / 2;
    rules.retry_after_max_ms = LONGEST_MS;
    rules.status_forcelist[0] = 500;
    rules.status_forcelist[1] = 429;
    rules.total = bound_of(facts[TOTAL]);
    rules.clamp_retry_after = facts[CLAMP] == YES;
    rules.ignore_retry_after = facts[IGNORE] == YES;
    rules.raise_on_status = facts[RAISE] == YES;
    rules.return_last_redirect = facts[RETURN_LAST] == YES;
    return rules;
}

static bool is_same_state(const struct urlp_retry_state *a, const struct urlp_retry_state *b)
{
    return a->total == b->total && a->connect == b->connect && a->read == b->read &&
           a->redirect == b->redirect && a->status == b->status && a->other == b->other &&
           a->row == b->row && a->retried_stale == b->retried_stale &&
           a->retried_without_expect == b->retried_without_expect;
}

/* ---- a try that failed ---- */

/* Every code that a retry may mend, written out; all others are NEVER. */
static const struct {
    enum urlpool_code code;
    enum kind kind;
} retried_codes[] = {
    {URLPOOL_E_RESOLVE,             CONNECT},
    {URLPOOL_E_CONNECT,             CONNECT},
    {URLPOOL_E_CONNECT_TIMEOUT,     CONNECT},
    {URLPOOL_E_PROXY,               CONNECT},
    {URLPOOL_E_READ_TIMEOUT,        READ   },
    {URLPOOL_E_WRITE_TIMEOUT,       READ   },
    {URLPOOL_E_RESET,               READ   },
    {URLPOOL_E_REMOTE_DISCONNECTED, READ   },
    {URLPOOL_E_INCOMPLETE_READ,     READ   },
    {URLPOOL_E_BAD_STATUS_LINE,     READ   },
    {URLPOOL_E_UNKNOWN_PROTOCOL,    READ   },
    {URLPOOL_E_BAD_FIELD,           READ   },
    {URLPOOL_E_BAD_LENGTH,          READ   },
    {URLPOOL_E_TRANSFER_ENCODING,   READ   },
    {URLPOOL_E_BAD_CHUNK,           READ   },
    {URLPOOL_E_LINE_TOO_LONG,       READ   },
    {URLPOOL_E_TOO_MANY_HEADERS,    READ   },
    {URLPOOL_E_HEAD_TOO_LARGE,      READ   },
    {URLPOOL_E_PROTOCOL,            READ   },
    {URLPOOL_E_TLS,                 OTHER  },
};

static int kind_of(int code)
{
    for (size_t i = 0; i < COUNT_OF(retried_codes); i++) {
        if ((int)retried_codes[i].code == code) {
            return (int)retried_codes[i].kind;
        }
    }
    return NEVER;
}

#define STALE [STALE_CODE] = YES, [REUSED] = YES, [SEEN] = NO, [RETRIED_STALE] = NO, [REWINDS] = YES

static const struct decision failure_decisions[] = {
    {{STALE, [SENT] = NO},                                         URLP_VERDICT_RETRY_FRESH},
    {{STALE, [IDEMPOTENT] = YES},                                  URLP_VERDICT_RETRY_FRESH},
    {{STALE, [KEYED] = YES},                                       URLP_VERDICT_RETRY_FRESH},
    {{[KIND] = NEVER},                                             URLP_VERDICT_FAIL       },
    {{[REWINDS] = NO},                                             URLP_VERDICT_FAIL       },
    {{[TOTAL] = ZERO},                                             URLP_VERDICT_FAIL       },
    {{[OWN] = ZERO},                                               URLP_VERDICT_FAIL       },
    {{[KIND] = READ, [SENT] = YES, [ALLOWED] = NO, [KEYED] = NO},  URLP_VERDICT_FAIL       },
    {{[KIND] = OTHER, [SENT] = YES, [ALLOWED] = NO, [KEYED] = NO}, URLP_VERDICT_FAIL       },
    {{[OWN] = USED},                                               URLP_VERDICT_MAX_RETRIES},
    {{[TOTAL] = USED, [RETRIED] = YES},                            URLP_VERDICT_MAX_RETRIES},
    {{[TOTAL] = USED, [OWN] = UNBOUNDED},                          URLP_VERDICT_MAX_RETRIES},
    {{[TOTAL] = USED},                                             URLP_VERDICT_FAIL       }, /* by redirects */
    {{0},                                                          URLP_VERDICT_RETRY      },
};

static const struct matrix failures = {
    .num_values = {[REUSED] = YES,
                   [SENT] = YES,
                   [SEEN] = YES,
                   [ALLOWED] = YES,
                   [IDEMPOTENT] = YES,
                   [KEYED] = YES,
                   [REWINDS] = YES,
                   [RETRIED_STALE] = YES,
                   [RETRIED] = YES,
                   [TOTAL] = UNBOUNDED,
                   [OWN] = UNBOUNDED},
    .decisions = failure_decisions,
    .num_decisions = COUNT_OF(failure_decisions),
};

/* The count of a kind, in `state`. */
static int *count_of(struct urlp_retry_state *state, int kind)
{
    return kind == CONNECT ? &state->connect : (kind == READ ? &state->read : &state->other);
}

static void set_bound(struct urlp_retry_rules *rules, int kind, int bound)
{
    rules->connect = kind == CONNECT ? bound : 0; /* what is not meant has no part in it */
    rules->read = kind == READ ? bound : 0;
    rules->other = kind == OTHER ? bound : 0;
    rules->status = 0;
}

static void check_failure(int code, const int *facts)
{
    struct urlp_retry_rules rules = rules_of(facts);
    struct urlp_retry_state used = {
        .total = used_of(facts[TOTAL]),
        .status = facts[RETRIED] == YES ? 1 : 0,
        .redirect = 3,
        .row = 1,
        .retried_stale = facts[RETRIED_STALE] == YES,
    };
    const struct urlp_attempt attempt = {
        .cause = URLPOOL_E_CONNECT, /* of a proxy, which see below */
        .code = (enum urlpool_code)code,
        .method = urlp_span_of(method_of(facts)),
        .connection_reused = facts[REUSED] == YES,
        .request_bytes_sent = facts[SENT] == YES,
        .response_bytes_seen = facts[SEEN] == YES,
        .has_idempotency_key = facts[KEYED] == YES,
        .body_can_rewind = facts[REWINDS] == YES,
        .retry_after_ms = 77, /* of an earlier response: no part of it */
    };
    struct urlp_retry_state expected;
    enum urlp_verdict_kind kind = decide(&failures, facts);

    set_bound(&rules, facts[KIND], bound_of(facts[OWN]));
    *count_of(&used, facts[KIND]) = used_of(facts[OWN]);
    expected = used;
    expected.retried_stale |= kind == URLP_VERDICT_RETRY_FRESH;
    if (kind == URLP_VERDICT_RETRY) {
        expected.total += expected.total < INT_MAX;
        expected.row++;
        *count_of(&expected, facts[KIND]) += *count_of(&expected, facts[KIND]) < INT_MAX;
    }

    struct urlp_verdict verdict = urlp_verdict_of(&rules, &used, &attempt);

    REQUIRE(verdict.kind == kind, "code %d, %s: %d, not %d", code, print(facts), (int)verdict.kind,
            (int)kind);
    REQUIRE(is_same_state(&verdict.state, &expected), "code %d, %s", code, print(facts));
    REQUIRE(verdict.wait_ms == (kind == URLP_VERDICT_RETRY ? PAUSE_MS : 0), "code %d, %s", code,
            print(facts));
}

START_TEST(verdict__of_every_failure_is_as_decided)
{
    for (int code = 1; code < CODES_END; code++) {
        int facts[NUM_FACTS];

        begin(&failures, facts);
        facts[KIND] = kind_of(code);
        facts[STALE_CODE] =
            code == URLPOOL_E_RESET || code == URLPOOL_E_REMOTE_DISCONNECTED ? YES : NO;
        do {
            check_failure(code, facts);
        } while (advance(&failures, facts));
    }
}
END_TEST

/* ---- a response whose status may ask for another try ---- */

static const struct decision status_decisions[] = {
    {{[LISTED] = NO, [MAY_SAY_WHEN] = NO},                URLP_VERDICT_RETURN     },
    {{[LISTED] = NO, [RETRY_AFTER] = ABSENT},             URLP_VERDICT_RETURN     },
    {{[LISTED] = NO, [IGNORE] = YES},                     URLP_VERDICT_RETURN     },
    {{[LISTED] = NO, [TOTAL] = ZERO},                     URLP_VERDICT_RETURN     },
    {{[ALLOWED] = NO, [KEYED] = NO},                      URLP_VERDICT_RETURN     },
    {{[REWINDS] = NO},                                    URLP_VERDICT_RETURN     },
    {{[TOTAL] = ZERO, [RAISE] = YES},                     URLP_VERDICT_MAX_RETRIES},
    {{[TOTAL] = USED, [RAISE] = YES},                     URLP_VERDICT_MAX_RETRIES},
    {{[OWN] = ZERO, [RAISE] = YES},                       URLP_VERDICT_MAX_RETRIES},
    {{[OWN] = USED, [RAISE] = YES},                       URLP_VERDICT_MAX_RETRIES},
    {{[TOTAL] = ZERO},                                    URLP_VERDICT_RETURN     },
    {{[TOTAL] = USED},                                    URLP_VERDICT_RETURN     },
    {{[OWN] = ZERO},                                      URLP_VERDICT_RETURN     },
    {{[OWN] = USED},                                      URLP_VERDICT_RETURN     },
    {{[RETRY_AFTER] = LONG, [IGNORE] = NO, [CLAMP] = NO}, URLP_VERDICT_RETURN     },
    {{0},                                                 URLP_VERDICT_RETRY      },
};

static const struct matrix statuses = {
    .num_values = {[ALLOWED] = YES,
                   [KEYED] = YES,
                   [REWINDS] = YES,
                   [TOTAL] = UNBOUNDED,
                   [OWN] = UNBOUNDED,
                   [RETRY_AFTER] = LONG,
                   [CLAMP] = YES,
                   [IGNORE] = YES,
                   [RAISE] = YES,
                   [RETURN_LAST] = YES},
    .decisions = status_decisions,
    .num_decisions = COUNT_OF(status_decisions),
};

static const struct {
    int status, listed, may_say_when;
} status_cases[] = {
    {200, NO,  NO },
    {404, NO,  NO },
    {417, NO,  NO }, /* without an expectation it is like any other */
    {302, NO,  NO }, /* a redirect that leads nowhere */
    {413, NO,  YES},
    {503, NO,  YES},
    {429, YES, YES},
    {500, YES, NO },
};

/* The pause that a server's wish and the matrix's rules come to. */
static int64_t wait_of(const int *facts, int64_t pause_ms)
{
    bool is_heard = facts[IGNORE] == NO && facts[RETRY_AFTER] >= SHORT;

    return is_heard ? LONGEST_MS : pause_ms;
}

static void check_status(int status, const int *facts)
{
    struct urlp_retry_rules rules = rules_of(facts);
    const struct urlp_retry_state used = {
        .total = used_of(facts[TOTAL]), .status = used_of(facts[OWN]), .redirect = 3, .row = 1};
    const struct urlp_attempt attempt = {
        .method = urlp_span_of(method_of(facts)),
        .request_bytes_sent = true,
        .response_bytes_seen = true,
        .has_idempotency_key = facts[KEYED] == YES,
        .body_can_rewind = facts[REWINDS] == YES,
        .status = status,
        .retry_after_ms = retry_after_of(facts[RETRY_AFTER]),
    };
    struct urlp_retry_state expected = used;
    enum urlp_verdict_kind kind = decide(&statuses, facts);

    rules.status = bound_of(facts[OWN]);
    rules.connect = rules.read = rules.other = 0;
    if (kind == URLP_VERDICT_RETRY) {
        expected.total += expected.total < INT_MAX;
        expected.status += expected.status < INT_MAX;
        expected.row++;
    }

    struct urlp_verdict verdict = urlp_verdict_of(&rules, &used, &attempt);

    REQUIRE(verdict.kind == kind, "status %d, %s: %d, not %d", status, print(facts),
            (int)verdict.kind, (int)kind);
    REQUIRE(is_same_state(&verdict.state, &expected), "status %d, %s", status, print(facts));
    REQUIRE(verdict.wait_ms == (kind == URLP_VERDICT_RETRY ? wait_of(facts, PAUSE_MS) : 0),
            "status %d, %s: %lld ms", status, print(facts), (long long)verdict.wait_ms);
}

START_TEST(verdict__of_every_status_is_as_decided)
{
    for (size_t i = 0; i < COUNT_OF(status_cases); i++) {
        int facts[NUM_FACTS];

        begin(&statuses, facts);
        facts[LISTED] = status_cases[i].listed;
        facts[MAY_SAY_WHEN] = status_cases[i].may_say_when;
        do {
            check_status(status_cases[i].status, facts);
        } while (advance(&statuses, facts));
    }
}
END_TEST

/* ---- a redirect ---- */

static const struct decision redirect_decisions[] = {
    {{[TOTAL] = ZERO, [RETURN_LAST] = YES},               URLP_VERDICT_RETURN            },
    {{[TOTAL] = ZERO},                                    URLP_VERDICT_TOO_MANY_REDIRECTS},
    {{[REDIRECTS_MAX] = ZERO, [RETURN_LAST] = YES},       URLP_VERDICT_RETURN            },
    {{[REDIRECTS_MAX] = ZERO},                            URLP_VERDICT_TOO_MANY_REDIRECTS},
    {{[REDIRECTS_MAX] = USED, [RETURN_LAST] = YES},       URLP_VERDICT_RETURN            },
    {{[REDIRECTS_MAX] = USED},                            URLP_VERDICT_TOO_MANY_REDIRECTS},
    {{[OWN] = ZERO, [RETURN_LAST] = YES},                 URLP_VERDICT_RETURN            },
    {{[OWN] = ZERO},                                      URLP_VERDICT_TOO_MANY_REDIRECTS},
    {{[OWN] = USED, [RETURN_LAST] = YES},                 URLP_VERDICT_RETURN            },
    {{[OWN] = USED},                                      URLP_VERDICT_TOO_MANY_REDIRECTS},
    {{[OWN] = LEFT, [TOTAL] = USED, [RETURN_LAST] = YES}, URLP_VERDICT_RETURN            },
    {{[OWN] = LEFT, [TOTAL] = USED},                      URLP_VERDICT_TOO_MANY_REDIRECTS},
    {{[RETRY_AFTER] = LONG, [IGNORE] = NO, [CLAMP] = NO}, URLP_VERDICT_RETURN            },
    {{0},                                                 URLP_VERDICT_REDIRECT          },
};

/* OWN is retries.redirect; UNBOUNDED: it is not set. */
static const struct matrix redirects = {
    .num_values = {[ALLOWED] = YES,
                   [REWINDS] = YES,
                   [RETRIED_STALE] = YES,
                   [TOTAL] = UNBOUNDED,
                   [OWN] = UNBOUNDED,
                   [REDIRECTS_MAX] = USED,
                   [RETRY_AFTER] = LONG,
                   [CLAMP] = YES,
                   [IGNORE] = YES,
                   [RAISE] = YES,
                   [RETURN_LAST] = YES},
    .decisions = redirect_decisions,
    .num_decisions = COUNT_OF(redirect_decisions),
};

static void check_redirect(const int *facts)
{
    struct urlp_retry_rules rules = rules_of(facts);
    const struct urlp_retry_state used = {
        .total = used_of(facts[TOTAL]),
        .redirect = BOUND,
        .row = 5,
        .retried_stale = facts[RETRIED_STALE] == YES,
        .retried_without_expect = facts[RETRIED_STALE] == YES,
    };
    const struct urlp_attempt attempt = {
        .method = urlp_span_of(method_of(facts)),
        .body_can_rewind = facts[REWINDS] == YES,
        .status = 500, /* in the list: that it is a redirect comes first */
        .is_redirect = true,
        .retry_after_ms = retry_after_of(facts[RETRY_AFTER]),
    };
    struct urlp_retry_state expected = used;
    enum urlp_verdict_kind kind = decide(&redirects, facts);

    rules.redirect = facts[OWN] == LEFT ? BOUND + 1 : bound_of(facts[OWN]);
    rules.redirects_max = facts[REDIRECTS_MAX] == LEFT ? BOUND + 1 : bound_of(facts[REDIRECTS_MAX]);
    if (kind == URLP_VERDICT_REDIRECT) {
        expected.redirect++;
        expected.total += facts[OWN] == LEFT && expected.total < INT_MAX;
        expected.row = 0;
        expected.retried_stale = false;
    }

    struct urlp_verdict verdict = urlp_verdict_of(&rules, &used, &attempt);

    REQUIRE(verdict.kind == kind, "%s: %d, not %d", print(facts), (int)verdict.kind, (int)kind);
    REQUIRE(is_same_state(&verdict.state, &expected), "%s", print(facts));
    REQUIRE(verdict.wait_ms == (kind == URLP_VERDICT_REDIRECT ? wait_of(facts, 0) : 0), "%s",
            print(facts));
}

START_TEST(verdict__of_every_redirect_is_as_decided)
{
    int facts[NUM_FACTS];

    begin(&redirects, facts);
    do {
        check_redirect(facts);
    } while (advance(&redirects, facts));
}
END_TEST

START_TEST(verdict__leaves_expect_out_once_after_417)
{
    struct urlp_retry_rules rules = urlp_retry_defaults;
    struct urlp_retry_state used = {.total = 3, .row = 2};
    struct urlp_attempt attempt = {.method = urlp_span_of("POST"),
                                   .request_bytes_sent = true,
                                   .body_can_rewind = true,
                                   .expected_continue = true,
                                   .status = 417,
                                   .retry_after_ms = -1};
    struct urlp_retry_state expected = used;
    struct urlp_verdict verdict;

    rules.total = 0; /* it is not counted */
    expected.retried_without_expect = true;
    verdict = urlp_verdict_of(&rules, &used, &attempt);
    ck_assert_int_eq(verdict.kind, URLP_VERDICT_RETRY_AT_ONCE);
    ck_assert_int_eq(verdict.wait_ms, 0);
    ck_assert(is_same_state(&verdict.state, &expected));

    ck_assert_int_eq(urlp_verdict_of(&rules, &verdict.state, &attempt).kind, URLP_VERDICT_RETURN);
    attempt.body_can_rewind = false;
    ck_assert_int_eq(urlp_verdict_of(&rules, &used, &attempt).kind, URLP_VERDICT_RETURN);
    attempt.body_can_rewind = true;
    attempt.expected_continue = false;
    ck_assert_int_eq(urlp_verdict_of(&rules, &used, &attempt).kind, URLP_VERDICT_RETURN);
    attempt.expected_continue = true;
    attempt.status = 400;
    ck_assert_int_eq(urlp_verdict_of(&rules, &used, &attempt).kind, URLP_VERDICT_RETURN);
}
END_TEST

START_TEST(verdict__takes_a_408_that_has_crossed_the_request_for_stale)
{
    static const struct {
        const char *method;
        bool reused, closes, keyed, retried;
        enum urlp_verdict_kind kind;
    } cases[] = {
        {"GET",  true,  true,  false, false, URLP_VERDICT_RETRY_AT_ONCE},
        {"POST", true,  true,  true,  false, URLP_VERDICT_RETRY_AT_ONCE},
        {"POST", true,  true,  false, false, URLP_VERDICT_RETURN       },
        {"GET",  false, true,  false, false, URLP_VERDICT_RETURN       },
        {"GET",  true,  false, false, false, URLP_VERDICT_RETURN       },
        {"GET",  true,  true,  false, true,  URLP_VERDICT_RETRY_AT_ONCE},
    };
    struct urlp_retry_rules rules = urlp_retry_defaults;

    rules.total = 0; /* it is not counted */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct urlp_retry_state used = {.retried_stale = cases[i].retried};
        const struct urlp_attempt attempt = {.status = 408,
                                             .method = urlp_span_of(cases[i].method),
                                             .connection_reused = cases[i].reused,
                                             .says_close = cases[i].closes,
                                             .has_idempotency_key = cases[i].keyed,
                                             .request_bytes_sent = true,
                                             .response_bytes_seen = true,
                                             .body_can_rewind = true,
                                             .retry_after_ms = -1};
        const struct urlp_verdict got = urlp_verdict_of(&rules, &used, &attempt);

        ck_assert_msg(got.kind == cases[i].kind, "case %zu: %d", i, (int)got.kind);
        ck_assert_int_eq(got.state.total, 0);
        ck_assert(got.state.retried_stale == (cases[i].retried || got.kind != URLP_VERDICT_RETURN));
    }
}
END_TEST

/* Over budget, what would be tried again is not; all else is as it was. */
START_TEST(verdict__over_budget_is_the_end_of_retries_alone)
{
    static const struct {
        enum urlpool_code code;
        int status;
        bool raise, is_reused, is_redirect;
        enum urlp_verdict_kind kind;
    } cases[] = {
        {URLPOOL_E_CONNECT, 0,   false, false, false, URLP_VERDICT_MAX_RETRIES},
        {URLPOOL_E_RESET,   0,   false, false, false, URLP_VERDICT_MAX_RETRIES},
        {URLPOOL_E_RESET,   0,   false, true,  false, URLP_VERDICT_RETRY_FRESH},
        {URLPOOL_E_DECODE,  0,   false, false, false, URLP_VERDICT_FAIL       },
        {URLPOOL_OK,        503, false, false, false, URLP_VERDICT_RETURN     },
        {URLPOOL_OK,        503, true,  false, false, URLP_VERDICT_MAX_RETRIES},
        {URLPOOL_OK,        200, true,  false, false, URLP_VERDICT_RETURN     },
        {URLPOOL_OK,        302, true,  false, true,  URLP_VERDICT_REDIRECT   },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct urlp_retry_state used = {0};
        const struct urlp_attempt attempt = {.code = cases[i].code,
                                             .status = cases[i].status,
                                             .method = urlp_span_of("GET"),
                                             .connection_reused = cases[i].is_reused,
                                             .request_bytes_sent = true,
                                             .body_can_rewind = true,
                                             .is_redirect = cases[i].is_redirect,
                                             .is_over_budget = true,
                                             .retry_after_ms = 1000};
        struct urlp_retry_rules rules = urlp_retry_defaults;
        struct urlp_verdict got;

        rules.raise_on_status = cases[i].raise;
        got = urlp_verdict_of(&rules, &used, &attempt);
        ck_assert_msg(got.kind == cases[i].kind, "case %zu: %d", i, (int)got.kind);
        ck_assert_int_eq(got.state.total, 0);
        ck_assert_int_eq(got.state.row, 0);
    }
}
END_TEST

START_TEST(verdict__allows_the_methods_listed)
{
    static const struct {
        const char *methods, *method;
        bool is_allowed;
    } cases[] = {
        {"GET",          "GET",      true },
        {"GET",          "get",      false},
        {"GET",          "GE",       false},
        {"GET",          "GETS",     false},
        {" PUT ,,\tGET", "GET",      true },
        {"PUT, GET",     "PUT",      true },
        {"*",            "ANYTHING", true },
        {"PUT, *",       "POST",     true },
        {"*T",           "GET",      false},
        {"",             "GET",      false},
    };
    static const char *const by_default[] = {"HEAD", "GET", "PUT", "DELETE", "OPTIONS", "TRACE"};
    static const char *const not_by_default[] = {"POST", "PATCH", "CONNECT", "QUERY", "get", "*"};
    const struct urlp_retry_state used = {0};
    struct urlp_retry_rules rules = urlp_retry_defaults;
    struct urlp_attempt attempt = {
        .code = URLPOOL_E_READ_TIMEOUT, .request_bytes_sent = true, .body_can_rewind = true};

    for (size_t i = 0; i < COUNT_OF(by_default); i++) {
        attempt.method = urlp_span_of(by_default[i]);
        ck_assert_int_eq(urlp_verdict_of(&rules, &used, &attempt).kind, URLP_VERDICT_RETRY);
        attempt.method = urlp_span_of(not_by_default[i]);
        ck_assert_int_eq(urlp_verdict_of(&rules, &used, &attempt).kind, URLP_VERDICT_FAIL);
    }
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        rules.allowed_methods = cases[i].methods;
        attempt.method = urlp_span_of(cases[i].method);
        ck_assert_msg(urlp_verdict_of(&rules, &used, &attempt).kind ==
                          (cases[i].is_allowed ? URLP_VERDICT_RETRY : URLP_VERDICT_FAIL),
                      "\"%s\" and %s", cases[i].methods, cases[i].method);
    }
}
END_TEST

START_TEST(verdict__searches_the_whole_list_of_statuses)
{
    const struct urlp_retry_state used = {0};
    struct urlp_retry_rules rules = urlp_retry_defaults;
    struct urlp_attempt attempt = {
        .method = urlp_span_of("GET"), .body_can_rewind = true, .retry_after_ms = -1};

    for (int i = 0; i < URLPOOL_RETRY_STATUSES_MAX; i++) {
        rules.status_forcelist[i] = (uint16_t)(500 + i);
    }
    for (int status = 0; status < 1000; status++) {
        bool is_listed = status >= 500 && status < 500 + URLPOOL_RETRY_STATUSES_MAX;

        attempt.status = status;
        ck_assert_msg(urlp_verdict_of(&rules, &used, &attempt).kind ==
                          (is_listed ? URLP_VERDICT_RETRY : URLP_VERDICT_RETURN),
                      "%d", status);
    }
}
END_TEST

/* ---- pauses ---- */

START_TEST(pause__doubles_up_to_its_bound)
{
    static const struct {
        int64_t factor_ms, max_ms, jitter_ms;
        uint32_t chance;
        int num_before; /* retries in this row */
        int64_t wait_ms;
    } cases[] = {
  /* urllib3's 0, 0.4, 0.8 … for a factor of 0.2 */
        {200,       120000,    0,         0,                 0,       0               },
        {200,       120000,    0,         0,                 1,       400             },
        {200,       120000,    0,         0,                 2,       800             },
        {200,       120000,    0,         0,                 3,       1600            },
        {200,       120000,    0,         0,                 9,       102400          },
        {200,       120000,    0,         0,                 10,      120000          },
        {200,       120000,    0,         0,                 INT_MAX, 120000          },
        {1,         -1,        0,         0,                 62,      INT64_C(1) << 62},
        {1,         -1,        0,         0,                 63,      INT64_MAX       },
        {3,         -1,        0,         0,                 INT_MAX, INT64_MAX       },
        {INT64_MAX, -1,        INT64_MAX, UINT32_MAX,        1,       INT64_MAX       },
        {INT64_MAX, INT64_MAX, 1,         UINT32_MAX,        5,       INT64_MAX       },
        {0,         120000,    0,         0,                 7,       0               },
        {200,       0,         50,        UINT32_MAX,        7,       0               },
        {200,       399,       0,         0,                 1,       399             },
        {500,       300,       0,         0,                 1,       300             },
        {200,       401,       0,         0,                 2,       401             },
 /* jitter: none before the first, up to so much more, within the bound; without factor too
  */
        {200,       120000,    100,       UINT32_MAX,        0,       0               },
        {200,       120000,    100,       0,                 1,       400             },
        {200,       120000,    100,       UINT32_C(1) << 31, 1,       450             },
        {200,       120000,    100,       UINT32_MAX,        1,       499             },
        {200,       450,       100,       UINT32_MAX,        1,       450             },
        {0,         120000,    100,       UINT32_C(1) << 31, 3,       50              },
        {0,         -1,        INT64_MAX, UINT32_C(1) << 31, 3,       INT64_MAX / 2   },
    };
    const struct urlp_attempt failure = {.code = URLPOOL_E_CONNECT, .body_can_rewind = true};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_retry_rules rules = urlp_retry_defaults;
        const struct urlp_retry_state used = {.row = cases[i].num_before};
        struct urlp_attempt attempt = failure;
        struct urlp_verdict verdict;

        rules.backoff_factor_ms = cases[i].factor_ms;
        rules.backoff_max_ms = cases[i].max_ms;
        rules.backoff_jitter_ms = cases[i].jitter_ms;
        attempt.chance = cases[i].chance;
        verdict = urlp_verdict_of(&rules, &used, &attempt);
        ck_assert_int_eq(verdict.kind, URLP_VERDICT_RETRY);
        ck_assert_msg(verdict.wait_ms == cases[i].wait_ms, "case %zu: %lld ms", i,
                      (long long)verdict.wait_ms);
    }
}
END_TEST

START_TEST(pause__as_the_server_says_within_its_bound)
{
    static const struct {
        int64_t max_ms, asked_ms;
        bool clamp;
        enum urlp_verdict_kind kind;
        int64_t wait_ms;
    } cases[] = {
        {120000, 119999,    false, URLP_VERDICT_RETRY,  119999   },
        {120000, 120000,    false, URLP_VERDICT_RETRY,  120000   },
        {120000, 120001,    false, URLP_VERDICT_RETURN, 0        },
        {120000, INT64_MAX, false, URLP_VERDICT_RETURN, 0        },
        {120000, 120001,    true,  URLP_VERDICT_RETRY,  120000   },
        {120000, INT64_MAX, true,  URLP_VERDICT_RETRY,  120000   },
        {-1,     INT64_MAX, false, URLP_VERDICT_RETRY,  INT64_MAX},
        {0,      1,         false, URLP_VERDICT_RETURN, 0        },
        {0,      0,         false, URLP_VERDICT_RETRY,  400      }, /* falls through to back-off */
        {120000, 0,         true,  URLP_VERDICT_RETRY,  400      },
        {120000, 1,         false, URLP_VERDICT_RETRY,  1        }, /* instead of it */
    };
    const struct urlp_retry_state used = {.row = 1};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_retry_rules rules = urlp_retry_defaults;
        const struct urlp_attempt attempt = {.method = urlp_span_of("GET"),
                                             .body_can_rewind = true,
                                             .status = 503,
                                             .retry_after_ms = cases[i].asked_ms};
        struct urlp_verdict verdict;

        rules.backoff_factor_ms = 200;
        rules.retry_after_max_ms = cases[i].max_ms;
        rules.clamp_retry_after = cases[i].clamp;
        verdict = urlp_verdict_of(&rules, &used, &attempt);
        ck_assert_msg(verdict.kind == cases[i].kind && verdict.wait_ms == cases[i].wait_ms,
                      "case %zu: %d, %lld ms", i, (int)verdict.kind, (long long)verdict.wait_ms);
    }
}
END_TEST

/* ---- tries in a row ---- */

/* What came of one try, in one letter: c no connection, r reset on a fresh connection, s the same
 * on a used one, x certificate refused, 5 status 500, 3 a redirect, 2 success. */
static struct urlp_attempt attempt_of(char what)
{
    struct urlp_attempt attempt = {.method = urlp_span_of("GET"),
                                   .body_can_rewind = true,
                                   .request_bytes_sent = what != 'c' && what != 'x',
                                   .connection_reused = what == 's',
                                   .retry_after_ms = -1};

    switch (what) {
    case 'c':
        attempt.code = URLPOOL_E_CONNECT;
        break;
    case 'x':
        attempt.code = URLPOOL_E_TLS_VERIFY;
        break;
    case 'r':
    case 's':
        attempt.code = URLPOOL_E_RESET;
        break;
    default:
        attempt.status = (what - '0') * 100;
        attempt.is_redirect = what == '3';
        break;
    }
    return attempt;
}

/* Judges tries until one is the last; pauses are added up. */
static enum urlp_verdict_kind run(const struct urlp_retry_rules *rules, const char *tries,
                                  int64_t *out_wait_ms, size_t *out_num_tries)
{
    struct urlp_retry_state used = {0};
    struct urlp_verdict verdict;
    size_t i = 0;

    *out_wait_ms = 0;
    do {
        const struct urlp_attempt attempt = attempt_of(tries[i]);

        ck_assert_msg(tries[i] != '\0', "\"%s\" is not enough", tries);
        verdict = urlp_verdict_of(rules, &used, &attempt);
        used = verdict.state;
        *out_wait_ms += verdict.wait_ms;
        i++;
    } while (verdict.kind >= URLP_VERDICT_RETRY_FRESH);
    *out_num_tries = i;
    return verdict.kind;
}

static const struct {
    struct urlpool_retry retry;
    const char *tries;
    enum urlp_verdict_kind kind;
    int64_t wait_ms;
} rows[] = {
    {{0},                                                  "2",                     URLP_VERDICT_RETURN,             0  },
    {{0},                                                  "cccc",                  URLP_VERDICT_MAX_RETRIES,        60 },
    {{0},                                                  "crc5",                  URLP_VERDICT_RETURN,             60 },
    {{0},                                                  "crc2",                  URLP_VERDICT_RETURN,             60 },
    {{0},                                                  "srrrr",                 URLP_VERDICT_MAX_RETRIES,        60 },
    {{.total = URLPOOL_NONE},                              "c",                     URLP_VERDICT_FAIL,               0  },
    {{.total = URLPOOL_NONE},                              "r",                     URLP_VERDICT_FAIL,               0  },
    {{.total = URLPOOL_NONE},                              "sr",                    URLP_VERDICT_FAIL,               0  },
    {{.total = URLPOOL_NONE},                              "s2",                    URLP_VERDICT_RETURN,             0  },
    {{.total = URLPOOL_NONE},                              "3",                     URLP_VERDICT_TOO_MANY_REDIRECTS, 0  },
    {{.total = URLPOOL_NONE, .redirect = 5},               "3",                     URLP_VERDICT_TOO_MANY_REDIRECTS, 0  },
    {{.total = URLPOOL_NO_TIMEOUT, .connect = 1},          "rrcrrc",                URLP_VERDICT_MAX_RETRIES,        300},
    {{.connect = URLPOOL_NONE},                            "c",                     URLP_VERDICT_FAIL,               0  },
    {{.connect = URLPOOL_NONE},                            "rc",                    URLP_VERDICT_FAIL,               0  },
    {{.read = URLPOOL_NONE},                               "ccr",                   URLP_VERDICT_FAIL,               20 },
    {{.read = 1},                                          "ccrr",                  URLP_VERDICT_MAX_RETRIES,        60 },
    {{.total = 1},                                         "rx",                    URLP_VERDICT_FAIL,               0  },
 /* the status counts only where it is asked for */
    {{.status_forcelist = {500}},                          "5555",                  URLP_VERDICT_RETURN,             60 },
    {{.status_forcelist = {500}, .status = 1},             "c55",                   URLP_VERDICT_RETURN,             20 },
    {{.status_forcelist = {500}, .raise_on_status = true}, "55r5",                  URLP_VERDICT_MAX_RETRIES,        60 },
    {{.status_forcelist = {500}},                          "552",                   URLP_VERDICT_RETURN,             20 },
 /* redirects are counted apart, and begin a new row */
    {{.total = 1},                                         "333c33r",               URLP_VERDICT_MAX_RETRIES,        0  },
    {{0},                                                  "cc3cr",                 URLP_VERDICT_MAX_RETRIES,        20 },
    {{0},                                                  "c3s3s3c2",              URLP_VERDICT_RETURN,             0  },
    {{.redirect = 2},                                      "333",                   URLP_VERDICT_TOO_MANY_REDIRECTS, 0  },
    {{.redirect = 2},                                      "c3c3",                  URLP_VERDICT_TOO_MANY_REDIRECTS, 0  },
    {{.redirect = 3},                                      "333c",                  URLP_VERDICT_FAIL,               0  },
    {{.redirect = URLPOOL_NONE},                           "3",                     URLP_VERDICT_TOO_MANY_REDIRECTS, 0  },
    {{.redirect = 2, .return_last_redirect = true},        "333",                   URLP_VERDICT_RETURN,             0  },
    {{0},                                                  "333333333333333333333", URLP_VERDICT_TOO_MANY_REDIRECTS, 0  },
};

START_TEST(row__ends_where_the_counts_say)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct urlp_retry_rules rules;
        int64_t wait_ms = 0;
        size_t num_tries = 0;

        ck_assert_int_eq(urlp_retry_resolve(&rows[i].retry, &urlp_retry_defaults, &rules, NULL),
                         URLPOOL_OK);
        rules.backoff_factor_ms = 10;

        enum urlp_verdict_kind kind = run(&rules, rows[i].tries, &wait_ms, &num_tries);

        ck_assert_msg(kind == rows[i].kind, "case %zu, \"%s\": %d", i, rows[i].tries, (int)kind);
        ck_assert_msg(num_tries == strlen(rows[i].tries), "case %zu, \"%s\": %zu tries", i,
                      rows[i].tries, num_tries);
        ck_assert_msg(wait_ms == rows[i].wait_ms, "case %zu, \"%s\": %lld ms", i, rows[i].tries,
                      (long long)wait_ms);
    }
}
END_TEST

START_TEST(verdict__of_a_proxys_failure_is_by_its_cause_or_its_answer)
{
    static const struct {
        enum urlpool_code cause;
        int status;
        int kind;
    } cases[] = {
        {URLPOOL_E_RESOLVE,             0,   CONNECT},
        {URLPOOL_E_CONNECT,             0,   CONNECT},
        {URLPOOL_E_CONNECT_TIMEOUT,     0,   CONNECT},
        {URLPOOL_E_RESET,               0,   CONNECT},
        {URLPOOL_E_REMOTE_DISCONNECTED, 0,   CONNECT},
        {URLPOOL_E_BAD_STATUS_LINE,     0,   CONNECT},
        {URLPOOL_E_TLS,                 0,   OTHER  },
        {URLPOOL_E_TLS_VERIFY,          0,   NEVER  },
        {URLPOOL_E_TLS_HOSTNAME,        0,   NEVER  },
        {URLPOOL_E_TLS_EXPIRED,         0,   NEVER  },
        {URLPOOL_E_TLS_PIN,             0,   NEVER  },
        {URLPOOL_E_TLS_CLIENT_CERT,     0,   NEVER  },
        {URLPOOL_OK,                    0,   NEVER  },
        {URLPOOL_OK,                    407, NEVER  },
        {URLPOOL_OK,                    403, NEVER  },
        {URLPOOL_OK,                    401, NEVER  },
        {URLPOOL_OK,                    302, NEVER  },
        {URLPOOL_OK,                    501, NEVER  },
        {URLPOOL_OK,                    408, CONNECT},
        {URLPOOL_OK,                    429, CONNECT},
        {URLPOOL_OK,                    500, CONNECT},
        {URLPOOL_OK,                    502, CONNECT},
        {URLPOOL_OK,                    503, CONNECT},
        {URLPOOL_OK,                    504, CONNECT},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct urlp_retry_state used = {0};
        const struct urlp_attempt attempt = {.code = URLPOOL_E_PROXY,
                                             .cause = cases[i].cause,
                                             .proxy_status = cases[i].status,
                                             .method = urlp_span_of("POST"),
                                             .body_can_rewind = true,
                                             .retry_after_ms = -1};
        const struct urlp_verdict got = urlp_verdict_of(&urlp_retry_defaults, &used, &attempt);

        ck_assert_msg(got.kind == (cases[i].kind == NEVER ? URLP_VERDICT_FAIL : URLP_VERDICT_RETRY),
                      "cause %d, status %d", (int)cases[i].cause, cases[i].status);
        ck_assert_int_eq(got.state.connect, cases[i].kind == CONNECT ? 1 : 0);
        ck_assert_int_eq(got.state.other, cases[i].kind == OTHER ? 1 : 0);
    }
}
END_TEST

RUN_TESTS("verdict", verdict__of_every_failure_is_as_decided,
          verdict__of_every_status_is_as_decided, verdict__of_every_redirect_is_as_decided,
          verdict__of_a_proxys_failure_is_by_its_cause_or_its_answer,
          verdict__leaves_expect_out_once_after_417,
          verdict__takes_a_408_that_has_crossed_the_request_for_stale,
          verdict__over_budget_is_the_end_of_retries_alone, verdict__allows_the_methods_listed,
          verdict__searches_the_whole_list_of_statuses, pause__doubles_up_to_its_bound,
          pause__as_the_server_says_within_its_bound, row__ends_where_the_counts_say)
