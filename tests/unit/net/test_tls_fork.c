/* No child is born while a certificate is judged: BoringSSL asks the C library for the date, and
 * that locks its time zone, which the child would wait for without end. The test stands in the C
 * library's place. */

#include <time.h>

#include "base/sync.h"
#include "support/run_tests.h"
#include "support/tls_scene.h"

enum {
    SECONDS_A_DAY = 86400,
    DAYS_OF_400_YEARS = 146097,
    DAYS_FROM_MARCH_0 = 719468 /* 0000-03-01 to 1970-01-01 */
};

static _Thread_local bool is_watched;
static unsigned num_calls;
static unsigned num_unguarded;

/* gmtime_r is what BoringSSL is linked to in this program. */
struct tm *gmtime_r(const time_t *seconds, struct tm *out)
{
    const int64_t days = *seconds / SECONDS_A_DAY + DAYS_FROM_MARCH_0;
    const int64_t rest = *seconds % SECONDS_A_DAY;
    const int64_t era = days / DAYS_OF_400_YEARS;
    const int64_t in_era = days % DAYS_OF_400_YEARS;
    const int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    const int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    const int64_t month = (5 * in_year + 2) / 153; /* March is 0 */

    if (is_watched) {
        num_calls++;
        num_unguarded += urlp_fork_must_wait() ? 0 : 1;
    }
    *out = (struct tm){
        .tm_year = (int)(year + era * 400 + (month >= 10 ? 1 : 0) - 1900),
        .tm_mon = (int)(month >= 10 ? month - 10 : month + 2),
        .tm_mday = (int)(in_year - (153 * month + 2) / 5 + 1),
        .tm_hour = (int)(rest / 3600),
        .tm_min = (int)(rest / 60 % 60),
        .tm_sec = (int)(rest % 60),
    };
    return out;
}

START_TEST(fork__waits_while_a_certificate_is_judged)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream;

    is_watched = true;
    stream = tls_scene_dial(&scene, "localhost", NULL);
    is_watched = false;
    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_gt(num_calls, 0);
    ck_assert_uint_eq(num_unguarded, 0);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(fork__waits_no_longer_once_a_certificate_is_refused)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlpool_error err;

    ck_assert_ptr_null(tls_scene_dial(&scene, "other.example", &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_HOSTNAME);
    ck_assert(!urlp_fork_must_wait());
    tls_scene_end(&scene);
}
END_TEST

RUN_TESTS("tls fork", fork__waits_while_a_certificate_is_judged,
          fork__waits_no_longer_once_a_certificate_is_refused)
