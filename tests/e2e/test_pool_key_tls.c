/* The TLS settings in the pool key: of two that differ in whatever member, in one manager, neither
 * gets the other's connection, nor one that resumes its session. tests/tools/test_pool_key sees to
 * it that each member of struct urlpool_tls_options has its row. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/https_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"

/* struct pair is options that differ in `member` alone. */
struct pair {
    const char *member;
    struct urlpool_tls_options before, after;
};

static struct pair pairs[40];
static size_t num_pairs;

static struct https_scene scene;
static struct urlpool_manager *manager;
static struct test_cert *others[2]; /* a CA of no concern, a certificate of the client's */
static char *dir;
static char *cas, *client, *paths[6];
static size_t ca_len, client_len;

/* What paths[] are. */
enum {
    CA,
    BOTH_CAS,
    CLIENT,
    KEY,
    ENCRYPTED_KEY,
    KEYLOG
};

/* join makes one text of two, and frees both. */
static char *join(char *first, char *second)
{
    char *text = NULL;

    ck_assert_int_gt(asprintf(&text, "%s%s", first, second), 0);
    free(first);
    free(second);
    return text;
}

static void write_file(int which, const char *name, const char *text)
{
    paths[which] = test_file(dir, name, text);
}

static void begin(void)
{
    char *pem, *key;

    scene = https_scene_begin(test_answer_hello, NULL, NULL);
    others[0] = test_ca("Another CA");
    others[1] = test_cert_new(
        &(struct test_cert_options){.common_name = "client", .usage = "clientAuth"}, scene.ca);
    dir = test_dir();
    pem = test_cert_pem(scene.ca);
    ca_len = strlen(pem);
    write_file(CA, "ca.pem", pem);
    cas = join(pem, test_cert_pem(others[0]));
    write_file(BOTH_CAS, "both.pem", cas);
    pem = test_cert_pem(others[1]);
    client_len = strlen(pem);
    write_file(CLIENT, "client.pem", pem);
    client = join(pem, test_cert_pem(scene.ca));
    key = test_cert_key_pem(others[1]);
    write_file(KEY, "key.pem", key);
    free(key);
    key = test_cert_key_encrypted(others[1], "open", false);
    write_file(ENCRYPTED_KEY, "encrypted.pem", key);
    free(key);
    write_file(KEYLOG, "keylog", "");
}

static void end(void)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        free(paths[i]);
    }
    free(cas);
    free(client);
    test_dir_remove(dir);
    test_cert_free(others[0]);
    test_cert_free(others[1]);
    https_scene_end(&scene);
}

static struct pair *add(const char *member)
{
    struct pair *pair = &pairs[num_pairs++];

    ck_assert_uint_le(num_pairs, sizeof(pairs) / sizeof(pairs[0]));
    *pair = (struct pair){.member = member, .before.ca_file = paths[CA]};
    pair->after = pair->before;
    return pair;
}

static struct urlpool_tls_options *after(const char *member)
{
    return &add(member)->after;
}

/* with_client has both halves show a certificate. */
static struct pair *with_client(struct pair *pair)
{
    pair->before.cert_file = pair->after.cert_file = paths[CLIENT];
    pair->before.key_file = pair->after.key_file = paths[KEY];
    return pair;
}

static void add_roots(void)
{
    struct pair *pair;

    after("urlpool_tls_options.ca_file")->ca_file = paths[BOTH_CAS];
    after("urlpool_tls_options.ca_dir")->ca_dir = dir;
    pair = add("urlpool_tls_options.ca_data");
    pair->before.ca_data_len = pair->after.ca_data_len = strlen(cas);
    pair->before.ca_data = cas;
    pair->after.ca_data = strdup(cas);
    pair = add("urlpool_tls_options.ca_data_len");
    pair->before.ca_data = pair->after.ca_data = cas;
    pair->before.ca_data_len = ca_len;
    pair->after.ca_data_len = strlen(cas);
}

static void add_client(void)
{
    struct pair *pair;
    static char *key, *longer_key;

    key = test_cert_key_pem(others[1]);
    ck_assert_int_gt(asprintf(&longer_key, "%s\n\n", key), 0);
    pair = add("urlpool_tls_options.cert_file");
    pair->after.cert_file = paths[CLIENT];
    pair->after.key_file = paths[KEY];
    pair = add("urlpool_tls_options.cert_data");
    pair->after.cert_data = client;
    pair->after.cert_data_len = client_len;
    pair->after.key_file = paths[KEY];
    pair = add("urlpool_tls_options.cert_data_len");
    pair->before.cert_data = pair->after.cert_data = client;
    pair->before.key_file = pair->after.key_file = paths[KEY];
    pair->before.cert_data_len = client_len;
    pair->after.cert_data_len = strlen(client);
    pair = with_client(add("urlpool_tls_options.key_file"));
    pair->before.key_password = pair->after.key_password = "open";
    pair->after.key_file = paths[ENCRYPTED_KEY];
    pair = with_client(add("urlpool_tls_options.key_data"));
    pair->after.key_file = NULL;
    pair->after.key_data = key;
    pair->after.key_data_len = strlen(key);
    pair = with_client(add("urlpool_tls_options.key_data_len"));
    pair->before.key_file = pair->after.key_file = NULL;
    pair->before.key_data = pair->after.key_data = longer_key;
    pair->before.key_data_len = strlen(key);
    pair->after.key_data_len = strlen(longer_key);
    pair = with_client(add("urlpool_tls_options.key_password"));
    pair->after.key_password = "of no use";
}

static void add_all(void)
{
    add_roots();
    add_client();
    after("urlpool_tls_options.insecure_no_verify")->insecure_no_verify = true;
    after("urlpool_tls_options.version_min")->version_min = URLPOOL_TLS_1_3;
    after("urlpool_tls_options.version_max")->version_max = URLPOOL_TLS_1_2;
    after("urlpool_tls_options.ciphers")->ciphers = "ECDHE+AESGCM";
    after("urlpool_tls_options.server_name")->server_name = "localhost";
    after("urlpool_tls_options.assert_hostname")->assert_hostname = "localhost";
    after("urlpool_tls_options.insecure_no_hostname")->insecure_no_hostname = true;
    after("urlpool_tls_options.assert_fingerprint")->assert_fingerprint =
        test_cert_fingerprint(scene.leaf, 64);
    after("urlpool_tls_options.pins")->pins = test_cert_pin(scene.leaf);
    after("urlpool_tls_options.keylog_file")->keylog_file = paths[KEYLOG];
    after("urlpool_tls_options.keylog_from_environment")->keylog_from_environment = true;
}

static struct urlpool_tls *build(const struct pair *pair, const struct urlpool_tls_options *options)
{
    struct urlpool_tls *tls = urlpool_tls_new(options, &test_err);

    ck_assert_msg(tls != NULL, "%s: %s", pair->member, test_err.message);
    return tls;
}

/* ask makes a request, and says whether it went over a connection that was there. */
static bool ask(const struct pair *pair)
{
    char url[64];
    struct urlpool_response *response = urlpool_request(
        manager, "GET", test_server_url(scene.server, "/", url, sizeof(url)), NULL, &test_err);
    bool is_reused;

    ck_assert_msg(response != NULL, "%s: %s", pair->member, test_err.message);
    is_reused = response->connection_reused;
    urlpool_response_free(response);
    return is_reused;
}

/* use has the manager make new connections with `options`, once and again. */
static void use(const struct pair *pair, struct urlpool_tls *tls)
{
    ck_assert_int_eq(urlpool_manager_set_tls(manager, tls, &test_err), URLPOOL_OK);
    ck_assert_msg(!ask(pair), "%s: the other's connection", pair->member);
    ck_assert_msg(ask(pair), "%s: its own connection", pair->member);
}

static void check(const struct pair *pair)
{
    struct urlpool_tls *before = build(pair, &pair->before);
    struct urlpool_tls *changed = build(pair, &pair->after);

    manager = test_manager(NULL);
    use(pair, before);
    use(pair, changed);
    use(pair, before); /* its connection was closed, its session may be resumed */
    ck_assert_msg(test_stats(manager).opened == 3, "%s", pair->member);
    ck_assert_msg(test_stats(manager).tls_full >= 2, "%s: the other's session", pair->member);
    urlpool_manager_free(manager);
    urlpool_tls_unref(before);
    urlpool_tls_unref(changed);
}

START_TEST(tls__that_differs_in_an_option_shares_nothing)
{
    begin();
    add_all();
    for (size_t i = 0; i < num_pairs; i++) {
        check(&pairs[i]);
    }
    end();
}
END_TEST

START_TEST(tls__built_again_with_the_same_options_shares_nothing)
{
    begin();
    check(add("nothing at all"));
    end();
}
END_TEST

/* A pool in a user's hands goes on with the settings it began with, beside the manager's new ones.
 */
START_TEST(tls__of_a_pool_in_hand_stays_apart_from_the_managers)
{
    struct urlpool_pool *pool;
    struct urlpool_response *response;
    struct urlpool_tls *other;
    char url[64];

    begin();
    other = build(add("nothing at all"), &pairs[0].before);
    manager = test_manager(&(struct urlpool_manager_options){.tls = scene.tls});
    (void)test_server_url(scene.server, "/", url, sizeof(url));
    pool = urlpool_manager_pool_for_url(manager, url, &test_err);
    ck_assert_int_eq(urlpool_manager_set_tls(manager, other, &test_err), URLPOOL_OK);
    ck_assert(!ask(&pairs[0]));
    response = urlpool_pool_request(pool, "GET", url, NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert(!response->connection_reused);
    urlpool_response_free(response);
    urlpool_pool_unref(pool);
    urlpool_manager_free(manager);
    urlpool_tls_unref(other);
    end();
}
END_TEST

RUN_TESTS("pool key, TLS", tls__that_differs_in_an_option_shares_nothing,
          tls__built_again_with_the_same_options_shares_nothing,
          tls__of_a_pool_in_hand_stays_apart_from_the_managers)
