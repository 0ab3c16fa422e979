/* From a host and a port to a connected stream: RFC 8305 in one poll loop, which holds the
 * resolver's descriptors, the sockets that are connecting, the timers and the cancel token.
 *
 * Connecting begins as soon as IPv6 addresses are known, or 50 ms after IPv4 ones while IPv6 is
 * still asked for. The next address follows 250 ms after the last, or at once when one has
 * failed; families take turns. The first to connect wins, and the rest are
 * closed. It knows nothing of how names are found (net/resolver.h). */

#include "net/dial.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "net/network.h"
#include "net/resolver.h"

/* RFC 8305 section 8: Resolution Delay, Connection Attempt Delay. */
#define RESOLUTION_DELAY_MS 50
#define ATTEMPT_DELAY_MS    250

#define ATTEMPTS_MAX (URLP_NUM_FAMILIES * URLP_ADDRESSES_MAX)
#define FDS_MAX      (1 + ATTEMPTS_MAX + URLP_LOOKUP_FDS_MAX)

struct attempt {
    struct urlp_peer peer;
    int fd;
};

/* What a failed address tells its caller, least first: that this machine has no way there says
 * little when another address was refused; that this machine is out of descriptors says all. */
enum telling {
    TELLS_NOTHING,
    TELLS_NO_WAY,
    TELLS_ANSWER,
    TELLS_SHORTAGE
};

struct dial {
    const struct urlp_dial_target *target;
    const struct urlp_network *network;
    const struct urlp_call *call;
    struct urlp_lookup_seat seat;
    struct urlp_addresses answers[URLP_NUM_FAMILIES];
    size_t num_tried[URLP_NUM_FAMILIES];
    enum urlp_family turn;
    bool has_begun;
    struct urlpool_deadline next_at; /* when the next address may be tried */
    struct attempt attempts[ATTEMPTS_MAX];
    size_t num_attempts;
    struct {
        struct urlp_peer peer;
        enum telling telling;
        int os_errno;
        unsigned num_addresses;
        unsigned num_refused; /* by the caller: never dialled */
        struct urlp_peer refused;
    } failed;
};

/* One round's poll set: the token, the attempts in their order, the resolver's. */
struct poll_set {
    struct pollfd fds[FDS_MAX];
    size_t num_before_seat;
    size_t num_seat;
};

static enum telling telling_of(int os_errno)
{
    switch (os_errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return TELLS_SHORTAGE;
    case ENETUNREACH:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return TELLS_NO_WAY;
    default:
        return TELLS_ANSWER;
    }
}

static void note_failure(struct dial *dial, const struct urlp_peer *peer, int os_errno)
{
    enum telling telling = telling_of(os_errno);

    dial->failed.num_addresses++;
    if (telling >= dial->failed.telling) {
        dial->failed.telling = telling;
        dial->failed.peer = *peer;
        dial->failed.os_errno = os_errno;
    }
}

/* keep_family forgets the addresses of a family that is not to be dialled. */
static void keep_family(struct dial *dial)
{
    if (dial->network->family == URLPOOL_FAMILY_V4) {
        dial->answers[URLP_FAMILY_V6] = (struct urlp_addresses){.is_done = true};
    } else if (dial->network->family == URLPOOL_FAMILY_V6) {
        dial->answers[URLP_FAMILY_V4] = (struct urlp_addresses){.is_done = true};
    }
}

static size_t num_left(const struct dial *dial, enum urlp_family family)
{
    return dial->answers[family].num_ips - dial->num_tried[family];
}

static bool is_resolved(const struct dial *dial)
{
    return dial->answers[URLP_FAMILY_V6].is_done && dial->answers[URLP_FAMILY_V4].is_done;
}

static size_t num_addresses(const struct dial *dial)
{
    return dial->answers[URLP_FAMILY_V6].num_ips + dial->answers[URLP_FAMILY_V4].num_ips;
}

/* RFC 8305 section 3: "If a positive AAAA response is received first, the first IPv6 connection
 * attempt is immediately started. If a positive A response is received first due to reordering, the
 * client SHOULD wait a short time for the AAAA response". */
static void note_answers(struct dial *dial)
{
    if (dial->has_begun || num_addresses(dial) == 0) {
        return;
    }
    if (dial->answers[URLP_FAMILY_V6].is_done) {
        dial->next_at = (struct urlpool_deadline){INT64_MIN};
    } else if (dial->next_at.at_ns == INT64_MAX) {
        dial->next_at = urlp_deadline_in(RESOLUTION_DELAY_MS);
    }
}

/* begin_next takes the next address and begins to connect to it. */
static void begin_next(struct dial *dial) URLP_MAY_BLOCK
{
    enum urlp_family family = dial->turn;
    struct urlp_peer peer = {.port = dial->target->port};
    int fd = -1;
    int os_errno;

    if (num_left(dial, family) == 0) {
        family = family == URLP_FAMILY_V6 ? URLP_FAMILY_V4 : URLP_FAMILY_V6;
    }
    peer.ip = dial->answers[family].ips[dial->num_tried[family]++];
    dial->turn = family == URLP_FAMILY_V6 ? URLP_FAMILY_V4 : URLP_FAMILY_V6;
    if (!urlp_network_allows(dial->network, dial->target->host, &peer)) {
        dial->failed.num_refused++;
        dial->failed.refused = peer;
        return;
    }
    os_errno = urlp_tcp_start(&peer, &dial->network->tcp, &fd);
    if (os_errno != 0) {
        note_failure(dial, &peer, os_errno);
        return;
    }
    dial->attempts[dial->num_attempts++] = (struct attempt){.peer = peer, .fd = fd};
    dial->next_at = urlp_deadline_in(ATTEMPT_DELAY_MS);
}

/* begin_due begins what is due now. */
static void begin_due(struct dial *dial) URLP_MAY_BLOCK
{
    keep_family(dial);
    note_answers(dial);
    while (num_left(dial, URLP_FAMILY_V6) + num_left(dial, URLP_FAMILY_V4) > 0 &&
           dial->failed.telling < TELLS_SHORTAGE && urlp_deadline_has_passed(dial->next_at)) {
        if (!dial->has_begun && !dial->seat.is_literal) {
            urlp_call_trace(dial->call, URLPOOL_TRACE_RESOLVED, dial->target->host.data,
                            dial->target->host.len, (int64_t)num_addresses(dial));
        }
        dial->has_begun = true;
        begin_next(dial);
    }
}

static bool is_hopeless(const struct dial *dial)
{
    if (dial->num_attempts > 0) {
        return false;
    }
    if (dial->failed.telling == TELLS_SHORTAGE) {
        return true;
    }
    return is_resolved(dial) &&
           num_left(dial, URLP_FAMILY_V6) + num_left(dial, URLP_FAMILY_V4) == 0;
}

/* struct place names the target in a message: "192.0.2.1:80", or "www.example at 192.0.2.1:80". */
struct place {
    char text[sizeof(struct urlp_quoted) + URLP_PEER_TEXT_MAX + sizeof(" at ")];
};

static struct place place_of(const struct dial *dial, const struct urlp_peer *peer)
{
    char address[URLP_PEER_TEXT_MAX];
    struct place place;

    urlp_peer_format(peer, address);
    if (dial->seat.is_literal) {
        (void)snprintf(place.text, sizeof(place.text), "%s", address);
    } else {
        (void)snprintf(place.text, sizeof(place.text), "%s at %s",
                       urlp_quote(dial->target->host.data, dial->target->host.len).text, address);
    }
    return place;
}

static enum urlpool_code fail_hopeless(struct dial *dial, struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlpool_code code =
        dial->failed.telling == TELLS_SHORTAGE ? URLPOOL_E_SYSTEM : URLPOOL_E_CONNECT;
    struct place place;

    if (dial->failed.num_addresses == 0 && dial->failed.num_refused > 0) {
        return urlp_fail(err, URLPOOL_E_ADDRESS_REFUSED, URLPOOL_PHASE_CONNECT,
                         "connect to %s: the address may not be dialled",
                         place_of(dial, &dial->failed.refused).text);
    }
    if (dial->failed.num_addresses == 0 && dial->seat.lookup == NULL) {
        return urlp_fail(err, URLPOOL_E_RESOLVE, URLPOOL_PHASE_RESOLVE,
                         "no address for name %s: none of the family asked for",
                         urlp_quote(dial->target->host.data, dial->target->host.len).text);
    }
    if (dial->failed.num_addresses == 0) {
        return urlp_lookup_seat_fail(&dial->seat, dial->target->host, err);
    }
    place = place_of(dial, &dial->failed.peer);
    if (dial->failed.num_addresses == 1) {
        return urlp_fail_errno(err, code, URLPOOL_PHASE_CONNECT, dial->failed.os_errno,
                               "connect to %s", place.text);
    }
    return urlp_fail_errno(err, code, URLPOOL_PHASE_CONNECT, dial->failed.os_errno,
                           "connect to %s (%u addresses tried)", place.text,
                           dial->failed.num_addresses);
}

static enum urlpool_phase phase_of(const struct dial *dial)
{
    return dial->has_begun ? URLPOOL_PHASE_CONNECT : URLPOOL_PHASE_RESOLVE;
}

static enum urlpool_code fail_timeout(const struct dial *dial, struct urlpool_error *err)
{
    enum urlpool_code code = urlp_call_timeout_code(dial->call, URLPOOL_E_CONNECT_TIMEOUT);
    struct urlp_quoted host = urlp_quote(dial->target->host.data, dial->target->host.len);

    if (!dial->has_begun) {
        return urlp_fail(err, code, URLPOOL_PHASE_RESOLVE, "no address for name %s in time",
                         host.text);
    }
    if (dial->num_attempts == 0 && dial->failed.num_addresses == 0) {
        return urlp_fail(err, code, URLPOOL_PHASE_CONNECT,
                         "connect to %s: the address may not be dialled, and no other in time",
                         place_of(dial, &dial->failed.refused).text);
    }
    if (dial->num_attempts == 0) {
        return urlp_fail_errno(err, code, URLPOOL_PHASE_CONNECT, dial->failed.os_errno,
                               "connect to %s, and no other address in time",
                               place_of(dial, &dial->failed.peer).text);
    }
    return urlp_fail(err, code, URLPOOL_PHASE_CONNECT, "connect to %s: no answer in time",
                     place_of(dial, &dial->attempts[0].peer).text);
}

static enum urlpool_code fail_cancelled(const struct dial *dial, struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_CANCELLED, phase_of(dial), "connect to %s: cancelled",
                     urlp_quote(dial->target->host.data, dial->target->host.len).text);
}

/* wait_round polls once for whatever comes first. Polling errors other than EINTR fail. */
static enum urlpool_code wait_round(struct dial *dial, struct poll_set *set,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    bool has_more = num_left(dial, URLP_FAMILY_V6) + num_left(dial, URLP_FAMILY_V4) > 0 &&
                    dial->failed.telling < TELLS_SHORTAGE;
    struct urlpool_deadline by = dial->call->by;
    int wait_ms;

    if (has_more) {
        by = urlpool_deadline_earliest(by, dial->next_at);
    }
    wait_ms = urlp_deadline_poll_ms(by);
    set->fds[0] = (struct pollfd){.fd = urlp_cancel_fd(dial->call->cancel), .events = POLLIN};
    set->num_before_seat = 1 + dial->num_attempts;
    for (size_t i = 0; i < dial->num_attempts; i++) {
        set->fds[1 + i] = (struct pollfd){.fd = dial->attempts[i].fd, .events = POLLOUT};
    }
    set->num_seat = urlp_lookup_seat_poll(&dial->seat, set->fds + set->num_before_seat, &wait_ms);
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
    return set->fds[0].revents != 0 ? fail_cancelled(dial, err) : URLPOOL_OK;
}

/* connect_result returns the errno with which a connect that poll calls over has ended. */
static int connect_result(int fd)
{
    int os_errno = 0;
    socklen_t len = sizeof(os_errno);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &os_errno, &len) != 0) {
        return errno;
    }
    return os_errno;
}

/* reap takes the attempts that are over out of the race and returns the first that connected, or
 * -1 as its fd. */
static struct attempt reap(struct dial *dial, const struct poll_set *set)
{
    struct attempt winner = {.fd = -1};
    size_t num_kept = 0;

    for (size_t i = 0; i < dial->num_attempts; i++) {
        struct attempt *attempt = &dial->attempts[i];
        int os_errno;

        if (winner.fd >= 0 || set->fds[1 + i].revents == 0) {
            dial->attempts[num_kept++] = *attempt;
            continue;
        }
        os_errno = connect_result(attempt->fd);
        if (os_errno == 0) {
            winner = *attempt;
            continue;
        }
        note_failure(dial, &attempt->peer, os_errno);
        (void)close(attempt->fd);
        dial->next_at = (struct urlpool_deadline){INT64_MIN}; /* no use in waiting */
    }
    dial->num_attempts = num_kept;
    return winner;
}

/* race runs the loop until a socket has connected. */
static enum urlpool_code race(struct dial *dial, struct attempt *out_winner,
                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct poll_set set;

    for (;;) {
        enum urlpool_code code;

        begin_due(dial);
        if (is_hopeless(dial)) {
            return fail_hopeless(dial, err);
        }
        code = wait_round(dial, &set, err);
        if (code != URLPOOL_OK) {
            return code;
        }
        *out_winner = reap(dial, &set);
        if (out_winner->fd >= 0) {
            return URLPOOL_OK;
        }
        urlp_lookup_seat_process(&dial->seat, set.fds + set.num_before_seat, set.num_seat,
                                 dial->answers);
    }
}

/* dial_names resolves and connects over TCP. */
static enum urlpool_code dial_names(struct urlp_resolver *resolver,
                                    const struct urlp_dial_target *target,
                                    const struct urlp_call *call, struct attempt *out_winner,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct dial dial = {
        .target = target, .network = target->network, .call = call, .next_at = URLP_NEVER};
    enum urlpool_code code =
        urlp_lookup_seat_take(&dial.seat, resolver, target, dial.answers, call, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    code = race(&dial, out_winner, err);
    urlp_lookup_seat_leave(&dial.seat);
    for (size_t i = 0; i < dial.num_attempts; i++) {
        (void)close(dial.attempts[i].fd);
    }
    return code;
}

struct urlp_stream *urlp_dial(struct urlp_resolver *resolver, const struct urlp_dial_target *target,
                              const struct urlp_call *call, struct urlpool_error *err)
{
    static const struct urlp_network plain = {.family = URLPOOL_FAMILY_ANY};
    struct urlp_dial_target way = *target;
    struct attempt winner = {.fd = -1};
    char text[URLP_PEER_TEXT_MAX];
    const char *peer = text;
    struct urlp_stream *stream = NULL;
    enum urlpool_code code;

    urlp_assert_no_lock(__func__);
    way.network = target->network != NULL ? target->network : &plain;
    urlp_network_detour(way.network, &way.host, &way.port);
    if (way.network->unix_socket != NULL) {
        peer = way.network->unix_socket;
        code = urlp_unix_connect(peer, &way.network->tcp, call, &winner.fd, err);
    } else {
        code = dial_names(resolver, &way, call, &winner, err);
        urlp_peer_format(&winner.peer, text);
    }
    if (code != URLPOOL_OK) {
        return NULL;
    }
    stream = urlp_tcp_wrap(winner.fd, err);
    if (stream == NULL) {
        (void)close(winner.fd);
        return NULL;
    }
    urlp_call_trace(call, URLPOOL_TRACE_CONNECTED, peer, strlen(peer), 0);
    return stream;
}
