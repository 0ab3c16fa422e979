/* Dialling: which addresses are tried, when, and what is said when none answers. Names come from a
 * scripted name server or a hosts file of the test's; connects are seen, and some made to fail, by
 * a function of that name before libc's. */

#undef _FORTIFY_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "urlpool/cancel.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/counters.h"
#include "net/dial.h"
#include "net/network.h"
#include "support/dns_server.h"
#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/run_tests.h"

#define NAME "www.example"

/* --- seeing system calls --- */

static char connected_to[512]; /* " ::1 127.0.0.1"; of one dialling thread at a time */
static _Atomic int num_connects;
static bool has_no_v6_route;
static int socket_errno; /* when not 0: the next stream socket fails with it */
static _Atomic int num_polls;
static _Atomic int num_interrupts; /* so many polls fail with EINTR */

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    int type = 0;
    socklen_t type_len = sizeof(type);
    char ip[INET6_ADDRSTRLEN] = "";

    (void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len);
    if (type == SOCK_STREAM && strlen(connected_to) + sizeof(ip) < sizeof(connected_to)) {
        struct sockaddr_in6 v6;
        struct sockaddr_in v4;

        if (address->sa_family == AF_INET6) {
            memcpy(&v6, address, sizeof(v6));
            (void)inet_ntop(AF_INET6, &v6.sin6_addr, ip, sizeof(ip));
        } else {
            memcpy(&v4, address, sizeof(v4));
            (void)inet_ntop(AF_INET, &v4.sin_addr, ip, sizeof(ip));
        }
        strcat(strcat(connected_to, " "), ip);
        atomic_fetch_add(&num_connects, 1);
        if (has_no_v6_route && address->sa_family == AF_INET6) {
            errno = ENETUNREACH;
            return -1;
        }
    }
    return (int)syscall(SYS_connect, fd, address, len);
}

int socket(int domain, int type, int protocol)
{
    if (socket_errno != 0 && (type & SOCK_STREAM) != 0) {
        errno = socket_errno;
        socket_errno = 0;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}

int poll(struct pollfd *fds, nfds_t num_fds, int timeout_ms)
{
    atomic_fetch_add(&num_polls, 1);
    if (atomic_load(&num_interrupts) > 0) {
        atomic_fetch_sub(&num_interrupts, 1);
        errno = EINTR;
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

static struct dns_server *server;
static struct urlp_resolver *resolver;
static struct urlp_counters counters;
static struct urlpool_error err;
static char hosts_path[] = "/tmp/urlpool-hosts-XXXXXX";
static unsigned fds_before;
static struct urlp_call call;

static void begin(void)
{
    fds_before = loopback_num_fds();
    call = (struct urlp_call){
        .by = urlp_deadline_in(20000), .total_by = URLP_NEVER, .counters = &counters};
}

static void begin_with_hosts(const char *hosts)
{
    int fd = mkstemp(hosts_path);

    begin();
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, hosts, strlen(hosts)), (ssize_t)strlen(hosts));
    (void)close(fd);
    fds_before = loopback_num_fds();
    resolver = urlp_resolver_new(&(struct urlp_resolver_options){.hosts_file = hosts_path}, &err);
    ck_assert_ptr_nonnull(resolver);
    connected_to[0] = '\0';
}

static void begin_with_dns(void)
{
    begin();
    server = dns_server_start();
    fds_before = loopback_num_fds();
    resolver =
        urlp_resolver_new(&(struct urlp_resolver_options){.servers = dns_server_address(server),
                                                          .hosts_file = "/dev/null"},
                          &err);
    ck_assert_ptr_nonnull(resolver);
}

static struct urlp_stream *dial(const char *host, uint16_t port)
{
    struct urlp_dial_target target = {.host = urlp_span_of(host), .port = port};

    connected_to[0] = '\0';
    return urlp_dial(resolver, &target, &call, &err);
}

/* peer_of frees the stream and returns its peer's address. */
static const char *peer_of(struct urlp_stream *stream)
{
    static char text[URLP_IP_TEXT_MAX];
    struct urlp_peer who;

    ck_assert_msg(stream != NULL, "%s", err.message);
    ck_assert(urlp_stream_peer(stream, &who));
    urlp_ip_format(&who.ip, text);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    return text;
}

/* end looks for what a dial has left behind. */
static void end(void)
{
    ck_assert_uint_eq(loopback_num_fds(), fds_before);
    urlp_resolver_free(resolver);
    if (server != NULL) {
        dns_server_stop(server);
    }
    (void)unlink(hosts_path);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}

static int64_t ms_since(int64_t begun_ns)
{
    return (urlp_now_ns() - begun_ns) / URLP_NS_PER_MS;
}

/* --- literals, localhost --- */

START_TEST(dial__a_literal_needs_no_query)
{
    int listener = loopback_listen("127.0.0.1", 0);

    begin_with_dns();
    ck_assert_str_eq(peer_of(dial("127.0.0.1", loopback_port(listener))), "127.0.0.1");
    ck_assert_uint_eq(dns_server_num_queries(server, NULL, DNS_A), 0);
    end();
    (void)close(listener);
}
END_TEST

START_TEST(dial__reaches_ipv6)
{
    if (loopback_has_v6()) {
        int listener = loopback_listen("::1", 0);

        begin_with_dns();
        ck_assert_str_eq(peer_of(dial("::1", loopback_port(listener))), "::1");
        end();
        (void)close(listener);
    }
}
END_TEST

START_TEST(dial__localhost_prefers_ipv6)
{
    if (loopback_has_v6()) {
        int listener6 = loopback_listen("::1", 0);
        int listener4 = loopback_listen("127.0.0.1", loopback_port(listener6));

        begin_with_dns();
        ck_assert_str_eq(peer_of(dial("localhost", loopback_port(listener6))), "::1");
        end();
        (void)close(listener6);
        (void)close(listener4);
    }
}
END_TEST

START_TEST(dial__localhost_falls_back_to_ipv4)
{
    int listener = loopback_listen("127.0.0.1", 0);

    begin_with_dns();
    ck_assert_str_eq(peer_of(dial("localhost", loopback_port(listener))), "127.0.0.1");
    ck_assert_str_eq(connected_to, " ::1 127.0.0.1");
    ck_assert_uint_eq(dns_server_num_queries(server, NULL, DNS_A), 0);
    end();
    (void)close(listener);
}
END_TEST

START_TEST(dial__passes_the_options_on)
{
    int listener = loopback_listen("127.0.0.1", 0);
    const struct urlp_network network = {
        .tcp = {.allow_nagle = true, .user_timeout_ms = 4321}
    };
    struct urlp_dial_target target = {
        .host = urlp_span_of("127.0.0.1"), .port = loopback_port(listener), .network = &network};
    struct urlp_stream *stream;
    int value = -1;
    socklen_t len = sizeof(value);

    begin_with_dns();
    stream = urlp_dial(resolver, &target, &call, &err);
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(
        getsockopt(urlp_stream_fd(stream), IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &len), 0);
    ck_assert_int_eq(value, 4321);
    ck_assert_int_eq(getsockopt(urlp_stream_fd(stream), IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
    ck_assert_int_eq(value, 0);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    end();
    (void)close(listener);
}
END_TEST

START_TEST(dial__a_zone_goes_into_the_address)
{
    struct urlp_dial_target target = {
        .host = urlp_span_of("fe80::1"), .zone = urlp_span_of("4000000000"), .port = 80};

    begin_with_dns();
    call.by = urlp_deadline_in(300);
    ck_assert_ptr_null(urlp_dial(resolver, &target, &call, &err));
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert_ptr_nonnull(strstr(err.message, "[fe80::1%4000000000]:80"));
    end();
}
END_TEST

/* --- the race --- */

START_TEST(race__tries_the_next_address_when_one_says_nothing)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(hole.listener);
    int listener = loopback_listen("127.0.0.3", port);
    int64_t begun_ns;

    begin_with_hosts("127.0.0.2 a\n127.0.0.3 a\n");
    begun_ns = urlp_now_ns();
    ck_assert_str_eq(peer_of(dial("a", port)), "127.0.0.3");
    ck_assert_int_ge(ms_since(begun_ns), 250);
    ck_assert_int_lt(ms_since(begun_ns), 10000);
    end();
    loopback_hole_close(&hole);
    (void)close(listener);
}
END_TEST

START_TEST(race__tries_the_next_address_at_once_when_one_refuses)
{
    enum {
        NUM_REFUSING = 14
    };
    int refusing[NUM_REFUSING];
    int listener = loopback_listen("127.0.1.100", 0);
    uint16_t port = loopback_port(listener);
    char hosts[1024] = "";
    int64_t begun_ns;

    for (int i = 0; i < NUM_REFUSING; i++) {
        char ip[20];

        (void)snprintf(ip, sizeof(ip), "127.0.1.%d", i + 1);
        refusing[i] = loopback_bind(ip, port);
        strcat(strcat(hosts, ip), " a\n");
    }
    begin_with_hosts(strcat(hosts, "127.0.1.100 a\n"));
    begun_ns = urlp_now_ns();
    ck_assert_str_eq(peer_of(dial("a", port)), "127.0.1.100");
    ck_assert_int_lt(ms_since(begun_ns), NUM_REFUSING * 250 / 2);
    end();
    (void)close(listener);
    for (int i = 0; i < NUM_REFUSING; i++) {
        (void)close(refusing[i]);
    }
}
END_TEST

START_TEST(race__families_take_turns)
{
    int listener = loopback_listen("127.0.0.4", 0);
    uint16_t port = loopback_port(listener);
    int refusing[] = {loopback_bind("127.0.0.2", port), loopback_bind("127.0.0.3", port)};

    has_no_v6_route = true;
    begin_with_hosts("127.0.0.2 a\n127.0.0.3 a\n127.0.0.4 a\n"
                     "2001:db8::1 a\n2001:db8::2 a\n");
    ck_assert_str_eq(peer_of(dial("a", port)), "127.0.0.4");
    ck_assert_str_eq(connected_to, " 2001:db8::1 127.0.0.2 2001:db8::2 127.0.0.3 127.0.0.4");
    end();
    (void)close(listener);
    (void)close(refusing[0]);
    (void)close(refusing[1]);
}
END_TEST

/* --- the race and the DNS --- */

/* A dial in a thread of its own. */
struct dialling {
    uint16_t port;
    struct urlp_stream *stream;
    pthread_t thread;
    atomic_bool is_over;
    struct urlpool_error err;
};

static void *dial_name(void *user)
{
    struct dialling *dialling = user;
    struct urlp_dial_target target = {.host = urlp_span_of(NAME), .port = dialling->port};

    dialling->stream = urlp_dial(resolver, &target, &call, &dialling->err);
    atomic_store(&dialling->is_over, true);
    return NULL;
}

static void start_dialling(struct dialling *dialling, uint16_t port)
{
    *dialling = (struct dialling){.port = port};
    connected_to[0] = '\0';
    ck_assert_int_eq(pthread_create(&dialling->thread, NULL, dial_name, dialling), 0);
}

/* await_connects waits until `num` connects have begun. */
static void await_connects(int num)
{
    while (atomic_load(&num_connects) < num) {
        (void)sched_yield();
    }
}

START_TEST(race__an_earlier_address_may_still_win)
{
    struct loopback_hole first = loopback_hole_open("127.0.0.2", 0);
    uint16_t port = loopback_port(first.listener);
    struct loopback_hole second = loopback_hole_open("127.0.0.3", port);
    struct dialling dialling;

    begin_with_dns();
    dns_server_add(server, NAME, DNS_A, 60, "127.0.0.2");
    dns_server_add(server, NAME, DNS_A, 60, "127.0.0.3");
    atomic_store(&num_connects, 0);
    start_dialling(&dialling, port);
    await_connects(2);
    /* Room in the first's queue: the kernel comes again within a second. */
    (void)close(loopback_accept(first.listener));
    (void)pthread_join(dialling.thread, NULL);
    ck_assert_str_eq(peer_of(dialling.stream), "127.0.0.2");
    end();
    loopback_hole_close(&first);
    loopback_hole_close(&second);
}
END_TEST

START_TEST(delay__ipv4_waits_for_ipv6_and_then_no_longer)
{
    int listener = loopback_listen("127.0.0.1", 0);
    int64_t begun_ns;

    begin_with_dns();
    dns_server_add(server, NAME, DNS_A, 60, "127.0.0.1");
    dns_server_behave(server, NAME, DNS_AAAA, DNS_DROPS);
    begun_ns = urlp_now_ns();
    ck_assert_str_eq(peer_of(dial(NAME, loopback_port(listener))), "127.0.0.1");
    ck_assert_int_ge(ms_since(begun_ns), 50);
    ck_assert_int_lt(ms_since(begun_ns), 1800); /* the second try for AAAA comes after 2 s */
    end();
    (void)close(listener);
}
END_TEST

START_TEST(delay__an_empty_answer_for_ipv6_ends_the_wait)
{
    int listener = loopback_listen("127.0.0.1", 0);

    /* By a clock that stands still: were there a wait, it would not end. */
    urlp_clock_fake_begin(urlp_now_ns());
    begin_with_dns();
    dns_server_add(server, NAME, DNS_A, 60, "127.0.0.1");
    ck_assert_str_eq(peer_of(dial(NAME, loopback_port(listener))), "127.0.0.1");
    end();
    (void)close(listener);
}
END_TEST

START_TEST(delay__ipv6_within_it_goes_first)
{
    if (loopback_has_v6()) {
        int listener6 = loopback_listen("::1", 0);
        uint16_t port = loopback_port(listener6);
        int listener4 = loopback_listen("127.0.0.1", port);
        struct dialling dialling;
        int polls;

        urlp_clock_fake_begin(urlp_now_ns());
        begin_with_dns();
        dns_server_add(server, NAME, DNS_A, 60, "127.0.0.1");
        dns_server_add(server, NAME, DNS_AAAA, 60, "::1");
        dns_server_behave(server, NAME, DNS_AAAA, DNS_HOLDS);
        start_dialling(&dialling, port);
        dns_server_await(server, NAME, DNS_A, 1);
        /* A is in after some more rounds, and nothing is connecting as the clock stands still. */
        polls = atomic_load(&num_polls) + 20;
        while (atomic_load(&num_polls) < polls) {
            (void)sched_yield();
        }
        dns_server_release(server, NAME, DNS_AAAA);
        (void)pthread_join(dialling.thread, NULL);
        ck_assert_str_eq(peer_of(dialling.stream), "::1");
        ck_assert_str_eq(connected_to, " ::1");
        end();
        (void)close(listener6);
        (void)close(listener4);
    }
}
END_TEST

START_TEST(delay__ipv6_does_not_wait_for_ipv4)
{
    if (loopback_has_v6()) {
        int listener = loopback_listen("::1", 0);

        urlp_clock_fake_begin(urlp_now_ns());
        begin_with_dns();
        dns_server_add(server, NAME, DNS_AAAA, 60, "::1");
        dns_server_behave(server, NAME, DNS_A, DNS_HOLDS);
        ck_assert_str_eq(peer_of(dial(NAME, loopback_port(listener))), "::1");
        end();
        (void)close(listener);
    }
}
END_TEST

START_TEST(delay__addresses_that_come_late_are_tried_too)
{
    if (loopback_has_v6()) {
        int listener = loopback_listen("::1", 0);
        uint16_t port = loopback_port(listener);
        int refusing = loopback_bind("127.0.0.1", port);
        struct dialling dialling;

        begin_with_dns();
        dns_server_add(server, NAME, DNS_A, 60, "127.0.0.1");
        dns_server_add(server, NAME, DNS_AAAA, 60, "::1");
        dns_server_behave(server, NAME, DNS_AAAA, DNS_HOLDS);
        atomic_store(&num_connects, 0);
        start_dialling(&dialling, port);
        await_connects(1);
        dns_server_release(server, NAME, DNS_AAAA);
        (void)pthread_join(dialling.thread, NULL);
        ck_assert_str_eq(peer_of(dialling.stream), "::1");
        end();
        (void)close(listener);
        (void)close(refusing);
    }
}
END_TEST

/* --- what is said when none answers --- */

START_TEST(failure__of_one_address_names_it)
{
    int refusing = loopback_bind("127.0.0.1", 0);
    uint16_t port = loopback_port(refusing);
    char want[100];

    begin_with_dns();
    (void)snprintf(want, sizeof(want), "connect to 127.0.0.1:%u: %s", (unsigned)port,
                   strerror(ECONNREFUSED));
    ck_assert_ptr_null(dial("127.0.0.1", port));
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert_int_eq(err.os_errno, ECONNREFUSED);
    ck_assert_str_eq(err.message, want);
    end();
    (void)close(refusing);
}
END_TEST

START_TEST(failure__of_several_names_the_last_and_how_many)
{
    int refusing = loopback_bind("127.0.0.2", 0);
    uint16_t port = loopback_port(refusing);
    int refusing_too = loopback_bind("127.0.0.3", port);
    char want[100];

    begin_with_hosts("127.0.0.2 a\n127.0.0.3 a\n");
    (void)snprintf(want, sizeof(want), "connect to a at 127.0.0.3:%u (2 addresses tried): %s",
                   (unsigned)port, strerror(ECONNREFUSED));
    ck_assert_ptr_null(dial("a", port));
    ck_assert_str_eq(err.message, want);
    end();
    (void)close(refusing);
    (void)close(refusing_too);
}
END_TEST

START_TEST(failure__that_there_is_no_way_tells_less_than_a_refusal)
{
    int refusing = loopback_bind("127.0.0.2", 0);
    uint16_t port = loopback_port(refusing);

    has_no_v6_route = true;
    begin_with_hosts("127.0.0.2 a\n2001:db8::1 a\n2001:db8::2 a\n");
    ck_assert_ptr_null(dial("a", port));
    ck_assert_str_eq(connected_to, " 2001:db8::1 127.0.0.2 2001:db8::2");
    ck_assert_int_eq(err.os_errno, ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(err.message, "127.0.0.2"));
    end();
    (void)close(refusing);
}
END_TEST

START_TEST(failure__of_the_name_is_the_resolvers)
{
    begin_with_dns();
    ck_assert_ptr_null(dial("gone.example", 80));
    ck_assert_int_eq(err.code, URLPOOL_E_RESOLVE);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_RESOLVE);
    ck_assert_str_eq(err.message, "no address for name gone.example: not found");
    ck_assert_ptr_null(dial("a b", 80));
    ck_assert_str_eq(err.message, "no address for name a b: not a host name");
    end();
}
END_TEST

START_TEST(failure__out_of_descriptors_is_a_system_error)
{
    begin_with_hosts("127.0.0.2 a\n127.0.0.3 a\n");
    socket_errno = EMFILE;
    ck_assert_ptr_null(dial("a", 80));
    ck_assert_int_eq(err.code, URLPOOL_E_SYSTEM);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert_int_eq(err.os_errno, EMFILE);
    ck_assert_str_eq(connected_to, ""); /* nor is another address tried */
    end();
}
END_TEST

START_TEST(failure__out_of_descriptors_for_names_is_a_system_error)
{
    begin_with_hosts("127.0.0.2 a\n");
    loopback_allow_fds(false);
    ck_assert_ptr_null(dial("www.invalid", 80));
    loopback_allow_fds(true);
    ck_assert_int_eq(err.code, URLPOOL_E_SYSTEM);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_RESOLVE);
    ck_assert_int_eq(err.os_errno, EMFILE);
    end();
}
END_TEST

START_TEST(failure__out_of_memory_leaves_nothing_behind)
{
    int listener = loopback_listen("127.0.0.1", 0);
    uint16_t port = loopback_port(listener);
    unsigned num_failures = 0;
    unsigned num_fds;

    failing_allocator_install();
    begin();
    server = dns_server_start();
    dns_server_add(server, NAME, DNS_A, 60, "127.0.0.1");
    num_fds = loopback_num_fds();
    for (uint64_t nth = 1;; nth++) {
        struct urlp_stream *stream;
        bool has_failed;

        failing_allocator_fail_nth(0);
        resolver =
            urlp_resolver_new(&(struct urlp_resolver_options){.servers = dns_server_address(server),
                                                              .hosts_file = "/dev/null"},
                              &err);
        ck_assert_ptr_nonnull(resolver);
        failing_allocator_fail_nth(nth);
        stream = dial(NAME, port);
        has_failed = failing_allocator_has_failed();
        /* What is only remembered, of addresses that are gone, may be missing. */
        ck_assert(has_failed || stream != NULL);
        if (stream == NULL) {
            ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
            num_failures++;
        }
        urlp_stream_free(stream, URLP_CLOSE_POLITE);
        urlp_resolver_free(resolver);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        ck_assert_uint_eq(loopback_num_fds(), num_fds);
        if (!has_failed) {
            ck_assert_uint_gt(num_failures, 3);
            break;
        }
    }
    dns_server_stop(server);
    failing_allocator_remove();
    (void)close(listener);
}
END_TEST

/* --- deadlines and cancelling --- */

START_TEST(deadline__while_connecting_is_a_connect_timeout)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    char want[100];

    begin_with_dns();
    (void)snprintf(want, sizeof(want), "connect to 127.0.0.2:%u: no answer in time",
                   (unsigned)loopback_port(hole.listener));
    call.by = urlp_deadline_in(30);
    ck_assert_ptr_null(dial("127.0.0.2", loopback_port(hole.listener)));
    ck_assert(urlp_deadline_has_passed(call.by));
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT_TIMEOUT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert_str_eq(err.message, want);
    end();
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(deadline__while_resolving_is_a_connect_timeout)
{
    begin_with_dns();
    dns_server_behave(server, NAME, DNS_A, DNS_DROPS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_DROPS);
    call.by = urlp_deadline_in(30);
    ck_assert_ptr_null(dial(NAME, 80));
    ck_assert(urlp_deadline_has_passed(call.by));
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT_TIMEOUT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_RESOLVE);
    ck_assert_str_eq(err.message, "no address for name www.example in time");
    end();
}
END_TEST

START_TEST(deadline__after_a_refusal_names_who_refused)
{
    int refusing = loopback_bind("127.0.0.1", 0);

    begin_with_dns();
    dns_server_add(server, NAME, DNS_A, 60, "127.0.0.1");
    dns_server_behave(server, NAME, DNS_AAAA, DNS_DROPS);
    call.by = urlp_deadline_in(1500);
    ck_assert_ptr_null(dial(NAME, loopback_port(refusing)));
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT_TIMEOUT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert_int_eq(err.os_errno, ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(err.message, "127.0.0.1"));
    end();
    (void)close(refusing);
}
END_TEST

START_TEST(deadline__behind_an_address_that_may_not_be_dialled_names_it)
{
    const struct urlp_network network = {.public_only = true};
    struct urlp_dial_target target = {.host = urlp_span_of(NAME), .port = 80, .network = &network};

    begin_with_dns();
    dns_server_add(server, NAME, DNS_A, 60, "127.0.0.1");
    dns_server_behave(server, NAME, DNS_AAAA, DNS_DROPS);
    call.by = urlp_deadline_in(1500);
    ck_assert_ptr_null(urlp_dial(resolver, &target, &call, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT_TIMEOUT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert_int_eq(err.os_errno, 0);
    ck_assert_str_eq(err.message, "connect to www.example at 127.0.0.1:80: the address may not be "
                                  "dialled, and no other in time");
    end();
}
END_TEST

START_TEST(deadline__of_the_whole_request_says_so)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);

    begin_with_dns();
    call.by = call.total_by = urlp_deadline_in(20);
    ck_assert_ptr_null(dial("127.0.0.2", loopback_port(hole.listener)));
    ck_assert_int_eq(err.code, URLPOOL_E_TOTAL_TIMEOUT);
    end();
    loopback_hole_close(&hole);
}
END_TEST

/* cancel_a_poll cancels once somebody waits. */
static void *cancel_a_poll(void *cancel)
{
    while (atomic_load(&num_polls) == 0) {
        (void)sched_yield();
    }
    urlpool_cancel_now(cancel);
    return NULL;
}

static void dial_cancelled(const char *host, uint16_t port)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(&err);
    pthread_t thread;

    call.by = URLP_NEVER;
    call.cancel = cancel;
    atomic_store(&num_polls, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_a_poll, cancel), 0);
    ck_assert_ptr_null(dial(host, port));
    ck_assert_int_eq(err.code, URLPOOL_E_CANCELLED);
    (void)pthread_join(thread, NULL);
    urlpool_cancel_free(cancel);
}

START_TEST(cancel__ends_the_connecting)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);

    begin_with_dns();
    dial_cancelled("127.0.0.2", loopback_port(hole.listener));
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_CONNECT);
    end();
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(cancel__ends_the_resolving)
{
    begin_with_dns();
    dns_server_behave(server, NAME, DNS_A, DNS_DROPS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_DROPS);
    dial_cancelled(NAME, 80);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_RESOLVE);
    end();
}
END_TEST

START_TEST(dial__interruptions_are_invisible)
{
    int listener = loopback_listen("127.0.0.1", 0);

    begin_with_dns();
    dns_server_add(server, NAME, DNS_A, 60, "127.0.0.1");
    atomic_store(&num_interrupts, 5);
    ck_assert_str_eq(peer_of(dial(NAME, loopback_port(listener))), "127.0.0.1");
    ck_assert_int_eq(atomic_load(&num_interrupts), 0);
    end();
    (void)close(listener);
}
END_TEST

/* --- what others see --- */

static char events[512];

static void on_event(void *user, const struct urlpool_trace_event *event)
{
    size_t len = strlen(events);

    (void)user;
    (void)snprintf(events + len, sizeof(events) - len, "%s %.*s %d\n",
                   event->kind == URLPOOL_TRACE_RESOLVED    ? "resolved"
                   : event->kind == URLPOOL_TRACE_CONNECTED ? "connected"
                                                            : "other",
                   (int)event->text_len, event->text, (int)event->number);
}

START_TEST(trace__tells_of_the_name_and_the_connection)
{
    const struct urlpool_trace trace = {.event = on_event};
    int listener = loopback_listen("127.0.0.1", 0);
    unsigned port = loopback_port(listener);
    char want[200];

    begin_with_dns();
    call.trace = &trace;
    dns_server_add(server, NAME, DNS_A, 60, "127.0.0.1");
    dns_server_add(server, NAME, DNS_A, 60, "127.0.0.2");
    ck_assert_str_eq(peer_of(dial(NAME, (uint16_t)port)), "127.0.0.1");
    (void)snprintf(want, sizeof(want), "resolved www.example 2\nconnected 127.0.0.1:%u 0\n", port);
    ck_assert_str_eq(events, want);
    events[0] = '\0';
    ck_assert_str_eq(peer_of(dial("127.0.0.1", (uint16_t)port)), "127.0.0.1");
    (void)snprintf(want, sizeof(want), "connected 127.0.0.1:%u 0\n", port);
    ck_assert_str_eq(events, want);
    end();
    (void)close(listener);
}
END_TEST

RUN_TESTS("dial", dial__a_literal_needs_no_query, dial__reaches_ipv6, dial__localhost_prefers_ipv6,
          dial__localhost_falls_back_to_ipv4, dial__passes_the_options_on,
          dial__a_zone_goes_into_the_address, race__tries_the_next_address_when_one_says_nothing,
          race__tries_the_next_address_at_once_when_one_refuses, race__families_take_turns,
          race__an_earlier_address_may_still_win, delay__ipv4_waits_for_ipv6_and_then_no_longer,
          delay__an_empty_answer_for_ipv6_ends_the_wait, delay__ipv6_within_it_goes_first,
          delay__ipv6_does_not_wait_for_ipv4, delay__addresses_that_come_late_are_tried_too,
          failure__of_one_address_names_it, failure__of_several_names_the_last_and_how_many,
          failure__that_there_is_no_way_tells_less_than_a_refusal,
          failure__of_the_name_is_the_resolvers, failure__out_of_descriptors_is_a_system_error,
          failure__out_of_descriptors_for_names_is_a_system_error,
          failure__out_of_memory_leaves_nothing_behind,
          deadline__while_connecting_is_a_connect_timeout,
          deadline__while_resolving_is_a_connect_timeout,
          deadline__after_a_refusal_names_who_refused,
          deadline__behind_an_address_that_may_not_be_dialled_names_it,
          deadline__of_the_whole_request_says_so, cancel__ends_the_connecting,
          cancel__ends_the_resolving, dial__interruptions_are_invisible,
          trace__tells_of_the_name_and_the_connection)
