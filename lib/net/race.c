/* The addresses of one dial against each other, RFC 8305 sections 3 to 5: who is next, and when;
 * who has won; what is said when nobody does. Connecting begins as soon as IPv6 addresses are
 * known, or 50 ms after IPv4 ones while IPv6 is still asked for. The next address follows 250 ms
 * after the last, or at once when one has failed; families take turns.
 *
 * It never waits: net/dial.c does. Its sockets are noted as this process's own from their first
 * moment, so that no forked child keeps one, not even of a race that is parked. */

#include "net/race.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/fork.h"
#include "base/own_fd.h"

/* RFC 8305 section 8: Resolution Delay, Connection Attempt Delay. */
#define RESOLUTION_DELAY_MS 50
#define ATTEMPT_DELAY_MS    250

static const struct urlpool_deadline at_once = {INT64_MIN};

void urlp_race_init(struct urlp_race *race)
{
    memset(race, 0, sizeof(*race));
    race->generation = urlp_fork_generation();
    race->next_at = URLP_NEVER;
}

/* end_attempt closes a socket, unless it is a parent process's: the number may be another's. */
static void end_attempt(const struct urlp_race *race, const struct urlp_attempt *attempt)
{
    if (!urlp_fork_has_happened(race->generation)) {
        urlp_own_fd_close(attempt->fd);
    }
}

void urlp_race_close(struct urlp_race *race)
{
    for (size_t i = 0; i < race->num_attempts; i++) {
        end_attempt(race, &race->attempts[i]);
    }
    race->num_attempts = 0;
}

/* --- addresses --- */

static size_t num_left(const struct urlp_race *race, enum urlp_family family)
{
    return race->answers[family].num_ips - race->num_tried[family];
}

bool urlp_race_is_resolved(const struct urlp_race *race)
{
    return race->answers[URLP_FAMILY_V6].is_done && race->answers[URLP_FAMILY_V4].is_done;
}

size_t urlp_race_num_addresses(const struct urlp_race *race)
{
    return race->answers[URLP_FAMILY_V6].num_ips + race->answers[URLP_FAMILY_V4].num_ips;
}

static bool is_wanted(enum urlp_family family, enum urlpool_family only)
{
    return only == URLPOOL_FAMILY_ANY || (only == URLPOOL_FAMILY_V4) == (family == URLP_FAMILY_V4);
}

/* RFC 8305 section 3: "If a positive AAAA response is received first, the first IPv6 connection
 * attempt is immediately started. If a positive A response is received first due to reordering, the
 * client SHOULD wait a short time for the AAAA response". */
static void set_begin(struct urlp_race *race)
{
    if (race->has_begun || urlp_race_num_addresses(race) == 0) {
        return;
    }
    if (race->answers[URLP_FAMILY_V6].is_done) {
        race->next_at = at_once;
    } else if (race->next_at.at_ns == INT64_MAX) {
        race->next_at = urlp_deadline_in(RESOLUTION_DELAY_MS);
    }
}

void urlp_race_learn(struct urlp_race *race, const struct urlp_addresses answers[],
                     enum urlpool_family only)
{
    for (int family = 0; family < URLP_NUM_FAMILIES; family++) {
        if (!is_wanted((enum urlp_family)family, only)) {
            race->answers[family].is_done = true;
        } else if (race->answers[family].num_ips == 0) {
            race->answers[family] = answers[family];
        }
    }
    set_begin(race);
}

/* --- attempts --- */

static enum urlp_telling telling_of(int os_errno)
{
    return os_errno == ENETUNREACH || os_errno == EADDRNOTAVAIL || os_errno == EAFNOSUPPORT
               ? URLP_TELLS_NO_WAY
               : URLP_TELLS_ANSWER;
}

static void note_failure(struct urlp_race *race, const struct urlp_peer *peer, int os_errno)
{
    enum urlp_telling telling = telling_of(os_errno);

    race->failed.num_addresses++;
    if (telling >= race->failed.telling) {
        race->failed.telling = telling;
        race->failed.peer = *peer;
        race->failed.os_errno = os_errno;
    }
}

bool urlp_race_has_more(const struct urlp_race *race)
{
    return race->waiting.os_errno != 0 ||
           num_left(race, URLP_FAMILY_V6) + num_left(race, URLP_FAMILY_V4) > 0;
}

bool urlp_race_is_due(const struct urlp_race *race)
{
    return urlp_race_has_more(race) && urlp_deadline_has_passed(race->next_at);
}

/* begin starts to connect to `peer`, behind the others. When there is no descriptor for it, its
 * time comes again: those who are connecting may give one back. */
static void begin(struct urlp_race *race, const struct urlp_peer *peer,
                  const struct urlp_tcp_options *options)
{
    int fd = -1;
    int os_errno = urlp_tcp_start(peer, options, &fd);

    if (urlp_is_shortage(os_errno) && race->waiting.os_errno == 0) {
        race->waiting.peer = *peer;
        race->waiting.os_errno = os_errno;
    } else if (os_errno != 0) {
        note_failure(race, peer, os_errno);
        return;
    } else {
        urlp_own_fd_note(fd);
        race->attempts[race->num_attempts++] = (struct urlp_attempt){.peer = *peer, .fd = fd};
    }
    race->next_at = urlp_deadline_in(ATTEMPT_DELAY_MS);
}

/* take_next takes the next address that is known. */
static struct urlp_peer take_next(struct urlp_race *race, uint16_t port)
{
    enum urlp_family family = race->turn;

    if (num_left(race, family) == 0) {
        family = family == URLP_FAMILY_V6 ? URLP_FAMILY_V4 : URLP_FAMILY_V6;
    }
    race->turn = family == URLP_FAMILY_V6 ? URLP_FAMILY_V4 : URLP_FAMILY_V6;
    return (struct urlp_peer){.ip = race->answers[family].ips[race->num_tried[family]++],
                              .port = port};
}

void urlp_race_begin_next(struct urlp_race *race, const struct urlp_dial_target *target)
{
    struct urlp_peer peer = race->waiting.peer;

    race->has_begun = true;
    if (race->waiting.os_errno == 0) {
        peer = take_next(race, target->port);
        if (!urlp_network_allows(target->network, target->host, &peer)) {
            race->num_refused++;
            race->refused = peer;
            return;
        }
    }
    race->waiting.os_errno = 0;
    begin(race, &peer, &target->network->tcp);
}

bool urlp_race_is_lost(const struct urlp_race *race)
{
    if (race->num_attempts > 0) {
        return false;
    }
    return race->waiting.os_errno != 0 ||
           (urlp_race_is_resolved(race) && !urlp_race_has_more(race));
}

size_t urlp_race_poll(const struct urlp_race *race, struct pollfd fds[])
{
    for (size_t i = 0; i < race->num_attempts; i++) {
        fds[i] = (struct pollfd){.fd = race->attempts[i].fd, .events = POLLOUT};
    }
    return race->num_attempts;
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

/* has_ended says whether a socket that was parked has connected and is of no use any more, as the
 * look at an idle connection does: any byte, too, is one that nobody has asked for. */
static bool has_ended(const struct urlp_attempt *attempt, int os_errno)
{
    char byte;

    if (!attempt->was_parked) {
        return false;
    }
    if (os_errno != 0) {
        return os_errno == ECONNRESET || os_errno == EPIPE;
    }
    return recv(attempt->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
           (errno != EAGAIN && errno != EINTR);
}

bool urlp_race_reap(struct urlp_race *race, const struct pollfd fds[],
                    const struct urlp_tcp_options *options, struct urlp_attempt *out_winner)
{
    const size_t num_polled = race->num_attempts;
    struct urlp_peer again[URLP_RACE_ATTEMPTS_MAX];
    size_t num_again = 0;
    bool is_won = false;

    race->num_attempts = 0;
    for (size_t i = 0; i < num_polled; i++) {
        const struct urlp_attempt attempt = race->attempts[i];
        int os_errno;

        if (is_won || fds[i].revents == 0) {
            race->attempts[race->num_attempts++] = attempt;
            continue;
        }
        os_errno = connect_result(attempt.fd);
        if (has_ended(&attempt, os_errno)) {
            again[num_again++] = attempt.peer;
        } else if (os_errno == 0) {
            *out_winner = attempt;
            is_won = true;
            continue;
        } else {
            note_failure(race, &attempt.peer, os_errno);
            race->next_at = at_once; /* no use in waiting */
        }
        end_attempt(race, &attempt);
    }
    for (size_t i = 0; i < num_again && !is_won; i++) {
        begin(race, &again[i], options);
    }
    return is_won;
}

void urlp_race_put_back(struct urlp_race *race, const struct urlp_attempt *winner)
{
    race->attempts[race->num_attempts++] = *winner;
}
