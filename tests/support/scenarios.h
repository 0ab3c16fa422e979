#ifndef TESTS_SUPPORT_SCENARIOS_H
#define TESTS_SUPPORT_SCENARIOS_H

#include <stdbool.h>

#include "urlpool/urlpool.h"

#include "support/dns_server.h"
#include "support/https_scene.h"
#include "support/proxy_server.h"

/* A table of whole operations of the library, to be done while something fails beneath: memory, a
 * system call. Peers are in the same process, in threads of their own. */

/* How the origin is reached. */
enum scene_way {
    WAY_DIRECT = 0,
    WAY_NAME, /* by DNS */
    WAY_FORWARD,
    WAY_TUNNEL,
    WAY_TLS_FORWARD,
    WAY_TLS_TUNNEL,
    WAY_SOCKS4,
    WAY_SOCKS4A,
    WAY_SOCKS5,
    WAY_SOCKS5H,
    WAY_CHAIN, /* SOCKS5 and then CONNECT */
    WAY_LOCAL  /* by a Unix-domain socket */
};

struct scene;

struct scenario {
    const char *name; /* for people */
    enum urlpool_code (*act)(struct scene *scene, struct urlpool_error *err);
    const char *path; /* NULL: "/" */
    enum scene_way way;
    bool is_tls;
    enum urlpool_code code;           /* what comes of it when nothing fails */
    void (*set)(struct scene *scene); /* changes the options; NULL: none */
};

/* struct scene is where one of them is played. */
struct scene {
    const struct scenario *scenario;
    struct test_server *plain, *local, *server; /* `server` is the scenario's */
    struct https_scene https;
    struct dns_server *dns;
    struct proxy_server *proxy, *preproxy;
    char *dir, *ca_path, *cert_path, *text_path, *large_path;
    char *ca_pem, *cert_pem, *key_pem; /* the key is encrypted with "secret" */
    char proxy_url[64], preproxy_url[64], local_path[64];
    char url[128];
    struct urlpool_tls *tls; /* of `options`, when it is not that of `https` */
    struct urlpool_manager_options options;
    struct urlpool_manager *manager;
};

extern const struct scenario scenarios[];
extern const int num_scenarios;

/* scene_begin starts the peers. Nothing fails yet. */
void scene_begin(struct scene *scene, const struct scenario *scenario);
void scene_end(struct scene *scene);
/* scene_open makes the manager, scene_close ends it. */
void scene_open(struct scene *scene);
void scene_close(struct scene *scene);

/* scene_url is another URL of the scene's server. */
const char *scene_url(const struct scene *scene, const char *path, char out[128]);

/* scene_get asks for `path`, expects `data` when it is not NULL, and tells how that ended. */
enum urlpool_code scene_get(struct scene *scene, const char *method, const char *path,
                            const struct urlpool_request_options *options, const char *data,
                            struct urlpool_error *err);

/* scene_answer is what its servers say. */
void scene_answer(struct test_peer *peer, const struct test_request *request, void *user);

/* The operations: scenario_requests.c, scenario_bodies.c, scenario_objects.c. */
#define SCENARIO_ACT(name) enum urlpool_code name(struct scene *scene, struct urlpool_error *err)
SCENARIO_ACT(act_get);
SCENARIO_ACT(act_get_twice);
SCENARIO_ACT(act_get_resumed);
SCENARIO_ACT(act_get_stale);
SCENARIO_ACT(act_get_as_somebody);
SCENARIO_ACT(act_get_with_fields);
SCENARIO_ACT(act_get_with_merged_headers);
SCENARIO_ACT(act_get_into);
SCENARIO_ACT(act_get_recycled);
SCENARIO_ACT(act_get_taken);
SCENARIO_ACT(act_get_partial);
SCENARIO_ACT(act_get_told);
SCENARIO_ACT(act_get_with_cancel);
SCENARIO_ACT(act_read);
SCENARIO_ACT(act_read_lines);
SCENARIO_ACT(act_read_chunks);
SCENARIO_ACT(act_peek_and_drain);
SCENARIO_ACT(act_stream);
SCENARIO_ACT(act_shut_down);
SCENARIO_ACT(act_events);
SCENARIO_ACT(act_upgrade);
SCENARIO_ACT(act_post_bytes);
SCENARIO_ACT(act_post_large);
SCENARIO_ACT(act_post_chunked);
SCENARIO_ACT(act_post_expecting);
SCENARIO_ACT(act_post_trailers);
SCENARIO_ACT(act_put_file);
SCENARIO_ACT(act_put_large_file);
SCENARIO_ACT(act_put_pipe);
SCENARIO_ACT(act_post_callback);
SCENARIO_ACT(act_post_multipart);
SCENARIO_ACT(act_post_form);
SCENARIO_ACT(act_preconnect);
SCENARIO_ACT(act_wait);
SCENARIO_ACT(act_wait_with_cancel);
SCENARIO_ACT(act_evict);
SCENARIO_ACT(act_maintain);
SCENARIO_ACT(act_report);
SCENARIO_ACT(act_clear);
SCENARIO_ACT(act_set_tls);
SCENARIO_ACT(act_lend);
SCENARIO_ACT(act_pool);
SCENARIO_ACT(act_floor);
SCENARIO_ACT(act_floor_tunnel);
SCENARIO_ACT(act_urls);
SCENARIO_ACT(act_headers);
SCENARIO_ACT(act_forms);
SCENARIO_ACT(act_manager);
SCENARIO_ACT(act_tls_files);
SCENARIO_ACT(act_tls_data);

#endif /* TESTS_SUPPORT_SCENARIOS_H */
