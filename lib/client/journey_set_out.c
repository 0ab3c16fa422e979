/* What is settled before anything is tried: options become numbers, method and URL are checked, the
 * body's length is known, the total deadline begins. */

#include "base/clock.h"
#include "base/count.h"
#include "base/error.h"
#include "base/option.h"
#include "client/journey.h"
#include "client/request_fields.h"
#include "http/basic_auth.h"
#include "http/method.h"

/* check_bits refuses bits that this version does not know. */
static enum urlpool_code check_bits(const struct urlpool_request_options *options,
                                    struct urlpool_error *err)
{
    if ((options->skip | options->redirect_schemes | options->keep_post) == 0) {
        return URLPOOL_OK;
    }

    const struct {
        const char *name;
        unsigned given, known;
    } fields[] = {
        {"skip",             options->skip,
         URLPOOL_SKIP_HOST | URLPOOL_SKIP_ACCEPT_ENCODING | URLPOOL_SKIP_USER_AGENT               },
        {"redirect_schemes", options->redirect_schemes, URLPOOL_SCHEME_HTTP | URLPOOL_SCHEME_HTTPS},
        {"keep_post",        options->keep_post,
         URLPOOL_KEEP_POST_301 | URLPOOL_KEEP_POST_302 | URLPOOL_KEEP_POST_303                    },
    };

    for (size_t i = 0; i < URLP_COUNT_OF(fields); i++) {
        if ((fields[i].given & ~fields[i].known) != 0) {
            return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                             "%s is 0x%x and 0x%x is known", fields[i].name, fields[i].given,
                             fields[i].known);
        }
    }
    return URLPOOL_OK;
}

static enum urlpool_code check_method(struct urlp_span method, struct urlpool_error *err)
{
    if (!urlp_method_is_valid(method)) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE, "method \"%s\" is no token",
                         urlp_quote(method.data, method.len).text);
    }
    if (urlp_span_is(method, "CONNECT")) {
        return urlp_fail(
            err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
            "CONNECT makes a tunnel, not a request: see urlpool_connection_set_tunnel");
    }
    return URLPOOL_OK;
}

/* check_into refuses memory for a body that there is not, or that nothing is read into. */
static enum urlpool_code check_into(const struct urlpool_request_options *options,
                                    struct urlpool_error *err)
{
    if (options->into.buf == NULL && options->into.len > 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "into.buf is NULL");
    }
    if (options->stream && (options->into.buf != NULL || options->keep_partial)) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "into and keep_partial are for bodies that are not streamed");
    }
    return URLPOOL_OK;
}

/* resolve_rules settles time limits, retries and redirects. Most requests say nothing of them. */
static enum urlpool_code resolve_rules(struct urlp_journey *journey, struct urlpool_error *err)
{
    const struct urlpool_request_options *options = journey->options;
    const struct urlpool_manager *manager = journey->manager;
    const size_t start = offsetof(struct urlpool_request_options, timeout);
    const size_t end = offsetof(struct urlpool_request_options, stream);
    enum urlpool_code code;

    if (urlp_option_is_unset((const unsigned char *)options + start, end - start)) {
        journey->timeout = manager->timeout;
        journey->retry_rules = manager->retries;
        return URLPOOL_OK;
    }
    code = urlp_timeout_resolve(&options->timeout, &manager->timeout, &journey->timeout, err);
    if (code == URLPOOL_OK) {
        code = urlp_retry_resolve(&options->retries, &manager->retries, &journey->retry_rules, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve_int("redirects_max", options->redirects_max,
                                       manager->retries.redirects_max,
                                       &journey->retry_rules.redirects_max, err);
    }
    journey->redirect_rules.return_redirects = options->return_redirects;
    journey->redirect_rules.allow_downgrade = options->allow_downgrade;
    journey->redirect_rules.schemes = options->redirect_schemes;
    journey->redirect_rules.keep_post = options->keep_post;
    return code;
}

/* resolve_options turns the caller's options and the manager's into the journey's numbers. */
static enum urlpool_code resolve_options(struct urlp_journey *journey, struct urlpool_error *err)
{
    const struct urlpool_request_options *options = journey->options;
    enum urlpool_code code = urlp_option_check_reserved("request options", options->reserved,
                                                        sizeof(options->reserved), err);
    if (code == URLPOOL_OK) {
        code = urlp_option_check_reserved("trace", options->trace.reserved,
                                          sizeof(options->trace.reserved), err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_check_reserved("into", options->into.reserved,
                                          sizeof(options->into.reserved), err);
    }
    if (code == URLPOOL_OK) {
        code = resolve_rules(journey, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve("data_bytes_max", options->data_bytes_max,
                                   journey->manager->data_bytes_max, &journey->data_bytes_max, err);
    }
    if (code == URLPOOL_OK) {
        code = check_bits(options, err);
    }
    return code == URLPOOL_OK ? check_into(options, err) : code;
}

/* resolve_body learns what the body is and how it will be sent, before a connection is taken for
 * it. */
static enum urlpool_code resolve_body(struct urlp_journey *journey, struct urlpool_error *err)
{
    const struct urlpool_request_options *options = journey->options;
    struct urlpool_body body;
    enum urlpool_code code;

    if (options->body.kind == URLPOOL_BODY_NONE && options->fields == NULL) {
        return urlp_option_check_reserved("body", options->body.reserved,
                                          sizeof(options->body.reserved), err);
    }
    code = urlp_fields_place(options, journey->method, &journey->url, &body, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    body.chunked |= urlp_given_headers_ask_for_chunked(&journey->given);
    body.expect_continue |= urlp_given_headers_expect_continue(&journey->given);
    return urlp_body_plan_make(&journey->body, &body, err);
}

enum urlpool_code urlp_journey_set_out(struct urlp_journey *journey, const char *method,
                                       const char *url, struct urlpool_error *err)
{
    const int64_t now_ns = urlp_now_ns();
    enum urlpool_code code = resolve_options(journey, err);
    struct urlpool_deadline total_by;

    if (code != URLPOOL_OK) {
        return code;
    }
    journey->method = urlp_span_of(method);
    journey->given = urlp_given_headers_of(journey->options->headers, journey->manager->headers,
                                           journey->options->merge_headers);
    if (journey->options->trace.event != NULL) {
        journey->trace = &journey->options->trace;
    } else if (journey->manager->trace.event != NULL) {
        journey->trace = &journey->manager->trace;
    }
    urlp_marks_begin(&journey->marks, now_ns);
    total_by = urlp_deadline_after(now_ns, journey->timeout.total_ms);
    journey->call = (struct urlp_call){.by = total_by,
                                       .total_by = total_by,
                                       .cancel = journey->options->cancel,
                                       .trace = journey->trace,
                                       .marks = &journey->marks};
    code = check_method(journey->method, err);
    if (code == URLPOOL_OK) {
        code = urlp_url_parse(urlp_span_of(url), &journey->url, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_basic_auth_append_userinfo(journey->url.userinfo, &journey->authorization, err);
    }
    return code == URLPOOL_OK ? resolve_body(journey, err) : code;
}
