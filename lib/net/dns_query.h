#ifndef URLP_NET_DNS_QUERY_H
#define URLP_NET_DNS_QUERY_H

#include <poll.h>

#include "base/span.h"
#include "net/resolver.h"

/* One name's question to the DNS, A and AAAA side by side, by c-ares. */

/* struct urlp_dns_config is where to ask. All borrowed, all may be NULL. */
struct urlp_dns_config {
    const char *servers;        /* "127.0.0.1:5353,…" instead of those of resolv.conf */
    const char *resolv_conf;    /* instead of /etc/resolv.conf */
    enum urlpool_family family; /* the only one asked for */
};

/* struct urlp_dns_reply is what came for one family. */
struct urlp_dns_reply {
    struct urlp_addresses answer;
    int status;    /* of c-ares, when done */
    bool is_said;  /* a server has answered, be it that there are none */
    int64_t ttl_s; /* the least of the chain, aliases included; meaningless without addresses */
};

/* struct urlp_dns_failure says why there is no address. */
struct urlp_dns_failure {
    enum urlpool_code code; /* RESOLVE, SYSTEM, NOMEM */
    int os_errno;           /* of SYSTEM */
    char reason[160];
};

struct urlp_dns_query;

/* urlp_dns_query_new reads the configuration and sends the question off. `name` is a host name;
 * with a dot behind it the search list is not used.
 *
 * Units:   `left_ms` is how long the asker can wait, < 0 for ever: it sets the pace of retries.
 * Owns:    the caller ends it with urlp_dns_query_free.
 * Errors:  NULL with `*out_failure` filled.
 * Threads: one at a time. */
URLPOOL_MUST_USE struct urlp_dns_query *urlp_dns_query_new(const struct urlp_dns_config *config,
                                                           struct urlp_span name, int64_t left_ms,
                                                           struct urlp_dns_failure *out_failure);

/* urlp_dns_query_free cancels what is still under way. Accepts NULL. */
void urlp_dns_query_free(struct urlp_dns_query *query);

/* urlp_dns_query_poll: see urlp_lookup_seat_poll. */
size_t urlp_dns_query_poll(struct urlp_dns_query *query, struct pollfd fds[], int *wait_ms);

/* urlp_dns_query_process reads what has come and asks again where it is time to. */
void urlp_dns_query_process(struct urlp_dns_query *query, const struct pollfd fds[],
                            size_t num_fds);

/* urlp_dns_query_replies is one reply per enum urlp_family, good until the next process. */
const struct urlp_dns_reply *urlp_dns_query_replies(const struct urlp_dns_query *query);

/* urlp_dns_query_failure says why both replies are done and hold no address. */
void urlp_dns_query_failure(const struct urlp_dns_query *query,
                            struct urlp_dns_failure *out_failure);

/* urlp_dns_ttl_s is how long replies, one per enum urlp_family, are good: for the least TTL of
 * those with addresses, between a second and an hour. */
int64_t urlp_dns_ttl_s(const struct urlp_dns_reply replies[]);

/* urlp_dns_fail says that `host` has no address, and why.
 *
 * Errors:  the failure's code; phase RESOLVE. */
enum urlpool_code urlp_dns_fail(const struct urlp_dns_failure *failure, struct urlp_span host,
                                struct urlpool_error *err);

/* urlp_dns_servers_are_valid says whether c-ares can read `servers`.
 *
 * Errors:  false with `*out_failure` filled: INVALID for the list, or NOMEM. */
URLPOOL_MUST_USE bool urlp_dns_servers_are_valid(const char *servers,
                                                 struct urlp_dns_failure *out_failure);

#endif /* URLP_NET_DNS_QUERY_H */
