#ifndef URLP_CONN_GATE_H
#define URLP_CONN_GATE_H

#include <stdatomic.h>
#include <stdbool.h>

/* struct urlp_gate stands between a thread that reads a response and one that shuts it down: while
 * the one is at the connection, the other does not give it away. Zero bytes: open. */
struct urlp_gate {
    atomic_int state;
};

/* urlp_gate_enter says whether the connection is still the response's, and keeps it so until
 * urlp_gate_shut; true for one thread at most. */
bool urlp_gate_enter(struct urlp_gate *gate);

/* urlp_gate_shut says that the connection was shut down. */
void urlp_gate_shut(struct urlp_gate *gate);

/* urlp_gate_is_shut says whether anybody has entered, and the reader has not left before. */
bool urlp_gate_is_shut(const struct urlp_gate *gate);

/* urlp_gate_leave is for the reader, before it gives the connection away: nobody can enter any
 * more. Returns whether it was shut down before. Again is harmless. */
bool urlp_gate_leave(struct urlp_gate *gate);

#endif /* URLP_CONN_GATE_H */
