/* What a SOCKS proxy says. Whatever it is, in pieces the same comes of it as whole; a connection is
 * only behind the codes that grant one; its answer is read to its last byte and no further; and no
 * message depends on user or password. An input is choices, how the proxy ends, the size of the
 * pieces, and what it says. */

#include "conn/socks.h"
#include "fuzz/input.h"
#include "fuzz/peer.h"

enum {
    CHOICE_VERSION_4 = 1,
    CHOICE_CREDENTIALS = 2,
    CHOICE_IP = 4,
    CHOICE_V6 = 8
};

struct outcome {
    enum urlpool_code code;
    struct urlpool_error err;
};

static struct urlp_socks_order order_of(uint8_t choices)
{
    const bool is_v6 = (choices & (CHOICE_V6 | CHOICE_VERSION_4)) == CHOICE_V6;
    struct urlp_socks_order order = {.version = (choices & CHOICE_VERSION_4) != 0 ? 4 : 5,
                                     .host = urlp_span_of("www.example"),
                                     .port = 443};

    if ((choices & CHOICE_IP) != 0) {
        order.host = urlp_span_of(is_v6 ? "2001:db8::1" : "192.0.2.1");
        (void)urlp_ip_parse(order.host, &order.ip);
    }
    if ((choices & CHOICE_CREDENTIALS) != 0) {
        order.has_credentials = true;
        order.user = urlp_span_of("Schluessel");
        order.password = urlp_span_of("Geheimnis");
    }
    return order;
}

/* granted_len is how many bytes of `text` grant a connection; 0 when they do not. */
static size_t granted_len(const struct urlp_socks_order *order, struct urlp_span text)
{
    const uint8_t *bytes = (const uint8_t *)text.data;
    size_t at = 2;

    if (order->version == 4) {
        return text.len >= 8 && bytes[0] == 0 && bytes[1] == 90 ? 8 : 0;
    }
    if (text.len < 2 || bytes[0] != 5 || (bytes[1] != 0 && bytes[1] != 2)) {
        return 0;
    }
    if (bytes[1] == 2) {
        if (!order->has_credentials || text.len < 4 || bytes[3] != 0) {
            return 0;
        }
        at = 4;
    }
    if (text.len < at + 5 || bytes[at] != 5 || bytes[at + 1] != 0) {
        return 0;
    }
    switch (bytes[at + 3]) {
    case 1:
        return at + 4 + 4 + 2;
    case 3:
        return at + 4 + 1 + bytes[at + 4] + 2;
    case 4:
        return at + 4 + 16 + 2;
    default:
        return 0;
    }
}

static void talk(struct outcome *out, struct fuzz_peer *peer, const struct urlp_socks_order *order,
                 struct urlp_span text)
{
    const struct urlp_call call = fuzz_call();
    const size_t granted = granted_len(order, text);

    *out = (struct outcome){.code = URLPOOL_OK};
    out->code = urlp_socks_connect(fuzz_peer_open(peer), order, &call, &out->err);
    fuzz_require(!peer->is_freed, "a stream that was the caller's, freed", text);
    if (out->code == URLPOOL_OK) {
        fuzz_require(granted > 0 && peer->at == granted, "granted otherwise, or read on", text);
        return;
    }
    fuzz_require(out->err.code == out->code && out->err.phase == URLPOOL_PHASE_PROXY &&
                     out->err.message[0] != '\0',
                 "a failure that does not say what it is", text);
    fuzz_require(out->code == URLPOOL_E_PROXY ||
                     (out->code == URLPOOL_E_CONNECT_TIMEOUT && peer->ending == FUZZ_WAITS),
                 "another code", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const struct urlp_socks_order order = order_of(fuzz_byte(&input));
    const enum fuzz_ending ending = (enum fuzz_ending)fuzz_below(&input, FUZZ_NUM_ENDINGS);
    const size_t step = 1 + (size_t)fuzz_byte(&input) % 16;
    const struct urlp_span text = fuzz_rest(&input);
    const uint8_t *bytes = (const uint8_t *)text.data;
    struct fuzz_peer at_once = {.data = bytes, .len = text.len, .ending = ending};
    struct fuzz_peer slow = {
        .data = bytes, .len = text.len, .first = step, .step = step, .ending = ending};
    struct fuzz_peer other = at_once;
    struct urlp_socks_order stranger = order;
    struct outcome whole;
    struct outcome cut;
    struct outcome third;

    stranger.user = urlp_span_of("anybodyels");
    stranger.password = urlp_span_of("something");
    talk(&third, &other, &stranger, text);
    talk(&whole, &at_once, &order, text);
    talk(&cut, &slow, &order, text);
    fuzz_require(whole.code == cut.code && whole.err.cause == cut.err.cause &&
                     strcmp(whole.err.message, cut.err.message) == 0,
                 "another outcome in pieces", text);
    fuzz_require(urlp_span_equals(urlp_span_make(at_once.written.data, at_once.written.len),
                                  urlp_span_make(slow.written.data, slow.written.len)),
                 "other questions in pieces", text);
    fuzz_require(strcmp(whole.err.message, third.err.message) == 0,
                 "a message that depends on a secret", text);
    urlp_buf_deinit(&at_once.written);
    urlp_buf_deinit(&other.written);
    urlp_buf_deinit(&slow.written);
    return 0;
}
