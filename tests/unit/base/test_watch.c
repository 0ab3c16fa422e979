/* Sleeping on an instant, on sockets whose peers close them, and on who wakes the sleeper. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/watch.h"
#include "support/run_tests.h"

#define MS INT64_C(1000000)
#define S  INT64_C(1000000000)

static struct urlp_watch watch;
static uint64_t ids[8];

static void begin(void)
{
    struct urlpool_error err;

    ck_assert_msg(urlp_watch_init(&watch, &err) == URLPOOL_OK, "%s", err.message);
}

/* look returns what there is to tell now. */
static size_t look(void)
{
    return urlp_watch_sleep(&watch, urlp_boot_ns(), ids, 8);
}

START_TEST(sleep__ends_at_the_instant_and_not_before)
{
    int64_t until_ns;

    begin();
    until_ns = urlp_boot_ns() + 20 * MS;
    ck_assert_uint_eq(urlp_watch_sleep(&watch, until_ns, ids, 8), 0);
    ck_assert_int_ge(urlp_boot_ns(), until_ns);
    ck_assert_uint_eq(urlp_watch_sleep(&watch, INT64_MIN, ids, 8), 0); /* long past */
    urlp_watch_deinit(&watch);
}
END_TEST

START_TEST(sleep__ends_at_a_wake_that_came_before_it)
{
    begin();
    urlp_watch_wake(&watch);
    ck_assert_uint_eq(urlp_watch_sleep(&watch, INT64_MAX, ids, 8), 0);
    urlp_watch_deinit(&watch);
}
END_TEST

START_TEST(socket__is_told_of_once_when_its_peer_closes)
{
    int pair[2];

    begin();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert(urlp_watch_add(&watch, pair[0], 7));
    ck_assert_uint_eq(look(), 0);
    ck_assert_int_eq(close(pair[1]), 0);
    ck_assert_uint_eq(urlp_watch_sleep(&watch, INT64_MAX, ids, 8), 1);
    ck_assert_uint_eq(ids[0], 7);
    ck_assert_uint_eq(look(), 0); /* and never again: nothing spins */
    ck_assert_int_eq(close(pair[0]), 0);
    urlp_watch_deinit(&watch);
}
END_TEST

START_TEST(socket__with_bytes_to_read_wakes_nobody)
{
    int pair[2];

    begin();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert(urlp_watch_add(&watch, pair[0], 7));
    ck_assert_int_eq(write(pair[1], "ticket", 6), 6);
    ck_assert_uint_eq(urlp_watch_sleep(&watch, urlp_boot_ns() + 5 * MS, ids, 8), 0);
    ck_assert_int_eq(shutdown(pair[1], SHUT_WR), 0); /* the end behind them does */
    ck_assert_uint_eq(urlp_watch_sleep(&watch, INT64_MAX, ids, 8), 1);
    (void)close(pair[0]);
    (void)close(pair[1]);
    urlp_watch_deinit(&watch);
}
END_TEST

START_TEST(socket__that_cannot_be_watched_is_said_to_be_none)
{
    begin();
    ck_assert(!urlp_watch_add(&watch, -1, 7));
    urlp_watch_deinit(&watch);
}
END_TEST

START_TEST(child__has_none_of_its_descriptors)
{
    int status = 0;
    pid_t child;

    begin();
    child = fork();
    if (child == 0) {
        _exit(fcntl(watch.epoll_fd, F_GETFD) < 0 && fcntl(watch.timer_fd, F_GETFD) < 0 &&
                      fcntl(watch.wake_fd, F_GETFD) < 0
                  ? 0
                  : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    urlp_watch_deinit(&watch);
}
END_TEST

static void *sleep_long(void *arg)
{
    (void)arg;
    (void)urlp_watch_sleep(&watch, urlp_boot_ns() + 3600 * S, ids, 8);
    return NULL;
}

START_TEST(sleep__on_the_fake_clock_ends_when_that_reaches_the_instant)
{
    struct urlp_thread thread;

    urlp_clock_fake_begin(1000 * S);
    begin();
    ck_assert_int_eq(urlp_thread_start(&thread, "sleeper", sleep_long, NULL), 0);
    urlp_clock_fake_await_waiters(1);
    urlp_clock_fake_advance(3599 * S);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
    urlp_clock_fake_advance(1 * S);
    urlp_thread_join(&thread);
    urlp_watch_deinit(&watch);
    urlp_clock_fake_end();
}
END_TEST

struct told {
    char name[32];
    sigset_t blocked;
    bool is_self;
    struct urlp_thread thread;
    atomic_bool is_started;
};

static void *tell(void *arg)
{
    struct told *told = arg;

    while (!atomic_load(&told->is_started)) {
        /* until the name is set and the handle written */
    }
    (void)prctl(PR_GET_NAME, told->name);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &told->blocked);
    told->is_self = urlp_thread_is_self(&told->thread);
    return NULL;
}

START_TEST(thread__has_a_name_and_takes_no_signal)
{
    struct told told = {.is_self = false};
    sigset_t mine;

    ck_assert_int_eq(urlp_thread_start(&told.thread, "a name that is too long", tell, &told), 0);
    ck_assert(!urlp_thread_is_self(&told.thread));
    atomic_store(&told.is_started, true);
    urlp_thread_join(&told.thread);
    ck_assert_str_eq(told.name, "a name that is ");
    ck_assert(told.is_self);
    ck_assert_int_eq(sigismember(&told.blocked, SIGTERM), 1);
    ck_assert_int_eq(sigismember(&told.blocked, SIGALRM), 1);
    ck_assert_int_eq(sigismember(&told.blocked, SIGPIPE), 1);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mine);
    ck_assert_int_eq(sigismember(&mine, SIGTERM), 0); /* who started it has his own */
}
END_TEST

RUN_TESTS("watch", sleep__ends_at_the_instant_and_not_before,
          sleep__ends_at_a_wake_that_came_before_it, socket__is_told_of_once_when_its_peer_closes,
          socket__with_bytes_to_read_wakes_nobody,
          socket__that_cannot_be_watched_is_said_to_be_none, child__has_none_of_its_descriptors,
          sleep__on_the_fake_clock_ends_when_that_reaches_the_instant,
          thread__has_a_name_and_takes_no_signal)
