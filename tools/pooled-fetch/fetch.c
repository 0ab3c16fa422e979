/* One transfer: request, head, body piece by piece, and what is said about it afterwards. The body
 * is streamed, so that memory does not grow with it. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conditions.h"
#include "date.h"
#include "interrupt.h"
#include "monotonic.h"
#include "output.h"
#include "pace.h"
#include "remote_name.h"
#include "runner.h"
#include "say.h"
#include "text.h"
#include "trace_file.h"
#include "tries.h"
#include "writeout.h"

/* What one transfer needs while it runs. */
struct fetching {
    struct pf_run *run;
    const struct pf_settings *settings;
    struct pf_transfer transfer;
    struct pf_output output;
    struct pf_ticket *ticket; /* NULL: nothing goes to standard output */
    struct pf_ticket *heads;  /* where -D wants the heads; NULL: nowhere */
    const char *method;
    struct urlpool_body body;
    struct pf_conditions conditions;
    struct pf_pace pace;
    size_t slot;
    void *buf;
};

enum {
    FAILING_STATUS = 400
};

static void fail_by_error(struct pf_transfer *transfer, const struct urlpool_error *err)
{
    transfer->err = *err;
    pf_transfer_fail(transfer, pf_exit_of(err), "%s", err->message);
}

/* fail_by_writing says why `file` cannot be written; NULL is standard output. */
static void fail_by_writing(struct pf_transfer *transfer, const char *file)
{
    pf_transfer_fail(transfer, PF_EXIT_WRITE, "cannot write %s%s%s: %s", file != NULL ? "\"" : "",
                     file != NULL ? file : "standard output", file != NULL ? "\"" : "",
                     pf_errno_text(errno));
}

static struct urlpool_request_options make_options(struct fetching *fetching)
{
    const struct pf_settings *settings = fetching->settings;
    struct urlpool_request_options options = {
        .headers = fetching->conditions.headers != NULL ? fetching->conditions.headers
                                                        : fetching->run->request.headers,
        .skip = fetching->run->request.skip,
        .body = fetching->body,
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

/* add_final_head writes a response's head as it came. The trace has masked it; the fields have not
 * been. */
static void add_final_head(struct pf_text *out, const struct urlpool_response *response)
{
    size_t count = urlpool_headers_count(response->headers);

    pf_text_addf(out, "HTTP/%d.%d %03d %s\r\n", response->version / 10, response->version % 10,
                 response->status, response->reason);
    for (size_t i = 0; i < count; i++) {
        const struct urlpool_field field = urlpool_headers_at(response->headers, i);
        pf_text_addf(out, "%s: %s\r\n", field.name, field.value);
    }
    pf_text_adds(out, "\r\n");
}

/* write_heads writes all heads of the transfer; `response` is NULL when there is no last one. */
static void write_heads(struct fetching *fetching, const struct urlpool_response *response)
{
    const struct pf_settings *settings = fetching->settings;
    struct pf_transfer *transfer = &fetching->transfer;
    struct pf_watch *watch = &transfer->watch;

    if (!watch->keeps_heads) {
        return;
    }
    if (response != NULL) {
        pf_text_cut(&watch->heads, watch->last_head);
        add_final_head(&watch->heads, response);
    }
    if (watch->heads.len == 0) {
        return;
    }
    if (fetching->heads != NULL &&
        pf_ticket_write(fetching->heads, watch->heads.data, watch->heads.len) != 0) {
        fail_by_writing(transfer, fetching->run->heads != NULL ? settings->dump_header : NULL);
        return;
    }
    if ((settings->include || settings->head_only) &&
        pf_output_write(&fetching->output, watch->heads.data, watch->heads.len) != 0) {
        fail_by_writing(transfer, fetching->output.path);
    }
}

/* length_of is the announced length of a body that will be delivered as it is, or -1. */
static int64_t length_of(const struct fetching *fetching, const struct urlpool_response *response)
{
    const char *length = urlpool_response_header(response, "Content-Length");
    bool has_body = response->status != URLPOOL_HTTP_NO_CONTENT &&
                    response->status != URLPOOL_HTTP_NOT_MODIFIED &&
                    strcmp(fetching->method, "HEAD") != 0;
    bool is_changed = urlpool_response_header(response, "Transfer-Encoding") != NULL ||
                      (fetching->settings->compressed && !fetching->settings->raw &&
                       urlpool_response_header(response, "Content-Encoding") != NULL);

    int64_t bytes = -1;

    if (length != NULL && has_body && !is_changed) {
        (void)pf_digits(length, &bytes); /* the library has seen to it that it is a number */
    }
    return bytes;
}

static bool is_too_large(const struct fetching *fetching, int64_t bytes)
{
    return fetching->settings->max_filesize > 0 && bytes > fetching->settings->max_filesize;
}

/* pause_within_max_time waits. Returns false when --max-time ends first: the library sees only how
 * long it waits itself, and what has come already it gives whenever it is asked. */
static bool pause_within_max_time(struct fetching *fetching, int64_t pause_ms, int64_t now_ns)
{
    const int64_t max_ms = fetching->settings->max_time_ms;
    const int64_t started_ns = fetching->transfer.watch.started_ns;
    const int64_t left_ms = max_ms - (now_ns - started_ns) / PF_NS_PER_MS;

    if (max_ms > 0 && left_ms < pause_ms) {
        pause_ms = left_ms > 0 ? left_ms : 0;
    }
    pf_interrupt_wait(pause_ms);
    if (max_ms == 0 || pf_now_ns() - started_ns < max_ms * PF_NS_PER_MS) {
        return true;
    }
    pf_transfer_fail(&fetching->transfer, PF_EXIT_TIMEOUT, "it took longer than --max-time");
    return false;
}

/* keep_pace waits where the body comes faster than it may. Returns false when it comes too slowly.
 */
static bool keep_pace(struct fetching *fetching)
{
    const struct pf_settings *settings = fetching->settings;
    struct pf_transfer *transfer = &fetching->transfer;
    int64_t now_ns;
    int64_t pause_ms;

    if (settings->limit_rate == 0 && settings->speed_limit == 0) {
        return true;
    }
    now_ns = pf_now_ns();
    pause_ms = pf_pace_pause_ms(&fetching->pace, settings, transfer->num_bytes, now_ns);
    if (pause_ms > 0 && !pause_within_max_time(fetching, pause_ms, now_ns)) {
        return false;
    }
    if (pf_pace_is_too_slow(&fetching->pace, settings, transfer->num_bytes, now_ns)) {
        pf_transfer_fail(transfer, PF_EXIT_TIMEOUT,
                         "for %lld s it came at less than %lld bytes a second",
                         (long long)settings->speed_time_s, (long long)settings->speed_limit);
        return false;
    }
    return true;
}

/* take_piece writes `len` bytes of the body that have come. Returns false when it is over. */
static bool take_piece(struct fetching *fetching, size_t len)
{
    struct pf_transfer *transfer = &fetching->transfer;

    transfer->num_bytes += (int64_t)len;
    pf_trace_body(fetching->buf, len);
    if (is_too_large(fetching, transfer->num_bytes)) {
        pf_transfer_fail(transfer, PF_EXIT_TOO_LARGE, "the body is longer than --max-filesize");
        return false;
    }
    if (pf_output_write(&fetching->output, fetching->buf, len) != 0) {
        fail_by_writing(transfer, fetching->output.path);
        return false;
    }
    pf_progress_set(fetching->run->progress, fetching->slot,
                    fetching->output.offset + transfer->num_bytes);
    return keep_pace(fetching);
}

static void read_body(struct fetching *fetching, struct urlpool_response *response)
{
    const size_t step = pf_pace_step(fetching->settings, PF_BUF_SIZE);
    struct pf_transfer *transfer = &fetching->transfer;
    struct urlpool_error err = {0};
    size_t len = 0;

    pf_pace_init(&fetching->pace, pf_now_ns());
    do {
        if (urlpool_response_read(response, fetching->buf, step, &len, &err) != URLPOOL_OK) {
            fail_by_error(transfer, &err);
            return;
        }
    } while (len > 0 && take_piece(fetching, len));
}

static void note_peer(struct pf_transfer *transfer, const struct urlpool_response *response)
{
    const struct urlpool_peer peer = urlpool_response_peer(response);

    transfer->conn_requests = peer.connection_requests;
    if (peer.tls_version != NULL) {
        (void)snprintf(transfer->tls_version, sizeof(transfer->tls_version), "%s",
                       peer.tls_version);
        (void)snprintf(transfer->tls_cipher, sizeof(transfer->tls_cipher), "%s", peer.tls_cipher);
        transfer->tls_verified = peer.tls_verified;
    }
}

static void note_response(struct pf_transfer *transfer, const struct urlpool_response *response)
{
    const char *content_type = urlpool_response_header(response, "Content-Type");

    transfer->status = response->status;
    transfer->version = response->version;
    transfer->conn_reused = response->connection_reused;
    transfer->num_redirects = response->num_redirects;
    transfer->num_retries += response->num_retries;
    transfer->retry_after_ms = pf_retry_after_ms(urlpool_response_header(response, "Retry-After"));
    transfer->url = pf_strdup(response->url);
    transfer->content_type = content_type != NULL ? pf_strdup(content_type) : NULL;
    note_peer(transfer, response);
}

/* note_facts keeps what -w, -J, -R and --etag-save want of a head. */
static void note_facts(struct fetching *fetching, const struct urlpool_response *response)
{
    const struct pf_settings *settings = fetching->settings;
    struct pf_transfer *transfer = &fetching->transfer;
    const char *date = urlpool_response_header(response, "Last-Modified");
    const char *location = urlpool_response_redirect_location(response);
    char *name = NULL;

    if (settings->write_out != NULL) {
        transfer->headers = urlpool_headers_copy(response->headers, NULL);
    }
    if (settings->remote_time && date != NULL) {
        fetching->output.date = pf_date_of_field(date);
    }
    if (settings->remote_header_name && transfer->entry->is_remote && fetching->output.fd < 0) {
        name = pf_name_of_disposition(urlpool_response_header(response, "Content-Disposition"));
    }
    if (name != NULL) {
        pf_output_rename(&fetching->output, name);
        free(name);
    }
    if (location != NULL) {
        struct urlpool_url *base = urlpool_url_parse(response->url, NULL);
        struct urlpool_url *url = base != NULL ? urlpool_url_join(base, location, NULL) : NULL;

        char *text = url != NULL ? urlpool_url_format(url, NULL) : NULL;

        transfer->redirect_url = text != NULL ? pf_strdup(text) : NULL;
        urlpool_string_free(text);
        urlpool_url_free(url);
        urlpool_url_free(base);
    }
    /* What is refused leaves the file as it is; so does its ETag. */
    if (settings->etag_save != NULL &&
        pf_conditions_judge(&fetching->conditions, &fetching->output, response) != PF_PART_WRONG &&
        pf_etag_write(settings->etag_save, response) != 0) {
        fail_by_writing(transfer, settings->etag_save);
    }
}

/* is_stuck says whether a redirect was to be followed and was not: the library returns it when the
 * body cannot be sent again. */
static bool is_stuck(const struct fetching *fetching, const struct urlpool_response *response)
{
    const char *location = urlpool_response_header(response, "Location");

    switch (response->status) {
    case URLPOOL_HTTP_MOVED_PERMANENTLY:
    case URLPOOL_HTTP_FOUND:
    case URLPOOL_HTTP_TEMPORARY_REDIRECT:
    case URLPOOL_HTTP_PERMANENT_REDIRECT:
        return fetching->settings->follow && location != NULL && location[0] != '\0';
    default:
        return false;
    }
}

static void fail_by_status(struct pf_transfer *transfer, const struct urlpool_response *response)
{
    pf_transfer_fail(transfer, PF_EXIT_STATUS, "the answer is %d %s", response->status,
                     response->reason);
}

/* wants_body says whether the body is to be read; what is in its way is an error of the transfer,
 * or a condition that was not met. */
static bool wants_body(struct fetching *fetching, const struct urlpool_response *response)
{
    const struct pf_settings *settings = fetching->settings;
    struct pf_transfer *transfer = &fetching->transfer;
    enum pf_part part = pf_conditions_judge(&fetching->conditions, &fetching->output, response);

    if (settings->fail && response->status >= FAILING_STATUS) {
        fail_by_status(transfer, response);
    } else if (is_too_large(fetching, length_of(fetching, response))) {
        pf_transfer_fail(transfer, PF_EXIT_TOO_LARGE, "the body is longer than --max-filesize");
    } else if (is_stuck(fetching, response)) {
        pf_transfer_fail(transfer, PF_EXIT_REWIND,
                         "the body cannot be sent again to where a redirect leads");
    } else if (part == PF_PART_WRONG) {
        pf_transfer_fail(transfer, PF_EXIT_RANGE,
                         "the server does not send what is behind byte %lld",
                         (long long)fetching->output.offset);
    } else if (pf_is_too_old(settings, response)) {
        transfer->status = URLPOOL_HTTP_NOT_MODIFIED; /* what it should have been, as curl */
        return false;
    }
    if (part == PF_PART_ANEW) {
        pf_output_begin_anew(&fetching->output);
    }
    return transfer->exit_code == PF_EXIT_OK && part != PF_PART_NONE;
}

static void take_response(struct fetching *fetching, struct urlpool_response *response)
{
    struct pf_transfer *transfer = &fetching->transfer;
    int64_t length;

    note_response(transfer, response);
    note_facts(fetching, response);
    write_heads(fetching, response);
    if (transfer->exit_code != PF_EXIT_OK || !wants_body(fetching, response)) {
        return;
    }
    pf_conditions_note(&fetching->conditions, response);
    length = length_of(fetching, response);
    pf_progress_begin(fetching->run->progress, fetching->slot,
                      fetching->output.path != NULL ? fetching->output.path
                                                    : transfer->entry->shown,
                      fetching->output.offset, length >= 0 ? length + fetching->output.offset : -1);
    read_body(fetching, response);
    pf_progress_end(fetching->run->progress, fetching->slot, transfer->exit_code == PF_EXIT_OK);
    if (fetching->settings->fail_with_body && response->status >= FAILING_STATUS) {
        fail_by_status(transfer, response);
    }
}

/* may_be_asked says whether settings allow the URL at all. */
static bool may_be_asked(struct fetching *fetching)
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

static void make_request(struct fetching *fetching)
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
        fail_by_error(transfer, &err);
        return;
    }
    if (pf_request_open_body(&fetching->run->request, entry, &fetching->body) != 0) {
        pf_transfer_fail(transfer, PF_EXIT_READ, "cannot read \"%s\": %s", entry->upload,
                         pf_errno_text(errno));
        return;
    }
    options = make_options(fetching);
    response = urlpool_request(
        fetching->run->manager, fetching->method,
        fetching->run->request.has_own_authorization ? entry->shown : entry->url, &options, &err);
    pf_request_close_body(entry, &fetching->body);
    if (response != NULL) {
        take_response(fetching, response);
        transfer->timings = urlpool_response_timings(response);
        urlpool_response_free(response);
        return;
    }
    fail_by_error(transfer, &err);
    transfer->status = err.http_status;
    transfer->num_redirects = transfer->watch.num_redirects;
    transfer->conn_reused = transfer->watch.conn_reused;
    write_heads(fetching, NULL);
}

/* --- once more -------------------------------------------------------------------------------- */

static void say_retry(const struct fetching *fetching, int64_t pause_ms, int64_t num_left)
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
static void make_tries(struct fetching *fetching)
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

static void say_failure(const struct fetching *fetching)
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
static void write_remarks(struct fetching *fetching)
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

void pf_fetch(struct pf_run *run, const struct pf_turn *turn)
{
    const struct pf_settings *settings = run->settings;
    struct fetching fetching = {.run = run,
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
        fail_by_writing(transfer, fetching.output.path);
    }
    transfer->file = fetching.output.path != NULL ? pf_strdup(fetching.output.path) : NULL;
    pf_output_deinit(&fetching.output);
    pf_conditions_deinit(&fetching.conditions);
    transfer->ended_ns = pf_now_ns();
    pf_tally_add(&run->tally, transfer);
    pf_record_add(run->record, transfer);
    if (transfer->exit_code != PF_EXIT_OK && settings->fail_early) {
        atomic_store(&run->is_over, true);
        if (run->ordered != NULL) {
            pf_ordered_end_with(run->ordered, turn->index);
        }
        pf_interrupt_now();
    }
    say_failure(&fetching);
    write_remarks(&fetching);
    pf_transfer_free(transfer);
}
