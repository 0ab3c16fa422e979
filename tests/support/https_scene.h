#ifndef TESTS_SUPPORT_HTTPS_SCENE_H
#define TESTS_SUPPORT_HTTPS_SCENE_H

#include "urlpool/tls.h"

#include "support/certs.h"
#include "support/http_server.h"

/* struct https_scene is a private CA, a certificate of it for 127.0.0.1 and localhost, the scripted
 * HTTP server behind that, and a configuration that trusts the CA alone. */
struct https_scene {
    struct test_cert *ca, *leaf;
    SSL_CTX *context;
    struct test_server *server;
    struct urlpool_tls *tls;
};

/* https_scene_begin starts the server; `leaf` says what is in its certificate, NULL: the usual. */
struct https_scene https_scene_begin(test_answer_fn answer, void *user,
                                     const struct test_cert_options *leaf);
void https_scene_end(struct https_scene *scene);

#endif /* TESTS_SUPPORT_HTTPS_SCENE_H */
