/* From a host and a port to a connected stream: RFC 8305 in one poll loop, which holds the
 * resolver's descriptors, the sockets that are connecting (net/race.h), the timers, the cancel
 * token and what may break the dial off.
 *
 * The first to connect wins, and the rest are closed. A dial that is broken off leaves its sockets
 * connecting and its names asked for in a half dial, and one that is given a half dial goes on with
 * it: first it looks what has come of it meanwhile, then it tries what is left. It knows nothing of
 * how names are found (net/resolver.h). */

#include "net/dial.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/own_fd.h"
#include "net/network.h"
#include "net/race.h"
#include "net/resolver.h"

struct dial {
    const struct urlp_dial_target *target;
    const struct urlp_call *call;
    struct urlp_lookup_seat seat; /* without a lookup when nothing is left to look up */
    struct urlp_race race;
    bool is_resumed; /* and nobody has looked at its sockets yet */
};

/* One round's poll set: the token, the break-off, the race's sockets in their order, the
 * resolver's. */
enum {
    TOKEN,
    BREAK_OFF,
    SOCKETS,
    FDS_MAX = SOCKETS + URLP_RACE_ATTEMPTS_MAX + URLP_LOOKUP_FDS_MAX
};

struct poll_set {
    struct pollfd fds[FDS_MAX];
    size_t num_before_seat;
    size_t num_seat;
};

/* begin_due begins what is due now. */
static void begin_due(struct dial *dial) URLP_MAY_BLOCK
{
    while (urlp_race_is_due(&dial->race)) {
        if (!dial->race.has_begun && !dial->race.is_literal) {
            urlp_call_trace(dial->call, URLPOOL_TRACE_RESOLVED, dial->target->host.data,
                            dial->target->host.len, (int64_t)urlp_race_num_addresses(&dial->race));
        }
        urlp_race_begin_next(&dial->race, dial->target);
    }
}

/* --- what is said when it fails --- */

/* struct place names the target in a message: "192.0.2.1:80", or "www.example at 192.0.2.1:80". */
struct place {
    char text[sizeof(struct urlp_quoted) + URLP_PEER_TEXT_MAX + sizeof(" at ")];
};

static struct place place_of(const struct dial *dial, const struct urlp_peer *peer)
{
    char address[URLP_PEER_TEXT_MAX];
    struct place place;

    urlp_peer_format(peer, address);
    if (dial->race.is_literal) {
        (void)snprintf(place.text, sizeof(place.text), "%s", address);
    } else {
        (void)snprintf(place.text, sizeof(place.text), "%s at %s",
                       urlp_quote(dial->target->host.data, dial->target->host.len).text, address);
    }
    return place;
}

/* fail_address says what the most telling of the addresses has met. */
static enum urlpool_code fail_address(const struct dial *dial, struct urlpool_error *err)
{
    const bool is_short = dial->race.waiting.os_errno != 0;
    const enum urlpool_code code = is_short ? URLPOOL_E_SYSTEM : URLPOOL_E_CONNECT;
    const int os_errno = is_short ? dial->race.waiting.os_errno : dial->race.failed.os_errno;
    const unsigned num = dial->race.failed.num_addresses + (is_short ? 1 : 0);
    const struct place place =
        place_of(dial, is_short ? &dial->race.waiting.peer : &dial->race.failed.peer);

    if (num == 1) {
        return urlp_fail_errno(err, code, URLPOOL_PHASE_CONNECT, os_errno, "connect to %s",
                               place.text);
    }
    return urlp_fail_errno(err, code, URLPOOL_PHASE_CONNECT, os_errno,
                           "connect to %s (%u addresses tried)", place.text, num);
}

static enum urlpool_code fail_hopeless(struct dial *dial, struct urlpool_error *err) URLP_MAY_BLOCK
{
    if (dial->race.failed.num_addresses > 0 || dial->race.waiting.os_errno != 0) {
        return fail_address(dial, err);
    }
    if (dial->race.num_refused > 0) {
        return urlp_fail(err, URLPOOL_E_ADDRESS_REFUSED, URLPOOL_PHASE_CONNECT,
                         "connect to %s: the address may not be dialled",
                         place_of(dial, &dial->race.refused).text);
    }
    if (dial->seat.lookup == NULL) {
        return urlp_fail(err, URLPOOL_E_RESOLVE, URLPOOL_PHASE_RESOLVE,
                         "no address for name %s: none of the family asked for",
                         urlp_quote(dial->target->host.data, dial->target->host.len).text);
    }
    return urlp_lookup_seat_fail(&dial->seat, dial->target->host, err);
}

static enum urlpool_phase phase_of(const struct dial *dial)
{
    return dial->race.has_begun ? URLPOOL_PHASE_CONNECT : URLPOOL_PHASE_RESOLVE;
}

static enum urlpool_code fail_timeout(const struct dial *dial, struct urlpool_error *err)
{
    enum urlpool_code code = urlp_call_timeout_code(dial->call, URLPOOL_E_CONNECT_TIMEOUT);
    struct urlp_quoted host = urlp_quote(dial->target->host.data, dial->target->host.len);

    if (!dial->race.has_begun) {
        return urlp_fail(err, code, URLPOOL_PHASE_RESOLVE, "no address for name %s in time",
                         host.text);
    }
    if (dial->race.num_attempts == 0 && dial->race.failed.num_addresses == 0) {
        return urlp_fail(err, code, URLPOOL_PHASE_CONNECT,
                         "connect to %s: the address may not be dialled, and no other in time",
                         place_of(dial, &dial->race.refused).text);
    }
    if (dial->race.num_attempts == 0) {
        return urlp_fail_errno(err, code, URLPOOL_PHASE_CONNECT, dial->race.failed.os_errno,
                               "connect to %s, and no other address in time",
                               place_of(dial, &dial->race.failed.peer).text);
    }
    if (dial->race.waiting.os_errno != 0) {
        return urlp_fail_errno(err, code, URLPOOL_PHASE_CONNECT, dial->race.waiting.os_errno,
                               "connect to %s, and no answer from another address in time",
                               place_of(dial, &dial->race.waiting.peer).text);
    }
    return urlp_fail(err, code, URLPOOL_PHASE_CONNECT, "connect to %s: no answer in time",
                     place_of(dial, &dial->race.attempts[0].peer).text);
}

static enum urlpool_code fail_cancelled(const struct dial *dial, struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_CANCELLED, phase_of(dial), "connect to %s: cancelled",
                     urlp_quote(dial->target->host.data, dial->target->host.len).text);
}

/* break_off parks what is worth going on with. */
static enum urlpool_code break_off(struct dial *dial, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_break_off *wish = dial->call->break_off;

    wish->is_broken_off = true;
    wish->half = urlp_half_dial_new(&dial->race, &dial->seat);
    return urlp_fail(err, URLPOOL_E_CANCELLED, phase_of(dial), "connect to %s: broken off",
                     urlp_quote(dial->target->host.data, dial->target->host.len).text);
}

/* --- the loop --- */

/* fill puts what is waited for into `set` and returns for how long. */
static int fill(struct dial *dial, struct poll_set *set) URLP_MAY_BLOCK
{
    const struct urlp_break_off *wish = dial->call->break_off;
    struct urlpool_deadline by = dial->call->by;
    int wait_ms;

    if (urlp_race_has_more(&dial->race)) {
        by = urlpool_deadline_earliest(by, dial->race.next_at);
    }
    wait_ms = urlp_deadline_poll_ms(by);
    set->fds[TOKEN] = (struct pollfd){.fd = urlp_cancel_fd(dial->call->cancel), .events = POLLIN};
    set->fds[BREAK_OFF] =
        (struct pollfd){.fd = wish != NULL ? wish->wake_fd : -1, .events = POLLIN};
    set->num_before_seat = SOCKETS + urlp_race_poll(&dial->race, set->fds + SOCKETS);
    set->num_seat = urlp_lookup_seat_poll(&dial->seat, set->fds + set->num_before_seat, &wait_ms);
    return wait_ms;
}

/* wait_round polls once for whatever comes first. Polling errors other than EINTR fail. */
static enum urlpool_code wait_round(struct dial *dial, struct poll_set *set,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    int wait_ms = fill(dial, set);

    if (urlp_deadline_has_passed(dial->call->by)) {
        return fail_timeout(dial, err);
    }
    if (poll(set->fds, set->num_before_seat + set->num_seat, wait_ms) < 0) {
        if (errno != EINTR) {
            return urlp_fail_errno(err, URLPOOL_E_SYSTEM, phase_of(dial), errno, "poll");
        }
        for (size_t i = 0; i < set->num_before_seat + set->num_seat; i++) {
            set->fds[i].revents = 0;
        }
    }
    return set->fds[TOKEN].revents != 0 ? fail_cancelled(dial, err) : URLPOOL_OK;
}

/* finish takes the winner, if there is one: whoever asked for the dial to be broken off before it
 * was seen gives its caller another connection, and expects this one in the half. */
static enum urlpool_code finish(struct dial *dial, const struct urlp_attempt *winner,
                                struct urlpool_error *err) URLP_MAY_BLOCK
{
    if (urlp_break_off_shut(dial->call->break_off)) {
        return URLPOOL_OK;
    }
    urlp_race_put_back(&dial->race, winner);
    return break_off(dial, err);
}

static void look_for_answers(struct dial *dial, const struct poll_set *set) URLP_MAY_BLOCK
{
    struct urlp_addresses answers[URLP_NUM_FAMILIES];

    if (dial->seat.lookup != NULL) {
        urlp_lookup_seat_process(&dial->seat, set->fds + set->num_before_seat, set->num_seat,
                                 answers);
        urlp_race_learn(&dial->race, answers, dial->target->network->family);
    }
}

/* run goes round until a socket has connected. Whoever breaks it off has something better than a
 * failure, so one of the same round is not told. */
static enum urlpool_code run(struct dial *dial, struct urlp_attempt *out_winner,
                             struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct poll_set set;

    for (;;) {
        enum urlpool_code code;

        if (!dial->is_resumed) {
            begin_due(dial);
        }
        if (urlp_race_is_lost(&dial->race)) {
            return fail_hopeless(dial, err);
        }
        code = wait_round(dial, &set, err);
        if (code != URLPOOL_OK) {
            return code;
        }
        if (urlp_race_reap(&dial->race, set.fds + SOCKETS, &dial->target->network->tcp,
                           out_winner)) {
            return finish(dial, out_winner, err);
        }
        look_for_answers(dial, &set);
        if (set.fds[BREAK_OFF].revents != 0) {
            return break_off(dial, err);
        }
        dial->is_resumed = false;
    }
}

/* look_up begins to find the addresses. */
static enum urlpool_code look_up(struct dial *dial, struct urlp_resolver *resolver,
                                 struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_addresses answers[URLP_NUM_FAMILIES] = {{.num_ips = 0}};
    enum urlpool_code code =
        urlp_lookup_seat_take(&dial->seat, resolver, dial->target, answers, dial->call, err);

    if (code == URLPOOL_E_CANCELLED) {
        return break_off(dial, err);
    }
    if (code == URLPOOL_OK) {
        dial->race.is_literal = dial->seat.is_literal;
        urlp_race_learn(&dial->race, answers, dial->target->network->family);
    }
    return code;
}

/* dial_names resolves and connects over TCP, going on with `half` if there is one. */
static enum urlpool_code dial_names(struct urlp_resolver *resolver,
                                    const struct urlp_dial_target *target,
                                    const struct urlp_call *call, struct urlp_half_dial *half,
                                    struct urlp_attempt *out_winner,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct dial dial = {.target = target, .call = call, .seat = {.wake_fd = -1}};
    struct urlp_lookup *parked = NULL;
    enum urlpool_code code = URLPOOL_OK;

    urlp_race_init(&dial.race);
    dial.is_resumed = urlp_half_dial_resume(half, &dial.race, &parked);
    if (!urlp_race_is_resolved(&dial.race)) {
        code = look_up(&dial, resolver, err);
    }
    urlp_lookup_unpark(resolver, parked); /* its seat is taken */
    if (code == URLPOOL_OK) {
        code = run(&dial, out_winner, err);
        urlp_lookup_seat_leave(&dial.seat);
    }
    urlp_race_close(&dial.race);
    return code;
}

/* take_half takes what is to be gone on with out of `call`. */
static struct urlp_half_dial *take_half(const struct urlp_call *call)
{
    struct urlp_half_dial *half = NULL;

    if (call->break_off != NULL) {
        half = call->break_off->half;
        call->break_off->half = NULL;
        call->break_off->is_broken_off = false;
    }
    return half;
}

/* connect_local connects to a Unix-domain socket, which takes no time worth breaking off. */
static enum urlpool_code connect_local(const struct urlp_network *network,
                                       const struct urlp_call *call, struct urlp_half_dial *half,
                                       int *out_fd, struct urlpool_error *err) URLP_MAY_BLOCK
{
    urlp_half_dial_free(half); /* of another way, so none of this one's */
    if (!urlp_break_off_shut(call->break_off)) {
        call->break_off->is_broken_off = true;
        return urlp_fail(err, URLPOOL_E_CANCELLED, URLPOOL_PHASE_CONNECT,
                         "connect to socket %s: broken off",
                         urlp_quote(network->unix_socket, strlen(network->unix_socket)).text);
    }
    return urlp_unix_connect(network->unix_socket, &network->tcp, call, out_fd, err);
}

struct urlp_stream *urlp_dial(struct urlp_resolver *resolver, const struct urlp_dial_target *target,
                              const struct urlp_call *call, struct urlpool_error *err)
{
    static const struct urlp_network plain = {.family = URLPOOL_FAMILY_ANY};
    struct urlp_half_dial *half = take_half(call);
    struct urlp_dial_target way = *target;
    struct urlp_attempt winner = {.fd = -1};
    char text[URLP_PEER_TEXT_MAX];
    const char *peer = text;
    struct urlp_stream *stream = NULL;
    enum urlpool_code code;

    urlp_assert_no_lock(__func__);
    way.network = target->network != NULL ? target->network : &plain;
    urlp_network_detour(way.network, &way.host, &way.port);
    if (way.network->unix_socket != NULL) {
        peer = way.network->unix_socket;
        code = connect_local(way.network, call, half, &winner.fd, err);
    } else {
        code = dial_names(resolver, &way, call, half, &winner, err);
        urlp_peer_format(&winner.peer, text);
    }
    if (code != URLPOOL_OK) {
        return NULL;
    }
    stream = urlp_tcp_wrap(winner.fd, err);
    if (stream == NULL) {
        urlp_own_fd_close(winner.fd);
        return NULL;
    }
    urlp_call_trace(call, URLPOOL_TRACE_CONNECTED, peer, strlen(peer), 0);
    return stream;
}
