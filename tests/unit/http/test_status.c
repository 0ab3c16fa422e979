/* Reason phrases of the registry, and silence about the rest. */

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "urlpool/status.h"

#include "support/count_of.h"
#include "support/run_tests.h"

static const int registered[] = {
    100, 101, 102, 103, 104, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300,
    301, 302, 303, 304, 305, 306, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407,
    408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425,
    426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511,
};

static bool is_registered(int status)
{
    for (size_t i = 0; i < COUNT_OF(registered); i++) {
        if (registered[i] == status) {
            return true;
        }
    }
    return false;
}

START_TEST(reason__is_known_for_the_whole_registry_and_no_more)
{
    for (int status = -10; status < 1100; status++) {
        const char *reason = urlpool_http_reason(status);

        ck_assert_ptr_nonnull(reason);
        ck_assert_msg((reason[0] != '\0') == is_registered(status), "%d: \"%s\"", status, reason);
    }
    ck_assert_str_eq(urlpool_http_reason(INT_MAX), "");
    ck_assert_str_eq(urlpool_http_reason(INT_MIN), "");
}
END_TEST

START_TEST(reason__is_the_registered_phrase)
{
    static const struct {
        int status;
        const char *reason;
    } cases[] = {
        {URLPOOL_HTTP_OK,                              "OK"                             },
        {URLPOOL_HTTP_EARLY_HINTS,                     "Early Hints"                    },
        {URLPOOL_HTTP_NON_AUTHORITATIVE_INFORMATION,   "Non-Authoritative Information"  },
        {URLPOOL_HTTP_IM_USED,                         "IM Used"                        },
        {URLPOOL_HTTP_UNUSED_306,                      "(Unused)"                       },
        {URLPOOL_HTTP_NOT_FOUND,                       "Not Found"                      },
        {URLPOOL_HTTP_CONTENT_TOO_LARGE,               "Content Too Large"              },
        {URLPOOL_HTTP_REQUEST_ENTITY_TOO_LARGE,        "Content Too Large"              },
        {URLPOOL_HTTP_URI_TOO_LONG,                    "URI Too Long"                   },
        {URLPOOL_HTTP_RANGE_NOT_SATISFIABLE,           "Range Not Satisfiable"          },
        {URLPOOL_HTTP_IM_A_TEAPOT,                     "I'm a Teapot"                   },
        {URLPOOL_HTTP_MISDIRECTED_REQUEST,             "Misdirected Request"            },
        {URLPOOL_HTTP_UNPROCESSABLE_CONTENT,           "Unprocessable Content"          },
        {URLPOOL_HTTP_TOO_EARLY,                       "Too Early"                      },
        {URLPOOL_HTTP_UNAVAILABLE_FOR_LEGAL_REASONS,   "Unavailable For Legal Reasons"  },
        {URLPOOL_HTTP_HTTP_VERSION_NOT_SUPPORTED,      "HTTP Version Not Supported"     },
        {URLPOOL_HTTP_VARIANT_ALSO_NEGOTIATES,         "Variant Also Negotiates"        },
        {URLPOOL_HTTP_LOOP_DETECTED,                   "Loop Detected"                  },
        {URLPOOL_HTTP_NETWORK_AUTHENTICATION_REQUIRED, "Network Authentication Required"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ck_assert_str_eq(urlpool_http_reason(cases[i].status), cases[i].reason);
    }
}
END_TEST

START_TEST(reason__names_no_two_statuses_alike)
{
    for (size_t i = 0; i < COUNT_OF(registered); i++) {
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(urlpool_http_reason(registered[i]),
                             urlpool_http_reason(registered[j]));
        }
    }
}
END_TEST

RUN_TESTS("status", reason__is_known_for_the_whole_registry_and_no_more,
          reason__is_the_registered_phrase, reason__names_no_two_statuses_alike)
