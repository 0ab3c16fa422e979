#ifndef URLP_NET_TLS_CONTEXT_H
#define URLP_NET_TLS_CONTEXT_H

#include <openssl/base.h>
#include <stdbool.h>
#include <stdint.h>

#include "urlpool/tls.h"

#include "base/ref.h"

/* struct urlpool_tls is immutable once built. */
struct urlpool_tls {
    struct urlp_ref ref;
    uint64_t serial; /* never used twice in a process */
    SSL_CTX *context;
    X509_STORE *roots; /* NULL when nothing is verified */
    bool is_insecure;
};

#endif /* URLP_NET_TLS_CONTEXT_H */
