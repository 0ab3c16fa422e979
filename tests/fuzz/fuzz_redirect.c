/* Where a response leads. Whatever the head says, a redirect that is followed goes to http or https
 * as the caller's rules have it, never with a user or password of the Location's, never from https
 * to http unless that is allowed, and is of another origin exactly when scheme, host or port
 * differ. An input is three bytes of choices, a line with the URL asked for, and the field lines.
 */

#include "urlpool/retry.h"

#include "fuzz/input.h"
#include "fuzz/url_checks.h"
#include "http/route.h"
#include "policy/redirect.h"

#define FIELDS_MAX 16

enum {
    CHOICE_RETURN = 1,
    CHOICE_DOWNGRADE = 2,
    CHOICE_REWIND = 4,
    CHOICE_SCHEMES = 0x18,
    CHOICE_KEEP_POST = 0xe0
};

static size_t take_fields(struct fuzz_input *input, struct urlp_field *out)
{
    size_t num = 0;

    while (input->len > 0 && num < FIELDS_MAX) {
        const struct urlp_span line = fuzz_line(input);
        const char *colon = line.len == 0 ? NULL : memchr(line.data, ':', line.len);
        const size_t len = colon == NULL ? 0 : (size_t)(colon - line.data);

        if (colon == NULL) {
            out[num].name = urlp_span_of("Location");
            out[num++].value = line;
            continue;
        }
        out[num].name = urlp_span_make(line.data, len);
        out[num++].value = urlp_span_trim(urlp_span_make(colon + 1, line.len - len - 1));
    }
    return num;
}

static bool is_redirect_status(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void check_followed(const struct urlp_redirect_rules *rules,
                           const struct urlp_redirect_facts *facts,
                           const struct urlp_redirect *verdict, const struct urlp_url *next)
{
    const struct urlp_span text = urlp_span_make(next->text.data, next->text.len);
    const bool is_https = urlp_url_is_https(next);
    const struct urlp_origin from = urlp_origin_of(facts->url);
    const struct urlp_origin to = urlp_origin_of(next);

    fuzz_check_url(next);
    fuzz_require(is_redirect_status(facts->status) && !rules->return_redirects,
                 "a redirect that is none", text);
    fuzz_require(urlp_url_require_http(next, NULL) == URLPOOL_OK, "no request can be made of it",
                 text);
    fuzz_require(is_https || rules->allow_downgrade || !urlp_url_is_https(facts->url),
                 "from https to http", text);
    fuzz_require(rules->schemes == 0 ||
                     (rules->schemes &
                      (unsigned)(is_https ? URLPOOL_SCHEME_HTTPS : URLPOOL_SCHEME_HTTP)) != 0,
                 "a scheme that is not allowed", text);
    fuzz_require(next->userinfo.data == NULL ||
                     urlp_span_equals(next->userinfo, facts->url->userinfo),
                 "a user of the Location's", text);
    fuzz_require(next->userinfo.data == NULL || !verdict->cross_origin,
                 "a user that goes to another origin", text);
    fuzz_require(verdict->cross_origin != urlp_origin_equals(&from, &to), "another origin", text);
    fuzz_require(verdict->to_get || facts->can_rewind, "a body that cannot be sent again", text);
    fuzz_require(!verdict->to_get || (facts->status < 304 && !urlp_span_is(facts->method, "HEAD")),
                 "a method that changes", text);
    fuzz_require(next->fragment.data != NULL || facts->url->fragment.data == NULL,
                 "a fragment that is lost", text);
}

static void judge(const struct urlp_redirect_rules *rules, const struct urlp_redirect_facts *facts)
{
    struct urlp_url next = {0};
    struct urlp_url again = {0};
    struct urlp_redirect verdict = {.cross_origin = true};
    struct urlp_redirect second = {0};
    struct urlpool_error err = {0};
    const struct urlp_span text = urlp_span_make(facts->url->text.data, facts->url->text.len);
    enum urlpool_code code = urlp_redirect_judge(rules, facts, &verdict, &next, &err);

    fuzz_require(code == urlp_redirect_judge(rules, facts, &second, &again, NULL),
                 "two verdicts on the same facts", text);
    if (code != URLPOOL_OK) {
        fuzz_require(code == URLPOOL_E_REDIRECT && err.phase == URLPOOL_PHASE_REDIRECT &&
                         err.http_status == facts->status && err.message[0] != '\0',
                     "a refusal that does not say what it is", text);
        fuzz_require(verdict.cross_origin && !verdict.follow, "a verdict beside a refusal", text);
    } else if (verdict.follow) {
        check_followed(rules, facts, &verdict, &next);
        fuzz_check_same(&next, &again);
    }
    urlp_url_deinit(&next);
    urlp_url_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {301, 302, 303, 307, 308, 300, 304, 305, 200, 306};
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "OPTIONS", "get"};
    struct fuzz_input input = {data, size};
    const uint8_t choices = fuzz_byte(&input);
    const int status = statuses[fuzz_below(&input, sizeof(statuses) / sizeof(statuses[0]))];
    const char *method = methods[fuzz_below(&input, sizeof(methods) / sizeof(methods[0]))];
    const struct urlp_redirect_rules rules = {
        .return_redirects = (choices & (CHOICE_RETURN | CHOICE_KEEP_POST)) == CHOICE_RETURN,
        .allow_downgrade = (choices & CHOICE_DOWNGRADE) != 0,
        .schemes = (unsigned)(choices & CHOICE_SCHEMES) >> 3,
        .keep_post = (unsigned)(choices & CHOICE_KEEP_POST) >> 5,
    };
    struct urlp_url url = {0};
    struct urlp_field fields[FIELDS_MAX];
    struct urlp_redirect_facts facts = {.url = &url,
                                        .method = urlp_span_of(method),
                                        .status = status,
                                        .fields = fields,
                                        .can_rewind = (choices & CHOICE_REWIND) != 0};

    if (urlp_url_parse(fuzz_line(&input), &url, NULL) == URLPOOL_OK &&
        urlp_url_require_http(&url, NULL) == URLPOOL_OK) {
        facts.num_fields = take_fields(&input, fields);
        judge(&rules, &facts);
        for (size_t i = 0; i < facts.num_fields; i++) {
            (void)urlp_redirect_drops(fields[i].name, "Authorization, Cookie", (choices & 4) != 0);
            fuzz_require(!urlp_span_is_nocase(fields[i].name, "cookie") ||
                             urlp_redirect_drops(fields[i].name, "Authorization, Cookie", false),
                         "a name in the list that stays", fields[i].name);
        }
    }
    urlp_url_deinit(&url);
    return 0;
}
