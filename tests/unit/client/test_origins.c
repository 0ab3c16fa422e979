/* Budgets and pauses of origins, on a clock that stands still: tokens to the hundredth, pauses to
 * the nanosecond, and that nothing is kept of an origin for which all is well again. */

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/origins.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

enum {
    NUM_THREADS = 4,
    NUM_TURNS = 2000,
    CHILD_SECONDS = 60
};

static const struct urlpool_retry_budget no_budget;
static const struct urlp_call no_limits = {.by = {INT64_MAX}, .total_by = {INT64_MAX}};

static int64_t unbounded = -1, at_once;

static struct urlp_origin origin_at(const char *host)
{
    return (struct urlp_origin){.host = urlp_span_of(host), .port = 80};
}

/* make makes origins with a budget of `tokens`, and pauses that are shared. */
static void make(struct urlp_origins *origins, int32_t tokens, int32_t percent)
{
    const struct urlpool_retry_budget budget = {.tokens = tokens, .percent = percent};

    memset(origins, 0, sizeof(*origins));
    ck_assert_int_eq(urlp_origins_make(origins, &budget, true, NULL), URLPOOL_OK);
}

/* take takes tokens until there is none, and says how many there were. */
static unsigned take_all(struct urlp_origins *origins, const struct urlp_origin *origin)
{
    unsigned num = 0;

    while (num < 1000 && urlp_origins_take_token(origins, origin)) {
        num++;
    }
    return num;
}

START_TEST(budget__is_as_large_as_asked_for)
{
    static const int32_t sizes[] = {1, 3, URLPOOL_NONE};
    static const unsigned expected[] = {1, 3, 0};
    const struct urlp_origin origin = origin_at("a.example");

    for (size_t i = 0; i < 3; i++) {
        struct urlp_origins origins;

        make(&origins, sizes[i], 0);
        ck_assert_uint_eq(take_all(&origins, &origin), expected[i]);
        urlp_origins_deinit(&origins);
    }
}
END_TEST

START_TEST(budget__has_no_bound_unless_asked_for)
{
    const struct urlp_origin origin = origin_at("a.example");
    struct urlp_origins origins;

    make(&origins, 0, 0);
    ck_assert_uint_eq(take_all(&origins, &origin), 1000);
    urlp_origins_deinit(&origins);
    make(&origins, URLPOOL_NO_TIMEOUT, 0);
    ck_assert_uint_eq(take_all(&origins, &origin), 1000);
    ck_assert_uint_eq(urlp_origins_count(&origins), 0);
    urlp_origins_deinit(&origins);
}
END_TEST

START_TEST(budget__is_refilled_by_what_ends_well)
{
    static const int32_t percents[] = {0, 10, 50, 100};
    static const unsigned turns[] = {10, 10, 2, 1};
    const struct urlp_origin origin = origin_at("a.example");

    for (size_t i = 0; i < 4; i++) {
        struct urlp_origins origins;

        make(&origins, 2, percents[i]);
        ck_assert_uint_eq(take_all(&origins, &origin), 2);
        for (unsigned n = 1; n < turns[i]; n++) {
            urlp_origins_note_success(&origins, &origin);
        }
        ck_assert(!urlp_origins_take_token(&origins, &origin));
        urlp_origins_note_success(&origins, &origin);
        ck_assert_uint_eq(take_all(&origins, &origin), 1);
        urlp_origins_deinit(&origins);
    }
}
END_TEST

START_TEST(budget__that_is_full_again_leaves_no_record)
{
    const struct urlp_origin origin = origin_at("a.example");
    struct urlp_origins origins;

    make(&origins, 2, 70);
    ck_assert_uint_eq(urlp_origins_count(&origins), 0);
    ck_assert(urlp_origins_take_token(&origins, &origin));
    ck_assert_uint_eq(urlp_origins_count(&origins), 1);
    urlp_origins_note_success(&origins, &origin);
    ck_assert_uint_eq(urlp_origins_count(&origins), 1);
    urlp_origins_note_success(&origins, &origin); /* 240 hundredths are 200 */
    ck_assert_uint_eq(urlp_origins_count(&origins), 0);
    ck_assert_uint_eq(take_all(&origins, &origin), 2);
    urlp_origins_deinit(&origins);
}
END_TEST

START_TEST(budget__is_each_origins_own)
{
    struct urlp_origin others[] = {origin_at("a.example"), origin_at("a.example"),
                                   origin_at("a.example"), origin_at("b.example")};
    const struct urlp_origin origin = origin_at("a.example");
    struct urlp_origins origins;

    others[0].port = 81;
    others[1].is_https = true;
    others[2].zone = urlp_span_of("eth0");
    make(&origins, 1, 0);
    ck_assert_uint_eq(take_all(&origins, &origin), 1);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(take_all(&origins, &others[i]), 1);
    }
    ck_assert_uint_eq(urlp_origins_count(&origins), 5);
    urlp_origins_deinit(&origins);
}
END_TEST

START_TEST(budget__refuses_what_has_no_meaning)
{
    static const struct urlpool_retry_budget bad[] = {
        {.tokens = -3  },
        {.tokens = 1,    .percent = 101},
        {.tokens = 1,              .percent = -1},
        {.tokens = 1,.percent = -3},
        {.reserved = {1}   },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct urlp_origins origins = {0};
        struct urlpool_error err = {0};

        ck_assert_int_eq(urlp_origins_make(&origins, &bad[i], false, &err), URLPOOL_E_INVALID);
        ck_assert_ptr_nonnull(strstr(err.message, "retry_budget"));
    }
}
END_TEST

START_TEST(records__are_bounded)
{
    struct urlp_origins origins;
    struct urlp_origin first = origin_at("h0.example");
    struct urlp_origin last;
    char name[32];

    make(&origins, 1, 0);
    for (unsigned i = 0; i <= URLP_ORIGINS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "h%u.example", i);
        last = origin_at(name);
        ck_assert(urlp_origins_take_token(&origins, &last));
    }
    ck_assert_uint_eq(urlp_origins_count(&origins), URLP_ORIGINS_MAX);
    ck_assert(!urlp_origins_take_token(&origins, &last));
    ck_assert(urlp_origins_take_token(&origins, &first)); /* was forgotten */
    urlp_origins_deinit(&origins);
}
END_TEST

START_TEST(records__without_memory_are_as_if_all_were_well)
{
    const struct urlp_origin origin = origin_at("a.example");

    failing_allocator_install();
    for (uint64_t n = 1;; n++) {
        struct urlp_origins origins;

        make(&origins, 1, 0);
        failing_allocator_fail_nth(n);
        ck_assert(urlp_origins_take_token(&origins, &origin));
        urlp_origins_pause(&origins, &origin, 1000);
        failing_allocator_fail_nth(0);
        urlp_origins_deinit(&origins);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        if (n > 8) {
            break;
        }
    }
    failing_allocator_remove();
}
END_TEST

/* --- pauses ----------------------------------------------------------------------------------- */

/* struct visit is a thread that waits for an origin. */
struct visit {
    struct urlp_origins *origins;
    struct urlp_origin origin;
    int64_t pool_ms;
    struct urlp_call call;
    enum urlpool_code code;
    struct urlpool_error err;
    pthread_t thread;
};

static void *await(void *arg)
{
    struct visit *visit = arg;

    visit->code = urlp_origins_await(visit->origins, &visit->origin, &visit->pool_ms, &visit->call,
                                     &visit->err);
    return NULL;
}

static void begin(struct visit *visit, struct urlp_origins *origins, int64_t pool_ms,
                  int64_t total_ms)
{
    *visit = (struct visit){.origins = origins,
                            .origin = origin_at("a.example"),
                            .pool_ms = pool_ms,
                            .call = no_limits};
    visit->call.total_by = visit->call.by = urlp_deadline_in(total_ms);
    ck_assert_int_eq(pthread_create(&visit->thread, NULL, await, visit), 0);
}

static void advance_ms(int64_t ms)
{
    urlp_clock_fake_advance(ms * URLP_NS_PER_MS);
}

START_TEST(pause__keeps_all_away_until_it_is_over)
{
    struct visit visits[3];
    struct urlp_origins origins;

    urlp_clock_fake_begin(URLP_NS_PER_MS);
    make(&origins, 0, 0);
    urlp_origins_pause(&origins,
                       &(struct urlp_origin){.host = urlp_span_of("a.example"), .port = 80}, 5000);
    for (size_t i = 0; i < 3; i++) {
        begin(&visits[i], &origins, -1, -1);
    }
    urlp_clock_fake_await_waiters(3);
    advance_ms(4999);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 3);
    advance_ms(1);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_join(visits[i].thread, NULL), 0);
        ck_assert_int_eq(visits[i].code, URLPOOL_OK);
    }
    ck_assert_uint_eq(urlp_origins_count(&origins), 0);
    urlp_origins_deinit(&origins);
    urlp_clock_fake_end();
}
END_TEST

START_TEST(pause__is_prolonged_and_never_shortened)
{
    const struct urlp_origin origin = origin_at("a.example");
    struct urlp_origins origins;
    struct visit visit;

    urlp_clock_fake_begin(URLP_NS_PER_MS);
    make(&origins, 0, 0);
    urlp_origins_pause(&origins, &origin, 1000);
    begin(&visit, &origins, -1, -1);
    urlp_clock_fake_await_waiters(1);
    urlp_origins_pause(&origins, &origin, 3000);
    urlp_origins_pause(&origins, &origin, 10);
    advance_ms(1000);
    urlp_clock_fake_await_waiters(1);
    advance_ms(1999);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
    advance_ms(1);
    ck_assert_int_eq(pthread_join(visit.thread, NULL), 0);
    ck_assert_int_eq(visit.code, URLPOOL_OK);
    urlp_origins_deinit(&origins);
    urlp_clock_fake_end();
}
END_TEST

START_TEST(pause__ends_at_the_callers_limits)
{
    static const struct {
        int64_t pool_ms, total_ms;
        enum urlpool_code code;
    } cases[] = {
        {700, -1,  URLPOOL_E_POOL_TIMEOUT },
        {-1,  700, URLPOOL_E_TOTAL_TIMEOUT},
        {900, 700, URLPOOL_E_TOTAL_TIMEOUT},
    };

    for (size_t i = 0; i < 3; i++) {
        const struct urlp_origin origin = origin_at("a.example");
        struct urlp_origins origins;
        struct visit visit;

        urlp_clock_fake_begin(URLP_NS_PER_MS);
        make(&origins, 0, 0);
        urlp_origins_pause(&origins, &origin, 1000);
        begin(&visit, &origins, cases[i].pool_ms, cases[i].total_ms);
        urlp_clock_fake_await_waiters(1);
        advance_ms(699);
        ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
        advance_ms(1);
        ck_assert_int_eq(pthread_join(visit.thread, NULL), 0);
        ck_assert_int_eq(visit.code, cases[i].code);
        ck_assert_int_eq(visit.err.phase, URLPOOL_PHASE_POOL);
        ck_assert_str_eq(visit.err.message,
                         "a.example:80 has asked by Retry-After to be left alone "
                         "for 300 ms more");
        urlp_origins_deinit(&origins);
        urlp_clock_fake_end();
    }
}
END_TEST

START_TEST(pause__ends_with_a_cancel)
{
    const struct urlp_origin origin = origin_at("a.example");
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_call call = no_limits;
    struct urlp_origins origins;
    struct urlpool_error err = {0};

    make(&origins, 0, 0);
    urlp_origins_pause(&origins, &origin, 60000);
    urlpool_cancel_now(cancel);
    call.cancel = cancel;
    ck_assert_int_eq(urlp_origins_await(&origins, &origin, &unbounded, &call, &err),
                     URLPOOL_E_CANCELLED);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_POOL);
    ck_assert_str_eq(err.message,
                     "cancelled while a.example:80 was left alone, as it has asked by Retry-After");
    urlp_origins_deinit(&origins);
    urlpool_cancel_free(cancel);
}
END_TEST

START_TEST(pause__names_an_address_of_ipv6_in_brackets)
{
    const struct urlp_origin origin = origin_at("::1");
    struct urlp_origins origins;
    struct urlpool_error err = {0};
    int64_t pool_ms = 0;

    urlp_clock_fake_begin(URLP_NS_PER_MS);
    make(&origins, 0, 0);
    urlp_origins_pause(&origins, &origin, 60000);
    ck_assert_int_eq(urlp_origins_await(&origins, &origin, &pool_ms, &no_limits, &err),
                     URLPOOL_E_POOL_TIMEOUT);
    ck_assert_str_eq(err.message,
                     "[::1]:80 has asked by Retry-After to be left alone for 60000 ms more");
    urlp_origins_deinit(&origins);
    urlp_clock_fake_end();
}
END_TEST

START_TEST(pause__is_not_shared_unless_asked_for)
{
    const struct urlp_origin origin = origin_at("a.example");
    struct urlp_origins origins = {0};

    ck_assert_int_eq(urlp_origins_make(&origins, &no_budget, false, NULL), URLPOOL_OK);
    urlp_origins_pause(&origins, &origin, 60000);
    ck_assert_uint_eq(urlp_origins_count(&origins), 0);
    ck_assert_int_eq(urlp_origins_await(&origins, &origin, &unbounded, &no_limits, NULL),
                     URLPOOL_OK);
    urlp_origins_deinit(&origins);
}
END_TEST

START_TEST(child__begins_with_nothing_known)
{
    const struct urlp_origin origin = origin_at("a.example");
    struct urlp_origins origins;
    int status = 0;
    pid_t child;

    make(&origins, 1, 0);
    ck_assert_uint_eq(take_all(&origins, &origin), 1);
    urlp_origins_pause(&origins, &origin, 60000);
    child = fork();
    if (child == 0) {
        (void)alarm(CHILD_SECONDS);
        _exit(urlp_origins_count(&origins) == 0 &&
                      urlp_origins_await(&origins, &origin, &at_once, &no_limits, NULL) ==
                          URLPOOL_OK &&
                      take_all(&origins, &origin) == 1
                  ? 0
                  : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(take_all(&origins, &origin), 0);
    urlp_origins_deinit(&origins);
}
END_TEST

/* --- threads ---------------------------------------------------------------------------------- */

struct crowd {
    struct urlp_origins origins;
    _Atomic unsigned num_taken, num_good;
};

static void *spend_and_earn(void *arg)
{
    static const char *const hosts[] = {"a.example", "b.example"};
    struct crowd *crowd = arg;

    for (int i = 0; i < NUM_TURNS; i++) {
        const struct urlp_origin origin = origin_at(hosts[i % 2]);

        atomic_fetch_add(&crowd->num_taken, urlp_origins_take_token(&crowd->origins, &origin));
        if (i % 10 < 2) {
            urlp_origins_note_success(&crowd->origins, &origin);
            atomic_fetch_add(&crowd->num_good, 1);
        }
    }
    return NULL;
}

START_TEST(budget__is_kept_by_all_threads_together)
{
    static struct crowd crowd;
    pthread_t threads[NUM_THREADS];

    make(&crowd.origins, 5, 50);
    for (size_t i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, spend_and_earn, &crowd), 0);
    }
    for (size_t i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    ck_assert_uint_le(crowd.num_taken, 2 * 5 + crowd.num_good / 2);
    ck_assert_uint_ge(crowd.num_taken, 2 * 5);
    urlp_origins_deinit(&crowd.origins);
}
END_TEST

RUN_TESTS("origins", budget__is_as_large_as_asked_for, budget__has_no_bound_unless_asked_for,
          budget__is_refilled_by_what_ends_well, budget__that_is_full_again_leaves_no_record,
          budget__is_each_origins_own, budget__refuses_what_has_no_meaning, records__are_bounded,
          records__without_memory_are_as_if_all_were_well, pause__keeps_all_away_until_it_is_over,
          pause__is_prolonged_and_never_shortened, pause__ends_at_the_callers_limits,
          pause__names_an_address_of_ipv6_in_brackets, pause__ends_with_a_cancel,
          pause__is_not_shared_unless_asked_for, child__begins_with_nothing_known,
          budget__is_kept_by_all_threads_together)
