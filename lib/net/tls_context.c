/* struct urlpool_tls: what all connections of one configuration have in common.
 *
 * TLS 1.2 is the least, forward secrecy is required unless a list of ciphers says otherwise,
 * http/1.1 is the only protocol offered, early data is never sent (it can be replayed) and
 * renegotiation is refused. Every handshake, a resumed one too, is judged by urlp_tls_check_peer:
 * by themselves TLS libraries do not look at the certificate of a resumed session again. */

#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/no_fork.h"
#include "net/tls.h"
#include "net/tls_ciphers.h"
#include "net/tls_client_cert.h"
#include "net/tls_keylog.h"
#include "net/tls_library.h"
#include "net/tls_options.h"
#include "net/tls_roots.h"
#include "net/tls_stream.h"

static _Atomic uint64_t last_serial;

/* RFC 7301 section 3.1: each name behind its length. */
static const uint8_t alpn[] = "\x08http/1.1";

/* set_fixed sets what no option changes. */
static bool set_fixed(SSL_CTX *context)
{
    /* What leads astray here: SSL_CTX_set_alpn_protos returns 0 on success. */
    if (SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn) - 1) != 0) {
        return false;
    }
    /* A write that timed out may be tried again with the same bytes, gathered anew. */
    SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return true;
}

static void set_sessions(SSL_CTX *context, bool is_insecure)
{
    if (is_insecure) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        return;
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, urlp_tls_keep_session);
}

static bool set_versions(SSL_CTX *context, const struct urlpool_tls_options *options)
{
    const uint16_t version_min = urlp_tls_options_version(options->version_min);

    /* 0 is the library's least, which is below ours, and its greatest, which is ours. */
    return SSL_CTX_set_min_proto_version(context,
                                         version_min != 0 ? version_min : TLS1_2_VERSION) &&
           SSL_CTX_set_max_proto_version(context, urlp_tls_options_version(options->version_max));
}

static enum urlpool_code configure(struct urlpool_tls *tls,
                                   const struct urlpool_tls_options *options,
                                   struct urlpool_error *err)
{
    enum urlpool_code code;

    if (tls->context == NULL || !set_fixed(tls->context) || !set_versions(tls->context, options)) {
        return urlp_fail_nomem(err);
    }
    set_sessions(tls->context, tls->is_insecure);
    if (tls->keylog_fd >= 0) {
        SSL_CTX_set_keylog_callback(tls->context, urlp_tls_keylog_write);
    }
    code = urlp_tls_ciphers_set(tls->context, options->ciphers, err);
    return code == URLPOOL_OK ? urlp_tls_client_cert_use(tls->context, options, err) : code;
}

/* make_context sets `tls->context`. */
static enum urlpool_code make_context(struct urlpool_tls *tls,
                                      const struct urlpool_tls_options *options,
                                      struct urlpool_error *err)
{
    enum urlpool_code code;

    ERR_clear_error();
    tls->context = urlp_tls_library_context();
    code = configure(tls, options, err);
    ERR_clear_error();
    return code;
}

static bool names_roots(const struct urlpool_tls_options *options)
{
    return options->ca_file != NULL || options->ca_dir != NULL || options->ca_data != NULL;
}

/* load_roots sets `tls->roots`; without verification only those that were named are looked at, so
 * that a wrong name is told. */
static enum urlpool_code load_roots(struct urlpool_tls *tls,
                                    const struct urlpool_tls_options *options,
                                    const struct urlp_environment *environment,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    if (names_roots(options)) {
        tls->roots = urlp_tls_roots_given(options, err);
    } else if (tls->checks.skips_chain) {
        return URLPOOL_OK;
    } else {
        tls->roots = urlp_tls_roots_system(environment, NULL, err);
    }
    return tls->roots != NULL ? URLPOOL_OK : err->code;
}

/* open_keylog opens the log of keys, if one is asked for. */
static enum urlpool_code open_keylog(struct urlpool_tls *tls,
                                     const struct urlpool_tls_options *options,
                                     const struct urlp_environment *environment,
                                     struct urlpool_error *err)
{
    const char *path = options->keylog_file;

    if (path == NULL && options->keylog_from_environment) {
        path = environment->sslkeylogfile;
    }
    return path != NULL ? urlp_tls_keylog_open(path, &tls->keylog_fd, err) : URLPOOL_OK;
}

static void set_checks(struct urlpool_tls *tls, const struct urlpool_tls_options *options)
{
    tls->checks.skips_chain = options->insecure_no_verify;
    tls->checks.skips_name = options->insecure_no_verify || options->insecure_no_hostname ||
                             options->assert_fingerprint != NULL;
    tls->is_insecure = options->insecure_no_verify || options->insecure_no_hostname;
}

/* copy_identity copies what says who the peer has to be. */
static enum urlpool_code copy_identity(struct urlpool_tls *tls,
                                       const struct urlpool_tls_options *options,
                                       struct urlpool_error *err)
{
    enum urlpool_code code =
        urlp_tls_options_copy_host("server_name", options->server_name, &tls->server_name, err);

    if (code == URLPOOL_OK) {
        code = urlp_tls_options_copy_host("assert_hostname", options->assert_hostname,
                                          &tls->assert_hostname, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_tls_pins_init(&tls->checks.pins, options, err);
    }
    return code;
}

/* build fills in the zero bytes of `tls`; what there is of it after a failure can be freed. */
static enum urlpool_code build(struct urlpool_tls *tls, const struct urlpool_tls_options *options,
                               const struct urlp_environment *environment,
                               struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlpool_code code;

    urlp_ref_init(&tls->ref);
    tls->serial = atomic_fetch_add_explicit(&last_serial, 1, memory_order_relaxed) + 1;
    tls->keylog_fd = -1;
    set_checks(tls, options);
    code = copy_identity(tls, options, err);
    urlp_no_fork_begin();
    if (code == URLPOOL_OK) {
        code = load_roots(tls, options, environment, err);
    }
    if (code == URLPOOL_OK) {
        code = open_keylog(tls, options, environment, err);
    }
    if (code == URLPOOL_OK) {
        code = make_context(tls, options, err);
    }
    urlp_no_fork_end();
    return code;
}

struct urlpool_tls *urlpool_tls_new(const struct urlpool_tls_options *options,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    static const struct urlpool_tls_options defaults;
    struct urlp_environment environment;
    struct urlpool_error scratch;
    struct urlpool_tls *tls;

    if (err == NULL) {
        err = &scratch;
    }
    if (options == NULL) {
        options = &defaults;
    }
    if (urlp_tls_options_check(options, err) != URLPOOL_OK ||
        urlp_environment_read(&environment, err) != URLPOOL_OK) {
        return NULL;
    }
    tls = urlp_zalloc(sizeof(*tls));
    if (tls == NULL) {
        (void)urlp_fail_nomem(err);
    } else if (build(tls, options, &environment, err) != URLPOOL_OK) {
        urlpool_tls_unref(tls);
        tls = NULL;
    }
    urlp_environment_deinit(&environment);
    return tls;
}

struct urlpool_tls *urlpool_tls_ref(struct urlpool_tls *tls)
{
    if (tls != NULL) {
        urlp_ref_take(&tls->ref);
    }
    return tls;
}

void urlpool_tls_unref(struct urlpool_tls *tls)
{
    if (tls == NULL || !urlp_ref_drop(&tls->ref)) {
        return;
    }
    urlp_no_fork_begin();
    SSL_CTX_free(tls->context);
    X509_STORE_free(tls->roots);
    urlp_no_fork_end();
    if (tls->keylog_fd >= 0) {
        (void)close(tls->keylog_fd);
    }
    urlp_free(tls->server_name);
    urlp_free(tls->assert_hostname);
    urlp_tls_pins_deinit(&tls->checks.pins);
    urlp_free(tls);
}

uint64_t urlp_tls_serial(const struct urlpool_tls *tls)
{
    return tls->serial;
}
