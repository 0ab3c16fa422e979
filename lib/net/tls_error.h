#ifndef URLP_NET_TLS_ERROR_H
#define URLP_NET_TLS_ERROR_H

#include <stdbool.h>

#include "urlpool/error.h"

/* urlp_tls_fail fills `err` from what the TLS library left in this thread's error queue, and
 * empties the queue. `what` begins the message: "TLS handshake with example.org".
 *
 * Errors:  returns URLPOOL_E_NOMEM when memory ran out, else URLPOOL_E_TLS with tls_code set. */
enum urlpool_code urlp_tls_fail(struct urlpool_error *err, enum urlpool_phase phase,
                                const char *what);

/* urlp_tls_is_alert says whether an entry of the error queue is what a peer has said of us. */
bool urlp_tls_is_alert(unsigned long packed);

/* urlp_tls_ran_out empties this thread's error queue, and says whether memory that ran out is among
 * what it told: what it could not read then need not be malformed. */
bool urlp_tls_ran_out(void);

/* urlp_tls_clear_errors empties this thread's error queue. It costs next to nothing when that is
 * empty, as it nearly always is; ERR_clear_error goes through all its places even so. */
void urlp_tls_clear_errors(void);

#endif /* URLP_NET_TLS_ERROR_H */
