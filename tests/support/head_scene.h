#ifndef TESTS_SUPPORT_HEAD_SCENE_H
#define TESTS_SUPPORT_HEAD_SCENE_H

#include <stddef.h>

#include "support/requests.h"

/* What tests of request heads share: two servers, which redirect "/STATUS/LOCATION" there, give the
 * body back for "/echo", answer 417 to who expects something of "/417", and say 200 to all else
 * (the first says 100 to who expects it); a manager; and the head of the last request, compared
 * byte by byte. */
struct head_scene {
    struct test_server *server, *other;
    struct urlpool_manager *manager;
};

struct head_scene head_scene_begin(const struct urlpool_manager_options *options);
void head_scene_end(struct head_scene *scene);

/* head_scene_fetch makes a request to a URL that must be answered with 200. Nothing that the
 * response tells of its way may hold the word "secret". */
void head_scene_fetch(const struct head_scene *scene, const char *method, const char *url,
                      const struct urlpool_request_options *options);

/* test_headers_of makes a list of one line; test_headers_add adds another. */
struct urlpool_headers *test_headers_of(const char *name, const char *value);
void test_headers_add(struct urlpool_headers *headers, const char *name, const char *value);

/* test_url_with writes the URL of `path` at the server, with "user@" in front of the host. */
const char *test_url_with(const struct test_server *server, const char *userinfo, const char *path,
                          char *out, size_t out_size);

/* test_expect_wire compares the last head that `server` got with `expected`, where "\n" stands for
 * a line end and "{host}" for the server's own. */
void test_expect_wire(struct test_server *server, const char *expected);

/* The beginning of a usual head, and the line behind its framing. */
#define FIRST_LINES(line) \
    line " HTTP/1.1\nHost: {host}\nAccept-Encoding: " TEST_ACCEPT_ENCODING "\n"
#define USER_AGENT "User-Agent: urlpool/" URLPOOL_VERSION "\n"

#endif /* TESTS_SUPPORT_HEAD_SCENE_H */
