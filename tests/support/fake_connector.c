/* Connections that are a number and a flag. The flag is atomic and everything else is under one
 * mutex, so that ThreadSanitizer sees the pool's own mistakes and not the fake's. */

#include "support/fake_connector.h"

#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

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

/* await_leave waits in a dial that is held. Under the mutex. */
static void await_leave(struct fake_connector *fake)
{
    fake->num_held++;
    pthread_cond_broadcast(&fake->changed);
    while (fake->num_let == 0) {
        pthread_cond_wait(&fake->changed, &fake->mutex);
    }
    fake->num_let--;
    fake->num_held--;
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

static struct urlpool_connection *open_fake(void *user, const struct urlp_route *route,
                                            const struct urlp_call *call, struct urlpool_error *err)
{
    struct fake_connector *fake = user;
    struct fake_connection *made = NULL;

    (void)route;
    urlp_assert_no_lock("open_fake");
    if (fake->on_dial != NULL) {
        fake->on_dial(fake->on_dial_user);
    }
    pthread_mutex_lock(&fake->mutex);
    fake->num_dials++;
    fake->last_connect_ns = call->by.at_ns;
    if (fake->holds_dials) {
        await_leave(fake);
    }
    if (!takes_failure(fake, err)) {
        made = calloc(1, sizeof(*made));
        ck_assert_ptr_nonnull(made);
        made->number = ++fake->num_opened;
    }
    pthread_mutex_unlock(&fake->mutex);
    return (struct urlpool_connection *)(void *)made;
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
    fake->table = (struct urlp_connector){
        .open = open_fake,
        .look = look_fake,
        .rest = rest_fake,
        .end = end_fake,
        .tls_ref = tls_ref_fake,
        .tls_unref = tls_unref_fake,
        .user = fake,
    };
}

void fake_connector_deinit(struct fake_connector *fake)
{
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
    pthread_mutex_lock(&fake->mutex);
    fake->num_let += num;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->mutex);
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
