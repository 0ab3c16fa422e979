/* The one place that knows how a Check program begins and ends.
 *
 * Each test runs in a process of its own (Check's default, which CK_FORK may change): a sanitizer's
 * report or a crash fails that test and no other. */

#include "support/run_tests.h"

#include <stdlib.h>

/* Of what hangs: ten times what the longest test takes under load. */
#define TEST_TIMEOUT_SECONDS 300

/* run runs the tests of `tcase`, which becomes the suite's. */
static int run(const char *unit, TCase *tcase)
{
    Suite *suite = suite_create(unit);
    SRunner *runner = srunner_create(suite);
    int num_failed;

    tcase_set_timeout(tcase, TEST_TIMEOUT_SECONDS);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    num_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return num_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int run_tests(const char *unit, const TTest *const *tests, size_t num_tests)
{
    TCase *tcase = tcase_create(unit);

    for (size_t i = 0; i < num_tests; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    return run(unit, tcase);
}

int run_loops(const char *unit, const struct test_loop *loops, size_t num_loops)
{
    TCase *tcase = tcase_create(unit);

    for (size_t i = 0; i < num_loops; i++) {
        tcase_add_loop_test(tcase, loops[i].test, 0, (int)loops[i].num_rows);
    }
    return run(unit, tcase);
}
