#ifndef URLP_CLIENT_TLS_SLOT_H
#define URLP_CLIENT_TLS_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "urlpool/tls.h"

#include "base/sync.h"

/* struct urlp_tls_slot holds the TLS configuration that requests take, and lets another take its
 * place while they do. It has no lock, which a thread of a parent process could have held at a
 * fork. Zero bytes: none yet. */
struct urlp_tls_slot {
    _Atomic(struct urlpool_tls *) current; /* a reference; NULL: the default, not built yet */
    _Atomic uint32_t num_users;            /* threads between enter and leave */
    _Atomic(struct urlp_tls_past *) past;  /* replaced, while somebody may have been using it */
};

/* urlp_tls_slot_init makes `tls`, of which it takes a reference, the one; NULL: the default. */
void urlp_tls_slot_init(struct urlp_tls_slot *slot, struct urlpool_tls *tls);
/* urlp_tls_slot_deinit drops what it holds; nobody is between enter and leave. */
void urlp_tls_slot_deinit(struct urlp_tls_slot *slot);

/* urlp_tls_slot_enter gives the configuration, and builds the default one at the first need.
 *
 * Owns:    the slot's: valid until urlp_tls_slot_leave, which must follow unless it failed.
 * Errors:  NULL with those of urlpool_tls_new.
 * Threads: any number at once; reads files when it builds. */
URLPOOL_MUST_USE struct urlpool_tls *urlp_tls_slot_enter(struct urlp_tls_slot *slot,
                                                         struct urlpool_error *err) URLP_MAY_BLOCK;
void urlp_tls_slot_leave(struct urlp_tls_slot *slot) URLP_MAY_BLOCK;

/* urlp_tls_slot_holds says whether `tls`, which the caller has entered for, is still the one. */
bool urlp_tls_slot_holds(struct urlp_tls_slot *slot, const struct urlpool_tls *tls);

/* urlp_tls_slot_put makes `tls`, of which it takes a reference, the one from now on; NULL: the
 * default, built anew at the next need. `out_serial` is that of the one before, 0 when there was
 * none or it is the same.
 *
 * Errors:  URLPOOL_E_NOMEM; then all is as it was.
 * Threads: any number at once. */
URLPOOL_MUST_USE enum urlpool_code urlp_tls_slot_put(struct urlp_tls_slot *slot,
                                                     struct urlpool_tls *tls, uint64_t *out_serial,
                                                     struct urlpool_error *err) URLP_MAY_BLOCK;

#endif /* URLP_CLIENT_TLS_SLOT_H */
