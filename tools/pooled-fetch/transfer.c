/* What is known of one transfer, and its line of JSON. */

#include "transfer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "count_of.h"
#include "json.h"
#include "monotonic.h"
#include "text.h"

void pf_transfer_init(struct pf_transfer *transfer, size_t index, const struct pf_entry *entry)
{
    *transfer = (struct pf_transfer){.index = index, .entry = entry, .started_ns = pf_now_ns()};
    pf_watch_init(&transfer->watch, transfer->started_ns);
}

void pf_transfer_restart(struct pf_transfer *transfer)
{
    const struct pf_transfer last = *transfer;

    pf_transfer_free(transfer);
    pf_transfer_init(transfer, last.index, last.entry);
    transfer->started_ns = last.started_ns;
    transfer->num_retries = last.num_retries + 1;
    transfer->watch.is_verbose = last.watch.is_verbose;
    transfer->watch.has_time = last.watch.has_time;
    transfer->watch.no_connect_heads = last.watch.no_connect_heads;
    transfer->watch.keeps_heads = last.watch.keeps_heads;
}

void pf_transfer_free(struct pf_transfer *transfer)
{
    pf_watch_free(&transfer->watch);
    free(transfer->url);
    free(transfer->content_type);
    free(transfer->file);
    free(transfer->redirect_url);
    urlpool_headers_free(transfer->headers);
}

void pf_transfer_fail(struct pf_transfer *transfer, enum pf_exit code, const char *format, ...)
{
    va_list args;

    if (transfer->exit_code != PF_EXIT_OK) {
        return;
    }
    transfer->exit_code = code;
    va_start(args, format);
    (void)vsnprintf(transfer->message, sizeof(transfer->message), format, args);
    va_end(args);
}

void pf_transfer_fail_by_error(struct pf_transfer *transfer, const struct urlpool_error *err)
{
    transfer->err = *err;
    pf_transfer_fail(transfer, pf_exit_of(err), "%s", err->message);
}

void pf_transfer_fail_by_writing(struct pf_transfer *transfer, const char *file)
{
    pf_transfer_fail(transfer, PF_EXIT_WRITE, "cannot write %s%s%s: %s", file != NULL ? "\"" : "",
                     file != NULL ? file : "standard output", file != NULL ? "\"" : "",
                     pf_errno_text(errno));
}

int64_t pf_transfer_ns(const struct pf_transfer *transfer)
{
    return transfer->ended_ns - transfer->watch.started_ns;
}

int64_t pf_transfer_wire_bytes(const struct pf_transfer *transfer)
{
    return transfer->watch.body_bytes >= 0 ? transfer->watch.body_bytes : transfer->num_bytes;
}

/* add_tls adds how the connection was secured: null where it was not. */
static void add_tls(struct pf_json *json, const struct pf_transfer *transfer)
{
    if (transfer->tls_version[0] == '\0') {
        pf_json_string(json, "tls", NULL);
        return;
    }
    pf_json_begin(json, "tls");
    pf_json_string(json, "version", transfer->tls_version);
    pf_json_string(json, "cipher", transfer->tls_cipher);
    pf_json_bool(json, "verified", transfer->tls_verified);
    pf_json_end(json);
}

/* add_timings adds how long each step took, in seconds: null where there was no answer. */
static void add_timings(struct pf_json *json, const struct urlpool_timings *timings)
{
    const struct {
        const char *key;
        int64_t ns;
    } steps[] = {
        {"before",  timings->before_ns },
        {"pool",    timings->pool_ns   },
        {"resolve", timings->resolve_ns},
        {"connect", timings->connect_ns},
        {"proxy",   timings->proxy_ns  },
        {"tls",     timings->tls_ns    },
        {"send",    timings->send_ns   },
        {"wait",    timings->wait_ns   },
        {"receive", timings->receive_ns},
    };

    if (timings->total_ns == 0) {
        pf_json_string(json, "timings", NULL);
        return;
    }
    pf_json_begin(json, "timings");
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        pf_json_number(json, steps[i].key, (double)steps[i].ns / 1e9, 6);
    }
    pf_json_end(json);
}

void pf_jsonl_add(struct pf_text *out, const struct pf_transfer *transfer)
{
    struct pf_json json = {.out = out};
    const struct pf_watch *watch = &transfer->watch;

    pf_json_begin(&json, NULL);
    pf_json_int(&json, "index", (int64_t)transfer->index);
    pf_json_string(&json, "url", transfer->entry->shown);
    pf_json_string(&json, "url_effective", transfer->url);
    pf_json_string(&json, "method", watch->method[0] != '\0' ? watch->method : NULL);
    pf_json_int(&json, "status", transfer->status);
    pf_json_string(&json, "content_type", transfer->content_type);
    pf_json_string(&json, "file", transfer->file);
    pf_json_int(&json, "bytes", transfer->num_bytes);
    pf_json_int(&json, "bytes_received", pf_transfer_wire_bytes(transfer));
    pf_json_int(&json, "num_redirects", transfer->num_redirects);
    pf_json_int(&json, "num_retries", transfer->num_retries);
    pf_json_bool(&json, "conn_reused", transfer->conn_reused);
    pf_json_int(&json, "conn_requests", (int64_t)transfer->conn_requests);
    pf_json_string(&json, "peer", watch->peer[0] != '\0' ? watch->peer : NULL);
    add_tls(&json, transfer);
    pf_json_number(&json, "pool_wait", (double)watch->pool_wait_ns / 1e9, 6);
    pf_json_number(&json, "time_total", (double)pf_transfer_ns(transfer) / 1e9, 6);
    add_timings(&json, &transfer->timings);
    pf_json_int(&json, "exitcode", transfer->exit_code);
    pf_json_string(&json, "error",
                   transfer->err.code != URLPOOL_OK ? urlpool_code_name(transfer->err.code) : NULL);
    pf_json_string(&json, "phase",
                   transfer->err.code != URLPOOL_OK ? urlpool_phase_name(transfer->err.phase)
                                                    : NULL);
    pf_json_string(&json, "errormsg", transfer->exit_code != PF_EXIT_OK ? transfer->message : NULL);
    pf_json_end(&json);
    pf_text_adds(out, "\n");
}
