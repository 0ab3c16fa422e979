/* What a forked child has of its parent's pools: nothing, without ever touching a lock that may
 * have been held at the fork. The child's checks end it by an exit code that the parent sees. */

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "pool/core.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

#define CHILD_SECONDS_MAX 60

/* REQUIRE ends the child when the condition is not so. */
#define REQUIRE(condition)                                                        \
    do {                                                                          \
        if (!(condition)) {                                                       \
            fprintf(stderr, "in the child, line %d: %s\n", __LINE__, #condition); \
            _exit(1);                                                             \
        }                                                                         \
    } while (0)

/* run_child forks, runs `body` in the child and returns its exit code; 0: all was well. */
static int run_child(struct pool_fixture *f, struct urlp_lease *lease,
                     void (*body)(struct pool_fixture *f, struct urlp_lease *lease))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        alarm(CHILD_SECONDS_MAX); /* a child that hangs on a lock is killed */
        body(f, lease);
        _exit(0);
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "the child was ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

/* A thread that holds the lock of the set while the process forks. */
struct lock_holder {
    struct urlp_pool_core *core;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool holds;
    bool may_end;
};

static void *hold_lock(void *arg)
{
    struct lock_holder *holder = arg;

    urlp_mutex_lock(&holder->core->mutex);
    pthread_mutex_lock(&holder->mutex);
    holder->holds = true;
    pthread_cond_broadcast(&holder->changed);
    while (!holder->may_end) {
        pthread_cond_wait(&holder->changed, &holder->mutex);
    }
    pthread_mutex_unlock(&holder->mutex);
    urlp_mutex_unlock(&holder->core->mutex);
    return NULL;
}

static void begin_holding(struct lock_holder *holder, struct urlp_pool_core *core)
{
    memset(holder, 0, sizeof(*holder));
    holder->core = core;
    pthread_mutex_init(&holder->mutex, NULL);
    pthread_cond_init(&holder->changed, NULL);
    ck_assert_int_eq(pthread_create(&holder->thread, NULL, hold_lock, holder), 0);
    pthread_mutex_lock(&holder->mutex);
    while (!holder->holds) {
        pthread_cond_wait(&holder->changed, &holder->mutex);
    }
    pthread_mutex_unlock(&holder->mutex);
}

static void end_holding(struct lock_holder *holder)
{
    pthread_mutex_lock(&holder->mutex);
    holder->may_end = true;
    pthread_cond_broadcast(&holder->changed);
    pthread_mutex_unlock(&holder->mutex);
    pthread_join(holder->thread, NULL);
    pthread_cond_destroy(&holder->changed);
    pthread_mutex_destroy(&holder->mutex);
}

static void use_everything(struct pool_fixture *f, struct urlp_lease *parents)
{
    struct urlp_lease lease = {0};
    struct urlp_lease_end end = {
        .is_reusable = true, .keep_alive_timeout_s = -1, .keep_alive_max = -1};
    struct urlpool_stats stats = {0};
    struct urlp_buf text = {0};

    (void)parents;
    REQUIRE(urlp_lease_acquire(f->pool, 0, -1, &f->call, &lease, NULL) == URLPOOL_OK);
    REQUIRE(!lease.is_reused);
    REQUIRE(fake_number(lease.connection) == 3);
    REQUIRE(lease.pool != f->pool);
    REQUIRE(lease.pool->locked.num_refs == 1); /* the lease's own */
    urlp_lease_release(&lease, &end);
    REQUIRE(urlp_lease_acquire(f->pool, 0, -1, &f->call, &lease, NULL) == URLPOOL_OK);
    REQUIRE(fake_number(lease.connection) == 3);
    REQUIRE(lease.is_reused);
    urlp_pool_set_stats(f->set, NULL, &stats);
    REQUIRE(stats.open == 1 && stats.opened == 1 && stats.pools == 1);
    urlp_pool_set_stats(f->set, f->pool, &stats); /* a parent's: adds nothing */
    REQUIRE(stats.open == 1);
    REQUIRE(urlp_pool_set_describe(f->set, &text) == URLPOOL_OK);
    REQUIRE(urlp_pool_describe(f->pool, &text) == URLPOOL_OK);
    urlp_buf_deinit(&text);
    urlp_lease_release(&lease, &end);
    urlp_pool_ref(f->pool);
    urlp_pool_close(f->pool);
    urlp_pool_unref(f->pool);
    urlp_pool_set_clear(f->set);
    REQUIRE(urlp_pool_set_close_idle(f->set) == 0);
    REQUIRE(f->fake.num_ended == 1); /* the child's own */
    urlp_pool_unref(f->pool);
    urlp_pool_set_free(f->set);
}

START_TEST(fork__gives_the_child_empty_pools_though_a_lock_was_held)
{
    struct pool_fixture f;
    struct urlp_lease idle;
    struct urlp_lease leased;
    struct lock_holder holder;

    pool_begin(&f, NULL);
    idle = lease_take(&f, f.pool);
    leased = lease_take(&f, f.pool);
    lease_give(&idle);
    begin_holding(&holder, f.pool->core);
    ck_assert_int_eq(run_child(&f, NULL, use_everything), 0);
    end_holding(&holder);
    ASSERT_POOL(&f, "open 2 idle 1 leased 1 dialling 0 waiting 0 reused 0 opened 2");
    idle = lease_take_number(&f, 1);
    lease_give(&idle);
    lease_give(&leased);
    pool_end(&f);
}
END_TEST

static void release_parents(struct pool_fixture *f, struct urlp_lease *lease)
{
    struct urlp_lease_end end = {
        .is_reusable = true, .is_polite = true, .keep_alive_timeout_s = -1, .keep_alive_max = -1};

    urlp_lease_release(lease, &end);
    REQUIRE(lease->pool == NULL);
    REQUIRE(f->fake.num_ended == 1);
    REQUIRE(f->fake.num_polite == 0);
    REQUIRE(f->fake.num_rests == 0);
    REQUIRE(pool_stats(f, NULL).closed[URLPOOL_CLOSED_FORK] == 1);
}

START_TEST(fork__ends_the_parents_lease_without_a_byte)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lock_holder holder;

    pool_begin(&f, NULL);
    lease = lease_take(&f, f.pool);
    begin_holding(&holder, f.pool->core);
    ck_assert_int_eq(run_child(&f, &lease, release_parents), 0);
    end_holding(&holder);
    ck_assert_int_eq(f.fake.num_ended, 0);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

static void redial_parents(struct pool_fixture *f, struct urlp_lease *lease)
{
    struct urlpool_error err;

    REQUIRE(urlp_lease_redial(lease, -1, &f->call, &err) == URLPOOL_E_FORKED);
    REQUIRE(err.code == URLPOOL_E_FORKED);
    REQUIRE(lease->pool == NULL);
    REQUIRE(f->fake.num_ended == 1);
    REQUIRE(f->fake.num_polite == 0);
}

START_TEST(fork__redials_nothing_of_the_parents)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lock_holder holder;

    pool_begin(&f, NULL);
    lease = lease_take(&f, f.pool);
    begin_holding(&holder, f.pool->core);
    ck_assert_int_eq(run_child(&f, &lease, redial_parents), 0);
    end_holding(&holder);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

static void fork_again(struct pool_fixture *f, struct urlp_lease *parents)
{
    struct urlp_lease lease = {0};
    struct urlp_lease_end end = {
        .is_reusable = true, .keep_alive_timeout_s = -1, .keep_alive_max = -1};
    pid_t child;
    int status = 0;

    (void)parents;
    REQUIRE(urlp_lease_acquire(f->pool, 0, -1, &f->call, &lease, NULL) == URLPOOL_OK);
    urlp_lease_release(&lease, &end);
    child = fork();
    REQUIRE(child >= 0);
    REQUIRE(urlp_lease_acquire(f->pool, 0, -1, &f->call, &lease, NULL) == URLPOOL_OK);
    REQUIRE(lease.is_reused == (child != 0)); /* the grandchild has nothing of either */
    urlp_lease_release(&lease, &end);
    if (child != 0) {
        REQUIRE(waitpid(child, &status, 0) == child);
        REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

START_TEST(fork__of_a_child_begins_anew_once_more)
{
    struct pool_fixture f;

    pool_begin(&f, NULL);
    ck_assert_int_eq(run_child(&f, NULL, fork_again), 0);
    pool_end(&f);
}
END_TEST

RUN_TESTS("pool_core", fork__gives_the_child_empty_pools_though_a_lock_was_held,
          fork__ends_the_parents_lease_without_a_byte, fork__redials_nothing_of_the_parents,
          fork__of_a_child_begins_anew_once_more)
