/* The headers that a caller has given for a request, in two places: with the request, and with its
 * manager. They are looked at where they are; that one is set on top of the other is a matter of
 * the order in which they are asked. */

#include "client/given_headers.h"

#include "base/span.h"

struct urlp_given_headers urlp_given_headers_of(const struct urlpool_headers *own,
                                                const struct urlpool_headers *managers, bool merge)
{
    return (struct urlp_given_headers){.top = own != NULL ? own : managers,
                                       .under = own != NULL && merge ? managers : NULL};
}

const char *urlp_given_headers_get(const struct urlp_given_headers *given, const char *name)
{
    const char *value = urlpool_headers_get(given->top, name);

    return value != NULL ? value : urlpool_headers_get(given->under, name);
}

static bool say(const struct urlp_given_headers *given, const char *name, const char *value)
{
    const char *said = urlp_given_headers_get(given, name);

    return said != NULL && urlp_span_is_nocase(urlp_span_of(said), value);
}

bool urlp_given_headers_ask_for_chunked(const struct urlp_given_headers *given)
{
    return say(given, "Transfer-Encoding", "chunked");
}

bool urlp_given_headers_expect_continue(const struct urlp_given_headers *given)
{
    return say(given, "Expect", "100-continue");
}
