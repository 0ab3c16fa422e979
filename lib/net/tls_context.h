#ifndef URLP_NET_TLS_CONTEXT_H
#define URLP_NET_TLS_CONTEXT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "urlpool/tls.h"

#include "base/ref.h"
#include "net/tls_verify.h"

/* struct urlpool_tls is immutable once built. */
struct urlpool_tls {
    struct urlp_ref ref;
    uint64_t serial; /* never used twice in a process */
    SSL_CTX *context;
    X509_STORE *roots;     /* NULL when nothing is verified */
    char *server_name;     /* lower case, without trailing dot; NULL: the host asked for */
    char *assert_hostname; /* the same; NULL: as server_name */
    struct urlp_tls_checks checks;
    int keylog_fd;    /* -1: keys are told to nobody */
    bool is_insecure; /* by a switch: no session is offered or kept */
};

#endif /* URLP_NET_TLS_CONTEXT_H */
