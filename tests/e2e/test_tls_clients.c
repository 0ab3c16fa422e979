/* What a server asks of the client: its certificate, and the protocol that is to be spoken. Each
 * way it can go by its code and its words, over TLS 1.2 and 1.3, where the server's refusal comes
 * after the handshake. */

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "support/certs.h"
#include "support/http_server.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/tls_kit.h"

enum {
    HOUR_S = 3600,
    WAIT_STEPS = 30000
};

/* What a client shows. */
enum shown {
    NOTHING,
    RIGHT,
    OF_ANOTHER_CA,
    EXPIRED,
    FOR_SERVERS,
    NUM_SHOWN
};

/* What the server asks for. */
enum asked {
    NOBODY,
    ANYBODY, /* a certificate, and is content without */
    CLIENT   /* a certificate of its CA */
};

struct row {
    const char *what;
    enum asked asked;
    enum shown shown;
    const char *alert; /* of the refusal; NULL: let in */
    const char *alert_1_2;
};

static const struct row rows[] = {
    {"not asked, shows nothing",     NOBODY,  NOTHING,       NULL,                      NULL                 },
    {"not asked, would show one",    NOBODY,  RIGHT,         NULL,                      NULL                 },
    {"asked, shows nothing",         ANYBODY, NOTHING,       NULL,                      NULL                 },
    {"asked, shows one",             ANYBODY, RIGHT,         NULL,                      NULL                 },
    {"asked, shows another's",       ANYBODY, OF_ANOTHER_CA, "unknown CA",              "unknown CA"         },
    {"has to, shows one",            CLIENT,  RIGHT,         NULL,                      NULL                 },
    {"has to, shows nothing",        CLIENT,  NOTHING,       "certificate required",    "handshake failure"  },
    {"has to, shows another's",      CLIENT,  OF_ANOTHER_CA, "unknown CA",              "unknown CA"         },
    {"has to, shows an expired one", CLIENT,  EXPIRED,       "certificate expired",     "certificate expired"},
    {"has to, shows a server's",     CLIENT,  FOR_SERVERS,   "unsupported certificate",
     "unsupported certificate"                                                                               },
};

/* struct people is the certificates of a test. */
struct people {
    struct test_cert *ca, *other_ca, *server, *shown[NUM_SHOWN];
};

static struct people people_begin(void)
{
    static const struct test_name names[] = {TEST_IP("\x7f\x00\x00\x01")};
    struct people people = {.ca = test_ca("CA"), .other_ca = test_ca("Other CA")};
    struct test_cert_options client = {.common_name = "client", .usage = "clientAuth"};

    people.server =
        test_cert_new(&(struct test_cert_options){.names = names, .num_names = 1}, people.ca);
    people.shown[RIGHT] = test_cert_new(&client, people.ca);
    people.shown[OF_ANOTHER_CA] = test_cert_new(&client, people.other_ca);
    client.begin_s = -2 * HOUR_S;
    client.end_s = -HOUR_S;
    people.shown[EXPIRED] = test_cert_new(&client, people.ca);
    people.shown[FOR_SERVERS] =
        test_cert_new(&(struct test_cert_options){.common_name = "client"}, people.ca);
    return people;
}

static void people_end(struct people *people)
{
    for (int i = 0; i < NUM_SHOWN; i++) {
        test_cert_free(people->shown[i]);
    }
    test_cert_free(people->server);
    test_cert_free(people->other_ca);
    test_cert_free(people->ca);
}

static struct urlpool_manager *make_manager(const struct people *people, enum shown shown,
                                            enum urlpool_tls_version version,
                                            struct urlpool_trace trace)
{
    char *ca = test_cert_pem(people->ca);
    char *cert = NULL, *key = NULL;
    struct urlpool_tls_options options = {
        .ca_data = ca, .ca_data_len = strlen(ca), .version_max = version};
    struct urlpool_manager_options with = {.retries = TEST_ONE_TRY, .trace = trace};
    struct urlpool_manager *manager;

    if (shown != NOTHING) {
        cert = test_cert_pem(people->shown[shown]);
        key = test_cert_key_pem(people->shown[shown]);
        options.cert_data = cert;
        options.cert_data_len = strlen(cert);
        options.key_data = key;
        options.key_data_len = strlen(key);
    }
    with.tls = urlpool_tls_new(&options, &test_err);
    ck_assert_msg(with.tls != NULL, "%s", test_err.message);
    manager = test_manager(&with);
    urlpool_tls_unref(with.tls);
    free(ca);
    free(cert);
    free(key);
    return manager;
}

static SSL_CTX *make_context(const struct people *people, enum asked asked)
{
    SSL_CTX *context =
        test_cert_context((const struct test_cert *const[]){people->server, people->ca, NULL});

    ck_assert(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), people->ca->x509));
    /* OpenSSL's server leaves what is behind a bad certificate unread else, and a reset follows. */
    SSL_CTX_set_read_ahead(context, 1);
    ck_assert(SSL_CTX_set_session_id_context(context, (const uint8_t *)"us", 2));
    if (asked != NOBODY) {
        SSL_CTX_set_verify(
            context, SSL_VERIFY_PEER | (asked == CLIENT ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
            NULL);
    }
    return context;
}

static void check(const struct people *people, const struct row *row,
                  enum urlpool_tls_version version)
{
    SSL_CTX *context = make_context(people, row->asked);
    const struct test_server_options serving = {.tls = context};
    struct test_server *server = test_server_start(test_answer_hello, NULL, &serving);
    struct urlpool_manager *manager =
        make_manager(people, row->shown, version, (struct urlpool_trace){0});
    const char *alert = version == URLPOOL_TLS_1_2 ? row->alert_1_2 : row->alert;

    if (alert == NULL) {
        test_get(manager, server);
    } else {
        const enum urlpool_code code = test_fetch_fails(manager, "GET", server, "/", NULL);

        ck_assert_msg(code == URLPOOL_E_TLS, "%s: %s: %s", row->what, urlpool_code_name(code),
                      test_err.message);
        ck_assert_msg(strstr(test_err.message, "the peer sent the alert ") != NULL &&
                          strstr(test_err.message, alert) != NULL,
                      "%s: %s", row->what, test_err.message);
        ck_assert_uint_ne(test_err.tls_code, 0);
        ck_assert_uint_eq(test_server_num_requests(server), 0);
        ck_assert_uint_eq(test_stats(manager).open, 0);
    }
    urlpool_manager_free(manager);
    test_server_stop(server);
    SSL_CTX_free(context);
}

START_TEST(client__is_let_in_by_its_certificate_or_not)
{
    struct people people = people_begin();

    check(&people, &rows[_i], URLPOOL_TLS_1_3);
    check(&people, &rows[_i], URLPOOL_TLS_1_2);
    people_end(&people);
}
END_TEST

/* reset_behind has the server's end of a connection it refuses be a reset behind the alert. */
static int reset_behind(int is_good, X509_STORE_CTX *store_context)
{
    const SSL *ssl =
        X509_STORE_CTX_get_ex_data(store_context, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct linger at_once = {.l_onoff = 1};

    if (!is_good) {
        ck_assert_int_eq(
            setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    }
    return is_good;
}

/* wait_for_reset holds the client back, its handshake done and nothing sent, until the server has
 * refused it. */
static void wait_for_reset(void *user, const struct urlpool_trace_event *event)
{
    struct test_server *const *server = user;

    for (int i = 0; event->kind == URLPOOL_TRACE_SECURED && test_server_num_open(*server) > 0;
         i++) {
        ck_assert_int_lt(i, WAIT_STEPS);
        (void)poll(NULL, 0, 1);
    }
}

START_TEST(refusal__is_heard_behind_which_the_server_resets)
{
    struct people people = people_begin();
    SSL_CTX *context = make_context(&people, CLIENT);
    struct test_server *server = NULL;
    struct urlpool_manager *manager =
        make_manager(&people, OF_ANOTHER_CA, URLPOOL_TLS_1_3,
                     (struct urlpool_trace){.event = wait_for_reset, .user = &server});

    SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), reset_behind);
    server =
        test_server_start(test_answer_hello, NULL, &(struct test_server_options){.tls = context});
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", NULL), URLPOOL_E_TLS);
    ck_assert_msg(strstr(test_err.message, "the peer sent the alert unknown CA") != NULL, "%s",
                  test_err.message);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_SEND);
    ck_assert(!test_err.maybe_processed);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
    SSL_CTX_free(context);
    people_end(&people);
}
END_TEST

/* choose is a server that speaks nothing but `user`: chosen whatever is offered, or, when it is
 * NULL, an alert. RFC 7301 section 3.2. */
static int choose(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *in,
                  unsigned in_len, void *user)
{
    (void)ssl;
    (void)in;
    (void)in_len;
    if (user == NULL) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = user;
    *out_len = (uint8_t)strlen(user);
    return SSL_TLSEXT_ERR_OK;
}

START_TEST(protocol__is_http_1_1_or_none)
{
    const char *other = tls_kit_is_openssl() ? "the peer sent a malformed extension, or chose a "
                                               "protocol other than http/1.1"
                                             : "the peer chose a protocol other than http/1.1";
    static char h2[] = "h2", http_1_0[] = "http/1.0", http_1_1[] = "http/1.1";
    const struct {
        char *chosen;
        const char *words;
    } cases[] = {
        {http_1_1, NULL                     },
        {h2,       other                    },
        {http_1_0, other                    },
        {NULL,     "no application protocol"},
    };
    struct people people = people_begin();

    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        SSL_CTX *context = make_context(&people, NOBODY);
        const struct test_server_options serving = {.tls = context};
        struct test_server *server = test_server_start(test_answer_hello, NULL, &serving);
        struct urlpool_manager *manager =
            make_manager(&people, NOTHING, i % 2 == 0 ? URLPOOL_TLS_1_3 : URLPOOL_TLS_1_2,
                         (struct urlpool_trace){0});

        SSL_CTX_set_alpn_select_cb(context, choose, cases[i / 2].chosen);
        if (cases[i / 2].words == NULL) {
            test_get(manager, server);
        } else {
            ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", NULL), URLPOOL_E_TLS);
            ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_TLS);
            ck_assert_msg(strstr(test_err.message, cases[i / 2].words) != NULL, "%s",
                          test_err.message);
            ck_assert_uint_eq(test_server_num_requests(server), 0);
        }
        urlpool_manager_free(manager);
        test_server_stop(server);
        SSL_CTX_free(context);
    }
    people_end(&people);
}
END_TEST

RUN_LOOPS("TLS clients", TEST_ROWS(client__is_let_in_by_its_certificate_or_not, rows),
          TEST_ONCE(refusal__is_heard_behind_which_the_server_resets),
          TEST_ONCE(protocol__is_http_1_1_or_none))
