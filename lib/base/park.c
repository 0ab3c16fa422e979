/* Waiting for one event, a deadline or a cancel token, and the wake descriptors this takes.
 *
 * Without a token a condition variable is enough. A token is an eventfd, which no condition
 * variable can wait for, so with one the thread polls two descriptors: its own, and the token's.
 * `woken`, set under the mutex, is what decides; the descriptors only end the poll. */

#include "base/park.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/own_fd.h"

/* How often a cancel token is looked at that cannot be polled. */
#define BLIND_STEP_MS 10

int urlp_wake_open(void)
{
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void urlp_wake_signal(int fd)
{
    const uint64_t one = 1;
    int saved_errno = errno;

    /* It fails only when 2^64 - 2 signals are not drained yet, and then it is readable. */
    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    errno = saved_errno;
}

void urlp_wake_drain(int fd)
{
    uint64_t count;
    int saved_errno = errno;

    if (read(fd, &count, sizeof(count)) < 0) {
        errno = saved_errno; /* there was nothing in it */
    }
}

enum urlpool_code urlp_park_init(struct urlp_park *park, const struct urlpool_cancel *cancel,
                                 struct urlpool_error *err)
{
    int wake_fd = -1;

    if (cancel != NULL) {
        wake_fd = urlp_wake_open();
        if (wake_fd < 0) {
            return urlp_fail_errno(err, URLPOOL_E_SYSTEM, URLPOOL_PHASE_NONE, errno, "eventfd");
        }
    }
    urlp_own_fd_note(wake_fd);
    park->cancel = cancel;
    park->wake_fd = wake_fd;
    park->woken = false;
    urlp_cond_init(&park->cond);
    return URLPOOL_OK;
}

void urlp_park_deinit(struct urlp_park *park)
{
    urlp_cond_deinit(&park->cond);
    if (park->wake_fd >= 0) {
        urlp_own_fd_close(park->wake_fd);
        park->wake_fd = -1;
    }
}

void urlp_park_wake(struct urlp_park *park)
{
    park->woken = true;
    urlp_cond_signal(&park->cond);
    if (park->wake_fd >= 0) {
        urlp_wake_signal(park->wake_fd);
    }
}

/* poll_two waits for one of the descriptors, each of which may be -1, or for one step towards `by`.
 * What ended it does not matter: the caller looks for itself. False: nothing can be waited for so.
 */
static bool poll_two(int wake_fd, int cancel_fd, struct urlpool_deadline by)
{
    struct pollfd fds[2] = {
        {.fd = wake_fd,   .events = POLLIN},
        {.fd = cancel_fd, .events = POLLIN}
    };

    return poll(fds, 2, urlp_deadline_poll_ms(by)) >= 0 || errno == EINTR;
}

/* wait_to_end waits until one of the three ends has come, and says which. */
static enum urlp_park_end wait_to_end(struct urlp_park *park, struct urlp_mutex *mutex,
                                      struct urlpool_deadline by)
    URLP_TSA(requires_capability(*mutex, urlp_any_lock))
{
    bool can_poll;

    while (!park->woken) {
        if (urlpool_cancel_is_set(park->cancel)) {
            return URLP_PARK_CANCELLED;
        }
        if (urlp_deadline_has_passed(by)) {
            return URLP_PARK_TIMEOUT;
        }
        if (park->cancel == NULL) {
            urlp_cond_wait(&park->cond, mutex, by);
            continue;
        }
        urlp_mutex_unlock(mutex);
        can_poll = poll_two(park->wake_fd, urlp_cancel_fd(park->cancel), by);
        urlp_mutex_lock(mutex);
        if (!can_poll && !park->woken) { /* no memory, say: then the token is looked at in steps */
            const struct urlpool_deadline step = urlp_deadline_in(BLIND_STEP_MS);

            urlp_cond_wait(&park->cond, mutex, urlpool_deadline_earliest(step, by));
        }
    }
    park->woken = false;
    if (park->wake_fd >= 0) {
        urlp_wake_drain(park->wake_fd);
    }
    return URLP_PARK_WOKEN;
}

enum urlp_park_end urlp_park_wait(struct urlp_park *park, struct urlp_mutex *mutex,
                                  struct urlpool_deadline by)
{
    struct urlp_fake_waiter waiter;
    enum urlp_park_end end;

    if (park->cancel == NULL || park->woken || !urlp_clock_is_fake()) {
        return wait_to_end(park, mutex, by);
    }
    /* A test has to see that this thread waits, all the time that it does. */
    urlp_fake_wait_begin(&waiter, &park->cond, by);
    end = wait_to_end(park, mutex, by);
    urlp_fake_wait_end(&waiter);
    return end;
}

enum urlpool_code urlp_park_sleep(const struct urlp_call *call, struct urlpool_deadline until,
                                  struct urlpool_error *err)
{
    struct urlpool_deadline ends = urlpool_deadline_earliest(call->by, call->total_by);
    struct urlp_mutex mutex;
    /* Nobody wakes a sleeper, so it needs no descriptor of its own and cannot fail for want of one.
     */
    struct urlp_park park = {.cancel = call->cancel, .wake_fd = -1};
    enum urlp_park_end end;

    urlp_assert_no_lock("urlp_park_sleep");
    urlp_mutex_init(&mutex);
    urlp_cond_init(&park.cond);
    urlp_mutex_lock(&mutex);
    end = urlp_park_wait(&park, &mutex, urlpool_deadline_earliest(until, ends));
    urlp_mutex_unlock(&mutex);
    urlp_park_deinit(&park);
    urlp_mutex_deinit(&mutex);
    if (end == URLP_PARK_CANCELLED) {
        return urlp_fail(err, URLPOOL_E_CANCELLED, URLPOOL_PHASE_NONE, "cancelled while waiting");
    }
    if (until.at_ns > ends.at_ns) {
        return urlp_fail(err, URLPOOL_E_TOTAL_TIMEOUT, URLPOOL_PHASE_NONE,
                         "no time left to wait for the next try");
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_wait_readable(int fd, const struct urlp_call *call,
                                     enum urlpool_code timeout_code, struct urlpool_error *err)
{
    struct urlpool_deadline by = urlpool_deadline_earliest(call->by, call->total_by);
    struct pollfd fds[2] = {
        {.fd = fd,                           .events = POLLIN},
        {.fd = urlp_cancel_fd(call->cancel), .events = POLLIN}
    };

    urlp_assert_no_lock("urlp_wait_readable");
    for (;;) {
        int num_ready;

        if (urlpool_cancel_is_set(call->cancel)) {
            return urlp_fail(err, URLPOOL_E_CANCELLED, URLPOOL_PHASE_NONE, "cancelled");
        }
        num_ready = poll(fds, 2, urlp_deadline_poll_ms(by));
        if (num_ready > 0 && fds[0].revents != 0) {
            return URLPOOL_OK;
        }
        if (num_ready < 0 && errno != EINTR) {
            return urlp_fail_errno(err, URLPOOL_E_SYSTEM, URLPOOL_PHASE_NONE, errno, "poll");
        }
        if (urlp_deadline_has_passed(by)) {
            return urlp_fail(err, urlp_call_timeout_code(call, timeout_code), URLPOOL_PHASE_NONE,
                             "nothing to read from descriptor %d in time", fd);
        }
    }
}
