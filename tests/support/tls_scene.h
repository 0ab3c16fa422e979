#ifndef TESTS_SUPPORT_TLS_SCENE_H
#define TESTS_SUPPORT_TLS_SCENE_H

#include <stdint.h>

#include "base/counters.h"
#include "net/stream.h"
#include "net/tls.h"
#include "support/certs.h"
#include "support/tls_client.h"
#include "support/tls_server.h"

/* struct tls_scene is a private CA, a leaf for localhost of it, a server that presents that (unless
 * the options have certificates), and a client that trusts the CA. */
struct tls_scene {
    struct test_cert *ca, *leaf;
    struct tls_server *server;
    uint16_t port;
    struct urlpool_tls *tls;
    struct urlp_tls_sessions *sessions;
    struct urlp_counters counters;
};

struct tls_scene tls_scene_begin(struct tls_server_options options);
void tls_scene_end(struct tls_scene *scene);

/* tls_scene_use gives the client another configuration: it trusts the CA, with these options. */
void tls_scene_use(struct tls_scene *scene, struct urlpool_tls_options options);

/* tls_scene_dial shakes hands over a new connection; NULL with `err` filled when that failed. */
struct urlp_stream *tls_scene_dial(struct tls_scene *scene, const char *host,
                                   struct urlpool_error *err);

/* tls_scene_dial_counted does the same to localhost over a stream that counts its calls. */
struct urlp_stream *tls_scene_dial_counted(struct tls_scene *scene, struct test_counts *counts);

#endif /* TESTS_SUPPORT_TLS_SCENE_H */
