/* Ways through proxies, over loopback: every kind, one in another, and what each failure on the way
 * is called. */

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "urlpool/cancel.h"

#include "base/clock.h"
#include "base/park.h"
#include "conn/chain.h"
#include "net/dial.h"
#include "support/failing_allocator.h"
#include "support/http_server.h"
#include "support/loopback.h"
#include "support/proxy_server.h"
#include "support/run_tests.h"
#include "support/tls_client.h"
#include "support/tls_scene.h"

/* What every test has: an https origin, "localhost", a proxy before it, and a route through that.
 */
static struct tls_scene scene;
static SSL_CTX *context;
static struct proxy_server *proxy, *second;
static struct urlp_proxy_hop hop, inner_hop;
static struct urlpool_headers *answer; /* to the last CONNECT */
static struct urlp_route route;
static struct urlp_network network;
static struct urlp_chain_means means;
static struct urlp_call call;
static struct urlp_counters counters;
static struct urlpool_limits limits;
static struct urlpool_error err;
static char traced[512];

static void record(void *user, const struct urlpool_trace_event *event)
{
    static const char *const names[] = {[URLPOOL_TRACE_RESOLVED] = "resolved",
                                        [URLPOOL_TRACE_CONNECTED] = "connected",
                                        [URLPOOL_TRACE_TUNNELLED] = "tunnelled",
                                        [URLPOOL_TRACE_SECURED] = "secured"};
    size_t len = strlen(traced);

    (void)user;
    if (event->kind >= URLPOOL_TRACE_RESOLVED && event->kind <= URLPOOL_TRACE_SECURED) {
        (void)snprintf(traced + len, sizeof(traced) - len, "%s ", names[event->kind]);
    }
}

static const struct urlpool_trace trace = {.event = record};

static void use_network(const struct urlpool_network *given)
{
    urlp_network_deinit(&network);
    ck_assert_msg(urlp_network_make(&network, given, &err) == URLPOOL_OK, "%s", err.message);
}

static struct urlp_proxy_hop hop_of(enum urlp_proxy_kind kind, uint16_t port)
{
    return (struct urlp_proxy_hop){.kind = kind,
                                   .host = urlp_span_of("127.0.0.1"),
                                   .port = port,
                                   .tls = kind == URLP_PROXY_HTTPS ? scene.tls : NULL,
                                   .serial = 7};
}

static void begin(enum urlp_proxy_kind kind, struct proxy_server_options options)
{
    static const struct test_name names[] = {TEST_DNS("localhost"), TEST_IP("\x7f\x00\x00\x01")};
    const struct test_cert_options both = {.names = names, .num_names = 2};
    struct test_cert *leaf;

    scene = tls_scene_begin((struct tls_server_options){0});
    leaf = test_cert_new(&both, scene.ca);
    context = test_cert_context((const struct test_cert *const[]){leaf, NULL});
    test_cert_free(leaf);
    options.tls = kind == URLP_PROXY_HTTPS ? context : NULL;
    proxy = proxy_server_start(&options);
    hop = hop_of(kind, proxy_server_port(proxy));
    route = (struct urlp_route){
        .origin = {.host = urlp_span_of("localhost"), .port = scene.port, .is_https = true},
        .tls = scene.tls,
        .hops = {&hop                },
        .num_hops = 1
    };
    use_network(&(struct urlpool_network){0});
    means = (struct urlp_chain_means){.resolver = urlp_resolver_new(NULL, &err),
                                      .sessions = scene.sessions,
                                      .network = &network,
                                      .limits = &limits,
                                      .proxy_headers = &answer};
    call = test_call();
    call.trace = &trace;
    call.counters = &counters;
}

static void end(void)
{
    urlpool_headers_free(answer);
    answer = NULL;
    urlp_resolver_free(means.resolver);
    urlp_network_deinit(&network);
    proxy_server_stop(proxy);
    proxy_server_stop(second);
    second = NULL;
    tls_scene_end(&scene);
    SSL_CTX_free(context);
}

static struct urlp_stream *dial(void)
{
    traced[0] = '\0';
    err = (struct urlpool_error){0};
    return urlp_chain_dial(&means, &route, NULL, &call, &err);
}

static struct urlp_stream *must_dial(void)
{
    struct urlp_stream *stream = dial();

    ck_assert_msg(stream != NULL, "%s", err.message);
    return stream;
}

static void check_echo(void)
{
    struct urlp_stream *stream = must_dial();

    ck_assert_str_eq(test_ask(stream, "echo inside"), "inside");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
}

/* check_seen compares with what the proxy was asked; "%" stands for the origin's port. */
static void check_seen(struct proxy_server *server, const char *expected)
{
    char *seen = proxy_server_seen(server);
    char text[256], number[8];
    size_t len = 0;

    (void)snprintf(number, sizeof(number), "%u", (unsigned)route.origin.port);
    for (; *expected != '\0'; expected++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s",
                                *expected == '%' ? (int)sizeof(number) : 1,
                                *expected == '%' ? number : expected);
    }
    (void)snprintf(text + len, sizeof(text) - len, "\n");
    ck_assert_str_eq(seen, text);
    free(seen);
}

static const struct {
    enum urlp_proxy_kind kind;
    const char *seen;
    const char *traced;
} kinds[] = {
    {URLP_PROXY_HTTP,    "connect localhost:%",     "connected tunnelled secured "         },
    {URLP_PROXY_HTTPS,   "connect localhost:%",     "connected secured tunnelled secured " },
    {URLP_PROXY_SOCKS4,  "socks4 127.0.0.1:%",      "connected resolved tunnelled secured "},
    {URLP_PROXY_SOCKS4A, "socks4a localhost:%",     "connected tunnelled secured "         },
    {URLP_PROXY_SOCKS5,  "socks5 v4 127.0.0.1:%",   "connected resolved tunnelled secured "},
    {URLP_PROXY_SOCKS5H, "socks5 name localhost:%", "connected tunnelled secured "         },
};
enum {
    NUM_KINDS = 6
};

START_TEST(chain__leads_through_every_kind_of_proxy)
{
    begin(kinds[_i].kind, (struct proxy_server_options){0});
    check_echo();
    check_seen(proxy, kinds[_i].seen);
    ck_assert_str_eq(traced, kinds[_i].traced);
    end();
}
END_TEST

START_TEST(chain__hears_a_proxy_that_answers_byte_by_byte)
{
    begin(kinds[_i].kind, (struct proxy_server_options){.manner = PROXY_DRIPS});
    check_echo();
    end();
}
END_TEST

START_TEST(chain__leads_to_an_http_origin_without_tls)
{
    begin(kinds[_i].kind, (struct proxy_server_options){0});
    route.origin.is_https = false;
    route.tls = NULL;
    urlp_stream_free(must_dial(), URLP_CLOSE_POLITE);
    ck_assert_ptr_eq(strstr(traced, "tunnelled secured"), NULL);
    check_seen(proxy, kinds[_i].seen);
    end();
}
END_TEST

/* The second one speaks CONNECT, over TLS. */
START_TEST(chain__leads_through_one_proxy_to_the_next)
{
    char asked[64];
    const char *at;
    char *seen;

    begin(kinds[_i].kind, (struct proxy_server_options){0});
    second = proxy_server_start(&(struct proxy_server_options){.tls = context});
    inner_hop = hop_of(URLP_PROXY_HTTPS, proxy_server_port(second));
    route.hops[1] = &inner_hop;
    route.num_hops = 2;
    check_echo();
    check_seen(second, "connect localhost:%");
    seen = proxy_server_seen(proxy);
    (void)snprintf(asked, sizeof(asked), " 127.0.0.1:%u\n", proxy_server_port(second));
    at = strchr(seen, '1');
    ck_assert_ptr_nonnull(at);
    ck_assert_str_eq(strstr(seen, asked), asked);
    free(seen);
    end();
}
END_TEST

static void reply_target(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    test_peer_reply(peer, 200, NULL, request->target);
}

START_TEST(chain__ends_at_the_proxy_that_forwards)
{
    static const char request[] = "GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n";
    const bool is_https = _i == 1;
    struct urlp_iovec run = {request, sizeof(request) - 1};
    struct urlp_stream *stream;
    struct test_server *forwarder;
    enum urlp_end how;
    char text[512] = "";
    size_t len;

    begin(URLP_PROXY_SOCKS5, (struct proxy_server_options){0});
    forwarder = test_server_start(reply_target, NULL,
                                  &(struct test_server_options){.tls = is_https ? context : NULL});
    inner_hop = hop_of(is_https ? URLP_PROXY_HTTPS : URLP_PROXY_HTTP,
                       (uint16_t)test_server_port(forwarder));
    route.hops[1] = &inner_hop;
    route.num_hops = 2;
    route.is_forwarded = true;
    route.tls = NULL;
    stream = must_dial();
    ck_assert_str_eq(traced, is_https ? "connected tunnelled secured " : "connected tunnelled ");
    ck_assert_int_eq(urlp_stream_write(stream, &run, 1, &len, &call, &err), URLPOOL_OK);
    ck_assert_int_eq(urlp_stream_read(stream, text, sizeof(text) - 1, &len, &how, &call, &err),
                     URLPOOL_OK);
    ck_assert_ptr_nonnull(strstr(text, "https://x/"));
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    test_server_stop(forwarder);
    end();
}
END_TEST

START_TEST(chain__shows_credentials_to_the_proxy_that_asks)
{
    begin(kinds[_i].kind,
          (struct proxy_server_options){.user = "me",
                                        .password = "p:w",
                                        .authorization = "Proxy-Authorization: Basic eA==\r\n"});
    hop.has_credentials = true;
    hop.user = urlp_span_of("me");
    hop.password = urlp_span_of("p:w");
    hop.authorization = urlp_span_of("Basic eA==");
    check_echo();
    hop.user = urlp_span_of("you");
    hop.authorization = urlp_span_of("Basic eB==");
    ck_assert_ptr_null(dial());
    ck_assert_int_eq(err.code, URLPOOL_E_PROXY);
    ck_assert_int_eq(err.cause, URLPOOL_OK);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_PROXY);
    ck_assert_int_eq(err.http_status, kinds[_i].kind <= URLP_PROXY_HTTPS ? 407 : 0);
    ck_assert_ptr_nonnull(strstr(err.message, " refused: "));
    ck_assert_ptr_null(strstr(err.message, "p:w"));
    ck_assert_ptr_null(strstr(err.message, "you"));
    end();
}
END_TEST

START_TEST(chain__shows_the_headers_for_a_proxy_with_connect)
{
    struct urlpool_headers *headers = urlpool_headers_new(NULL);
    char *head;

    ck_assert_int_eq(urlpool_headers_add(headers, "X-For-Proxy", "yes", NULL), URLPOOL_OK);
    begin(URLP_PROXY_HTTP, (struct proxy_server_options){0});
    hop.headers = headers;
    check_echo();
    head = proxy_server_last_head(proxy);
    ck_assert_ptr_nonnull(strstr(head, "\r\nX-For-Proxy: yes\r\n"));
    ck_assert_ptr_null(strstr(head, "Authorization"));
    free(head);
    end();
    urlpool_headers_free(headers);
}
END_TEST

/* --- addresses that are looked up here --- */

static bool refuse_origin(void *user, const char *host, const char *address, uint16_t port)
{
    (void)user;
    (void)host;
    (void)address;
    return port != route.origin.port;
}

static void check_nothing_was_asked(void)
{
    char *seen = proxy_server_seen(proxy);

    ck_assert_str_eq(seen, "");
    free(seen);
}

START_TEST(chain__judges_the_addresses_that_it_looks_up_for_a_proxy)
{
    const bool looks_up =
        kinds[_i].kind == URLP_PROXY_SOCKS4 || kinds[_i].kind == URLP_PROXY_SOCKS5;

    begin(kinds[_i].kind, (struct proxy_server_options){0});
    use_network(&(struct urlpool_network){.allow = refuse_origin});
    if (looks_up) {
        ck_assert_ptr_null(dial());
        ck_assert_int_eq(err.code, URLPOOL_E_ADDRESS_REFUSED);
        check_nothing_was_asked();
    } else {
        check_echo();
    }
    end();
}
END_TEST

START_TEST(chain__gives_socks_an_ipv4_address_before_one_of_ipv6)
{
    static const char *const answers[] = {"both.example:*:[2001:db8::1],127.0.0.1",
                                          "six.example:*:[2001:db8::1]", NULL};

    begin(URLP_PROXY_SOCKS5, (struct proxy_server_options){0});
    use_network(&(struct urlpool_network){.answers = answers});
    route.origin.host = urlp_span_of("both.example");
    route.origin.is_https = false;
    urlp_stream_free(must_dial(), URLP_CLOSE_SILENT);
    check_seen(proxy, "socks5 v4 127.0.0.1:%");
    route.origin.host = urlp_span_of("six.example");
    urlp_stream_free(must_dial(), URLP_CLOSE_SILENT);
    check_seen(proxy, "socks5 v4 127.0.0.1:%\nsocks5 v6 2001:db8::1:%");
    hop.kind = URLP_PROXY_SOCKS4;
    ck_assert_ptr_null(dial());
    ck_assert_int_eq(err.code, URLPOOL_E_RESOLVE);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_RESOLVE);
    end();
}
END_TEST

START_TEST(chain__gives_an_address_that_is_written_down_as_one)
{
    begin(URLP_PROXY_SOCKS5H, (struct proxy_server_options){0});
    route.origin.is_https = false;
    route.origin.host = urlp_span_of("::1");
    urlp_stream_free(must_dial(), URLP_CLOSE_SILENT);
    check_seen(proxy, "socks5 v6 ::1:%");
    hop.kind = URLP_PROXY_SOCKS4A;
    route.origin.host = urlp_span_of("127.0.0.1");
    urlp_stream_free(must_dial(), URLP_CLOSE_SILENT);
    check_seen(proxy, "socks5 v6 ::1:%\nsocks4 127.0.0.1:%");
    end();
}
END_TEST

/* --- sessions --- */

START_TEST(chain__resumes_no_session_of_another_way)
{
    begin(URLP_PROXY_HTTP, (struct proxy_server_options){0});
    route.num_hops = 0;
    check_echo();
    check_echo();
    ck_assert_uint_eq(counters.tls_resumed, 1); /* so there are sessions to be mixed up */
    route.num_hops = 1;
    check_echo();
    ck_assert_uint_eq(counters.tls_resumed, 1);
    check_echo();
    ck_assert_uint_eq(counters.tls_resumed, 2);
    hop.serial = 8; /* a proxy of other settings */
    check_echo();
    ck_assert_uint_eq(counters.tls_resumed, 2);
    end();
}
END_TEST

START_TEST(chain__resumes_no_session_of_an_origin_with_the_same_host_as_proxy)
{
    static const char request[] = "CONNECT localhost:1 HTTP/1.1\r\n\r\n";
    const struct urlp_iovec run = {request, sizeof(request) - 1};
    struct urlp_stream *stream;
    enum urlp_end how;
    char text[256];
    size_t len;
    int i;

    begin(URLP_PROXY_HTTPS, (struct proxy_server_options){.refuses_with = 403});
    route.origin =
        (struct urlp_origin){.host = hop.host, .port = proxy_server_port(proxy), .is_https = true};
    for (i = 0; i < 3; i++) {
        route.is_forwarded = i < 2;
        route.num_hops = i < 2;
        stream = must_dial();
        ck_assert_uint_eq(counters.tls_resumed, i == 0 ? 0 : 1);
        /* Tickets come with the answer. */
        ck_assert_int_eq(urlp_stream_write(stream, &run, 1, &len, &call, &err), URLPOOL_OK);
        ck_assert_int_eq(urlp_stream_read(stream, text, sizeof(text), &len, &how, &call, &err),
                         URLPOOL_OK);
        urlp_stream_free(stream, URLP_CLOSE_SILENT);
    }
    end();
}
END_TEST

/* --- failures before the proxy --- */

static void check_before(enum urlpool_code cause, const char *part)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "proxy %.*s:%u: ", (int)hop.host.len, hop.host.data,
                   (unsigned)hop.port);
    ck_assert_ptr_null(dial());
    ck_assert_msg(err.code == URLPOOL_E_PROXY, "%d: %s", err.code, err.message);
    ck_assert_int_eq(err.cause, cause);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_PROXY);
    ck_assert_msg(strncmp(err.message, name, strlen(name)) == 0, "%s", err.message);
    ck_assert_msg(strstr(err.message, part) != NULL, "%s", err.message);
}

static enum urlpool_code know_nothing(void *user, const char *host, int64_t timeout_ms,
                                      struct urlpool_answers *answers, struct urlpool_error *why)
{
    (void)user;
    (void)host;
    (void)timeout_ms;
    (void)answers;
    (void)why;
    return URLPOOL_E_RESOLVE;
}

START_TEST(chain__blames_the_proxy_when_it_is_not_reached)
{
    struct loopback_hole hole;
    int bound = loopback_bind("127.0.0.1", 0);

    begin(kinds[_i].kind, (struct proxy_server_options){0});
    hop.port = loopback_port(bound);
    check_before(URLPOOL_E_CONNECT, "Connection refused");
    ck_assert_int_ne(err.os_errno, 0);

    use_network(&(struct urlpool_network){.resolve = know_nothing});
    hop.host = urlp_span_of("proxy.example");
    check_before(URLPOOL_E_RESOLVE, "no address for name proxy.example");

    hole = loopback_hole_open("127.0.0.1", 0);
    hop.host = urlp_span_of("127.0.0.1");
    hop.port = loopback_port(hole.listener);
    call.by = urlp_deadline_in(300);
    check_before(URLPOOL_E_CONNECT_TIMEOUT, "no answer in time");
    loopback_hole_close(&hole);
    close(bound);
    end();
}
END_TEST

static void check_own(enum urlpool_code code)
{
    ck_assert_ptr_null(dial());
    ck_assert_int_eq(err.code, code);
    ck_assert_int_eq(err.cause, URLPOOL_OK);
}

START_TEST(chain__leaves_the_end_of_a_call_what_it_is)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);

    begin(kinds[_i].kind, (struct proxy_server_options){.manner = PROXY_STALLS});
    call.by = call.total_by = urlp_deadline_in(300);
    check_own(URLPOOL_E_TOTAL_TIMEOUT);
    call.by = call.total_by = (struct urlpool_deadline){0};
    check_own(URLPOOL_E_TOTAL_TIMEOUT);
    call = test_call();
    call.cancel = cancel;
    urlpool_cancel_now(cancel);
    check_own(URLPOOL_E_CANCELLED);
    call.cancel = NULL;
    use_network(&(struct urlpool_network){.public_only = true});
    check_own(URLPOOL_E_ADDRESS_REFUSED);
    ck_assert_ptr_nonnull(strstr(err.message, "proxy 127.0.0.1:"));
    urlpool_cancel_free(cancel);
    end();
}
END_TEST

START_TEST(chain__blames_the_proxy_whose_certificate_is_none)
{
    begin(URLP_PROXY_HTTPS, (struct proxy_server_options){0});
    hop.host = urlp_span_of("127.0.0.2");
    use_network(&(struct urlpool_network){
        .connect_to = (const char *const[]){"127.0.0.2::127.0.0.1:", NULL}
    });
    check_before(URLPOOL_E_TLS_HOSTNAME, "127.0.0.2");
    hop.host = urlp_span_of("127.0.0.1");
    hop.tls = test_trust_with(scene.ca,
                              (struct urlpool_tls_options){
                                  .pins = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="});
    check_before(URLPOOL_E_TLS_PIN, "127.0.0.1");
    urlpool_tls_unref(hop.tls);
    end();
}
END_TEST

START_TEST(chain__says_when_an_https_proxy_may_be_an_http_one)
{
    static const enum tls_server_manner manners[] = {TLS_SERVER_SPEAKS_HTTP,
                                                     TLS_SERVER_SPEAKS_GARBAGE};
    struct tls_server *other;
    int i;

    begin(URLP_PROXY_HTTPS, (struct proxy_server_options){0});
    for (i = 0; i < 2; i++) {
        other = tls_server_start(&(struct tls_server_options){.manner = manners[i]});
        hop.port = tls_server_port(other);
        check_before(URLPOOL_E_TLS, "; perhaps it is an http:// proxy");
        tls_server_stop(other);
    }
    other = tls_server_start(&(struct tls_server_options){.manner = TLS_SERVER_CLOSES});
    hop.port = tls_server_port(other);
    check_before(URLPOOL_E_TLS, "the peer closed the connection");
    ck_assert_ptr_null(strstr(err.message, "perhaps"));
    tls_server_stop(other);
    end();
}
END_TEST

/* --- failures of the proxy, and behind it --- */

START_TEST(chain__ends_in_time_with_a_proxy_that_says_nothing)
{
    begin(kinds[_i].kind, (struct proxy_server_options){.manner = PROXY_STALLS});
    call.by = urlp_deadline_in(300);
    if (kinds[_i].kind == URLP_PROXY_HTTPS) {
        check_before(URLPOOL_E_CONNECT_TIMEOUT, "timed out");
    } else {
        ck_assert_ptr_null(dial());
        ck_assert_int_eq(err.code, URLPOOL_E_CONNECT_TIMEOUT);
        ck_assert_int_eq(err.phase, URLPOOL_PHASE_PROXY);
    }
    end();
}
END_TEST

START_TEST(chain__blames_the_proxy_that_breaks_off_or_babbles)
{
    static const enum proxy_manner manners[] = {PROXY_GARBLES, PROXY_CLOSES, PROXY_RESETS};
    int i;

    for (i = 0; i < 3; i++) {
        begin(kinds[_i].kind, (struct proxy_server_options){.manner = manners[i]});
        ck_assert_ptr_null(dial());
        ck_assert_int_eq(err.code, URLPOOL_E_PROXY);
        ck_assert_int_ne(err.cause, URLPOOL_OK);
        ck_assert_int_eq(err.phase, URLPOOL_PHASE_PROXY);
        ck_assert_int_eq(strncmp(err.message, "tunnel to localhost:", 20), 0);
        end();
    }
}
END_TEST

START_TEST(chain__says_that_the_proxy_refused)
{
    const bool is_http = kinds[_i].kind <= URLP_PROXY_HTTPS;
    const bool is_4 = kinds[_i].kind == URLP_PROXY_SOCKS4 || kinds[_i].kind == URLP_PROXY_SOCKS4A;

    begin(kinds[_i].kind, (struct proxy_server_options){.refuses_with = is_http ? 403
                                                                        : is_4  ? 0x5b
                                                                                : 2});
    ck_assert_ptr_null(dial());
    ck_assert_int_eq(err.code, URLPOOL_E_PROXY);
    ck_assert_int_eq(err.cause, URLPOOL_OK);
    ck_assert_ptr_nonnull(strstr(err.message, is_http ? " refused: 403"
                                              : is_4  ? "does not let it through"
                                                      : "rules do not allow it"));
    end();
}
END_TEST

START_TEST(chain__does_not_blame_the_proxy_for_the_origin)
{
    begin(kinds[_i].kind, (struct proxy_server_options){0});
    route.tls = urlpool_tls_new(&(struct urlpool_tls_options){.ca_data = NULL}, &err);
    if (route.tls != NULL) { /* the system's roots do not vouch for it */
        ck_assert_ptr_null(dial());
        ck_assert_int_eq(err.code, URLPOOL_E_TLS_VERIFY);
        ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
        urlpool_tls_unref(route.tls);
    }
    end();
    begin(kinds[_i].kind, (struct proxy_server_options){.manner = PROXY_DIES});
    ck_assert_ptr_null(dial());
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
    ck_assert(err.code == URLPOOL_E_TLS || err.code == URLPOOL_E_RESET);
    end();
}
END_TEST

START_TEST(chain__leaves_no_descriptor_behind)
{
    unsigned num_fds;

    begin(kinds[_i].kind, (struct proxy_server_options){.manner = PROXY_STALLS});
    num_fds = loopback_num_fds();
    call.by = urlp_deadline_in(300);
    ck_assert_ptr_null(dial());
    proxy_server_stop(proxy); /* its listener, and its end of the connection */
    proxy = NULL;
    ck_assert_uint_eq(loopback_num_fds(), num_fds - 1);
    end();
}
END_TEST

START_TEST(chain__tells_a_shortage_of_descriptors_from_a_proxy_that_is_away)
{
    begin(kinds[_i].kind, (struct proxy_server_options){0});
    loopback_allow_fds(false);
    ck_assert_ptr_null(dial());
    loopback_allow_fds(true);
    ck_assert_int_eq(err.code, URLPOOL_E_SYSTEM);
    ck_assert_int_ne(err.os_errno, 0);
    end();
}
END_TEST

START_TEST(chain__survives_each_allocation_that_fails)
{
    bool has_failed = true;
    uint64_t n;

    failing_allocator_install();
    begin(kinds[_i].kind, (struct proxy_server_options){0});
    means.sessions = NULL; /* it keeps what it is given */
    route.origin.is_https = false;
    route.tls = NULL;
    for (n = 1; has_failed; n++) {
        struct urlp_stream *stream;
        const uint64_t num_live = failing_allocator_num_live();

        failing_allocator_fail_nth(n);
        stream = dial();
        has_failed = failing_allocator_has_failed();
        failing_allocator_fail_nth(0);
        ck_assert(stream != NULL || err.code == URLPOOL_E_NOMEM);
        urlp_stream_free(stream, URLP_CLOSE_SILENT);
        urlpool_headers_free(answer);
        answer = NULL;
        ck_assert_int_eq(failing_allocator_num_live(), num_live);
    }
    ck_assert_uint_gt(n, 1);
    end();
}
END_TEST

START_TEST(chain__refuses_an_https_origin_without_tls)
{
    begin(URLP_PROXY_HTTP, (struct proxy_server_options){0});
    route.tls = NULL;
    check_own(URLPOOL_E_INVALID);
    ck_assert_uint_eq(proxy_server_num_connections(proxy), 0);
    end();
}
END_TEST

/* --- broken off --- */

static void *dial_in_vain(void *unused)
{
    (void)unused;
    ck_assert_ptr_null(dial());
    return NULL;
}

START_TEST(chain__is_not_broken_off_once_tcp_is_up)
{
    const enum urlp_proxy_kind silent[] = {URLP_PROXY_HTTP, URLP_PROXY_HTTPS, URLP_PROXY_SOCKS4A,
                                           URLP_PROXY_SOCKS5H};

    begin(URLP_PROXY_HTTP, (struct proxy_server_options){0});
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        struct urlp_break_off wish = {.wake_fd = urlp_wake_open()};
        int listener = loopback_listen("127.0.0.1", 0);
        pthread_t thread;
        char byte;
        int peer;

        hop = hop_of(silent[i], loopback_port(listener));
        call.break_off = &wish;
        ck_assert_int_eq(pthread_create(&thread, NULL, dial_in_vain, NULL), 0);
        peer = loopback_accept(listener);
        ck_assert_int_eq(read(peer, &byte, 1), 1);
        ck_assert(!urlp_break_off_ask(&wish));
        urlp_wake_signal(wish.wake_fd); /* nor does it look there any more */
        (void)close(peer);
        (void)pthread_join(thread, NULL);
        ck_assert_msg(err.code == URLPOOL_E_PROXY, "%s", err.message);
        ck_assert(!wish.is_broken_off);
        ck_assert_ptr_null(wish.half);
        (void)close(wish.wake_fd);
        (void)close(listener);
    }
    call.break_off = NULL;
    end();
}
END_TEST

START_TEST(chain__broken_off_before_the_proxy_does_not_blame_it)
{
    struct urlp_break_off wish = {.wake_fd = urlp_wake_open()};
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);

    begin(URLP_PROXY_SOCKS5H, (struct proxy_server_options){0});
    hop.host = urlp_span_of("127.0.0.2");
    hop.port = loopback_port(hole.listener);
    call.break_off = &wish;
    ck_assert(urlp_break_off_ask(&wish));
    ck_assert_ptr_null(dial());
    ck_assert_int_eq(err.code, URLPOOL_E_CANCELLED);
    ck_assert(wish.is_broken_off);
    ck_assert_ptr_nonnull(wish.half);
    urlp_half_dial_free(wish.half);
    call.break_off = NULL;
    (void)close(wish.wake_fd);
    loopback_hole_close(&hole);
    end();
}
END_TEST

int main(void)
{
    const TTest *const of_each_kind[] = {
        chain__leads_through_every_kind_of_proxy,
        chain__hears_a_proxy_that_answers_byte_by_byte,
        chain__leads_to_an_http_origin_without_tls,
        chain__leads_through_one_proxy_to_the_next,
        chain__judges_the_addresses_that_it_looks_up_for_a_proxy,
        chain__blames_the_proxy_when_it_is_not_reached,
        chain__leaves_the_end_of_a_call_what_it_is,
        chain__ends_in_time_with_a_proxy_that_says_nothing,
        chain__blames_the_proxy_that_breaks_off_or_babbles,
        chain__says_that_the_proxy_refused,
        chain__does_not_blame_the_proxy_for_the_origin,
        chain__leaves_no_descriptor_behind,
        chain__shows_credentials_to_the_proxy_that_asks,
        chain__tells_a_shortage_of_descriptors_from_a_proxy_that_is_away,
        chain__survives_each_allocation_that_fails,
    };
    const TTest *const others[] = {
        chain__shows_the_headers_for_a_proxy_with_connect,
        chain__gives_socks_an_ipv4_address_before_one_of_ipv6,
        chain__gives_an_address_that_is_written_down_as_one,
        chain__resumes_no_session_of_another_way,
        chain__resumes_no_session_of_an_origin_with_the_same_host_as_proxy,
        chain__blames_the_proxy_whose_certificate_is_none,
        chain__says_when_an_https_proxy_may_be_an_http_one,
        chain__refuses_an_https_origin_without_tls,
        chain__is_not_broken_off_once_tcp_is_up,
        chain__broken_off_before_the_proxy_does_not_blame_it,
    };
    Suite *suite = suite_create("chain");
    TCase *tcase = tcase_create("chain");
    SRunner *runner = srunner_create(suite);
    int num_failed;

    for (size_t i = 0; i < sizeof(of_each_kind) / sizeof(of_each_kind[0]); i++) {
        tcase_add_loop_test(tcase, of_each_kind[i], 0, NUM_KINDS);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        tcase_add_test(tcase, others[i]);
    }
    tcase_add_loop_test(tcase, chain__ends_at_the_proxy_that_forwards, 0, 2);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    num_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return num_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
