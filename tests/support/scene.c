/* The peers of a scenario, and what its servers answer. All memory of the peers is malloc's. */

#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/requests.h"
#include "support/scenarios.h"
#include "support/tls_client.h"

enum {
    LARGE_BYTES = 100000,
    GIVE_UP_MS = 5000
};

static _Atomic unsigned num_busy; /* who asked for what is busy every other time */

#define EVENTS                                                                         \
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked" \
    "\r\n\r\n1e\r\nid: 1\nretry: 250\ndata: one\n\n\n\n\r\n"                           \
    "14\r\nevent: two\ndata: 2\n\n\r\n0\r\n\r\n"
#define GZIP "\x1f\x8b\x08\0\0\0\0\0\0\3\xcb\x48\xcd\xc9\xc9\7\0\x86\xa6\x10\x36\5\0\0\0"
#define CODED(coding, text)                        \
    {                                              \
        "/" coding, coding, text, sizeof(text) - 1 \
    }

/* Bodies of "hello", each in its coding. */
static const struct {
    const char *target, *coding, *data;
    size_t len;
} coded[] = {
    CODED("gzip", GZIP),
    CODED("deflate", "\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15"),
    CODED("br", "\x0b\x02\x80hello\x03"),
    CODED("zstd", "\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello"),
 /* The bytes of GZIP, stored, as a stream of gzip themselves would want their checksum; a stream
  * of zlib within brotli's frame needs none. */
    {"/stacked", "deflate, br",
     "\x0b\x06\x80\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15\x03", 17},
};

static bool answer_coded(struct test_peer *peer, const char *target)
{
    for (size_t i = 0; i < sizeof(coded) / sizeof(coded[0]); i++) {
        char head[128];

        if (strcmp(target, coded[i].target) == 0) {
            (void)snprintf(head, sizeof(head),
                           "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n"
                           "Content-Length: %zu\r\n\r\n",
                           coded[i].coding, coded[i].len);
            test_peer_send_text(peer, head);
            test_peer_send(peer, coded[i].data, coded[i].len);
            return true;
        }
    }
    return false;
}

/* answer_bare are the answers that are bytes, and no more. */
static bool answer_bare(struct test_peer *peer, const char *target)
{
    static const char *const bare[][2] = {
        {"/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "2\r\nhe\r\n3\r\nllo\r\n0\r\nT: u\r\nV: w\r\n\r\n"},
        {"/interim", "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
                     "Content-Length: 5\r\n\r\nhello"                  },
        {"/lines",   "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\none\ntwo\r\n3\n"        },
        {"/events",  EVENTS                                                                },
        {"/partial", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"                  },
        {"/closed",  "HTTP/1.1 200 OK\r\n\r\nhello"                                        },
        {"/garbage", "HTTP/9 garbage\r\n\r\n"                                              },
    };

    for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
        if (strcmp(target, bare[i][0]) == 0) {
            test_peer_send_text(peer, bare[i][1]);
            if (i >= 4) {
                test_peer_close(peer);
            }
            return true;
        }
    }
    return false;
}

static void answer_large(struct test_peer *peer)
{
    char *body = calloc(1, LARGE_BYTES + 1);

    ck_assert_ptr_nonnull(body);
    memset(body, 'l', LARGE_BYTES);
    test_peer_reply(peer, 200, NULL, body);
    free(body);
}

static void answer_upgrade(struct test_peer *peer)
{
    char data[64];
    size_t len;

    test_peer_send_text(peer, "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    while ((len = test_peer_receive(peer, data, sizeof(data))) > 0) {
        test_peer_send(peer, data, len);
    }
    test_peer_close(peer);
}

void scene_answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    const char *target = request->target;

    (void)user;
    if (strncmp(target, "http", 4) == 0) { /* we are the proxy */
        target = strchr(strstr(target, "//") + 2, '/');
    }
    if (strcmp(target, "/hop") == 0) {
        test_peer_reply(peer, 302, "Location: /hop2\r\n", "there");
    } else if (strcmp(target, "/hop2") == 0) {
        test_peer_reply(peer, 307, "Location: /gzip\r\n", "");
    } else if (strcmp(target, "/busy") == 0 && atomic_fetch_add(&num_busy, 1) % 2 == 0) {
        test_peer_reply(peer, 503, "Retry-After: 0\r\n", "later");
    } else if (strcmp(target, "/stale") == 0 && request->number > 1) {
        test_peer_close(peer);
    } else if (strcmp(target, "/large") == 0) {
        answer_large(peer);
    } else if (strcmp(target, "/upgrade") == 0) {
        answer_upgrade(peer);
    } else if (strcmp(target, "/echo") == 0) {
        test_answer_echo(peer, request, NULL);
    } else if (strcmp(target, "/length") == 0) {
        char text[32];

        (void)snprintf(text, sizeof(text), "%zu", request->body_len);
        test_peer_reply(peer, 200, NULL, text);
    } else if (!answer_coded(peer, target) && !answer_bare(peer, target)) {
        test_peer_reply(peer, 200, "X-Answer: yes\r\n", "hello");
    }
}

const char *scene_url(const struct scene *scene, const char *path, char out[128])
{
    const bool is_named = scene->scenario->way != WAY_DIRECT && scene->scenario->way != WAY_SOCKS4;

    (void)snprintf(out, 128, "http%s://%s:%d%s", scene->scenario->is_tls ? "s" : "",
                   is_named ? "www.example" : "127.0.0.1", test_server_port(scene->server), path);
    return out;
}

/* set_proxy has the options name the proxies of the scenario's way. */
static void set_proxy(struct scene *scene)
{
    static const char *const schemes[] = {
        [WAY_FORWARD] = "http",     [WAY_TUNNEL] = "http",     [WAY_TLS_FORWARD] = "https",
        [WAY_TLS_TUNNEL] = "https", [WAY_SOCKS4] = "socks4",   [WAY_SOCKS4A] = "socks4a",
        [WAY_SOCKS5] = "socks5",    [WAY_SOCKS5H] = "socks5h", [WAY_CHAIN] = "http"};
    const enum scene_way way = scene->scenario->way;
    const bool is_tls = way == WAY_TLS_FORWARD || way == WAY_TLS_TUNNEL;
    int port;

    if (way == WAY_DIRECT || way == WAY_NAME || way == WAY_LOCAL) {
        return;
    }
    if (way == WAY_FORWARD || way == WAY_TLS_FORWARD) {
        port = test_server_port(is_tls ? scene->https.server : scene->plain);
    } else {
        scene->proxy = proxy_server_start(
            &(struct proxy_server_options){.tls = is_tls ? scene->https.context : NULL});
        port = proxy_server_port(scene->proxy);
    }
    (void)snprintf(scene->proxy_url, sizeof(scene->proxy_url), "%s://%s127.0.0.1:%d", schemes[way],
                   way == WAY_SOCKS4 || way == WAY_SOCKS4A ? "me@" : "me:secret@", port);
    scene->options.proxy.url = scene->proxy_url;
    scene->options.proxy.tls = is_tls ? scene->https.tls : NULL;
    if (way == WAY_CHAIN) {
        scene->preproxy = proxy_server_start(&(struct proxy_server_options){0});
        (void)snprintf(scene->preproxy_url, sizeof(scene->preproxy_url), "socks5://127.0.0.1:%d",
                       proxy_server_port(scene->preproxy));
        scene->options.preproxy.url = scene->preproxy_url;
    }
}

/* write_files makes what acts read from disk, and from memory. */
static void write_files(struct scene *scene)
{
    char *key = test_cert_key_pem(scene->https.leaf);
    char *both = NULL;
    char *large = calloc(1, LARGE_BYTES + 1);

    ck_assert_ptr_nonnull(large);
    scene->ca_pem = test_cert_pem(scene->https.ca);
    scene->cert_pem = test_cert_pem(scene->https.leaf);
    scene->key_pem = test_cert_key_encrypted(scene->https.leaf, "secret", false);
    ck_assert_int_gt(asprintf(&both, "%s%s", scene->cert_pem, key), 0);
    scene->dir = test_dir();
    scene->ca_path = test_file(scene->dir, "ca.pem", scene->ca_pem);
    scene->cert_path = test_file(scene->dir, "client.pem", both);
    scene->text_path = test_file(scene->dir, "text.txt", "some text of a file");
    memset(large, 'l', LARGE_BYTES);
    scene->large_path = test_file(scene->dir, "large.txt", large);
    free(large);
    free(both);
    free(key);
}

/* set_local has a server listen at a path, when the scenario's way leads there. */
static void set_local(struct scene *scene)
{
    struct test_server_options options = {.local_path = scene->local_path};

    if (scene->scenario->way != WAY_LOCAL) {
        return;
    }
    (void)snprintf(scene->local_path, sizeof(scene->local_path), "@urlpool-scene-%d", getpid());
    scene->local = test_server_start(scene_answer, NULL, &options);
    scene->options.network.unix_socket = scene->local_path;
}

void scene_begin(struct scene *scene, const struct scenario *scenario)
{
    static const struct test_name names[] = {TEST_DNS("localhost"), TEST_DNS("www.example"),
                                             TEST_IP("\x7f\x00\x00\x01")};
    static const struct test_cert_options leaf = {.names = names, .num_names = 3};

    *scene = (struct scene){
        .scenario = scenario,
        .plain = test_server_start(scene_answer, NULL, NULL),
        .https = https_scene_begin(scene_answer, NULL, &leaf),
        .dns = dns_server_start(),
        .options = {.timeout = {.connect_ms = GIVE_UP_MS,
                                .read_ms = GIVE_UP_MS,
                                .write_ms = GIVE_UP_MS,
                                .total_ms = 2 * GIVE_UP_MS,
                                .pool_ms = GIVE_UP_MS},
                    .dial_pause_max_ms = URLPOOL_NONE}
    };
    scene->server = scenario->is_tls ? scene->https.server : scene->plain;
    set_local(scene);
    scene->options.tls = scene->https.tls;
    scene->options.network.dns_servers = dns_server_address(scene->dns);
    dns_server_add(scene->dns, "www.example", DNS_A, 60, "127.0.0.1");
    write_files(scene);
    set_proxy(scene);
    if (scenario->set != NULL) {
        scenario->set(scene);
    }
    (void)scene_url(scene, scenario->path != NULL ? scenario->path : "/", scene->url);
}

void scene_end(struct scene *scene)
{
    proxy_server_stop(scene->proxy);
    proxy_server_stop(scene->preproxy);
    free(scene->ca_path);
    free(scene->cert_path);
    free(scene->text_path);
    free(scene->large_path);
    free(scene->ca_pem);
    free(scene->cert_pem);
    free(scene->key_pem);
    test_dir_remove(scene->dir);
    urlpool_tls_unref(scene->tls);
    dns_server_stop(scene->dns);
    https_scene_end(&scene->https);
    test_server_stop(scene->local);
    test_server_stop(scene->plain);
}

void scene_open(struct scene *scene)
{
    atomic_store(&num_busy, 0);
    scene->manager = test_manager(&scene->options);
}

void scene_close(struct scene *scene)
{
    urlpool_manager_free(scene->manager);
    scene->manager = NULL;
}
