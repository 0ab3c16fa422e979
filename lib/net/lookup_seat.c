/* Seats at a lookup: who looks a name up, and who waits for it.
 *
 * A lookup under way has one driver, the seat whose thread moves the DNS query along, outside the
 * lock; the other seats follow, each woken by its own descriptor. A driver that leaves hands the
 * query to the oldest follower; when there is none, what is known is kept, or the lookup ends. A
 * lookup that a half dial has parked does not end: without a driver it stands still, what comes
 * stays in its sockets, and whoever takes a seat next drives it on.
 *
 * The query belongs to the driver alone, and passes from one to the next under the resolver's
 * mutex. Nothing blocks, calls back or talks to c-ares under it. */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/error.h"
#include "base/fork.h"
#include "base/own_fd.h"
#include "base/park.h"
#include "net/lookup.h"
#include "net/network.h"

#define TTL_FAILURE_S 1

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

/* fail_lookup ends a lookup without an answer. What failed on this machine is not worth keeping. */
static void fail_lookup(struct urlp_lookup_seat *seat,
                        const struct urlp_dns_failure *failure) URLP_MAY_BLOCK
{
    urlp_mutex_lock(&seat->resolver->mutex);
    seat->lookup->locked.failure = *failure;
    urlp_lookup_finish(seat->resolver, seat->lookup,
                       failure->code == URLPOOL_E_RESOLVE && failure->os_errno == 0 ? TTL_FAILURE_S
                                                                                    : 0);
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
            urlp_lookup_finish(seat->resolver, lookup, urlp_dns_ttl_s(replies));
        } else {
            urlp_lookup_wake_followers(lookup);
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
    struct urlp_lookup *lookup = urlp_lookup_find(seat->resolver, name);

    if (lookup == NULL) {
        lookup = urlp_lookup_add(seat->resolver, name);
        if (lookup == NULL) {
            return SEAT_NOMEM;
        }
        lookup->locked.driver = seat;
        seat->lookup = lookup;
        return SEATED_TO_DRIVE;
    }
    if (!lookup->locked.is_finished && lookup->locked.driver == NULL) {
        lookup->locked.driver = seat;
    } else if (!lookup->locked.is_finished) {
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
        urlp_own_fd_note(seat->wake_fd);
        seat->generation = urlp_fork_generation();
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

/* end_early ends a lookup with what is known; returns the query to free. */
static struct urlp_dns_query *end_early(struct urlp_resolver *resolver,
                                        struct urlp_lookup *lookup) URLP_HOLDS_LOCK
{
    struct urlp_dns_query *query = lookup->query;
    const struct urlp_dns_reply *replies = urlp_dns_query_replies(query);

    if (has_addresses(replies)) {
        log_answers(resolver, lookup, replies);
    }
    urlp_lookup_finish(resolver, lookup, has_addresses(replies) ? urlp_dns_ttl_s(replies) : 0);
    lookup->query = NULL;
    return query;
}

/* hand_over finds a lookup whose driver leaves a new one, or ends it; returns the query to free. */
static struct urlp_dns_query *hand_over(struct urlp_resolver *resolver,
                                        struct urlp_lookup *lookup) URLP_HOLDS_LOCK
{
    struct urlp_lookup_seat *next;

    if (!urlp_list_is_empty(&lookup->locked.followers)) {
        next = URLP_CONTAINER(lookup->locked.followers.next, struct urlp_lookup_seat, link);
        urlp_list_remove(&next->link);
        lookup->locked.driver = next;
        urlp_wake_signal(next->wake_fd);
        return NULL;
    }
    if (lookup->locked.num_parked > 0) {
        lookup->locked.driver = NULL;
        return NULL;
    }
    return end_early(resolver, lookup);
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
        urlp_lookup_drop(seat->lookup);
        urlp_mutex_unlock(&seat->resolver->mutex);
        seat->lookup = NULL;
    }
    urlp_dns_query_free(query);
    if (seat->wake_fd >= 0 && !urlp_fork_has_happened(seat->generation)) {
        urlp_own_fd_close(seat->wake_fd);
    }
    seat->wake_fd = -1;
}

struct urlp_lookup *urlp_lookup_seat_park(struct urlp_lookup_seat *seat)
{
    struct urlp_lookup *lookup = seat->lookup;

    if (lookup != NULL) {
        urlp_mutex_lock(&seat->resolver->mutex);
        if (lookup->locked.is_finished) {
            lookup = NULL;
        } else {
            lookup->locked.num_parked++;
            lookup->locked.num_holders++;
        }
        urlp_mutex_unlock(&seat->resolver->mutex);
    }
    urlp_lookup_seat_leave(seat);
    return lookup;
}

void urlp_lookup_unpark(struct urlp_resolver *resolver, struct urlp_lookup *lookup)
{
    struct urlp_dns_query *query = NULL;

    if (lookup == NULL) {
        return;
    }
    urlp_mutex_lock(&resolver->mutex);
    if (--lookup->locked.num_parked == 0 && lookup->locked.driver == NULL &&
        !lookup->locked.is_finished) {
        query = end_early(resolver, lookup);
    }
    urlp_lookup_drop(lookup);
    urlp_mutex_unlock(&resolver->mutex);
    urlp_dns_query_free(query);
}
