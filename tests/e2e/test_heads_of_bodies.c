/* What a head says of the body behind it: its type, its trailers, that it waits to be asked for;
 * and where fields go. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/head_scene.h"
#include "support/run_tests.h"

START_TEST(content_type__goes_with_its_body)
{
    struct head_scene scene = head_scene_begin(NULL);
    struct urlpool_headers *headers = test_headers_of("content-type", "text/x-mine");
    struct urlpool_request_options options = {.body = urlpool_body_json("[]")};
    char url[256];

    head_scene_fetch(&scene, "POST",
                     test_url_with(scene.server, "", "/307//landed", url, sizeof(url)), &options);
    test_expect_wire(scene.server,
                     FIRST_LINES("POST /landed") "Content-Length: 2\n" USER_AGENT
                                                 "Content-Type: application/json\n\n");
    head_scene_fetch(&scene, "POST",
                     test_url_with(scene.server, "", "/303//landed", url, sizeof(url)), &options);
    test_expect_wire(scene.server, FIRST_LINES("GET /landed") USER_AGENT "\n");
    options.headers = headers;
    head_scene_fetch(&scene, "PUT", test_url_with(scene.server, "", "/", url, sizeof(url)),
                     &options);
    test_expect_wire(scene.server, FIRST_LINES("PUT /") "Content-Length: 2\n" USER_AGENT
                                                        "content-type: text/x-mine\n\n");
    head_scene_fetch(&scene, "POST",
                     test_url_with(scene.server, "", "/301//landed", url, sizeof(url)), &options);
    test_expect_wire(scene.server, FIRST_LINES("GET /landed") USER_AGENT "\n");
    options.headers = NULL;
    options.body = urlpool_body_bytes("x", 1);
    head_scene_fetch(&scene, "PUT", test_url_with(scene.server, "", "/", url, sizeof(url)),
                     &options);
    test_expect_wire(scene.server, FIRST_LINES("PUT /") "Content-Length: 1\n" USER_AGENT "\n");
    options.body.content_type = "text/plain";
    head_scene_fetch(&scene, "PUT", url, &options);
    test_expect_wire(scene.server, FIRST_LINES("PUT /") "Content-Length: 1\n" USER_AGENT
                                                        "Content-Type: text/plain\n\n");
    urlpool_headers_free(headers);
    head_scene_end(&scene);
}
END_TEST

START_TEST(fields__go_behind_the_query)
{
    static const char *const methods[] = {"GET", "HEAD", "DELETE", "OPTIONS"};
    struct head_scene scene = head_scene_begin(NULL);
    struct urlpool_form *form = urlpool_form_new(&test_err);
    const struct urlpool_request_options options = {
        .fields = form, .skip = URLPOOL_SKIP_ACCEPT_ENCODING | URLPOOL_SKIP_USER_AGENT};

    ck_assert_int_eq(urlpool_form_add(form, "a b", "1&2", &test_err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add(form, "c", "", &test_err), URLPOOL_OK);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        char expected[256];
        char url[256];

        head_scene_fetch(&scene, methods[i],
                         test_url_with(scene.server, "", "/p#f", url, sizeof(url)), &options);
        snprintf(expected, sizeof(expected), "%s /p?a+b=1%%262&c= HTTP/1.1\nHost: {host}\n\n",
                 methods[i]);
        test_expect_wire(scene.server, expected);
        head_scene_fetch(&scene, methods[i],
                         test_url_with(scene.server, "", "/p?x=y", url, sizeof(url)), &options);
        snprintf(expected, sizeof(expected), "%s /p?x=y&a+b=1%%262&c= HTTP/1.1\nHost: {host}\n\n",
                 methods[i]);
        test_expect_wire(scene.server, expected);
    }
    urlpool_form_free(form);
    head_scene_end(&scene);
}
END_TEST

START_TEST(fields__and_a_body_are_refused)
{
    struct head_scene scene = head_scene_begin(NULL);
    struct urlpool_form *form = urlpool_form_new(&test_err);
    const struct urlpool_request_options options = {.fields = form,
                                                    .body = urlpool_body_bytes("x", 1)};

    ck_assert_int_eq(test_fetch_fails(scene.manager, "POST", scene.server, "/", &options),
                     URLPOOL_E_INVALID);
    ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &options),
                     URLPOOL_E_INVALID);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 0);
    urlpool_form_free(form);
    head_scene_end(&scene);
}
END_TEST

START_TEST(fields__become_a_body)
{
    struct head_scene scene = head_scene_begin(NULL);
    struct urlpool_form *form = urlpool_form_new(&test_err);
    struct urlpool_headers *headers = test_headers_of("Content-Type", "text/x-mine");
    struct urlpool_request_options options = {.fields = form};
    struct urlpool_response *response;

    ck_assert_int_eq(urlpool_form_add(form, "a b", "1&2", &test_err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_set_boundary(form, "edge", &test_err), URLPOOL_OK);
    response = test_fetch(scene.manager, "POST", scene.server, "/echo?x", &options);
    urlpool_response_free(response);
    response = test_fetch(scene.manager, "POST", scene.server, "/echo", &options);
    ck_assert_str_eq((const char *)response->data,
                     "--edge\r\nContent-Disposition: form-data; name=\"a b\"\r\n\r\n1&2\r\n"
                     "--edge--\r\n");
    test_expect_wire(
        scene.server,
        FIRST_LINES("POST /echo") "Content-Length: 69\n" USER_AGENT
                                  "Content-Type: multipart/form-data; boundary=edge\n\n");
    urlpool_response_free(response);
    options.fields_urlencoded = true;
    response = test_fetch(scene.manager, "PUT", scene.server, "/echo", &options);
    ck_assert_str_eq((const char *)response->data, "a+b=1%262");
    test_expect_wire(
        scene.server,
        FIRST_LINES("PUT /echo") "Content-Length: 9\n" USER_AGENT
                                 "Content-Type: application/x-www-form-urlencoded\n\n");
    urlpool_response_free(response);
    options.headers = headers;
    response = test_fetch(scene.manager, "PUT", scene.server, "/echo", &options);
    test_expect_wire(scene.server, FIRST_LINES("PUT /echo") "Content-Length: 9\n" USER_AGENT
                                                            "Content-Type: text/x-mine\n\n");
    urlpool_response_free(response);
    urlpool_headers_free(headers);
    urlpool_form_free(form);
    head_scene_end(&scene);
}
END_TEST

START_TEST(trailer__announces_what_comes_behind_the_body)
{
    struct head_scene scene = head_scene_begin(NULL);
    struct urlpool_headers *trailers = test_headers_of("X-Sum", "1");
    struct urlpool_request_options options = {.body = urlpool_body_bytes("x", 1)};
    char url[256];

    test_headers_add(trailers, "X-End", "2");
    options.body.trailers = trailers;
    head_scene_fetch(&scene, "PUT", test_url_with(scene.server, "", "/308//", url, sizeof(url)),
                     &options);
    test_expect_wire(scene.server, FIRST_LINES("PUT /") "Transfer-Encoding: chunked\n" USER_AGENT
                                                        "Trailer: X-Sum, X-End\n\n");
    head_scene_fetch(&scene, "POST", test_url_with(scene.server, "", "/302//", url, sizeof(url)),
                     &options);
    test_expect_wire(scene.server, FIRST_LINES("GET /") USER_AGENT "\n");
    urlpool_headers_free(trailers);
    head_scene_end(&scene);
}
END_TEST

START_TEST(expect__is_said_for_content_that_waits)
{
    struct head_scene scene = head_scene_begin(NULL);
    struct urlpool_headers *headers = test_headers_of("expect", "100-continue");
    struct urlpool_request_options options = {.body = urlpool_body_bytes("x", 1)};
    char url[256];

    options.body.expect_continue = true;
    head_scene_fetch(&scene, "PUT", test_url_with(scene.server, "", "/307//", url, sizeof(url)),
                     &options);
    test_expect_wire(scene.server, FIRST_LINES("PUT /") "Content-Length: 1\n" USER_AGENT
                                                        "Expect: 100-continue\n\n");
    head_scene_fetch(&scene, "POST", test_url_with(scene.server, "", "/303//", url, sizeof(url)),
                     &options);
    test_expect_wire(scene.server, FIRST_LINES("GET /") USER_AGENT "\n");
    options.body.data_len = 0;
    head_scene_fetch(&scene, "PUT", test_url_with(scene.server, "", "/", url, sizeof(url)),
                     &options);
    test_expect_wire(scene.server, FIRST_LINES("PUT /") "Content-Length: 0\n" USER_AGENT "\n");
    options =
        (struct urlpool_request_options){.headers = headers, .body = urlpool_body_bytes("x", 1)};
    head_scene_fetch(&scene, "PUT", url, &options);
    test_expect_wire(scene.server, FIRST_LINES("PUT /") "Content-Length: 1\n" USER_AGENT
                                                        "expect: 100-continue\n\n");
    head_scene_fetch(&scene, "POST", test_url_with(scene.server, "", "/303//", url, sizeof(url)),
                     &options);
    test_expect_wire(scene.server, FIRST_LINES("GET /") USER_AGENT "\n");
    options.body = (struct urlpool_body){0};
    ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &options),
                     URLPOOL_E_HEADER);
    urlpool_headers_free(headers);
    head_scene_end(&scene);
}
END_TEST

START_TEST(expect__is_left_out_once_it_has_failed)
{
    struct head_scene scene = head_scene_begin(NULL);
    struct urlpool_headers *headers = test_headers_of("expect", "100-continue");
    struct urlpool_request_options options = {.body = urlpool_body_bytes("x", 1)};
    char url[256];

    test_url_with(scene.server, "", "/417", url, sizeof(url));
    options.body.expect_continue = true;
    for (int i = 0; i < 2; i++) {
        head_scene_fetch(&scene, "POST", url, &options);
        test_expect_wire(scene.server,
                         FIRST_LINES("POST /417") "Content-Length: 1\n" USER_AGENT "\n");
        ck_assert_uint_eq(test_server_num_requests(scene.server), 2 * (unsigned)(i + 1));
        options.headers = headers; /* the same by a header */
        options.body.expect_continue = false;
    }
    urlpool_headers_free(headers);
    head_scene_end(&scene);
}
END_TEST

static void refuse_the_head(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reply(peer, 403, "Connection: close\r\n", "");
    test_peer_close(peer);
}

/* read_counted gives one byte, and counts how often it was asked. */
static enum urlpool_code read_counted(void *user, void *buf, size_t len, size_t *out_len,
                                      struct urlpool_error *err)
{
    unsigned *num_reads = user;

    (void)len;
    (void)err;
    *out_len = *num_reads == 0 ? 1 : 0;
    memcpy(buf, "x", *out_len);
    ++*num_reads;
    return URLPOOL_OK;
}

START_TEST(expect__among_the_headers_makes_the_body_wait)
{
    const struct test_server_options early = {.leave_body = true};
    struct test_server *server = test_server_start(refuse_the_head, NULL, &early);
    struct urlpool_headers *headers = test_headers_of("Expect", "100-continue");
    struct urlpool_manager *manager = test_manager(NULL);
    unsigned num_reads = 0;
    struct urlpool_request_options options = {
        .headers = headers, .body = urlpool_body_callback(read_counted, NULL, &num_reads, 1)};
    struct urlpool_response *response;

    options.body.expect_ms = URLPOOL_NO_TIMEOUT;
    response = test_fetch(manager, "PUT", server, "/", &options);
    ck_assert_int_eq(response->status, 403);
    ck_assert_uint_eq(num_reads, 0);
    urlpool_response_free(response);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(expect__without_a_bound_waits_as_long_as_reading_may)
{
    struct test_server *server = test_server_start(test_answer_echo, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {.body = urlpool_body_bytes("abc", 3),
                                              .timeout = {.read_ms = 800}};
    struct urlpool_response *response;

    options.body.expect_continue = true;
    options.body.expect_ms = URLPOOL_NO_TIMEOUT;
    response = test_fetch(manager, "PUT", server, "/", &options);
    ck_assert_str_eq((const char *)response->data, "abc");
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("heads of bodies", content_type__goes_with_its_body, fields__go_behind_the_query,
          fields__and_a_body_are_refused, fields__become_a_body,
          trailer__announces_what_comes_behind_the_body, expect__is_said_for_content_that_waits,
          expect__is_left_out_once_it_has_failed, expect__among_the_headers_makes_the_body_wait,
          expect__without_a_bound_waits_as_long_as_reading_may)
