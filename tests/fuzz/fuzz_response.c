/* What must hold of any bytes that are taken for responses. An input is a byte of choices, a byte
 * that says how it is cut, and then the stream of responses, answered to one request after another
 * as long as the connection may be used again. However it is cut, the same has to come out; no
 * message goes wrong twice; and what may not be reused takes no further request. */

#define _GNU_SOURCE

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h1/codec.h"
#include "unit/h1/player.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXCHANGES_MAX 8

/* Bits of the first byte. */
enum {
    CHOICE_METHOD = 3, /* GET, HEAD, CONNECT, GET with Upgrade */
    CHOICE_STRICT = 4,
    CHOICE_SMALL = 8, /* small limits */
    CHOICE_STOP = 48, /* WAIT, EOF, CUT, WAIT */
    CHOICE_UNSENT = 64
};

static void require(int holds, const char *what, const struct urlp_buf *log)
{
    if (!holds) {
        (void)fprintf(stderr, "%s\n%.*s", what, (int)log->len, (const char *)log->data);
        abort();
    }
}

static struct urlp_h1_codec *make_codec(uint8_t choices)
{
    struct urlpool_limits limits = {0};
    struct urlp_h1_codec *codec;

    if (choices & CHOICE_STRICT) {
        limits.refuse_bare_lf = true;
        limits.refuse_missing_reason = true;
        limits.refuse_obs_fold = true;
        limits.refuse_chunk_blanks = true;
    }
    if (choices & CHOICE_SMALL) {
        limits.line_bytes_max = 40;
        limits.head_bytes_max = 100;
        limits.trailer_bytes_max = 30;
        limits.chunk_line_bytes_max = 20;
        limits.fields_max = 4;
        limits.interims_max = 1;
    }
    codec = urlp_h1_new(&limits, NULL);
    return codec != NULL ? codec : (abort(), NULL);
}

/* write_request begins an exchange, and reports whether that was allowed. */
static bool write_request(struct urlp_h1_codec *codec, uint8_t choices)
{
    static const char *const methods[] = {"GET", "HEAD", "CONNECT", "GET"};
    const struct urlp_field fields[] = {
        {urlp_span_of("Host"),       urlp_span_of("a.example")     },
        {urlp_span_of("Connection"), urlp_span_of("upgrade")       },
        {urlp_span_of("Upgrade"),    urlp_span_of("websocket, h2c")},
    };
    int method = choices & CHOICE_METHOD;
    struct urlp_request_head head = {
        .method = urlp_span_of(methods[method]),
        .target = urlp_span_of(method == 2 ? "a.example:443" : "/"),
        .fields = fields,
        .num_fields = method == 3 ? 3 : 1,
    };
    struct urlp_buf wire = {0};
    enum urlpool_code code = urlp_h1_write_head(codec, &head, &wire, NULL);

    urlp_buf_deinit(&wire);
    if (code == URLPOOL_OK && (choices & CHOICE_UNSENT) == 0) {
        urlp_h1_request_sent(codec);
    }
    return code == URLPOOL_OK;
}

/* play appends what comes of the whole stream to `log`. */
static void play(const uint8_t *data, size_t size, uint8_t choices, const struct player_plan *plan,
                 struct urlp_buf *log)
{
    static const enum player_stop stops[] = {PLAYER_WAIT, PLAYER_EOF, PLAYER_CUT, PLAYER_WAIT};
    struct urlp_h1_codec *codec = make_codec(choices);
    size_t left = size;
    bool may_go_on = true;

    require(write_request(codec, choices), "a new codec takes no request", log);
    for (int i = 0; i < EXCHANGES_MAX && may_go_on; i++) {
        struct player_input input = {data + size - left, left, stops[(choices & CHOICE_STOP) >> 4]};
        size_t before = left;

        player_play(codec, &input, plan, log, &left);
        require(left <= before, "more left than there was", log);
        may_go_on = urlp_h1_is_reusable(codec) && left > 0;
        require(!may_go_on || left < before, "a response of no bytes", log);
        if (i + 1 < EXCHANGES_MAX && (may_go_on || !urlp_h1_is_reusable(codec))) {
            require(write_request(codec, choices) == may_go_on, "reuse allowed and refused", log);
        }
    }
    urlp_h1_free(codec);
}

/* check_log looks for what the player writes down when the codec breaks its contract. */
static void check_log(const struct urlp_buf *log)
{
    static const char *const never[] = {
        "\nempty data event\n",        "\nwithout a proper message\n",
        "\nwhich does not stay\n",     "\nused more than it was given\n",
        "\nerror URLPOOL_E_INVALID\n", "\nerror URLPOOL_E_RESPONSE_NOT_READY\n",
        "\nerror URLPOOL_E_UNKNOWN\n",
    };

    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        require(memmem(log->data, log->len, never[i], strlen(never[i])) == NULL, never[i], log);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct urlp_buf whole = {0};
    struct urlp_buf cut = {0};

    if (size < 2) {
        return 0;
    }
    const struct player_plan plans[] = {
        {.first = data[1]},
        { .first = 1,                              .step = size < 600 ? 1 : 37},
        { .first = data[1], .step = data[1] / 8 + 1, .direct = true},
    };

    play(data + 2, size - 2, data[0], &(struct player_plan){0}, &whole);
    check_log(&whole);
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        cut.len = 0;
        play(data + 2, size - 2, data[0], &plans[i], &cut);
        require(cut.len == whole.len && memcmp(cut.data, whole.data, cut.len) == 0,
                "another outcome, cut in pieces", &cut);
    }
    urlp_buf_deinit(&whole);
    urlp_buf_deinit(&cut);
    return 0;
}
