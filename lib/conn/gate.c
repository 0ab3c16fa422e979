/* One word, four states, moved by compare-and-swap: OPEN to ENTERED to SHUT by who shuts down, OPEN
 * to LEFT by who reads. The reader meets ENTERED only while the other is in the one system call
 * that it makes there, so it waits for it by giving its time away. No lock: the end of every
 * response comes by here, also under none. */

#include "conn/gate.h"

#include <sched.h>

enum {
    GATE_OPEN,
    GATE_ENTERED,
    GATE_SHUT,
    GATE_LEFT
};

bool urlp_gate_enter(struct urlp_gate *gate)
{
    int state = GATE_OPEN;

    return atomic_compare_exchange_strong(&gate->state, &state, GATE_ENTERED);
}

void urlp_gate_shut(struct urlp_gate *gate)
{
    atomic_store(&gate->state, GATE_SHUT);
}

bool urlp_gate_is_shut(const struct urlp_gate *gate)
{
    const int state = atomic_load(&gate->state);

    return state == GATE_ENTERED || state == GATE_SHUT;
}

bool urlp_gate_leave(struct urlp_gate *gate)
{
    int state = GATE_OPEN;

    while (!atomic_compare_exchange_strong(&gate->state, &state, GATE_LEFT)) {
        if (state != GATE_ENTERED) {
            return state == GATE_SHUT;
        }
        (void)sched_yield();
        state = GATE_OPEN;
    }
    return false;
}
