#ifndef TESTS_SUPPORT_IDENTITY_SITE_H
#define TESTS_SUPPORT_IDENTITY_SITE_H

#include <openssl/ssl.h>
#include <stdint.h>

/* An origin over TLS, on one port, and two proxies before it, which see who comes: the origin the
 * certificate of a connection's client, and the proxy it came through; the proxies their users. A
 * request says in X-Identity who it means to be, and is held against all of that.
 *
 * An identity is a number made of a client's certificate ("client 0" to "client 3"), what the
 * client trusts (which nobody but itself knows, so a connection has to stay with one), a proxy and
 * one of its users ("user0:secret0" and "user1:secret1"). */
enum {
    IDENTITY_CERTS = 4,
    IDENTITY_STORES = 3,
    IDENTITY_PROXIES = 2,
    IDENTITY_USERS = 2,
    IDENTITIES = IDENTITY_CERTS * IDENTITY_STORES * IDENTITY_PROXIES * IDENTITY_USERS
};

struct identity {
    int cert, store, proxy, user;
};
struct identity identity_of(int number);
int identity_number(struct identity identity);

struct identity_site;

/* struct identity_seen is what happened at the origin. */
struct identity_seen {
    unsigned num_requests;
    unsigned num_connections; /* that shook hands */
    unsigned num_resumed;
    unsigned num_ended;   /* by the origin, in one of three ways */
    unsigned num_crossed; /* requests on a connection of somebody else's */
    char crossed[256];    /* the first of them */
};

/* identity_site_start begins: `tls` is the origin's SSL_CTX, `seed` says which connections it ends
 * when. A good request is answered by
 *
 *   "identity N question Q authorization A"     Q from X-Question, A from Authorization */
struct identity_site *identity_site_start(SSL_CTX *tls, uint64_t seed);
uint16_t identity_site_port(const struct identity_site *site);
uint16_t identity_site_proxy_port(const struct identity_site *site, int proxy);

/* identity_site_stop ends all connections and waits for all threads. */
struct identity_seen identity_site_stop(struct identity_site *site);

#endif /* TESTS_SUPPORT_IDENTITY_SITE_H */
