/* The resolver: who looks a name up, who waits for it, and how long the answer is kept.
 *
 * One map from name to lookup is both the cache and the list of what is under way. A lookup under
 * way has one driver, the seat whose thread moves the DNS query along, outside the lock; the other
 * seats follow, each woken by its own descriptor. A driver that leaves hands the query to the
 * oldest follower; when there is none, what is known is kept, or the lookup ends.
 *
 * One mutex guards the map and all lookups. The query belongs to the driver alone, and passes from
 * one to the next under the mutex. Nothing blocks, calls back or talks to c-ares under it. */

#include "net/resolver.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/error.h"
#include "base/map.h"
#include "base/park.h"
#include "base/sync.h"
#include "net/address_log.h"
#include "net/dns_query.h"
#include "net/network.h"

#define ANSWERS_KEPT 1024

#define TTL_FAILURE_S 1
#define NS_PER_S      INT64_C(1000000000)

/* A lookup is FINISHED when its answer will not change; it may still be in the map then. */
struct urlp_lookup {
    struct urlp_dns_query *query; /* the driver's */
    struct {
        const struct urlp_lookup_seat *driver; /* until finished */
        unsigned num_holders;                  /* seats, and the map */
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

/* --- a resolver's life --- */

static bool copy_option(const char *option, char **out_copy)
{
    *out_copy = option != NULL ? urlp_strndup(option, strlen(option)) : NULL;
    return option == NULL || *out_copy != NULL;
}

static void init_guarded(struct urlp_resolver *resolver) URLP_MAY_BLOCK
{
    urlp_mutex_init(&resolver->mutex);
    urlp_mutex_lock(&resolver->mutex);
    urlp_list_init(&resolver->locked.by_age);
    urlp_address_log_init(&resolver->locked.log, ANSWERS_KEPT);
    urlp_mutex_unlock(&resolver->mutex);
}

struct urlp_resolver *urlp_resolver_new(const struct urlp_resolver_options *options,
                                        struct urlpool_error *err)
{
    static const struct urlp_resolver_options defaults = {.servers = NULL};
    struct urlp_dns_failure failure;
    struct urlp_resolver *resolver;

    if (options == NULL) {
        options = &defaults;
    }
    if (options->servers != NULL && !urlp_dns_servers_are_valid(options->servers, &failure)) {
        (void)urlp_fail(err, failure.code, URLPOOL_PHASE_RESOLVE, "name servers %s: %s",
                        urlp_quote(options->servers, strlen(options->servers)).text,
                        failure.reason);
        return NULL;
    }
    resolver = urlp_zalloc(sizeof(*resolver));
    if (resolver == NULL) {
        (void)urlp_fail_nomem(err);
        return NULL;
    }
    init_guarded(resolver);
    resolver->family = options->family;
    if (!copy_option(options->servers, &resolver->servers) ||
        !copy_option(options->hosts_file, &resolver->hosts_file) ||
        !copy_option(options->resolv_conf, &resolver->resolv_conf)) {
        (void)urlp_fail_nomem(err);
        urlp_resolver_free(resolver);
        return NULL;
    }
    return resolver;
}

/* --- lookups, under the lock --- */

/* drop ends one holder's part; the last one's frees. */
static void drop(struct urlp_lookup *lookup) URLP_HOLDS_LOCK
{
    if (--lookup->locked.num_holders == 0) {
        urlp_free(lookup);
    }
}

static void forget(struct urlp_resolver *resolver, struct urlp_lookup *lookup) URLP_HOLDS_LOCK
{
    if (!lookup->locked.is_in_map) {
        return;
    }
    (void)urlp_map_remove(&resolver->locked.lookups, lookup->name, lookup->name_len);
    lookup->locked.is_in_map = false;
    if (lookup->locked.is_finished) {
        urlp_list_remove(&lookup->locked.age_link);
        resolver->locked.num_kept--;
    }
    drop(lookup);
}

static void wake_followers(struct urlp_lookup *lookup) URLP_HOLDS_LOCK
{
    struct urlp_list *followers = &lookup->locked.followers;

    for (struct urlp_list *at = followers->next; at != followers; at = at->next) {
        urlp_wake_signal(URLP_CONTAINER(at, struct urlp_lookup_seat, link)->wake_fd);
    }
}

/* finish makes the answer final and keeps it for `ttl_s`; 0 does not keep it. */
static void finish(struct urlp_resolver *resolver, struct urlp_lookup *lookup,
                   int64_t ttl_s) URLP_HOLDS_LOCK
{
    lookup->locked.driver = NULL;
    lookup->locked.answers[URLP_FAMILY_V6].is_done = true;
    lookup->locked.answers[URLP_FAMILY_V4].is_done = true;
    wake_followers(lookup);
    if (ttl_s == 0 || !lookup->locked.is_in_map) {
        forget(resolver, lookup);
        lookup->locked.is_finished = true;
        return;
    }
    lookup->locked.expires_ns = urlp_boot_ns() + ttl_s * NS_PER_S;
    lookup->locked.is_finished = true;
    urlp_list_push_back(&resolver->locked.by_age, &lookup->locked.age_link);
    resolver->locked.num_kept++;
    while (resolver->locked.num_kept > ANSWERS_KEPT) {
        forget(resolver,
               URLP_CONTAINER(resolver->locked.by_age.next, struct urlp_lookup, locked.age_link));
    }
}

/* find returns the lookup of `name` that may be used, or NULL. */
static struct urlp_lookup *find(struct urlp_resolver *resolver,
                                struct urlp_span name) URLP_HOLDS_LOCK
{
    struct urlp_lookup *lookup = urlp_map_get(&resolver->locked.lookups, name.data, name.len);

    if (lookup != NULL && lookup->locked.is_finished &&
        urlp_boot_ns() >= lookup->locked.expires_ns) {
        forget(resolver, lookup);
        return NULL;
    }
    return lookup;
}

/* add makes a lookup of `name` that the map and the caller hold. NULL: out of memory. */
static struct urlp_lookup *add(struct urlp_resolver *resolver,
                               struct urlp_span name) URLP_HOLDS_LOCK
{
    struct urlp_lookup *lookup = urlp_zalloc(sizeof(*lookup));

    if (lookup == NULL) {
        return NULL;
    }
    if (urlp_map_put(&resolver->locked.lookups, name.data, name.len, lookup) != URLPOOL_OK) {
        urlp_free(lookup);
        return NULL;
    }
    memcpy(lookup->name, name.data, name.len);
    lookup->name_len = name.len;
    lookup->locked.num_holders = 2;
    lookup->locked.is_in_map = true;
    urlp_list_init(&lookup->locked.followers);
    urlp_list_init(&lookup->locked.age_link);
    return lookup;
}

/* --- seats --- */

static void copy_answers(const struct urlp_lookup_seat *seat,
                         struct urlp_addresses answers[]) URLP_MAY_BLOCK
{
    if (seat->lookup == NULL) {
        return; /* they were given at once */
    }
    urlp_mutex_lock(&seat->resolver->mutex);
    memcpy(answers, seat->lookup->locked.answers, sizeof(seat->lookup->locked.answers));
    urlp_mutex_unlock(&seat->resolver->mutex);
}

static bool has_addresses(const struct urlp_dns_reply replies[])
{
    return replies[URLP_FAMILY_V6].answer.num_ips > 0 || replies[URLP_FAMILY_V4].answer.num_ips > 0;
}

/* log_answers remembers what a query that found addresses has brought. A family whose question was
 * not answered says nothing about its addresses. */
static void log_answers(struct urlp_resolver *resolver, const struct urlp_lookup *lookup,
                        const struct urlp_dns_reply replies[]) URLP_HOLDS_LOCK
{
    const struct urlp_span name = urlp_span_make(lookup->name, lookup->name_len);

    for (int family = 0; family < URLP_NUM_FAMILIES; family++) {
        if (lookup->locked.is_in_map && replies[family].is_said &&
            urlp_address_log_note(&resolver->locked.log, name, (enum urlp_family)family,
                                  &replies[family].answer, urlp_boot_ns())) {
            (void)atomic_fetch_add_explicit(&resolver->num_gone, 1, memory_order_relaxed);
        }
    }
}

/* fail_lookup ends a lookup without an answer. Only that the name has none is worth keeping. */
static void fail_lookup(struct urlp_lookup_seat *seat,
                        const struct urlp_dns_failure *failure) URLP_MAY_BLOCK
{
    urlp_mutex_lock(&seat->resolver->mutex);
    seat->lookup->locked.failure = *failure;
    finish(seat->resolver, seat->lookup, failure->code == URLPOOL_E_RESOLVE ? TTL_FAILURE_S : 0);
    urlp_mutex_unlock(&seat->resolver->mutex);
}

/* publish shows all seats what the query has found, and ends it when it is over. */
static void publish(struct urlp_lookup_seat *seat) URLP_MAY_BLOCK
{
    struct urlp_lookup *lookup = seat->lookup;
    const struct urlp_dns_reply *replies = urlp_dns_query_replies(lookup->query);
    bool is_over = replies[URLP_FAMILY_V6].answer.is_done && replies[URLP_FAMILY_V4].answer.is_done;
    struct urlp_dns_failure failure;

    if (is_over && !has_addresses(replies)) {
        urlp_dns_query_failure(lookup->query, &failure);
        fail_lookup(seat, &failure);
    } else {
        urlp_mutex_lock(&seat->resolver->mutex);
        for (int family = 0; family < URLP_NUM_FAMILIES; family++) {
            lookup->locked.answers[family] = replies[family].answer;
        }
        if (is_over) {
            log_answers(seat->resolver, lookup, replies);
            finish(seat->resolver, lookup, urlp_dns_ttl_s(replies));
        } else {
            wake_followers(lookup);
        }
        urlp_mutex_unlock(&seat->resolver->mutex);
    }
    if (is_over) {
        urlp_dns_query_free(lookup->query);
        lookup->query = NULL;
    }
}

/* start makes the query of a lookup whose driver `seat` has just become. */
static enum urlpool_code start(struct urlp_lookup_seat *seat, struct urlp_span host,
                               const struct urlp_call *call,
                               struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_dns_config config = {.servers = seat->resolver->servers,
                                           .resolv_conf = seat->resolver->resolv_conf,
                                           .family = seat->resolver->family};
    struct urlp_lookup *lookup = seat->lookup;
    struct urlp_dns_failure failure;
    int64_t left_ms = -1;

    if (call->by.at_ns != INT64_MAX) {
        left_ms = (call->by.at_ns - urlp_now_ns()) / URLP_NS_PER_MS;
        left_ms = left_ms > 0 ? left_ms : 0;
    }
    lookup->query = urlp_dns_query_new(&config, urlp_span_make(lookup->name, lookup->name_len),
                                       left_ms, &failure);
    if (lookup->query == NULL) {
        fail_lookup(seat, &failure);
        urlp_lookup_seat_leave(seat);
        return urlp_dns_fail(&failure, host, err);
    }
    URLP_COUNT(call, dns_queries, 1);
    publish(seat);
    return URLPOOL_OK;
}

/* What urlp_lookup_seat_take came upon. */
enum seating {
    SEATED,          /* the lookup is finished, or another seat drives it */
    SEATED_TO_DRIVE, /* it is new */
    SEAT_NEEDS_WAKE, /* to follow: make a wake descriptor and come again */
    SEAT_NOMEM
};

static enum seating sit_down(struct urlp_lookup_seat *seat, struct urlp_span name) URLP_HOLDS_LOCK
{
    struct urlp_lookup *lookup = find(seat->resolver, name);

    if (lookup == NULL) {
        lookup = add(seat->resolver, name);
        if (lookup == NULL) {
            return SEAT_NOMEM;
        }
        lookup->locked.driver = seat;
        seat->lookup = lookup;
        return SEATED_TO_DRIVE;
    }
    if (!lookup->locked.is_finished) {
        if (seat->wake_fd < 0) {
            return SEAT_NEEDS_WAKE;
        }
        urlp_list_push_back(&lookup->locked.followers, &seat->link);
    }
    lookup->locked.num_holders++;
    seat->lookup = lookup;
    return SEATED;
}

static enum urlpool_code join(struct urlp_lookup_seat *seat, struct urlp_span name,
                              struct urlp_span host, const struct urlp_call *call,
                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum seating seating;

    for (;;) {
        urlp_mutex_lock(&seat->resolver->mutex);
        seating = sit_down(seat, name);
        urlp_mutex_unlock(&seat->resolver->mutex);
        if (seating != SEAT_NEEDS_WAKE) {
            break;
        }
        seat->wake_fd = urlp_wake_open();
        if (seat->wake_fd < 0) {
            return urlp_fail_errno(err, URLPOOL_E_SYSTEM, URLPOOL_PHASE_RESOLVE, errno,
                                   "no address for name %s: eventfd",
                                   urlp_quote(host.data, host.len).text);
        }
    }
    if (seating == SEATED_TO_DRIVE) {
        return start(seat, host, call, err);
    }
    if (seating == SEAT_NOMEM) {
        urlp_lookup_seat_leave(seat);
        return urlp_fail_nomem(err);
    }
    URLP_COUNT(call, dns_hits, 1);
    return URLPOOL_OK;
}

/* answer_here answers without a query of ours: what the caller has fixed or finds himself, what
 * needs no finding. */
static enum urlpool_code answer_here(struct urlp_lookup_seat *seat,
                                     const struct urlp_dial_target *target,
                                     struct urlp_addresses out_answers[],
                                     const struct urlp_call *call, bool *out_is_found,
                                     struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_network *network = target->network;
    enum urlpool_code code;

    *out_is_found =
        network != NULL && urlp_network_answer(network, target->host, target->port, out_answers);
    if (*out_is_found) {
        return URLPOOL_OK;
    }
    code = urlp_local_answer(target, network != NULL && network->resolve != NULL,
                             seat->resolver->hosts_file, out_answers, out_is_found,
                             &seat->is_literal, err);
    if (code != URLPOOL_OK || *out_is_found || network == NULL) {
        return code;
    }
    return urlp_network_ask(network, target->host, call, out_answers, out_is_found, err);
}

enum urlpool_code urlp_lookup_seat_take(struct urlp_lookup_seat *seat,
                                        struct urlp_resolver *resolver,
                                        const struct urlp_dial_target *target,
                                        struct urlp_addresses out_answers[],
                                        const struct urlp_call *call, struct urlpool_error *err)
{
    char name[URLP_DNS_NAME_BYTES_MAX];
    bool is_found = false;
    enum urlpool_code code;

    *seat = (struct urlp_lookup_seat){.resolver = resolver, .wake_fd = -1};
    urlp_list_init(&seat->link);
    code = answer_here(seat, target, out_answers, call, &is_found, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    if (is_found) {
        out_answers[URLP_FAMILY_V6].is_done = true;
        out_answers[URLP_FAMILY_V4].is_done = true;
        return URLPOOL_OK;
    }
    if (!urlp_dns_name_of(target->host, name)) {
        return urlp_fail(err, URLPOOL_E_RESOLVE, URLPOOL_PHASE_RESOLVE,
                         "no address for name %s: not a host name",
                         urlp_quote(target->host.data, target->host.len).text);
    }
    code = join(seat, urlp_span_make(name, target->host.len), target->host, call, err);
    if (code == URLPOOL_OK) {
        copy_answers(seat, out_answers);
    }
    return code;
}

size_t urlp_lookup_seat_poll(struct urlp_lookup_seat *seat, struct pollfd fds[], int *wait_ms)
{
    seat->has_polled_dns = false;
    if (seat->lookup == NULL) {
        return 0;
    }
    urlp_mutex_lock(&seat->resolver->mutex);
    seat->has_polled_dns = seat->lookup->locked.driver == seat;
    urlp_mutex_unlock(&seat->resolver->mutex);
    if (seat->has_polled_dns) {
        return urlp_dns_query_poll(seat->lookup->query, fds, wait_ms);
    }
    if (seat->wake_fd < 0) {
        return 0; /* the answers were final before there was anything to follow */
    }
    fds[0] = (struct pollfd){.fd = seat->wake_fd, .events = POLLIN};
    return 1;
}

void urlp_lookup_seat_process(struct urlp_lookup_seat *seat, const struct pollfd fds[],
                              size_t num_fds, struct urlp_addresses answers[])
{
    if (seat->has_polled_dns) {
        urlp_dns_query_process(seat->lookup->query, fds, num_fds);
        publish(seat);
    } else if (num_fds > 0 && fds[0].revents != 0) {
        urlp_wake_drain(seat->wake_fd); /* before the look, so that no later wake is lost */
    }
    copy_answers(seat, answers);
}

enum urlpool_code urlp_lookup_seat_fail(struct urlp_lookup_seat *seat, struct urlp_span host,
                                        struct urlpool_error *err)
{
    struct urlp_dns_failure failure;

    urlp_mutex_lock(&seat->resolver->mutex);
    failure = seat->lookup->locked.failure;
    urlp_mutex_unlock(&seat->resolver->mutex);
    return urlp_dns_fail(&failure, host, err);
}

/* hand_over finds a lookup whose driver leaves a new one, or ends it; returns the query to free. */
static struct urlp_dns_query *hand_over(struct urlp_resolver *resolver,
                                        struct urlp_lookup *lookup) URLP_HOLDS_LOCK
{
    struct urlp_dns_query *query = lookup->query;
    const struct urlp_dns_reply *replies = urlp_dns_query_replies(query);

    if (!urlp_list_is_empty(&lookup->locked.followers)) {
        struct urlp_lookup_seat *next =
            URLP_CONTAINER(lookup->locked.followers.next, struct urlp_lookup_seat, link);

        urlp_list_remove(&next->link);
        lookup->locked.driver = next;
        urlp_wake_signal(next->wake_fd);
        return NULL;
    }
    if (has_addresses(replies)) {
        log_answers(resolver, lookup, replies);
    }
    finish(resolver, lookup, has_addresses(replies) ? urlp_dns_ttl_s(replies) : 0);
    lookup->query = NULL;
    return query;
}

void urlp_lookup_seat_leave(struct urlp_lookup_seat *seat)
{
    struct urlp_dns_query *query = NULL;

    if (seat->lookup != NULL) {
        urlp_mutex_lock(&seat->resolver->mutex);
        urlp_list_remove(&seat->link);
        if (seat->lookup->locked.driver == seat) {
            query = hand_over(seat->resolver, seat->lookup);
        }
        drop(seat->lookup);
        urlp_mutex_unlock(&seat->resolver->mutex);
        seat->lookup = NULL;
    }
    urlp_dns_query_free(query);
    if (seat->wake_fd >= 0) {
        (void)close(seat->wake_fd);
        seat->wake_fd = -1;
    }
}

uint64_t urlp_resolver_num_gone(const struct urlp_resolver *resolver)
{
    return atomic_load_explicit(&resolver->num_gone, memory_order_relaxed);
}

bool urlp_resolver_is_gone(struct urlp_resolver *resolver, struct urlp_span host,
                           const struct urlp_ip *ip)
{
    char name[URLP_DNS_NAME_BYTES_MAX];
    bool is_gone;

    if (!urlp_dns_name_of(host, name)) {
        return false;
    }
    urlp_mutex_lock(&resolver->mutex);
    is_gone = urlp_address_log_is_gone(&resolver->locked.log, urlp_span_make(name, host.len), ip);
    urlp_mutex_unlock(&resolver->mutex);
    return is_gone;
}

int64_t urlp_resolver_fresh_ms(struct urlp_resolver *resolver, struct urlp_span host)
{
    char name[URLP_DNS_NAME_BYTES_MAX];
    const struct urlp_lookup *lookup;
    int64_t left_ns = 0;

    if (!urlp_dns_name_of(host, name)) {
        return -1;
    }
    urlp_mutex_lock(&resolver->mutex);
    lookup = find(resolver, urlp_span_make(name, host.len));
    if (lookup != NULL && lookup->locked.is_finished) {
        left_ns = lookup->locked.expires_ns - urlp_boot_ns();
    }
    urlp_mutex_unlock(&resolver->mutex);
    return (left_ns + URLP_NS_PER_MS - 1) / URLP_NS_PER_MS;
}

void urlp_resolver_forget(struct urlp_resolver *resolver)
{
    struct urlp_lookup *lookup;

    urlp_mutex_lock(&resolver->mutex);
    do {
        size_t cursor = 0;

        lookup = urlp_map_next(&resolver->locked.lookups, &cursor);
        if (lookup != NULL) {
            forget(resolver, lookup); /* one under way goes on for who sits at it */
        }
    } while (lookup != NULL);
    urlp_address_log_clear(&resolver->locked.log);
    urlp_mutex_unlock(&resolver->mutex);
}

void urlp_resolver_free(struct urlp_resolver *resolver)
{
    if (resolver == NULL) {
        return;
    }
    urlp_resolver_forget(resolver);
    urlp_mutex_lock(&resolver->mutex);
    urlp_map_deinit(&resolver->locked.lookups);
    urlp_mutex_unlock(&resolver->mutex);
    urlp_mutex_deinit(&resolver->mutex);
    urlp_free(resolver->servers);
    urlp_free(resolver->hosts_file);
    urlp_free(resolver->resolv_conf);
    urlp_free(resolver);
}
