/* docs/examples as their readers run them: what each prints is held against what a server said and
 * saw. Those that show one group of functions are in test_example_topics.c. */

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/example.h"
#include "support/http_server.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    URLS = 4,
    BIG_BYTES = 300000,
    STEP_MS = 5,
    WAIT_MS = 20000
};

static struct test_server *server;

static void server_begin(test_answer_fn answer, const struct test_server_options *options)
{
    server = test_server_start(answer, NULL, options);
}

/* url writes one of the server's; four are remembered at once. */
static const char *url(const char *path)
{
    static char texts[URLS][128];
    static int next;

    next = (next + 1) % URLS;
    return test_server_url(server, path, texts[next], sizeof(texts[next]));
}

START_TEST(first_get__prints_the_body)
{
    server_begin(test_answer_hello, NULL);
    ck_assert_example(EXAMPLE("first_get", url("/")), 0, "200 Because, 5 bytes\nhello", "");
    ck_assert_example(EXAMPLE("first_get"), 1, "", "URLPOOL_E_SCHEME: ");
    test_server_stop(server);
}
END_TEST

START_TEST(shared_by_threads__needs_no_more_than_four_connections)
{
    struct ran *ran;

    server_begin(test_answer_hello, NULL);
    ran = EXAMPLE("shared_by_threads", url("/"));
    ck_assert_str_eq(ran->err, "");
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_int_eq(strncmp(ran->out, "160 good answers to 16 threads, on ", 35), 0);
    ck_assert_int_le(atoi(ran->out + 35), 4);
    ck_assert_uint_le(test_server_peak_connections(server), 4);
    ck_assert_uint_eq(test_server_num_requests(server), 160);
    ran_free(ran);
    ran = EXAMPLE("shared_by_threads", "ftp://127.0.0.1/");
    ck_assert_int_eq(ran->exit_code, 1);
    ck_assert_ptr_nonnull(strstr(ran->err, "thread 15: "));
    ran_free(ran);
    test_server_stop(server);
}
END_TEST

/* /big: all of it; /cut: half of what is announced; else 404. */
static void answer_big(struct test_peer *peer, const struct test_request *request, void *user)
{
    static char body[BIG_BYTES + 1];
    char head[128];

    (void)user;
    memset(body, 'x', BIG_BYTES);
    if (strcmp(request->target, "/big") == 0) {
        test_peer_reply(peer, 200, NULL, body);
    } else if (strcmp(request->target, "/cut") == 0) {
        (void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
                       BIG_BYTES);
        test_peer_send_text(peer, head);
        test_peer_send(peer, body, BIG_BYTES / 2);
        test_peer_close(peer);
    } else {
        test_peer_reply(peer, 404, NULL, "");
    }
}

static long size_of(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = -1;

    if (file != NULL) {
        ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
        size = ftell(file);
        (void)fclose(file);
    }
    return size;
}

START_TEST(download_progress__leaves_a_whole_file_or_none)
{
    char *dir = test_dir();
    char path[512], part[520];

    (void)snprintf(path, sizeof(path), "%s/file", dir);
    (void)snprintf(part, sizeof(part), "%s.part", path);
    server_begin(answer_big, NULL);
    ck_assert_example(EXAMPLE("download_progress", url("/cut"), path), 1, "", "no download: ");
    ck_assert_example(EXAMPLE("download_progress", url("/none"), path), 1, "",
                      "no download: the server says 404 Because\n");
    ck_assert_int_eq(size_of(path), -1);
    ck_assert_int_eq(size_of(part), -1);
    ck_assert_example(EXAMPLE("download_progress", url("/big"), path), 0, "",
                      "100 % of 300000 bytes\n");
    ck_assert_int_eq(size_of(path), BIG_BYTES);
    ck_assert_int_eq(size_of(part), -1);
    ck_assert_example(EXAMPLE("download_progress", url("/big"), "/nowhere/file"), 1, "",
                      "no download: No such file or directory\n");
    test_server_stop(server);
    test_dir_remove(dir);
}
END_TEST

/* Says what was uploaded: the type and the length. */
static void answer_upload(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    ck_assert_str_eq(request->method, "PUT");
    ck_assert_ptr_nonnull(strstr(request->head, "Content-Type: image/jpeg\r\n"));
    ck_assert_ptr_nonnull(strstr(request->head, "Expect: 100-continue\r\n"));
    ck_assert_uint_eq(request->body_len, 4);
    ck_assert_int_eq(memcmp(request->body, "jpeg", 4), 0);
    test_peer_reply(peer, strcmp(request->target, "/no") == 0 ? 403 : 201, NULL, "");
}

START_TEST(upload_file__sends_what_the_file_has)
{
    const struct test_server_options options = {.says_continue = true};
    char *dir = test_dir();
    char *path = test_file(dir, "photo.jpg", "jpeg");

    server_begin(answer_upload, &options);
    ck_assert_example(EXAMPLE("upload_file", path, url("/photo")), 0, "201 Because\n", "");
    ck_assert_example(EXAMPLE("upload_file", path, url("/no")), 1, "403 Because\n", "");
    ck_assert_example(EXAMPLE("upload_file", "/nowhere", url("/")), 1, "",
                      "/nowhere: No such file or directory\n");
    ck_assert_example(EXAMPLE("upload_file", path, "http://127.0.0.1:1/"), 1, "", "refused");
    ck_assert_example(EXAMPLE("upload_file", path), 2, "", "upload_file FILE URL\n");
    test_server_stop(server);
    test_dir_remove(dir);
    free(path);
}
END_TEST

static void answer_form(struct test_peer *peer, const struct test_request *request, void *user)
{
    static const char expected[] =
        "--a-boundary-of-our-own\r\n"
        "Content-Disposition: form-data; name=\"title\"\r\n"
        "\r\n"
        "Report of May\r\n"
        "--a-boundary-of-our-own\r\n"
        "Content-Disposition: form-data; name=\"report\"; filename=\"report.pdf\"\r\n"
        "Content-Type: application/pdf\r\n"
        "\r\n"
        "pages\r\n"
        "--a-boundary-of-our-own\r\n"
        "Content-Disposition: form-data; name=\"notes\"; filename=\"notes.json\"\r\n"
        "Content-Type: application/json\r\n"
        "\r\n"
        "{\"pages\": 12}\r\n"
        "--a-boundary-of-our-own--\r\n";
    bool same = request->body_len == strlen(expected) &&
                memcmp(request->body, expected, strlen(expected)) == 0;

    (void)user;
    test_peer_reply(peer, same ? 200 : 400, NULL, "");
}

START_TEST(multipart_form__sends_three_parts)
{
    char *dir = test_dir();
    char *path = test_file(dir, "report.pdf", "pages");

    server_begin(answer_form, NULL);
    ck_assert_example(EXAMPLE("multipart_form", path, url("/")), 0, "200 Because\n", "");
    ck_assert_example(EXAMPLE("multipart_form", "/nowhere", url("/")), 1, "", "URLPOOL_E_BODY: ");
    test_server_stop(server);
    test_dir_remove(dir);
    free(path);
}
END_TEST

static void answer_503(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    (void)request;
    test_peer_reply(peer, 503, "Retry-After: 0\r\n", "");
}

START_TEST(retry_budget__is_all_that_is_tried_again)
{
    server_begin(answer_503, NULL);
    ck_assert_example(EXAMPLE("retry_budget", url("/"), "20"), 1,
                      "0 of 20 good, 10 retries made, 17 withheld\n", "");
    ck_assert_uint_eq(test_server_num_requests(server), 30);
    test_server_stop(server);
    server_begin(test_answer_hello, NULL);
    ck_assert_example(EXAMPLE("retry_budget", url("/"), "3"), 0,
                      "3 of 3 good, 0 retries made, 0 withheld\n", "");
    test_server_stop(server);
}
END_TEST

/* Gives the JSON back to who has the token; /text is no JSON. */
static void answer_json(struct test_peer *peer, const struct test_request *request, void *user)
{
    char body[128];

    (void)user;
    (void)snprintf(body, sizeof(body), "%.*s", (int)request->body_len, (const char *)request->body);
    if (strstr(request->head, "Authorization: Bearer hush\r\n") == NULL) {
        test_peer_reply(peer, 401, NULL, "");
    } else if (strcmp(request->target, "/text") == 0 ||
               strstr(request->head, "Content-Type: application/json\r\n") == NULL ||
               strstr(request->head, "Accept: application/json\r\n") == NULL) {
        test_peer_reply(peer, 200, "Content-Type: text/html\r\n", "");
    } else {
        test_peer_reply(peer, 200, "Content-Type: application/json; charset=utf-8\r\n", body);
    }
}

START_TEST(json_bearer__shows_the_token_and_the_answer)
{
    static const char json[] = "{\"name\": \"spoon\"}";

    server_begin(answer_json, NULL);
    ck_assert_int_eq(setenv("API_TOKEN", "hush", 1), 0);
    ck_assert_example(EXAMPLE("json_bearer", url("/"), json), 0, "{\"name\": \"spoon\"}\n", "");
    ck_assert_example(EXAMPLE("json_bearer", url("/text"), json), 1, "", "json_bearer: 200 OK\n");
    ck_assert_int_eq(setenv("API_TOKEN", "other", 1), 0);
    ck_assert_example(EXAMPLE("json_bearer", url("/"), json), 1, "",
                      "json_bearer: 401 Unauthorized\n");
    ck_assert_int_eq(unsetenv("API_TOKEN"), 0);
    ck_assert_example(EXAMPLE("json_bearer", url("/"), json), 2, "", "json_bearer URL JSON\n");
    test_server_stop(server);
}
END_TEST

/* Two events and the end; /silent: then nothing. */
static void answer_events(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strcmp(request->target, "/text") == 0) {
        test_peer_reply(peer, 200, NULL, "no events");
        return;
    }
    test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                              "retry: 250\n\nevent: delta\nid: 7\ndata: Once\n\n: ping\n\n");
    if (strcmp(request->target, "/silent") == 0) {
        test_peer_stay(peer);
        return;
    }
    test_peer_send_text(peer, "data: [DONE]\n\n");
    test_peer_stay(peer); /* the client goes */
}

START_TEST(model_events__ends_at_done_and_at_silence)
{
    server_begin(answer_events, NULL);
    ck_assert_int_eq(setenv("API_TOKEN", "hush", 1), 0);
    ck_assert_example(EXAMPLE("model_events", url("/"), "{}", "10000"), 0,
                      "delta: Once\nmessage: [DONE]\n", "");
    ck_assert_example(EXAMPLE("model_events", url("/silent"), "{}", "300"), 1, "delta: Once\n",
                      "to go on: Last-Event-ID \"7\", in 250 ms\nthe server fell silent\n");
    ck_assert_example(EXAMPLE("model_events", url("/text"), "{}", "10000"), 1, "",
                      "the answer is no event stream: status 200\n");
    test_server_stop(server);
}
END_TEST

/* write_files writes a CA, a client's certificate of it and its key, for free(). */
static void write_files(const char *dir, const struct test_cert *ca, char *paths[3])
{
    const struct test_cert_options options = {.common_name = "client", .usage = "clientAuth"};
    struct test_cert *client = test_cert_new(&options, ca);
    char *texts[] = {test_cert_pem(ca), test_cert_pem(client), test_cert_key_pem(client)};
    static const char *const names[] = {"ca.pem", "client.pem", "client.key"};

    for (int i = 0; i < 3; i++) {
        paths[i] = test_file(dir, names[i], texts[i]);
        free(texts[i]);
    }
    test_cert_free(client);
}

START_TEST(client_certificate__is_asked_for_and_shown)
{
    static const struct test_name names[] = {TEST_IP("\x7f\x00\x00\x01")};
    struct test_cert *ca = test_ca("CA"), *other_ca = test_ca("Other CA");
    struct test_cert *leaf =
        test_cert_new(&(const struct test_cert_options){.names = names, .num_names = 1}, ca);
    SSL_CTX *context = test_cert_context((const struct test_cert *const[]){leaf, ca, NULL});
    char *dir = test_dir(), *other_dir = test_dir();
    char *paths[3], *others[3];
    struct ran *ran;

    write_files(dir, ca, paths);
    write_files(other_dir, other_ca, others);
    ck_assert(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca->x509));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    ck_assert(SSL_CTX_set_session_id_context(context, (const uint8_t *)"us", 2));
    server_begin(test_answer_hello, &(const struct test_server_options){.tls = context});
    ran = EXAMPLE("client_certificate", paths[0], paths[1], paths[2], url("/"));
    ck_assert_str_eq(ran->err, "");
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_ptr_nonnull(
        strstr(ran->out, "200 from 127.0.0.1 over TLSv1.3, verified, certificate of "));
    ck_assert_uint_eq(test_server_num_connections(server), 2); /* one for each configuration */
    ran_free(ran);
    ck_assert_example(EXAMPLE("client_certificate", paths[0], others[1], others[2], url("/")), 1,
                      "", "not trusted, or not let in: ");
    ck_assert_example(EXAMPLE("client_certificate", others[0], paths[1], paths[2], url("/")), 1, "",
                      "not trusted, or not let in: ");
    test_server_stop(server);
    for (int i = 0; i < 3; i++) {
        free(paths[i]);
        free(others[i]);
    }
    test_dir_remove(dir);
    test_dir_remove(other_dir);
    SSL_CTX_free(context);
    test_cert_free(leaf);
    test_cert_free(other_ca);
    test_cert_free(ca);
}
END_TEST

START_TEST(through_proxy__asks_for_the_way)
{
    struct proxy_server *proxy = proxy_server_start(NULL);
    struct proxy_server *strict = proxy_server_start(
        &(const struct proxy_server_options){.authorization = "Basic bWU6aHVzaA=="});
    char text[64], said[64];
    char *seen;

    server_begin(test_answer_hello, NULL);
    (void)snprintf(text, sizeof(text), "socks5h://127.0.0.1:%d", proxy_server_port(proxy));
    (void)snprintf(said, sizeof(said), "200 by way of 127.0.0.1:%d\n", proxy_server_port(proxy));
    ck_assert_example(EXAMPLE("through_proxy", url("/"), text), 0, said, "");
    ck_assert_int_eq(setenv("http_proxy", text, 1), 0);
    ck_assert_example(EXAMPLE("through_proxy", url("/")), 0, said, "");
    ck_assert_int_eq(unsetenv("http_proxy"), 0);
    seen = proxy_server_seen(proxy);
    ck_assert_int_eq(strncmp(seen, "socks5 ", 7), 0);
    free(seen);
    (void)snprintf(text, sizeof(text), "http://127.0.0.1:%d", proxy_server_port(strict));
    ck_assert_example(EXAMPLE("through_proxy", "https://127.0.0.1:1/", text), 1, "",
                      "the proxy wants a user and a password\n");
    test_server_stop(server);
    proxy_server_stop(proxy);
    proxy_server_stop(strict);
}
END_TEST

static void answer_docker(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strcmp(request->target, "/v1.43/info") == 0 &&
        strstr(request->head, "Host: docker\r\n") != NULL) {
        test_peer_reply(peer, 200, NULL, "[]\n");
    } else {
        test_peer_reply(peer, 404, NULL, "no such page\n");
    }
}

START_TEST(unix_socket__is_asked_whatever_the_host)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "@urlpool-example-%ld", (long)getpid());
    server_begin(answer_docker, &(const struct test_server_options){.local_path = name});
    ck_assert_example(EXAMPLE("unix_socket", name, "/v1.43/info"), 0, "[]\n", "");
    ck_assert_example(EXAMPLE("unix_socket", name, "/other"), 1, "", "no such page\n");
    test_server_stop(server);
    ck_assert_example(EXAMPLE("unix_socket", name, "/v1.43/info"), 1, "",
                      ": is the daemon running, and may you use it?\n");
}
END_TEST

static void answer_never(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    (void)request;
    test_peer_stay(peer);
}

/* wait_for_requests waits until the server has so many. */
static void wait_for_requests(unsigned num)
{
    int waited_ms = 0;

    while (test_server_num_requests(server) < num) {
        ck_assert_int_lt(waited_ms, WAIT_MS);
        (void)poll(NULL, 0, STEP_MS);
        waited_ms += STEP_MS;
    }
}

START_TEST(cancel_on_sigint__ends_what_is_under_way)
{
    struct program *program;

    server_begin(answer_never, NULL);
    program = EXAMPLE_START("cancel_on_sigint", url("/"));
    wait_for_requests(1);
    program_signal(program, SIGINT);
    ck_assert_example(program_wait(program), 130,
                      "fetching; Ctrl-C ends it\n"
                      "interrupted while in phase \"head\"; cleaning up\n",
                      "");
    test_server_stop(server);
    server_begin(test_answer_hello, NULL);
    ck_assert_example(EXAMPLE("cancel_on_sigint", url("/")), 0, "fetching; Ctrl-C ends it\nhello",
                      "");
    test_server_stop(server);
}
END_TEST

/* systemd is what listens here, at an abstract address. */
static int systemd_begin(char *name, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)snprintf(name, size, "@urlpool-notify-%ld", (long)getpid());
    (void)snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", name + 1);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
    return fd;
}

static void ck_assert_told(int fd, const char *text)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char told[512];
    ssize_t len;

    ck_assert_int_eq(poll(&wait, 1, WAIT_MS), 1);
    len = recv(fd, told, sizeof(told) - 1, 0);
    ck_assert_int_ge(len, 0);
    told[len] = '\0';
    ck_assert_str_eq(told, text);
}

START_TEST(watch_service__tells_systemd_how_it_is)
{
    char name[64], text[128];
    int fd = systemd_begin(name, sizeof(name));
    struct program *program;

    server_begin(test_answer_hello, NULL);
    program = EXAMPLE_START("watch_service", url("/"), "600");
    ck_assert_told(fd, "READY=1");
    ck_assert_told(fd, "WATCHDOG=1\nSTATUS=OK");
    program_signal(program, SIGTERM); /* in the pause */
    ck_assert_told(fd, "STOPPING=1");
    ck_assert_example(program_wait(program), 0, "OK\n", "");
    test_server_stop(server);

    server_begin(answer_never, NULL);
    program = EXAMPLE_START("watch_service", url("/"), "600");
    ck_assert_told(fd, "READY=1");
    wait_for_requests(1);
    program_signal(program, SIGTERM); /* in the request */
    (void)snprintf(text, sizeof(text), "WATCHDOG=1\nSTATUS=read from 127.0.0.1:%d: cancelled",
                   test_server_port(server));
    ck_assert_told(fd, text);
    ck_assert_told(fd, "STOPPING=1");
    ran_free(program_wait(program));
    test_server_stop(server);
    (void)close(fd);
}
END_TEST

RUN_TESTS("examples", first_get__prints_the_body,
          shared_by_threads__needs_no_more_than_four_connections,
          download_progress__leaves_a_whole_file_or_none, upload_file__sends_what_the_file_has,
          multipart_form__sends_three_parts, retry_budget__is_all_that_is_tried_again,
          json_bearer__shows_the_token_and_the_answer, model_events__ends_at_done_and_at_silence,
          client_certificate__is_asked_for_and_shown, through_proxy__asks_for_the_way,
          unix_socket__is_asked_whatever_the_host, cancel_on_sigint__ends_what_is_under_way,
          watch_service__tells_systemd_how_it_is)
