#ifndef TESTS_SUPPORT_FLOOD_SCENE_H
#define TESTS_SUPPORT_FLOOD_SCENE_H

#include "urlpool/urlpool.h"

#include "support/certs.h"
#include "support/flood_server.h"
#include "support/meter.h"

/* struct flood is an answer that has a beginning and no end: `before`, then `unit` for ever. */
struct flood {
    const char *name;
    const char *before;
    size_t before_len; /* 0: a string */
    const char *unit;
    size_t unit_len;        /* 0: a string */
    enum urlpool_code code; /* what a buffered request ends with */
    int64_t bytes_max;      /* the limit that ends it, in bytes on the wire */
};

/* struct flood_scene is a server that answers "/good" well and any other target with its flood, and
 * a manager that has been there once. All of a process is warm then. */
struct flood_scene {
    struct flood_server *server;
    struct urlpool_manager *manager;
    struct test_cert *ca, *leaf;
    SSL_CTX *context;
    struct urlpool_tls *tls;
    char origin[64]; /* "http://127.0.0.1:PORT" */
};

/* flood_scene_begin sets the scene, with an act of the caller's or, for NULL, as above with `user`
 * a struct flood. `options` are the manager's, but for its `tls`. With an act nothing is asked for
 * beforehand. */
void flood_scene_begin(struct flood_scene *scene, flood_act_fn act, const void *user, bool is_tls,
                       const struct urlpool_manager_options *options);
void flood_scene_end(struct flood_scene *scene);

/* flood_scene_get asks for `path`; NULL: a failure, in test_err. */
struct urlpool_response *flood_scene_get(const struct flood_scene *scene, const char *method,
                                         const char *path,
                                         const struct urlpool_request_options *options);

/* flood_scene_is_well asks for "/good", which must be answered, by a new connection. */
void flood_scene_is_well(const struct flood_scene *scene);

/* flood_num_rows is how many of `num` cases are tried: one of `share`, or with URLPOOL_EVERY in the
 * environment all. flood_row is which of them is the `nth`. */
size_t flood_num_rows(size_t num, size_t share);
int flood_row(int nth, int share);

/* flood_good answers with 200 and "hello". */
bool flood_good(struct flood_peer *peer);

#endif /* TESTS_SUPPORT_FLOOD_SCENE_H */
