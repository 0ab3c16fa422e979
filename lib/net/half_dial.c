/* A dial that was broken off, between the one who began it and the one who goes on with it. The
 * sockets go on connecting by themselves; only their time goes on with them, not their owner's:
 * nothing in it points to a call, a target or a lookup. */

#include <string.h>

#include "base/alloc.h"
#include "base/fork.h"
#include "net/race.h"

struct urlp_half_dial {
    struct urlp_race race;
};

/* forget_shortage lets addresses be tried again that this machine had no descriptors for: it may
 * have some by now. */
static void forget_shortage(struct urlp_race *race)
{
    if (race->failed.telling == URLP_TELLS_SHORTAGE) {
        memset(&race->failed, 0, sizeof(race->failed));
    }
}

struct urlp_half_dial *urlp_half_dial_new(struct urlp_race *race)
{
    struct urlp_half_dial *half;

    if (race->num_attempts == 0) {
        return NULL;
    }
    half = urlp_alloc(sizeof(*half));
    if (half == NULL) {
        return NULL;
    }
    half->race = *race;
    race->num_attempts = 0;
    return half;
}

bool urlp_half_dial_resume(struct urlp_half_dial *half, struct urlp_race *race)
{
    bool is_ours = half != NULL && !urlp_fork_has_happened(half->race.generation);

    if (is_ours) {
        *race = half->race;
        forget_shortage(race);
        half->race.num_attempts = 0;
        for (size_t i = 0; i < race->num_attempts; i++) {
            race->attempts[i].was_parked = true;
        }
    }
    urlp_half_dial_free(half);
    return is_ours;
}

void urlp_half_dial_free(struct urlp_half_dial *half)
{
    if (half != NULL) {
        urlp_race_close(&half->race);
        urlp_free(half);
    }
}
