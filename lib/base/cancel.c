/* The cancel token: a flag to look at and an eventfd to poll.
 *
 * Cancelling stores the flag first and signals the descriptor second, so whoever is woken by the
 * descriptor finds the flag set. The descriptor is never drained and lives as long as the token: no
 * wake is lost however late one begins to poll, and no number is reused under a poll. Both steps
 * are allowed in a signal handler. */

#include "urlpool/cancel.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/error.h"
#include "base/park.h"

struct urlpool_cancel {
    atomic_bool is_set;
    int fd;
};

_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "a signal handler may store the flag");

struct urlpool_cancel *urlpool_cancel_new(struct urlpool_error *err)
{
    struct urlpool_cancel *cancel = urlp_alloc(sizeof(*cancel));

    if (cancel == NULL) {
        (void)urlp_fail_nomem(err);
        return NULL;
    }
    atomic_init(&cancel->is_set, false);
    cancel->fd = urlp_wake_open();
    if (cancel->fd < 0) {
        (void)urlp_fail_errno(err, URLPOOL_E_SYSTEM, URLPOOL_PHASE_NONE, errno, "eventfd");
        urlp_free(cancel);
        return NULL;
    }
    return cancel;
}

void urlpool_cancel_now(struct urlpool_cancel *cancel)
{
    if (cancel == NULL) {
        return;
    }
    atomic_store(&cancel->is_set, true);
    urlp_wake_signal(cancel->fd);
}

bool urlpool_cancel_is_set(const struct urlpool_cancel *cancel)
{
    return cancel != NULL && atomic_load(&cancel->is_set);
}

void urlpool_cancel_free(struct urlpool_cancel *cancel)
{
    if (cancel == NULL) {
        return;
    }
    (void)close(cancel->fd);
    urlp_free(cancel);
}

int urlp_cancel_fd(const struct urlpool_cancel *cancel)
{
    return cancel != NULL ? cancel->fd : -1;
}
