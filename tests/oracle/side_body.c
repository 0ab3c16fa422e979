/* What the lines of a case say about forms, about headers to be made, and about bodies that come in
 * pieces: "field: a=1", "file: name|file name|content|media type", "make: basic_auth=user:word",
 * "body-parts: one|two". */

#include <stdlib.h>
#include <string.h>

#include "side_case.h"
#include "support/count_of.h"

static struct urlpool_form *form_of(struct side_case *scene)
{
    if (scene->form == NULL) {
        scene->form = urlpool_form_new(NULL);
    }
    return scene->form;
}

/* cut splits `text` at each `separator`, puts what the words stand for into `out` and returns how
 * many there were. */
static size_t cut(char *text, const char *separator, struct side_bytes *out, size_t max)
{
    size_t num = 0;
    char *word;

    while (num < max && (word = strsep(&text, separator)) != NULL) {
        out[num++] = side_unescape(word);
    }
    return num;
}

static void clear(struct side_bytes *words, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        side_bytes_clear(&words[i]);
    }
}

void side_take_field(struct side_case *scene, const char *value)
{
    struct side_bytes words[2] = {0};
    char *text = strdup(value);
    char *equals = strchr(text, '=');

    if (equals == NULL) {
        side_die("no field", value);
    }
    *equals = '\0';
    words[0] = side_unescape(text);
    words[1] = side_unescape(equals + 1);
    if (urlpool_form_add(form_of(scene), words[0].data, words[1].data, &scene->refused) !=
        URLPOOL_OK) {
        side_die("the form does not take", value);
    }
    clear(words, COUNT_OF(words));
    free(text);
}

void side_take_file(struct side_case *scene, const char *value)
{
    struct side_bytes words[4] = {0};
    char *text = strdup(value);
    size_t num = cut(text, "|", words, COUNT_OF(words));
    const struct urlpool_part part = {
        .name = words[0].data,
        .filename = words[1].data,
        .data = words[2].data,
        .data_len = words[2].len,
        .content_type = words[3].data,
    };

    if (num < 3 || urlpool_form_add_part(form_of(scene), &part, &scene->refused) != URLPOOL_OK) {
        side_die("the form does not take", value);
    }
    clear(words, COUNT_OF(words));
    free(text);
}

void side_take_encode(struct side_case *scene, const char *value)
{
    scene->options.fields_urlencoded = strcmp(value, "urlencoded") == 0;
}

void side_take_boundary(struct side_case *scene, const char *value)
{
    if (urlpool_form_set_boundary(form_of(scene), value, &scene->refused) != URLPOOL_OK) {
        side_die("the form does not take", value);
    }
}

/* make_text keeps a string of the choice until the request is made. */
static bool make_text(struct side_case *scene, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {
        {"accept_encodings", &scene->choice.accept_encodings},
        {"user_agent",       &scene->choice.user_agent      },
        {"basic_auth",       &scene->choice.basic_auth      },
        {"proxy_basic_auth", &scene->choice.proxy_basic_auth},
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (strcmp(name, texts[i].name) == 0) {
            struct side_bytes text = side_unescape(value);
            memcpy(scene->chosen[i], text.data, text.len + 1);
            side_bytes_clear(&text);
            *texts[i].text = scene->chosen[i];
            return true;
        }
    }
    return false;
}

void side_take_make(struct side_case *scene, const char *value)
{
    char *name = strdup(value);
    char *equals = strchr(name, '=');

    scene->has_choice = true;
    if (equals == NULL || strlen(value) >= sizeof(scene->chosen[0])) {
        side_die("no choice", value);
    }
    *equals = '\0';
    if (strcmp(name, "keep_alive") == 0) {
        scene->choice.keep_alive = true;
    } else if (strcmp(name, "accept_encoding") == 0) {
        scene->choice.accept_encoding = true;
    } else if (strcmp(name, "disable_cache") == 0) {
        scene->choice.disable_cache = true;
    } else if (!make_text(scene, name, equals + 1)) {
        side_die("no choice", value);
    }
    free(name);
}

/* next_part gives one piece at a time, as urllib3 takes what an iterator yields. */
static enum urlpool_code next_part(void *user, void *buf, size_t len, size_t *out_len,
                                   struct urlpool_error *err)
{
    struct side_parts *parts = user;

    (void)err;
    *out_len = 0;
    while (parts->next < parts->num && *out_len == 0) {
        const struct side_bytes *piece = &parts->pieces[parts->next++];
        if (piece->len > len) {
            side_die("a piece too long:", piece->data);
        }
        memcpy(buf, piece->data, piece->len);
        *out_len = piece->len;
    }
    return URLPOOL_OK;
}

void side_take_body_parts(struct side_case *scene, const char *value)
{
    struct side_parts *parts = &scene->parts;
    char *text = strdup(value);

    parts->num = cut(text, "|", parts->pieces, COUNT_OF(parts->pieces));
    free(text);
    scene->options.body = urlpool_body_callback(next_part, NULL, parts, 0);
}
