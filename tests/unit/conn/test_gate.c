/* The gate between who reads a response and who shuts it down. */

#include "conn/gate.h"
#include "support/run_tests.h"

START_TEST(gate__is_entered_once)
{
    struct urlp_gate gate = {0};

    ck_assert(!urlp_gate_is_shut(&gate));
    ck_assert(urlp_gate_enter(&gate));
    ck_assert(urlp_gate_is_shut(&gate)); /* what a read brings from now on counts for nothing */
    ck_assert(!urlp_gate_enter(&gate));
    urlp_gate_shut(&gate);
    ck_assert(!urlp_gate_enter(&gate));
    ck_assert(urlp_gate_is_shut(&gate));
    ck_assert(urlp_gate_leave(&gate));
}
END_TEST

START_TEST(gate__is_not_entered_behind_the_reader)
{
    struct urlp_gate gate = {0};

    ck_assert(!urlp_gate_leave(&gate));
    ck_assert(!urlp_gate_enter(&gate));
    ck_assert(!urlp_gate_is_shut(&gate));
    ck_assert(!urlp_gate_leave(&gate));
}
END_TEST

RUN_TESTS("gate", gate__is_entered_once, gate__is_not_entered_behind_the_reader)
