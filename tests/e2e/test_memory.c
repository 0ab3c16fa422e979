/* Memory that runs out: each allocation of a whole job fails once, and the job then ends with
 * NOMEM, or as if nothing had been, holding nothing. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "support/dns_server.h"
#include "support/failing_allocator.h"
#include "support/https_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    TEXT_BYTES = 20000,
    ZIPPED_BYTES = 1024,
    URL_BYTES = 128,
    ALLOCATIONS_MAX = 2000
};

/* struct job is what is done with memory running out. */
struct job {
    struct urlpool_tls *tls;
    const char *dns;
    char urls[2][URL_BYTES];
    int port;
    bool is_https;
    bool is_stream;
    int body_fd; /* -1: none */
};

static void send_zipped(struct test_peer *peer)
{
    char text[TEXT_BYTES];
    unsigned char zipped[ZIPPED_BYTES];
    char head[128];
    z_stream z = {0};

    memset(text, 'z', sizeof(text));
    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)text;
    z.avail_in = sizeof(text);
    z.next_out = zipped;
    z.avail_out = sizeof(zipped);
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    (void)snprintf(head, sizeof(head),
                   "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n%lx\r\n",
                   z.total_out);
    test_peer_send_text(peer, head);
    test_peer_send(peer, zipped, z.total_out);
    test_peer_send_text(peer, "\r\n0\r\nX-Trailer: yes\r\n\r\n");
    (void)deflateEnd(&z);
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strcmp(request->target, "/redirect") == 0) {
        test_peer_reply(peer, 302, "Location: /zipped\r\n", "there");
    } else if (strcmp(request->target, "/stale") == 0 && request->number > 1) {
        test_peer_close(peer);
    } else if (strcmp(request->target, "/zipped") == 0) {
        send_zipped(peer);
    } else {
        test_answer_hello(peer, request, NULL);
    }
}

/* read_streamed reads a response to its end. */
static enum urlpool_code read_streamed(struct urlpool_response *response, struct urlpool_error *err)
{
    char piece[4096];
    size_t len = 1;
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && len > 0) {
        code = urlpool_response_read(response, piece, sizeof(piece), &len, err);
    }
    return code;
}

/* do_requests is the job by a manager: two requests with all that comes with them. */
static enum urlpool_code do_requests(const struct job *job, struct urlpool_error *err)
{
    struct urlpool_headers *headers = urlpool_headers_new(err);
    struct urlpool_manager *manager = NULL;
    enum urlpool_code code = headers != NULL ? URLPOOL_OK : err->code;

    if (code == URLPOOL_OK) {
        code = urlpool_headers_add(headers, "X-One", "1", err);
    }
    if (code == URLPOOL_OK) {
        manager = urlpool_manager_new(
            &(struct urlpool_manager_options){
                .tls = job->tls, .headers = headers, .network.dns_servers = job->dns},
            err);
        code = manager != NULL ? URLPOOL_OK : err->code;
    }
    for (int i = 0; i < 2 && code == URLPOOL_OK; i++) {
        struct urlpool_request_options options = {.stream = job->is_stream};
        struct urlpool_response *response;

        if (job->body_fd >= 0) {
            options.body = (struct urlpool_body){.kind = URLPOOL_BODY_FD, .fd = job->body_fd};
            ck_assert_int_eq(lseek(job->body_fd, 0, SEEK_SET), 0);
        }
        response = urlpool_request(manager, job->body_fd >= 0 ? "PUT" : "GET", job->urls[i],
                                   &options, err);
        code = response != NULL ? URLPOOL_OK : err->code;
        if (code == URLPOOL_OK && job->is_stream) {
            code = read_streamed(response, err);
        }
        urlpool_response_free(response);
    }
    if (manager != NULL) {
        struct urlpool_stats stats;

        urlpool_manager_stats(manager, &stats, sizeof(stats));
        ck_assert_uint_eq(stats.leased + stats.dialling + stats.waiting, stats.half_dials);
    }
    urlpool_manager_free(manager);
    urlpool_headers_free(headers);
    return code;
}

/* do_floor is the job by the lower floor, through a tunnel when there is a proxy. */
static enum urlpool_code do_floor(const struct job *job, struct urlpool_error *err)
{
    const struct urlpool_connection_options options = {.https = job->is_https, .tls = job->tls};
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", job->port, &options, err);
    struct urlpool_response *response = NULL;
    enum urlpool_code code = connection != NULL ? URLPOOL_OK : err->code;

    if (code == URLPOOL_OK && job->dns != NULL) {
        code = urlpool_connection_set_tunnel(connection, "localhost", atoi(job->dns), NULL, err);
    }
    for (int i = 0; i < 2 && code == URLPOOL_OK; i++) {
        code = urlpool_connection_request(connection, "GET", "/zipped", NULL, NULL, err);
        if (code == URLPOOL_OK) {
            response = urlpool_connection_getresponse(connection, err);
            code = response != NULL ? urlpool_response_read_all(response, err) : err->code;
            urlpool_response_free(response);
        }
    }
    urlpool_connection_free(connection);
    return code;
}

/* do_pool is the job by a pool: a connection lent, a line of each pool. */
static enum urlpool_code do_pool(const struct job *job, struct urlpool_error *err)
{
    const struct urlpool_manager_options options = {.tls = job->tls};
    struct urlpool_pool *pool = urlpool_pool_new(job->urls[0], &options, err);
    struct urlpool_connection *connection = NULL;
    struct urlpool_response *response = NULL;
    char *line = NULL;
    enum urlpool_code code = pool != NULL ? URLPOOL_OK : err->code;

    if (code == URLPOOL_OK) {
        connection = urlpool_pool_acquire(pool, NULL, NULL, err);
        code = connection != NULL ? URLPOOL_OK : err->code;
    }
    if (code == URLPOOL_OK) {
        code = urlpool_connection_request(connection, "GET", "/", NULL, NULL, err);
    }
    if (code == URLPOOL_OK) {
        response = urlpool_connection_getresponse(connection, err);
        code = response != NULL ? urlpool_response_read_all(response, err) : err->code;
    }
    if (code == URLPOOL_OK) {
        line = urlpool_pool_describe(pool, err);
        code = line != NULL ? URLPOOL_OK : err->code;
    }
    urlpool_string_free(line);
    urlpool_response_free(response);
    urlpool_pool_release(pool, connection);
    urlpool_pool_unref(pool);
    return code;
}

/* fail_each runs `do_it` once for each of its allocations, which fails. */
static void fail_each(const struct job *job,
                      enum urlpool_code (*do_it)(const struct job *job, struct urlpool_error *err))
{
    struct urlpool_error err;
    int64_t num_live;
    uint64_t nth = 0;

    ck_assert_msg(do_it(job, &err) == URLPOOL_OK, "%s", err.message);
    num_live = failing_allocator_num_live(); /* what a process keeps */
    do {
        enum urlpool_code code;

        failing_allocator_fail_nth(++nth);
        memset(&err, 0, sizeof(err));
        code = do_it(job, &err);
        ck_assert_msg(code == URLPOOL_OK ||
                          (code == URLPOOL_E_NOMEM && failing_allocator_has_failed()),
                      "allocation %u: %s: %s", (unsigned)nth, urlpool_code_name(code), err.message);
        ck_assert_msg(failing_allocator_num_live() == num_live, "allocation %u: %d blocks held",
                      (unsigned)nth, (int)(failing_allocator_num_live() - num_live));
        ck_assert_uint_lt(nth, ALLOCATIONS_MAX);
    } while (failing_allocator_has_failed());
    ck_assert_uint_gt(nth, 10);
    failing_allocator_fail_nth(0);
}

static void fail_requests(const char *first, const char *second, bool is_stream, int body_fd)
{
    for (int has_tls = 0; has_tls < 2; has_tls++) {
        struct test_server *plain;
        struct https_scene scene;
        struct job job = {.is_stream = is_stream, .body_fd = body_fd};
        const struct test_server *server;

        failing_allocator_install();
        scene = https_scene_begin(answer, NULL, NULL);
        plain = test_server_start(answer, NULL, NULL);
        server = has_tls == 1 ? scene.server : plain;
        job.tls = scene.tls;
        test_server_url(server, first, job.urls[0], URL_BYTES);
        test_server_url(server, second, job.urls[1], URL_BYTES);
        fail_each(&job, do_requests);
        test_server_stop(plain);
        https_scene_end(&scene);
    }
}

START_TEST(memory__runs_out_in_a_get)
{
    fail_requests("/", "/x", false, -1);
}
END_TEST

START_TEST(memory__runs_out_in_a_redirect_to_a_zipped_body)
{
    fail_requests("/redirect", "/zipped", false, -1);
}
END_TEST

START_TEST(memory__runs_out_in_a_streamed_body_and_in_a_second_try)
{
    fail_requests("/redirect", "/stale", true, -1);
}
END_TEST

START_TEST(memory__runs_out_in_a_put_of_a_file)
{
    FILE *file = tmpfile();

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fputs("some text", file) >= 0 && fflush(file) == 0, true);
    fail_requests("/", "/", false, fileno(file));
    (void)fclose(file);
}
END_TEST

START_TEST(memory__runs_out_on_the_lower_floor)
{
    for (int has_tls = 0; has_tls < 2; has_tls++) {
        struct test_server *plain;
        struct https_scene scene;
        struct job job = {.is_https = has_tls == 1};

        failing_allocator_install();
        scene = https_scene_begin(answer, NULL, NULL);
        plain = test_server_start(answer, NULL, NULL);
        job.tls = has_tls == 1 ? scene.tls : NULL;
        job.port = test_server_port(has_tls == 1 ? scene.server : plain);
        fail_each(&job, do_floor);
        test_server_stop(plain);
        https_scene_end(&scene);
    }
}
END_TEST

/* answer_connect is a proxy that answers CONNECT, and then is the origin itself. */
static void answer_connect(struct test_peer *peer, const struct test_request *request, void *user)
{
    if (strcmp(request->method, "CONNECT") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\n\r\n");
    } else {
        answer(peer, request, user);
    }
}

START_TEST(memory__runs_out_in_a_tunnel)
{
    struct test_server *proxy;
    struct job job = {.dns = "80"};

    failing_allocator_install();
    proxy = test_server_start(answer_connect, NULL, NULL);
    job.port = test_server_port(proxy);
    fail_each(&job, do_floor);
    test_server_stop(proxy);
}
END_TEST

START_TEST(memory__runs_out_in_a_pool)
{
    struct test_server *server;
    struct job job = {.body_fd = -1};

    failing_allocator_install();
    server = test_server_start(answer, NULL, NULL);
    test_server_url(server, "/", job.urls[0], URL_BYTES);
    fail_each(&job, do_pool);
    test_server_stop(server);
}
END_TEST

START_TEST(memory__runs_out_in_a_lookup)
{
    struct test_server *server;
    struct dns_server *dns;
    struct job job = {.body_fd = -1};

    failing_allocator_install();
    server = test_server_start(answer, NULL, NULL);
    dns = dns_server_start();
    dns_server_add(dns, "www.test", DNS_A, 60, "127.0.0.1");
    job.dns = dns_server_address(dns);
    (void)snprintf(job.urls[0], URL_BYTES, "http://www.test:%d/", test_server_port(server));
    (void)snprintf(job.urls[1], URL_BYTES, "http://WWW.test:%d/x", test_server_port(server));
    fail_each(&job, do_requests);
    dns_server_stop(dns);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("memory", memory__runs_out_in_a_get, memory__runs_out_in_a_redirect_to_a_zipped_body,
          memory__runs_out_in_a_streamed_body_and_in_a_second_try,
          memory__runs_out_in_a_put_of_a_file, memory__runs_out_on_the_lower_floor,
          memory__runs_out_in_a_tunnel, memory__runs_out_in_a_pool, memory__runs_out_in_a_lookup)
