/* Sums of counters, and which bucket of a histogram a duration falls into.
 *
 * A pool's counters are bumped by who works in it; what a manager shows is the sum over its pools,
 * made when somebody asks, so that counting costs one addition. */

#include "base/counters.h"

#include "base/clock.h"

#define MS ((int64_t)URLP_NS_PER_MS)
#define S  URLP_NS_PER_S

const int64_t urlp_try_bounds_ns[URLP_DURATION_BUCKETS - 1] = {
    5 * MS,   10 * MS,  25 * MS, 50 * MS,   75 * MS, 100 * MS,  250 * MS,
    500 * MS, 750 * MS, 1 * S,   2500 * MS, 5 * S,   7500 * MS, 10 * S,
};

const int64_t urlp_connection_bounds_ns[URLP_DURATION_BUCKETS - 1] = {
    10 * MS, 20 * MS, 50 * MS, 100 * MS, 200 * MS, 500 * MS, 1 * S,
    2 * S,   5 * S,   10 * S,  30 * S,   60 * S,   120 * S,  300 * S,
};

const int64_t urlp_wait_bounds_ns[URLPOOL_WAIT_BUCKETS - 1] = {
    1 * MS, 5 * MS, 25 * MS, 100 * MS, 500 * MS, 2500 * MS, 10 * S,
};

size_t urlp_bucket_of(int64_t ns, const int64_t *bounds_ns, size_t num)
{
    size_t i = 0;

    while (i < num && ns > bounds_ns[i]) {
        i++;
    }
    return i;
}

void urlp_durations_count(struct urlp_durations *durations, const int64_t *bounds_ns, int64_t ns)
{
    size_t bucket;

    ns = ns > 0 ? ns : 0;
    bucket = urlp_bucket_of(ns, bounds_ns, URLP_DURATION_BUCKETS - 1);
    urlp_count(&durations->buckets[bucket], 1);
    urlp_count(&durations->sum_ns, (uint64_t)ns);
}

void urlp_counters_add(struct urlp_counters *to, const struct urlp_counters *from)
{
    _Atomic uint64_t *sums = (void *)to;
    const _Atomic uint64_t *more = (const void *)from;

    _Static_assert(sizeof(*to) % sizeof(*sums) == 0, "nothing but counters");
    for (size_t i = 0; i < sizeof(*to) / sizeof(*sums); i++) {
        urlp_count(&sums[i], urlp_counted(&more[i]));
    }
}

void urlp_counters_show(const struct urlp_counters *counters, struct urlpool_stats *out)
{
    out->requests += urlp_counted(&counters->requests);
    out->redirects += urlp_counted(&counters->redirects);
    out->stale_retries += urlp_counted(&counters->stale_retries);
    out->retries += urlp_counted(&counters->retries);
    out->retries_withheld += urlp_counted(&counters->retries_withheld);
    out->failures += urlp_counted(&counters->failures);
    out->bytes_sent += urlp_counted(&counters->bytes_sent);
    out->bytes_received += urlp_counted(&counters->bytes_received);
    out->dns_queries += urlp_counted(&counters->dns_queries);
    out->dns_hits += urlp_counted(&counters->dns_hits);
    out->tls_full += urlp_counted(&counters->tls_full);
    out->tls_resumed += urlp_counted(&counters->tls_resumed);
    out->tls_refused += urlp_counted(&counters->tls_refused);
}
