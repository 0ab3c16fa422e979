#ifndef TESTS_SUPPORT_PROGRAM_H
#define TESTS_SUPPORT_PROGRAM_H

#include <stddef.h>

/* Programs run as a user runs them, and what came out of them. Whatever goes wrong here aborts the
 * test. */

/* struct ran is how a program ended. Its texts end in NUL, which the lengths do not count. */
struct ran {
    int exit_code; /* 128 and the signal when one killed it */
    char *out, *err;
    size_t out_len, err_len;
    long peak_kib; /* the most memory it had */
};

/* struct program_options: zero bytes are none of it. */
struct program_options {
    const char *input; /* standard input; NULL: nothing */
    const char *dir;   /* to be run in; NULL: here */
    int out_fd;        /* standard output; 0: kept in `out` */
    int err_fd;        /* standard error; 0: kept in `err` */
};

/* struct program is one that runs. */
struct program;

/* program_start runs `args`, args[0] a path, ending in NULL. */
struct program *program_start(const char *const *args, const struct program_options *options);
/* program_signal sends it a signal. */
void program_signal(const struct program *program, int number);
/* program_pid is its process. */
int program_pid(const struct program *program);
/* program_wait waits for its end. For ran_free. */
struct ran *program_wait(struct program *program);

struct ran *program_run(const char *const *args, const struct program_options *options);
void ran_free(struct ran *ran); /* accepts NULL */

#endif /* TESTS_SUPPORT_PROGRAM_H */
