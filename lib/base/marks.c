/* When the steps of a request were over. What is told of a way through proxies comes in the order
 * of the way: whatever came before the last answer of a proxy was a step to there. */

#include "base/marks.h"

#include <stddef.h>

void urlp_marks_begin(struct urlp_marks *marks, int64_t now_ns)
{
    *marks = (struct urlp_marks){.call_ns = now_ns, .try_ns = now_ns};
}

void urlp_marks_begin_try(struct urlp_marks *marks, int64_t now_ns)
{
    *marks = (struct urlp_marks){.call_ns = marks->call_ns, .try_ns = now_ns};
}

/* lease forgets a dial that was begun and came to nothing: it was a wait for the place after all.
 */
static void lease(struct urlp_marks *marks, int64_t now_ns)
{
    marks->leased_ns = now_ns;
    marks->resolved_ns = marks->connected_ns = marks->proxied_ns = marks->secured_ns = 0;
}

void urlp_marks_note(struct urlp_marks *marks, enum urlpool_trace_kind kind, int64_t now_ns)
{
    switch (kind) {
    case URLPOOL_TRACE_LEASED:
        lease(marks, now_ns);
        break;
    case URLPOOL_TRACE_RESOLVED:
        /* A name that a proxy on the way wants resolved is a part of passing it. */
        marks->resolved_ns = marks->connected_ns == 0 ? now_ns : marks->resolved_ns;
        break;
    case URLPOOL_TRACE_CONNECTED:
        marks->connected_ns = now_ns;
        break;
    case URLPOOL_TRACE_TUNNELLED:
        marks->proxied_ns = now_ns;
        marks->secured_ns = 0;
        break;
    case URLPOOL_TRACE_SECURED:
        marks->secured_ns = now_ns;
        break;
    case URLPOOL_TRACE_REQUEST_SENT:
        marks->sent_ns = now_ns;
        break;
    case URLPOOL_TRACE_FIRST_BYTE:
        marks->first_byte_ns = now_ns;
        break;
    case URLPOOL_TRACE_BODY_END:
        marks->end_ns = now_ns;
        break;
    default:
        break;
    }
}

void urlp_marks_greeted(struct urlp_marks *marks)
{
    if (marks != NULL) {
        marks->proxied_ns = marks->secured_ns;
        marks->secured_ns = 0;
    }
}
