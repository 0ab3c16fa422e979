/* The progress display. Workers note what they have got; the main thread draws, five times a
 * second. Nothing here is exact, and nothing waits for it. */

#include "progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monotonic.h"
#include "say.h"

enum {
    NAME_MAX_LEN = 64,
    NAME_WIDTH_MIN = 8,
    BAR_WIDTH_MIN = 4,
    FIGURES_WIDTH = 27 /* of all that stands behind the bar */
};

/* One file on its way. */
struct slot {
    bool is_active;
    char name[NAME_MAX_LEN + 1];
    int64_t total;       /* -1: not known */
    int64_t first_bytes; /* that were there already */
    int64_t started_ns;
    _Atomic int64_t bytes;
};

struct pf_progress {
    struct pf_tally *tally;
    struct urlpool_manager *manager;
    uint64_t num_transfers;
    int64_t started_ns;
    bool is_by_file;
    size_t num_slots;
    _Atomic int64_t num_bytes; /* of all bodies */
    pthread_mutex_t mutex;
    struct {
        struct slot *slots;
        struct pf_text finished; /* lines of files that have ended since the last drawing */
    } locked;
};

static bool uses_stdout(const struct pf_settings *settings)
{
    return pf_settings_to_stdout(settings) || settings->jsonl || settings->write_out != NULL;
}

static bool is_by_file(const struct pf_settings *settings)
{
    return !settings->out_null && !pf_settings_to_stdout(settings) && settings->repeat == 1;
}

struct pf_progress *pf_progress_new(const struct pf_settings *settings, struct pf_tally *tally,
                                    struct urlpool_manager *manager, uint64_t num_transfers)
{
    struct pf_progress *progress;

    if (settings->silent || settings->no_progress || !isatty(STDERR_FILENO) ||
        (isatty(STDOUT_FILENO) && uses_stdout(settings))) {
        return NULL;
    }
    progress = pf_alloc(sizeof(*progress));
    progress->tally = tally;
    progress->manager = manager;
    progress->num_transfers = num_transfers;
    progress->started_ns = pf_now_ns();
    progress->is_by_file = is_by_file(settings);
    progress->num_slots = (size_t)settings->concurrency;
    progress->locked.slots = pf_alloc(progress->num_slots * sizeof(*progress->locked.slots));
    (void)pthread_mutex_init(&progress->mutex, NULL);
    return progress;
}

void pf_progress_free(struct pf_progress *progress)
{
    if (progress == NULL) {
        return;
    }
    (void)pthread_mutex_destroy(&progress->mutex);
    pf_text_free(&progress->locked.finished);
    free(progress->locked.slots);
    free(progress);
}

/* --- what is drawn --------------------------------------------------------------------------- */

static void add_bytes(struct pf_text *out, double bytes)
{
    static const char units[] = "BkMGT";
    size_t unit = 0;

    while (bytes >= 1000 && units[unit + 1] != '\0') {
        bytes /= 1000;
        unit++;
    }
    pf_text_addf(out, " %6.*f%c", unit > 0 ? 1 : 0, bytes, units[unit]);
}

static void add_bar(struct pf_text *out, int64_t bytes, int64_t total, int width)
{
    int filled = total > 0 ? (int)((double)bytes * width / (double)total) : 0;

    pf_text_adds(out, " [");
    for (int i = 0; i < width; i++) {
        pf_text_adds(out, i < filled ? "=" : " ");
    }
    pf_text_adds(out, "]");
}

/* add_name adds the end of a name, in a column of `width`. */
static void add_name(struct pf_text *out, const char *name, int width)
{
    size_t len = strlen(name);
    size_t skipped = len > (size_t)width ? len - (size_t)width : 0;

    pf_text_addf(out, "%-*s", width, name + skipped);
}

/* add_slot adds "name [====    ] 12.3M 4.5M/s 0:12" in a line of `width`: of what is left by the
 * figures a third is the name's, the rest the bar's; holds the mutex. */
static void add_slot(struct pf_text *out, const struct slot *slot, const char *outcome, int width)
{
    int64_t bytes = atomic_load_explicit(&slot->bytes, memory_order_relaxed);
    int64_t ns = pf_now_ns() - slot->started_ns;
    double rate = ns > 0 ? (double)(bytes - slot->first_bytes) * 1e9 / (double)ns : 0;
    int free_width = width - 1 - FIGURES_WIDTH - 3;
    int name_width = free_width / 3 > NAME_WIDTH_MIN ? free_width / 3 : NAME_WIDTH_MIN;
    int bar_width =
        free_width - name_width > BAR_WIDTH_MIN ? free_width - name_width : BAR_WIDTH_MIN;

    add_name(out, slot->name, name_width < NAME_MAX_LEN ? name_width : NAME_MAX_LEN);
    add_bar(out, bytes, slot->total >= 0 ? slot->total : (outcome != NULL ? bytes : 0), bar_width);
    add_bytes(out, (double)bytes);
    add_bytes(out, rate);
    pf_text_adds(out, "/s");
    if (outcome != NULL) {
        pf_text_addf(out, "  %s", outcome);
    } else if (slot->total > bytes && rate > 0) {
        long left = (long)((double)(slot->total - bytes) / rate);
        pf_text_addf(out, " %3ld:%02ld", left / 60, left % 60);
    }
    pf_text_adds(out, "\n");
}

/* add_counts adds the line of all: transfers, connections, and bytes, which 80 columns may be too
 * few for. */
static void add_counts(struct pf_text *out, struct pf_progress *progress)
{
    struct urlpool_stats stats = {0};
    uint64_t done = 0;
    uint64_t failed = 0;
    double seconds = (double)(pf_now_ns() - progress->started_ns) / 1e9;
    int64_t bytes = atomic_load_explicit(&progress->num_bytes, memory_order_relaxed);

    seconds = seconds > 0 ? seconds : 1;
    urlpool_manager_stats(progress->manager, &stats, sizeof(stats));
    pf_tally_counts(progress->tally, &done, &failed);
    pf_text_addf(out, "%" PRIu64, done);
    if (progress->num_transfers < SIZE_MAX) {
        pf_text_addf(out, "/%" PRIu64, progress->num_transfers);
    }
    pf_text_addf(out, " done, %" PRIu64 " failed, %.0f/s; ", failed, (double)done / seconds);
    pf_text_addf(out, "%" PRIu64 " connections open, %" PRIu64 " idle, %" PRIu64 " opened;",
                 stats.open, stats.idle, stats.opened);
    add_bytes(out, (double)bytes);
    add_bytes(out, (double)bytes / seconds);
    pf_text_adds(out, "/s\n");
}

/* clip cuts each line to the terminal's width: a line that wraps would be two to erase. */
static void clip(struct pf_text *out, size_t width)
{
    size_t column = 0;
    size_t kept = 0;

    for (size_t i = 0; i < out->len; i++) {
        column = out->data[i] == '\n' ? 0 : column + 1;
        if (column < width) {
            out->data[kept++] = out->data[i];
        }
    }
    pf_text_cut(out, kept);
}

void pf_progress_draw(struct pf_progress *progress, bool is_last)
{
    const int width = pf_say_width();
    const int lines_max = pf_say_height() - 2; /* what has left the screen cannot be erased */
    struct pf_text lasting = {0};
    struct pf_text fleeting = {0};
    int num_lines = 0;

    if (progress == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&progress->mutex);
    lasting = progress->locked.finished;
    progress->locked.finished = (struct pf_text){0};
    for (size_t i = 0; progress->is_by_file && i < progress->num_slots; i++) {
        if (progress->locked.slots[i].is_active && num_lines < lines_max) {
            add_slot(&fleeting, &progress->locked.slots[i], NULL, width);
            num_lines++;
        }
    }
    (void)pthread_mutex_unlock(&progress->mutex);
    if (!progress->is_by_file || progress->num_transfers > 1) {
        add_counts(is_last ? &lasting : &fleeting, progress);
    }
    clip(&lasting, (size_t)width);
    clip(&fleeting, (size_t)width);
    pf_say_draw(&lasting, &fleeting, is_last);
    pf_text_free(&lasting);
    pf_text_free(&fleeting);
}

/* --- what workers note ----------------------------------------------------------------------- */

/* set_name keeps the end of a long name, without bytes that a terminal would obey. */
static void set_name(struct slot *slot, const char *name)
{
    size_t len = strlen(name);

    if (len > NAME_MAX_LEN) {
        name += len - NAME_MAX_LEN;
        len = NAME_MAX_LEN;
    }
    for (size_t i = 0; i < len; i++) {
        slot->name[i] = (char)(name[i] >= ' ' && name[i] < 0x7f ? name[i] : '?');
    }
    slot->name[len] = '\0';
}

void pf_progress_begin(struct pf_progress *progress, size_t index, const char *name, int64_t first,
                       int64_t total)
{
    struct slot *slot;

    if (progress == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&progress->mutex);
    slot = &progress->locked.slots[index];
    slot->is_active = true;
    slot->total = total;
    slot->started_ns = pf_now_ns();
    slot->first_bytes = first;
    atomic_store(&slot->bytes, first);
    set_name(slot, name);
    (void)pthread_mutex_unlock(&progress->mutex);
}

void pf_progress_set(struct pf_progress *progress, size_t index, int64_t bytes)
{
    if (progress != NULL) {
        int64_t before = atomic_exchange_explicit(&progress->locked.slots[index].bytes, bytes,
                                                  memory_order_relaxed);
        (void)atomic_fetch_add_explicit(&progress->num_bytes, bytes - before, memory_order_relaxed);
    }
}

void pf_progress_end(struct pf_progress *progress, size_t index, bool is_whole)
{
    struct slot *slot;

    if (progress == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&progress->mutex);
    slot = &progress->locked.slots[index];
    slot->is_active = false;
    if (progress->is_by_file) {
        add_slot(&progress->locked.finished, slot, is_whole ? "done" : "FAILED", pf_say_width());
    }
    (void)pthread_mutex_unlock(&progress->mutex);
}
