/* Where a body lies: in the response, handed over, in the caller's memory, in part; and a response
 * whose memory is used again. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/failing_allocator.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    LARGE_BYTES = 100000
};

/* answer: /large is LARGE_BYTES of 'x', chunked; /cut/N announces 10 bytes, sends "begun" and
 * closes until request N of the server; /hop leads to /; all else says "hello". */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    unsigned *num_cut = user;
    unsigned most = 0;

    if (strcmp(request->target, "/large") == 0) {
        char *text = malloc(LARGE_BYTES);

        ck_assert_ptr_nonnull(text);
        memset(text, 'x', LARGE_BYTES);
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n");
        test_peer_send(peer, text, LARGE_BYTES);
        test_peer_send_text(peer, "\r\n0\r\n\r\n");
        free(text);
    } else if (sscanf(request->target, "/cut/%u", &most) == 1 && *num_cut < most) {
        ++*num_cut;
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbegun");
        test_peer_close(peer);
    } else if (strcmp(request->target, "/hop") == 0) {
        test_peer_reply(peer, 302, "Location: /\r\n", "elsewhere");
    } else {
        test_answer_hello(peer, request, NULL);
    }
}

struct scene {
    unsigned num_cut;
    struct test_server *server;
    struct urlpool_manager *manager;
};

static void begin(struct scene *scene)
{
    scene->num_cut = 0;
    scene->server = test_server_start(answer, &scene->num_cut, NULL);
    scene->manager = test_manager(NULL);
}

static void end(struct scene *scene)
{
    urlpool_manager_free(scene->manager);
    test_server_stop(scene->server);
}

static struct urlpool_response *fetch(const struct scene *scene, const char *path,
                                      const struct urlpool_request_options *options)
{
    return test_fetch(scene->manager, "GET", scene->server, path, options);
}

START_TEST(take_data__hands_over_small_bodies_and_large_ones)
{
    static const char *const paths[] = {"/", "/large"};
    static const size_t lens[] = {5, LARGE_BYTES};
    struct scene scene;

    begin(&scene);
    for (size_t i = 0; i < 2; i++) {
        struct urlpool_response *response = fetch(&scene, paths[i], NULL);
        const uint8_t *was = response->data;
        uint8_t *data = NULL;
        size_t len = 0;

        ck_assert_int_eq(urlpool_response_take_data(response, &data, &len, NULL), URLPOOL_OK);
        ck_assert_uint_eq(len, lens[i]);
        ck_assert_int_eq(data == was, i == 1); /* what is large is not copied */
        ck_assert_uint_eq(response->data_len, 0);
        ck_assert_str_eq((const char *)response->data, "");
        urlpool_response_free(response);
        ck_assert_uint_eq(data[0], i == 0 ? 'h' : 'x');
        ck_assert_uint_eq(data[len], '\0');
        urlpool_data_free(data);
    }
    urlpool_data_free(NULL);
    end(&scene);
}
END_TEST

START_TEST(take_data__has_nothing_to_give_of_a_streamed_body_or_the_callers)
{
    struct scene scene;
    char buf[16];
    uint8_t *data = NULL;
    size_t len = 0;
    struct urlpool_response *response;

    begin(&scene);
    response = fetch(&scene, "/", &(struct urlpool_request_options){.stream = true});
    ck_assert_int_eq(urlpool_response_take_data(response, &data, &len, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_response_take_data(response, &data, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 5);
    urlpool_data_free(data);
    ck_assert_int_eq(urlpool_response_take_data(response, NULL, &len, NULL), URLPOOL_E_INVALID);
    urlpool_response_free(response);
    response = fetch(&scene, "/",
                     &(struct urlpool_request_options){
                         .into = {.buf = buf, .len = sizeof(buf)}
    });
    ck_assert_int_eq(urlpool_response_take_data(response, &data, &len, NULL), URLPOOL_E_INVALID);
    urlpool_response_free(response);
    end(&scene);
}
END_TEST

START_TEST(keep_partial__gives_what_arrived_and_says_why_there_is_no_more)
{
    const struct urlpool_request_options partial = {.keep_partial = true, .retries = TEST_ONE_TRY};
    const struct urlpool_request_options whole = {.retries = TEST_ONE_TRY};
    struct scene scene;
    struct urlpool_response *response;

    begin(&scene);
    ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/cut/9", &whole),
                     URLPOOL_E_INCOMPLETE_READ);
    response = fetch(&scene, "/cut/9", &partial);
    ck_assert_int_eq(response->error_code, URLPOOL_E_INCOMPLETE_READ);
    ck_assert_str_eq((const char *)response->data, "begun");
    ck_assert_uint_eq(response->data_len, 5);
    urlpool_response_free(response);
    response = fetch(&scene, "/", &partial);
    ck_assert_int_eq(response->error_code, URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "hello");
    urlpool_response_free(response);
    end(&scene);
}
END_TEST

START_TEST(keep_partial__is_for_the_last_try)
{
    const struct urlpool_request_options options = {
        .keep_partial = true, .retries = {.read = 2, .backoff_factor_ms = URLPOOL_NONE}
    };
    struct scene scene;
    struct urlpool_response *response;

    begin(&scene);
    response = fetch(&scene, "/cut/2", &options); /* the third is whole */
    ck_assert_int_eq(response->error_code, URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert_uint_eq(response->num_retries, 2);
    urlpool_response_free(response);
    scene.num_cut = 0;
    response = fetch(&scene, "/cut/3", &options);
    ck_assert_int_eq(response->error_code, URLPOOL_E_INCOMPLETE_READ);
    ck_assert_uint_eq(response->num_retries, 2);
    ck_assert_uint_eq(urlpool_response_num_hops(response), 2);
    urlpool_response_free(response);
    end(&scene);
}
END_TEST

START_TEST(keep_partial__keeps_what_fits_under_data_bytes_max)
{
    const struct urlpool_request_options options = {
        .keep_partial = true, .retries = TEST_ONE_TRY, .data_bytes_max = 3};
    struct scene scene;
    struct urlpool_response *response;

    begin(&scene);
    response = fetch(&scene, "/large", &options);
    ck_assert_int_eq(response->error_code, URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_str_eq((const char *)response->data, "xxx");
    ck_assert_uint_eq(response->data_len, 3);
    urlpool_response_free(response);
    end(&scene);
}
END_TEST

START_TEST(into__reads_into_the_callers_memory_and_no_further)
{
    static const char *const paths[] = {"/", "/large"};
    static const size_t lens[] = {5, LARGE_BYTES};
    char *buf = malloc(LARGE_BYTES + 1);
    struct scene scene;

    ck_assert_ptr_nonnull(buf);
    begin(&scene);
    for (size_t i = 0; i < 2; i++) {
        const struct urlpool_request_options fits = {
            .into = {.buf = buf, .len = lens[i]},
              .retries = TEST_ONE_TRY
        };
        const struct urlpool_request_options small = {
            .into = {.buf = buf, .len = lens[i] - 1},
              .retries = TEST_ONE_TRY
        };
        const struct urlpool_request_options part = {
            .into = {.buf = buf, .len = lens[i] - 1},
            .retries = TEST_ONE_TRY,
            .keep_partial = true
        };
        struct urlpool_response *response;

        memset(buf, '#', LARGE_BYTES + 1);
        response = fetch(&scene, paths[i], &fits);
        ck_assert_ptr_eq(response->data, buf);
        ck_assert_uint_eq(response->data_len, lens[i]);
        ck_assert_int_eq(buf[lens[i] - 1], i == 0 ? 'o' : 'x');
        ck_assert_int_eq(buf[lens[i]], '#');
        urlpool_response_free(response);

        memset(buf, '#', LARGE_BYTES + 1);
        ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, paths[i], &small),
                         URLPOOL_E_DATA_TOO_LARGE);
        ck_assert_int_eq(buf[lens[i] - 1], '#');

        response = fetch(&scene, paths[i], &part);
        ck_assert_int_eq(response->error_code, URLPOOL_E_DATA_TOO_LARGE);
        ck_assert_uint_eq(response->data_len, lens[i] - 1);
        ck_assert_int_eq(buf[lens[i] - 2], i == 0 ? 'l' : 'x');
        ck_assert_int_eq(buf[lens[i] - 1], '#');
        urlpool_response_free(response);
    }
    free(buf);
    end(&scene);
}
END_TEST

START_TEST(into__is_refused_where_it_means_nothing)
{
    char buf[8];
    const struct urlpool_request_options refused[] = {
        {.into = {.buf = NULL, .len = 8}},
        { .into = {.buf = buf, .len = 8},                 .stream = true},
        { .keep_partial = true,                 .stream = true},
    };
    struct scene scene;

    begin(&scene);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &refused[i]),
                         URLPOOL_E_INVALID);
    }
    ck_assert_uint_eq(test_server_num_requests(scene.server), 0);
    end(&scene);
}
END_TEST

START_TEST(recycle__makes_a_loop_of_small_requests_take_no_memory)
{
    struct scene scene;
    struct urlpool_response *response;

    failing_allocator_install();
    begin(&scene);
    response = fetch(&scene, "/", NULL);
    for (int i = 0; i < 20; i++) {
        failing_allocator_fail_nth(0);
        response = fetch(&scene, "/", &(struct urlpool_request_options){.recycle = response});
        ck_assert_str_eq((const char *)response->data, "hello");
        ck_assert_str_eq(urlpool_response_header(response, "X-Answer"), "yes");
        if (i >= 1) { /* the first two bring the memory together */
            ck_assert_uint_eq(failing_allocator_num_tried(), 0);
        }
    }
    ck_assert_uint_eq(test_server_num_connections(scene.server), 1);
    urlpool_response_free(response);
    end(&scene);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    failing_allocator_remove();
}
END_TEST

START_TEST(recycle__holds_no_more_memory_from_request_to_request)
{
    static const char *const paths[] = {"/", "/large", "/hop"};
    struct scene scene;
    struct urlpool_response *response = NULL;
    int64_t num_live = 0;

    failing_allocator_install();
    begin(&scene);
    for (int i = 0; i < 30; i++) {
        response =
            fetch(&scene, paths[i % 3], &(struct urlpool_request_options){.recycle = response});
        ck_assert_uint_eq(response->data_len, i % 3 == 1 ? LARGE_BYTES : 5);
        if (i == 11) {
            num_live = failing_allocator_num_live();
        }
    }
    ck_assert_int_eq(failing_allocator_num_live(), num_live);
    urlpool_response_free(response);
    end(&scene);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    failing_allocator_remove();
}
END_TEST

START_TEST(recycle__ends_the_old_response_whatever_becomes_of_the_request)
{
    struct scene scene;
    struct urlpool_response *old;
    struct urlpool_request_options options = {.recycle = NULL};

    failing_allocator_install();
    begin(&scene);
    for (int i = 0; i < 4; i++) {
        const char *method = i == 1 ? NULL : "GET";
        const char *url = i == 2 ? "http://[" : "ftp://127.0.0.1/";

        old = fetch(&scene, "/large", &(struct urlpool_request_options){.stream = i == 3});
        options.recycle = old;
        options.reserved[0] = i == 0;
        ck_assert_ptr_null(
            urlpool_request(i == 1 ? NULL : scene.manager, method, url, &options, NULL));
        options.reserved[0] = 0;
    }
    end(&scene);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    failing_allocator_remove();
}
END_TEST

START_TEST(recycle__may_hold_the_url_of_the_request)
{
    struct scene scene;
    struct urlpool_response *response;

    begin(&scene);
    response =
        fetch(&scene, "/a?query#and-a-fragment-that-is-too-long-for-the-room-in-the-block", NULL);
    for (int i = 0; i < 3; i++) {
        response = urlpool_request(scene.manager, "GET", response->url,
                                   &(struct urlpool_request_options){.recycle = response}, NULL);
        ck_assert_ptr_nonnull(response);
        ck_assert_ptr_nonnull(strstr(response->url, "/a?query#and-a-fragment-that-is-too-long"));
    }
    urlpool_response_free(response);
    end(&scene);
}
END_TEST

RUN_TESTS("response memory", take_data__hands_over_small_bodies_and_large_ones,
          take_data__has_nothing_to_give_of_a_streamed_body_or_the_callers,
          keep_partial__gives_what_arrived_and_says_why_there_is_no_more,
          keep_partial__is_for_the_last_try, keep_partial__keeps_what_fits_under_data_bytes_max,
          into__reads_into_the_callers_memory_and_no_further,
          into__is_refused_where_it_means_nothing,
          recycle__makes_a_loop_of_small_requests_take_no_memory,
          recycle__holds_no_more_memory_from_request_to_request,
          recycle__ends_the_old_response_whatever_becomes_of_the_request,
          recycle__may_hold_the_url_of_the_request)
