#ifndef URLP_BASE_CALL_H
#define URLP_BASE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/cancel.h"
#include "urlpool/deadline.h"
#include "urlpool/error.h"
#include "urlpool/trace.h"

#include "base/marks.h"
#include "base/span.h"
#include "base/sync.h"

struct urlp_counters;
struct urlp_half_dial;

/* enum urlp_break_state is what the two who have a hand in a dial agree on: the first to move it
 * away from OPEN has decided. */
enum urlp_break_state {
    URLP_BREAK_OPEN,  /* it may be broken off */
    URLP_BREAK_ASKED, /* it has to be */
    URLP_BREAK_SHUT   /* it goes on to its end */
};

/* struct urlp_break_off lets a dial be broken off for something better, a connection that came free
 * meanwhile, as long as nothing is lost by it: while names are asked for and TCP connects. Once TCP
 * is up the dial goes on to its end. */
struct urlp_break_off {
    int wake_fd;                 /* readable: break off; -1: it will not be asked to */
    struct urlp_half_dial *half; /* in: a dial to go on with, which is used up; NULL: from the
                                    start. out: when broken off, what is worth going on with, or
                                    NULL */
    bool is_broken_off;          /* out: then the dial has failed with URLPOOL_E_CANCELLED */
    _Atomic enum urlp_break_state state;
};

/* urlp_break_off_ask asks a dial to break off, and wakes it. False: it is too far for that. True:
 * it breaks off, unless it has failed or was cancelled just before.
 *
 * Threads: any number at once. */
bool urlp_break_off_ask(struct urlp_break_off *what);

/* urlp_break_off_shut is what a dial calls when TCP is up, and before it calls what cannot be
 * woken. False: it was asked to break off before, and has to; what is connected is part of the
 * half. `what` may be NULL. */
URLPOOL_MUST_USE bool urlp_break_off_shut(struct urlp_break_off *what);

/* struct urlp_purpose is what a connection is wanted for, to be told to people: no query, no
 * userinfo, no field. */
struct urlp_purpose {
    struct urlp_span method, path;
};

/* struct urlp_call goes down with everything that may block: until when, who may cut it short, who
 * watches and who counts. Made once per request in client/journey_set_out.c; a layer that has a
 * shorter bound of its own (a phase, a gap between bytes) copies it and shortens `by`. */
struct urlp_call {
    struct urlpool_deadline by;          /* of this phase; never after `total_by` */
    struct urlpool_deadline total_by;    /* of the whole request */
    const struct urlpool_cancel *cancel; /* NULL: cannot be cancelled, and pays nothing for it */
    const struct urlpool_trace *trace;   /* NULL: nobody watches */
    struct urlp_counters *counters;      /* NULL: nobody counts */
    const struct urlp_purpose *purpose; /* while a place is waited for and filled; NULL: nobody's */
    struct urlp_marks *marks;           /* NULL: nobody asks how long the steps took */
    struct urlp_break_off *break_off;   /* of the dial this call makes; NULL: it goes to its end */
};

/* urlp_call_until returns `call` with `by` shortened to `wait_ms` from now; `wait_ms` < 0 does not
 * shorten. */
struct urlp_call urlp_call_until(const struct urlp_call *call, int64_t wait_ms);

/* urlp_call_timeout_code says which time-out it is when `call->by` has passed:
 * URLPOOL_E_TOTAL_TIMEOUT when the whole request's deadline is what ended it, else `phase_code`. */
enum urlpool_code urlp_call_timeout_code(const struct urlp_call *call,
                                         enum urlpool_code phase_code);

/* urlp_call_trace tells the sink of `call`, if there is one, and marks the step, if it is to be.
 * `text` may be NULL. The `number` of URLPOOL_TRACE_RETRY becomes the event's `code` too. */
void urlp_call_trace(const struct urlp_call *call, enum urlpool_trace_kind kind, const char *text,
                     size_t text_len, int64_t number) URLP_MAY_BLOCK;

#endif /* URLP_BASE_CALL_H */
