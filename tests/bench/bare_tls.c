/* BoringSSL as a client that checks its peer would set it up, once, and nothing around it. */

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>

#include "bare.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static SSL_SESSION *latest;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    pthread_mutex_lock(&mutex);
    SSL_SESSION_free(latest);
    latest = session;
    pthread_mutex_unlock(&mutex);
    return 1;
}

SSL_CTX *bare_tls_context(const struct bench_job *job)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());

    if (context == NULL || SSL_CTX_load_verify_locations(context, job->ca, NULL) != 1) {
        bench_die("roots");
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (job->resume) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, keep_session);
    }
    return context;
}

void bare_tls_begin(struct bare *bare, struct link *link, const struct bench_url *url)
{
    int result;

    link->ssl = SSL_new(bare->context);
    if (link->ssl == NULL || SSL_set_fd(link->ssl, link->fd) != 1 ||
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(link->ssl), url->host) != 1) {
        bench_die("SSL_new");
    }
    if (bare->job->resume) {
        pthread_mutex_lock(&mutex);
        if (latest != NULL) {
            SSL_set_session(link->ssl, latest);
        }
        pthread_mutex_unlock(&mutex);
    }
    while ((result = SSL_connect(link->ssl)) != 1) {
        bare_tls_wait(link, result);
    }
}
