/* Managers, pools, configurations, connections of the lower floor, and values, as acts of
 * scenarios.
 */

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "support/requests.h"
#include "support/scenarios.h"

static const struct urlpool_request_options streamed = {.stream = true};

static enum urlpool_code code_of(const void *out, const struct urlpool_error *err)
{
    return out != NULL ? URLPOOL_OK : err->code;
}

SCENARIO_ACT(act_preconnect)
{
    return urlpool_manager_preconnect(scene->manager, scene->url, 3, err);
}

/* struct waiter is another thread that wants the only place. */
struct waiter {
    struct scene *scene;
    struct urlpool_cancel *cancel;
    enum urlpool_code code;
    struct urlpool_error err;
    atomic_bool is_done;
};

static void *want(void *user)
{
    struct waiter *waiter = user;
    const struct urlpool_request_options options = {.cancel = waiter->cancel};

    waiter->code = scene_get(waiter->scene, "GET", "/", &options, "hello", &waiter->err);
    atomic_store(&waiter->is_done, true);
    return NULL;
}

/* wait_for_place has another thread wait until this one has read its response. */
static enum urlpool_code wait_for_place(struct scene *scene, struct urlpool_cancel *cancel,
                                        struct urlpool_error *err)
{
    struct waiter waiter = {.scene = scene, .cancel = cancel};
    struct urlpool_response *held =
        urlpool_request(scene->manager, "GET", scene->url, &streamed, err);
    pthread_t thread;

    if (held == NULL) {
        return err->code;
    }
    if (pthread_create(&thread, NULL, want, &waiter) != 0) { /* it is this that was made to fail */
        urlpool_response_free(held);
        return URLPOOL_OK;
    }
    while (test_stats(scene->manager).waiting == 0 && !atomic_load(&waiter.is_done)) {
        sched_yield();
    }
    urlpool_response_free(held);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    *err = waiter.err;
    return waiter.code;
}

SCENARIO_ACT(act_wait)
{
    return wait_for_place(scene, NULL, err);
}

SCENARIO_ACT(act_wait_with_cancel)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(err);
    enum urlpool_code code = code_of(cancel, err);

    code = code == URLPOOL_OK ? wait_for_place(scene, cancel, err) : code;
    urlpool_cancel_free(cancel);
    return code;
}

/* act_evict asks two origins in turn where there is but one place. */
SCENARIO_ACT(act_evict)
{
    enum urlpool_code code = act_get(scene, err);
    char url[128];
    struct urlpool_response *response;

    if (code != URLPOOL_OK) {
        return code;
    }
    (void)snprintf(url, sizeof(url), "http://localhost:%d/", test_server_port(scene->server));
    response = urlpool_request(scene->manager, "GET", url, NULL, err);
    code = code_of(response, err);
    urlpool_response_free(response);
    return code == URLPOOL_OK ? act_get(scene, err) : code;
}

SCENARIO_ACT(act_maintain)
{
    enum urlpool_code code = act_get(scene, err);

    (void)urlpool_manager_maintain(scene->manager);
    (void)urlpool_manager_maintain(scene->manager);
    return code == URLPOOL_OK ? act_get(scene, err) : code;
}

SCENARIO_ACT(act_report)
{
    enum urlpool_code code = act_get(scene, err);
    char *lines = NULL, *page = NULL, *other = NULL;

    if (code == URLPOOL_OK) {
        lines = urlpool_manager_describe(scene->manager, err);
        code = code_of(lines, err);
    }
    if (code == URLPOOL_OK) {
        page = urlpool_manager_metrics(scene->manager, URLPOOL_METRICS_PROMETHEUS, err);
        code = code_of(page, err);
    }
    if (code == URLPOOL_OK) {
        other = urlpool_manager_metrics(scene->manager, URLPOOL_METRICS_OPENMETRICS, err);
        code = code_of(other, err);
    }
    urlpool_string_free(lines);
    urlpool_string_free(page);
    urlpool_string_free(other);
    return code;
}

SCENARIO_ACT(act_clear)
{
    enum urlpool_code code = act_get(scene, err);

    urlpool_manager_network_changed(scene->manager);
    code = code == URLPOOL_OK ? act_get(scene, err) : code;
    urlpool_manager_clear(scene->manager);
    return code == URLPOOL_OK ? act_get(scene, err) : code;
}

SCENARIO_ACT(act_set_tls)
{
    const struct urlpool_tls_options options = {.ca_file = scene->ca_path};
    struct urlpool_tls *tls = urlpool_tls_new(&options, err);
    enum urlpool_code code = code_of(tls, err);

    code = code == URLPOOL_OK ? urlpool_manager_set_tls(scene->manager, tls, err) : code;
    urlpool_tls_unref(tls);
    return code == URLPOOL_OK ? act_get(scene, err) : code;
}

/* lend_from speaks on a connection of `pool`. */
static enum urlpool_code lend_from(struct urlpool_pool *pool, struct urlpool_error *err)
{
    struct urlpool_connection *connection = urlpool_pool_acquire(pool, NULL, NULL, err);
    struct urlpool_response *response = NULL;
    char *line = NULL;
    enum urlpool_code code = code_of(connection, err);

    if (code == URLPOOL_OK) {
        code = urlpool_connection_request(connection, "GET", "/", NULL, NULL, err);
    }
    if (code == URLPOOL_OK) {
        response = urlpool_connection_getresponse(connection, err);
        code = code_of(response, err);
    }
    code = code == URLPOOL_OK ? urlpool_response_read_all(response, err) : code;
    if (code == URLPOOL_OK) {
        line = urlpool_pool_describe(pool, err);
        code = code_of(line, err);
    }
    urlpool_string_free(line);
    urlpool_response_free(response);
    urlpool_pool_release(pool, connection);
    return code;
}

SCENARIO_ACT(act_lend)
{
    struct urlpool_pool *pool = urlpool_manager_pool_for_url(scene->manager, scene->url, err);
    enum urlpool_code code = code_of(pool, err);

    code = code == URLPOOL_OK ? lend_from(pool, err) : code;
    urlpool_pool_unref(pool);
    return code;
}

SCENARIO_ACT(act_pool)
{
    struct urlpool_pool *pool = urlpool_pool_new(scene->url, &scene->options, err);
    struct urlpool_response *response = NULL;
    enum urlpool_code code = code_of(pool, err);

    if (code == URLPOOL_OK) {
        response = urlpool_pool_request(pool, "GET", "/gzip", NULL, err);
        code = code_of(response, err);
    }
    urlpool_response_free(response);
    urlpool_pool_unref(pool);
    return code;
}

/* speak asks for the scenario's path on the lower floor, field by field. */
static enum urlpool_code speak(struct scene *scene, struct urlpool_connection *connection,
                               struct urlpool_error *err)
{
    static const char *const values[] = {"a", "b"};
    const char *path = scene->scenario->path != NULL ? scene->scenario->path : "/";
    enum urlpool_code code = urlpool_connection_putrequest(connection, "GET", path, 0, err);
    struct urlpool_response *response = NULL;

    code =
        code == URLPOOL_OK ? urlpool_connection_putheader(connection, "X-Y", values, 2, err) : code;
    code = code == URLPOOL_OK ? urlpool_connection_endheaders(connection, NULL, err) : code;
    if (code == URLPOOL_OK) {
        response = urlpool_connection_getresponse(connection, err);
        code = code_of(response, err);
    }
    code = code == URLPOOL_OK ? urlpool_response_read_all(response, err) : code;
    ck_assert(code != URLPOOL_OK || response->data_len == 5);
    urlpool_response_free(response);
    return code;
}

SCENARIO_ACT(act_floor)
{
    const struct urlpool_connection_options options = {
        .https = scene->scenario->is_tls,
        .tls = scene->scenario->is_tls ? scene->https.tls : NULL,
        .timeout = scene->options.timeout};
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", test_server_port(scene->server), &options, err);
    enum urlpool_code code = code_of(connection, err);

    for (int i = 0; i < 2 && code == URLPOOL_OK; i++) {
        code = speak(scene, connection, err);
    }
    urlpool_connection_free(connection);
    return code;
}

SCENARIO_ACT(act_floor_tunnel)
{
    const struct urlpool_connection_options options = {
        .https = true, .tls = scene->https.tls, .timeout = scene->options.timeout};
    struct urlpool_headers *headers = urlpool_headers_new(err);
    struct urlpool_connection *connection =
        headers != NULL
            ? urlpool_connection_new("127.0.0.1", proxy_server_port(scene->proxy), &options, err)
            : NULL;
    enum urlpool_code code = code_of(connection, err);

    code = code == URLPOOL_OK ? urlpool_headers_add(headers, "X", "y", err) : code;
    code = code == URLPOOL_OK
               ? urlpool_connection_set_tunnel(connection, "www.example",
                                               test_server_port(scene->server), headers, err)
               : code;
    code = code == URLPOOL_OK ? speak(scene, connection, err) : code;
    urlpool_connection_free(connection);
    urlpool_headers_free(headers);
    return code;
}

SCENARIO_ACT(act_urls)
{
    struct urlpool_url *base = urlpool_url_parse("HTTP://me:x@B\xc3\xbc"
                                                 "cher.example/a/../b?c#d",
                                                 err);
    struct urlpool_url *joined =
        base != NULL ? urlpool_url_join(base, "../e?f=\xc3\xbc", err) : NULL;
    char *text = joined != NULL ? urlpool_url_format(joined, err) : NULL;
    enum urlpool_code code = code_of(text, err);

    (void)scene;
    urlpool_string_free(text);
    urlpool_url_free(joined);
    urlpool_url_free(base);
    return code;
}

/* fill_headers does to `headers` all that grows a list. */
static enum urlpool_code fill_headers(struct urlpool_headers *headers, struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;

    for (int i = 0; i < 20 && code == URLPOOL_OK; i++) {
        code = urlpool_headers_add(headers, "Name", "value", err);
    }
    code = code == URLPOOL_OK ? urlpool_headers_set(headers, "Name", "long value", err) : code;
    code = code == URLPOOL_OK ? urlpool_headers_combine(headers, "Name", "more", err) : code;
    code = code == URLPOOL_OK ? urlpool_headers_set(headers, "Other", "x", err) : code;
    return code;
}

SCENARIO_ACT(act_headers)
{
    const struct urlpool_headers_choice choice = {.keep_alive = true,
                                                  .accept_encoding = true,
                                                  .user_agent = "me",
                                                  .basic_auth = "me:secret",
                                                  .proxy_basic_auth = "me"};
    struct urlpool_headers *headers = urlpool_headers_make(&choice, err);
    struct urlpool_headers *copy = NULL;
    char *text = NULL;
    enum urlpool_code code = code_of(headers, err);

    (void)scene;
    code = code == URLPOOL_OK ? fill_headers(headers, err) : code;
    if (code == URLPOOL_OK) {
        copy = urlpool_headers_copy(headers, err);
        code = code_of(copy, err);
    }
    code = code == URLPOOL_OK ? urlpool_headers_extend(copy, headers, err) : code;
    code = code == URLPOOL_OK ? urlpool_headers_merge(copy, headers, err) : code;
    if (code == URLPOOL_OK) {
        text = urlpool_headers_get_all(copy, "Name");
        code = text != NULL ? URLPOOL_OK : URLPOOL_E_NOMEM; /* it takes no error */
    }
    urlpool_string_free(text);
    urlpool_headers_free(copy);
    urlpool_headers_free(headers);
    return code;
}

SCENARIO_ACT(act_forms)
{
    struct urlpool_form *form = urlpool_form_new(err);
    const struct urlpool_part part = {.name = "p", .data = "d", .data_len = 1};
    char *text = NULL;
    enum urlpool_code code = code_of(form, err);

    (void)scene;
    for (int i = 0; i < 20 && code == URLPOOL_OK; i++) {
        code = urlpool_form_add(form, "name", "\xc3\xbc value", err);
    }
    code = code == URLPOOL_OK ? urlpool_form_add_part(form, &part, err) : code;
    code = code == URLPOOL_OK ? urlpool_form_set_boundary(form, "boundary", err) : code;
    if (code == URLPOOL_OK) {
        text = urlpool_form_encode(form, err);
        code = code_of(text, err);
    }
    urlpool_string_free(text);
    urlpool_form_free(form);
    return code;
}

/* make_manager makes one with every option that is copied. */
static enum urlpool_code make_manager(struct scene *scene, const struct urlpool_headers *headers,
                                      struct urlpool_error *err)
{
    static const char *const answers[] = {"www.example:80:127.0.0.1,::1", "*:0:127.0.0.2", NULL};
    static const char *const connect_to[] = {"a.example:80:b.example:81", NULL};
    static const struct urlpool_socket_option socket_options[] = {
        {1, 9, 1}
    };
    const struct urlpool_manager_options options = {
        .user_agent = "me",
        .headers = headers,
        .tls = scene->https.tls,
        .retries = {.allowed_methods = "GET, PUT", .remove_headers_on_redirect = "X, Y"},
        .network = {.answers = answers,
                    .connect_to = connect_to,
                    .dns_servers = "127.0.0.1:5353",
                    .source_address = "127.0.0.1",
                    .socket_options = socket_options,
                    .num_socket_options = 1},
        .proxy = {.url = "https://me:secret@proxy.example:1",
                    .headers = headers,
                    .tls = scene->https.tls,
                    .no_proxy = "localhost, 10.0.0.0/8, .example.com"},
        .preproxy = {.url = "socks5://me:secret@127.0.0.1:2"},
        .proxy_from_environment = true,
        .upkeep_thread = true,
        .share_retry_after = true,
        .min_idle = 1,
        .retry_budget = {.tokens = 5      }
    };
    struct urlpool_manager *manager = urlpool_manager_new(&options, err);

    urlpool_manager_free(manager);
    return manager != NULL ? URLPOOL_OK : err->code;
}

SCENARIO_ACT(act_manager)
{
    struct urlpool_headers *headers = urlpool_headers_new(err);
    enum urlpool_code code = code_of(headers, err);

    code = code == URLPOOL_OK ? urlpool_headers_add(headers, "X", "y", err) : code;
    code = code == URLPOOL_OK ? make_manager(scene, headers, err) : code;
    urlpool_headers_free(headers);
    return code;
}

SCENARIO_ACT(act_tls_files)
{
    char keylog[256];
    const struct urlpool_tls_options options = {
        .ca_file = scene->ca_path,
        .ca_dir = scene->dir,
        .cert_file = scene->cert_path,
        .ciphers = "ECDHE+AESGCM",
        .server_name = "www.example",
        .assert_hostname = "localhost",
        .pins = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        .keylog_file = keylog};
    struct urlpool_tls *tls;

    (void)snprintf(keylog, sizeof(keylog), "%s/keys", scene->dir);
    tls = urlpool_tls_new(&options, err);
    urlpool_tls_unref(tls);
    return code_of(tls, err);
}

SCENARIO_ACT(act_tls_data)
{
    const struct urlpool_tls_options options = {.ca_data = scene->ca_pem,
                                                .ca_data_len = strlen(scene->ca_pem),
                                                .cert_data = scene->cert_pem,
                                                .cert_data_len = strlen(scene->cert_pem),
                                                .key_data = scene->key_pem,
                                                .key_data_len = strlen(scene->key_pem),
                                                .key_password = "secret"};
    struct urlpool_tls *tls = urlpool_tls_new(&options, err);

    urlpool_tls_unref(tls);
    return code_of(tls, err);
}
