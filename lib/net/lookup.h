#ifndef URLP_NET_LOOKUP_H
#define URLP_NET_LOOKUP_H

#include <stdatomic.h>

#include "base/list.h"
#include "base/map.h"
#include "base/sync.h"
#include "net/address_log.h"
#include "net/dns_query.h"
#include "net/resolver.h"

/* Inside the resolver: its records, for net/resolver.c, which keeps them, and net/lookup_seat.c,
 * which fills them. */

/* A lookup is FINISHED when its answer will not change; it may still be in the map then. */
struct urlp_lookup {
    struct urlp_dns_query *query; /* the driver's */
    struct {
        const struct urlp_lookup_seat *driver; /* until finished; NULL: only parked */
        unsigned num_holders;                  /* seats, who parked it, and the map */
        unsigned num_parked; /* half dials that wait for it: it does not end with its seats */
        bool is_in_map;
        bool is_finished;
        int64_t expires_ns; /* on the boot clock, when finished */
        struct urlp_addresses answers[URLP_NUM_FAMILIES];
        struct urlp_dns_failure failure; /* why the answers are empty */
        struct urlp_list followers;      /* oldest first */
        struct urlp_list age_link; /* in the resolver's by_age, when finished and in the map */
    } locked URLP_GUARDED;
    size_t name_len;
    char name[URLP_DNS_NAME_BYTES_MAX];
};

struct urlp_resolver {
    char *servers;
    char *hosts_file;
    char *resolv_conf;
    enum urlpool_family family;
    struct urlp_mutex mutex;
    struct {
        struct urlp_map lookups;
        struct urlp_list by_age; /* finished lookups, oldest first */
        size_t num_kept;
        struct urlp_address_log log;
    } locked URLP_GUARDED;
    _Atomic uint64_t num_gone; /* how often an address was found to be gone */
};

/* The rest is called with the resolver's mutex held. */

/* urlp_lookup_find returns the lookup of `name` that may be used, or NULL. */
struct urlp_lookup *urlp_lookup_find(struct urlp_resolver *resolver,
                                     struct urlp_span name) URLP_HOLDS_LOCK;

/* urlp_lookup_add makes a lookup of `name` that the map and the caller hold. NULL: out of memory.
 */
struct urlp_lookup *urlp_lookup_add(struct urlp_resolver *resolver,
                                    struct urlp_span name) URLP_HOLDS_LOCK;

/* urlp_lookup_finish makes the answer final and keeps it for `ttl_s`; 0 does not keep it. */
void urlp_lookup_finish(struct urlp_resolver *resolver, struct urlp_lookup *lookup,
                        int64_t ttl_s) URLP_HOLDS_LOCK;

/* urlp_lookup_wake_followers wakes whoever follows, as there is something new. */
void urlp_lookup_wake_followers(struct urlp_lookup *lookup) URLP_HOLDS_LOCK;

/* urlp_lookup_drop ends one holder's part; the last one's frees. */
void urlp_lookup_drop(struct urlp_lookup *lookup) URLP_HOLDS_LOCK;

#endif /* URLP_NET_LOOKUP_H */
