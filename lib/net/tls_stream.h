#ifndef URLP_NET_TLS_STREAM_H
#define URLP_NET_TLS_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "net/stream.h"
#include "net/tls.h"
#include "net/tls_bio.h"
#include "net/tls_session.h"
#include "net/tls_verify.h"

/* struct urlp_tls_stream is one TLS connection: made by tls_handshake.c, run by tls_stream.c. */
struct urlp_tls_stream {
    struct urlp_stream base;
    struct urlp_stream *inner; /* owned once the handshake is done */
    struct urlpool_tls *tls;   /* a reference */
    SSL *ssl;
    bool is_broken; /* a read or write has failed: nothing polite is left to say */

    struct urlp_tls_sessions *sessions; /* borrowed; NULL: nothing is kept */
    struct urlp_tls_session_key key;
    struct urlp_tls_judgement *judgement; /* of the peer: a reference; NULL: none is kept */

    uint8_t *leaf; /* of the peer, in DER, where the library does not keep it so: owned */
    size_t leaf_len;

    struct urlp_tls_identity identity; /* during the handshake */
    struct urlp_tls_verdict *verdict;  /* during the handshake, else NULL */

    struct urlp_tls_bio bio;
};

extern const struct urlp_stream_ops urlp_tls_stream_ops;

/* urlp_tls_is_told_why looks, when a write was met by a reset, for the alert that says why: a
 * server that refuses what it was shown need not wait for the rest, and its reset comes behind the
 * alert. Whatever else has come stays to be read. Within an operation of `bio`; true leaves the
 * alert in the error queue. */
bool urlp_tls_is_told_why(struct urlp_tls_stream *stream) URLP_MAY_BLOCK;

/* urlp_tls_stream_discard frees `stream` and nothing below it; accepts a half-made one. */
void urlp_tls_stream_discard(struct urlp_tls_stream *stream);

/* What the TLS library calls, in the thread that drives the connection. Both find the stream in the
 * SSL's app data. */

/* urlp_tls_check_peer judges the peer's certificate, of a resumed handshake too: X509_V_OK, or the
 * reason for a refusal, from which the alert follows that the peer is told. */
int urlp_tls_check_peer(SSL *ssl);
/* urlp_tls_keep_session puts a session into the cache. */
int urlp_tls_keep_session(SSL *ssl, SSL_SESSION *session) URLP_MAY_BLOCK;

#endif /* URLP_NET_TLS_STREAM_H */
