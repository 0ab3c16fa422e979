#ifndef URLP_NET_RACE_H
#define URLP_NET_RACE_H

#include <poll.h>

#include "base/clock.h"
#include "net/dial.h"
#include "net/network.h"
#include "net/resolver.h"

/* What a dial has come to behind its names: the addresses that are known, how far they were tried,
 * the sockets that are connecting, and what failed. It says nothing of whoever dials, so that
 * another may go on with it (struct urlp_half_dial). */

#define URLP_RACE_ATTEMPTS_MAX ((size_t)URLP_NUM_FAMILIES * URLP_ADDRESSES_MAX)

struct urlp_attempt {
    struct urlp_peer peer;
    int fd;
    bool was_parked; /* may have connected, and ended again, while nobody looked */
};

/* What a failed address tells its caller, least first: that this machine has no way there says
 * little when another address was refused. */
enum urlp_telling {
    URLP_TELLS_NOTHING,
    URLP_TELLS_NO_WAY,
    URLP_TELLS_ANSWER
};

struct urlp_race {
    uint64_t generation; /* of the process whose sockets these are */
    struct urlp_addresses answers[URLP_NUM_FAMILIES];
    size_t num_tried[URLP_NUM_FAMILIES];
    enum urlp_family turn;
    bool is_literal; /* the host was an address */
    bool has_begun;
    struct urlpool_deadline next_at; /* when the next address may be tried */
    struct urlp_attempt attempts[URLP_RACE_ATTEMPTS_MAX];
    size_t num_attempts;
    struct {
        struct urlp_peer peer; /* the most telling, and the last of those */
        enum urlp_telling telling;
        int os_errno;
        unsigned num_addresses;
    } failed;
    struct {
        struct urlp_peer peer; /* judged, and there was no descriptor for it: it is next */
        int os_errno;          /* 0: none */
    } waiting;
    unsigned num_refused; /* by the caller: never dialled */
    struct urlp_peer refused;
};

/* urlp_race_init makes a race without addresses.
 *
 * Owns:    it is to be ended with urlp_race_close. */
void urlp_race_init(struct urlp_race *race);

/* urlp_race_close closes the sockets that are still connecting. */
void urlp_race_close(struct urlp_race *race);

/* urlp_race_is_resolved says whether no more addresses will come. */
bool urlp_race_is_resolved(const struct urlp_race *race);

/* urlp_race_num_addresses is how many are known. */
size_t urlp_race_num_addresses(const struct urlp_race *race);

/* urlp_race_learn notes what the resolver knows now. A family that is not to be dialled is
 * forgotten; one whose addresses are known already stays as it is, as some of them were tried. */
void urlp_race_learn(struct urlp_race *race, const struct urlp_addresses answers[],
                     enum urlpool_family only);

/* urlp_race_has_more says whether an address is left that may be tried. */
bool urlp_race_has_more(const struct urlp_race *race);

/* urlp_race_is_due says whether the next address is to be tried now. */
bool urlp_race_is_due(const struct urlp_race *race);

/* urlp_race_begin_next takes the next address, which there has to be, and begins to connect to it
 * if it may be dialled. */
void urlp_race_begin_next(struct urlp_race *race,
                          const struct urlp_dial_target *target) URLP_MAY_BLOCK;

/* urlp_race_is_lost says whether nothing is connecting, and nothing is left to try or there is no
 * descriptor to try it with. */
bool urlp_race_is_lost(const struct urlp_race *race);

/* urlp_race_poll puts the sockets into `fds`, which has room for URLP_RACE_ATTEMPTS_MAX, and
 * returns how many. */
size_t urlp_race_poll(const struct urlp_race *race, struct pollfd fds[]);

/* urlp_race_reap takes the attempts that poll calls over out of the race and gives out the first
 * that connected. One that was parked and has ended since is begun again with `options`: its
 * address answers.
 *
 * Owns:    the socket of `*out_winner` is the caller's, to be closed with urlp_own_fd_close. */
bool urlp_race_reap(struct urlp_race *race, const struct pollfd fds[],
                    const struct urlp_tcp_options *options, struct urlp_attempt *out_winner);

/* urlp_race_put_back makes `winner`, which was reaped last, one of the race again.
 *
 * Owns:    takes its socket. */
void urlp_race_put_back(struct urlp_race *race, const struct urlp_attempt *winner);

/* urlp_half_dial_new parks `race` and leaves `seat`; the lookup it sits at stays under way.
 *
 * Owns:    takes the sockets, and leaves `race` with none. The resolver has to outlive the half.
 * Errors:  NULL when there is nothing worth keeping, nor anything connecting; or out of memory,
 *          with `race` and `seat` as before. */
URLPOOL_MUST_USE struct urlp_half_dial *urlp_half_dial_new(
    struct urlp_race *race, struct urlp_lookup_seat *seat) URLP_MAY_BLOCK;

/* urlp_half_dial_resume goes on with `half` in `race`, which is initialised and has no sockets;
 * false when there is nothing to go on with.
 *
 * Owns:    frees `half`; accepts NULL. `*out_lookup` is for urlp_lookup_unpark, once a seat at it
 *          is taken or none is wanted. */
bool urlp_half_dial_resume(struct urlp_half_dial *half, struct urlp_race *race,
                           struct urlp_lookup **out_lookup) URLP_MAY_BLOCK;

#endif /* URLP_NET_RACE_H */
