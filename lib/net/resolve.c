/* A name's address without a connection, for a proxy that wants addresses.
 *
 * IPv4 comes first here, unlike in net/dial.c: there is no race that would find out which family
 * the proxy can use, and IPv4 it always can. The rules of struct urlp_network hold as for a dial;
 * each address is shown to the caller's hook once. */

#include "net/resolve.h"

#include <errno.h>
#include <poll.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/error.h"
#include "net/network.h"
#include "net/resolver.h"

struct search {
    const struct urlp_dial_target *target;
    const struct urlp_network *network;
    const struct urlp_call *call;
    struct urlp_lookup_seat seat;
    struct urlp_addresses answers[URLP_NUM_FAMILIES];
    bool is_wanted[URLP_NUM_FAMILIES];
    bool is_judged[URLP_NUM_FAMILIES]; /* and nothing there that may be dialled */
    unsigned num_refused;
    struct urlp_peer refused;
};

static struct urlp_quoted name_of(const struct search *search)
{
    return urlp_quote(search->target->host.data, search->target->host.len);
}

/* judge looks for the first address of `family` that may be dialled. */
static bool judge(struct search *search, enum urlp_family family,
                  struct urlp_ip *out_ip) URLP_MAY_BLOCK
{
    const struct urlp_addresses *found = &search->answers[family];

    for (size_t i = 0; i < found->num_ips; i++) {
        const struct urlp_peer peer = {.ip = found->ips[i], .port = search->target->port};

        if (urlp_network_allows(search->network, search->target->host, &peer)) {
            *out_ip = peer.ip;
            return true;
        }
        search->num_refused++;
        search->refused = peer;
    }
    search->is_judged[family] = true;
    return false;
}

/* choose takes an address of the families that are known, in their order: none of a later one
 * before an earlier one has come to an end. */
static bool choose(struct search *search, struct urlp_ip *out_ip) URLP_MAY_BLOCK
{
    static const enum urlp_family order[] = {URLP_FAMILY_V4, URLP_FAMILY_V6};

    for (size_t i = 0; i < URLP_COUNT_OF(order); i++) {
        const enum urlp_family family = order[i];

        if (!search->is_wanted[family] || search->is_judged[family]) {
            continue;
        }
        if (!search->answers[family].is_done) {
            return false;
        }
        if (judge(search, family, out_ip)) {
            return true;
        }
    }
    return false;
}

static bool is_hopeless(const struct search *search)
{
    for (int family = 0; family < URLP_NUM_FAMILIES; family++) {
        if (search->is_wanted[family] && !search->is_judged[family]) {
            return false;
        }
    }
    return true;
}

static enum urlpool_code fail_hopeless(struct search *search,
                                       struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_addresses *answers = search->answers;
    char address[URLP_PEER_TEXT_MAX];

    if (search->num_refused > 0) {
        urlp_peer_format(&search->refused, address);
        return urlp_fail(err, URLPOOL_E_ADDRESS_REFUSED, URLPOOL_PHASE_RESOLVE,
                         "%s at %s: the address may not be dialled", name_of(search).text, address);
    }
    if (search->seat.lookup != NULL && answers[URLP_FAMILY_V6].is_done &&
        answers[URLP_FAMILY_V6].num_ips + answers[URLP_FAMILY_V4].num_ips == 0) {
        return urlp_lookup_seat_fail(&search->seat, search->target->host, err);
    }
    return urlp_fail(err, URLPOOL_E_RESOLVE, URLPOOL_PHASE_RESOLVE,
                     "no address for name %s: none of the family asked for", name_of(search).text);
}

/* wait_round polls once for whatever comes first, and lets the lookup go on. */
static enum urlpool_code wait_round(struct search *search, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct pollfd fds[1 + URLP_LOOKUP_FDS_MAX] = {
        {.fd = urlp_cancel_fd(search->call->cancel), .events = POLLIN}
    };
    int wait_ms = urlp_deadline_poll_ms(search->call->by);
    const size_t num_seat = urlp_lookup_seat_poll(&search->seat, fds + 1, &wait_ms);

    if (urlp_deadline_has_passed(search->call->by)) {
        return urlp_fail(err, urlp_call_timeout_code(search->call, URLPOOL_E_CONNECT_TIMEOUT),
                         URLPOOL_PHASE_RESOLVE, "no address for name %s in time",
                         name_of(search).text);
    }
    if (poll(fds, 1 + num_seat, wait_ms) < 0) {
        if (errno != EINTR) {
            return urlp_fail_errno(err, URLPOOL_E_SYSTEM, URLPOOL_PHASE_RESOLVE, errno, "poll");
        }
        for (size_t i = 0; i < 1 + num_seat; i++) {
            fds[i].revents = 0;
        }
    }
    if (fds[0].revents != 0) {
        return urlp_fail(err, URLPOOL_E_CANCELLED, URLPOOL_PHASE_RESOLVE,
                         "no address for name %s: cancelled", name_of(search).text);
    }
    urlp_lookup_seat_process(&search->seat, fds + 1, num_seat, search->answers);
    return URLPOOL_OK;
}

static enum urlpool_code find(struct search *search, struct urlp_ip *out_ip,
                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    while (!choose(search, out_ip)) {
        enum urlpool_code code =
            is_hopeless(search) ? fail_hopeless(search, err) : wait_round(search, err);

        if (code != URLPOOL_OK) {
            return code;
        }
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_resolve(struct urlp_resolver *resolver,
                               const struct urlp_dial_target *target, bool is_v4_only,
                               const struct urlp_call *call, struct urlp_ip *out_ip,
                               struct urlpool_error *err)
{
    static const struct urlp_network plain = {.family = URLPOOL_FAMILY_ANY};
    struct search search = {.target = target, .call = call};
    enum urlpool_code code =
        urlp_lookup_seat_take(&search.seat, resolver, target, search.answers, call, err);

    urlp_assert_no_lock(__func__);
    if (code != URLPOOL_OK) {
        return code;
    }
    search.network = target->network != NULL ? target->network : &plain;
    search.is_wanted[URLP_FAMILY_V4] = search.network->family != URLPOOL_FAMILY_V6;
    search.is_wanted[URLP_FAMILY_V6] = search.network->family != URLPOOL_FAMILY_V4 && !is_v4_only;
    code = find(&search, out_ip, err);
    if (code == URLPOOL_OK && !search.seat.is_literal) {
        urlp_call_trace(call, URLPOOL_TRACE_RESOLVED, target->host.data, target->host.len,
                        (int64_t)(search.answers[URLP_FAMILY_V6].num_ips +
                                  search.answers[URLP_FAMILY_V4].num_ips));
    }
    urlp_lookup_seat_leave(&search.seat);
    return code;
}

enum urlpool_code urlp_resolve_anew(struct urlp_resolver *resolver,
                                    const struct urlp_dial_target *target,
                                    const struct urlp_call *call, struct urlpool_error *err)
{
    struct search search = {.target = target, .call = call};
    enum urlpool_code code =
        urlp_lookup_seat_take(&search.seat, resolver, target, search.answers, call, err);

    urlp_assert_no_lock(__func__);
    if (code != URLPOOL_OK) {
        return code;
    }
    while (code == URLPOOL_OK &&
           !(search.answers[URLP_FAMILY_V6].is_done && search.answers[URLP_FAMILY_V4].is_done)) {
        code = wait_round(&search, err);
    }
    urlp_lookup_seat_leave(&search.seat);
    return code;
}
