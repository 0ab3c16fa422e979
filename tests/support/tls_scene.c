/* What every test over a real TLS connection begins with. */

#include "support/tls_scene.h"

#include <check.h>

#define SESSION_KEYS_MAX 8

struct tls_scene tls_scene_begin(struct tls_server_options options)
{
    struct tls_scene scene = {.ca = test_ca("scene CA")};

    scene.leaf = test_leaf("localhost", scene.ca);
    if (options.certs[0] == NULL) {
        options.certs[0] = scene.leaf;
    }
    scene.server = tls_server_start(&options);
    scene.port = tls_server_port(scene.server);
    scene.tls = test_trust(scene.ca);
    scene.sessions = urlp_tls_sessions_new(SESSION_KEYS_MAX, NULL);
    return scene;
}

void tls_scene_end(struct tls_scene *scene)
{
    tls_server_stop(scene->server);
    urlp_tls_sessions_free(scene->sessions);
    urlpool_tls_unref(scene->tls);
    test_cert_free(scene->leaf);
    test_cert_free(scene->ca);
}

void tls_scene_use(struct tls_scene *scene, struct urlpool_tls_options options)
{
    urlpool_tls_unref(scene->tls);
    scene->tls = test_trust_with(scene->ca, options);
}

struct urlp_stream *tls_scene_dial(struct tls_scene *scene, const char *host,
                                   struct urlpool_error *err)
{
    struct urlp_call call = test_call();

    call.counters = &scene->counters;
    return test_wrap(scene->port, scene->tls, host, scene->sessions, &call, err);
}

struct urlp_stream *tls_scene_dial_counted(struct tls_scene *scene, struct test_counts *counts)
{
    const struct urlp_tls_target target = {.host = urlp_span_of("localhost"), .port = scene->port};
    const struct urlp_call call = test_call();
    struct urlp_stream *inner = test_count_calls(test_connect(scene->port), counts);
    struct urlp_stream *stream =
        urlp_tls_wrap(inner, scene->tls, &target, scene->sessions, &call, NULL);

    ck_assert_ptr_nonnull(stream);
    return stream;
}
