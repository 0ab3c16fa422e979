/* What the options do that are more than a switch, a text or a number. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "urlpool/retry.h"

#include "count_of.h"
#include "entries.h"
#include "options.h"
#include "text.h"
#include "writeout.h"

enum pf_exit pf_apply_url(struct pf_settings *settings, const struct pf_option *option,
                          const char *value)
{
    if (option != NULL && value[0] == '@') {
        return pf_entries_read(settings, value + 1);
    }
    pf_entries_add(settings, value, strlen(value), NULL);
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_input_file(struct pf_settings *settings, const struct pf_option *option,
                                 const char *value)
{
    (void)option;
    return pf_entries_read(settings, value);
}

enum pf_exit pf_apply_output(struct pf_settings *settings, const struct pf_option *option,
                             const char *value)
{
    (void)option;
    pf_strings_add(&settings->outputs, pf_strdup(value));
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_remote_name(struct pf_settings *settings, const struct pf_option *option,
                                  const char *value)
{
    (void)option;
    (void)value;
    pf_strings_add(&settings->outputs, NULL);
    return PF_EXIT_OK;
}

/* add_header_file takes one field a line. */
static enum pf_exit add_header_file(struct pf_settings *settings, const struct pf_option *option,
                                    const char *path)
{
    struct pf_text text = {0};
    char *rest;
    char *line;

    if (pf_text_read_file(&text, path) != 0) {
        (void)pf_option_fail(option, "cannot read \"%s\": %s", path, pf_errno_text(errno));
        pf_text_free(&text);
        return PF_EXIT_READ;
    }
    rest = text.data;
    while ((line = strsep(&rest, "\r\n")) != NULL) {
        if (line[0] != '\0') {
            pf_strings_add(&settings->headers, pf_strdup(line));
        }
    }
    pf_text_free(&text);
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_header(struct pf_settings *settings, const struct pf_option *option,
                             const char *value)
{
    if (value[0] == '@') {
        return add_header_file(settings, option, value + 1);
    }
    if (strpbrk(value, ":;") == NULL) {
        return pf_option_fail(option, "\"%s\" is no \"Name: value\"", value);
    }
    if (strncasecmp(value, "Host:", 5) == 0 && value[5 + strspn(value + 5, " \t")] == '\0') {
        return pf_option_fail(option, "a request cannot go without Host");
    }
    pf_strings_add(&settings->headers, pf_strdup(value));
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_referer(struct pf_settings *settings, const struct pf_option *option,
                              const char *value)
{
    if (strstr(value, ";auto") != NULL) {
        return pf_option_fail(option, "\";auto\" would need another value after each redirect; "
                                      "only one can be sent");
    }
    free(settings->referer);
    settings->referer = pf_strdup(value);
    return PF_EXIT_OK;
}

/* pf_apply_range takes "0-4", "5-", "-5", several with commas between; "5" is "5-", as in curl. */
enum pf_exit pf_apply_range(struct pf_settings *settings, const struct pf_option *option,
                            const char *value)
{
    if (value[0] == '\0' || strspn(value, "0123456789-,") != strlen(value)) {
        return pf_option_fail(option, "\"%s\" is no range of bytes, as 0-499 is", value);
    }
    free(settings->range);
    settings->range = pf_format("%s%s", value, strchr(value, '-') == NULL ? "-" : "");
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_upload(struct pf_settings *settings, const struct pf_option *option,
                             const char *value)
{
    (void)option;
    pf_strings_add(&settings->uploads, pf_strdup(strcmp(value, ".") == 0 ? "-" : value));
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_location_trusted(struct pf_settings *settings, const struct pf_option *option,
                                       const char *value)
{
    (void)option;
    (void)value;
    settings->follow = true;
    return PF_EXIT_OK;
}

/* apply_scheme carries out one word of --proto-redir. Returns false when it cannot be read. */
static bool apply_scheme(unsigned *schemes, char *word)
{
    static const struct {
        const char *name;
        unsigned bits;
    } known[] = {
        {"http",  URLPOOL_SCHEME_HTTP                       },
        {"https", URLPOOL_SCHEME_HTTPS                      },
        {"all",   URLPOOL_SCHEME_HTTP | URLPOOL_SCHEME_HTTPS},
    };
    size_t num_marks = strspn(word, "=+-");
    const char *mark = num_marks > 0 ? &word[num_marks - 1] : "+";
    unsigned bits = 0; /* of others: they are never followed anyway */

    word += num_marks;
    if (word[0] == '\0' || strpbrk(word, " =+-*:/") != NULL) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        bits |= strcasecmp(known[i].name, word) == 0 ? known[i].bits : 0;
    }
    if (*mark == '=') {
        *schemes = bits;
    } else {
        *schemes = *mark == '+' ? *schemes | bits : *schemes & ~bits;
    }
    return true;
}

/* apply_schemes takes "=https", "-http", "+all", and several with commas between. */
static enum pf_exit apply_schemes(unsigned *schemes, const struct pf_option *option,
                                  const char *value)
{
    char *words = pf_strdup(value);
    char *rest = words;
    char *word;
    bool is_good = true;

    while (is_good && (word = strsep(&rest, ",")) != NULL) {
        is_good = apply_scheme(schemes, word);
    }
    free(words);
    return is_good ? PF_EXIT_OK
                   : pf_option_fail(option, "\"%s\" is no list of schemes, as =https is", value);
}

enum pf_exit pf_apply_proto_redir(struct pf_settings *settings, const struct pf_option *option,
                                  const char *value)
{
    return apply_schemes(&settings->redirect_schemes, option, value);
}

enum pf_exit pf_apply_proto(struct pf_settings *settings, const struct pf_option *option,
                            const char *value)
{
    return apply_schemes(&settings->schemes, option, value);
}

/* pf_apply_retry_on takes statuses with commas between. */
enum pf_exit pf_apply_retry_on(struct pf_settings *settings, const struct pf_option *option,
                               const char *value)
{
    const char *at = value;

    for (;;) {
        int64_t status;
        const char *end = pf_digits(at, &status);

        if (status < 100 || status > 599 || (*end != '\0' && *end != ',')) {
            return pf_option_fail(option, "\"%s\" is no list of statuses, as 404,503 is", value);
        }
        if (settings->num_retry_on == PF_RETRY_ON_MAX) {
            return pf_option_fail(option, "more than %d statuses", PF_RETRY_ON_MAX);
        }
        settings->retry_on[settings->num_retry_on++] = (uint16_t)status;
        if (*end == '\0') {
            return PF_EXIT_OK;
        }
        at = end + 1;
    }
}

/* pf_apply_max_redirs takes what curl takes: blanks before it, a sign, and nothing behind it. */
enum pf_exit pf_apply_max_redirs(struct pf_settings *settings, const struct pf_option *option,
                                 const char *value)
{
    const char *sign = value + strspn(value, " \t\n\v\f\r");
    const char *digits = sign + (*sign == '+' || *sign == '-' ? 1 : 0);
    int64_t number;
    const char *end = pf_digits(digits, &number);

    if (*sign == '-') {
        number = -number;
    }
    if (end == digits || *end != '\0' || number < -1 || number == INT64_MAX) {
        return pf_option_fail(option, "\"%s\" is no number from -1", value);
    }
    settings->max_redirs = number < INT32_MAX ? number : INT32_MAX;
    return PF_EXIT_OK;
}

/* drop_ends_of_lines joins the lines of a file, as curl does: those that are meant are "\\n". */
static void drop_ends_of_lines(struct pf_text *text)
{
    size_t len = 0;

    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] != '\r' && text->data[i] != '\n') {
            text->data[len++] = text->data[i];
        }
    }
    pf_text_cut(text, len);
    pf_text_adds(text, ""); /* it is a text when it is empty, too */
}

enum pf_exit pf_apply_write_out(struct pf_settings *settings, const struct pf_option *option,
                                const char *value)
{
    struct pf_text text = {0};
    char unknown[64];

    if (value[0] == '@' && pf_text_read_file(&text, value + 1) != 0) {
        (void)pf_option_fail(option, "cannot read \"%s\": %s", value + 1, pf_errno_text(errno));
        pf_text_free(&text);
        return PF_EXIT_READ;
    }
    if (value[0] != '@') {
        pf_text_adds(&text, value);
    } else {
        drop_ends_of_lines(&text);
    }
    if (!pf_writeout_check(text.data, unknown)) {
        pf_text_free(&text);
        return pf_option_fail(option, "there is no variable \"%s\"", unknown);
    }
    free(settings->write_out);
    settings->write_out = text.data;
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_report(struct pf_settings *settings, const struct pf_option *option,
                             const char *value)
{
    if (value == NULL || strcmp(value, "text") == 0) {
        settings->report = PF_REPORT_TEXT;
    } else if (strcmp(value, "json") == 0) {
        settings->report = PF_REPORT_JSON;
    } else if (strcmp(value, "html") == 0) {
        return pf_option_fail(option, "html needs the name of a file behind it");
    } else {
        return pf_option_fail(option, "\"%s\" is none of text, json and html", value);
    }
    return PF_EXIT_OK;
}
