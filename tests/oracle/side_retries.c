/* "retries:" of a case: "3", "no", or urllib3's words, "total=3 methods=GET,PUT forcelist=500,503",
 * as a struct urlpool_retry. Zero is a value there and the default here: URLPOOL_NONE. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side_case.h"

static int32_t count_of(const char *value)
{
    int32_t count = (int32_t)atol(value);

    return count == 0 ? URLPOOL_NONE : count;
}

static void take_forcelist(struct urlpool_retry *retries, char *value)
{
    char *rest = value;
    char *word;

    for (size_t i = 0; i < URLPOOL_RETRY_STATUSES_MAX && (word = strsep(&rest, ",")) != NULL; i++) {
        retries->status_forcelist[i] = (uint16_t)atol(word);
    }
}

/* The switches; their sense is turned round where false must be the default. */
static bool take_switch(struct urlpool_retry *retries, const char *name, bool is_yes)
{
    if (strcmp(name, "raise_on_status") == 0) {
        retries->raise_on_status = is_yes;
    } else if (strcmp(name, "raise_on_redirect") == 0) {
        retries->return_last_redirect = !is_yes;
    } else if (strcmp(name, "respect_retry_after_header") == 0) {
        retries->ignore_retry_after = !is_yes;
    } else {
        return false;
    }
    return true;
}

static bool take_count(struct urlpool_retry *retries, const char *name, const char *value)
{
    const struct {
        const char *name;
        int32_t *count;
    } counts[] = {
        {"total",    &retries->total   },
        {"connect",  &retries->connect },
        {"read",     &retries->read    },
        {"redirect", &retries->redirect},
        {"status",   &retries->status  },
        {"other",    &retries->other   },
    };

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (strcmp(name, counts[i].name) == 0) {
            *counts[i].count = count_of(value);
            return true;
        }
    }
    return false;
}

static void take_word(struct side_case *scene, const char *name, char *value)
{
    struct urlpool_retry *retries = &scene->options.retries;

    if (strcmp(name, "methods") == 0) {
        snprintf(scene->methods, sizeof(scene->methods), "%s", value);
        retries->allowed_methods = scene->methods;
    } else if (strcmp(name, "remove") == 0) {
        snprintf(scene->removed, sizeof(scene->removed), "%s", value);
        retries->remove_headers_on_redirect = scene->removed;
    } else if (strcmp(name, "forcelist") == 0) {
        take_forcelist(retries, value);
    } else if (!take_switch(retries, name, strcmp(value, "yes") == 0) &&
               !take_count(retries, name, value)) {
        side_die("no word of retries", name);
    }
}

void side_take_retries(struct side_case *scene, const char *value)
{
    char *text = strdup(value);
    char *rest = text;
    char *word;

    if (text == NULL) {
        side_die("no memory for", value);
    }
    if (strcmp(value, "no") == 0) {
        scene->options.retries.total = URLPOOL_NONE;
        scene->options.return_redirects = true;
    } else if (strchr(value, '=') == NULL) {
        scene->options.retries.total = count_of(value);
    } else {
        while ((word = strsep(&rest, " ")) != NULL) {
            char *setting = strchr(word, '=');
            if (setting == NULL) {
                side_die("no value for", word);
            }
            *setting++ = '\0';
            take_word(scene, word, setting);
        }
    }
    free(text);
}
