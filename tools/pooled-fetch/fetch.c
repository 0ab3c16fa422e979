/* One transfer: its requests, until one does well or is not to be made again, and what is said
 * about it afterwards. What the answers bring is in fetch_answer.c. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fetching.h"
#include "interrupt.h"
#include "monotonic.h"
#include "say.h"
#include "text.h"
#include "tries.h"
#include "writeout.h"

static struct urlpool_request_options make_options(struct pf_fetching *fetching)
{
    const struct pf_settings *settings = fetching->settings;
    struct urlpool_request_options options = {
        .headers = fetching->conditions.headers != NULL ? fetching->conditions.headers
                                                        : fetching->run->request.headers,
        .skip = fetching->run->request.skip,
        .body = fetching->upload.body,
        .return_redirects = !settings->follow,
        .allow_downgrade = true, /* as curl */
        .redirect_schemes = settings->redirect_schemes,
        .keep_post = (settings->post301 ? URLPOOL_KEEP_POST_301 : 0U) |
                     (settings->post302 ? URLPOOL_KEEP_POST_302 : 0U) |
                     (settings->post303 ? URLPOOL_KEEP_POST_303 : 0U),
        .stream = true,
        .keep_encoded = !settings->compressed || settings->raw,
        .cancel = fetching->run->cancel,
    };

    if (fetching->run->is_traced) {
        options.trace.event = pf_watch_event;
        options.trace.user = &fetching->transfer.watch;
    }
    return options;
}

/* may_be_asked says whether settings allow the URL at all. */
static bool may_be_asked(struct pf_fetching *fetching)
{
    const struct pf_settings *settings = fetching->settings;
    const struct pf_entry *entry = fetching->transfer.entry;
    unsigned scheme = strncasecmp(entry->url, "https:", 6) == 0  ? URLPOOL_SCHEME_HTTPS
                      : strncasecmp(entry->url, "http:", 5) == 0 ? URLPOOL_SCHEME_HTTP
                                                                 : settings->schemes;

    if ((scheme & settings->schemes) == 0) {
        pf_transfer_fail(&fetching->transfer, PF_EXIT_SCHEME, "--proto does not allow its scheme");
    } else if (settings->no_userinfo && strcmp(entry->url, entry->shown) != 0) {
        pf_transfer_fail(&fetching->transfer, PF_EXIT_LOGIN, "there is a user in the URL");
    }
    return fetching->transfer.exit_code == PF_EXIT_OK;
}

static void make_request(struct pf_fetching *fetching)
{
    struct pf_transfer *transfer = &fetching->transfer;
    const struct pf_entry *entry = transfer->entry;
    struct urlpool_error err = {0};
    struct urlpool_request_options options;
    struct urlpool_response *response;

    if (!may_be_asked(fetching)) {
        return;
    }
    if (pf_conditions_next(&fetching->conditions, fetching->settings, &fetching->run->request,
                           &fetching->output, &err) != URLPOOL_OK) {
        pf_transfer_fail_by_error(transfer, &err);
        return;
    }
    if (pf_upload_open(&fetching->upload, fetching->settings, &fetching->run->request, entry,
                       transfer->watch.started_ns) != 0) {
        pf_transfer_fail(transfer, PF_EXIT_READ, "cannot read \"%s\": %s", entry->upload,
                         pf_errno_text(errno));
        return;
    }
    options = make_options(fetching);
    response = urlpool_request(
        fetching->run->manager, fetching->method,
        fetching->run->request.has_own_authorization ? entry->shown : entry->url, &options, &err);
    pf_upload_close(&fetching->upload);
    if (response != NULL) {
        pf_answer_take(fetching, response);
        transfer->timings = urlpool_response_timings(response);
        urlpool_response_free(response);
        return;
    }
    pf_transfer_fail_by_error(transfer, &err);
    transfer->status = err.http_status;
    transfer->num_redirects = transfer->watch.num_redirects;
    transfer->url = transfer->watch.url != NULL ? pf_strdup(transfer->watch.url) : NULL;
    transfer->conn_reused = transfer->watch.conn_reused;
    pf_answer_write_heads(fetching, NULL);
}

/* --- once more -------------------------------------------------------------------------------- */

static void say_retry(const struct pf_fetching *fetching, int64_t pause_ms, int64_t num_left)
{
    const struct pf_transfer *transfer = &fetching->transfer;
    char status[32];

    if (fetching->settings->silent) {
        return;
    }
    (void)snprintf(status, sizeof(status), "the answer is %d", transfer->status);
    pf_say("%s: %s; trying again in %.3g s, then %lld times more", transfer->entry->shown,
           transfer->exit_code != PF_EXIT_OK ? transfer->message : status, (double)pause_ms / 1000,
           (long long)num_left);
}

/* make_tries makes the request until it does well, or is not to be tried again. */
static void make_tries(struct pf_fetching *fetching)
{
    struct pf_transfer *transfer = &fetching->transfer;
    struct pf_tries tries;

    pf_tries_init(&tries, fetching->settings, transfer->started_ns);
    for (;;) {
        int64_t pause_ms;

        make_request(fetching);
        pause_ms = pf_tries_next(&tries, fetching->settings, transfer, pf_now_ns());
        if (pause_ms < 0) {
            return;
        }
        say_retry(fetching, pause_ms, tries.num_left);
        pf_interrupt_wait(pause_ms);
        pf_output_restart(&fetching->output, fetching->settings->continues_by_file &&
                                                 fetching->conditions.validator != NULL);
        pf_transfer_restart(transfer);
    }
}

/* --- what is said about it ------------------------------------------------------------------- */

static void say_failure(const struct pf_fetching *fetching)
{
    const struct pf_transfer *transfer = &fetching->transfer;
    const struct pf_settings *settings = fetching->settings;

    if (transfer->exit_code == PF_EXIT_OK || (settings->silent && !settings->show_error)) {
        return;
    }
    if (transfer->exit_code == PF_EXIT_INTERRUPTED && pf_interrupt_signal() == 0) {
        return; /* --fail-early has ended it; the one that failed has been named */
    }
    pf_say("(%d) %s: %s", transfer->exit_code, transfer->entry->shown, transfer->message);
}

/* write_remarks writes what -w and --jsonl ask for. */
static void write_remarks(struct pf_fetching *fetching)
{
    const struct pf_settings *settings = fetching->settings;
    struct pf_text text = {0};
    struct pf_text aside = {0};

    if (settings->write_out != NULL) {
        pf_writeout_add(&text, &aside, settings->write_out, &fetching->transfer);
        (void)pf_ticket_write(fetching->ticket, text.data, text.len);
        if (aside.len > 0) {
            pf_say_text(&aside);
        }
        pf_text_free(&aside);
        pf_text_cut(&text, 0);
    }
    if (settings->jsonl) {
        pf_jsonl_add(&text, &fetching->transfer);
        if (fetching->run->stdout_has_bodies) {
            pf_say_text(&text);
        } else {
            (void)pf_ticket_write(fetching->ticket, text.data, text.len);
        }
    }
    pf_text_free(&text);
}

/* forget_etag empties the file of --etag-save when what came is no whole body of that version: by
 * --etag-compare a server would say of it for ever that nothing has changed. -C goes on by it. */
static void forget_etag(const struct pf_fetching *fetching)
{
    const struct pf_settings *settings = fetching->settings;
    const enum pf_exit code = fetching->transfer.exit_code;

    if (fetching->has_saved_etag && code != PF_EXIT_OK && code != PF_EXIT_STATUS &&
        (settings->etag_compare != NULL || !settings->continues_by_file)) {
        (void)pf_etag_write(settings->etag_save, NULL);
    }
}

/* end_behind lets the run end with a transfer that failed, if it is to, and nothing be written
 * behind a body that was broken off. */
static void end_behind(struct pf_run *run, const struct pf_transfer *transfer)
{
    const bool is_last = run->settings->fail_early;
    const bool is_broken_off = transfer->exit_code == PF_EXIT_INTERRUPTED && run->stdout_has_bodies;

    if (is_last) {
        atomic_store(&run->is_over, true);
    }
    if (run->ordered != NULL && (is_last || is_broken_off)) {
        pf_ordered_end_with(run->ordered, transfer->index);
    }
    if (is_last) {
        pf_interrupt_now();
    }
}

void pf_fetch(struct pf_run *run, const struct pf_turn *turn)
{
    const struct pf_settings *settings = run->settings;
    struct pf_fetching fetching = {.run = run,
                                   .settings = settings,
                                   .ticket = turn->ticket,
                                   .heads = turn->heads,
                                   .slot = turn->slot,
                                   .buf = turn->buf};
    struct pf_transfer *transfer = &fetching.transfer;

    if (settings->dump_header != NULL && fetching.heads == NULL) {
        fetching.heads = fetching.ticket;
    }
    pf_transfer_init(transfer, turn->index,
                     &settings->entries[turn->index % settings->num_entries]);
    if (turn->due_ns > 0) {
        transfer->started_ns = turn->due_ns;
    }
    transfer->referer = settings->referer;
    fetching.method = pf_request_method(&run->request, transfer->entry);
    transfer->watch.is_verbose = settings->verbose;
    transfer->watch.has_time = settings->trace_time;
    transfer->watch.no_connect_heads = settings->no_connect_heads;
    transfer->watch.keeps_heads =
        settings->include || settings->head_only || settings->dump_header != NULL;
    pf_output_begin(&fetching.output, settings, transfer->entry, fetching.ticket);
    make_tries(&fetching);
    if (pf_output_end(&fetching.output, transfer->exit_code == PF_EXIT_OK,
                      transfer->status != URLPOOL_HTTP_NOT_MODIFIED) != 0) {
        pf_transfer_fail_by_writing(transfer, fetching.output.path);
    }
    forget_etag(&fetching);
    transfer->file = fetching.output.path != NULL ? pf_strdup(fetching.output.path) : NULL;
    pf_output_deinit(&fetching.output);
    pf_conditions_deinit(&fetching.conditions);
    transfer->ended_ns = pf_now_ns();
    pf_tally_add(&run->tally, transfer);
    pf_record_add(run->record, transfer);
    if (transfer->exit_code != PF_EXIT_OK) {
        end_behind(run, transfer);
    }
    say_failure(&fetching);
    write_remarks(&fetching);
    pf_transfer_free(transfer);
}
