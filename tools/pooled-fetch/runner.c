/* The run: one manager, its output and its report. Who works in it is in crew.c. */

#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "interrupt.h"
#include "monotonic.h"
#include "network_option.h"
#include "pace.h"
#include "proxy_option.h"
#include "report.h"
#include "report_html.h"
#include "say.h"
#include "text.h"
#include "tls_option.h"
#include "trace_file.h"

enum {
    AHEAD_PER_THREAD = 8,
    AHEAD_MIN = 64,
    /* curl waits this long for a connection when not told otherwise, and for ever for an answer */
    CONNECT_MS_DEFAULT = 300000
};

/* --- the manager ----------------------------------------------------------------------------- */

/* given turns "-1: not given, 0: none" into the library's "0: default, URLPOOL_NONE: none". */
static int64_t given(int64_t value)
{
    if (value < 0) {
        return 0;
    }
    return value == 0 ? URLPOOL_NONE : value;
}

/* gap_ms is how long nothing may come: --read-timeout, or as long as it may be too slow. */
static int64_t gap_ms(const struct pf_settings *settings)
{
    int64_t slow_ms = settings->speed_limit > 0 ? settings->speed_time_s * PF_MS_PER_SECOND : 0;
    int64_t gap = settings->read_timeout_ms;

    if (gap == 0 || (slow_ms > 0 && slow_ms < gap)) {
        gap = slow_ms;
    }
    return gap > 0 ? gap : URLPOOL_NO_TIMEOUT;
}

static struct urlpool_manager *make_manager(const struct pf_settings *settings,
                                            struct urlpool_error *err)
{
    struct urlpool_manager_options options = {
        .num_pools = (int32_t)given(settings->num_pools),
        .maxsize = (int32_t)given(settings->pool_maxsize),
        .block = settings->pool_block,
        .idle_ms = settings->max_idle_ms,
        .lifetime_ms = settings->max_lifetime_ms,
        .user_agent =
            "", /* ours is a field among the others, so that -H can have its way with it */
  /* When a transfer is tried again is the program's to say: curl's rules are not urllib3's,
  * and hold for a body that breaks off too. */
        .retries = {.connect = URLPOOL_NONE,
                    .read = URLPOOL_NONE,
                    .status = URLPOOL_NONE,
                    .other = URLPOOL_NONE,
                    .remove_headers_on_redirect = settings->location_trusted ? "" : NULL},
        .redirects_max =
            settings->max_redirs < 0 ? INT32_MAX : (int32_t)given(settings->max_redirs),
        .timeout = {.connect_ms = settings->connect_timeout_ms > 0 ? settings->connect_timeout_ms
                                                                   : CONNECT_MS_DEFAULT,
                    .read_ms = gap_ms(settings),
                    .write_ms = gap_ms(settings),
                    .total_ms = settings->max_time_ms,
                    .pool_ms = given(settings->pool_timeout_ms)                         },
    };
    struct urlpool_manager *manager;

    if (pf_tls_is_asked_for(settings)) {
        options.tls = pf_tls_make(settings, err);
        if (options.tls == NULL) {
            return NULL;
        }
    }
    pf_network_init(&options.network, settings);
    manager = pf_manager_via_proxies(settings, &options, err);
    pf_network_deinit(&options.network);
    urlpool_tls_unref(options.tls);
    return manager;
}

/* --- the whole ------------------------------------------------------------------------------- */

static struct pf_ordered *new_ordered(const struct pf_settings *settings, int fd)
{
    size_t num_ahead = (size_t)settings->concurrency * AHEAD_PER_THREAD;

    return pf_ordered_new(fd, num_ahead > AHEAD_MIN ? num_ahead : AHEAD_MIN);
}

/* set_up_heads makes the file of -D. */
static enum pf_exit set_up_heads(struct pf_run *run)
{
    const char *path = run->settings->dump_header;

    if (path == NULL || strcmp(path, "-") == 0) {
        return PF_EXIT_OK;
    }
    run->heads_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, PF_NEW_FILE_MODE);
    if (run->heads_fd < 0) {
        pf_say("(%d) cannot write \"%s\": %s", PF_EXIT_WRITE, path, pf_errno_text(errno));
        return PF_EXIT_WRITE;
    }
    run->heads = new_ordered(run->settings, run->heads_fd);
    return PF_EXIT_OK;
}

static enum pf_exit set_up_output(struct pf_run *run)
{
    const struct pf_settings *settings = run->settings;

    run->stdout_has_bodies =
        pf_settings_to_stdout(settings) ||
        (settings->dump_header != NULL && strcmp(settings->dump_header, "-") == 0);
    run->is_traced = settings->verbose || settings->include || settings->head_only ||
                     settings->jsonl || settings->write_out != NULL ||
                     settings->dump_header != NULL || settings->html_file != NULL ||
                     pf_trace_is_open();
    if (run->stdout_has_bodies || settings->jsonl || settings->write_out != NULL) {
        run->ordered = new_ordered(settings, STDOUT_FILENO);
    }
    return set_up_heads(run);
}

static void tear_down_output(struct pf_run *run)
{
    pf_ordered_free(run->ordered);
    pf_ordered_free(run->heads);
    if (run->heads != NULL) {
        (void)close(run->heads_fd);
    }
}

static void report(struct pf_run *run)
{
    struct urlpool_stats stats = {0};
    struct pf_text text = {0};

    urlpool_manager_stats(run->manager, &stats, sizeof(stats));
    pf_report_add(&text, run->settings->report, &run->tally.locked, &stats);
    if (text.len > 0) {
        FILE *out = run->stdout_has_bodies ? stderr : stdout;
        (void)fwrite(text.data, 1, text.len, out);
        (void)fflush(out);
    }
    pf_text_free(&text);
}

/* set_up_page opens the page's file and begins to collect what it shows. */
static enum pf_exit set_up_page(struct pf_run *run)
{
    enum pf_exit code;

    if (run->settings->html_file == NULL) {
        return PF_EXIT_OK;
    }
    code = pf_page_open(run->settings->html_file,
                        run->stdout_has_bodies ? STDERR_FILENO : STDOUT_FILENO, &run->page_fd);
    if (code == PF_EXIT_OK) {
        run->record = pf_record_new(run->manager);
    }
    return code;
}

static enum pf_exit write_page(struct pf_run *run)
{
    struct urlpool_stats stats = {0};

    if (run->record == NULL) {
        return PF_EXIT_OK;
    }
    urlpool_manager_stats(run->manager, &stats, sizeof(stats));
    return pf_page_write(&(struct pf_page){.settings = run->settings,
                                           .sums = &run->tally.locked,
                                           .pool = &stats,
                                           .findings = pf_record_end(run->record),
                                           .ended_at = time(NULL),
                                           .is_interrupted = pf_interrupt_signal() != 0},
                         run->page_fd);
}

static int exit_code_of(struct pf_run *run)
{
    const struct pf_sums *sums = &run->tally.locked;

    if (pf_interrupt_signal() != 0) {
        return 128 + pf_interrupt_signal();
    }
    if (sums->num_failed > 0) {
        return sums->first_exit;
    }
    if ((run->ordered != NULL && pf_ordered_has_failed(run->ordered)) || ferror(stdout)) {
        return PF_EXIT_WRITE;
    }
    return PF_EXIT_OK;
}

static int run_with_manager(struct pf_run *run)
{
    int code = set_up_output(run);
    int page_code;

    if (code == PF_EXIT_OK) {
        code = set_up_page(run);
    }
    if (code != PF_EXIT_OK) {
        tear_down_output(run);
        return code;
    }
    run->started_ns = pf_now_ns();
    if (run->settings->duration_ms > 0) {
        run->ends_ns = run->started_ns + run->settings->duration_ms * PF_NS_PER_MS;
    }
    pf_tally_init(&run->tally);
    run->progress =
        pf_progress_new(run->settings, &run->tally, run->manager, pf_num_transfers(run->settings));
    pf_interrupt_watch(run->cancel);
    pf_crew_run(run);
    pf_tally_end(&run->tally);
    pf_progress_draw(run->progress, true);
    pf_interrupt_end();
    report(run);
    page_code = write_page(run);
    code = exit_code_of(run);
    code = code != PF_EXIT_OK ? code : page_code;
    pf_record_free(run->record);
    pf_progress_free(run->progress);
    tear_down_output(run);
    pf_tally_deinit(&run->tally);
    return code;
}

int pf_run_all(const struct pf_settings *settings)
{
    struct pf_run run = {.settings = settings};
    struct urlpool_error err = {0};
    int code = pf_request_init(&run.request, settings);

    if (code != PF_EXIT_OK) {
        return code;
    }
    run.manager = make_manager(settings, &err);
    if (run.manager != NULL) {
        run.cancel = urlpool_cancel_new(&err);
    }
    if (run.cancel != NULL) {
        code = run_with_manager(&run);
    } else {
        code = pf_exit_of(&err);
        pf_say("(%d) %s", code, err.message);
    }
    urlpool_manager_free(run.manager);
    urlpool_cancel_free(run.cancel);
    pf_request_deinit(&run.request);
    return code;
}
