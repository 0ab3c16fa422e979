/* What a keep-alive GET of a small body costs the kernel: look, send, poll, receive, and nothing
 * else, plain and over TLS. Counted by strace over a child of this program. */

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
    CALLS_MAX = 4096
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

/* trace_child runs the child under strace. Memory is left out: sanitizers take it as they like, and
 * cannot look for leaks under strace. */
static void trace_child(const char *dir, const char *url, struct calls *out)
{
    char command[1024];
    char path[256];

    snprintf(path, sizeof(path), "%s/trace", dir);
    snprintf(command, sizeof(command),
             "ASAN_OPTIONS=detect_leaks=0 " STRACE
             " -qq -e trace=!%%memory -o %s %s child %s %d %s/ca.pem",
             path, self, url, NUM_REQUESTS, dir);
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
    int num_looks = 0;

    ck_assert_ptr_nonnull(calls);
    trace_child(dir, test_server_url(server, "/", url, sizeof(url)), calls);
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

START_TEST(syscalls__are_four_for_a_keep_alive_get_plain_and_tls)
{
    static const struct test_name names[] = {
        {true, "\x7f\0\0\1", 4}
    };
    const struct test_cert_options leaf_options = {.names = names, .num_names = 1};
    struct test_cert *ca = test_ca("CA");
    struct test_cert *leaf = test_cert_new(&leaf_options, ca);
    const struct test_cert *const chain[] = {leaf, NULL};
    SSL_CTX *context = test_cert_context(chain);
    const struct test_server_options over_tls = {.tls = context};
    char *dir = test_dir();
    char *pem = test_cert_pem(ca);

    free(test_file(dir, "ca.pem", pem));
    for (int tls = 0; tls <= 1; tls++) {
        struct test_server *server = test_server_start(answer, NULL, tls == 1 ? &over_tls : NULL);

        check_calls(server, dir);
        test_server_stop(server);
    }
    free(pem);
    test_dir_remove(dir);
    SSL_CTX_free(context);
    test_cert_free(leaf);
    test_cert_free(ca);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {syscalls__are_four_for_a_keep_alive_get_plain_and_tls};

    self = argv[0];
    if (argc == 5 && strcmp(argv[1], "child") == 0) {
        return be_the_child(argv[2], argv[3], argv[4]);
    }
    if (access(STRACE, X_OK) != 0) {
        fprintf(stderr, "skipped: no strace\n");
        return TEST_NGINX_SKIPPED;
    }
    return run_tests("syscalls", tests, 1);
}
