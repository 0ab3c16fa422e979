/* Rows of certificates, each over a socket of its own. Whatever a row does not say is good. */

#include "support/cert_rows.h"

#include <check.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/http_server.h"
#include "support/requests.h"
#include "support/tls_kit.h"

enum {
    LETTERS = 128,
    SHOWN_MAX = 24,
    HOUR_S = 3600
};

/* struct family is the certificates of a row that have been needed so far. */
struct family {
    const struct cert_row *row;
    struct test_cert *by_letter[LETTERS];
};

static struct test_cert *member(struct family *family, char letter);

static struct test_cert *make_authority(struct test_cert_options options, const char *name,
                                        bool is_leaf, const struct test_cert *issuer)
{
    options.is_ca = !is_leaf;
    if (options.common_name == NULL) {
        options.common_name = name;
    }
    return test_cert_new(&options, issuer);
}

static struct test_cert *make_leaf(struct family *family)
{
    static const struct test_name usual[] = {TEST_DNS("host.example")};
    struct test_cert_options options = family->row->leaf;
    const int depth = family->row->depth;

    if (options.names == NULL && !options.has_empty_names) {
        options.names = usual;
        options.num_names = 1;
    }
    if (depth < 0) {
        return test_cert_new(&options, NULL);
    }
    return test_cert_new(&options, member(family, depth > 0 ? 'i' : 'r'));
}

/* make_lower_again gives Lower's name, and but for k its key, another certificate. */
static struct test_cert *make_lower_again(struct family *family, char letter)
{
    struct test_cert_options options = family->row->lower;

    options.key_of = letter != 'k' ? member(family, 'i') : NULL;
    if (letter == 'd') {
        options.begin_s = -2 * HOUR_S;
        options.end_s = -HOUR_S;
    }
    options.is_sha1 = letter == 's';
    return make_authority(options, "Lower", false,
                          member(family, letter == 'c' || letter == 'k' ? 'o' : 'r'));
}

static struct test_cert *make(struct family *family, char letter)
{
    const struct cert_row *row = family->row;

    switch (letter) {
    case 'l':
        return make_leaf(family);
    case 'i':
        return make_authority(row->lower, "Lower", row->lower_is_leaf,
                              member(family, row->depth > 1 ? 'u' : 'r'));
    case 'u':
        return make_authority(row->upper, "Upper", false, member(family, 'r'));
    case 'r':
        return make_authority(row->root, "Root", row->root_is_leaf, NULL);
    case 'o':
        return test_ca("Other");
    case 'f':
        return make_authority(row->root, "Root", false, NULL);
    default:
        return make_lower_again(family, letter);
    }
}

static struct test_cert *member(struct family *family, char letter)
{
    struct test_cert **place = &family->by_letter[(int)letter];

    if (*place == NULL) {
        *place = make(family, letter);
    }
    return *place;
}

static void family_free(struct family *family)
{
    for (int i = 0; i < LETTERS; i++) {
        test_cert_free(family->by_letter[i]);
    }
}

static SSL_CTX *serve(struct family *family)
{
    static const char *const by_depth[] = {"l", "l", "li", "liu"};
    const char *shown = family->row->shown;
    const struct test_cert *certs[SHOWN_MAX + 1] = {NULL};

    if (shown == NULL) {
        shown = by_depth[family->row->depth + 1];
    }
    ck_assert_uint_le(strlen(shown), SHOWN_MAX);
    for (size_t i = 0; shown[i] != '\0'; i++) {
        certs[i] = member(family, shown[i]);
    }
    return test_cert_context(certs);
}

static struct urlpool_tls *trust(struct family *family)
{
    const char *trusted = family->row->trusted != NULL ? family->row->trusted : "r";
    struct urlpool_tls_options options = {.version_max = family->row->version};
    char *roots = strdup("");
    struct urlpool_tls *tls;

    for (; *trusted != '\0'; trusted++) {
        char *pem = test_cert_pem(member(family, *trusted));
        char *longer = NULL;

        ck_assert_int_gt(asprintf(&longer, "%s%s", roots, pem), 0);
        free(pem);
        free(roots);
        roots = longer;
    }
    options.ca_data = roots;
    options.ca_data_len = strlen(roots);
    tls = urlpool_tls_new(&options, &test_err);
    ck_assert_msg(tls != NULL, "%s: %s", family->row->what, test_err.message);
    free(roots);
    return tls;
}

static enum urlpool_code expected_code(const struct cert_row *row)
{
    if (!tls_kit_is_openssl() || (row->openssl_code == URLPOOL_OK && !row->openssl_takes)) {
        return row->code;
    }
    return row->openssl_code;
}

static void expect_refusal(const struct cert_row *row, struct urlpool_manager *manager,
                           struct test_server *server)
{
    const char *words =
        tls_kit_is_openssl() && row->openssl_words != NULL ? row->openssl_words : row->words;

    ck_assert_msg(test_err.code == expected_code(row), "%s: %s: %s", row->what,
                  urlpool_code_name(test_err.code), test_err.message);
    ck_assert_msg(strstr(test_err.message, words) != NULL, "%s: %s", row->what, test_err.message);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_TLS);
    ck_assert_uint_ne(test_err.tls_code, 0);
    ck_assert(urlpool_code_is(test_err.code, URLPOOL_CLASS_TLS));
    ck_assert(!test_err.maybe_processed);
    ck_assert_uint_eq(test_server_num_requests(server), 0);
    ck_assert_uint_eq(test_stats(manager).open, 0);
}

/* ask asks the row's host, wherever that is dialled. */
static void ask(const struct cert_row *row, struct urlpool_manager *manager,
                struct test_server *server)
{
    const struct urlpool_request_options secret = {.body = urlpool_body_bytes("secret", 6)};
    struct urlpool_response *response;
    char url[512];

    (void)snprintf(url, sizeof(url), "https://%s/", row->host != NULL ? row->host : "host.example");
    response = urlpool_request(manager, "POST", url, &secret, &test_err);
    if (expected_code(row) != URLPOOL_OK) {
        ck_assert_msg(response == NULL, "%s: taken", row->what);
        expect_refusal(row, manager, server);
        return;
    }
    ck_assert_msg(response != NULL, "%s: %s", row->what, test_err.message);
    ck_assert_int_eq(response->status, 200);
    urlpool_response_free(response);
}

static void check(const struct cert_row *row)
{
    struct family family = {.row = row};
    struct urlpool_tls *tls = trust(&family);
    SSL_CTX *context = serve(&family);
    const struct test_server_options serving = {.tls = context};
    struct test_server *server = test_server_start(test_answer_hello, NULL, &serving);
    struct urlpool_manager_options options = {.tls = tls, .retries = TEST_ONE_TRY};
    struct urlpool_manager *manager;
    char to[64];
    const char *connect_to[] = {to, NULL};

    (void)snprintf(to, sizeof(to), "::127.0.0.1:%d", test_server_port(server));
    options.network.connect_to = connect_to;
    manager = test_manager(&options);
    ask(row, manager, server);
    urlpool_manager_free(manager);
    test_server_stop(server);
    SSL_CTX_free(context);
    urlpool_tls_unref(tls);
    family_free(&family);
}

void cert_rows_check(const struct cert_row *rows, size_t num_rows)
{
    for (size_t i = 0; i < num_rows; i++) {
        check(&rows[i]);
    }
}
