/* SOCKS4a as others have written it: OpenSSH's dynamic forwarding, which knows all three kinds of
 * SOCKS, in a network of the test's own. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/netns.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/socks_peers.h"

enum {
    LIMIT_MS = 5000
};

static struct https_scene scene;
static struct test_server *plain;
static struct socks_peer *peer;
static struct urlpool_manager *manager;

/* answer_in_pieces says how long its body is, and gives half of it. */
static void answer_in_pieces(struct test_peer *to, const struct test_request *request, void *user)
{
    if (strcmp(request->target, "/half") != 0) {
        test_answer_hello(to, request, user);
        return;
    }
    test_peer_send_text(to, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
    test_peer_stay(to);
}

static void begin(void)
{
    netns_enter();
    scene = https_scene_begin(answer_in_pieces, NULL, NULL);
    plain = test_server_start(answer_in_pieces, NULL, NULL);
    peer = socks_peer_start(SOCKS_SSH, NULL, NULL);
}

static void use(const char *scheme)
{
    struct urlpool_manager_options options = {
        .tls = scene.tls, .retries = TEST_ONE_TRY, .timeout.total_ms = LIMIT_MS};
    char url[128];

    (void)snprintf(url, sizeof(url), "%s127.0.0.1:%d", scheme, socks_peer_port(peer));
    options.proxy.url = url;
    manager = test_manager(&options);
}

static void end(void)
{
    socks_peer_stop(peer);
    test_server_stop(plain);
    https_scene_end(&scene);
}

static struct urlpool_response *get(const char *scheme, const char *host, int port,
                                    const char *path, bool is_stream)
{
    const struct urlpool_request_options options = {.stream = is_stream};
    char url[128];

    (void)snprintf(url, sizeof(url), "%s://%s:%d%s", scheme, host, port, path);
    return urlpool_request(manager, "GET", url, &options, &test_err);
}

/* check_way asks both origins twice, over one connection each. */
static void check_way(const char *scheme, const char *host)
{
    use(scheme);
    for (int i = 0; i < 4; i++) {
        const bool is_https = i >= 2;
        struct urlpool_response *response =
            get(is_https ? "https" : "http", host,
                test_server_port(is_https ? scene.server : plain), "/", false);

        ck_assert_msg(response != NULL, "%s%s: %s", scheme, host, test_err.message);
        ck_assert_str_eq((const char *)response->data, "hello");
        urlpool_response_free(response);
    }
    ck_assert_uint_eq(test_stats(manager).opened, 2);
    urlpool_manager_free(manager);
}

START_TEST(ssh__leads_by_every_kind_of_socks)
{
    begin();
    check_way("socks4a://", "localhost");
    check_way("socks4a://somebody@", "localhost");
    check_way("socks4a://", "127.0.0.1");
    check_way("socks4://", "localhost");
    check_way("socks5://", "127.0.0.1");
    check_way("socks5h://", "localhost");
    end();
}
END_TEST

START_TEST(ssh__that_cannot_reach_the_host_is_the_proxys_failure)
{
    int bound;

    begin();
    bound = loopback_bind("127.0.0.1", 0);
    use("socks4a://somebody@");
    ck_assert_ptr_null(get("http", "localhost", loopback_port(bound), "/", false));
    ck_assert_int_eq(test_err.code, URLPOOL_E_PROXY);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_PROXY);
    ck_assert_ptr_null(strstr(test_err.message, "somebody"));
    urlpool_manager_free(manager);
    (void)close(bound);
    end();
}
END_TEST

/* check_death breaks off the proxy in the middle of a body. */
static void check_death(const char *scheme, int port)
{
    struct urlpool_response *response = get(scheme, "localhost", port, "/half", true);
    const int64_t begun_ns = urlp_now_ns();
    enum urlpool_code code;
    char data[16] = "";
    size_t len = 0;

    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(urlpool_response_read(response, data, sizeof(data), &len, &test_err),
                     URLPOOL_OK);
    ck_assert_str_eq(data, "half");
    socks_peer_kill(peer);
    code = urlpool_response_read(response, data, sizeof(data), &len, &test_err);
    ck_assert_msg(code == URLPOOL_E_INCOMPLETE_READ || code == URLPOOL_E_RESET, "%s: %s",
                  urlpool_code_name(code), test_err.message);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
    ck_assert_ptr_null(strstr(test_err.message, "somebody"));
    ck_assert_int_lt((urlp_now_ns() - begun_ns) / URLP_NS_PER_MS, LIMIT_MS);
    urlpool_response_free(response);
}

START_TEST(ssh__that_dies_in_mid_tunnel_ends_the_body)
{
    begin();
    use("socks4a://somebody@");
    check_death("http", test_server_port(plain));
    urlpool_manager_free(manager);
    end();
}
END_TEST

START_TEST(ssh__that_dies_in_mid_tunnel_ends_the_body_within_tls)
{
    begin();
    use("socks4a://somebody@");
    check_death("https", test_server_port(scene.server));
    ck_assert_ptr_null(get("https", "localhost", test_server_port(scene.server), "/", false));
    ck_assert_int_eq(test_err.code, URLPOOL_E_PROXY);
    ck_assert_int_eq(test_err.cause, URLPOOL_E_CONNECT);
    urlpool_manager_free(manager);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        ssh__leads_by_every_kind_of_socks,
        ssh__that_cannot_reach_the_host_is_the_proxys_failure,
        ssh__that_dies_in_mid_tunnel_ends_the_body,
        ssh__that_dies_in_mid_tunnel_ends_the_body_within_tls,
    };
    const char *trouble = socks_peer_exists(SOCKS_SSH) ? netns_trouble() : "no OpenSSH";

    if (trouble != NULL) {
        (void)fprintf(stderr, "skipped: %s\n", trouble);
        return TEST_SKIPPED;
    }
    return run_tests("SOCKS4a peer", tests, sizeof(tests) / sizeof(tests[0]));
}
