/* The resolver: who looks a name up, and how long an answer is kept. */

#include "net/resolver.h"

#include "base/alloc.h"
#include "base/error.h"

struct urlp_resolver {
    char *hosts_file;
};

struct urlp_resolver *urlp_resolver_new(const struct urlp_resolver_options *options,
                                        struct urlpool_error *err)
{
    struct urlp_resolver *resolver = urlp_zalloc(sizeof(*resolver));

    (void)options;
    if (resolver == NULL) {
        (void)urlp_fail_nomem(err);
    }
    return resolver;
}

void urlp_resolver_free(struct urlp_resolver *resolver)
{
    urlp_free(resolver);
}

enum urlpool_code urlp_seat_take(struct urlp_seat *seat, struct urlp_resolver *resolver,
                                 const struct urlp_dial_target *target,
                                 struct urlp_answer out_answers[], const struct urlp_call *call,
                                 struct urlpool_error *err)
{
    bool is_found = false;
    enum urlpool_code code = urlp_local_answer(target, resolver->hosts_file, out_answers, &is_found,
                                               &seat->is_literal, err);

    (void)call;
    seat->resolver = resolver;
    seat->lookup = NULL;
    seat->wake_fd = -1;
    out_answers[URLP_FAMILY_V6].is_done = out_answers[URLP_FAMILY_V4].is_done = true;
    return code;
}

size_t urlp_seat_poll(struct urlp_seat *seat, struct pollfd fds[], int *wait_ms)
{
    (void)seat;
    (void)fds;
    (void)wait_ms;
    return 0;
}

void urlp_seat_process(struct urlp_seat *seat, const struct pollfd fds[], size_t num_fds,
                       struct urlp_answer answers[])
{
    (void)seat;
    (void)fds;
    (void)num_fds;
    (void)answers;
}

enum urlpool_code urlp_seat_fail(struct urlp_seat *seat, struct urlp_span host,
                                 struct urlpool_error *err)
{
    (void)seat;
    return urlp_fail(err, URLPOOL_E_RESOLVE, URLPOOL_PHASE_RESOLVE,
                     "no address for name %s: not found", urlp_quote(host.data, host.len).text);
}

void urlp_seat_leave(struct urlp_seat *seat)
{
    (void)seat;
}
