/* What the DNS has said of names, as far as it takes to know that an address is given no more.
 *
 * Of each name the log keeps the addresses that were in some answer, each with the number of the
 * last answer for its family that had it, and with the time of the first one after that, which did
 * not. That an address is unknown means nothing: only one that was given can be gone. */

#include "net/address_log.h"

#include <string.h>

#include "base/alloc.h"

#define ADDRESSES_KEPT ((size_t)URLP_NUM_FAMILIES * URLP_ADDRESSES_MAX)

struct known {
    struct urlp_ip ip;
    uint64_t last_given; /* the answer for its family that had it last */
    int64_t missing_since_ns;
    bool is_gone;
};

struct name_log {
    struct urlp_list link;
    uint64_t num_answers[URLP_NUM_FAMILIES];
    struct known known[ADDRESSES_KEPT];
    size_t num_known;
    size_t name_len;
    char name[];
};

void urlp_address_log_init(struct urlp_address_log *log, size_t names_max)
{
    log->by_name = (struct urlp_map){0};
    log->names_max = names_max;
    urlp_list_init(&log->by_age);
}

static void forget(struct urlp_address_log *log, struct name_log *entry)
{
    (void)urlp_map_remove(&log->by_name, entry->name, entry->name_len);
    urlp_list_remove(&entry->link);
    urlp_free(entry);
}

static struct name_log *oldest(const struct urlp_address_log *log)
{
    return URLP_CONTAINER(log->by_age.prev, struct name_log, link);
}

void urlp_address_log_clear(struct urlp_address_log *log)
{
    while (!urlp_list_is_empty(&log->by_age)) {
        forget(log, oldest(log));
    }
    urlp_map_deinit(&log->by_name);
}

static struct name_log *find(const struct urlp_address_log *log, struct urlp_span name)
{
    return urlp_map_get(&log->by_name, name.data, name.len);
}

/* add begins to log `name`; NULL out of memory. */
static struct name_log *add(struct urlp_address_log *log, struct urlp_span name)
{
    struct name_log *entry = urlp_zalloc(sizeof(*entry) + name.len);

    if (entry == NULL) {
        return NULL;
    }
    memcpy(entry->name, name.data, name.len);
    entry->name_len = name.len;
    if (urlp_map_put(&log->by_name, name.data, name.len, entry) != URLPOOL_OK) {
        urlp_free(entry);
        return NULL;
    }
    urlp_list_push_front(&log->by_age, &entry->link);
    if (log->by_name.len > log->names_max) {
        forget(log, oldest(log));
    }
    return entry;
}

static enum urlp_family family_of(const struct urlp_ip *ip)
{
    return ip->family == URLP_IP_V6 ? URLP_FAMILY_V6 : URLP_FAMILY_V4;
}

static bool has(const struct urlp_addresses *answer, const struct urlp_ip *ip)
{
    for (size_t i = 0; i < answer->num_ips; i++) {
        if (urlp_ip_equals(&answer->ips[i], ip)) {
            return true;
        }
    }
    return false;
}

static struct known *find_known(struct name_log *entry, const struct urlp_ip *ip)
{
    for (size_t i = 0; i < entry->num_known; i++) {
        if (urlp_ip_equals(&entry->known[i].ip, ip)) {
            return &entry->known[i];
        }
    }
    return NULL;
}

/* room is where one more address is kept: behind the others, else in place of the one that was not
 * given for the longest time. */
static struct known *room(struct name_log *entry)
{
    struct known *stalest = &entry->known[0];

    if (entry->num_known < ADDRESSES_KEPT) {
        return &entry->known[entry->num_known++];
    }
    for (size_t i = 1; i < entry->num_known; i++) {
        struct known *known = &entry->known[i];
        uint64_t age = entry->num_answers[family_of(&known->ip)] - known->last_given;

        if (age > entry->num_answers[family_of(&stalest->ip)] - stalest->last_given) {
            stalest = known;
        }
    }
    return stalest;
}

/* miss takes note that an answer at `now_ns` does not have `known`; true: now it is gone. */
static bool miss(struct known *known, uint64_t num_absent, int64_t now_ns)
{
    if (num_absent == 1) {
        known->missing_since_ns = now_ns;
    }
    if (known->is_gone || num_absent < URLP_GONE_ANSWERS ||
        now_ns - known->missing_since_ns < URLP_GONE_NS) {
        return false;
    }
    known->is_gone = true;
    return true;
}

bool urlp_address_log_note(struct urlp_address_log *log, struct urlp_span name,
                           enum urlp_family family, const struct urlp_addresses *answer,
                           int64_t now_ns)
{
    struct name_log *entry = find(log, name);
    bool has_lost = false;
    uint64_t number;

    if (entry == NULL) {
        entry = add(log, name);
        if (entry == NULL) {
            return false;
        }
    }
    urlp_list_remove(&entry->link);
    urlp_list_push_front(&log->by_age, &entry->link);
    number = ++entry->num_answers[family];
    for (size_t i = 0; i < answer->num_ips; i++) {
        struct known *known = find_known(entry, &answer->ips[i]);

        known = known != NULL ? known : room(entry);
        *known = (struct known){.ip = answer->ips[i], .last_given = number};
    }
    for (size_t i = 0; i < entry->num_known; i++) {
        struct known *known = &entry->known[i];

        if (family_of(&known->ip) == family && !has(answer, &known->ip)) {
            has_lost |= miss(known, number - known->last_given, now_ns);
        }
    }
    return has_lost;
}

bool urlp_address_log_is_gone(const struct urlp_address_log *log, struct urlp_span name,
                              const struct urlp_ip *ip)
{
    struct name_log *entry = find(log, name);
    const struct known *known = entry != NULL ? find_known(entry, ip) : NULL;

    return known != NULL && known->is_gone;
}
