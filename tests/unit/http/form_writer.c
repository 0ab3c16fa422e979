/* Writes forms as test_form_decoding asks for them, one after the other until its input ends.
 *
 * Input: lines of a letter and then tab-separated bytes in hexadecimal. "a NAME VALUE" adds a
 * field, "f NAME VALUE FILENAME" a file, "e" writes what was added url-encoded and "m" as a
 * multipart body, each beginning anew; "t FILENAME" asks for a media type. Output: a line in
 * hexadecimal for each form and type; of a multipart body its Content-Type and a tab first. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/form.h"

#include "base/span.h"
#include "http/form.h"

static void fail(const char *what)
{
    (void)fprintf(stderr, "form_writer: %s\n", what);
    abort();
}

/* Takes the next word of `*rest` out of its hexadecimal, in place, with a NUL behind it. */
static size_t take_word(char **rest, char **out_word)
{
    char *in = *rest;
    char *out = *rest;

    *out_word = out;
    while (*in != '\0' && *in != '\t') {
        *out++ = (char)(urlp_hex_value((unsigned char)in[0]) * 16 +
                        urlp_hex_value((unsigned char)in[1]));
        in += 2;
    }
    *rest = *in == '\t' ? in + 1 : in;
    *out = '\0'; /* over the tab when the word is empty: `rest` is past it */
    return (size_t)(out - *out_word);
}

static void print_hex(const void *data, size_t len)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++) {
        (void)printf("%02x", bytes[i]);
    }
}

static void add(struct urlpool_form *form, char *rest, bool is_file)
{
    struct urlpool_part part = {0};
    char *name;
    char *value;
    char *filename;

    (void)take_word(&rest, &name);
    part.data_len = take_word(&rest, &value);
    part.name = name;
    part.data = value;
    if (is_file) {
        (void)take_word(&rest, &filename);
        part.filename = filename;
    }
    if (urlpool_form_add_part(form, &part, NULL) != URLPOOL_OK) {
        fail("a field was refused");
    }
}

static void write_encoded(const struct urlpool_form *form)
{
    char *text = urlpool_form_encode(form, NULL);

    if (text == NULL) {
        fail("a form was not encoded");
    }
    print_hex(text, strlen(text));
    urlpool_string_free(text);
}

static void write_multipart(const struct urlpool_form *form)
{
    struct urlp_multipart multipart;

    if (urlp_form_lay_out(form, &multipart, NULL) != URLPOOL_OK) {
        fail("a form was not laid out");
    }
    print_hex(multipart.content_type, strlen(multipart.content_type));
    (void)putchar('\t');
    for (size_t i = 0; i < multipart.num_pieces; i++) {
        print_hex(multipart.pieces[i].text.data, multipart.pieces[i].text.len);
    }
    urlp_multipart_deinit(&multipart);
}

int main(void)
{
    struct urlpool_form *form = urlpool_form_new(NULL);
    char *line = NULL;
    size_t cap = 0;

    for (ssize_t len = getline(&line, &cap, stdin); len > 0; len = getline(&line, &cap, stdin)) {
        char *rest = line + 2;

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == 'a' || line[0] == 'f') {
            add(form, rest, line[0] == 'f');
            continue;
        }
        if (line[0] == 't') {
            const char *type;
            char *filename;

            (void)take_word(&rest, &filename);
            type = urlpool_media_type_guess(filename);
            print_hex(type, strlen(type));
        } else if (line[0] == 'e') {
            write_encoded(form);
        } else {
            write_multipart(form);
        }
        (void)putchar('\n');
        urlpool_form_free(form);
        form = urlpool_form_new(NULL);
    }
    urlpool_form_free(form);
    free(line);
    return 0;
}
