#ifndef TEST_SUPPORT_RUN_TESTS_H
#define TEST_SUPPORT_RUN_TESTS_H

#include <check.h>
#include <stddef.h>

/* The exit code of a program whose peer is not installed: it counts as skipped. */
#define TEST_SKIPPED 77

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

/* struct test_loop is a test that is run `num_rows` times, with the number of the row in `_i`. */
struct test_loop {
    const TTest *test;
    size_t num_rows;
};

/* TEST_ROWS is a test of each row of an array, TEST_ONCE one that has none. */
#define TEST_ROWS(test, rows)                  \
    {                                          \
        test, sizeof(rows) / sizeof((rows)[0]) \
    }
#define TEST_ONCE(test) \
    {                   \
        test, 1         \
    }

/* RUN_LOOPS is RUN_TESTS for tests some of which are run for rows:
 * RUN_LOOPS("span", TEST_ROWS(a__does_this, cases), TEST_ONCE(b__does_that)). */
#define RUN_LOOPS(unit, ...)                                             \
    int main(void)                                                       \
    {                                                                    \
        const struct test_loop loops[] = {__VA_ARGS__};                  \
        return run_loops(unit, loops, sizeof(loops) / sizeof(loops[0])); \
    }

/* run_loops is run_tests for them. */
int run_loops(const char *unit, const struct test_loop *loops, size_t num_loops);

#endif /* TEST_SUPPORT_RUN_TESTS_H */
