/* What goes up: bodies as a server gets them, servers that answer before they have them, and heads
 * that are refused before anything is sent. */

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    LARGE_BYTES = 24 << 20 /* more than the sockets of both sides hold */
};

/* answer_size tells how many bytes of body came, and their sum. */
static void answer_size(struct test_peer *peer, const struct test_request *request, void *user)
{
    unsigned long sum = 0;
    char text[64];

    (void)user;
    for (size_t i = 0; i < request->body_len; i++) {
        sum += request->body[i];
    }
    snprintf(text, sizeof(text), "%zu %lu", request->body_len, sum);
    test_peer_reply(peer, 200, NULL, text);
}

/* fill makes `len` bytes, and what answer_size says of them. */
static char *fill(size_t len, char *out_text, size_t text_size)
{
    char *bytes = malloc(len + 1);
    unsigned long sum = 0;

    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)('A' + i % 57);
        sum += (unsigned char)bytes[i];
    }
    snprintf(out_text, text_size, "%zu %lu", len, sum);
    return bytes;
}

START_TEST(upload__of_every_size_arrives_whole_in_each_framing)
{
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 1 << 20};
    struct test_server *server = test_server_start(answer_size, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char expected[64];
        char *bytes = fill(sizes[i], expected, sizeof(expected));
        FILE *file = tmpfile();

        ck_assert_uint_eq(fwrite(bytes, 1, sizes[i], file), sizes[i]);
        ck_assert_int_eq(fflush(file), 0);
        for (int how = 0; how < 4; how++) {
            struct urlpool_request_options options = {
                .body =
                    how < 2 ? urlpool_body_bytes(bytes, sizes[i]) : urlpool_body_fd(fileno(file))};
            struct urlpool_response *response;

            options.body.chunked = how % 2 == 1;
            ck_assert_int_eq(lseek(fileno(file), 0, SEEK_SET), 0);
            response = test_fetch(manager, "PUT", server, "/", &options);
            ck_assert_str_eq((const char *)response->data, expected);
            urlpool_response_free(response);
        }
        fclose(file);
        free(bytes);
    }
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

static void answer_too_large(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reply(peer, 413, "Connection: close\r\n", "too large");
    test_peer_close(peer);
}

/* expect_413 uploads much to a server that does not read it: the answer comes, the connection is
 * not used again. */
static void expect_413(struct urlpool_manager *manager, struct test_server *server, bool chunked)
{
    void *bytes = calloc(1, LARGE_BYTES);
    struct urlpool_request_options options = {.body = urlpool_body_bytes(bytes, LARGE_BYTES)};
    struct urlpool_response *response;

    options.body.chunked = chunked;
    response = test_fetch(manager, "POST", server, "/", &options);
    ck_assert_int_eq(response->status, 413);
    ck_assert_str_eq((const char *)response->data, "too large");
    ck_assert_uint_eq(response->num_retries, 0);
    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    ck_assert_uint_lt(test_stats(manager).bytes_sent, LARGE_BYTES);
    free(bytes);
}

START_TEST(upload__that_is_answered_early_brings_the_answer)
{
    const struct test_server_options hasty = {.leave_body = true};
    struct test_server *server = test_server_start(answer_too_large, NULL, &hasty);

    for (int chunked = 0; chunked <= 1; chunked++) {
        struct urlpool_manager *manager = test_manager(NULL);

        expect_413(manager, server, chunked == 1);
        urlpool_manager_free(manager);
    }
    ck_assert_uint_eq(test_server_num_requests(server), 2);
    test_server_stop(server);
}
END_TEST

/* A peer that reads some of a request, answers, and resets what it will not read. */
static void *answer_and_break(void *arg)
{
    static const char answer[] = "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno";
    const int *listener = arg;
    int fd = loopback_accept(*listener);
    char some[1000];

    ck_assert_int_gt(read(fd, some, sizeof(some)), 0);
    ck_assert_int_eq(write(fd, answer, sizeof(answer) - 1), sizeof(answer) - 1);
    shutdown(fd, SHUT_WR);
    while (read(fd, some, sizeof(some)) > 0) {
        /* until the client has heard and gone */
    }
    close(fd);
    return NULL;
}

START_TEST(upload__whose_connection_is_half_closed_still_brings_the_answer)
{
    int listener = loopback_listen("127.0.0.1", 0);
    void *bytes = calloc(1, LARGE_BYTES);
    const struct urlpool_request_options options = {.body = urlpool_body_bytes(bytes, LARGE_BYTES)};
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response;
    pthread_t thread;
    char url[64];

    ck_assert_int_eq(pthread_create(&thread, NULL, answer_and_break, &listener), 0);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(listener));
    response = urlpool_request(manager, "PUT", url, &options, &test_err);
    ck_assert_msg(response != NULL, "%s: %s", urlpool_code_name(test_err.code), test_err.message);
    ck_assert_int_eq(response->status, 400);
    ck_assert_str_eq((const char *)response->data, "no");
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    pthread_join(thread, NULL);
    close(listener);
    free(bytes);
}
END_TEST

static void answer_reset(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reset(peer);
}

START_TEST(upload__that_is_cut_without_an_answer_fails_and_raises_no_signal)
{
    const struct test_server_options hasty = {.leave_body = true};
    struct test_server *server = test_server_start(answer_reset, NULL, &hasty);
    struct urlpool_manager *manager = test_manager(NULL);
    void *bytes = calloc(1, LARGE_BYTES);
    const struct urlpool_request_options options = {.body = urlpool_body_bytes(bytes, LARGE_BYTES)};

    ck_assert_int_eq(test_fetch_fails(manager, "POST", server, "/", &options), URLPOOL_E_RESET);
    ck_assert(test_err.maybe_processed);
    ck_assert_uint_eq(test_server_num_requests(server), 1);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    free(bytes);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(upload__over_tls_that_is_answered_early_brings_the_answer)
{
    struct https_scene scene = https_scene_begin(answer_too_large, NULL, NULL);
    const struct test_server_options hasty = {.tls = scene.context, .leave_body = true};
    struct test_server *server = test_server_start(answer_too_large, NULL, &hasty);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = scene.tls});

    expect_413(manager, server, false);
    urlpool_manager_free(manager);
    test_server_stop(server);
    https_scene_end(&scene);
}
END_TEST

/* A file that changes its size while it is sent: when the sink hears that the head goes out. */
struct changing {
    int fd;
    off_t size;
};

static void change_size(void *user, const struct urlpool_trace_event *event)
{
    const struct changing *file = user;

    if (event->kind == URLPOOL_TRACE_REQUEST_HEAD) {
        ck_assert_int_eq(ftruncate(file->fd, file->size), 0);
    }
}

START_TEST(upload__of_a_file_that_changes_fails_and_is_never_taken_for_whole)
{
    static const off_t sizes[] = {1000, 300000};
    struct test_server *server = test_server_start(answer_size, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        FILE *file = tmpfile();
        struct changing changing = {fileno(file), sizes[i]};
        const struct urlpool_request_options options = {
            .body = urlpool_body_fd(fileno(file)),
            .trace = {.event = change_size, .user = &changing}
        };

        ck_assert_int_eq(ftruncate(fileno(file), 200000), 0);
        ck_assert_int_eq(test_fetch_fails(manager, "PUT", server, "/", &options), URLPOOL_E_BODY);
        ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_SEND);
        fclose(file);
    }
    ck_assert_uint_eq(test_stats(manager).open, 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(upload__of_what_cannot_be_read_is_refused_before_a_connection_is_made)
{
    struct test_server *server = test_server_start(answer_size, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int fds[] = {-1, 9999, folder};

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        const struct urlpool_request_options options = {.body = urlpool_body_fd(fds[i])};

        ck_assert_int_eq(test_fetch_fails(manager, "PUT", server, "/", &options), URLPOOL_E_BODY);
        ck_assert_int_ne(test_err.os_errno, 0);
        ck_assert(!test_err.maybe_processed);
    }
    ck_assert_uint_eq(test_server_num_connections(server), 0);
    close(folder);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* refuse_fields makes a request with one or two fields of the caller's that must be refused:
 * nothing is sent, nobody is dialled. */
static void refuse_field(const char *name, const char *value, const struct urlpool_body *body)
{
    struct test_server *server = test_server_start(answer_size, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    struct urlpool_request_options options = {.headers = headers};

    if (body != NULL) {
        options.body = *body;
    }
    ck_assert_int_eq(urlpool_headers_add(headers, name, value, &test_err), URLPOOL_OK);
    ck_assert_msg(test_fetch_fails(manager, "POST", server, "/", &options) == URLPOOL_E_HEADER,
                  "%s: %s: %s", name, value, test_err.message);
    ck_assert_ptr_nonnull(strstr(test_err.message, name));
    ck_assert(!test_err.maybe_processed);
    ck_assert_uint_eq(test_err.num_attempts, 0);
    ck_assert_uint_eq(test_server_num_connections(server), 0);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(server);
}

START_TEST(framing__of_the_caller_that_is_not_true_is_refused)
{
    const struct urlpool_body abc = urlpool_body_bytes("abc", 3);
    struct urlpool_body chunked = abc;
    int ends[2];

    chunked.chunked = true;
    refuse_field("Content-Length", "4", &abc);
    refuse_field("Content-Length", "2", &abc);
    refuse_field("Content-Length", "3, 3", &abc);
    refuse_field("Content-Length", "+3", &abc);
    refuse_field("Content-Length", "-1", &abc);
    refuse_field("Content-Length", "", &abc);
    refuse_field("Content-Length", "99999999999999999999", &abc);
    refuse_field("content-length", "5", NULL);
    refuse_field("Content-Length", "3", &chunked);
    refuse_field("Transfer-Encoding", "gzip", &abc);
    refuse_field("Transfer-Encoding", "gzip, chunked", &abc);
    refuse_field("Transfer-Encoding", "identity", &abc);
    refuse_field("Transfer-Encoding", "chunked", NULL);
    ck_assert_int_eq(pipe(ends), 0);
    chunked = urlpool_body_fd(ends[0]);
    refuse_field("Content-Length", "3", &chunked);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(framing__of_the_caller_that_is_true_is_sent_once)
{
    static const struct {
        const char *name, *value, *line;
    } cases[] = {
        {"content-length",    "3",       "\r\nContent-Length: 3\r\n"         },
        {"transfer-encoding", "Chunked", "\r\nTransfer-Encoding: chunked\r\n"},
    };
    struct test_server *server = test_server_start(test_answer_echo, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct urlpool_headers *headers = urlpool_headers_new(&test_err);
        const struct urlpool_request_options options = {.headers = headers,
                                                        .body = urlpool_body_bytes("abc", 3)};
        struct urlpool_response *response;
        char *head;

        ck_assert_int_eq(urlpool_headers_add(headers, cases[i].name, cases[i].value, &test_err),
                         URLPOOL_OK);
        response = test_fetch(manager, "PUT", server, "/", &options);
        ck_assert_str_eq((const char *)response->data, "abc");
        urlpool_response_free(response);
        head = test_server_last_head(server);
        ck_assert_ptr_nonnull(strstr(head, cases[i].line));
        ck_assert_ptr_null(strstr(head, cases[i].name));
        free(head);
        urlpool_headers_free(headers);
    }
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(injection__is_refused_wherever_it_is_tried)
{
    static const struct {
        const char *name, *value;
    } fields[] = {
        {"X",            "a\r\nEvil: 1"},
        {"X",            "a\nEvil: 1"  },
        {"X",            "a\rEvil: 1"  },
        {"X\r\nEvil",    "1"           },
        {"X: y\r\nEvil", "1"           },
        {"X ",           "1"           },
        {" X",           "1"           },
        {"",             "1"           },
        {"X:",           "1"           },
    };
    static const char *const methods[] = {"GET / HTTP/1.1\r\nEvil: 1\r\n\r\nGET", "GET\n", " GET",
                                          "GET ", "G\x01T"};
    static const char *const paths[] = {"/\r\nEvil: 1", "/ HTTP/1.1\r\nEvil: 1\r\n", "/a b", "/\t",
                                        "/?q=\n"};
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        ck_assert_int_eq(urlpool_headers_add(headers, fields[i].name, fields[i].value, &test_err),
                         URLPOOL_E_HEADER);
    }
    ck_assert_uint_eq(urlpool_headers_count(headers), 0);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        ck_assert_int_eq(test_fetch_fails(manager, methods[i], server, "/", NULL),
                         URLPOOL_E_HEADER);
    }
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        ck_assert_int_eq(test_fetch_fails(manager, "GET", server, paths[i], NULL), URLPOOL_E_URL);
    }
    ck_assert_uint_eq(test_server_num_connections(server), 0);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(refusal__leaves_idle_connections_as_they_are)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    const struct urlpool_request_options options = {.headers = headers};
    const struct urlpool_request_options with_body = {.body = urlpool_body_bytes("x", 1)};
    struct urlpool_response *response;

    ck_assert_int_eq(urlpool_headers_add(headers, "Content-Length", "7", &test_err), URLPOOL_OK);
    test_get(manager, server);
    (void)test_fetch_fails(manager, "GET", server, "/", &options);
    ck_assert_int_eq(test_fetch_fails(manager, "TRACE", server, "/", &with_body), URLPOOL_E_BODY);
    response = test_fetch(manager, "GET", server, "/", NULL);
    ck_assert(response->connection_reused);
    urlpool_response_free(response);
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    ck_assert_uint_eq(test_server_num_requests(server), 2);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("upload", upload__of_every_size_arrives_whole_in_each_framing,
          upload__that_is_answered_early_brings_the_answer,
          upload__whose_connection_is_half_closed_still_brings_the_answer,
          upload__that_is_cut_without_an_answer_fails_and_raises_no_signal,
          upload__over_tls_that_is_answered_early_brings_the_answer,
          upload__of_a_file_that_changes_fails_and_is_never_taken_for_whole,
          upload__of_what_cannot_be_read_is_refused_before_a_connection_is_made,
          framing__of_the_caller_that_is_not_true_is_refused,
          framing__of_the_caller_that_is_true_is_sent_once,
          injection__is_refused_wherever_it_is_tried, refusal__leaves_idle_connections_as_they_are)
