/* Connections that are a number and a flag. The flag is atomic and everything else is under one
 * mutex, so that ThreadSanitizer sees the pool's own mistakes and not the fake's. */

#include "support/fake_connector.h"

#include <check.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"

/* What a struct urlpool_connection really is here. */
struct fake_connection {
    int number;
    atomic_int num_users;
    int touched; /* plain: two threads at once are a race that ThreadSanitizer reports */
};

static struct fake_connection *fake_of(const struct urlpool_connection *connection)
{
    return (struct fake_connection *)(void *)connection;
}

/* What a struct urlp_half_dial really is here. */
struct fake_half {
    int dial; /* the number of the dial that was broken off */
};

/* enum ending is how a dial that was held came to go on. */
enum ending {
    LET,
    BROKEN_OFF,
    CANCELLED
};

/* may_go says whether a dial that is held has been let. */
static bool may_go(struct fake_connector *fake)
{
    uint64_t one;

    return read(fake->let_fd, &one, sizeof(one)) == (ssize_t)sizeof(one);
}

/* await_leave waits in a dial that is held, until it is let, broken off or cancelled. Under the
 * mutex, which it gives up meanwhile. */
static enum ending await_leave(struct fake_connector *fake, const struct urlp_call *call,
                               int wake_fd)
{
    struct pollfd fds[3] = {
        {.fd = fake->let_fd,                 .events = POLLIN},
        {.fd = wake_fd,                      .events = POLLIN},
        {.fd = urlp_cancel_fd(call->cancel), .events = POLLIN}
    };
    enum ending ending = LET;
    bool is_over = false;

    fake->num_held++;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->mutex);
    while (!is_over) {
        ck_assert_int_gt(poll(fds, 3, -1), 0);
        if (fds[2].revents != 0 || fds[1].revents != 0) {
            ending = fds[2].revents != 0 ? CANCELLED : BROKEN_OFF;
            is_over = true;
        } else {
            is_over = may_go(fake);
        }
    }
    pthread_mutex_lock(&fake->mutex);
    fake->num_held--;
    pthread_cond_broadcast(&fake->changed);
    return ending;
}

struct urlp_half_dial *fake_half_new(struct fake_connector *fake, int dial)
{
    struct fake_half *half = calloc(1, sizeof(*half));

    ck_assert_ptr_nonnull(half);
    half->dial = dial;
    fake->num_halves++;
    return (struct urlp_half_dial *)(void *)half;
}

/* break_off leaves a half behind. */
static void break_off(struct fake_connector *fake, struct urlp_break_off *what, int dial,
                      struct urlpool_error *err)
{
    what->is_broken_off = true;
    if (!fake->leaves_nothing) {
        what->half = fake_half_new(fake, dial);
    }
    (void)urlp_fail(err, URLPOOL_E_CANCELLED, URLPOOL_PHASE_CONNECT, "broken off");
}

/* go_on uses up the half that a dial was given, and returns the number of that dial, else 0. */
static int go_on(struct fake_connector *fake, struct urlp_break_off *what)
{
    struct fake_half *half = (struct fake_half *)(void *)what->half;
    int dial;

    if (half == NULL) {
        return 0;
    }
    dial = half->dial;
    what->half = NULL;
    free(half);
    fake->num_halves--;
    fake->num_resumed++;
    fake->last_resumed = dial;
    return dial;
}

/* hold lets a dial wait if it has to; false: it ended so. Under the mutex. */
static bool hold(struct fake_connector *fake, const struct urlp_call *call, int dial,
                 struct urlpool_error *err)
{
    struct urlp_break_off *what = call->break_off;
    bool is_breakable = what != NULL && !fake->is_deaf;
    enum ending ending;

    if (fake->tcp_is_up && is_breakable) {
        is_breakable = false;
        if (!urlp_break_off_shut(what)) {
            break_off(fake, what, dial, err);
            return false;
        }
    }
    ending = await_leave(fake, call, is_breakable ? what->wake_fd : -1);
    if (ending == CANCELLED) {
        (void)urlp_fail(err, URLPOOL_E_CANCELLED, URLPOOL_PHASE_CONNECT, "cancelled");
    } else if (ending == BROKEN_OFF ||
               (is_breakable && fake->num_to_fail == 0 && !urlp_break_off_shut(what))) {
        break_off(fake, what, dial, err);
        ending = BROKEN_OFF;
    }
    return ending == LET;
}

static bool takes_failure(struct fake_connector *fake, struct urlpool_error *err)
{
    if (fake->num_to_fail == 0) {
        return false;
    }
    fake->num_to_fail--;
    (void)urlp_fail_errno(err, fake->fail_code, URLPOOL_PHASE_CONNECT, fake->fail_errno,
                          "dial refused by the test");
    return true;
}

/* connect_slowly lets a dial that is not held take its time, in which it can be broken off; false:
 * it was. Under the mutex, which it gives up meanwhile. */
static bool connect_slowly(struct fake_connector *fake, const struct urlp_call *call, int dial,
                           struct urlpool_error *err)
{
    struct urlp_break_off *what = call->break_off;
    struct pollfd wake = {.fd = what != NULL ? what->wake_fd : -1, .events = POLLIN};

    pthread_mutex_unlock(&fake->mutex);
    (void)poll(&wake, 1, dial % (fake->connect_ms + 1));
    pthread_mutex_lock(&fake->mutex);
    if (urlp_break_off_shut(what)) {
        return true;
    }
    break_off(fake, what, dial, err);
    return false;
}

static struct urlpool_connection *open_fake(void *user, const struct urlp_route *route,
                                            const struct urlp_call *call, struct urlpool_error *err)
{
    struct fake_connector *fake = user;
    struct fake_connection *made = NULL;
    int dial;

    (void)route;
    urlp_assert_no_lock("open_fake");
    if (fake->on_dial != NULL) {
        fake->on_dial(fake->on_dial_user);
    }
    pthread_mutex_lock(&fake->mutex);
    dial = ++fake->num_dials;
    fake->last_connect_ns = call->by.at_ns;
    if (call->break_off != NULL && go_on(fake, call->break_off) != 0) {
        dial = fake->last_resumed;
    }
    if ((!fake->holds_dials || hold(fake, call, dial, err)) &&
        (fake->connect_ms == 0 || connect_slowly(fake, call, dial, err)) &&
        !takes_failure(fake, err)) {
        made = calloc(1, sizeof(*made));
        ck_assert_ptr_nonnull(made);
        made->number = ++fake->num_opened;
    }
    pthread_mutex_unlock(&fake->mutex);
    return (struct urlpool_connection *)(void *)made;
}

static void drop_half_fake(void *user, struct urlp_half_dial *half)
{
    struct fake_connector *fake = user;

    urlp_assert_no_lock("drop_half_fake");
    pthread_mutex_lock(&fake->mutex);
    fake->num_halves--;
    fake->num_dropped++;
    pthread_mutex_unlock(&fake->mutex);
    free((struct fake_half *)(void *)half);
}

static enum urlp_look look_fake(void *user, struct urlpool_connection *connection)
{
    struct fake_connector *fake = user;
    int number = fake_number(connection);
    enum urlp_look look = URLP_LOOK_GOOD;

    urlp_assert_no_lock("look_fake");
    fake_use(connection);
    pthread_mutex_lock(&fake->mutex);
    fake->num_looks++;
    if (number < FAKE_CONNECTIONS_MAX) {
        look = fake->looks[number];
    }
    pthread_mutex_unlock(&fake->mutex);
    fake_unuse(connection);
    return look;
}

static void rest_fake(void *user, struct urlpool_connection *connection)
{
    struct fake_connector *fake = user;

    urlp_assert_no_lock("rest_fake");
    fake_use(connection);
    pthread_mutex_lock(&fake->mutex);
    fake->num_rests++;
    pthread_mutex_unlock(&fake->mutex);
    fake_unuse(connection);
}

static void end_fake(void *user, struct urlpool_connection *connection, bool is_polite)
{
    struct fake_connector *fake = user;

    urlp_assert_no_lock("end_fake");
    fake_use(connection); /* and never unused */
    pthread_mutex_lock(&fake->mutex);
    fake->num_ended++;
    fake->num_polite += is_polite ? 1 : 0;
    fake->last_ended = fake_number(connection);
    pthread_mutex_unlock(&fake->mutex);
    free(fake_of(connection));
}

static bool is_gone_fake(void *user, const struct urlp_route *route,
                         const struct urlpool_connection *connection, uint64_t *seen)
{
    struct fake_connector *fake = user;
    bool is_gone;

    (void)route;
    (void)seen;
    urlp_assert_no_lock("is_gone_fake");
    pthread_mutex_lock(&fake->mutex);
    is_gone = fake_number(connection) < fake->num_gone_below;
    pthread_mutex_unlock(&fake->mutex);
    return is_gone;
}

static int64_t ask_names_fake(void *user, const struct urlp_route *route,
                              const struct urlp_call *call)
{
    struct fake_connector *fake = user;
    int64_t good_ms;

    (void)route;
    (void)call;
    urlp_assert_no_lock("ask_names_fake");
    pthread_mutex_lock(&fake->mutex);
    fake->num_asks++;
    good_ms = fake->names_good_ms;
    pthread_mutex_unlock(&fake->mutex);
    return good_ms;
}

static void tls_ref_fake(void *user, struct urlpool_tls *tls)
{
    struct fake_connector *fake = user;

    (void)tls;
    pthread_mutex_lock(&fake->mutex);
    fake->num_tls_refs++;
    pthread_mutex_unlock(&fake->mutex);
}

static void tls_unref_fake(void *user, struct urlpool_tls *tls)
{
    struct fake_connector *fake = user;

    (void)tls;
    urlp_assert_no_lock("tls_unref_fake");
    pthread_mutex_lock(&fake->mutex);
    fake->num_tls_refs--;
    pthread_mutex_unlock(&fake->mutex);
}

void fake_connector_init(struct fake_connector *fake)
{
    memset(fake, 0, sizeof(*fake));
    pthread_mutex_init(&fake->mutex, NULL);
    pthread_cond_init(&fake->changed, NULL);
    fake->let_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    ck_assert_int_ge(fake->let_fd, 0);
    fake->names_good_ms = -1;
    fake->table = (struct urlp_connector){
        .open = open_fake,
        .look = look_fake,
        .rest = rest_fake,
        .end = end_fake,
        .drop_half = drop_half_fake,
        .is_gone = is_gone_fake,
        .ask_names = ask_names_fake,
        .tls_ref = tls_ref_fake,
        .tls_unref = tls_unref_fake,
        .user = fake,
    };
}

void fake_connector_deinit(struct fake_connector *fake)
{
    ck_assert_int_eq(fake->num_halves, 0);
    (void)close(fake->let_fd);
    pthread_cond_destroy(&fake->changed);
    pthread_mutex_destroy(&fake->mutex);
}

void fake_fail_dials(struct fake_connector *fake, int num, enum urlpool_code code, int os_errno)
{
    pthread_mutex_lock(&fake->mutex);
    fake->num_to_fail = num;
    fake->fail_code = code;
    fake->fail_errno = os_errno;
    pthread_mutex_unlock(&fake->mutex);
}

void fake_hold_dials(struct fake_connector *fake)
{
    pthread_mutex_lock(&fake->mutex);
    fake->holds_dials = true;
    pthread_mutex_unlock(&fake->mutex);
}

void fake_let_dials(struct fake_connector *fake, int num)
{
    const uint64_t add = (uint64_t)num;

    ck_assert_int_eq(write(fake->let_fd, &add, sizeof(add)), (ssize_t)sizeof(add));
}

void fake_await_held(struct fake_connector *fake, int num)
{
    pthread_mutex_lock(&fake->mutex);
    while (fake->num_held != num) {
        pthread_cond_wait(&fake->changed, &fake->mutex);
    }
    pthread_mutex_unlock(&fake->mutex);
}

void fake_set_look(struct fake_connector *fake, int number, enum urlp_look look)
{
    pthread_mutex_lock(&fake->mutex);
    fake->looks[number] = look;
    pthread_mutex_unlock(&fake->mutex);
}

int fake_number(const struct urlpool_connection *connection)
{
    return fake_of(connection)->number;
}

void fake_use(struct urlpool_connection *connection)
{
    struct fake_connection *fake = fake_of(connection);

    ck_assert_int_eq(atomic_fetch_add_explicit(&fake->num_users, 1, memory_order_relaxed), 0);
    fake->touched++;
}

void fake_unuse(struct urlpool_connection *connection)
{
    struct fake_connection *fake = fake_of(connection);

    fake->touched++;
    ck_assert_int_eq(atomic_fetch_sub_explicit(&fake->num_users, 1, memory_order_relaxed), 1);
}

int fake_num_live(struct fake_connector *fake)
{
    int num;

    pthread_mutex_lock(&fake->mutex);
    num = fake->num_opened - fake->num_ended;
    pthread_mutex_unlock(&fake->mutex);
    return num;
}
