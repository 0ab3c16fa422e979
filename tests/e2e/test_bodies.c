/* Bodies that are not simply there: given by callbacks, laid out as forms, read from files that may
 * be gone or huge, waiting for 100 (Continue). What reaches the server, what the caller is told,
 * and what becomes of the connection. */

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define GIB ((off_t)1 << 30)

enum {
    LARGE_BYTES = 300000 /* not one piece, and sent as a file where that can be */
};

static atomic_uint num_answered; /* requests that came whole */

/* answer_all gives the request back: its head, then its body. */
static void answer_all(struct test_peer *peer, const struct test_request *request, void *user)
{
    const size_t head_len = strlen(request->head);
    char head[64];

    (void)user;
    atomic_fetch_add(&num_answered, 1);
    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
             head_len + request->body_len);
    test_peer_send_text(peer, head);
    test_peer_send(peer, request->head, head_len);
    test_peer_send(peer, request->body, request->body_len);
}

/* struct scene is a server that gives requests back, and a manager. */
struct scene {
    struct test_server *server;
    struct urlpool_manager *manager;
};

static struct scene begin(test_answer_fn answer)
{
    return (struct scene){test_server_start(answer, NULL, NULL), test_manager(NULL)};
}

static void end(struct scene *scene)
{
    urlpool_manager_free(scene->manager);
    test_server_stop(scene->server);
}

static struct urlpool_response *post(const struct scene *scene, struct urlpool_body body)
{
    return test_fetch(scene->manager, "POST", scene->server, "/",
                      &(struct urlpool_request_options){.body = body});
}

static enum urlpool_code post_fails(const struct scene *scene, struct urlpool_body body)
{
    return test_fetch_fails(scene->manager, "POST", scene->server, "/",
                            &(struct urlpool_request_options){.body = body});
}

/* expect_body wants the request to have had `line` in its head, and `body`. */
static void expect_body(struct urlpool_response *response, const char *line, const char *body)
{
    const char *text = (const char *)response->data;
    const char *start = strstr(text, "\r\n\r\n");

    ck_assert_ptr_nonnull(start);
    ck_assert_msg(strstr(text, line) != NULL && strstr(text, line) < start, "%s in %s", line, text);
    ck_assert_str_eq(start + 4, body);
    urlpool_response_free(response);
}

/* --- callbacks --- */

/* struct tape gives `text` again and again, `num_rounds` times. */
struct tape {
    const char *text;
    int num_rounds, at, num_rewinds;
    enum urlpool_code at_end, at_rewind;
};

static enum urlpool_code play(void *user, void *buf, size_t len, size_t *out_len,
                              struct urlpool_error *err)
{
    struct tape *tape = user;

    (void)err;
    *out_len = 0;
    if (tape->at == tape->num_rounds) {
        return tape->at_end;
    }
    tape->at++;
    *out_len = strlen(tape->text) < len ? strlen(tape->text) : len;
    memcpy(buf, tape->text, *out_len);
    return URLPOOL_OK;
}

static enum urlpool_code wind_back(void *user, struct urlpool_error *err)
{
    struct tape *tape = user;

    (void)err;
    tape->at = 0;
    tape->num_rewinds++;
    return tape->at_rewind;
}

static struct urlpool_body body_of(struct tape *tape, int64_t length)
{
    return urlpool_body_callback(play, wind_back, tape, length);
}

START_TEST(callback__is_sent_chunked_or_with_its_length)
{
    struct scene scene = begin(answer_all);

    for (int sized = 0; sized <= 1; sized++) {
        struct tape tape = {.text = "tick ", .num_rounds = 3};

        expect_body(post(&scene, body_of(&tape, sized == 1 ? 15 : 0)),
                    sized == 1 ? "\r\nContent-Length: 15\r\n"
                               : "\r\nTransfer-Encoding: chunked\r\n",
                    "tick tick tick ");
    }
    ck_assert_uint_eq(test_server_num_connections(scene.server), 1);
    end(&scene);
}
END_TEST

START_TEST(callback__that_breaks_its_word_fails_and_its_connection_is_gone)
{
    static const struct {
        int64_t length;
        int num_rounds;
        enum urlpool_code at_end, code;
    } cases[] = {
        {15, 2, URLPOOL_OK,          URLPOOL_E_BODY     }, /* too few bytes */
        {15, 4, URLPOOL_OK,          URLPOOL_E_BODY     }, /* too many */
        {15, 2, URLPOOL_E_SYSTEM,    URLPOOL_E_BODY     }, /* it fails */
        {0,  2, URLPOOL_E_INVALID,   URLPOOL_E_BODY     },
        {0,  2, URLPOOL_E_CANCELLED, URLPOOL_E_CANCELLED},
    };
    struct scene scene = begin(answer_all);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tape tape = {
            .text = "tick ", .num_rounds = cases[i].num_rounds, .at_end = cases[i].at_end};

        test_get(scene.manager, scene.server); /* so that there is a connection to spoil */
        ck_assert_int_eq(post_fails(&scene, body_of(&tape, cases[i].length)), cases[i].code);
        ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_SEND);
        ck_assert(test_err.maybe_processed);
        ck_assert_uint_eq(test_err.num_attempts, 1); /* nothing of this is better the next time */
        ck_assert_uint_eq(test_stats(scene.manager).open, 0);
    }
    end(&scene);
    /* The server saw no whole request but the harmless ones. */
    ck_assert_uint_eq(atomic_load(&num_answered), sizeof(cases) / sizeof(cases[0]));
}
END_TEST

static void redirect_307(struct test_peer *peer, const struct test_request *request, void *user)
{
    if (strcmp(request->target, "/") == 0) {
        test_peer_reply(peer, 307, "Location: /there\r\n", "");
        return;
    }
    answer_all(peer, request, user);
}

START_TEST(callback__is_rewound_for_another_hop)
{
    struct scene scene = begin(redirect_307);
    struct tape tape = {.text = "tick ", .num_rounds = 3};

    expect_body(post(&scene, body_of(&tape, 15)), "POST /there", "tick tick tick ");
    ck_assert_int_eq(tape.num_rewinds, 1);
    tape = (struct tape){.text = "tick ", .num_rounds = 3, .at_rewind = URLPOOL_E_SYSTEM};
    ck_assert_int_eq(post_fails(&scene, body_of(&tape, 15)), URLPOOL_E_UNREWINDABLE);
    ck_assert_int_eq(tape.num_rewinds, 1);
    end(&scene);
}
END_TEST

/* pause takes 5 ms, as a slow source does. */
static enum urlpool_code dawdle(void *user, void *buf, size_t len, size_t *out_len,
                                struct urlpool_error *err)
{
    (void)user;
    (void)err;
    (void)len;
    (void)poll(NULL, 0, 5);
    memcpy(buf, "x", 1);
    *out_len = 1;
    return URLPOOL_OK;
}

START_TEST(callback__that_takes_its_time_is_bounded_by_the_total)
{
    struct scene scene = begin(answer_all);
    const struct urlpool_request_options options = {
        .body = urlpool_body_callback(dawdle, NULL, NULL, 0), .timeout = {.total_ms = 400}};

    ck_assert_int_eq(test_fetch_fails(scene.manager, "POST", scene.server, "/", &options),
                     URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_SEND);
    ck_assert_uint_eq(test_stats(scene.manager).open, 0);
    end(&scene);
}
END_TEST

/* --- forms --- */

/* named_file makes a file of `len` bytes 'a' to 'z'; the caller removes it. */
static void named_file(char path[32], off_t len)
{
    char *bytes = malloc((size_t)len + 1);
    int fd;

    ck_assert_ptr_nonnull(bytes);
    for (off_t i = 0; i < len; i++) {
        bytes[i] = (char)('a' + i % 26);
    }
    strcpy(path, "/tmp/urlpool-body-XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, (size_t)len), len);
    close(fd);
    free(bytes);
}

/* check_multipart sends a form with a file between two texts, and wants it back whole. */
static void check_multipart(struct urlpool_manager *manager, struct test_server *server, off_t len)
{
    struct urlpool_form *form = urlpool_form_new(&test_err);
    char path[32];
    char *expected = calloc(1, (size_t)len + 1024);
    char line[64];
    struct urlpool_response *response;
    size_t at;

    ck_assert_ptr_nonnull(expected);
    named_file(path, len);
    ck_assert_int_eq(urlpool_form_set_boundary(form, "b", &test_err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add(form, "a", "1", &test_err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add_part(
                         form,
                         &(struct urlpool_part){.name = "f", .path = path, .filename = "x\"y.txt"},
                         &test_err),
                     URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add(form, "z", "2", &test_err), URLPOOL_OK);
    strcpy(expected, "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
                     "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x%22y.txt\"\r\n"
                     "Content-Type: text/plain\r\n\r\n");
    at = strlen(expected);
    for (off_t i = 0; i < len; i++) {
        expected[at++] = (char)('a' + i % 26);
    }
    strcpy(expected + at, "\r\n--b\r\nContent-Disposition: form-data; name=\"z\"\r\n\r\n2\r\n"
                          "--b--\r\n");
    snprintf(line, sizeof(line), "\r\nContent-Length: %zu\r\n", strlen(expected));
    for (int i = 0; i < 2; i++) { /* the file is opened anew each time */
        response =
            test_fetch(manager, "POST", server, "/",
                       &(struct urlpool_request_options){.body = urlpool_body_multipart(form)});
        ck_assert_ptr_nonnull(strstr((const char *)response->data,
                                     "\r\nContent-Type: multipart/form-data; boundary=b\r\n"));
        expect_body(response, line, expected);
    }
    ck_assert_int_eq(unlink(path), 0);
    urlpool_form_free(form);
    free(expected);
}

START_TEST(multipart__arrives_whole_with_its_length_plain_and_over_tls)
{
    static const off_t sizes[] = {0, 10, 65536, LARGE_BYTES};
    struct https_scene secure = https_scene_begin(answer_all, NULL, NULL);
    struct scene scene = begin(answer_all);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = secure.tls});

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        check_multipart(scene.manager, scene.server, sizes[i]);
        check_multipart(manager, secure.server, sizes[i]);
    }
    ck_assert_uint_eq(test_server_num_connections(scene.server), 1);
    ck_assert_uint_eq(test_server_num_connections(secure.server), 1);
    urlpool_manager_free(manager);
    https_scene_end(&secure);
    end(&scene);
}
END_TEST

START_TEST(multipart__of_a_file_that_is_not_there_costs_no_connection)
{
    struct scene scene = begin(answer_all);
    struct urlpool_form *form = urlpool_form_new(&test_err);
    const unsigned num_fds = loopback_num_fds();

    ck_assert_int_eq(urlpool_form_add_file(form, "f", "/nowhere/at/all", &test_err), URLPOOL_OK);
    ck_assert_int_eq(post_fails(&scene, urlpool_body_multipart(form)), URLPOOL_E_BODY);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_SEND);
    ck_assert_ptr_nonnull(strstr(test_err.message, "/nowhere/at/all"));
    ck_assert(!test_err.maybe_processed);
    ck_assert_uint_eq(test_err.num_attempts, 0);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 0);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
    urlpool_form_free(form);
    end(&scene);
}
END_TEST

/* struct change is a file whose size changes when the head goes out. */
struct change {
    const char *path;
    off_t len;
};

static void change_size(void *user, const struct urlpool_trace_event *event)
{
    const struct change *change = user;

    if (event->kind == URLPOOL_TRACE_REQUEST_HEAD) {
        ck_assert_int_eq(truncate(change->path, change->len), 0);
    }
}

START_TEST(multipart__of_a_file_that_changes_fails_and_leaves_nothing_open)
{
    const unsigned num_fds = loopback_num_fds();
    struct scene scene = begin(answer_all);

    for (int i = 0; i < 4; i++) {
        struct urlpool_form *form = urlpool_form_new(&test_err);
        const off_t len = i < 2 ? 100 : LARGE_BYTES;
        char path[32];
        struct change change = {path, i % 2 == 0 ? len - 1 : len + 1};
        const struct urlpool_request_options options = {
            .body = urlpool_body_multipart(form), .trace = {.event = change_size, .user = &change}
        };

        named_file(path, len);
        ck_assert_int_eq(urlpool_form_add_file(form, "f", path, &test_err), URLPOOL_OK);
        ck_assert_int_eq(test_fetch_fails(scene.manager, "POST", scene.server, "/", &options),
                         URLPOOL_E_BODY);
        ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_SEND);
        ck_assert_ptr_nonnull(strstr(test_err.message, path));
        ck_assert_uint_eq(test_err.num_attempts, 1);
        ck_assert_uint_eq(test_stats(scene.manager).open, 0);
        ck_assert_int_eq(unlink(path), 0);
        urlpool_form_free(form);
    }
    end(&scene);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
    ck_assert_uint_eq(atomic_load(&num_answered), 0);
}
END_TEST

/* --- files that are huge --- */

/* sparse_file is an unlinked file of `len` bytes that takes no room. */
static int sparse_file(off_t len)
{
    char path[] = "/tmp/urlpool-sparse-XXXXXX";
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(ftruncate(fd, len), 0);
    return fd;
}

START_TEST(file__is_sent_from_an_offset_behind_4_gib)
{
    struct scene scene = begin(answer_all);
    const off_t start = 5 * GIB - LARGE_BYTES;
    int fd = sparse_file(5 * GIB);
    struct urlpool_response *response;
    const char *body;

    ck_assert_int_eq(pwrite(fd, "first", 5, start), 5);
    ck_assert_int_eq(pwrite(fd, "last", 4, 5 * GIB - 4), 4);
    ck_assert_int_eq(lseek(fd, start, SEEK_SET), start);
    response = post(&scene, urlpool_body_fd(fd));
    ck_assert_ptr_nonnull(strstr((const char *)response->data, "\r\nContent-Length: 300000\r\n"));
    body = strstr((const char *)response->data, "\r\n\r\n") + 4;
    ck_assert_mem_eq(body, "first", 5);
    ck_assert_mem_eq(response->data + response->data_len - 4, "last", 4);
    ck_assert_uint_eq(response->data_len - (size_t)(body - (const char *)response->data),
                      LARGE_BYTES);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 5 * GIB); /* as if it had been read */
    urlpool_response_free(response);
    close(fd);
    end(&scene);
}
END_TEST

static void answer_too_large(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    ck_assert_ptr_nonnull(strstr(request->head, "\r\nContent-Length: 3221225472\r\n"));
    test_peer_reply(peer, 413, "Connection: close\r\n", "too large");
    test_peer_close(peer);
}

START_TEST(file__of_3_gib_is_announced_and_left_at_an_early_answer)
{
    const struct test_server_options hasty = {.leave_body = true};
    struct scene scene = {test_server_start(answer_too_large, NULL, &hasty), test_manager(NULL)};
    int fd = sparse_file(3 * GIB);
    struct urlpool_response *response = post(&scene, urlpool_body_fd(fd));

    ck_assert_int_eq(response->status, 413);
    ck_assert_str_eq((const char *)response->data, "too large");
    ck_assert_uint_lt(test_stats(scene.manager).bytes_sent, 64 << 20);
    ck_assert_uint_eq(test_stats(scene.manager).open, 0);
    urlpool_response_free(response);
    close(fd);
    end(&scene);
}
END_TEST

static volatile sig_atomic_t num_signals;

static void count_signal(int signal)
{
    (void)signal;
    num_signals++;
}

static void answer_reset(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reset(peer);
}

START_TEST(file__to_a_server_that_resets_fails_and_raises_no_signal)
{
    const struct test_server_options hasty = {.leave_body = true};
    struct scene scene = {test_server_start(answer_reset, NULL, &hasty), test_manager(NULL)};
    sigset_t pending;
    int fd = sparse_file(3 * GIB);

    (void)signal(SIGPIPE, count_signal);
    for (int i = 0; i < 20; i++) {
        enum urlpool_code code;

        ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
        code = post_fails(&scene, urlpool_body_fd(fd));
        /* Who hears of the reset first, sendfile or the read behind it, decides how it is called.
         */
        ck_assert(code == URLPOOL_E_RESET || code == URLPOOL_E_REMOTE_DISCONNECTED);
    }
    ck_assert_int_eq(num_signals, 0);
    ck_assert_int_eq(sigpending(&pending), 0);
    ck_assert_int_eq(sigismember(&pending, SIGPIPE), 0);
    close(fd);
    end(&scene);
}
END_TEST

START_TEST(file__that_is_not_taken_is_left_at_its_write_limit)
{
    struct loopback_hole hole = {loopback_listen("127.0.0.1", 0), -1};
    struct urlpool_manager *manager = test_manager(NULL);
    int fd = sparse_file(3 * GIB);
    const struct urlpool_request_options options = {.body = urlpool_body_fd(fd),
                                                    .timeout = {.write_ms = 50}};
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(hole.listener));
    ck_assert_ptr_null(urlpool_request(manager, "POST", url, &options, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_WRITE_TIMEOUT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_SEND);
    close(fd);
    close(hole.listener);
    urlpool_manager_free(manager);
}
END_TEST

/* --- 100 (Continue) --- */

#define OK_DONE "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone"

/* struct talk is one connection of a server that acts line by line. A line that begins with '<'
 * waits until as much was read as the text behind it ends with; '>' sends; '!' demands that nothing
 * comes for 20 ms; '$' reads to the client's end; '.' ends the connection and takes the next. */
struct talk {
    int listener;
    const char *const *lines;
    char seen[4096];
    size_t seen_len;
};

static bool take_some(struct talk *talk, int fd)
{
    ssize_t got = recv(fd, talk->seen + talk->seen_len, sizeof(talk->seen) - 1 - talk->seen_len, 0);

    ck_assert_int_ge(got, 0);
    talk->seen_len += (size_t)got;
    talk->seen[talk->seen_len] = '\0';
    return got > 0;
}

static void read_until(struct talk *talk, int fd, const char *text)
{
    while (strstr(talk->seen, text) == NULL) {
        ck_assert_msg(take_some(talk, fd), "no \"%s\" behind %s", text, talk->seen);
    }
}

static void *be_talkative(void *arg)
{
    struct talk *talk = arg;
    int fd = loopback_accept(talk->listener);

    for (const char *const *line = talk->lines; *line != NULL; line++) {
        struct pollfd quiet = {.fd = fd, .events = POLLIN};

        switch (**line) {
        case '<':
            read_until(talk, fd, *line + 1);
            break;
        case '>':
            (void)send(fd, *line + 1, strlen(*line + 1), MSG_NOSIGNAL);
            break;
        case '$':
            while (take_some(talk, fd)) {
                /* more may come */
            }
            break;
        case '!':
            ck_assert_int_eq(poll(&quiet, 1, 20), 0);
            break;
        default:
            close(fd);
            fd = loopback_accept(talk->listener);
            talk->seen[0] = '\0';
            talk->seen_len = 0;
        }
    }
    close(fd);
    return NULL;
}

/* talk_to posts "the body" with the expectation, and keeps it to what the lines say. The response
 * is the caller's. */
static struct urlpool_response *talk_to(const char *const *lines, int64_t expect_ms,
                                        struct talk *talk)
{
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {.body = urlpool_body_bytes("the body", 8)};
    struct urlpool_response *response;
    pthread_t thread;
    char url[64];

    options.body.expect_continue = true;
    options.body.expect_ms = expect_ms;
    *talk = (struct talk){loopback_listen("127.0.0.1", 0), lines, "", 0};
    ck_assert_int_eq(pthread_create(&thread, NULL, be_talkative, talk), 0);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(talk->listener));
    response = urlpool_request(manager, "PUT", url, &options, &test_err);
    ck_assert_msg(response != NULL, "%s: %s", urlpool_code_name(test_err.code), test_err.message);
    ck_assert_uint_le(test_stats(manager).open, 1);
    urlpool_manager_free(manager);
    pthread_join(thread, NULL);
    close(talk->listener);
    return response;
}

static void expect_done(struct urlpool_response *response)
{
    ck_assert_int_eq(response->status, 200);
    ck_assert_str_eq((const char *)response->data, "done");
    urlpool_response_free(response);
}

START_TEST(expect__waits_for_100_and_then_sends)
{
    static const char *const lines[] = {"<\r\n\r\n",
                                        "!",
                                        ">HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
                                        "!",
                                        ">HTTP/1.1 100 Continue\r\n\r\n",
                                        "<the body",
                                        ">" OK_DONE,
                                        NULL};
    struct talk talk;

    expect_done(talk_to(lines, 60000, &talk));
    ck_assert_ptr_nonnull(strstr(talk.seen, "\r\nExpect: 100-continue\r\n"));
}
END_TEST

START_TEST(expect__sends_when_no_100_comes_or_too_late)
{
    static const char *const never[] = {"<\r\n\r\n", "<the body", ">" OK_DONE, NULL};
    static const char *const late[] = {"<\r\n\r\n", "<the body",
                                       ">HTTP/1.1 100 Continue\r\n\r\n" OK_DONE, NULL};
    struct talk talk;

    expect_done(talk_to(never, 20, &talk));
    expect_done(talk_to(late, 20, &talk));
    expect_done(talk_to(never, URLPOOL_NONE, &talk));
}
END_TEST

START_TEST(expect__keeps_the_body_back_after_a_final_answer)
{
    static const char *const lines[] = {
        "<\r\n\r\n", ">HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno", "$", NULL};
    struct talk talk;
    struct urlpool_response *response = talk_to(lines, 60000, &talk);

    ck_assert_int_eq(response->status, 401);
    ck_assert_ptr_null(strstr(talk.seen, "the body"));
    urlpool_response_free(response);
}
END_TEST

START_TEST(expect__is_not_said_again_after_417)
{
    static const char *const lines[] = {
        "<\r\n\r\n", ">HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", ".", "<the body", ">" OK_DONE,
        NULL};
    struct talk talk;

    expect_done(talk_to(lines, 60000, &talk));
    ck_assert_ptr_null(strstr(talk.seen, "Expect"));
}
END_TEST

START_TEST(expect__notices_a_connection_that_was_stale)
{
    static const char *const lines[] = {
        "<\r\n\r\n", ".",         "<\r\n\r\n", ">HTTP/1.1 100 Continue\r\n\r\n",
        "<the body", ">" OK_DONE, NULL};
    struct talk talk;

    /* On a fresh connection this is a read that failed, and PUT may be tried again. */
    expect_done(talk_to(lines, 60000, &talk));
}
END_TEST

/* Over TLS the wait ends in the middle of nothing, and the connection goes on. */
START_TEST(expect__over_tls_sends_when_no_100_comes)
{
    struct https_scene scene = https_scene_begin(test_answer_echo, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = scene.tls});
    struct urlpool_request_options options = {.body = urlpool_body_bytes("the body", 8)};

    options.body.expect_continue = true;
    options.body.expect_ms = 20;
    for (int i = 0; i < 2; i++) {
        struct urlpool_response *response = test_fetch(manager, "PUT", scene.server, "/", &options);

        ck_assert_str_eq((const char *)response->data, "the body");
        urlpool_response_free(response);
    }
    ck_assert_uint_eq(test_server_num_connections(scene.server), 1);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

START_TEST(expect__is_left_at_the_total_and_at_a_cancel)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    int listener = loopback_listen("127.0.0.1", 0);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {.body = urlpool_body_bytes("the body", 8),
                                              .timeout = {.total_ms = 400}};
    char url[64];

    options.body.expect_continue = true;
    options.body.expect_ms = URLPOOL_NO_TIMEOUT;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(listener));
    ck_assert_ptr_null(urlpool_request(manager, "PUT", url, &options, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_SEND);
    options.cancel = cancel;
    options.timeout.total_ms = 0;
    urlpool_cancel_now(cancel);
    ck_assert_ptr_null(urlpool_request(manager, "PUT", url, &options, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_CANCELLED);
    urlpool_cancel_free(cancel);
    urlpool_manager_free(manager);
    close(listener);
}
END_TEST

/* --- trailers --- */

START_TEST(trailers__stand_behind_the_last_chunk_on_the_wire)
{
    static const char *const lines[] = {"<Sum: 9\r\n\r\n", ">" OK_DONE, NULL};
    struct urlpool_headers *trailers = urlpool_headers_new(&test_err);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {.body = urlpool_body_bytes("the body", 8)};
    struct talk talk = {loopback_listen("127.0.0.1", 0), lines, "", 0};
    pthread_t thread;
    char url[64];

    ck_assert_int_eq(urlpool_headers_add(trailers, "Sum", "9", &test_err), URLPOOL_OK);
    options.body.trailers = trailers;
    ck_assert_int_eq(pthread_create(&thread, NULL, be_talkative, &talk), 0);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(talk.listener));
    expect_done(urlpool_request(manager, "PUT", url, &options, &test_err));
    pthread_join(thread, NULL);
    ck_assert_ptr_nonnull(strstr(talk.seen, "\r\nTransfer-Encoding: chunked\r\n"));
    ck_assert_ptr_nonnull(strstr(talk.seen, "\r\nTrailer: Sum\r\n"));
    ck_assert_str_eq(strstr(talk.seen, "\r\n\r\n"), "\r\n\r\n8\r\nthe body\r\n0\r\nSum: 9\r\n\r\n");
    ck_assert_int_eq(urlpool_headers_add(trailers, "Host", "evil", &test_err), URLPOOL_OK);
    ck_assert_ptr_null(urlpool_request(manager, "PUT", url, &options, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_HEADER);
    ck_assert_uint_eq(test_err.num_attempts, 0);
    urlpool_headers_free(trailers);
    urlpool_manager_free(manager);
    close(talk.listener);
}
END_TEST

RUN_TESTS("bodies", callback__is_sent_chunked_or_with_its_length,
          callback__that_breaks_its_word_fails_and_its_connection_is_gone,
          callback__is_rewound_for_another_hop,
          callback__that_takes_its_time_is_bounded_by_the_total,
          multipart__arrives_whole_with_its_length_plain_and_over_tls,
          multipart__of_a_file_that_is_not_there_costs_no_connection,
          multipart__of_a_file_that_changes_fails_and_leaves_nothing_open,
          file__is_sent_from_an_offset_behind_4_gib,
          file__of_3_gib_is_announced_and_left_at_an_early_answer,
          file__to_a_server_that_resets_fails_and_raises_no_signal,
          file__that_is_not_taken_is_left_at_its_write_limit, expect__waits_for_100_and_then_sends,
          expect__sends_when_no_100_comes_or_too_late,
          expect__keeps_the_body_back_after_a_final_answer, expect__is_not_said_again_after_417,
          expect__notices_a_connection_that_was_stale, expect__over_tls_sends_when_no_100_comes,
          expect__is_left_at_the_total_and_at_a_cancel,
          trailers__stand_behind_the_last_chunk_on_the_wire)
