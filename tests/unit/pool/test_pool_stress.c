/* Many threads, real time, and everything that can go wrong, at random: deadlines, cancels, failed
 * dials and looks, connections that die, pools retired, cleared and closed under use. What must
 * hold is counted here, apart from the pool's own figures. Each test prints its seed;
 * URLP_STRESS_SEED=<n> begins with another. Meant for ThreadSanitizer. */

#include <check.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "support/fake_connector.h"
#include "support/pool_invariants.h"
#include "support/run_tests.h"

#define NUM_ORIGINS     8
#define NUM_THREADS_MAX 64
#define PORT_BASE       1000
#define RUN_NS          INT64_C(500000000)
#define STEPS_MAX       2000

/* A worker's token, which the disturber may use at any time. */
struct token {
    pthread_mutex_t mutex;
    struct urlpool_cancel *cancel;
};

struct stress {
    struct fake_connector fake;
    struct urlp_pool_set *set;
    struct urlp_pool_settings settings;
    int num_threads;
    int num_origins;
    bool disturbs;    /* retirement, clear, close of single pools */
    int closes_after; /* steps of the first worker; 0: never */
    uint64_t seed;
    int64_t ends_ns;
    struct token tokens[NUM_THREADS_MAX];
    atomic_bool is_calm;            /* nothing fails any more */
    atomic_int in_use[NUM_ORIGINS]; /* leases and dials, counted by us */
    atomic_int peak[NUM_ORIGINS];
    atomic_int num_ok, num_timeouts, num_cancelled, num_failed, num_closed;
};

struct worker {
    struct stress *stress;
    pthread_t thread;
    int index;
    uint64_t random;
};

static _Thread_local uint64_t dial_random;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool one_in(uint64_t *state, unsigned n)
{
    return next_random(state) % n == 0;
}

static void enter(struct stress *stress, int origin)
{
    int now = atomic_fetch_add(&stress->in_use[origin], 1) + 1;
    int peak = atomic_load(&stress->peak[origin]);

    while (now > peak && !atomic_compare_exchange_weak(&stress->peak[origin], &peak, now)) {
    }
}

static void leave(struct stress *stress, int origin)
{
    atomic_fetch_sub(&stress->in_use[origin], 1);
}

static struct urlpool_connection *open_counted(void *user, const struct urlp_route *route,
                                               const struct urlp_call *call,
                                               struct urlpool_error *err)
{
    struct stress *stress = user;
    int origin = route->origin.port - PORT_BASE;
    struct urlpool_connection *connection = NULL;

    enter(stress, origin);
    if (one_in(&dial_random, 3)) {
        sched_yield();
    }
    if (!atomic_load(&stress->is_calm) && one_in(&dial_random, 10)) {
        (void)urlp_fail(err, URLPOOL_E_CONNECT, URLPOOL_PHASE_CONNECT, "refused at random");
    } else {
        connection = stress->fake.table.open(&stress->fake, route, call, err);
    }
    leave(stress, origin);
    return connection;
}

static enum urlp_look look_counted(void *user, struct urlpool_connection *connection)
{
    struct stress *stress = user;
    enum urlp_look look = stress->fake.table.look(&stress->fake, connection);

    return !atomic_load(&stress->is_calm) && one_in(&dial_random, 20) ? URLP_LOOK_CLOSED : look;
}

static void rest_counted(void *user, struct urlpool_connection *connection)
{
    struct stress *stress = user;

    stress->fake.table.rest(&stress->fake, connection);
}

static void end_counted(void *user, struct urlpool_connection *connection, bool is_polite)
{
    struct stress *stress = user;

    stress->fake.table.end(&stress->fake, connection, is_polite);
}

static void drop_half_counted(void *user, struct urlp_half_dial *half)
{
    struct stress *stress = user;

    stress->fake.table.drop_half(&stress->fake, half);
}

static struct urlpool_pool *get_pool(struct stress *stress, int origin)
{
    struct urlp_route route = {
        .origin = {.host = urlp_span_of("stress.test"), .port = (uint16_t)(PORT_BASE + origin)}
    };

    return urlp_pool_set_get(stress->set, &route, NULL);
}

static void count_end(struct stress *stress, enum urlpool_code code)
{
    switch (code) {
    case URLPOOL_OK:
        atomic_fetch_add(&stress->num_ok, 1);
        break;
    case URLPOOL_E_POOL_TIMEOUT:
    case URLPOOL_E_TOTAL_TIMEOUT:
        atomic_fetch_add(&stress->num_timeouts, 1);
        break;
    case URLPOOL_E_CANCELLED:
        atomic_fetch_add(&stress->num_cancelled, 1);
        break;
    case URLPOOL_E_CONNECT:
        atomic_fetch_add(&stress->num_failed, 1);
        break;
    case URLPOOL_E_POOL_FULL:
        ck_assert(stress->settings.max_waiters >= 0);
        atomic_fetch_add(&stress->num_timeouts, 1);
        break;
    case URLPOOL_E_POOL_CLOSED:
        ck_assert(stress->disturbs || stress->closes_after > 0);
        atomic_fetch_add(&stress->num_closed, 1);
        break;
    default:
        ck_abort_msg("an end nobody can explain: %s", urlpool_code_name(code));
    }
}

/* use_lease is what a request does with its lease, and how it ends. */
static void use_lease(struct worker *worker, struct urlp_lease *lease, int origin,
                      const struct urlp_call *call)
{
    struct stress *stress = worker->stress;
    struct urlp_lease_end end = {
        .is_reusable = !one_in(&worker->random, 8),
        .why = URLPOOL_CLOSED_NOT_REUSABLE,
        .keep_alive_timeout_s = one_in(&worker->random, 16) ? 1 : -1,
        .keep_alive_max = one_in(&worker->random, 16) ? 0 : -1,
    };

    enter(stress, origin);
    fake_use(lease->connection);
    if (one_in(&worker->random, 4)) {
        sched_yield();
    }
    fake_unuse(lease->connection);
    if (one_in(&worker->random, 16)) {
        leave(stress, origin); /* the dial counts for itself */
        if (urlp_lease_redial(lease, -1, call, NULL) != URLPOOL_OK) {
            return;
        }
        enter(stress, origin);
    }
    leave(stress, origin);
    urlp_lease_release(lease, &end);
}

static int64_t random_ms(uint64_t *random)
{
    int64_t ms = (int64_t)(next_random(random) % 5);

    return ms == 4 ? -1 : ms;
}

/* renew_token gives the worker a token that is not used, sometimes. */
static const struct urlpool_cancel *renew_token(struct worker *worker)
{
    struct token *token = &worker->stress->tokens[worker->index];

    if (!one_in(&worker->random, 3)) {
        return NULL;
    }
    pthread_mutex_lock(&token->mutex);
    if (token->cancel == NULL || urlpool_cancel_is_set(token->cancel)) {
        urlpool_cancel_free(token->cancel);
        token->cancel = urlpool_cancel_new(NULL);
    }
    pthread_mutex_unlock(&token->mutex);
    return token->cancel;
}

/* check_totals holds the set's own bounds. */
static void check_totals(struct stress *stress)
{
    struct urlpool_stats stats = {0};

    urlp_pool_set_stats(stress->set, NULL, &stats);
    ck_assert(stress->settings.max_total < 0 ||
              stats.peak_open <= (uint64_t)stress->settings.max_total);
    ck_assert(stress->settings.max_idle_total < 0 ||
              stats.idle <= (uint64_t)stress->settings.max_idle_total);
}

/* step is one request; false: the set is closed. */
static bool step(struct worker *worker)
{
    struct stress *stress = worker->stress;
    int origin = (int)(next_random(&worker->random) % (unsigned)stress->num_origins);
    struct urlpool_pool *pool = get_pool(stress, origin);
    struct urlp_call call = {.by = URLP_NEVER, .total_by = URLP_NEVER};
    struct urlp_lease lease = {0};
    enum urlpool_code code;

    if (pool == NULL) {
        return false;
    }
    if (one_in(&worker->random, 4)) {
        call.by = call.total_by = urlp_deadline_in(random_ms(&worker->random));
    }
    call.cancel = renew_token(worker);
    code = urlp_lease_acquire(pool, random_ms(&worker->random), random_ms(&worker->random), &call,
                              &lease, NULL);
    urlp_pool_unref(pool);
    count_end(stress, code);
    if (code == URLPOOL_OK) {
        struct urlpool_stats stats = {0};

        urlp_pool_set_stats(stress->set, lease.pool, &stats);
        ck_assert(!stress->settings.block || stats.peak_open <= (uint64_t)stress->settings.maxsize);
        check_totals(stress);
        pool_check_invariants(stress->set);
        ck_assert_uint_eq(stats.open, stats.idle + stats.leased + stats.dialling);
        use_lease(worker, &lease, origin, &call);
    }
    return true;
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct stress *stress = worker->stress;

    dial_random = worker->random ^ 0x5555;
    for (int i = 1; i <= STEPS_MAX && urlp_now_ns() < stress->ends_ns; i++) {
        if (!step(worker)) {
            break;
        }
        if (worker->index == 0 && i == stress->closes_after) {
            urlp_pool_set_close(stress->set);
        }
    }
    return NULL;
}

static void disturb_pools(struct stress *stress, uint64_t *random)
{
    struct urlp_buf text = {0};
    struct urlpool_pool *pool;

    switch (next_random(random) % 8) {
    case 0:
        urlp_pool_set_clear(stress->set);
        break;
    case 1:
        pool = get_pool(stress, (int)(next_random(random) % (unsigned)stress->num_origins));
        if (pool != NULL) {
            urlp_pool_close(pool);
        }
        urlp_pool_unref(pool);
        break;
    default:
        ck_assert_int_eq(urlp_pool_set_describe(stress->set, &text), URLPOOL_OK);
        urlp_buf_deinit(&text);
        break;
    }
}

/* disturb cancels, closes and clears until the workers' time is over. */
static void *disturb(void *arg)
{
    struct worker *me = arg;
    struct stress *stress = me->stress;

    dial_random = me->random;
    while (urlp_now_ns() < stress->ends_ns) {
        struct token *token =
            &stress->tokens[next_random(&me->random) % (unsigned)stress->num_threads];

        pthread_mutex_lock(&token->mutex);
        urlpool_cancel_now(token->cancel);
        pthread_mutex_unlock(&token->mutex);
        if (one_in(&me->random, 4)) {
            (void)urlp_pool_set_close_idle(stress->set);
        } else if (one_in(&me->random, 4)) {
            (void)urlp_pool_set_maintain(stress->set);
        } else if (one_in(&me->random, 8)) {
            urlp_pool_set_network_changed(stress->set);
        }
        if (stress->disturbs) {
            disturb_pools(stress, &me->random);
        }
        sched_yield();
    }
    return NULL;
}

static void stress_begin(struct stress *stress)
{
    const char *seed = getenv("URLP_STRESS_SEED");
    const struct urlp_connector table = {.open = open_counted,
                                         .look = look_counted,
                                         .rest = rest_counted,
                                         .end = end_counted,
                                         .drop_half = drop_half_counted,
                                         .user = stress};

    stress->seed = seed != NULL ? strtoull(seed, NULL, 10)
                                : (uint64_t)urlp_now_ns() ^ ((uint64_t)getpid() << 32);
    stress->seed |= 1;
    fake_connector_init(&stress->fake);
    stress->fake.connect_ms = 3;
    stress->set = urlp_pool_set_new(&stress->settings, &table, NULL);
    ck_assert_ptr_nonnull(stress->set);
    for (int i = 0; i < stress->num_threads; i++) {
        pthread_mutex_init(&stress->tokens[i].mutex, NULL);
    }
    stress->ends_ns = urlp_now_ns() + RUN_NS;
}

static void stress_run(struct stress *stress)
{
    struct worker workers[NUM_THREADS_MAX + 1] = {{0}};

    printf("seed %llu\n", (unsigned long long)stress->seed);
    fflush(stdout);
    for (int i = 0; i <= stress->num_threads; i++) {
        workers[i].stress = stress;
        workers[i].index = i;
        workers[i].random = stress->seed * (2 * (uint64_t)i + 1);
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL,
                                        i < stress->num_threads ? work : disturb, &workers[i]),
                         0);
    }
    for (int i = 0; i <= stress->num_threads; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    atomic_store(&stress->is_calm, true);
    dial_random = stress->seed;
    printf("ok %d timeouts %d cancelled %d failed %d closed %d dials %d\n",
           atomic_load(&stress->num_ok), atomic_load(&stress->num_timeouts),
           atomic_load(&stress->num_cancelled), atomic_load(&stress->num_failed),
           atomic_load(&stress->num_closed), stress->fake.num_opened);
}

/* check_books holds the set's figures against each other and against the connections there are. */
static void check_books(struct stress *stress)
{
    struct urlpool_stats stats = {0};
    uint64_t num_closed = 0;

    urlp_pool_set_stats(stress->set, NULL, &stats);
    for (int i = 0; i < URLPOOL_CLOSED_NUM; i++) {
        num_closed += stats.closed[i];
    }
    ck_assert_uint_eq(stats.leased, 0);
    ck_assert_uint_eq(stats.dialling, stats.half_dials);
    ck_assert_uint_eq(stats.half_dials, (uint64_t)stress->fake.num_halves);
    ck_assert_uint_eq(stats.waiting, 0);
    ck_assert_uint_eq(stats.open, stats.idle + stats.half_dials);
    ck_assert_uint_eq(stats.opened, stats.idle + num_closed);
    pool_check_invariants(stress->set);
    ck_assert_uint_eq(stats.opened, (uint64_t)stress->fake.num_opened);
    ck_assert_uint_eq(num_closed, (uint64_t)stress->fake.num_ended);
    for (int i = 0; i < stress->num_origins; i++) {
        ck_assert_int_eq(atomic_load(&stress->in_use[i]), 0);
    }
}

/* check_overtaken: dials were broken off, and gone on with. */
static void check_overtaken(struct stress *stress)
{
    struct urlpool_stats stats = {0};

    urlp_pool_set_stats(stress->set, NULL, &stats);
    ck_assert_uint_gt(stats.dials_overtaken, 0);
    ck_assert_uint_gt(stats.dials_resumed, 0);
}

static void stress_end(struct stress *stress)
{
    urlp_pool_set_free(stress->set);
    ck_assert_int_eq(fake_num_live(&stress->fake), 0);
    for (int i = 0; i < stress->num_threads; i++) {
        urlpool_cancel_free(stress->tokens[i].cancel);
        pthread_mutex_destroy(&stress->tokens[i].mutex);
    }
    fake_connector_deinit(&stress->fake);
}

/* take_every_place leases maxsize connections of an origin, and not one more. */
static void take_every_place(struct stress *stress, int origin)
{
    struct urlpool_pool *pool = get_pool(stress, origin);
    struct urlp_call call = {.by = URLP_NEVER, .total_by = URLP_NEVER};
    struct urlp_lease_end end = {
        .is_reusable = true, .keep_alive_timeout_s = -1, .keep_alive_max = -1};
    struct urlp_lease leases[8] = {{0}};
    struct urlp_lease more = {0};

    for (int i = 0; i < stress->settings.maxsize; i++) {
        ck_assert_int_eq(urlp_lease_acquire(pool, 0, -1, &call, &leases[i], NULL), URLPOOL_OK);
    }
    ck_assert_int_eq(urlp_lease_acquire(pool, 0, -1, &call, &more, NULL), URLPOOL_E_POOL_TIMEOUT);
    for (int i = 0; i < stress->settings.maxsize; i++) {
        urlp_lease_release(&leases[i], &end);
    }
    urlp_pool_unref(pool);
}

static struct stress stress; /* too large for a thread's stack */

static const struct urlp_pool_settings blocking = {.num_pools = NUM_ORIGINS,
                                                   .dial_pause_max_ms = 1,
                                                   .maxsize = 3,
                                                   .block = true,
                                                   .idle_ms = 55000,
                                                   .lifetime_ms = -1,
                                                   .requests_max = 20,
                                                   .max_total = -1,
                                                   .max_idle_total = -1,
                                                   .max_waiters = -1};

START_TEST(stress__never_uses_more_than_maxsize_and_loses_no_place)
{
    stress.settings = blocking;
    stress.num_threads = 32;
    stress.num_origins = 3;
    stress_begin(&stress);
    stress_run(&stress);
    ck_assert_int_gt(atomic_load(&stress.num_ok), 0);
    check_books(&stress);
    for (int i = 0; i < stress.num_origins; i++) {
        ck_assert_int_le(atomic_load(&stress.peak[i]), stress.settings.maxsize);
        take_every_place(&stress, i);
    }
    check_books(&stress);
    stress_end(&stress);
}
END_TEST

START_TEST(stress__with_one_place_for_sixty_four_threads)
{
    stress.settings = blocking;
    stress.settings.maxsize = 1;
    stress.num_threads = 64;
    stress.num_origins = 1;
    stress_begin(&stress);
    stress_run(&stress);
    check_books(&stress);
    ck_assert_int_eq(atomic_load(&stress.peak[0]), 1);
    take_every_place(&stress, 0);
    stress_end(&stress);
}
END_TEST

static void run_disturbed(bool block)
{
    stress.settings = blocking;
    stress.settings.block = block;
    stress.settings.num_pools = 3;
    stress.settings.maxsize = 2;
    stress.num_threads = 16;
    stress.num_origins = 5;
    stress.disturbs = true;
    stress_begin(&stress);
    stress_run(&stress);
    check_books(&stress);
    if (!block) {
        check_overtaken(&stress);
    }
    stress_end(&stress);
}

START_TEST(stress__survives_retirement_clearing_and_closing)
{
    run_disturbed(true);
}
END_TEST

/* run_totals has eight origins fight for five places, and the idle be at most three. */
static void run_totals(bool block, bool disturbs)
{
    stress.settings = blocking;
    stress.settings.block = block;
    stress.settings.max_total = 5;
    stress.settings.max_idle_total = 3;
    stress.settings.max_waiters = 12;
    stress.num_threads = 64;
    stress.num_origins = NUM_ORIGINS;
    stress.disturbs = disturbs;
    stress_begin(&stress);
    stress_run(&stress);
    ck_assert_int_gt(atomic_load(&stress.num_ok), 0);
    check_books(&stress);
    check_totals(&stress);
    for (int i = 0; !disturbs && block && i < NUM_ORIGINS; i++) {
        take_every_place(&stress, i);
    }
    stress_end(&stress);
}

START_TEST(stress__never_opens_more_than_max_total_and_starves_no_origin)
{
    run_totals(true, false);
    for (int i = 0; i < NUM_ORIGINS; i++) {
        ck_assert_int_gt(atomic_load(&stress.peak[i]), 0);
    }
}
END_TEST

START_TEST(stress__max_total_survives_retirement_clearing_and_closing)
{
    run_totals(false, true);
}
END_TEST

START_TEST(stress__survives_the_same_without_block)
{
    run_disturbed(false);
}
END_TEST

START_TEST(stress__ends_everybody_when_the_set_is_closed)
{
    struct urlpool_stats stats = {0};

    stress.settings = blocking;
    stress.num_threads = 32;
    stress.num_origins = 2;
    stress.closes_after = 50;
    stress_begin(&stress);
    stress_run(&stress);
    check_books(&stress);
    urlp_pool_set_stats(stress.set, NULL, &stats);
    if (get_pool(&stress, 0) == NULL) { /* unless time was over before its fiftieth step */
        ck_assert_uint_eq(stats.open, 0);
        ck_assert_uint_eq(stats.pools, 0);
    }
    stress_end(&stress);
}
END_TEST

RUN_TESTS("pool_stress", stress__never_uses_more_than_maxsize_and_loses_no_place,
          stress__with_one_place_for_sixty_four_threads,
          stress__survives_retirement_clearing_and_closing, stress__survives_the_same_without_block,
          stress__never_opens_more_than_max_total_and_starves_no_origin,
          stress__max_total_survives_retirement_clearing_and_closing,
          stress__ends_everybody_when_the_set_is_closed)
