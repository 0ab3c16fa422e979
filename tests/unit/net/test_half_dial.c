/* Dials that are broken off, and others that go on with them: what is kept, what is looked at
 * before it is used, and that no descriptor is left on any way. Polls are seen, and made blind or
 * woken in, by a function of that name before libc's, so that "meanwhile" is a point and not a
 * time. */

#undef _FORTIFY_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "urlpool/cancel.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/park.h"
#include "net/dial.h"
#include "net/network.h"
#include "support/dns_server.h"
#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/run_tests.h"

#define NAME "www.example"

/* --- seeing system calls --- */

static _Thread_local bool is_dialling; /* the name server's thread is not seen */
static char connected_to[512];         /* " ::1 127.0.0.1" */
static int socket_errno;               /* when not 0: the next stream socket fails with it */
static int num_polls;
static int num_blind;      /* so many polls do not see what has become of a socket */
static int num_interrupts; /* so many polls fail with EINTR */
static int ask_at_poll;    /* before this one the dial is asked to break off; 0: before none */
static bool asks_when_connecting;
static bool asks_when_failed; /* a socket: the same poll sees both */
static struct urlp_break_off wish;

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    int type = 0;
    socklen_t type_len = sizeof(type);
    char ip[INET6_ADDRSTRLEN] = "";

    (void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len);
    if (is_dialling && type == SOCK_STREAM &&
        strlen(connected_to) + sizeof(ip) < sizeof(connected_to)) {
        struct sockaddr_in6 v6;
        struct sockaddr_in v4;

        if (address->sa_family == AF_INET6) {
            memcpy(&v6, address, sizeof(v6));
            (void)inet_ntop(AF_INET6, &v6.sin6_addr, ip, sizeof(ip));
        } else if (address->sa_family == AF_INET) {
            memcpy(&v4, address, sizeof(v4));
            (void)inet_ntop(AF_INET, &v4.sin_addr, ip, sizeof(ip));
        }
        strcat(strcat(connected_to, " "), ip);
    }
    return (int)syscall(SYS_connect, fd, address, len);
}

int socket(int domain, int type, int protocol)
{
    if (is_dialling && socket_errno != 0 && (type & SOCK_STREAM) != 0) {
        errno = socket_errno;
        socket_errno = 0;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}

int poll(struct pollfd *fds, nfds_t num_fds, int timeout_ms)
{
    int num_ready;

    if (!is_dialling) {
        return (int)syscall(SYS_poll, fds, num_fds, timeout_ms);
    }
    num_polls++;
    if (num_polls == ask_at_poll || (asks_when_connecting && connected_to[0] != '\0')) {
        asks_when_connecting = false;
        ck_assert(urlp_break_off_ask(&wish));
    }
    if (num_interrupts > 0) {
        num_interrupts--;
        errno = EINTR;
        return -1;
    }
    num_ready = (int)syscall(SYS_poll, fds, num_fds, timeout_ms);
    for (nfds_t i = 0; i < num_fds && asks_when_failed; i++) {
        if (fds[i].events == POLLOUT && (fds[i].revents & POLLERR) != 0) {
            asks_when_failed = false;
            ck_assert(urlp_break_off_ask(&wish));
            num_ready = (int)syscall(SYS_poll, fds, num_fds, 0);
        }
    }
    for (nfds_t i = 0; i < num_fds && num_blind > 0; i++) {
        if (fds[i].events == POLLOUT) {
            fds[i].revents = 0;
        }
    }
    num_blind -= num_blind > 0;
    return num_ready;
}

int __poll_chk(struct pollfd *fds, nfds_t num_fds, int timeout_ms, size_t size);
int __poll_chk(struct pollfd *fds, nfds_t num_fds, int timeout_ms, size_t size)
{
    (void)size;
    return poll(fds, num_fds, timeout_ms);
}

/* --- what every test begins and ends with --- */

static struct dns_server *server;
static struct urlp_resolver *resolver;
static struct urlp_counters counters;
static struct urlpool_error err;
static char hosts_path[] = "/tmp/urlpool-hosts-XXXXXX";
static unsigned fds_before;
static struct urlp_call call;

/* begin makes the hosts file and the resolver; with NULL the names are the name server's. */
static void begin(const char *hosts)
{
    struct urlp_resolver_options options = {.hosts_file = "/dev/null"};

    if (hosts == NULL) {
        server = dns_server_start();
        options.servers = dns_server_address(server);
    } else {
        int fd = mkstemp(hosts_path);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, hosts, strlen(hosts)), (ssize_t)strlen(hosts));
        (void)close(fd);
        options.hosts_file = hosts_path;
    }
    resolver = urlp_resolver_new(&options, &err);
    ck_assert_ptr_nonnull(resolver);
    call = (struct urlp_call){.by = urlp_deadline_in(20000),
                              .total_by = URLP_NEVER,
                              .counters = &counters,
                              .break_off = &wish};
    wish = (struct urlp_break_off){.wake_fd = urlp_wake_open()};
    fds_before = loopback_num_fds();
    connected_to[0] = '\0';
}

/* end looks for what the dials have left behind. */
static void end(void)
{
    ck_assert_ptr_null(wish.half);
    ck_assert_uint_eq(loopback_num_fds(), fds_before);
    (void)close(wish.wake_fd);
    urlp_resolver_free(resolver);
    if (server != NULL) {
        dns_server_stop(server);
    }
    (void)unlink(hosts_path);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}

static const struct urlp_network *network; /* NULL: the system's */

static struct urlp_stream *dial(const char *host, uint16_t port)
{
    struct urlp_dial_target target = {.host = urlp_span_of(host), .port = port, .network = network};

    is_dialling = true;
    return urlp_dial(resolver, &target, &call, &err);
}

/* break_off_at begins to dial and breaks it off in the nth poll. */
static void break_off_at(int nth_poll, const char *host, uint16_t port)
{
    num_polls = 0;
    ask_at_poll = nth_poll;
    ck_assert_ptr_null(dial(host, port));
    ck_assert_msg(err.code == URLPOOL_E_CANCELLED, "%s", err.message);
    ck_assert(wish.is_broken_off);
    ask_at_poll = 0;
}

/* break_off_when_connecting does so as soon as a socket has begun to connect. */
static void break_off_when_connecting(const char *host, uint16_t port)
{
    asks_when_connecting = true;
    break_off_at(0, host, port);
    ck_assert_ptr_nonnull(wish.half);
}

/* park_connected leaves a half whose socket has connected without anybody's having seen it. */
static void park_connected(const char *host, uint16_t port)
{
    num_blind = 1;
    break_off_at(1, host, port);
    ck_assert_ptr_nonnull(wish.half);
}

/* next_caller is somebody else, who is given what the last one left. */
static void next_caller(void)
{
    struct urlp_half_dial *half = wish.half;

    urlp_wake_drain(wish.wake_fd);
    wish = (struct urlp_break_off){.wake_fd = wish.wake_fd, .half = half};
}

static void drop_half(void)
{
    urlp_half_dial_free(wish.half);
    wish.half = NULL;
}

/* peer_of frees the stream and returns its peer's address. */
static const char *peer_of(struct urlp_stream *stream)
{
    static char text[URLP_IP_TEXT_MAX];
    struct urlp_peer who;

    ck_assert_msg(stream != NULL, "%s", err.message);
    ck_assert(!wish.is_broken_off);
    ck_assert(urlp_stream_peer(stream, &who));
    urlp_ip_format(&who.ip, text);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    return text;
}

static int64_t ms_since(int64_t begun_ns)
{
    return (urlp_now_ns() - begun_ns) / URLP_NS_PER_MS;
}

/* --- breaking off --- */

START_TEST(break_off__leaves_the_socket_connecting)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);

    begin("127.0.0.2 a\n");
    break_off_at(1, "a", loopback_port(hole.listener));
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert_str_eq(err.message, "connect to a: broken off");
    ck_assert_ptr_nonnull(wish.half);
    ck_assert_uint_eq(loopback_num_fds(), fds_before + 1);
    ck_assert(!loopback_leaks_on_exec());
    drop_half();
    end();
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(break_off__comes_too_late_for_a_socket_that_was_seen_to_connect)
{
    int listener = loopback_listen("127.0.0.2", 0);

    begin("127.0.0.2 a\n");
    ck_assert_str_eq(peer_of(dial("a", loopback_port(listener))), "127.0.0.2");
    ck_assert(!urlp_break_off_ask(&wish));
    end();
    (void)close(listener);
}
END_TEST

START_TEST(break_off__asked_for_before_takes_what_has_connected_along)
{
    int listener = loopback_listen("127.0.0.2", 0);

    begin("127.0.0.2 a\n");
    break_off_at(1, "a", loopback_port(listener)); /* and the same poll sees the winner */
    ck_assert_ptr_nonnull(wish.half);
    next_caller();
    ck_assert_str_eq(peer_of(dial("a", loopback_port(listener))), "127.0.0.2");
    ck_assert_str_eq(connected_to, " 127.0.0.2");
    end();
    (void)close(listener);
}
END_TEST

START_TEST(break_off__is_not_a_failure_that_came_in_the_same_round)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(hole.listener);

    begin("127.0.0.2 a\n");
    break_off_at(1, "a", port);
    next_caller();
    /* The kernel asks again within a second, and is refused. */
    loopback_hole_close(&hole);
    fds_before -= 2;
    while (true) {
        ask_at_poll = num_polls + 1;
        ck_assert_ptr_null(dial("a", port));
        ck_assert(wish.is_broken_off);
        if (wish.half == NULL) {
            break;
        }
        next_caller();
    }
    ck_assert_int_eq(err.code, URLPOOL_E_CANCELLED);
    ask_at_poll = 0;
    end();
}
END_TEST

START_TEST(break_off__without_memory_for_a_half_closes_it)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);

    failing_allocator_install();
    begin("");
    failing_allocator_fail_nth(1);
    break_off_at(1, "127.0.0.2", loopback_port(hole.listener));
    ck_assert(failing_allocator_has_failed());
    ck_assert_ptr_null(wish.half);
    failing_allocator_fail_nth(0);
    ck_assert_uint_eq(loopback_num_fds(), fds_before);
    urlp_resolver_free(resolver);
    (void)close(wish.wake_fd);
    (void)unlink(hosts_path);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    failing_allocator_remove();
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(break_off__outlives_interruptions)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);

    begin("127.0.0.2 a\n");
    num_interrupts = 3;
    break_off_at(2, "a", loopback_port(hole.listener));
    ck_assert_int_eq(num_interrupts, 0);
    ck_assert_ptr_nonnull(wish.half);
    drop_half();
    end();
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(break_off__gives_way_to_cancelling)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    struct urlpool_cancel *cancel;

    begin("127.0.0.2 a\n");
    cancel = urlpool_cancel_new(&err);
    urlpool_cancel_now(cancel);
    call.cancel = cancel;
    num_polls = 0;
    ask_at_poll = 1;
    ck_assert_ptr_null(dial("a", loopback_port(hole.listener)));
    ck_assert_int_eq(err.code, URLPOOL_E_CANCELLED);
    ck_assert(!wish.is_broken_off);
    urlpool_cancel_free(cancel);
    end();
    loopback_hole_close(&hole);
}
END_TEST

/* --- going on --- */

START_TEST(half__that_connected_meanwhile_wins_at_once)
{
    int listener = loopback_listen("127.0.0.2", 0);
    uint16_t port = loopback_port(listener);

    urlp_clock_fake_begin(urlp_now_ns());
    begin("127.0.0.2 a\n127.0.0.3 a\n");
    park_connected("a", port);
    next_caller();
    urlp_clock_fake_advance((int64_t)300 * URLP_NS_PER_MS); /* the other address is due, too */
    num_polls = 0;
    ck_assert_str_eq(peer_of(dial("a", port)), "127.0.0.2");
    ck_assert_int_eq(num_polls, 1);
    ck_assert_str_eq(connected_to, " 127.0.0.2");
    end();
    (void)close(listener);
}
END_TEST

START_TEST(half__goes_on_where_it_was)
{
    struct loopback_hole first = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(first.listener);
    int listener = loopback_listen("127.0.0.3", port);
    int64_t begun_ns = urlp_now_ns();

    begin("127.0.0.2 a\n127.0.0.3 a\n");
    break_off_at(1, "a", port);
    next_caller();
    ck_assert_str_eq(peer_of(dial("a", port)), "127.0.0.3");
    ck_assert_int_ge(ms_since(begun_ns), 250);
    ck_assert_str_eq(connected_to, " 127.0.0.2 127.0.0.3");
    end();
    loopback_hole_close(&first);
    (void)close(listener);
}
END_TEST

START_TEST(half__may_be_broken_off_again_and_again)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(hole.listener);

    begin("127.0.0.2 a\n");
    for (int i = 0; i < 20; i++) {
        break_off_at(1, "a", port);
        ck_assert_ptr_nonnull(wish.half);
        ck_assert_uint_eq(loopback_num_fds(), fds_before + 1);
        next_caller();
    }
    ck_assert_str_eq(connected_to, " 127.0.0.2");
    drop_half();
    end();
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(half__may_still_win_with_its_first_socket)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(hole.listener);

    begin("127.0.0.2 a\n");
    break_off_at(1, "a", port);
    next_caller();
    /* Room in the queue: the kernel comes again within a second. */
    (void)close(loopback_accept(hole.listener));
    ck_assert_str_eq(peer_of(dial("a", port)), "127.0.0.2");
    ck_assert_str_eq(connected_to, " 127.0.0.2");
    end();
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(half__whose_next_address_was_due_goes_to_it_at_once)
{
    struct loopback_hole first = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(first.listener);
    struct loopback_hole second = loopback_hole_open("127.0.0.3", port);
    int listener = loopback_listen("127.0.0.4", port);

    begin("127.0.0.2 a\n127.0.0.3 a\n127.0.0.4 a\n");
    break_off_at(1, "a", port);
    next_caller();
    break_off_at(2, "a", port); /* the second is connecting, too */
    ck_assert_str_eq(connected_to, " 127.0.0.2 127.0.0.3");
    next_caller();
    urlp_clock_fake_begin(urlp_now_ns()); /* only that one has failed makes the third due */
    loopback_hole_close(&first);
    fds_before -= 2;
    asks_when_failed = true;
    break_off_at(0, "a", port);
    ck_assert_str_eq(connected_to, " 127.0.0.2 127.0.0.3");
    urlp_clock_fake_end();
    next_caller();
    ck_assert_str_eq(peer_of(dial("a", port)), "127.0.0.4");
    end();
    loopback_hole_close(&second);
    (void)close(listener);
}
END_TEST

START_TEST(half__that_failed_meanwhile_has_failed)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(hole.listener);

    begin("127.0.0.2 a\n");
    break_off_at(1, "a", port);
    next_caller();
    loopback_hole_close(&hole);
    fds_before -= 2;
    ck_assert_ptr_null(dial("a", port));
    ck_assert(!wish.is_broken_off);
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT);
    ck_assert_int_eq(err.os_errno, ECONNREFUSED);
    ck_assert_str_eq(connected_to, " 127.0.0.2");
    end();
}
END_TEST

/* resume_after_end goes on with a half whose connected socket has come to its end, and looks that
 * the new one is alive. */
static void resume_after_end(int listener)
{
    struct urlp_iovec run = {"x", 1};
    struct urlp_stream *stream;
    size_t len = 0;
    char byte = 0;
    int peer;

    next_caller();
    stream = dial("a", loopback_port(listener));
    ck_assert_msg(stream != NULL, "%s", err.message);
    ck_assert_str_eq(connected_to, " 127.0.0.2 127.0.0.2");
    peer = loopback_accept(listener);
    ck_assert_int_eq(urlp_stream_write(stream, &run, 1, &len, &call, &err), URLPOOL_OK);
    ck_assert_int_eq(read(peer, &byte, 1), 1);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    (void)close(peer);
}

START_TEST(half__whose_peer_has_closed_is_begun_again)
{
    int listener = loopback_listen("127.0.0.2", 0);

    begin("127.0.0.2 a\n");
    park_connected("a", loopback_port(listener));
    (void)close(loopback_accept(listener));
    resume_after_end(listener);
    end();
    (void)close(listener);
}
END_TEST

START_TEST(half__whose_peer_has_reset_is_begun_again)
{
    int listener = loopback_listen("127.0.0.2", 0);

    begin("127.0.0.2 a\n");
    park_connected("a", loopback_port(listener));
    loopback_reset(loopback_accept(listener));
    resume_after_end(listener);
    end();
    (void)close(listener);
}
END_TEST

START_TEST(half__whose_peer_has_spoken_is_begun_again)
{
    int listener = loopback_listen("127.0.0.2", 0);
    int peer;

    begin("127.0.0.2 a\n");
    park_connected("a", loopback_port(listener));
    peer = loopback_accept(listener);
    ck_assert_int_eq(write(peer, "HTTP/1.1 408 ", 13), 13);
    resume_after_end(listener);
    (void)close(peer);
    end();
    (void)close(listener);
}
END_TEST

START_TEST(half__is_not_looked_up_again)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(hole.listener);
    int listener = loopback_listen("127.0.0.3", port);

    begin(NULL);
    dns_server_add(server, NAME, DNS_A, 0, "127.0.0.2");
    dns_server_add(server, NAME, DNS_A, 0, "127.0.0.3");
    break_off_when_connecting(NAME, port);
    dns_server_behave(server, NAME, DNS_A, DNS_FAILS);
    counters = (struct urlp_counters){0};
    next_caller();
    ck_assert_str_eq(peer_of(dial(NAME, port)), "127.0.0.3");
    ck_assert_str_eq(connected_to, " 127.0.0.2 127.0.0.3");
    ck_assert_uint_eq(counters.dns_queries + counters.dns_hits, 0);
    end();
    loopback_hole_close(&hole);
    (void)close(listener);
}
END_TEST

static unsigned num_judged;

static bool judge(void *user, const char *host, const char *address, uint16_t port)
{
    (void)user;
    (void)host;
    (void)address;
    (void)port;
    num_judged++;
    return true;
}

START_TEST(half__has_each_address_judged_once)
{
    const struct urlp_network judged = {.allow = judge};
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(hole.listener);
    int listener = loopback_listen("127.0.0.3", port);

    begin("127.0.0.2 a\n127.0.0.3 a\n");
    network = &judged;
    break_off_at(1, "a", port);
    ck_assert_uint_eq(num_judged, 1);
    next_caller();
    ck_assert_str_eq(peer_of(dial("a", port)), "127.0.0.3");
    ck_assert_uint_eq(num_judged, 2);
    end();
    loopback_hole_close(&hole);
    (void)close(listener);
}
END_TEST

START_TEST(half__tries_an_address_there_was_no_descriptor_for)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(hole.listener);
    int listener = loopback_listen("127.0.0.3", port);

    begin("127.0.0.2 a\n127.0.0.3 a\n");
    break_off_at(1, "a", port);
    next_caller();
    /* The first poll waits for the time of the other address, which fails, the second for more. */
    socket_errno = EMFILE;
    break_off_at(2, "a", port);
    ck_assert_int_eq(socket_errno, 0);
    ck_assert_str_eq(connected_to, " 127.0.0.2");
    next_caller();
    ck_assert_str_eq(peer_of(dial("a", port)), "127.0.0.3");
    end();
    loopback_hole_close(&hole);
    (void)close(listener);
}
END_TEST

START_TEST(race__an_address_there_was_no_descriptor_for_comes_again_unjudged)
{
    const struct urlp_network judged = {.allow = judge};
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(hole.listener);
    int listener = loopback_listen("127.0.0.3", port);

    begin("127.0.0.2 a\n127.0.0.3 a\n");
    network = &judged;
    break_off_at(1, "a", port);
    next_caller();
    socket_errno = EMFILE;
    ck_assert_str_eq(peer_of(dial("a", port)), "127.0.0.3");
    ck_assert_int_eq(socket_errno, 0);
    ck_assert_uint_eq(num_judged, 2);
    ck_assert_str_eq(connected_to, " 127.0.0.2 127.0.0.3");
    end();
    loopback_hole_close(&hole);
    (void)close(listener);
}
END_TEST

START_TEST(half__takes_addresses_that_come_late)
{
    if (loopback_has_v6()) {
        struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
        uint16_t port = loopback_port(hole.listener);
        int listener = loopback_listen("::1", port);

        begin(NULL);
        dns_server_add(server, NAME, DNS_A, 60, "127.0.0.2");
        dns_server_add(server, NAME, DNS_AAAA, 60, "::1");
        dns_server_behave(server, NAME, DNS_AAAA, DNS_HOLDS);
        break_off_when_connecting(NAME, port);
        ck_assert_str_eq(connected_to, " 127.0.0.2");
        dns_server_release(server, NAME, DNS_AAAA);
        next_caller();
        ck_assert_str_eq(peer_of(dial(NAME, port)), "::1");
        ck_assert_str_eq(connected_to, " 127.0.0.2 ::1");
        ck_assert_uint_eq(dns_server_num_queries(server, NAME, DNS_AAAA), 1);
        end();
        loopback_hole_close(&hole);
        (void)close(listener);
    }
}
END_TEST

/* --- while names are asked for --- */

/* park_lookup leaves a half whose names are asked for; the name server holds its answers. */
static void park_lookup(void)
{
    begin(NULL);
    dns_server_add(server, NAME, DNS_A, 60, "127.0.0.2");
    dns_server_behave(server, NAME, DNS_A, DNS_HOLDS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_HOLDS);
    break_off_at(1, NAME, 80);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_RESOLVE);
    ck_assert_ptr_nonnull(wish.half);
    ck_assert_str_eq(connected_to, "");
    ck_assert(!loopback_leaks_on_exec());
}

static void release_answers(void)
{
    dns_server_release(server, NAME, DNS_AAAA);
    dns_server_release(server, NAME, DNS_A);
}

START_TEST(lookup__that_is_broken_off_goes_on)
{
    int listener = loopback_listen("127.0.0.2", 0);

    park_lookup();
    release_answers();
    counters = (struct urlp_counters){0};
    next_caller();
    ck_assert_str_eq(peer_of(dial(NAME, loopback_port(listener))), "127.0.0.2");
    ck_assert_uint_eq(dns_server_num_queries(server, NULL, DNS_A), 2);
    ck_assert_uint_eq(counters.dns_queries, 0);
    ck_assert_uint_eq(counters.dns_hits, 1);
    end();
    (void)close(listener);
}
END_TEST

START_TEST(lookup__that_is_broken_off_often_is_one_question)
{
    int listener = loopback_listen("127.0.0.2", 0);

    park_lookup();
    for (int i = 0; i < 20; i++) {
        next_caller();
        break_off_at(1, NAME, 80);
        ck_assert_ptr_nonnull(wish.half);
    }
    release_answers();
    next_caller();
    ck_assert_str_eq(peer_of(dial(NAME, loopback_port(listener))), "127.0.0.2");
    ck_assert_uint_eq(dns_server_num_queries(server, NULL, DNS_A), 2);
    end();
    (void)close(listener);
}
END_TEST

START_TEST(lookup__that_is_broken_off_is_there_for_others)
{
    int listener = loopback_listen("127.0.0.2", 0);
    struct urlp_half_dial *half;

    park_lookup();
    release_answers();
    half = wish.half;
    wish.half = NULL;
    next_caller();
    ck_assert_str_eq(peer_of(dial(NAME, loopback_port(listener))), "127.0.0.2");
    ck_assert_uint_eq(dns_server_num_queries(server, NULL, DNS_A), 2);
    urlp_half_dial_free(half);
    end();
    (void)close(listener);
}
END_TEST

START_TEST(lookup__ends_with_its_half)
{
    park_lookup();
    drop_half();
    ck_assert_uint_eq(loopback_num_fds(), fds_before);
    next_caller();
    break_off_at(1, NAME, 80);
    drop_half();
    dns_server_await(server, NULL, DNS_A, 4); /* asked anew: nothing was known */
    end();
}
END_TEST

START_TEST(lookup__of_two_halves_ends_with_the_last)
{
    struct urlp_half_dial *first;

    park_lookup();
    first = wish.half;
    wish.half = NULL;
    next_caller();
    break_off_at(1, NAME, 443);
    ck_assert_ptr_nonnull(wish.half);
    urlp_half_dial_free(first);
    ck_assert_uint_gt(loopback_num_fds(), fds_before);
    drop_half();
    dns_server_await(server, NULL, DNS_A, 2);
    end();
}
END_TEST

START_TEST(lookup__that_answered_no_while_it_was_parked_fails_the_next)
{
    begin(NULL);
    dns_server_behave(server, NAME, DNS_A, DNS_HOLDS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_HOLDS);
    break_off_at(1, NAME, 80);
    release_answers();
    next_caller();
    ck_assert_ptr_null(dial(NAME, 80));
    ck_assert_int_eq(err.code, URLPOOL_E_RESOLVE);
    ck_assert(!wish.is_broken_off);
    end();
}
END_TEST

/* --- no descriptor left --- */

START_TEST(half__of_a_dial_out_of_time_is_closed)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(hole.listener);

    begin("127.0.0.2 a\n");
    break_off_at(1, "a", port);
    next_caller();
    call.by = urlp_deadline_in(300);
    ck_assert_ptr_null(dial("a", port));
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT_TIMEOUT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert(!wish.is_broken_off);
    end();
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(half__of_a_dial_that_is_cancelled_is_closed)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(hole.listener);
    struct urlpool_cancel *cancel;

    begin("127.0.0.2 a\n");
    break_off_at(1, "a", port);
    next_caller();
    cancel = urlpool_cancel_new(&err);
    urlpool_cancel_now(cancel);
    call.cancel = cancel;
    ck_assert_ptr_null(dial("a", port));
    ck_assert_int_eq(err.code, URLPOOL_E_CANCELLED);
    ck_assert(!wish.is_broken_off);
    urlpool_cancel_free(cancel);
    end();
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(half__is_of_no_use_to_a_local_socket)
{
    static char path[] = "@urlpool-test-nobody-listens-here";
    const struct urlp_network local = {.unix_socket = path};
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);

    begin("127.0.0.2 a\n");
    break_off_at(1, "a", loopback_port(hole.listener));
    next_caller();
    network = &local;
    ck_assert_ptr_null(dial("a", 80));
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT);
    end();
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(half__of_nothing_may_be_freed)
{
    urlp_half_dial_free(NULL);
}
END_TEST

/* --- what cannot be woken --- */

static unsigned num_asked;

static enum urlpool_code resolve(void *user, const char *host, int64_t timeout_ms,
                                 struct urlpool_answers *answers, struct urlpool_error *why)
{
    (void)user;
    (void)host;
    (void)timeout_ms;
    num_asked++;
    ck_assert(!urlp_break_off_ask(&wish)); /* nobody waits for what would not come */
    return urlpool_answers_add(answers, "127.0.0.2", why);
}

START_TEST(callers_resolver__is_not_broken_off)
{
    const struct urlp_network asked = {.resolve = resolve};
    int listener = loopback_listen("127.0.0.2", 0);

    begin("");
    network = &asked;
    ck_assert_str_eq(peer_of(dial("a", loopback_port(listener))), "127.0.0.2");
    ck_assert_uint_eq(num_asked, 1);
    end();
    (void)close(listener);
}
END_TEST

START_TEST(callers_resolver__is_not_asked_for_a_dial_broken_off_before)
{
    const struct urlp_network asked = {.resolve = resolve};

    begin("");
    network = &asked;
    ck_assert(urlp_break_off_ask(&wish));
    ck_assert_ptr_null(dial("a", 80));
    ck_assert_int_eq(err.code, URLPOOL_E_CANCELLED);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_RESOLVE);
    ck_assert(wish.is_broken_off);
    ck_assert_uint_eq(num_asked, 0);
    end();
}
END_TEST

START_TEST(local_socket__is_not_begun_for_a_dial_broken_off_before)
{
    static char path[] = "@urlpool-test-nobody-listens-here";
    const struct urlp_network local = {.unix_socket = path};

    begin("");
    network = &local;
    ck_assert(urlp_break_off_ask(&wish));
    ck_assert_ptr_null(dial("a", 80));
    ck_assert_int_eq(err.code, URLPOOL_E_CANCELLED);
    ck_assert(wish.is_broken_off);
    ck_assert_str_eq(connected_to, "");
    end();
}
END_TEST

/* --- fork --- */

/* REQUIRE ends the child when the condition is not so. */
#define REQUIRE(condition)                                                        \
    do {                                                                          \
        if (!(condition)) {                                                       \
            fprintf(stderr, "in the child, line %d: %s\n", __LINE__, #condition); \
            _exit(1);                                                             \
        }                                                                         \
    } while (0)

/* use_in_child goes on with a parent's half: there is nothing to go on with, and numbers that the
 * child has used since are left alone. */
static void use_in_child(int listener)
{
    int mine[2];
    char byte;

    REQUIRE(loopback_num_fds() == fds_before);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, mine) == 0); /* takes the number */
    next_caller();
    urlp_stream_free(dial("a", loopback_port(listener)), URLP_CLOSE_POLITE);
    REQUIRE(wish.half == NULL);
    REQUIRE(strcmp(connected_to, " 127.0.0.2 127.0.0.2") == 0);
    REQUIRE(write(mine[0], "y", 1) == 1);
    REQUIRE(read(mine[1], &byte, 1) == 1 && byte == 'y');
    _exit(0);
}

START_TEST(fork__leaves_the_child_without_the_halfs_sockets)
{
    int listener = loopback_listen("127.0.0.2", 0);
    int status = 0;
    pid_t child;

    begin("127.0.0.2 a\n");
    park_connected("a", loopback_port(listener));
    child = fork();
    if (child == 0) {
        use_in_child(listener);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    connected_to[0] = '\0';
    next_caller();
    ck_assert_str_eq(peer_of(dial("a", loopback_port(listener))), "127.0.0.2");
    ck_assert_str_eq(connected_to, "");
    end();
    (void)close(listener);
}
END_TEST

RUN_TESTS("half_dial", break_off__leaves_the_socket_connecting,
          break_off__comes_too_late_for_a_socket_that_was_seen_to_connect,
          break_off__asked_for_before_takes_what_has_connected_along,
          break_off__is_not_a_failure_that_came_in_the_same_round,
          break_off__without_memory_for_a_half_closes_it, break_off__outlives_interruptions,
          break_off__gives_way_to_cancelling, half__that_connected_meanwhile_wins_at_once,
          half__goes_on_where_it_was, half__may_be_broken_off_again_and_again,
          half__may_still_win_with_its_first_socket,
          half__whose_next_address_was_due_goes_to_it_at_once,
          half__that_failed_meanwhile_has_failed, half__whose_peer_has_closed_is_begun_again,
          half__whose_peer_has_reset_is_begun_again, half__whose_peer_has_spoken_is_begun_again,
          half__is_not_looked_up_again, half__has_each_address_judged_once,
          half__tries_an_address_there_was_no_descriptor_for,
          race__an_address_there_was_no_descriptor_for_comes_again_unjudged,
          half__takes_addresses_that_come_late, lookup__that_is_broken_off_goes_on,
          lookup__that_is_broken_off_often_is_one_question,
          lookup__that_is_broken_off_is_there_for_others, lookup__ends_with_its_half,
          lookup__of_two_halves_ends_with_the_last,
          lookup__that_answered_no_while_it_was_parked_fails_the_next,
          half__of_a_dial_out_of_time_is_closed, half__of_a_dial_that_is_cancelled_is_closed,
          half__is_of_no_use_to_a_local_socket, half__of_nothing_may_be_freed,
          callers_resolver__is_not_broken_off,
          callers_resolver__is_not_asked_for_a_dial_broken_off_before,
          local_socket__is_not_begun_for_a_dial_broken_off_before,
          fork__leaves_the_child_without_the_halfs_sockets)
