/* Dates in fields. Each of the three forms has fixed places, so each is a pattern in a table, and
 * one matcher reads them all: no locale, no time zone, no call to the C library's calendar. */

#include "http/date.h"

#include <string.h>

#include "base/count.h"

enum {
    EPOCH_YEAR = 1970,
    SECONDS_A_DAY = 86400
};

struct date {
    int year, month, day, hour, minute, second; /* month from 0, day from 1 */
};

/* A pattern's letters stand for parts, everything else for itself:
 *   w Sun  W Sunday  d two digits  e a day padded with a space  m Nov
 *   Y four digits of a year  y two  h i s hours, minutes, seconds */
static const char *const patterns[] = {
    "w, d m Y h:i:s GMT", /* IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT */
    "W, d-m-y h:i:s GMT", /* RFC 850:     Sunday, 06-Nov-94 08:49:37 GMT */
    "w m e h:i:s Y",      /* asctime:     Sun Nov  6 08:49:37 1994 */
};

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const short_days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
static const char *const long_days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};
static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

/* Takes one of `names` off `rest` and returns its index, or -1. Case matters in an HTTP-date. */
static int take_name(struct urlp_span *rest, const char *const *names, size_t num_names)
{
    for (size_t i = 0; i < num_names; i++) {
        size_t len = strlen(names[i]);

        if (rest->len >= len && memcmp(rest->data, names[i], len) == 0) {
            *rest = urlp_span_make(rest->data + len, rest->len - len);
            return (int)i;
        }
    }
    return -1;
}

static int take_number(struct urlp_span *rest, size_t num_digits)
{
    int number = 0;

    if (rest->len < num_digits) {
        return -1;
    }
    for (size_t i = 0; i < num_digits; i++) {
        if (!urlp_is_digit((unsigned char)rest->data[i])) {
            return -1;
        }
        number = number * 10 + (rest->data[i] - '0');
    }
    *rest = urlp_span_make(rest->data + num_digits, rest->len - num_digits);
    return number;
}

static int take_literal(struct urlp_span *rest, char c)
{
    if (rest->len == 0 || rest->data[0] != c) {
        return -1;
    }
    *rest = urlp_span_make(rest->data + 1, rest->len - 1);
    return 0;
}

static int take_padded_day(struct urlp_span *rest)
{
    return take_literal(rest, ' ') == 0 ? take_number(rest, 1) : take_number(rest, 2);
}

/* Takes what `letter` stands for off `rest`; a negative value when it is not there. */
static int take_part(struct urlp_span *rest, char letter, struct date *out)
{
    switch (letter) {
    case 'w':
        return take_name(rest, short_days, URLP_COUNT_OF(short_days));
    case 'W':
        return take_name(rest, long_days, URLP_COUNT_OF(long_days));
    case 'm':
        return out->month = take_name(rest, months, URLP_COUNT_OF(months));
    case 'd':
        return out->day = take_number(rest, 2);
    case 'e':
        return out->day = take_padded_day(rest);
    case 'Y':
        return out->year = take_number(rest, 4);
    case 'y':
        return out->year = take_number(rest, 2);
    case 'h':
        return out->hour = take_number(rest, 2);
    case 'i':
        return out->minute = take_number(rest, 2);
    case 's':
        return out->second = take_number(rest, 2);
    default:
        return take_literal(rest, letter);
    }
}

static bool match(struct urlp_span text, const char *pattern, struct date *out)
{
    for (; *pattern != '\0'; pattern++) {
        /* "GMT" is the one literal that holds no letter of the patterns'. */
        if (take_part(&text, *pattern, out) < 0) {
            return false;
        }
    }
    return text.len == 0;
}

static int64_t leap_years_until(int64_t year)
{
    return year / 4 - year / 100 + year / 400;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to the first of January of `year`. */
static int64_t days_before_year(int64_t year)
{
    return (year - EPOCH_YEAR) * 365 + leap_years_until(year - 1) -
           leap_years_until(EPOCH_YEAR - 1);
}

static int64_t year_of(int64_t at_s)
{
    int64_t days = at_s / SECONDS_A_DAY;
    int64_t year = EPOCH_YEAR + days / 366;

    while (days_before_year(year + 1) <= days) {
        year++;
    }
    return year;
}

/* RFC 9110 section 5.6.7: a two-digit year "that appears to be more than 50 years in the future"
 * means "the most recent year in the past that had the same last two digits". */
static int full_year(int two_digits, int64_t now_s)
{
    int64_t now = year_of(now_s < 0 ? 0 : now_s);
    int64_t year = now - now % 100 + two_digits;

    if (year > now + 50) {
        year -= 100;
    } else if (year <= now - 50) {
        year += 100;
    }
    return (int)year;
}

static bool exists(const struct date *date)
{
    int num_days = month_days[date->month] + (date->month == 1 && is_leap(date->year) ? 1 : 0);

    /* A leap second is second 60. */
    return date->day >= 1 && date->day <= num_days && date->hour <= 23 && date->minute <= 59 &&
           date->second <= 60;
}

static int64_t to_seconds(const struct date *date)
{
    int64_t days = days_before_year(date->year) + date->day - 1;

    for (int month = 0; month < date->month; month++) {
        days += month_days[month] + (month == 1 && is_leap(date->year) ? 1 : 0);
    }
    return ((days * 24 + date->hour) * 60 + date->minute) * 60 + date->second;
}

bool urlp_date_parse(struct urlp_span text, int64_t now_s, int64_t *out_at_s)
{
    for (size_t i = 0; i < URLP_COUNT_OF(patterns); i++) {
        struct date date = {0};

        if (!match(text, patterns[i], &date)) {
            continue;
        }
        if (strchr(patterns[i], 'y') != NULL) {
            date.year = full_year(date.year, now_s);
        }
        if (!exists(&date)) {
            return false;
        }
        *out_at_s = to_seconds(&date);
        return true;
    }
    return false;
}
