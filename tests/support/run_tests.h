#ifndef TEST_SUPPORT_RUN_TESTS_H
#define TEST_SUPPORT_RUN_TESTS_H

#include <check.h>
#include <stddef.h>

/* RUN_TESTS is the main function of a test program: RUN_TESTS("span", a__does_this, b__does_that).
 */
#define RUN_TESTS(unit, ...)                                             \
    int main(void)                                                       \
    {                                                                    \
        const TTest *const tests[] = {__VA_ARGS__};                      \
        return run_tests(unit, tests, sizeof(tests) / sizeof(tests[0])); \
    }

/* run_tests runs each of `tests` in a process of its own and returns main's value. */
int run_tests(const char *unit, const TTest *const *tests, size_t num_tests);

#endif /* TEST_SUPPORT_RUN_TESTS_H */
