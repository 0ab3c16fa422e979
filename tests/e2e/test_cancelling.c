/* Cancelling, in every state in which a call can stand still (support/halts.h): it returns although
 * the peer stays silent and no time limit is set, and nothing of it is left. */

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/halts.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    NUM_THREADS = 8,
    ROUNDS_MAX = 5000
};

/* Where a cancel comes from. */
enum origin {
    FROM_THREAD,  /* another thread */
    FROM_HANDLER, /* a signal handler that interrupts another thread */
    FROM_WITHIN,  /* a signal handler that interrupts the very wait */
    ORIGIN_NUM
};

static struct urlpool_cancel *signalled;

static void on_signal(int number)
{
    (void)number;
    urlpool_cancel_now(signalled);
}

/* A thread that cancels as soon as the call stands still. */
struct canceller {
    struct halt *halt;
    struct urlpool_cancel *cancel;
    enum origin origin;
};

static void *cancel_then(void *arg)
{
    struct canceller *canceller = arg;

    halt_await(canceller->halt);
    switch (canceller->origin) {
    case FROM_THREAD:
        urlpool_cancel_now(canceller->cancel);
        break;
    case FROM_HANDLER:
        ck_assert_int_eq(raise(SIGUSR1), 0);
        break;
    default:
        halt_signal(canceller->halt, SIGUSR1);
    }
    return NULL;
}

/* catch_signals has SIGUSR1 cancel `cancel`. */
static void catch_signals(struct urlpool_cancel *cancel)
{
    const struct sigaction action = {.sa_handler = on_signal};

    signalled = cancel;
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
}

/* expect_error looks at what a cancelled call has said. */
static void expect_error(const struct halt *halt, enum urlpool_code code,
                         const struct urlpool_error *err)
{
    const char *name = halt->kind->name;

    ck_assert_msg(code == URLPOOL_E_CANCELLED && err->code == code, "%s: %s: %s", name,
                  urlpool_code_name(code), err->message);
    ck_assert_msg(err->phase == halt->kind->phase, "%s: phase %s", name,
                  urlpool_phase_name(err->phase));
    ck_assert_msg(strstr(err->message, "cancelled") != NULL, "%s: %s", name, err->message);
    ck_assert_msg(strstr(err->message, "secret") == NULL, "%s: %s", name, err->message);
    ck_assert(!urlpool_code_is(err->code, URLPOOL_CLASS_TIMEOUT));
    ck_assert_msg(err->maybe_processed == halt->kind->outcome->may_be_processed, "%s: %d", name,
                  err->maybe_processed);
}

/* expect_figures holds the manager's counters against what is left of a cancelled call. */
static void expect_figures(const struct halt *halt)
{
    const struct halt_outcome *outcome = halt->kind->outcome;
    const struct urlpool_stats stats = test_stats(halt->manager);
    const char *name = halt->kind->name;
    uint64_t closed = 0;

    for (size_t i = 0; i < URLPOOL_CLOSED_NUM; i++) {
        closed += stats.closed[i];
    }
    ck_assert_msg(stats.open == outcome->left, "%s: %u open", name, (unsigned)stats.open);
    ck_assert_msg(stats.dialling == 0 && stats.waiting == 0, "%s: %u dial, %u wait", name,
                  (unsigned)stats.dialling, (unsigned)stats.waiting);
    ck_assert_msg(stats.opened == outcome->opened, "%s: %u opened", name, (unsigned)stats.opened);
    ck_assert_msg(stats.dial_failures == outcome->dial_failures, "%s: %u dials failed", name,
                  (unsigned)stats.dial_failures);
    ck_assert_msg(closed == outcome->closed, "%s: %u closed", name, (unsigned)closed);
    ck_assert_msg(stats.closed[outcome->why] == outcome->closed, "%s: not closed as %s", name,
                  urlpool_closed_name(outcome->why));
    ck_assert_msg(stats.wait_timeouts == 0, "%s: counted as a time-out", name);
}

/* await_descriptors waits until this process, in which the peers live too, has no more of them than
 * `num`. */
static void await_descriptors(const struct halt *halt, unsigned num)
{
    for (int i = 0; loopback_num_fds() > num; i++) {
        ck_assert_msg(i < ROUNDS_MAX, "%s: %u descriptors, and %u before", halt->kind->name,
                      loopback_num_fds(), num);
        (void)poll(NULL, 0, 1);
    }
    ck_assert_uint_eq(loopback_num_fds(), num);
}

/* expect_fit makes another request to the same peer, which now answers. */
static void expect_fit(struct halt *halt)
{
    struct urlpool_response *response =
        urlpool_request(halt->manager, "GET", halt->url, NULL, &test_err);

    ck_assert_msg(response != NULL, "%s: %s", halt->kind->name, test_err.message);
    ck_assert_str_eq((const char *)response->data, "good");
    ck_assert(!response->connection_reused);
    ck_assert_uint_eq(test_stats(halt->manager).opened, halt->kind->outcome->opened + 1);
    urlpool_response_free(response);
}

START_TEST(cancel__ends_a_call_wherever_it_stands_still)
{
    struct halt halt;
    struct canceller canceller = {&halt, urlpool_cancel_new(&test_err),
                                  (enum origin)(_i % ORIGIN_NUM)};
    enum urlpool_code code;
    unsigned num_fds;
    pthread_t thread;

    ck_assert_ptr_nonnull(canceller.cancel);
    catch_signals(canceller.cancel);
    halt_begin(&halt, (size_t)_i / ORIGIN_NUM);
    num_fds = loopback_num_fds();
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_then, &canceller), 0);
    code = halt_call(&halt, canceller.cancel, &test_err);
    pthread_join(thread, NULL);
    expect_error(&halt, code, &test_err);
    halt_leave(&halt);
    expect_figures(&halt);
    halt_part(&halt);
    await_descriptors(&halt, num_fds + (test_stats(halt.manager).idle > 0 ? 1 : 0));
    if (halt.kind->outcome->is_fit) {
        expect_fit(&halt);
    }
    halt_end(&halt);
    urlpool_cancel_free(canceller.cancel);
}
END_TEST

START_TEST(cancel__that_came_before_lets_nothing_begin)
{
    struct halt halt;
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
    unsigned num_fds;

    urlpool_cancel_now(cancel);
    halt_begin(&halt, (size_t)_i);
    num_fds = loopback_num_fds();
    ck_assert_int_eq(halt_call(&halt, cancel, &test_err), URLPOOL_E_CANCELLED);
    ck_assert_int_eq(test_err.code, URLPOOL_E_CANCELLED);
    ck_assert_msg(!test_err.maybe_processed, "%s: %s", halt.kind->name, test_err.message);
    halt_leave(&halt);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
    ck_assert_uint_eq(test_stats(halt.manager).opened, halt.held != NULL ? 1 : 0);
    ck_assert_uint_eq(test_stats(halt.manager).waits, 0);
    halt_end(&halt);
    urlpool_cancel_free(cancel);
}
END_TEST

/* One of the calls that one token ends. */
struct party {
    struct halt halt;
    const struct urlpool_cancel *cancel;
    enum urlpool_code code;
    struct urlpool_error err;
};

static void *take_part(void *arg)
{
    struct party *party = arg;

    party->code = halt_call(&party->halt, party->cancel, &party->err);
    return NULL;
}

START_TEST(cancel__of_one_token_ends_calls_in_every_state_at_once)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
    struct party *parties = calloc(HALT_NUM, sizeof(*parties));
    pthread_t threads[HALT_NUM];

    ck_assert_ptr_nonnull(parties);
    for (size_t i = 0; i < HALT_NUM; i++) {
        parties[i].cancel = cancel;
        halt_begin(&parties[i].halt, i);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_part, &parties[i]), 0);
    }
    for (size_t i = 0; i < HALT_NUM; i++) {
        halt_await(&parties[i].halt);
    }
    urlpool_cancel_now(cancel);
    for (size_t i = 0; i < HALT_NUM; i++) {
        pthread_join(threads[i], NULL);
        expect_error(&parties[i].halt, parties[i].code, &parties[i].err);
        halt_leave(&parties[i].halt);
        expect_figures(&parties[i].halt);
        halt_end(&parties[i].halt);
    }
    free(parties);
    urlpool_cancel_free(cancel);
}
END_TEST

/* One of many threads that wait for the same place. */
struct waiter {
    struct halt *halt;
    struct urlpool_cancel *cancel;
    enum urlpool_code code;
};

static void *wait_for_place(void *arg)
{
    struct waiter *waiter = arg;
    const struct urlpool_request_options options = {.cancel = waiter->cancel};
    struct urlpool_error err;
    struct urlpool_response *response =
        urlpool_request(waiter->halt->manager, "GET", waiter->halt->url, &options, &err);

    waiter->code = response == NULL ? err.code : URLPOOL_OK;
    urlpool_response_free(response);
    return NULL;
}

START_TEST(cancel__of_one_token_ends_every_request_that_holds_it_and_no_other)
{
    struct halt halt;
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
    struct waiter waiters[NUM_THREADS];
    pthread_t threads[NUM_THREADS];

    halt_begin(&halt, 0);
    for (int i = 0; i < NUM_THREADS; i++) {
        waiters[i] = (struct waiter){.halt = &halt, .cancel = i % 2 == 0 ? cancel : NULL};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_place, &waiters[i]), 0);
    }
    while (test_stats(halt.manager).waiting < NUM_THREADS) {
        sched_yield();
    }
    urlpool_cancel_now(cancel);
    for (int i = 0; i < NUM_THREADS; i += 2) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(waiters[i].code, URLPOOL_E_CANCELLED);
    }
    ck_assert_uint_eq(test_stats(halt.manager).waiting, NUM_THREADS / 2);
    urlpool_response_free(halt.held);
    halt.held = NULL;
    for (int i = 1; i < NUM_THREADS; i += 2) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(waiters[i].code, URLPOOL_OK);
    }
    ck_assert_uint_eq(test_server_num_connections(halt.server), 1);
    halt_end(&halt);
    urlpool_cancel_free(cancel);
}
END_TEST

/* begin_body has the first four bytes of a body of ten, from a peer that says no more. */
static struct silent_peer *begin_body(struct urlpool_manager *manager,
                                      const struct urlpool_cancel *cancel,
                                      struct urlpool_response **out_response)
{
    static const struct silent_script half = {
        {SILENT_HEARS, SILENT_SAYS("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")},
        2, false
    };
    const struct urlpool_request_options options = {.stream = true, .cancel = cancel};
    struct silent_peer *peer = silent_peer_start(&half, NULL);
    char url[64];
    char buf[4];
    size_t len = 0;

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", silent_peer_port(peer));
    *out_response = urlpool_request(manager, "GET", url, &options, &test_err);
    ck_assert_msg(*out_response != NULL, "%s", test_err.message);
    ck_assert_int_eq(urlpool_response_read_exact(*out_response, buf, 4, &len, &test_err),
                     URLPOOL_OK);
    return peer;
}

START_TEST(cancel__between_two_reads_ends_the_next)
{
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
    struct urlpool_response *response;
    struct silent_peer *peer = begin_body(manager, cancel, &response);
    char buf[16];
    size_t len = 0;

    urlpool_cancel_now(cancel);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(urlpool_response_read(response, buf, sizeof(buf), &len, &test_err),
                         URLPOOL_E_CANCELLED);
        ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
    }
    ck_assert_uint_eq(test_stats(manager).open, 0); /* before it is freed */
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    silent_peer_stop(peer);
    urlpool_cancel_free(cancel);
}
END_TEST

/* A thread that cancels as soon as another sleeps. */
static void *cancel_a_drain(void *arg)
{
    struct canceller *canceller = arg;

    halt_await_rest(canceller->halt);
    urlpool_cancel_now(canceller->cancel);
    return NULL;
}

/* Time stands still, so that the bound of the drain's own never comes. */
START_TEST(cancel__ends_a_drain)
{
    static const struct halt_kind kind = {.name = "urlpool_response_drain"};
    struct halt halt = {.kind = &kind};
    struct urlpool_manager *manager = test_manager(NULL);
    struct canceller canceller = {&halt, urlpool_cancel_new(&test_err), FROM_THREAD};
    struct urlpool_response *response;
    struct silent_peer *peer;
    pthread_t thread;

    urlp_clock_fake_begin(URLP_NS_PER_MS);
    peer = begin_body(manager, canceller.cancel, &response);
    halt_note_thread(&halt);
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_a_drain, &canceller), 0);
    urlpool_response_drain(response);
    ck_assert(urlpool_cancel_is_set(canceller.cancel));
    pthread_join(thread, NULL);
    ck_assert(urlpool_response_is_closed(response));
    ck_assert_uint_eq(test_stats(manager).open, 0);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_UNREAD], 1);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    silent_peer_stop(peer);
    urlpool_cancel_free(canceller.cancel);
    urlp_clock_fake_end();
}
END_TEST

static atomic_int num_signals;

static void on_nothing(int number)
{
    (void)number;
    num_signals++;
}

/* signal_then interrupts the wait by a signal that cancels nothing, sees that the call waits on,
 * and cancels. */
static void *signal_then(void *arg)
{
    struct canceller *canceller = arg;

    halt_await(canceller->halt);
    halt_signal(canceller->halt, SIGUSR1);
    while (num_signals == 0) {
        sched_yield();
    }
    halt_await_rest(canceller->halt);
    urlpool_cancel_now(canceller->cancel);
    return NULL;
}

START_TEST(signal__that_is_no_cancel_interrupts_nothing)
{
    const struct sigaction action = {.sa_handler = on_nothing};
    struct halt halt;
    struct canceller canceller = {&halt, urlpool_cancel_new(&test_err), FROM_THREAD};
    enum urlpool_code code;
    pthread_t thread;

    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    halt_begin(&halt, (size_t)_i);
    ck_assert_int_eq(pthread_create(&thread, NULL, signal_then, &canceller), 0);
    code = halt_call(&halt, canceller.cancel, &test_err);
    ck_assert(urlpool_cancel_is_set(canceller.cancel));
    expect_error(&halt, code, &test_err);
    pthread_join(thread, NULL);
    halt_end(&halt);
    urlpool_cancel_free(canceller.cancel);
}
END_TEST

int main(void)
{
    const struct test_loop loops[] = {
        {cancel__ends_a_call_wherever_it_stands_still, HALT_NUM * ORIGIN_NUM},
        {cancel__that_came_before_lets_nothing_begin,  HALT_NUM             },
        TEST_ONCE(cancel__of_one_token_ends_calls_in_every_state_at_once),
        TEST_ONCE(cancel__of_one_token_ends_every_request_that_holds_it_and_no_other),
        TEST_ONCE(cancel__between_two_reads_ends_the_next),
        TEST_ONCE(cancel__ends_a_drain),
        {signal__that_is_no_cancel_interrupts_nothing, HALT_NUM             },
    };

    return run_loops("cancelling", loops, sizeof(loops) / sizeof(loops[0]));
}
