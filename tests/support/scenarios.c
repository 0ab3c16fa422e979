/* The table: which operations are done while something fails beneath them. */

#include "support/scenarios.h"

#include <stdio.h>

#include "support/requests.h"
#include "support/tls_client.h"

static void set_block(struct scene *scene)
{
    scene->options.maxsize = 1;
    scene->options.block = true;
}

static void set_max_total(struct scene *scene)
{
    scene->options.max_total = 1;
}

static void set_min_idle(struct scene *scene)
{
    scene->options.min_idle = 2;
}

static void set_thread(struct scene *scene)
{
    scene->options.upkeep_thread = true;
    scene->options.min_idle = 1;
}

static void set_shared(struct scene *scene)
{
    scene->options.share_retry_after = true;
    scene->options.retry_budget.tokens = 10;
}

static void use_tls(struct scene *scene, struct urlpool_tls_options options)
{
    scene->tls = test_trust_with(scene->https.ca, options);
    scene->options.tls = scene->tls;
}

static void set_tls_1_2(struct scene *scene)
{
    use_tls(scene, (struct urlpool_tls_options){.version_max = URLPOOL_TLS_1_2});
}

static void set_pin(struct scene *scene)
{
    use_tls(scene, (struct urlpool_tls_options){
                       .pins = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="});
}

static void set_other_name(struct scene *scene)
{
    use_tls(scene, (struct urlpool_tls_options){.assert_hostname = "other.example"});
}

static void set_other_ca(struct scene *scene)
{
    struct test_cert *ca = test_ca("Other CA");

    scene->tls = test_trust(ca);
    scene->options.tls = scene->tls;
    test_cert_free(ca);
}

static void set_client_cert(struct scene *scene)
{
    use_tls(scene, (struct urlpool_tls_options){.cert_file = scene->cert_path});
}

static void set_keylog(struct scene *scene)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/keys", scene->dir);
    use_tls(scene, (struct urlpool_tls_options){.keylog_file = path});
}

static void set_source(struct scene *scene)
{
    static const struct urlpool_socket_option options[] = {
        {1, 9, 1}  /* SOL_SOCKET, SO_KEEPALIVE */
    };

    scene->options.network.source_address = "127.0.0.1";
    scene->options.network.socket_options = options;
    scene->options.network.num_socket_options = 1;
}

/* ask_libc asks for the one name that the C library knows everywhere. */
static enum urlpool_code ask_libc(void *user, const char *host, int64_t timeout_ms,
                                  struct urlpool_answers *answers, struct urlpool_error *err)
{
    (void)host;
    return urlpool_resolver_libc(user, "localhost", timeout_ms, answers, err);
}

static void set_libc(struct scene *scene)
{
    scene->options.network.family = URLPOOL_FAMILY_V4;
    scene->options.network.resolve = ask_libc;
}

static void set_headers_limit(struct scene *scene)
{
    scene->options.limits.fields_max = 1;
}

static void ignore_event(void *user, const struct urlpool_trace_event *event)
{
    (void)user;
    (void)event;
}

static void set_trace(struct scene *scene)
{
    scene->options.trace.event = ignore_event;
}

#define PLAIN(name, act, path)                               \
    {                                                        \
        name, act, path, WAY_DIRECT, false, URLPOOL_OK, NULL \
    }
#define OVER_TLS(name, act, path)                           \
    {                                                       \
        name, act, path, WAY_DIRECT, true, URLPOOL_OK, NULL \
    }
#define SET(name, act, is_tls, code, set)              \
    {                                                  \
        name, act, NULL, WAY_DIRECT, is_tls, code, set \
    }
#define BY(name, way, is_tls)                                    \
    {                                                            \
        name, act_get_twice, NULL, way, is_tls, URLPOOL_OK, NULL \
    }

const struct scenario scenarios[] = {
    PLAIN("get", act_get, NULL),
    PLAIN("get over a kept connection", act_get_twice, NULL),
    PLAIN("redirects to a coded body", act_get_told, "/hop"),
    PLAIN("gzip", act_get, "/gzip"),
    PLAIN("deflate", act_get, "/deflate"),
#if URLP_HAS_BROTLI
    PLAIN("br", act_get, "/br"),
    PLAIN("stacked codings", act_get, "/stacked"),
#endif
#if URLP_HAS_ZSTD
    PLAIN("zstd", act_get, "/zstd"),
#endif
    PLAIN("chunks and trailers", act_get, "/chunked"),
    PLAIN("an interim response", act_get, "/interim"),
    PLAIN("a body up to the end", act_get, "/closed"),
    PLAIN("503 and again", act_get, "/busy"),
    SET("503 with what threads share", act_get, false, URLPOOL_OK, set_shared),
    PLAIN("a stale connection", act_get_stale, NULL),
    PLAIN("userinfo", act_get_as_somebody, NULL),
    PLAIN("fields behind the query", act_get_with_fields, NULL),
    PLAIN("merged headers", act_get_with_merged_headers, NULL),
    PLAIN("into the caller's memory", act_get_into, "/gzip"),
    PLAIN("recycled responses", act_get_recycled, "/large"),
    PLAIN("a body handed over", act_get_taken, "/large"),
    PLAIN("part of a body", act_get_partial, "/partial"),
    PLAIN("a cancel token", act_get_with_cancel, NULL),
    PLAIN("read", act_read, "/large"),
    PLAIN("read lines", act_read_lines, "/lines"),
    PLAIN("read chunks", act_read_chunks, "/chunked"),
    PLAIN("peek and drain", act_peek_and_drain, "/large"),
    PLAIN("stream", act_stream, "/large"),
    PLAIN("a shutdown", act_shut_down, "/large"),
    PLAIN("events", act_events, "/events"),
    PLAIN("upgrade", act_upgrade, "/upgrade"),
    PLAIN("a body of bytes", act_post_bytes, NULL),
    PLAIN("a large body", act_post_large, NULL),
    PLAIN("a chunked body", act_post_chunked, NULL),
    PLAIN("a body that expects", act_post_expecting, NULL),
    PLAIN("trailers of a request", act_post_trailers, NULL),
    PLAIN("a file", act_put_file, NULL),
    PLAIN("a large file", act_put_large_file, NULL),
    PLAIN("a pipe", act_put_pipe, NULL),
    PLAIN("a callback", act_post_callback, NULL),
    PLAIN("multipart", act_post_multipart, NULL),
    PLAIN("a form", act_post_form, NULL),
    PLAIN("preconnect", act_preconnect, NULL),
    SET("a full pool", act_wait, false, URLPOOL_OK, set_block),
    SET("a full pool and a cancel token", act_wait_with_cancel, false, URLPOOL_OK, set_block),
    SET("a full set of pools", act_evict, false, URLPOOL_OK, set_max_total),
    SET("upkeep", act_maintain, false, URLPOOL_OK, set_min_idle),
    SET("the upkeep thread", act_get_twice, false, URLPOOL_OK, set_thread),
    SET("trace", act_get, false, URLPOOL_OK, set_trace),
    SET("too many headers", act_get, false, URLPOOL_E_MAX_RETRIES, set_headers_limit),
    PLAIN("reports", act_report, NULL),
    PLAIN("a changed network, cleared pools", act_clear, NULL),
    PLAIN("a lent connection", act_lend, NULL),
    PLAIN("a pool of one origin", act_pool, NULL),
    PLAIN("the lower floor", act_floor, "/gzip"),
    PLAIN("urls", act_urls, NULL),
    PLAIN("headers", act_headers, NULL),
    PLAIN("forms", act_forms, NULL),
    PLAIN("a manager with every option", act_manager, NULL),
    PLAIN("a TLS configuration of files", act_tls_files, NULL),
    PLAIN("a TLS configuration of bytes", act_tls_data, NULL),
    BY("a name", WAY_NAME, false),
    BY("a proxy", WAY_FORWARD, false),
    BY("a SOCKS4 proxy", WAY_SOCKS4, false),
    BY("a SOCKS4a proxy", WAY_SOCKS4A, false),
    BY("a SOCKS5 proxy", WAY_SOCKS5, false),
    BY("a SOCKS5h proxy", WAY_SOCKS5H, false),
    BY("a Unix-domain socket", WAY_LOCAL, false),
    SET("a source address", act_get_twice, false, URLPOOL_OK, set_source),
    {"the C library as a resolver", act_get,          NULL,    WAY_NAME,   false, URLPOOL_OK, set_libc},
    OVER_TLS("https", act_get, NULL),
    OVER_TLS("https over a kept connection", act_get_twice, NULL),
    OVER_TLS("https resumed", act_get_resumed, NULL),
    SET("https resumed by TLS 1.2", act_get_resumed, true, URLPOOL_OK, set_tls_1_2),
    SET("https with a client certificate", act_get, true, URLPOOL_OK, set_client_cert),
    SET("keys in a file", act_get, true, URLPOOL_OK, set_keylog),
    SET("an unknown CA", act_get, true, URLPOOL_E_TLS_VERIFY, set_other_ca),
    SET("another key than was pinned", act_get, true, URLPOOL_E_TLS_PIN, set_pin),
    SET("a certificate for another", act_get, true, URLPOOL_E_TLS_HOSTNAME, set_other_name),
    OVER_TLS("read over TLS", act_read, "/large"),
    OVER_TLS("a large body over TLS", act_post_large, NULL),
    OVER_TLS("a file over TLS", act_put_file, NULL),
    OVER_TLS("upgrade over TLS", act_upgrade, "/upgrade"),
    OVER_TLS("a configuration for another", act_set_tls, NULL),
    OVER_TLS("the lower floor over TLS", act_floor, "/chunked"),
    BY("a name over TLS", WAY_NAME, true),
    BY("a tunnel", WAY_TUNNEL, true),
    BY("an https proxy", WAY_TLS_FORWARD, false),
    BY("TLS in TLS", WAY_TLS_TUNNEL, true),
    BY("TLS behind SOCKS5", WAY_SOCKS5, true),
    BY("two proxies", WAY_CHAIN, true),
    {"a tunnel on the lower floor", act_floor_tunnel, "/gzip", WAY_TUNNEL, true,  URLPOOL_OK, NULL    },
};
const int num_scenarios = sizeof(scenarios) / sizeof(scenarios[0]);
