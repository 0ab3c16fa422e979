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
    URLPOOL_CLOSED_BY_PEER,  /* the peer closed it, or sent an alert, while it was idle */
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
    URLPOOL_CLOSED_ADDRESS,      /* DNS no longer gives its address */
    URLPOOL_CLOSED_NETWORK,      /* urlpool_manager_network_changed */
    URLPOOL_CLOSED_UPGRADED,     /* it became a raw stream, and that was closed */
    URLPOOL_CLOSED_NUM           /* how many reasons this header knows */
};

/* urlpool_closed_name returns a word for `why`, e.g. "idle", or "unknown".
 *
 * Owns:    the string is static.
 * Threads: any number at once. */
URLPOOL_API const char *urlpool_closed_name(enum urlpool_closed why);

/* The buckets of a histogram of waiting times: up to 1 ms, 5 ms, 25 ms, 100 ms, 500 ms, 2.5 s, 10
 * s, and longer. */
#define URLPOOL_WAIT_BUCKETS 8

/* struct urlpool_stats is a snapshot: the first group is now, the rest since the start. Filled in
 * up to the size the caller was compiled with. */
struct urlpool_stats {
    uint64_t pools;     /* that are not retired */
    uint64_t open;      /* connections and dials: idle + leased + dialling */
    uint64_t idle;      /* connections that wait for a request */
    uint64_t leased;    /* connections in use */
    uint64_t dialling;  /* connections that are being opened */
    uint64_t waiting;   /* threads that wait for a connection */
    uint64_t peak_open; /* the most there ever were at once */

    uint64_t opened;        /* connections dialled with success */
    uint64_t dial_failures; /* dials without success */
    uint64_t reused;        /* leases of an idle connection */
    uint64_t closed[24];    /* connections that died, by enum urlpool_closed */
    uint64_t wait_timeouts; /* leases that waited in vain until a deadline */
    uint64_t waits;         /* leases that had to wait */
    uint64_t wait_ns;       /* that they waited, together */
    uint64_t pools_retired; /* the least recently used of too many, cleared, or long unused */

    uint64_t requests;       /* calls, however many tries each took */
    uint64_t redirects;      /* that were followed */
    uint64_t stale_retries;  /* free tries after a connection that its server had just closed */
    uint64_t failures;       /* requests that ended in an error */
    uint64_t bytes_sent;     /* by all sockets, TLS and proxies too */
    uint64_t bytes_received; /* by all sockets, the same */
    uint64_t dns_queries;    /* names that were asked for */
    uint64_t dns_hits;       /* names that were known from before */
    uint64_t tls_full;       /* full handshakes */
    uint64_t tls_resumed;    /* resumed ones */
    uint64_t retries; /* tries made again; the free ones of stale_retries are not among them */

    uint64_t wait_buckets[URLPOOL_WAIT_BUCKETS]; /* of `waits`, by how long each took */
    uint64_t half_dials;       /* now: broken off, for the next who dials to go on with */
    uint64_t dials_overtaken;  /* by a connection that came free */
    uint64_t dials_resumed;    /* gone on with by another */
    uint64_t dials_shared;     /* leases that were told of a failed dial of another thread's */
    uint64_t leaks;            /* leases held for longer than leak_ms */
    uint64_t retries_withheld; /* because the retry budget was used up */
    uint64_t tls_refused;      /* sessions offered in vain: full handshakes followed */
};

URLPOOL_END_DECLS

#endif /* URLPOOL_STATS_H */
