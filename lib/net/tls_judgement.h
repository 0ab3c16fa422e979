#ifndef URLP_NET_TLS_JUDGEMENT_H
#define URLP_NET_TLS_JUDGEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "net/tls_library.h"
#include "net/tls_verify.h"

/* struct urlp_tls_matter is what a peer's certificate is judged by, and what of. */
struct urlp_tls_matter {
    uint64_t tls_serial; /* of the configuration: its roots, above all */
    const struct urlp_tls_checks *checks;
    const struct urlp_tls_identity *identity;
    const struct urlp_tls_shown *shown;
};

/* struct urlp_tls_judgement is a matter that was found good: what sessions are kept with, so that
 * who resumes one need not judge the same matter again. It never changes. */
struct urlp_tls_judgement;

/* urlp_tls_judgement_new remembers that `matter` was found good by `verdict`.
 *
 * Owns:    one reference is the caller's; nothing of `matter` is borrowed.
 * Errors:  NULL out of memory: then it has to be judged again. */
struct urlp_tls_judgement *urlp_tls_judgement_new(const struct urlp_tls_matter *matter,
                                                  const struct urlp_tls_verdict *verdict);

/* urlp_tls_judgement_ref and urlp_tls_judgement_unref accept NULL.
 *
 * Threads: any number at once. */
struct urlp_tls_judgement *urlp_tls_judgement_ref(struct urlp_tls_judgement *judgement);
void urlp_tls_judgement_unref(struct urlp_tls_judgement *judgement);

/* urlp_tls_judgement_holds says whether `matter`, judged now, has to be found good: it is the one
 * that was judged, byte by byte, and the time is within what all certificates of the chain are
 * valid for. False for NULL. */
bool urlp_tls_judgement_holds(const struct urlp_tls_judgement *judgement,
                              const struct urlp_tls_matter *matter);

/* urlp_tls_judgement_good_until is when it ends, in wall seconds. */
int64_t urlp_tls_judgement_good_until(const struct urlp_tls_judgement *judgement);

#endif /* URLP_NET_TLS_JUDGEMENT_H */
