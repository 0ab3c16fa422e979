/* struct urlpool_network as a user sees it: where connections go, from where, and where they must
 * not. */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/dns_server.h"
#include "support/http_server.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

static struct test_server *server;
static struct urlpool_manager *manager;
static char url[256];

static void begin(const struct urlpool_network *network)
{
    server = test_server_start(test_answer_hello, NULL, NULL);
    manager = test_manager(&(struct urlpool_manager_options){.network = *network});
}

static void end(void)
{
    urlpool_manager_free(manager);
    test_server_stop(server);
}

/* get asks `host` at the server's port; NULL with test_err when it fails. */
static struct urlpool_response *get(const char *host)
{
    static const struct urlpool_request_options once = {.retries = {.connect = URLPOOL_NONE}};

    (void)snprintf(url, sizeof(url), "http://%s:%d/", host, test_server_port(server));
    return urlpool_request(manager, "GET", url, &once, &test_err);
}

static void assert_hello(const char *host)
{
    struct urlpool_response *response = get(host);

    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_str_eq((const char *)response->data, "hello");
    urlpool_response_free(response);
}

static void assert_fails(const char *host, enum urlpool_code code, const char *words)
{
    ck_assert_ptr_null(get(host));
    ck_assert_msg(test_err.code == code, "%s", test_err.message);
    ck_assert_msg(strstr(test_err.message, words) != NULL, "%s", test_err.message);
}

START_TEST(answers__take_the_place_of_names)
{
    const char *const answers[] = {"shop.example:*:127.0.0.1", NULL};
    char *head;

    begin(&(struct urlpool_network){.answers = answers, .dns_servers = "127.0.0.1:1"});
    assert_hello("shop.example");
    head = test_server_last_head(server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nHost: shop.example:"));
    free(head);
    ck_assert_uint_eq(test_stats(manager).dns_queries, 0);
    end();
}
END_TEST

START_TEST(connect_to__changes_the_way_and_not_the_request)
{
    char detour[64];
    const char *const detours[] = {detour, NULL};
    char *head;

    server = test_server_start(test_answer_hello, NULL, NULL);
    (void)snprintf(detour, sizeof(detour), "shop.example:80:127.0.0.1:%d",
                   test_server_port(server));
    manager = test_manager(&(struct urlpool_manager_options){.network = {.connect_to = detours}});
    {
        struct urlpool_response *response =
            urlpool_request(manager, "GET", "http://shop.example/", NULL, &test_err);

        ck_assert_msg(response != NULL, "%s", test_err.message);
        urlpool_response_free(response);
    }
    head = test_server_last_head(server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nHost: shop.example\r\n"));
    free(head);
    end();
}
END_TEST

START_TEST(family__leaves_the_other_alone)
{
    struct dns_server *dns = dns_server_start();

    dns_server_add(dns, "both.example", DNS_A, 60, "127.0.0.1");
    dns_server_add(dns, "both.example", DNS_AAAA, 60, "::1");
    begin(&(struct urlpool_network){.family = URLPOOL_FAMILY_V4,
                                    .dns_servers = dns_server_address(dns)});
    assert_hello("both.example");
    ck_assert_uint_eq(dns_server_num_queries(dns, "both.example", DNS_AAAA), 0);
    assert_fails("[::1]", URLPOOL_E_RESOLVE, "no address for name");
    end();
    begin(&(struct urlpool_network){.family = URLPOOL_FAMILY_V6,
                                    .dns_servers = dns_server_address(dns)});
    assert_fails("127.0.0.1", URLPOOL_E_RESOLVE, "no address for name");
    end();
    dns_server_stop(dns);
}
END_TEST

static enum urlpool_code find(void *user, const char *host, int64_t timeout_ms,
                              struct urlpool_answers *answers, struct urlpool_error *err)
{
    unsigned *num_asked = user;

    ++*num_asked;
    ck_assert_int_gt(timeout_ms, 0);
    ck_assert_int_le(timeout_ms, 10000);
    if (strcmp(host, "known.example") != 0) {
        (void)snprintf(err->message, sizeof(err->message), "never heard of it");
        return URLPOOL_E_RESOLVE;
    }
    ck_assert_int_eq(urlpool_answers_add(answers, "nonsense", err), URLPOOL_E_INVALID);
    return urlpool_answers_add(answers, "127.0.0.1", err);
}

START_TEST(resolve__takes_the_place_of_dns)
{
    unsigned num_asked = 0;

    begin(&(struct urlpool_network){.resolve = find, .resolve_user = &num_asked});
    assert_hello("known.example");
    ck_assert_uint_eq(num_asked, 1);
    assert_hello("localhost"); /* and addresses: it is not asked */
    assert_hello("127.0.0.1");
    ck_assert_uint_eq(num_asked, 1);
    assert_fails("other.example", URLPOOL_E_RESOLVE, "never heard of it");
    end();
}
END_TEST

START_TEST(resolver_libc__says_what_it_does_not_know)
{
    begin(&(struct urlpool_network){.resolve = urlpool_resolver_libc});
    assert_fails("no.such.name.invalid", URLPOOL_E_RESOLVE, "no address for name");
    end();
}
END_TEST

START_TEST(public_only__stops_every_way_to_this_machine)
{
    const char *const answers[] = {"rebound.example:*:127.0.0.1", "mapped.example:*:::ffff:7f00:1",
                                   NULL};

    begin(&(struct urlpool_network){.public_only = true, .answers = answers});
    assert_fails("127.0.0.1", URLPOOL_E_ADDRESS_REFUSED, "may not be dialled");
    assert_fails("localhost", URLPOOL_E_ADDRESS_REFUSED, "may not be dialled");
    assert_fails("rebound.example", URLPOOL_E_ADDRESS_REFUSED, "127.0.0.1");
    assert_fails("mapped.example", URLPOOL_E_ADDRESS_REFUSED, "may not be dialled");
    assert_fails("[::1]", URLPOOL_E_ADDRESS_REFUSED, "may not be dialled");
    ck_assert_uint_eq(test_server_num_connections(server), 0);
    end();
}
END_TEST

static bool allow(void *user, const char *host, const char *address, uint16_t port)
{
    unsigned *num_seen = user;

    (void)port;
    ++*num_seen;
    ck_assert_str_eq(host, "two.example");
    return strcmp(address, "127.0.0.1") == 0;
}

START_TEST(allow__lets_some_addresses_of_a_host_be_dialled)
{
    const char *const answers[] = {"two.example:*:127.0.0.2,127.0.0.1", NULL};
    unsigned num_seen = 0;

    begin(&(struct urlpool_network){.allow = allow, .allow_user = &num_seen, .answers = answers});
    assert_hello("two.example");
    ck_assert_uint_eq(num_seen, 2);
    assert_hello("two.example"); /* on the same connection */
    ck_assert_uint_eq(num_seen, 2);
    end();
}
END_TEST

START_TEST(source_address__is_where_connections_come_from)
{
    int listener = loopback_listen("127.0.0.1", 0);
    struct urlpool_connection_options options = {.network.source_address = "127.0.0.9"};
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", loopback_port(listener), &options, &test_err);
    struct sockaddr_in from = {0};
    socklen_t len = sizeof(from);
    int peer;

    ck_assert_int_eq(urlpool_connection_connect(connection, &test_err), URLPOOL_OK);
    peer = loopback_accept(listener);
    ck_assert_int_eq(getpeername(peer, (struct sockaddr *)&from, &len), 0);
    ck_assert_uint_eq(ntohl(from.sin_addr.s_addr), 0x7f000009);
    (void)close(peer);
    urlpool_connection_free(connection);

    options.network.source_address = "::1";
    connection = urlpool_connection_new("127.0.0.1", loopback_port(listener), &options, &test_err);
    ck_assert_int_eq(urlpool_connection_connect(connection, &test_err), URLPOOL_E_CONNECT);
    urlpool_connection_free(connection);
    (void)close(listener);
}
END_TEST

START_TEST(source_port__is_the_one_they_come_from)
{
    int listener = loopback_listen("127.0.0.1", 0);
    int reserved = loopback_bind("127.0.0.8", 0);
    uint16_t port = loopback_port(reserved);
    struct urlpool_connection_options options = {
        .network = {.source_address = "127.0.0.9", .source_port = port}
    };
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", loopback_port(listener), &options, &test_err);
    struct sockaddr_in from = {0};
    socklen_t len = sizeof(from);
    int peer;

    ck_assert_msg(urlpool_connection_connect(connection, &test_err) == URLPOOL_OK, "%s",
                  test_err.message);
    peer = loopback_accept(listener);
    ck_assert_int_eq(getpeername(peer, (struct sockaddr *)&from, &len), 0);
    ck_assert_uint_eq(ntohs(from.sin_port), port);
    (void)close(peer);
    (void)close(reserved);
    urlpool_connection_free(connection);
    (void)close(listener);
}
END_TEST

START_TEST(interface_name__that_is_none_is_an_error)
{
    begin(&(struct urlpool_network){.interface_name = "no-such-thing"});
    assert_fails("127.0.0.1", URLPOOL_E_CONNECT, "connect to 127.0.0.1");
    end();
}
END_TEST

/* --- a server on a Unix-domain socket --- */

struct local {
    char path[108];
    int listener;
    pthread_t thread;
};

static void *serve_once(void *user)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlocal";
    const struct local *local = user;
    int peer = accept(local->listener, NULL, NULL);
    char head[4096];

    ck_assert_int_ge(peer, 0);
    ck_assert_int_gt(recv(peer, head, sizeof(head), 0), 0);
    ck_assert_int_eq(send(peer, answer, sizeof(answer) - 1, MSG_NOSIGNAL), sizeof(answer) - 1);
    (void)close(peer);
    return NULL;
}

static void local_start(struct local *local, bool is_abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len;

    (void)snprintf(local->path, sizeof(local->path), "%surlpool-test-%ld",
                   is_abstract ? "@" : "/tmp/", (long)getpid());
    len = strlen(local->path);
    memcpy(address.sun_path, local->path, len);
    if (is_abstract) {
        address.sun_path[0] = '\0';
    } else {
        (void)unlink(local->path);
    }
    local->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(local->listener, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    ck_assert_int_eq(listen(local->listener, 1), 0);
    ck_assert_int_eq(pthread_create(&local->thread, NULL, serve_once, local), 0);
}

static void local_stop(struct local *local)
{
    ck_assert_int_eq(pthread_join(local->thread, NULL), 0);
    (void)close(local->listener);
    if (local->path[0] != '@') {
        (void)unlink(local->path);
    }
}

static void assert_unix_socket(bool is_abstract)
{
    struct local local;

    local_start(&local, is_abstract);
    manager = test_manager(&(struct urlpool_manager_options){
        .network = {.unix_socket = local.path, .public_only = true}
    });
    {
        struct urlpool_response *response =
            urlpool_request(manager, "GET", "http://anybody.example/", NULL, &test_err);

        ck_assert_msg(response != NULL, "%s", test_err.message);
        ck_assert_str_eq((const char *)response->data, "local");
        urlpool_manager_free(manager);
        ck_assert_str_eq(urlpool_response_peer(response).address, local.path);
        ck_assert_int_eq(urlpool_response_peer(response).port, 0);
        urlpool_response_free(response);
    }
    local_stop(&local);
}

START_TEST(unix_socket__is_dialled_whatever_the_host)
{
    assert_unix_socket(false);
    assert_unix_socket(true);
}
END_TEST

START_TEST(unix_socket__that_is_not_there_is_an_error)
{
    char path[200];

    begin(&(struct urlpool_network){.unix_socket = "/nonexistent/socket"});
    assert_fails("127.0.0.1", URLPOOL_E_CONNECT, "connect to socket /nonexistent/socket");
    end();
    memset(path, 'x', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    begin(&(struct urlpool_network){.unix_socket = path});
    assert_fails("127.0.0.1", URLPOOL_E_CONNECT, "connect to socket xxx");
    end();
}
END_TEST

START_TEST(unix_socket__with_a_full_queue_is_waited_for)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len;
    struct urlpool_request_options options = {.timeout.connect_ms = 30,
                                              .retries = {.connect = URLPOOL_NONE}};
    int fds[4];

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%curlpool-full-%ld", '\0',
                   (long)getpid());
    len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address.sun_path + 1));
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(listener, 0), 0);
    for (size_t i = 0; i < 4; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fds[i], (struct sockaddr *)&address, len);
    }
    address.sun_path[0] = '@';
    manager =
        test_manager(&(struct urlpool_manager_options){.network.unix_socket = address.sun_path});
    ck_assert_ptr_null(urlpool_request(manager, "GET", "http://x/", &options, &test_err));
    ck_assert_msg(test_err.code == URLPOOL_E_CONNECT_TIMEOUT, "%s", test_err.message);
    urlpool_manager_free(manager);
    for (size_t i = 0; i < 4; i++) {
        (void)close(fds[i]);
    }
    (void)close(listener);
}
END_TEST

/* --- socket options, seen by a setsockopt before libc's --- */

static struct {
    int level, name, value;
} set[64];
static size_t num_set;
static pthread_t watched; /* the client's: the server sets options too */

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    if (len == sizeof(int) && num_set < 64 && pthread_equal(watched, pthread_self())) {
        memcpy(&set[num_set].value, value, sizeof(int));
        set[num_set].level = level;
        set[num_set++].name = name;
    }
    return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

/* last_value_of is what an option of a fresh connection was set to, -1 when it was not. */
static int last_value_of(int wanted_level, int wanted_name, const struct urlpool_network *network)
{
    int value = -1;

    num_set = 0;
    watched = pthread_self();
    begin(network);
    assert_hello("127.0.0.1");
    end();
    for (size_t i = 0; i < num_set; i++) {
        if (set[i].level == wanted_level && set[i].name == wanted_name) {
            value = set[i].value;
        }
    }
    return value;
}

START_TEST(socket_options__are_set_before_the_socket_connects)
{
    const struct urlpool_socket_option mine[] = {
        {SOL_SOCKET, SO_RCVBUF,   54321},
        {SOL_SOCKET, SO_PRIORITY, 3    }
    };
    const struct urlpool_network network = {.socket_options = mine, .num_socket_options = 2};
    const struct urlpool_network wrong = {
        .socket_options = (struct urlpool_socket_option[]){{12345, 1, 1}}, .num_socket_options = 1};

    ck_assert_int_eq(last_value_of(SOL_SOCKET, SO_RCVBUF, &network), 54321);
    ck_assert_int_eq(last_value_of(SOL_SOCKET, SO_PRIORITY, &network), 3);
    begin(&wrong);
    assert_fails("127.0.0.1", URLPOOL_E_CONNECT, "connect to 127.0.0.1");
    end();
}
END_TEST

START_TEST(numbers__of_the_socket_are_options)
{
    const struct urlpool_network none = {0};
    const struct urlpool_network given = {
        .allow_nagle = true, .keepalive_idle_s = 7, .user_timeout_ms = 8000};
    const struct urlpool_network off = {.keepalive_idle_s = URLPOOL_NONE,
                                        .user_timeout_ms = URLPOOL_NONE};

    ck_assert_int_eq(last_value_of(IPPROTO_TCP, TCP_NODELAY, &none), 1);
    ck_assert_int_eq(last_value_of(IPPROTO_TCP, TCP_KEEPIDLE, &none), 60);
    ck_assert_int_eq(last_value_of(IPPROTO_TCP, TCP_USER_TIMEOUT, &none), 60000);
    ck_assert_int_eq(last_value_of(IPPROTO_TCP, TCP_NODELAY, &given), -1);
    ck_assert_int_eq(last_value_of(IPPROTO_TCP, TCP_KEEPIDLE, &given), 7);
    ck_assert_int_eq(last_value_of(IPPROTO_TCP, TCP_USER_TIMEOUT, &given), 8000);
    ck_assert_int_eq(last_value_of(SOL_SOCKET, SO_KEEPALIVE, &off), -1);
    ck_assert_int_eq(last_value_of(IPPROTO_TCP, TCP_USER_TIMEOUT, &off), -1);
}
END_TEST

START_TEST(network__refuses_what_cannot_be_read)
{
    const char *const answers[] = {"nonsense", NULL};
    struct urlpool_connection_options options = {.network.answers = answers};

    ck_assert_ptr_null(urlpool_manager_new(
        &(struct urlpool_manager_options){.network.answers = answers}, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_nonnull(strstr(test_err.message, "nonsense"));
    ck_assert_ptr_null(urlpool_connection_new("a", 80, &options, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
}
END_TEST

RUN_TESTS("network", answers__take_the_place_of_names,
          connect_to__changes_the_way_and_not_the_request, family__leaves_the_other_alone,
          resolve__takes_the_place_of_dns, resolver_libc__says_what_it_does_not_know,
          public_only__stops_every_way_to_this_machine,
          allow__lets_some_addresses_of_a_host_be_dialled,
          source_address__is_where_connections_come_from, source_port__is_the_one_they_come_from,
          interface_name__that_is_none_is_an_error, unix_socket__is_dialled_whatever_the_host,
          unix_socket__that_is_not_there_is_an_error, unix_socket__with_a_full_queue_is_waited_for,
          socket_options__are_set_before_the_socket_connects, numbers__of_the_socket_are_options,
          network__refuses_what_cannot_be_read)
