/* The answer of a proxy to CONNECT. Whatever it says, in pieces the same comes of it as whole; a
 * tunnel is only behind a status of 2xx; what came behind the answer is read inside, to the byte; a
 * refusal says that it is the proxy's, in words that do not depend on the secret, and leaves the
 * stream with who gave it. An input is choices, how the proxy ends, the size of the pieces, and
 * what it says. */

#include "base/clock.h"
#include "conn/tunnel.h"
#include "fuzz/input.h"
#include "fuzz/peer.h"

enum {
    CHOICE_SMALL = 1,
    CHOICE_STRICT = 2,
    CHOICE_V6 = 4
};

/* struct outcome is what came of it. */
struct outcome {
    struct urlpool_error err;
    struct urlpool_headers *answer;
    struct urlp_buf inside;
    bool is_tunnel;
    int status;
};

static void note(void *user, const struct urlpool_trace_event *event)
{
    if (event->kind == URLPOOL_TRACE_TUNNELLED) {
        ((struct outcome *)user)->status = (int)event->number;
    }
}

/* read_inside reads what is in the tunnel. */
static void read_inside(struct outcome *out, struct urlp_stream *stream)
{
    const struct urlp_call call = fuzz_call();
    uint8_t piece[64];
    size_t got = 0;
    enum urlp_end end = URLP_END_NONE;

    while (urlp_stream_read(stream, piece, sizeof(piece), &got, &end, &call, NULL) == URLPOOL_OK &&
           got > 0) {
        if (urlp_buf_append(&out->inside, piece, got) != URLPOOL_OK) {
            abort();
        }
    }
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
}

static void check_refused(const struct outcome *out, const struct fuzz_peer *peer,
                          struct urlp_span text)
{
    fuzz_require(!peer->is_freed, "a stream that was the caller's, freed", text);
    fuzz_require(out->err.phase == URLPOOL_PHASE_PROXY && out->err.message[0] != '\0',
                 "a refusal that does not say what it is", text);
    fuzz_require(out->err.code == URLPOOL_E_PROXY ||
                     (out->err.code == URLPOOL_E_CONNECT_TIMEOUT && peer->ending == FUZZ_WAITS),
                 "another code", text);
    fuzz_require(out->err.http_status == 0 ||
                     (out->err.http_status == out->status && out->status / 100 != 2),
                 "a status that was not the answer's", text);
}

static void talk(struct outcome *out, struct fuzz_peer *peer, uint8_t choices, const char *secret,
                 struct urlp_span text)
{
    const struct urlpool_trace trace = {.event = note, .user = out};
    struct urlpool_limits limits = {0};
    struct urlp_tunnel tunnel = {
        .target = {.host = urlp_span_of((choices & CHOICE_V6) != 0 ? "2001:db8::1" : "example.com"),
                   .port = 443}
    };
    struct urlp_call call = fuzz_call();
    struct urlp_stream *stream;

    *out = (struct outcome){.status = 0};
    call.trace = &trace;
    limits.refuse_bare_lf = limits.refuse_missing_reason = (choices & CHOICE_STRICT) != 0;
    if ((choices & CHOICE_SMALL) != 0) {
        limits.head_bytes_max = 100;
        limits.fields_max = 3;
        limits.interims_max = 1;
    }
    tunnel.authorization = urlp_span_of(secret);
    stream =
        urlp_tunnel_wrap(fuzz_peer_open(peer), &tunnel, &limits, &call, &out->answer, &out->err);
    out->is_tunnel = stream != NULL;
    fuzz_require(peer->written.len > 8 && memcmp(peer->written.data, "CONNECT ", 8) == 0,
                 "another request", text);
    if (stream == NULL) {
        check_refused(out, peer, text);
        return;
    }
    fuzz_require(out->status / 100 == 2 && out->answer != NULL, "a tunnel that was refused", text);
    read_inside(out, stream);
    fuzz_require(out->inside.len < peer->len &&
                     urlp_span_equals(
                         urlp_span_make(out->inside.data, out->inside.len),
                         urlp_span_make(peer->data + peer->len - out->inside.len, out->inside.len)),
                 "other bytes inside", text);
}

static void check_equal(const struct outcome *a, const struct outcome *b, struct urlp_span text)
{
    fuzz_require(a->is_tunnel == b->is_tunnel && a->status == b->status &&
                     a->inside.len == b->inside.len,
                 "another outcome in pieces", text);
    fuzz_require(a->is_tunnel || (a->err.code == b->err.code && a->err.cause == b->err.cause),
                 "another failure in pieces", text);
    fuzz_require(urlpool_headers_equal(a->answer, b->answer), "another answer in pieces", text);
}

static void end(struct outcome *out, struct fuzz_peer *peer)
{
    urlpool_headers_free(out->answer);
    urlp_buf_deinit(&out->inside);
    urlp_buf_deinit(&peer->written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t choices = fuzz_byte(&input);
    const enum fuzz_ending ending = (enum fuzz_ending)fuzz_below(&input, FUZZ_NUM_ENDINGS);
    const size_t step = 1 + (size_t)fuzz_byte(&input) % 64;
    const struct urlp_span text = fuzz_rest(&input);
    const uint8_t *bytes = (const uint8_t *)text.data;
    struct fuzz_peer at_once = {.data = bytes, .len = text.len, .ending = ending};
    struct fuzz_peer slow = {
        .data = bytes, .len = text.len, .first = 1, .step = step, .ending = ending};
    struct fuzz_peer other = at_once;
    struct outcome whole;
    struct outcome cut;
    struct outcome stranger;

    talk(&whole, &at_once, choices, "Basic aaaaaaaaaa", text);
    talk(&cut, &slow, choices, "Basic aaaaaaaaaa", text);
    talk(&stranger, &other, choices, "Basic zzzzzzzzzz", text);
    check_equal(&whole, &cut, text);
    fuzz_require(strcmp(whole.err.message, stranger.err.message) == 0,
                 "a message that depends on a secret", text);
    end(&whole, &at_once);
    end(&cut, &slow);
    end(&stranger, &other);
    return 0;
}
