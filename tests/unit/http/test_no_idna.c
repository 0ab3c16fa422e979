/* A build without IDNA. */

#include <string.h>

#include "http/idna.h"
#include "support/run_tests.h"

START_TEST(no_idna__says_what_to_write_instead)
{
    char out[8] = "";

    ck_assert_ptr_nonnull(strstr(urlp_idna_to_ascii("\xc3\xbc", out, sizeof(out)), "xn--"));
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(urlp_idna_library(out, sizeof(out)), 0);
}
END_TEST

RUN_TESTS("no_idna", no_idna__says_what_to_write_instead)
