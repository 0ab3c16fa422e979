/* Answers without end, in every part of one, over plain connections and TLS: each is ended by its
 * limit, with its code, and costs no more than that limit. */

#include <stdio.h>
#include <string.h>

#include "support/count_of.h"
#include "support/flood_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    /* The defaults of struct urlpool_limits. */
    LINE = 65536,
    HEAD = 262144,
    TRAILERS = 16384,
    CHUNK_LINE = 4096,
    BARREN = 1 << 20,     /* coded bytes that yield nothing */
    DATA = 256 * 1024,    /* data_bytes_max here */
    AHEAD = 65536 + 16384 /* what one read may take, of TLS and of HTTP */
};

#define OK                  "HTTP/1.1 200 OK\r\n"
#define CHUNKED             OK "Transfer-Encoding: chunked\r\n\r\n"
#define CODED(coding, data) OK "Content-Encoding: " coding "\r\n\r\n" data
#define BYTES(literal)      (literal), sizeof(literal) - 1
#define TEXT(literal)       (literal), 0
#define A100                                                                                       \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaaaaa"
#define A2000                                                                                      \
    A100 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100 \
        A100

/* A gzip stream of "x", and one of nothing. */
#define GZIP_X     "\x1f\x8b\x08\0\0\0\0\0\0\3\xab\0\0\x83\x16\xdc\x8c\1\0\0\0"
#define GZIP_EMPTY "\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0"

static const struct flood floods[] = {
  /* clang-format off */
    {"no status line", TEXT(""), TEXT("x"), URLPOOL_E_BAD_STATUS_LINE, 0},
    {"empty lines", TEXT(""), TEXT("\r\n"), URLPOOL_E_BAD_STATUS_LINE, 0},
    {"version", TEXT("HTTP/1."), TEXT("1"), URLPOOL_E_BAD_STATUS_LINE, 0},
    {"status", TEXT("HTTP/1.1 2"), TEXT("0"), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"blanks behind a status", TEXT("HTTP/1.1 200"), TEXT(" "), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"reason", TEXT("HTTP/1.1 200 "), TEXT("a"), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"short fields", TEXT(OK), TEXT("A: b\r\n"), URLPOOL_E_TOO_MANY_HEADERS, HEAD},
    {"empty fields", TEXT(OK), TEXT("A:\n"), URLPOOL_E_TOO_MANY_HEADERS, HEAD},
    {"long fields", TEXT(OK), TEXT("A: " A2000 "\r\n"), URLPOOL_E_HEAD_TOO_LARGE, HEAD},
    {"cookies", TEXT(OK), TEXT("Set-Cookie: a=" A2000 "\r\n"), URLPOOL_E_HEAD_TOO_LARGE, HEAD},
    {"field name", TEXT(OK), TEXT("a"), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"field value", TEXT(OK "A: "), TEXT("b"), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"blanks before a value", TEXT(OK "A:"), TEXT(" "), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"length", TEXT(OK "Content-Length: "), TEXT("1"), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"lengths", TEXT(OK), TEXT("Content-Length: 1\r\n"), URLPOOL_E_TOO_MANY_HEADERS, HEAD},
    {"folds", TEXT(OK "A: b\r\n"), TEXT(" c\r\n"), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"empty folds", TEXT(OK "A: b\r\n"), TEXT(" \n"), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"interims", TEXT(""), TEXT("HTTP/1.1 100 Continue\r\n\r\n"), URLPOOL_E_HEAD_TOO_LARGE, HEAD},
    {"long interims", TEXT(""), TEXT("HTTP/1.1 103 Early Hints\r\nLink: " A2000 A2000 A2000 A2000
     A2000 "\r\n\r\n"), URLPOOL_E_HEAD_TOO_LARGE, HEAD},
    {"fields of an interim", TEXT("HTTP/1.1 103 Early Hints\r\n"), TEXT("Link: a\r\n"),
     URLPOOL_E_TOO_MANY_HEADERS, HEAD},
    {"switches", TEXT(""), TEXT("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"),
     URLPOOL_E_PROTOCOL, 0},
    {"chunk size", TEXT(CHUNKED), TEXT("1"), URLPOOL_E_BAD_CHUNK, CHUNK_LINE},
    {"chunk size of zeros", TEXT(CHUNKED), TEXT("0"), URLPOOL_E_BAD_CHUNK, CHUNK_LINE},
    {"blanks behind a chunk size", TEXT(CHUNKED "5"), TEXT(" "), URLPOOL_E_LINE_TOO_LONG,
     CHUNK_LINE},
    {"chunk extension's name", TEXT(CHUNKED "5;"), TEXT("a"), URLPOOL_E_LINE_TOO_LONG, CHUNK_LINE},
    {"chunk extension's value", TEXT(CHUNKED "5;a="), TEXT("b"), URLPOOL_E_LINE_TOO_LONG,
     CHUNK_LINE},
    {"chunk extension's quotes", TEXT(CHUNKED "5;a=\""), TEXT("\\\""), URLPOOL_E_LINE_TOO_LONG,
     CHUNK_LINE},
    {"chunk extensions", TEXT(CHUNKED "5"), TEXT(";a=b"), URLPOOL_E_LINE_TOO_LONG, CHUNK_LINE},
    {"extensions for single bytes", TEXT(CHUNKED), TEXT("1;" A2000 "\r\nx\r\n"),
     URLPOOL_E_LINE_TOO_LONG, TRAILERS},
    {"short trailers", TEXT(CHUNKED "0\r\n"), TEXT("T: u\r\n"), URLPOOL_E_TOO_MANY_HEADERS,
     TRAILERS},
    {"long trailers", TEXT(CHUNKED "0\r\n"), TEXT("T: " A2000 "\r\n"), URLPOOL_E_HEAD_TOO_LARGE,
     TRAILERS},
    {"trailer's name", TEXT(CHUNKED "0\r\n"), TEXT("t"), URLPOOL_E_HEAD_TOO_LARGE, TRAILERS},
    {"trailer's value", TEXT(CHUNKED "0\r\nT: "), TEXT("u"), URLPOOL_E_HEAD_TOO_LARGE, TRAILERS},
    {"single byte chunks", TEXT(CHUNKED), TEXT("1\r\nx\r\n"), URLPOOL_E_DATA_TOO_LARGE, 6 * DATA},
    {"chunks", TEXT(CHUNKED), TEXT("7d0\r\n" A2000 "\r\n"), URLPOOL_E_DATA_TOO_LARGE, DATA},
    {"one chunk", TEXT(CHUNKED "7fffffffffffffff\r\n"), TEXT("x"), URLPOOL_E_DATA_TOO_LARGE, DATA},
    {"body to the end", TEXT(OK "\r\n"), TEXT("x"), URLPOOL_E_DATA_TOO_LARGE, DATA},
    {"body of a length", TEXT(OK "Content-Length: 9223372036854775807\r\n\r\n"), TEXT("x"),
     URLPOOL_E_DATA_TOO_LARGE, 0},
    {"body of an error", TEXT("HTTP/1.1 500 Oh\r\n\r\n"), TEXT("x"), URLPOOL_E_DATA_TOO_LARGE, DATA},
    {"padding of gzip", BYTES(CODED("gzip", GZIP_X)), BYTES("\0"), URLPOOL_E_DECODE, BARREN},
    {"empty gzip members", BYTES(CODED("gzip", GZIP_X)), BYTES(GZIP_EMPTY), URLPOOL_E_DECODE,
     BARREN},
    {"name in gzip", BYTES(CODED("gzip", "\x1f\x8b\x08\x08\0\0\0\0\0\3")), TEXT("n"),
     URLPOOL_E_DECODE, BARREN},
    {"empty blocks of deflate", TEXT(CODED("deflate", "")), BYTES("\0\0\0\xff\xff"),
     URLPOOL_E_DECODE, BARREN},
    {"codings", TEXT(OK), TEXT("Content-Encoding: gzip\r\n"), URLPOOL_E_TOO_MANY_HEADERS, HEAD},
    {"codings in a line", TEXT(OK "Content-Encoding: "), TEXT("gzip, "), URLPOOL_E_LINE_TOO_LONG,
     LINE},
#if URLP_HAS_ZSTD
    {"skippable zstd frames", TEXT(CODED("zstd", "")), BYTES("\x50\x2a\x4d\x18\0\0\0\0"),
     URLPOOL_E_DECODE, BARREN},
    {"long skippable zstd frame", BYTES(CODED("zstd", "\x50\x2a\x4d\x18\xff\xff\xff\xff")),
     TEXT("s"), URLPOOL_E_DECODE, BARREN},
#endif
  /* clang-format on */
};

/* The ways a body comes to its caller, and whether TLS is below: bits of a row's number. */
enum {
    WAY_TLS = 1,
    WAY_STREAM = 2,
    NUM_WAYS = 4
};

/* read_streamed reads until `most` bytes have come, or there is an error. */
static enum urlpool_code read_streamed(struct urlpool_response *response, int64_t most)
{
    static char piece[4096];
    enum urlpool_code code = URLPOOL_OK;
    size_t got = 1;

    for (int64_t len = 0; code == URLPOOL_OK && got > 0 && len <= most; len += (int64_t)got) {
        code = urlpool_response_read(response, piece, sizeof(piece), &got, &test_err);
    }
    return code;
}

/* check_words: what is said of it is a sentence that a log can keep. */
static void check_words(const char *name)
{
    const size_t len = strlen(test_err.message);

    ck_assert_msg(len > 0 && len < 300 && strchr(test_err.message, '\n') == NULL &&
                      strstr(test_err.message, "failed to") == NULL &&
                      test_err.message[len - 1] != '.',
                  "%s: \"%s\"", name, test_err.message);
}

START_TEST(flood__of_an_answer_ends_at_its_limit)
{
    const int row = flood_row(_i, NUM_WAYS);
    const struct flood *flood = &floods[row / NUM_WAYS];
    const bool is_stream = (row & WAY_STREAM) != 0;
    const struct urlpool_manager_options options = {
        .retries = TEST_ONE_TRY, .data_bytes_max = DATA, .timeout = {.total_ms = 20000}};
    enum urlpool_code code = flood->code;
    int64_t bytes_max = flood->bytes_max;
    struct flood_scene scene;
    struct urlpool_response *response;
    struct meter meter;
    char name[128];
    int64_t bytes;

    (void)snprintf(name, sizeof(name), "%s%s%s", flood->name, is_stream ? ", streamed" : "",
                   (row & WAY_TLS) != 0 ? ", TLS" : "");
    flood_scene_begin(&scene, NULL, flood, (row & WAY_TLS) != 0, &options);
    meter = meter_begin(scene.manager);
    response = flood_scene_get(&scene, "GET", "/flood",
                               &(struct urlpool_request_options){.stream = is_stream});
    ck_assert_msg(response == NULL || is_stream, "%s: an answer", name);
    if (response != NULL) {
        /* A streamed body is as long as its reader wants it. */
        code = code == URLPOOL_E_DATA_TOO_LARGE ? URLPOOL_OK : code;
        test_err.code = read_streamed(response, DATA);
    }
    ck_assert_msg(test_err.code == code, "%s: %s: %s", name, urlpool_code_name(test_err.code),
                  test_err.message);
    urlpool_response_free(response);
    bytes = meter_end(&meter, name, 0);
    if (code == URLPOOL_OK) {
        bytes_max = flood->bytes_max > DATA ? flood->bytes_max : DATA;
    }
    ck_assert_msg(bytes <= 2 * bytes_max + AHEAD, "%s: read %lld bytes", name, (long long)bytes);
    if (code != URLPOOL_OK) {
        check_words(name);
    }
    flood_scene_is_well(&scene);
    flood_scene_end(&scene);
}
END_TEST

RUN_LOOPS("floods", {flood__of_an_answer_ends_at_its_limit,
                     flood_num_rows(COUNT_OF(floods) * NUM_WAYS, NUM_WAYS)})
