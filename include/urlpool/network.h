#ifndef URLPOOL_NETWORK_H
#define URLPOOL_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"
#include "urlpool/export.h"

URLPOOL_BEGIN_DECLS

/* enum urlpool_family says which addresses of a host are dialled. */
enum urlpool_family {
    URLPOOL_FAMILY_ANY = 0, /* IPv6 first, raced as RFC 8305 says */
    URLPOOL_FAMILY_V4 = 4,  /* IPv4 alone */
    URLPOOL_FAMILY_V6 = 6   /* IPv6 alone */
};

/* struct urlpool_answers collects the addresses that a resolver finds. */
struct urlpool_answers;

/* urlpool_answers_add adds an address, "192.0.2.1" or "2001:db8::1". More than 16 of a family are
 * dropped.
 *
 * Errors:  URLPOOL_E_INVALID for NULL and for what is no address. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_answers_add(struct urlpool_answers *answers,
                                                                   const char *address,
                                                                   struct urlpool_error *err);

/* urlpool_resolve_fn finds the addresses of `host`, which is neither an address nor localhost, in
 * `timeout_ms` at most (-1: no bound). It is asked anew for every dial, in the thread that dials,
 * never under a lock, and by any number of threads at once. None at all, or anything but
 * URLPOOL_OK, is URLPOOL_E_RESOLVE; a message in `err` is kept. */
typedef enum urlpool_code (*urlpool_resolve_fn)(void *user, const char *host, int64_t timeout_ms,
                                                struct urlpool_answers *answers,
                                                struct urlpool_error *err);

/* urlpool_resolver_libc is a urlpool_resolve_fn that asks the C library, and so whatever
 * nsswitch.conf names. It cannot be interrupted: it may outlast the time limit and a cancel; then
 * its answer is too late.
 *
 * Threads: any number at once; blocks. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_resolver_libc(
    void *user, const char *host, int64_t timeout_ms, struct urlpool_answers *answers,
    struct urlpool_error *err);

/* urlpool_address_fn sees an address just before it is dialled, however it was come by, and says
 * whether it may be. `host` is as in the URL. In the thread that dials, never under a lock, by any
 * number of threads at once. When every address of a host is refused: URLPOOL_E_ADDRESS_REFUSED. */
typedef bool (*urlpool_address_fn)(void *user, const char *host, const char *address,
                                   uint16_t port);

/* struct urlpool_socket_option is one setsockopt() with an int, made before the socket connects. */
struct urlpool_socket_option {
    int level; /* IPPROTO_TCP, SOL_SOCKET */
    int name;  /* TCP_MAXSEG, SO_MARK */
    int value; /* what it is set to */
};

/* struct urlpool_network says how hosts are found and reached; zero bytes are the defaults.
 * Everything is copied but what `…_user` points to, which must outlive the manager or connection.
 */
struct urlpool_network {
    enum urlpool_family family; /* which addresses are dialled */
    const char *dns_servers;    /* "127.0.0.1:5353,…"; NULL: /etc/resolv.conf, and LOCALDOMAIN and
                                   RES_OPTIONS of the environment, as the C library reads them */
    const char *const *answers; /* ends in NULL: "host:port:address[,address…]", asked of nobody;
                                   host "*" is any, port "*" or 0 is any, IPv6 in brackets */
    const char *const *connect_to; /* ends in NULL: "host:port:to-host:to-port": dialled in its
                                      place; empty or 0 in front is any, behind it is unchanged.
                                      The request and the check of certificates stay as they are */
    urlpool_resolve_fn resolve;    /* in place of DNS and the hosts file; NULL: our own resolver */
    void *resolve_user;            /* given to `resolve` */
    urlpool_address_fn allow;      /* judges each; NULL: every address may be dialled */
    void *allow_user;              /* given to `allow` */
    bool public_only; /* no loopback, private, link-local, multicast or reserved address, nor one
                         that carries such: against requests forged by what a user gave as URL */
    const char *source_address; /* dialled from; "192.0.2.1". Hosts without an address of its family
                                   are out of reach */
    uint16_t source_port;       /* with source_address; 0: any */
    const char *interface_name; /* dialled from, "eth0"; may need a privilege */
    const char *unix_socket; /* the path of a socket that is dialled whatever the host; a path that
                                begins with "@" is abstract. Nothing is resolved */
    const struct urlpool_socket_option *socket_options; /* set on each socket */
    size_t num_socket_options;                          /* how many */
    bool allow_nagle;                                   /* leave TCP_NODELAY off */
    int32_t keepalive_idle_s; /* SO_KEEPALIVE after so long; default 60; URLPOOL_NONE: off */
    int32_t user_timeout_ms;  /* TCP_USER_TIMEOUT; default 60 000; URLPOOL_NONE: the system's */
    unsigned char reserved[64];
};

URLPOOL_END_DECLS

#endif /* URLPOOL_NETWORK_H */
