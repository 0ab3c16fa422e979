#ifndef URLP_NET_TLS_H
#define URLP_NET_TLS_H

#include <stdint.h>

#include "urlpool/tls.h"

#include "base/span.h"
#include "net/stream.h"

/* urlp_tls_serial tells one built configuration from another for the life of the process: what a
 * pool key holds in its stead. */
uint64_t urlp_tls_serial(const struct urlpool_tls *tls);

/* struct urlp_tls_sessions is a cache of TLS sessions, shared by all threads of a manager, keyed by
 * configuration, host, port and the way there. At most four sessions a key are kept, the newest,
 * and `keys_max` keys, the last used. */
struct urlp_tls_sessions;

/* urlp_tls_sessions_new makes an empty cache; with `keys_max` 0 it stays empty.
 *
 * Errors:  NULL with URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE struct urlp_tls_sessions *urlp_tls_sessions_new(
    size_t keys_max, struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_tls_sessions_free drops all sessions; accepts NULL.
 *
 * Threads: nobody else may be using it. */
void urlp_tls_sessions_free(struct urlp_tls_sessions *sessions) URLP_MAY_BLOCK;

/* struct urlp_tls_target is whom to shake hands with. */
struct urlp_tls_target {
    struct urlp_span host; /* a name (SNI, dNSName) or an address literal (no SNI, iPAddress) */
    uint16_t port;         /* for the session cache only */
    struct urlp_span via;  /* the same: bytes that stand for the way there, if any; at most
                              URLP_TLS_VIA_BYTES_MAX. By another way it is another peer */
};
#define URLP_TLS_VIA_BYTES_MAX 32

/* urlp_tls_wrap shakes hands over `inner` and returns the stream that reads and writes inside.
 * Verifies chain and name on full and on resumed handshakes alike, as the configuration asks for,
 * the latter unless the session's peer was judged by the very same; with one of its insecure_
 * switches no session is offered or kept. Counts tls_full or tls_resumed, and tls_refused when a
 * session was offered in vain; tells the trace URLPOOL_TRACE_SECURED, and URLPOOL_TRACE_INSECURE
 * when the peer may be anybody.
 *
 * Owns:    takes `inner` on success only; `sessions` (may be NULL) must outlive the stream.
 * Errors:  NULL with URLPOOL_E_TLS, TLS_VERIFY, TLS_HOSTNAME, TLS_EXPIRED, TLS_PIN (tls_code
 *          set, the certificate's names in the message), CONNECT_TIMEOUT or TOTAL_TIMEOUT,
 * CANCELLED, RESET, INVALID for a host that has no name, NOMEM; phase TLS. `inner` is then fit only
 * for urlp_stream_free. Threads: one at a time for `inner`; blocks. Spec:    RFC 8446, RFC 9110
 * section 4.3.4. */
URLPOOL_MUST_USE struct urlp_stream *urlp_tls_wrap(struct urlp_stream *inner,
                                                   struct urlpool_tls *tls,
                                                   const struct urlp_tls_target *target,
                                                   struct urlp_tls_sessions *sessions,
                                                   const struct urlp_call *call,
                                                   struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_tls_is_spoken says whether a failed handshake leaves it open that the peer speaks TLS: false
 * when what came was none of it. */
bool urlp_tls_is_spoken(const struct urlpool_error *why);

/* urlp_tls_describe gives version and cipher ("TLSv1.3", static strings); false when `base` is
 * not TLS at its top. */
bool urlp_tls_describe(const struct urlp_stream *base, const char **out_version,
                       const char **out_cipher, bool *out_is_resumed);

/* urlp_tls_is_verified says whether `base` is TLS at its top with a peer that cannot be anybody. */
bool urlp_tls_is_verified(const struct urlp_stream *base);

/* urlp_tls_peer_certificate is the certificate, in DER, that the peer of `base` showed; empty
 * when `base` is not TLS at its top.
 *
 * Owns:    valid as long as the stream. */
struct urlp_span urlp_tls_peer_certificate(const struct urlp_stream *base);

/* urlp_tls_forget_sessions has every TLS in `stream` keep no more sessions: the cache need not
 * outlive it from now on. */
void urlp_tls_forget_sessions(struct urlp_stream *stream);

/* urlp_tls_library writes name and version of the TLS library that runs: "BoringSSL/17",
 * "OpenSSL/3.0.19". */
void urlp_tls_library(char *out, size_t out_size);

#endif /* URLP_NET_TLS_H */
