/* Floods below HTTP: records of TLS without end that carry nothing for anybody, in the handshake as
 * in plain, behind it sealed by the server's keys, which the TLS library itself would never send.
 */

#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/count_of.h"
#include "support/flood_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/tls_forge.h"
#include "support/tls_kit.h"

enum {
    AHEAD = 65536 + 16384, /* what one read may take */
    HANDSHAKE = 131072,    /* BoringSSL's bounds of a message, of certificates, and some */
    READ_MS = 150,
    WAIT_MS = 20000,
    NUM_RECORDS = 64, /* sealed at once */
    HEAD_ROOM = 8192
};

#define BYTES(text) (text), sizeof(text) - 1
/* A ServerHello of TLS 1.2 that BoringSSL agrees to, and the beginning of a record of 16384. */
#define ZEROS_8      "\0\0\0\0\0\0\0\0"
#define SERVER_HELLO "\x16\3\3\0\x2a\2\0\0\x26\3\3" ZEROS_8 ZEROS_8 ZEROS_8 "random 8\0\xc0\x2b\0"
#define RECORD       "\x16\3\3\x40\0"

/* ---- in the handshake ---- */

/* In these, `unit` is what a record holds 16384 bytes of when it is one byte. */
static const struct flood handshakes[] = {
  /* clang-format off */
    {"empty records", BYTES(""), BYTES("\x16\3\3\0\0"), URLPOOL_E_TLS, 0},
    {"empty records of data", BYTES(""), BYTES("\x17\3\3\0\0"), URLPOOL_E_TLS, 0},
    {"warnings", BYTES(""), BYTES("\x15\3\3\0\2\1\x5a"), URLPOOL_E_TLS, 0},
    {"changes of cipher", BYTES(""), BYTES("\x14\3\3\0\1\1"), URLPOOL_E_TLS, 0},
    {"requests for a hello", BYTES(""), BYTES("\x16\3\3\0\4\0\0\0\0"), URLPOOL_E_TLS, 0},
    {"a hello without end", BYTES(RECORD "\2\xff\xff\xff"), BYTES("\0"), URLPOOL_E_TLS, HANDSHAKE},
    {"a hello of single bytes", BYTES("\x16\3\3\0\4\2\0\x3f\xff"), BYTES("\x16\3\3\0\1\0"),
     URLPOOL_E_TLS, HANDSHAKE},
    {"certificates without end", BYTES(SERVER_HELLO RECORD "\x0b\xff\xff\xff"), BYTES("\0"),
     URLPOOL_E_TLS, HANDSHAKE},
    {"empty certificates", BYTES(SERVER_HELLO RECORD "\x0b\1\x80\3\1\x80\0"), BYTES("\0"),
     URLPOOL_E_TLS, HANDSHAKE},
    {"warnings behind a hello", BYTES(SERVER_HELLO), BYTES("\x15\3\3\0\2\1\x5a"), URLPOOL_E_TLS, 0},
    {"a record too long", BYTES("\x16\3\3\xff\xff"), BYTES("x"), URLPOOL_E_TLS, 0},
    {"no TLS", BYTES(""), BYTES("x"), URLPOOL_E_TLS, 0},
  /* clang-format on */
};

static void act_handshake(struct flood_peer *peer, const void *user)
{
    const struct flood *flood = user;
    static char record[5 + 16384] = RECORD;
    /* What `before` leaves open of its last record. */
    const bool is_long = flood->unit_len == 1 && flood->before_len > 5 && flood->unit[0] == '\0';
    const char *begin = flood->before;

    if (!flood_hear_some(peer) || !flood_say(peer, begin, flood->before_len)) {
        return;
    }
    if (!is_long) {
        flood_for_ever(peer, flood->unit, flood->unit_len);
        return;
    }
    while (begin < flood->before + flood->before_len - 5 && memcmp(begin, RECORD, 5) != 0) {
        begin++;
    }
    if (flood_say(peer, record + 5,
                  16384 - (size_t)(flood->before + flood->before_len - begin - 5))) {
        flood_for_ever(peer, record, sizeof(record));
    }
}

START_TEST(flood__of_a_handshake_ends)
{
    const struct flood *flood = &handshakes[_i];
    /* OpenSSL takes a message apart before it asks whether there is anything in a certificate. */
    const enum urlpool_code code =
        tls_kit_is_openssl() && strcmp(flood->name, "empty certificates") == 0
            ? URLPOOL_E_TLS_VERIFY
            : flood->code;
    const struct urlpool_manager_options options = {.retries = TEST_ONE_TRY,
                                                    .dial_pause_max_ms = URLPOOL_NONE,
                                                    .timeout = {.connect_ms = WAIT_MS}};
    struct flood_scene scene;
    struct meter meter;
    int64_t bytes;
    char name[128];

    (void)snprintf(name, sizeof(name), "handshake, %s", flood->name);
    flood_scene_begin(&scene, act_handshake, flood, false, &options);
    (void)snprintf(scene.origin, sizeof(scene.origin), "https://127.0.0.1:%u",
                   (unsigned)flood_server_port(scene.server));
    meter = meter_begin(scene.manager);
    ck_assert_ptr_null(flood_scene_get(&scene, "GET", "/", NULL));
    ck_assert_msg(test_err.code == code, "%s: %s: %s", name, urlpool_code_name(test_err.code),
                  test_err.message);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_TLS);
    bytes = meter_end(&meter, name, 0);
    printf("    %s\n", test_err.message);
    ck_assert_msg(bytes <= 2 * flood->bytes_max + AHEAD, "%s: read %lld", name, (long long)bytes);
    ck_assert_uint_eq(test_stats(scene.manager).open, 0);
    flood_scene_end(&scene);
}
END_TEST

/* ---- behind the handshake ---- */

/* struct sealed is a record of TLS 1.3 that is said for ever: its type, and what is in it. */
struct sealed {
    const char *name;
    uint8_t type;
    const char *data;
    size_t len;
    size_t padding;
    enum urlpool_code code;
};

static const struct sealed sealed[] = {
  /* clang-format off */
    {"empty records", 23, BYTES(""), 0, URLPOOL_E_TLS},
    {"padding", 23, BYTES(""), 16000, URLPOOL_E_TLS},
    {"empty handshake records", 22, BYTES(""), 0, URLPOOL_E_TLS},
    {"warnings", 21, BYTES("\1\x5a"), 0, URLPOOL_E_TLS},
    {"a message without end", 22, BYTES("\4\xff\xff\xff"), 0, URLPOOL_E_TLS},
    /* Lawful; whoever waits for an answer waits no longer for it. */
    {"tickets", 22, BYTES("\4\0\0\x12\0\0\x1c\x20\1\2\3\4\1\1\0\4tick\0\0"), 0,
     URLPOOL_E_READ_TIMEOUT},
  /* clang-format on */
};

static struct tls_forge_secret secret; /* of the one connection of a process */

static void note_secret(const SSL *ssl, const char *line)
{
    (void)ssl;
    tls_forge_hear(&secret, line);
}

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

/* struct sealed_scene is what the act has to know. */
struct sealed_scene {
    const struct sealed *row;
    const struct flood_scene *flood;
    bool answers_first;
};

static void act_sealed(struct flood_peer *peer, const void *user)
{
    static uint8_t out[NUM_RECORDS * TLS_FORGE_RECORD_MAX];
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    const struct sealed_scene *scene = user;
    const struct sealed *row = scene->row;
    struct tls_forger *forger;
    char head[HEAD_ROOM];
    size_t len;
    SSL *ssl;

    SSL_CTX_set_keylog_callback(scene->flood->context, note_secret);
    (void)SSL_CTX_set_options(scene->flood->context, SSL_OP_NO_TICKET);
    ssl = SSL_new(scene->flood->context);
    tls_forge_watch(ssl, &secret);
    must(SSL_set_fd(ssl, flood_fd(peer)));
    if (SSL_accept(ssl) != 1 || SSL_read(ssl, head, sizeof(head)) <= 0) {
        return;
    }
    if (scene->answers_first) {
        must(SSL_write(ssl, good, sizeof(good) - 1) > 0);
        flood_await_go(peer);
    }
    forger = tls_forger_new(ssl, &secret);
    do {
        len = 0;
        for (int i = 0; i < NUM_RECORDS; i++) {
            len += tls_forger_seal(forger, row->type, row->data, row->len, row->padding, out + len);
        }
    } while (flood_say(peer, out, len));
}

static void begin_sealed(struct flood_scene *flood, struct sealed_scene *scene,
                         const struct urlpool_manager_options *options)
{
    scene->flood = flood;
    flood_scene_begin(flood, act_sealed, scene, false, options);
    (void)snprintf(flood->origin, sizeof(flood->origin), "https://127.0.0.1:%u",
                   (unsigned)flood_server_port(flood->server));
}

START_TEST(flood__of_sealed_records_in_place_of_an_answer_ends)
{
    struct sealed_scene scene = {.row = &sealed[_i]};
    const bool ends_by_limit = scene.row->code == URLPOOL_E_READ_TIMEOUT;
    const struct urlpool_manager_options options = {
        .retries = TEST_ONE_TRY, .timeout = {.read_ms = ends_by_limit ? READ_MS : WAIT_MS}};
    struct flood_scene flood;
    struct meter meter;
    int64_t bytes;
    char name[128];

    (void)snprintf(name, sizeof(name), "sealed, %s", scene.row->name);
    begin_sealed(&flood, &scene, &options);
    meter = meter_begin(flood.manager);
    ck_assert_ptr_null(flood_scene_get(&flood, "GET", "/", NULL));
    ck_assert_msg(test_err.code == scene.row->code, "%s: %s: %s", name,
                  urlpool_code_name(test_err.code), test_err.message);
    bytes = meter_end(&meter, name, 0);
    ck_assert_msg(ends_by_limit || bytes <= 1 << 20, "%s: read %lld", name, (long long)bytes);
    ck_assert_uint_eq(test_stats(flood.manager).open, 0);
    flood_scene_end(&flood);
}
END_TEST

START_TEST(flood__of_sealed_records_ends_an_idle_connection)
{
    const struct urlpool_manager_options options = {.retries = TEST_ONE_TRY};
    struct sealed_scene scene = {.row = &sealed[_i], .answers_first = true};
    struct flood_scene flood;
    struct urlpool_response *response;
    struct meter meter;
    char name[128];
    int waited_ms = 0;

    (void)snprintf(name, sizeof(name), "sealed and idle, %s", scene.row->name);
    begin_sealed(&flood, &scene, &options);
    response = flood_scene_get(&flood, "GET", "/", NULL);
    ck_assert_msg(response != NULL, "%s: %s", name, test_err.message);
    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(flood.manager).idle, 1);
    flood_server_go(flood.server);
    while (flood_server_num_bytes(flood.server) < 100000) {
        ck_assert_int_lt(waited_ms++, WAIT_MS);
        (void)poll(NULL, 0, 1);
    }
    meter = meter_begin(flood.manager);
    response = flood_scene_get(&flood, "GET", "/", NULL);
    ck_assert_msg(response != NULL, "%s: %s", name, test_err.message);
    ck_assert(!response->connection_reused);
    (void)meter_end(&meter, name, 0);
    urlpool_response_free(response);
    flood_scene_end(&flood);
}
END_TEST

RUN_LOOPS("tls_floods", TEST_ROWS(flood__of_a_handshake_ends, handshakes),
          TEST_ROWS(flood__of_sealed_records_in_place_of_an_answer_ends, sealed),
          TEST_ROWS(flood__of_sealed_records_ends_an_idle_connection, sealed))
