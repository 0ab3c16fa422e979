#ifndef TESTS_SUPPORT_DAEMON_H
#define TESTS_SUPPORT_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What tests need to run a real server beside them, in the foreground, as a child. A port is found
 * by binding to it and letting go of it: who finds it taken again is to be started anew. */

enum {
    TEST_DAEMON_TRIES = 5
};

/* test_daemon_free_port is a port of 127.0.0.1 that was free just now. */
int test_daemon_free_port(void);

/* test_daemon_fork forks, and returns as fork does, but never fails. The child has /dev/null for
 * all three standard streams, and gets `death_signal` when the test dies. */
pid_t test_daemon_fork(int death_signal);

/* test_daemon_came_up waits until all ports answer; false when the child has ended instead. */
bool test_daemon_came_up(pid_t pid, const int *ports, size_t num_ports);

#endif /* TESTS_SUPPORT_DAEMON_H */
