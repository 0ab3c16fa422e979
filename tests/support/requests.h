#ifndef TESTS_SUPPORT_REQUESTS_H
#define TESTS_SUPPORT_REQUESTS_H

#include "urlpool/urlpool.h"

#include "support/http_server.h"

/* What end to end tests do again and again: a manager, a request to the scripted server that must
 * succeed, one that must fail. For tests of one thread. */

/* TEST_ACCEPT_ENCODING is what a request offers: the codings of this build, by CMake's word. */
#if URLP_HAS_BROTLI && URLP_HAS_ZSTD
#define TEST_ACCEPT_ENCODING "gzip, deflate, br, zstd"
#elif URLP_HAS_BROTLI
#define TEST_ACCEPT_ENCODING "gzip, deflate, br"
#elif URLP_HAS_ZSTD
#define TEST_ACCEPT_ENCODING "gzip, deflate, zstd"
#else
#define TEST_ACCEPT_ENCODING "gzip, deflate"
#endif

/* TEST_ONE_TRY is for the `retries` of tests that are about a failure as such: none is made good,
 * but redirects are followed. */
#define TEST_ONE_TRY                                                           \
    {                                                                          \
        .connect = URLPOOL_NONE, .read = URLPOOL_NONE, .status = URLPOOL_NONE, \
        .other = URLPOOL_NONE                                                  \
    }

/* test_err is the error of the last call of these functions; tests use it for their own calls. */
extern struct urlpool_error test_err;

/* test_manager makes a manager; the test fails when it cannot. */
struct urlpool_manager *test_manager(const struct urlpool_manager_options *options);

struct urlpool_stats test_stats(struct urlpool_manager *manager);

/* test_fetch asks `server` for `path`; the test fails when there is no answer. */
struct urlpool_response *test_fetch(struct urlpool_manager *manager, const char *method,
                                    const struct test_server *server, const char *path,
                                    const struct urlpool_request_options *options);

/* test_fetch_fails is for a request that must fail; the test fails when it does not, or when the
 * message is not one sentence on one line. Returns the code. */
enum urlpool_code test_fetch_fails(struct urlpool_manager *manager, const char *method,
                                   const struct test_server *server, const char *path,
                                   const struct urlpool_request_options *options);

/* test_get is test_fetch of "/" with GET and no options, thrown away. */
void test_get(struct urlpool_manager *manager, const struct test_server *server);

/* Two answers: 200, "X-Answer: yes", "hello"; and 200 with the body of the request. */
void test_answer_hello(struct test_peer *peer, const struct test_request *request, void *user);
void test_answer_echo(struct test_peer *peer, const struct test_request *request, void *user);

#endif /* TESTS_SUPPORT_REQUESTS_H */
