/* A server that goes wrong by number, on top of the scripted one. */

#include "support/fault_server.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    HEAD_MAX = 128, /* the first line of a body */
    INTERIMS = 20,
    IDLE_MS = 2, /* a farewell comes so long behind an answer */
    TRICKLE_BYTES = 40,
    TRICKLE_US = 100
};

struct fault_server {
    struct test_server *http;
    uint64_t seed;
    struct fault_mix mix;
    size_t num_ids;
    _Atomic uint64_t num_answers; /* spreads the faults */
    _Atomic unsigned *posts;      /* of each id */
    _Atomic unsigned played[FAULT_NUM];
};

const struct fault_mix fault_mix_usual = {
    .permille = {[FAULT_NONE] = 600,
                 [FAULT_SAYS_CLOSE] = 80,
                 [FAULT_CLOSES] = 60,
                 [FAULT_ENDS_BODY] = 50,
                 [FAULT_RESETS_BODY] = 40,
                 [FAULT_RESETS_BEFORE] = 40,
                 [FAULT_ADDS_BYTES] = 30,
                 [FAULT_FAREWELL] = 30,
                 [FAULT_INTERIM] = 20,
                 [FAULT_TRICKLES] = 20,
                 [FAULT_LONG_LENGTH] = 5,
                 [FAULT_SHORT_LENGTH] = 5,
                 [FAULT_BAD_CHUNK] = 10,
                 [FAULT_STALLS] = 10}
};

static const char *const names[FAULT_NUM] = {
    "none",          "says-close",   "closes",    "ends-body", "resets-body",
    "resets-before", "adds-bytes",   "farewell",  "interim",   "trickles",
    "long-length",   "short-length", "bad-chunk", "stalls"};

const char *fault_name(enum fault fault)
{
    return names[fault];
}

/* mix64 is the finaliser of SplitMix64: neighbouring numbers become far apart. */
static uint64_t mix64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* payload writes the bytes that follow from `seed`, and returns their hash (FNV-1a). */
static uint64_t payload(uint64_t seed, uint8_t *out, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325U;

    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0) {
            seed = mix64(seed);
        }
        out[i] = (uint8_t)(seed >> (8 * (i % 8)));
        hash = (hash ^ out[i]) * 0x100000001b3U;
    }
    return hash;
}

/* length_of is how long an answer is: mostly short, sometimes nothing, now and then long. */
static size_t length_of(uint64_t seed)
{
    uint64_t draw = mix64(seed ^ 1);

    if (draw % 16 == 0) {
        return 0;
    }
    return (size_t)((draw >> 8) % (draw % 64 == 1 ? 200000 : 1500));
}

/* make_answer makes the body of an answer; for free(). */
static uint8_t *make_answer(size_t id, uint64_t seed, size_t *out_len)
{
    size_t len = length_of(seed);
    uint8_t *body = malloc(HEAD_MAX + len);
    char head[HEAD_MAX];
    uint64_t hash;
    int head_len;

    if (body == NULL) {
        abort();
    }
    hash = payload(seed, body + HEAD_MAX, len);
    head_len =
        snprintf(head, sizeof(head), "%zu|%" PRIu64 "|%zu|%016" PRIx64 "\n", id, seed, len, hash);
    memcpy(body, head, (size_t)head_len);
    memmove(body + head_len, body + HEAD_MAX, len);
    *out_len = (size_t)head_len + len;
    return body;
}

bool fault_answer_is_right(const void *data, size_t len, size_t id, bool is_cut)
{
    char head[HEAD_MAX];
    size_t head_len = len < sizeof(head) - 1 ? len : sizeof(head) - 1;
    uint64_t seed = 0;
    size_t said_id = 0;
    uint8_t *expected;
    size_t expected_len;
    bool is_right;

    memcpy(head, data, head_len);
    head[head_len] = '\0';
    if (sscanf(head, "%zu|%" SCNu64 "|", &said_id, &seed) != 2 || said_id != id) {
        return is_cut && len < 24; /* too short to say whose it is */
    }
    expected = make_answer(id, seed, &expected_len);
    is_right =
        (is_cut ? len <= expected_len : len == expected_len) && memcmp(data, expected, len) == 0;
    free(expected);
    return is_right;
}

/* --- serving ---------------------------------------------------------------------------------- */

/* struct reply is one answer on its way. */
struct reply {
    struct test_peer *peer;
    size_t id;
    enum fault fault;
    const uint8_t *body;
    size_t len;
    bool is_chunked;
};

static void send_head(const struct reply *reply)
{
    char head[512];
    char framing[64];
    size_t said = reply->len;
    int len;

    said += reply->fault == FAULT_LONG_LENGTH ? 100 : 0;
    said -= reply->fault == FAULT_SHORT_LENGTH ? 5 : 0;
    if (reply->is_chunked) {
        snprintf(framing, sizeof(framing), "Transfer-Encoding: chunked");
    } else {
        snprintf(framing, sizeof(framing), "Content-Length: %zu", said);
    }
    len =
        snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nX-Id: %zu\r\nX-Fault: %s\r\n%s%s\r\n\r\n",
                 reply->id, fault_name(reply->fault),
                 reply->fault == FAULT_SAYS_CLOSE ? "Connection: close\r\n" : "", framing);
    if (reply->fault == FAULT_TRICKLES) {
        for (int i = 0; i < len; i++) {
            test_peer_send(reply->peer, head + i, 1);
            if (i < TRICKLE_BYTES) {
                usleep(TRICKLE_US);
            }
        }
        return;
    }
    test_peer_send(reply->peer, head, (size_t)len);
}

/* send_part sends `len` bytes of the body from `at` on, framed. */
static void send_part(const struct reply *reply, size_t at, size_t len)
{
    char line[32];

    if (len == 0) {
        return;
    }
    if (reply->is_chunked) {
        test_peer_send(reply->peer, line, (size_t)snprintf(line, sizeof(line), "%zx\r\n", len));
    }
    test_peer_send(reply->peer, reply->body + at, len);
    if (reply->is_chunked) {
        test_peer_send_text(reply->peer, "\r\n");
    }
}

static void send_whole(const struct reply *reply)
{
    size_t half = reply->len / 2;

    send_head(reply);
    send_part(reply, 0, half);
    send_part(reply, half, reply->len - half);
    if (reply->is_chunked) {
        test_peer_send_text(reply->peer, "0\r\n\r\n");
    }
}

/* send_double sends an answer whose last byte comes together with another answer. Did the other
 * come a moment later, HTTP/1.1 could not tell it from the answer to a next question. */
static void send_double(const struct reply *reply)
{
    char tail[256];
    size_t last = reply->is_chunked ? 0 : 1;
    int len =
        snprintf(tail, sizeof(tail),
                 "%.*s%sHTTP/1.1 200 OK\r\nX-Id: nobodys\r\nContent-Length: 8\r\n\r\nnobody's",
                 (int)last, "?", reply->is_chunked ? "0\r\n\r\n" : "");

    send_head(reply);
    send_part(reply, 0, reply->len - last);
    if (last > 0) {
        tail[0] = (char)reply->body[reply->len - 1];
    }
    test_peer_send(reply->peer, tail, (size_t)len);
}

/* send_broken sends an answer that breaks off in its body. */
static void send_broken(const struct reply *reply)
{
    send_head(reply);
    send_part(reply, 0, reply->len / 2);
    switch (reply->fault) {
    case FAULT_RESETS_BODY:
        test_peer_reset(reply->peer);
        break;
    case FAULT_BAD_CHUNK:
        test_peer_send_text(reply->peer, "5x\r\nhello\r\n0\r\n\r\n");
        test_peer_close(reply->peer);
        break;
    case FAULT_STALLS:
        test_peer_stay(reply->peer);
        break;
    default:
        test_peer_cut(reply->peer);
        break;
    }
}

static void play(const struct reply *reply)
{
    switch (reply->fault) {
    case FAULT_ENDS_BODY:
    case FAULT_RESETS_BODY:
    case FAULT_BAD_CHUNK:
    case FAULT_STALLS:
        send_broken(reply);
        return;
    case FAULT_RESETS_BEFORE:
        test_peer_reset(reply->peer);
        return;
    case FAULT_INTERIM:
        for (int i = 0; i < INTERIMS; i++) {
            test_peer_send_text(reply->peer, "HTTP/1.1 103 Early Hints\r\nX-Id: none\r\n\r\n");
        }
        break;
    default:
        break;
    }
    if (reply->fault == FAULT_ADDS_BYTES) {
        send_double(reply);
        return;
    }
    send_whole(reply);
    if (reply->fault == FAULT_FAREWELL && test_peer_hears_nothing(reply->peer, IDLE_MS)) {
        test_peer_reply(reply->peer, 408, "Connection: close\r\nX-Id: none\r\n", "too late");
    }
    if (reply->fault == FAULT_SAYS_CLOSE || reply->fault == FAULT_FAREWELL) {
        test_peer_close(reply->peer);
    } else if (reply->fault == FAULT_CLOSES || reply->fault == FAULT_LONG_LENGTH) {
        test_peer_cut(reply->peer);
    }
}

static enum fault draw_fault(const struct fault_server *server, uint64_t draw)
{
    unsigned left = (unsigned)(draw % 1000);

    for (int i = 0; i < FAULT_NUM; i++) {
        if (left < server->mix.permille[i]) {
            return (enum fault)i;
        }
        left -= server->mix.permille[i];
    }
    return FAULT_NONE;
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    struct fault_server *server = user;
    uint64_t draw = mix64(server->seed ^ atomic_fetch_add(&server->num_answers, 1));
    struct reply reply = {.peer = peer, .id = strtoul(request->target + 1, NULL, 10)};
    uint8_t *body;

    if (reply.id >= server->num_ids) {
        abort();
    }
    if (strcmp(request->method, "POST") == 0) {
        atomic_fetch_add(&server->posts[reply.id], 1);
    }
    reply.fault = draw_fault(server, draw);
    reply.is_chunked = reply.fault == FAULT_BAD_CHUNK ||
                       (reply.fault != FAULT_LONG_LENGTH && reply.fault != FAULT_SHORT_LENGTH &&
                        (draw >> 20) % 3 == 0);
    body = make_answer(reply.id, mix64(draw), &reply.len);
    reply.body = body;
    atomic_fetch_add(&server->played[reply.fault], 1);
    play(&reply);
    free(body);
}

/* --- life ------------------------------------------------------------------------------------- */

struct fault_server *fault_server_start(uint64_t seed, const struct fault_mix *mix, size_t ids,
                                        void *tls)
{
    struct fault_server *server = calloc(1, sizeof(*server));
    const struct test_server_options options = {.tls = tls};

    if (server == NULL || (server->posts = calloc(ids, sizeof(*server->posts))) == NULL) {
        abort();
    }
    server->seed = mix64(seed); /* servers of neighbouring seeds draw nothing in common */
    server->mix = *mix;
    server->num_ids = ids;
    server->http = test_server_start(answer, server, &options);
    return server;
}

void fault_server_stop(struct fault_server *server)
{
    test_server_stop(server->http);
    free((void *)server->posts);
    free(server);
}

const char *fault_server_url(const struct fault_server *server, size_t id, char *out,
                             size_t out_size)
{
    char path[32];

    snprintf(path, sizeof(path), "/%zu", id);
    return test_server_url(server->http, path, out, out_size);
}

unsigned fault_server_num_posts(const struct fault_server *server, size_t id)
{
    return atomic_load(&server->posts[id]);
}

unsigned fault_server_num(const struct fault_server *server, enum fault fault)
{
    return atomic_load(&server->played[fault]);
}

unsigned fault_server_num_connections(struct fault_server *server)
{
    return test_server_num_connections(server->http);
}
