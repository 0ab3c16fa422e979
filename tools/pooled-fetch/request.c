/* What is sent: method, fields and body. -H has the last word, as in curl: "Name: value" replaces a
 * field the program would send and is added to others, "Name:" takes a field out, "Name;" sends it
 * empty. */

#include "request.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entries.h"
#include "say.h"

enum {
    EXPECT_FROM = 1024 * 1024 /* curl asks before it sends more than this */
};

static enum pf_exit fail(const struct urlpool_error *err)
{
    pf_say("(%d) %s", pf_exit_of(err), err->message);
    return pf_exit_of(err);
}

static bool has_text(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static const char *method_of(const struct pf_settings *settings)
{
    if (settings->method != NULL) {
        return settings->method;
    }
    if (settings->head_only) {
        return "HEAD";
    }
    if (settings->uploads.count > 0) {
        return NULL;
    }
    return settings->has_data && !settings->data_in_url ? "POST" : "GET";
}

/* add_authorization adds what -u or --oauth2-bearer say. */
static enum urlpool_code add_authorization(struct urlpool_headers *headers,
                                           const struct pf_settings *settings,
                                           struct urlpool_error *err)
{
    char *value = NULL;
    enum urlpool_code code = URLPOOL_OK;

    if (settings->bearer != NULL) {
        value = pf_format("Bearer %s", settings->bearer);
    } else if (settings->user != NULL) {
        value = pf_basic_authorization(settings->user, strlen(settings->user));
    }
    if (value != NULL) {
        code = urlpool_headers_add(headers, "Authorization", value, err);
    }
    free(value);
    return code;
}

/* add_defaults adds what is sent when -H says nothing else. */
static enum urlpool_code add_defaults(struct urlpool_headers *headers,
                                      const struct pf_settings *settings, struct urlpool_error *err)
{
    bool has_body = settings->has_data && !settings->data_in_url;
    char *range = settings->range != NULL ? pf_format("bytes=%s", settings->range) : NULL;
    const char *agent = settings->user_agent;
    const struct {
        const char *name, *value; /* "" and NULL: not sent */
    } fields[] = {
        {"User-Agent",   agent != NULL ? agent : "pooled-fetch/" URLPOOL_VERSION},
        {"Accept",       settings->has_json ? "application/json" : "*/*"        },
        {"Referer",      settings->referer                                      },
        {"Range",        range                                                  },
        {"Content-Type", settings->has_json ? "application/json"
                         : has_body         ? "application/x-www-form-urlencoded"
                                            : NULL      },
    };
    enum urlpool_code code = URLPOOL_OK;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && code == URLPOOL_OK; i++) {
        if (has_text(fields[i].value)) {
            code = urlpool_headers_add(headers, fields[i].name, fields[i].value, err);
        }
    }
    free(range);
    return code == URLPOOL_OK ? add_authorization(headers, settings, err) : code;
}

/* apply_edit carries out one -H. `defaults` holds the names that it replaces. */
static enum urlpool_code apply_edit(struct urlpool_headers *headers,
                                    struct urlpool_headers *defaults, const char *edit,
                                    struct urlpool_error *err)
{
    size_t len = strcspn(edit, ":;");
    const char *value = edit + len + 1;
    char *name = pf_strndup(edit, len);
    enum urlpool_code code = URLPOOL_OK;
    bool is_default = urlpool_headers_remove(defaults, name) > 0;

    value += strspn(value, " \t");
    if (edit[len] == ':' && value[0] == '\0') {
        (void)urlpool_headers_remove(headers, name);
    } else if (is_default) {
        code = urlpool_headers_set(headers, name, value, err);
    } else {
        code = urlpool_headers_add(headers, name, value, err);
    }
    free(name);
    return code;
}

/* apply_edits carries out all -H; what they say of Expect is the body's business. */
static enum urlpool_code apply_edits(struct pf_request *request, const struct pf_settings *settings,
                                     struct urlpool_error *err)
{
    struct urlpool_headers *defaults = urlpool_headers_copy(request->headers, err);
    enum urlpool_code code = defaults != NULL ? URLPOOL_OK : err->code;

    for (size_t i = 0; i < settings->headers.count && code == URLPOOL_OK; i++) {
        const char *edit = settings->headers.items[i];

        code = apply_edit(request->headers, defaults, edit, err);
        if (strncasecmp(edit, "Expect:", strlen("Expect:")) == 0) {
            request->expect = PF_EXPECT_NEVER;
        }
    }
    urlpool_headers_free(defaults);
    return code;
}

/* settle_expect turns a field of the user's into the waiting that it asks for. */
static void settle_expect(struct pf_request *request)
{
    const char *expect = urlpool_headers_get(request->headers, "Expect");

    if (expect != NULL && strcasecmp(expect, "100-continue") == 0) {
        request->expect = PF_EXPECT_ALWAYS;
        (void)urlpool_headers_remove(request->headers, "Expect");
    }
}

static void make_body(struct pf_request *request, const struct pf_settings *settings)
{
    if (!settings->has_data || settings->data_in_url) {
        return;
    }
    request->body = urlpool_body_bytes(settings->data.data != NULL ? settings->data.data : "",
                                       settings->data.len);
    request->body.expect_continue =
        request->expect == PF_EXPECT_ALWAYS ||
        (request->expect == PF_EXPECT_BY_SIZE && settings->data.len > EXPECT_FROM);
}

enum pf_exit pf_request_init(struct pf_request *request, const struct pf_settings *settings)
{
    struct urlpool_error err = {0};
    enum urlpool_code code;

    *request =
        (struct pf_request){.method = method_of(settings), .headers = urlpool_headers_new(&err)};
    if (request->headers == NULL) {
        return fail(&err);
    }
    code = add_defaults(request->headers, settings, &err);
    if (code == URLPOOL_OK) {
        code = apply_edits(request, settings, &err);
    }
    if (code != URLPOOL_OK) {
        pf_request_deinit(request);
        return fail(&err);
    }
    if (settings->has_data || settings->uploads.count > 0) {
        settle_expect(request);
    }
    make_body(request, settings);
    return PF_EXIT_OK;
}

void pf_request_deinit(struct pf_request *request)
{
    urlpool_headers_free(request->headers);
    *request = (struct pf_request){0};
}

/* --- what differs from URL to URL ------------------------------------------------------------- */

const char *pf_request_method(const struct pf_request *request, const struct pf_entry *entry)
{
    if (request->method != NULL) {
        return request->method;
    }
    return entry->upload != NULL ? "PUT" : "GET";
}

static bool is_standard_input(const struct pf_entry *entry)
{
    return strcmp(entry->upload, "-") == 0;
}

int pf_request_open_body(const struct pf_request *request, const struct pf_entry *entry,
                         struct urlpool_body *out)
{
    struct stat info;
    int fd = STDIN_FILENO;

    if (entry->upload == NULL) {
        *out = request->body;
        return 0;
    }
    if (!is_standard_input(entry)) {
        fd = open(entry->upload, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0 || fstat(fd, &info) != 0) {
        return -1;
    }
    *out = urlpool_body_fd(fd);
    out->chunked = is_standard_input(entry); /* as curl, even where its length could be known */
    out->expect_continue = request->expect == PF_EXPECT_ALWAYS ||
                           (request->expect == PF_EXPECT_BY_SIZE &&
                            (out->chunked || !S_ISREG(info.st_mode) || info.st_size > 0));
    return 0;
}

void pf_request_close_body(const struct pf_entry *entry, struct urlpool_body *body)
{
    if (entry->upload != NULL && body->fd > STDERR_FILENO) {
        (void)close(body->fd);
    }
}
