/* What a keep-alive GET of a small body costs the kernel: look, send, poll, receive, and nothing
 * else, plain and over TLS; and that a file goes to a plain connection without being read. Counted
 * by strace over a child of this program. */

#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "urlpool/urlpool.h"

#include "support/certs.h"
#include "support/http_server.h"
#include "support/nginx.h"
#include "support/run_tests.h"

#define STRACE "/usr/bin/strace"

enum {
    NUM_REQUESTS = 30, /* all but the first begin with a look */
    NUM_WARM_UP = 5,
    CALLS_MAX = 4096,
    UPLOAD_BYTES = 20 * 65536
};

static const char *self;

/* be_the_child makes `count` requests over one connection: what strace watches. */
static int be_the_child(const char *url, const char *count, const char *ca_file)
{
    struct urlpool_error err;
    const struct urlpool_tls_options trust = {.ca_file = ca_file};
    struct urlpool_tls *tls = urlpool_tls_new(&trust, &err);
    const struct urlpool_manager_options options = {.tls = tls};
    struct urlpool_manager *manager = urlpool_manager_new(&options, &err);

    for (int i = 0; i < atoi(count); i++) {
        struct urlpool_response *response = urlpool_request(manager, "GET", url, NULL, &err);

        if (response == NULL || response->data_len != 5) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        urlpool_response_free(response);
    }
    urlpool_manager_free(manager);
    urlpool_tls_unref(tls);
    return 0;
}

/* be_the_uploader sends a file once. */
static int be_the_uploader(const char *url, const char *path, const char *ca_file)
{
    struct urlpool_error err;
    const struct urlpool_tls_options trust = {.ca_file = ca_file};
    struct urlpool_tls *tls = urlpool_tls_new(&trust, &err);
    const struct urlpool_manager_options options = {.tls = tls};
    struct urlpool_manager *manager = urlpool_manager_new(&options, &err);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const struct urlpool_request_options put = {.body = urlpool_body_fd(fd)};
    struct urlpool_response *response = urlpool_request(manager, "PUT", url, &put, &err);

    if (response == NULL || response->data_len != 5) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    urlpool_tls_unref(tls);
    close(fd);
    return 0;
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reply(peer, 200, NULL, "hello");
}

/* struct calls is what strace saw: the name of each call, and whether it only looked. */
struct calls {
    char names[CALLS_MAX][16];
    size_t num;
};

static void read_trace(const char *path, struct calls *out)
{
    char line[4096];
    FILE *file = fopen(path, "r");

    ck_assert_ptr_nonnull(file);
    out->num = 0;
    while (out->num < CALLS_MAX && fgets(line, sizeof(line), file) != NULL) {
        char *name = out->names[out->num];

        if (sscanf(line, "%15[a-z0-9_](", name) == 1) {
            if (strstr(line, "MSG_PEEK") != NULL) {
                strcpy(name, "look");
            }
            out->num++;
        }
    }
    fclose(file);
}

static int count_calls(const struct calls *calls, const char *name)
{
    int num = 0;

    for (size_t i = 0; i < calls->num; i++) {
        num += strcmp(calls->names[i], name) == 0;
    }
    return num;
}

/* trace_child runs the child under strace. Memory is left out: sanitizers take it as they like, and
 * cannot look for leaks under strace. */
static void trace_child(const char *dir, const char *what, const char *url, const char *arg,
                        struct calls *out)
{
    char command[1024];
    char path[256];

    snprintf(path, sizeof(path), "%s/trace", dir);
    snprintf(command, sizeof(command),
             "ASAN_OPTIONS=detect_leaks=0 " STRACE
             " -qq -e trace=!%%memory -o %s %s %s %s %s %s/ca.pem",
             path, self, what, url, arg, dir);
    ck_assert_int_eq(system(command), 0);
    read_trace(path, out);
}

/* check_calls finds the look of each request and demands that the same four calls follow upon one
 * another, once session tickets and the like are behind us. */
static void check_calls(const struct test_server *server, const char *dir)
{
    static const char *const each[] = {"look", "sendmsg", "poll", "recvfrom"};
    struct calls *calls = calloc(1, sizeof(*calls));
    char url[256];
    char count[16];
    int num_looks = 0;

    ck_assert_ptr_nonnull(calls);
    snprintf(count, sizeof(count), "%d", NUM_REQUESTS);
    trace_child(dir, "child", test_server_url(server, "/", url, sizeof(url)), count, calls);
    for (size_t at = 0; at < calls->num; at++) {
        if (strcmp(calls->names[at], "look") != 0 || ++num_looks <= NUM_WARM_UP) {
            continue;
        }
        for (size_t i = 0; i < 4; i++) {
            ck_assert_msg(at + i < calls->num && strcmp(calls->names[at + i], each[i]) == 0,
                          "call %zu after look %d is %s, not %s", i, num_looks,
                          calls->names[at + i], each[i]);
        }
        ck_assert_msg(num_looks == NUM_REQUESTS - 1 || strcmp(calls->names[at + 4], "look") == 0,
                      "a call more after look %d: %s", num_looks, calls->names[at + 4]);
    }
    ck_assert_int_eq(num_looks, NUM_REQUESTS - 1);
    free(calls);
}

/* struct scene is a certificate that the child trusts, in a directory of its own. */
struct scene {
    struct test_cert *ca, *leaf;
    SSL_CTX *context;
    char *dir;
};

static struct scene begin(void)
{
    static const struct test_name names[] = {
        {true, "\x7f\0\0\1", 4}
    };
    const struct test_cert_options leaf_options = {.names = names, .num_names = 1};
    struct scene scene = {.ca = test_ca("CA"), .dir = test_dir()};
    char *pem = test_cert_pem(scene.ca);

    scene.leaf = test_cert_new(&leaf_options, scene.ca);
    scene.context = test_cert_context((const struct test_cert *const[]){scene.leaf, NULL});
    free(test_file(scene.dir, "ca.pem", pem));
    free(pem);
    return scene;
}

static void end(struct scene *scene)
{
    test_dir_remove(scene->dir);
    SSL_CTX_free(scene->context);
    test_cert_free(scene->leaf);
    test_cert_free(scene->ca);
}

START_TEST(syscalls__are_four_for_a_keep_alive_get_plain_and_tls)
{
    struct scene scene = begin();
    const struct test_server_options over_tls = {.tls = scene.context};

    for (int tls = 0; tls <= 1; tls++) {
        struct test_server *server = test_server_start(answer, NULL, tls == 1 ? &over_tls : NULL);

        check_calls(server, scene.dir);
        test_server_stop(server);
    }
    end(&scene);
}
END_TEST

START_TEST(syscalls__of_an_upload_are_sendfile_where_nothing_is_encrypted)
{
    struct scene scene = begin();
    const struct test_server_options over_tls = {.tls = scene.context};
    struct calls *calls = calloc(1, sizeof(*calls));
    char *text = calloc(1, UPLOAD_BYTES + 1);
    char *path;
    char url[256];

    ck_assert(calls != NULL && text != NULL);
    memset(text, 'x', UPLOAD_BYTES);
    path = test_file(scene.dir, "upload", text);
    for (int tls = 0; tls <= 1; tls++) {
        struct test_server *server = test_server_start(answer, NULL, tls == 1 ? &over_tls : NULL);

        trace_child(scene.dir, "upload", test_server_url(server, "/", url, sizeof(url)), path,
                    calls);
        if (tls == 0) {
            ck_assert_int_ge(count_calls(calls, "sendfile"), 1);
            ck_assert_int_le(count_calls(calls, "pread64"), 10); /* the end, programs' own */
        } else {
            ck_assert_int_eq(count_calls(calls, "sendfile"), 0);
            ck_assert_int_ge(count_calls(calls, "pread64"), UPLOAD_BYTES / 65536);
            /* an early answer is not looked for behind each record */
            ck_assert_int_lt(count_calls(calls, "recvfrom"), UPLOAD_BYTES / 16384 / 2);
        }
        test_server_stop(server);
    }
    free(path);
    free(text);
    free(calls);
    end(&scene);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {syscalls__are_four_for_a_keep_alive_get_plain_and_tls,
                                  syscalls__of_an_upload_are_sendfile_where_nothing_is_encrypted};

    self = argv[0];
    if (argc == 5 && strcmp(argv[1], "child") == 0) {
        return be_the_child(argv[2], argv[3], argv[4]);
    }
    if (argc == 5 && strcmp(argv[1], "upload") == 0) {
        return be_the_uploader(argv[2], argv[3], argv[4]);
    }
    if (access(STRACE, X_OK) != 0) {
        fprintf(stderr, "skipped: no strace\n");
        return TEST_SKIPPED;
    }
    return run_tests("syscalls", tests, 2);
}
