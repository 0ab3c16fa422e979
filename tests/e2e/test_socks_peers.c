/* The same through proxies that others have written: microsocks and Dante. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/socks_peers.h"

static struct https_scene scene;
static struct test_server *plain;
static struct socks_peer *peer;
static struct urlpool_manager *manager;

static void begin(enum socks_program program, const char *user, const char *password)
{
    scene = https_scene_begin(test_answer_hello, NULL, NULL);
    plain = test_server_start(test_answer_hello, NULL, NULL);
    peer = socks_peer_start(program, user, password);
}

/* use makes a manager that goes through the peer: `scheme` is the beginning of its URL. */
static void use(const char *scheme)
{
    struct urlpool_manager_options options = {.tls = scene.tls, .retries = TEST_ONE_TRY};
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

static struct urlpool_response *get(const char *scheme, const char *host, int port)
{
    char url[128];

    (void)snprintf(url, sizeof(url), "%s://%s:%d/", scheme, host, port);
    return urlpool_request(manager, "GET", url, NULL, &test_err);
}

static void check_hello(const char *scheme, const char *host, int port)
{
    struct urlpool_response *response = get(scheme, host, port);

    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_str_eq((const char *)response->data, "hello");
    urlpool_response_free(response);
}

/* check_way asks both origins twice, over one connection each. */
static void check_way(const char *scheme, const char *host)
{
    use(scheme);
    check_hello("http", host, test_server_port(plain));
    check_hello("http", host, test_server_port(plain));
    check_hello("https", host, test_server_port(scene.server));
    check_hello("https", host, test_server_port(scene.server));
    ck_assert_uint_eq(test_stats(manager).opened, 2);
    urlpool_manager_free(manager);
}

static void check_refused(const char *host, int port, const char *words)
{
    ck_assert_ptr_null(get("http", host, port));
    ck_assert_int_eq(test_err.code, URLPOOL_E_PROXY);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_PROXY);
    ck_assert_msg(strstr(test_err.message, words) != NULL, "%s", test_err.message);
}

START_TEST(microsocks__leads_to_names_and_addresses)
{
    begin(SOCKS_MICROSOCKS, NULL, NULL);
    check_way("socks5://", "localhost");
    check_way("socks5h://", "localhost");
    check_way("socks5h://", "127.0.0.1");
    end();
}
END_TEST

START_TEST(microsocks__wants_user_and_password)
{
    begin(SOCKS_MICROSOCKS, "me", "pass word");
    check_way("socks5h://me:pass%20word@", "localhost");
    use("socks5h://me:wrong@");
    check_refused("localhost", test_server_port(plain), "does not accept user and password");
    urlpool_manager_free(manager);
    use("socks5h://");
    check_refused("localhost", test_server_port(plain), "wants to know who asks");
    urlpool_manager_free(manager);
    end();
}
END_TEST

START_TEST(microsocks__says_what_it_cannot_reach)
{
    int bound = loopback_bind("127.0.0.1", 0);

    begin(SOCKS_MICROSOCKS, NULL, NULL);
    use("socks5h://");
    check_refused("127.0.0.1", loopback_port(bound), "the host refused the SOCKS5 proxy");
    urlpool_manager_free(manager);
    end();
    (void)close(bound);
}
END_TEST

START_TEST(dante__leads_by_both_versions_of_socks)
{
    begin(SOCKS_DANTE, NULL, NULL);
    check_way("socks4://", "localhost");
    check_way("socks4://somebody@", "127.0.0.1");
    check_way("socks4a://", "127.0.0.1"); /* Dante knows no names in SOCKS4 */
    check_way("socks5://", "localhost");
    check_way("socks5h://", "localhost");
    end();
}
END_TEST

START_TEST(dante__says_what_its_rules_do_not_allow)
{
    begin(SOCKS_DANTE, NULL, NULL);
    use("socks5h://");
    check_refused("127.0.0.1", 7, "rules do not allow it");
    urlpool_manager_free(manager);
    use("socks4://");
    check_refused("127.0.0.1", 7, "does not let it through or cannot reach it");
    urlpool_manager_free(manager);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        microsocks__leads_to_names_and_addresses, microsocks__wants_user_and_password,
        microsocks__says_what_it_cannot_reach,    dante__leads_by_both_versions_of_socks,
        dante__says_what_its_rules_do_not_allow,
    };

    if (!socks_peer_exists(SOCKS_MICROSOCKS) || !socks_peer_exists(SOCKS_DANTE)) {
        (void)fprintf(stderr, "skipped: no microsocks or no dante\n");
        return TEST_SKIPPED;
    }
    return run_tests("socks_peers", tests, sizeof(tests) / sizeof(tests[0]));
}
