/* How one TLS configuration takes the place of another under the hands of threads.
 *
 * Who uses the configuration is counted in and out. One that was replaced goes to `past`, and is
 * dropped when the count is seen at zero after that: whoever comes later finds the new one. The
 * order of these four (count in, look; replace, look at the count) is what it rests on, so they are
 * sequentially consistent.
 *
 * In a forked child the count may stay above zero for ever, for a thread that is not there: then
 * what is replaced is kept until the end, and nothing worse. */

#include "client/tls_slot.h"

#include <stddef.h>

#include "base/alloc.h"
#include "base/error.h"
#include "conn/opener.h"

struct urlp_tls_past {
    struct urlp_tls_past *next;
    struct urlpool_tls *tls;
};

void urlp_tls_slot_init(struct urlp_tls_slot *slot, struct urlpool_tls *tls)
{
    atomic_init(&slot->current, urlpool_tls_ref(tls));
    atomic_init(&slot->num_users, 0);
    atomic_init(&slot->past, NULL);
}

static void free_all(struct urlp_tls_past *past)
{
    while (past != NULL) {
        struct urlp_tls_past *next = past->next;

        urlpool_tls_unref(past->tls);
        urlp_free(past);
        past = next;
    }
}

void urlp_tls_slot_deinit(struct urlp_tls_slot *slot)
{
    free_all(atomic_exchange(&slot->past, NULL));
    urlpool_tls_unref(atomic_exchange(&slot->current, NULL));
}

/* keep_all puts a list back. */
static void keep_all(struct urlp_tls_slot *slot, struct urlp_tls_past *first)
{
    struct urlp_tls_past *last = first;
    struct urlp_tls_past *found = atomic_load(&slot->past);

    while (last->next != NULL) {
        last = last->next;
    }
    do {
        last->next = found;
    } while (!atomic_compare_exchange_weak(&slot->past, &found, first));
}

/* sweep drops what was replaced, unless somebody may be using it still. What is on the list was
 * replaced before it is taken off, and so before the count is looked at. */
static void sweep(struct urlp_tls_slot *slot)
{
    struct urlp_tls_past *all = atomic_exchange(&slot->past, NULL);

    if (all == NULL) {
        return;
    }
    if (atomic_load(&slot->num_users) == 0) {
        free_all(all);
        return;
    }
    keep_all(slot, all);
}

struct urlpool_tls *urlp_tls_slot_enter(struct urlp_tls_slot *slot, struct urlpool_error *err)
{
    struct urlpool_tls *found;
    struct urlpool_tls *made;

    (void)atomic_fetch_add(&slot->num_users, 1);
    found = atomic_load(&slot->current);
    if (found != NULL) {
        return found;
    }
    made = urlpool_tls_new(NULL, err);
    if (made == NULL) {
        urlp_tls_slot_leave(slot);
        return NULL;
    }
    if (atomic_compare_exchange_strong(&slot->current, &found, made)) {
        return made;
    }
    urlpool_tls_unref(made); /* another thread was faster */
    return found;
}

void urlp_tls_slot_leave(struct urlp_tls_slot *slot)
{
    if (atomic_fetch_sub(&slot->num_users, 1) == 1 && atomic_load(&slot->past) != NULL) {
        sweep(slot);
    }
}

bool urlp_tls_slot_holds(struct urlp_tls_slot *slot, const struct urlpool_tls *tls)
{
    return atomic_load(&slot->current) == tls;
}

enum urlpool_code urlp_tls_slot_put(struct urlp_tls_slot *slot, struct urlpool_tls *tls,
                                    uint64_t *out_serial, struct urlpool_error *err)
{
    struct urlp_tls_past *past = urlp_zalloc(sizeof(*past));

    if (past == NULL) {
        return urlp_fail_nomem(err);
    }
    past->tls = atomic_exchange(&slot->current, urlpool_tls_ref(tls));
    *out_serial = past->tls != NULL && past->tls != tls ? urlp_opener_tls_serial(past->tls) : 0;
    keep_all(slot, past);
    sweep(slot);
    return URLPOOL_OK;
}
