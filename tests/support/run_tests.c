/* The one place that knows how a Check program begins and ends.
 *
 * Each test runs in a process of its own (Check's default, which CK_FORK may change): a sanitizer's
 * report or a crash fails that test and no other. */

#include "support/run_tests.h"

#include <stdlib.h>

#define TEST_TIMEOUT_SECONDS 60

int run_tests(const char *unit, const TTest *const *tests, size_t num_tests)
{
    Suite *suite = suite_create(unit);
    TCase *tcase = tcase_create(unit);
    SRunner *runner;
    int num_failed;

    tcase_set_timeout(tcase, TEST_TIMEOUT_SECONDS);
    for (size_t i = 0; i < num_tests; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    num_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return num_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
