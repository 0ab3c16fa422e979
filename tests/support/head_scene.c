/* Two servers and a manager, for tests of what a head says; see head_scene.h. */

#include "support/head_scene.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* answer redirects "/STATUS/LOCATION", gives the body back for "/echo", answers 417 to who
 * expects something of "/417", says 200 to all else. */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    char fields[1024];
    int status = 0;
    int at = 0;

    (void)user;
    if (sscanf(request->target, "/%3d/%n", &status, &at) == 1 && at > 0) {
        snprintf(fields, sizeof(fields), "Location: %s\r\n", request->target + at);
        test_peer_reply(peer, status, fields, "");
    } else if (strcmp(request->target, "/417") == 0 && strcasestr(request->head, "\nExpect:")) {
        test_peer_reply(peer, 417, NULL, "");
    } else if (strcmp(request->target, "/echo") == 0) {
        test_answer_echo(peer, request, NULL);
    } else {
        test_peer_reply(peer, 200, NULL, "");
    }
}

struct head_scene head_scene_begin(const struct urlpool_manager_options *options)
{
    const struct test_server_options polite = {.says_continue = true};

    return (struct head_scene){test_server_start(answer, NULL, &polite),
                               test_server_start(answer, NULL, NULL), test_manager(options)};
}

void head_scene_end(struct head_scene *scene)
{
    urlpool_manager_free(scene->manager);
    test_server_stop(scene->server);
    test_server_stop(scene->other);
}

struct urlpool_headers *test_headers_of(const char *name, const char *value)
{
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);

    ck_assert_ptr_nonnull(headers);
    ck_assert_int_eq(urlpool_headers_add(headers, name, value, &test_err), URLPOOL_OK);
    return headers;
}

void test_headers_add(struct urlpool_headers *headers, const char *name, const char *value)
{
    ck_assert_int_eq(urlpool_headers_add(headers, name, value, &test_err), URLPOOL_OK);
}

const char *test_url_with(const struct test_server *server, const char *userinfo, const char *path,
                          char *out, size_t out_size)
{
    snprintf(out, out_size, "http://%s127.0.0.1:%d%s", userinfo, test_server_port(server), path);
    return out;
}

void head_scene_fetch(const struct head_scene *scene, const char *method, const char *url,
                      const struct urlpool_request_options *options)
{
    struct urlpool_response *response =
        urlpool_request(scene->manager, method, url, options, &test_err);

    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(response->status, 200);
    ck_assert_ptr_null(strstr(response->url, "secret"));
    for (size_t i = 0; i < urlpool_response_num_hops(response); i++) {
        const struct urlpool_hop hop = urlpool_response_hop(response, i);

        ck_assert_ptr_null(strstr(hop.url, "secret"));
        ck_assert(hop.location == NULL || strstr(hop.location, "secret") == NULL);
    }
    urlpool_response_free(response);
}

void test_expect_wire(struct test_server *server, const char *expected)
{
    static const char host_mark[] = "{host}";
    char *head = test_server_last_head(server);
    char wire[4096] = "";
    size_t len = 0;

    for (; *expected != '\0'; expected++) {
        if (strncmp(expected, host_mark, strlen(host_mark)) == 0) {
            len += (size_t)snprintf(wire + len, sizeof(wire) - len, "127.0.0.1:%d",
                                    test_server_port(server));
            expected += strlen(host_mark) - 1;
        } else {
            len += (size_t)snprintf(wire + len, sizeof(wire) - len, "%s%c",
                                    *expected == '\n' ? "\r" : "", *expected);
        }
        ck_assert_uint_lt(len, sizeof(wire));
    }
    ck_assert_str_eq(head, wire);
    free(head);
}
