/* SOCKS over any stream: who speaks when, and what a failure is called.
 *
 * Each of our messages waits for the proxy's answer to the one before, and each answer is read to
 * its last byte and no further, so the stream is the tunnel as it is. What the bytes mean is
 * for socks_messages.c. Credentials never come into a message. */

#include "conn/socks.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* struct talk is one negotiation under way. */
struct talk {
    struct urlp_stream *stream;
    const struct urlp_socks_order *order;
    const struct urlp_call *call;
    char where[sizeof(struct urlp_quoted) + sizeof("[]:65535")];
};

static void name_target(struct talk *talk)
{
    const struct urlp_span host = talk->order->host;
    const bool is_v6 = host.len > 0 && memchr(host.data, ':', host.len) != NULL;

    (void)snprintf(talk->where, sizeof(talk->where), is_v6 ? "[%s]:%u" : "%s:%u",
                   urlp_quote(host.data, host.len).text, (unsigned)talk->order->port);
}

/* fail_stream says in the proxy's terms why the stream failed. */
static enum urlpool_code fail_stream(const struct talk *talk, const struct urlpool_error *why,
                                     struct urlpool_error *err)
{
    enum urlpool_code code = why->code;

    if (code == URLPOOL_E_READ_TIMEOUT || code == URLPOOL_E_WRITE_TIMEOUT) {
        code = URLPOOL_E_CONNECT_TIMEOUT;
    } else if (code != URLPOOL_E_TOTAL_TIMEOUT && code != URLPOOL_E_CANCELLED &&
               code != URLPOOL_E_NOMEM) {
        code = URLPOOL_E_PROXY;
    }
    (void)urlp_fail(err, code, URLPOOL_PHASE_PROXY, "tunnel to %s: %s", talk->where, why->message);
    if (err != NULL) {
        err->cause = code == why->code ? URLPOOL_OK : why->code;
        err->os_errno = why->os_errno;
        err->tls_code = why->tls_code;
    }
    return code;
}

static enum urlpool_code fail_cause(const struct talk *talk, enum urlpool_code cause,
                                    const char *why, struct urlpool_error *err)
{
    (void)urlp_fail(err, URLPOOL_E_PROXY, URLPOOL_PHASE_PROXY, "tunnel to %s: %s", talk->where,
                    why);
    if (err != NULL) {
        err->cause = cause;
    }
    return URLPOOL_E_PROXY;
}

static enum urlpool_code say(const struct talk *talk, const uint8_t *data, size_t len,
                             struct urlpool_error *err) URLP_MAY_BLOCK
{
    while (len > 0) {
        const struct urlp_iovec run = {data, len};
        struct urlpool_error why;
        size_t written = 0;

        if (urlp_stream_write(talk->stream, &run, 1, &written, talk->call, &why) != URLPOOL_OK) {
            return fail_stream(talk, &why, err);
        }
        data += written;
        len -= written;
    }
    return URLPOOL_OK;
}

/* read_more reads `len` bytes at most, one at least. */
static enum urlpool_code read_more(const struct talk *talk, uint8_t *data, size_t len,
                                   size_t *out_len, bool has_begun,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlp_end end = URLP_END_NONE;
    struct urlpool_error why;

    if (urlp_stream_read(talk->stream, data, len, out_len, &end, talk->call, &why) != URLPOOL_OK) {
        return fail_stream(talk, &why, err);
    }
    if (*out_len > 0) {
        return URLPOOL_OK;
    }
    return has_begun ? fail_cause(talk, URLPOOL_E_INCOMPLETE_READ,
                                  "the proxy closed the connection amid its answer", err)
                     : fail_cause(talk, URLPOOL_E_REMOTE_DISCONNECTED,
                                  "the proxy closed the connection without an answer", err);
}

/* hear reads `message` to its end; `*out_code` is what it grants. */
static enum urlpool_code hear(const struct talk *talk, enum urlp_socks_message message,
                              uint8_t *out_code, struct urlpool_error *err) URLP_MAY_BLOCK
{
    uint8_t data[URLP_SOCKS_REPLY_BYTES_MAX] = {0};
    size_t len = 0;
    struct urlp_socks_answer answer = urlp_socks_read(message, talk->order, data, len);

    while (answer.outcome == URLP_SOCKS_MORE) {
        size_t got = 0;
        enum urlpool_code code =
            read_more(talk, data + len, answer.num_missing, &got, len > 0, err);

        if (code != URLPOOL_OK) {
            return code;
        }
        len += got;
        answer = urlp_socks_read(message, talk->order, data, len);
    }
    *out_code = answer.code;
    if (answer.outcome == URLP_SOCKS_MALFORMED) {
        return fail_cause(talk, URLPOOL_E_PROTOCOL, answer.why, err);
    }
    if (message == URLP_SOCKS4_REPLY || message == URLP_SOCKS5_REPLY) {
        urlp_call_trace(talk->call, URLPOOL_TRACE_TUNNELLED, talk->where, strlen(talk->where),
                        answer.code);
    }
    if (answer.outcome == URLP_SOCKS_REFUSED) {
        return urlp_fail(err, URLPOOL_E_PROXY, URLPOOL_PHASE_PROXY, "tunnel to %s refused: %s",
                         talk->where, answer.why);
    }
    return URLPOOL_OK;
}

static enum urlpool_code talk_4(const struct talk *talk, struct urlpool_error *err) URLP_MAY_BLOCK
{
    uint8_t text[URLP_SOCKS_MESSAGE_BYTES_MAX];
    uint8_t reply = 0;
    enum urlpool_code code = say(talk, text, urlp_socks4_write_request(talk->order, text), err);

    return code == URLPOOL_OK ? hear(talk, URLP_SOCKS4_REPLY, &reply, err) : code;
}

static enum urlpool_code talk_5(const struct talk *talk, struct urlpool_error *err) URLP_MAY_BLOCK
{
    uint8_t text[URLP_SOCKS_MESSAGE_BYTES_MAX];
    uint8_t answer = 0;
    enum urlpool_code code = say(talk, text, urlp_socks5_write_methods(talk->order, text), err);

    if (code == URLPOOL_OK) {
        code = hear(talk, URLP_SOCKS5_METHOD, &answer, err);
    }
    if (code == URLPOOL_OK && answer == URLP_SOCKS5_USER_AND_PASSWORD) {
        code = say(talk, text, urlp_socks5_write_credentials(talk->order, text), err);
        if (code == URLPOOL_OK) {
            code = hear(talk, URLP_SOCKS5_CREDENTIALS, &answer, err);
        }
    }
    if (code == URLPOOL_OK) {
        code = say(talk, text, urlp_socks5_write_request(talk->order, text), err);
    }
    return code == URLPOOL_OK ? hear(talk, URLP_SOCKS5_REPLY, &answer, err) : code;
}

enum urlpool_code urlp_socks_connect(struct urlp_stream *stream,
                                     const struct urlp_socks_order *order,
                                     const struct urlp_call *call, struct urlpool_error *err)
{
    struct talk talk = {.stream = stream, .order = order, .call = call};
    enum urlpool_code code = urlp_socks_check(order, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    name_target(&talk);
    return order->version == 4 ? talk_4(&talk, err) : talk_5(&talk, err);
}
