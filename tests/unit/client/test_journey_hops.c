/* What the caller is told when the retries are used up. */

#include <string.h>

#include "base/error.h"
#include "client/journey.h"
#include "support/run_tests.h"

/* refused is a failure of the last try. */
static struct urlpool_error refused(void)
{
    struct urlpool_error err;

    (void)urlp_fail_errno(&err, URLPOOL_E_CONNECT, URLPOOL_PHASE_CONNECT, 111, "connect to h:1");
    err.tls_code = 7;
    err.http_status = 503;
    return err;
}

START_TEST(out_of_retries__keeps_what_the_last_failure_said)
{
    const struct urlp_journey journey = {
        .tried = {.code = URLPOOL_E_CONNECT},
        .used = { .total = 9, .connect = 1, .read = 1, .status = 1, .other = 1, .redirect = 5}
    };
    struct urlpool_error err = refused();

    ck_assert_int_eq(urlp_journey_out_of_retries(&journey, &err), URLPOOL_E_MAX_RETRIES);
    ck_assert_int_eq(err.code, URLPOOL_E_MAX_RETRIES);
    ck_assert_int_eq(err.cause, URLPOOL_E_CONNECT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert_int_eq(err.os_errno, 111);
    ck_assert_uint_eq(err.tls_code, 7);
    ck_assert_int_eq(err.http_status, 503);
    ck_assert_str_eq(err.message, "4 retries used up: connect to h:1: Connection refused");
}
END_TEST

START_TEST(out_of_retries__counts_one_as_one)
{
    const struct urlp_journey journey = {.tried = {.code = URLPOOL_E_CONNECT},
                                         .used = {.connect = 1}};
    struct urlpool_error err = refused();

    (void)urlp_journey_out_of_retries(&journey, &err);
    ck_assert_ptr_eq(strstr(err.message, "1 retry used up: "), err.message);
}
END_TEST

START_TEST(out_of_retries__cuts_a_message_that_is_too_long)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    const struct urlp_journey journey = {.tried = {.code = URLPOOL_E_TLS}, .used = {.other = 3}};
    struct urlpool_error err;
    size_t len;

    for (size_t i = 0; i < sizeof(err.message); i++) {
        char text[sizeof(err.message)];

        /* A character of two bytes ends up at each place. */
        memset(text, 'x', sizeof(text));
        memcpy(text + (i < 2 ? 0 : i - 2), "\xc3\xa9", 2);
        text[sizeof(text) - 1] = '\0';
        (void)urlp_fail(&err, URLPOOL_E_TLS, URLPOOL_PHASE_TLS, "%s", text);
        (void)urlp_journey_out_of_retries(&journey, &err);
        len = strlen(err.message);
        ck_assert_ptr_eq(strstr(err.message, "3 retries used up: "), err.message);
        ck_assert_uint_le(len, sizeof(err.message) - 1);
        ck_assert_str_eq(err.message + len - strlen(ellipsis), ellipsis);
        ck_assert_int_ne((unsigned char)err.message[len - strlen(ellipsis) - 1], 0xc3);
    }
}
END_TEST

START_TEST(out_of_retries__of_a_status_names_it)
{
    const struct urlp_journey journey = {.tried = {.status = 503}, .used = {.status = 2}};
    struct urlpool_error err = refused(); /* of an earlier try */

    ck_assert_int_eq(urlp_journey_out_of_retries(&journey, &err), URLPOOL_E_MAX_RETRIES);
    ck_assert_int_eq(err.code, URLPOOL_E_MAX_RETRIES);
    ck_assert_int_eq(err.cause, URLPOOL_OK);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_HEAD);
    ck_assert_int_eq(err.os_errno, 0);
    ck_assert_str_eq(err.message, "2 retries used up: status 503");
}
END_TEST

RUN_TESTS("journey hops", out_of_retries__keeps_what_the_last_failure_said,
          out_of_retries__counts_one_as_one, out_of_retries__cuts_a_message_that_is_too_long,
          out_of_retries__of_a_status_names_it)
