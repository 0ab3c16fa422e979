/* Dates as servers and people write them. */

#include "date.h"

#include <stddef.h>

#include "count_of.h"

static time_t read_by(const char *const *formats, size_t count, const char *value)
{
    for (size_t i = 0; i < count; i++) {
        struct tm tm = {0};
        const char *end = strptime(value, formats[i], &tm);

        if (end != NULL && *end == '\0') {
            return timegm(&tm);
        }
    }
    return -1;
}

time_t pf_date_of_field(const char *value)
{
    static const char *const formats[] = {
        "%a, %d %b %Y %H:%M:%S GMT", /* IMF-fixdate */
        "%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
        "%a %b %d %H:%M:%S %Y",      /* asctime */
    };

    return read_by(formats, COUNT_OF(formats), value);
}

time_t pf_date_of_person(const char *value)
{
    static const char *const formats[] = {
        "%Y-%m-%d",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M",
        "%Y%m%d",
        "%Y%m%d %H:%M:%S",
        "%d %b %Y",
        "%d %b %Y %H:%M:%S",
        "%a, %d %b %Y",
        "%d %b %Y %H:%M:%S GMT",
        "%b %d %Y",
        "%b %d %Y %H:%M:%S",
        "%a, %d %b %Y %H:%M",
        "%a, %d %b %Y %H:%M:%S",
        "%d-%b-%Y",
        "%b %d %H:%M:%S %Y",
    };
    time_t date = pf_date_of_field(value);

    return date >= 0 ? date : read_by(formats, COUNT_OF(formats), value);
}

void pf_date_field(time_t date, char out[32])
{
    struct tm tm = {0};

    (void)gmtime_r(&date, &tm);
    (void)strftime(out, 32, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}
