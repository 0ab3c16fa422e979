/* What options do that say when, how fast and under which conditions something is fetched. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "count_of.h"
#include "date.h"
#include "monotonic.h"
#include "options.h"
#include "say.h"
#include "text.h"

/* pf_apply_rate takes "10", so many a second, as hey; or "10/s", "10/m", "10/h", "10/d" as curl. */
enum pf_exit pf_apply_rate(struct pf_settings *settings, const struct pf_option *option,
                           const char *value)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {
        {"",   1    },
        {"/s", 1    },
        {"/m", 60   },
        {"/h", 3600 },
        {"/d", 86400},
    };
    int64_t number;
    const char *end = pf_digits(value, &number);

    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (end > value && number > 0 && strcmp(end, units[i].unit) == 0) {
            settings->pace_ns = units[i].seconds * PF_NS_PER_SECOND / number;
            settings->pace_ns += settings->pace_ns == 0;
            return PF_EXIT_OK;
        }
    }
    return pf_option_fail(option, "\"%s\" is no number of requests a second, as 10 or 100/m is",
                          value);
}

/* pf_apply_continue takes an offset, or "-": behind what the file has. */
enum pf_exit pf_apply_continue(struct pf_settings *settings, const struct pf_option *option,
                               const char *value)
{
    const char *end = pf_digits(value, &settings->continue_at);

    settings->continues_by_file = strcmp(value, "-") == 0;
    settings->continues = true;
    if (!settings->continues_by_file &&
        (end == value || *end != '\0' || settings->continue_at == INT64_MAX)) {
        return pf_option_fail(option, "\"%s\" is neither an offset nor \"-\"", value);
    }
    return PF_EXIT_OK;
}

/* pf_apply_time_cond takes a date, or the name of a file whose date it is; "-" in front: not since.
 */
enum pf_exit pf_apply_time_cond(struct pf_settings *settings, const struct pf_option *option,
                                const char *value)
{
    const char *date = value + (value[0] == '-' || value[0] == '+' || value[0] == '=');
    struct stat info;

    (void)option;
    settings->condition_is_unless = value[0] == '-';
    settings->condition_s = pf_date_of_person(date);
    if (settings->condition_s < 0 && stat(date, &info) == 0) {
        settings->condition_s = info.st_mtime;
    }
    settings->has_condition = settings->condition_s >= 0;
    if (!settings->has_condition) { /* as curl: a file that is not there yet has no date */
        pf_say("\"%s\" is neither a date nor a file that is there: fetched without a condition",
               date);
    }
    return PF_EXIT_OK;
}

/* pf_apply_cookie takes "name=value; name2=value2"; several are joined. */
enum pf_exit pf_apply_cookie(struct pf_settings *settings, const struct pf_option *option,
                             const char *value)
{
    char *whole;

    if (strchr(value, '=') == NULL) {
        return pf_option_fail(option, "expected NAME=VALUE; files of cookies are not read");
    }
    whole =
        settings->cookie != NULL ? pf_format("%s;%s", settings->cookie, value) : pf_strdup(value);
    free(settings->cookie);
    settings->cookie = whole;
    return PF_EXIT_OK;
}

/* pf_apply_url_query adds to the URL's query: "+text" as it is, else as --data-urlencode. */
enum pf_exit pf_apply_url_query(struct pf_settings *settings, const struct pf_option *option,
                                const char *value)
{
    struct pf_settings encoded = {0};
    enum pf_exit code = PF_EXIT_OK;
    char *whole;

    if (value[0] == '+') {
        pf_text_adds(&encoded.data, value + 1);
    } else {
        code = pf_apply_data_urlencode(&encoded, option, value);
    }
    if (code == PF_EXIT_OK) {
        whole = pf_format("%s%s%s", settings->url_query != NULL ? settings->url_query : "",
                          settings->url_query != NULL ? "&" : "",
                          encoded.data.data != NULL ? encoded.data.data : "");
        free(settings->url_query);
        settings->url_query = whole;
    }
    pf_text_free(&encoded.data);
    return code;
}

enum pf_exit pf_apply_file_type(struct pf_settings *settings, const struct pf_option *option,
                                const char *value)
{
    (void)settings;
    if (strcasecmp(value, "PEM") != 0 && strcasecmp(value, "DER") != 0) {
        (void)pf_option_fail(option, "\"%s\" is neither PEM nor DER", value);
        return PF_EXIT_CLIENT_CERT;
    }
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_trace(struct pf_settings *settings, const struct pf_option *option,
                            const char *value)
{
    free(settings->trace_file);
    settings->trace_file = pf_strdup(value);
    settings->trace_is_hex = strcmp(option->name, "trace") == 0;
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_help(struct pf_settings *settings, const struct pf_option *option,
                           const char *value)
{
    (void)option;
    settings->help = true;
    free(settings->help_category);
    settings->help_category = value != NULL ? pf_strdup(value) : NULL;
    return PF_EXIT_OK;
}
