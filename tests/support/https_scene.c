/* What every end to end test over HTTPS begins with. */

#include "support/https_scene.h"

#include <check.h>
#include <openssl/ssl.h>

#include "support/tls_client.h"

struct https_scene https_scene_begin(test_answer_fn answer, void *user,
                                     const struct test_cert_options *leaf)
{
    static const struct test_name names[] = {TEST_DNS("localhost"), TEST_IP("\x7f\x00\x00\x01")};
    static const struct test_cert_options usual = {.names = names, .num_names = 2};
    struct https_scene scene = {.ca = test_ca("Scene CA")};
    struct test_server_options options = {0};

    scene.leaf = test_cert_new(leaf != NULL ? leaf : &usual, scene.ca);
    scene.context =
        test_cert_context((const struct test_cert *const[]){scene.leaf, scene.ca, NULL});
    options.tls = scene.context;
    scene.server = test_server_start(answer, user, &options);
    scene.tls = test_trust(scene.ca);
    return scene;
}

void https_scene_end(struct https_scene *scene)
{
    test_server_stop(scene->server);
    urlpool_tls_unref(scene->tls);
    SSL_CTX_free(scene->context);
    test_cert_free(scene->leaf);
    test_cert_free(scene->ca);
}
