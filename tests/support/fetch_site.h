#ifndef TESTS_SUPPORT_FETCH_SITE_H
#define TESTS_SUPPORT_FETCH_SITE_H

#include <check.h>

#include "support/http_server.h"
#include "support/program.h"

/* A site for pooled-fetch (and curl) to fetch from, and pooled-fetch run against it.
 *
 *   /hello /hello2      "hello\n", "hello again\n"
 *   /none               nothing, with Content-Length: 0
 *   /big                300 000 bytes of site_big
 *   /chunked            "chunked" in two chunks
 *   /gzip               "squeezed\n", encoded, whatever was asked for
 *   /ranged             26 letters, or those from where Range begins, with ETag "abc"
 *   /named /named-above with Content-Disposition: "given.txt", "../../up"
 *   /dated              with Last-Modified and an ETag
 *   /echo               the request: head and body
 *   /status/N           status N, body "status N\n"
 *   /hop/N              redirects to /hop/N-1, /hop/0 to /hello
 *   /loop /to-ftp /to-nonsense /to/URL   redirects
 *   /via/N/URL          redirects with status N
 *   /cut-tagged         half a body, with an ETag
 *   /interim            a 103 before the answer
 *   /cut /cut-head /empty /garbage /bad-field /bad-chunk /coding /bad-gzip /reset   failures
 *   /old                HTTP/1.0, ends with the connection
 *   /stay               nothing, until the client goes
 *   /drip               head and five of ten bytes, then nothing
 *
 * anything else is a 404. */
void site_answer(struct test_peer *peer, const struct test_request *request, void *user);

enum {
    SITE_BIG_LEN = 300000
};
char site_big(size_t offset);

/* struct site is a server with that, and a folder for files. */
struct site {
    struct test_server *server;
    char *dir;
};

void site_begin(struct site *site);
/* site_end removes the folder and its files. */
void site_end(struct site *site);
/* site_url writes a URL of it; at most eight are remembered at once. */
const char *site_url(const struct site *site, const char *path);
/* site_path is a file's path in its folder, as briefly. */
const char *site_path(const struct site *site, const char *name);
/* site_file reads a file of its folder, NULL when there is none; for free(). */
char *site_file(const struct site *site, const char *name);

/* FETCH runs pooled-fetch in the site's folder with these words, FETCH_INPUT with standard input
 * too. */
#define FETCH(site, ...) FETCH_INPUT(site, NULL, __VA_ARGS__)
#define FETCH_INPUT(site, input, ...) \
    site_fetch(site, input, (const char *const[]){POOLED_FETCH, __VA_ARGS__, NULL})
struct ran *site_fetch(const struct site *site, const char *input, const char *const *args);

/* Assertions that end with ran_free. */
#define ck_assert_code(result, code)                                                              \
    do {                                                                                          \
        struct ran *ran_ = (result);                                                              \
        ck_assert_msg(ran_->exit_code == (code), "exit code %d, not %d; \"%s\"", ran_->exit_code, \
                      (code), ran_->err);                                                         \
        ran_free(ran_);                                                                           \
    } while (0)
#define ck_assert_ran(result, code, output)                                                       \
    do {                                                                                          \
        struct ran *ran_ = (result);                                                              \
        ck_assert_msg(ran_->exit_code == (code), "exit code %d, not %d; \"%s\"", ran_->exit_code, \
                      (code), ran_->err);                                                         \
        ck_assert_str_eq(ran_->out, (output));                                                    \
        ran_free(ran_);                                                                           \
    } while (0)
/* Standard error is one line that begins with "pooled-fetch: " and holds `text`. */
#define ck_assert_refused(result, code, text)                                                     \
    do {                                                                                          \
        struct ran *ran_ = (result);                                                              \
        ck_assert_msg(ran_->exit_code == (code), "exit code %d, not %d; \"%s\"", ran_->exit_code, \
                      (code), ran_->err);                                                         \
        ck_assert_msg(strncmp(ran_->err, "pooled-fetch: ", 14) == 0 &&                            \
                          strstr(ran_->err, (text)) != NULL &&                                    \
                          strchr(ran_->err, '\n') == ran_->err + ran_->err_len - 1,               \
                      "said \"%s\"", ran_->err);                                                  \
        ran_free(ran_);                                                                           \
    } while (0)

#endif /* TESTS_SUPPORT_FETCH_SITE_H */
