#ifndef TESTS_SUPPORT_TLS_SERVER_H
#define TESTS_SUPPORT_TLS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/certs.h"

/* A TLS server on 127.0.0.1, a thread a connection, that does what the client asks for. Requests
 * are lines inside TLS:
 *
 *   echo TEXT    answers TEXT and a newline
 *   send N       answers N bytes of test_pattern, in records as long as can be
 *   drops N      answers N bytes, each in a record of its own
 *   sink N       reads N bytes more, answers "took N good" when they are test_pattern
 *   update       changes its keys, asks the same of the client, answers "updated"
 *   updates N    changes its keys N times, and stays
 *   close        close_notify and FIN
 *   cut          FIN without close_notify
 *   half         half a record, and stays
 *   junk         a record that does not decrypt, and stays
 *   alert        a fatal alert, and stays
 *   farewell     close_notify, and stays
 *   reset        RST
 *   stuck        reads no more, and stays
 *   tickets N    N session tickets, then "done" and a newline; 0: without end
 *   renegotiate  a HelloRequest of TLS 1.2, and stays
 *   whoareyou    a CertificateRequest of TLS 1.3 behind the handshake, and stays
 *   tunnel PORT  answers "go", then carries bytes to and from 127.0.0.1:PORT */
struct tls_server;

/* What happens instead of TLS. */
enum tls_server_manner {
    TLS_SERVER_SPEAKS_TLS = 0,
    TLS_SERVER_SPEAKS_HTTP,
    TLS_SERVER_SPEAKS_GARBAGE,
    TLS_SERVER_STALLS,
    TLS_SERVER_CLOSES,
    TLS_SERVER_RESETS
};

struct tls_server_options {
    const struct test_cert *certs[8];  /* leaf first, ends with NULL */
    uint16_t min_version, max_version; /* 0: BoringSSL's */
    bool refuses_tickets;              /* TLS 1.2 then resumes by session id */
    const char *alpn;                  /* chosen whatever was offered; NULL: none */
    enum tls_server_manner manner;
    const struct test_cert *client_ca; /* clients must show a certificate of it; NULL: none */
};

/* struct tls_server_seen is what the server has to tell about its connections so far. */
struct tls_server_seen {
    unsigned num_connections;
    unsigned num_handshakes; /* that were completed */
    unsigned num_resumed;
    unsigned num_close_notify; /* connections that the client ended so */
    char name[256];            /* of the last SNI; "" when there was none */
    char alpn[64];             /* the last offered, as on the wire */
    unsigned num_client_certs; /* that the last client showed */
    uint8_t alert;             /* the last fatal alert the client sent, or 0 */
    char alert_text[64];
};

struct tls_server *tls_server_start(const struct tls_server_options *options);
uint16_t tls_server_port(const struct tls_server *server);

/* tls_server_present changes the certificates for connections from now on. */
void tls_server_present(struct tls_server *server, const struct test_cert *const *certs);

/* tls_server_wait waits until `num` connections have ended, and tells what was seen. */
struct tls_server_seen tls_server_wait(struct tls_server *server, unsigned num);

/* tls_server_stop ends all connections and threads; accepts NULL. */
void tls_server_stop(struct tls_server *server);

/* test_pattern is the byte at `offset` of bodies. */
uint8_t test_pattern(size_t offset);

#endif /* TESTS_SUPPORT_TLS_SERVER_H */
