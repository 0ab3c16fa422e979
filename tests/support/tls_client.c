/* What tests of TLS do on the client's side, over urlpool's streams. */

#include "support/tls_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/error.h"
#include "net/tcp.h"

#define WAIT_MS 10000

#define MUST(condition) must((condition), #condition, __LINE__)

static void must(bool holds, const char *what, int line)
{
    if (!holds) {
        (void)fprintf(stderr, "tls_client.c:%d: %s (errno %d)\n", line, what, errno);
        abort();
    }
}

struct urlp_call test_call(void)
{
    return (struct urlp_call){.by = urlp_deadline_in(WAIT_MS), .total_by = URLP_NEVER};
}

struct urlp_stream *test_connect(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct urlp_stream *stream;

    MUST(fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0);
    MUST(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    stream = urlp_tcp_wrap(fd, NULL);
    MUST(stream != NULL);
    return stream;
}

struct urlpool_tls *test_trust(const struct test_cert *ca)
{
    return test_trust_with(ca, (struct urlpool_tls_options){0});
}

struct urlpool_tls *test_trust_with(const struct test_cert *ca, struct urlpool_tls_options options)
{
    struct urlpool_error err = {0};
    char *pem = test_cert_pem(ca);
    struct urlpool_tls *tls;

    options.ca_data = pem;
    options.ca_data_len = strlen(pem);
    tls = urlpool_tls_new(&options, &err);
    free(pem);
    if (tls == NULL) {
        (void)fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    MUST(tls != NULL);
    return tls;
}

struct urlp_stream *test_wrap(uint16_t port, struct urlpool_tls *tls, const char *host,
                              struct urlp_tls_sessions *sessions, const struct urlp_call *call,
                              struct urlpool_error *err)
{
    const struct urlp_tls_target target = {.host = urlp_span_of(host), .port = port};
    const struct urlp_call patient = test_call();
    struct urlp_stream *inner = test_connect(port);
    struct urlp_stream *stream =
        urlp_tls_wrap(inner, tls, &target, sessions, call != NULL ? call : &patient, err);

    if (stream == NULL) {
        urlp_stream_free(inner, URLP_CLOSE_SILENT);
    }
    return stream;
}

void test_say(struct urlp_stream *stream, const char *line)
{
    const struct urlp_call call = test_call();
    const struct urlp_iovec runs[] = {
        {line, strlen(line)},
        {"\n", 1           }
    };
    size_t written = 0;

    MUST(urlp_stream_write(stream, runs, 2, &written, &call, NULL) == URLPOOL_OK);
    MUST(written == strlen(line) + 1);
}

const char *test_hear(struct urlp_stream *stream)
{
    static _Thread_local char line[512];
    const struct urlp_call call = test_call();
    size_t len = 0;

    for (;;) {
        enum urlp_end end = URLP_END_NONE;
        size_t got = 0;

        MUST(len < sizeof(line));
        MUST(urlp_stream_read(stream, line + len, sizeof(line) - len, &got, &end, &call, NULL) ==
             URLPOOL_OK);
        MUST(got > 0 && end == URLP_END_NONE);
        len += got;
        if (line[len - 1] == '\n') {
            line[len - 1] = '\0';
            return line;
        }
    }
}

const char *test_ask(struct urlp_stream *stream, const char *line)
{
    test_say(stream, line);
    return test_hear(stream);
}

void test_wait_readable(const struct urlp_stream *stream)
{
    struct pollfd fd = {.fd = urlp_stream_fd(stream), .events = POLLIN};

    MUST(poll(&fd, 1, WAIT_MS) == 1);
}

struct counting_stream {
    struct urlp_stream base;
    struct urlp_stream *inner;
    struct test_counts *counts;
};

/* wait_for_bytes waits until `len` bytes can be read from the socket below at once. */
static void wait_for_bytes(const struct urlp_stream *stream, size_t len)
{
    const int fd = urlp_stream_fd(stream);
    const int some = 1, all = (int)len;

    MUST(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &all, sizeof(all)) == 0);
    test_wait_readable(stream);
    MUST(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &some, sizeof(some)) == 0);
}

static bool is_refusing(const struct counting_stream *stream)
{
    return stream->counts->write_code != URLPOOL_OK &&
           stream->counts->num_writes > stream->counts->num_writes_first;
}

static bool has_last_words(const struct counting_stream *stream)
{
    return stream->counts->last_words != NULL && is_refusing(stream);
}

static enum urlpool_code read_last_words(struct test_counts *counts, void *data, size_t len,
                                         size_t *out_len, enum urlp_end *out_end)
{
    len = len < counts->last_words_len ? len : counts->last_words_len;
    memcpy(data, counts->last_words, len);
    counts->last_words += len;
    counts->last_words_len -= len;
    *out_len = len;
    *out_end = len == 0 ? URLP_END_CLEAN : URLP_END_NONE;
    return URLPOOL_OK;
}

static enum urlpool_code counted_read(struct urlp_stream *base, void *data, size_t len,
                                      size_t *out_len, enum urlp_end *out_end,
                                      const struct urlp_call *call, struct urlpool_error *err)
{
    struct counting_stream *stream = (struct counting_stream *)base;
    struct test_counts *counts = stream->counts;
    enum urlpool_code code;
    size_t awaited;

    counts->num_reads++;
    if (has_last_words(stream)) {
        return read_last_words(counts, data, len, out_len, out_end);
    }
    awaited = len < TEST_READ_WAITS_FOR ? len : TEST_READ_WAITS_FOR;
    if (awaited <= counts->num_coming) {
        wait_for_bytes(stream->inner, awaited);
    }
    code = urlp_stream_read(stream->inner, data, len, out_len, out_end, call, err);
    if (code == URLPOOL_OK) {
        counts->num_coming -= *out_len < counts->num_coming ? *out_len : counts->num_coming;
    }
    return code;
}

static enum urlpool_code counted_write(struct urlp_stream *base, const struct urlp_iovec *runs,
                                       size_t num_runs, size_t *out_written,
                                       const struct urlp_call *call, struct urlpool_error *err)
{
    struct counting_stream *stream = (struct counting_stream *)base;
    struct urlp_iovec first = runs[0];
    size_t len = 0;

    for (size_t i = 0; i < num_runs; i++) {
        len += runs[i].len;
    }
    stream->counts->num_writes++;
    if (is_refusing(stream)) {
        return urlp_fail(err, stream->counts->write_code, URLPOOL_PHASE_SEND, "failed by the test");
    }
    if (len > stream->counts->largest_write) {
        stream->counts->largest_write = len;
    }
    if (stream->counts->write_bytes_max != 0 && runs[0].len > stream->counts->write_bytes_max) {
        first.len = stream->counts->write_bytes_max;
        num_runs = 1;
        runs = &first;
    }
    return urlp_stream_write(stream->inner, runs, num_runs, out_written, call, err);
}

static enum urlp_idle_state counted_look(struct urlp_stream *base)
{
    struct counting_stream *stream = (struct counting_stream *)base;

    stream->counts->num_looks++;
    if (has_last_words(stream)) {
        return stream->counts->last_words_len > 0 ? URLP_IDLE_UNEXPECTED : URLP_IDLE_CLOSED;
    }
    return urlp_stream_idle_state(stream->inner);
}

static struct urlp_stream *counted_below(const struct urlp_stream *base)
{
    return ((const struct counting_stream *)base)->inner;
}

static void counted_free(struct urlp_stream *base, enum urlp_close how)
{
    struct counting_stream *stream = (struct counting_stream *)base;

    urlp_stream_free(stream->inner, how);
    free(stream);
}

struct urlp_stream *test_count_calls(struct urlp_stream *inner, struct test_counts *counts)
{
    static const struct urlp_stream_ops ops = {
        .name = "counting",
        .read = counted_read,
        .write = counted_write,
        .idle_state = counted_look,
        .below = counted_below,
        .free = counted_free,
    };
    struct counting_stream *stream = calloc(1, sizeof(*stream));

    MUST(stream != NULL);
    stream->base.ops = &ops;
    stream->inner = inner;
    stream->counts = counts;
    return &stream->base;
}
