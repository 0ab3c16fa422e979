#ifndef TESTS_SUPPORT_EXAMPLE_H
#define TESTS_SUPPORT_EXAMPLE_H

#include <check.h>

#include "support/program.h"

/* Programs of docs/examples as their readers run them. URLP_EXAMPLES is where they are built; with
 * URLP_EXAMPLE_CALLS, a folder, the dynamic linker notes there which functions of the library each
 * has called: tests/tools/test_examples reads it. */

#ifndef URLP_EXAMPLE_CALLS
#define URLP_EXAMPLE_CALLS NULL
#endif

/* EXAMPLE runs one with these words and waits for its end. For ran_free. */
#define EXAMPLE(...) program_wait(EXAMPLE_START(__VA_ARGS__))
#define EXAMPLE_START(...) \
    example_start(URLP_EXAMPLES, URLP_EXAMPLE_CALLS, (const char *const[]){__VA_ARGS__, NULL})

/* example_start begins `args`, the first of which is an example's name. */
struct program *example_start(const char *folder, const char *calls, const char *const *args);

/* ck_assert_example ends with ran_free: the exit code, all of standard output, and a part of
 * standard error, all of which it is when that is "". */
#define ck_assert_example(result, code, output, error)                                            \
    do {                                                                                          \
        struct ran *ran_ = (result);                                                              \
        ck_assert_msg(ran_->exit_code == (code), "exit code %d, not %d; \"%s\"; \"%s\"",          \
                      ran_->exit_code, (code), ran_->out, ran_->err);                             \
        ck_assert_str_eq(ran_->out, (output));                                                    \
        ck_assert_msg(*(error) == '\0' ? *ran_->err == '\0' : strstr(ran_->err, (error)) != NULL, \
                      "standard error: \"%s\"", ran_->err);                                       \
        ran_free(ran_);                                                                           \
    } while (0)

#endif /* TESTS_SUPPORT_EXAMPLE_H */
