/* A run over time, in memory that does not grow with it: 256 stretches of a millisecond at first.
 * When the run outgrows them, each two become one, so that there are always between 128 and 256 of
 * one length, however long it takes. Transfers are counted where they end; how the pool stands is
 * sampled, and a stretch keeps the sum of its samples. Bytes are told by the pool since its start:
 * what has come on since the sample before is spread over the time since then. */

#include "timeline.h"

#include <string.h>

void pf_timeline_init(struct pf_timeline *timeline, int64_t started_ns)
{
    *timeline = (struct pf_timeline){
        .started_ns = started_ns, .width_ns = PF_TIMELINE_FIRST_NS, .sampled_ns = started_ns};
}

static void join(struct pf_moment *moment, const struct pf_moment *other)
{
    moment->num_ok += other->num_ok;
    moment->num_failed += other->num_failed;
    moment->num_received += other->num_received;
    moment->num_sent += other->num_sent;
    moment->num_samples += other->num_samples;
    moment->num_busy += other->num_busy;
    moment->num_idle += other->num_idle;
    moment->num_dialling += other->num_dialling;
    moment->num_waiting += other->num_waiting;
}

static void coarsen(struct pf_timeline *timeline)
{
    const size_t half = PF_TIMELINE_MOMENTS / 2;

    for (size_t i = 0; i < half; i++) {
        struct pf_moment both = timeline->moments[2 * i];

        join(&both, &timeline->moments[2 * i + 1]);
        timeline->moments[i] = both;
    }
    memset(&timeline->moments[half], 0, half * sizeof(timeline->moments[0]));
    timeline->width_ns *= 2;
}

static struct pf_moment *moment_at(struct pf_timeline *timeline, int64_t at_ns)
{
    int64_t ns = at_ns > timeline->started_ns ? at_ns - timeline->started_ns : 0;

    while (ns / timeline->width_ns >= PF_TIMELINE_MOMENTS) {
        coarsen(timeline);
    }
    return &timeline->moments[ns / timeline->width_ns];
}

void pf_timeline_add(struct pf_timeline *timeline, int64_t at_ns, bool is_ok)
{
    struct pf_moment *moment = moment_at(timeline, at_ns);

    if (is_ok) {
        moment->num_ok++;
    } else {
        moment->num_failed++;
    }
}

/* spread shares bytes out over the stretches from the last sample to `at_ns`, by the time each has
 * of it; what division leaves over is the last one's. */
static void spread(struct pf_timeline *timeline, int64_t at_ns, uint64_t received, uint64_t sent)
{
    struct pf_moment *end = moment_at(timeline, at_ns);
    int64_t from_ns = timeline->sampled_ns;
    double whole = (double)(at_ns - from_ns);
    uint64_t received_left = received;
    uint64_t sent_left = sent;

    for (struct pf_moment *moment = moment_at(timeline, from_ns); moment < end; moment++) {
        int64_t to_ns =
            timeline->started_ns + (moment - timeline->moments + 1) * timeline->width_ns;
        double part = (double)(to_ns - from_ns) / whole;

        moment->num_received += (uint64_t)((double)received * part);
        moment->num_sent += (uint64_t)((double)sent * part);
        received_left -= (uint64_t)((double)received * part);
        sent_left -= (uint64_t)((double)sent * part);
        from_ns = to_ns;
    }
    end->num_received += received_left;
    end->num_sent += sent_left;
}

void pf_timeline_sample(struct pf_timeline *timeline, int64_t at_ns, const struct pf_sample *sample)
{
    struct pf_moment *moment = moment_at(timeline, at_ns);

    moment->num_samples++;
    moment->num_busy += sample->num_busy;
    moment->num_idle += sample->num_idle;
    moment->num_dialling += sample->num_dialling;
    moment->num_waiting += sample->num_waiting;
    spread(timeline, at_ns, sample->num_received - timeline->last.num_received,
           sample->num_sent - timeline->last.num_sent);
    timeline->last = *sample;
    timeline->sampled_ns = at_ns;
}

/* --- to look at ------------------------------------------------------------------------------ */

/* carry_samples gives moments without a sample the one before: nothing has been seen to change. */
static void carry_samples(struct pf_view *view)
{
    for (size_t i = 1; i < view->count; i++) {
        const struct pf_moment *before = &view->moments[i - 1];
        struct pf_moment *moment = &view->moments[i];

        if (moment->num_samples > 0) {
            continue;
        }
        moment->num_samples = before->num_samples;
        moment->num_busy = before->num_busy;
        moment->num_idle = before->num_idle;
        moment->num_dialling = before->num_dialling;
        moment->num_waiting = before->num_waiting;
    }
}

void pf_timeline_view(const struct pf_timeline *timeline, int64_t ended_ns, size_t num_max,
                      struct pf_view *out)
{
    int64_t ns = ended_ns > timeline->started_ns ? ended_ns - timeline->started_ns : 1;
    int64_t num_used = (ns - 1) / timeline->width_ns + 1;
    size_t used = num_used < PF_TIMELINE_MOMENTS ? (size_t)num_used : PF_TIMELINE_MOMENTS;
    size_t step = (used + num_max - 1) / num_max;
    size_t count = (used + step - 1) / step;
    int64_t width_ns = timeline->width_ns * (int64_t)step;

    /* A short one at the end would be a peak, or a gap, that says nothing. */
    if (count > 1 && ns - (int64_t)(count - 1) * width_ns < width_ns / 2) {
        count--;
    }
    *out = (struct pf_view){.width_ns = width_ns, .count = count};
    for (size_t i = 0; i < PF_TIMELINE_MOMENTS; i++) {
        size_t into = i / step < out->count ? i / step : out->count - 1;
        join(&out->moments[into], &timeline->moments[i]);
    }
    out->last_ns = ns - (int64_t)(out->count - 1) * out->width_ns;
    carry_samples(out);
}
