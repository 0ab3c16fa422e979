/* What the bench server answers, by the path:
 *   /N          N bytes with their length       /chunked/N   in chunks of 64 KiB
 *   /gzip/N     coded, N bytes when decoded; br and zstd too
 *   /close/N    and the connection closes       /fields/F    100 bytes behind F more fields
 *   /hold       nothing, ever
 * A request with a body is answered by 2 bytes once that is here. */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

#define HEAD_LINES                            \
    "HTTP/1.1 200 OK\r\n"                     \
    "Server: bench/1.0\r\n"                   \
    "Date: Sun, 01 Jan 2023 00:00:00 GMT\r\n" \
    "Content-Type: text/plain\r\n"

enum {
    FIELDS_BODY = 100,
    SINK_BODY = 2
};

/* add_text appends to what goes out first. */
static void add_text(struct peer *peer, const char *text, size_t len)
{
    if (len > TEXT_BYTES - peer->text_len) {
        die("a head is too long");
    }
    memcpy(peer->text + peer->text_len, text, len);
    peer->text_len += len;
}

static void add_line(struct peer *peer, const char *name, const char *value)
{
    char line[128];
    int len = snprintf(line, sizeof(line), "%s: %s\r\n", name, value);

    add_text(peer, line, (size_t)len);
}

/* send_body ends the head of an answer of `len` bytes of `content`. */
static void send_body(struct peer *peer, const struct content *content, uint64_t len)
{
    char number[24];

    snprintf(number, sizeof(number), "%llu", (unsigned long long)len);
    add_line(peer, "Content-Length", number);
    add_line(peer, "Connection", peer->closes ? "close" : "keep-alive");
    add_text(peer, "\r\n", 2);
    if (len <= SMALL_BYTES && len <= content->len) {
        add_text(peer, (const char *)content->bytes, len);
        return;
    }
    peer->content = content;
    peer->piece_left = len;
}

static void send_chunks(struct peer *peer, uint64_t len)
{
    add_text(peer, "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n", 54);
    peer->content = content_letters();
    peer->chunked = true;
    peer->chunks_left = len;
}

bool next_chunk(struct peer *peer)
{
    const bool first = peer->offset == 0;
    char line[32];

    if (!peer->chunked) {
        return false;
    }
    peer->piece_left = peer->chunks_left < CHUNK_BYTES ? peer->chunks_left : CHUNK_BYTES;
    peer->chunks_left -= peer->piece_left;
    peer->chunked = peer->piece_left > 0;
    peer->text_len = 0;
    peer->text_sent = 0;
    add_text(peer, line,
             (size_t)snprintf(line, sizeof(line), "%s%llx\r\n%s", first ? "" : "\r\n",
                              (unsigned long long)peer->piece_left, peer->chunked ? "" : "\r\n"));
    return true;
}

/* after returns what stands behind `prefix` in the path, or NULL. */
static const char *after(const char *path, const char *prefix)
{
    const size_t len = strlen(prefix);

    return strncmp(path, prefix, len) == 0 ? path + len : NULL;
}

static void answer_fields(struct peer *peer, long num)
{
    char name[32];

    for (long i = 0; i < num; i++) {
        snprintf(name, sizeof(name), "X-Field-%ld", i);
        add_line(peer, name, "a value of usual length");
    }
    send_body(peer, content_letters(), FIELDS_BODY);
}

static void answer_coded(struct peer *peer, const char *coding, const char *len)
{
    const struct content *content = content_coded(coding, strtoull(len, NULL, 10));

    add_line(peer, "Content-Encoding", coding);
    send_body(peer, content, content->len);
}

/* answer_path prepares the answer to a GET. */
static bool answer_path(struct peer *peer, const char *path)
{
    static const char *const codings[] = {"gzip", "br", "zstd"};
    const char *rest;
    char prefix[16];

    if (after(path, "/hold") != NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
        snprintf(prefix, sizeof(prefix), "/%s/", codings[i]);
        if ((rest = after(path, prefix)) != NULL) {
            answer_coded(peer, codings[i], rest);
            return true;
        }
    }
    if ((rest = after(path, "/chunked/")) != NULL) {
        send_chunks(peer, strtoull(rest, NULL, 10));
    } else if ((rest = after(path, "/fields/")) != NULL) {
        answer_fields(peer, strtol(rest, NULL, 10));
    } else if ((rest = after(path, "/close/")) != NULL) {
        peer->closes = true;
        send_body(peer, content_letters(), strtoull(rest, NULL, 10));
    } else {
        send_body(peer, content_letters(), strtoull(path + 1, NULL, 10));
    }
    return true;
}

bool answer(struct peer *peer, size_t head_len)
{
    char path[256];

    peer->in[head_len - 1] = '\0';
    if (sscanf(peer->in, "%*15s %255s", path) != 1) {
        die("not a request");
    }
    peer->text_len = 0;
    peer->text_sent = 0;
    peer->offset = 0;
    add_text(peer, HEAD_LINES, strlen(HEAD_LINES));
    if (strcasestr(peer->in, "\r\nContent-Length: ") != NULL) {
        send_body(peer, content_letters(), SINK_BODY);
        return true;
    }
    return answer_path(peer, path);
}
