/* Every transcript again, through a manager and a scripted server: the bytes come over plain TCP,
 * received in pieces of a random size, and over TLS, in records of a random size; the body is read
 * at once and streamed. Status, fields, body, trailers, code and what becomes of the connection
 * must be what the transcript says, whatever the pieces.
 *
 * Left to the unit test are requests that are refused, CONNECT, bodies that are never sent whole,
 * and, without TLS, ends without close_notify. URLPOOL_TEST_SEED is where the seeds begin,
 * URLPOOL_TEST_SPLITS how many there are
 * for each case, beside the play that comes whole. */

#define _GNU_SOURCE

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "support/https_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "unit/h1/transcript.h"

enum {
    PIECE_MAX = 24,    /* bytes, as a rule */
    SHORT_BYTES = 600, /* a longer response comes in pieces of a fraction of it */
    NUM_LONG_PIECES = 25,
    WAIT_MS = 300, /* where the transcript ends in waiting */
    HANG_MS = 10000,
    READ_BYTES = 7
};

/* The hint of a server that takes no further request: what is not reusable to the pool. */
#define NO_MORE "keep-alive timeout=-1 max=0"

/* Sanitizers see a sample. */
#ifdef URLP_SANITIZED
#define NUM_SPLITS 1
#define PLAYS_STEP 3
#else
#define PLAYS_STEP 1
#define NUM_SPLITS 2
#endif

static struct transcripts all;

/* What the receiving thread takes at once: 0, whatever there is. */
static _Thread_local size_t piece_max;
static _Thread_local unsigned receive_seed;

/* recv stands in front of the C library's, for the library under test. */
ssize_t recv(int fd, void *data, size_t len, int flags)
{
    if (piece_max > 0 && (flags & MSG_PEEK) == 0 && len > 0) {
        size_t piece = 1 + (size_t)rand_r(&receive_seed) % piece_max;

        len = piece < len ? piece : len;
    }
    return recvfrom(fd, data, len, flags, NULL, NULL);
}

/* struct scene is what the server is to say now, and what it has seen. */
struct scene {
    const struct transcript_exchange *now;
    struct test_server *server;
    struct urlpool_manager *manager;
    const struct transcript_case *played;
    bool is_tls, streams;
    bool is_whole; /* the answer comes in one piece */
    unsigned seed;
    pthread_mutex_t mutex;
    pthread_cond_t said;
    unsigned num_said;   /* answers that were sent to their end */
    unsigned connection; /* of the last */
};

static size_t pieces_of(size_t len)
{
    return len > SHORT_BYTES ? 2 * len / NUM_LONG_PIECES : PIECE_MAX;
}

static void say(struct test_peer *peer, const struct test_request *request, void *user)
{
    struct scene *scene = user;
    const struct transcript_exchange *exchange;
    unsigned seed;
    size_t at = 0;

    pthread_mutex_lock(&scene->mutex);
    exchange = scene->now;
    seed = scene->seed;
    scene->connection = request->connection;
    pthread_mutex_unlock(&scene->mutex);
    while (at < exchange->response.len) {
        size_t rest = exchange->response.len - at;
        size_t piece = scene->is_tls && !scene->is_whole
                           ? 1 + (size_t)rand_r(&seed) % pieces_of(exchange->response.len)
                           : rest;

        piece = piece < rest ? piece : rest;
        test_peer_send(peer, exchange->response.data + at, piece);
        at += piece;
    }
    if (exchange->stop == PLAYER_EOF) {
        test_peer_close(peer);
    } else if (exchange->stop == PLAYER_CUT) {
        test_peer_cut(peer);
    }
    pthread_mutex_lock(&scene->mutex);
    scene->num_said++;
    pthread_cond_signal(&scene->said);
    pthread_mutex_unlock(&scene->mutex);
}

static void differs(const struct scene *scene, const char *what, const char *expected,
                    const char *got)
{
    ck_abort_msg("%s, %s, %s, %s %u: %s: expected\n%s\ngot\n%s", scene->played->name,
                 scene->is_tls ? "TLS" : "plain", scene->streams ? "streamed" : "buffered",
                 scene->is_whole ? "whole" : "seed", scene->seed, what, expected, got);
}

/* said_of returns the rest of the first expected line that begins with `word`, or NULL. */
static char *said_of(const struct transcript_exchange *exchange, const char *word)
{
    const char *text = (const char *)exchange->expected.data;
    const char *end = text + exchange->expected.len;

    for (const char *line = text; line < end; line = strchr(line, '\n') + 1) {
        if (strncmp(line, word, strlen(word)) == 0) {
            return strndup(line + strlen(word), (size_t)(strchr(line, '\n') - line) - strlen(word));
        }
    }
    return NULL;
}

static bool does_say(const struct transcript_exchange *exchange, const char *word)
{
    char *text = said_of(exchange, word);

    free(text);
    return text != NULL;
}

/* final_part appends the expected lines from the final head on that begin with `word`. */
static void final_part(const struct transcript_exchange *exchange, const char *word,
                       struct urlp_buf *out)
{
    const char *text = (const char *)exchange->expected.data;
    const char *end = text + exchange->expected.len;
    bool is_final = false;

    for (const char *line = text; line < end; line = strchr(line, '\n') + 1) {
        is_final =
            is_final || strncmp(line, "response ", 9) == 0 || strncmp(line, "switched ", 9) == 0;
        if (is_final && strncmp(line, word, strlen(word)) == 0) {
            ck_assert_int_eq(urlp_buf_append(out, line, (size_t)(strchr(line, '\n') + 1 - line)),
                             URLPOOL_OK);
        }
    }
    ck_assert_int_eq(urlp_buf_append(out, "", 1), URLPOOL_OK);
}

static void check_fields(const struct scene *scene, const char *word,
                         const struct urlpool_headers *headers)
{
    struct urlp_buf got = {0};
    struct urlp_buf expected = {0};

    for (size_t i = 0; i < urlpool_headers_count(headers); i++) {
        struct urlpool_field field = urlpool_headers_at(headers, i);

        ck_assert_int_eq(urlp_buf_printf(&got, "%s ", word), URLPOOL_OK);
        player_escape(&got, field.name, strlen(field.name));
        ck_assert_int_eq(urlp_buf_append_text(&got, ": "), URLPOOL_OK);
        player_escape(&got, field.value, strlen(field.value));
        ck_assert_int_eq(urlp_buf_append_text(&got, "\n"), URLPOOL_OK);
    }
    ck_assert_int_eq(urlp_buf_append(&got, "", 1), URLPOOL_OK);
    final_part(scene->now, word, &expected);
    if (strcmp((const char *)got.data, (const char *)expected.data) != 0) {
        differs(scene, word, (const char *)expected.data, (const char *)got.data);
    }
    urlp_buf_deinit(&got);
    urlp_buf_deinit(&expected);
}

static void check_head(const struct scene *scene, const struct urlpool_response *response)
{
    struct urlp_buf got = {0};
    char *expected = said_of(scene->now, "response ");

    if (expected == NULL) {
        expected = said_of(scene->now, "switched ");
    }
    ck_assert_int_eq(urlp_buf_printf(&got, "%d %d.%d \"", response->status, response->version / 10,
                                     response->version % 10),
                     URLPOOL_OK);
    player_escape(&got, response->reason, strlen(response->reason));
    ck_assert_int_eq(urlp_buf_append(&got, "\"", 2), URLPOOL_OK);
    if (expected == NULL || strcmp(expected, (const char *)got.data) != 0) {
        differs(scene, "the head", expected != NULL ? expected : "no response",
                (const char *)got.data);
    }
    free(expected);
    urlp_buf_deinit(&got);
    check_fields(scene, "field", response->headers);
}

static void check_body(const struct scene *scene, const void *data, size_t len)
{
    struct urlp_buf got = {0};
    char *expected = said_of(scene->now, "data ");

    player_escape(&got, data, len);
    ck_assert_int_eq(urlp_buf_append(&got, "", 1), URLPOOL_OK);
    if (strcmp(expected != NULL ? expected : "", (const char *)got.data) != 0) {
        differs(scene, "the body", expected != NULL ? expected : "", (const char *)got.data);
    }
    free(expected);
    urlp_buf_deinit(&got);
}

/* check_code compares how it ended; URLPOOL_OK: well. */
static void check_code(const struct scene *scene, enum urlpool_code code)
{
    char *expected = said_of(scene->now, "error ");

    if (does_say(scene->now, "waits")) {
        expected = strdup(urlpool_code_name(URLPOOL_E_READ_TIMEOUT));
    } else if (expected == NULL) {
        expected = strdup(urlpool_code_name(URLPOOL_OK));
    }
    if (strcmp(expected, urlpool_code_name(code)) != 0) {
        differs(scene, "the code", expected, urlpool_code_name(code));
    }
    free(expected);
}

/* read_rest reads a streamed body in small pieces and returns how it ended. */
static enum urlpool_code read_rest(struct urlpool_response *response, struct urlp_buf *body)
{
    uint8_t piece[READ_BYTES];
    size_t len = 1;
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && len > 0) {
        code = urlpool_response_read(response, piece, sizeof(piece), &len, &test_err);
        if (code == URLPOOL_OK) {
            ck_assert_int_eq(urlp_buf_append(body, piece, len), URLPOOL_OK);
        }
    }
    return code;
}

static void check_response(const struct scene *scene, struct urlpool_response *response)
{
    struct urlp_buf body = {0};
    enum urlpool_code code = URLPOOL_OK;

    check_head(scene, response);
    if (response->status == 101) {
        return;
    }
    if (scene->streams) {
        code = read_rest(response, &body);
        check_body(scene, body.data, body.len);
    } else {
        check_body(scene, response->data, response->data_len);
    }
    check_code(scene, code);
    check_fields(scene, "trailer", urlpool_response_trailers(response));
    urlp_buf_deinit(&body);
}

static char *text_of(struct urlp_span span)
{
    return span.len > 0 ? strndup(span.data, span.len) : strdup("");
}

/* fields_of makes the headers of the request: all but those the library says by itself. */
static struct urlpool_headers *fields_of(const struct transcript_exchange *exchange,
                                         struct urlpool_body *out_body)
{
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    static const char content[16] = "................";

    for (size_t i = 0; i < exchange->head.num_fields; i++) {
        char *name = text_of(exchange->fields[i].name);
        char *value = text_of(exchange->fields[i].value);

        if (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0) {
            *out_body = urlpool_body_bytes(content, strtoul(value, NULL, 10));
        } else if (strcasecmp(name, "Host") != 0) {
            ck_assert_int_eq(urlpool_headers_add(headers, name, value, &test_err), URLPOOL_OK);
        }
        free(name);
        free(value);
    }
    return headers;
}

static void ask(struct scene *scene)
{
    const struct transcript_exchange *exchange = scene->now;
    struct urlpool_request_options options = {.stream = scene->streams,
                                              .keep_encoded = true,
                                              .return_redirects = true,
                                              .retries = TEST_ONE_TRY,
                                              .data_bytes_max = INT64_MAX,
                                              .timeout = {.total_ms = HANG_MS}};
    char *method = text_of(exchange->head.method);
    char *target = text_of(exchange->head.target);
    struct urlpool_headers *headers = fields_of(exchange, &options.body);
    struct urlpool_response *response;
    char url[512];

    options.headers = headers;
    if (does_say(exchange, "waits")) {
        options.timeout.read_ms = WAIT_MS;
    }
    receive_seed = scene->seed;
    piece_max = scene->is_whole ? 0 : pieces_of(exchange->response.len);
    memset(&test_err, 0, sizeof(test_err));
    response = urlpool_request(scene->manager, method,
                               test_server_url(scene->server, target, url, sizeof(url)), &options,
                               &test_err);
    if (response != NULL) {
        check_response(scene, response);
        urlpool_response_free(response);
    } else {
        check_code(scene, test_err.code);
        ck_assert_msg(!scene->streams || !does_say(exchange, "response ") ||
                          test_err.code == URLPOOL_E_READ_TIMEOUT,
                      "%s: no response, whose head is whole", scene->played->name);
    }
    piece_max = 0;
    free(method);
    free(target);
    urlpool_headers_free(headers);
}

/* check_connection looks at what has become of the connection once all was sent. */
static void check_connection(struct scene *scene, unsigned num_exchanges)
{
    const bool may_stay = does_say(scene->now, "reusable yes") && scene->now->stop == PLAYER_WAIT &&
                          !does_say(scene->now, NO_MORE);

    pthread_mutex_lock(&scene->mutex);
    while (scene->num_said < num_exchanges) {
        pthread_cond_wait(&scene->said, &scene->mutex);
    }
    pthread_mutex_unlock(&scene->mutex);
    if (may_stay || scene->now->stop == PLAYER_WAIT) {
        (void)urlpool_manager_maintain(scene->manager);
        if (test_stats(scene->manager).idle != may_stay) {
            differs(scene, "the connection", may_stay ? "is kept" : "is closed",
                    may_stay ? "is closed" : "is kept");
        }
    }
}

static void play(struct scene *scene)
{
    const struct transcript_case *played = scene->played;
    unsigned connection = 0;

    scene->num_said = 0;
    for (unsigned i = 0; i < played->num_exchanges; i++) {
        pthread_mutex_lock(&scene->mutex);
        scene->now = &played->exchanges[i];
        pthread_mutex_unlock(&scene->mutex);
        ask(scene);
        check_connection(scene, i + 1);
        if (i > 0 && does_say(scene->now, "response ")) {
            ck_assert_msg(scene->connection == connection, "%s: on another connection",
                          played->name);
        }
        connection = scene->connection;
    }
}

/* can_be_played says whether a case is one for a manager over such a connection. */
static bool can_be_played(const struct transcript_case *played, bool is_tls)
{
    bool can = !played->is_unsent;

    for (size_t i = 0; i < played->num_exchanges; i++) {
        const struct transcript_exchange *exchange = &played->exchanges[i];

        can = can && exchange->head.target.len > 0 &&
              ((const char *)exchange->head.target.data)[0] == '/' &&
              !does_say(exchange, "refused ") && (is_tls || exchange->stop != PLAYER_CUT);
    }
    return can;
}

static unsigned from_environment(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

/* play_file plays all cases of a file: each whole, then by each seed, buffered and streamed. */
static void play_file(struct scene *scene, size_t file, struct urlpool_tls *tls)
{
    const unsigned first = from_environment("URLPOOL_TEST_SEED", 1);
    const unsigned num_plays = 2 * (1 + from_environment("URLPOOL_TEST_SPLITS", NUM_SPLITS));

    for (size_t i = 0; i < all.num_cases; i++) {
        if (all.cases[i].file != file || !can_be_played(&all.cases[i], scene->is_tls)) {
            continue;
        }
        scene->played = &all.cases[i];
        for (unsigned n = i % PLAYS_STEP; n < num_plays; n += PLAYS_STEP) {
            const struct urlpool_manager_options options = {.limits = scene->played->limits,
                                                            .tls = tls};

            scene->seed = first + n / 2;
            scene->streams = n % 2 == 1;
            scene->is_whole = n / 2 == 0;
            scene->manager = test_manager(&options);
            play(scene);
            urlpool_manager_free(scene->manager);
        }
    }
}

static struct scene scene_of(bool is_tls)
{
    return (struct scene){
        .is_tls = is_tls, .mutex = PTHREAD_MUTEX_INITIALIZER, .said = PTHREAD_COND_INITIALIZER};
}

START_TEST(transcript__comes_out_the_same_over_tcp_in_random_pieces)
{
    struct scene scene = scene_of(false);

    scene.server = test_server_start(say, &scene, NULL);
    play_file(&scene, (size_t)_i, NULL);
    test_server_stop(scene.server);
}
END_TEST

START_TEST(transcript__comes_out_the_same_over_tls_in_random_records)
{
    struct scene scene = scene_of(true);
    struct https_scene https = https_scene_begin(say, &scene, NULL);

    scene.server = https.server;
    play_file(&scene, (size_t)_i, https.tls);
    https_scene_end(&https);
}
END_TEST

START_TEST(transcripts__that_are_left_out_are_few)
{
    size_t num_played = 0;
    size_t num_refused = 0;

    for (size_t i = 0; i < all.num_cases; i++) {
        num_played += can_be_played(&all.cases[i], true);
        num_refused += does_say(&all.cases[i].exchanges[0], "refused ");
    }
    ck_assert_uint_ge(num_played, 500);
    ck_assert_uint_le(all.num_cases - num_refused - num_played, 20);
}
END_TEST

int main(void)
{
    all = transcripts_load(TRANSCRIPTS_DIR);

    const struct test_loop loops[] = {
        {transcript__comes_out_the_same_over_tcp_in_random_pieces,  all.num_files},
        {transcript__comes_out_the_same_over_tls_in_random_records, all.num_files},
        TEST_ONCE(transcripts__that_are_left_out_are_few),
    };

    return run_loops("transcripts over the wire", loops, sizeof(loops) / sizeof(loops[0]));
}
