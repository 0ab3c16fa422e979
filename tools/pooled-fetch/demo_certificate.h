#ifndef POOLED_FETCH_DEMO_CERTIFICATE_H
#define POOLED_FETCH_DEMO_CERTIFICATE_H

#include <openssl/ssl.h>

/* pf_demo_context makes a CA, a certificate of it for 127.0.0.1 and localhost, both good for a day,
 * and a server's context that presents it. The keys are in memory only.
 * Owns: the context for SSL_CTX_free; `*out_ca_pem`, the CA's certificate, for free().
 * Errors: NULL. */
SSL_CTX *pf_demo_context(char **out_ca_pem);

#endif /* POOLED_FETCH_DEMO_CERTIFICATE_H */
