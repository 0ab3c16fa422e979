/* URLs that stand for many, as curl has them. Each part is turned into the list of its words, then
 * every combination is written out. */

#include "glob.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "text.h"

enum {
    URLS_MAX = 1000000,
    WIDTH_MAX = 18
};

/* A URL taken apart: text, part, text, part, … text. */
struct pattern {
    struct pf_strings texts;
    struct pf_strings *parts;
    size_t num_parts;
};

static void add_part(struct pattern *pattern)
{
    pattern->parts = pf_resize(pattern->parts, (pattern->num_parts + 1) * sizeof(*pattern->parts));
    pattern->parts[pattern->num_parts++] = (struct pf_strings){0};
}

/* add_set takes "{a,b,c}" apart. Returns what is behind it, or NULL. */
static const char *add_set(struct pattern *pattern, const char *at)
{
    struct pf_text word = {0};

    add_part(pattern);
    for (at++; *at != '\0' && *at != '{' && *at != '['; at++) {
        if (*at == ',' || *at == '}') {
            pf_strings_add(&pattern->parts[pattern->num_parts - 1],
                           pf_strdup(word.data != NULL ? word.data : ""));
            pf_text_cut(&word, 0);
            if (*at == '}') {
                pf_text_free(&word);
                return at + 1;
            }
            continue;
        }
        at += *at == '\\' && at[1] != '\0';
        pf_text_add(&word, at, 1);
    }
    pf_text_free(&word);
    return NULL;
}

/* read_step reads ":N", if it is there, and the bracket behind it. */
static const char *read_step(const char *at, int64_t *out_step)
{
    *out_step = 1;
    if (*at == ':') {
        at = pf_digits(at + 1, out_step);
    }
    return *at == ']' && *out_step > 0 ? at + 1 : NULL;
}

static const char *add_letters(struct pf_strings *words, const char *at)
{
    int first = (unsigned char)at[1];
    int last = (unsigned char)at[3];
    int64_t step;
    const char *end = read_step(at + 4, &step);

    if (end == NULL || last < first || (isupper(first) != 0) != (isupper(last) != 0)) {
        return NULL;
    }
    for (int64_t i = 0; i <= (last - first) / step; i++) {
        pf_strings_add(words, pf_format("%c", (int)(first + i * step)));
    }
    return end;
}

static const char *add_numbers(struct pf_strings *words, const char *at)
{
    const char *digits = at + 1;
    int64_t first;
    int64_t last;
    int64_t step;
    const char *dash = pf_digits(digits, &first);
    int width = digits[0] == '0' ? (int)(dash - digits) : 1;
    const char *end =
        *dash == '-' && isdigit((unsigned char)dash[1]) ? pf_digits(dash + 1, &last) : NULL;

    end = end != NULL && width <= WIDTH_MAX ? read_step(end, &step) : NULL;
    if (end == NULL || last < first || (last - first) / step >= URLS_MAX) {
        return NULL;
    }
    for (int64_t i = 0; i <= (last - first) / step; i++) {
        pf_strings_add(words, pf_format("%0*" PRId64, width, first + i * step));
    }
    return end;
}

/* add_range takes "[1-9]", "[01-10:2]", "[a-z]" apart. Returns what is behind it, or NULL. */
static const char *add_range(struct pattern *pattern, const char *at)
{
    struct pf_strings *words;

    add_part(pattern);
    words = &pattern->parts[pattern->num_parts - 1];
    if (isalpha((unsigned char)at[1]) && at[2] == '-' && isalpha((unsigned char)at[3])) {
        return add_letters(words, at);
    }
    return isdigit((unsigned char)at[1]) ? add_numbers(words, at) : NULL;
}

/* is_address says whether "[...]" is an IPv6 address rather than a range. */
static bool is_address(const char *at)
{
    size_t len = strspn(at + 1, "0123456789abcdefABCDEF:.");

    return (at[len + 1] == ']' || at[len + 1] == '%') && memchr(at, ':', len) != NULL &&
           memchr(at, '-', len) == NULL && strchr(at, ']') != NULL;
}

static const char *skip_address(struct pf_text *text, const char *at)
{
    size_t len = strcspn(at, "]") + 1;

    pf_text_add(text, at, len);
    return at + len;
}

/* take_apart reads the whole. Returns false where it cannot be read. */
static bool take_apart(struct pattern *pattern, const char *at)
{
    struct pf_text text = {0};

    pf_text_adds(&text, "");
    while (at != NULL && *at != '\0') {
        if (*at == '[' && is_address(at)) {
            at = skip_address(&text, at);
        } else if (*at == '{' || *at == '[') {
            pf_strings_add(&pattern->texts, pf_strdup(text.data));
            pf_text_cut(&text, 0);
            at = *at == '{' ? add_set(pattern, at) : add_range(pattern, at);
        } else if (*at == '}' || *at == ']') {
            at = NULL;
        } else {
            at += *at == '\\' && at[1] != '\0' && strchr("{}[]", at[1]) != NULL;
            pf_text_add(&text, at++, 1);
        }
    }
    pf_strings_add(&pattern->texts, pf_strdup(text.data));
    pf_text_free(&text);
    return at != NULL;
}

static void write_out(struct pf_glob *glob, const struct pattern *pattern, size_t number)
{
    struct pf_strings words = {0};
    struct pf_text url = {0};
    size_t *which = pf_alloc((pattern->num_parts + 1) * sizeof(*which));

    for (size_t i = pattern->num_parts; i > 0; i--) {
        which[i - 1] = number % pattern->parts[i - 1].count;
        number /= pattern->parts[i - 1].count;
    }
    for (size_t i = 0; i < pattern->num_parts; i++) {
        const char *word = pattern->parts[i].items[which[i]];

        pf_text_adds(&url, pattern->texts.items[i]);
        pf_text_adds(&url, word);
        pf_strings_add(&words, pf_strdup(word));
    }
    pf_text_adds(&url, pattern->texts.items[pattern->num_parts]);
    glob->parts = pf_resize(glob->parts, (glob->urls.count + 1) * sizeof(*glob->parts));
    glob->parts[glob->urls.count] = words;
    pf_strings_add(&glob->urls, url.data);
    free(which);
}

static void free_pattern(struct pattern *pattern)
{
    pf_strings_free(&pattern->texts);
    for (size_t i = 0; i < pattern->num_parts; i++) {
        pf_strings_free(&pattern->parts[i]);
    }
    free(pattern->parts);
}

enum pf_exit pf_glob_expand(struct pf_glob *glob, const char *url)
{
    struct pattern pattern = {0};
    bool is_good = take_apart(&pattern, url);
    size_t count = 1;

    *glob = (struct pf_glob){.num_parts = pattern.num_parts};
    for (size_t i = 0; i < pattern.num_parts && count <= URLS_MAX; i++) {
        count *= pattern.parts[i].count;
    }
    if (!is_good || count == 0 || count > URLS_MAX) {
        pf_say(
            "(3) brackets or braces of the URL cannot be read; --globoff takes them as they are");
        free_pattern(&pattern);
        return PF_EXIT_URL;
    }
    for (size_t i = 0; i < count; i++) {
        write_out(glob, &pattern, i);
    }
    free_pattern(&pattern);
    return PF_EXIT_OK;
}

void pf_glob_free(struct pf_glob *glob)
{
    for (size_t i = 0; i < glob->urls.count; i++) {
        pf_strings_free(&glob->parts[i]);
    }
    free(glob->parts);
    pf_strings_free(&glob->urls);
    *glob = (struct pf_glob){0};
}

char *pf_glob_name(const struct pf_glob *glob, size_t index, const char *name)
{
    struct pf_text out = {0};

    pf_text_adds(&out, "");
    while (*name != '\0') {
        int64_t number = 0;
        const char *end = *name == '#' ? pf_digits(name + 1, &number) : name;

        if (number > 0 && number <= (int64_t)glob->num_parts) {
            pf_text_adds(&out, glob->parts[index].items[number - 1]);
            name = end;
        } else {
            pf_text_add(&out, name++, 1);
        }
    }
    return out.data;
}
