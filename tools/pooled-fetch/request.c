/* What is sent: method, fields and body. -H has the last word, as in curl: "Name: value" replaces a
 * field the program would send and is added to others, "Name:" takes a field out, "Name;" sends it
 * empty. */

#include "request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "conditions.h"
#include "count_of.h"
#include "date.h"
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
    return settings->form != NULL || (settings->has_data && !settings->data_in_url) ? "POST"
                                                                                    : "GET";
}

/* add_made adds what the library words for us. The codings are the library's to ask for, but with
 * --raw it would not: what it asks for it undoes. */
static enum urlpool_code add_made(struct urlpool_headers *headers,
                                  const struct pf_settings *settings, struct urlpool_error *err)
{
    const struct urlpool_headers_choice choice = {
        .basic_auth = settings->bearer == NULL ? settings->user : NULL,
        .bearer_auth = settings->bearer,
        .accept_encoding = settings->compressed && settings->raw,
    };
    struct urlpool_headers *made = urlpool_headers_make(&choice, err);
    enum urlpool_code code = made != NULL ? urlpool_headers_extend(headers, made, err) : err->code;

    urlpool_headers_free(made);
    return code;
}

/* etag_to_compare is what the file has, `""` when there is none yet. */
static char *etag_to_compare(const struct pf_settings *settings)
{
    char *etag = settings->etag_compare != NULL ? pf_etag_read(settings->etag_compare) : NULL;

    return etag == NULL && settings->etag_compare != NULL ? pf_strdup("\"\"") : etag;
}

/* add_defaults adds what is sent when -H says nothing else. */
static enum urlpool_code add_defaults(struct urlpool_headers *headers,
                                      const struct pf_settings *settings, struct urlpool_error *err)
{
    bool has_body = settings->has_data && !settings->data_in_url;
    char *range = settings->range != NULL ? pf_format("bytes=%s", settings->range) : NULL;
    const char *agent = settings->user_agent;
    char *etag = etag_to_compare(settings);
    char date[32];
    const struct {
        const char *name, *value; /* "" and NULL: not sent */
    } fields[] = {
        {"User-Agent",                                                                agent != NULL ? agent : "pooled-fetch/" URLPOOL_VERSION},
        {"Accept",                                                                    settings->has_json ? "application/json" : "*/*"        },
        {"Cookie",                                                                    settings->cookie                                       },
        {settings->condition_is_unless ? "If-Unmodified-Since" : "If-Modified-Since",
         settings->has_condition ? date : NULL                                                                                               },
        {"If-None-Match",                                                             etag                                                   },
        {"Referer",                                                                   settings->referer                                      },
        {"Range",                                                                     range                                                  },
        {"Content-Type",                                                              settings->has_json ? "application/json"
                         : has_body         ? "application/x-www-form-urlencoded"
                                            : NULL                                                                   },
    };
    enum urlpool_code code = URLPOOL_OK;

    pf_date_field((time_t)settings->condition_s, date);
    for (size_t i = 0; i < COUNT_OF(fields) && code == URLPOOL_OK; i++) {
        if (has_text(fields[i].value)) {
            code = urlpool_headers_add(headers, fields[i].name, fields[i].value, err);
        }
    }
    free(range);
    free(etag);
    return code == URLPOOL_OK ? add_made(headers, settings, err) : code;
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

static bool is_about(const char *edit, const char *name)
{
    size_t len = strlen(name);

    return strncasecmp(edit, name, len) == 0 && (edit[len] == ':' || edit[len] == ';');
}

/* note_edit remembers what a -H says of fields that the library adds by itself. */
static void note_edit(struct pf_request *request, const char *edit)
{
    request->skip |= is_about(edit, "Accept-Encoding") ? URLPOOL_SKIP_ACCEPT_ENCODING : 0U;
    request->has_own_authorization |= is_about(edit, "Authorization");
    request->has_own_expect |= is_about(edit, "Expect");
}

static enum urlpool_code apply_edits(struct pf_request *request, const struct pf_settings *settings,
                                     struct urlpool_error *err)
{
    struct urlpool_headers *defaults = urlpool_headers_copy(request->headers, err);
    enum urlpool_code code = defaults != NULL ? URLPOOL_OK : err->code;

    for (size_t i = 0; i < settings->headers.count && code == URLPOOL_OK; i++) {
        code = apply_edit(request->headers, defaults, settings->headers.items[i], err);
        note_edit(request, settings->headers.items[i]);
    }
    urlpool_headers_free(defaults);
    return code;
}

/* new_boundary makes one that no file can have foreseen; NULL: the kernel has no random numbers. */
static char *new_boundary(void)
{
    uint64_t bits[2];

    if (getentropy(bits, sizeof(bits)) != 0) {
        return NULL;
    }
    return pf_format("%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
}

/* settle_boundary sees to it that a Content-Type of the user's and a form agree on the boundary. */
static enum urlpool_code settle_boundary(struct pf_request *request,
                                         const struct pf_settings *settings,
                                         struct urlpool_error *err)
{
    static const char key[] = "boundary=";
    const char *type = urlpool_headers_get(request->headers, "Content-Type");
    const char *said = type != NULL ? strcasestr(type, key) : NULL;
    enum urlpool_code code;
    char *boundary;
    char *whole;

    if (settings->form == NULL || type == NULL) {
        return URLPOOL_OK;
    }
    if (said != NULL) {
        said += strlen(key);
        boundary = pf_strndup(said + (*said == '"'), strcspn(said + (*said == '"'), "\";"));
        code = urlpool_form_set_boundary(settings->form, boundary, err);
        free(boundary);
        return code;
    }
    boundary = new_boundary();
    if (boundary == NULL) {
        *err = (struct urlpool_error){.code = URLPOOL_E_SYSTEM,
                                      .os_errno = errno,
                                      .message = "the kernel has no random numbers for a boundary"};
        return err->code;
    }
    whole = pf_format("%s; %s%s", type, key, boundary);
    code = urlpool_form_set_boundary(settings->form, boundary, err);
    if (code == URLPOOL_OK) {
        code = urlpool_headers_set(request->headers, "Content-Type", whole, err);
    }
    free(boundary);
    free(whole);
    return code;
}

static void make_body(struct pf_request *request, const struct pf_settings *settings)
{
    int64_t len = (int64_t)settings->data.len;

    if (settings->form != NULL) {
        request->body = urlpool_body_multipart(settings->form);
        len = settings->form_bytes;
    } else if (settings->has_data && !settings->data_in_url) {
        request->body = urlpool_body_bytes(len > 0 ? settings->data.data : "", settings->data.len);
    } else {
        return;
    }
    request->body.expect_continue = !request->has_own_expect && (len < 0 || len > EXPECT_FROM);
    request->body.expect_ms = settings->expect_ms;
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
    if (code == URLPOOL_OK) {
        code = settle_boundary(request, settings, &err);
    }
    if (code != URLPOOL_OK) {
        pf_request_deinit(request);
        return fail(&err);
    }
    request->expect_ms = settings->expect_ms;
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
