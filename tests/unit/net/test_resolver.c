/* Names and the DNS, against a scripted name server: what is asked, who asks, and how long it is
 * remembered. A seat is moved along here as net/dial.c does it, without connecting. */

#undef _FORTIFY_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/counters.h"
#include "net/resolver.h"
#include "support/dns_server.h"
#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/run_tests.h"

#define NAME "www.example"

/* --- seeing system calls --- */

static struct {
    char connected_to[64]; /* by the last connect of a datagram socket */
    int socket_errno;      /* when not 0, no more sockets */
    int num_interrupts;    /* so many sends and receives fail with EINTR */
    bool risked_sigpipe;   /* something was sent without MSG_NOSIGNAL */
} seen;

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    struct sockaddr_in v4;
    int type = 0;
    socklen_t type_len = sizeof(type);

    (void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len);
    if (type == SOCK_DGRAM && address->sa_family == AF_INET) {
        char ip[INET_ADDRSTRLEN];

        memcpy(&v4, address, sizeof(v4));
        (void)snprintf(seen.connected_to, sizeof(seen.connected_to), "%s:%u",
                       inet_ntop(AF_INET, &v4.sin_addr, ip, sizeof(ip)),
                       (unsigned)ntohs(v4.sin_port));
    }
    return (int)syscall(SYS_connect, fd, address, len);
}

int socket(int domain, int type, int protocol)
{
    if (seen.socket_errno != 0) {
        errno = seen.socket_errno;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}

static bool is_interrupted(void)
{
    if (seen.num_interrupts == 0) {
        return false;
    }
    seen.num_interrupts--;
    errno = EINTR;
    return true;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    seen.risked_sigpipe |= (flags & MSG_NOSIGNAL) == 0;
    return is_interrupted() ? -1 : syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t recvfrom(int fd, void *data, size_t len, int flags, struct sockaddr *from,
                 socklen_t *from_len)
{
    /* The server's own reads pass MSG_DONTWAIT, and stay as they are. */
    if ((flags & MSG_DONTWAIT) == 0 && is_interrupted()) {
        return -1;
    }
    return syscall(SYS_recvfrom, fd, data, len, flags, from, from_len);
}

/* --- what every test begins with --- */

static struct dns_server *server;
static struct urlp_resolver *resolver;
static struct urlp_counters counters;
static struct urlpool_error err;

static void open_with(const struct urlp_resolver_options *options)
{
    resolver = urlp_resolver_new(options, &err);
    ck_assert_ptr_nonnull(resolver);
}

static void open_resolver(void)
{
    server = dns_server_start();
    open_with(&(struct urlp_resolver_options){.servers = dns_server_address(server),
                                              .hosts_file = "/dev/null"});
}

static void close_resolver(void)
{
    urlp_resolver_free(resolver);
    if (server != NULL) {
        dns_server_stop(server);
    }
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}

/* --- a seat, step by step --- */

struct asking {
    struct urlp_lookup_seat seat;
    struct urlp_addresses answers[URLP_NUM_FAMILIES];
    struct urlp_span host;
};

static enum urlpool_code take(struct asking *asking, const char *host, int64_t wait_ms)
{
    struct urlp_dial_target target = {.host = urlp_span_of(host)};
    struct urlp_call call = {
        .by = urlp_deadline_in(wait_ms), .total_by = URLP_NEVER, .counters = &counters};

    memset(asking, 0, sizeof(*asking));
    asking->host = target.host;
    return urlp_lookup_seat_take(&asking->seat, resolver, &target, asking->answers, &call, &err);
}

/* step waits once for what the seat waits for; false when 10 s bring nothing. */
static bool step(struct asking *asking)
{
    struct pollfd fds[URLP_LOOKUP_FDS_MAX];
    int wait_ms = 10000;
    size_t num_fds = urlp_lookup_seat_poll(&asking->seat, fds, &wait_ms);

    if (poll(fds, num_fds, wait_ms) == 0 && wait_ms == 10000) {
        return false;
    }
    urlp_lookup_seat_process(&asking->seat, fds, num_fds, asking->answers);
    return true;
}

static bool is_done(const struct asking *asking)
{
    return asking->answers[URLP_FAMILY_V6].is_done && asking->answers[URLP_FAMILY_V4].is_done;
}

static void finish(struct asking *asking)
{
    while (!is_done(asking)) {
        ck_assert(step(asking));
    }
}

/* text_of lists the addresses, IPv6 first. */
static const char *text_of(const struct asking *asking)
{
    static char text[2 * URLP_ADDRESSES_MAX * URLP_IP_TEXT_MAX];

    text[0] = '\0';
    for (int family = 0; family < URLP_NUM_FAMILIES; family++) {
        for (size_t i = 0; i < asking->answers[family].num_ips; i++) {
            char ip[URLP_IP_TEXT_MAX];

            urlp_ip_format(&asking->answers[family].ips[i], ip);
            strcat(strcat(text, text[0] != '\0' ? " " : ""), ip);
        }
    }
    return text;
}

/* resolve_within is the whole of it: the addresses of `host`, or the error's message. */
static const char *resolve_within(const char *host, int64_t wait_ms)
{
    struct asking asking;
    const char *text;

    memset(&err, 0, sizeof(err));
    if (take(&asking, host, wait_ms) != URLPOOL_OK) {
        return err.message;
    }
    finish(&asking);
    text = text_of(&asking);
    if (text[0] == '\0') {
        ck_assert_int_eq(urlp_lookup_seat_fail(&asking.seat, asking.host, &err), err.code);
        ck_assert_int_eq(err.phase, URLPOOL_PHASE_RESOLVE);
        text = err.message;
    }
    urlp_lookup_seat_leave(&asking.seat);
    return text;
}

static const char *resolve(const char *host)
{
    return resolve_within(host, -1);
}

static unsigned num_queries(void)
{
    return dns_server_num_queries(server, NULL, DNS_A);
}

/* --- questions and answers --- */

START_TEST(query__asks_once_for_each_family)
{
    open_resolver();
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.2");
    dns_server_add(server, NAME, DNS_AAAA, 60, "2001:db8::1");
    ck_assert_str_eq(resolve(NAME), "2001:db8::1 192.0.2.1 192.0.2.2");
    ck_assert_uint_eq(dns_server_num_queries(server, NAME, DNS_A), 1);
    ck_assert_uint_eq(dns_server_num_queries(server, NAME, DNS_AAAA), 1);
    ck_assert_uint_eq(num_queries(), 2);
    close_resolver();
}
END_TEST

START_TEST(query__one_family_is_enough)
{
    open_resolver();
    dns_server_add(server, "four.example", DNS_A, 60, "192.0.2.1");
    dns_server_add(server, "six.example", DNS_AAAA, 60, "2001:db8::1");
    ck_assert_str_eq(resolve("four.example"), "192.0.2.1");
    ck_assert_str_eq(resolve("six.example"), "2001:db8::1");
    close_resolver();
}
END_TEST

START_TEST(query__follows_aliases)
{
    open_resolver();
    dns_server_add(server, NAME, DNS_CNAME, 60, "a.example");
    dns_server_add(server, "a.example", DNS_CNAME, 60, "b.example");
    dns_server_add(server, "b.example", DNS_A, 60, "192.0.2.1");
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    close_resolver();
}
END_TEST

START_TEST(query__keeps_as_many_addresses_as_are_tried)
{
    struct asking asking;

    open_resolver();
    for (int i = 0; i < 40; i++) {
        char ip[32];

        (void)snprintf(ip, sizeof(ip), "192.0.2.%d", i);
        dns_server_add(server, NAME, DNS_A, 60, ip);
    }
    /* The answer is too long for a datagram. */
    dns_server_behave(server, NAME, DNS_A, DNS_TRUNCATES);
    ck_assert_int_eq(take(&asking, NAME, -1), URLPOOL_OK);
    finish(&asking);
    ck_assert_uint_eq(asking.answers[URLP_FAMILY_V4].num_ips, URLP_ADDRESSES_MAX);
    urlp_lookup_seat_leave(&asking.seat);
    close_resolver();
}
END_TEST

START_TEST(query__never_asks_for_literals_and_localhost)
{
    open_resolver();
    ck_assert_str_eq(resolve("192.0.2.1"), "192.0.2.1");
    ck_assert_str_eq(resolve("2001:db8::1"), "2001:db8::1");
    ck_assert_str_eq(resolve("localhost"), "::1 127.0.0.1");
    ck_assert_str_eq(resolve("x.localhost."), "::1 127.0.0.1");
    ck_assert_uint_eq(num_queries(), 0);
    ck_assert_uint_eq(counters.dns_queries + counters.dns_hits, 0);
    close_resolver();
}
END_TEST

START_TEST(query__what_is_no_host_name_is_refused_unasked)
{
    char label[64 + 1 + 7 + 1];
    char name[254 + 1];
    const char *const names[] = {
        "",      ".",     "a..b",  ".a", "a b", "a\tb", "a/b",
        "a\\.b", "a%62c", "a\x01", "[",  "::g", "*",    "caf\xc3\xa9.example",
        label,   name};

    memset(label, 'a', sizeof(label));
    (void)strcpy(label + 64, ".exampl");
    memset(name, 'a', sizeof(name));
    for (size_t i = 50; i < 254; i += 51) {
        name[i] = '.';
    }
    name[254] = '\0';
    open_resolver();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ck_assert_ptr_nonnull(strstr(resolve(names[i]), ": not a host name"));
        ck_assert_int_eq(err.code, URLPOOL_E_RESOLVE);
        ck_assert_int_eq(err.phase, URLPOOL_PHASE_RESOLVE);
    }
    ck_assert_uint_eq(num_queries(), 0);
    close_resolver();
}
END_TEST

START_TEST(query__the_longest_name_there_is_is_asked_for)
{
    char name[254 + 1];

    memset(name, 'a', sizeof(name));
    for (size_t i = 60; i < 253; i += 61) {
        name[i] = '.';
    }
    name[253] = '\0';
    open_resolver();
    dns_server_add(server, name, DNS_A, 60, "192.0.2.1");
    ck_assert_str_eq(resolve(name), "192.0.2.1");
    (void)strcat(name, ".");
    ck_assert_str_eq(resolve(name), "192.0.2.1");
    close_resolver();
}
END_TEST

START_TEST(query__underscores_and_digits_are_fine)
{
    open_resolver();
    dns_server_add(server, "_x-1.2a.example", DNS_A, 60, "192.0.2.1");
    ck_assert_str_eq(resolve("_x-1.2a.example"), "192.0.2.1");
    close_resolver();
}
END_TEST

START_TEST(query__goes_on_by_tcp_when_the_answer_is_cut)
{
    open_resolver();
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    dns_server_behave(server, NAME, DNS_A, DNS_TRUNCATES);
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    ck_assert_uint_eq(dns_server_num_queries(server, NAME, DNS_A), 2);
    close_resolver();
}
END_TEST

/* SIGPIPE is at its default action here: were it raised, the test's process would die of it. */
START_TEST(query__a_server_that_resets_raises_no_signal)
{
    open_resolver();
    ck_assert_ptr_eq(signal(SIGPIPE, SIG_DFL), SIG_DFL);
    dns_server_add(server, NAME, DNS_AAAA, 60, "2001:db8::1");
    dns_server_behave(server, NAME, DNS_A, DNS_RESETS);
    ck_assert_str_eq(resolve(NAME), "2001:db8::1");
    ck_assert(!seen.risked_sigpipe);
    close_resolver();
}
END_TEST

START_TEST(query__is_sent_again_when_no_answer_comes)
{
    struct asking asking;

    open_resolver();
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    dns_server_behave(server, NAME, DNS_A, DNS_DROPS);
    ck_assert_int_eq(take(&asking, NAME, 600), URLPOOL_OK);
    dns_server_await(server, NAME, DNS_A, 1);
    dns_server_behave(server, NAME, DNS_A, DNS_ANSWERS);
    finish(&asking);
    ck_assert_str_eq(text_of(&asking), "192.0.2.1");
    ck_assert_uint_ge(dns_server_num_queries(server, NAME, DNS_A), 2);
    urlp_lookup_seat_leave(&asking.seat);
    close_resolver();
}
END_TEST

START_TEST(query__interruptions_are_invisible)
{
    open_resolver();
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    seen.num_interrupts = 3;
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    ck_assert_int_eq(seen.num_interrupts, 0);
    close_resolver();
}
END_TEST

START_TEST(query__sockets_are_closed_on_exec_and_at_the_end)
{
    struct asking asking;
    unsigned num_fds;

    open_resolver();
    num_fds = loopback_num_fds();
    dns_server_behave(server, NAME, DNS_A, DNS_HOLDS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_HOLDS);
    ck_assert_int_eq(take(&asking, NAME, -1), URLPOOL_OK);
    ck_assert_uint_gt(loopback_num_fds(), num_fds);
    ck_assert(!loopback_leaks_on_exec());
    urlp_lookup_seat_leave(&asking.seat);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
    close_resolver();
}
END_TEST

/* --- no address --- */

START_TEST(failure__says_why)
{
    static const char *const names[] = {"fails.example", "refuses.example"};
    static const enum dns_manner manners[] = {DNS_FAILS, DNS_REFUSES};

    open_resolver();
    dns_server_add(server, "alias.example", DNS_CNAME, 60, "nothing.example");
    for (int i = 0; i < 2; i++) {
        dns_server_behave(server, names[i], DNS_A, manners[i]);
        dns_server_behave(server, names[i], DNS_AAAA, manners[i]);
    }
    ck_assert_str_eq(resolve("gone.example"), "no address for name gone.example: not found");
    ck_assert_int_eq(err.code, URLPOOL_E_RESOLVE);
    ck_assert_str_eq(resolve("alias.example"),
                     "no address for name alias.example: the name has no addresses");
    ck_assert_str_eq(resolve("fails.example"), "no address for name fails.example: server failed");
    ck_assert_int_eq(err.code, URLPOOL_E_RESOLVE);
    ck_assert_str_eq(resolve("refuses.example"),
                     "no address for name refuses.example: server refused");
    ck_assert_uint_eq(dns_server_num_queries(server, "fails.example", DNS_A), 1);
    close_resolver();
}
END_TEST

START_TEST(failure__of_one_family_does_not_hide_the_other)
{
    open_resolver();
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    dns_server_behave(server, NAME, DNS_AAAA, DNS_FAILS);
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    close_resolver();
}
END_TEST

START_TEST(failure__of_one_family_tells_more_than_an_empty_other)
{
    open_resolver();
    dns_server_add(server, NAME, DNS_CNAME, 60, "gone.example");
    dns_server_behave(server, NAME, DNS_A, DNS_FAILS);
    ck_assert_str_eq(resolve(NAME), "no address for name www.example: server failed");
    close_resolver();
}
END_TEST

START_TEST(failure__without_a_server_names_where_it_was_looked_for)
{
    char address[32];
    char want[100];
    int taken = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in nobody = {.sin_family = AF_INET};

    /* A bound port whose socket is then closed: nobody is there. */
    nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(taken, (struct sockaddr *)&nobody, sizeof(nobody)), 0);
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)loopback_port(taken));
    (void)close(taken);
    (void)snprintf(want, sizeof(want), "no address for name www.example: no name server at %s",
                   address);
    open_with(&(struct urlp_resolver_options){.servers = address, .hosts_file = "/dev/null"});
    ck_assert_str_eq(resolve(NAME), want);
    ck_assert_int_eq(err.code, URLPOOL_E_RESOLVE);
    close_resolver();
}
END_TEST

START_TEST(failure__a_second_server_is_asked_when_the_first_fails)
{
    struct dns_server *first = dns_server_start();
    char both[100];

    server = dns_server_start();
    (void)snprintf(both, sizeof(both), "%s,%s", dns_server_address(first),
                   dns_server_address(server));
    open_with(&(struct urlp_resolver_options){.servers = both, .hosts_file = "/dev/null"});
    for (int i = 0; i < 2; i++) {
        dns_server_behave(first, NAME, i == 0 ? DNS_A : DNS_AAAA, DNS_FAILS);
        dns_server_behave(first, "gone.example", i == 0 ? DNS_A : DNS_AAAA, DNS_FAILS);
        dns_server_behave(server, "gone.example", i == 0 ? DNS_A : DNS_AAAA, DNS_FAILS);
    }
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    ck_assert_str_eq(resolve("gone.example"), "no address for name gone.example: server failed");
    close_resolver();
    dns_server_stop(first);
}
END_TEST

START_TEST(failure__out_of_descriptors_is_a_system_error_and_not_remembered)
{
    open_resolver();
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    seen.socket_errno = EMFILE;
    (void)resolve(NAME);
    ck_assert_int_eq(err.code, URLPOOL_E_SYSTEM);
    ck_assert_int_eq(err.os_errno, EMFILE);
    ck_assert_ptr_nonnull(strstr(err.message, "no address for name www.example: socket: "));
    seen.socket_errno = 0;
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    close_resolver();
}
END_TEST

START_TEST(failure__of_a_socket_of_ours_is_told_and_not_remembered)
{
    open_resolver();
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    seen.socket_errno = EACCES;
    (void)resolve(NAME);
    ck_assert_int_eq(err.code, URLPOOL_E_RESOLVE);
    ck_assert_int_eq(err.os_errno, EACCES);
    ck_assert_ptr_nonnull(strstr(err.message, "no name server at 127.0.0.1:"));
    ck_assert_ptr_nonnull(strstr(err.message, strerror(EACCES)));
    seen.socket_errno = 0;
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    close_resolver();
}
END_TEST

START_TEST(failure__out_of_memory_is_clean_and_not_remembered)
{
    uint64_t nth;

    failing_allocator_install();
    server = dns_server_start();
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    for (nth = 1;; nth++) {
        const struct urlp_resolver_options options = {.servers = dns_server_address(server),
                                                      .hosts_file = "/dev/null",
                                                      .resolv_conf = "/dev/null"};
        const char *text = "";
        bool has_failed;

        failing_allocator_fail_nth(nth);
        err.code = URLPOOL_OK;
        resolver = urlp_resolver_new(&options, &err);
        if (resolver != NULL) {
            text = resolve(NAME);
        }
        has_failed = failing_allocator_has_failed();
        if (strcmp(text, "192.0.2.1") != 0) { /* the log of addresses is done without */
            ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
            ck_assert(has_failed);
        }
        failing_allocator_fail_nth(0);
        if (resolver != NULL) {
            ck_assert_str_eq(resolve(NAME), "192.0.2.1");
        }
        urlp_resolver_free(resolver);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        if (!has_failed) {
            break;
        }
    }
    ck_assert_uint_gt(nth, 6);
    dns_server_stop(server);
    failing_allocator_remove();
}
END_TEST

START_TEST(new__refuses_servers_that_are_none)
{
    const char *const lists[] = {"", "nonsense", "127.0.0.1:53,x"};

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        ck_assert_ptr_null(
            urlp_resolver_new(&(struct urlp_resolver_options){.servers = lists[i]}, &err));
        ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    }
}
END_TEST

/* --- resolv.conf --- */

static char conf_path[] = "/tmp/urlpool-resolv-XXXXXX";

static void open_with_conf(const char *text)
{
    int fd = mkstemp(conf_path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    server = dns_server_start();
    open_with(&(struct urlp_resolver_options){.servers = dns_server_address(server),
                                              .hosts_file = "/dev/null",
                                              .resolv_conf = conf_path});
}

START_TEST(search__short_names_go_through_the_list)
{
    open_with_conf("search one.example two.example\n");
    dns_server_add(server, "host.two.example", DNS_A, 60, "192.0.2.1");
    ck_assert_str_eq(resolve("host"), "192.0.2.1");
    ck_assert_uint_eq(dns_server_num_queries(server, "host", DNS_A), 0);
    ck_assert_uint_eq(dns_server_num_queries(server, "host.one.example", DNS_A), 1);
    (void)unlink(conf_path);
    close_resolver();
}
END_TEST

START_TEST(search__both_families_come_from_the_same_name)
{
    open_with_conf("search one.example two.example\n");
    dns_server_add(server, "host.one.example", DNS_A, 60, "192.0.2.1");
    dns_server_add(server, "host.two.example", DNS_AAAA, 60, "2001:db8::2");
    ck_assert_str_eq(resolve("host"), "192.0.2.1");
    (void)unlink(conf_path);
    close_resolver();
}
END_TEST

START_TEST(search__names_with_dots_go_as_they_are_first_and_through_the_list_last)
{
    open_with_conf("search one.example .\n");
    dns_server_add(server, "a.b.one.example", DNS_A, 60, "192.0.2.1");
    ck_assert_str_eq(resolve("a.b"), "192.0.2.1");
    ck_assert_uint_eq(dns_server_num_queries(server, "a.b", DNS_A), 1);
    (void)unlink(conf_path);
    close_resolver();
}
END_TEST

START_TEST(search__ndots_says_how_many_dots)
{
    open_with_conf("search one.example\noptions ndots:2\n");
    dns_server_add(server, "a.b", DNS_A, 60, "192.0.2.1");
    ck_assert_str_eq(resolve("a.b"), "192.0.2.1");
    ck_assert_uint_eq(dns_server_num_queries(server, "a.b.one.example", DNS_A), 1);
    (void)unlink(conf_path);
    close_resolver();
}
END_TEST

START_TEST(search__a_dot_behind_the_name_means_no_search)
{
    open_with_conf("search one.example\n");
    dns_server_add(server, "host.one.example", DNS_A, 60, "192.0.2.1");
    ck_assert_str_eq(resolve("host."), "no address for name host.: not found");
    ck_assert_str_eq(resolve("host"), "192.0.2.1"); /* nor does the one answer for the other */
    ck_assert_uint_eq(dns_server_num_queries(server, "host", DNS_A), 1);
    (void)unlink(conf_path);
    close_resolver();
}
END_TEST

START_TEST(search__is_not_used_with_servers_of_ones_own)
{
    open_resolver();
    ck_assert_int_eq(setenv("LOCALDOMAIN", "env.example", 1), 0); /* c-ares would take it */
    ck_assert_str_eq(resolve("host"), "no address for name host: not found");
    ck_assert_uint_eq(num_queries(), 2);
    close_resolver();
}
END_TEST

START_TEST(resolv_conf__empty_means_this_machine)
{
    struct asking asking;

    open_with(
        &(struct urlp_resolver_options){.hosts_file = "/dev/null", .resolv_conf = "/dev/null"});
    ck_assert_int_eq(take(&asking, "www.invalid.", -1), URLPOOL_OK);
    ck_assert_str_eq(seen.connected_to, "127.0.0.1:53");
    urlp_lookup_seat_leave(&asking.seat);
    close_resolver();
}
END_TEST

/* --- the cache, by the fake clock --- */

static void open_with_fake_clock(void)
{
    urlp_clock_fake_begin(urlp_now_ns());
    open_resolver();
}

static void advance_ms(int64_t ms)
{
    urlp_clock_fake_advance(ms * URLP_NS_PER_MS);
}

/* expect_kept_for resolves NAME and finds it kept for `ttl_ms`, no less and no more. */
static void expect_kept_for(int64_t ttl_ms)
{
    unsigned before = dns_server_num_queries(server, NAME, DNS_A);

    (void)resolve(NAME);
    ck_assert_uint_eq(dns_server_num_queries(server, NAME, DNS_A), before + 1);
    advance_ms(ttl_ms - 1);
    (void)resolve(NAME);
    ck_assert_uint_eq(dns_server_num_queries(server, NAME, DNS_A), before + 1);
    advance_ms(1);
    (void)resolve(NAME);
    ck_assert_uint_eq(dns_server_num_queries(server, NAME, DNS_A), before + 2);
}

START_TEST(cache__keeps_an_answer_for_its_ttl)
{
    open_with_fake_clock();
    dns_server_add(server, NAME, DNS_A, 30, "192.0.2.1");
    expect_kept_for(30000);
    ck_assert_uint_eq(counters.dns_queries, 2);
    ck_assert_uint_eq(counters.dns_hits, 1);
    close_resolver();
}
END_TEST

START_TEST(cache__the_least_ttl_of_the_chain_counts)
{
    open_with_fake_clock();
    dns_server_add(server, NAME, DNS_CNAME, 7, "a.example");
    dns_server_add(server, "a.example", DNS_A, 300, "192.0.2.1");
    expect_kept_for(7000);
    close_resolver();
}
END_TEST

START_TEST(cache__the_least_ttl_of_the_addresses_counts)
{
    open_with_fake_clock();
    dns_server_add(server, NAME, DNS_A, 300, "192.0.2.1");
    dns_server_add(server, NAME, DNS_A, 8, "192.0.2.2");
    dns_server_add(server, NAME, DNS_A, 400, "192.0.2.3");
    expect_kept_for(8000);
    close_resolver();
}
END_TEST

START_TEST(cache__the_least_ttl_of_both_families_counts)
{
    open_with_fake_clock();
    dns_server_add(server, NAME, DNS_AAAA, 9, "2001:db8::1");
    dns_server_add(server, NAME, DNS_A, 300, "192.0.2.1");
    expect_kept_for(9000);
    close_resolver();
}
END_TEST

START_TEST(cache__keeps_at_least_a_second)
{
    open_with_fake_clock();
    dns_server_add(server, NAME, DNS_A, 0, "192.0.2.1");
    expect_kept_for(1000);
    close_resolver();
}
END_TEST

START_TEST(cache__keeps_at_most_an_hour)
{
    open_with_fake_clock();
    dns_server_add(server, NAME, DNS_A, 1000000, "192.0.2.1");
    expect_kept_for(3600000);
    close_resolver();
}
END_TEST

START_TEST(cache__a_ttl_past_31_bits_is_none)
{
    open_with_fake_clock(); /* RFC 2181 section 8 */
    dns_server_add(server, NAME, DNS_A, 0xfffffff0, "192.0.2.1");
    expect_kept_for(1000);
    close_resolver();
}
END_TEST

START_TEST(cache__keeps_a_failure_for_a_second)
{
    open_with_fake_clock();
    expect_kept_for(1000);
    dns_server_behave(server, NAME, DNS_A, DNS_FAILS);
    advance_ms(5000);
    expect_kept_for(1000);
    close_resolver();
}
END_TEST

START_TEST(cache__tells_a_failure_that_it_kept_in_the_same_words)
{
    open_with_fake_clock();
    ck_assert_str_eq(resolve(NAME), "no address for name www.example: not found");
    ck_assert_str_eq(resolve("WWW.example"), "no address for name WWW.example: not found");
    ck_assert_uint_eq(num_queries(), 2);
    close_resolver();
}
END_TEST

START_TEST(cache__names_are_the_same_whatever_their_case)
{
    open_with_fake_clock();
    dns_server_add(server, NAME, DNS_A, 30, "192.0.2.1");
    ck_assert_str_eq(resolve("WWW.Example"), "192.0.2.1");
    ck_assert_str_eq(resolve("www.exAMPLE"), "192.0.2.1");
    ck_assert_uint_eq(num_queries(), 2);
    close_resolver();
}
END_TEST

START_TEST(cache__does_not_keep_what_the_hosts_file_says)
{
    char path[] = "/tmp/urlpool-hosts-XXXXXX";
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    open_with(&(struct urlp_resolver_options){.hosts_file = path});
    ck_assert_int_eq(pwrite(fd, "192.0.2.1 www.example\n", 22, 0), 22);
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    ck_assert_int_eq(pwrite(fd, "192.0.2.2 www.example\n", 22, 0), 22);
    ck_assert_str_eq(resolve(NAME), "192.0.2.2");
    (void)close(fd);
    (void)unlink(path);
    close_resolver();
}
END_TEST

START_TEST(cache__the_hosts_file_comes_before_what_was_kept)
{
    char path[] = "/tmp/urlpool-hosts-XXXXXX";
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    server = dns_server_start();
    dns_server_add(server, NAME, DNS_A, 30, "192.0.2.9");
    open_with(
        &(struct urlp_resolver_options){.servers = dns_server_address(server), .hosts_file = path});
    ck_assert_str_eq(resolve(NAME), "192.0.2.9");
    ck_assert_int_eq(pwrite(fd, "192.0.2.1 www.example\n", 22, 0), 22);
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    (void)close(fd);
    (void)unlink(path);
    close_resolver();
}
END_TEST

START_TEST(cache__forgets_the_oldest_of_too_many)
{
    char name[32];

    open_with_fake_clock();
    for (int i = 0; i < 1025; i++) {
        (void)snprintf(name, sizeof(name), "n%d.example", i);
        (void)resolve(name);
    }
    (void)resolve("n1024.example");
    (void)resolve("n1.example");
    (void)resolve("n0.example");
    ck_assert_uint_eq(dns_server_num_queries(server, "n1024.example", DNS_A), 1);
    ck_assert_uint_eq(dns_server_num_queries(server, "n1.example", DNS_A), 1);
    ck_assert_uint_eq(dns_server_num_queries(server, "n0.example", DNS_A), 2);
    close_resolver();
}
END_TEST

/* --- sharing --- */

static void hold(void)
{
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    dns_server_add(server, NAME, DNS_AAAA, 60, "2001:db8::1");
    dns_server_behave(server, NAME, DNS_A, DNS_HOLDS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_HOLDS);
}

static void release(void)
{
    dns_server_release(server, NAME, DNS_A);
    dns_server_release(server, NAME, DNS_AAAA);
}

START_TEST(share__one_drives_and_all_get_the_answer)
{
    struct asking a, b, c;

    open_resolver();
    hold();
    ck_assert_int_eq(take(&a, NAME, -1), URLPOOL_OK);
    ck_assert_int_eq(take(&b, NAME, -1), URLPOOL_OK);
    ck_assert_int_eq(take(&c, "WWW.EXAMPLE", -1), URLPOOL_OK);
    release();
    finish(&a);
    urlp_lookup_seat_leave(&a.seat);
    finish(&c);
    finish(&b);
    ck_assert_str_eq(text_of(&b), "2001:db8::1 192.0.2.1");
    ck_assert_str_eq(text_of(&c), "2001:db8::1 192.0.2.1");
    urlp_lookup_seat_leave(&b.seat);
    urlp_lookup_seat_leave(&c.seat);
    ck_assert_uint_eq(num_queries(), 2);
    ck_assert_uint_eq(counters.dns_queries, 1);
    ck_assert_uint_eq(counters.dns_hits, 2);
    close_resolver();
}
END_TEST

START_TEST(share__a_follower_sees_one_family_as_soon_as_it_is_there)
{
    struct pollfd fds[URLP_LOOKUP_FDS_MAX];
    int wait_ms = -1;
    struct asking a, b;

    open_resolver();
    hold();
    ck_assert_int_eq(take(&a, NAME, -1), URLPOOL_OK);
    ck_assert_int_eq(take(&b, NAME, -1), URLPOOL_OK);
    dns_server_release(server, NAME, DNS_A);
    while (!a.answers[URLP_FAMILY_V4].is_done) {
        ck_assert(step(&a));
    }
    while (!b.answers[URLP_FAMILY_V4].is_done) {
        ck_assert(step(&b));
    }
    ck_assert_str_eq(text_of(&b), "192.0.2.1");
    ck_assert(!b.answers[URLP_FAMILY_V6].is_done);
    ck_assert_uint_eq(urlp_lookup_seat_poll(&b.seat, fds, &wait_ms), 1);
    ck_assert_int_eq(poll(fds, 1, 0), 0); /* it waits again */
    urlp_lookup_seat_leave(&b.seat);
    urlp_lookup_seat_leave(&a.seat);
    close_resolver();
}
END_TEST

START_TEST(share__a_driver_that_leaves_passes_on_to_the_oldest_follower)
{
    struct asking a, b, c;

    open_resolver();
    hold();
    ck_assert_int_eq(take(&a, NAME, -1), URLPOOL_OK);
    ck_assert_int_eq(take(&b, NAME, -1), URLPOOL_OK);
    ck_assert_int_eq(take(&c, NAME, -1), URLPOOL_OK);
    urlp_lookup_seat_leave(&a.seat);
    release();
    finish(&b); /* c does not move, so it is b that drives */
    urlp_lookup_seat_leave(&b.seat);
    finish(&c);
    ck_assert_str_eq(text_of(&c), "2001:db8::1 192.0.2.1");
    urlp_lookup_seat_leave(&c.seat);
    ck_assert_uint_eq(num_queries(), 2);
    close_resolver();
}
END_TEST

START_TEST(share__a_follower_that_left_is_passed_over)
{
    struct asking a, b, c;

    open_resolver();
    hold();
    ck_assert_int_eq(take(&a, NAME, -1), URLPOOL_OK);
    ck_assert_int_eq(take(&b, NAME, -1), URLPOOL_OK);
    ck_assert_int_eq(take(&c, NAME, -1), URLPOOL_OK);
    urlp_lookup_seat_leave(&b.seat);
    urlp_lookup_seat_leave(&a.seat);
    release();
    finish(&c);
    ck_assert_str_eq(text_of(&c), "2001:db8::1 192.0.2.1");
    urlp_lookup_seat_leave(&c.seat);
    ck_assert_uint_eq(num_queries(), 2);
    close_resolver();
}
END_TEST

START_TEST(share__followers_get_the_failure_too)
{
    struct asking a, b;

    open_resolver();
    dns_server_behave(server, NAME, DNS_A, DNS_HOLDS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_HOLDS);
    ck_assert_int_eq(take(&a, NAME, -1), URLPOOL_OK);
    ck_assert_int_eq(take(&b, NAME, -1), URLPOOL_OK);
    release();
    finish(&a);
    finish(&b);
    ck_assert_int_eq(urlp_lookup_seat_fail(&b.seat, b.host, &err), URLPOOL_E_RESOLVE);
    ck_assert_str_eq(err.message, "no address for name www.example: not found");
    urlp_lookup_seat_leave(&a.seat);
    urlp_lookup_seat_leave(&b.seat);
    close_resolver();
}
END_TEST

START_TEST(share__the_last_to_leave_ends_the_lookup)
{
    struct asking a, b;
    unsigned num_fds;

    open_resolver();
    num_fds = loopback_num_fds();
    hold();
    ck_assert_int_eq(take(&a, NAME, -1), URLPOOL_OK);
    ck_assert_int_eq(take(&b, NAME, -1), URLPOOL_OK);
    urlp_lookup_seat_leave(&a.seat);
    urlp_lookup_seat_leave(&b.seat);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
    dns_server_await(server, NAME, DNS_A, 1);
    dns_server_behave(server, NAME, DNS_A, DNS_ANSWERS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_ANSWERS);
    ck_assert_str_eq(resolve(NAME), "2001:db8::1 192.0.2.1");
    ck_assert_uint_eq(dns_server_num_queries(server, NAME, DNS_A), 2);
    close_resolver();
}
END_TEST

START_TEST(share__what_was_known_when_the_last_one_left_is_kept_for_a_while)
{
    struct asking a;

    open_with_fake_clock();
    hold();
    ck_assert_int_eq(take(&a, NAME, -1), URLPOOL_OK);
    dns_server_release(server, NAME, DNS_A);
    while (!a.answers[URLP_FAMILY_V4].is_done) {
        ck_assert(step(&a));
    }
    urlp_lookup_seat_leave(&a.seat);
    dns_server_behave(server, NAME, DNS_A, DNS_ANSWERS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_ANSWERS);
    advance_ms(9999);
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    advance_ms(1);
    ck_assert_str_eq(resolve(NAME), "2001:db8::1 192.0.2.1");
    close_resolver();
}
END_TEST

START_TEST(forget__has_every_name_be_asked_for_anew)
{
    open_resolver();
    dns_server_add(server, NAME, DNS_A, 3600, "192.0.2.1");
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    ck_assert_uint_eq(dns_server_num_queries(server, NAME, DNS_A), 1);
    urlp_resolver_forget(resolver);
    ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    ck_assert_uint_eq(dns_server_num_queries(server, NAME, DNS_A), 2);
    close_resolver();
}
END_TEST

START_TEST(forget__a_lookup_under_way_goes_on_and_is_not_kept)
{
    struct asking before;

    open_resolver();
    hold();
    ck_assert_int_eq(take(&before, NAME, -1), URLPOOL_OK);
    dns_server_await(server, NAME, DNS_AAAA, 1);
    urlp_resolver_forget(resolver);
    dns_server_release(server, NAME, DNS_A);
    dns_server_release(server, NAME, DNS_AAAA);
    finish(&before);
    ck_assert_str_eq(text_of(&before), "2001:db8::1 192.0.2.1");
    urlp_lookup_seat_leave(&before.seat);
    dns_server_behave(server, NAME, DNS_A, DNS_ANSWERS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_ANSWERS);
    ck_assert_str_eq(resolve(NAME), "2001:db8::1 192.0.2.1");
    ck_assert_uint_eq(dns_server_num_queries(server, NAME, DNS_A), 2);
    close_resolver();
}
END_TEST

static bool is_gone(const char *ip_text)
{
    struct urlp_ip ip;

    ck_assert(urlp_ip_parse(urlp_span_of(ip_text), &ip));
    return urlp_resolver_is_gone(resolver, urlp_span_of("WWW.example"), &ip);
}

START_TEST(gone__is_an_address_that_three_fresh_answers_have_not)
{
    uint64_t num_gone;

    open_with_fake_clock();
    dns_server_add(server, NAME, DNS_A, 30, "192.0.2.1");
    dns_server_add(server, NAME, DNS_AAAA, 30, "2001:db8::1");
    (void)resolve(NAME);
    num_gone = urlp_resolver_num_gone(resolver);
    dns_server_clear(server);
    dns_server_add(server, NAME, DNS_A, 30, "192.0.2.2");
    for (int i = 0; i < 3; i++) {
        ck_assert(!is_gone("192.0.2.1"));
        advance_ms(30000);
        ck_assert_str_eq(resolve(NAME), "192.0.2.2");
        ck_assert_str_eq(resolve(NAME), "192.0.2.2"); /* kept: no fresh answer */
    }
    ck_assert(is_gone("192.0.2.1"));
    ck_assert(is_gone("2001:db8::1"));
    ck_assert(!is_gone("192.0.2.2"));
    ck_assert(!is_gone("192.0.2.77")); /* was never given: perhaps by somebody else */
    ck_assert_uint_gt(urlp_resolver_num_gone(resolver), num_gone);
    urlp_resolver_forget(resolver);
    ck_assert(!is_gone("192.0.2.1"));
    close_resolver();
}
END_TEST

START_TEST(gone__is_nothing_because_a_server_fails)
{
    open_with_fake_clock();
    dns_server_add(server, NAME, DNS_A, 30, "192.0.2.1");
    dns_server_add(server, NAME, DNS_AAAA, 30, "2001:db8::1");
    (void)resolve(NAME);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_FAILS);
    for (int i = 0; i < 5; i++) {
        advance_ms(30000);
        ck_assert_str_eq(resolve(NAME), "192.0.2.1");
    }
    ck_assert(!is_gone("2001:db8::1"));
    dns_server_clear(server); /* and then there is no such name at all */
    for (int i = 0; i < 5; i++) {
        advance_ms(30000);
        ck_assert_ptr_nonnull(strstr(resolve(NAME), "no address"));
    }
    ck_assert(!is_gone("192.0.2.1"));
    close_resolver();
}
END_TEST

START_TEST(fresh__is_for_how_long_no_server_is_asked)
{
    const struct urlp_span name = urlp_span_of(NAME);

    open_with_fake_clock();
    dns_server_add(server, NAME, DNS_A, 30, "192.0.2.1");
    ck_assert_int_eq(urlp_resolver_fresh_ms(resolver, name), 0);
    (void)resolve(NAME);
    ck_assert_int_eq(urlp_resolver_fresh_ms(resolver, name), 30000);
    advance_ms(29999);
    ck_assert_int_eq(urlp_resolver_fresh_ms(resolver, name), 1);
    advance_ms(1);
    ck_assert_int_eq(urlp_resolver_fresh_ms(resolver, name), 0);
    ck_assert_int_eq(urlp_resolver_fresh_ms(resolver, urlp_span_of("::1")), -1);
    close_resolver();
}
END_TEST

RUN_TESTS(
    "resolver", gone__is_an_address_that_three_fresh_answers_have_not,
    gone__is_nothing_because_a_server_fails, fresh__is_for_how_long_no_server_is_asked,
    forget__has_every_name_be_asked_for_anew, forget__a_lookup_under_way_goes_on_and_is_not_kept,
    query__asks_once_for_each_family, query__one_family_is_enough, query__follows_aliases,
    query__keeps_as_many_addresses_as_are_tried, query__never_asks_for_literals_and_localhost,
    query__what_is_no_host_name_is_refused_unasked, query__the_longest_name_there_is_is_asked_for,
    query__underscores_and_digits_are_fine, query__goes_on_by_tcp_when_the_answer_is_cut,
    query__a_server_that_resets_raises_no_signal, query__is_sent_again_when_no_answer_comes,
    query__interruptions_are_invisible, query__sockets_are_closed_on_exec_and_at_the_end,
    failure__says_why, failure__of_one_family_does_not_hide_the_other,
    failure__of_one_family_tells_more_than_an_empty_other,
    failure__without_a_server_names_where_it_was_looked_for,
    failure__a_second_server_is_asked_when_the_first_fails,
    failure__out_of_descriptors_is_a_system_error_and_not_remembered,
    failure__of_a_socket_of_ours_is_told_and_not_remembered,
    failure__out_of_memory_is_clean_and_not_remembered, new__refuses_servers_that_are_none,
    search__short_names_go_through_the_list, search__both_families_come_from_the_same_name,
    search__names_with_dots_go_as_they_are_first_and_through_the_list_last,
    search__ndots_says_how_many_dots, search__a_dot_behind_the_name_means_no_search,
    search__is_not_used_with_servers_of_ones_own, resolv_conf__empty_means_this_machine,
    cache__keeps_an_answer_for_its_ttl, cache__the_least_ttl_of_the_chain_counts,
    cache__the_least_ttl_of_the_addresses_counts, cache__the_least_ttl_of_both_families_counts,
    cache__keeps_at_least_a_second, cache__keeps_at_most_an_hour, cache__a_ttl_past_31_bits_is_none,
    cache__keeps_a_failure_for_a_second, cache__tells_a_failure_that_it_kept_in_the_same_words,
    cache__names_are_the_same_whatever_their_case, cache__does_not_keep_what_the_hosts_file_says,
    cache__the_hosts_file_comes_before_what_was_kept, cache__forgets_the_oldest_of_too_many,
    share__one_drives_and_all_get_the_answer,
    share__a_follower_sees_one_family_as_soon_as_it_is_there,
    share__a_driver_that_leaves_passes_on_to_the_oldest_follower,
    share__a_follower_that_left_is_passed_over, share__followers_get_the_failure_too,
    share__the_last_to_leave_ends_the_lookup,
    share__what_was_known_when_the_last_one_left_is_kept_for_a_while)
