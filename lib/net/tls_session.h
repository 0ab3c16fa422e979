#ifndef URLP_NET_TLS_SESSION_H
#define URLP_NET_TLS_SESSION_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "net/tls.h"
#include "net/tls_judgement.h"
#include "net/tls_names.h"

/* How many tickets of one peer are kept, the newest, and how long one may be. */
#define URLP_TLS_TICKETS_A_KEY    4
#define URLP_TLS_TICKET_BYTES_MAX 16384

/* struct urlp_tls_session_key is the full identity of a TLS peer: configuration (trust, modes),
 * port, host and the way there. */
struct urlp_tls_session_key {
    size_t len;
    uint8_t bytes[sizeof(uint64_t) + sizeof(uint16_t) + URLP_TLS_HOST_LEN_MAX + 1 +
                  URLP_TLS_VIA_BYTES_MAX];
};

/* urlp_tls_session_key_make. Sizes: `host` is at most URLP_TLS_HOST_LEN_MAX bytes, lower case. */
struct urlp_tls_session_key urlp_tls_session_key_make(uint64_t tls_serial, uint16_t port,
                                                      struct urlp_span host);

/* urlp_tls_session_key_add_way makes it the key of the same peer by a way of its own. Sizes: `via`
 * is 1 to URLP_TLS_VIA_BYTES_MAX bytes. */
void urlp_tls_session_key_add_way(struct urlp_tls_session_key *key, struct urlp_span via);

/* urlp_tls_sessions_put keeps `session` for as long as the `judgement` of its peer is good, if it
 * is worth keeping; without a judgement it is not.
 *
 * Owns:    takes references of its own.
 * Threads: any number at once. */
void urlp_tls_sessions_put(struct urlp_tls_sessions *sessions,
                           const struct urlp_tls_session_key *key, SSL_SESSION *session,
                           struct urlp_tls_judgement *judgement) URLP_MAY_BLOCK;

/* urlp_tls_sessions_take gives the newest session that is still good, or NULL; one of TLS 1.3 is
 * then no longer in the cache. With it comes the judgement it was kept with, or NULL.
 *
 * Owns:    the references are the caller's, for SSL_SESSION_free and urlp_tls_judgement_unref.
 * Threads: any number at once.
 * Spec:    RFC 8446 appendix C.4: "Clients SHOULD NOT reuse a ticket for multiple connections." */
SSL_SESSION *urlp_tls_sessions_take(struct urlp_tls_sessions *sessions,
                                    const struct urlp_tls_session_key *key,
                                    struct urlp_tls_judgement **out_judgement) URLP_MAY_BLOCK;

/* urlp_tls_sessions_forget drops all sessions of `key`: one of them has just failed. */
void urlp_tls_sessions_forget(struct urlp_tls_sessions *sessions,
                              const struct urlp_tls_session_key *key) URLP_MAY_BLOCK;

/* urlp_tls_sessions_count is how many sessions are kept of `key`. */
size_t urlp_tls_sessions_count(struct urlp_tls_sessions *sessions,
                               const struct urlp_tls_session_key *key) URLP_MAY_BLOCK;

#endif /* URLP_NET_TLS_SESSION_H */
