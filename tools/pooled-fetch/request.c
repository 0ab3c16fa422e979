/* What is sent: method, fields and body. -H has the last word, as in curl: "Name: value" replaces a
 * field the program would send and is added to others, "Name:" takes a field out, "Name;" sends it
 * empty. */

#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "entries.h"
#include "say.h"

static enum pf_exit fail(const struct urlpool_error *err)
{
    pf_say("(%d) %s", pf_exit_of(err), err->message);
    return pf_exit_of(err);
}

static const char *method_of(const struct pf_settings *settings)
{
    if (settings->method != NULL) {
        return settings->method;
    }
    if (settings->head_only) {
        return "HEAD";
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
    enum urlpool_code code =
        urlpool_headers_add(headers, "User-Agent", "pooled-fetch/" URLPOOL_VERSION, err);

    if (code == URLPOOL_OK) {
        code = urlpool_headers_add(headers, "Accept",
                                   settings->has_json ? "application/json" : "*/*", err);
    }
    if (code == URLPOOL_OK && settings->has_data && !settings->data_in_url) {
        code = urlpool_headers_add(
            headers, "Content-Type",
            settings->has_json ? "application/json" : "application/x-www-form-urlencoded", err);
    }
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

enum pf_exit pf_request_init(struct pf_request *request, const struct pf_settings *settings)
{
    struct urlpool_error err = {0};
    struct urlpool_headers *defaults = NULL;
    enum urlpool_code code;

    *request =
        (struct pf_request){.method = method_of(settings), .headers = urlpool_headers_new(&err)};
    if (request->headers == NULL) {
        return fail(&err);
    }
    code = add_defaults(request->headers, settings, &err);
    if (code == URLPOOL_OK) {
        defaults = urlpool_headers_copy(request->headers, &err);
        code = defaults != NULL ? URLPOOL_OK : err.code;
    }
    for (size_t i = 0; i < settings->headers.count && code == URLPOOL_OK; i++) {
        code = apply_edit(request->headers, defaults, settings->headers.items[i], &err);
    }
    urlpool_headers_free(defaults);
    if (code != URLPOOL_OK) {
        pf_request_deinit(request);
        return fail(&err);
    }
    if (settings->has_data && !settings->data_in_url) {
        request->body = urlpool_body_bytes(settings->data.data != NULL ? settings->data.data : "",
                                           settings->data.len);
    }
    return PF_EXIT_OK;
}

void pf_request_deinit(struct pf_request *request)
{
    urlpool_headers_free(request->headers);
    *request = (struct pf_request){0};
}
