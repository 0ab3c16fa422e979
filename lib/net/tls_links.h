#ifndef URLP_NET_TLS_LINKS_H
#define URLP_NET_TLS_LINKS_H

#include <openssl/x509.h>
#include <stddef.h>

#include "base/span.h"

/* struct urlp_tls_objection is what speaks against a certificate: an X509_V_ERR value, and words
 * that go behind "is not trusted: "; NULL when nothing does. */
struct urlp_tls_objection {
    int reason;
    const char *why;
};

/* urlp_tls_links_object looks at the certificate at `index` of the built `chain`, the leaf at 0,
 * the anchor last: that it may do what it does there, that neither its key nor its signature is
 * too weak, and that what it limits names to leaves room for `host`, unless that is empty.
 *
 * Errors:  X509_V_ERR_OUT_OF_MEM among the reasons.
 * Spec:    RFC 5280 sections 4.2.1.3, 4.2.1.9, 4.2.1.10, 4.2.1.12 and 6.1.4. */
struct urlp_tls_objection urlp_tls_links_object(const STACK_OF(X509) * chain, int index,
                                                struct urlp_span host);

#endif /* URLP_NET_TLS_LINKS_H */
