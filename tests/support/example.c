/* Runs programs of docs/examples. What they call is seen by the dynamic linker: it binds a function
 * when it is first called, and says so when it is asked to (LD_DEBUG in ld.so(8)). */

#include "support/example.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ARGS_MAX = 16,
    PATH_BYTES = 512
};

struct program *example_start(const char *folder, const char *calls, const char *const *args)
{
    const char *words[ARGS_MAX] = {0};
    char path[PATH_BYTES];
    char notes[PATH_BYTES];
    struct program *program;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, args[0]);
    words[0] = path;
    for (int i = 1; args[i] != NULL; i++) {
        ck_assert_int_lt(i, ARGS_MAX - 1);
        words[i] = args[i];
    }
    if (calls != NULL) {
        (void)snprintf(notes, sizeof(notes), "%s/%s", calls, args[0]);
        ck_assert_int_eq(setenv("LD_DEBUG", "bindings", 1), 0);
        ck_assert_int_eq(setenv("LD_DEBUG_OUTPUT", notes, 1), 0);
    }
    program = program_start(words, NULL);
    (void)unsetenv("LD_DEBUG");
    (void)unsetenv("LD_DEBUG_OUTPUT");
    return program;
}
