#ifndef TESTS_SUPPORT_PROXY_SERVER_H
#define TESTS_SUPPORT_PROXY_SERVER_H

#include <stdbool.h>
#include <stdint.h>

/* A proxy on 127.0.0.1 that speaks whatever its client begins with: SOCKS4, SOCKS4a, SOCKS5 or
 * CONNECT. It connects to 127.0.0.1, whatever host it is asked for, and carries bytes both ways. A
 * thread a connection, and none of urlpool's code. */
struct proxy_server;

/* What happens instead of carrying bytes. */
enum proxy_manner {
    PROXY_CARRIES = 0,
    PROXY_STALLS,  /* reads, and never says a thing */
    PROXY_GARBLES, /* answers the first bytes with garbage */
    PROXY_CLOSES,  /* reads the first bytes and closes */
    PROXY_RESETS,  /* the same, by RST */
    PROXY_DIES,    /* grants, waits for the tunnel's first bytes and closes */
    PROXY_DRIPS    /* carries, but says its own answers byte by byte */
};

struct proxy_server_options {
    void *tls;                 /* an SSL_CTX of the caller's; NULL: plain TCP */
    const char *user;          /* who may use it; NULL: anybody. SOCKS4: the user id */
    const char *password;      /* his */
    const char *authorization; /* CONNECT: the Proxy-Authorization that is asked for; NULL: none */
    const char *answer; /* CONNECT: what is said to it, whatever it asks for; one of 2xx grants,
                           after another the connection ends. NULL: its own words */
    int refuses_with;   /* the SOCKS reply, or status, of every request; 0: none */
    enum proxy_manner manner;
};

/* proxy_server_start binds an ephemeral port; aborts the test when it cannot. */
struct proxy_server *proxy_server_start(const struct proxy_server_options *options);
/* proxy_server_stop ends every connection and joins every thread; accepts NULL. */
void proxy_server_stop(struct proxy_server *server);

uint16_t proxy_server_port(const struct proxy_server *server);

/* proxy_server_seen is what was asked so far, a line each: "socks4 127.0.0.1:80 user me",
 * "socks4a www.example:80", "socks5 name www.example:443 user me:pass", "socks5 v4 127.0.0.1:80",
 * "socks5 v6 ::1:80", "connect www.example:443". Owns: the caller frees it. */
char *proxy_server_seen(struct proxy_server *server);
/* proxy_server_last_head is the head of the newest CONNECT. Owns: the caller frees it. */
char *proxy_server_last_head(struct proxy_server *server);

unsigned proxy_server_num_connections(struct proxy_server *server);

#endif /* TESTS_SUPPORT_PROXY_SERVER_H */
