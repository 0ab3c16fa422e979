/* From what happened to what follows: the facts of a try are gathered, policy judges.
 *
 * The answer to most requests is final, and costs nothing here that it need not: Retry-After, the
 * clock it is read by, and chance are looked at only for what might be tried again. */

#include "urlpool/status.h"

#include "base/clock.h"
#include "base/random.h"
#include "client/journey.h"
#include "conn/response.h"

static struct urlp_attempt facts_of(const struct urlp_journey *journey)
{
    return (struct urlp_attempt){
        .code = journey->tried.code,
        .method = journey->method,
        .connection_reused = journey->tried.connection_reused,
        .request_bytes_sent = journey->tried.request_bytes_sent,
        .response_bytes_seen = journey->tried.response_bytes_seen,
        .body_can_rewind = urlp_body_plan_can_rewind(&journey->body),
        .expected_continue = journey->tried.expected_continue,
        .status = journey->tried.status,
        .retry_after_ms = -1,
    };
}

/* add_rest adds the facts that only a try which may be made again needs. */
static void add_rest(const struct urlp_journey *journey, struct urlp_attempt *attempt)
{
    attempt->has_idempotency_key =
        urlp_given_headers_get(&journey->given, "Idempotency-Key") != NULL;
    if (journey->retry_rules.backoff_jitter_ms > 0) {
        urlp_random_fill(&attempt->chance, sizeof(attempt->chance));
    }
}

/* retry_after reads what the server asks for: ms, or -1. */
static int64_t retry_after(const struct urlpool_response *response)
{
    size_t num_fields = 0;
    const struct urlp_field *fields = urlp_response_fields(response, &num_fields);
    size_t index = 0;
    const struct urlp_field *field = urlp_fields_find(fields, num_fields, "Retry-After", &index);

    return field != NULL ? urlp_retry_after_parse(field->value, urlp_wall_seconds()) : -1;
}

/* is_plain_success says that nothing but the end follows, whatever the fields say. */
static bool is_plain_success(const struct urlp_journey *journey, int status)
{
    return status / 100 == 2 && journey->retry_rules.status_forcelist[0] == 0;
}

/* judge asks for the verdict, and again when it is a retry for which the origin's budget has no
 * token. */
static struct urlp_verdict judge(struct urlp_journey *journey,
                                 struct urlp_attempt *attempt) URLP_MAY_BLOCK
{
    const struct urlp_origin origin = urlp_origin_of(&journey->url);
    struct urlp_verdict verdict = urlp_verdict_of(&journey->retry_rules, &journey->used, attempt);

    if (verdict.kind == URLP_VERDICT_RETRY &&
        !urlp_origins_take_token(&journey->manager->origins, &origin)) {
        attempt->is_over_budget = true;
        journey->is_over_budget = true;
        URLP_COUNT(&journey->call, retries_withheld, 1);
        return urlp_verdict_of(&journey->retry_rules, &journey->used, attempt);
    }
    return verdict;
}

struct urlp_verdict urlp_journey_judge_failure(struct urlp_journey *journey,
                                               const struct urlpool_error *failure)
{
    struct urlp_attempt attempt = facts_of(journey);

    attempt.cause = failure->cause;
    attempt.proxy_status = failure->http_status;
    add_rest(journey, &attempt);
    return judge(journey, &attempt);
}

/* share_pause lets all threads do what the server asks for in Retry-After, as far as this request
 * would. */
static void share_pause(struct urlp_journey *journey,
                        const struct urlp_attempt *attempt) URLP_MAY_BLOCK
{
    const struct urlp_retry_rules *rules = &journey->retry_rules;
    const struct urlp_origin origin = urlp_origin_of(&journey->url);
    int64_t wait_ms = 0;

    if ((attempt->status == URLPOOL_HTTP_TOO_MANY_REQUESTS ||
         attempt->status == URLPOOL_HTTP_SERVICE_UNAVAILABLE) &&
        urlp_retry_after_bound(rules, attempt->retry_after_ms, &wait_ms)) {
        urlp_origins_pause(&journey->manager->origins, &origin, wait_ms);
    }
}

/* has_ended_well says whether the server has done its work: no failure, no trouble of its own. */
static bool has_ended_well(const struct urlp_verdict *verdict, int status)
{
    return verdict->kind != URLP_VERDICT_RETRY && status < 500 &&
           status != URLPOOL_HTTP_TOO_MANY_REQUESTS;
}

enum urlpool_code urlp_journey_judge_response(struct urlp_journey *journey,
                                              const struct urlpool_response *response,
                                              struct urlp_verdict *out, struct urlpool_error *err)
{
    struct urlp_attempt attempt = facts_of(journey);
    struct urlp_redirect_facts facts = {
        .url = &journey->url,
        .method = journey->method,
        .status = response->status,
        .can_rewind = attempt.body_can_rewind,
    };
    enum urlpool_code code;

    facts.fields = urlp_response_fields(response, &facts.num_fields);
    code = urlp_redirect_judge(&journey->redirect_rules, &facts, &journey->redirect,
                               &journey->next_url, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    attempt.is_redirect = journey->redirect.follow;
    if (!is_plain_success(journey, response->status)) {
        attempt.retry_after_ms = retry_after(response);
        attempt.says_close =
            urlp_fields_have_token(facts.fields, facts.num_fields, "Connection", "close");
        add_rest(journey, &attempt);
        share_pause(journey, &attempt);
    }
    *out = judge(journey, &attempt);
    if (has_ended_well(out, response->status)) {
        const struct urlp_origin origin = urlp_origin_of(&journey->url);

        urlp_origins_note_success(&journey->manager->origins, &origin);
    }
    return URLPOOL_OK;
}
