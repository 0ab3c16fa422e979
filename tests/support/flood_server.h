#ifndef TESTS_SUPPORT_FLOOD_SERVER_H
#define TESTS_SUPPORT_FLOOD_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A server on 127.0.0.1 that never ends what it says. It lives in processes of its own, one for
 * each connection, so that memory and processor time of the test's process are the client's alone.
 * To be started before the test has threads. */
struct flood_server;

/* struct flood_peer is the client's connection as the server's side sees it. */
struct flood_peer;

/* flood_act_fn is what happens on a connection, in a process of its own; at its end the connection
 * is closed. */
typedef void (*flood_act_fn)(struct flood_peer *peer, const void *user);

/* flood_server_start binds an ephemeral port; `tls` is an SSL_CTX of the caller's, or NULL. Aborts
 * the test when it cannot. */
struct flood_server *flood_server_start(flood_act_fn act, const void *user, void *tls);
/* flood_server_stop ends all of its processes. */
void flood_server_stop(struct flood_server *server);

uint16_t flood_server_port(const struct flood_server *server);
unsigned flood_server_num_connections(const struct flood_server *server);
/* flood_server_num_bytes is how many its acts have got rid of. */
uint64_t flood_server_num_bytes(const struct flood_server *server);
/* flood_server_go lets acts go on that wait in flood_await_go. */
void flood_server_go(struct flood_server *server);

/* For the acts. flood_hear reads one head, up to the empty line, into `head` as a string; false
 * when the client has gone. flood_hear_some reads whatever is there. */
bool flood_hear(struct flood_peer *peer, char *head, size_t size);
bool flood_hear_some(struct flood_peer *peer);
bool flood_say(struct flood_peer *peer, const void *data, size_t len);
bool flood_say_text(struct flood_peer *peer, const char *text);
/* flood_for_ever says `unit` again and again until the client has gone. */
void flood_for_ever(struct flood_peer *peer, const void *unit, size_t len);
/* flood_slowly says one byte each `gap_ms`; false when the client has gone. */
bool flood_slowly(struct flood_peer *peer, const void *data, size_t len, int gap_ms);
/* flood_stay waits until the client has gone. */
void flood_stay(struct flood_peer *peer);
/* flood_await_go waits for the test to say so, by flood_server_go. */
void flood_await_go(struct flood_peer *peer);
/* flood_fd is the socket, for acts that speak TLS in their own way. */
int flood_fd(const struct flood_peer *peer);

#endif /* TESTS_SUPPORT_FLOOD_SERVER_H */
