/* A whole handshake, and what comes behind it, with a server whose bytes are changed on the way, or
 * are the input's own. Whatever comes: a peer whose certificate is not for us is never taken, a
 * peer that is taken has shown the right one, what is read is the beginning of what it sent, and an
 * end is clean only where it said so. Without a change everything arrives.
 *
 * An input is choices, what the server does, and changes of four bytes: two for where, counted in
 * bytes of the server's, what, and a value. With CHOICE_RAW all the rest is what the peer says. */

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/error.h"
#include "fuzz/input.h"
#include "fuzz/peer.h"
#include "net/tls.h"
#include "support/certs.h"
#include "support/tls_client.h"

enum {
    CHOICE_RAW = 1,
    CHOICE_TLS_1_2 = 2,
    CHOICE_RESUME = 4,
    CHOICE_CERT = 0x18, /* right, another's, of an unknown root, expired */
    CHOICE_ALPN = 0x20,
    CHOICE_ASK_CLIENT = 0x40
};

/* What the server does once hands are shaken, in this order. */
enum {
    ACT_SHORT = 1,
    ACT_UPDATE = 2,
    ACT_LONG = 4,
    ACT_SHORT_AGAIN = 8,
    ACT_CLOSE = 16
};

enum {
    CHANGE_XOR,
    CHANGE_INSERT,
    CHANGE_DROP,
    CHANGE_END,
    CHANGE_ZERO,
    NUM_CHANGES
};

#define SERVER_NAME "host.example"
#define CHANGES_MAX 8

/* struct world is what is made once. */
static struct world {
    struct test_cert *ca, *certs[4];
    SSL_CTX *contexts[4][2]; /* for 1.3, 1.2 */
    struct urlpool_tls *tls;
    struct urlp_tls_sessions *sessions;
    uint8_t *leaf;
    size_t leaf_len;
} world;

/* struct change is one of those made on the way. */
struct change {
    size_t at;
    unsigned what;
    uint8_t value;
};

/* struct wire is the client's stream, with the server behind it. */
struct wire {
    struct urlp_stream base;
    SSL *server;
    struct change changes[CHANGES_MAX];
    size_t num_changes;
    unsigned acts;
    size_t num_made;     /* bytes the server has made */
    struct urlp_buf way; /* those on the way, changed; read up to `at` */
    size_t at;
    size_t num_sent; /* bytes of the pattern that the server has put into TLS */
    bool has_closed, is_cut, is_freed;
};

static void must(bool holds, const char *what)
{
    fuzz_require(holds, "not made", urlp_span_of(what));
}

static int choose_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *in,
                       unsigned in_len, void *user)
{
    (void)ssl;
    (void)user;
    if (in_len < 1 || in_len < 1U + in[0]) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = in + 1;
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *make_context(const struct test_cert *cert, uint16_t version)
{
    const struct test_cert *const certs[] = {cert, NULL};
    SSL_CTX *context = test_cert_context(certs);

    must(SSL_CTX_set_max_proto_version(context, version) == 1, "a version");
    SSL_CTX_set_alpn_select_cb(context, choose_alpn, NULL);
    must(SSL_CTX_set_session_id_context(context, (const uint8_t *)"fuzz", 4) == 1, "an id");
    return context;
}

static void make_world(void)
{
    static const struct test_name names[] = {TEST_DNS(SERVER_NAME)};
    static const struct test_name others[] = {TEST_DNS("other.example")};
    struct test_cert *stranger = test_ca("stranger");

    urlp_clock_fake_begin(INT64_C(1000000000));
    world.ca = test_ca("root");
    world.certs[0] =
        test_cert_new(&(struct test_cert_options){.names = names, .num_names = 1}, world.ca);
    world.certs[1] =
        test_cert_new(&(struct test_cert_options){.names = others, .num_names = 1}, world.ca);
    world.certs[2] =
        test_cert_new(&(struct test_cert_options){.names = names, .num_names = 1}, stranger);
    world.certs[3] = test_cert_new(
        &(struct test_cert_options){
            .names = names, .num_names = 1, .begin_s = -7200, .end_s = -3600},
        world.ca);
    for (int i = 0; i < 4; i++) {
        world.contexts[i][0] = make_context(world.certs[i], TLS1_3_VERSION);
        world.contexts[i][1] = make_context(world.certs[i], TLS1_2_VERSION);
    }
    world.tls = test_trust(world.ca);
    world.leaf = test_cert_der(world.certs[0], &world.leaf_len);
    test_cert_free(stranger);
}

/* change puts bytes on the way, changed as the input has it. */
static void change(struct wire *wire, uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len && !wire->is_cut; i++, wire->num_made++) {
        uint8_t byte = data[i];
        bool is_dropped = false;

        for (size_t k = 0; k < wire->num_changes; k++) {
            const struct change *one = &wire->changes[k];

            if (one->at != wire->num_made) {
                continue;
            }
            byte = one->what == CHANGE_XOR ? byte ^ one->value : byte;
            byte = one->what == CHANGE_ZERO ? one->value : byte;
            is_dropped |= one->what == CHANGE_DROP;
            wire->is_cut |= one->what == CHANGE_END;
            if (one->what == CHANGE_INSERT) {
                fuzz_ok(urlp_buf_append(&wire->way, &one->value, 1));
            }
        }
        if (!is_dropped && !wire->is_cut) {
            fuzz_ok(urlp_buf_append(&wire->way, &byte, 1));
        }
    }
}

/* send has the server say `len` bytes of the pattern. */
static void send_pattern(struct wire *wire, size_t len)
{
    uint8_t text[20000];

    for (size_t i = 0; i < len; i++) {
        text[i] = test_pattern(wire->num_sent + i);
    }
    if (SSL_write(wire->server, text, (int)len) == (int)len) {
        wire->num_sent += len;
    }
}

static void act(struct wire *wire)
{
    const unsigned acts = wire->acts;

    wire->acts = 0;
    if ((acts & ACT_SHORT) != 0) {
        send_pattern(wire, 20);
    }
    if ((acts & ACT_UPDATE) != 0 && SSL_version(wire->server) == TLS1_3_VERSION) {
        (void)SSL_key_update(wire->server, SSL_KEY_UPDATE_REQUESTED);
    }
    if ((acts & ACT_LONG) != 0) {
        send_pattern(wire, 20000);
    }
    if ((acts & ACT_SHORT_AGAIN) != 0) {
        send_pattern(wire, 33);
    }
    if ((acts & ACT_CLOSE) != 0) {
        wire->has_closed = true;
        (void)SSL_shutdown(wire->server);
    }
}

/* run lets the server do what it can now. */
static void run(struct wire *wire)
{
    uint8_t data[4096];
    int len;

    if (wire->server == NULL) {
        return;
    }
    if (SSL_do_handshake(wire->server) == 1 && SSL_is_init_finished(wire->server) &&
        !SSL_in_early_data(wire->server)) {
        (void)SSL_read(wire->server, data, sizeof(data));
        act(wire);
    }
    ERR_clear_error();
    while ((len = BIO_read(SSL_get_wbio(wire->server), data, sizeof(data))) > 0) {
        change(wire, data, (size_t)len);
    }
}

static enum urlpool_code wire_read(struct urlp_stream *stream, void *data, size_t len,
                                   size_t *out_len, enum urlp_end *out_end,
                                   const struct urlp_call *call, struct urlpool_error *err)
{
    struct wire *wire = (struct wire *)stream;
    size_t most;

    if (wire->at == wire->way.len) {
        run(wire);
    }
    most = wire->way.len - wire->at < len ? wire->way.len - wire->at : len;
    *out_len = most;
    *out_end = URLP_END_NONE;
    if (most == 0 && (wire->is_cut || wire->server == NULL || wire->has_closed)) {
        *out_end = URLP_END_CLEAN;
        return URLPOOL_OK;
    }
    if (most == 0) {
        return urlp_fail(err, urlp_call_timeout_code(call, URLPOOL_E_READ_TIMEOUT),
                         URLPOOL_PHASE_BODY, "nothing has come");
    }
    memcpy(data, wire->way.data + wire->at, most);
    wire->at += most;
    return URLPOOL_OK;
}

static enum urlpool_code wire_write(struct urlp_stream *stream, const struct urlp_iovec *runs,
                                    size_t num_runs, size_t *out_written,
                                    const struct urlp_call *call, struct urlpool_error *err)
{
    struct wire *wire = (struct wire *)stream;

    (void)call;
    (void)err;
    *out_written = 0;
    for (size_t i = 0; i < num_runs; i++) {
        if (wire->server != NULL) {
            (void)BIO_write(SSL_get_rbio(wire->server), runs[i].data, (int)runs[i].len);
        }
        *out_written += runs[i].len;
    }
    return URLPOOL_OK;
}

static enum urlp_idle_state wire_idle_state(struct urlp_stream *stream)
{
    const struct wire *wire = (const struct wire *)stream;

    return wire->at < wire->way.len ? URLP_IDLE_UNEXPECTED
           : wire->is_cut           ? URLP_IDLE_CLOSED
                                    : URLP_IDLE_QUIET;
}

static struct urlp_stream *wire_below(const struct urlp_stream *stream)
{
    (void)stream;
    return NULL;
}

static void wire_free(struct urlp_stream *stream, enum urlp_close how)
{
    (void)how;
    ((struct wire *)stream)->is_freed = true;
}

static const struct urlp_stream_ops wire_ops = {.name = "wire",
                                                .read = wire_read,
                                                .write = wire_write,
                                                .idle_state = wire_idle_state,
                                                .below = wire_below,
                                                .free = wire_free};

static void serve(struct wire *wire, uint8_t choices)
{
    SSL_CTX *context =
        world.contexts[(choices & CHOICE_CERT) >> 3][(choices & CHOICE_TLS_1_2) != 0 ? 1 : 0];

    wire->server = fuzz_must(SSL_new(context));
    SSL_set_bio(wire->server, fuzz_must(BIO_new(BIO_s_mem())), fuzz_must(BIO_new(BIO_s_mem())));
    SSL_set_accept_state(wire->server);
    if ((choices & CHOICE_ASK_CLIENT) != 0) {
        SSL_set_verify(wire->server, SSL_VERIFY_PEER, NULL);
    }
}

/* read_all reads what the peer says inside; true when it ended in order. */
static bool read_all(struct wire *wire, struct urlp_stream *stream, size_t *out_len)
{
    const struct urlp_call call = fuzz_call();
    uint8_t piece[5000];
    size_t got = 0;
    enum urlp_end end = URLP_END_NONE;

    *out_len = 0;
    while (end == URLP_END_NONE &&
           urlp_stream_read(stream, piece, sizeof(piece), &got, &end, &call, NULL) == URLPOOL_OK) {
        for (size_t i = 0; i < got; i++) {
            fuzz_require(piece[i] == test_pattern(*out_len + i), "a byte that was never sent",
                         urlp_span_of(""));
        }
        *out_len += got;
    }
    fuzz_require(*out_len <= wire->num_sent, "more than was sent", urlp_span_of(""));
    return end == URLP_END_CLEAN;
}

static void check_connected(struct wire *wire, struct urlp_stream *stream, uint8_t choices)
{
    const struct urlp_span leaf = urlp_span_make(world.leaf, world.leaf_len);
    const size_t all = ((wire->acts & ACT_SHORT) != 0 ? 20 : 0) +
                       ((wire->acts & ACT_LONG) != 0 ? 20000 : 0) +
                       ((wire->acts & ACT_SHORT_AGAIN) != 0 ? 33 : 0);
    const bool closes = (wire->acts & ACT_CLOSE) != 0 || wire->has_closed;
    const struct urlp_iovec hello = {"hello", 5};
    const struct urlp_call call = fuzz_call();
    size_t len = 0;
    size_t written = 0;
    enum urlpool_code code;
    bool is_clean;

    fuzz_require((choices & (CHOICE_CERT | CHOICE_RAW)) == 0, "a peer that is not ours, taken",
                 urlp_span_of(""));
    fuzz_require(urlp_tls_is_verified(stream) &&
                     urlp_span_equals(urlp_tls_peer_certificate(stream), leaf),
                 "another certificate", urlp_span_of(""));
    code = urlp_stream_write(stream, &hello, 1, &written, &call, NULL);
    fuzz_require(code != URLPOOL_OK || written == hello.len, "fewer bytes taken", urlp_span_of(""));
    (void)urlp_stream_idle_state(stream);
    is_clean = read_all(wire, stream, &len);
    fuzz_require(!is_clean || (wire->has_closed && len == wire->num_sent),
                 "a clean end that was none", urlp_span_of(""));
    if (wire->num_changes == 0 && wire->num_sent > 0) {
        fuzz_require(len == wire->num_sent && len >= all && is_clean == closes,
                     "less than was sent, though nothing was changed", urlp_span_of(""));
    }
    (void)urlp_stream_idle_state(stream);
    urlp_stream_free(stream, (choices & CHOICE_ALPN) != 0 ? URLP_CLOSE_POLITE : URLP_CLOSE_SILENT);
    fuzz_require(wire->is_freed, "a stream that is left behind", urlp_span_of(""));
}

static void connect_once(struct wire *wire, uint8_t choices)
{
    const struct urlp_tls_target target = {.host = urlp_span_of(SERVER_NAME), .port = 443};
    const struct urlp_call call = fuzz_call();
    struct urlpool_error err = {0};
    struct urlp_stream *stream;

    wire->base.ops = &wire_ops;
    stream = urlp_tls_wrap(&wire->base, world.tls, &target, world.sessions, &call, &err);
    if (stream != NULL) {
        check_connected(wire, stream, choices);
    } else {
        fuzz_require(!wire->is_freed, "a stream that was the caller's, freed", urlp_span_of(""));
        fuzz_require(err.code != URLPOOL_OK && err.code != URLPOOL_E_INVALID &&
                         err.phase == URLPOOL_PHASE_TLS && err.message[0] != '\0',
                     "a failure that does not say what it is", urlp_span_of(err.message));
        fuzz_require((choices & (CHOICE_CERT | CHOICE_RAW | CHOICE_ASK_CLIENT)) != 0 ||
                         wire->num_changes > 0,
                     "refused, though nothing was changed", urlp_span_of(err.message));
    }
    fuzz_require(ERR_peek_error() == 0, "an error left in the queue", urlp_span_of(""));
    SSL_free(wire->server);
    urlp_buf_deinit(&wire->way);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t choices = fuzz_byte(&input);
    struct wire wire = {.acts = fuzz_byte(&input)};

    if (world.tls == NULL) {
        make_world();
    }
    world.sessions = fuzz_must(urlp_tls_sessions_new(4, NULL));
    if ((choices & CHOICE_RAW) != 0) {
        const struct urlp_span text = fuzz_rest(&input);

        fuzz_ok(urlp_buf_append_span(&wire.way, text));
        connect_once(&wire, choices);
    } else {
        while (input.len >= 4 && wire.num_changes < CHANGES_MAX) {
            struct change *one = &wire.changes[wire.num_changes++];

            one->at = (size_t)fuzz_byte(&input) << 8;
            one->at |= fuzz_byte(&input);
            one->what = fuzz_below(&input, NUM_CHANGES);
            one->value = fuzz_byte(&input);
        }
        if ((choices & CHOICE_RESUME) != 0) {
            struct wire before = {.acts = ACT_SHORT | ACT_CLOSE};

            serve(&before, choices);
            connect_once(&before, choices);
        }
        serve(&wire, choices);
        connect_once(&wire, choices);
    }
    urlp_tls_sessions_free(world.sessions);
    return 0;
}
