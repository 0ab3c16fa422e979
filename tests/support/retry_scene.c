/* A server with a script, and a clock that moves on only when the request sleeps: what is tried
 * again, and when, can then be told from the visits at the server, exactly and at once. */

#include "support/retry_scene.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/requests.h"

static const struct {
    char letter;
    int status;
} statuses[] = {
    {'2', 200},
    {'4', 404},
    {'5', 500},
    {'3', 503},
    {'M', 429},
    {'L', 413},
    {'E', 417},
};

static void note(struct retry_scene *scene, const struct test_request *request)
{
    struct retry_visit *visit = &scene->visits[scene->num_visits];

    *visit = (struct retry_visit){
        .at_ms = (urlp_now_ns() - scene->began_ns) / URLP_NS_PER_MS,
        .connection = request->connection,
        .has_expect = strstr(request->head, "\r\nExpect:") != NULL,
    };
    snprintf(visit->method, sizeof(visit->method), "%s", request->method);
    snprintf(visit->target, sizeof(visit->target), "%s", request->target);
    snprintf(visit->body, sizeof(visit->body), "%.*s", (int)request->body_len,
             request->body_len > 0 ? (const char *)request->body : "");
    if (scene->num_visits < RETRY_VISITS_MAX - 1) {
        scene->num_visits++;
    }
}

/* next_letter notes the request and takes the script's next letter. */
static char next_letter(struct retry_scene *scene, const struct test_request *request, char *fields,
                        size_t fields_size)
{
    size_t last = 0;
    size_t index = 0;
    char letter = '2';

    pthread_mutex_lock(&scene->mutex);
    last = strlen(scene->script) - 1;
    index = scene->num_visits < last ? scene->num_visits : last;
    letter = scene->script[index];
    snprintf(fields, fields_size, "%s", scene->fields != NULL ? scene->fields : "");
    note(scene, request);
    pthread_mutex_unlock(&scene->mutex);
    return letter;
}

static void answer_badly(struct test_peer *peer, char letter)
{
    switch (letter) {
    case 'r':
        test_peer_reset(peer);
        break;
    case 'b':
        test_peer_send_text(peer, "nonsense\r\n\r\n");
        test_peer_close(peer);
        break;
    case 'i':
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        test_peer_close(peer);
        break;
    case 's':
        test_peer_stay(peer);
        break;
    default:
        test_peer_close(peer);
        break;
    }
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    char fields[256];
    char letter = next_letter(user, request, fields, sizeof(fields));
    char more[320];

    if (letter == 'R') {
        snprintf(more, sizeof(more), "Location: /moved\r\n%s", fields);
        test_peer_reply(peer, 302, more, "moved");
        return;
    }
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].letter == letter) {
            test_peer_reply(peer, statuses[i].status, fields, "done");
            return;
        }
    }
    answer_badly(peer, letter);
}

static bool is_over(struct retry_scene *scene)
{
    bool over;

    pthread_mutex_lock(&scene->mutex);
    over = scene->is_over;
    pthread_mutex_unlock(&scene->mutex);
    return over;
}

/* tick moves the clock on while somebody waits for it, and only then. */
static void *tick(void *arg)
{
    struct retry_scene *scene = arg;

    while (!is_over(scene)) {
        if (urlp_clock_fake_num_waiters() > 0) {
            urlp_clock_fake_advance(scene->step_ms * URLP_NS_PER_MS);
        } else {
            usleep(50); /* the request is at work, in real time */
        }
    }
    return NULL;
}

void retry_scene_begin(struct retry_scene *scene, int64_t step_ms,
                       const struct urlpool_manager_options *options)
{
    *scene = (struct retry_scene){.script = "2", .step_ms = step_ms};
    ck_assert_int_eq(pthread_mutex_init(&scene->mutex, NULL), 0);
    if (step_ms > 0) {
        urlp_clock_fake_begin(URLP_NS_PER_MS);
    }
    scene->server = test_server_start(answer, scene, NULL);
    scene->manager = test_manager(options);
    scene->began_ns = urlp_now_ns();
    if (step_ms > 0) {
        ck_assert_int_eq(pthread_create(&scene->ticker, NULL, tick, scene), 0);
    }
}

void retry_scene_end(struct retry_scene *scene)
{
    if (scene->step_ms > 0) {
        pthread_mutex_lock(&scene->mutex);
        scene->is_over = true;
        pthread_mutex_unlock(&scene->mutex);
        pthread_join(scene->ticker, NULL);
    }
    urlpool_manager_free(scene->manager);
    test_server_stop(scene->server);
    if (scene->step_ms > 0) {
        urlp_clock_fake_end();
    }
    pthread_mutex_destroy(&scene->mutex);
}

void retry_scene_play(struct retry_scene *scene, const char *script, const char *fields)
{
    urlpool_manager_clear(scene->manager); /* no first try is a stale one */
    pthread_mutex_lock(&scene->mutex);
    scene->script = script;
    scene->fields = fields;
    scene->began_ns = urlp_now_ns();
    scene->num_visits = 0;
    pthread_mutex_unlock(&scene->mutex);
}

unsigned retry_scene_num_visits(struct retry_scene *scene)
{
    unsigned num;

    pthread_mutex_lock(&scene->mutex);
    num = scene->num_visits;
    pthread_mutex_unlock(&scene->mutex);
    return num;
}

struct retry_visit retry_scene_visit(struct retry_scene *scene, unsigned index)
{
    struct retry_visit visit;

    pthread_mutex_lock(&scene->mutex);
    ck_assert_uint_lt(index, scene->num_visits);
    visit = scene->visits[index];
    pthread_mutex_unlock(&scene->mutex);
    return visit;
}

void retry_scene_expect_times(struct retry_scene *scene, unsigned num, const int64_t *at_ms)
{
    ck_assert_uint_eq(retry_scene_num_visits(scene), num);
    for (unsigned i = 0; i < num; i++) {
        int64_t came_ms = retry_scene_visit(scene, i).at_ms;

        ck_assert_msg(came_ms == at_ms[i], "request %u came at %lld ms, not %lld", i,
                      (long long)came_ms, (long long)at_ms[i]);
    }
}
