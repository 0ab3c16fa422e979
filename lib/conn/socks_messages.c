/* The bytes of SOCKS, written and read; no I/O.
 *
 * What a proxy sends is judged from its first bytes on, and how much is missing is said exactly:
 * behind the last byte of a reply the tunnel begins. Reserved bytes and the address that the proxy
 * says it has bound are read over, whatever they are: they change nothing for us. */

#include "conn/socks_messages.h"

#include <string.h>

#include "base/count.h"
#include "base/error.h"

/* Fields of the two protocols. */
#define VERSION_4             0x04
#define VERSION_4_REPLY       0x00
#define VERSION_5             0x05
#define VERSION_CREDENTIALS   0x01
#define COMMAND_CONNECT       0x01
#define RESERVED              0x00
#define ADDRESS_IPV4          0x01
#define ADDRESS_NAME          0x03
#define ADDRESS_IPV6          0x04
#define REPLY_4_GRANTED       0x5a
#define REPLY_5_SUCCEEDED     0x00
#define CREDENTIALS_SUCCEEDED 0x00

/* Lengths of a proxy's messages: what is there in any case, and the address's. */
#define CODE_BYTES    2 /* version and code begin every one */
#define REPLY_4_BYTES 8
#define REPLY_5_BYTES 4 /* before the address */
#define PORT_BYTES    2
#define IPV4_BYTES    4
#define IPV6_BYTES    16

#define STRING_BYTES_MAX 255

static bool is_string(struct urlp_span text)
{
    return text.len > 0 && text.len <= STRING_BYTES_MAX;
}

static bool has_nul(struct urlp_span text)
{
    return text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
}

static enum urlpool_code check_4(const struct urlp_socks_order *order, struct urlpool_error *err)
{
    if (order->ip.family == URLP_IP_V6) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_PROXY,
                         "SOCKS4 knows no IPv6 address");
    }
    if (order->has_credentials && (order->user.len > STRING_BYTES_MAX || has_nul(order->user))) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_PROXY,
                         "a SOCKS4 user id has at most %d bytes, none of them NUL",
                         STRING_BYTES_MAX);
    }
    if (order->ip.family == URLP_IP_NONE && has_nul(order->host)) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_PROXY, "NUL in a name for SOCKS4a");
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_socks_check(const struct urlp_socks_order *order, struct urlpool_error *err)
{
    if (order->ip.family == URLP_IP_NONE && !is_string(order->host)) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_PROXY,
                         "a name for SOCKS has 1 to %d bytes", STRING_BYTES_MAX);
    }
    if (order->version == 4) {
        return check_4(order, err);
    }
    if (order->has_credentials && (!is_string(order->user) || !is_string(order->password))) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_PROXY,
                         "user and password for SOCKS5 have 1 to %d bytes each", STRING_BYTES_MAX);
    }
    return URLPOOL_OK;
}

/* --- what we say --- */

static uint8_t *put_byte(uint8_t *end, unsigned byte)
{
    *end++ = (uint8_t)byte;
    return end;
}

static uint8_t *put_port(uint8_t *end, uint16_t port)
{
    end = put_byte(end, port >> 8);
    return put_byte(end, port & 0xff);
}

static uint8_t *put_bytes(uint8_t *end, const void *data, size_t len)
{
    if (len > 0) {
        memcpy(end, data, len);
    }
    return end + len;
}

/* put_string puts a length before the bytes. */
static uint8_t *put_string(uint8_t *end, struct urlp_span text)
{
    return put_bytes(put_byte(end, (unsigned)text.len), text.data, text.len);
}

/* put_text puts a NUL behind the bytes. */
static uint8_t *put_text(uint8_t *end, struct urlp_span text)
{
    return put_byte(put_bytes(end, text.data, text.len), 0);
}

size_t urlp_socks4_write_request(const struct urlp_socks_order *order,
                                 uint8_t out[URLP_SOCKS_MESSAGE_BYTES_MAX])
{
    /* SOCKS4a: an address 0.0.0.x, x not 0, says that a name follows. */
    static const uint8_t name_follows[IPV4_BYTES] = {0, 0, 0, 1};
    const bool is_name = order->ip.family == URLP_IP_NONE;
    uint8_t *end = put_byte(out, VERSION_4);

    end = put_byte(end, COMMAND_CONNECT);
    end = put_port(end, order->port);
    end = put_bytes(end, is_name ? name_follows : order->ip.bytes, IPV4_BYTES);
    end = put_text(end, order->has_credentials ? order->user : urlp_span_make(NULL, 0));
    if (is_name) {
        end = put_text(end, order->host);
    }
    return (size_t)(end - out);
}

size_t urlp_socks5_write_methods(const struct urlp_socks_order *order,
                                 uint8_t out[URLP_SOCKS_MESSAGE_BYTES_MAX])
{
    uint8_t *end = put_byte(out, VERSION_5);

    end = put_byte(end, order->has_credentials ? 2 : 1);
    end = put_byte(end, URLP_SOCKS5_NO_AUTHENTICATION);
    if (order->has_credentials) {
        end = put_byte(end, URLP_SOCKS5_USER_AND_PASSWORD);
    }
    return (size_t)(end - out);
}

size_t urlp_socks5_write_credentials(const struct urlp_socks_order *order,
                                     uint8_t out[URLP_SOCKS_MESSAGE_BYTES_MAX])
{
    uint8_t *end = put_byte(out, VERSION_CREDENTIALS);

    end = put_string(end, order->user);
    end = put_string(end, order->password);
    return (size_t)(end - out);
}

size_t urlp_socks5_write_request(const struct urlp_socks_order *order,
                                 uint8_t out[URLP_SOCKS_MESSAGE_BYTES_MAX])
{
    uint8_t *end = put_byte(out, VERSION_5);

    end = put_byte(end, COMMAND_CONNECT);
    end = put_byte(end, RESERVED);
    if (order->ip.family == URLP_IP_V4) {
        end = put_bytes(put_byte(end, ADDRESS_IPV4), order->ip.bytes, IPV4_BYTES);
    } else if (order->ip.family == URLP_IP_V6) {
        end = put_bytes(put_byte(end, ADDRESS_IPV6), order->ip.bytes, IPV6_BYTES);
    } else {
        end = put_string(put_byte(end, ADDRESS_NAME), order->host);
    }
    end = put_port(end, order->port);
    return (size_t)(end - out);
}

/* --- what the proxy says --- */

static struct urlp_socks_answer more(size_t num_missing)
{
    return (struct urlp_socks_answer){.outcome = URLP_SOCKS_MORE, .num_missing = num_missing};
}

static struct urlp_socks_answer granted(uint8_t code)
{
    return (struct urlp_socks_answer){.outcome = URLP_SOCKS_GRANTED, .code = code};
}

static struct urlp_socks_answer refused(uint8_t code, const char *why)
{
    return (struct urlp_socks_answer){.outcome = URLP_SOCKS_REFUSED, .code = code, .why = why};
}

static struct urlp_socks_answer malformed(const char *why)
{
    return (struct urlp_socks_answer){.outcome = URLP_SOCKS_MALFORMED, .why = why};
}

static const char *reason_4(uint8_t code)
{
    switch (code) {
    case 0x5b:
        return "the SOCKS4 proxy does not let it through or cannot reach it";
    case 0x5c:
        return "the SOCKS4 proxy finds no identd here";
    case 0x5d:
        return "the identd here does not know the SOCKS4 user id";
    default:
        return NULL;
    }
}

/* RFC 1928 section 6. */
static const char *reason_5(uint8_t code)
{
    static const char *const reasons[] = {
        NULL, /* succeeded */
        "general failure of the SOCKS5 proxy",
        "the SOCKS5 proxy's rules do not allow it",
        "the SOCKS5 proxy cannot reach that network",
        "the SOCKS5 proxy cannot reach that host",
        "the host refused the SOCKS5 proxy's connection",
        "the SOCKS5 proxy's connection timed out",
        "the SOCKS5 proxy does not know CONNECT",
        "the SOCKS5 proxy does not know that type of address",
    };

    return code < URLP_COUNT_OF(reasons) ? reasons[code] : NULL;
}

static struct urlp_socks_answer read_reply_4(const uint8_t *data, size_t len)
{
    const uint8_t code = data[1];

    if (code != REPLY_4_GRANTED) {
        const char *why = reason_4(code);

        return why != NULL ? refused(code, why)
                           : malformed("the SOCKS4 proxy answered with an unknown code");
    }
    return len < REPLY_4_BYTES ? more(REPLY_4_BYTES - len) : granted(code);
}

static struct urlp_socks_answer read_method(const struct urlp_socks_order *order, uint8_t method)
{
    if (method == URLP_SOCKS5_NONE_ACCEPTABLE) {
        return refused(method, order->has_credentials
                                   ? "the SOCKS5 proxy takes neither user and password nor nobody"
                                   : "the SOCKS5 proxy wants to know who asks");
    }
    if (method == URLP_SOCKS5_NO_AUTHENTICATION ||
        (method == URLP_SOCKS5_USER_AND_PASSWORD && order->has_credentials)) {
        return granted(method);
    }
    return malformed("the SOCKS5 proxy chose a method that it was not offered");
}

static struct urlp_socks_answer read_reply_5(const uint8_t *data, size_t len)
{
    const uint8_t code = data[1];
    size_t address_len;

    if (code != REPLY_5_SUCCEEDED) {
        const char *why = reason_5(code);

        return why != NULL ? refused(code, why)
                           : malformed("the SOCKS5 proxy answered with an unknown code");
    }
    if (len < REPLY_5_BYTES) {
        return more(REPLY_5_BYTES - len);
    }
    switch (data[3]) {
    case ADDRESS_IPV4:
        address_len = IPV4_BYTES;
        break;
    case ADDRESS_IPV6:
        address_len = IPV6_BYTES;
        break;
    case ADDRESS_NAME:
        if (len == REPLY_5_BYTES) {
            return more(1);
        }
        address_len = (size_t)1 + data[REPLY_5_BYTES];
        break;
    default:
        return malformed("the SOCKS5 proxy's answer holds an unknown type of address");
    }
    address_len += REPLY_5_BYTES + PORT_BYTES;
    return len < address_len ? more(address_len - len) : granted(code);
}

static uint8_t version_of(enum urlp_socks_message message)
{
    if (message == URLP_SOCKS4_REPLY) {
        return VERSION_4_REPLY;
    }
    return message == URLP_SOCKS5_CREDENTIALS ? VERSION_CREDENTIALS : VERSION_5;
}

struct urlp_socks_answer urlp_socks_read(enum urlp_socks_message message,
                                         const struct urlp_socks_order *order, const uint8_t *data,
                                         size_t len)
{
    if (len > 0 && data[0] != version_of(message)) {
        return malformed(data[0] == 'H' ? "the proxy does not speak SOCKS but HTTP, it seems"
                                        : "the proxy does not speak this version of SOCKS");
    }
    if (len < CODE_BYTES) {
        return more(CODE_BYTES - len);
    }
    switch (message) {
    case URLP_SOCKS4_REPLY:
        return read_reply_4(data, len);
    case URLP_SOCKS5_METHOD:
        return read_method(order, data[1]);
    case URLP_SOCKS5_CREDENTIALS:
        return data[1] == CREDENTIALS_SUCCEEDED
                   ? granted(data[1])
                   : refused(data[1], "the SOCKS5 proxy does not accept user and password");
    case URLP_SOCKS5_REPLY:
        break;
    }
    return read_reply_5(data, len);
}
