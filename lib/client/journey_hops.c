/* From one hop to the next: the URL moves on, what a redirect takes away is gone for good, the body
 * is back at its first byte. */

#include "client/journey.h"

enum urlpool_code urlp_journey_go_on(struct urlp_journey *journey,
                                     const struct urlp_redirect *redirect,
                                     struct urlpool_error *err)
{
    struct urlp_url done = journey->url;
    struct urlp_buf text = {0};

    journey->url = journey->next_url;
    journey->next_url = done; /* its memory serves the next hop */
    journey->num_redirects++;
    journey->cross_origin |= redirect->cross_origin;
    URLP_COUNT(&journey->call, redirects, 1);
    if (journey->trace != NULL &&
        urlp_url_append_without_secrets(&journey->url, &text) == URLPOOL_OK) {
        urlp_call_trace(&journey->call, URLPOOL_TRACE_REDIRECT, (const char *)text.data, text.len,
                        journey->last_status);
    }
    urlp_buf_deinit(&text);
    if (redirect->to_get) {
        journey->to_get = true;
        journey->method = urlp_span_of("GET");
        urlp_body_plan_deinit(&journey->body);
        return URLPOOL_OK;
    }
    return urlp_body_plan_rewind(&journey->body, err);
}
