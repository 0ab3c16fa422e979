/* -F: "name=content", "name=@file", "name=<file", each with ";type=", ";filename=" and ";headers="
 * behind it; words may be quoted. As curl reads it, but where curl drops or nests what it finds,
 * this refuses. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "urlpool/urlpool.h"

#include "options.h"
#include "text.h"

/* struct piece is one -F, taken apart. */
struct piece {
    const struct pf_option *option;
    const char *at; /* what is left to be read */
    char *name;
    char source; /* '@', '<', or 0 */
    struct pf_text content, type, filename;
    bool has_type, has_filename;
    struct urlpool_headers *headers;
};

static void piece_deinit(struct piece *piece)
{
    free(piece->name);
    pf_text_free(&piece->content);
    pf_text_free(&piece->type);
    pf_text_free(&piece->filename);
    urlpool_headers_free(piece->headers);
}

static bool is_blank(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static void skip_blanks(struct piece *piece)
{
    while (is_blank(*piece->at)) {
        piece->at++;
    }
}

/* take_quoted takes a word in quotes; false when the second one is missing. */
static bool take_quoted(struct piece *piece, struct pf_text *out)
{
    const char *at = piece->at + 1;

    for (; *at != '\0' && *at != '"'; at++) {
        if (at[0] == '\\' && (at[1] == '\\' || at[1] == '"')) {
            at++;
        }
        pf_text_add(out, at, 1);
    }
    if (*at == '\0') {
        pf_text_cut(out, 0);
        return false;
    }
    piece->at = at + 1;
    skip_blanks(piece);
    return true;
}

/* take_word takes what goes up to a semicolon, or is in quotes; a comma in it is the caller's to
 * judge. Blanks around it are left out. */
static void take_word(struct piece *piece, struct pf_text *out)
{
    size_t len;

    pf_text_cut(out, 0);
    pf_text_adds(out, "");
    skip_blanks(piece);
    if (*piece->at == '"' && take_quoted(piece, out)) {
        return;
    }
    len = strcspn(piece->at, ";");
    pf_text_add(out, piece->at, len);
    piece->at += len;
    while (out->len > 0 && is_blank(out->data[out->len - 1])) {
        pf_text_cut(out, out->len - 1);
    }
}

/* takes_key moves behind "key=" if that is what comes next. */
static bool takes_key(struct piece *piece, const char *key)
{
    size_t len = strlen(key);

    if (strncasecmp(piece->at, key, len) != 0) {
        return false;
    }
    piece->at += len;
    return true;
}

/* take_type takes "major/minor", and what is behind it as in "; charset=utf-8". */
static enum pf_exit take_type(struct piece *piece)
{
    const char *slash;

    take_word(piece, &piece->type);
    slash = strchr(piece->type.data, '/');
    if (slash == NULL || slash == piece->type.data || slash[1] == '\0') {
        return pf_option_fail(piece->option, "\"%s\" is no media type", piece->type.data);
    }
    piece->has_type = true;
    return PF_EXIT_OK;
}

static enum pf_exit take_field(struct piece *piece)
{
    struct urlpool_error err = {0};
    struct pf_text line = {0};
    enum pf_exit code = PF_EXIT_OK;
    char *colon;

    take_word(piece, &line);
    colon = strchr(line.data, ':');
    if (colon == NULL || line.data[0] == '@' || line.data[0] == '<') {
        code = pf_option_fail(piece->option, "\"%s\" is no \"Name: value\"", line.data);
    } else {
        *colon = '\0';
        if (piece->headers == NULL) {
            piece->headers = urlpool_headers_new(&err);
        }
        if (piece->headers == NULL ||
            urlpool_headers_add(piece->headers, line.data, colon + 1, &err) != URLPOOL_OK) {
            code = pf_option_fail(piece->option, "%s", err.message);
        }
    }
    pf_text_free(&line);
    return code;
}

/* take_parameters takes all that stands behind the content. */
static enum pf_exit take_parameters(struct piece *piece)
{
    enum pf_exit code = PF_EXIT_OK;
    bool is_type = false; /* the last one was, and may go on */

    while (code == PF_EXIT_OK && *piece->at == ';') {
        piece->at++;
        skip_blanks(piece);
        if (takes_key(piece, "type=")) {
            is_type = true;
            code = take_type(piece);
        } else if (takes_key(piece, "filename=")) {
            is_type = false;
            piece->has_filename = true;
            take_word(piece, &piece->filename);
        } else if (takes_key(piece, "headers=")) {
            is_type = false;
            code = take_field(piece);
        } else if (is_type) {
            struct pf_text more = {0};
            take_word(piece, &more);
            pf_text_addf(&piece->type, "; %s", more.data);
            pf_text_free(&more);
        } else {
            code = pf_option_fail(piece->option,
                                  "\"%s\" is none of type=, filename= and headers=; quote the "
                                  "content, or use --form-string",
                                  piece->at);
        }
    }
    if (code == PF_EXIT_OK && *piece->at != '\0') {
        code = pf_option_fail(piece->option, "\"%s\" stands behind the quotes", piece->at);
    }
    return code;
}

/* take_name takes "name=" and the mark behind it. */
static enum pf_exit take_name(struct piece *piece)
{
    const char *equals = strchr(piece->at, '=');

    if (equals == NULL || equals == piece->at) {
        return pf_option_fail(piece->option, "\"%s\" is no name=content", piece->at);
    }
    piece->name = pf_strndup(piece->at, (size_t)(equals - piece->at));
    piece->at = equals + 1;
    return PF_EXIT_OK;
}

static enum pf_exit take_content(struct piece *piece)
{
    bool is_quoted;

    if (*piece->at == '(') {
        return pf_option_fail(piece->option,
                              "a part in several parts is not sent; use --form-string for what "
                              "begins with a bracket");
    }
    if (*piece->at == '@' || *piece->at == '<') {
        piece->source = *piece->at++;
    }
    skip_blanks(piece);
    is_quoted = *piece->at == '"';
    take_word(piece, &piece->content);
    if (piece->source == '@' && !is_quoted && strchr(piece->content.data, ',') != NULL) {
        return pf_option_fail(piece->option,
                              "several files in one part are not sent; quote a name with a comma");
    }
    return PF_EXIT_OK;
}

/* --- what it becomes -------------------------------------------------------------------------- */

static const char unknown_type[] = "application/octet-stream";

/* type_of is the media type to say: curl guesses by the name that is told, then by the file's own,
 * and guesses none for what is no file. */
static const char *type_of(const struct piece *piece, bool is_file)
{
    const char *told = piece->has_filename ? piece->filename.data : piece->content.data;
    const char *guess;

    if (piece->has_type) {
        return piece->type.data;
    }
    if (!is_file && !piece->has_filename) {
        return "";
    }
    guess = urlpool_media_type_guess(told);
    if (strcmp(guess, unknown_type) != 0) {
        return guess;
    }
    return is_file ? urlpool_media_type_guess(piece->content.data) : "";
}

/* load makes the content of a file, or of standard input, the content itself. */
static enum pf_exit load(struct piece *piece)
{
    struct pf_text bytes = {0};

    if (pf_text_read_file(&bytes, piece->content.data) != 0) {
        (void)pf_option_fail(piece->option, "cannot read \"%s\": %s", piece->content.data,
                             pf_errno_text(errno));
        pf_text_free(&bytes);
        return PF_EXIT_READ;
    }
    pf_text_free(&piece->content);
    piece->content = bytes;
    return PF_EXIT_OK;
}

/* add_size counts what the form will come to; -1: that cannot be known. */
static void add_size(struct pf_settings *settings, const struct urlpool_part *part)
{
    struct stat info;

    if (settings->form_bytes < 0) {
        return;
    }
    if (part->path == NULL) {
        settings->form_bytes += (int64_t)part->data_len;
    } else if (stat(part->path, &info) == 0) {
        settings->form_bytes = S_ISREG(info.st_mode) ? settings->form_bytes + info.st_size : -1;
    }
}

static enum pf_exit add_part(struct pf_settings *settings, const struct pf_option *option,
                             const struct urlpool_part *part)
{
    struct urlpool_error err = {0};

    if (settings->form == NULL) {
        settings->form = urlpool_form_new(&err);
    }
    if (settings->form == NULL || urlpool_form_add_part(settings->form, part, &err) != URLPOOL_OK) {
        return pf_option_fail(option, "%s", err.message);
    }
    add_size(settings, part);
    return PF_EXIT_OK;
}

static enum pf_exit add_piece(struct pf_settings *settings, struct piece *piece)
{
    bool is_stdin = piece->source != 0 && strcmp(piece->content.data, "-") == 0;
    bool is_file = piece->source == '@' && !is_stdin;
    struct urlpool_part part = {.name = piece->name, .headers = piece->headers};
    enum pf_exit code = PF_EXIT_OK;

    if (piece->source == '<') {
        piece->has_filename = false; /* it is no file to the server */
    }
    part.content_type = type_of(piece, is_file);
    if (piece->has_filename) {
        part.filename = piece->filename.data;
    } else if (is_stdin && piece->source == '@') {
        part.filename = "-";
    }
    if (is_file) {
        part.path = piece->content.data;
        return add_part(settings, piece->option, &part);
    }
    if (piece->source != 0) {
        code = load(piece);
    }
    part.data = piece->content.data != NULL ? piece->content.data : "";
    part.data_len = piece->content.len;
    return code == PF_EXIT_OK ? add_part(settings, piece->option, &part) : code;
}

enum pf_exit pf_apply_form(struct pf_settings *settings, const struct pf_option *option,
                           const char *value)
{
    struct piece piece = {.option = option, .at = value};
    enum pf_exit code = take_name(&piece);

    if (code == PF_EXIT_OK) {
        code = take_content(&piece);
    }
    if (code == PF_EXIT_OK) {
        code = take_parameters(&piece);
    }
    if (code == PF_EXIT_OK) {
        code = add_piece(settings, &piece);
    }
    piece_deinit(&piece);
    return code;
}

enum pf_exit pf_apply_form_string(struct pf_settings *settings, const struct pf_option *option,
                                  const char *value)
{
    struct piece piece = {.option = option, .at = value};
    enum pf_exit code = take_name(&piece);

    if (code == PF_EXIT_OK) {
        pf_text_adds(&piece.content, piece.at);
        code = add_piece(settings, &piece);
    }
    piece_deinit(&piece);
    return code;
}
