#ifndef URLP_BASE_COUNTERS_H
#define URLP_BASE_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/stats.h"

/* How many buckets a histogram of durations has, the last for what is longer than every bound. */
#define URLP_DURATION_BUCKETS 15

/* struct urlp_durations is a histogram of how long something took. Each bucket counts what is in
 * none before it. */
struct urlp_durations {
    _Atomic uint64_t buckets[URLP_DURATION_BUCKETS];
    _Atomic uint64_t sum_ns;
};

/* struct urlp_counters is owned by a pool, or by a manager for what belongs to no pool; each layer
 * bumps its own. All relaxed: they are for looking at, nothing is decided by them. Nothing but
 * _Atomic uint64_t in it: urlp_counters_add goes over them all. */
struct urlp_counters {
    _Atomic uint64_t requests;
    _Atomic uint64_t redirects;
    _Atomic uint64_t stale_retries;
    _Atomic uint64_t retries, retries_withheld;
    _Atomic uint64_t failures;
    _Atomic uint64_t bytes_sent, bytes_received;
    _Atomic uint64_t dns_queries, dns_hits;
    _Atomic uint64_t tls_full, tls_resumed, tls_refused;
    struct urlp_durations tries;       /* from its beginning to the end of the body, or a failure */
    struct urlp_durations connections; /* from dialled to dead */
};

/* The upper bounds of the buckets, but for the last: those that OpenTelemetry advises for
 * http.client.request.duration, those that .NET has for http.client.connection.duration, and those
 * of `wait_buckets` in struct urlpool_stats. */
extern const int64_t urlp_try_bounds_ns[URLP_DURATION_BUCKETS - 1];
extern const int64_t urlp_connection_bounds_ns[URLP_DURATION_BUCKETS - 1];
extern const int64_t urlp_wait_bounds_ns[URLPOOL_WAIT_BUCKETS - 1];

/* urlp_bucket_of is the index of the first of `num` bounds that `ns` is not above; `num` when it is
 * above them all. */
size_t urlp_bucket_of(int64_t ns, const int64_t *bounds_ns, size_t num);

/* urlp_durations_count adds one that took `ns`. `bounds_ns` has URLP_DURATION_BUCKETS - 1. */
void urlp_durations_count(struct urlp_durations *durations, const int64_t *bounds_ns, int64_t ns);

/* urlp_counters_add adds all of `from` to `to`. */
void urlp_counters_add(struct urlp_counters *to, const struct urlp_counters *from);

/* urlp_counters_show adds what struct urlpool_stats has a field for to `out`. */
void urlp_counters_show(const struct urlp_counters *counters, struct urlpool_stats *out);

/* urlp_count adds `more` to `counter`. */
static inline void urlp_count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* urlp_counted reads `counter`. */
static inline uint64_t urlp_counted(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* URLP_COUNT bumps a counter of `call` when somebody counts. */
#define URLP_COUNT(call, name, more) \
    ((call)->counters != NULL ? urlp_count(&(call)->counters->name, (more)) : (void)0)

#endif /* URLP_BASE_COUNTERS_H */
