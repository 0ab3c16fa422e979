/* One manager against the scripted server: what a caller of urlpool_request sees. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "urlpool/urlpool.h"

#include "support/http_server.h"
#include "support/run_tests.h"

static struct urlpool_error err;

static struct urlpool_manager *new_manager(const struct urlpool_manager_options *options)
{
    struct urlpool_manager *manager = urlpool_manager_new(options, &err);

    ck_assert_msg(manager != NULL, "%s", err.message);
    return manager;
}

static struct urlpool_stats stats_of(struct urlpool_manager *manager)
{
    struct urlpool_stats stats;

    urlpool_manager_stats(manager, &stats, sizeof(stats));
    return stats;
}

/* request asks `server` for `path`; the test fails when there is no answer. */
static struct urlpool_response *request(struct urlpool_manager *manager, const char *method,
                                        const struct test_server *server, const char *path,
                                        const struct urlpool_request_options *options)
{
    char url[1024];
    struct urlpool_response *response = urlpool_request(
        manager, method, test_server_url(server, path, url, sizeof(url)), options, &err);

    ck_assert_msg(response != NULL, "%s: %s", urlpool_code_name(err.code), err.message);
    return response;
}

static enum urlpool_code failure(struct urlpool_manager *manager, const char *method,
                                 const struct test_server *server, const char *path,
                                 const struct urlpool_request_options *options)
{
    char url[1024];
    struct urlpool_response *response;

    memset(&err, 0, sizeof(err));
    response = urlpool_request(manager, method, test_server_url(server, path, url, sizeof(url)),
                               options, &err);
    ck_assert_msg(response == NULL, "an answer where an error was due");
    ck_assert_msg(err.message[0] != '\0' && strchr(err.message, '\n') == NULL &&
                      err.message[strlen(err.message) - 1] != '.',
                  "message \"%s\"", err.message);
    return err.code;
}

static void answer_hello(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reply(peer, 200, "X-Answer: yes\r\n", "hello");
}

START_TEST(request__returns_status_data_and_headers)
{
    struct test_server *server = test_server_start(answer_hello, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    struct urlpool_response *response = request(manager, "GET", server, "/a?b=c#d", NULL);
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
             "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept-Encoding: gzip, deflate\r\n"
             "User-Agent: urlpool/" URLPOOL_VERSION "\r\n\r\n",
             test_server_port(server));
    ck_assert_str_eq(head, expected);
    free(head);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(request__uses_one_connection_again_and_again)
{
    struct test_server *server = test_server_start(answer_hello, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);

    for (int i = 0; i < 50; i++) {
        struct urlpool_response *response = request(manager, "GET", server, "/", NULL);
        ck_assert_int_eq(response->connection_reused, i > 0);
        urlpool_response_free(response);
    }
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    ck_assert_uint_eq(stats_of(manager).opened, 1);
    ck_assert_uint_eq(stats_of(manager).reused, 49);
    ck_assert_uint_eq(stats_of(manager).idle, 1);
    ck_assert_uint_eq(stats_of(manager).requests, 50);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

static void answer_echo(struct test_peer *peer, const struct test_request *request, void *user)
{
    char *text = calloc(1, request->body_len + 1);

    (void)user;
    if (request->body_len > 0) {
        memcpy(text, request->body, request->body_len);
    }
    test_peer_reply(peer, 200, NULL, text);
    free(text);
}

START_TEST(request__sends_a_body_of_bytes_with_its_length)
{
    struct test_server *server = test_server_start(answer_echo, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    const struct urlpool_request_options options = {.body = urlpool_body_bytes("abc", 3)};
    struct urlpool_response *response = request(manager, "POST", server, "/", &options);
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
    struct test_server *server = test_server_start(answer_echo, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    struct urlpool_request_options options = {.body = urlpool_body_bytes("abcdef", 6)};
    struct urlpool_response *response;
    char *head;

    options.body.chunked = true;
    response = request(manager, "PUT", server, "/", &options);
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
    struct test_server *server = test_server_start(answer_echo, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    FILE *file = tmpfile();
    int ends[2];
    struct urlpool_request_options options = {.body = urlpool_body_fd(fileno(file))};
    struct urlpool_response *response;

    ck_assert_int_eq(pwrite(fileno(file), "0123456789", 10, 0), 10);
    ck_assert_int_eq(lseek(fileno(file), 4, SEEK_SET), 4);
    response = request(manager, "PUT", server, "/", &options);
    ck_assert_str_eq((const char *)response->data, "456789");
    urlpool_response_free(response);
    fclose(file);

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "piped", 5), 5);
    close(ends[1]);
    options.body = urlpool_body_fd(ends[0]);
    response = request(manager, "PUT", server, "/", &options);
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
    struct test_server *server = test_server_start(answer_echo, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    char *head;

    urlpool_response_free(request(manager, "POST", server, "/", NULL));
    head = test_server_last_head(server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nContent-Length: 0\r\n"));
    free(head);
    urlpool_response_free(request(manager, "DELETE", server, "/", NULL));
    head = test_server_last_head(server);
    ck_assert_ptr_null(strstr(head, "Content-Length"));
    free(head);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(request__lets_the_callers_fields_replace_the_managers)
{
    struct test_server *server = test_server_start(answer_hello, NULL, NULL);
    struct urlpool_headers *common = urlpool_headers_new(&err);
    struct urlpool_headers *own = urlpool_headers_new(&err);
    struct urlpool_manager *manager;
    const struct urlpool_request_options options = {.headers = own};
    char *head;

    ck_assert_int_eq(urlpool_headers_add(common, "X-Common", "1", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(own, "X-Own", "a", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(own, "x-own", "b", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(own, "User-Agent", "me", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(own, "Host", "other.example", &err), URLPOOL_OK);
    manager = new_manager(&(struct urlpool_manager_options){.headers = common});
    urlpool_headers_free(common);

    urlpool_response_free(request(manager, "GET", server, "/", NULL));
    head = test_server_last_head(server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nX-Common: 1\r\n"));
    free(head);
    urlpool_response_free(request(manager, "GET", server, "/", &options));
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

static void answer_redirects(struct test_peer *peer, const struct test_request *request, void *user)
{
    int status = 0;
    char location[512];

    (void)user;
    if (sscanf(request->target, "/redirect/%d", &status) == 1) {
        snprintf(location, sizeof(location), "Location: /landed?from=%d\r\n", status);
        test_peer_reply(peer, status, location, "moved");
    } else if (strcmp(request->target, "/loop") == 0) {
        test_peer_reply(peer, 302, "Location: /loop\r\n", "again");
    } else if (strncmp(request->target, "/to/", 4) == 0) {
        snprintf(location, sizeof(location), "Location: %s\r\n", request->target + 4);
        test_peer_reply(peer, 302, location, "");
    } else {
        test_peer_reply(peer, 200, NULL, request->method);
    }
}

START_TEST(redirect__is_followed_over_the_same_connection)
{
    static const struct {
        int status;
        const char *method, *lands_as;
    } cases[] = {
        {301, "GET",  "GET" },
        {302, "POST", "GET" },
        {303, "PUT",  "GET" },
        {307, "POST", "POST"},
        {308, "PUT",  "PUT" },
        {301, "PUT",  "PUT" },
    };
    struct test_server *server = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct urlpool_request_options options = {0};
        struct urlpool_response *response;
        char path[64];
        char url[256];
        char landed[64];

        if (strcmp(cases[i].method, "GET") != 0) {
            options.body = urlpool_body_bytes("body", 4);
        }
        snprintf(path, sizeof(path), "/redirect/%d#frag", cases[i].status);
        snprintf(landed, sizeof(landed), "/landed?from=%d#frag", cases[i].status);
        response = request(manager, cases[i].method, server, path, &options);
        ck_assert_int_eq(response->status, 200);
        ck_assert_str_eq((const char *)response->data, cases[i].lands_as);
        ck_assert_uint_eq(response->num_redirects, 1);
        ck_assert_str_eq(response->url, test_server_url(server, landed, url, sizeof(url)));
        urlpool_response_free(response);
    }
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    ck_assert_uint_eq(stats_of(manager).redirects, 6);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(redirect__obeys_its_options)
{
    struct test_server *server = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    struct urlpool_request_options options = {.return_redirects = true};
    struct urlpool_response *response = request(manager, "GET", server, "/redirect/302", &options);

    ck_assert_int_eq(response->status, 302);
    ck_assert_str_eq((const char *)response->data, "moved");
    urlpool_response_free(response);

    options =
        (struct urlpool_request_options){.keep_post = true, .body = urlpool_body_bytes("x", 1)};
    response = request(manager, "POST", server, "/redirect/302", &options);
    ck_assert_str_eq((const char *)response->data, "POST");
    urlpool_response_free(response);

    options = (struct urlpool_request_options){.redirects_max = 3};
    ck_assert_int_eq(failure(manager, "GET", server, "/loop", &options),
                     URLPOOL_E_TOO_MANY_REDIRECTS);
    ck_assert_int_eq(err.http_status, 302);
    ck_assert_uint_eq(err.num_attempts, 4);
    options.redirects_max = URLPOOL_NONE;
    ck_assert_int_eq(failure(manager, "GET", server, "/loop", &options),
                     URLPOOL_E_TOO_MANY_REDIRECTS);
    ck_assert_uint_eq(err.num_attempts, 1);
    ck_assert_int_eq(failure(manager, "GET", server, "/loop", NULL), URLPOOL_E_TOO_MANY_REDIRECTS);
    ck_assert_uint_eq(err.num_attempts, 21);
    ck_assert_int_eq(failure(manager, "GET", server, "/to/ftp://127.0.0.1/", NULL),
                     URLPOOL_E_REDIRECT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_REDIRECT);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(redirect__leaves_credentials_behind_for_good)
{
    struct test_server *first = test_server_start(answer_redirects, NULL, NULL);
    struct test_server *second = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&err);
    const struct urlpool_request_options options = {.headers = headers};
    char back[256];
    char there[512];
    char path[600];
    char *head;

    ck_assert_int_eq(urlpool_headers_add(headers, "authorization", "Bearer secret", &err), 0);
    ck_assert_int_eq(urlpool_headers_add(headers, "COOKIE", "a=b", &err), 0);
    ck_assert_int_eq(urlpool_headers_add(headers, "Proxy-Authorization", "x", &err), 0);
    ck_assert_int_eq(urlpool_headers_add(headers, "X-Kept", "1", &err), 0);

    urlpool_response_free(request(manager, "GET", first, "/redirect/302", &options));
    head = test_server_last_head(first);
    ck_assert_ptr_nonnull(strstr(head, "authorization: Bearer secret"));
    free(head);

    /* first → second → first: they do not come back */
    test_server_url(first, "/home", back, sizeof(back));
    snprintf(path, sizeof(path), "/to/%s", back);
    test_server_url(second, path, there, sizeof(there));
    snprintf(path, sizeof(path), "/to/%s", there);
    urlpool_response_free(request(manager, "GET", first, path, &options));
    head = test_server_last_head(second);
    ck_assert_ptr_nonnull(strstr(head, "X-Kept: 1"));
    ck_assert_ptr_null(strcasestr(head, "authorization"));
    ck_assert_ptr_null(strcasestr(head, "cookie"));
    free(head);
    head = test_server_last_head(first);
    ck_assert_ptr_nonnull(strstr(head, "GET /home "));
    ck_assert_ptr_null(strcasestr(head, "authorization"));
    ck_assert_ptr_null(strcasestr(head, "cookie"));
    free(head);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(first);
    test_server_stop(second);
}
END_TEST

static void answer_once_then_go(struct test_peer *peer, const struct test_request *request,
                                void *user)
{
    const bool *reset = user;

    if (request->connection == 1 && request->number == 2) {
        if (*reset) {
            test_peer_reset(peer);
        } else {
            test_peer_cut(peer);
        }
        return; /* the request came over a connection that the server had given up */
    }
    test_peer_reply(peer, 200, NULL, request->method);
}

START_TEST(stale__is_tried_once_more_when_the_method_allows)
{
    for (int reset = 0; reset <= 1; reset++) {
        bool is_reset = reset == 1;
        struct test_server *server = test_server_start(answer_once_then_go, &is_reset, NULL);
        struct urlpool_manager *manager = new_manager(NULL);
        struct urlpool_response *response;

        urlpool_response_free(request(manager, "GET", server, "/", NULL));
        response = request(manager, "GET", server, "/", NULL);
        ck_assert_uint_eq(response->num_retries, 1);
        ck_assert(!response->connection_reused);
        urlpool_response_free(response);
        ck_assert_uint_eq(stats_of(manager).stale_retries, 1);
        ck_assert_uint_eq(test_server_num_connections(server), 2);
        urlpool_manager_free(manager);
        test_server_stop(server);
    }
}
END_TEST

START_TEST(stale__delivers_a_post_never_twice)
{
    bool is_reset = false;
    struct test_server *server = test_server_start(answer_once_then_go, &is_reset, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    const struct urlpool_request_options options = {.body = urlpool_body_bytes("pay", 3)};
    unsigned seen;

    urlpool_response_free(request(manager, "GET", server, "/", NULL));
    ck_assert_int_eq(failure(manager, "POST", server, "/", &options),
                     URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert(err.maybe_processed);
    ck_assert_uint_eq(err.num_attempts, 1);
    seen = test_server_num_requests(server);
    ck_assert_uint_eq(seen, 2);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(stale__tries_a_post_again_that_carries_an_idempotency_key)
{
    bool is_reset = false;
    struct test_server *server = test_server_start(answer_once_then_go, &is_reset, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&err);
    const struct urlpool_request_options options = {.headers = headers,
                                                    .body = urlpool_body_bytes("pay", 3)};

    ck_assert_int_eq(urlpool_headers_add(headers, "Idempotency-Key", "7", &err), URLPOOL_OK);
    urlpool_response_free(request(manager, "GET", server, "/", NULL));
    urlpool_response_free(request(manager, "POST", server, "/", &options));
    ck_assert_uint_eq(stats_of(manager).stale_retries, 1);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

static void answer_badly(struct test_peer *peer, const struct test_request *request, void *user)
{
    const char *how = request->target + 1;

    (void)user;
    if (strcmp(how, "silence") == 0) {
        test_peer_stay(peer);
    } else if (strcmp(how, "garbage") == 0) {
        test_peer_send_text(peer, "SSH-2.0-OpenSSH_9.2\r\n");
    } else if (strcmp(how, "cut") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        test_peer_close(peer);
    } else if (strcmp(how, "reset") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        test_peer_reset(peer);
    } else if (strcmp(how, "stall") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        test_peer_stay(peer);
    } else if (strcmp(how, "long") == 0) {
        char block[1024];
        memset(block, 'a', sizeof(block));
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nX: ");
        for (int i = 0; i < 400; i++) {
            test_peer_send(peer, block, sizeof(block));
        }
        test_peer_close(peer);
    } else if (strcmp(how, "more") == 0) {
        test_peer_send_text(peer,
                            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n");
    } else {
        test_peer_close(peer);
    }
}

START_TEST(failure__has_code_phase_and_sentence)
{
    static const struct {
        const char *path;
        enum urlpool_code code;
        enum urlpool_phase phase;
    } cases[] = {
        {"/silence", URLPOOL_E_READ_TIMEOUT,        URLPOOL_PHASE_HEAD},
        {"/garbage", URLPOOL_E_BAD_STATUS_LINE,     URLPOOL_PHASE_HEAD},
        {"/cut",     URLPOOL_E_INCOMPLETE_READ,     URLPOOL_PHASE_BODY},
        {"/reset",   URLPOOL_E_RESET,               URLPOOL_PHASE_BODY},
        {"/stall",   URLPOOL_E_READ_TIMEOUT,        URLPOOL_PHASE_BODY},
        {"/long",    URLPOOL_E_LINE_TOO_LONG,       URLPOOL_PHASE_HEAD},
        {"/nothing", URLPOOL_E_REMOTE_DISCONNECTED, URLPOOL_PHASE_HEAD},
    };
    struct test_server *server = test_server_start(answer_badly, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    const struct urlpool_request_options options = {.timeout = {.read_ms = 200}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum urlpool_code code = failure(manager, "GET", server, cases[i].path, &options);

        ck_assert_msg(code == cases[i].code, "%s: %s: %s", cases[i].path, urlpool_code_name(code),
                      err.message);
        ck_assert_msg(err.phase == cases[i].phase, "%s: phase %s", cases[i].path,
                      urlpool_phase_name(err.phase));
        ck_assert(err.maybe_processed);
    }
    ck_assert_uint_eq(stats_of(manager).open, 0);
    ck_assert_uint_eq(stats_of(manager).failures, 7);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(failure__before_anything_is_sent)
{
    static const struct {
        const char *method, *url;
        enum urlpool_code code;
        enum urlpool_phase phase;
    } cases[] = {
        {"GET",     "http://exa mple/",    URLPOOL_E_URL,     URLPOOL_PHASE_NONE   },
        {"GET",     "http://h/\r\nX: y",   URLPOOL_E_URL,     URLPOOL_PHASE_NONE   },
        {"GET",     "http://h:99999/",     URLPOOL_E_URL,     URLPOOL_PHASE_NONE   },
        {"GET",     "ftp://h/",            URLPOOL_E_SCHEME,  URLPOOL_PHASE_NONE   },
        {"GET",     "/path",               URLPOOL_E_SCHEME,  URLPOOL_PHASE_NONE   },
        {"GE T",    "http://h/",           URLPOOL_E_HEADER,  URLPOOL_PHASE_NONE   },
        {"",        "http://h/",           URLPOOL_E_HEADER,  URLPOOL_PHASE_NONE   },
        {"CONNECT", "http://h/",           URLPOOL_E_HEADER,  URLPOOL_PHASE_NONE   },
        {"GET",     "http://127.0.0.1:1/", URLPOOL_E_CONNECT, URLPOOL_PHASE_CONNECT},
    };
    struct urlpool_manager *manager = new_manager(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct urlpool_response *response =
            urlpool_request(manager, cases[i].method, cases[i].url, NULL, &err);

        ck_assert_ptr_null(response);
        ck_assert_msg(err.code == cases[i].code, "%s %s: %s: %s", cases[i].method, cases[i].url,
                      urlpool_code_name(err.code), err.message);
        ck_assert_int_eq(err.phase, cases[i].phase);
        ck_assert(!err.maybe_processed);
    }
    ck_assert_ptr_null(urlpool_request(NULL, "GET", "http://h/", NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_request(manager, "GET", NULL, NULL, NULL));
    urlpool_manager_free(manager);
}
END_TEST

START_TEST(deadline__covers_the_whole_body_and_every_hop)
{
    struct test_server *server = test_server_start(answer_badly, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    const struct urlpool_request_options options = {.timeout = {.total_ms = 150}};

    ck_assert_int_eq(failure(manager, "GET", server, "/stall", &options), URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_int_eq(failure(manager, "GET", server, "/silence", &options),
                     URLPOOL_E_TOTAL_TIMEOUT);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(reuse__ends_when_the_peer_sends_more_than_its_response)
{
    struct test_server *server = test_server_start(answer_badly, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);

    for (int i = 0; i < 3; i++) {
        struct urlpool_response *response = request(manager, "GET", server, "/more", NULL);
        ck_assert_str_eq((const char *)response->data, "ok");
        urlpool_response_free(response);
    }
    ck_assert_uint_eq(test_server_num_connections(server), 3);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(stream__sends_the_connection_home_at_the_end_of_the_body)
{
    struct test_server *server = test_server_start(answer_hello, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *response = request(manager, "GET", server, "/", &options);
    char buf[16];
    size_t len = 99;

    ck_assert_ptr_null(response->data);
    ck_assert_uint_eq(stats_of(manager).leased, 1);
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 4, &len, &err), URLPOOL_OK);
    ck_assert_uint_eq(len, 4);
    ck_assert_uint_eq(stats_of(manager).leased, 1);
    ck_assert_int_eq(urlpool_response_read_exact(response, buf + 4, 9, &len, &err), URLPOOL_OK);
    ck_assert_uint_eq(len, 1);
    ck_assert_mem_eq(buf, "hello", 5);
    ck_assert_uint_eq(stats_of(manager).idle, 1);
    ck_assert_int_eq(urlpool_response_read(response, buf, 9, &len, &err), URLPOOL_OK);
    ck_assert_uint_eq(len, 0);
    urlpool_response_free(response);
    urlpool_response_free(request(manager, "GET", server, "/", NULL));
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(stream__given_up_early_is_drained_or_closed_but_never_reused_half_read)
{
    struct test_server *server = test_server_start(answer_badly, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    const struct urlpool_request_options options = {.stream = true};

    urlpool_response_free(request(manager, "GET", server, "/stall", &options));
    ck_assert_uint_eq(stats_of(manager).open, 0);
    ck_assert_uint_eq(stats_of(manager).closed[URLPOOL_CLOSED_UNREAD], 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(stream__outlives_its_manager)
{
    struct test_server *server = test_server_start(answer_hello, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *response = request(manager, "GET", server, "/", &options);
    char buf[16];
    size_t len = 0;

    urlpool_manager_free(manager);
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 16, &len, &err), URLPOOL_OK);
    ck_assert_uint_eq(len, 5);
    urlpool_response_free(response);
    test_server_stop(server);
}
END_TEST

START_TEST(manager__closed_refuses_and_lets_a_running_exchange_finish)
{
    struct test_server *server = test_server_start(answer_hello, NULL, NULL);
    struct urlpool_manager *manager = new_manager(NULL);
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *response = request(manager, "GET", server, "/", &options);

    urlpool_manager_close(manager);
    urlpool_manager_close(manager);
    ck_assert_int_eq(failure(manager, "GET", server, "/", NULL), URLPOOL_E_POOL_CLOSED);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_POOL);
    ck_assert_int_eq(urlpool_response_read_all(response, &err), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert_uint_eq(stats_of(manager).open, 0);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(pool__is_one_origin_and_refuses_another)
{
    struct test_server *server = test_server_start(answer_redirects, NULL, NULL);
    struct test_server *other = test_server_start(answer_redirects, NULL, NULL);
    char url[256];
    char path[300];
    struct urlpool_pool *pool =
        urlpool_pool_new(test_server_url(server, "/", url, sizeof(url)), NULL, &err);
    struct urlpool_response *response = urlpool_pool_request(pool, "GET", "/x", NULL, &err);

    ck_assert_msg(response != NULL, "%s", err.message);
    ck_assert_int_eq(response->status, 200);
    urlpool_response_free(response);
    test_server_url(other, "/", url, sizeof(url));
    ck_assert_ptr_null(urlpool_pool_request(pool, "GET", url, NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_HOST_CHANGED);
    snprintf(path, sizeof(path), "/to/%s", url);
    ck_assert_ptr_null(urlpool_pool_request(pool, "GET", path, NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_HOST_CHANGED);
    ck_assert_uint_eq(test_server_num_requests(other), 0);
    urlpool_pool_close(pool);
    ck_assert_ptr_null(urlpool_pool_request(pool, "GET", "/x", NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_POOL_CLOSED);
    urlpool_pool_unref(pool);
    test_server_stop(server);
    test_server_stop(other);
}
END_TEST

START_TEST(pool__lends_connections_to_speak_on)
{
    struct test_server *server = test_server_start(answer_hello, NULL, NULL);
    char url[256];
    struct urlpool_pool *pool =
        urlpool_pool_new(test_server_url(server, "/", url, sizeof(url)), NULL, &err);
    struct urlpool_connection *first = urlpool_pool_acquire(pool, NULL, NULL, &err);
    struct urlpool_connection *second = urlpool_pool_acquire(pool, NULL, NULL, &err);
    struct urlpool_response *response;
    struct urlpool_stats stats;

    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(second);
    ck_assert_int_eq(urlpool_connection_request(first, "GET", "/", NULL, NULL, &err), URLPOOL_OK);
    response = urlpool_connection_getresponse(first, &err);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(urlpool_response_read_all(response, &err), URLPOOL_OK);
    urlpool_response_free(response);
    ck_assert_int_eq(urlpool_connection_request(second, "GET", "/", NULL, NULL, &err), URLPOOL_OK);
    urlpool_pool_release(pool, first);
    urlpool_pool_release(pool, second); /* its response was never read */
    urlpool_pool_stats(pool, &stats, sizeof(stats));
    ck_assert_uint_eq(stats.idle, 1);
    ck_assert_uint_eq(stats.open, 1);
    ck_assert_uint_eq(stats.closed[URLPOOL_CLOSED_UNREAD], 1);
    urlpool_pool_unref(pool);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("request", request__returns_status_data_and_headers,
          request__uses_one_connection_again_and_again,
          request__sends_a_body_of_bytes_with_its_length, request__sends_a_body_chunked_when_asked,
          request__sends_a_file_from_its_offset_and_a_pipe_chunked,
          request__says_a_length_of_zero_for_post_and_none_for_get,
          request__lets_the_callers_fields_replace_the_managers,
          redirect__is_followed_over_the_same_connection, redirect__obeys_its_options,
          redirect__leaves_credentials_behind_for_good,
          stale__is_tried_once_more_when_the_method_allows, stale__delivers_a_post_never_twice,
          stale__tries_a_post_again_that_carries_an_idempotency_key,
          failure__has_code_phase_and_sentence, failure__before_anything_is_sent,
          deadline__covers_the_whole_body_and_every_hop,
          reuse__ends_when_the_peer_sends_more_than_its_response,
          stream__sends_the_connection_home_at_the_end_of_the_body,
          stream__given_up_early_is_drained_or_closed_but_never_reused_half_read,
          stream__outlives_its_manager, manager__closed_refuses_and_lets_a_running_exchange_finish,
          pool__is_one_origin_and_refuses_another, pool__lends_connections_to_speak_on)
