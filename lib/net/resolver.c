/* The resolver's memory: which names are looked up, and how long an answer is kept. One map from
 * name to lookup is both the cache and the list of what is under way; one mutex guards it and all
 * lookups. Who moves a lookup along is net/lookup_seat.c's to know. */

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/park.h"
#include "net/lookup.h"

#define ANSWERS_KEPT 1024

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

void urlp_lookup_drop(struct urlp_lookup *lookup)
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
    urlp_lookup_drop(lookup);
}

void urlp_lookup_wake_followers(struct urlp_lookup *lookup)
{
    struct urlp_list *followers = &lookup->locked.followers;

    for (struct urlp_list *at = followers->next; at != followers; at = at->next) {
        urlp_wake_signal(URLP_CONTAINER(at, struct urlp_lookup_seat, link)->wake_fd);
    }
}

void urlp_lookup_finish(struct urlp_resolver *resolver, struct urlp_lookup *lookup, int64_t ttl_s)
{
    lookup->locked.driver = NULL;
    lookup->locked.answers[URLP_FAMILY_V6].is_done = true;
    lookup->locked.answers[URLP_FAMILY_V4].is_done = true;
    urlp_lookup_wake_followers(lookup);
    if (ttl_s == 0 || !lookup->locked.is_in_map) {
        forget(resolver, lookup);
        lookup->locked.is_finished = true;
        return;
    }
    lookup->locked.expires_ns = urlp_boot_ns() + ttl_s * URLP_NS_PER_S;
    lookup->locked.is_finished = true;
    urlp_list_push_back(&resolver->locked.by_age, &lookup->locked.age_link);
    resolver->locked.num_kept++;
    while (resolver->locked.num_kept > ANSWERS_KEPT) {
        forget(resolver,
               URLP_CONTAINER(resolver->locked.by_age.next, struct urlp_lookup, locked.age_link));
    }
}

struct urlp_lookup *urlp_lookup_find(struct urlp_resolver *resolver, struct urlp_span name)
{
    struct urlp_lookup *lookup = urlp_map_get(&resolver->locked.lookups, name.data, name.len);

    if (lookup != NULL && lookup->locked.is_finished &&
        urlp_boot_ns() >= lookup->locked.expires_ns) {
        forget(resolver, lookup);
        return NULL;
    }
    return lookup;
}

struct urlp_lookup *urlp_lookup_add(struct urlp_resolver *resolver, struct urlp_span name)
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

/* --- what others ask --- */

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
    lookup = urlp_lookup_find(resolver, urlp_span_make(name, host.len));
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
