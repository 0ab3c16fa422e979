/* Server-sent events over the wire: an orderly end, every other end, silence, and answers that are
 * no event streams. */

#include <string.h>

#include "support/requests.h"
#include "support/run_tests.h"

#define HEAD   "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n"
#define CHUNKS HEAD "Transfer-Encoding: chunked\r\n\r\n"
#define EVENTS                                       \
    "1e\r\nid: 1\nretry: 250\ndata: one\r\n\r\n\r\n" \
    "12\r\nevent: two\ndata: 2\r\n"

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strcmp(request->target, "/ordered") == 0) {
        test_peer_send_text(peer, CHUNKS EVENTS "2\r\n\n\n\r\n0\r\n\r\n");
    } else if (strcmp(request->target, "/half") == 0) {
        test_peer_send_text(peer, CHUNKS EVENTS "0\r\n\r\n");
    } else if (strcmp(request->target, "/cut") == 0) {
        test_peer_send_text(peer, CHUNKS EVENTS "2\r\n\n\n\r\n");
        test_peer_close(peer);
    } else if (strcmp(request->target, "/closed") == 0) {
        test_peer_send_text(peer, HEAD "Connection: close\r\n\r\ndata: one\n\nevent: two\n"
                                       "data: 2\n\n");
        test_peer_close(peer);
    } else if (strcmp(request->target, "/silent") == 0) {
        test_peer_send_text(peer, CHUNKS EVENTS "2\r\n\n\n\r\n");
        test_peer_stay(peer);
    } else if (strcmp(request->target, "/refused") == 0) {
        test_peer_reply(peer, 429, "Content-Type: text/event-stream\r\n", "later");
    } else {
        test_answer_hello(peer, request, NULL);
    }
}

struct scene {
    struct test_server *server;
    struct urlpool_manager *manager;
    struct urlpool_response *response;
    struct urlpool_sse *sse;
    struct urlpool_sse_event event;
    bool at_end;
};

static void begin(struct scene *scene, const char *path, int64_t bytes_max)
{
    const struct urlpool_request_options options = {.stream = true, .timeout = {.read_ms = 800}};

    *scene = (struct scene){.server = test_server_start(answer, NULL, NULL)};
    scene->manager = test_manager(NULL);
    scene->response = test_fetch(scene->manager, "GET", scene->server, path, &options);
    scene->sse = urlpool_sse_new(scene->response, bytes_max, &test_err);
}

static void end(struct scene *scene)
{
    urlpool_sse_free(scene->sse);
    urlpool_response_free(scene->response);
    urlpool_manager_free(scene->manager);
    test_server_stop(scene->server);
}

static enum urlpool_code next(struct scene *scene)
{
    return urlpool_sse_next(scene->sse, &scene->event, &scene->at_end, &test_err);
}

static void expect_event(struct scene *scene, const char *event, const char *data)
{
    ck_assert_msg(next(scene) == URLPOOL_OK, "%s", test_err.message);
    ck_assert(!scene->at_end);
    ck_assert_str_eq(scene->event.event, event);
    ck_assert_str_eq(scene->event.data, data);
    ck_assert_uint_eq(scene->event.data_len, strlen(data));
}

START_TEST(sse__gives_events_to_the_orderly_end_and_the_connection_goes_home)
{
    struct scene scene;

    begin(&scene, "/ordered", 0);
    ck_assert_str_eq(urlpool_sse_last_event_id(scene.sse), "");
    ck_assert_int_eq(urlpool_sse_retry_ms(scene.sse), -1);
    expect_event(&scene, "message", "one");
    ck_assert_str_eq(scene.event.id, "1");
    ck_assert_int_eq(scene.event.retry_ms, 250);
    expect_event(&scene, "two", "2");
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(next(&scene), URLPOOL_OK);
        ck_assert(scene.at_end);
    }
    ck_assert_str_eq(urlpool_sse_last_event_id(scene.sse), "1");
    ck_assert_int_eq(urlpool_sse_retry_ms(scene.sse), 250);
    ck_assert_uint_eq(test_stats(scene.manager).idle, 1);
    end(&scene);
}
END_TEST

START_TEST(sse__that_is_cut_is_an_error_wherever_that_happens)
{
    static const struct {
        const char *path;
        int num_events;
    } cuts[] = {
        {"/half",   1},
        {"/cut",    2},
        {"/closed", 2}
    };

    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        struct scene scene;

        begin(&scene, cuts[i].path, 0);
        expect_event(&scene, "message", "one");
        if (cuts[i].num_events > 1) {
            expect_event(&scene, "two", "2");
        }
        for (int again = 0; again < 2; again++) {
            ck_assert_int_eq(next(&scene), URLPOOL_E_INCOMPLETE_READ);
            ck_assert(!scene.at_end);
        }
        end(&scene);
    }
}
END_TEST

START_TEST(sse__is_bounded_by_the_gap_between_bytes)
{
    struct scene scene;

    begin(&scene, "/silent", 0);
    expect_event(&scene, "message", "one");
    expect_event(&scene, "two", "2");
    ck_assert_int_eq(next(&scene), URLPOOL_E_READ_TIMEOUT);
    ck_assert_int_eq(next(&scene), URLPOOL_E_READ_TIMEOUT);
    end(&scene);
}
END_TEST

START_TEST(sse__bounds_an_event_as_told)
{
    struct scene scene;

    begin(&scene, "/ordered", 10);
    ck_assert_int_eq(next(&scene), URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_int_eq(next(&scene), URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_uint_eq(test_stats(scene.manager).idle, 0);
    end(&scene);
}
END_TEST

START_TEST(sse__leaves_an_answer_that_is_no_event_stream_to_be_read)
{
    static const char *const paths[] = {"/refused", "/hello"};
    static const int statuses[] = {429, 200};
    static const char *const bodies[] = {"later", "hello"};

    for (size_t i = 0; i < 2; i++) {
        struct scene scene;

        begin(&scene, paths[i], 0);
        ck_assert_ptr_null(scene.sse);
        ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
        ck_assert_int_eq(test_err.http_status, statuses[i]);
        ck_assert_int_eq(urlpool_response_read_all(scene.response, NULL), URLPOOL_OK);
        ck_assert_str_eq((const char *)scene.response->data, bodies[i]);
        ck_assert_ptr_null(urlpool_sse_new(scene.response, 0, NULL));
        ck_assert_ptr_null(urlpool_sse_new(NULL, 0, NULL));
        end(&scene);
    }
}
END_TEST

RUN_TESTS("event streams", sse__gives_events_to_the_orderly_end_and_the_connection_goes_home,
          sse__that_is_cut_is_an_error_wherever_that_happens,
          sse__is_bounded_by_the_gap_between_bytes, sse__bounds_an_event_as_told,
          sse__leaves_an_answer_that_is_no_event_stream_to_be_read)
