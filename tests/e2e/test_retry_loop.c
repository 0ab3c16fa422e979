/* A request that is made again: what is sent, what the caller is shown of it, and what he is told
 * when it was in vain. Pauses have tests of their own, as has which failure is made good. */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    URL_BYTES = 256,
    NUM_SINKS_MAX = 16,
    ALLOCATIONS_MAX = 1000
};

/* struct flaky is a server that does as it is told, request by request: each letter is one. */
struct flaky {
    const char *plan; /* 'b' 503, 'B' 503 with Retry-After: 0, 'c' close, 'h' half a body, 'r' 302
                         to /next, 'x' 417, else 200 */
    struct test_server *server;
    pthread_mutex_t mutex;
    size_t num;
    char bodies[64]; /* of all requests */
};

static char next_step(struct flaky *flaky, const struct test_request *request)
{
    char step;

    pthread_mutex_lock(&flaky->mutex);
    step = flaky->plan[flaky->num];
    flaky->num += step != '\0';
    if (request->body_len > 0) {
        size_t len = strlen(flaky->bodies);

        (void)snprintf(flaky->bodies + len, sizeof(flaky->bodies) - len, "%.*s|",
                       (int)request->body_len, (const char *)request->body);
    }
    pthread_mutex_unlock(&flaky->mutex);
    return step;
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    switch (next_step(user, request)) {
    case 'b':
        test_peer_reply(peer, 503, NULL, "busy");
        break;
    case 'B':
        test_peer_reply(peer, 503, "Retry-After: 0\r\n", "busy");
        break;
    case 'c':
        test_peer_close(peer);
        break;
    case 'h':
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        test_peer_close(peer);
        break;
    case 'r':
        test_peer_reply(peer, 302, "Location: /next\r\n", "there");
        break;
    case 'x':
        test_peer_reply(peer, 417, NULL, "");
        break;
    default:
        test_peer_reply(peer, 200, NULL, "hello");
        break;
    }
}

static void flaky_begin(struct flaky *flaky, const char *plan)
{
    *flaky = (struct flaky){.plan = plan, .mutex = PTHREAD_MUTEX_INITIALIZER};
    flaky->server = test_server_start(answer, flaky, NULL);
}

static const struct urlpool_retry on_503 = {.status_forcelist = {503}};

START_TEST(retry__shows_what_came_before)
{
    static const struct {
        enum urlpool_code code;
        int status;
        const char *path, *location;
    } hops[] = {
        {URLPOOL_E_REMOTE_DISCONNECTED, 0,   "/",     NULL   },
        {URLPOOL_OK,                    503, "/",     NULL   },
        {URLPOOL_OK,                    302, "/",     "/next"},
        {URLPOOL_E_INCOMPLETE_READ,     200, "/next", NULL   },
    };
    const struct urlpool_request_options options = {.retries = on_503};
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response;
    struct flaky flaky;
    char url[URL_BYTES];
    char text[URL_BYTES];

    flaky_begin(&flaky, "cbrh.");
    (void)snprintf(url, sizeof(url), "http://me:secret@127.0.0.1:%d/#part",
                   test_server_port(flaky.server));
    response = urlpool_request(manager, "GET", url, &options, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert_uint_eq(response->num_retries, 3);
    ck_assert_uint_eq(response->num_redirects, 1);
    ck_assert_uint_eq(urlpool_response_num_hops(response), 4);
    for (size_t i = 0; i < 4; i++) {
        struct urlpool_hop hop = urlpool_response_hop(response, i);

        ck_assert_str_eq(hop.method, "GET");
        ck_assert_int_eq(hop.code, hops[i].code);
        ck_assert_int_eq(hop.status, hops[i].status);
        (void)snprintf(text, sizeof(text), "http://127.0.0.1:%d%s#part",
                       test_server_port(flaky.server), hops[i].path);
        ck_assert_str_eq(hop.url, text);
        if (hops[i].location == NULL) {
            ck_assert_ptr_null(hop.location);
            continue;
        }
        (void)snprintf(text, sizeof(text), "http://127.0.0.1:%d%s#part",
                       test_server_port(flaky.server), hops[i].location);
        ck_assert_str_eq(hop.location, text);
    }
    ck_assert_ptr_null(urlpool_response_hop(response, 4).method);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retry__that_was_not_needed_leaves_no_history)
{
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response;
    struct flaky flaky;

    flaky_begin(&flaky, "");
    response = test_fetch(manager, "GET", flaky.server, "/", NULL);
    ck_assert_uint_eq(urlpool_response_num_hops(response), 0);
    ck_assert_uint_eq(response->num_retries, 0);
    urlpool_response_free(response);
    ck_assert_uint_eq(urlpool_response_num_hops(NULL), 0);
    ck_assert_ptr_null(urlpool_response_hop(NULL, 0).method);
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retry__after_a_stale_connection_is_history_too)
{
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response;
    struct flaky flaky;

    flaky_begin(&flaky, ".c.");
    test_get(manager, flaky.server);
    response = test_fetch(manager, "GET", flaky.server, "/", NULL);
    ck_assert_uint_eq(urlpool_response_num_hops(response), 1);
    ck_assert_int_eq(urlpool_response_hop(response, 0).code, URLPOOL_E_REMOTE_DISCONNECTED);
    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(manager).stale_retries, 1);
    ck_assert_uint_eq(test_stats(manager).retries, 0);
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retry__that_succeeds_leaves_the_error_alone)
{
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_error err;
    struct urlpool_error before;
    struct flaky flaky;
    char url[URL_BYTES];

    flaky_begin(&flaky, "ch.");
    memset(&err, 0x5a, sizeof(err));
    before = err;
    urlpool_response_free(urlpool_request(
        manager, "GET", test_server_url(flaky.server, "/", url, sizeof(url)), NULL, &err));
    ck_assert_mem_eq(&err, &before, sizeof(err));
    ck_assert_uint_eq(test_server_num_requests(flaky.server), 3);
    ck_assert_uint_eq(test_stats(manager).retries, 2);
    ck_assert_uint_eq(test_stats(manager).failures, 0);
    ck_assert_uint_eq(test_stats(manager).requests, 1);
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retry__in_vain_says_how_often_and_why)
{
    struct urlpool_manager *manager = test_manager(NULL);
    int port = loopback_bind("127.0.0.1", 0);
    char url[URL_BYTES];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(port));
    ck_assert_ptr_null(urlpool_request(manager, "POST", url, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_MAX_RETRIES);
    ck_assert_int_eq(test_err.cause, URLPOOL_E_CONNECT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert_int_eq(test_err.os_errno, ECONNREFUSED);
    ck_assert_int_eq(test_err.http_status, 0);
    ck_assert_uint_eq(test_err.num_attempts, 4);
    ck_assert(!test_err.maybe_processed);
    ck_assert_ptr_eq(strstr(test_err.message, "3 retries used up: "), test_err.message);
    ck_assert_ptr_nonnull(strstr(test_err.message, "refused"));
    ck_assert_uint_eq(test_stats(manager).retries, 3);
    ck_assert_uint_eq(test_stats(manager).failures, 1);
    ck_assert_uint_eq(test_stats(manager).dial_failures, 4);
    close(port);
    urlpool_manager_free(manager);
}
END_TEST

START_TEST(retry__without_bound_ends_with_the_total_time)
{
    const struct urlpool_request_options options = {
        .timeout = {.total_ms = 100           },
        .retries = { .total = URLPOOL_NO_TIMEOUT, .status_forcelist = {200}}
    };
    struct urlpool_manager *manager = test_manager(NULL);
    int port = loopback_bind("127.0.0.1", 0);
    struct flaky flaky;
    char url[URL_BYTES];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(port));
    ck_assert_ptr_null(urlpool_request(manager, "GET", url, &options, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_uint_gt(test_err.num_attempts, 4);
    close(port);
    flaky_begin(&flaky, "");
    ck_assert_int_eq(test_fetch_fails(manager, "GET", flaky.server, "/", &options),
                     URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_uint_gt(test_err.num_attempts, 4);
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retry__in_vain_tells_of_the_last_answer)
{
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {.retries = on_503};
    struct flaky flaky;

    flaky_begin(&flaky, "bbbbbbbbbbcccc");
    options.retries.total = 1;
    options.retries.raise_on_status = true;
    ck_assert_int_eq(test_fetch_fails(manager, "GET", flaky.server, "/", &options),
                     URLPOOL_E_MAX_RETRIES);
    ck_assert_int_eq(test_err.cause, URLPOOL_OK);
    ck_assert_int_eq(test_err.http_status, 503);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_HEAD);
    ck_assert(test_err.maybe_processed);
    ck_assert_str_eq(test_err.message, "1 retry used up: status 503");
    ck_assert_uint_eq(test_err.num_attempts, 2);
    ck_assert_uint_eq(test_stats(manager).idle, 1); /* drained, and at home */
    /* Without raise_on_status the last answer is the answer. */
    options.retries.raise_on_status = false;
    urlpool_response_free(test_fetch(manager, "GET", flaky.server, "/", &options));
    /* A failure after an answer keeps that answer's status. */
    options.retries.total = 7;
    ck_assert_int_eq(test_fetch_fails(manager, "GET", flaky.server, "/", &options),
                     URLPOOL_E_MAX_RETRIES);
    ck_assert_int_eq(test_err.cause, URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert_int_eq(test_err.http_status, 503);
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retry__ends_with_what_cannot_be_made_good_and_says_what_was_before)
{
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    const struct urlpool_request_options options = {.data_bytes_max = 3};
    struct flaky flaky;

    flaky_begin(&flaky, "c.");
    ck_assert_int_eq(test_fetch_fails(manager, "GET", flaky.server, "/", &options),
                     URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_int_eq(test_err.cause, URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert_uint_eq(test_err.num_attempts, 2);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retry__of_a_body_that_breaks_off_is_for_buffered_ones)
{
    const struct urlpool_request_options stream = {.stream = true};
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response;
    struct flaky flaky;
    char bytes[16];
    size_t len;

    flaky_begin(&flaky, "h.h.");
    response = test_fetch(manager, "GET", flaky.server, "/", NULL);
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert_uint_eq(response->data_len, 5);
    urlpool_response_free(response);
    response = test_fetch(manager, "GET", flaky.server, "/", &stream);
    ck_assert_int_eq(urlpool_response_read_exact(response, bytes, sizeof(bytes), &len, &test_err),
                     URLPOOL_E_INCOMPLETE_READ);
    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(manager).retries, 1);
    ck_assert_uint_eq(test_server_num_requests(flaky.server), 3);
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retry__of_a_streamed_response_is_made_until_its_head)
{
    const struct urlpool_request_options options = {.stream = true, .retries = on_503};
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response;
    struct flaky flaky;

    flaky_begin(&flaky, "cb.");
    response = test_fetch(manager, "GET", flaky.server, "/", &options);
    ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert_uint_eq(urlpool_response_num_hops(response), 2);
    urlpool_manager_free(manager); /* the response holds what it needs */
    ck_assert_int_eq(urlpool_response_hop(response, 1).status, 503);
    urlpool_response_free(response);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retry__sends_the_same_body_again)
{
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {.retries = on_503};
    FILE *file = tmpfile();
    struct flaky flaky;

    ck_assert_int_eq(pwrite(fileno(file), "0123456789", 10, 0), 10);
    flaky_begin(&flaky, "cbh.");
    ck_assert_int_eq(lseek(fileno(file), 6, SEEK_SET), 6);
    options.body = urlpool_body_fd(fileno(file));
    urlpool_response_free(test_fetch(manager, "PUT", flaky.server, "/", &options));
    ck_assert_str_eq(flaky.bodies, "6789|6789|6789|6789|");
    test_server_stop(flaky.server);
    flaky_begin(&flaky, "cr.");
    options.body = urlpool_body_bytes("abc", 3);
    urlpool_response_free(test_fetch(manager, "PUT", flaky.server, "/", &options));
    ck_assert_str_eq(flaky.bodies, "abc|abc|abc|");
    test_server_stop(flaky.server);
    fclose(file);
    urlpool_manager_free(manager);
}
END_TEST

static enum urlpool_code give_once(void *user, void *buf, size_t len, size_t *out_len,
                                   struct urlpool_error *err)
{
    unsigned *num_given = user;

    (void)err;
    *out_len = *num_given == 0 && len > 0 ? 1 : 0;
    *num_given += 1;
    memset(buf, 'x', *out_len);
    return URLPOOL_OK;
}

static enum urlpool_code refuse_rewind(void *user, struct urlpool_error *err)
{
    (void)user;
    (void)err;
    return URLPOOL_E_UNREWINDABLE;
}

START_TEST(retry__whose_body_does_not_go_back_says_why_it_had_to)
{
    struct urlpool_manager *manager = test_manager(NULL);
    unsigned num_given = 0;
    const struct urlpool_request_options options = {
        .body = urlpool_body_callback(give_once, refuse_rewind, &num_given, 1)};
    struct flaky flaky;

    flaky_begin(&flaky, "c.");
    ck_assert_int_eq(test_fetch_fails(manager, "PUT", flaky.server, "/", &options),
                     URLPOOL_E_UNREWINDABLE);
    ck_assert_int_eq(test_err.cause, URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert(test_err.maybe_processed);
    ck_assert_uint_eq(test_server_num_requests(flaky.server), 1);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retry__without_expect_follows_417)
{
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {.body = urlpool_body_bytes("abc", 3),
                                              .retries = {.total = URLPOOL_NONE}};
    struct urlpool_response *response;
    struct flaky flaky;
    char *head;

    flaky_begin(&flaky, "x.x");
    options.body.expect_continue = true;
    options.body.expect_ms = 1;
    response = test_fetch(manager, "POST", flaky.server, "/", &options);
    ck_assert_int_eq(response->status, 200);
    ck_assert_uint_eq(response->num_retries, 1);
    ck_assert_int_eq(urlpool_response_hop(response, 0).status, 417);
    urlpool_response_free(response);
    head = test_server_last_head(flaky.server);
    ck_assert_ptr_null(strcasestr(head, "\r\nexpect:"));
    free(head);
    /* Once: who did not expect is not tried again. */
    options.body.expect_continue = false;
    response = test_fetch(manager, "POST", flaky.server, "/", &options);
    ck_assert_int_eq(response->status, 417);
    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(manager).retries, 1);
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

/* What a sink was told of retries. */
struct told {
    size_t num;
    enum urlpool_code codes[NUM_SINKS_MAX];
    char texts[NUM_SINKS_MAX][64];
};

static void note_retry(void *user, const struct urlpool_trace_event *event)
{
    struct told *told = user;

    if (event->kind == URLPOOL_TRACE_RETRY && told->num < NUM_SINKS_MAX) {
        ck_assert_int_eq(event->number, event->code);
        told->codes[told->num] = event->code;
        (void)snprintf(told->texts[told->num], sizeof(told->texts[0]), "%.*s", (int)event->text_len,
                       event->text);
        told->num++;
    }
}

START_TEST(retry__is_told_to_the_sink)
{
    struct told told = {0};
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .trace = {.event = note_retry, .user = &told},
          .retries = on_503
    });
    struct flaky flaky;

    flaky_begin(&flaky, "cb.");
    test_get(manager, flaky.server);
    ck_assert_uint_eq(told.num, 2);
    ck_assert_int_eq(told.codes[0], URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert_str_eq(told.texts[0], "connection closed by the peer before a response");
    ck_assert_int_eq(told.codes[1], URLPOOL_OK);
    ck_assert_str_eq(told.texts[1], "status 503");
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retry__is_made_for_a_pool_too)
{
    struct urlpool_pool *pool;
    struct urlpool_response *response;
    struct flaky flaky;
    char url[URL_BYTES];

    flaky_begin(&flaky, "cB.");
    pool = urlpool_pool_new(test_server_url(flaky.server, "", url, sizeof(url)), NULL, &test_err);
    ck_assert_ptr_nonnull(pool);
    response = urlpool_pool_request(pool, "GET", "/", NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_uint_eq(response->num_retries, 2);
    urlpool_response_free(response);
    urlpool_pool_unref(pool);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retries__of_a_manager_are_copied)
{
    char methods[] = "POST";
    char removed[] = "X-Secret";
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .retries = {.allowed_methods = methods,
                    .remove_headers_on_redirect = removed,
                    .status_forcelist = {503}}
    });
    struct urlpool_response *response;
    struct flaky flaky;

    memset(methods, 'Z', sizeof(methods) - 1);
    memset(removed, 'Z', sizeof(removed) - 1);
    flaky_begin(&flaky, "b.b");
    response = test_fetch(manager, "POST", flaky.server, "/", NULL);
    ck_assert_int_eq(response->status, 200);
    urlpool_response_free(response);
    response = test_fetch(manager, "GET", flaky.server, "/", NULL);
    ck_assert_int_eq(response->status, 503);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

START_TEST(retries__out_of_range_are_refused)
{
    const struct urlpool_retry bad = {.total = -7};
    struct urlpool_manager *manager;
    struct flaky flaky;

    ck_assert_ptr_null(
        urlpool_manager_new(&(struct urlpool_manager_options){.retries = bad}, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    manager = test_manager(NULL);
    flaky_begin(&flaky, "");
    ck_assert_int_eq(test_fetch_fails(manager, "GET", flaky.server, "/",
                                      &(struct urlpool_request_options){.retries = bad}),
                     URLPOOL_E_INVALID);
    ck_assert_uint_eq(test_err.num_attempts, 0);
    ck_assert_uint_eq(test_server_num_requests(flaky.server), 0);
    urlpool_manager_free(manager);
    test_server_stop(flaky.server);
}
END_TEST

/* do_job makes the requests of the test of memory. */
static enum urlpool_code do_job(const char *url, bool stream, struct urlpool_error *err)
{
    struct urlpool_request_options options = {.stream = stream, .retries = on_503};
    struct urlpool_manager *manager = urlpool_manager_new(
        &(struct urlpool_manager_options){
            .retries = {.allowed_methods = "GET, PUT",
                        .remove_headers_on_redirect = "Authorization, X-Secret"}
    },
        err);
    struct urlpool_response *response;
    enum urlpool_code code = URLPOOL_OK;

    if (manager == NULL) {
        return err->code;
    }
    response = urlpool_request(manager, "GET", url, &options, err);
    if (response == NULL) {
        code = err->code;
    } else if (urlpool_response_read_all(response, err) != URLPOOL_OK) {
        code = err->code;
    }
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    return code;
}

START_TEST(retry__out_of_memory_holds_nothing)
{
    failing_allocator_install();
    for (int stream = 0; stream <= 1; stream++) {
        bool has_failed = true;

        for (uint64_t n = 1; has_failed && n < ALLOCATIONS_MAX; n++) {
            struct urlpool_error err = {0};
            struct flaky flaky;
            char url[URL_BYTES];
            enum urlpool_code code;

            flaky_begin(&flaky, stream == 1 ? "cbr." : "cbrh.");
            test_server_url(flaky.server, "/", url, sizeof(url));
            failing_allocator_fail_nth(n);
            code = do_job(url, stream == 1, &err);
            has_failed = failing_allocator_has_failed();
            ck_assert_msg(code == URLPOOL_OK || code == URLPOOL_E_NOMEM, "allocation %u: %s: %s",
                          (unsigned)n, urlpool_code_name(code), err.message);
            ck_assert_int_eq(failing_allocator_num_live(), 0);
            test_server_stop(flaky.server);
        }
        ck_assert(!has_failed);
    }
    failing_allocator_remove();
}
END_TEST

RUN_TESTS("retry loop", retry__shows_what_came_before, retry__that_was_not_needed_leaves_no_history,
          retry__after_a_stale_connection_is_history_too,
          retry__that_succeeds_leaves_the_error_alone, retry__in_vain_says_how_often_and_why,
          retry__without_bound_ends_with_the_total_time, retry__in_vain_tells_of_the_last_answer,
          retry__ends_with_what_cannot_be_made_good_and_says_what_was_before,
          retry__of_a_body_that_breaks_off_is_for_buffered_ones,
          retry__of_a_streamed_response_is_made_until_its_head, retry__sends_the_same_body_again,
          retry__whose_body_does_not_go_back_says_why_it_had_to, retry__without_expect_follows_417,
          retry__is_told_to_the_sink, retry__is_made_for_a_pool_too,
          retries__of_a_manager_are_copied, retries__out_of_range_are_refused,
          retry__out_of_memory_holds_nothing)
