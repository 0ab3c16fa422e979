/* What every test of floods begins and ends with. */

#include "support/flood_scene.h"

#include <check.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/requests.h"
#include "support/tls_client.h"

enum {
    HEAD_BYTES = 16384,
    URL_BYTES = 256
};

size_t flood_num_rows(size_t num, size_t share)
{
    return getenv("URLPOOL_EVERY") != NULL ? num : num / share;
}

int flood_row(int nth, int share)
{
    return getenv("URLPOOL_EVERY") != NULL ? nth : nth * share + nth % share;
}

bool flood_good(struct flood_peer *peer)
{
    return flood_say_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
}

static void say_flood(struct flood_peer *peer, const struct flood *flood)
{
    const size_t before_len = flood->before_len > 0 ? flood->before_len : strlen(flood->before);

    if (flood_say(peer, flood->before, before_len)) {
        flood_for_ever(peer, flood->unit,
                       flood->unit_len > 0 ? flood->unit_len : strlen(flood->unit));
    }
}

static void answer(struct flood_peer *peer, const void *user)
{
    char head[HEAD_BYTES];

    while (flood_hear(peer, head, sizeof(head))) {
        if (strstr(head, "/good ") != NULL) {
            (void)flood_good(peer);
        } else {
            say_flood(peer, user);
            return;
        }
    }
}

static void make_certs(struct flood_scene *scene)
{
    static const struct test_name names[] = {TEST_DNS("localhost"), TEST_IP("\x7f\x00\x00\x01")};
    static const struct test_cert_options leaf = {.names = names, .num_names = 2};

    scene->ca = test_ca("Flood CA");
    scene->leaf = test_cert_new(&leaf, scene->ca);
    scene->context =
        test_cert_context((const struct test_cert *const[]){scene->leaf, scene->ca, NULL});
    scene->tls = test_trust(scene->ca);
}

void flood_scene_begin(struct flood_scene *scene, flood_act_fn act, const void *user, bool is_tls,
                       const struct urlpool_manager_options *options)
{
    struct urlpool_manager_options own = {0};

    *scene = (struct flood_scene){0};
    meter_install();
    make_certs(scene);
    scene->server =
        flood_server_start(act != NULL ? act : answer, user, is_tls ? scene->context : NULL);
    (void)snprintf(scene->origin, sizeof(scene->origin), "http%s://127.0.0.1:%u", is_tls ? "s" : "",
                   (unsigned)flood_server_port(scene->server));
    if (options != NULL) {
        own = *options;
    }
    own.tls = scene->tls;
    scene->manager = test_manager(&own);
    if (act == NULL) {
        struct urlpool_response *response = flood_scene_get(scene, "GET", "/good", NULL);

        ck_assert_msg(response != NULL, "%s", test_err.message);
        urlpool_response_free(response);
    }
}

void flood_scene_end(struct flood_scene *scene)
{
    urlpool_manager_free(scene->manager);
    urlpool_tls_unref(scene->tls);
    flood_server_stop(scene->server);
    SSL_CTX_free(scene->context);
    test_cert_free(scene->leaf);
    test_cert_free(scene->ca);
}

struct urlpool_response *flood_scene_get(const struct flood_scene *scene, const char *method,
                                         const char *path,
                                         const struct urlpool_request_options *options)
{
    char url[URL_BYTES];

    (void)snprintf(url, sizeof(url), "%s%s", scene->origin, path);
    memset(&test_err, 0, sizeof(test_err));
    return urlpool_request(scene->manager, method, url, options, &test_err);
}

void flood_scene_is_well(const struct flood_scene *scene)
{
    struct urlpool_response *response;

    ck_assert_uint_eq(test_stats(scene->manager).idle, 0);
    ck_assert_uint_eq(test_stats(scene->manager).leased, 0);
    response = flood_scene_get(scene, "GET", "/good", NULL);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert(!response->connection_reused);
    ck_assert_uint_eq(response->data_len, 5);
    urlpool_response_free(response);
}
