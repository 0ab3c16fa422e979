/* -K: options from a file, as curl reads them. A line is an option, its dashes optional when it is
 * a long one, then blanks, "=" or ":", then its value, which may stand in quotes; "#" begins a
 * comment line. What is in the file is seen by nobody who lists the processes. */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "say.h"
#include "text.h"

enum {
    DEPTH_MAX = 8 /* of files that name files */
};

/* unquote takes what stands between quotes; "\t", "\n", "\r" and "\v" are what they are in C. */
static void unquote(struct pf_text *out, const char *at)
{
    static const char letters[] = "tnrv";
    static const char bytes[] = "\t\n\r\v";

    for (at++; *at != '\0' && *at != '"'; at++) {
        const char *letter;

        if (*at != '\\' || at[1] == '\0') {
            pf_text_add(out, at, 1);
            continue;
        }
        at++;
        letter = strchr(letters, *at);
        pf_text_add(out, letter != NULL ? &bytes[letter - letters] : at, 1);
    }
}

/* take_line carries out one line. */
static enum pf_exit take_line(struct pf_settings *settings, char *line)
{
    struct pf_text value = {0};
    enum pf_exit code;
    char *name;
    size_t len;

    line += strspn(line, " \t");
    if (line[0] == '\0' || strchr("#/*", line[0]) != NULL) {
        return PF_EXIT_OK;
    }
    len = strcspn(line, line[0] == '-' ? " \t" : " \t=:");
    name = pf_format("%s%.*s", line[0] == '-' ? "" : "--", (int)len, line);
    line += len;
    line += strspn(line, name[0] == '-' && name[1] != '-' ? " \t" : " \t=:");
    if (line[0] == '"') {
        pf_text_adds(&value, "");
        unquote(&value, line);
    } else if (line[0] != '\0') {
        pf_text_add(&value, line, strcspn(line, " \t"));
    }
    code = pf_option_take(settings, name, value.data);
    pf_text_free(&value);
    free(name);
    return code;
}

enum pf_exit pf_apply_config(struct pf_settings *settings, const struct pf_option *option,
                             const char *value)
{
    static int depth;
    struct pf_text text = {0};
    enum pf_exit code = PF_EXIT_OK;
    char *rest;
    char *line;

    if (depth == DEPTH_MAX) {
        return pf_option_fail(option, "files name each other without end");
    }
    if (pf_text_read_file(&text, value) != 0) {
        (void)pf_option_fail(option, "cannot read \"%s\": %s", value, pf_errno_text(errno));
        pf_text_free(&text);
        return PF_EXIT_READ;
    }
    depth++;
    rest = text.data;
    while (code == PF_EXIT_OK && (line = strsep(&rest, "\r\n")) != NULL) {
        code = take_line(settings, line);
    }
    depth--;
    pf_text_free(&text);
    return code;
}
