/* What a file is called that is named by a server: -O by its URL, -J by its answer. */

#include "remote_name.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "urlpool/urlpool.h"

#include "text.h"

char *pf_name_of_url(const char *text)
{
    struct urlpool_url *url = urlpool_url_parse(text, NULL);
    const char *slash = url != NULL ? strrchr(url->path, '/') : NULL;
    char *name = NULL;

    if (slash != NULL && slash[1] != '\0' && strcmp(slash, "/.") != 0 &&
        strcmp(slash, "/..") != 0) {
        name = pf_strdup(slash + 1);
    }
    urlpool_url_free(url);
    return name;
}

/* behind_folders is where the last part of a path of any system begins. */
static char *behind_folders(char *name)
{
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '/' || *at == '\\') {
            name = at + 1;
        }
    }
    return name;
}

char *pf_name_of_disposition(const char *value)
{
    static const char key[] = "filename=";
    const char *at = value != NULL ? strcasestr(value, key) : NULL;
    char *whole;
    char *name;

    if (at == NULL) {
        return NULL;
    }
    at += strlen(key);
    whole = at[0] == '"' || at[0] == '\'' ? pf_strndup(at + 1, strcspn(at + 1, "\"'"))
                                          : pf_strndup(at, strcspn(at, "; \t"));
    name = behind_folders(whole);
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        free(whole);
        return NULL;
    }
    memmove(whole, name, strlen(name) + 1);
    return whole;
}
