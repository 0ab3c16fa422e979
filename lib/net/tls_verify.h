#ifndef URLP_NET_TLS_VERIFY_H
#define URLP_NET_TLS_VERIFY_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "base/ip.h"
#include "base/span.h"
#include "net/tls_library.h"
#include "net/tls_pins.h"

/* Caps on what a peer may make us look at. */
#define URLP_TLS_CHAIN_MAX 16
#define URLP_TLS_NAMES_MAX 8192

/* struct urlp_tls_identity is whom the certificate has to be for: a name, lower case and without a
 * trailing dot, or an address. */
struct urlp_tls_identity {
    struct urlp_span host;
    bool is_ip;
    struct urlp_ip ip;
};

/* struct urlp_tls_checks says what of a certificate is looked at. Zero bytes: chain and name. */
struct urlp_tls_checks {
    bool skips_chain;
    bool skips_name; /* also what a CA's constraints say of it */
    struct urlp_tls_pins pins;
};

/* urlp_tls_checks_take_anybody says whether a peer passes `checks` whoever it is. */
bool urlp_tls_checks_take_anybody(const struct urlp_tls_checks *checks);

/* struct urlp_tls_verdict is what urlp_tls_verify found. */
struct urlp_tls_verdict {
    struct urlpool_error error; /* as urlp_tls_verify filled it; code URLPOOL_OK before */
    /* Wall seconds: since and until when all certificates of the chain are valid. */
    int64_t good_from, good_until;
};

/* urlp_tls_verify judges the chain that a peer presented, leaf first: signatures, dates, uses and
 * constraints up to one of `roots`, and that the leaf is for `identity`; less what `checks` leaves
 * out. Called alike for full and for resumed handshakes.
 *
 * Errors:  URLPOOL_E_TLS_VERIFY, TLS_EXPIRED, TLS_HOSTNAME, TLS_PIN, NOMEM, in `verdict->error`
 *          with tls_code an X509_V_ERR value; phase TLS.
 * Threads: any number at once.
 * Spec:    RFC 5280 section 6, RFC 9525, RFC 9110 section 4.3.4. */
URLPOOL_MUST_USE enum urlpool_code urlp_tls_verify(const struct urlp_tls_shown *shown,
                                                   X509_STORE *roots,
                                                   const struct urlp_tls_checks *checks,
                                                   const struct urlp_tls_identity *identity,
                                                   struct urlp_tls_verdict *verdict);

#endif /* URLP_NET_TLS_VERIFY_H */
