/* Workers that take transfers in turn, and all of them leave. */

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "pace.h"
#include "runner.h"
#include "support/run_tests.h"

enum {
    NUM_AHEAD = 4,
    WITHIN_MS = 20000
};

static struct pf_settings settings;
static struct pf_run run;
static atomic_size_t num_made, num_due;

/* --- what a crew works with, as these tests have it ------------------------------------------- */

void pf_fetch(struct pf_run *of, const struct pf_turn *turn)
{
    ck_assert_ptr_eq(of, &run);
    ck_assert_ptr_nonnull(turn->ticket);
    atomic_fetch_add(&num_made, 1);
}

void pf_progress_draw(struct pf_progress *progress, bool is_last)
{
    (void)progress;
    (void)is_last;
}

/* pf_pace_wait_until holds transfer 0 back until another cannot begin without it, and then says
 * that all is over. Transfer n is due n ns after the start. */
void pf_pace_wait_until(int64_t at_ns)
{
    atomic_fetch_add(&num_due, 1);
    for (int ms = 0; at_ns == run.started_ns && atomic_load(&num_due) <= NUM_AHEAD; ms++) {
        ck_assert_int_lt(ms, WITHIN_MS);
        (void)poll(NULL, 0, 1);
    }
    if (at_ns == run.started_ns) {
        atomic_store(&run.is_over, true);
    }
}

/* ---------------------------------------------------------------------------------------------- */

static void set_up(void)
{
    static struct pf_entry entry;

    settings = (struct pf_settings){
        .entries = &entry, .num_entries = 1, .repeat = 100, .concurrency = 2, .pace_ns = 1};
    run = (struct pf_run){.settings = &settings, .started_ns = 1};
    run.cancel = urlpool_cancel_new(NULL);
    run.ordered = pf_ordered_new(open("/dev/null", O_WRONLY | O_CLOEXEC), NUM_AHEAD);
    atomic_store(&num_made, 0);
    atomic_store(&num_due, 0);
}

static void tear_down(void)
{
    pf_ordered_free(run.ordered);
    urlpool_cancel_free(run.cancel);
}

START_TEST(crew__makes_every_transfer_once)
{
    set_up();
    settings.pace_ns = 0;
    pf_crew_run(&run);
    ck_assert_uint_eq(atomic_load(&num_made), 100);
    tear_down();
}
END_TEST

START_TEST(crew__a_transfer_that_is_not_made_any_more_keeps_nobody_waiting)
{
    set_up();
    pf_crew_run(&run);
    ck_assert_uint_eq(atomic_load(&num_made), NUM_AHEAD - 1); /* those before the end */
    tear_down();
}
END_TEST

RUN_TESTS("pooled-fetch crew", crew__makes_every_transfer_once,
          crew__a_transfer_that_is_not_made_any_more_keeps_nobody_waiting)
