/* The codec against the reference parser of this directory, over mutated transcripts: it never
 * takes what the reference refuses, never gives another body, never uses a connection again that it
 * must not, nor the other way round; and no cut makes a difference. Two programs are made of this
 * file: with SPLITS_ONLY it cuts each input in every way and compares the codec with itself.
 *
 * URLPOOL_TEST_SEED is the number of the first input (a finding tells its own), URLPOOL_TEST_INPUTS
 * how many follow from there, URLPOOL_TEST_BATCHES how often so many. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chance.h"
#include "compare.h"
#include "mutator.h"
#include "ours.h"
#include "reference.h"
#include "support/run_tests.h"

#define NUM_INPUTS       100000
#define NUM_SPLIT_INPUTS 15000 /* of those cut in every way */
#define SPLITS_EACH      (3 * N_SPLIT_KINDS)

struct tally {
    size_t outcomes[DIFFER_REFUSED + 1];
    size_t num_reused;
    size_t num_splits;
};

struct run {
    uint64_t seed;
    size_t num_inputs;
    bool cuts_in_every_way;
    struct mutator *mutator;
    struct differ_input input;
    struct differ_verdict reference, whole, split;
    struct tally tally;
};

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void tell(const struct run *run, uint64_t seed, const char *wrong, const char *how)
{
    printf("URLPOOL_TEST_SEED=%" PRIu64 " URLPOOL_TEST_INPUTS=1\n", seed);
    differ_input_print(stdout, &run->input);
    printf("reference:\n");
    differ_verdict_print(stdout, &run->reference);
    printf("whole:\n");
    differ_verdict_print(stdout, &run->whole);
    printf("%s:\n", how);
    differ_verdict_print(stdout, &run->split);
    fflush(stdout);
    ck_abort_msg("URLPOOL_TEST_SEED=%" PRIu64 " (%s): %s", seed, how, wrong);
}

/* play_split plays the input in pieces; what comes out must be what came of it whole. */
static void play_split(struct run *run, uint64_t seed, const struct split_plan *plan)
{
    const char *wrong = ours_read(&run->input, plan, &run->split);

    if (wrong == NULL) {
        wrong = compare_with_whole(&run->whole, &run->split);
    }
    if (wrong != NULL) {
        tell(run, seed, wrong, split_plan_name(plan));
    }
    run->tally.num_splits++;
}

static void play_splits(struct run *run, uint64_t seed)
{
    uint64_t chance = ~seed;
    struct split_plan plan = {.seed = chance_next(&chance)};

    if (!run->cuts_in_every_way) {
        plan.kind = (enum split_kind)chance_below(&chance, N_SPLIT_KINDS);
        plan.is_direct = chance_below(&chance, 2) == 0;
        play_split(run, seed, &plan);
        return;
    }
    for (unsigned round = 0; round < SPLITS_EACH; round++) {
        plan = (struct split_plan){(enum split_kind)(round % N_SPLIT_KINDS), chance_next(&chance),
                                   round % 2 == 1};
        play_split(run, seed, &plan);
    }
}

static void play_input(struct run *run, uint64_t seed)
{
    static const struct split_plan at_once = {SPLIT_WHOLE, 0, false};
    const char *wrong;

    mutator_make(run->mutator, seed, &run->input);
    reference_read(&run->input, &run->reference);
    differ_verdict_clear(&run->split);
    wrong = ours_read(&run->input, &at_once, &run->whole);
    if (wrong == NULL) {
        wrong = compare_with_reference(&run->reference, &run->whole);
    }
    if (wrong != NULL) {
        tell(run, seed, wrong, "whole");
    }
    play_splits(run, seed);
    for (size_t i = 0; i < run->reference.num_answers; i++) {
        run->tally.outcomes[run->reference.answers[i].outcome]++;
        run->tally.num_reused += run->reference.answers[i].may_reuse;
    }
}

static struct run run;

static void begin(void)
{
    run.tally = (struct tally){0};
    if (run.mutator == NULL) {
        run.mutator = mutator_new(TRANSCRIPTS_DIR);
    }
}

static void end(void)
{
    const struct tally *tally = &run.tally;

    printf("%zu inputs, %zu splits; answers: %zu whole (%zu then used again), %zu switched, "
           "%zu unfinished, %zu refused\n",
           run.num_inputs, tally->num_splits, tally->outcomes[DIFFER_WHOLE], tally->num_reused,
           tally->outcomes[DIFFER_SWITCHED], tally->outcomes[DIFFER_UNFINISHED],
           tally->outcomes[DIFFER_REFUSED]);
    fflush(stdout);
    differ_input_free(&run.input);
    differ_verdict_free(&run.reference);
    differ_verdict_free(&run.whole);
    differ_verdict_free(&run.split);
}

START_TEST(codec__reads_what_the_reference_reads_however_it_is_cut)
{
    begin();
    for (size_t i = 0; i < run.num_inputs; i++) {
        play_input(&run, run.seed + (uint64_t)_i * run.num_inputs + i);
    }
    end();
    /* Inputs that are all refused, or never lead to a second request, would show nothing. */
    if (run.num_inputs >= 1000) {
        ck_assert_uint_gt(run.tally.outcomes[DIFFER_WHOLE], run.num_inputs / 5);
        ck_assert_uint_gt(run.tally.outcomes[DIFFER_REFUSED], run.num_inputs / 5);
        ck_assert_uint_gt(run.tally.outcomes[DIFFER_SWITCHED], run.num_inputs / 400);
        ck_assert_uint_gt(run.tally.num_reused, run.num_inputs / 15);
    }
}
END_TEST

/* A long run is many short ones, each in a process of its own, with the inputs that follow. */
int main(int argc, char **argv)
{
    const uint64_t num_rounds = number_from("URLPOOL_TEST_BATCHES", 1);
    const struct test_loop loops[] = {
        {codec__reads_what_the_reference_reads_however_it_is_cut, (size_t)num_rounds},
    };
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    run.seed = number_from("URLPOOL_TEST_SEED",
                           (uint64_t)now.tv_sec * 1000000007U + (uint64_t)now.tv_nsec);
    run.cuts_in_every_way = argc > 1 && strcmp(argv[1], "--splits") == 0;
    run.num_inputs = (size_t)number_from("URLPOOL_TEST_INPUTS",
                                         run.cuts_in_every_way ? NUM_SPLIT_INPUTS : NUM_INPUTS);
    printf("URLPOOL_TEST_SEED=%" PRIu64 " URLPOOL_TEST_INPUTS=%zu URLPOOL_TEST_BATCHES=%" PRIu64
           "\n",
           run.seed, run.num_inputs, num_rounds);
    fflush(stdout);
    return run_loops("differential", loops, 1);
}
