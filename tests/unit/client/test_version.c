/* urlpool_version. */

#include <stdio.h>
#include <string.h>

#include "urlpool/urlpool.h"

#include "support/run_tests.h"
#include "support/tls_kit.h"

START_TEST(version__names_the_library_and_what_it_stands_on)
{
    const char *text = urlpool_version();
    const char *rest = strstr(text, " c-ares/");
    unsigned parts[6] = {0};

    ck_assert_int_eq(strncmp(text, "urlpool/" URLPOOL_VERSION " ", strlen(URLPOOL_VERSION) + 9), 0);
    ck_assert_ptr_nonnull(rest);
    if (tls_kit_is_openssl()) {
        ck_assert_int_eq(sscanf(strchr(text, ' '), " OpenSSL/3.%u.%u", &parts[0], &parts[1]), 2);
    } else {
        ck_assert_int_eq(sscanf(strchr(text, ' '), " BoringSSL/%u", &parts[0]), 1);
    }
    ck_assert_int_eq(sscanf(rest, " c-ares/%u.%u.%u zlib/%u.%u.%u", &parts[0], &parts[1], &parts[2],
                            &parts[3], &parts[4], &parts[5]),
                     6);
    ck_assert_int_eq(strstr(text, " brotli/1.") != NULL, URLP_HAS_BROTLI);
    ck_assert_int_eq(strstr(text, " zstd/1.") != NULL, URLP_HAS_ZSTD);
    ck_assert_int_eq(strstr(text, " libidn2/2.") != NULL, URLP_HAS_IDNA);
    ck_assert_int_ne(text[strlen(text) - 1], ' ');
    ck_assert_ptr_eq(urlpool_version(), text);
}
END_TEST

RUN_TESTS("version", version__names_the_library_and_what_it_stands_on)
