#ifndef TESTS_SUPPORT_LOOPBACK_H
#define TESTS_SUPPORT_LOOPBACK_H

#include <stdbool.h>
#include <stdint.h>

/* Sockets on loopback addresses for tests of the net layer. `ip` is any of 127.0.0.0/8, or "::1".
 * All abort the test when they cannot. */

/* loopback_listen listens on `ip`; `port` 0 takes any below those that Linux gives by itself. */
int loopback_listen(const char *ip, uint16_t port);

/* loopback_bind binds without listening: connecting there is refused, and nobody else gets the
 * port.
 */
int loopback_bind(const char *ip, uint16_t port);

/* loopback_is_free says whether `port` of `ip` could be had just now: who needs the same port at
 * two addresses looks for one until both are free. */
bool loopback_is_free(const char *ip, uint16_t port);

/* loopback_hold binds without listening, for servers that come and go: only those of this user that
 * set SO_REUSEPORT get the port. */
int loopback_hold(const char *ip, uint16_t port);

/* struct loopback_hole is a listener whose queue is full: who connects there gets no answer. */
struct loopback_hole {
    int listener;
    int filler;
};
struct loopback_hole loopback_hole_open(const char *ip, uint16_t port);
void loopback_hole_close(struct loopback_hole *hole);

uint16_t loopback_port(int fd);

/* loopback_accept takes the next connection; waits at most 10 s. */
int loopback_accept(int listener);

/* loopback_reset ends a connection with RST. */
void loopback_reset(int fd);

/* loopback_pair makes a TCP connection; `out_fds[0]` does not block. */
void loopback_pair(int out_fds[2]);

bool loopback_has_v6(void);

/* loopback_num_fds is how many descriptors this process has open. */
unsigned loopback_num_fds(void);

/* loopback_allow_fds lets this process open descriptors again, or no more of them. */
void loopback_allow_fds(bool allow);

/* loopback_leaks_on_exec says whether a socket is open that an exec would not close. */
bool loopback_leaks_on_exec(void);

#endif /* TESTS_SUPPORT_LOOPBACK_H */
