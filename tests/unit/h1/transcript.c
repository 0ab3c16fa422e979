/* Reads transcript files. Every mistake in one ends the program with file and line: a transcript
 * that says something else than its author thought is worse than none. */

#define _GNU_SOURCE

#include "transcript.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX 4096

struct reader {
    const char *file;
    unsigned line_number;
    struct transcripts *to;
    struct transcript_case *now;
    bool has_expectation; /* the exchange in hand is written to its end */
};

static void die(const struct reader *reader, const char *format, ...) URLPOOL_PRINTF(2, 3);

static void die(const struct reader *reader, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%u: ", reader->file, reader->line_number);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    exit(EXIT_FAILURE);
}

static void append(const struct reader *reader, struct urlp_buf *buf, const void *data, size_t len)
{
    if (urlp_buf_append(buf, data, len) != URLPOOL_OK) {
        die(reader, "out of memory");
    }
}

/* expand appends `text` with each \{N:part} written N times; escapes are left as they are. */
static void expand(const struct reader *reader, const char *text, struct urlp_buf *out)
{
    while (*text != '\0') {
        char *part;
        const char *end;
        unsigned long count;

        if (text[0] != '\\' || text[1] != '{') {
            append(reader, out, text, 1);
            text++;
            continue;
        }
        count = strtoul(text + 2, &part, 10);
        end = strchr(text, '}');
        if (*part != ':' || end == NULL) {
            die(reader, "not \\{N:text}");
        }
        for (unsigned long i = 0; i < count; i++) {
            append(reader, out, part + 1, (size_t)(end - part) - 1);
        }
        text = end + 1;
    }
}

/* unescape_one appends the byte that the escape at `text` stands for, and returns its length. */
static size_t unescape_one(const struct reader *reader, const char *text, size_t len,
                           struct urlp_buf *out)
{
    static const char letters[] = "rnt\\0";
    static const char bytes[] = "\r\n\t\\\0";
    const char *letter = len > 1 && text[1] != '\0' ? strchr(letters, text[1]) : NULL;
    uint8_t byte;

    if (letter != NULL) {
        append(reader, out, &bytes[letter - letters], 1);
        return 2;
    }
    if (len < 4 || text[1] != 'x' || urlp_hex_value((unsigned char)text[2]) < 0 ||
        urlp_hex_value((unsigned char)text[3]) < 0) {
        die(reader, "unknown escape");
    }
    byte = (uint8_t)(urlp_hex_value((unsigned char)text[2]) * 16 +
                     urlp_hex_value((unsigned char)text[3]));
    append(reader, out, &byte, 1);
    return 4;
}

static void unescape(const struct reader *reader, const char *text, size_t len,
                     struct urlp_buf *out)
{
    size_t i = 0;

    while (i < len) {
        if (text[i] == '\\') {
            i += unescape_one(reader, text + i, len - i, out);
        } else {
            append(reader, out, &text[i], 1);
            i++;
        }
    }
}

static struct transcript_exchange *exchange_of(struct reader *reader)
{
    if (reader->now == NULL) {
        die(reader, "no case has begun");
    }
    if (reader->has_expectation || reader->now->num_exchanges == 0) {
        if (reader->now->num_exchanges == TRANSCRIPT_EXCHANGES_MAX) {
            die(reader, "too many exchanges in a case");
        }
        reader->now->num_exchanges++;
        reader->has_expectation = false;
    }
    return &reader->now->exchanges[reader->now->num_exchanges - 1];
}

static void begin_case(struct reader *reader, const char *name)
{
    struct transcripts *to = reader->to;
    struct transcript_case *cases = realloc(to->cases, (to->num_cases + 1) * sizeof(*to->cases));
    const char *slash = strrchr(reader->file, '/');
    char full_name[512];

    if (cases == NULL) {
        die(reader, "out of memory");
    }
    to->cases = cases;
    reader->now = &cases[to->num_cases++];
    *reader->now = (struct transcript_case){0};
    snprintf(full_name, sizeof(full_name), "%s %s", slash != NULL ? slash + 1 : reader->file, name);
    reader->now->name = strdup(full_name);
    reader->now->file = to->num_files;
    reader->has_expectation = false;
}

/* set_option reads "name" or "name value". */
static void set_option(struct reader *reader, const char *text)
{
    struct urlpool_limits *limits = &reader->now->limits;
    const struct {
        const char *name;
        bool *flag;
        int64_t *number;
        int32_t *count;
    } options[] = {
        {"refuse_bare_lf",        .flag = &limits->refuse_bare_lf       },
        {"refuse_missing_reason", .flag = &limits->refuse_missing_reason},
        {"refuse_obs_fold",       .flag = &limits->refuse_obs_fold      },
        {"refuse_chunk_blanks",   .flag = &limits->refuse_chunk_blanks  },
        {"unsent",                .flag = &reader->now->is_unsent       },
        {"line_bytes_max",        .number = &limits->line_bytes_max     },
        {"head_bytes_max",        .number = &limits->head_bytes_max     },
        {"trailer_bytes_max",     .number = &limits->trailer_bytes_max  },
        {"fields_max",            .count = &limits->fields_max          },
        {"interims_max",          .count = &limits->interims_max        },
        {"chunk_line_bytes_max",  .count = &limits->chunk_line_bytes_max},
    };
    size_t name_len = strcspn(text, " ");
    long value = strtol(text + name_len, NULL, 10);

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strlen(options[i].name) != name_len || memcmp(options[i].name, text, name_len) != 0) {
            continue;
        }
        if (options[i].flag != NULL) {
            *options[i].flag = true;
        } else if (options[i].number != NULL) {
            *options[i].number = value;
        } else {
            *options[i].count = (int32_t)value;
        }
        return;
    }
    die(reader, "unknown option");
}

static void set_stop(struct reader *reader, const char *text)
{
    if (strcmp(text, "eof") == 0) {
        exchange_of(reader)->stop = PLAYER_EOF;
    } else if (strcmp(text, "cut") == 0) {
        exchange_of(reader)->stop = PLAYER_CUT;
    } else {
        die(reader, "neither eof nor cut");
    }
}

/* expect appends a line to what is expected of the exchange in hand. */
static void expect(struct reader *reader, const char *text)
{
    struct transcript_exchange *exchange;

    if (reader->has_expectation) {
        exchange = &reader->now->exchanges[reader->now->num_exchanges - 1];
    } else {
        exchange = exchange_of(reader);
    }
    append(reader, &exchange->expected, text, strlen(text));
    append(reader, &exchange->expected, "\n", 1);
    reader->has_expectation = true;
}

static void take_line(struct reader *reader, char kind, const char *text)
{
    switch (kind) {
    case '@':
        begin_case(reader, text);
        break;
    case ':':
        set_option(reader, text);
        break;
    case '>':
        append(reader, &exchange_of(reader)->request, text, strlen(text));
        append(reader, &exchange_of(reader)->request, "\n", 1);
        break;
    case '<':
        unescape(reader, text, strlen(text), &exchange_of(reader)->response);
        break;
    case '!':
        set_stop(reader, text);
        break;
    default:
        expect(reader, text);
        break;
    }
}

static void read_line(struct reader *reader, const char *line)
{
    struct urlp_buf text = {0};

    if (line[0] == '\0' || line[0] == '#') {
        return;
    }
    if (line[1] != ' ' || strchr("@:><!=", line[0]) == NULL) {
        die(reader, "a line begins with one of @:><!=# and a space");
    }
    if (reader->now == NULL && line[0] != '@') {
        die(reader, "no case has begun");
    }
    expand(reader, line + 2, &text);
    append(reader, &text, "", 1);
    take_line(reader, line[0], (const char *)text.data);
    urlp_buf_deinit(&text);
}

/* keep returns the bytes that `len` escaped ones stand for, in memory that stays. */
static struct urlp_span keep(const struct reader *reader, const char *text, size_t len)
{
    struct urlp_buf bytes = {0};

    unescape(reader, text, len, &bytes);
    return urlp_span_make(bytes.data, bytes.len);
}

static void read_request_line(const struct reader *reader, struct transcript_exchange *exchange,
                              const char *line, size_t len)
{
    static const char version[] = " HTTP/1.1";
    const size_t version_len = sizeof(version) - 1;
    const char *blank = memchr(line, ' ', len);

    if (blank == NULL || (size_t)(blank - line) + 1 + version_len > len ||
        memcmp(line + len - version_len, version, version_len) != 0) {
        die(reader, "a request line is METHOD TARGET HTTP/1.1");
    }
    exchange->head.method = keep(reader, line, (size_t)(blank - line));
    exchange->head.target = keep(reader, blank + 1, len - (size_t)(blank - line) - 1 - version_len);
}

static void read_request_field(const struct reader *reader, struct transcript_exchange *exchange,
                               const char *line, size_t len)
{
    const char *colon = memmem(line, len, ": ", 2);
    struct urlp_field *field = &exchange->fields[exchange->head.num_fields++];

    if (colon == NULL) {
        die(reader, "a field line is Name: value");
    }
    field->name = keep(reader, line, (size_t)(colon - line));
    field->value = keep(reader, colon + 2, len - (size_t)(colon - line) - 2);
}

/* finish_request makes of the request lines the head to be written and the bytes it should become.
 */
static void finish_request(const struct reader *reader, struct transcript_exchange *exchange)
{
    static const char usual[] = "GET / HTTP/1.1\nHost: a.example\n";
    struct urlp_buf lines = exchange->request;
    struct urlp_buf wire = {0};
    size_t num_lines = 0;

    if (lines.len == 0) {
        append(reader, &lines, usual, sizeof(usual) - 1);
    }
    for (size_t i = 0; i < lines.len; i++) {
        num_lines += lines.data[i] == '\n';
    }
    exchange->fields = calloc(num_lines, sizeof(*exchange->fields));
    exchange->head.fields = exchange->fields;
    for (size_t at = 0; at < lines.len;) {
        const char *line = (const char *)lines.data + at;
        size_t len = (size_t)((const char *)memchr(line, '\n', lines.len - at) - line);

        if (at == 0) {
            read_request_line(reader, exchange, line, len);
        } else {
            read_request_field(reader, exchange, line, len);
        }
        unescape(reader, line, len, &wire);
        append(reader, &wire, "\r\n", 2);
        at += len + 1;
    }
    append(reader, &wire, "\r\n", 2);
    urlp_buf_deinit(&lines);
    exchange->request = wire;
}

static void read_file(struct transcripts *to, const char *path)
{
    struct reader reader = {.file = path, .to = to};
    size_t first_case = to->num_cases;
    FILE *file = fopen(path, "r");
    char line[LINE_BYTES_MAX];

    if (file == NULL) {
        die(&reader, "cannot be opened");
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        size_t len = strlen(line);

        reader.line_number++;
        if (len == 0 || line[len - 1] != '\n') {
            die(&reader, "line without an end, or too long");
        }
        line[len - 1] = '\0';
        read_line(&reader, line);
    }
    fclose(file);
    for (size_t i = first_case; i < to->num_cases; i++) {
        for (size_t j = 0; j < to->cases[i].num_exchanges; j++) {
            finish_request(&reader, &to->cases[i].exchanges[j]);
        }
    }
    if (to->num_cases == first_case || !reader.has_expectation) {
        die(&reader, "ends without a case, or in the middle of one");
    }
    to->num_files++;
}

static int is_transcript(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

struct transcripts transcripts_load(const char *directory)
{
    struct transcripts all = {0};
    struct dirent **entries = NULL;
    int num_entries = scandir(directory, &entries, is_transcript, alphasort);

    for (int i = 0; i < num_entries; i++) {
        char path[1024];

        snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
        read_file(&all, path);
        free(entries[i]);
    }
    free(entries);
    if (num_entries <= 0) {
        fprintf(stderr, "%s: no transcripts\n", directory);
        exit(EXIT_FAILURE);
    }
    return all;
}
