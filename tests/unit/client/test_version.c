/* urlpool_version. */

#include <stdio.h>
#include <string.h>

#include "urlpool/urlpool.h"

#include "support/run_tests.h"

START_TEST(version__names_the_library_and_what_it_stands_on)
{
    const char *text = urlpool_version();
    unsigned parts[7] = {0};

    ck_assert_int_eq(strncmp(text, "urlpool/" URLPOOL_VERSION " ", strlen(URLPOOL_VERSION) + 9), 0);
    ck_assert_int_eq(sscanf(strchr(text, ' '), " BoringSSL/%u c-ares/%u.%u.%u zlib/%u.%u.%u",
                            &parts[0], &parts[1], &parts[2], &parts[3], &parts[4], &parts[5],
                            &parts[6]),
                     7);
    ck_assert_int_eq(strstr(text, " brotli/1.") != NULL, URLP_HAS_BROTLI);
    ck_assert_int_eq(strstr(text, " zstd/1.") != NULL, URLP_HAS_ZSTD);
    ck_assert_int_ne(text[strlen(text) - 1], ' ');
    ck_assert_ptr_eq(urlpool_version(), text);
}
END_TEST

RUN_TESTS("version", version__names_the_library_and_what_it_stands_on)
