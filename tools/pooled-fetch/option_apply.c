/* What the options do that are more than a switch, a text or a number. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "entries.h"
#include "options.h"
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
        (void)pf_option_fail(option, "cannot read \"%s\": %s", path, strerror(errno));
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

enum pf_exit pf_apply_user_agent(struct pf_settings *settings, const struct pf_option *option,
                                 const char *value)
{
    (void)option;
    pf_strings_add(&settings->headers, pf_format("User-Agent:%s%s", value[0] ? " " : "", value));
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_referer(struct pf_settings *settings, const struct pf_option *option,
                              const char *value)
{
    if (strstr(value, ";auto") != NULL) {
        return pf_option_fail(option, "\";auto\" is not there in this version of pooled-fetch");
    }
    pf_strings_add(&settings->headers, pf_format("Referer: %s", value));
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_max_redirs(struct pf_settings *settings, const struct pf_option *option,
                                 const char *value)
{
    char *end = NULL;
    long number;

    errno = 0;
    number = strtol(value, &end, 10);
    if (value[0] == '\0' || *end != '\0' || errno != 0 || number < -1 || number > 1000000) {
        return pf_option_fail(option, "\"%s\" is no number from -1", value);
    }
    settings->max_redirs = number;
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_write_out(struct pf_settings *settings, const struct pf_option *option,
                                const char *value)
{
    struct pf_text text = {0};
    char unknown[64];

    if (value[0] == '@' && pf_text_read_file(&text, value + 1) != 0) {
        (void)pf_option_fail(option, "cannot read \"%s\": %s", value + 1, strerror(errno));
        pf_text_free(&text);
        return PF_EXIT_READ;
    }
    if (value[0] != '@') {
        pf_text_adds(&text, value);
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
    } else {
        return pf_option_fail(option, "\"%s\" is neither text nor json", value);
    }
    return PF_EXIT_OK;
}
