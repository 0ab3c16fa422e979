#ifndef TESTS_SUPPORT_RETRY_SCENE_H
#define TESTS_SUPPORT_RETRY_SCENE_H

#include <pthread.h>
#include <stdint.h>

#include "urlpool/urlpool.h"

#include "support/http_server.h"

enum {
    RETRY_VISITS_MAX = 32
};

/* struct retry_visit is one request as the server got it. */
struct retry_visit {
    int64_t at_ms; /* since the script began, by the library's clock */
    char method[16];
    char target[64];
    char body[64]; /* its first bytes */
    unsigned connection;
    bool has_expect;
};

/* struct retry_scene is a server that answers request after request as a script says, a letter
 * each, the last one for good; and a clock that stands still but for pauses, which take no time.
 *
 *   2 4 5 3 M L E   200 "done", 404, 500, 503, 429, 413, 417, each with `fields`
 *   R               302 to /moved, with `fields`
 *   r c b i s       reset, closed, "nonsense", 200 with half a body, silence */
struct retry_scene {
    struct test_server *server;
    struct urlpool_manager *manager;

    pthread_mutex_t mutex; /* of what follows */
    const char *script;
    const char *fields; /* lines that end in CRLF; NULL: none */
    int64_t began_ns;
    unsigned num_visits;
    struct retry_visit visits[RETRY_VISITS_MAX];
    bool is_over;

    pthread_t ticker;
    int64_t step_ms;
};

/* retry_scene_begin starts server, manager and clock in the caller's memory. Pauses must be
 * multiples of `step_ms`; 0 leaves the clock as it is.
 *
 * Threads: before any other that uses the library. */
void retry_scene_begin(struct retry_scene *scene, int64_t step_ms,
                       const struct urlpool_manager_options *options);
void retry_scene_end(struct retry_scene *scene);

/* retry_scene_play forgets all visits and connections, and begins a script. */
void retry_scene_play(struct retry_scene *scene, const char *script, const char *fields);

/* retry_scene_num_visits is how many requests have come since then. */
unsigned retry_scene_num_visits(struct retry_scene *scene);

/* retry_scene_visit shows request `index`; the test fails when it never came. */
struct retry_visit retry_scene_visit(struct retry_scene *scene, unsigned index);

/* retry_scene_expect_times fails the test unless there were `num` visits, at these milliseconds. */
void retry_scene_expect_times(struct retry_scene *scene, unsigned num, const int64_t *at_ms);

#endif /* TESTS_SUPPORT_RETRY_SCENE_H */
