/* Forty-eight identities on one host and port: four client certificates, three sets of roots, two
 * proxies and two users of each, asked for by many threads, while connections end and sessions are
 * resumed. Each has a manager of its own, and for each proxy and user there is one more whose TLS
 * changes again and again, with pools in hand that stay as they were. Every answer came over a
 * connection of whom it was asked by; who trusts nobody gets none.
 *
 * URLPOOL_TEST_SEED plays a run again as far as threads allow, URLPOOL_TEST_REQUESTS is how many
 * requests there are. */

#include <inttypes.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/certs.h"
#include "support/identity_site.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/sanitizers.h"

enum {
    NUM_HOUSES = IDENTITY_PROXIES * IDENTITY_USERS,
    NUM_CONFIGURATIONS = IDENTITY_CERTS * IDENTITY_STORES,
    STRANGER = IDENTITY_STORES - 1, /* the roots that do not lead to the origin */
    STRANGER_PERMILLE = 8,
    CHANGE_PERMILLE = 60, /* of what goes by houses that change */
    SETTLED_PERCENT = 85, /* by a manager that stays as it is */
    IN_HAND_PERCENT = 5,  /* by a pool in hand; the rest by the manager that changes */
    PLACES = 2,
    TOTAL_MS = 60000
};

#if HAS_TSAN
#define NUM_THREADS  16
#define NUM_REQUESTS 800
#elif HAS_ASAN
#define NUM_THREADS  32
#define NUM_REQUESTS 1500
#else
#define NUM_THREADS  32
#define NUM_REQUESTS 4000
#endif

/* struct house is a proxy and one of its users: a manager for each configuration of TLS, and one
 * that changes. */
struct house {
    struct urlpool_manager *settled[NUM_CONFIGURATIONS];
    struct urlpool_manager *restless;
    struct urlpool_pool *in_hand[NUM_CONFIGURATIONS]; /* of it */
    pthread_rwlock_t lock;                            /* of `current`: what its TLS is */
    int current;
};

struct town {
    uint64_t seed;
    size_t num_requests;
    struct test_cert *ca, *other_ca, *client_ca, *leaf, *clients[IDENTITY_CERTS];
    SSL_CTX *context;
    struct identity_site *site;
    struct urlpool_tls *configurations[NUM_CONFIGURATIONS];
    struct house houses[NUM_HOUSES];
    _Atomic size_t num_asked, num_answered, num_refused, num_changes;
};

static uint64_t next(uint64_t *chance)
{
    *chance ^= *chance << 13;
    *chance ^= *chance >> 7;
    *chance ^= *chance << 17;
    return *chance;
}

static SSL_CTX *make_context(const struct town *town)
{
    SSL_CTX *context =
        test_cert_context((const struct test_cert *const[]){town->leaf, town->ca, NULL});

    ck_assert(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), town->client_ca->x509));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    ck_assert(SSL_CTX_set_session_id_context(context, (const uint8_t *)"town", 4));
    return context;
}

static void make_certificates(struct town *town)
{
    static const struct test_name names[] = {TEST_IP("\x7f\x00\x00\x01")};

    town->ca = test_ca("Server CA");
    town->other_ca = test_ca("Other CA");
    town->client_ca = test_ca("Client CA");
    town->leaf =
        test_cert_new(&(struct test_cert_options){.names = names, .num_names = 1}, town->ca);
    for (int i = 0; i < IDENTITY_CERTS; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "client %d", i);
        town->clients[i] =
            test_cert_new(&(struct test_cert_options){.common_name = name, .usage = "clientAuth"},
                          town->client_ca);
    }
}

/* make_configuration: the roots are the server's CA, that and another, the other alone. */
static struct urlpool_tls *make_configuration(const struct town *town, int cert, int store)
{
    char *ca = test_cert_pem(town->ca), *other = test_cert_pem(town->other_ca);
    char *shown = test_cert_pem(town->clients[cert]);
    char *key = test_cert_key_pem(town->clients[cert]);
    char *roots = NULL;
    struct urlpool_tls *tls;

    ck_assert_int_gt(asprintf(&roots, "%s%s", store == STRANGER ? "" : ca, store == 0 ? "" : other),
                     0);
    tls = urlpool_tls_new(&(struct urlpool_tls_options){.ca_data = roots,
                                                        .ca_data_len = strlen(roots),
                                                        .cert_data = shown,
                                                        .cert_data_len = strlen(shown),
                                                        .key_data = key,
                                                        .key_data_len = strlen(key)},
                          &test_err);
    ck_assert_msg(tls != NULL, "%s", test_err.message);
    free(ca);
    free(other);
    free(shown);
    free(key);
    free(roots);
    return tls;
}

static struct urlpool_manager *make_manager(const struct town *town, int proxy, int user,
                                            struct urlpool_tls *tls)
{
    struct urlpool_manager_options options = {.maxsize = PLACES,
                                              .block = true,
                                              .tls = tls,
                                              .timeout = {.total_ms = TOTAL_MS},
                                              .retries = {.total = 20},
                                              .dial_pause_max_ms = URLPOOL_NONE};
    char at[96], name[32], word[32];

    (void)snprintf(at, sizeof(at), "http://127.0.0.1:%d",
                   identity_site_proxy_port(town->site, proxy));
    (void)snprintf(name, sizeof(name), "user%d", user);
    (void)snprintf(word, sizeof(word), "secret%d", user);
    options.proxy = (struct urlpool_proxy){.url = at, .user = name, .password = word};
    return test_manager(&options);
}

static void open_house(struct town *town, int proxy, int user)
{
    struct house *house = &town->houses[proxy * IDENTITY_USERS + user];
    char url[64];

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", identity_site_port(town->site));
    house->restless = make_manager(town, proxy, user, town->configurations[0]);
    ck_assert_int_eq(pthread_rwlock_init(&house->lock, NULL), 0);
    for (int i = NUM_CONFIGURATIONS; i-- > 0;) {
        house->settled[i] = make_manager(town, proxy, user, town->configurations[i]);
        ck_assert_int_eq(
            urlpool_manager_set_tls(house->restless, town->configurations[i], &test_err),
            URLPOOL_OK);
        house->in_hand[i] = urlpool_manager_pool_for_url(house->restless, url, &test_err);
        ck_assert_ptr_nonnull(house->in_hand[i]);
    }
    house->current = 0;
}

static void begin(struct town *town)
{
    const char *seed = getenv("URLPOOL_TEST_SEED");
    const char *requests = getenv("URLPOOL_TEST_REQUESTS");

    town->seed = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) * 2654435761U;
    town->num_requests = requests != NULL ? strtoul(requests, NULL, 10) : NUM_REQUESTS;
    printf("URLPOOL_TEST_SEED=%" PRIu64 "\n", town->seed);
    fflush(stdout);
    make_certificates(town);
    town->context = make_context(town);
    town->site = identity_site_start(town->context, town->seed);
    for (int i = 0; i < NUM_CONFIGURATIONS; i++) {
        town->configurations[i] =
            make_configuration(town, i / IDENTITY_STORES, i % IDENTITY_STORES);
    }
    for (int proxy = 0; proxy < IDENTITY_PROXIES; proxy++) {
        for (int user = 0; user < IDENTITY_USERS; user++) {
            open_house(town, proxy, user);
        }
    }
}

/* authorization is what userinfo "reader:N" becomes, for N of one digit. */
static const char *const authorizations[] = {"Basic cmVhZGVyOjA=", "Basic cmVhZGVyOjE="};

/* check holds what came against who asked. */
static void check(struct town *town, int identity, size_t question, int reader,
                  const struct urlpool_response *response, const struct urlpool_error *err)
{
    char expected[128];

    if (identity_of(identity).store == STRANGER) {
        ck_assert_msg(response == NULL,
                      "URLPOOL_TEST_SEED=%" PRIu64 ": identity %d, who trusts "
                      "nobody there, was answered: %s",
                      town->seed, identity, (const char *)response->data);
        ck_assert_msg(err->code == URLPOOL_E_TLS_VERIFY || err->cause == URLPOOL_E_TLS_VERIFY,
                      "%s: %s", urlpool_code_name(err->code), err->message);
        atomic_fetch_add(&town->num_refused, 1);
        return;
    }
    ck_assert_msg(response != NULL, "URLPOOL_TEST_SEED=%" PRIu64 ": %s: %s", town->seed,
                  urlpool_code_name(err->code), err->message);
    (void)snprintf(expected, sizeof(expected), "identity %d question %zu authorization %s",
                   identity, question, authorizations[reader]);
    ck_assert_msg(response->status == 200 && strcmp((const char *)response->data, expected) == 0,
                  "URLPOOL_TEST_SEED=%" PRIu64 ": %s was asked, and %s answered", town->seed,
                  expected, (const char *)response->data);
    atomic_fetch_add(&town->num_answered, 1);
}

/* struct means is how a request is made: by which house, as which of its configurations. */
struct means {
    struct house *house;
    int configuration;
    enum {
        SETTLED,
        IN_HAND,
        RESTLESS
    } kind;
};

static int identity_by(const struct town *town, const struct means *means)
{
    const int house = (int)(means->house - town->houses);

    return identity_number((struct identity){.cert = means->configuration / IDENTITY_STORES,
                                             .store = means->configuration % IDENTITY_STORES,
                                             .proxy = house / IDENTITY_USERS,
                                             .user = house % IDENTITY_USERS});
}

static struct urlpool_response *send_request(const struct town *town, const struct means *means,
                                             size_t question, int reader, struct urlpool_error *err)
{
    struct house *house = means->house;
    struct urlpool_headers *headers = urlpool_headers_new(err);
    struct urlpool_request_options options = {.headers = headers};
    struct urlpool_response *response;
    char url[96], text[32];

    (void)snprintf(text, sizeof(text), "%d", identity_by(town, means));
    ck_assert_int_eq(urlpool_headers_set(headers, "X-Identity", text, NULL), URLPOOL_OK);
    (void)snprintf(text, sizeof(text), "%zu", question);
    ck_assert_int_eq(urlpool_headers_set(headers, "X-Question", text, NULL), URLPOOL_OK);
    (void)snprintf(url, sizeof(url), "https://reader:%d@127.0.0.1:%d/", reader,
                   identity_site_port(town->site));
    if (means->kind == IN_HAND) {
        response =
            urlpool_pool_request(house->in_hand[means->configuration], "GET", url, &options, err);
    } else {
        response = urlpool_request(means->kind == SETTLED ? house->settled[means->configuration]
                                                          : house->restless,
                                   "GET", url, &options, err);
    }
    urlpool_headers_free(headers);
    return response;
}

/* draw_configuration: who trusts nobody there comes seldom, as each time costs a handshake. */
static int draw_configuration(uint64_t *chance)
{
    const int cert = (int)(next(chance) % IDENTITY_CERTS);
    const int store =
        next(chance) % 1000 < STRANGER_PERMILLE ? STRANGER : (int)(next(chance) % STRANGER);

    return cert * IDENTITY_STORES + store;
}

/* change gives the house's restless manager another configuration, sometimes. */
static void change(struct town *town, struct house *house, uint64_t *chance)
{
    const int configuration = draw_configuration(chance);

    if (next(chance) % 1000 >= CHANGE_PERMILLE) {
        return;
    }
    ck_assert_int_eq(pthread_rwlock_wrlock(&house->lock), 0);
    ck_assert_int_eq(
        urlpool_manager_set_tls(house->restless, town->configurations[configuration], NULL),
        URLPOOL_OK);
    house->current = configuration;
    ck_assert_int_eq(pthread_rwlock_unlock(&house->lock), 0);
    atomic_fetch_add(&town->num_changes, 1);
}

static void ask(struct town *town, size_t question, uint64_t *chance)
{
    struct means means = {.house = &town->houses[next(chance) % NUM_HOUSES],
                          .configuration = draw_configuration(chance)};
    const unsigned draw = (unsigned)(next(chance) % 100);
    const int reader = (int)(next(chance) % 2);
    struct urlpool_error err = {0};
    struct urlpool_response *response;

    if (draw >= SETTLED_PERCENT) {
        means.kind = draw < SETTLED_PERCENT + IN_HAND_PERCENT ? IN_HAND : RESTLESS;
        change(town, means.house, chance);
    }
    ck_assert_int_eq(pthread_rwlock_rdlock(&means.house->lock), 0);
    if (means.kind == RESTLESS) {
        means.configuration = means.house->current;
    }
    response = send_request(town, &means, question, reader, &err);
    ck_assert_int_eq(pthread_rwlock_unlock(&means.house->lock), 0);
    check(town, identity_by(town, &means), question, reader, response, &err);
    urlpool_response_free(response);
}

struct asker {
    struct town *town;
    uint64_t chance;
    pthread_t thread;
};

static void *ask_all(void *arg)
{
    struct asker *asker = arg;

    for (;;) {
        const size_t question = atomic_fetch_add(&asker->town->num_asked, 1);

        if (question >= asker->town->num_requests) {
            return NULL;
        }
        ask(asker->town, question, &asker->chance);
    }
}

/* close_manager frees it, and adds its figures to a sum. */
static void close_manager(struct urlpool_manager *manager, struct urlpool_stats *sum)
{
    const struct urlpool_stats stats = test_stats(manager);

    sum->tls_resumed += stats.tls_resumed;
    sum->stale_retries += stats.stale_retries;
    sum->retries += stats.retries;
    urlpool_manager_free(manager);
}

static void close_house(struct house *house, struct urlpool_stats *sum)
{
    for (int i = 0; i < NUM_CONFIGURATIONS; i++) {
        urlpool_pool_unref(house->in_hand[i]);
        close_manager(house->settled[i], sum);
    }
    close_manager(house->restless, sum);
    (void)pthread_rwlock_destroy(&house->lock);
}

/* end closes everything, and holds what the site saw against what is known here. */
static void end(struct town *town)
{
    struct urlpool_stats sum = {0};
    struct identity_seen seen;

    for (int i = 0; i < NUM_HOUSES; i++) {
        close_house(&town->houses[i], &sum);
    }
    seen = identity_site_stop(town->site);
    printf("%zu answered, %zu refused, %zu changes of TLS; %u connections, %u resumed, %u ended by "
           "the origin, %" PRIu64 " stale, %" PRIu64 " retries; %u crossed\n",
           town->num_answered, town->num_refused, town->num_changes, seen.num_connections,
           seen.num_resumed, seen.num_ended, sum.stale_retries, sum.retries, seen.num_crossed);
    ck_assert_msg(seen.num_crossed == 0, "URLPOOL_TEST_SEED=%" PRIu64 ": %u crossed: %s",
                  town->seed, seen.num_crossed, seen.crossed);
    ck_assert_uint_eq(town->num_answered + town->num_refused, town->num_requests);
    ck_assert_uint_ge(seen.num_requests, town->num_answered);
    ck_assert(town->num_requests < 500 ||
              (seen.num_resumed > 0 && seen.num_ended > 0 && town->num_refused > 0 &&
               town->num_changes > 0 && sum.stale_retries > 0));
    for (int i = 0; i < NUM_CONFIGURATIONS; i++) {
        urlpool_tls_unref(town->configurations[i]);
    }
    SSL_CTX_free(town->context);
    for (int i = 0; i < IDENTITY_CERTS; i++) {
        test_cert_free(town->clients[i]);
    }
    test_cert_free(town->leaf);
    test_cert_free(town->client_ca);
    test_cert_free(town->other_ca);
    test_cert_free(town->ca);
}

START_TEST(identity__is_that_of_every_connection_it_is_answered_over)
{
    static struct town town;
    struct asker askers[NUM_THREADS];

    begin(&town);
    for (size_t i = 0; i < NUM_THREADS; i++) {
        askers[i] = (struct asker){.town = &town, .chance = (town.seed | 1) * (2 * i + 1)};
        ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask_all, &askers[i]), 0);
    }
    for (size_t i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(askers[i].thread, NULL), 0);
    }
    end(&town);
}
END_TEST

RUN_TESTS("identities", identity__is_that_of_every_connection_it_is_answered_over)
