/* One errand of upkeep, and a round of them at the caller's word.
 *
 * A connection that is looked at is taken out for that long, as by a lease, since a look happens
 * without the lock; then it goes back to the very place it had among the idle, and keeps its time.
 * One at a time: whoever wants a connection meanwhile finds all others. Dials go through the same
 * doors as any other: a place, a permit, a lease, and home. */

#include "base/clock.h"
#include "pool/upkeep.h"

/* How long an answer from DNS is waited for. */
#define ASK_MS 5000

/* give_back puts a connection that was looked at back, or ends it; says whether it was ended. */
static bool give_back(struct urlp_seat *seat, enum urlp_look look,
                      struct urlp_change *change) URLP_HOLDS_LOCK
{
    struct urlpool_pool *pool = seat->pool;
    bool is_kept = false;

    if (look != URLP_LOOK_GOOD) {
        seat->why = urlp_look_why(look, &seat->is_polite);
    } else {
        is_kept = urlp_may_be_idle(pool, seat);
    }
    if (is_kept) {
        urlp_idle_return(pool, seat);
    } else {
        urlp_seat_bury(pool, seat, URLP_PLACE_LEASED, seat->why, seat->is_polite, change);
    }
    if (!is_kept && seat->is_spare && seat->why != URLPOOL_CLOSED_NETWORK &&
        seat->why != URLPOOL_CLOSED_SURPLUS) {
        urlp_pool_note_in_vain(pool, change->now_ns); /* another would go the same way */
    }
    urlp_settle(pool, change);
    urlp_idle_trim(pool, change);
    urlp_pool_drop(pool, change);
    return !is_kept;
}

static void look(const struct urlp_errand *errand, struct urlp_round *round) URLP_MAY_BLOCK
{
    struct urlp_pool_core *core = errand->pool->core;
    const struct urlp_pool_set *set = errand->pool->set;
    enum urlp_look seen = urlp_seat_look(errand->pool, errand->seat);
    struct urlp_change change;

    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    round->num_ended += give_back(errand->seat, seen, &change) ? 1 : 0;
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, NULL);
}

/* suspect_all has every idle connection of `pool` be looked at. */
static void suspect_all(struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    for (struct urlp_list *link = pool->locked.idle.next; link != &pool->locked.idle;
         link = link->next) {
        URLP_CONTAINER(link, struct urlp_seat, in_pool)->is_suspect = true;
    }
}

static void ask(const struct urlp_errand *errand,
                const struct urlpool_cancel *cancel) URLP_MAY_BLOCK
{
    struct urlpool_pool *pool = errand->pool;
    const struct urlp_connector *connector = &pool->set->connector;
    const struct urlp_call call = {.by = urlp_deadline_in(ASK_MS),
                                   .total_by = URLP_NEVER,
                                   .cancel = cancel,
                                   .counters = &pool->counters};
    int64_t good_ms = connector->ask_names(connector->user, &pool->route, &call);
    int64_t good_ns = urlp_ns_after_ms(urlp_boot_ns(), good_ms);

    urlp_mutex_lock(&pool->core->mutex);
    if (good_ns > pool->locked.names_due_ns) {
        pool->locked.names_due_ns = good_ns;
    }
    suspect_all(pool);
    urlp_mutex_unlock(&pool->core->mutex);
    urlp_pool_unref(pool);
}

static void dial(struct urlp_errand *errand, const struct urlpool_cancel *cancel) URLP_MAY_BLOCK
{
    struct urlpool_pool *pool = errand->pool;
    const struct urlp_pool_settings *settings = &pool->set->settings;
    const struct urlp_call forever = {
        .by = URLP_NEVER, .total_by = URLP_NEVER, .cancel = cancel, .trace = settings->trace};
    const struct urlp_call call = urlp_call_until(&forever, settings->upkeep_ms);
    struct urlp_lease lease = {0};

    urlp_pool_ref(pool); /* the errand's goes with the lease */
    if (urlp_permit_dial(pool, &errand->permit, &call, &lease, NULL) == URLPOOL_OK) {
        lease.seat->is_spare = true;
        urlp_lease_release_unused(&lease, &call);
    } else {
        urlp_mutex_lock(&pool->core->mutex);
        urlp_pool_note_in_vain(pool, urlp_boot_ns());
        urlp_mutex_unlock(&pool->core->mutex);
    }
    urlp_pool_unref(pool);
}

void urlp_errand_run(struct urlp_errand *errand, struct urlp_round *round,
                     const struct urlpool_cancel *cancel)
{
    if (errand->kind == URLP_ERRAND_LOOK) {
        look(errand, round);
    } else if (errand->kind == URLP_ERRAND_ASK) {
        ask(errand, cancel);
    } else if (errand->kind == URLP_ERRAND_DIAL) {
        dial(errand, cancel);
    } else if (errand->kind == URLP_ERRAND_TELL) {
        urlp_pool_set_tell_leaks(errand->pool->set);
        urlp_pool_unref(errand->pool);
    }
}

size_t urlp_pool_set_maintain(struct urlp_pool_set *set)
{
    struct urlp_pool_core *core = urlp_core_of(set);
    struct urlp_round round = {0};
    struct urlp_errand errand;

    if (core == NULL) {
        return 0;
    }
    do {
        struct urlp_change change;

        urlp_change_begin(&change);
        urlp_mutex_lock(&core->mutex);
        round.number = round.number != 0 ? round.number : ++core->locked.round;
        (void)urlp_upkeep_next(core, &round, &errand, &change);
        urlp_mutex_unlock(&core->mutex);
        urlp_change_end(&change, set, NULL);
        urlp_errand_run(&errand, &round, NULL);
    } while (errand.kind != URLP_ERRAND_NONE);
    return round.num_ended;
}
