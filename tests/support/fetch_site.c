/* What pooled-fetch is tested against. */

#include "support/fetch_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/count_of.h"

static const unsigned char gzipped[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x2b\x2e\x2c\x4d\x4d\xad\x4a\x4d\xe1\x02\x00\x66\xed"
    "\xbc\x53\x09\x00\x00\x00";

/* Bytes as they go out. With `closes` the connection ends behind them. */
static const struct {
    const char *path;
    const char *bytes;
    bool closes;
} scripts[] = {
    {"/hello",
     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Case: KePt\r\nSet-Cookie: a=b\r\n"
     "Content-Length: 6\r\n\r\nhello\n",                                                                false},
    {"/hello2",      "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello again\n",                      false},
    {"/named",
     "HTTP/1.1 200 OK\r\nContent-Disposition: attachment; "
     "filename=\"given.txt\"\r\nContent-Length: 6\r\n\r\nnamed\n",                                      false},
    {"/named-above",
     "HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=../../up\r\nContent-Length: "
     "3\r\n\r\nup\n",                                                                                   false},
    {"/dated",
     "HTTP/1.1 200 OK\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\nETag: "
     "\"v1\"\r\nContent-Length: 6\r\n\r\ndated\n",                                                      false},
    {"/none",        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",                                    false},
    {"/chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nchun\r\n3\r\nked\r\n0\r\n\r\n",         false},
    {"/interim",
     "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",    false},
    {"/loop",        "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 6\r\n\r\naround",        false},
    {"/to-ftp",      "HTTP/1.1 302 Found\r\nLocation: ldaps://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
     false                                                                                                   },
    {"/to-nonsense", "HTTP/1.1 302 Found\r\nLocation: http://a b/\r\nContent-Length: 0\r\n\r\n",
     false                                                                                                   },
    {"/cut",         "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",                              true },
    {"/cut-tagged",  "HTTP/1.1 200 OK\r\nETag: \"abc\"\r\nContent-Length: 10\r\n\r\nshort",             true },
    {"/cut-head",    "HTTP/1.1 200 OK\r\nContent-Len",                                                  true },
    {"/empty",       "",                                                                                true },
    {"/garbage",     "hello there\r\n\r\n",                                                             true },
    {"/bad-field",   "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",                                        true },
    {"/bad-chunk",   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",                     true },
    {"/coding",      "HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\n\r\nzz\r\n",                         true },
    {"/bad-gzip",    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain",
     false                                                                                                   },
    {"/old",         "HTTP/1.0 200 OK\r\nContent-Type: text/old\r\n\r\nold",                            true },
};

char site_big(size_t offset)
{
    return (char)('a' + (offset * 7 + offset / 1021) % 26);
}

static void answer_big(struct test_peer *peer)
{
    char *body = malloc(SITE_BIG_LEN);

    ck_assert_ptr_nonnull(body);
    for (size_t i = 0; i < SITE_BIG_LEN; i++) {
        body[i] = site_big(i);
    }
    test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n");
    test_peer_send(peer, body, SITE_BIG_LEN);
    free(body);
}

enum {
    RANGED_LEN = 26
};

/* answer_ranged sends the letters from the one on that is asked for, unless If-Range is of another
 * version; an If-None-Match of this one gets a 304. */
static void answer_ranged(struct test_peer *peer, const struct test_request *request)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    const char *range = strstr(request->head, "\r\nRange: bytes=");
    const char *same = strstr(request->head, "\r\nIf-Range: ");
    int first = range != NULL ? atoi(range + strlen("\r\nRange: bytes=")) : 0;
    char fields[128];

    if (strstr(request->head, "\r\nIf-None-Match: \"abc\"\r\n") != NULL) {
        test_peer_send_text(peer, "HTTP/1.1 304 Not Modified\r\nETag: \"abc\"\r\n\r\n");
        return;
    }
    if (same != NULL && strncmp(same + strlen("\r\nIf-Range: "), "\"abc\"\r\n", 7) != 0) {
        first = 0;
        range = NULL;
    }
    if (first >= RANGED_LEN) {
        test_peer_reply(peer, 416, "Content-Range: bytes */26\r\nETag: \"abc\"\r\n", "no more\n");
        return;
    }
    (void)snprintf(fields, sizeof(fields), "ETag: \"abc\"\r\nContent-Range: bytes %d-25/26\r\n",
                   first);
    test_peer_reply(peer, range != NULL ? 206 : 200, range != NULL ? fields : "ETag: \"abc\"\r\n",
                    letters + first);
}

static void answer_echo(struct test_peer *peer, const struct test_request *request)
{
    char head[128];

    (void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                   strlen(request->head) + request->body_len);
    test_peer_send_text(peer, head);
    test_peer_send_text(peer, request->head);
    test_peer_send(peer, request->body, request->body_len);
}

static void redirect(struct test_peer *peer, int status, const char *location)
{
    char fields[512];

    (void)snprintf(fields, sizeof(fields), "Location: %s\r\n", location);
    test_peer_reply(peer, status, fields, "moved");
}

/* answer_by_prefix answers paths with a part that varies. */
static bool answer_by_prefix(struct test_peer *peer, const char *target)
{
    char text[64];

    if (strncmp(target, "/status/", 8) == 0) {
        int status = atoi(target + 8);
        (void)snprintf(text, sizeof(text), "status %d\n", status);
        test_peer_reply(peer, status, NULL, text);
    } else if (strncmp(target, "/hop/", 5) == 0) {
        int left = atoi(target + 5);
        (void)snprintf(text, sizeof(text), "/hop/%d", left - 1);
        redirect(peer, 302, left > 0 ? text : "/hello");
    } else if (strncmp(target, "/to/", 4) == 0) {
        redirect(peer, 302, target + 4);
    } else if (strncmp(target, "/via/", 5) == 0) {
        redirect(peer, atoi(target + 5), target + 9);
    } else {
        return false;
    }
    return true;
}

void site_answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    const char *target = request->target;

    (void)user;
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        if (strcmp(scripts[i].path, target) == 0) {
            size_t len = strlen(scripts[i].bytes);
            const char *end = strstr(scripts[i].bytes, "\r\n\r\n");

            if (strcmp(request->method, "HEAD") == 0 && end != NULL) {
                len = (size_t)(end - scripts[i].bytes) + 4;
            }
            test_peer_send(peer, scripts[i].bytes, len);
            if (scripts[i].closes) {
                test_peer_close(peer);
            }
            return;
        }
    }
    if (strcmp(target, "/big") == 0) {
        answer_big(peer);
    } else if (strcmp(target, "/gzip") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                                  "Content-Length: 29\r\n\r\n");
        test_peer_send(peer, gzipped, sizeof(gzipped) - 1);
    } else if (strncmp(target, "/echo", 5) == 0) {
        answer_echo(peer, request);
    } else if (strcmp(target, "/ranged") == 0) {
        answer_ranged(peer, request);
    } else if (strcmp(target, "/reset") == 0) {
        test_peer_reset(peer);
    } else if (strcmp(target, "/stay") == 0) {
        test_peer_stay(peer);
    } else if (strcmp(target, "/drip") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
        test_peer_stay(peer);
    } else if (!answer_by_prefix(peer, target)) {
        test_peer_reply(peer, 404, NULL, "not here\n");
    }
}

void site_begin(struct site *site)
{
    const struct test_server_options options = {.says_continue = true};

    site->server = test_server_start(site_answer, NULL, &options);
    site->dir = test_dir();
}

void site_end(struct site *site)
{
    test_server_stop(site->server);
    test_dir_remove(site->dir);
}

/* next_text is one of eight places for texts. */
static char *next_text(void)
{
    static char texts[8][512];
    static unsigned next;

    return texts[next++ % COUNT_OF(texts)];
}

const char *site_url(const struct site *site, const char *path)
{
    return test_server_url(site->server, path, next_text(), 512);
}

const char *site_path(const struct site *site, const char *name)
{
    char *text = next_text();

    (void)snprintf(text, 512, "%s/%s", site->dir, name);
    return text;
}

char *site_file(const struct site *site, const char *name)
{
    FILE *file = fopen(site_path(site, name), "r");
    char *text;
    size_t len;

    if (file == NULL) {
        return NULL;
    }
    text = calloc(1, 1 << 20);
    ck_assert_ptr_nonnull(text);
    len = fread(text, 1, (1 << 20) - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    return text;
}

struct ran *site_fetch(const struct site *site, const char *input, const char *const *args)
{
    const struct program_options options = {.input = input, .dir = site->dir};

    return program_run(args, &options);
}
