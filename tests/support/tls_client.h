#ifndef TESTS_SUPPORT_TLS_CLIENT_H
#define TESTS_SUPPORT_TLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/call.h"
#include "base/counters.h"
#include "net/stream.h"
#include "net/tls.h"
#include "support/certs.h"
#include "support/tls_server.h"

/* The client's side of tests against tls_server.h. Whatever goes wrong that a test did not ask for
 * aborts it. */

/* test_call allows ten seconds. */
struct urlp_call test_call(void);

/* test_connect makes a TCP stream to 127.0.0.1. */
struct urlp_stream *test_connect(uint16_t port);

/* test_trust is a configuration that trusts `ca` alone. */
struct urlpool_tls *test_trust(const struct test_cert *ca);

/* test_trust_with does so with what else `options` ask for. */
struct urlpool_tls *test_trust_with(const struct test_cert *ca, struct urlpool_tls_options options);

/* test_wrap shakes hands over a new connection to `port`, asking for `host`; NULL with `err` filled
 * when that failed. The session cache and the call may be NULL. */
struct urlp_stream *test_wrap(uint16_t port, struct urlpool_tls *tls, const char *host,
                              struct urlp_tls_sessions *sessions, const struct urlp_call *call,
                              struct urlpool_error *err);

/* test_say writes `line` and a newline; test_hear reads up to and without the next newline. */
void test_say(struct urlp_stream *stream, const char *line);
const char *test_hear(struct urlp_stream *stream);

/* test_ask does both. Owns: the string is good until the next of these calls. */
const char *test_ask(struct urlp_stream *stream, const char *line);

/* test_wait_readable waits until the socket below has something to read. */
void test_wait_readable(const struct urlp_stream *stream);

#define TEST_READ_WAITS_FOR 32768

/* struct test_counts is how often a stream was called, and, set by the test, how it behaves. */
struct test_counts {
    unsigned num_reads, num_writes, num_looks;
    size_t largest_write;
    size_t num_coming;            /* bytes that are sure to come: TEST_READ_WAITS_FOR of them, or as
                                     many as a read asks for, are there before it is made */
    enum urlpool_code write_code; /* writes fail with it; URLPOOL_OK: they go through */
    unsigned num_writes_first;    /* that go through all the same */
    const char *last_words;       /* what reads bring once a write has failed; NULL: what comes */
    size_t last_words_len;
    size_t write_bytes_max; /* of one call; 0: all */
};

/* test_count_calls puts a stream between that counts the calls; `counts` outlives it. */
struct urlp_stream *test_count_calls(struct urlp_stream *inner, struct test_counts *counts);

#endif /* TESTS_SUPPORT_TLS_CLIENT_H */
