/* The states in which a call can stand still, a row each: what brings it there, by which sign that
 * is known, and what the figures are when it has been cancelled. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/halt_acts.h"
#include "support/halts.h"
#include "support/requests.h"
#include "support/tls_client.h"

enum {
    UPLOAD_BYTES = 32 << 20,  /* more than the sockets of both sides hold */
    LONG_FIELD_BYTES = 50000, /* of which four are more than NARROW sockets hold */
    NARROW = 4096,
    PAUSE_MS = 100000
};

#define HALF "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
#define EVENTS                                                                         \
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked" \
    "\r\n\r\n9\r\ndata: 1\n\n\r\n"

static const struct silent_script hears = {{SILENT_HEARS}, 1, false};
static const struct silent_script is_deaf = {{SILENT_HEARS}, 1, true};
static const struct silent_script half_head = {
    {SILENT_HEARS, SILENT_SAYS("HTTP/1.1 200 OK\r\nContent-")},
    2, false
};
static const struct silent_script interim = {
    {SILENT_HEARS, SILENT_SAYS("HTTP/1.1 103 Early Hints\r\n\r\n")},
    2, false
};
static const struct silent_script half_body = {
    {SILENT_HEARS, SILENT_SAYS(HALF)},
    2, false
};
static const struct silent_script one_chunk = {
    {SILENT_HEARS,
     SILENT_SAYS("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")},
    2,
    false
};
static const struct silent_script half_chunk_line = {
    {SILENT_HEARS,
     SILENT_SAYS("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n4;a=")},
    2,
    false
};
static const struct silent_script half_trailer = {
    {SILENT_HEARS, SILENT_SAYS("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "4\r\nhalf\r\n0\r\nX-Trailer: ")},
    2,
    false
};
static const struct silent_script no_length = {
    {SILENT_HEARS, SILENT_SAYS("HTTP/1.1 200 OK\r\n\r\nhalf")},
    2, false
};
static const struct silent_script one_event = {
    {SILENT_HEARS, SILENT_SAYS(EVENTS)},
    2, false
};
#define SWITCH "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"
static const struct silent_script switches = {
    {SILENT_HEARS, SILENT_SAYS(SWITCH)},
    2, false
};
static const struct silent_script switches_deaf = {
    {SILENT_HEARS, SILENT_SAYS(SWITCH)},
    2, true
};
static const struct silent_script closes = {
    {SILENT_HEARS, SILENT_CLOSES},
    2, false
};
static const struct silent_script busy = {
    {SILENT_HEARS, SILENT_SAYS("HTTP/1.1 503 No\r\nRetry-After: 100\r\nContent-Length: 0\r\n\r\n")},
    2,
    false
};
static const struct silent_script busy_and_slow = {
    {SILENT_HEARS,
     SILENT_SAYS("HTTP/1.1 503 No\r\nRetry-After: 100\r\nContent-Length: 10\r\n\r\nhalf")},
    2,
    false
};
static const struct silent_script moved = {
    {SILENT_HEARS, SILENT_SAYS("HTTP/1.1 302 Over there\r\nLocation: /there\r\nRetry-After: 100\r\n"
                               "Content-Length: 0\r\n\r\n")},
    2,
    false
};
static const struct silent_script tunnels = {
    {SILENT_HEARS, SILENT_SAYS("HTTP/1.1 200 Go\r\n\r\n"), SILENT_HEARS},
    3, false
};
static const struct silent_script greets = {
    {SILENT_HEARS, SILENT_SAYS("\5\0"), SILENT_HEARS},
    3, false
};
static const struct silent_script asks_who = {
    {SILENT_HEARS, SILENT_SAYS("\5\2"), SILENT_HEARS},
    3, false
};

static const struct silent_script socks_then_head = {
    {SILENT_HEARS, SILENT_SAYS("\5\0"), SILENT_HEARS, SILENT_SAYS("\5\0\0\1\0\0\0\0\0\0"),
     SILENT_HEARS},
    5,
    false
};

/* --- on the way to a connection --- */

/* set_held takes the only place for good. */
static void set_held(struct halt *halt)
{
    const struct urlpool_request_options stream = {
        .stream = true,
        .timeout = {.connect_ms = URLPOOL_NO_TIMEOUT,
                    .read_ms = URLPOOL_NO_TIMEOUT,
                    .write_ms = URLPOOL_NO_TIMEOUT,
                    .total_ms = URLPOOL_NO_TIMEOUT}
    };

    halt->server = test_server_start(test_answer_hello, NULL, NULL);
    (void)test_server_url(halt->server, "/", halt->url, sizeof(halt->url));
    halt->made_with.maxsize = 1;
    halt->made_with.block = true;
    halt->manager = test_manager(&halt->made_with);
    halt->held = urlpool_request(halt->manager, "GET", halt->url, &stream, &test_err);
    ck_assert_msg(halt->held != NULL, "%s", test_err.message);
}

/* set_held_elsewhere takes the only place of all origins. */
static void set_held_elsewhere(struct halt *halt)
{
    halt->made_with.max_total = 1;
    set_held(halt);
    (void)snprintf(halt->url, sizeof(halt->url), "http://localhost:1/");
}

static void set_name(struct halt *halt)
{
    halt->dns = dns_server_start();
    dns_server_behave(halt->dns, "silent.example", DNS_A, DNS_DROPS);
    dns_server_behave(halt->dns, "silent.example", DNS_AAAA, DNS_DROPS);
    halt->made_with.network.dns_servers = dns_server_address(halt->dns);
    (void)snprintf(halt->url, sizeof(halt->url), "http://silent.example/");
}

static void set_hole(struct halt *halt)
{
    halt->hole = loopback_hole_open("127.0.0.1", 0);
    (void)snprintf(halt->url, sizeof(halt->url), "http://127.0.0.1:%u/",
                   loopback_port(halt->hole.listener));
}

/* set_full_socket listens on a Unix-domain socket whose queue is full. */
static void set_full_socket(struct halt *halt)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len;
    size_t i = 0;

    (void)snprintf(halt->socket_path, sizeof(halt->socket_path), "@urlpool-halt-%d", getpid());
    memcpy(address.sun_path + 1, halt->socket_path + 1, strlen(halt->socket_path) - 1);
    len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(halt->socket_path));
    halt->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(halt->listener, (const struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(halt->listener, 0), 0);
    do {
        ck_assert_uint_lt(i, sizeof(halt->fillers) / sizeof(halt->fillers[0]));
        halt->fillers[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    } while (connect(halt->fillers[i++], (const struct sockaddr *)&address, len) == 0);
    ck_assert_int_eq(errno, EAGAIN);
    halt->made_with.network.unix_socket = halt->socket_path;
    (void)snprintf(halt->url, sizeof(halt->url), "http://socket/");
}

/* trust_anybody makes a configuration for peers that never get so far as to show a certificate. */
static void trust_anybody(struct halt *halt)
{
    const struct urlpool_tls_options anybody = {.insecure_no_verify = true};

    halt->tls = urlpool_tls_new(&anybody, &test_err);
    halt->made_with.tls = halt->tls;
}

static void set_handshake(struct halt *halt)
{
    trust_anybody(halt);
    (void)snprintf(halt->url, sizeof(halt->url), "https://127.0.0.1:%u/",
                   silent_peer_port(halt->peer));
}

/* stall is called by a server of TLS 1.2 that has the client's Finished, and would now send a
 * ticket and its own. */
static int stall(SSL *ssl, uint8_t *key_name, uint8_t *iv, EVP_CIPHER_CTX *cipher, HMAC_CTX *mac,
                 int encrypts)
{
    struct halt *halt = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    char byte;

    (void)key_name;
    (void)iv;
    (void)cipher;
    (void)mac;
    (void)encrypts;
    (void)sem_post(&halt->reached);
    while (read(halt->pipe_fds[0], &byte, 1) < 0 && errno == EINTR) {
        /* until the scene ends */
    }
    return -1;
}

static void set_finished(struct halt *halt)
{
    halt->https = https_scene_begin(test_answer_hello, NULL, NULL);
    halt->has_https = true;
    ck_assert_int_eq(pipe2(halt->pipe_fds, O_CLOEXEC), 0);
    SSL_CTX_set_app_data(halt->https.context, halt);
    SSL_CTX_set_tlsext_ticket_key_cb(halt->https.context, stall);
    halt->tls = test_trust_with(halt->https.ca,
                                (struct urlpool_tls_options){.version_max = URLPOOL_TLS_1_2});
    halt->made_with.tls = halt->tls;
    (void)snprintf(halt->url, sizeof(halt->url), "https://127.0.0.1:%d/",
                   test_server_port(halt->https.server));
}

/* --- sending --- */

/* set_long_head has a head that a peer who reads nothing has no room for. */
static void set_long_head(struct halt *halt)
{
    static const struct urlpool_socket_option narrow = {SOL_SOCKET, SO_SNDBUF, NARROW};
    const int size = NARROW;
    char *field = calloc(1, LONG_FIELD_BYTES + 1);

    ck_assert_ptr_nonnull(field);
    memset(field, 'x', LONG_FIELD_BYTES);
    halt->listener = loopback_listen("127.0.0.1", 0); /* nobody accepts, the kernel does */
    ck_assert_int_eq(setsockopt(halt->listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
    halt->headers = urlpool_headers_new(&test_err);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(urlpool_headers_add(halt->headers, "X-Long", field, &test_err),
                         URLPOOL_OK);
    }
    free(field);
    halt->options.headers = halt->headers;
    halt->made_with.network.socket_options = &narrow;
    halt->made_with.network.num_socket_options = 1;
    (void)snprintf(halt->url, sizeof(halt->url), "http://127.0.0.1:%u/",
                   loopback_port(halt->listener));
}

static void set_upload(struct halt *halt)
{
    halt->bytes = calloc(1, UPLOAD_BYTES);
    ck_assert_ptr_nonnull(halt->bytes);
    halt->options.body = urlpool_body_bytes(halt->bytes, UPLOAD_BYTES);
    halt->method = "PUT";
}

static void set_upload_of_file(struct halt *halt)
{
    halt->listener = memfd_create("upload", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(halt->listener, UPLOAD_BYTES), 0);
    halt->options.body = urlpool_body_fd(halt->listener);
    halt->method = "PUT";
}

/* A request whose body is not read, by who is to answer it. */
static void answer_never(struct test_peer *peer, const struct test_request *request, void *user)
{
    int *stays = user;
    char byte;

    (void)peer;
    (void)request;
    while (read(*stays, &byte, 1) < 0 && errno == EINTR) {
        /* until the scene ends */
    }
}

static void set_upload_over_tls(struct halt *halt)
{
    struct test_server_options options = {.leave_body = true};

    halt->https = https_scene_begin(test_answer_hello, NULL, NULL);
    halt->has_https = true;
    options.tls = halt->https.context;
    ck_assert_int_eq(pipe2(halt->pipe_fds, O_CLOEXEC), 0);
    halt->server = test_server_start(answer_never, &halt->pipe_fds[0], &options);
    halt->made_with.tls = halt->https.tls;
    (void)snprintf(halt->url, sizeof(halt->url), "https://127.0.0.1:%d/",
                   test_server_port(halt->server));
    set_upload(halt);
}

/* set_pipe has a body of which nothing comes. */
static void set_pipe(struct halt *halt)
{
    ck_assert_int_eq(pipe2(halt->pipe_fds, O_CLOEXEC), 0);
    halt->options.body = urlpool_body_fd(halt->pipe_fds[0]);
    halt->method = "PUT";
}

static void set_expect(struct halt *halt)
{
    halt->options.body = urlpool_body_bytes("hello", 5);
    halt->options.body.expect_continue = true;
    halt->options.body.expect_ms = URLPOOL_NO_TIMEOUT;
    halt->method = "PUT";
}

/* --- the answer --- */

static void answer_over_tls(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strcmp(request->target, "/half") == 0) {
        test_peer_send_text(peer, HALF);
    }
    test_peer_stay(peer);
}

static void set_over_tls(struct halt *halt)
{
    halt->https = https_scene_begin(answer_over_tls, NULL, NULL);
    halt->has_https = true;
    halt->made_with.tls = halt->https.tls;
    (void)snprintf(halt->url, sizeof(halt->url), "https://127.0.0.1:%d/",
                   test_server_port(halt->https.server));
}

static void set_half_over_tls(struct halt *halt)
{
    set_over_tls(halt);
    (void)strcat(halt->url, "half");
}

/* --- pauses --- */

static void set_backoff(struct halt *halt)
{
    halt->options.retries = (struct urlpool_retry){.total = 3, .read = 3};
    halt->options.retries.backoff_factor_ms = PAUSE_MS;
}

static void set_retries(struct halt *halt)
{
    halt->options.retries = (struct urlpool_retry){.total = 3, .status = 3};
}

/* --- proxies --- */

/* through sends the requests through the silent peer as a proxy of that scheme. */
static void through(struct halt *halt, const char *scheme, const char *origin)
{
    (void)snprintf(halt->proxy_url, sizeof(halt->proxy_url), "%s://127.0.0.1:%u", scheme,
                   silent_peer_port(halt->peer));
    halt->made_with.proxy.url = halt->proxy_url;
    (void)snprintf(halt->url, sizeof(halt->url), "%s://192.0.2.1/", origin);
}

static void set_forwarding(struct halt *halt)
{
    through(halt, "http", "http");
}

static void set_connect(struct halt *halt)
{
    trust_anybody(halt);
    through(halt, "http", "https");
}

static void set_https_proxy(struct halt *halt)
{
    trust_anybody(halt);
    halt->made_with.proxy.tls = halt->tls;
    through(halt, "https", "http");
}

static void set_socks4(struct halt *halt)
{
    through(halt, "socks4", "http");
}

static void set_socks5(struct halt *halt)
{
    through(halt, "socks5", "http");
}

static void set_socks5_user(struct halt *halt)
{
    halt->made_with.proxy.user = "me";
    halt->made_with.proxy.password = "secret";
    set_socks5(halt);
}

static void set_hole_proxy(struct halt *halt)
{
    set_hole(halt);
    (void)snprintf(halt->proxy_url, sizeof(halt->proxy_url), "%s", halt->url);
    halt->made_with.proxy.url = halt->proxy_url;
    (void)snprintf(halt->url, sizeof(halt->url), "http://192.0.2.1/");
}

static void set_name_of_proxy(struct halt *halt)
{
    set_name(halt);
    halt->made_with.proxy.url = "http://silent.example:3128";
    (void)snprintf(halt->url, sizeof(halt->url), "http://192.0.2.1/");
}

/* What is left: somebody else's connection; nothing at all; a connection that was used, and is
 * closed because of the cancel; one of a peer that takes no other client; what was before a pause.
 */
static const struct halt_outcome held = {.left = 1, .opened = 1};
static const struct halt_outcome not_dialled = {.dial_failures = 1};
static const struct halt_outcome sent = {.may_be_processed = true,
                                         .is_fit = true,
                                         .opened = 1,
                                         .closed = 1,
                                         .why = URLPOOL_CLOSED_ERROR};
static const struct halt_outcome sent_to_one = {
    .may_be_processed = true, .opened = 1, .closed = 1, .why = URLPOOL_CLOSED_ERROR};
static const struct halt_outcome upgraded = {.may_be_processed = false,
                                             .is_fit = true,
                                             .opened = 1,
                                             .closed = 1,
                                             .why = URLPOOL_CLOSED_UPGRADED};
static const struct halt_outcome failed_twice = {.may_be_processed = true,
                                                 .is_fit = true,
                                                 .opened = 2,
                                                 .closed = 2,
                                                 .why = URLPOOL_CLOSED_ERROR};
static const struct halt_outcome paused = {.may_be_processed = true, .left = 1, .opened = 1};
static const struct halt_outcome paused_undrained = {.may_be_processed = true,
                                                     .is_fit = true,
                                                     .opened = 1,
                                                     .closed = 1,
                                                     .why = URLPOOL_CLOSED_UNREAD};
static const struct halt_outcome apart = {.may_be_processed = false};
static const struct halt_outcome apart_sent = {.may_be_processed = true};

/* A row has two lines: name, phase, `set` and `act`; script, sign and outcome. */
#define PHASE(name) URLPOOL_PHASE_##name

/* clang-format off */
const struct halt_kind halt_kinds[HALT_NUM] = {
    {"waiting for a place in the pool",          PHASE(POOL),     set_held,            NULL,
     NULL,              BY_QUEUE,         &held},
    {"waiting for a place in max_total",         PHASE(POOL),     set_held_elsewhere,  NULL,
     NULL,              BY_QUEUE,         &held},
    {"urlpool_pool_acquire",                     PHASE(POOL),     set_held,            halt_acquire,
     NULL,              BY_QUEUE,         &held},
    {"DNS",                                      PHASE(RESOLVE),  set_name,            NULL,
     NULL,              AT_LEASED,        &not_dialled},
    {"TCP connecting",                           PHASE(CONNECT),  set_hole,            NULL,
     NULL,              AT_LEASED,        &not_dialled},
    {"Unix-domain socket with a full queue",     PHASE(CONNECT),  set_full_socket,     NULL,
     NULL,              AT_LEASED,        &not_dialled},
    {"TLS handshake",                            PHASE(TLS),      set_handshake,       NULL,
     &hears,            BY_PEER,          &not_dialled},
    {"TLS: waiting for Finished",                PHASE(TLS),      set_finished,        NULL,
     NULL,              BY_ITSELF,        &not_dialled},
    {"sending the head",                         PHASE(SEND),     set_long_head,       NULL,
     NULL,              AT_REQUEST_HEAD,  &sent_to_one},
    {"sending from memory",                      PHASE(SEND),     set_upload,          NULL,
     &is_deaf,          BY_PEER,          &sent},
    {"sending a file",                           PHASE(SEND),     set_upload_of_file,  NULL,
     &is_deaf,          BY_PEER,          &sent},
    {"sending over TLS",                         PHASE(SEND),     set_upload_over_tls, NULL,
     NULL,              AT_REQUEST_HEAD,  &sent_to_one},
    {"waiting for a pipe to send from",          PHASE(SEND),     set_pipe,            NULL,
     &hears,            BY_PEER,          &sent},
    {"waiting for 100 Continue",                 PHASE(SEND),     set_expect,          NULL,
     &hears,            BY_PEER,          &sent},
    {"waiting for the head",                     PHASE(HEAD),     NULL,                NULL,
     &hears,            BY_PEER,          &sent},
    {"in the midst of the head",                 PHASE(HEAD),     NULL,                NULL,
     &half_head,        BY_PEER,          &sent},
    {"behind an interim response",               PHASE(HEAD),     NULL,                NULL,
     &interim,          BY_PEER,          &sent},
    {"waiting for the head over TLS",            PHASE(HEAD),     set_over_tls,        NULL,
     NULL,              AT_REQUEST_SENT,  &sent_to_one},
    {"body with a length",                       PHASE(BODY),     NULL,                NULL,
     &half_body,        BY_PEER,          &sent},
    {"body in chunks",                           PHASE(BODY),     NULL,                NULL,
     &one_chunk,        BY_PEER,          &sent},
    {"in the midst of a chunk's line",           PHASE(BODY),     NULL,                NULL,
     &half_chunk_line,  BY_PEER,          &sent},
    {"in the midst of the trailers",             PHASE(BODY),     NULL,                NULL,
     &half_trailer,     BY_PEER,          &sent},
    {"body until the end of the connection",     PHASE(BODY),     NULL,                NULL,
     &no_length,        BY_PEER,          &sent},
    {"body over TLS",                            PHASE(BODY),     set_half_over_tls,   NULL,
     NULL,              AT_RESPONSE_HEAD, &sent_to_one},
    {"urlpool_response_read",                    PHASE(BODY),     NULL,                halt_read,
     &half_body,        BY_ITSELF,        &sent},
    {"urlpool_response_read_exact",              PHASE(BODY),     NULL,                halt_read_exact,
     &half_body,        BY_ITSELF,        &sent},
    {"urlpool_response_read_line",               PHASE(BODY),     NULL,                halt_read_line,
     &half_body,        BY_ITSELF,        &sent},
    {"urlpool_response_read_chunk",              PHASE(BODY),     NULL,                halt_read_chunk,
     &one_chunk,        BY_ITSELF,        &sent},
    {"urlpool_response_read_all",                PHASE(BODY),     NULL,                halt_read_all,
     &no_length,        BY_ITSELF,        &sent},
    {"urlpool_response_stream",                  PHASE(BODY),     NULL,                halt_stream,
     &one_chunk,        BY_ITSELF,        &sent},
    {"urlpool_response_read over TLS",           PHASE(BODY),     set_half_over_tls,   halt_read,
     NULL,              BY_ITSELF,        &sent_to_one},
    {"urlpool_sse_next",                         PHASE(BODY),     NULL,                halt_events,
     &one_event,        BY_ITSELF,        &sent},
    {"urlpool_raw_stream_read",                  PHASE(BODY),     NULL,                halt_raw_read,
     &switches,         BY_ITSELF,        &upgraded},
    {"urlpool_raw_stream_write",                 PHASE(SEND),     NULL,                halt_raw_write,
     &switches_deaf,    BY_ITSELF,        &upgraded},
    {"back-off",                                 PHASE(HEAD),     set_backoff,         NULL,
     &closes,           AT_SECOND_RETRY,  &failed_twice},
    {"Retry-After of a 503",                     PHASE(HEAD),     set_retries,         NULL,
     &busy,             AT_RETRY,         &paused},
    {"Retry-After of a 503 with half a body",    PHASE(HEAD),     set_retries,         NULL,
     &busy_and_slow,    AT_RETRY,         &paused_undrained},
    {"Retry-After of a redirect",                PHASE(HEAD),     NULL,                NULL,
     &moved,            AT_REDIRECT,      &paused},
    {"DNS for a proxy",                          PHASE(PROXY),    set_name_of_proxy,   NULL,
     NULL,              AT_LEASED,        &not_dialled},
    {"TCP connecting to a proxy",                PHASE(PROXY),    set_hole_proxy,      NULL,
     NULL,              AT_LEASED,        &not_dialled},
    {"TLS handshake with a proxy",               PHASE(PROXY),    set_https_proxy,     NULL,
     &hears,            BY_PEER,          &not_dialled},
    {"waiting for the answer to CONNECT",        PHASE(PROXY),    set_connect,         NULL,
     &hears,            BY_PEER,          &not_dialled},
    {"TLS handshake in a tunnel",                PHASE(TLS),      set_connect,         NULL,
     &tunnels,          BY_PEER,          &not_dialled},
    {"waiting for the head from a proxy",        PHASE(HEAD),     set_forwarding,      NULL,
     &hears,            BY_PEER,          &sent},
    {"SOCKS4: waiting for the reply",            PHASE(PROXY),    set_socks4,          NULL,
     &hears,            BY_PEER,          &not_dialled},
    {"SOCKS5: waiting for the method",           PHASE(PROXY),    set_socks5,          NULL,
     &hears,            BY_PEER,          &not_dialled},
    {"SOCKS5: waiting to be let in",             PHASE(PROXY),    set_socks5_user,     NULL,
     &asks_who,         BY_PEER,          &not_dialled},
    {"SOCKS5: waiting for the reply",            PHASE(PROXY),    set_socks5,          NULL,
     &greets,           BY_PEER,          &not_dialled},
    {"waiting for the head through SOCKS5",      PHASE(HEAD),     set_socks5,          NULL,
     &socks_then_head,  BY_PEER,          &sent_to_one},
    {"urlpool_connection_connect",               PHASE(CONNECT),  set_hole,            halt_connection_connect,
     NULL,              BY_ITSELF,        &apart},
    {"urlpool_connection_getresponse",           PHASE(HEAD),     NULL,                halt_getresponse,
     &hears,            BY_PEER,          &apart_sent},
};
/* clang-format on */
