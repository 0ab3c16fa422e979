/* The command line, by one table. Short options combine (-sSf) and take their value in the same
 * word or the next (-ofile, -o file); long ones take it behind "=" or in the next word. An option
 * that is known but not there yet is refused: nothing is ignored. */

#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "count_of.h"
#include "say.h"
#include "text.h"

#define AT(member) offsetof(struct pf_settings, member)

enum {
    MS_PER_SECOND = 1000
};

static const int64_t count_max = 2000000000;

static const struct pf_option options[] = {
    {0,   "url",                  PF_OPTION_APPLY,   0,                      0, pf_apply_url             },
    {0,   "input-file",           PF_OPTION_APPLY,   0,                      0, pf_apply_input_file      },
    {'q', "disable",              PF_OPTION_NOTHING, 0,                      0, NULL                     },
    {'Z', "parallel",             PF_OPTION_NOTHING, 0,                      0, NULL                     },
    {'#', "progress-bar",         PF_OPTION_NOTHING, 0,                      0, NULL                     },
    {'c', "concurrency",          PF_OPTION_COUNT,   AT(concurrency),        1, NULL                     },
    {0,   "parallel-max",         PF_OPTION_COUNT,   AT(concurrency),        1, NULL                     },
    {'n', "repeat",               PF_OPTION_COUNT,   AT(repeat),             1, NULL                     },

    {'o', "output",               PF_OPTION_APPLY,   0,                      0, pf_apply_output          },
    {'O', "remote-name",          PF_OPTION_FLAG,    AT(remote_name),        0, pf_apply_remote_name     },
    {0,   "output-dir",           PF_OPTION_TEXT,    AT(output_dir),         0, NULL                     },
    {0,   "create-dirs",          PF_OPTION_FLAG,    AT(create_dirs),        0, NULL                     },
    {0,   "out-null",             PF_OPTION_FLAG,    AT(out_null),           0, NULL                     },
    {0,   "remove-on-error",      PF_OPTION_FLAG,    AT(remove_on_error),    0, NULL                     },
    {'i', "include",              PF_OPTION_FLAG,    AT(include),            0, NULL                     },
    {'D', "dump-header",          PF_OPTION_TEXT,    AT(dump_header),        0, NULL                     },

    {'X', "request",              PF_OPTION_TEXT,    AT(method),             0, NULL                     },
    {'I', "head",                 PF_OPTION_FLAG,    AT(head_only),          0, NULL                     },
    {'G', "get",                  PF_OPTION_FLAG,    AT(data_in_url),        0, NULL                     },
    {'H', "header",               PF_OPTION_APPLY,   0,                      0, pf_apply_header          },
    {'A', "user-agent",           PF_OPTION_TEXT,    AT(user_agent),         0, NULL                     },
    {'e', "referer",              PF_OPTION_APPLY,   0,                      0, pf_apply_referer         },
    {'r', "range",                PF_OPTION_APPLY,   0,                      0, pf_apply_range           },
    {'u', "user",                 PF_OPTION_SECRET,  AT(user),               0, NULL                     },
    {0,   "oauth2-bearer",        PF_OPTION_SECRET,  AT(bearer),             0, NULL                     },
    {'d', "data",                 PF_OPTION_APPLY,   0,                      0, pf_apply_data            },
    {0,   "data-ascii",           PF_OPTION_APPLY,   0,                      0, pf_apply_data            },
    {0,   "data-binary",          PF_OPTION_APPLY,   0,                      0, pf_apply_data_binary     },
    {0,   "data-raw",             PF_OPTION_APPLY,   0,                      0, pf_apply_data_raw        },
    {0,   "data-urlencode",       PF_OPTION_APPLY,   0,                      0, pf_apply_data_urlencode  },
    {0,   "json",                 PF_OPTION_APPLY,   0,                      0, pf_apply_json            },
    {'F', "form",                 PF_OPTION_APPLY,   0,                      0, pf_apply_form            },
    {0,   "form-string",          PF_OPTION_APPLY,   0,                      0, pf_apply_form_string     },
    {'T', "upload-file",          PF_OPTION_APPLY,   0,                      0, pf_apply_upload          },

    {'L', "location",             PF_OPTION_FLAG,    AT(follow),             0, NULL                     },
    {0,   "max-redirs",           PF_OPTION_APPLY,   AT(max_redirs),         0, pf_apply_max_redirs      },
    {0,   "location-trusted",     PF_OPTION_FLAG,    AT(location_trusted),   0, pf_apply_location_trusted},
    {0,   "post301",              PF_OPTION_FLAG,    AT(post301),            0, NULL                     },
    {0,   "post302",              PF_OPTION_FLAG,    AT(post302),            0, NULL                     },
    {0,   "post303",              PF_OPTION_FLAG,    AT(post303),            0, NULL                     },
    {0,   "proto-redir",          PF_OPTION_APPLY,   0,                      0, pf_apply_proto_redir     },
    {0,   "compressed",           PF_OPTION_FLAG,    AT(compressed),         0, NULL                     },
    {0,   "raw",                  PF_OPTION_FLAG,    AT(raw),                0, NULL                     },
    {0,   "max-filesize",         PF_OPTION_SIZE,    AT(max_filesize),       0, NULL                     },
    {'m', "max-time",             PF_OPTION_SECONDS, AT(max_time_ms),        0, NULL                     },
    {0,   "connect-timeout",      PF_OPTION_SECONDS, AT(connect_timeout_ms), 0, NULL                     },
    {0,   "read-timeout",         PF_OPTION_SECONDS, AT(read_timeout_ms),    0, NULL                     },

    {0,   "retry",                PF_OPTION_COUNT,   AT(retry),              0, NULL                     },
    {0,   "retry-delay",          PF_OPTION_SECONDS, AT(retry_delay_ms),     0, NULL                     },
    {0,   "retry-max-time",       PF_OPTION_SECONDS, AT(retry_max_time_ms),  0, NULL                     },
    {0,   "retry-connrefused",    PF_OPTION_FLAG,    AT(retry_connrefused),  0, NULL                     },
    {0,   "retry-all-errors",     PF_OPTION_FLAG,    AT(retry_all_errors),   0, NULL                     },
    {0,   "retry-on",             PF_OPTION_APPLY,   0,                      0, pf_apply_retry_on        },

    {0,   "cacert",               PF_OPTION_TEXT,    AT(cacert),             0, NULL                     },
    {0,   "capath",               PF_OPTION_TEXT,    AT(capath),             0, NULL                     },
    {'k', "insecure",             PF_OPTION_FLAG,    AT(insecure),           0, NULL                     },
    {'E', "cert",                 PF_OPTION_APPLY,   0,                      0, pf_apply_cert            },
    {0,   "key",                  PF_OPTION_TEXT,    AT(key),                0, NULL                     },
    {0,   "pass",                 PF_OPTION_SECRET,  AT(key_password),       0, NULL                     },
    {0,   "pinnedpubkey",         PF_OPTION_TEXT,    AT(pins),               0, NULL                     },
    {0,   "tlsv1.2",              PF_OPTION_FLAG,    AT(tls_1_3_only),       0, pf_apply_tls_min         },
    {0,   "tlsv1.3",              PF_OPTION_FLAG,    AT(tls_1_3_only),       0, pf_apply_tls_min         },
    {0,   "tls-max",              PF_OPTION_APPLY,   0,                      0, pf_apply_tls_max         },
    {0,   "ciphers",              PF_OPTION_APPLY,   0,                      0, pf_apply_ciphers         },

    {0,   "resolve",              PF_OPTION_APPLY,   0,                      0, pf_apply_resolve         },
    {0,   "connect-to",           PF_OPTION_APPLY,   0,                      0, pf_apply_connect_to      },
    {'4', "ipv4",                 PF_OPTION_FLAG,    AT(ipv4),               0, pf_apply_family          },
    {'6', "ipv6",                 PF_OPTION_FLAG,    AT(ipv6),               0, pf_apply_family          },
    {0,   "interface",            PF_OPTION_APPLY,   0,                      0, pf_apply_interface       },
    {0,   "unix-socket",          PF_OPTION_APPLY,   0,                      0, pf_apply_unix_socket     },
    {0,   "abstract-unix-socket", PF_OPTION_APPLY,   0,                      0, pf_apply_unix_socket     },

    {'x', "proxy",                PF_OPTION_APPLY,   0,                      0, pf_apply_proxy           },
    {'U', "proxy-user",           PF_OPTION_SECRET,  AT(proxy_user),         0, NULL                     },
    {0,   "proxy-header",         PF_OPTION_APPLY,   0,                      0, pf_apply_proxy_header    },
    {0,   "proxy-cacert",         PF_OPTION_TEXT,    AT(proxy_cacert),       0, NULL                     },
    {0,   "proxy-insecure",       PF_OPTION_FLAG,    AT(proxy_insecure),     0, NULL                     },
    {0,   "preproxy",             PF_OPTION_APPLY,   0,                      0, pf_apply_preproxy        },
    {0,   "socks4",               PF_OPTION_APPLY,   0,                      0, pf_apply_socks           },
    {0,   "socks4a",              PF_OPTION_APPLY,   0,                      0, pf_apply_socks           },
    {0,   "socks5",               PF_OPTION_APPLY,   0,                      0, pf_apply_socks           },
    {0,   "socks5-hostname",      PF_OPTION_APPLY,   0,                      0, pf_apply_socks           },
    {0,   "noproxy",              PF_OPTION_TEXT,    AT(no_proxy),           0, NULL                     },

    {0,   "pool-maxsize",         PF_OPTION_COUNT,   AT(pool_maxsize),       0, NULL                     },
    {0,   "pool-block",           PF_OPTION_FLAG,    AT(pool_block),         0, NULL                     },
    {0,   "num-pools",            PF_OPTION_COUNT,   AT(num_pools),          1, NULL                     },
    {0,   "pool-timeout",         PF_OPTION_SECONDS, AT(pool_timeout_ms),    0, NULL                     },
    {0,   "max-idle",             PF_OPTION_SECONDS, AT(max_idle_ms),        0, NULL                     },
    {0,   "max-lifetime",         PF_OPTION_SECONDS, AT(max_lifetime_ms),    0, NULL                     },

    {'f', "fail",                 PF_OPTION_FLAG,    AT(fail),               0, NULL                     },
    {0,   "fail-with-body",       PF_OPTION_FLAG,    AT(fail_with_body),     0, NULL                     },
    {0,   "fail-early",           PF_OPTION_FLAG,    AT(fail_early),         0, NULL                     },
    {'s', "silent",               PF_OPTION_FLAG,    AT(silent),             0, NULL                     },
    {'S', "show-error",           PF_OPTION_FLAG,    AT(show_error),         0, NULL                     },
    {'v', "verbose",              PF_OPTION_FLAG,    AT(verbose),            0, NULL                     },
    {0,   "no-progress-meter",    PF_OPTION_FLAG,    AT(no_progress),        0, NULL                     },
    {'w', "write-out",            PF_OPTION_APPLY,   AT(write_out),          0, pf_apply_write_out       },
    {0,   "report",               PF_OPTION_CHOICE,  AT(report),             0, pf_apply_report          },
    {0,   "jsonl",                PF_OPTION_FLAG,    AT(jsonl),              0, NULL                     },

    {0,   "demo",                 PF_OPTION_FLAG,    AT(demo),               0, NULL                     },
    {'h', "help",                 PF_OPTION_FLAG,    AT(help),               0, NULL                     },
    {'V', "version",              PF_OPTION_FLAG,    AT(version),            0, NULL                     },
};

/* Promised, and not there yet. */
static const struct {
    char letter;
    const char *name;
} later[] = {
    {0,   "duration"   },
    {0,   "rate"       },
    {'C', "continue-at"},
    {':', "next"       },
    {0,   "trace"      },
    {0,   "trace-ascii"},
};

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

static enum pf_exit fail_unknown(const char *word)
{
    pf_say("option %s: is unknown; try 'pooled-fetch --help'", word);
    return PF_EXIT_USAGE;
}

/* refuse_later refuses what is promised, or unknown. `name` is NULL for a letter. */
static enum pf_exit refuse_later(const char *name, char letter, const char *word)
{
    for (size_t i = 0; i < COUNT_OF(later); i++) {
        if (name != NULL ? strcmp(later[i].name, name) == 0 : later[i].letter == letter) {
            pf_say(strcmp(later[i].name, "next") == 0
                       ? "option --%s: one set of options holds for all URLs here"
                       : "option --%s: this version of pooled-fetch cannot do it yet",
                   later[i].name);
            return PF_EXIT_USAGE;
        }
    }
    return fail_unknown(word);
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
    *out = (int64_t)(seconds * MS_PER_SECOND + 0.5);
    if (*out == 0 && seconds > 0) {
        *out = 1; /* 0 would be no limit */
    }
    return PF_EXIT_OK;
}

static enum pf_exit set_size(int64_t *out, const struct pf_option *option, const char *value)
{
    static const char units[] = "kmg";
    int64_t number;
    const char *end = pf_digits(value, &number);
    const char *unit;

    if (end == value || number > INT64_MAX >> 30) {
        return pf_option_fail(option, "\"%s\" is no number of bytes", value);
    }
    unit = *end != '\0' ? strchr(units, *end | ('a' ^ 'A')) : NULL;
    if (*end != '\0' && (unit == NULL || end[1] != '\0')) {
        return pf_option_fail(option, "\"%s\" is no number of bytes", value);
    }
    *out = unit != NULL ? number << (10 * (unit - units + 1)) : number;
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
    char *scheme = strstr(url, "://");
    char *authority = scheme != NULL ? scheme + 3 : url;
    char *at = memrchr(authority, '@', strcspn(authority, "/?#"));

    if (at != NULL) {
        blank(authority, (size_t)(at - authority));
    }
}

/* hide overwrites what a value holds that is nobody else's business: as curl does with -u, and the
 * values of all -H and the user and password of a URL too. */
static void hide(const struct pf_option *option, char *value)
{
    if (option != NULL && option->kind == PF_OPTION_SECRET) {
        blank(value, strlen(value));
    } else if (option != NULL && option->letter == 'E') {
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
    return option->kind == PF_OPTION_CHOICE ? option->apply(settings, option, value) : PF_EXIT_OK;
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

static enum pf_exit parse_long(struct walk *walk, char *word)
{
    const char *name = word + 2;
    char *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
    char *value = equals != NULL ? equals + 1 : NULL;
    enum pf_exit code = PF_EXIT_OK;
    char *bare;

    for (size_t i = 0; i < COUNT_OF(options); i++) {
        const struct pf_option *option = &options[i];

        if (strlen(option->name) != len || memcmp(option->name, name, len) != 0) {
            continue;
        }
        if (value != NULL && !takes_value(option) && option->kind != PF_OPTION_CHOICE) {
            return pf_option_fail(option, "takes no value");
        }
        if (asks_for_page(option, value)) {
            return parse_page(walk, option);
        }
        if (value == NULL && takes_value(option)) {
            code = next_value(walk, option, &value);
        }
        return code == PF_EXIT_OK ? apply_and_hide(walk->settings, option, value) : code;
    }
    bare = pf_strndup(name, len);
    code = refuse_later(bare, 0, word);
    free(bare);
    return code;
}

static const struct pf_option *find_letter(char letter)
{
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        if (options[i].letter == letter) {
            return &options[i];
        }
    }
    return NULL;
}

static enum pf_exit parse_letters(struct walk *walk, char *word)
{
    for (char *letter = word + 1; *letter != '\0'; letter++) {
        const struct pf_option *option = find_letter(*letter);
        const char shown[] = {'-', *letter, '\0'};
        char *value = NULL;
        enum pf_exit code = PF_EXIT_OK;

        if (option == NULL) {
            return refuse_later(NULL, *letter, shown);
        }
        if (takes_value(option) && letter[1] != '\0') {
            return apply_and_hide(walk->settings, option, letter + 1);
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

/* find_body names the option that asks for a body. Refuses two; NULL when there is none. */
static enum pf_exit find_body(const struct pf_settings *settings, const char **out_name)
{
    const struct {
        bool is_set;
        const char *name;
    } bodies[] = {
        {settings->has_data && !settings->data_in_url, "--data"       },
        {settings->form != NULL,                       "--form"       },
        {settings->uploads.count > 0,                  "--upload-file"},
    };

    *out_name = NULL;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        if (bodies[i].is_set && *out_name != NULL) {
            pf_say("%s and %s ask for two bodies; only one can be sent", *out_name, bodies[i].name);
            return PF_EXIT_USAGE;
        }
        *out_name = bodies[i].is_set ? bodies[i].name : *out_name;
    }
    return PF_EXIT_OK;
}

static bool uploads_standard_input(const struct pf_settings *settings)
{
    for (size_t i = 0; i < settings->uploads.count; i++) {
        if (strcmp(settings->uploads.items[i], "-") == 0) {
            return true;
        }
    }
    return false;
}

/* check_bodies refuses two kinds of body, and what cannot go with the one there is. */
static enum pf_exit check_bodies(const struct pf_settings *settings)
{
    const char *found = NULL;
    enum pf_exit code = find_body(settings, &found);

    if (code != PF_EXIT_OK || found == NULL) {
        return code;
    }
    if (settings->head_only || settings->data_in_url) {
        pf_say("%s and %s ask for two methods; only one can be sent",
               settings->head_only ? "--head" : "--get", found);
        return PF_EXIT_USAGE;
    }
    if (settings->retry > 0 && uploads_standard_input(settings)) {
        pf_say("option --upload-file: standard input can be sent but once; --retry needs more");
        return PF_EXIT_USAGE;
    }
    if (settings->range != NULL) {
        pf_say("--range is of what is fetched; it cannot go with %s", found);
        return PF_EXIT_USAGE;
    }
    return PF_EXIT_OK;
}

/* Two settings that cannot both be meant. */
static enum pf_exit check_conflicts(const struct pf_settings *settings)
{
    if (settings->fail && settings->fail_with_body) {
        pf_say("--fail and --fail-with-body exclude each other");
        return PF_EXIT_USAGE;
    }
    if (settings->user != NULL && strchr(settings->user, ':') == NULL) {
        pf_say("option --user: expected user:password; a password is not asked for");
        return PF_EXIT_USAGE;
    }
    if (settings->proxy_user != NULL && strchr(settings->proxy_user, ':') == NULL) {
        pf_say("option --proxy-user: expected user:password; a password is not asked for");
        return PF_EXIT_USAGE;
    }
    if (settings->follow && settings->redirect_schemes == 0) {
        pf_say("option --proto-redir: it allows neither http nor https; leave --location out");
        return PF_EXIT_USAGE;
    }
    if (settings->concurrency > 4096) {
        pf_say("option --concurrency: %lld is more than 4096", (long long)settings->concurrency);
        return PF_EXIT_USAGE;
    }
    return PF_EXIT_OK;
}

enum pf_exit pf_options_parse(struct pf_settings *settings, int argc, char *const *argv)
{
    struct walk walk = {settings, argv, argc, 1};
    enum pf_exit code = PF_EXIT_OK;
    bool only_urls = false;

    for (; walk.at < argc; walk.at++) {
        char *word = argv[walk.at];

        if (!only_urls && strcmp(word, "--") == 0) {
            only_urls = true;
            continue;
        }
        if (only_urls || word[0] != '-' || word[1] == '\0') {
            code = pf_apply_url(settings, NULL, word);
            hide(NULL, word);
        } else if (word[1] == '-') {
            code = parse_long(&walk, word);
        } else {
            code = parse_letters(&walk, word);
        }
        if (code != PF_EXIT_OK) {
            return code;
        }
    }
    code = check_bodies(settings);
    return code == PF_EXIT_OK ? check_conflicts(settings) : code;
}
