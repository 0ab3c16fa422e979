/* Plays every case of every transcript: whole, byte by byte, cut once at every offset, and past the

 * codec where it allows it; all have to give the very events written in the transcript. */

#define _GNU_SOURCE

#include <stdio.h>
#include <string.h>

#include "player.h"
#include "support/run_tests.h"
#include "transcript.h"

/* Cuts at every offset cost the square of the length; a longer response is cut at both ends and at
 * some places between, and comes in so many pieces instead of byte by byte. */
#define CUT_ALL_BYTES_MAX 1024
#define CUT_ENDS          40
#define CUT_STEPS         16
#define PIECES_MAX        150

static struct transcripts all;

/* write_request writes the head of `exchange`, and returns whether it was accepted. */
static bool write_request(struct urlp_h1_codec *codec, const struct transcript_exchange *exchange,
                          struct urlp_buf *log)
{
    struct urlpool_error err;
    struct urlp_buf wire;
    enum urlpool_code code;

    urlp_buf_init(&wire, 0);
    code = urlp_h1_write_head(codec, &exchange->head, &wire, &err);
    if (code != URLPOOL_OK) {
        ck_assert_int_eq(code, err.code);
        ck_assert_uint_eq(wire.len, 0);
        ck_assert_int_eq(urlp_buf_printf(log, "refused %s\n", urlpool_code_name(code)), URLPOOL_OK);
        return false;
    }
    ck_assert_uint_eq(wire.len, exchange->request.len);
    ck_assert_mem_eq(wire.data, exchange->request.data, wire.len);
    urlp_buf_deinit(&wire);
    return true;
}

static void check_log(const char *name, const struct player_plan *plan,
                      const struct transcript_exchange *exchange, struct urlp_buf *log)
{
    if (log->len != exchange->expected.len ||
        memcmp(log->data, exchange->expected.data, log->len) != 0) {
        ck_abort_msg("%s, first %zu then %zu%s:\n--- expected\n%.*s--- got\n%.*s", name,
                     plan->first, plan->step, plan->direct ? " direct" : "",
                     (int)exchange->expected.len, (const char *)exchange->expected.data,
                     (int)log->len, (const char *)log->data);
    }
}

static void play(const struct transcript_case *played, const struct player_plan *plan)
{
    struct urlp_h1_codec *codec = urlp_h1_new(&played->limits, NULL);

    ck_assert_ptr_nonnull(codec);
    for (size_t i = 0; i < played->num_exchanges; i++) {
        const struct transcript_exchange *exchange = &played->exchanges[i];
        const struct player_input input = {exchange->response.data, exchange->response.len,
                                           exchange->stop};
        struct urlp_buf log;
        size_t left;

        urlp_buf_init(&log, 0);
        if (write_request(codec, exchange, &log)) {
            if (!played->is_unsent) {
                urlp_h1_request_sent(codec);
            }
            player_play(codec, &input, plan, &log, &left);
        }
        check_log(played->name, plan, exchange, &log);
        urlp_buf_deinit(&log);
    }
    urlp_h1_free(codec);
}

static size_t longest_response(const struct transcript_case *played)
{
    size_t longest = 0;

    for (size_t i = 0; i < played->num_exchanges; i++) {
        if (played->exchanges[i].response.len > longest) {
            longest = played->exchanges[i].response.len;
        }
    }
    return longest;
}

/* play_in_every_way plays one case as it could come in. */
static void play_in_every_way(const struct transcript_case *played)
{
    size_t len = longest_response(played);
    size_t step = len > CUT_ALL_BYTES_MAX ? len / PIECES_MAX : 1;

    play(played, &(struct player_plan){0});
    play(played, &(struct player_plan){.direct = true});
    play(played, &(struct player_plan){.first = 1, .step = step});
    play(played, &(struct player_plan){.first = 1, .step = step, .direct = true});
    for (size_t cut = 1; cut < len; cut++) {
        if (len > CUT_ALL_BYTES_MAX && cut > CUT_ENDS && cut < len - CUT_ENDS) {
            cut += len / CUT_STEPS;
        }
        play(played, &(struct player_plan){.first = cut});
        play(played, &(struct player_plan){.first = cut, .direct = true});
    }
}

START_TEST(transcript__gives_the_same_events_however_it_is_cut)
{
    for (size_t i = 0; i < all.num_cases; i++) {
        if (all.cases[i].file == (size_t)_i) {
            play_in_every_way(&all.cases[i]);
        }
    }
}
END_TEST

static bool is_refusal(const struct transcript_case *played)
{
    const struct urlp_buf *expected = &played->exchanges[played->num_exchanges - 1].expected;

    return memmem(expected->data, expected->len, "error ", 6) != NULL ||
           memmem(expected->data, expected->len, "refused ", 8) != NULL;
}

START_TEST(transcripts__refuse_more_than_they_accept)
{
    size_t num_refusals = 0;

    for (size_t i = 0; i < all.num_cases; i++) {
        num_refusals += is_refusal(&all.cases[i]);
    }
    ck_assert_uint_ge(all.num_cases, 200);
    ck_assert_uint_gt(num_refusals, all.num_cases - num_refusals);
}
END_TEST

/* Rows of the conformance list that a codec alone cannot break, each with whose they are. */
static const struct {
    int row;
    const char *whose;
} elsewhere[] = {
    {109, "client: what is sent with Upgrade"},
    {110, "conn: waiting for 100"            },
    {111, "conn: waiting for 100"            },
    {113, "client: a request again"          },
    {115, "conn: reading while sending"      },
    {123, "pool: the look at checkout"       },
    {124, "pool: the look at checkout"       },
    {125, "pool: the look at checkout"       },
};

START_TEST(transcripts__cover_every_row_of_a_response)
{
    for (int row = 1; row <= 126; row++) {
        bool is_covered = false;
        char prefix[16];

        snprintf(prefix, sizeof(prefix), "r%03d_", row);
        for (size_t i = 0; i < all.num_cases && !is_covered; i++) {
            is_covered = strncmp(all.cases[i].name, prefix, strlen(prefix)) == 0;
        }
        for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
            is_covered = is_covered || elsewhere[i].row == row;
        }
        ck_assert_msg(is_covered, "row %d has no transcript", row);
    }
}
END_TEST

int main(void)
{
    all = transcripts_load(TRANSCRIPTS_DIR);

    const struct test_loop loops[] = {
        {transcript__gives_the_same_events_however_it_is_cut, all.num_files},
        TEST_ONCE(transcripts__refuse_more_than_they_accept),
        TEST_ONCE(transcripts__cover_every_row_of_a_response),
    };

    return run_loops("transcripts", loops, sizeof(loops) / sizeof(loops[0]));
}
