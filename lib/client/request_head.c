/* What the head of a request says. The one place that builds it, for first tries, retries and
 * redirects alike: half of urllib3's advisories were a second code path that forgot a rule.
 *
 * Framing belongs to the library: a Content-Length of the caller must be the body's own, a
 * Transfer-Encoding can only be "chunked" and means that. All else of the library's gives way to
 * what the caller says. Whether names and values are fit for the wire is h1's to say, before a byte
 * is sent. */

#include "client/request_head.h"

#include "urlpool/connection.h"

#include "base/alloc.h"
#include "base/error.h"
#include "conn/connection.h"
#include "http/method.h"
#include "http/route.h"
#include "policy/redirect.h"

/* The library's own fields, in the order of the wire. */
enum own {
    OWN_HOST,
    OWN_ACCEPT_ENCODING,
    OWN_TRANSFER_ENCODING,
    OWN_CONTENT_LENGTH,
    OWN_USER_AGENT,
    OWN_PROXY_AUTHORIZATION,
    OWN_AUTHORIZATION, /* this and what follows stays behind at redirects like the caller's own */
    OWN_CONTENT_TYPE,
    OWN_TRAILER,
    OWN_EXPECT,
    NUM_OWN
};

static const struct urlp_span own_names[NUM_OWN] = {
    [OWN_HOST] = URLP_SPAN("Host"),
    [OWN_ACCEPT_ENCODING] = URLP_SPAN("Accept-Encoding"),
    [OWN_TRANSFER_ENCODING] = URLP_SPAN("Transfer-Encoding"),
    [OWN_CONTENT_LENGTH] = URLP_SPAN("Content-Length"),
    [OWN_USER_AGENT] = URLP_SPAN("User-Agent"),
    [OWN_PROXY_AUTHORIZATION] = URLP_SPAN("Proxy-Authorization"),
    [OWN_AUTHORIZATION] = URLP_SPAN("Authorization"),
    [OWN_CONTENT_TYPE] = URLP_SPAN("Content-Type"),
    [OWN_TRAILER] = URLP_SPAN("Trailer"),
    [OWN_EXPECT] = URLP_SPAN("Expect"),
};

/* struct lines is what goes with the library's own fields: the caller's, then the proxy's. */
struct lines {
    struct urlp_field *fields;
    size_t num_given; /* the caller's */
    size_t num;       /* all */
};

/* What the head says of the URL, and where draft->text has the rest. */
struct marks {
    struct urlp_span target, authority; /* in the URL's own text; NULL: in draft->text */
    size_t host, length, trailer;
};

static bool is_chunked(const struct urlp_head_plan *plan)
{
    return plan->body != NULL && plan->body->len < 0;
}

static bool has_body(const struct urlp_head_plan *plan)
{
    return plan->body != NULL && plan->body->has_body;
}

static bool has_content(const struct urlp_head_plan *plan)
{
    return has_body(plan) && plan->body->len != 0;
}

static bool says_length(const struct urlp_head_plan *plan)
{
    return !is_chunked(plan) && (has_body(plan) || urlp_method_expects_body(plan->method));
}

/* check_framing refuses a framing field of the caller's that is not the truth about the body. */
static enum urlpool_code check_framing(const struct urlp_head_plan *plan, struct urlp_field field,
                                       struct urlpool_error *err)
{
    uint64_t len = 0;
    bool is_true;

    if (urlp_span_is_nocase(field.name, "Content-Length")) {
        is_true = urlp_span_to_u64(field.value, &len) && !is_chunked(plan) &&
                  len == (plan->body != NULL ? (uint64_t)plan->body->len : 0);
    } else {
        is_true = urlp_span_is_nocase(field.value, "chunked") && is_chunked(plan);
    }
    if (is_true) {
        return URLPOOL_OK;
    }
    return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                     "%.*s: %s does not fit the body of this request", (int)field.name.len,
                     field.name.data, urlp_quote(field.value.data, field.value.len).text);
}

/* check_expect: RFC 9110 section 10.1.1, "A client MUST NOT generate a 100-continue expectation in
 * a request that does not include content." */
static enum urlpool_code check_expect(const struct urlp_head_plan *plan, struct urlpool_error *err)
{
    if (has_content(plan)) {
        return URLPOOL_OK;
    }
    return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                     "Expect: 100-continue in a request without a body");
}

static bool is_framing(struct urlp_span name)
{
    return urlp_span_is_nocase(name, "Content-Length") ||
           urlp_span_is_nocase(name, "Transfer-Encoding");
}

static bool is_expect_continue(struct urlp_field field)
{
    return urlp_span_is_nocase(field.name, "Expect") &&
           urlp_span_is_nocase(field.value, "100-continue");
}

static bool is_left_behind(const struct urlp_head_plan *plan, struct urlp_span name)
{
    return plan->is_redirected && urlp_redirect_drops(name, plan->remove_headers, plan->to_get);
}

/* is_secret_referer says whether a redirect has led out of https and `field` would tell where from.
 *
 * RFC 9110 section 10.1.3: "A user agent MUST NOT send a Referer header field in an unsecured HTTP
 * request if the referring resource was accessed with a secure protocol." */
static bool is_secret_referer(const struct urlp_head_plan *plan, struct urlp_field field)
{
    static const char secure[] = "https:";

    return plan->is_redirected && !urlp_url_is_https(plan->url) &&
           urlp_span_is_nocase(field.name, "Referer") && field.value.len >= sizeof(secure) - 1 &&
           urlp_span_is_nocase(urlp_span_make(field.value.data, sizeof(secure) - 1), secure);
}

/* is_dropped says whether a field of the caller's is not sent as it stands among his. */
static bool is_dropped(const struct urlp_head_plan *plan, struct urlp_field field)
{
    if (is_framing(field.name) || urlp_span_is_nocase(field.name, "Host")) {
        return true; /* said by the library, in their own place */
    }
    return is_left_behind(plan, field.name) || is_secret_referer(plan, field) ||
           (plan->without_expect && is_expect_continue(field));
}

/* must_be_true says whether a field of the caller's is held against the body. One that was meant
 * for a body which a redirect has taken away is not. */
static bool must_be_true(const struct urlp_head_plan *plan, struct urlp_span name)
{
    return is_framing(name) && !(plan->is_redirected && plan->to_get);
}

/* check_given refuses what the caller cannot have said of this request. */
static enum urlpool_code check_given(const struct urlp_head_plan *plan, const struct lines *lines,
                                     struct urlpool_error *err)
{
    const struct urlp_field *given = lines->fields;
    size_t num_hosts = 0;

    for (size_t i = 0; i < lines->num_given; i++) {
        enum urlpool_code code = URLPOOL_OK;

        if (must_be_true(plan, given[i].name)) {
            code = check_framing(plan, given[i], err);
        } else if (is_expect_continue(given[i]) && !is_dropped(plan, given[i])) {
            code = check_expect(plan, err);
        }
        if (code != URLPOOL_OK) {
            return code;
        }
        num_hosts += urlp_span_is_nocase(given[i].name, "Host") ? 1 : 0;
    }
    if (plan->is_redirected) {
        return URLPOOL_OK; /* Host is made anew */
    }
    if (num_hosts > 1) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                         "a request has one Host field, not several");
    }
    if (num_hosts == 0 && (plan->skip & URLPOOL_SKIP_HOST) != 0) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                         "Host is skipped and not among the headers, and a request needs one");
    }
    return URLPOOL_OK;
}

/* write_texts appends what the URL's text does not show as it is to be sent. */
static enum urlpool_code write_texts(struct urlp_buf *text, const struct urlp_head_plan *plan,
                                     struct marks *out)
{
    enum urlpool_code code = URLPOOL_OK;

    if (plan->forwarder != NULL) {
        code = urlp_url_append_absolute_target(plan->url, text);
    } else if (!urlp_url_shows_target(plan->url, &out->target)) {
        code = urlp_url_append_target(plan->url, text);
    }
    out->host = text->len;
    if (code == URLPOOL_OK && !urlp_url_shows_authority(plan->url, &out->authority)) {
        const struct urlp_origin origin = urlp_origin_of(plan->url);

        code = urlp_origin_append_authority(&origin, false, text);
    }
    out->length = text->len;
    if (code == URLPOOL_OK && says_length(plan)) {
        code = urlp_buf_append_number(text, plan->body != NULL ? (uint64_t)plan->body->len : 0);
    }
    out->trailer = text->len;
    if (code == URLPOOL_OK && is_chunked(plan)) {
        code = urlp_headers_append_names(plan->body->trailers, text);
    }
    return code;
}

static struct urlp_span text_between(const struct urlp_buf *text, size_t start, size_t end)
{
    return urlp_span_make(text->data + start, end - start);
}

/* say_of_body sets the values of the fields that tell of the body. */
static void say_of_body(const struct urlp_head_plan *plan, const struct urlp_buf *text,
                        const struct marks *marks, struct urlp_span values[NUM_OWN])
{
    const struct urlp_body_plan *body = plan->body;

    if (is_chunked(plan)) {
        values[OWN_TRANSFER_ENCODING] = urlp_span_of("chunked");
    } else if (says_length(plan)) {
        values[OWN_CONTENT_LENGTH] = text_between(text, marks->length, marks->trailer);
    }
    if (has_body(plan) && body->content_type != NULL) {
        values[OWN_CONTENT_TYPE] = urlp_span_of(body->content_type);
    }
    if (text->len > marks->trailer) {
        values[OWN_TRAILER] = text_between(text, marks->trailer, text->len);
    }
    if (has_content(plan) && body->expect_ms >= 0 && !plan->without_expect) {
        values[OWN_EXPECT] = urlp_span_of("100-continue");
    }
}

/* say_own sets the values of the library's own fields; those without data are not sent. */
static void say_own(const struct urlp_head_plan *plan, const struct urlp_buf *text,
                    const struct marks *marks, struct urlp_span values[NUM_OWN])
{
    values[OWN_HOST] = marks->authority.data != NULL
                           ? marks->authority
                           : text_between(text, marks->host, marks->length);
    if (plan->ask_for_codings && (plan->skip & URLPOOL_SKIP_ACCEPT_ENCODING) == 0) {
        values[OWN_ACCEPT_ENCODING] = urlp_span_of(urlp_connection_accept_encoding());
    }
    if (plan->user_agent != NULL && (plan->skip & URLPOOL_SKIP_USER_AGENT) == 0) {
        values[OWN_USER_AGENT] = urlp_span_of(plan->user_agent);
    }
    if (plan->forwarder != NULL && plan->forwarder->authorization.len > 0) {
        values[OWN_PROXY_AUTHORIZATION] = plan->forwarder->authorization;
    }
    if (plan->authorization.len > 0) {
        values[OWN_AUTHORIZATION] = plan->authorization;
    }
    say_of_body(plan, text, marks, values);
    /* What the caller has said in another way than by a field is left behind like one. */
    for (size_t i = OWN_AUTHORIZATION; plan->is_redirected && i < NUM_OWN; i++) {
        if (is_left_behind(plan, own_names[i])) {
            values[i] = (struct urlp_span){0};
        }
    }
}

/* own_of is the library's own field of that name; NUM_OWN when there is none. */
static size_t own_of(struct urlp_span name)
{
    size_t own = 0;

    while (own < NUM_OWN && !urlp_span_equals_nocase(name, own_names[own])) {
        own++;
    }
    return own;
}

/* is_sent says whether line `i` of `lines` is sent as it stands. The proxy's own are not left
 * behind: they go to nobody else. */
static bool is_sent(const struct urlp_head_plan *plan, const struct lines *lines, size_t i)
{
    return i >= lines->num_given || !is_dropped(plan, lines->fields[i]);
}

/* give_way takes back what the lines say of the library's own; the caller's Host stands in its
 * place. */
static void give_way(const struct urlp_head_plan *plan, const struct lines *lines,
                     struct urlp_span values[NUM_OWN])
{
    for (size_t i = 0; i < lines->num; i++) {
        const size_t own = own_of(lines->fields[i].name);

        if (own == OWN_HOST && !plan->is_redirected) {
            values[OWN_HOST] = lines->fields[i].value;
        } else if (own < NUM_OWN && is_sent(plan, lines, i)) {
            values[own] = (struct urlp_span){0};
        }
    }
}

/* add_proxys adds the proxy's fields, but for those that the caller says himself. */
static void add_proxys(const struct urlp_head_plan *plan, struct lines *lines)
{
    const struct urlpool_headers *headers =
        plan->forwarder != NULL ? plan->forwarder->headers : NULL;
    const size_t num = headers != NULL ? urlpool_headers_count(headers) : 0;

    for (size_t i = 0; i < num; i++) {
        const struct urlp_field field = urlp_headers_field(headers, i);
        size_t same = 0;

        while (same < lines->num_given &&
               (!urlp_span_equals_nocase(lines->fields[same].name, field.name) ||
                !is_sent(plan, lines, same))) {
            same++;
        }
        if (same == lines->num_given) {
            lines->fields[lines->num++] = field;
        }
    }
}

/* put_fields writes the library's fields in front of the others, which lie at the end of the room
 * and close up. */
static void put_fields(struct urlp_head_draft *draft, const struct urlp_head_plan *plan,
                       const struct urlp_span values[NUM_OWN], const struct lines *lines)
{
    size_t num = 0;

    for (size_t i = 0; i < NUM_OWN; i++) {
        if (values[i].data != NULL) {
            draft->fields[num++] = (struct urlp_field){own_names[i], values[i]};
        }
    }
    draft->expects_continue = values[OWN_EXPECT].data != NULL;
    for (size_t i = 0; i < lines->num; i++) {
        if (is_sent(plan, lines, i)) {
            draft->expects_continue |= is_expect_continue(lines->fields[i]);
            draft->fields[num++] = lines->fields[i];
        }
    }
    draft->head.fields = draft->fields;
    draft->head.num_fields = num;
}

static enum urlpool_code take_room(struct urlp_head_draft *draft, size_t num_fields)
{
    if (num_fields > URLP_HEAD_FIELDS_INLINE) {
        draft->fields = urlp_alloc(num_fields * sizeof(*draft->fields));
    }
    return draft->fields != NULL ? URLPOOL_OK : URLPOOL_E_NOMEM;
}

static size_t count_at_most(const struct urlp_head_plan *plan)
{
    const struct urlpool_headers *proxys =
        plan->forwarder != NULL ? plan->forwarder->headers : NULL;

    return NUM_OWN + urlpool_headers_count(plan->given.top) +
           urlpool_headers_count(plan->given.under) + urlpool_headers_count(proxys);
}

enum urlpool_code urlp_head_draft_make(struct urlp_head_draft *draft,
                                       const struct urlp_head_plan *plan, struct urlpool_error *err)
{
    struct urlp_span values[NUM_OWN] = {{0}};
    struct marks marks = {0};
    struct lines lines = {0};
    enum urlpool_code code;

    if (take_room(draft, count_at_most(plan)) != URLPOOL_OK ||
        write_texts(&draft->text, plan, &marks) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    lines.fields = draft->fields + NUM_OWN;
    lines.num_given = urlp_headers_merged_fields(plan->given.under, plan->given.top, lines.fields);
    lines.num = lines.num_given;
    code = check_given(plan, &lines, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    add_proxys(plan, &lines);
    draft->head.method = plan->method;
    draft->head.target =
        marks.target.data != NULL ? marks.target : text_between(&draft->text, 0, marks.host);
    say_own(plan, &draft->text, &marks, values);
    give_way(plan, &lines, values);
    put_fields(draft, plan, values, &lines);
    return URLPOOL_OK;
}

bool urlp_head_plan_is_usual(const struct urlp_head_plan *plan)
{
    return !plan->has_own_headers && plan->skip == 0 && plan->authorization.len == 0 &&
           plan->forwarder == NULL && plan->ask_for_codings && !plan->is_redirected &&
           !has_body(plan) && !is_chunked(plan) && !says_length(plan);
}

bool urlp_head_draft_reuse(struct urlp_head_draft *draft, const struct urlp_head_plan *plan,
                           const struct urlp_ready_fields *ready)
{
    struct urlp_span target;
    struct urlp_span authority;

    if (!urlp_url_shows_target(plan->url, &target) ||
        !urlp_url_shows_authority(plan->url, &authority) ||
        !urlp_span_equals(authority, ready->fields[0].value)) {
        return false;
    }
    draft->head = (struct urlp_request_head){.method = plan->method,
                                             .target = target,
                                             .fields = ready->fields,
                                             .num_fields = ready->num_fields,
                                             .ready = ready};
    return true;
}

void urlp_head_draft_deinit(struct urlp_head_draft *draft)
{
    if (draft->fields != draft->inline_fields) {
        urlp_free(draft->fields);
    }
    urlp_buf_deinit(&draft->text);
    draft->fields = NULL;
}
