/* Where pool and conn meet: the pool asks for connections through a table of functions, and these
 * are the real ones. */

#include "client/connector.h"

#include "client/manager.h"

static struct urlpool_connection *open_connection(void *user, const struct urlp_route *route,
                                                  const struct urlp_call *call,
                                                  struct urlpool_error *err)
    URLP_TSA(no_thread_safety_analysis) /* called through a pointer, where clang cannot follow */
{
    const struct urlpool_manager *manager = user;

    return urlp_opener_open(manager->opener, route, call, err);
}

static enum urlp_look look_at_connection(void *user, struct urlpool_connection *connection)
{
    bool is_closed = false;

    (void)user;
    if (urlp_connection_look(connection, &is_closed)) {
        return URLP_LOOK_GOOD;
    }
    return is_closed ? URLP_LOOK_CLOSED : URLP_LOOK_UNEXPECTED;
}

static void rest_connection(void *user, struct urlpool_connection *connection)
{
    (void)user;
    urlp_connection_rest(connection);
}

static void end_connection(void *user, struct urlpool_connection *connection,
                           bool is_polite) URLP_MAY_BLOCK
{
    (void)user;
    urlp_connection_end(connection, is_polite);
}

static int descriptor_of(void *user, const struct urlpool_connection *connection)
{
    (void)user;
    return urlp_connection_fd(connection);
}

static bool hold_manager(void *user)
{
    struct urlpool_manager *manager = user;

    return urlp_ref_take_if_held(&manager->refs);
}

static bool let_go_of_manager(void *user) URLP_TSA(no_thread_safety_analysis)
{
    return urlp_manager_drop(user);
}

static bool is_gone(void *user, const struct urlp_route *route,
                    const struct urlpool_connection *connection, uint64_t *seen)
    URLP_TSA(no_thread_safety_analysis)
{
    const struct urlpool_manager *manager = user;

    return urlp_opener_is_gone(manager->opener, route, connection, seen);
}

static int64_t ask_names(void *user, const struct urlp_route *route, const struct urlp_call *call)
    URLP_TSA(no_thread_safety_analysis)
{
    const struct urlpool_manager *manager = user;

    return urlp_opener_ask_anew(manager->opener, route, call);
}

static void drop_half(void *user, struct urlp_half_dial *half) URLP_MAY_BLOCK
{
    (void)user;
    urlp_opener_drop_half(half);
}

static void hold_tls(void *user, struct urlpool_tls *tls)
{
    (void)user;
    (void)urlpool_tls_ref(tls);
}

static void let_go_of_tls(void *user, struct urlpool_tls *tls)
{
    (void)user;
    urlpool_tls_unref(tls);
}

struct urlp_connector urlp_connector_for(struct urlpool_manager *manager)
{
    return (struct urlp_connector){
        .open = open_connection,
        .look = look_at_connection,
        .rest = rest_connection,
        .end = end_connection,
        .descriptor = descriptor_of,
        .hold = hold_manager,
        .let_go = let_go_of_manager,
        .is_gone = is_gone,
        .ask_names = ask_names,
        .drop_half = drop_half,
        .tls_ref = hold_tls,
        .tls_unref = let_go_of_tls,
        .user = manager,
    };
}

struct urlp_lease_end urlp_lease_end_of(const struct urlp_connection_verdict *verdict)
{
    return (struct urlp_lease_end){
        .is_reusable = verdict->is_reusable,
        .why = verdict->why,
        .is_polite = verdict->is_polite,
        .keep_alive_timeout_s = verdict->keep_alive_timeout_s,
        .keep_alive_max = verdict->keep_alive_max,
    };
}
