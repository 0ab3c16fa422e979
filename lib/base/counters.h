#ifndef URLP_BASE_COUNTERS_H
#define URLP_BASE_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* struct urlp_counters is owned by a manager; each layer bumps its own. All relaxed: they are for
 * looking at, nothing is decided by them. */
struct urlp_counters {
    _Atomic uint64_t requests;
    _Atomic uint64_t redirects;
    _Atomic uint64_t stale_retries;
    _Atomic uint64_t retries, retries_withheld;
    _Atomic uint64_t failures;
    _Atomic uint64_t bytes_sent, bytes_received;
    _Atomic uint64_t dns_queries, dns_hits;
    _Atomic uint64_t tls_full, tls_resumed, tls_refused;
};

/* urlp_count adds `more` to `counter`. */
static inline void urlp_count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* URLP_COUNT bumps a counter of `call` when somebody counts. */
#define URLP_COUNT(call, name, more) \
    ((call)->counters != NULL ? urlp_count(&(call)->counters->name, (more)) : (void)0)

#endif /* URLP_BASE_COUNTERS_H */
