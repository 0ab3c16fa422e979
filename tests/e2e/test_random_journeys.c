/* Requests, options and servers by chance, and what must hold whatever they are: every request
 * ends, in time; nothing is sent twice that may not be; counters, history and errors tell the
 * truth; credentials stay where they belong; nothing is left behind.
 *
 * URLPOOL_TEST_SEED plays one run again, URLPOOL_TEST_REQUESTS makes it longer. */

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/count_of.h"
#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/now.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define SECRET       "s3cr3t"
#define THEIR_SECRET "h1dd3n" /* the server's, which the trace shows as received */

enum {
    REQUESTS = 300,
    TOTAL_MS = 400,
    READ_MS = 60,
    LATE_MS = 20000, /* a request that takes so long does not end */
    BODY_MAX = 200000,
    SERVERS = 2
};

/* What the servers saw of one request of the client's. */
struct seen {
    unsigned num_visits, num_posts, num_resendable;
    bool has_crossed, leaked, wrong_body;
};

/* struct world is everything that the threads share. */
struct world {
    struct test_server *servers[SERVERS];
    struct urlpool_manager *manager;
    int file;
    int null;

    pthread_mutex_t mutex; /* of what follows */
    uint64_t chance;
    unsigned id;
    struct seen seen;
    char what[256]; /* what the servers did, for the report */
};

struct place {
    struct world *world;
    unsigned index; /* 1 answers before it has read the body */
};

static struct world world;
static struct place places[SERVERS];
static unsigned char pattern[BODY_MAX];

static unsigned draw(unsigned below)
{
    world.chance ^= world.chance << 13;
    world.chance ^= world.chance >> 7;
    world.chance ^= world.chance << 17;
    return (unsigned)(world.chance >> 20) % below;
}

/* --- the servers --- */

/* struct deed is what a server does with one request. */
struct deed {
    unsigned num_interims, ending;
    int status;
    char fields[256];
};

URLPOOL_PRINTF(1, 2) static void say_what(const char *format, ...)
{
    size_t len = strlen(world.what);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(world.what + len, sizeof(world.what) - len, format, args);
    va_end(args);
}

static void draw_fields(struct deed *deed)
{
    static const char *const waits[] = {
        "",
        "Retry-After: 0\r\n",
        "Retry-After: -5\r\n",
        "Retry-After: 99999999999999999999999999\r\n",
        "Retry-After: soon\r\n",
        "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
        "Retry-After: 0\r\nRetry-After: 7\r\n",
    };
    unsigned way = draw(40);
    char location[128] = "";

    way = way < 7 ? way : draw(4);
    if (way == 0 || way == 3) {
        (void)snprintf(location, sizeof(location), way == 0 ? "/%u" : "?%u", world.id);
    } else if (way == 6) {
        (void)snprintf(location, sizeof(location), "http://127.0.0.1:99999/%u", world.id);
    } else {
        const char *scheme = way == 1 ? "//" : way == 5 ? "ftp://" : "http://";

        (void)snprintf(location, sizeof(location), "%s%s127.0.0.1:%d/%u", scheme,
                       way == 4 ? "u:" THEIR_SECRET "@" : "",
                       test_server_port(world.servers[draw(SERVERS)]), world.id);
    }
    if (deed->status / 100 == 3) {
        (void)snprintf(deed->fields, sizeof(deed->fields), "Location: %s\r\n%s", location,
                       draw(4) == 0 ? waits[draw(COUNT_OF(waits))] : "");
    } else {
        (void)snprintf(deed->fields, sizeof(deed->fields), "%s", waits[draw(COUNT_OF(waits))]);
    }
}

static void draw_deed(struct deed *deed)
{
    static const int statuses[] = {200, 200, 200, 404, 500, 503, 503, 429, 413,
                                   417, 417, 301, 302, 303, 307, 307, 308};

    *deed = (struct deed){.status = statuses[draw(COUNT_OF(statuses))],
                          .ending = draw(3) == 0 ? draw(9) : 0,
                          .num_interims = draw(8) == 0 ? draw(40) : 0};
    draw_fields(deed);
}

/* look_at notes a request; world.mutex is held. */
static void look_at(const struct place *place, const struct test_request *request)
{
    struct seen *seen = &world.seen;
    bool is_post = strcmp(request->method, "POST") == 0;

    seen->num_visits++;
    seen->num_posts += is_post ? 1 : 0;
    seen->has_crossed |= place->index != 0;
    seen->leaked |= seen->has_crossed && strstr(request->head, "Authorization") != NULL;
    seen->wrong_body |= strcmp(request->target, "/smuggled") == 0;
    if (place->index == 0 && request->body_len > 0 &&
        strstr(request->head, "form") == NULL) { /* bytes of the pattern */
        seen->wrong_body |=
            request->body_len > BODY_MAX || memcmp(request->body, pattern, request->body_len) != 0;
    }
}

static void end_badly(struct test_peer *peer, const struct deed *deed)
{
    switch (deed->ending) {
    case 1:
        test_peer_reset(peer);
        break;
    case 2:
        test_peer_close(peer);
        break;
    case 3:
        test_peer_send_text(peer, "nonsense\r\n\r\n");
        test_peer_close(peer);
        break;
    case 4:
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        test_peer_close(peer);
        break;
    case 5:
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Le");
        test_peer_reset(peer);
        break;
    case 6:
        test_peer_stay(peer);
        break;
    case 7:
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                                  "Content-Length: 4\r\n\r\nhalf");
        break;
    default: /* one answer more than was asked for */
        test_peer_reply(peer, deed->status, deed->fields, "body");
        test_peer_send_text(peer, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
        break;
    }
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    const struct place *place = user;
    struct deed deed;
    unsigned id = 0;

    pthread_mutex_lock(&world.mutex);
    draw_deed(&deed);
    (void)sscanf(request->target + 1, "%u", &id);
    if (id == world.id) {
        look_at(place, request);
        world.seen.num_resendable +=
            (deed.ending == 0 || deed.ending == 8) &&
                    (deed.status / 100 == 3 ||
                     (deed.status == 417 && strstr(request->head, "Expect")))
                ? 1
                : 0;
        say_what(" %s@%u:%d/%u", request->method, place->index, deed.status, deed.ending);
    }
    pthread_mutex_unlock(&world.mutex);
    for (unsigned i = 0; i < deed.num_interims; i++) {
        test_peer_send_text(peer, i % 3 == 0 ? "HTTP/1.1 100 Continue\r\n\r\n"
                                             : "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    }
    if (deed.ending == 0) {
        test_peer_reply(peer, deed.status, deed.fields,
                        strcmp(request->method, "HEAD") == 0 ? "" : "body");
    } else {
        end_badly(peer, &deed);
    }
    if (place->index == 1 || (deed.ending == 0 && strcmp(request->method, "HEAD") == 0)) {
        test_peer_close(peer); /* what it has not read is no request */
    }
}

/* --- the client --- */

/* struct source is a callback's body. */
struct source {
    size_t at, len, fails_at;
};

static enum urlpool_code source_read(void *user, void *buf, size_t len, size_t *out_len,
                                     struct urlpool_error *err)
{
    struct source *source = user;
    size_t left = source->len - source->at;

    (void)err;
    if (source->at >= source->fails_at) {
        return URLPOOL_E_SYSTEM;
    }
    *out_len = left < len ? left : len;
    memcpy(buf, pattern + source->at, *out_len);
    source->at += *out_len;
    return URLPOOL_OK;
}

static enum urlpool_code source_rewind(void *user, struct urlpool_error *err)
{
    struct source *source = user;

    (void)err;
    source->at = 0;
    return source->fails_at == 7 ? URLPOOL_E_SYSTEM : URLPOOL_OK;
}

/* struct asking is a request by chance, with what it points to. */
struct asking {
    const char *method;
    struct urlpool_request_options options;
    struct source source;
    struct urlpool_form *form;
    int pipe[2];
    bool any_method;
};

static void draw_form(struct asking *asking)
{
    struct urlpool_body *body = &asking->options.body;

    asking->form = urlpool_form_new(NULL);
    if (asking->form == NULL) {
        return;
    }
    (void)!urlpool_form_add(asking->form, "name", "value of " SECRET, NULL);
    if (draw(2) == 0) {
        *body = urlpool_body_form(asking->form);
        return;
    }
    (void)!urlpool_form_add_file(asking->form, "file", draw(5) == 0 ? "/no/such" : "/proc/self/exe",
                                 NULL);
    *body = urlpool_body_multipart(asking->form);
}

static void draw_body(struct asking *asking)
{
    static const size_t lens[] = {0, 1, 100, 5000, 65536, 65537, BODY_MAX};
    struct urlpool_body *body = &asking->options.body;
    size_t len = lens[draw(COUNT_OF(lens))];

    switch (draw(7)) {
    case 0:
        *body = urlpool_body_bytes(pattern, len);
        break;
    case 1:
        (void)lseek(world.file, 0, SEEK_SET);
        *body = urlpool_body_fd(world.file);
        break;
    case 2:
        asking->source =
            (struct source){.len = len, .fails_at = draw(6) == 0 ? draw(2) * 7 : SIZE_MAX};
        *body = urlpool_body_callback(source_read, draw(2) ? source_rewind : NULL, &asking->source,
                                      draw(2) ? 0 : (int64_t)(len + (draw(4) == 0)));
        break;
    case 3:
        ck_assert_int_eq(pipe2(asking->pipe, O_CLOEXEC), 0);
        (void)!write(asking->pipe[1], pattern, len < 4096 ? len : 4096);
        (void)close(asking->pipe[1]);
        *body = urlpool_body_fd(asking->pipe[0]);
        break;
    case 4:
        draw_form(asking);
        break;
    default:
        return; /* none */
    }
    body->chunked = draw(4) == 0;
    body->expect_continue = draw(3) == 0;
    body->expect_ms = draw(2) == 0 ? URLPOOL_NONE : 20;
}

static void draw_asking(struct asking *asking)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "POST", "POST", "DELETE", "PATCH"};
    struct urlpool_request_options *options = &asking->options;

    *asking = (struct asking){
        .method = methods[draw(COUNT_OF(methods))], .pipe = {-1, -1}
    };
    draw_body(asking);
    options->timeout.total_ms = TOTAL_MS;
    options->timeout.read_ms = READ_MS;
    options->stream = draw(3) == 0;
    options->return_redirects = draw(10) == 0;
    options->redirects_max = draw(3) == 0 ? (int32_t)draw(4) : 0;
    options->keep_post = draw(8);
    options->retries = (struct urlpool_retry){
        .total = draw(3) == 0 ? (int32_t)draw(5) : 0,
        .read = draw(5) == 0 ? (int32_t)draw(3) : 0,
        .redirect = draw(5) == 0 ? (int32_t)draw(3) : 0,
        .status = draw(5) == 0 ? (int32_t)draw(3) : 0,
        .status_forcelist = {(uint16_t)(draw(2) == 0 ? 500 : 0)},
        .backoff_factor_ms = draw(4) == 0 ? 2 : 0,
        .backoff_jitter_ms = draw(4) == 0 ? 2 : 0,
        .clamp_retry_after = draw(4) == 0,
        .retry_after_max_ms = draw(2) == 0 ? 5 : 0,
        .raise_on_status = draw(3) == 0,
        .return_last_redirect = draw(3) == 0,
    };
    asking->any_method = draw(6) == 0;
    options->retries.allowed_methods = asking->any_method ? "*" : NULL;
}

static void asking_deinit(struct asking *asking)
{
    urlpool_form_free(asking->form);
    if (asking->pipe[0] >= 0) {
        (void)close(asking->pipe[0]);
    }
}

static bool has_secret(const char *text, size_t len)
{
    return memmem(text, len, SECRET, strlen(SECRET)) != NULL;
}

static void check_event(void *user, const struct urlpool_trace_event *event)
{
    bool *leaks = user;

    *leaks |= event->text_len > 0 && has_secret(event->text, event->text_len);
}

/* check_seen holds what the servers saw against what the client may do. */
static void check_seen(const struct asking *asking, unsigned number, const char *what)
{
    struct seen seen;

    pthread_mutex_lock(&world.mutex);
    seen = world.seen;
    pthread_mutex_unlock(&world.mutex);
    ck_assert_msg(!seen.leaked, "request %u:%s: credentials went elsewhere", number, what);
    ck_assert_msg(!seen.wrong_body, "request %u:%s: a body that was none", number, what);
    if (!asking->any_method) {
        ck_assert_msg(seen.num_posts <= 1 + seen.num_resendable, "request %u:%s: %u POSTs", number,
                      what, seen.num_posts);
    }
}

static void check_response(const struct urlpool_response *response, unsigned number,
                           const char *what)
{
    unsigned num_before = response->num_retries + response->num_redirects;

    ck_assert_msg(urlpool_response_num_hops(response) == num_before, "request %u:%s: %zu hops",
                  number, what, urlpool_response_num_hops(response));
    ck_assert_msg(world.seen.num_visits <= 1 + num_before, "request %u:%s: %u visits", number, what,
                  world.seen.num_visits);
    ck_assert(!has_secret(response->url, strlen(response->url)));
    for (size_t i = 0; i < num_before; i++) {
        struct urlpool_hop hop = urlpool_response_hop(response, i);

        ck_assert(!has_secret(hop.url, strlen(hop.url)));
        ck_assert(hop.location == NULL || !has_secret(hop.location, strlen(hop.location)));
        ck_assert_msg(hop.code != URLPOOL_OK || hop.status >= 200, "request %u:%s: hop %zu", number,
                      what, i);
    }
}

static void check_error(const struct urlpool_error *err, unsigned number, const char *what)
{
    size_t len = strlen(err->message);

    ck_assert_msg(err->code != URLPOOL_OK && len > 0, "request %u:%s: no error", number, what);
    ck_assert_msg(!has_secret(err->message, len) && strstr(err->message, THEIR_SECRET) == NULL,
                  "request %u: %s", number, err->message);
    ck_assert_msg(err->message[len - 1] != '.' && strstr(err->message, "failed to") == NULL,
                  "request %u: %s", number, err->message);
    ck_assert_msg(world.seen.num_visits == 0 || err->maybe_processed,
                  "request %u:%s: processed, and %s says it was not: %s", number, what,
                  urlpool_code_name(err->code), err->message);
    ck_assert_msg(err->num_attempts >= world.seen.num_visits, "request %u:%s: %u attempts", number,
                  what, err->num_attempts);
    ck_assert_msg(err->code == URLPOOL_E_NOMEM || err->code == URLPOOL_E_INVALID ||
                      err->phase != URLPOOL_PHASE_NONE || err->num_attempts == 0,
                  "request %u:%s: %s: no phase", number, what, err->message);
}

static void ask(unsigned number)
{
    struct urlpool_error err = {0};
    struct urlpool_response *response;
    struct asking asking;
    bool leaks = false;
    char url[128];
    char what[256];
    int64_t began_ms;

    pthread_mutex_lock(&world.mutex);
    world.id = number;
    world.seen = (struct seen){0};
    world.what[0] = '\0';
    draw_asking(&asking);
    failing_allocator_fail_nth(draw(4) == 0 ? 1 + draw(30) : 0);
    asking.options.trace = (struct urlpool_trace){.event = check_event, .user = &leaks};
    snprintf(url, sizeof(url), "http://u:" SECRET "@127.0.0.1:%d/%u",
             test_server_port(world.servers[0]), number);
    pthread_mutex_unlock(&world.mutex);
    began_ms = test_now_ms();
    response = urlpool_request(world.manager, asking.method, url, &asking.options, &err);
    ck_assert_msg(test_now_ms() - began_ms < LATE_MS, "request %u:%s took %lld ms", number,
                  world.what, (long long)(test_now_ms() - began_ms));
    pthread_mutex_lock(&world.mutex);
    memcpy(what, world.what, sizeof(what));
    pthread_mutex_unlock(&world.mutex);
    check_seen(&asking, number, what);
    if (response != NULL) {
        check_response(response, number, what);
    } else {
        check_error(&err, number, what);
    }
    urlpool_response_free(response);
    ck_assert_msg(!leaks, "request %u:%s: credentials in the trace", number, what);
    failing_allocator_fail_nth(0);
    asking_deinit(&asking);
    ck_assert_uint_eq(test_stats(world.manager).leased + test_stats(world.manager).dialling,
                      test_stats(world.manager).half_dials);
}

static unsigned long number_from(const char *name, unsigned long fallback)
{
    const char *text = getenv(name);

    return text != NULL ? strtoul(text, NULL, 10) : fallback;
}

static void begin(void)
{
    static const char request[] = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    char path[] = "/tmp/urlpool-chance-XXXXXX";

    for (size_t i = 0; i < BODY_MAX; i++) {
        pattern[i] = (unsigned char)request[i % (sizeof(request) - 1)];
    }
    world.chance = number_from("URLPOOL_TEST_SEED", (unsigned long)test_now_ms() | 1);
    fprintf(stderr, "URLPOOL_TEST_SEED=%lu\n", (unsigned long)world.chance);
    world.file = mkstemp(path);
    ck_assert_int_ge(world.file, 0);
    (void)unlink(path);
    ck_assert_int_eq(write(world.file, pattern, BODY_MAX), BODY_MAX);
    ck_assert_int_eq(pthread_mutex_init(&world.mutex, NULL), 0);
    for (unsigned i = 0; i < SERVERS; i++) {
        places[i] = (struct place){&world, i};
        world.servers[i] = test_server_start(
            answer, &places[i],
            &(struct test_server_options){.leave_body = i == 1, .says_continue = i == 0});
    }
}

START_TEST(journeys__by_chance_hold_to_the_rules)
{
    unsigned num = (unsigned)number_from("URLPOOL_TEST_REQUESTS", REQUESTS);
    int num_fds;

    begin();
    failing_allocator_install();
    num_fds = (int)loopback_num_fds();
    world.manager = test_manager(NULL);
    for (unsigned i = 1; i <= num; i++) {
        ask(i);
    }
    urlpool_manager_free(world.manager);
    for (unsigned i = 0; i < SERVERS; i++) {
        test_server_stop(world.servers[i]);
    }
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    ck_assert_int_le((int)loopback_num_fds(), num_fds);
    failing_allocator_remove();
    (void)close(world.file);
}
END_TEST

RUN_TESTS("random_journeys", journeys__by_chance_hold_to_the_rules)
