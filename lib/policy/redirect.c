/* Where a redirect leads, and what must not go there.
 *
 * Pure: a response's facts and the caller's rules in, a verdict out. Whatever a redirect could be
 * abused for (another scheme, no TLS any more, credentials in the URL or for someone else) is
 * refused or stripped here and nowhere else. That what was dropped stays dropped on later hops is
 * the request loop's part. */

#include "policy/redirect.h"

#include <string.h>

#include "urlpool/retry.h"
#include "urlpool/status.h"

#include "base/buf.h"
#include "base/count.h"
#include "base/error.h"
#include "http/route.h"

/* RFC 9110 section 15.4. 300, 304, 305 and 306 are not followed, whatever Location they have. */
static const struct {
    int status;
    bool post_to_get; /* sections 15.4.2, 15.4.3: "MAY change the request method from POST to GET";
                         15.4.4 asks for it */
    bool all_to_get;  /* section 15.4.4: GET or HEAD */
    unsigned keep_post; /* the bit of enum urlpool_keep_post that prevents it for POST */
} followed[] = {
    {URLPOOL_HTTP_MOVED_PERMANENTLY,  true,  false, URLPOOL_KEEP_POST_301},
    {URLPOOL_HTTP_FOUND,              true,  false, URLPOOL_KEEP_POST_302},
    {URLPOOL_HTTP_SEE_OTHER,          true,  true,  URLPOOL_KEEP_POST_303},
    {URLPOOL_HTTP_TEMPORARY_REDIRECT, false, false, 0                    },
    {URLPOOL_HTTP_PERMANENT_REDIRECT, false, false, 0                    },
};

/* RFC 9110 section 15.4: content-specific fields, and those that announce content. */
static const char *const content_names[] = {
    "Digest", "Repr-Digest", "Last-Modified", "Transfer-Encoding", "Trailer", "Expect"};

/* Adds to `err` what urlp_fail does not know. */
static enum urlpool_code complete(enum urlpool_code code, const struct urlp_redirect_facts *facts,
                                  enum urlpool_code cause, struct urlpool_error *err)
{
    if (err != NULL) {
        err->cause = cause;
        err->http_status = facts->status;
    }
    return code;
}

static enum urlpool_code refuse_because(const struct urlp_redirect_facts *facts,
                                        enum urlpool_code cause, const char *why,
                                        struct urlpool_error *err)
{
    enum urlpool_code code =
        urlp_fail(err, URLPOOL_E_REDIRECT, URLPOOL_PHASE_REDIRECT, "redirect %s", why);

    return complete(code, facts, cause, err);
}

static enum urlpool_code refuse(const struct urlp_redirect_facts *facts, const char *why,
                                struct urlpool_error *err)
{
    return refuse_because(facts, URLPOOL_OK, why, err);
}

/* Turns the fault of a URL in Location into one of the redirect. */
static enum urlpool_code refuse_url(const struct urlp_redirect_facts *facts,
                                    const struct urlpool_error *fault, struct urlpool_error *err)
{
    if (fault->code == URLPOOL_E_NOMEM) {
        return urlp_fail_nomem(err);
    }

    enum urlpool_code code = urlp_fail(err, URLPOOL_E_REDIRECT, URLPOOL_PHASE_REDIRECT,
                                       "Location cannot be followed: %s", fault->message);

    return complete(code, facts, fault->code, err);
}

/* Whether the status asks for another request; `*out_to_get` says that it is a GET without body. */
static bool is_followed(const struct urlp_redirect_rules *rules,
                        const struct urlp_redirect_facts *facts, bool *out_to_get)
{
    bool is_post = urlp_span_is(facts->method, "POST");
    bool is_head = urlp_span_is(facts->method, "HEAD");

    for (size_t i = 0; i < URLP_COUNT_OF(followed); i++) {
        if (followed[i].status == facts->status) {
            *out_to_get =
                is_post ? followed[i].post_to_get && (rules->keep_post & followed[i].keep_post) == 0
                        : followed[i].all_to_get && !is_head;
            return true;
        }
    }
    return false;
}

/* The one Location; absent and empty are the same. */
static enum urlpool_code find_location(const struct urlp_redirect_facts *facts,
                                       struct urlp_span *out, struct urlpool_error *err)
{
    size_t index = 0;
    const struct urlp_field *first =
        urlp_fields_find(facts->fields, facts->num_fields, "Location", &index);
    const struct urlp_field *next = NULL;

    *out = (struct urlp_span){NULL, 0};
    if (first == NULL) {
        return URLPOOL_OK;
    }
    while ((next = urlp_fields_find(facts->fields, facts->num_fields, "Location", &index)) !=
           NULL) {
        if (!urlp_span_equals(first->value, next->value)) {
            return refuse(facts, "has two Location fields that differ", err);
        }
    }
    *out = first->value;
    return URLPOOL_OK;
}

/* encode_blanks writes `location` with "%20" for each space: servers send them raw, and every
 * browser follows. Nothing else that a URL may not have is mended. */
static enum urlpool_code encode_blanks(struct urlp_span location, struct urlp_buf *out)
{
    enum urlpool_code code = URLPOOL_OK;

    for (size_t i = 0; i < location.len && code == URLPOOL_OK; i++) {
        code = location.data[i] == ' ' ? urlp_buf_append_text(out, "%20")
                                       : urlp_buf_append(out, location.data + i, 1);
    }
    return code;
}

/* Resolves Location into `next`; userinfo of its own is refused, RFC 9110 section 4.2.4. */
static enum urlpool_code resolve_text(const struct urlp_redirect_facts *facts,
                                      struct urlp_span location, struct urlp_url *next,
                                      struct urlpool_error *err)
{
    struct urlpool_error fault = {0};

    if (urlp_url_parse(location, next, &fault) != URLPOOL_OK) {
        return refuse_url(facts, &fault, err);
    }
    if (next->userinfo.data != NULL) {
        return refuse(facts, "has a user or password in its Location", err);
    }
    if (urlp_url_resolve_redirect(facts->url, location, next, &fault) != URLPOOL_OK ||
        urlp_url_require_http(next, &fault) != URLPOOL_OK) {
        return refuse_url(facts, &fault, err);
    }
    return URLPOOL_OK;
}

static enum urlpool_code resolve(const struct urlp_redirect_facts *facts, struct urlp_span location,
                                 struct urlp_url *next, struct urlpool_error *err)
{
    struct urlp_buf text = {0};
    enum urlpool_code code;

    if (location.len == 0 || memchr(location.data, ' ', location.len) == NULL) {
        return resolve_text(facts, location, next, err);
    }
    code = encode_blanks(location, &text);
    if (code == URLPOOL_OK) {
        code = resolve_text(facts, urlp_span_make(text.data, text.len), next, err);
    } else {
        code = urlp_fail_nomem(err);
    }
    urlp_buf_deinit(&text);
    return code;
}

/* Whether the caller lets redirects lead to http or https, wherever they come from. */
static bool allows_scheme(const struct urlp_redirect_rules *rules, bool is_https)
{
    unsigned scheme = is_https ? URLPOOL_SCHEME_HTTPS : URLPOOL_SCHEME_HTTP;

    return rules->schemes == 0 || (rules->schemes & scheme) != 0;
}

enum urlpool_code urlp_redirect_judge(const struct urlp_redirect_rules *rules,
                                      const struct urlp_redirect_facts *facts,
                                      struct urlp_redirect *out, struct urlp_url *next,
                                      struct urlpool_error *err)
{
    struct urlp_redirect verdict = {0};
    struct urlp_span location = {NULL, 0};

    if (rules->return_redirects || !is_followed(rules, facts, &verdict.to_get)) {
        *out = (struct urlp_redirect){0};
        return URLPOOL_OK;
    }

    enum urlpool_code code = find_location(facts, &location, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    if (location.len == 0 || (!verdict.to_get && !facts->can_rewind)) {
        *out = (struct urlp_redirect){0};
        return URLPOOL_OK;
    }
    code = resolve(facts, location, next, err);
    if (code != URLPOOL_OK) {
        return code;
    }

    struct urlp_origin from = urlp_origin_of(facts->url);
    struct urlp_origin to = urlp_origin_of(next);

    if (from.is_https && !to.is_https && !rules->allow_downgrade) {
        return refuse(facts, "leads from https to http", err);
    }
    if (!allows_scheme(rules, to.is_https)) {
        return refuse_because(facts, URLPOOL_E_SCHEME,
                              to.is_https ? "leads to https" : "leads to http", err);
    }
    verdict.follow = true;
    verdict.cross_origin = !urlp_origin_equals(&from, &to);
    *out = verdict;
    return URLPOOL_OK;
}

static bool is_one_of(struct urlp_span name, const char *const *names, size_t num_names)
{
    for (size_t i = 0; i < num_names; i++) {
        if (urlp_span_is_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_in_list(struct urlp_span name, const char *names)
{
    struct urlp_span rest = urlp_span_of(names);
    struct urlp_span element;

    while (urlp_span_split_list(&rest, &element)) {
        if (urlp_span_equals_nocase(name, element)) {
            return true;
        }
    }
    return false;
}

bool urlp_redirect_drops(struct urlp_span name, const char *remove_headers, bool to_get)
{
    static const char prefix[] = "Content-";
    struct urlp_span head = name;

    if (urlp_span_is_nocase(name, "Host") || is_in_list(name, remove_headers)) {
        return true;
    }
    if (!to_get) {
        return false;
    }
    head.len = head.len < sizeof(prefix) - 1 ? head.len : sizeof(prefix) - 1;
    return urlp_span_is_nocase(head, prefix) ||
           is_one_of(name, content_names, URLP_COUNT_OF(content_names));
}
