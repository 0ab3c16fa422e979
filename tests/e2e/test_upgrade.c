/* Connections that change their protocol: the raw stream that a 101, or a 2xx to CONNECT, gives to
 * its user, over http and over https. */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "urlpool/raw_stream.h"

#include "support/https_scene.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    ECHO_BYTES = 3 << 20,
    PIECE_BYTES = 30011,
    CHILD_SECONDS = 60,
    NUM_FORKS = 200,
    SOON_MS = 250,
    LONG_MS = 20000
};

#define SWITCHING "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"

static int deaf_until[2]; /* a pipe: its other end is closed */

/* echo gives back what comes, until its end. */
static void echo(struct test_peer *peer)
{
    char data[8192];
    size_t len;

    while ((len = test_peer_receive(peer, data, sizeof(data))) > 0) {
        test_peer_send(peer, data, len);
    }
    test_peer_close(peer);
}

/* answer: /hello speaks HTTP; all else switches, even when it was not asked to: /welcome says
 * something in the same packet, and fields that lead nowhere, /deaf reads nothing and /silent says
 * nothing, /close and /cut end it, /other to another protocol. The rest gives back what comes. */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    const char *target = request->target;

    if (strcmp(target, "/hello") == 0) {
        test_answer_hello(peer, request, user);
    } else if (strcmp(target, "/other") == 0) {
        test_peer_send_text(peer, SWITCHING "Upgrade: else\r\n\r\n");
    } else if (strcmp(target, "/coded") == 0) {
        test_peer_send_text(peer, SWITCHING "Upgrade: echo\r\nContent-Encoding: gzip\r\n\r\n");
        echo(peer);
    } else if (strcmp(target, "/welcome") == 0) {
        test_peer_send_text(peer, SWITCHING "Upgrade: echo\r\nRetry-After: 60\r\n"
                                            "Location: /hello\r\nContent-Length: 7\r\n\r\nwelcome");
        echo(peer);
    } else {
        test_peer_send_text(peer, SWITCHING "Upgrade: echo\r\n\r\n");
        if (strcmp(target, "/deaf") == 0) {
            char byte;

            (void)!read(deaf_until[0], &byte, 1);
        } else if (strcmp(target, "/silent") == 0) {
            test_peer_stay(peer);
        } else if (strcmp(target, "/close") == 0) {
            test_peer_close(peer);
        } else if (strcmp(target, "/cut") == 0) {
            test_peer_cut(peer);
        } else {
            echo(peer);
        }
    }
}

/* struct site is the server, plain or behind TLS, and a manager for it. */
struct site {
    struct https_scene scene;
    struct test_server *server;
    struct urlpool_manager *manager;
    bool is_tls;
};

static struct site site_begin(bool is_tls, struct urlpool_manager_options options)
{
    struct site site = {.is_tls = is_tls};

    ck_assert_int_eq(pipe(deaf_until), 0);
    if (is_tls) {
        site.scene = https_scene_begin(answer, NULL, NULL);
        site.server = site.scene.server;
        options.tls = site.scene.tls;
    } else {
        site.server = test_server_start(answer, NULL, NULL);
    }
    site.manager = test_manager(&options);
    return site;
}

static void site_end(struct site *site)
{
    close(deaf_until[1]);
    urlpool_manager_free(site->manager);
    if (site->is_tls) {
        https_scene_end(&site->scene);
    } else {
        test_server_stop(site->server);
    }
    close(deaf_until[0]);
}

static const struct urlpool_manager_options usual;

/* asks are the fields of a request that offers to change to `protocol`. */
static struct urlpool_headers *asks(const char *protocol)
{
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);

    ck_assert_int_eq(urlpool_headers_add(headers, "Connection", "Upgrade", &test_err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(headers, "Upgrade", protocol, &test_err), URLPOOL_OK);
    return headers;
}

/* ask makes a request that offers to change to "echo", and is answered. */
static struct urlpool_response *ask(const struct site *site, const char *path,
                                    struct urlpool_request_options options)
{
    struct urlpool_headers *headers = asks("echo");
    struct urlpool_response *response;

    options.headers = headers;
    response = test_fetch(site->manager, "GET", site->server, path, &options);
    urlpool_headers_free(headers);
    return response;
}

/* change asks, and takes the stream; the response is gone then. */
static struct urlpool_raw_stream *change(const struct site *site, const char *path,
                                         struct urlpool_request_options options)
{
    struct urlpool_response *response = ask(site, path, options);
    struct urlpool_raw_stream *raw = urlpool_response_upgrade(response, &test_err);

    ck_assert_msg(raw != NULL, "%s", test_err.message);
    urlpool_response_free(response);
    return raw;
}

static const struct urlpool_request_options plainly;

static void write_text(struct urlpool_raw_stream *raw, const char *text)
{
    ck_assert_msg(urlpool_raw_stream_write(raw, text, strlen(text), &test_err) == URLPOOL_OK, "%s",
                  test_err.message);
}

/* expect_text reads until as much has come as `text` has, which it must be. */
static void expect_text(struct urlpool_raw_stream *raw, const char *text)
{
    char data[256];
    size_t len = 0;

    while (len < strlen(text)) {
        size_t got = 0;

        ck_assert_msg(urlpool_raw_stream_read(raw, data + len, strlen(text) - len, &got,
                                              &test_err) == URLPOOL_OK,
                      "%s", test_err.message);
        ck_assert_uint_gt(got, 0);
        len += got;
    }
    ck_assert_mem_eq(data, text, len);
}

static enum urlpool_code read_one(struct urlpool_raw_stream *raw, size_t *out_len)
{
    char byte;

    return urlpool_raw_stream_read(raw, &byte, 1, out_len, &test_err);
}

START_TEST(upgrade__gives_the_stream_with_what_came_behind_the_head)
{
    for (int i = 0; i < 4; i++) {
        const struct urlpool_request_options options = {.stream = i >= 2};
        struct site site = site_begin(i % 2 == 1, usual);
        struct urlpool_response *response = ask(&site, "/welcome", options);
        struct urlpool_raw_stream *raw;
        struct urlpool_stats stats;

        ck_assert_int_eq(response->status, 101);
        ck_assert_uint_eq(response->data_len, 0);
        ck_assert_uint_eq(response->num_retries + response->num_redirects, 0);
        ck_assert_str_eq(urlpool_response_header(response, "upgrade"), "echo");
        raw = urlpool_response_upgrade(response, &test_err);
        ck_assert_msg(raw != NULL, "%s", test_err.message);
        ck_assert_int_ge(urlpool_raw_stream_fd(raw), 0);
        expect_text(raw, "welcome");
        write_text(raw, "ping");
        expect_text(raw, "ping");
        urlpool_response_free(response);
        write_text(raw, "");
        write_text(raw, "again");
        expect_text(raw, "again");
        stats = test_stats(site.manager);
        ck_assert_uint_eq(stats.leased, 1);
        ck_assert_uint_eq(stats.open, 1);
        urlpool_raw_stream_close(raw);
        stats = test_stats(site.manager);
        ck_assert_uint_eq(stats.open, 0);
        ck_assert_uint_eq(stats.closed[URLPOOL_CLOSED_UPGRADED], 1);
        site_end(&site);
    }
}
END_TEST

START_TEST(upgrade__is_refused_where_there_is_nothing_to_take)
{
    struct site site = site_begin(false, usual);
    struct urlpool_response *response = ask(&site, "/hello", plainly);
    struct urlpool_raw_stream *raw;

    ck_assert_int_eq(response->status, 200);
    ck_assert_ptr_null(urlpool_response_upgrade(response, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    urlpool_response_free(response);
    response = ask(&site, "/", plainly);
    raw = urlpool_response_upgrade(response, &test_err);
    ck_assert_ptr_nonnull(raw);
    ck_assert_ptr_null(urlpool_response_upgrade(response, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    urlpool_raw_stream_close(raw);
    urlpool_response_free(response);
    response = ask(&site, "/", plainly);
    urlpool_response_close(response);
    ck_assert_ptr_null(urlpool_response_upgrade(response, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    urlpool_response_free(response);
    ck_assert_ptr_null(urlpool_response_upgrade(NULL, NULL));
    ck_assert_int_eq(urlpool_raw_stream_write(NULL, "", 0, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_raw_stream_fd(NULL), -1);
    urlpool_raw_stream_shutdown(NULL);
    urlpool_raw_stream_close(NULL);
    site_end(&site);
}
END_TEST

START_TEST(upgrade__that_was_not_asked_for_is_a_fault_of_the_server)
{
    const struct urlpool_request_options once = {.retries = TEST_ONE_TRY};
    struct urlpool_headers *headers = asks("echo");
    const struct urlpool_request_options asked = {.headers = headers, .retries = TEST_ONE_TRY};
    struct site site = site_begin(false, usual);

    ck_assert_int_eq(test_fetch_fails(site.manager, "GET", site.server, "/", &once),
                     URLPOOL_E_PROTOCOL);
    ck_assert_int_eq(test_fetch_fails(site.manager, "GET", site.server, "/other", &asked),
                     URLPOOL_E_PROTOCOL);
    ck_assert_uint_eq(test_stats(site.manager).open, 0);
    urlpool_headers_free(headers);
    site_end(&site);
}
END_TEST

START_TEST(upgrade__that_is_not_taken_closes_the_connection)
{
    struct site site = site_begin(false, usual);
    struct urlpool_response *response = ask(&site, "/", plainly);
    struct urlpool_request_options again = {.recycle = response};

    response = ask(&site, "/hello", again);
    ck_assert(!response->connection_reused);
    urlpool_response_free(response);
    ck_assert_uint_eq(urlpool_manager_close_idle(site.manager), 1);
    urlpool_response_free(ask(&site, "/", plainly));
    response = ask(&site, "/", plainly);
    urlpool_response_drain(response);
    ck_assert_uint_eq(test_stats(site.manager).open, 0);
    ck_assert_uint_eq(test_stats(site.manager).closed[URLPOOL_CLOSED_UNREAD], 3);
    urlpool_response_free(response);
    site_end(&site);
}
END_TEST

START_TEST(upgrade__keeps_its_place_until_the_stream_is_closed)
{
    struct site site =
        site_begin(false, (struct urlpool_manager_options){.block = true, .maxsize = 1});
    struct urlpool_raw_stream *raw = change(&site, "/", plainly);
    const struct urlpool_request_options brief = {.timeout = {.pool_ms = SOON_MS}};

    ck_assert_int_eq(test_fetch_fails(site.manager, "GET", site.server, "/hello", &brief),
                     URLPOOL_E_POOL_TIMEOUT);
    urlpool_raw_stream_close(raw);
    urlpool_response_free(test_fetch(site.manager, "GET", site.server, "/hello", &brief));
    site_end(&site);
}
END_TEST

static unsigned num_told;

static void count_closed(void *user, const struct urlpool_trace_event *event)
{
    (void)user;
    if (event->kind == URLPOOL_TRACE_CLOSED) {
        ck_assert_mem_eq(event->text, "upgraded", event->text_len);
        num_told++;
    }
}

START_TEST(raw_stream__outlives_manager_response_and_options)
{
    for (int is_tls = 0; is_tls < 2; is_tls++) {
        struct site site = site_begin(is_tls == 1, usual);
        struct urlpool_request_options *options = calloc(1, sizeof(*options));
        struct urlpool_raw_stream *raw;

        num_told = 0;
        options->trace.event = count_closed;
        options->timeout.total_ms = LONG_MS;
        raw = change(&site, "/", *options);
        memset(options, 0xff, sizeof(*options));
        free(options);
        urlpool_manager_free(site.manager);
        site.manager = NULL;
        write_text(raw, "still here");
        expect_text(raw, "still here");
        urlpool_raw_stream_close(raw);
        ck_assert_uint_eq(num_told, 1);
        site_end(&site);
    }
}
END_TEST

START_TEST(raw_stream__waits_as_long_as_its_request_says_and_no_longer)
{
    const struct urlpool_request_options options = {
        .timeout = {.read_ms = SOON_MS, .write_ms = SOON_MS}
    };

    for (int is_tls = 0; is_tls < 2; is_tls++) {
        struct site site = site_begin(is_tls == 1, usual);
        struct urlpool_raw_stream *raw = change(&site, "/", options);
        static const char zeros[1 << 20];
        enum urlpool_code code = URLPOOL_OK;
        size_t len;

        ck_assert_int_eq(read_one(raw, &len), URLPOOL_E_READ_TIMEOUT);
        ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
        write_text(raw, "late");
        expect_text(raw, "late");
        urlpool_raw_stream_close(raw);
        raw = change(&site, "/deaf", options);
        for (int i = 0; i < 64 && code == URLPOOL_OK; i++) {
            code = urlpool_raw_stream_write(raw, zeros, sizeof(zeros), &test_err);
        }
        ck_assert_int_eq(code, URLPOOL_E_WRITE_TIMEOUT);
        ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_SEND);
        ck_assert_int_eq(urlpool_raw_stream_write(raw, zeros, 1, &test_err), URLPOOL_E_INVALID);
        urlpool_raw_stream_close(raw);
        site_end(&site);
    }
}
END_TEST

START_TEST(raw_stream__is_not_bounded_by_the_total_time)
{
    const struct urlpool_request_options options = {
        .timeout = {.total_ms = 4 * SOON_MS, .read_ms = 6 * SOON_MS}
    };
    struct site site = site_begin(false, usual);
    struct urlpool_raw_stream *raw = change(&site, "/", options);
    size_t len;

    ck_assert_int_eq(read_one(raw, &len), URLPOOL_E_READ_TIMEOUT); /* now the total is over */
    write_text(raw, "on");
    expect_text(raw, "on");
    urlpool_raw_stream_close(raw);
    site_end(&site);
}
END_TEST

START_TEST(raw_stream__end_is_told_from_a_cut)
{
    struct site site = site_begin(false, usual);
    struct urlpool_raw_stream *raw = change(&site, "/close", plainly);
    size_t len = 99;

    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(read_one(raw, &len), URLPOOL_OK);
        ck_assert_uint_eq(len, 0);
    }
    urlpool_raw_stream_close(raw);
    site_end(&site);
    site = site_begin(true, usual);
    raw = change(&site, "/close", plainly);
    len = 99;
    ck_assert_int_eq(read_one(raw, &len), URLPOOL_OK);
    ck_assert_uint_eq(len, 0);
    urlpool_raw_stream_close(raw);
    raw = change(&site, "/cut", plainly);
    ck_assert_int_eq(read_one(raw, &len), URLPOOL_E_INCOMPLETE_READ);
    urlpool_raw_stream_close(raw);
    site_end(&site);
}
END_TEST

/* struct mate is another thread at a stream. */
struct mate {
    struct urlpool_raw_stream *raw;
    struct urlpool_response *response; /* NULL: the stream is shut down, and not this */
    struct urlpool_cancel *cancel;     /* or this */
    atomic_int is_go;
    enum urlpool_code code;
};

static char byte_at(size_t offset)
{
    return (char)(offset * 31 + (offset >> 11));
}

static void *write_much(void *arg)
{
    struct mate *mate = arg;
    char piece[PIECE_BYTES];

    for (size_t at = 0; at < ECHO_BYTES && mate->code == URLPOOL_OK;) {
        const size_t len = ECHO_BYTES - at < PIECE_BYTES ? ECHO_BYTES - at : PIECE_BYTES;
        struct urlpool_error err;

        for (size_t i = 0; i < len; i++) {
            piece[i] = byte_at(at + i);
        }
        mate->code = urlpool_raw_stream_write(mate->raw, piece, len, &err);
        at += len;
    }
    return NULL;
}

START_TEST(raw_stream__is_read_by_one_thread_while_another_writes)
{
    for (int is_tls = 0; is_tls < 2; is_tls++) {
        struct site site = site_begin(is_tls == 1, usual);
        struct mate mate = {.raw = change(&site, "/", plainly)};
        pthread_t thread;
        static char data[50000];
        size_t at = 0;

        ck_assert_int_eq(pthread_create(&thread, NULL, write_much, &mate), 0);
        while (at < ECHO_BYTES) {
            size_t got = 0;

            ck_assert_msg(urlpool_raw_stream_read(mate.raw, data, sizeof(data), &got, &test_err) ==
                              URLPOOL_OK,
                          "%s", test_err.message);
            ck_assert_uint_gt(got, 0);
            for (size_t i = 0; i < got; i++, at++) {
                if (data[i] != byte_at(at)) { /* an assertion is told of by a system call */
                    ck_abort_msg("byte %zu", at);
                }
            }
        }
        pthread_join(thread, NULL);
        ck_assert_int_eq(mate.code, URLPOOL_OK);
        urlpool_raw_stream_close(mate.raw);
        site_end(&site);
    }
}
END_TEST

static void *interrupt(void *arg)
{
    struct mate *mate = arg;

    while (!atomic_load(&mate->is_go)) {
        sched_yield();
    }
    if (mate->cancel != NULL) {
        urlpool_cancel_now(mate->cancel);
    } else if (mate->response != NULL) {
        urlpool_response_shutdown(mate->response);
    } else {
        urlpool_raw_stream_shutdown(mate->raw);
    }
    return NULL;
}

START_TEST(raw_stream__read_is_ended_from_another_thread)
{
    for (int i = 0; i < 6; i++) {
        struct site site = site_begin(i % 2 == 1, usual);
        struct mate mate = {.cancel = i / 2 == 2 ? urlpool_cancel_new(&test_err) : NULL};
        struct urlpool_response *response =
            ask(&site, "/silent", (struct urlpool_request_options){.cancel = mate.cancel});
        pthread_t thread;
        size_t len;

        mate.raw = urlpool_response_upgrade(response, &test_err);
        mate.response = i / 2 == 1 ? response : NULL;
        ck_assert_int_eq(pthread_create(&thread, NULL, interrupt, &mate), 0);
        atomic_store(&mate.is_go, 1);
        for (int again = 0; again < 2; again++) {
            ck_assert_int_eq(read_one(mate.raw, &len), URLPOOL_E_CANCELLED);
        }
        ck_assert_int_eq(urlpool_raw_stream_write(mate.raw, "x", 1, &test_err),
                         URLPOOL_E_CANCELLED);
        pthread_join(thread, NULL);
        urlpool_raw_stream_close(mate.raw);
        urlpool_response_shutdown(response); /* there is nothing left to shut down */
        urlpool_response_free(response);
        urlpool_cancel_free(mate.cancel);
        ck_assert_uint_eq(test_stats(site.manager).open, 0);
        site_end(&site);
    }
}
END_TEST

START_TEST(upgrade__of_a_response_that_was_shut_down_is_shut_down)
{
    struct site site = site_begin(false, usual);
    struct urlpool_response *response = ask(&site, "/silent", plainly);
    struct urlpool_raw_stream *raw;
    size_t len;

    urlpool_response_shutdown(response);
    raw = urlpool_response_upgrade(response, &test_err);
    ck_assert_msg(raw != NULL, "%s", test_err.message);
    ck_assert_int_eq(read_one(raw, &len), URLPOOL_E_CANCELLED);
    urlpool_raw_stream_close(raw);
    urlpool_response_free(response);
    site_end(&site);
}
END_TEST

START_TEST(raw_stream__is_its_parents_in_a_child)
{
    for (int is_tls = 0; is_tls < 2; is_tls++) {
        struct site site = site_begin(is_tls == 1, usual);
        struct urlpool_raw_stream *raw = change(&site, "/", plainly);
        int status = 0;
        pid_t child = fork();

        ck_assert_int_ge(child, 0);
        if (child == 0) {
            size_t len;
            bool is_good;

            (void)signal(SIGALRM, SIG_DFL);
            (void)alarm(CHILD_SECONDS);
            is_good = read_one(raw, &len) == URLPOOL_E_FORKED &&
                      urlpool_raw_stream_write(raw, "child", 5, &test_err) == URLPOOL_E_FORKED &&
                      urlpool_raw_stream_fd(raw) == -1;
            urlpool_raw_stream_shutdown(raw);
            urlpool_raw_stream_close(raw);
            _exit(is_good ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        write_text(raw, "parent");
        expect_text(raw, "parent");
        urlpool_raw_stream_close(raw);
        site_end(&site);
    }
}
END_TEST

static void *read_on(void *arg)
{
    struct mate *mate = arg;
    static char data[50000];
    size_t got = 1;

    while (mate->code == URLPOOL_OK && got > 0) {
        struct urlpool_error err;

        mate->code = urlpool_raw_stream_read(mate->raw, data, sizeof(data), &got, &err);
    }
    return NULL;
}

static void *write_on(void *arg)
{
    struct mate *mate = arg;
    static const char data[500];
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK) {
        struct urlpool_error err;

        code = urlpool_raw_stream_write(mate->raw, data, sizeof(data), &err);
    }
    return NULL;
}

START_TEST(raw_stream__is_closed_in_a_child_while_others_take_turns)
{
    for (int is_tls = 0; is_tls < 2; is_tls++) {
        struct site site = site_begin(is_tls == 1, usual);
        struct mate mate = {.raw = change(&site, "/", plainly)};
        pthread_t threads[2];

        ck_assert_int_eq(pthread_create(&threads[0], NULL, read_on, &mate), 0);
        ck_assert_int_eq(pthread_create(&threads[1], NULL, write_on, &mate), 0);
        for (int i = 0; i < NUM_FORKS; i++) {
            int status = 0;
            const pid_t child = fork();

            if (child == 0) {
                (void)signal(SIGALRM, SIG_DFL); /* Check's would end the test with the child */
                (void)alarm(CHILD_SECONDS);
                urlpool_raw_stream_close(mate.raw);
                _exit(0);
            }
            ck_assert_int_eq(waitpid(child, &status, 0), child);
            ck_assert_int_eq(status, 0);
        }
        urlpool_raw_stream_shutdown(mate.raw);
        pthread_join(threads[0], NULL);
        pthread_join(threads[1], NULL);
        urlpool_raw_stream_close(mate.raw);
        site_end(&site);
    }
}
END_TEST

START_TEST(upgrade__on_the_lower_floor_leaves_the_connection_free)
{
    for (int is_tls = 0; is_tls < 2; is_tls++) {
        struct site site = site_begin(is_tls == 1, usual);
        struct urlpool_connection_options options = {.https = is_tls == 1, .tls = site.scene.tls};
        struct urlpool_connection *connection =
            urlpool_connection_new("127.0.0.1", test_server_port(site.server), &options, &test_err);
        struct urlpool_headers *headers = asks("other, echo");
        struct urlpool_response *response;
        struct urlpool_raw_stream *raw;

        ck_assert_int_eq(
            urlpool_connection_request(connection, "GET", "/welcome", NULL, headers, &test_err),
            URLPOOL_OK);
        response = urlpool_connection_getresponse(connection, &test_err);
        ck_assert_msg(response != NULL, "%s", test_err.message);
        raw = urlpool_response_upgrade(response, &test_err);
        ck_assert_msg(raw != NULL, "%s", test_err.message);
        urlpool_response_free(response);
        ck_assert(!urlpool_connection_is_connected(connection));
        ck_assert_int_eq(
            urlpool_connection_request(connection, "GET", "/hello", NULL, NULL, &test_err),
            URLPOOL_OK);
        response = urlpool_connection_getresponse(connection, &test_err);
        ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_OK);
        ck_assert_str_eq((const char *)response->data, "hello");
        urlpool_response_free(response);
        urlpool_connection_free(connection);
        expect_text(raw, "welcome");
        write_text(raw, "alone");
        expect_text(raw, "alone");
        urlpool_raw_stream_close(raw);
        urlpool_headers_free(headers);
        site_end(&site);
    }
}
END_TEST

START_TEST(raw_stream__of_a_lent_connection_outlives_its_pool)
{
    for (int is_tls = 0; is_tls < 2; is_tls++) {
        struct site site = site_begin(is_tls == 1, usual);
        char url[64];
        struct urlpool_pool *pool;
        struct urlpool_connection *connection;
        struct urlpool_headers *headers = asks("echo");
        struct urlpool_response *response;
        struct urlpool_raw_stream *raw;

        (void)snprintf(url, sizeof(url), "http%s://127.0.0.1:%d/", is_tls == 1 ? "s" : "",
                       test_server_port(site.server));
        pool = urlpool_manager_pool_for_url(site.manager, url, &test_err);
        connection = urlpool_pool_acquire(pool, NULL, NULL, &test_err);
        ck_assert_msg(connection != NULL, "%s", test_err.message);
        ck_assert_int_eq(
            urlpool_connection_request(connection, "GET", "/", NULL, headers, &test_err),
            URLPOOL_OK);
        response = urlpool_connection_getresponse(connection, &test_err);
        raw = urlpool_response_upgrade(response, &test_err);
        ck_assert_msg(raw != NULL, "%s", test_err.message);
        urlpool_response_free(response);
        urlpool_headers_free(headers);
        urlpool_pool_release(pool, connection);
        urlpool_pool_unref(pool);
        urlpool_manager_free(site.manager);
        site.manager = NULL;
        write_text(raw, "still here");
        expect_text(raw, "still here");
        urlpool_raw_stream_close(raw);
        site_end(&site);
    }
}
END_TEST

START_TEST(upgrade__with_a_content_coding_has_nothing_to_decode)
{
    struct site site = site_begin(false, usual);
    struct urlpool_raw_stream *raw = change(&site, "/coded", plainly);

    write_text(raw, "hello");
    expect_text(raw, "hello");
    urlpool_raw_stream_close(raw);
    site_end(&site);
}
END_TEST

START_TEST(connect__on_the_lower_floor_gives_the_tunnel)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct proxy_server *proxy = proxy_server_start(&(struct proxy_server_options){0});
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", proxy_server_port(proxy), NULL, &test_err);
    struct urlpool_response *response;
    struct urlpool_raw_stream *raw;
    char target[64];

    (void)snprintf(target, sizeof(target), "origin.example:%d", test_server_port(server));
    ck_assert_msg(urlpool_connection_request(connection, "CONNECT", target, NULL, NULL,
                                             &test_err) == URLPOOL_OK,
                  "%s", test_err.message);
    response = urlpool_connection_getresponse(connection, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(response->status, 200);
    raw = urlpool_response_upgrade(response, &test_err);
    ck_assert_msg(raw != NULL, "%s", test_err.message);
    urlpool_response_free(response);
    urlpool_connection_free(connection);
    write_text(raw, "GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n");
    expect_text(raw, "HTTP/1.1 200 ");
    urlpool_raw_stream_close(raw);
    proxy_server_stop(proxy);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("upgrade", raw_stream__is_closed_in_a_child_while_others_take_turns,
          upgrade__with_a_content_coding_has_nothing_to_decode,
          upgrade__gives_the_stream_with_what_came_behind_the_head,
          upgrade__is_refused_where_there_is_nothing_to_take,
          upgrade__that_was_not_asked_for_is_a_fault_of_the_server,
          upgrade__that_is_not_taken_closes_the_connection,
          upgrade__keeps_its_place_until_the_stream_is_closed,
          raw_stream__outlives_manager_response_and_options,
          raw_stream__waits_as_long_as_its_request_says_and_no_longer,
          raw_stream__is_not_bounded_by_the_total_time, raw_stream__end_is_told_from_a_cut,
          raw_stream__is_read_by_one_thread_while_another_writes,
          raw_stream__read_is_ended_from_another_thread,
          upgrade__of_a_response_that_was_shut_down_is_shut_down,
          raw_stream__is_its_parents_in_a_child,
          upgrade__on_the_lower_floor_leaves_the_connection_free,
          raw_stream__of_a_lent_connection_outlives_its_pool,
          connect__on_the_lower_floor_gives_the_tunnel)
