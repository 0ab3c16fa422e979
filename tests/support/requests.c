/* Requests of the end to end tests, and what is asked of every failure: a sentence that a log can
 * keep. */

#include "support/requests.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum {
    URL_BYTES = 2048
};

struct urlpool_error test_err;

struct urlpool_manager *test_manager(const struct urlpool_manager_options *options)
{
    struct urlpool_manager *manager = urlpool_manager_new(options, &test_err);

    ck_assert_msg(manager != NULL, "%s", test_err.message);
    return manager;
}

struct urlpool_stats test_stats(struct urlpool_manager *manager)
{
    struct urlpool_stats stats;

    urlpool_manager_stats(manager, &stats, sizeof(stats));
    return stats;
}

struct urlpool_response *test_fetch(struct urlpool_manager *manager, const char *method,
                                    const struct test_server *server, const char *path,
                                    const struct urlpool_request_options *options)
{
    char url[URL_BYTES];
    struct urlpool_response *response = urlpool_request(
        manager, method, test_server_url(server, path, url, sizeof(url)), options, &test_err);

    ck_assert_msg(response != NULL, "%s: %s", urlpool_code_name(test_err.code), test_err.message);
    return response;
}

enum urlpool_code test_fetch_fails(struct urlpool_manager *manager, const char *method,
                                   const struct test_server *server, const char *path,
                                   const struct urlpool_request_options *options)
{
    char url[URL_BYTES];
    struct urlpool_response *response;
    const char *message = test_err.message;

    memset(&test_err, 0, sizeof(test_err));
    response = urlpool_request(manager, method, test_server_url(server, path, url, sizeof(url)),
                               options, &test_err);
    ck_assert_msg(response == NULL, "an answer to %s where an error was due", path);
    ck_assert_msg(message[0] != '\0' && strchr(message, '\n') == NULL &&
                      message[strlen(message) - 1] != '.',
                  "message \"%s\"", message);
    return test_err.code;
}

void test_get(struct urlpool_manager *manager, const struct test_server *server)
{
    urlpool_response_free(test_fetch(manager, "GET", server, "/", NULL));
}

void test_answer_hello(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reply(peer, 200, "X-Answer: yes\r\n", "hello");
}

void test_answer_echo(struct test_peer *peer, const struct test_request *request, void *user)
{
    char *text = calloc(1, request->body_len + 1);

    (void)user;
    ck_assert_ptr_nonnull(text);
    if (request->body_len > 0) {
        memcpy(text, request->body, request->body_len);
    }
    test_peer_reply(peer, 200, NULL, text);
    free(text);
}
