/* -d and its kin: each adds a piece, pieces are joined by "&", those of --json by nothing. */

#include <errno.h>
#include <string.h>

#include "options.h"
#include "text.h"

static void begin_piece(struct pf_settings *settings)
{
    if (settings->has_data) {
        pf_text_adds(&settings->data, "&");
    }
    settings->has_data = true;
}

static enum pf_exit read_piece(const struct pf_option *option, const char *path,
                               struct pf_text *out)
{
    if (pf_text_read_file(out, path) == 0) {
        return PF_EXIT_OK;
    }
    (void)pf_option_fail(option, "cannot read \"%s\": %s", path, pf_errno_text(errno));
    pf_text_free(out);
    return PF_EXIT_READ;
}

/* As curl: a file given to -d loses its line ends and NULs. */
static void add_without_line_ends(struct pf_text *out, const struct pf_text *piece)
{
    for (size_t i = 0; i < piece->len; i++) {
        if (piece->data[i] != '\r' && piece->data[i] != '\n' && piece->data[i] != '\0') {
            pf_text_add(out, &piece->data[i], 1);
        }
    }
}

static enum pf_exit add_piece(struct pf_settings *settings, const struct pf_option *option,
                              const char *value, bool keeps_line_ends)
{
    struct pf_text piece = {0};

    if (value[0] == '@') {
        enum pf_exit code = read_piece(option, value + 1, &piece);
        if (code != PF_EXIT_OK) {
            return code;
        }
    }
    begin_piece(settings);
    if (value[0] != '@') {
        pf_text_adds(&settings->data, value);
    } else if (keeps_line_ends) {
        pf_text_add(&settings->data, piece.data, piece.len);
    } else {
        add_without_line_ends(&settings->data, &piece);
    }
    pf_text_free(&piece);
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_data(struct pf_settings *settings, const struct pf_option *option,
                           const char *value)
{
    return add_piece(settings, option, value, false);
}

enum pf_exit pf_apply_data_binary(struct pf_settings *settings, const struct pf_option *option,
                                  const char *value)
{
    return add_piece(settings, option, value, true);
}

enum pf_exit pf_apply_data_raw(struct pf_settings *settings, const struct pf_option *option,
                               const char *value)
{
    (void)option;
    begin_piece(settings);
    pf_text_adds(&settings->data, value);
    return PF_EXIT_OK;
}

/* pf_apply_data_urlencode takes "content", "=content", "name=content", "@file" and "name@file". */
enum pf_exit pf_apply_data_urlencode(struct pf_settings *settings, const struct pf_option *option,
                                     const char *value)
{
    const char *mark = strpbrk(value, "=@");
    struct pf_text piece = {0};

    if (mark != NULL && *mark == '@') {
        enum pf_exit code = read_piece(option, mark + 1, &piece);
        if (code != PF_EXIT_OK) {
            return code;
        }
    } else {
        pf_text_adds(&piece, mark != NULL ? mark + 1 : value);
    }
    begin_piece(settings);
    if (mark != NULL && mark > value) {
        pf_text_add(&settings->data, value, (size_t)(mark - value));
        pf_text_adds(&settings->data, "=");
    }
    pf_text_add_escaped(&settings->data, piece.data, piece.len, "+");
    pf_text_free(&piece);
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_json(struct pf_settings *settings, const struct pf_option *option,
                           const char *value)
{
    struct pf_text piece = {0};

    if (value[0] == '@') {
        enum pf_exit code = read_piece(option, value + 1, &piece);
        if (code != PF_EXIT_OK) {
            return code;
        }
        pf_text_add(&settings->data, piece.data, piece.len);
        pf_text_free(&piece);
    } else {
        pf_text_adds(&settings->data, value);
    }
    settings->has_data = true;
    settings->has_json = true;
    return PF_EXIT_OK;
}
