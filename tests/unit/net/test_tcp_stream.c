/* A TCP stream over a real socket: what it reads and writes, when it gives up, and which system
 * calls it makes for that. The calls are seen, and made to fail, by functions of the same names
 * that stand before libc's. */

#undef _FORTIFY_SOURCE /* or poll would go by another name */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "urlpool/cancel.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/counters.h"
#include "net/tcp.h"
#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/run_tests.h"

/* --- seeing system calls --- */

static struct {
    char calls[256]; /* " look send poll recv" */
    int poll_ms;     /* of the last poll */
    nfds_t num_fds;
    int num_interrupts; /* so many calls from now fail with EINTR */
    size_t short_len; /* not 0: the next sendfile ends there, by a reset that it does not tell of */
} seen;
static atomic_bool has_polled;

static bool note(const char *call)
{
    if (strlen(seen.calls) + strlen(call) + 1 < sizeof(seen.calls)) {
        strcat(strcat(seen.calls, " "), call);
    }
    if (seen.num_interrupts > 0) {
        seen.num_interrupts--;
        errno = EINTR;
        return false;
    }
    return true;
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    if (!note((flags & MSG_PEEK) != 0 ? "look" : "recv")) {
        return -1;
    }
    return syscall(SYS_recvfrom, fd, data, len, flags, NULL, NULL);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (!note("send")) {
        return -1;
    }
    return syscall(SYS_sendmsg, fd, message, flags);
}

/* send_short is what the kernel does when the second go of a sendfile meets a reset. */
static ssize_t send_short(int to, int fd, off_t *offset);

ssize_t sendfile64(int to, int fd, off_t *offset, size_t len)
{
    if (!note("file")) {
        return -1;
    }
    return seen.short_len > 0 ? send_short(to, fd, offset)
                              : syscall(SYS_sendfile, to, fd, offset, len);
}

ssize_t sendfile(int to, int fd, off_t *offset, size_t len)
{
    return sendfile64(to, fd, offset, len);
}

int poll(struct pollfd *fds, nfds_t num_fds, int timeout_ms)
{
    seen.poll_ms = timeout_ms;
    seen.num_fds = num_fds;
    atomic_store(&has_polled, true);
    if (!note("poll")) {
        return -1;
    }
    return (int)syscall(SYS_poll, fds, num_fds, timeout_ms);
}

int __poll_chk(struct pollfd *fds, nfds_t num_fds, int timeout_ms, size_t size);
int __poll_chk(struct pollfd *fds, nfds_t num_fds, int timeout_ms, size_t size)
{
    (void)size;
    return poll(fds, num_fds, timeout_ms);
}

/* --- what every test begins with --- */

static struct urlp_stream *stream; /* ours */
static int peer;                   /* the other end */
static struct urlpool_error err;

static ssize_t send_short(int to, int fd, off_t *offset)
{
    const size_t len = seen.short_len;
    const ssize_t sent = syscall(SYS_sendfile, to, fd, offset, len);
    int gone = 0;
    socklen_t size = sizeof(gone);

    seen.short_len = 0;
    loopback_reset(peer);
    peer = -1;
    ck_assert_int_eq(getsockopt(to, SOL_SOCKET, SO_ERROR, &gone, &size), 0);
    ck_assert_int_eq(gone, ECONNRESET);
    return sent;
}

static struct urlp_call call_for(int64_t wait_ms)
{
    return (struct urlp_call){.by = urlp_deadline_in(wait_ms), .total_by = URLP_NEVER};
}

static void open_on(const int fds[2])
{
    stream = urlp_tcp_wrap(fds[0], &err);
    ck_assert_ptr_nonnull(stream);
    peer = fds[1];
    memset(&seen, 0, sizeof(seen));
    atomic_store(&has_polled, false);
}

static void open_pair(void)
{
    int fds[2];

    loopback_pair(fds);
    open_on(fds);
}

/* open_local_pair opens a pair that stays full once it is: TCP may find room long afterwards. */
static void open_local_pair(void)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    open_on(fds);
}

static void close_pair(void)
{
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    (void)close(peer);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}

static void peer_sends(const char *text)
{
    ck_assert_int_eq(write(peer, text, strlen(text)), (ssize_t)strlen(text));
}

static enum urlpool_code read_some(char *data, size_t size, size_t *out_len, int64_t wait_ms)
{
    struct urlp_call call = call_for(wait_ms);
    enum urlp_end end = URLP_END_NONE;

    return urlp_stream_read(stream, data, size, out_len, &end, &call, &err);
}

static enum urlpool_code write_text(const char *text, size_t *out_written, int64_t wait_ms)
{
    struct urlp_call call = call_for(wait_ms);
    struct urlp_iovec run = {text, strlen(text)};

    return urlp_stream_write(stream, &run, 1, out_written, &call, &err);
}

/* fill_pipe writes until nothing more fits. */
static void fill_pipe(void)
{
    static const char block[65536];
    int fd = urlp_stream_fd(stream);

    while (send(fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
    }
    ck_assert_int_eq(errno, EAGAIN);
    memset(&seen, 0, sizeof(seen));
}

/* --- the calls it makes --- */

START_TEST(tcp__a_keep_alive_get_is_look_send_poll_recv)
{
    char data[100];
    size_t len;

    open_pair();
    for (int i = 0; i < 2; i++) {
        memset(&seen, 0, sizeof(seen));
        ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_QUIET);
        ck_assert_int_eq(write_text("GET", &len, 1000), URLPOOL_OK);
        peer_sends("200");
        ck_assert_int_eq(read_some(data, sizeof(data), &len, 1000), URLPOOL_OK);
        ck_assert_str_eq(seen.calls, " look send poll recv");
    }
    close_pair();
}
END_TEST

START_TEST(tcp__without_deadline_and_token_polls_the_socket_alone_for_ever)
{
    char data[10];
    size_t len;

    open_pair();
    peer_sends("x");
    ck_assert_int_eq(read_some(data, sizeof(data), &len, -1), URLPOOL_OK);
    ck_assert_int_eq(seen.poll_ms, -1);
    ck_assert_uint_eq(seen.num_fds, 1);
    close_pair();
}
END_TEST

START_TEST(tcp__polls_with_what_is_left_of_the_deadline)
{
    char data[10];
    size_t len;

    open_pair();
    peer_sends("x");
    ck_assert_int_eq(read_some(data, sizeof(data), &len, 3000), URLPOOL_OK);
    ck_assert_int_le(seen.poll_ms, 3000);
    ck_assert_int_gt(seen.poll_ms, 1);
    close_pair();
}
END_TEST

START_TEST(read__receives_at_once_after_a_full_read)
{
    char data[2];
    size_t len;

    open_pair();
    peer_sends("abc");
    ck_assert_int_eq(read_some(data, 2, &len, 1000), URLPOOL_OK);
    ck_assert_int_eq(read_some(data, 2, &len, 1000), URLPOOL_OK);
    ck_assert_uint_eq(len, 1);
    ck_assert_str_eq(seen.calls, " poll recv recv");
    close_pair();
}
END_TEST

START_TEST(read__polls_first_after_a_write_even_if_the_last_read_was_full)
{
    char data[2];
    size_t len;

    open_pair();
    peer_sends("ab");
    ck_assert_int_eq(read_some(data, 2, &len, 1000), URLPOOL_OK);
    ck_assert_int_eq(write_text("x", &len, 1000), URLPOOL_OK);
    peer_sends("c");
    ck_assert_int_eq(read_some(data, 2, &len, 1000), URLPOOL_OK);
    ck_assert_str_eq(seen.calls, " poll recv send poll recv");
    close_pair();
}
END_TEST

START_TEST(read__polls_when_nothing_was_left_after_a_full_read)
{
    char data[2];
    size_t len;

    open_pair();
    peer_sends("ab");
    ck_assert_int_eq(read_some(data, 2, &len, 1000), URLPOOL_OK);
    ck_assert_int_eq(read_some(data, 2, &len, 1), URLPOOL_E_READ_TIMEOUT);
    ck_assert_int_eq(strncmp(seen.calls, " poll recv recv poll", 20), 0);
    close_pair();
}
END_TEST

START_TEST(tcp__interruptions_are_invisible)
{
    char data[10];
    size_t len = 0;

    open_pair();
    peer_sends("abc");
    seen.num_interrupts = 1; /* poll */
    ck_assert_int_eq(read_some(data, 2, &len, 1000), URLPOOL_OK);
    seen.num_interrupts = 2; /* recv, poll */
    ck_assert_int_eq(read_some(data, 2, &len, 1000), URLPOOL_OK);
    ck_assert_uint_eq(len, 1);
    seen.num_interrupts = 2; /* sendmsg, poll */
    ck_assert_int_eq(write_text("x", &len, 1000), URLPOOL_OK);
    ck_assert_uint_eq(len, 1);
    seen.num_interrupts = 3;
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_QUIET);
    ck_assert_int_eq(seen.num_interrupts, 0);
    close_pair();
}
END_TEST

/* --- files --- */

/* file_of is an unlinked file of `len` bytes 'a' to 'z', its offset at the end. */
static int file_of(size_t len)
{
    char path[] = "/tmp/urlpool-tcp-XXXXXX";
    int fd = mkstemp(path);
    char byte;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(path), 0);
    for (size_t i = 0; i < len; i++) {
        byte = (char)('a' + i % 26);
        ck_assert_int_eq(write(fd, &byte, 1), 1);
    }
    return fd;
}

static enum urlpool_code send_file(int fd, int64_t at, size_t len, size_t *out_sent,
                                   int64_t wait_ms)
{
    struct urlp_call call = call_for(wait_ms);

    return urlp_stream_send_file(stream, fd, at, len, out_sent, &call, &err);
}

START_TEST(send_file__sends_from_an_offset_and_leaves_that_of_the_descriptor)
{
    char data[32] = "";
    size_t sent = 0;
    int fd = file_of(26);

    open_pair();
    ck_assert(urlp_stream_can_send_file(stream));
    ck_assert_int_eq(send_file(fd, 3, 10, &sent, 1000), URLPOOL_OK);
    ck_assert_uint_eq(sent, 10);
    ck_assert_str_eq(seen.calls, " file");
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 26);
    ck_assert_int_eq(read(peer, data, sizeof(data)), 10);
    ck_assert_str_eq(data, "defghijklm");
    ck_assert_int_eq(send_file(fd, 20, 10, &sent, 1000), URLPOOL_OK);
    ck_assert_uint_eq(sent, 6); /* there were no more */
    ck_assert_int_eq(send_file(fd, 26, 10, &sent, 1000), URLPOOL_OK);
    ck_assert_uint_eq(sent, 0);
    close(fd);
    close_pair();
}
END_TEST

START_TEST(send_file__reaches_behind_4_gib)
{
    const int64_t at = ((int64_t)5 << 30) + 1;
    char data[8] = "";
    size_t sent = 0;
    int fd = file_of(0);

    open_pair();
    ck_assert_int_eq(pwrite(fd, "far", 3, (off_t)at), 3);
    ck_assert_int_eq(send_file(fd, at, 3, &sent, 1000), URLPOOL_OK);
    ck_assert_int_eq(read(peer, data, sizeof(data)), 3);
    ck_assert_str_eq(data, "far");
    close(fd);
    close_pair();
}
END_TEST

START_TEST(send_file__of_what_the_kernel_does_not_send_sends_nothing)
{
    size_t sent = 7;
    int fds[2];

    open_pair();
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(send_file(fds[0], 0, 10, &sent, 1000), URLPOOL_OK);
    ck_assert_uint_eq(sent, 0);
    ck_assert_int_eq(send_file(-1, 0, 10, &sent, 1000), URLPOOL_OK);
    ck_assert_uint_eq(sent, 0);
    close(fds[0]);
    close(fds[1]);
    close_pair();
}
END_TEST

START_TEST(send_file__waits_for_room_until_its_deadline_or_a_cancel)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_call call = call_for(1000);
    size_t sent = 7;
    int fd = file_of(26);

    open_local_pair();
    fill_pipe();
    ck_assert_int_eq(send_file(fd, 0, 10, &sent, 5), URLPOOL_E_WRITE_TIMEOUT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_SEND);
    ck_assert_int_eq(strncmp(seen.calls, " file poll", 10), 0);
    urlpool_cancel_now(cancel);
    call.cancel = cancel;
    ck_assert_int_eq(urlp_stream_send_file(stream, fd, 0, 10, &sent, &call, &err),
                     URLPOOL_E_CANCELLED);
    urlpool_cancel_free(cancel);
    close(fd);
    close_pair();
}
END_TEST

static volatile sig_atomic_t num_pipe_signals;

static void count_signal(int signal)
{
    (void)signal;
    num_pipe_signals++;
}

START_TEST(send_file__to_a_peer_that_is_gone_fails_and_raises_no_signal)
{
    sigset_t pending;
    size_t sent = 0;
    int fd = file_of(26);

    (void)signal(SIGPIPE, count_signal);
    open_pair();
    loopback_reset(peer);
    peer = -1;
    ck_assert_int_eq(send_file(fd, 0, 10, &sent, 1000), URLPOOL_E_RESET);
    ck_assert_int_eq(send_file(fd, 0, 10, &sent, 1000), URLPOOL_E_RESET);
    ck_assert_int_eq(err.os_errno, EPIPE); /* the second time: that is what raises it */
    ck_assert_int_eq(num_pipe_signals, 0);
    ck_assert_int_eq(sigpending(&pending), 0);
    ck_assert_int_eq(sigismember(&pending, SIGPIPE), 0);
    close(fd);
    close_pair();
}
END_TEST

START_TEST(send_file__that_came_short_by_a_reset_leaves_it_to_the_read_behind_it)
{
    char data[10];
    size_t sent = 0;
    size_t len = 0;
    int fd = file_of(26);

    open_pair();
    seen.short_len = 5;
    ck_assert_int_eq(send_file(fd, 0, 10, &sent, 1000), URLPOOL_OK);
    ck_assert_uint_eq(sent, 5);
    ck_assert_str_eq(seen.calls, " file file");
    ck_assert_int_eq(read_some(data, sizeof(data), &len, 1000), URLPOOL_E_RESET);
    close(fd);
    close_pair();
}
END_TEST

START_TEST(send_file__counts_its_bytes_and_is_not_interrupted)
{
    struct urlp_counters counters = {0};
    struct urlp_call call = call_for(1000);
    size_t sent = 0;
    int fd = file_of(26);

    open_pair();
    call.counters = &counters;
    seen.num_interrupts = 2; /* sendfile, poll */
    ck_assert_int_eq(urlp_stream_send_file(stream, fd, 0, 10, &sent, &call, &err), URLPOOL_OK);
    ck_assert_uint_eq(sent, 10);
    ck_assert_uint_eq(counters.bytes_sent, 10);
    close(fd);
    close_pair();
}
END_TEST

/* --- reading --- */

START_TEST(read__gives_what_is_there)
{
    char data[10];
    size_t len;

    open_pair();
    peer_sends("hello");
    ck_assert_int_eq(read_some(data, sizeof(data), &len, 1000), URLPOOL_OK);
    ck_assert_mem_eq(data, "hello", 5);
    ck_assert_uint_eq(len, 5);
    close_pair();
}
END_TEST

START_TEST(read__tells_a_clean_end)
{
    struct urlp_call call = call_for(1000);
    enum urlp_end end = URLP_END_NONE;
    char data[10];
    size_t len = 7;

    open_pair();
    (void)shutdown(peer, SHUT_WR);
    ck_assert_int_eq(urlp_stream_read(stream, data, sizeof(data), &len, &end, &call, &err),
                     URLPOOL_OK);
    ck_assert_uint_eq(len, 0);
    ck_assert_int_eq(end, URLP_END_CLEAN);
    close_pair();
}
END_TEST

START_TEST(read__tells_a_reset_and_from_whom)
{
    char data[10];
    char want[100];
    struct urlp_peer who;
    size_t len = 7;

    open_pair();
    ck_assert(urlp_stream_peer(stream, &who));
    (void)snprintf(want, sizeof(want), "read from 127.0.0.1:%u: %s", (unsigned)who.port,
                   strerror(ECONNRESET));
    loopback_reset(peer);
    peer = -1;
    ck_assert_int_eq(read_some(data, sizeof(data), &len, 1000), URLPOOL_E_RESET);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_BODY);
    ck_assert_int_eq(err.os_errno, ECONNRESET);
    ck_assert_str_eq(err.message, want);
    ck_assert_uint_eq(len, 7);
    close_pair();
}
END_TEST

START_TEST(read__refuses_no_room_at_all)
{
    char data[1];
    size_t len;

    open_pair();
    peer_sends("x");
    ck_assert_int_eq(read_some(data, 0, &len, 1000), URLPOOL_E_INVALID);
    ck_assert_int_eq(read_some(data, 1, &len, 1000), URLPOOL_OK);
    close_pair();
}
END_TEST

START_TEST(read__times_out_at_its_deadline)
{
    int64_t begun_ns = urlp_now_ns();
    char data[10];
    size_t len;

    open_pair();
    ck_assert_int_eq(read_some(data, sizeof(data), &len, 30), URLPOOL_E_READ_TIMEOUT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_BODY);
    ck_assert_ptr_nonnull(strstr(err.message, "sent nothing in time"));
    ck_assert_int_ge(urlp_now_ns() - begun_ns, 30 * (int64_t)URLP_NS_PER_MS);
    ck_assert_int_lt(urlp_now_ns() - begun_ns, 5000 * (int64_t)URLP_NS_PER_MS);
    close_pair();
}
END_TEST

START_TEST(read__says_so_when_the_total_is_used_up)
{
    struct urlp_call call = call_for(10);
    enum urlp_end end;
    char data[10];
    size_t len;

    open_pair();
    call.total_by = call.by;
    ck_assert_int_eq(urlp_stream_read(stream, data, sizeof(data), &len, &end, &call, &err),
                     URLPOOL_E_TOTAL_TIMEOUT);
    close_pair();
}
END_TEST

START_TEST(read__a_flood_does_not_outlast_the_deadline)
{
    char data[1];
    size_t len;

    open_pair();
    peer_sends("flood");
    ck_assert_int_eq(read_some(data, 1, &len, 1000), URLPOOL_OK);
    ck_assert_int_eq(read_some(data, 1, &len, 0), URLPOOL_E_READ_TIMEOUT);
    close_pair();
}
END_TEST

/* --- cancelling --- */

/* cancel_a_poll cancels once somebody waits. */
static void *cancel_a_poll(void *cancel)
{
    while (!atomic_load(&has_polled)) {
        (void)sched_yield();
    }
    urlpool_cancel_now(cancel);
    return NULL;
}

START_TEST(read__is_cut_short_by_a_cancel)
{
    struct urlp_call call = call_for(-1);
    struct urlpool_cancel *cancel = urlpool_cancel_new(&err);
    enum urlp_end end;
    pthread_t thread;
    char data[10];
    size_t len;

    open_pair();
    call.cancel = cancel;
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_a_poll, cancel), 0);
    ck_assert_int_eq(urlp_stream_read(stream, data, sizeof(data), &len, &end, &call, &err),
                     URLPOOL_E_CANCELLED);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_BODY);
    (void)pthread_join(thread, NULL);
    urlpool_cancel_free(cancel);
    close_pair();
}
END_TEST

START_TEST(read__a_flood_does_not_hide_a_cancel)
{
    struct urlp_call call = call_for(-1);
    struct urlpool_cancel *cancel = urlpool_cancel_new(&err);
    enum urlp_end end;
    char data[1];
    size_t len;

    open_pair();
    call.cancel = cancel;
    peer_sends("flood");
    ck_assert_int_eq(urlp_stream_read(stream, data, 1, &len, &end, &call, &err), URLPOOL_OK);
    urlpool_cancel_now(cancel);
    ck_assert_int_eq(urlp_stream_read(stream, data, 1, &len, &end, &call, &err),
                     URLPOOL_E_CANCELLED);
    urlpool_cancel_free(cancel);
    close_pair();
}
END_TEST

START_TEST(write__is_cut_short_by_a_cancel)
{
    struct urlp_call call = call_for(-1);
    struct urlpool_cancel *cancel = urlpool_cancel_new(&err);
    struct urlp_iovec run = {"x", 1};
    pthread_t thread;
    size_t written;

    open_local_pair();
    fill_pipe();
    call.cancel = cancel;
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_a_poll, cancel), 0);
    ck_assert_int_eq(urlp_stream_write(stream, &run, 1, &written, &call, &err),
                     URLPOOL_E_CANCELLED);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_SEND);
    (void)pthread_join(thread, NULL);
    urlpool_cancel_free(cancel);
    close_pair();
}
END_TEST

/* --- writing --- */

START_TEST(write__gathers_runs_into_one_send)
{
    struct urlp_call call = call_for(1000);
    struct urlp_iovec runs[] = {
        {NULL,   0},
        {"GET ", 4},
        {"",     0},
        {"/",    1},
        {"\r\n", 2}
    };
    char data[10];
    size_t written = 0;

    open_pair();
    ck_assert_int_eq(urlp_stream_write(stream, runs, 5, &written, &call, &err), URLPOOL_OK);
    ck_assert_uint_eq(written, 7);
    ck_assert_str_eq(seen.calls, " send");
    ck_assert_int_eq(read(peer, data, sizeof(data)), 7);
    ck_assert_mem_eq(data, "GET /\r\n", 7);
    close_pair();
}
END_TEST

START_TEST(write__of_nothing_does_nothing)
{
    struct urlp_call call = call_for(1000);
    struct urlp_iovec runs[] = {
        {NULL, 0},
        {"",   0}
    };
    size_t written = 7;

    open_pair();
    ck_assert_int_eq(urlp_stream_write(stream, runs, 2, &written, &call, &err), URLPOOL_OK);
    ck_assert_uint_eq(written, 0);
    ck_assert_str_eq(seen.calls, "");
    close_pair();
}
END_TEST

START_TEST(write__takes_more_runs_than_the_kernel_does_at_once)
{
    struct urlp_call call = call_for(1000);
    struct urlp_iovec runs[IOV_MAX + 5];
    size_t written = 0;

    open_pair();
    for (size_t i = 0; i < IOV_MAX + 5; i++) {
        runs[i] = (struct urlp_iovec){"x", 1};
    }
    ck_assert_int_eq(urlp_stream_write(stream, runs, IOV_MAX + 5, &written, &call, &err),
                     URLPOOL_OK);
    ck_assert_uint_eq(written, IOV_MAX);
    close_pair();
}
END_TEST

/* write_all writes `len` bytes in pieces as they are taken and counts the pieces. */
struct writing {
    const char *data;
    size_t len;
    unsigned num_writes;
    enum urlpool_code code;
};

static void *write_all(void *user)
{
    struct writing *writing = user;
    struct urlp_call call = call_for(10000);
    size_t at = 0;

    while (at < writing->len && writing->code == URLPOOL_OK) {
        struct urlp_iovec runs[2] = {
            {writing->data + at, 1                    },
            {writing->data + at, writing->len - at - 1}
        };
        size_t written = 0;

        runs[1].data = writing->data + at + 1;
        writing->code = urlp_stream_write(stream, runs, 2, &written, &call, NULL);
        at += written;
        writing->num_writes++;
    }
    return NULL;
}

START_TEST(write__goes_on_where_a_partial_write_ended)
{
    enum {
        LEN = 8 * 1024 * 1024
    };
    struct writing writing = {.data = malloc(LEN), .len = LEN};
    char *got = malloc(LEN);
    pthread_t thread;
    size_t at = 0;

    open_pair();
    for (size_t i = 0; i < LEN; i++) {
        ((char *)(uintptr_t)writing.data)[i] = (char)(i * 2654435761u >> 24);
    }
    ck_assert_int_eq(pthread_create(&thread, NULL, write_all, &writing), 0);
    while (at < LEN) {
        ssize_t more = read(peer, got + at, LEN - at);

        ck_assert_int_gt(more, 0);
        at += (size_t)more;
    }
    (void)pthread_join(thread, NULL);
    ck_assert_int_eq(writing.code, URLPOOL_OK);
    ck_assert_uint_gt(writing.num_writes, 1);
    ck_assert_int_eq(memcmp(got, writing.data, LEN), 0);
    free((char *)(uintptr_t)writing.data);
    free(got);
    close_pair();
}
END_TEST

START_TEST(write__times_out_when_the_peer_takes_nothing)
{
    size_t written = 7;

    open_local_pair();
    fill_pipe();
    ck_assert_int_eq(write_text("x", &written, 20), URLPOOL_E_WRITE_TIMEOUT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_SEND);
    ck_assert_ptr_nonnull(strstr(err.message, "took no bytes in time"));
    ck_assert_uint_eq(written, 7);
    close_pair();
}
END_TEST

START_TEST(write__with_its_deadline_passed_sends_nothing)
{
    size_t written;

    open_pair();
    ck_assert_int_eq(write_text("x", &written, 0), URLPOOL_E_WRITE_TIMEOUT);
    ck_assert_str_eq(seen.calls, "");
    close_pair();
}
END_TEST

START_TEST(write__at_once_sends_what_fits_and_does_not_wait)
{
    struct urlp_call call = {.by = URLP_AT_ONCE, .total_by = URLP_NEVER};
    struct urlp_iovec run = {"x", 1};
    size_t written = 0;

    open_local_pair();
    ck_assert_int_eq(urlp_stream_write(stream, &run, 1, &written, &call, &err), URLPOOL_OK);
    ck_assert_uint_eq(written, 1);
    fill_pipe();
    ck_assert_int_eq(urlp_stream_write(stream, &run, 1, &written, &call, &err),
                     URLPOOL_E_WRITE_TIMEOUT);
    ck_assert_str_eq(seen.calls, " send");
    close_pair();
}
END_TEST

/* SIGPIPE is at its default action here: were it raised, the test's process would die of it. */
START_TEST(write__after_a_reset_raises_no_signal_and_what_came_can_be_read)
{
    enum urlpool_code code = URLPOOL_OK;
    char data[10];
    size_t len;

    open_pair();
    ck_assert_ptr_eq(signal(SIGPIPE, SIG_DFL), SIG_DFL);
    ck_assert_int_eq(write_text("unread", &len, 1000), URLPOOL_OK);
    peer_sends("answer");
    (void)close(peer); /* with bytes unread: a reset follows */
    peer = -1;
    for (int i = 0; i < 3 && code == URLPOOL_OK; i++) {
        code = write_text("more", &len, 1000);
    }
    ck_assert_int_eq(code, URLPOOL_E_RESET);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_SEND);
    ck_assert_int_eq(write_text("more", &len, 1000), URLPOOL_E_RESET);
    ck_assert_int_eq(err.os_errno, EPIPE);
    ck_assert_int_eq(read_some(data, sizeof(data), &len, 1000), URLPOOL_OK);
    ck_assert_mem_eq(data, "answer", 6);
    close_pair();
}
END_TEST

/* --- the rest --- */

START_TEST(idle_state__tells_quiet_unexpected_and_closed)
{
    char data[10];
    size_t len;

    open_pair();
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_QUIET);
    peer_sends("x");
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_UNEXPECTED);
    ck_assert_int_eq(read_some(data, sizeof(data), &len, 1000), URLPOOL_OK);
    ck_assert_uint_eq(len, 1); /* the look had left it there */
    (void)shutdown(peer, SHUT_WR);
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_CLOSED);
    close_pair();
}
END_TEST

START_TEST(idle_state__tells_a_reset)
{
    open_pair();
    loopback_reset(peer);
    peer = -1;
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_CLOSED);
    close_pair();
}
END_TEST

/* The kernel tells of a reset once; the look must not keep it to itself. */
START_TEST(idle_state__leaves_a_reset_to_the_next_read)
{
    char data[10];
    size_t len = 0;

    open_pair();
    loopback_reset(peer);
    peer = -1;
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_CLOSED);
    ck_assert_int_eq(read_some(data, sizeof(data), &len, 1000), URLPOOL_E_RESET);
    ck_assert_int_eq(err.os_errno, ECONNRESET);
    close_pair();
}
END_TEST

START_TEST(tcp__counts_bytes_both_ways)
{
    struct urlp_counters counters = {0};
    struct urlp_call call = call_for(1000);
    struct urlp_iovec run = {"12345", 5};
    enum urlp_end end;
    char data[10];
    size_t len;

    open_pair();
    call.counters = &counters;
    ck_assert_int_eq(urlp_stream_write(stream, &run, 1, &len, &call, &err), URLPOOL_OK);
    peer_sends("abc");
    ck_assert_int_eq(urlp_stream_read(stream, data, sizeof(data), &len, &end, &call, &err),
                     URLPOOL_OK);
    ck_assert_uint_eq(counters.bytes_sent, 5);
    ck_assert_uint_eq(counters.bytes_received, 3);
    close_pair();
}
END_TEST

START_TEST(tcp__closes_its_socket)
{
    unsigned num_fds = loopback_num_fds();

    open_pair();
    ck_assert_str_eq(stream->ops->name, "tcp");
    ck_assert_ptr_null(stream->ops->below(stream));
    close_pair();
    urlp_stream_free(NULL, URLP_CLOSE_SILENT);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
}
END_TEST

START_TEST(wrap__without_memory_leaves_the_socket_to_the_caller)
{
    int fds[2];

    loopback_pair(fds);
    failing_allocator_install();
    failing_allocator_fail_nth(1);
    ck_assert_ptr_null(urlp_tcp_wrap(fds[0], &err));
    ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
    failing_allocator_remove();
    ck_assert_int_eq(close(fds[0]), 0);
    ck_assert_int_eq(close(fds[1]), 0);
}
END_TEST

/* --- socket options --- */

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static int start_with(const struct urlp_tcp_options *options)
{
    int listener = loopback_listen("127.0.0.1", 0);
    struct urlp_peer to = {
        .ip = {.family = URLP_IP_V4, .bytes = {127, 0, 0, 1}},
          .port = loopback_port(listener)
    };
    int fd = -1;

    ck_assert_int_eq(urlp_tcp_start(&to, options, &fd), 0);
    (void)close(listener);
    return fd;
}

START_TEST(start__sets_the_defaults)
{
    int fd = start_with(&(struct urlp_tcp_options){0});

    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 15);
    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
    (void)close(fd);
}
END_TEST

START_TEST(start__does_not_block_and_closes_on_exec)
{
    int fd = start_with(&(struct urlp_tcp_options){0});

    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    (void)close(fd);
}
END_TEST

START_TEST(start__allows_nagle)
{
    int fd = start_with(&(struct urlp_tcp_options){.allow_nagle = true});

    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    (void)close(fd);
}
END_TEST

START_TEST(start__sets_the_keepalive_asked_for)
{
    int fd = start_with(&(struct urlp_tcp_options){.keepalive_idle_s = 7});

    ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 7);
    (void)close(fd);
}
END_TEST

START_TEST(start__leaves_keepalive_off)
{
    int fd = start_with(&(struct urlp_tcp_options){.keepalive_idle_s = -1});

    ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    (void)close(fd);
}
END_TEST

START_TEST(start__sets_the_user_timeout_asked_for)
{
    int fd = start_with(&(struct urlp_tcp_options){.user_timeout_ms = 1234});

    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 1234);
    (void)close(fd);
}
END_TEST

START_TEST(start__leaves_the_user_timeout_to_the_system)
{
    int fd = start_with(&(struct urlp_tcp_options){.user_timeout_ms = -1});

    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    (void)close(fd);
}
END_TEST

START_TEST(start__an_option_the_kernel_refuses_is_an_error_and_leaves_nothing_open)
{
    const struct urlp_tcp_options options = {.keepalive_idle_s = INT_MAX};
    const struct urlp_peer to = {
        .ip = {.family = URLP_IP_V4, .bytes = {127, 0, 0, 1}},
          .port = 1
    };
    unsigned num_fds = loopback_num_fds();
    int fd = -1;

    ck_assert_int_eq(urlp_tcp_start(&to, &options, &fd), EINVAL);
    ck_assert_int_eq(fd, -1);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
}
END_TEST

/* --- names of peers --- */

START_TEST(peer__is_written_as_address_and_port)
{
    struct urlp_peer v4 = {
        .ip = {.family = URLP_IP_V4, .bytes = {192, 0, 2, 1}},
          .port = 80
    };
    struct urlp_peer v6 = {
        .ip = {.family = URLP_IP_V6, .bytes = {0xfe, 0x80, [15] = 1}, .scope_id = 4294967295},
        .port = 65535
    };
    struct urlp_peer none = {.port = 1};
    char text[URLP_PEER_TEXT_MAX];

    urlp_peer_format(&v4, text);
    ck_assert_str_eq(text, "192.0.2.1:80");
    urlp_peer_format(&v6, text);
    ck_assert_str_eq(text, "[fe80::1%4294967295]:65535");
    urlp_peer_format(&none, text);
    ck_assert_str_eq(text, "peer");
}
END_TEST

START_TEST(peer__of_a_socket_without_address_is_unknown)
{
    struct urlp_peer who;
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    stream = urlp_tcp_wrap(fds[0], &err);
    ck_assert(!urlp_stream_peer(stream, &who));
    ck_assert_int_eq(urlp_stream_fd(stream), fds[0]);
    peer = fds[1];
    close_pair();
}
END_TEST

RUN_TESTS("tcp_stream", tcp__a_keep_alive_get_is_look_send_poll_recv,
          tcp__without_deadline_and_token_polls_the_socket_alone_for_ever,
          tcp__polls_with_what_is_left_of_the_deadline, read__receives_at_once_after_a_full_read,
          read__polls_first_after_a_write_even_if_the_last_read_was_full,
          read__polls_when_nothing_was_left_after_a_full_read, tcp__interruptions_are_invisible,
          send_file__sends_from_an_offset_and_leaves_that_of_the_descriptor,
          send_file__reaches_behind_4_gib,
          send_file__of_what_the_kernel_does_not_send_sends_nothing,
          send_file__waits_for_room_until_its_deadline_or_a_cancel,
          send_file__to_a_peer_that_is_gone_fails_and_raises_no_signal,
          send_file__that_came_short_by_a_reset_leaves_it_to_the_read_behind_it,
          send_file__counts_its_bytes_and_is_not_interrupted, read__gives_what_is_there,
          read__tells_a_clean_end, read__tells_a_reset_and_from_whom, read__refuses_no_room_at_all,
          read__times_out_at_its_deadline, read__says_so_when_the_total_is_used_up,
          read__a_flood_does_not_outlast_the_deadline, read__is_cut_short_by_a_cancel,
          read__a_flood_does_not_hide_a_cancel, write__is_cut_short_by_a_cancel,
          write__gathers_runs_into_one_send, write__of_nothing_does_nothing,
          write__takes_more_runs_than_the_kernel_does_at_once,
          write__goes_on_where_a_partial_write_ended, write__times_out_when_the_peer_takes_nothing,
          write__with_its_deadline_passed_sends_nothing,
          write__at_once_sends_what_fits_and_does_not_wait,
          write__after_a_reset_raises_no_signal_and_what_came_can_be_read,
          idle_state__tells_quiet_unexpected_and_closed, idle_state__tells_a_reset,
          idle_state__leaves_a_reset_to_the_next_read, tcp__counts_bytes_both_ways,
          tcp__closes_its_socket, wrap__without_memory_leaves_the_socket_to_the_caller,
          start__sets_the_defaults, start__does_not_block_and_closes_on_exec, start__allows_nagle,
          start__sets_the_keepalive_asked_for, start__leaves_keepalive_off,
          start__sets_the_user_timeout_asked_for, start__leaves_the_user_timeout_to_the_system,
          start__an_option_the_kernel_refuses_is_an_error_and_leaves_nothing_open,
          peer__is_written_as_address_and_port, peer__of_a_socket_without_address_is_unknown)
