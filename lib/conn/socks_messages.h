#ifndef URLP_CONN_SOCKS_MESSAGES_H
#define URLP_CONN_SOCKS_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "base/ip.h"
#include "base/span.h"

/* struct urlp_socks_order is what a SOCKS proxy is asked for: a connection to `ip`, or, when its
 * family is none, to the name `host`. */
struct urlp_socks_order {
    int version;           /* 4 or 5 */
    struct urlp_ip ip;     /* SOCKS4: IPv4 or none */
    struct urlp_span host; /* for messages, too */
    uint16_t port;
    bool has_credentials;
    struct urlp_span user, password; /* SOCKS4: the user id; it knows no password */
};

/* The longest message of ours: RFC 1929, or a SOCKS4a request. The longest of a proxy's. */
#define URLP_SOCKS_MESSAGE_BYTES_MAX ((size_t)8 + 2 * (size_t)256)
#define URLP_SOCKS_REPLY_BYTES_MAX   ((size_t)4 + 1 + 255 + 2)

/* urlp_socks_check says whether `order` can be said in SOCKS: user and password of 1 to 255 bytes
 * each, a name of 1 to 255; a SOCKS4 user id of 0 to 255 without NUL, and no IPv6 address.
 *
 * Errors:  URLPOOL_E_INVALID, phase PROXY; nothing of the credentials is in the message.
 * Spec:    RFC 1928 section 4, RFC 1929 section 2. */
URLPOOL_MUST_USE enum urlpool_code urlp_socks_check(const struct urlp_socks_order *order,
                                                    struct urlpool_error *err);

/* What we say. Each writes one message for an `order` that has passed urlp_socks_check, and returns
 * its length. */

/* urlp_socks4_write_request writes CONNECT of SOCKS4, or SOCKS4a for a name. */
size_t urlp_socks4_write_request(const struct urlp_socks_order *order,
                                 uint8_t out[URLP_SOCKS_MESSAGE_BYTES_MAX]);

/* urlp_socks5_write_methods offers no authentication, and user and password if there are any. */
size_t urlp_socks5_write_methods(const struct urlp_socks_order *order,
                                 uint8_t out[URLP_SOCKS_MESSAGE_BYTES_MAX]);

/* urlp_socks5_write_credentials writes user and password as RFC 1929 says. */
size_t urlp_socks5_write_credentials(const struct urlp_socks_order *order,
                                     uint8_t out[URLP_SOCKS_MESSAGE_BYTES_MAX]);

/* urlp_socks5_write_request writes CONNECT of SOCKS5. */
size_t urlp_socks5_write_request(const struct urlp_socks_order *order,
                                 uint8_t out[URLP_SOCKS_MESSAGE_BYTES_MAX]);

/* What the proxy says. */
enum urlp_socks_message {
    URLP_SOCKS4_REPLY,
    URLP_SOCKS5_METHOD,      /* which of the methods it has chosen */
    URLP_SOCKS5_CREDENTIALS, /* what it thinks of ours */
    URLP_SOCKS5_REPLY
};

enum urlp_socks_outcome {
    URLP_SOCKS_MORE, /* `num_missing` bytes at least; nothing behind the message is among them */
    URLP_SOCKS_GRANTED,
    URLP_SOCKS_REFUSED,
    URLP_SOCKS_MALFORMED
};

/* struct urlp_socks_answer is what a message's bytes mean. */
struct urlp_socks_answer {
    enum urlp_socks_outcome outcome;
    size_t num_missing;
    uint8_t code;    /* GRANTED, REFUSED: the reply, or the method */
    const char *why; /* REFUSED, MALFORMED: static, fit for a message */
};

/* The methods of RFC 1928 section 3 that we know. */
#define URLP_SOCKS5_NO_AUTHENTICATION 0x00
#define URLP_SOCKS5_USER_AND_PASSWORD 0x02
#define URLP_SOCKS5_NONE_ACCEPTABLE   0xff

/* urlp_socks_read judges the first `len` bytes of `message`, an answer to `order`. A refusal is
 * known as soon as its code is there: some proxies send no more. */
struct urlp_socks_answer urlp_socks_read(enum urlp_socks_message message,
                                         const struct urlp_socks_order *order, const uint8_t *data,
                                         size_t len);

#endif /* URLP_CONN_SOCKS_MESSAGES_H */
