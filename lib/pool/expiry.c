/* When a connection must die of itself: idle too long, too old, used up.
 *
 * Instants are urlp_boot_ns, which runs on while the machine is suspended, as the server's clock
 * does. The server's word (Keep-Alive: timeout, max) only ever shortens. Everything is decided at
 * the moment a connection comes home: from then on it has one instant, `expires_ns`, and a reason.
 * Knows no lock and reads no clock. */

#include "base/clock.h"
#include "pool/core.h"
#include "pool/jitter.h"

/* A request sent in the last second of a server's timeout may cross its closing. */
#define HINT_MARGIN_S 1

static int64_t lifetime_end(int64_t lifetime_ms, int64_t now_ns, uint64_t spread)
{
    int64_t end_ns = urlp_ns_after_ms(now_ns, lifetime_ms);

    if (end_ns == INT64_MAX ||
        __builtin_add_overflow(now_ns, urlp_jitter_ns(end_ns - now_ns, spread), &end_ns)) {
        return INT64_MAX;
    }
    return end_ns;
}

void urlp_seat_begin(struct urlp_seat *seat, const struct urlp_pool_settings *settings,
                     int64_t now_ns, uint64_t spread)
{
    seat->capacity = 1;
    seat->users = 1;
    seat->ends_ns = lifetime_end(settings->lifetime_ms, now_ns, spread);
    seat->requests_left = settings->requests_max < 0 ? INT64_MAX : settings->requests_max;
    seat->server_idle_ms = -1;
}

/* note_use counts the requests of a lease and takes the server's hints. */
static void note_use(struct urlp_seat *seat, const struct urlp_lease_end *end)
{
    int64_t used = end->num_requests > 0 ? end->num_requests : 1;

    if (seat->requests_left != INT64_MAX) {
        seat->requests_left -= urlp_less(used, seat->requests_left);
    }
    if (end->keep_alive_max >= 0) {
        seat->requests_left = urlp_less(seat->requests_left, end->keep_alive_max);
    }
    if (end->keep_alive_timeout_s >= 0) {
        int64_t timeout_s = urlp_less(end->keep_alive_timeout_s, INT64_MAX / 1000);

        seat->server_idle_ms = timeout_s > HINT_MARGIN_S ? (timeout_s - HINT_MARGIN_S) * 1000 : 0;
    }
}

void urlp_seat_begin_idle(struct urlp_seat *seat, const struct urlp_pool_settings *settings,
                          int64_t now_ns)
{
    if (seat->requests_left == 0) {
        seat->expires_ns = now_ns;
        seat->why = URLPOOL_CLOSED_REQUESTS;
        return;
    }
    seat->expires_ns = urlp_less(urlp_ns_after_ms(now_ns, settings->idle_ms),
                                 urlp_ns_after_ms(now_ns, seat->server_idle_ms));
    seat->why = URLPOOL_CLOSED_IDLE;
    if (seat->ends_ns <= seat->expires_ns) {
        seat->expires_ns = seat->ends_ns;
        seat->why = URLPOOL_CLOSED_LIFETIME;
    }
}

void urlp_seat_end_use(struct urlp_seat *seat, const struct urlp_pool_settings *settings,
                       const struct urlp_lease_end *end, int64_t now_ns)
{
    note_use(seat, end);
    urlp_seat_begin_idle(seat, settings, now_ns);
}
