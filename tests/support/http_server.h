#ifndef TESTS_SUPPORT_HTTP_SERVER_H
#define TESTS_SUPPORT_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A server on 127.0.0.1 that answers as the test says: a thread a connection, each request read
 * whole (head, and a body by Content-Length or chunked) and given to the test's function, which
 * sends whatever bytes it likes. */
struct test_server;

/* struct test_peer is the client's connection as the server's side sees it. */
struct test_peer;

/* struct test_request is one request as it came. Strings are valid during the call. */
struct test_request {
    const char *method;
    const char *target;
    const char *head;    /* all of it, up to and with the empty line */
    const uint8_t *body; /* unframed */
    size_t body_len;
    unsigned connection; /* 1 is the server's first */
    unsigned number;     /* 1 is the first on this connection */
};

typedef void (*test_answer_fn)(struct test_peer *peer, const struct test_request *request,
                               void *user);

/* struct test_server_options: `tls` is an SSL_CTX of the caller's, or NULL for plain HTTP. With
 * `leave_body` a request is given to the test as soon as its head is there; with `says_continue`
 * one that expects it is told to go on before its body is read. `ip` and `port` are for tests in a
 * network of their own; NULL is 127.0.0.1, 0 an ephemeral port. With `keeps_port` one that has
 * ended can be begun again at its port. `local_path` is "@name" of a Unix-domain socket to listen
 * at in place of a port. */
struct test_server_options {
    void *tls;
    bool leave_body;
    bool says_continue;
    const char *ip;
    uint16_t port;
    bool keeps_port;
    const char *local_path;
};

/* test_server_start binds an ephemeral port; aborts the test when it cannot. */
struct test_server *test_server_start(test_answer_fn answer, void *user,
                                      const struct test_server_options *options);
/* test_server_stop ends every connection and joins every thread. */
void test_server_stop(struct test_server *server);

int test_server_port(const struct test_server *server);
/* test_server_url writes "http://127.0.0.1:PORT" + path into a buffer of the caller's; returns it.
 */
const char *test_server_url(const struct test_server *server, const char *path, char *out,
                            size_t out_size);
unsigned test_server_num_connections(struct test_server *server);
unsigned test_server_num_requests(struct test_server *server);
/* test_server_peak_connections is the most that were open at once. */
unsigned test_server_peak_connections(struct test_server *server);
/* test_server_num_open is how many are open now. */
unsigned test_server_num_open(struct test_server *server);
/* test_server_last_head copies the newest request's head; the caller frees it. */
char *test_server_last_head(struct test_server *server);

/* For the test's function. */
void test_peer_send(struct test_peer *peer, const void *data, size_t len);
void test_peer_send_text(struct test_peer *peer, const char *text);
/* test_peer_reply sends a whole response with Content-Length; `fields` may be NULL, else lines that
 * each end in CRLF. */
void test_peer_reply(struct test_peer *peer, int status, const char *fields, const char *body);
/* test_peer_receive reads what the client sends behind the request; 0 at the end. */
size_t test_peer_receive(struct test_peer *peer, void *data, size_t len);
/* test_peer_close ends the connection after the function returns; with TLS politely. */
void test_peer_close(struct test_peer *peer);
/* test_peer_cut ends it without close_notify; test_peer_reset with RST. */
void test_peer_cut(struct test_peer *peer);
void test_peer_reset(struct test_peer *peer);
/* test_peer_stay silent until the client goes away or the server stops. */
void test_peer_stay(struct test_peer *peer);
/* test_peer_hears_nothing waits and says whether no byte more has come from the client. */
bool test_peer_hears_nothing(struct test_peer *peer, int wait_ms);

#endif /* TESTS_SUPPORT_HTTP_SERVER_H */
