#ifndef URLPOOL_STATS_H
#define URLPOOL_STATS_H

#include <stdint.h>

#include "urlpool/export.h"

URLPOOL_BEGIN_DECLS

/* enum urlpool_closed says why a connection died. */
enum urlpool_closed {
    URLPOOL_CLOSED_IDLE = 0, /* idle longer than idle_ms, or than the server's Keep-Alive allows */
    URLPOOL_CLOSED_LIFETIME, /* older than lifetime_ms */
    URLPOOL_CLOSED_REQUESTS, /* as many requests as the server's Keep-Alive or the option allows */
    URLPOOL_CLOSED_BY_PEER,  /* the look at checkout saw its end */
    URLPOOL_CLOSED_UNEXPECTED,   /* the look saw bytes nobody asked for */
    URLPOOL_CLOSED_NOT_REUSABLE, /* the exchange ended whole, but the message said close */
    URLPOOL_CLOSED_UNREAD,       /* its response was given up before its end */
    URLPOOL_CLOSED_ERROR,        /* the exchange failed */
    URLPOOL_CLOSED_SURPLUS,      /* the pool keeps maxsize already */
    URLPOOL_CLOSED_RETIRED,      /* its pool was the least recently used of too many */
    URLPOOL_CLOSED_CLEARED,      /* urlpool_manager_clear, _close_idle, _set_tls */
    URLPOOL_CLOSED_SHUTDOWN,     /* the manager or pool was closed */
    URLPOOL_CLOSED_FORK,         /* it belonged to the parent process */
    URLPOOL_CLOSED_STALE,        /* reused, and failed before any byte of the answer */
    URLPOOL_CLOSED_EVICTED,      /* the least recently used idle one, when descriptors ran out, or
                                    max_total or max_idle_total asked for its place */
    URLPOOL_CLOSED_NUM
};

/* urlpool_closed_name returns a word for `why`, e.g. "idle", or "unknown".
 *
 * Owns:    the string is static.
 * Threads: any number at once. */
URLPOOL_API const char *urlpool_closed_name(enum urlpool_closed why);

/* struct urlpool_stats is a snapshot: the first group is now, the rest since the start. Filled in
 * up to the size the caller was compiled with. */
struct urlpool_stats {
    uint64_t pools; /* that are not retired */
    uint64_t open;  /* connections and dials: idle + leased + dialling */
    uint64_t idle;
    uint64_t leased;
    uint64_t dialling;
    uint64_t waiting;   /* threads */
    uint64_t peak_open; /* the most there ever were at once */

    uint64_t opened; /* connections dialled with success */
    uint64_t dial_failures;
    uint64_t reused;        /* leases of an idle connection */
    uint64_t closed[24];    /* by enum urlpool_closed */
    uint64_t wait_timeouts; /* leases that waited in vain until a deadline */
    uint64_t waits;         /* leases that had to wait */
    uint64_t wait_ns;       /* together */
    uint64_t pools_retired; /* the least recently used of too many, or cleared */

    uint64_t requests;
    uint64_t redirects;
    uint64_t stale_retries;
    uint64_t failures;
    uint64_t bytes_sent, bytes_received;
    uint64_t dns_queries, dns_hits;
    uint64_t tls_full, tls_resumed;
    uint64_t retries; /* tries made again; the free ones of stale_retries are not among them */
};

URLPOOL_END_DECLS

#endif /* URLPOOL_STATS_H */
