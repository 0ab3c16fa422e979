/* What a response tells beside its message: whom it came from, and how long each step took. */

#include "base/clock.h"
#include "conn/body_reader.h"
#include "conn/peer_record.h"

static const struct urlp_answer *answer_of(const struct urlpool_response *response)
{
    return (const struct urlp_answer *)(const void *)response;
}

struct urlpool_peer urlpool_response_peer(const struct urlpool_response *response)
{
    struct urlpool_peer peer = {.address = ""};

    if (response != NULL) {
        peer = answer_of(response)->peer->facts;
        peer.connection_requests = answer_of(response)->num_requests;
    }
    return peer;
}

/* took says how long a step took that was over at `at_ns`, the one before at `*since_ns`. One that
 * was not taken, or was over before its turn, took nothing. */
static int64_t took(int64_t *since_ns, int64_t at_ns)
{
    const int64_t ns = at_ns > *since_ns ? at_ns - *since_ns : 0;

    *since_ns += ns;
    return ns;
}

struct urlpool_timings urlpool_response_timings(const struct urlpool_response *response)
{
    struct urlpool_timings timings = {0};
    struct urlp_marks marks;
    int64_t since_ns = 0;

    if (response == NULL || answer_of(response)->marks.call_ns == 0) {
        return timings;
    }
    marks = answer_of(response)->marks;
    marks.end_ns = marks.end_ns == 0 ? urlp_now_ns() : marks.end_ns;
    marks.sent_ns = marks.sent_ns == 0 ? marks.first_byte_ns : marks.sent_ns;
    since_ns = marks.call_ns;
    timings.before_ns = took(&since_ns, marks.try_ns);
    timings.pool_ns = took(&since_ns, marks.leased_ns);
    timings.resolve_ns = took(&since_ns, marks.resolved_ns);
    timings.connect_ns = took(&since_ns, marks.connected_ns);
    timings.proxy_ns = took(&since_ns, marks.proxied_ns);
    timings.tls_ns = took(&since_ns, marks.secured_ns);
    timings.send_ns = took(&since_ns, marks.sent_ns);
    timings.wait_ns = took(&since_ns, marks.first_byte_ns);
    timings.receive_ns = took(&since_ns, marks.end_ns);
    timings.total_ns = since_ns - marks.call_ns;
    return timings;
}
