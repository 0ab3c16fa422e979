/* curl's numbers for the library's codes. */

#include <string.h>

#include "exit_code.h"
#include "support/run_tests.h"

static enum pf_exit exit_of(enum urlpool_code code, enum urlpool_phase phase)
{
    const struct urlpool_error err = {.code = code, .phase = phase};

    return pf_exit_of(&err);
}

START_TEST(exit_code__every_code_in_every_phase_has_a_number_with_a_name)
{
    int num_codes = 0;

    for (int code = 1; code < 256; code++) {
        if (strcmp(urlpool_code_name((enum urlpool_code)code), "URLPOOL_E_UNKNOWN") == 0) {
            continue;
        }
        num_codes++;
        for (int phase = URLPOOL_PHASE_NONE; phase <= URLPOOL_PHASE_REDIRECT; phase++) {
            enum pf_exit number = exit_of((enum urlpool_code)code, (enum urlpool_phase)phase);

            ck_assert_int_gt(number, PF_EXIT_OK);
            ck_assert_int_lt(number, PF_EXIT_NUM);
            ck_assert_msg(pf_exit_name(number)[0] != '\0', "%d has no name", number);
        }
    }
    ck_assert_int_gt(num_codes, 40);
}
END_TEST

START_TEST(exit_code__is_that_of_curl)
{
    static const struct {
        enum urlpool_code code;
        enum urlpool_phase phase;
        int number;
    } cases[] = {
        {URLPOOL_E_RESOLVE,             URLPOOL_PHASE_RESOLVE, 6 },
        {URLPOOL_E_CONNECT,             URLPOOL_PHASE_CONNECT, 7 },
        {URLPOOL_E_TOTAL_TIMEOUT,       URLPOOL_PHASE_BODY,    28},
        {URLPOOL_E_POOL_TIMEOUT,        URLPOOL_PHASE_POOL,    28},
        {URLPOOL_E_TLS,                 URLPOOL_PHASE_TLS,     35},
        {URLPOOL_E_TLS,                 URLPOOL_PHASE_BODY,    56},
        {URLPOOL_E_RESET,               URLPOOL_PHASE_TLS,     35},
        {URLPOOL_E_RESET,               URLPOOL_PHASE_SEND,    55},
        {URLPOOL_E_RESET,               URLPOOL_PHASE_HEAD,    56},
        {URLPOOL_E_REMOTE_DISCONNECTED, URLPOOL_PHASE_HEAD,    52},
        {URLPOOL_E_INCOMPLETE_READ,     URLPOOL_PHASE_BODY,    18},
        {URLPOOL_E_INCOMPLETE_READ,     URLPOOL_PHASE_HEAD,    56},
        {URLPOOL_E_TLS_EXPIRED,         URLPOOL_PHASE_TLS,     60},
        {URLPOOL_E_TLS_CA_FILE,         URLPOOL_PHASE_NONE,    77},
        {URLPOOL_E_TLS_CLIENT_CERT,     URLPOOL_PHASE_NONE,    58},
        {URLPOOL_E_TLS_KEY_PASSWORD,    URLPOOL_PHASE_NONE,    58},
        {URLPOOL_E_TLS_PIN,             URLPOOL_PHASE_TLS,     90},
        {URLPOOL_E_NOMEM,               URLPOOL_PHASE_NONE,    27},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg((int)exit_of(cases[i].code, cases[i].phase) == cases[i].number, "%s: %d",
                      urlpool_code_name(cases[i].code), exit_of(cases[i].code, cases[i].phase));
    }
}
END_TEST

START_TEST(exit_code__looks_at_what_lay_beneath)
{
    const struct urlpool_error retries = {.code = URLPOOL_E_MAX_RETRIES,
                                          .cause = URLPOOL_E_CONNECT};
    const struct urlpool_error scheme = {.code = URLPOOL_E_REDIRECT, .cause = URLPOOL_E_SCHEME};
    const struct urlpool_error refused = {.code = URLPOOL_E_REDIRECT};

    ck_assert_int_eq(pf_exit_of(&retries), 7);
    ck_assert_int_eq(pf_exit_of(&scheme), 1);
    ck_assert_int_eq(pf_exit_of(&refused), 47);
}
END_TEST

START_TEST(exit_code__of_a_proxy_says_what_failed_there)
{
    static const struct {
        enum urlpool_code cause;
        int status, number;
    } cases[] = {
        {URLPOOL_E_RESOLVE,             0,   5 },
        {URLPOOL_E_CONNECT,             0,   7 },
        {URLPOOL_E_CONNECT_TIMEOUT,     0,   28},
        {URLPOOL_E_TLS,                 0,   35},
        {URLPOOL_E_TLS_VERIFY,          0,   60},
        {URLPOOL_E_TLS_PIN,             0,   90},
        {URLPOOL_E_REMOTE_DISCONNECTED, 0,   56},
        {URLPOOL_OK,                    407, 56},
        {URLPOOL_OK,                    0,   97},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct urlpool_error err = {.code = URLPOOL_E_PROXY,
                                          .phase = URLPOOL_PHASE_PROXY,
                                          .cause = cases[i].cause,
                                          .http_status = cases[i].status};

        ck_assert_int_eq(pf_exit_of(&err), cases[i].number);
    }
}
END_TEST

RUN_TESTS("pooled-fetch exit code", exit_code__every_code_in_every_phase_has_a_number_with_a_name,
          exit_code__is_that_of_curl, exit_code__looks_at_what_lay_beneath,
          exit_code__of_a_proxy_says_what_failed_there)
