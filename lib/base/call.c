/* What goes down with everything that may block: shortening it, naming its time-out, telling its
 * sink. A call is a value; nobody below the request loop changes the one it was given. */

#include "base/call.h"

#include "base/clock.h"

struct urlp_call urlp_call_until(const struct urlp_call *call, int64_t wait_ms)
{
    struct urlp_call shorter = *call;

    if (wait_ms >= 0) {
        shorter.by = urlpool_deadline_earliest(call->by, urlp_deadline_in(wait_ms));
    }
    return shorter;
}

enum urlpool_code urlp_call_timeout_code(const struct urlp_call *call, enum urlpool_code phase_code)
{
    return call->total_by.at_ns <= call->by.at_ns ? URLPOOL_E_TOTAL_TIMEOUT : phase_code;
}

void urlp_call_trace(const struct urlp_call *call, enum urlpool_trace_kind kind, const char *text,
                     size_t text_len, int64_t number)
{
    struct urlpool_trace_event event = {
        .kind = kind, .number = number, .text = text, .text_len = text_len};

    if (call->trace == NULL || call->trace->event == NULL) {
        return;
    }
    urlp_assert_no_lock("urlp_call_trace");
    if (kind == URLPOOL_TRACE_RETRY) {
        event.code = (enum urlpool_code)number;
    }
    event.at_ns = urlp_now_ns();
    call->trace->event(call->trace->user, &event);
}
