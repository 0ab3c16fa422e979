/* A change of protocols through a real server: nginx carries it to an origin that gives back what
 * comes, over http and over https. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/raw_stream.h"

#include "support/http_server.h"
#include "support/nginx.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    BIG_BYTES = 300000
};

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    char data[4096];
    size_t len;

    (void)user;
    if (strstr(request->head, "Upgrade: echo\r\n") == NULL) {
        test_peer_reply(peer, 426, "Upgrade: echo\r\n", "");
        return;
    }
    test_peer_send_text(peer, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                              "Upgrade: echo\r\n\r\nhello");
    while ((len = test_peer_receive(peer, data, sizeof(data))) > 0) {
        test_peer_send(peer, data, len);
    }
}

/* read_whole reads `len` bytes. */
static void read_whole(struct urlpool_raw_stream *raw, char *data, size_t len)
{
    while (len > 0) {
        size_t got = 0;

        ck_assert_msg(urlpool_raw_stream_read(raw, data, len, &got, &test_err) == URLPOOL_OK, "%s",
                      test_err.message);
        ck_assert_uint_gt(got, 0);
        data += got;
        len -= got;
    }
}

/* talk says something long and hears it again. */
static void talk(struct urlpool_raw_stream *raw)
{
    static char said[BIG_BYTES], heard[BIG_BYTES];

    read_whole(raw, heard, 5);
    ck_assert_mem_eq(heard, "hello", 5);
    for (size_t i = 0; i < BIG_BYTES; i++) {
        said[i] = (char)(i * 7 + i / 1000);
    }
    for (size_t i = 0; i < BIG_BYTES; i += BIG_BYTES / 10) {
        ck_assert_msg(urlpool_raw_stream_write(raw, said + i, BIG_BYTES / 10, &test_err) ==
                          URLPOOL_OK,
                      "%s", test_err.message);
        read_whole(raw, heard + i, BIG_BYTES / 10);
    }
    ck_assert_mem_eq(said, heard, BIG_BYTES);
}

START_TEST(nginx__carries_an_upgrade)
{
    struct test_server *origin = test_server_start(answer, NULL, NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    struct urlpool_request_options options = {0};
    struct test_nginx *nginx;
    char more[512];

    (void)snprintf(more, sizeof(more),
                   "location /up { proxy_pass http://127.0.0.1:%d; proxy_http_version 1.1; "
                   "proxy_set_header Upgrade $http_upgrade; "
                   "proxy_set_header Connection \"upgrade\"; }",
                   test_server_port(origin));
    nginx = test_nginx_start(more);
    ck_assert_int_eq(urlpool_headers_add(headers, "Connection", "Upgrade", &test_err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(headers, "Upgrade", "echo", &test_err), URLPOOL_OK);
    options.headers = headers;
    for (int is_tls = 0; is_tls < 2; is_tls++) {
        const struct urlpool_tls_options tls_options = {
            .ca_data = test_nginx_ca(nginx), .ca_data_len = strlen(test_nginx_ca(nginx))};
        struct urlpool_tls *tls = urlpool_tls_new(&tls_options, &test_err);
        struct urlpool_manager *manager =
            test_manager(&(struct urlpool_manager_options){.tls = tls});
        struct urlpool_response *response;
        struct urlpool_raw_stream *raw;
        char url[128];

        (void)snprintf(url, sizeof(url), "%s://127.0.0.1:%d/up", is_tls ? "https" : "http",
                       test_nginx_port(nginx, is_tls == 1));
        response = urlpool_request(manager, "GET", url, &options, &test_err);
        ck_assert_msg(response != NULL, "%s", test_err.message);
        ck_assert_int_eq(response->status, 101);
        raw = urlpool_response_upgrade(response, &test_err);
        ck_assert_msg(raw != NULL, "%s", test_err.message);
        urlpool_response_free(response);
        talk(raw);
        urlpool_raw_stream_close(raw);
        ck_assert_uint_eq(test_stats(manager).open, 0);
        urlpool_manager_free(manager);
        urlpool_tls_unref(tls);
    }
    urlpool_headers_free(headers);
    test_nginx_stop(nginx);
    test_server_stop(origin);
}
END_TEST

int main(void)
{
    static const TTest *tests[1];

    if (!test_nginx_exists()) {
        fprintf(stderr, "skipped: no nginx\n");
        return TEST_SKIPPED;
    }
    tests[0] = nginx__carries_an_upgrade;
    return run_tests("upgrade through nginx", tests, sizeof(tests) / sizeof(tests[0]));
}
