/* The stream that gives back what was read too early. */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/tcp.h"
#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/run_tests.h"

static struct urlp_stream *stream;
static int peer;
static struct urlpool_error err;

static void open_with(const char *prefix)
{
    struct urlp_stream *tcp;
    int fds[2];

    loopback_pair(fds);
    peer = fds[1];
    tcp = urlp_tcp_wrap(fds[0], &err);
    ck_assert_ptr_nonnull(tcp);
    stream = urlp_prefix_wrap(tcp, prefix, strlen(prefix), &err);
    ck_assert_ptr_nonnull(stream);
}

static void close_all(void)
{
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    (void)close(peer);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}

/* next_read returns what one read gave, as text; "" at the end. */
static const char *next_read(size_t size)
{
    static char data[100];
    struct urlp_call call = {.by = urlp_deadline_in(1000), .total_by = URLP_NEVER};
    enum urlp_end end = URLP_END_RAGGED;
    size_t len = 0;

    ck_assert_int_eq(urlp_stream_read(stream, data, size, &len, &end, &call, &err), URLPOOL_OK);
    ck_assert_int_eq(end, len > 0 ? URLP_END_NONE : URLP_END_CLEAN);
    data[len] = '\0';
    return data;
}

START_TEST(prefix__comes_first_then_the_stream_below)
{
    open_with("abc");
    ck_assert_int_eq(write(peer, "def", 3), 3);
    ck_assert_str_eq(next_read(50), "abc");
    ck_assert_str_eq(next_read(50), "def");
    (void)shutdown(peer, SHUT_WR);
    ck_assert_str_eq(next_read(50), "");
    close_all();
}
END_TEST

START_TEST(prefix__may_be_read_in_pieces)
{
    open_with("abc");
    ck_assert_str_eq(next_read(2), "ab");
    ck_assert_str_eq(next_read(2), "c");
    close_all();
}
END_TEST

START_TEST(prefix__may_be_empty)
{
    open_with("");
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_QUIET);
    ck_assert_int_eq(write(peer, "x", 1), 1);
    ck_assert_str_eq(next_read(50), "x");
    close_all();
}
END_TEST

START_TEST(prefix__counts_as_unexpected_until_it_is_read)
{
    open_with("ab");
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_UNEXPECTED);
    ck_assert_str_eq(next_read(1), "a");
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_UNEXPECTED);
    ck_assert_str_eq(next_read(1), "b");
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_QUIET);
    (void)shutdown(peer, SHUT_WR);
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_CLOSED);
    close_all();
}
END_TEST

START_TEST(prefix__writes_go_straight_through)
{
    struct urlp_call call = {.by = urlp_deadline_in(1000), .total_by = URLP_NEVER};
    struct urlp_iovec run = {"hi", 2};
    size_t written = 0;
    char data[10];

    open_with("abc");
    ck_assert_int_eq(urlp_stream_write(stream, &run, 1, &written, &call, &err), URLPOOL_OK);
    ck_assert_uint_eq(written, 2);
    ck_assert_int_eq(read(peer, data, sizeof(data)), 2);
    ck_assert_mem_eq(data, "hi", 2);
    close_all();
}
END_TEST

START_TEST(prefix__shows_the_socket_and_the_peer_below)
{
    struct urlp_peer who;

    open_with("abc");
    ck_assert_str_eq(stream->ops->name, "prefix");
    ck_assert_str_eq(stream->ops->below(stream)->ops->name, "tcp");
    ck_assert_int_ge(urlp_stream_fd(stream), 0);
    ck_assert(urlp_stream_peer(stream, &who));
    close_all();
}
END_TEST

START_TEST(prefix__closes_what_is_below)
{
    unsigned num_fds = loopback_num_fds();

    open_with("abc");
    close_all();
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
}
END_TEST

START_TEST(wrap__without_memory_leaves_the_stream_to_the_caller)
{
    struct urlp_stream *tcp;
    int fds[2];

    failing_allocator_install();
    loopback_pair(fds);
    tcp = urlp_tcp_wrap(fds[0], &err);
    failing_allocator_fail_nth(1);
    ck_assert_ptr_null(urlp_prefix_wrap(tcp, "abc", 3, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
    ck_assert_ptr_null(urlp_prefix_wrap(tcp, "abc", SIZE_MAX, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
    ck_assert_int_eq(urlp_stream_idle_state(tcp), URLP_IDLE_QUIET);
    urlp_stream_free(tcp, URLP_CLOSE_SILENT);
    (void)close(fds[1]);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    failing_allocator_remove();
}
END_TEST

RUN_TESTS("prefix_stream", prefix__comes_first_then_the_stream_below, prefix__may_be_read_in_pieces,
          prefix__may_be_empty, prefix__counts_as_unexpected_until_it_is_read,
          prefix__writes_go_straight_through, prefix__shows_the_socket_and_the_peer_below,
          prefix__closes_what_is_below, wrap__without_memory_leaves_the_stream_to_the_caller)
