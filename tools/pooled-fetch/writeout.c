/* -w: curl's variables under curl's names, and %{pool_wait}, %{conn_reused} and %{conn_requests} of
 * our own. Times are seconds since the transfer began. */

#include "writeout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "count_of.h"
#include "json.h"

/* since formats an instant; one that did not come is 0. */
static void since(struct pf_text *out, const struct pf_transfer *transfer, int64_t at_ns)
{
    int64_t ns = at_ns > 0 ? at_ns - transfer->watch.started_ns : 0;

    pf_text_addf(out, "%.6f", (double)(ns > 0 ? ns : 0) / 1e9);
}

/* first_of is the first instant that came: a reused connection has no name to look up. */
static int64_t first_of(int64_t a_ns, int64_t b_ns)
{
    return a_ns > 0 ? a_ns : b_ns;
}

static void add_status(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_addf(out, "%03d", transfer->status);
}

/* downloaded is 0 when the body was not asked for, as with -f, although it may have come. */
static int64_t downloaded(const struct pf_transfer *transfer)
{
    return transfer->has_body ? pf_transfer_wire_bytes(transfer) : 0;
}

static void add_size_download(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_addf(out, "%" PRId64, downloaded(transfer));
}

static void add_speed_download(struct pf_text *out, const struct pf_transfer *transfer)
{
    int64_t ns = pf_transfer_ns(transfer);

    pf_text_addf(out, "%.0f", ns > 0 ? (double)downloaded(transfer) * 1e9 / (double)ns : 0.0);
}

static void add_namelookup(struct pf_text *out, const struct pf_transfer *transfer)
{
    since(out, transfer, first_of(transfer->watch.resolved_ns, transfer->watch.leased_ns));
}

static void add_connect(struct pf_text *out, const struct pf_transfer *transfer)
{
    const struct pf_watch *watch = &transfer->watch;

    since(out, transfer, first_of(watch->connected_ns, watch->conn_reused ? watch->leased_ns : 0));
}

static void add_appconnect(struct pf_text *out, const struct pf_transfer *transfer)
{
    since(out, transfer, transfer->watch.secured_ns);
}

static void add_pretransfer(struct pf_text *out, const struct pf_transfer *transfer)
{
    since(out, transfer, transfer->watch.head_ns);
}

static void add_starttransfer(struct pf_text *out, const struct pf_transfer *transfer)
{
    since(out, transfer, transfer->watch.first_byte_ns);
}

static void add_redirect_time(struct pf_text *out, const struct pf_transfer *transfer)
{
    since(out, transfer, transfer->watch.hop_ns);
}

static void add_total(struct pf_text *out, const struct pf_transfer *transfer)
{
    since(out, transfer, transfer->ended_ns);
}

static void add_pool_wait(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_addf(out, "%.6f", (double)transfer->watch.pool_wait_ns / 1e9);
}

static void add_conn_reused(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_adds(out, transfer->conn_reused ? "1" : "0");
}

static void add_conn_requests(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_addf(out, "%" PRIu64, transfer->conn_requests);
}

static void add_num_headers(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_addf(out, "%zu",
                 transfer->headers != NULL ? urlpool_headers_count(transfer->headers) : 0);
}

static void add_referer(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_adds(out, transfer->referer != NULL ? transfer->referer : "");
}

/* add_verify_result adds 0: what could not be verified was an error, or did not matter. */
static void add_verify_result(struct pf_text *out, const struct pf_transfer *transfer)
{
    (void)transfer;
    pf_text_adds(out, "0");
}

static void add_redirect_url(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_adds(out, transfer->redirect_url != NULL ? transfer->redirect_url : "");
}

static void add_url(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_adds(out, transfer->entry->url);
}

static void add_url_effective(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_adds(out, transfer->url != NULL ? transfer->url : transfer->entry->url);
}

static void add_num_redirects(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_addf(out, "%u", transfer->num_redirects);
}

static void add_num_retries(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_addf(out, "%u", transfer->num_retries);
}

static void add_num_connects(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_addf(out, "%u", transfer->watch.num_connects);
}

static void add_content_type(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_adds(out, transfer->content_type != NULL ? transfer->content_type : "");
}

/* The peer is "address:port", "[v6]:port". */
static void add_remote_ip(struct pf_text *out, const struct pf_transfer *transfer)
{
    const char *peer = transfer->watch.peer;
    const char *colon = strrchr(peer, ':');

    if (colon != NULL && peer[0] == '[') {
        pf_text_add(out, peer + 1, (size_t)(colon - peer) - 2);
    } else if (colon != NULL) {
        pf_text_add(out, peer, (size_t)(colon - peer));
    }
}

static void add_remote_port(struct pf_text *out, const struct pf_transfer *transfer)
{
    const char *colon = strrchr(transfer->watch.peer, ':');

    pf_text_adds(out, colon != NULL ? colon + 1 : "0");
}

static void add_scheme(struct pf_text *out, const struct pf_transfer *transfer)
{
    const char *url = transfer->url != NULL ? transfer->url : transfer->entry->url;

    pf_text_add(out, url, strcspn(url, ":"));
}

static void add_method(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_adds(out, transfer->watch.method);
}

static void add_errormsg(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_adds(out, transfer->message);
}

static void add_exitcode(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_addf(out, "%d", transfer->exit_code);
}

static void add_http_version(struct pf_text *out, const struct pf_transfer *transfer)
{
    static const struct {
        int version;
        const char *text;
    } versions[] = {
        {10, "1"  },
        {11, "1.1"}
    };

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        if (versions[i].version == transfer->version) {
            pf_text_adds(out, versions[i].text);
            return;
        }
    }
    pf_text_adds(out, "0");
}

static void add_filename(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_adds(out, transfer->file != NULL ? transfer->file : "");
}

static void add_urlnum(struct pf_text *out, const struct pf_transfer *transfer)
{
    pf_text_addf(out, "%zu", transfer->index);
}

static void add_json(struct pf_text *out, const struct pf_transfer *transfer);

static const struct {
    const char *name;
    void (*add)(struct pf_text *out, const struct pf_transfer *transfer);
    bool is_text;
} variables[] = {
    {"conn_requests",           add_conn_requests,  false},
    {"conn_reused",             add_conn_reused,    false},
    {"content_type",            add_content_type,   true },
    {"errormsg",                add_errormsg,       true },
    {"exitcode",                add_exitcode,       false},
    {"filename_effective",      add_filename,       true },
    {"http_code",               add_status,         false},
    {"http_version",            add_http_version,   true },
    {"json",                    add_json,           false},
    {"method",                  add_method,         true },
    {"num_connects",            add_num_connects,   false},
    {"num_headers",             add_num_headers,    false},
    {"num_redirects",           add_num_redirects,  false},
    {"num_retries",             add_num_retries,    false},
    {"pool_wait",               add_pool_wait,      false},
    {"proxy_ssl_verify_result", add_verify_result,  false},
    {"redirect_url",            add_redirect_url,   true },
    {"referer",                 add_referer,        true },
    {"remote_ip",               add_remote_ip,      true },
    {"remote_port",             add_remote_port,    false},
    {"response_code",           add_status,         false},
    {"scheme",                  add_scheme,         true },
    {"size_download",           add_size_download,  false},
    {"speed_download",          add_speed_download, false},
    {"ssl_verify_result",       add_verify_result,  false},
    {"time_appconnect",         add_appconnect,     false},
    {"time_connect",            add_connect,        false},
    {"time_namelookup",         add_namelookup,     false},
    {"time_pretransfer",        add_pretransfer,    false},
    {"time_redirect",           add_redirect_time,  false},
    {"time_starttransfer",      add_starttransfer,  false},
    {"time_total",              add_total,          false},
    {"url",                     add_url,            true },
    {"url_effective",           add_url_effective,  true },
    {"urlnum",                  add_urlnum,         false},
};

enum {
    NUM_VARIABLES = COUNT_OF(variables)
};

/* add_json makes an object of all the others. */
static void add_json(struct pf_text *out, const struct pf_transfer *transfer)
{
    struct pf_json json = {.out = out};

    pf_json_begin(&json, NULL);
    for (size_t i = 0; i < NUM_VARIABLES; i++) {
        struct pf_text value = {0};

        if (variables[i].add == add_json) {
            continue;
        }
        variables[i].add(&value, transfer);
        if (variables[i].is_text) {
            pf_json_string(&json, variables[i].name, value.len > 0 ? value.data : NULL);
        } else {
            pf_json_number(&json, variables[i].name, strtod(value.data, NULL),
                           strchr(value.data, '.') != NULL ? 6 : 0);
        }
        pf_text_free(&value);
    }
    pf_json_end(&json);
}

static int find_variable(const char *name, size_t len)
{
    for (int i = 0; i < NUM_VARIABLES; i++) {
        if (strlen(variables[i].name) == len && memcmp(variables[i].name, name, len) == 0) {
            return i;
        }
    }
    return -1;
}

/* variable_at looks for "%{name}" at `at`; `*out_len` is the name's length, or 0. */
static size_t variable_at(const char *at, size_t *out_len)
{
    const char *end;

    *out_len = 0;
    if (at[0] != '%' || at[1] != '{') {
        return 0;
    }
    end = strchr(at, '}');
    if (end == NULL) {
        return 0;
    }
    *out_len = (size_t)(end - at) - 2;
    return *out_len + 3;
}

/* header_at looks for "%header{name}" at `at`; `*out_len` is the name's length. */
static size_t header_at(const char *at, size_t *out_len)
{
    static const char begin[] = "%header{";
    const char *end = strncmp(at, begin, strlen(begin)) == 0 ? strchr(at, '}') : NULL;

    if (end == NULL) {
        return 0;
    }
    *out_len = (size_t)(end - at) - strlen(begin);
    return (size_t)(end - at) + 1;
}

/* Words that are no values: what follows goes elsewhere, or is left out. */
enum turn {
    TURN_NONE,
    TURN_TO_ERR,
    TURN_TO_OUT,
    TURN_ON_ERROR
};

static enum turn turn_of(const char *name, size_t len)
{
    static const char *const names[] = {
        [TURN_TO_ERR] = "stderr", [TURN_TO_OUT] = "stdout", [TURN_ON_ERROR] = "onerror"};

    for (int i = TURN_TO_ERR; i <= TURN_ON_ERROR; i++) {
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0) {
            return (enum turn)i;
        }
    }
    return TURN_NONE;
}

bool pf_writeout_check(const char *format, char unknown[64])
{
    size_t step;

    for (const char *at = format; at != NULL && *at != '\0'; at += step) {
        size_t len = 0;

        step = variable_at(at, &len);
        if (step > 0 && find_variable(at + 2, len) < 0 && turn_of(at + 2, len) == TURN_NONE) {
            (void)snprintf(unknown, 64, "%.*s", (int)len, at + 2);
            return false;
        }
        if (step == 0) {
            step = (at[0] == '%' || at[0] == '\\') && at[1] != '\0' ? 2 : 1;
        }
    }
    return true;
}

/* add_escape adds what "\n" and the like stand for; others stay as they are. */
static size_t add_escape(struct pf_text *out, const char *at)
{
    static const char letters[] = "nrt";
    static const char bytes[] = "\n\r\t";
    const char *letter = at[1] != '\0' ? strchr(letters, at[1]) : NULL;

    if (letter == NULL) {
        pf_text_add(out, at, at[1] != '\0' ? 2 : 1);
    } else {
        pf_text_add(out, &bytes[letter - letters], 1);
    }
    return at[1] != '\0' ? 2 : 1;
}

/* add_plain adds one byte, or a per cent sign and, as curl does, whatever byte is behind it. */
static size_t add_plain(struct pf_text *out, const char *at)
{
    if (at[0] != '%' || at[1] == '\0') {
        pf_text_add(out, at, 1);
        return 1;
    }
    pf_text_add(out, at, at[1] == '%' ? 1 : 2);
    return 2;
}

static void add_header(struct pf_text *out, const char *name, size_t len,
                       const struct pf_transfer *transfer)
{
    char *copy = pf_strndup(name, len);
    const char *value =
        transfer->headers != NULL ? urlpool_headers_get(transfer->headers, copy) : NULL;

    pf_text_adds(out, value != NULL ? value : "");
    free(copy);
}

/* add_next adds what stands at `at`, where nothing turns. Returns: how long it is in the format. */
static size_t add_next(struct pf_text *out, const char *at, const struct pf_transfer *transfer)
{
    size_t len = 0;
    size_t step = variable_at(at, &len);

    if (step > 0) {
        variables[find_variable(at + 2, len)].add(out, transfer);
        return step;
    }
    step = header_at(at, &len);
    if (step > 0) {
        add_header(out, at + step - 1 - len, len, transfer);
        return step;
    }
    return *at == '\\' ? add_escape(out, at) : add_plain(out, at);
}

void pf_writeout_add(struct pf_text *out, struct pf_text *err, const char *format,
                     const struct pf_transfer *transfer)
{
    struct pf_text *to = out;
    const char *at = format;

    while (*at != '\0') {
        size_t len = 0;
        size_t step = variable_at(at, &len);
        enum turn turn = step > 0 ? turn_of(at + 2, len) : TURN_NONE;

        if (turn == TURN_ON_ERROR && transfer->exit_code == PF_EXIT_OK) {
            return;
        }
        if (turn == TURN_NONE) {
            at += add_next(to, at, transfer);
            continue;
        }
        if (turn != TURN_ON_ERROR) {
            to = turn == TURN_TO_ERR ? err : out;
        }
        at += step;
    }
}
