/* The table of moves, from outside: which requests may follow which, and that nothing else moves.
 */

#include "h1/state.h"
#include "support/run_tests.h"

START_TEST(state__lets_a_request_begin_only_when_both_sides_are_done)
{
    ck_assert_int_eq(urlp_h1_state_after(URLP_H1_CLIENT, URLP_H1_IDLE, URLP_H1_SAW_REQUEST),
                     URLP_H1_SENDING);
    ck_assert_int_eq(urlp_h1_state_after(URLP_H1_CLIENT, URLP_H1_DONE, URLP_H1_SAW_REQUEST),
                     URLP_H1_SENDING);
    ck_assert_int_eq(urlp_h1_state_after(URLP_H1_CLIENT, URLP_H1_SENDING, URLP_H1_SAW_REQUEST),
                     URLP_H1_ERROR);
    ck_assert_int_eq(urlp_h1_state_after(URLP_H1_SERVER, URLP_H1_OWES_HEAD, URLP_H1_SAW_REQUEST),
                     URLP_H1_ERROR);
    ck_assert_int_eq(urlp_h1_state_after(URLP_H1_SERVER, URLP_H1_SENDING, URLP_H1_SAW_REQUEST),
                     URLP_H1_ERROR);
    ck_assert_int_eq(urlp_h1_state_after(URLP_H1_SERVER, URLP_H1_MUST_CLOSE, URLP_H1_SAW_REQUEST),
                     URLP_H1_ERROR);
    ck_assert_int_eq(urlp_h1_state_after(URLP_H1_SERVER, URLP_H1_TUNNEL, URLP_H1_SAW_REQUEST),
                     URLP_H1_ERROR);
}
END_TEST

START_TEST(state__never_leaves_an_error)
{
    for (int role = URLP_H1_CLIENT; role <= URLP_H1_SERVER; role++) {
        for (int saw = URLP_H1_SAW_REQUEST; saw <= URLP_H1_SAW_CLOSE; saw++) {
            ck_assert_int_eq(urlp_h1_state_after((enum urlp_h1_role)role, URLP_H1_ERROR,
                                                 (enum urlp_h1_trigger)saw),
                             URLP_H1_ERROR);
        }
    }
}
END_TEST

START_TEST(state__never_leaves_must_close)
{
    for (int saw = URLP_H1_SAW_REQUEST; saw <= URLP_H1_SAW_CLOSE; saw++) {
        enum urlp_h1_state after =
            urlp_h1_state_after(URLP_H1_SERVER, URLP_H1_MUST_CLOSE, (enum urlp_h1_trigger)saw);

        ck_assert(after == URLP_H1_ERROR || after == URLP_H1_MUST_CLOSE);
    }
}
END_TEST

START_TEST(state__tells_the_end_that_may_be_followed_from_the_last_one)
{
    ck_assert_int_eq(urlp_h1_state_after(URLP_H1_SERVER, URLP_H1_SENDING, URLP_H1_SAW_END),
                     URLP_H1_DONE);
    ck_assert_int_eq(urlp_h1_state_after(URLP_H1_SERVER, URLP_H1_SENDING, URLP_H1_SAW_LAST_END),
                     URLP_H1_MUST_CLOSE);
}
END_TEST

START_TEST(state__allows_no_second_response_to_one_request)
{
    ck_assert_int_eq(urlp_h1_state_after(URLP_H1_SERVER, URLP_H1_DONE, URLP_H1_SAW_RESPONSE),
                     URLP_H1_ERROR);
    ck_assert_int_eq(urlp_h1_state_after(URLP_H1_SERVER, URLP_H1_DONE, URLP_H1_SAW_INFORMATIONAL),
                     URLP_H1_ERROR);
    ck_assert_int_eq(urlp_h1_state_after(URLP_H1_SERVER, URLP_H1_IDLE, URLP_H1_SAW_RESPONSE),
                     URLP_H1_ERROR);
    ck_assert_int_eq(
        urlp_h1_state_after(URLP_H1_SERVER, URLP_H1_SENDING, URLP_H1_SAW_INFORMATIONAL),
        URLP_H1_ERROR);
}
END_TEST

RUN_TESTS("state", state__lets_a_request_begin_only_when_both_sides_are_done,
          state__never_leaves_an_error, state__never_leaves_must_close,
          state__tells_the_end_that_may_be_followed_from_the_last_one,
          state__allows_no_second_response_to_one_request)
