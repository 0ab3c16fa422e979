/* Parks: woken, timed out or cancelled, with and without a token, on both clocks. */

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/park.h"
#include "support/run_tests.h"

#define START_NS ((int64_t)1000 * 1000000000)
#define MS(n)    ((int64_t)(n)*URLP_NS_PER_MS)

/* struct sleeper is a thread that waits in a park. */
struct sleeper {
    struct urlp_mutex mutex;
    struct urlp_park park;
    struct urlpool_cancel *cancel;
    struct urlpool_deadline by;
    enum urlp_park_end end;
    pthread_t thread;
};

static void sleeper_init(struct sleeper *sleeper, bool has_token, struct urlpool_deadline by)
{
    *sleeper = (struct sleeper){.by = by};
    urlp_mutex_init(&sleeper->mutex);
    if (has_token) {
        sleeper->cancel = urlpool_cancel_new(NULL);
        ck_assert_ptr_nonnull(sleeper->cancel);
    }
    ck_assert_int_eq(urlp_park_init(&sleeper->park, sleeper->cancel, NULL), URLPOOL_OK);
}

static void sleeper_deinit(struct sleeper *sleeper)
{
    urlp_park_deinit(&sleeper->park);
    urlpool_cancel_free(sleeper->cancel);
    urlp_mutex_deinit(&sleeper->mutex);
}

static void wake(struct sleeper *sleeper)
{
    urlp_mutex_lock(&sleeper->mutex);
    urlp_park_wake(&sleeper->park);
    urlp_mutex_unlock(&sleeper->mutex);
}

static enum urlp_park_end wait_here(struct sleeper *sleeper)
{
    enum urlp_park_end end;

    urlp_mutex_lock(&sleeper->mutex);
    end = urlp_park_wait(&sleeper->park, &sleeper->mutex, sleeper->by);
    urlp_mutex_unlock(&sleeper->mutex);
    return end;
}

static void *wait_in_thread(void *arg)
{
    struct sleeper *sleeper = arg;

    sleeper->end = wait_here(sleeper);
    return NULL;
}

static void start(struct sleeper *sleeper)
{
    ck_assert_int_eq(pthread_create(&sleeper->thread, NULL, wait_in_thread, sleeper), 0);
}

static enum urlp_park_end join(struct sleeper *sleeper)
{
    (void)pthread_join(sleeper->thread, NULL);
    return sleeper->end;
}

START_TEST(park__a_wake_that_came_first_ends_the_wait_at_once)
{
    for (int has_token = 0; has_token < 2; has_token++) {
        struct sleeper sleeper;

        sleeper_init(&sleeper, has_token, URLP_NEVER);
        wake(&sleeper);
        ck_assert_int_eq(wait_here(&sleeper), URLP_PARK_WOKEN);
        sleeper_deinit(&sleeper);
    }
}
END_TEST

START_TEST(park__a_wake_ends_one_wait_only)
{
    urlp_clock_fake_begin(START_NS);
    for (int has_token = 0; has_token < 2; has_token++) {
        struct sleeper sleeper;

        sleeper_init(&sleeper, has_token, urlp_deadline_in(10));
        wake(&sleeper);
        wake(&sleeper);
        ck_assert_int_eq(wait_here(&sleeper), URLP_PARK_WOKEN);
        start(&sleeper);
        urlp_clock_fake_await_waiters(1);
        urlp_clock_fake_advance(MS(10));
        ck_assert_int_eq(join(&sleeper), URLP_PARK_TIMEOUT);
        sleeper_deinit(&sleeper);
    }
}
END_TEST

START_TEST(park__a_used_up_wake_leaves_nothing_to_poll_for)
{
    struct sleeper sleeper;
    struct pollfd fd = {.events = POLLIN};

    sleeper_init(&sleeper, true, URLP_NEVER);
    wake(&sleeper);
    fd.fd = sleeper.park.wake_fd;
    ck_assert_int_eq(poll(&fd, 1, 0), 1);
    ck_assert_int_eq(wait_here(&sleeper), URLP_PARK_WOKEN);
    ck_assert_int_eq(poll(&fd, 1, 0), 0);
    sleeper_deinit(&sleeper);
}
END_TEST

START_TEST(park__a_sleeping_thread_is_woken)
{
    for (int is_fake = 0; is_fake < 2; is_fake++) {
        if (is_fake) {
            urlp_clock_fake_begin(START_NS);
        }
        for (int has_token = 0; has_token < 2; has_token++) {
            struct sleeper sleeper;

            sleeper_init(&sleeper, has_token, URLP_NEVER);
            start(&sleeper);
            if (is_fake) {
                urlp_clock_fake_await_waiters(1);
            }
            wake(&sleeper);
            ck_assert_int_eq(urlp_clock_fake_num_waiters(), 0);
            ck_assert_int_eq(join(&sleeper), URLP_PARK_WOKEN);
            sleeper_deinit(&sleeper);
        }
    }
}
END_TEST

START_TEST(park__times_out_when_the_fake_clock_gets_there)
{
    urlp_clock_fake_begin(START_NS);
    for (int has_token = 0; has_token < 2; has_token++) {
        struct sleeper sleeper;

        sleeper_init(&sleeper, has_token, urlp_deadline_in(60000));
        start(&sleeper);
        urlp_clock_fake_await_waiters(1);
        urlp_clock_fake_advance(MS(60000) - 1);
        ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
        urlp_clock_fake_advance(1);
        ck_assert_int_eq(urlp_clock_fake_num_waiters(), 0);
        ck_assert_int_eq(join(&sleeper), URLP_PARK_TIMEOUT);
        sleeper_deinit(&sleeper);
    }
}
END_TEST

START_TEST(park__times_out_on_the_real_clock_and_not_before)
{
    for (int has_token = 0; has_token < 2; has_token++) {
        struct sleeper sleeper;

        sleeper_init(&sleeper, has_token, urlp_deadline_in(20));
        ck_assert_int_eq(wait_here(&sleeper), URLP_PARK_TIMEOUT);
        ck_assert(urlp_now_ns() >= sleeper.by.at_ns);
        sleeper_deinit(&sleeper);
    }
}
END_TEST

START_TEST(park__is_cancelled_before_and_during_the_wait)
{
    struct sleeper sleeper;

    sleeper_init(&sleeper, true, URLP_NEVER);
    start(&sleeper);
    urlpool_cancel_now(sleeper.cancel);
    ck_assert_int_eq(join(&sleeper), URLP_PARK_CANCELLED);
    ck_assert_int_eq(wait_here(&sleeper), URLP_PARK_CANCELLED); /* stays cancelled */
    sleeper_deinit(&sleeper);

    urlp_clock_fake_begin(START_NS);
    sleeper_init(&sleeper, true, URLP_NEVER);
    start(&sleeper);
    urlp_clock_fake_await_waiters(1);
    urlpool_cancel_now(sleeper.cancel);
    ck_assert_int_eq(join(&sleeper), URLP_PARK_CANCELLED);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 0);
    sleeper_deinit(&sleeper);
}
END_TEST

START_TEST(park__woken_wins_over_cancelled_and_cancelled_over_time)
{
    struct sleeper sleeper;

    sleeper_init(&sleeper, true, (struct urlpool_deadline){0});
    urlpool_cancel_now(sleeper.cancel);
    wake(&sleeper);
    ck_assert_int_eq(wait_here(&sleeper), URLP_PARK_WOKEN);
    ck_assert_int_eq(wait_here(&sleeper), URLP_PARK_CANCELLED);
    sleeper_deinit(&sleeper);

    sleeper_init(&sleeper, false, (struct urlpool_deadline){0});
    wake(&sleeper);
    ck_assert_int_eq(wait_here(&sleeper), URLP_PARK_WOKEN);
    ck_assert_int_eq(wait_here(&sleeper), URLP_PARK_TIMEOUT);
    sleeper_deinit(&sleeper);
}
END_TEST

/* Woken, timed out and cancelled race against each other; whatever wins, the thread comes back. */
START_TEST(park__every_race_of_wake_cancel_and_time_ends)
{
    urlp_clock_fake_begin(START_NS);
    for (int i = 0; i < 200; i++) {
        struct sleeper sleeper;
        enum urlp_park_end end;

        sleeper_init(&sleeper, i % 2, urlp_deadline_in(1));
        start(&sleeper);
        if (i % 3 == 0) {
            wake(&sleeper);
        }
        if (i % 3 == 1) {
            urlpool_cancel_now(sleeper.cancel);
        }
        urlp_clock_fake_advance(MS(1));
        end = join(&sleeper);
        ck_assert(end != URLP_PARK_WOKEN || i % 3 == 0);
        ck_assert(end != URLP_PARK_CANCELLED || (i % 3 == 1 && i % 2));
        ck_assert_int_eq(urlp_clock_fake_num_waiters(), 0);
        sleeper_deinit(&sleeper);
    }
}
END_TEST

static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int num = 0;

    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL) {
        num++;
    }
    (void)closedir(folder);
    return num;
}

/* set_descriptors_max sets how many descriptors the process may have; returns how many it could. */
static rlim_t set_descriptors_max(rlim_t max)
{
    struct rlimit limit;
    rlim_t before;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    before = limit.rlim_cur;
    limit.rlim_cur = max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

START_TEST(park__costs_a_descriptor_only_with_a_token_and_gives_it_back)
{
    int before = count_descriptors();
    struct sleeper sleeper;

    sleeper_init(&sleeper, false, URLP_NEVER);
    ck_assert_int_eq(count_descriptors(), before);
    sleeper_deinit(&sleeper);
    sleeper_init(&sleeper, true, URLP_NEVER);
    ck_assert_int_eq(count_descriptors(), before + 2);
    sleeper_deinit(&sleeper);
    ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

START_TEST(park__without_a_descriptor_left_says_so)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlpool_error err;
    struct urlp_park park;
    rlim_t before = set_descriptors_max(0);

    ck_assert_int_eq(urlp_park_init(&park, cancel, &err), URLPOOL_E_SYSTEM);
    (void)set_descriptors_max(before);
    ck_assert_int_eq(err.code, URLPOOL_E_SYSTEM);
    ck_assert_str_eq(err.message, "eventfd: Too many open files");
    urlpool_cancel_free(cancel);
}
END_TEST

/* struct nap is a thread in urlp_park_sleep. */
struct nap {
    struct urlp_call call;
    struct urlpool_deadline until;
    struct urlpool_error err;
    enum urlpool_code code;
    pthread_t thread;
};

static void *nap_in_thread(void *arg)
{
    struct nap *nap = arg;

    nap->code = urlp_park_sleep(&nap->call, nap->until, &nap->err);
    return NULL;
}

static void nap_start(struct nap *nap)
{
    ck_assert_int_eq(pthread_create(&nap->thread, NULL, nap_in_thread, nap), 0);
    urlp_clock_fake_await_waiters(1);
}

static enum urlpool_code nap_join(struct nap *nap)
{
    (void)pthread_join(nap->thread, NULL);
    return nap->code;
}

START_TEST(sleep__lasts_until_its_instant)
{
    urlp_clock_fake_begin(START_NS);
    for (int has_token = 0; has_token < 2; has_token++) {
        struct urlpool_cancel *cancel = has_token ? urlpool_cancel_new(NULL) : NULL;
        struct nap nap = {
            .call = {.by = URLP_NEVER, .total_by = URLP_NEVER, .cancel = cancel},
            .until = urlp_deadline_in(5000)
        };

        nap_start(&nap);
        urlp_clock_fake_advance(MS(5000) - 1);
        ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
        urlp_clock_fake_advance(1);
        ck_assert_int_eq(nap_join(&nap), URLPOOL_OK);
        urlpool_cancel_free(cancel);
    }
}
END_TEST

START_TEST(sleep__ends_when_cancelled)
{
    struct nap nap = {
        .call = {.by = URLP_NEVER, .total_by = URLP_NEVER},
          .until = URLP_NEVER
    };
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);

    urlp_clock_fake_begin(START_NS);
    nap.call.cancel = cancel;
    nap_start(&nap);
    urlpool_cancel_now(cancel);
    ck_assert_int_eq(nap_join(&nap), URLPOOL_E_CANCELLED);
    ck_assert_int_eq(nap.err.code, URLPOOL_E_CANCELLED);
    urlpool_cancel_free(cancel);
}
END_TEST

START_TEST(sleep__ends_with_the_time_of_the_request)
{
    urlp_clock_fake_begin(START_NS);
    for (int which = 0; which < 2; which++) {
        struct nap nap = {
            .call = {.by = URLP_NEVER, .total_by = URLP_NEVER},
              .until = urlp_deadline_in(5000)
        };

        *(which == 0 ? &nap.call.by : &nap.call.total_by) = urlp_deadline_in(1000);
        nap_start(&nap);
        urlp_clock_fake_advance(MS(1000));
        ck_assert_int_eq(nap_join(&nap), URLPOOL_E_TOTAL_TIMEOUT);
        ck_assert_int_eq(nap.err.code, URLPOOL_E_TOTAL_TIMEOUT);
    }
}
END_TEST

START_TEST(sleep__may_end_just_when_the_request_does)
{
    struct nap nap = {.call = {.by = URLP_NEVER}};

    urlp_clock_fake_begin(START_NS);
    nap.until = nap.call.total_by = urlp_deadline_in(0);
    ck_assert_int_eq(urlp_park_sleep(&nap.call, nap.until, NULL), URLPOOL_OK);
}
END_TEST

START_TEST(sleep__needs_no_descriptor)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    const struct urlp_call call = {.by = URLP_NEVER, .total_by = URLP_NEVER, .cancel = cancel};

    rlim_t before = set_descriptors_max(2); /* as many as poll looks at, none of them free */

    ck_assert_int_eq(urlp_park_sleep(&call, urlp_deadline_in(5), NULL), URLPOOL_OK);
    (void)set_descriptors_max(before);
    urlpool_cancel_free(cancel);
}
END_TEST

/* struct pipe_wait is a pipe and a call, for urlp_wait_readable. */
struct pipe_wait {
    struct urlp_call call;
    struct urlpool_cancel *cancel;
    struct urlpool_error err;
    int fds[2];
};

static void pipe_wait_init(struct pipe_wait *wait)
{
    *wait = (struct pipe_wait){
        .call = {.by = URLP_NEVER, .total_by = URLP_NEVER}
    };
    ck_assert_int_eq(pipe(wait->fds), 0);
    wait->cancel = urlpool_cancel_new(NULL);
    ck_assert_ptr_nonnull(wait->cancel);
    wait->call.cancel = wait->cancel;
}

static void pipe_wait_deinit(struct pipe_wait *wait)
{
    (void)close(wait->fds[0]);
    (void)close(wait->fds[1]);
    urlpool_cancel_free(wait->cancel);
}

static enum urlpool_code wait_readable(struct pipe_wait *wait)
{
    return urlp_wait_readable(wait->fds[0], &wait->call, URLPOOL_E_WRITE_TIMEOUT, &wait->err);
}

static void *write_to_pipe(void *arg)
{
    return write(((struct pipe_wait *)arg)->fds[1], "x", 1) == 1 ? arg : NULL;
}

static void *cancel_wait(void *arg)
{
    urlpool_cancel_now(((struct pipe_wait *)arg)->cancel);
    return NULL;
}

START_TEST(wait_readable__ends_with_bytes_or_with_the_end)
{
    struct pipe_wait wait;
    pthread_t thread;
    char byte;

    pipe_wait_init(&wait);
    ck_assert_int_eq(pthread_create(&thread, NULL, write_to_pipe, &wait), 0);
    ck_assert_int_eq(wait_readable(&wait), URLPOOL_OK);
    (void)pthread_join(thread, NULL);
    ck_assert_int_eq(read(wait.fds[0], &byte, 1), 1);
    (void)close(wait.fds[1]);
    ck_assert_int_eq(wait_readable(&wait), URLPOOL_OK);
    wait.call.cancel = NULL;
    ck_assert_int_eq(wait_readable(&wait), URLPOOL_OK);
    (void)close(wait.fds[0]);
    urlpool_cancel_free(wait.cancel);
}
END_TEST

START_TEST(wait_readable__ends_in_time_with_the_code_of_whose_time_it_was)
{
    struct pipe_wait wait;

    pipe_wait_init(&wait);
    wait.call.by = urlp_deadline_in(10);
    ck_assert_int_eq(wait_readable(&wait), URLPOOL_E_WRITE_TIMEOUT);
    ck_assert_int_eq(wait.err.code, URLPOOL_E_WRITE_TIMEOUT);
    ck_assert(urlp_deadline_has_passed(wait.call.by));
    wait.call.by = URLP_NEVER;
    wait.call.total_by = urlp_deadline_in(10);
    ck_assert_int_eq(wait_readable(&wait), URLPOOL_E_TOTAL_TIMEOUT);
    pipe_wait_deinit(&wait);
}
END_TEST

START_TEST(wait_readable__is_cancelled_before_and_during_the_wait)
{
    struct pipe_wait wait;
    pthread_t thread;

    pipe_wait_init(&wait);
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_wait, &wait), 0);
    ck_assert_int_eq(wait_readable(&wait), URLPOOL_E_CANCELLED);
    (void)pthread_join(thread, NULL);
    ck_assert_ptr_nonnull(write_to_pipe(&wait));
    ck_assert_int_eq(wait_readable(&wait), URLPOOL_E_CANCELLED);
    ck_assert_int_eq(wait.err.code, URLPOOL_E_CANCELLED);
    pipe_wait_deinit(&wait);
}
END_TEST

RUN_TESTS("park", park__a_wake_that_came_first_ends_the_wait_at_once,
          park__a_wake_ends_one_wait_only, park__a_used_up_wake_leaves_nothing_to_poll_for,
          park__a_sleeping_thread_is_woken, park__times_out_when_the_fake_clock_gets_there,
          park__times_out_on_the_real_clock_and_not_before,
          park__is_cancelled_before_and_during_the_wait,
          park__woken_wins_over_cancelled_and_cancelled_over_time,
          park__every_race_of_wake_cancel_and_time_ends,
          park__costs_a_descriptor_only_with_a_token_and_gives_it_back,
          park__without_a_descriptor_left_says_so, sleep__lasts_until_its_instant,
          sleep__ends_when_cancelled, sleep__ends_with_the_time_of_the_request,
          sleep__may_end_just_when_the_request_does, sleep__needs_no_descriptor,
          wait_readable__ends_with_bytes_or_with_the_end,
          wait_readable__ends_in_time_with_the_code_of_whose_time_it_was,
          wait_readable__is_cancelled_before_and_during_the_wait)
