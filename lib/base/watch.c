/* Sleeping on an instant, on sockets that peers may close, and on who wakes the sleeper: an epoll
 * with a timer and an eventfd in it.
 *
 * The timer runs on CLOCK_BOOTTIME, which a time-out of epoll_wait does not. Sockets are watched
 * edge-triggered and for their end alone (EPOLLRDHUP, with the errors and hang-ups that always
 * come): the kernel tells of it once, so nothing spins whatever is left unread there, and answers
 * that arrive on a connection in use cost no wake-up. */

#include "base/watch.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/own_fd.h"
#include "base/park.h"

#define EVENTS_MAX 64
#define ID_OF_OWN  0  /* the timer and the wake descriptor */
#define FAKE_MS    10 /* how soon an advance of the fake clock is noticed */

static bool add(const struct urlp_watch *watch, int fd, uint32_t events, uint64_t id)
{
    struct epoll_event event = {.events = events, .data = {.u64 = id}};

    return epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void close_own(int fd)
{
    if (fd >= 0) {
        urlp_own_fd_close(fd);
    }
}

enum urlpool_code urlp_watch_init(struct urlp_watch *watch, struct urlpool_error *err)
{
    struct urlp_watch made = {.epoll_fd = epoll_create1(EPOLL_CLOEXEC), .timer_fd = -1};
    int saved_errno;

    made.wake_fd = urlp_wake_open();
    if (made.wake_fd >= 0) {
        made.timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    }
    urlp_own_fd_note(made.epoll_fd);
    urlp_own_fd_note(made.wake_fd);
    urlp_own_fd_note(made.timer_fd);
    if (made.epoll_fd >= 0 && made.timer_fd >= 0 && add(&made, made.timer_fd, EPOLLIN, ID_OF_OWN) &&
        add(&made, made.wake_fd, EPOLLIN, ID_OF_OWN)) {
        *watch = made;
        return URLPOOL_OK;
    }
    saved_errno = errno;
    urlp_watch_deinit(&made);
    return urlp_fail_errno(err, URLPOOL_E_SYSTEM, URLPOOL_PHASE_NONE, saved_errno,
                           "epoll, eventfd or timerfd");
}

void urlp_watch_deinit(struct urlp_watch *watch)
{
    close_own(watch->epoll_fd);
    close_own(watch->timer_fd);
    close_own(watch->wake_fd);
    *watch = (struct urlp_watch){-1, -1, -1};
}

bool urlp_watch_add(const struct urlp_watch *watch, int fd, uint64_t id)
{
    return add(watch, fd, EPOLLRDHUP | EPOLLET, id);
}

void urlp_watch_wake(const struct urlp_watch *watch)
{
    urlp_wake_signal(watch->wake_fd);
}

/* set_timer sets the timer to `until_ns`, or stops it. */
static void set_timer(const struct urlp_watch *watch, int64_t until_ns)
{
    struct itimerspec at = {
        .it_interval = {0, 0}
    };

    if (until_ns != INT64_MAX) {
        until_ns = until_ns > 0 ? until_ns : 1; /* zero would stop it */
        at.it_value.tv_sec = (time_t)(until_ns / URLP_NS_PER_S);
        at.it_value.tv_nsec = (long)(until_ns % URLP_NS_PER_S);
    }
    (void)timerfd_settime(watch->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* sleep_fake sleeps on the fake clock, and lets tests see that it does. */
static int sleep_fake(const struct urlp_watch *watch, struct epoll_event *events, int max,
                      int64_t until_ns)
{
    const struct urlpool_deadline by = {until_ns};
    struct urlp_fake_waiter waiter;
    struct urlp_cond nobody_signals;
    int num;

    urlp_cond_init(&nobody_signals);
    urlp_fake_wait_begin(&waiter, &nobody_signals, by);
    do {
        num = epoll_wait(watch->epoll_fd, events, max, urlp_deadline_has_passed(by) ? 0 : FAKE_MS);
    } while (num == 0 && !urlp_deadline_has_passed(by) && urlp_clock_is_fake());
    urlp_fake_wait_end(&waiter);
    urlp_cond_deinit(&nobody_signals);
    return num;
}

size_t urlp_watch_sleep(const struct urlp_watch *watch, int64_t until_ns, uint64_t *out_ids,
                        size_t max)
{
    struct epoll_event events[EVENTS_MAX];
    const int num_max = max < EVENTS_MAX ? (int)max : EVENTS_MAX;
    size_t num_ids = 0;
    int num;

    urlp_assert_no_lock("urlp_watch_sleep");
    if (urlp_clock_is_fake()) {
        num = sleep_fake(watch, events, num_max, until_ns);
    } else {
        set_timer(watch, until_ns);
        num = epoll_wait(watch->epoll_fd, events, num_max, -1);
    }
    for (int i = 0; i < num; i++) {
        if (events[i].data.u64 != ID_OF_OWN) {
            out_ids[num_ids++] = events[i].data.u64;
        }
    }
    urlp_wake_drain(watch->wake_fd);
    return num_ids;
}
