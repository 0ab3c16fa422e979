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

/* The names of http.client and their numbers. */
static const struct {
    enum urlpool_http_status status;
    int number;
} of_http_client[] = {
    {URLPOOL_HTTP_CONTINUE,                        100},
    {URLPOOL_HTTP_SWITCHING_PROTOCOLS,             101},
    {URLPOOL_HTTP_PROCESSING,                      102},
    {URLPOOL_HTTP_EARLY_HINTS,                     103},
    {URLPOOL_HTTP_OK,                              200},
    {URLPOOL_HTTP_CREATED,                         201},
    {URLPOOL_HTTP_ACCEPTED,                        202},
    {URLPOOL_HTTP_NON_AUTHORITATIVE_INFORMATION,   203},
    {URLPOOL_HTTP_NO_CONTENT,                      204},
    {URLPOOL_HTTP_RESET_CONTENT,                   205},
    {URLPOOL_HTTP_PARTIAL_CONTENT,                 206},
    {URLPOOL_HTTP_MULTI_STATUS,                    207},
    {URLPOOL_HTTP_ALREADY_REPORTED,                208},
    {URLPOOL_HTTP_IM_USED,                         226},
    {URLPOOL_HTTP_MULTIPLE_CHOICES,                300},
    {URLPOOL_HTTP_MOVED_PERMANENTLY,               301},
    {URLPOOL_HTTP_FOUND,                           302},
    {URLPOOL_HTTP_SEE_OTHER,                       303},
    {URLPOOL_HTTP_NOT_MODIFIED,                    304},
    {URLPOOL_HTTP_USE_PROXY,                       305},
    {URLPOOL_HTTP_TEMPORARY_REDIRECT,              307},
    {URLPOOL_HTTP_PERMANENT_REDIRECT,              308},
    {URLPOOL_HTTP_BAD_REQUEST,                     400},
    {URLPOOL_HTTP_UNAUTHORIZED,                    401},
    {URLPOOL_HTTP_PAYMENT_REQUIRED,                402},
    {URLPOOL_HTTP_FORBIDDEN,                       403},
    {URLPOOL_HTTP_NOT_FOUND,                       404},
    {URLPOOL_HTTP_METHOD_NOT_ALLOWED,              405},
    {URLPOOL_HTTP_NOT_ACCEPTABLE,                  406},
    {URLPOOL_HTTP_PROXY_AUTHENTICATION_REQUIRED,   407},
    {URLPOOL_HTTP_REQUEST_TIMEOUT,                 408},
    {URLPOOL_HTTP_CONFLICT,                        409},
    {URLPOOL_HTTP_GONE,                            410},
    {URLPOOL_HTTP_LENGTH_REQUIRED,                 411},
    {URLPOOL_HTTP_PRECONDITION_FAILED,             412},
    {URLPOOL_HTTP_CONTENT_TOO_LARGE,               413},
    {URLPOOL_HTTP_REQUEST_ENTITY_TOO_LARGE,        413},
    {URLPOOL_HTTP_REQUEST_URI_TOO_LONG,            414},
    {URLPOOL_HTTP_URI_TOO_LONG,                    414},
    {URLPOOL_HTTP_UNSUPPORTED_MEDIA_TYPE,          415},
    {URLPOOL_HTTP_RANGE_NOT_SATISFIABLE,           416},
    {URLPOOL_HTTP_REQUESTED_RANGE_NOT_SATISFIABLE, 416},
    {URLPOOL_HTTP_EXPECTATION_FAILED,              417},
    {URLPOOL_HTTP_IM_A_TEAPOT,                     418},
    {URLPOOL_HTTP_MISDIRECTED_REQUEST,             421},
    {URLPOOL_HTTP_UNPROCESSABLE_CONTENT,           422},
    {URLPOOL_HTTP_UNPROCESSABLE_ENTITY,            422},
    {URLPOOL_HTTP_LOCKED,                          423},
    {URLPOOL_HTTP_FAILED_DEPENDENCY,               424},
    {URLPOOL_HTTP_TOO_EARLY,                       425},
    {URLPOOL_HTTP_UPGRADE_REQUIRED,                426},
    {URLPOOL_HTTP_PRECONDITION_REQUIRED,           428},
    {URLPOOL_HTTP_TOO_MANY_REQUESTS,               429},
    {URLPOOL_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, 431},
    {URLPOOL_HTTP_UNAVAILABLE_FOR_LEGAL_REASONS,   451},
    {URLPOOL_HTTP_INTERNAL_SERVER_ERROR,           500},
    {URLPOOL_HTTP_NOT_IMPLEMENTED,                 501},
    {URLPOOL_HTTP_BAD_GATEWAY,                     502},
    {URLPOOL_HTTP_SERVICE_UNAVAILABLE,             503},
    {URLPOOL_HTTP_GATEWAY_TIMEOUT,                 504},
    {URLPOOL_HTTP_HTTP_VERSION_NOT_SUPPORTED,      505},
    {URLPOOL_HTTP_VARIANT_ALSO_NEGOTIATES,         506},
    {URLPOOL_HTTP_INSUFFICIENT_STORAGE,            507},
    {URLPOOL_HTTP_LOOP_DETECTED,                   508},
    {URLPOOL_HTTP_NOT_EXTENDED,                    510},
    {URLPOOL_HTTP_NETWORK_AUTHENTICATION_REQUIRED, 511},
};

START_TEST(status__has_the_number_of_its_name_in_http_client)
{
    for (size_t i = 0; i < COUNT_OF(of_http_client); i++) {
        ck_assert_int_eq(of_http_client[i].status, of_http_client[i].number);
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
          reason__is_the_registered_phrase, status__has_the_number_of_its_name_in_http_client,
          reason__names_no_two_statuses_alike)
