/* What upkeep has to do, and when: connections that expire, are suspect, or are missing; names that
 * DNS is to be asked for anew; pools that nobody uses any more; connections held for too long.
 *
 * All of it is decided here, under the lock, from the time of the visit; what takes time or may
 * call others is handed out as an errand, one at a time (errand.c). When there is none the answer
 * is the instant of the next thing that is known to come, and whoever brings about something
 * earlier says so (urlp_upkeep_expect). So a thread can sleep exactly as long as there is nothing
 * to do, and the same can be done in one round at the caller's word. */

#include "pool/upkeep.h"

#include "base/clock.h"

/* A pool is in use until so long after somebody last wanted a connection of it: then nothing is
 * dialled for it any more, and once it has no connection it goes. */
#define IN_USE_NS (600 * URLP_NS_PER_S)
/* DNS is asked for a name at most so often, however short its TTL. */
#define ASK_NS (60 * URLP_NS_PER_S)
/* The pause after a dial in vain: first and longest. */
#define PAUSE_FIRST_NS (1 * URLP_NS_PER_S)
#define PAUSE_MAX_NS   (60 * URLP_NS_PER_S)
/* How many pools a visit of somebody else's lets go. */
#define DROPS_A_VISIT 2

static bool is_in_use(const struct urlpool_pool *pool, int64_t now_ns) URLP_HOLDS_LOCK
{
    return now_ns - pool->locked.used_ns < IN_USE_NS;
}

void urlp_pool_note_use(struct urlpool_pool *pool, int64_t now_ns)
{
    pool->locked.used_ns = now_ns;
    urlp_upkeep_expect(pool->core, now_ns + IN_USE_NS);
}

void urlp_pool_note_in_vain(struct urlpool_pool *pool, int64_t now_ns)
{
    int64_t pause_ns = pool->locked.warm_pause_ns;

    pause_ns = pause_ns == 0 ? PAUSE_FIRST_NS : urlp_less(2 * pause_ns, PAUSE_MAX_NS);
    pool->locked.warm_pause_ns = pause_ns;
    pool->locked.warm_due_ns = now_ns + pause_ns;
}

/* --- when each thing is due ------------------------------------------------------------------- */

/* dial_due_ns is when `pool` should get one more connection, INT64_MAX: not as things stand. */
static int64_t dial_due_ns(const struct urlpool_pool *pool, int64_t now_ns) URLP_HOLDS_LOCK
{
    int64_t due_ns = pool->locked.warm_due_ns;

    if (pool->locked.state != URLP_POOL_LIVE || !is_in_use(pool, now_ns) ||
        urlp_num_warm(pool) >= (uint64_t)pool->set->settings.min_idle || !urlp_may_warm(pool)) {
        return INT64_MAX;
    }
    if (!urlp_may_dial(pool)) { /* for a while after failures of others, too */
        int64_t pause_ns = pool->locked.backoff.next_ns - urlp_now_ns();

        if (pause_ns <= 0) {
            return INT64_MAX; /* somebody dials, and settles when he is done */
        }
        return due_ns > now_ns + pause_ns ? due_ns : now_ns + pause_ns;
    }
    return due_ns;
}

/* ask_due_ns is when DNS should be asked for the name of `pool`, INT64_MAX: nobody needs to know.
 */
static int64_t ask_due_ns(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    const struct urlp_pool_set *set = pool->set;

    return set->settings.ignore_dns_change || set->connector.ask_names == NULL ||
                   pool->locked.stats.open == 0
               ? INT64_MAX
               : pool->locked.names_due_ns;
}

/* drop_due_ns is when `pool`, which is live, should leave the set. */
static int64_t drop_due_ns(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    return pool->locked.stats.open == 0 && pool->locked.num_refs == 0
               ? pool->locked.used_ns + IN_USE_NS
               : INT64_MAX;
}

/* --- errands ---------------------------------------------------------------------------------- */

static void take_look(struct urlp_seat *seat, struct urlp_errand *out) URLP_HOLDS_LOCK
{
    struct urlpool_pool *pool = seat->pool;

    seat->users++;
    pool->locked.num_refs++;
    pool->locked.beside = seat->in_pool.prev;
    pool->core->locked.beside = seat->in_core.prev;
    urlp_seat_unlink(seat);
    urlp_place_move(pool, URLP_PLACE_IDLE, URLP_PLACE_LEASED);
    *out = (struct urlp_errand){URLP_ERRAND_LOOK, .pool = pool, .seat = seat};
}

static void take_ask(struct urlpool_pool *pool, int64_t now_ns,
                     struct urlp_errand *out) URLP_HOLDS_LOCK
{
    pool->locked.num_refs++;
    pool->locked.names_due_ns = now_ns + ASK_NS;
    *out = (struct urlp_errand){URLP_ERRAND_ASK, .pool = pool};
}

/* needs_look says whether an idle connection is to be looked at in `round`. */
static bool needs_look(const struct urlp_seat *seat, const struct urlp_round *round)
{
    return seat->is_suspect || seat->is_ended || seat->round < round->number;
}

/* find_suspect ends what has expired, from `link` on to the newest, until it finds a connection to
 * be looked at; NULL: there is none. `*due_ns` is shortened to when the next one expires. */
static struct urlp_seat *find_suspect(struct urlp_pool_core *core, struct urlp_list *link,
                                      struct urlp_round *round, struct urlp_change *change,
                                      int64_t *due_ns) URLP_HOLDS_LOCK
{
    struct urlp_list *next;

    for (; link != &core->locked.idle; link = next) {
        struct urlp_seat *seat = URLP_CONTAINER(link, struct urlp_seat, in_core);

        next = link->prev;
        if (seat->expires_ns <= change->now_ns) {
            urlp_seat_bury(seat->pool, seat, URLP_PLACE_IDLE, seat->why, true, change);
            round->num_ended++;
        } else if (needs_look(seat, round)) {
            return seat;
        } else {
            *due_ns = urlp_less(*due_ns, seat->expires_ns);
        }
    }
    return NULL;
}

/* go_over_idle goes on where the round's last look was, so that a round costs as much as there are
 * connections; once nothing is found there it goes over all, for what has come up meanwhile, and
 * `*due_ns` is shortened to when the first one expires. */
static void go_over_idle(struct urlp_pool_core *core, struct urlp_round *round,
                         struct urlp_errand *out, struct urlp_change *change,
                         int64_t *due_ns) URLP_HOLDS_LOCK
{
    struct urlp_seat *to_look_at = NULL;
    int64_t unused_ns = INT64_MAX;

    if (round->walk == core->locked.num_walks && core->locked.beside != NULL) {
        to_look_at = find_suspect(core, core->locked.beside, round, change, &unused_ns);
    }
    if (to_look_at == NULL) {
        round->walk = ++core->locked.num_walks;
        to_look_at = find_suspect(core, core->locked.idle.prev, round, change, due_ns);
    }
    if (to_look_at != NULL) {
        to_look_at->round = round->number > to_look_at->round ? round->number : to_look_at->round;
        to_look_at->is_suspect = false;
        take_look(to_look_at, out);
    }
}

/* go_over_pools lets those go that are not used, and finds one to ask or dial for. */
static void go_over_pools(struct urlp_pool_core *core, struct urlp_errand *out,
                          struct urlp_change *change, int64_t *due_ns) URLP_HOLDS_LOCK
{
    const int64_t now_ns = change->now_ns;
    struct urlp_list *link;
    struct urlp_list *next;

    for (link = core->locked.live.next; link != &core->locked.live; link = next) {
        struct urlpool_pool *pool = URLP_CONTAINER(link, struct urlpool_pool, locked.in_live);
        const int64_t drop_ns = drop_due_ns(pool);
        const int64_t ask_ns = ask_due_ns(pool);
        const int64_t dial_ns = dial_due_ns(pool, now_ns);

        next = link->next;
        if (drop_ns <= now_ns) {
            urlp_pool_leave(pool, URLP_POOL_RETIRED, URLPOOL_CLOSED_RETIRED, change);
            continue;
        }
        if (ask_ns <= now_ns) {
            take_ask(pool, now_ns, out);
            return;
        }
        if (dial_ns <= now_ns) {
            *out = (struct urlp_errand){.kind = URLP_ERRAND_DIAL, .pool = pool};
            urlp_warm_take(pool, &out->permit, change);
            return;
        }
        *due_ns = urlp_less(*due_ns, urlp_less(drop_ns, urlp_less(ask_ns, dial_ns)));
    }
}

/* look_for_leaks finds out whether somebody holds a connection for too long. */
static void look_for_leaks(struct urlp_pool_core *core, struct urlp_errand *out,
                           const struct urlp_change *change, int64_t *due_ns) URLP_HOLDS_LOCK
{
    struct urlpool_pool *pool = NULL;
    const int64_t leak_ns = urlp_leak_due_ns(core, &pool);

    if (pool != NULL && leak_ns <= change->now_ns) {
        pool->locked.num_refs++;
        *out = (struct urlp_errand){.kind = URLP_ERRAND_TELL, .pool = pool};
    }
    *due_ns = urlp_less(*due_ns, leak_ns);
}

int64_t urlp_upkeep_next(struct urlp_pool_core *core, struct urlp_round *round,
                         struct urlp_errand *out, struct urlp_change *change)
{
    int64_t due_ns = INT64_MAX;

    *out = (struct urlp_errand){.kind = URLP_ERRAND_NONE};
    if (core->locked.is_closed) {
        return due_ns;
    }
    urlp_half_sweep(core, change);
    due_ns = urlp_half_expires_ns(core);
    go_over_idle(core, round, out, change, &due_ns);
    if (out->kind == URLP_ERRAND_NONE) {
        go_over_pools(core, out, change, &due_ns);
    }
    if (out->kind == URLP_ERRAND_NONE) {
        look_for_leaks(core, out, change, &due_ns);
    }
    return due_ns;
}

void urlp_drop_empty(struct urlp_pool_core *core, struct urlp_change *change)
{
    for (int i = 0; i < DROPS_A_VISIT && !urlp_list_is_empty(&core->locked.live); i++) {
        struct urlpool_pool *pool =
            URLP_CONTAINER(core->locked.live.prev, struct urlpool_pool, locked.in_live);

        if (is_in_use(pool, change->now_ns)) {
            return;
        }
        if (drop_due_ns(pool) <= change->now_ns) {
            urlp_pool_leave(pool, URLP_POOL_RETIRED, URLPOOL_CLOSED_RETIRED, change);
        } else {
            urlp_pool_touch(pool); /* somebody has it, so others may be behind it */
        }
    }
}

/* --- waking ----------------------------------------------------------------------------------- */

void urlp_upkeep_expect_dial(struct urlpool_pool *pool, int64_t now_ns)
{
    if (pool->core->locked.wakes_ns != INT64_MIN && pool->set->settings.min_idle > 0) {
        urlp_upkeep_expect(pool->core, dial_due_ns(pool, now_ns));
    }
}

void urlp_pool_note_opened(struct urlpool_pool *pool, int64_t now_ns)
{
    pool->locked.names_due_ns = now_ns + ASK_NS;
    urlp_upkeep_expect(pool->core, ask_due_ns(pool));
}
