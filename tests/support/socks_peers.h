#ifndef TESTS_SUPPORT_SOCKS_PEERS_H
#define TESTS_SUPPORT_SOCKS_PEERS_H

#include <stdbool.h>

/* Real SOCKS proxies of the test's own, on 127.0.0.1 and an ephemeral port. */
struct socks_peer;

enum socks_program {
    SOCKS_MICROSOCKS, /* SOCKS5 */
    SOCKS_DANTE,      /* SOCKS4 without names, SOCKS5; lets nobody through to port 7 */
    SOCKS_SSH /* SOCKS4, SOCKS4a, SOCKS5, by OpenSSH's dynamic forwarding; closes when it does
                 not get through. Only within netns_enter, whose /run it replaces */
};

/* socks_peer_exists says whether the machine has the program. Where it has not, main must return
 * TEST_SKIPPED. */
bool socks_peer_exists(enum socks_program program);

/* socks_peer_start aborts the test when it does not come up. With a `user`, who and whose password
 * it wants to hear; microsocks only. */
struct socks_peer *socks_peer_start(enum socks_program program, const char *user,
                                    const char *password);
void socks_peer_stop(struct socks_peer *peer);
/* socks_peer_kill ends its processes, and their connections, before it is stopped. */
void socks_peer_kill(struct socks_peer *peer);

int socks_peer_port(const struct socks_peer *peer);

#endif /* TESTS_SUPPORT_SOCKS_PEERS_H */
