/* Whatever text, taken for an HTTP-date and for Retry-After. A date that is read is read again from
 * each of the three forms in which it can be written, and never means two instants. An input is a
 * byte that says when now is, and the text. */

#include <time.h>

#include "fuzz/input.h"
#include "http/date.h"
#include "policy/retry_rules.h"

static const int64_t nows[] = {0, 1700000000, 4102444799, -1, 253402300799, 951782400};

#define NUM_NOWS (sizeof(nows) / sizeof(nows[0]))

enum form {
    FORM_IMF,
    FORM_ASCTIME,
    FORM_RFC_850
};

/* read_again reads `at_s` as it is written in one of the three forms. */
static void read_again(int64_t at_s, int64_t now_s, enum form form, struct urlp_span text)
{
    const time_t at = (time_t)at_s;
    struct tm tm;
    char written[64];
    int64_t again_s = 0;

    if (gmtime_r(&at, &tm) == NULL || tm.tm_year + 1900 > 9999 || tm.tm_year + 1900 < 1000) {
        return;
    }
    if (form == FORM_IMF) {
        (void)strftime(written, sizeof(written), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    } else if (form == FORM_ASCTIME) {
        (void)strftime(written, sizeof(written), "%a %b %e %H:%M:%S %Y", &tm);
    } else {
        char *century;

        (void)strftime(written, sizeof(written), "%A, %d-%b-%Y %H:%M:%S GMT", &tm);
        century = strrchr(written, '-') + 1;
        memmove(century, century + 2, strlen(century + 2) + 1);
    }
    fuzz_require(urlp_date_parse(urlp_span_of(written), now_s, &again_s), "a date not read again",
                 text);
    fuzz_require(again_s == at_s, "another instant when read again", text);
}

static void check_date(struct urlp_span text, int64_t now_s)
{
    int64_t at_s = INT64_MIN;
    int64_t later_s = 0;

    if (!urlp_date_parse(text, now_s, &at_s)) {
        fuzz_require(at_s == INT64_MIN, "an instant of what is no date", text);
        return;
    }
    fuzz_require(at_s > INT64_C(-62200000000) &&
                     (at_s < INT64_C(253402300801) || at_s < now_s + INT64_C(51) * 366 * 86400),
                 "an instant outside of the years 0 to 9999", text);
    read_again(at_s, now_s, FORM_IMF, text);
    read_again(at_s, now_s, FORM_ASCTIME, text);
    if (at_s > now_s - INT64_C(49) * 365 * 86400 && at_s < now_s + INT64_C(49) * 365 * 86400 &&
        at_s >= 0 && now_s >= 0) {
        read_again(at_s, now_s, FORM_RFC_850, text);
    }
    /* Two digits of a year are another year a century later; four digits never are. */
    fuzz_require(urlp_date_parse(text, now_s + 1, &later_s), "no date a second later", text);
}

static void check_retry_after(struct urlp_span text, int64_t now_s)
{
    const int64_t wait_ms = urlp_retry_after_parse(text, now_s);
    struct urlp_retry_rules rules = urlp_retry_defaults;
    int64_t out_ms = -1;
    int64_t at_s = 0;
    uint64_t seconds = 0;

    fuzz_require(wait_ms >= -1, "a negative wait", text);
    if (urlp_date_parse(urlp_span_trim(text), now_s, &at_s)) {
        fuzz_require(wait_ms == (at_s <= now_s ? 0 : (at_s - now_s) * 1000), "not until the date",
                     text);
    }
    if (urlp_span_to_u64(urlp_span_trim(text), &seconds) && seconds < 1000000) {
        fuzz_require(wait_ms == (int64_t)seconds * 1000, "not those seconds", text);
    }
    rules.retry_after_max_ms = 5000;
    rules.clamp_retry_after = text.len % 2 == 0;
    fuzz_require(urlp_retry_after_bound(&rules, wait_ms, &out_ms) || !rules.clamp_retry_after,
                 "more than the bound, though it is clamped", text);
    fuzz_require(out_ms >= 0 && out_ms <= 5000, "a wait past the bound", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const int64_t now_s = nows[fuzz_below(&input, NUM_NOWS)];
    const struct urlp_span rest = fuzz_rest(&input);
    uint8_t *bytes = fuzz_copy(rest);
    const struct urlp_span text = urlp_span_make(bytes, rest.len);

    check_date(text, now_s);
    check_retry_after(text, now_s);
    free(bytes);
    return 0;
}
