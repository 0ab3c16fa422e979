/* One manager against the scripted server: what a caller of urlpool_request sees of a request that
 * goes well. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/requests.h"
#include "support/run_tests.h"

START_TEST(request__returns_status_data_and_headers)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/a?b=c#d", NULL);
    char url[256];
    char expected[512];
    char *head = test_server_last_head(server);

    ck_assert_int_eq(response->status, 200);
    ck_assert_int_eq(response->version, 11);
    ck_assert_str_eq(response->reason, "Because");
    ck_assert_uint_eq(response->data_len, 5);
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert_str_eq(urlpool_response_header(response, "x-answer"), "yes");
    ck_assert_str_eq(response->url, test_server_url(server, "/a?b=c#d", url, sizeof(url)));
    ck_assert(!response->connection_reused);
    snprintf(expected, sizeof(expected),
             "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept-Encoding: " TEST_ACCEPT_ENCODING
             "\r\n"
             "User-Agent: urlpool/" URLPOOL_VERSION "\r\n\r\n",
             test_server_port(server));
    ck_assert_str_eq(head, expected);
    free(head);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(request__sends_the_method_as_given)
{
    static const char *const methods[] = {"get", "PROPFIND", "X-Find", "!#$%&'*+-.^_`|~"};
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        char expected[64];
        char *head;

        urlpool_response_free(test_fetch(manager, methods[i], server, "/", NULL));
        head = test_server_last_head(server);
        snprintf(expected, sizeof(expected), "%s / HTTP/1.1\r\n", methods[i]);
        ck_assert_int_eq(strncmp(head, expected, strlen(expected)), 0);
        free(head);
    }
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(request__uses_one_connection_again_and_again)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    for (int i = 0; i < 50; i++) {
        struct urlpool_response *response = test_fetch(manager, "GET", server, "/", NULL);
        ck_assert_int_eq(response->connection_reused, i > 0);
        urlpool_response_free(response);
    }
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    ck_assert_uint_eq(test_stats(manager).opened, 1);
    ck_assert_uint_eq(test_stats(manager).reused, 49);
    ck_assert_uint_eq(test_stats(manager).idle, 1);
    ck_assert_uint_eq(test_stats(manager).requests, 50);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(request__sends_a_body_of_bytes_with_its_length)
{
    struct test_server *server = test_server_start(test_answer_echo, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.body = urlpool_body_bytes("abc", 3)};
    struct urlpool_response *response = test_fetch(manager, "POST", server, "/", &options);
    char *head = test_server_last_head(server);

    ck_assert_str_eq((const char *)response->data, "abc");
    ck_assert_ptr_nonnull(strstr(head, "\r\nContent-Length: 3\r\n"));
    free(head);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(request__sends_a_body_chunked_when_asked)
{
    struct test_server *server = test_server_start(test_answer_echo, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {.body = urlpool_body_bytes("abcdef", 6)};
    struct urlpool_response *response;
    char *head;

    options.body.chunked = true;
    response = test_fetch(manager, "PUT", server, "/", &options);
    head = test_server_last_head(server);
    ck_assert_str_eq((const char *)response->data, "abcdef");
    ck_assert_ptr_nonnull(strstr(head, "\r\nTransfer-Encoding: chunked\r\n"));
    ck_assert_ptr_null(strstr(head, "Content-Length"));
    free(head);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(request__sends_a_file_from_its_offset_and_a_pipe_chunked)
{
    struct test_server *server = test_server_start(test_answer_echo, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    FILE *file = tmpfile();
    int ends[2];
    struct urlpool_request_options options = {.body = urlpool_body_fd(fileno(file))};
    struct urlpool_response *response;

    ck_assert_int_eq(pwrite(fileno(file), "0123456789", 10, 0), 10);
    ck_assert_int_eq(lseek(fileno(file), 4, SEEK_SET), 4);
    response = test_fetch(manager, "PUT", server, "/", &options);
    ck_assert_str_eq((const char *)response->data, "456789");
    urlpool_response_free(response);
    fclose(file);

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "piped", 5), 5);
    close(ends[1]);
    options.body = urlpool_body_fd(ends[0]);
    response = test_fetch(manager, "PUT", server, "/", &options);
    ck_assert_str_eq((const char *)response->data, "piped");
    urlpool_response_free(response);
    close(ends[0]);
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(request__says_a_length_of_zero_for_post_and_none_for_get)
{
    struct test_server *server = test_server_start(test_answer_echo, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    char *head;

    urlpool_response_free(test_fetch(manager, "POST", server, "/", NULL));
    head = test_server_last_head(server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nContent-Length: 0\r\n"));
    free(head);
    urlpool_response_free(test_fetch(manager, "DELETE", server, "/", NULL));
    head = test_server_last_head(server);
    ck_assert_ptr_null(strstr(head, "Content-Length"));
    free(head);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(request__lets_the_callers_fields_replace_the_managers)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_headers *common = urlpool_headers_new(&test_err);
    struct urlpool_headers *own = urlpool_headers_new(&test_err);
    struct urlpool_manager *manager;
    const struct urlpool_request_options options = {.headers = own};
    char *head;

    ck_assert_int_eq(urlpool_headers_add(common, "X-Common", "1", &test_err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(own, "X-Own", "a", &test_err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(own, "x-own", "b", &test_err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(own, "User-Agent", "me", &test_err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(own, "Host", "other.example", &test_err), URLPOOL_OK);
    manager = test_manager(&(struct urlpool_manager_options){.headers = common});
    urlpool_headers_free(common);

    urlpool_response_free(test_fetch(manager, "GET", server, "/", NULL));
    head = test_server_last_head(server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nX-Common: 1\r\n"));
    free(head);
    urlpool_response_free(test_fetch(manager, "GET", server, "/", &options));
    head = test_server_last_head(server);
    ck_assert_ptr_null(strstr(head, "X-Common"));
    ck_assert_ptr_nonnull(strstr(head, "\r\nX-Own: a\r\nx-own: b\r\nUser-Agent: me\r\n"));
    ck_assert_ptr_nonnull(strstr(head, " HTTP/1.1\r\nHost: other.example\r\n"));
    free(head);
    urlpool_headers_free(own);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(request__keeps_userinfo_out_of_what_it_tells)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options stream = {.stream = true};
    char url[256];
    char bare[256];
    char *head;

    snprintf(url, sizeof(url), "http://me:secret@127.0.0.1:%d/a#b", test_server_port(server));
    test_server_url(server, "/a#b", bare, sizeof(bare));
    for (int i = 0; i < 2; i++) {
        struct urlpool_response *response =
            urlpool_request(manager, "GET", url, i == 0 ? NULL : &stream, &test_err);

        ck_assert_msg(response != NULL, "%s", test_err.message);
        ck_assert_str_eq(response->url, bare);
        urlpool_response_free(response);
    }
    head = test_server_last_head(server);
    ck_assert_ptr_null(strstr(head, "secret"));
    ck_assert_ptr_null(strstr(head, "me@"));
    free(head);
    snprintf(url, sizeof(url), "http://me:secret@127.0.0.1:1/");
    ck_assert_ptr_null(urlpool_request(manager, "GET", url, NULL, &test_err));
    ck_assert_ptr_null(strstr(test_err.message, "secret"));
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* What a sink has seen: the kinds in their order. */
struct seen {
    unsigned num;
    enum urlpool_trace_kind kinds[32];
    char closed[32]; /* why, of the last CLOSED */
};

static void note(void *user, const struct urlpool_trace_event *event)
{
    struct seen *seen = user;

    ck_assert_uint_lt(seen->num, 32);
    seen->kinds[seen->num++] = event->kind;
    if (event->kind == URLPOOL_TRACE_CLOSED) {
        snprintf(seen->closed, sizeof(seen->closed), "%.*s", (int)event->text_len, event->text);
    }
}

static void answer_and_close(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reply(peer, 200, "Connection: close\r\n", "hello");
    test_peer_close(peer);
}

START_TEST(request__tells_its_sink_each_step_and_the_end_of_the_connection)
{
    static const enum urlpool_trace_kind expected[] = {
        URLPOOL_TRACE_LEASED,       URLPOOL_TRACE_CONNECTED,  URLPOOL_TRACE_REQUEST_HEAD,
        URLPOOL_TRACE_REQUEST_SENT, URLPOOL_TRACE_FIRST_BYTE, URLPOOL_TRACE_RESPONSE_HEAD,
        URLPOOL_TRACE_BODY_END,     URLPOOL_TRACE_CLOSED,
    };
    struct test_server *server = test_server_start(answer_and_close, NULL, NULL);
    struct seen seen = {0};
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .trace = {.event = note, .user = &seen}
    });

    for (int streamed = 0; streamed <= 1; streamed++) {
        const struct urlpool_request_options options = {.stream = streamed == 1};

        seen.num = 0;
        urlpool_response_free(test_fetch(manager, "GET", server, "/", &options));
        ck_assert_uint_eq(seen.num, sizeof(expected) / sizeof(expected[0]));
        ck_assert_mem_eq(seen.kinds, expected, sizeof(expected));
        ck_assert_str_eq(seen.closed, urlpool_closed_name(URLPOOL_CLOSED_NOT_REUSABLE));
    }
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("request", request__returns_status_data_and_headers, request__sends_the_method_as_given,
          request__uses_one_connection_again_and_again,
          request__sends_a_body_of_bytes_with_its_length, request__sends_a_body_chunked_when_asked,
          request__sends_a_file_from_its_offset_and_a_pipe_chunked,
          request__says_a_length_of_zero_for_post_and_none_for_get,
          request__lets_the_callers_fields_replace_the_managers,
          request__keeps_userinfo_out_of_what_it_tells,
          request__tells_its_sink_each_step_and_the_end_of_the_connection)
