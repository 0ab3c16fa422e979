/* The cancel token: flag, descriptor, signal handlers, threads. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "urlpool/cancel.h"

#include "base/cancel.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

#define NUM_THREADS 4

static bool is_readable(const struct urlpool_cancel *cancel, int wait_ms)
{
    struct pollfd fd = {.fd = urlp_cancel_fd(cancel), .events = POLLIN};

    return poll(&fd, 1, wait_ms) == 1 && fd.revents == POLLIN;
}

START_TEST(cancel__is_set_once_and_for_all)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);

    ck_assert(!urlpool_cancel_is_set(cancel));
    ck_assert(!is_readable(cancel, 0));
    for (int i = 0; i < 1000; i++) { /* never blocks, however often */
        urlpool_cancel_now(cancel);
    }
    ck_assert(urlpool_cancel_is_set(cancel));
    ck_assert(is_readable(cancel, 0));
    ck_assert(is_readable(cancel, 0));
    urlpool_cancel_free(cancel);
}
END_TEST

START_TEST(cancel__null_is_accepted)
{
    urlpool_cancel_now(NULL);
    ck_assert(!urlpool_cancel_is_set(NULL));
    ck_assert_int_eq(urlp_cancel_fd(NULL), -1);
    urlpool_cancel_free(NULL);
}
END_TEST

START_TEST(cancel__descriptor_is_not_inherited_and_does_not_block)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    int fd = urlp_cancel_fd(cancel);

    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    urlpool_cancel_free(cancel);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

static struct urlpool_cancel *handled;

static void cancel_in_handler(int number)
{
    (void)number;
    urlpool_cancel_now(handled);
}

START_TEST(cancel__works_in_a_signal_handler_and_keeps_errno)
{
    struct sigaction action = {.sa_handler = cancel_in_handler};
    const uint64_t almost_full = UINT64_MAX - 1;

    handled = urlpool_cancel_new(NULL);
    /* So full that the signal of the cancel fails inside. */
    ck_assert_int_eq(write(urlp_cancel_fd(handled), &almost_full, 8), 8);
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    errno = 12345;
    ck_assert_int_eq(raise(SIGUSR1), 0);
    ck_assert_int_eq(errno, 12345);
    ck_assert(urlpool_cancel_is_set(handled));
    ck_assert(is_readable(handled, 0));
    urlpool_cancel_free(handled);
}
END_TEST

static void *poll_for_cancel(void *cancel)
{
    return is_readable(cancel, 30000) && urlpool_cancel_is_set(cancel) ? cancel : NULL;
}

START_TEST(cancel__wakes_every_thread_that_polls)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    pthread_t threads[NUM_THREADS];

    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, poll_for_cancel, cancel), 0);
    }
    urlpool_cancel_now(cancel);
    for (int i = 0; i < NUM_THREADS; i++) {
        void *result = NULL;

        (void)pthread_join(threads[i], &result);
        ck_assert_ptr_eq(result, cancel);
    }
    urlpool_cancel_free(cancel);
}
END_TEST

START_TEST(cancel__new_fails_cleanly)
{
    struct rlimit limit;
    struct rlimit none;
    struct urlpool_error err;

    failing_allocator_install();
    failing_allocator_fail_nth(1);
    ck_assert_ptr_null(urlpool_cancel_new(&err));
    ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_ptr_null(urlpool_cancel_new(&err));
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(err.code, URLPOOL_E_SYSTEM);
    ck_assert_int_eq(err.os_errno, EMFILE);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

RUN_TESTS("cancel", cancel__is_set_once_and_for_all, cancel__null_is_accepted,
          cancel__descriptor_is_not_inherited_and_does_not_block,
          cancel__works_in_a_signal_handler_and_keeps_errno, cancel__wakes_every_thread_that_polls,
          cancel__new_fails_cleanly)
