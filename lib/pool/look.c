/* What a look at a connection means: of what it dies, if anything speaks against using it.
 *
 * Looks are made without the lock, at connections that are in no shared structure: before one is
 * used, when one comes home, and by upkeep. */

#include "pool/core.h"

bool urlp_seat_is_gone(const struct urlpool_pool *pool, struct urlp_seat *seat)
{
    const struct urlp_connector *connector = &pool->set->connector;

    return !pool->set->settings.ignore_dns_change && connector->is_gone != NULL &&
           connector->is_gone(connector->user, &pool->route, seat->connection, &seat->names_seen);
}

enum urlp_look urlp_seat_look(const struct urlpool_pool *pool, struct urlp_seat *seat)
{
    const struct urlp_connector *connector = &pool->set->connector;
    enum urlp_look look = connector->look(connector->user, seat->connection);

    return look == URLP_LOOK_GOOD && urlp_seat_is_gone(pool, seat) ? URLP_LOOK_GONE : look;
}

enum urlpool_closed urlp_look_why(enum urlp_look look, bool *out_is_polite)
{
    static const enum urlpool_closed why[] = {
        [URLP_LOOK_GOOD] = URLPOOL_CLOSED_IDLE, /* nobody asks */
        [URLP_LOOK_CLOSED] = URLPOOL_CLOSED_BY_PEER,
        [URLP_LOOK_UNEXPECTED] = URLPOOL_CLOSED_UNEXPECTED,
        [URLP_LOOK_GONE] = URLPOOL_CLOSED_ADDRESS,
    };

    *out_is_polite = look == URLP_LOOK_GONE;
    return why[look];
}
