/* What goes down with everything that may block: shortening it, naming its time-out, telling its
 * sink and marking when. A call is a value; nobody below the request loop changes the one it was
 * given. */

#include "base/call.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/park.h"

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

/* move_on settles a break-off that is still open; false: somebody has before. */
static bool move_on(struct urlp_break_off *what, enum urlp_break_state state)
{
    enum urlp_break_state open = URLP_BREAK_OPEN;

    return atomic_compare_exchange_strong(&what->state, &open, state);
}

bool urlp_break_off_ask(struct urlp_break_off *what)
{
    if (what->wake_fd < 0 || !move_on(what, URLP_BREAK_ASKED)) {
        return false;
    }
    urlp_wake_signal(what->wake_fd);
    return true;
}

bool urlp_break_off_shut(struct urlp_break_off *what)
{
    return what == NULL || move_on(what, URLP_BREAK_SHUT) ||
           atomic_load(&what->state) == URLP_BREAK_SHUT;
}

/* mark marks the step of a call that nobody watches, as most are. */
static void mark(const struct urlp_call *call, enum urlpool_trace_kind kind)
{
    if (call->marks != NULL) {
        urlp_marks_note(call->marks, kind, urlp_now_ns());
    }
}

void urlp_call_trace(const struct urlp_call *call, enum urlpool_trace_kind kind, const char *text,
                     size_t text_len, int64_t number)
{
    struct urlpool_trace_event event;

    urlp_assert_no_lock("urlp_call_trace");
    if (call->trace == NULL || call->trace->event == NULL) {
        mark(call, kind);
        return;
    }
    event = (struct urlpool_trace_event){
        .kind = kind, .at_ns = urlp_now_ns(), .number = number, .text = text, .text_len = text_len};
    if (call->marks != NULL) {
        urlp_marks_note(call->marks, kind, event.at_ns);
    }
    if (kind == URLPOOL_TRACE_RETRY) {
        event.code = (enum urlpool_code)number;
    }
    call->trace->event(call->trace->user, &event);
}
