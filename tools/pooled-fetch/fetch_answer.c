/* What comes of one transfer: heads, and the body piece by piece, so that memory does not grow with
 * it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "fetching.h"
#include "monotonic.h"
#include "remote_name.h"
#include "text.h"
#include "trace_file.h"
#include "tries.h"

enum {
    FAILING_STATUS = 400
};

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

void pf_answer_write_heads(struct pf_fetching *fetching, const struct urlpool_response *response)
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
        pf_transfer_fail_by_writing(transfer,
                                    fetching->run->heads != NULL ? settings->dump_header : NULL);
        return;
    }
    if ((settings->include || settings->head_only) &&
        pf_output_write(&fetching->output, watch->heads.data, watch->heads.len) != 0) {
        pf_transfer_fail_by_writing(transfer, fetching->output.path);
    }
}

/* length_of is the announced length of a body that will be delivered as it is, or -1. */
static int64_t length_of(const struct pf_fetching *fetching,
                         const struct urlpool_response *response)
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

static bool is_too_large(const struct pf_fetching *fetching, int64_t bytes)
{
    return fetching->settings->max_filesize > 0 && bytes > fetching->settings->max_filesize;
}

/* keep_pace waits where the body comes faster than it may. Returns false when it comes too slowly.
 */
static bool keep_pace(struct pf_fetching *fetching)
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
    if (pause_ms > 0 && !pf_pace_wait(settings, transfer->watch.started_ns, pause_ms)) {
        pf_transfer_fail(transfer, PF_EXIT_TIMEOUT, "it took longer than --max-time");
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
static bool take_piece(struct pf_fetching *fetching, size_t len)
{
    struct pf_transfer *transfer = &fetching->transfer;

    transfer->num_bytes += (int64_t)len;
    pf_trace_body(fetching->buf, len);
    if (is_too_large(fetching, transfer->num_bytes)) {
        pf_transfer_fail(transfer, PF_EXIT_TOO_LARGE, "the body is longer than --max-filesize");
        return false;
    }
    if (pf_output_write(&fetching->output, fetching->buf, len) != 0) {
        pf_transfer_fail_by_writing(transfer, fetching->output.path);
        return false;
    }
    pf_progress_set(fetching->run->progress, fetching->slot,
                    fetching->output.offset + transfer->num_bytes);
    return keep_pace(fetching);
}

static void read_body(struct pf_fetching *fetching, struct urlpool_response *response)
{
    const size_t step = pf_pace_step(fetching->settings, PF_BUF_SIZE);
    struct pf_transfer *transfer = &fetching->transfer;
    struct urlpool_error err = {0};
    size_t len = 0;

    pf_pace_init(&fetching->pace, pf_now_ns());
    do {
        if (urlpool_response_read(response, fetching->buf, step, &len, &err) != URLPOOL_OK) {
            pf_transfer_fail_by_error(transfer, &err);
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

/* note_name has a file named as the server says, for -J. */
static void note_name(struct pf_fetching *fetching, const struct urlpool_response *response)
{
    char *name;

    if (!fetching->settings->remote_header_name || !fetching->transfer.entry->is_remote ||
        fetching->output.fd >= 0) {
        return;
    }
    name = pf_name_of_disposition(urlpool_response_header(response, "Content-Disposition"));
    if (name != NULL) {
        pf_output_rename(&fetching->output, name);
        free(name);
    }
}

/* note_redirect keeps where a redirect that was not followed leads. */
static void note_redirect(struct pf_transfer *transfer, const struct urlpool_response *response)
{
    const char *location = urlpool_response_redirect_location(response);
    struct urlpool_url *base = location != NULL ? urlpool_url_parse(response->url, NULL) : NULL;
    struct urlpool_url *url = base != NULL ? urlpool_url_join(base, location, NULL) : NULL;
    char *text = url != NULL ? urlpool_url_format(url, NULL) : NULL;

    transfer->redirect_url = text != NULL ? pf_strdup(text) : NULL;
    urlpool_string_free(text);
    urlpool_url_free(url);
    urlpool_url_free(base);
}

/* note_etag keeps the ETag. What is refused leaves the file as it is; so does its ETag. */
static void note_etag(struct pf_fetching *fetching, const struct urlpool_response *response)
{
    const char *path = fetching->settings->etag_save;

    if (path == NULL ||
        pf_conditions_judge(&fetching->conditions, &fetching->output, response) == PF_PART_WRONG) {
        return;
    }
    fetching->has_saved_etag = true;
    if (pf_etag_write(path, response) != 0) {
        pf_transfer_fail_by_writing(&fetching->transfer, path);
    }
}

/* note_facts keeps what -w, -J, -R and --etag-save want of a head. */
static void note_facts(struct pf_fetching *fetching, const struct urlpool_response *response)
{
    const struct pf_settings *settings = fetching->settings;
    const char *date = urlpool_response_header(response, "Last-Modified");

    if (settings->write_out != NULL) {
        fetching->transfer.headers = urlpool_headers_copy(response->headers, NULL);
    }
    if (settings->remote_time && date != NULL) {
        fetching->output.date = pf_date_of_field(date);
    }
    note_name(fetching, response);
    note_redirect(&fetching->transfer, response);
    note_etag(fetching, response);
}

/* is_stuck says whether a redirect was to be followed and was not: the library returns it when the
 * body cannot be sent again. */
static bool is_stuck(const struct pf_fetching *fetching, const struct urlpool_response *response)
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
static bool wants_body(struct pf_fetching *fetching, const struct urlpool_response *response)
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
    return transfer->exit_code == PF_EXIT_OK && part != PF_PART_NONE &&
           !settings->head_only; /* whatever -X has asked for in its place */
}

void pf_answer_take(struct pf_fetching *fetching, struct urlpool_response *response)
{
    struct pf_transfer *transfer = &fetching->transfer;
    int64_t length;

    note_response(transfer, response);
    note_facts(fetching, response);
    pf_answer_write_heads(fetching, response);
    if (transfer->exit_code != PF_EXIT_OK || !wants_body(fetching, response)) {
        return;
    }
    pf_conditions_note(&fetching->conditions, response);
    length = length_of(fetching, response);
    pf_progress_begin(fetching->run->progress, fetching->slot,
                      fetching->output.path != NULL ? fetching->output.path
                                                    : transfer->entry->shown,
                      fetching->output.offset, length >= 0 ? length + fetching->output.offset : -1);
    transfer->has_body = true;
    read_body(fetching, response);
    pf_progress_end(fetching->run->progress, fetching->slot, transfer->exit_code == PF_EXIT_OK);
    if (fetching->settings->fail_with_body && response->status >= FAILING_STATUS) {
        fail_by_status(transfer, response);
    }
}
