/* A dial that was broken off, between the one who began it and the one who goes on with it. The
 * sockets go on connecting by themselves, and answers to what was asked come to the sockets of the
 * lookup: only their time goes on, not their owner's. Nothing in it points to a call or a target.
 * Without its keeping the lookup, connections that come free quickly would make one query after the
 * other, and never get an answer. */

#include "base/alloc.h"
#include "base/fork.h"
#include "net/race.h"

struct urlp_half_dial {
    struct urlp_race race;
    struct urlp_resolver *resolver;
    struct urlp_lookup *lookup; /* parked; NULL: nothing is under way */
};

struct urlp_half_dial *urlp_half_dial_new(struct urlp_race *race, struct urlp_lookup_seat *seat)
{
    struct urlp_half_dial *half = urlp_alloc(sizeof(*half));

    if (half == NULL) {
        return NULL;
    }
    half->race = *race;
    half->resolver = seat->resolver;
    half->lookup = urlp_race_is_resolved(race) ? NULL : urlp_lookup_seat_park(seat);
    if (race->num_attempts == 0 && half->lookup == NULL) {
        urlp_free(half);
        return NULL;
    }
    race->num_attempts = 0;
    return half;
}

bool urlp_half_dial_resume(struct urlp_half_dial *half, struct urlp_race *race,
                           struct urlp_lookup **out_lookup)
{
    bool is_ours = half != NULL && !urlp_fork_has_happened(half->race.generation);

    *out_lookup = NULL;
    if (is_ours) {
        *race = half->race;
        for (size_t i = 0; i < race->num_attempts; i++) {
            race->attempts[i].was_parked = true;
        }
        *out_lookup = half->lookup;
        half->race.num_attempts = 0;
        half->lookup = NULL;
    }
    urlp_half_dial_free(half);
    return is_ours;
}

void urlp_half_dial_free(struct urlp_half_dial *half)
{
    if (half == NULL) {
        return;
    }
    urlp_race_close(&half->race);
    if (!urlp_fork_has_happened(half->race.generation)) {
        urlp_lookup_unpark(half->resolver, half->lookup);
    }
    urlp_free(half);
}
