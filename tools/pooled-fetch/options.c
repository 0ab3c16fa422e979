/* The command line, by one table. Short options combine (-sSf) and take their value in the same
 * word or the next (-ofile, -o file); long ones take it behind "=" or in the next word. An option
 * of curl's that has no place here is refused (refused.c): nothing is ignored. */

#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monotonic.h"
#include "say.h"
#include "text.h"

enum {
    SPEED_TIME_DEFAULT_S = 30
};

static const int64_t count_max = 2000000000;

const char *pf_option_shown(const struct pf_option *option, char out[64])
{
    (void)snprintf(out, 64, "--%s", option->name);
    return out;
}

enum pf_exit pf_option_fail(const struct pf_option *option, const char *format, ...)
{
    char shown[64];
    char what[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    pf_say("option %s: %s", pf_option_shown(option, shown), what);
    return PF_EXIT_USAGE;
}

static enum pf_exit set_count(int64_t *out, const struct pf_option *option, const char *value)
{
    int64_t number;
    const char *end = pf_digits(value, &number);

    if (end == value || *end != '\0' || number > count_max) {
        return pf_option_fail(option, "\"%s\" is no number", value);
    }
    if (number < option->min) {
        return pf_option_fail(option, "%lld is less than %lld", (long long)number,
                              (long long)option->min);
    }
    *out = number;
    return PF_EXIT_OK;
}

static enum pf_exit set_seconds(int64_t *out, const struct pf_option *option, const char *value)
{
    char *end = NULL;
    double seconds = strtod(value, &end);

    if (value[0] == '\0' || strspn(value, "0123456789.") != strlen(value) || *end != '\0' ||
        seconds > (double)count_max) {
        return pf_option_fail(option, "\"%s\" is no number of seconds", value);
    }
    *out = (int64_t)(seconds * PF_MS_PER_SECOND + 0.5);
    if (*out == 0 && seconds > 0) {
        *out = 1; /* 0 would be no limit */
    }
    return PF_EXIT_OK;
}

static enum pf_exit set_size(int64_t *out, const struct pf_option *option, const char *value)
{
    static const char units[] = "bkmgtp"; /* as curl */
    int64_t number;
    const char *end = pf_digits(value, &number);
    const char *unit;

    unit = *end != '\0' ? strchr(units, *end | ('a' ^ 'A')) : NULL;
    if (end == value || (*end != '\0' && (unit == NULL || end[1] != '\0')) ||
        __builtin_mul_overflow(number, unit != NULL ? INT64_C(1) << (10 * (unit - units)) : 1,
                               &number) ||
        number == INT64_MAX) {
        return pf_option_fail(option, "\"%s\" is no number of bytes", value);
    }
    *out = number;
    return PF_EXIT_OK;
}

static enum pf_exit set_text(char **out, const char *value)
{
    free(*out);
    *out = pf_strdup(value);
    return PF_EXIT_OK;
}

static bool takes_value(const struct pf_option *option)
{
    return option->kind == PF_OPTION_TEXT || option->kind == PF_OPTION_SECRET ||
           option->kind == PF_OPTION_COUNT || option->kind == PF_OPTION_SECONDS ||
           option->kind == PF_OPTION_SIZE || option->kind == PF_OPTION_APPLY;
}

static void blank(char *text, size_t len)
{
    memset(text, ' ', len);
}

static void hide_userinfo(char *url)
{
    char *authority = url + pf_scheme_len(url);
    char *at = memrchr(authority, '@', strcspn(authority, "/?#"));

    if (at != NULL) {
        blank(authority, (size_t)(at - authority));
    }
}

/* hide overwrites what a value holds that is nobody else's business: as curl does with -u, and the
 * values of all -H and the user and password of a URL too. */
static void hide(const struct pf_option *option, char *value)
{
    if (option != NULL && (option->kind == PF_OPTION_SECRET || option->apply == pf_apply_cookie)) {
        blank(value, strlen(value));
    } else if (option != NULL && option->apply == pf_apply_cert) {
        size_t len = strlen(value);
        const char *password = pf_cert_password(value);
        if (password != NULL) {
            blank(value + (password - value), len - (size_t)(password - value));
        }
    } else if (option != NULL &&
               (option->letter == 'H' || option->apply == pf_apply_proxy_header)) {
        char *colon = strchr(value, ':');
        if (colon != NULL) {
            blank(colon + 1, strlen(colon + 1));
        }
    } else if (option == NULL || option->apply == pf_apply_url || pf_option_is_of_proxy(option)) {
        hide_userinfo(value);
    }
}

/* apply_value carries out an option that takes a value, which is there. */
static enum pf_exit apply_value(struct pf_settings *settings, const struct pf_option *option,
                                const char *value)
{
    char *member = (char *)settings + option->offset;

    switch (option->kind) {
    case PF_OPTION_TEXT:
    case PF_OPTION_SECRET:
        return set_text((char **)(void *)member, value);
    case PF_OPTION_COUNT:
        return set_count((int64_t *)(void *)member, option, value);
    case PF_OPTION_SECONDS:
        return set_seconds((int64_t *)(void *)member, option, value);
    case PF_OPTION_SIZE:
        return set_size((int64_t *)(void *)member, option, value);
    case PF_OPTION_APPLY:
        return option->apply(settings, option, value);
    case PF_OPTION_FLAG:
    case PF_OPTION_CHOICE:
    case PF_OPTION_HELP:
    case PF_OPTION_NOTHING:
        break;
    }
    return PF_EXIT_OK;
}

static enum pf_exit apply(struct pf_settings *settings, const struct pf_option *option,
                          const char *value)
{
    if (takes_value(option)) {
        return value != NULL ? apply_value(settings, option, value)
                             : pf_option_fail(option, "needs a value");
    }
    if (option->kind == PF_OPTION_FLAG) {
        *(bool *)(void *)((char *)settings + option->offset) = true;
        return option->apply != NULL ? option->apply(settings, option, NULL) : PF_EXIT_OK;
    }
    return option->kind == PF_OPTION_CHOICE || option->kind == PF_OPTION_HELP
               ? option->apply(settings, option, value)
               : PF_EXIT_OK;
}

static enum pf_exit apply_and_hide(struct pf_settings *settings, const struct pf_option *option,
                                   char *value)
{
    enum pf_exit code = apply(settings, option, value);

    if (value != NULL && takes_value(option)) {
        hide(option, value);
    }
    return code;
}

/* A walk along the words. */
struct walk {
    struct pf_settings *settings;
    char *const *argv;
    int argc;
    int at;
};

static enum pf_exit next_value(struct walk *walk, const struct pf_option *option, char **out_value)
{
    if (walk->at + 1 >= walk->argc) {
        return pf_option_fail(option, "needs a value");
    }
    *out_value = walk->argv[++walk->at];
    return PF_EXIT_OK;
}

/* next_word is the next word when it is no option; NULL: there is none. */
static char *next_word(struct walk *walk)
{
    if (walk->at + 1 >= walk->argc || walk->argv[walk->at + 1][0] == '-') {
        return NULL;
    }
    return walk->argv[++walk->at];
}

/* asks_for_page says whether this is --report=html, whose file is the word behind it. */
static bool asks_for_page(const struct pf_option *option, const char *value)
{
    return option->apply == pf_apply_report && value != NULL && strcmp(value, "html") == 0;
}

static enum pf_exit parse_page(struct walk *walk, const struct pf_option *option)
{
    char *file = NULL;
    enum pf_exit code = next_value(walk, option, &file);

    return code == PF_EXIT_OK ? set_text(&walk->settings->html_file, file) : code;
}

/* undo carries out "--no-NAME" of a switch. */
static enum pf_exit undo(struct pf_settings *settings, const struct pf_option *option)
{
    if (option->kind != PF_OPTION_FLAG || option->apply != NULL) {
        return pf_option_fail(option, "cannot be undone by a \"no-\"");
    }
    *(bool *)(void *)((char *)settings + option->offset) = false;
    return PF_EXIT_OK;
}

static const struct pf_option *find_exactly(const char *name)
{
    for (size_t i = 0; i < pf_num_options; i++) {
        if (strcmp(pf_options[i].name, name) == 0) {
            return &pf_options[i];
        }
    }
    return NULL;
}

/* find_long finds an option by its name, or by as much of it as no other begins with; those that
 * are refused count among the others. `*out_is_undone`: it is a switch and there was a "no-" too
 * much, or too few.
 * Errors: NULL, said. */
static const struct pf_option *find_long(const char *name, bool *out_is_undone)
{
    const struct pf_option *found = find_exactly(name);
    size_t len = strlen(name);
    size_t num_found = 0;
    char *negated;

    *out_is_undone = false;
    if (found != NULL) {
        return found;
    }
    negated = strncmp(name, "no-", 3) == 0 ? pf_strdup(name + 3) : pf_format("no-%s", name);
    found = find_exactly(negated);
    free(negated);
    *out_is_undone = found != NULL;
    if (found != NULL) {
        return found;
    }
    for (size_t i = 0; i < pf_num_options && len > 0; i++) {
        if (strncmp(pf_options[i].name, name, len) == 0) {
            found = &pf_options[i];
            num_found++;
        }
    }
    if (num_found == 1 && pf_refused_count(name) == 0) {
        return found;
    }
    pf_refuse_long(name, num_found);
    return NULL;
}

/* apply_long carries out a long option; `value` is what stands behind its "=", or NULL. */
static enum pf_exit apply_long(struct walk *walk, const struct pf_option *option, char *value)
{
    enum pf_exit code = PF_EXIT_OK;

    if (value != NULL && !takes_value(option) && option->kind != PF_OPTION_CHOICE) {
        return pf_option_fail(option, "takes no value");
    }
    if (asks_for_page(option, value)) {
        return parse_page(walk, option);
    }
    if (option->kind == PF_OPTION_HELP) {
        value = next_word(walk);
    }
    if (value == NULL && takes_value(option)) {
        code = next_value(walk, option, &value);
    }
    return code == PF_EXIT_OK ? apply_and_hide(walk->settings, option, value) : code;
}

static enum pf_exit parse_long(struct walk *walk, char *word)
{
    size_t len = strcspn(word, "=");
    char *value = word[len] == '=' ? word + len + 1 : NULL;
    char *name = pf_strndup(word + 2, len - 2);
    bool is_undone = false;
    const struct pf_option *option = find_long(name, &is_undone);

    free(name);
    if (option == NULL) {
        return PF_EXIT_USAGE;
    }
    return is_undone ? undo(walk->settings, option) : apply_long(walk, option, value);
}

static const struct pf_option *find_letter(char letter)
{
    for (size_t i = 0; i < pf_num_options; i++) {
        if (pf_options[i].letter == letter) {
            return &pf_options[i];
        }
    }
    return NULL;
}

static enum pf_exit parse_letters(struct walk *walk, char *word)
{
    for (char *letter = word + 1; *letter != '\0'; letter++) {
        const struct pf_option *option = find_letter(*letter);
        char *value = NULL;
        enum pf_exit code = PF_EXIT_OK;

        if (option == NULL) {
            return pf_refuse_letter(*letter);
        }
        if (takes_value(option) && letter[1] != '\0') {
            return apply_and_hide(walk->settings, option, letter + 1);
        }
        if (option->kind == PF_OPTION_HELP && letter[1] == '\0') {
            value = next_word(walk);
        }
        if (takes_value(option)) {
            code = next_value(walk, option, &value);
        }
        if (code == PF_EXIT_OK) {
            code = apply_and_hide(walk->settings, option, value);
        }
        if (code != PF_EXIT_OK) {
            return code;
        }
    }
    return PF_EXIT_OK;
}

static enum pf_exit take_url(struct pf_settings *settings, char *word)
{
    enum pf_exit code = pf_apply_url(settings, NULL, word);

    hide(NULL, word);
    return code;
}

/* parse_word reads one word, and the next if that is its value. */
static enum pf_exit parse_word(struct walk *walk, char *word)
{
    if (word[0] != '-' || word[1] == '\0') {
        return take_url(walk->settings, word);
    }
    return word[1] == '-' ? parse_long(walk, word) : parse_letters(walk, word);
}

enum pf_exit pf_option_take(struct pf_settings *settings, char *name, char *value)
{
    char *words[] = {name, value};
    struct walk walk = {settings, words, value != NULL ? 2 : 1, 0};
    enum pf_exit code = parse_word(&walk, name);

    if (code == PF_EXIT_OK && value != NULL && walk.at == 0) {
        pf_say("option %s: takes no value", name);
        return PF_EXIT_USAGE;
    }
    return code;
}

/* settle_speed gives what was not said of --speed-limit and --speed-time, as curl does. */
static void settle_speed(struct pf_settings *settings)
{
    if (settings->speed_time_s > 0 && settings->speed_limit == 0) {
        settings->speed_limit = 1;
    }
    if (settings->speed_limit > 0 && settings->speed_time_s == 0) {
        settings->speed_time_s = SPEED_TIME_DEFAULT_S;
    }
}

enum pf_exit pf_options_parse(struct pf_settings *settings, int argc, char *const *argv)
{
    struct walk walk = {settings, argv, argc, 1};
    enum pf_exit code = PF_EXIT_OK;
    bool only_urls = false;

    for (; walk.at < argc && code == PF_EXIT_OK; walk.at++) {
        char *word = argv[walk.at];

        if (only_urls) {
            code = take_url(settings, word);
        } else if (strcmp(word, "--") == 0) {
            only_urls = true;
        } else {
            code = parse_word(&walk, word);
        }
    }
    settle_speed(settings);
    return code == PF_EXIT_OK ? pf_options_check(settings) : code;
}
