/* Becoming a TLS connection: whom we ask for, what we offer, and how it went.
 *
 * The certificate is judged inside the handshake, so a refusal is told to the peer and nothing of
 * ours has been sent; that of a resumed session again, unless everything it was judged by is the
 * same (tls_judgement.c). A session is offered only for the very same configuration, host and port,
 * and kept only of a verified handshake; a configuration that does not verify neither offers nor
 * keeps.
 *
 * The library's callbacks find the stream in the SSL's app data, which is cleared before the stream
 * goes. */

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/counters.h"
#include "base/error.h"
#include "base/no_fork.h"
#include "net/tls.h"
#include "net/tls_context.h"
#include "net/tls_error.h"
#include "net/tls_library.h"
#include "net/tls_stream.h"

#define ALPN_HTTP_1_1 "http/1.1"

/* struct attempt is one handshake under way. */
struct attempt {
    struct urlp_tls_stream *stream;
    const struct urlp_call *call;
    char host[URLP_TLS_HOST_LEN_MAX + 1];  /* as asked for: lower case, no trailing dot */
    char what[URLP_TLS_HOST_LEN_MAX + 24]; /* the beginning of messages */
    SSL_SESSION *offered;
    bool was_offered;
    struct urlp_tls_verdict verdict;
    struct urlpool_error below; /* why the stream below failed */
};

int urlp_tls_check_peer(SSL *ssl)
{
    struct urlp_tls_stream *stream = SSL_get_app_data(ssl);
    struct urlp_tls_matter matter;
    enum urlpool_code code;

    if (stream == NULL || stream->verdict == NULL) {
        return X509_V_ERR_APPLICATION_VERIFICATION;
    }
    matter = (struct urlp_tls_matter){.tls_serial = stream->tls->serial,
                                      .checks = &stream->tls->checks,
                                      .identity = &stream->identity,
                                      .shown = urlp_tls_shown_by(ssl)};
    if (SSL_session_reused(ssl) && urlp_tls_judgement_holds(stream->judgement, &matter)) {
        return X509_V_OK;
    }
    urlp_tls_judgement_unref(stream->judgement); /* of the session that was offered */
    stream->judgement = NULL;
    code = urlp_tls_verify(matter.shown, stream->tls->roots, matter.checks, matter.identity,
                           stream->verdict);
    if (code != URLPOOL_OK) {
        return code == URLPOOL_E_NOMEM ? X509_V_ERR_OUT_OF_MEM
                                       : (int)stream->verdict->error.tls_code;
    }
    if (stream->sessions != NULL) {
        stream->judgement = urlp_tls_judgement_new(&matter, stream->verdict);
        ERR_clear_error(); /* without memory no session is kept */
    }
    return X509_V_OK;
}

int urlp_tls_keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct urlp_tls_stream *stream = SSL_get_app_data(ssl);

    if (stream != NULL && stream->sessions != NULL) {
        urlp_tls_sessions_put(stream->sessions, &stream->key, session, stream->judgement);
    }
    return 0; /* the cache has a reference of its own */
}

/* set_host keeps the host asked for. */
static enum urlpool_code set_host(struct attempt *attempt, struct urlp_span host,
                                  struct urlpool_error *err)
{
    const size_t len = urlp_tls_name_normalise(host, attempt->host);

    if (len == 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_TLS, "no host name for TLS: '%s'",
                         urlp_quote(host.data, host.len).text);
    }
    (void)snprintf(attempt->what, sizeof(attempt->what), "TLS handshake with %s",
                   urlp_quote(attempt->host, len).text);
    return URLPOOL_OK;
}

/* set_identity says whom the certificate must be for, and asks for a name by SNI. RFC 6066 section
 * 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"." */
static bool set_identity(struct attempt *attempt)
{
    struct urlp_tls_stream *stream = attempt->stream;
    const struct urlpool_tls *tls = stream->tls;
    const char *name = tls->server_name != NULL ? tls->server_name : attempt->host;
    struct urlp_ip ip;

    stream->identity.host =
        urlp_span_of(tls->assert_hostname != NULL ? tls->assert_hostname : name);
    stream->identity.is_ip = urlp_ip_parse(stream->identity.host, &stream->identity.ip);
    return urlp_ip_parse(urlp_span_of(name), &ip) || SSL_set_tlsext_host_name(stream->ssl, name);
}

static bool set_ssl(struct urlp_tls_stream *stream) URLP_MAY_BLOCK
{
    BIO *bio;

    stream->ssl = SSL_new(stream->tls->context);
    if (stream->ssl == NULL) {
        return false;
    }
    bio = urlp_tls_bio_new(&stream->bio);
    if (bio == NULL) {
        return false;
    }
    SSL_set_bio(stream->ssl, bio, bio); /* takes the one reference */
    SSL_set_connect_state(stream->ssl);
    urlp_tls_library_prepare(stream->ssl);
    return SSL_set_app_data(stream->ssl, stream) == 1;
}

static void offer_session(struct attempt *attempt, struct urlp_tls_sessions *sessions,
                          const struct urlp_tls_target *target) URLP_MAY_BLOCK
{
    struct urlp_tls_stream *stream = attempt->stream;

    if (sessions == NULL || stream->tls->is_insecure) {
        return;
    }
    stream->sessions = sessions;
    stream->key =
        urlp_tls_session_key_make(stream->tls->serial, target->port, urlp_span_of(attempt->host));
    if (target->via.len > 0) {
        urlp_tls_session_key_add_way(&stream->key, target->via);
    }
    attempt->offered = urlp_tls_sessions_take(sessions, &stream->key, &stream->judgement);
    if (attempt->offered != NULL) {
        attempt->was_offered = SSL_set_session(stream->ssl, attempt->offered) == 1;
    }
}

/* fail_below says in the words of a handshake why the stream below failed. */
static enum urlpool_code fail_below(const struct attempt *attempt, enum urlpool_code code,
                                    struct urlpool_error *err)
{
    if (code == URLPOOL_OK && !attempt->stream->bio.is_at_end) {
        return urlp_fail_nomem(err); /* all that TLS libraries fail of without a word */
    }
    if (code == URLPOOL_OK) {
        return urlp_fail(err, URLPOOL_E_TLS, URLPOOL_PHASE_TLS,
                         "%s: the peer closed the connection", attempt->what);
    }
    if (code == URLPOOL_E_READ_TIMEOUT || code == URLPOOL_E_WRITE_TIMEOUT ||
        code == URLPOOL_E_TOTAL_TIMEOUT) {
        code = urlp_call_timeout_code(attempt->call, URLPOOL_E_CONNECT_TIMEOUT);
        return urlp_fail(err, code, URLPOOL_PHASE_TLS, "%s: timed out", attempt->what);
    }
    (void)urlp_fail(err, code, URLPOOL_PHASE_TLS, "%s: %s", attempt->what, attempt->below.message);
    if (err != NULL) {
        err->os_errno = attempt->below.os_errno;
    }
    return code;
}

/* refuse_malformed says of certificates that nobody could read what urlp_tls_verify does. */
static enum urlpool_code refuse_malformed(const struct attempt *attempt, struct urlpool_error *err)
{
    const struct urlp_span host = attempt->stream->identity.host;

    if (urlp_tls_ran_out()) {
        return urlp_fail_nomem(err);
    }
    (void)urlp_fail(err, URLPOOL_E_TLS_VERIFY, URLPOOL_PHASE_TLS,
                    "certificate of %s is not trusted: it is malformed",
                    urlp_quote(host.data, host.len).text);
    if (err != NULL) {
        err->tls_code = X509_V_ERR_UNSPECIFIED;
    }
    return URLPOOL_E_TLS_VERIFY;
}

static enum urlpool_code fail_handshake(const struct attempt *attempt, int ssl_error,
                                        struct urlpool_error *err) URLP_MAY_BLOCK
{
    const enum urlpool_code code = attempt->stream->bio.code; /* which a look makes another */

    if (attempt->verdict.error.code != URLPOOL_OK) {
        return urlp_fail_with(err, &attempt->verdict.error);
    }
    if (ssl_error == SSL_ERROR_SYSCALL &&
        (code != URLPOOL_E_RESET || !urlp_tls_is_told_why(attempt->stream))) {
        return fail_below(attempt, code, err);
    }
    if (urlp_tls_library_is_malformed((uint32_t)ERR_peek_error())) {
        return refuse_malformed(attempt, err);
    }
    return urlp_tls_fail(err, URLPOOL_PHASE_TLS, attempt->what);
}

/* check_alpn: no protocol chosen means HTTP/1.1. Both libraries let us say what is wrong with
 * another. */
static enum urlpool_code check_alpn(const struct attempt *attempt, struct urlpool_error *err)
{
    const uint8_t *chosen = NULL;
    unsigned len = 0;

    SSL_get0_alpn_selected(attempt->stream->ssl, &chosen, &len);
    if (len == 0 || urlp_span_is(urlp_span_make(chosen, len), ALPN_HTTP_1_1)) {
        return URLPOOL_OK;
    }
    return urlp_fail(err, URLPOOL_E_TLS, URLPOOL_PHASE_TLS, "%s: the peer chose %s and not %s",
                     attempt->what, urlp_quote(chosen, len).text, ALPN_HTTP_1_1);
}

/* prepare makes the attempt's SSL and says what it asks for and offers; false without memory. */
static bool prepare(struct attempt *attempt, struct urlp_tls_sessions *sessions,
                    const struct urlp_tls_target *target) URLP_MAY_BLOCK
{
    bool is_good;

    urlp_no_fork_begin();
    is_good = set_ssl(attempt->stream) && set_identity(attempt);
    if (is_good) {
        offer_session(attempt, sessions, target);
    }
    ERR_clear_error();
    urlp_no_fork_end();
    return is_good;
}

static enum urlpool_code shake_hands(struct attempt *attempt,
                                     struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_tls_stream *stream = attempt->stream;
    enum urlpool_code code;
    int done;

    stream->verdict = &attempt->verdict;
    urlp_tls_bio_begin(&stream->bio, attempt->call, &attempt->below);
    ERR_clear_error();
    done = urlp_tls_library_shake_hands(stream->ssl);
    stream->verdict = NULL;
    code = done == 1 ? check_alpn(attempt, err)
                     : fail_handshake(attempt, SSL_get_error(stream->ssl, done), err);
    if (code == URLPOOL_OK && !urlp_tls_library_keep_leaf(stream->ssl)) {
        code = urlp_fail_nomem(err);
    }
    if (code != URLPOOL_OK && attempt->offered != NULL) {
        urlp_tls_sessions_forget(stream->sessions, &stream->key);
    }
    ERR_clear_error();
    urlp_tls_bio_end(&stream->bio);
    return code;
}

/* warn tells the trace that the peer may be anybody. */
static void warn(const struct attempt *attempt) URLP_MAY_BLOCK
{
    const struct urlp_tls_stream *stream = attempt->stream;
    char text[URLP_TLS_HOST_LEN_MAX + 64];

    if (attempt->call->trace == NULL || !urlp_tls_checks_take_anybody(&stream->tls->checks)) {
        return;
    }
    (void)snprintf(text, sizeof(text),
                   stream->tls->checks.skips_chain ? "the certificate of %s was not verified"
                                                   : "the certificate was not held against %s",
                   urlp_quote(stream->identity.host.data, stream->identity.host.len).text);
    urlp_call_trace(attempt->call, URLPOOL_TRACE_INSECURE, text, strlen(text), 0);
}

static void report(const struct attempt *attempt) URLP_MAY_BLOCK
{
    const char *version = "";
    const char *cipher = "";
    bool is_resumed = false;
    char text[80] = "";

    (void)urlp_tls_describe(&attempt->stream->base, &version, &cipher, &is_resumed);
    if (is_resumed) {
        URLP_COUNT(attempt->call, tls_resumed, 1);
    } else {
        URLP_COUNT(attempt->call, tls_full, 1);
        URLP_COUNT(attempt->call, tls_refused, attempt->was_offered ? 1 : 0);
    }
    if (attempt->call->trace != NULL) {
        (void)snprintf(text, sizeof(text), "%s %s", version, cipher);
    }
    urlp_call_trace(attempt->call, URLPOOL_TRACE_SECURED, text, strlen(text), is_resumed);
}

struct urlp_stream *urlp_tls_wrap(struct urlp_stream *inner, struct urlpool_tls *tls,
                                  const struct urlp_tls_target *target,
                                  struct urlp_tls_sessions *sessions, const struct urlp_call *call,
                                  struct urlpool_error *err)
{
    struct attempt attempt = {.call = call};
    struct urlp_tls_stream *stream = NULL;
    enum urlpool_code code = set_host(&attempt, target->host, err);

    if (code != URLPOOL_OK) {
        return NULL;
    }
    stream = urlp_zalloc(sizeof(*stream));
    if (stream == NULL) {
        (void)urlp_fail_nomem(err);
        return NULL;
    }
    attempt.stream = stream;
    stream->base.ops = &urlp_tls_stream_ops;
    stream->inner = stream->bio.inner = inner;
    stream->tls = urlpool_tls_ref(tls);
    code = prepare(&attempt, sessions, target) ? shake_hands(&attempt, err) : urlp_fail_nomem(err);
    urlp_no_fork_begin();
    SSL_SESSION_free(attempt.offered);
    urlp_no_fork_end();
    if (code != URLPOOL_OK) {
        urlp_tls_stream_discard(stream);
        return NULL;
    }
    warn(&attempt);
    stream->identity = (struct urlp_tls_identity){0};
    report(&attempt);
    return &stream->base;
}
