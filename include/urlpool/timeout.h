#ifndef URLPOOL_TIMEOUT_H
#define URLPOOL_TIMEOUT_H

#include <stdint.h>

#include "urlpool/export.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_timeout bounds the parts of a request and the whole of it.
 *
 * Units:   milliseconds; 0 is the default, URLPOOL_NO_TIMEOUT no bound, URLPOOL_NONE zero.
 * Model:   urllib3.Timeout, whose total covers neither DNS nor the whole body: this one does. */
struct urlpool_timeout {
    int64_t connect_ms; /* DNS, TCP, proxy and TLS handshakes together; default 10 000 */
    int64_t read_ms;    /* the longest gap without a byte from the peer; default 60 000 */
    int64_t write_ms;   /* the longest gap in which the peer takes no byte; default 60 000 */
    int64_t total_ms;   /* everything: pool wait to last body byte, redirects too; default none */
    int64_t pool_ms;    /* waiting for a connection or a place; default none */
    unsigned char reserved[24];
};

URLPOOL_END_DECLS

#endif /* URLPOOL_TIMEOUT_H */
