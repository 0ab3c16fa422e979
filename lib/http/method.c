/* What is known of a request method by its name. Extension methods are sent like any other, but
 * nothing good is presumed of them. */

#include "http/method.h"

#include "base/count.h"

static const char *const idempotent_methods[] = {"GET",    "HEAD",    "PUT",
                                                 "DELETE", "OPTIONS", "TRACE"};
static const char *const body_methods[] = {"POST", "PUT", "PATCH"};

static bool is_one_of(struct urlp_span method, const char *const *names, size_t num_names)
{
    for (size_t i = 0; i < num_names; i++) {
        if (urlp_span_is(method, names[i])) {
            return true;
        }
    }
    return false;
}

bool urlp_method_is_idempotent(struct urlp_span method)
{
    return is_one_of(method, idempotent_methods, URLP_COUNT_OF(idempotent_methods));
}

bool urlp_method_expects_body(struct urlp_span method)
{
    return is_one_of(method, body_methods, URLP_COUNT_OF(body_methods));
}
