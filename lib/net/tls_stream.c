/* A TLS connection as a stream, over any stream.
 *
 * The TLS library reads and writes through tls_bio.c, which waits in the stream below; so each
 * operation here is one call into it and a look at how it ended. The thread's error queue is
 * emptied before each call and left clean.
 *
 * An end without close_notify is told apart (RFC 8446 section 6.1: data may have been cut off);
 * what it means is for the layers above. Knows nothing of HTTP. */

#include "net/tls_stream.h"

#include <openssl/err.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/no_fork.h"
#include "net/tls_context.h"
#include "net/tls_error.h"
#include "net/tls_library.h"

/* RFC 8446 section 5.1: a record holds at most 2^14 octets. */
#define RECORD_BYTES_MAX 16384

static struct urlp_tls_stream *of(struct urlp_stream *stream)
{
    return (struct urlp_tls_stream *)stream;
}

/* fail_operation ends an operation that the stream below, or the TLS library, has failed. */
static enum urlpool_code fail_operation(struct urlp_tls_stream *stream, int ssl_error,
                                        enum urlpool_phase phase, const char *what,
                                        struct urlpool_error *err)
{
    if (ssl_error == SSL_ERROR_SYSCALL && (stream->bio.code == URLPOOL_E_WRITE_TIMEOUT ||
                                           stream->bio.code == URLPOOL_E_READ_TIMEOUT)) {
        return stream->bio.code; /* what there is of a record is held, and goes on next time */
    }
    stream->is_broken = true;
    if (ssl_error == SSL_ERROR_SYSCALL && stream->bio.code != URLPOOL_OK) {
        return stream->bio.code; /* `err` was filled below */
    }
    return urlp_tls_fail(err, phase, what);
}

static enum urlpool_code tls_read(struct urlp_stream *base, void *data, size_t len, size_t *out_len,
                                  enum urlp_end *out_end, const struct urlp_call *call,
                                  struct urlpool_error *err)
{
    struct urlp_tls_stream *stream = of(base);
    const int want = len < RECORD_BYTES_MAX ? (int)len : RECORD_BYTES_MAX;
    enum urlpool_code code = URLPOOL_OK;
    int got;

    urlp_tls_bio_begin(&stream->bio, call, err);
    urlp_tls_clear_errors();
    got = SSL_read(stream->ssl, data, want);
    if (got > 0) {
        *out_len = (size_t)got;
        *out_end = URLP_END_NONE;
    } else {
        const int ssl_error = SSL_get_error(stream->ssl, got);

        if (ssl_error == SSL_ERROR_ZERO_RETURN) {
            *out_len = 0;
            *out_end = URLP_END_CLEAN;
        } else if (ssl_error == SSL_ERROR_SYSCALL && stream->bio.is_at_end) {
            *out_len = 0;
            *out_end = URLP_END_RAGGED;
            stream->is_broken = true;
        } else {
            code = fail_operation(stream, ssl_error, URLPOOL_PHASE_BODY, "reading over TLS", err);
        }
    }
    urlp_tls_clear_errors();
    urlp_tls_bio_end(&stream->bio);
    return code;
}

/* next_record gives the bytes of the next record: where they are when one run fills a record or is
 * the last, else gathered in `room`, so that head and body leave together. */
static struct urlp_span next_record(const struct urlp_iovec *runs, size_t num_runs,
                                    uint8_t room[RECORD_BYTES_MAX])
{
    size_t len = 0;

    while (num_runs > 0 && runs[0].len == 0) {
        runs++;
        num_runs--;
    }
    if (num_runs == 0) {
        return urlp_span_make(NULL, 0);
    }
    if (num_runs == 1 || runs[0].len >= RECORD_BYTES_MAX) {
        return urlp_span_make(runs[0].data,
                              runs[0].len < RECORD_BYTES_MAX ? runs[0].len : RECORD_BYTES_MAX);
    }
    for (size_t i = 0; i < num_runs && len < RECORD_BYTES_MAX; i++) {
        const size_t left = RECORD_BYTES_MAX - len;
        const size_t more = runs[i].len < left ? runs[i].len : left;

        if (more > 0) {
            memcpy(room + len, runs[i].data, more);
            len += more;
        }
    }
    return urlp_span_make(room, len);
}

bool urlp_tls_is_told_why(struct urlp_tls_stream *stream)
{
    char byte;
    int got;

    urlp_tls_bio_end(&stream->bio);
    urlp_tls_bio_begin_look(&stream->bio);
    stream->bio.is_cut = true; /* so that a handshake goes on to read */
    urlp_tls_clear_errors();
    got = SSL_peek(stream->ssl, &byte, 1);
    stream->bio.is_cut = false;
    return got <= 0 && urlp_tls_is_alert(ERR_peek_error());
}

static enum urlpool_code tls_write(struct urlp_stream *base, const struct urlp_iovec *runs,
                                   size_t num_runs, size_t *out_written,
                                   const struct urlp_call *call,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_tls_stream *stream = of(base);
    uint8_t room[RECORD_BYTES_MAX];
    const struct urlp_span record = next_record(runs, num_runs, room);
    enum urlpool_code code = URLPOOL_OK;
    int put;

    if (record.len == 0) {
        *out_written = 0;
        return URLPOOL_OK;
    }
    urlp_tls_bio_begin(&stream->bio, call, err);
    urlp_tls_clear_errors();
    put = SSL_write(stream->ssl, record.data, (int)record.len);
    if (put > 0) {
        *out_written = (size_t)put;
    } else {
        code = fail_operation(stream, SSL_get_error(stream->ssl, put), URLPOOL_PHASE_SEND,
                              "writing over TLS", err);
        if (code == URLPOOL_E_RESET && urlp_tls_is_told_why(stream)) {
            code = urlp_tls_fail(err, URLPOOL_PHASE_SEND, "writing over TLS");
        }
    }
    urlp_tls_clear_errors();
    urlp_tls_bio_end(&stream->bio);
    return code;
}

static bool has_bytes(const struct urlp_tls_stream *stream)
{
    return SSL_has_pending(stream->ssl) || urlp_tls_bio_has_bytes(&stream->bio);
}

/* peek lets the library work through what has come: a session ticket makes a healthy connection
 * readable below and is no byte of anybody's. Half a record is: nobody knows yet of what. */
static enum urlp_idle_state peek(struct urlp_tls_stream *stream)
{
    enum urlp_idle_state state = URLP_IDLE_CLOSED;
    char byte;
    int got;

    urlp_tls_bio_begin_look(&stream->bio);
    urlp_tls_clear_errors();
    got = SSL_peek(stream->ssl, &byte, 1);
    if (got > 0) {
        state = URLP_IDLE_UNEXPECTED;
    } else if (SSL_get_error(stream->ssl, got) == SSL_ERROR_WANT_READ) {
        state = has_bytes(stream) ? URLP_IDLE_UNEXPECTED : URLP_IDLE_QUIET;
    }
    urlp_tls_clear_errors();
    urlp_tls_bio_end(&stream->bio);
    return state;
}

static enum urlp_idle_state tls_idle_state(struct urlp_stream *base)
{
    struct urlp_tls_stream *stream = of(base);

    if (!has_bytes(stream)) {
        const enum urlp_idle_state below = urlp_stream_idle_state(stream->inner);

        if (below != URLP_IDLE_UNEXPECTED) {
            return below;
        }
    }
    return peek(stream);
}

static struct urlp_stream *tls_below(const struct urlp_stream *base)
{
    return ((const struct urlp_tls_stream *)base)->inner;
}

/* say_goodbye sends close_notify if it fits. RFC 8446 section 6.1: "Each party MUST send a
 * "close_notify" alert before closing its write side of the connection". */
static void say_goodbye(struct urlp_tls_stream *stream)
{
    urlp_tls_bio_begin_look(&stream->bio);
    urlp_tls_clear_errors();
    (void)SSL_shutdown(stream->ssl);
    urlp_tls_clear_errors();
    urlp_tls_bio_end(&stream->bio);
}

void urlp_tls_stream_discard(struct urlp_tls_stream *stream)
{
    urlp_no_fork_begin();
    if (stream->ssl != NULL) {
        SSL_set_app_data(stream->ssl, NULL);
        /* Else OpenSSL takes the session for bad that is in our cache. */
        SSL_set_shutdown(stream->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(stream->ssl);
    }
    urlp_tls_bio_deinit(&stream->bio);
    urlp_free(stream->leaf);
    urlp_tls_judgement_unref(stream->judgement);
    urlpool_tls_unref(stream->tls);
    urlp_no_fork_end();
    urlp_free(stream);
}

static void tls_free(struct urlp_stream *base, enum urlp_close how)
{
    struct urlp_tls_stream *stream = of(base);
    struct urlp_stream *inner = stream->inner;

    if (how == URLP_CLOSE_POLITE && !stream->is_broken) {
        say_goodbye(stream);
    }
    urlp_tls_stream_discard(stream);
    urlp_stream_free(inner, how);
}

const struct urlp_stream_ops urlp_tls_stream_ops = {
    .name = "tls",
    .read = tls_read,
    .write = tls_write,
    .idle_state = tls_idle_state,
    .below = tls_below,
    .free = tls_free,
};

bool urlp_tls_is_verified(const struct urlp_stream *base)
{
    const struct urlp_tls_stream *stream = (const struct urlp_tls_stream *)base;

    return base->ops == &urlp_tls_stream_ops && !urlp_tls_checks_take_anybody(&stream->tls->checks);
}

bool urlp_tls_describe(const struct urlp_stream *base, const char **out_version,
                       const char **out_cipher, bool *out_is_resumed)
{
    const struct urlp_tls_stream *stream = (const struct urlp_tls_stream *)base;

    if (base->ops != &urlp_tls_stream_ops) {
        return false;
    }
    *out_version = SSL_get_version(stream->ssl);
    *out_cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(stream->ssl));
    *out_is_resumed = SSL_session_reused(stream->ssl);
    return true;
}

struct urlp_span urlp_tls_peer_certificate(const struct urlp_stream *base)
{
    const struct urlp_tls_stream *stream = (const struct urlp_tls_stream *)base;

    return base->ops == &urlp_tls_stream_ops ? urlp_tls_library_leaf(stream)
                                             : urlp_span_make(NULL, 0);
}

void urlp_tls_forget_sessions(struct urlp_stream *stream)
{
    for (; stream != NULL; stream = stream->ops->below(stream)) {
        if (stream->ops == &urlp_tls_stream_ops) {
            of(stream)->sessions = NULL;
        }
    }
}
