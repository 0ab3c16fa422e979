/* How long a connection is on its way from one thread to the next: when it was given back is noted
 * beside its address, by the thread that has it. */

#include <stdatomic.h>
#include <stdlib.h>

#include "client.h"

enum {
    CONNECTIONS_MAX = 256,
    TIMES_FIRST = 1024
};

static struct note {
    _Atomic(const void *) connection;
    _Atomic uint64_t at_ns;
} notes[CONNECTIONS_MAX];

static _Thread_local struct bench_times handoffs;

void bench_times_add(struct bench_times *times, uint64_t ns)
{
    if (times->num == times->room) {
        times->room = times->room == 0 ? TIMES_FIRST : 2 * times->room;
        times->ns = realloc(times->ns, times->room * sizeof(times->ns[0]));
        if (times->ns == NULL) {
            bench_die("memory");
        }
    }
    times->ns[times->num++] = ns;
}

static struct note *note_of(const void *connection)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        const void *none = NULL;

        if (notes[i].connection == connection ||
            atomic_compare_exchange_strong(&notes[i].connection, &none, connection)) {
            return &notes[i];
        }
        if (none == connection) {
            return &notes[i];
        }
    }
    bench_die("too many connections");
}

void bench_lease_noted(const void *connection)
{
    note_of(connection)->at_ns = bench_now_ns();
}

void bench_lease_taken(const void *connection)
{
    const uint64_t now_ns = bench_now_ns();
    const uint64_t at_ns = atomic_exchange(&note_of(connection)->at_ns, 0);

    if (at_ns != 0) {
        bench_times_add(&handoffs, now_ns - at_ns);
    }
}

struct bench_times bench_lease_times(void)
{
    return handoffs;
}
