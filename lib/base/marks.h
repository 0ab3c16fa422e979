#ifndef URLP_BASE_MARKS_H
#define URLP_BASE_MARKS_H

#include <stdint.h>

#include "urlpool/trace.h"

/* struct urlp_marks is when each step of a request was over, by urlp_now_ns; 0: it is not, or was
 * not taken. What tells the trace of a step marks it, at one instant (urlp_call_trace). */
struct urlp_marks {
    int64_t call_ns; /* when the request began */
    int64_t try_ns;  /* when its last try began; all that follows is of that */
    int64_t leased_ns, resolved_ns, connected_ns;
    int64_t proxied_ns; /* the last proxy on the way had been passed */
    int64_t secured_ns, sent_ns, first_byte_ns, end_ns;
};

/* urlp_marks_begin begins a request, and its first try. */
void urlp_marks_begin(struct urlp_marks *marks, int64_t now_ns);

/* urlp_marks_begin_try begins the next try, of which no step is taken yet. */
void urlp_marks_begin_try(struct urlp_marks *marks, int64_t now_ns);

/* urlp_marks_note notes the step that `kind` tells of, if it ends one. */
void urlp_marks_note(struct urlp_marks *marks, enum urlpool_trace_kind kind, int64_t now_ns);

/* urlp_marks_greeted says that the TLS last noted was with a proxy. `marks` may be NULL. */
void urlp_marks_greeted(struct urlp_marks *marks);

#endif /* URLP_BASE_MARKS_H */
