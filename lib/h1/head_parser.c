/* Where the lines of a head begin and end (RFC 9112 section 2.2), what folds into what (5.2), and
 * how large it all may be. What a line means is for status_line.c and field_parser.c.
 *
 * Invariants: the verdict on a head does not depend on how it was cut into pieces, so every limit
 * is held against the bytes a line must at least have, and is checked before the line is read;
 * memory grows with the field lines that came; each byte is searched for LF once and checked once.
 */

#include "h1/head_parser.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/block.h"
#include "base/error.h"
#include "h1/field_parser.h"
#include "h1/status_line.h"

#define PLACES_FIRST 32

static_assert(sizeof(struct urlp_h1_field_place) == sizeof(struct urlp_field),
              "a place becomes a field");

/* What step functions pass to one another: the buffer as it is in this call. */
struct section {
    struct urlp_h1_head_parser *parser;
    const struct urlp_h1_bounds *bounds;
    uint8_t *data;
    size_t len;
    bool is_fold; /* the line in hand continues the one before it */
};

static enum urlpool_phase phase_of(const struct urlp_h1_head_parser *parser)
{
    return parser->is_trailers ? URLPOOL_PHASE_BODY : URLPOOL_PHASE_HEAD;
}

static void drop_places(struct urlp_h1_head_parser *parser)
{
    if (!parser->is_lent) {
        urlp_free(parser->places);
    }
    parser->places = NULL;
    parser->places_cap = 0;
    parser->is_lent = false;
}

void urlp_h1_head_deinit(struct urlp_h1_head_parser *parser)
{
    drop_places(parser);
    *parser = (struct urlp_h1_head_parser){0};
}

void urlp_h1_head_lend(struct urlp_h1_head_parser *parser, void *memory, size_t size)
{
    const size_t cap = size / sizeof(*parser->places);

    if (cap == 0) {
        drop_places(parser);
    } else if (parser->is_lent || parser->places == NULL) {
        parser->places = memory;
        parser->places_cap = cap;
        parser->is_lent = true;
    }
}

void urlp_h1_head_begin(struct urlp_h1_head_parser *parser, bool is_trailers, size_t bytes_max)
{
    parser->is_trailers = is_trailers;
    parser->has_status_line = is_trailers;
    parser->bytes_max = bytes_max;
    parser->line_at = 0;
    parser->scanned = 0;
    parser->reason_at = 0;
    parser->num_places = 0;
    parser->head = (struct urlp_response_head){0};
}

static bool line_is_fold(const struct section *in)
{
    size_t at = in->parser->line_at;

    return in->parser->has_status_line && at < in->len &&
           (in->data[at] == ' ' || in->data[at] == '\t');
}

/* line_begin is where the line in hand begins for line_bytes_max: a folded field line is one. */
static size_t line_begin(const struct section *in)
{
    const struct urlp_h1_head_parser *parser = in->parser;

    if (in->is_fold && parser->num_places > 0) {
        return parser->places[parser->num_places - 1].name_at;
    }
    return parser->line_at;
}

/* check_reach holds the end of the line in hand, or the least that it can be, against the limits.
 */
static enum urlpool_code check_reach(const struct section *in, size_t end,
                                     struct urlpool_error *err)
{
    const struct urlp_h1_head_parser *parser = in->parser;
    size_t line_max = line_begin(in) + in->bounds->line_bytes_max;

    if (end > parser->bytes_max && parser->bytes_max <= line_max) {
        return urlp_fail(
            err, URLPOOL_E_HEAD_TOO_LARGE, phase_of(parser), "%s longer than %zu bytes",
            parser->is_trailers ? "trailer section" : "response head",
            parser->is_trailers ? in->bounds->trailer_bytes_max : in->bounds->head_bytes_max);
    }
    if (end > line_max) {
        return urlp_fail(err, URLPOOL_E_LINE_TOO_LONG, phase_of(parser), "%s longer than %zu bytes",
                         parser->has_status_line ? "field line" : "status line",
                         in->bounds->line_bytes_max);
    }
    return URLPOOL_OK;
}

/* check_beginning looks at the first bytes of a status line while it is still coming in, but not at
 * those beyond a limit: a peer that sends them one by one would hear of the limit first. */
static enum urlpool_code check_beginning(const struct section *in, struct urlpool_error *err)
{
    size_t len = in->len;

    if (in->parser->has_status_line) {
        return URLPOOL_OK;
    }
    if (len > in->bounds->line_bytes_max) {
        len = in->bounds->line_bytes_max;
    }
    if (len > in->parser->bytes_max) {
        len = in->parser->bytes_max;
    }
    return urlp_h1_status_prefix(urlp_span_make(in->data, len), err);
}

/* grow_places makes a larger array, of the parser's own. */
static enum urlpool_code grow_places(struct urlp_h1_head_parser *parser, struct urlpool_error *err)
{
    const size_t cap = parser->places_cap == 0 ? PLACES_FIRST : parser->places_cap * 2;
    struct urlp_h1_field_place *places =
        urlp_realloc(parser->is_lent ? NULL : parser->places, cap * sizeof(*places));

    if (places == NULL) {
        return urlp_fail_nomem(err);
    }
    if (parser->is_lent) {
        memcpy(places, parser->places, parser->num_places * sizeof(*places));
    }
    parser->places = places;
    parser->places_cap = cap;
    parser->is_lent = false;
    return URLPOOL_OK;
}

static void take_status(const struct section *in, const struct urlp_h1_status_line *line)
{
    struct urlp_h1_head_parser *parser = in->parser;

    parser->has_status_line = true;
    parser->head.status = line->status;
    parser->head.version = line->version;
    parser->reason_at = (uint8_t)(line->reason.data - (const char *)in->data);
    parser->head.reason.len = line->reason.len;
}

static enum urlpool_code take_status_line(const struct section *in, struct urlp_span line,
                                          struct urlpool_error *err)
{
    struct urlp_h1_status_line status_line;
    enum urlpool_code code =
        urlp_h1_parse_status_line(line, in->bounds->refuse_missing_reason, &status_line, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    take_status(in, &status_line);
    return URLPOOL_OK;
}

static void set_value(const struct section *in, struct urlp_h1_field_place *place,
                      struct urlp_span value)
{
    place->value_at = (size_t)(value.data - (const char *)in->data);
    place->value_end = place->value_at + value.len;
}

/* append_to_value adds what stands on a folded line. Section 5.2: "A user agent that receives an
 * obs-fold … MUST replace each received obs-fold with one or more SP octets prior to interpreting
 * the field value"; the blanks on both sides of the line end are part of it. */
static void append_to_value(const struct section *in, struct urlp_h1_field_place *place,
                            struct urlp_span text)
{
    size_t text_at = (size_t)(text.data - (const char *)in->data);

    if (place->value_at == place->value_end) {
        place->value_at = text_at;
    } else {
        memset(in->data + place->value_end, ' ', text_at - place->value_end);
    }
    place->value_end = text_at + text.len;
}

static enum urlpool_code take_fold(const struct section *in, struct urlp_span line,
                                   struct urlpool_error *err)
{
    struct urlp_h1_head_parser *parser = in->parser;
    struct urlp_h1_field_place *place;
    struct urlp_span text;
    enum urlpool_code code;

    /* RFC 9112 section 2.2: "A recipient that receives whitespace between the start-line and the
     * first header field MUST either reject the message as invalid or consume …" We reject. */
    if (parser->num_places == 0) {
        return urlp_fail(err, URLPOOL_E_BAD_FIELD, phase_of(parser),
                         "blank before the first field line");
    }
    place = &parser->places[parser->num_places - 1];
    if (parser->is_trailers || in->bounds->refuse_obs_fold) {
        return urlp_fail(err, URLPOOL_E_BAD_FIELD, phase_of(parser), "folded field line: \"%s\"",
                         urlp_quote(in->data + place->name_at, place->name_len).text);
    }
    code =
        urlp_h1_check_fold(urlp_span_make(in->data + place->name_at, place->name_len), line, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    text = urlp_span_trim(line);
    if (text.len > 0) {
        append_to_value(in, place, text);
    }
    return URLPOOL_OK;
}

static enum urlpool_code take_field(const struct section *in, struct urlp_span line,
                                    struct urlpool_error *err)
{
    struct urlp_h1_head_parser *parser = in->parser;
    struct urlp_h1_field_place *place;
    struct urlp_field field;
    enum urlpool_code code;

    if (parser->num_places >= in->bounds->fields_max) {
        return urlp_fail(err, URLPOOL_E_TOO_MANY_HEADERS, phase_of(parser),
                         "more than %zu field lines", in->bounds->fields_max);
    }
    code = urlp_h1_parse_field_line(line, phase_of(parser), &field, err);
    if (code == URLPOOL_OK && parser->num_places == parser->places_cap) {
        code = grow_places(parser, err);
    }
    if (code != URLPOOL_OK) {
        return code;
    }
    place = &parser->places[parser->num_places++];
    place->name_at = (size_t)(field.name.data - (const char *)in->data);
    place->name_len = field.name.len;
    set_value(in, place, field.value);
    return URLPOOL_OK;
}

/* take_line reads the line from line_at up to `end`, the offset behind its LF. */
static enum urlpool_code take_line(const struct section *in, size_t end, bool *out_is_last,
                                   struct urlpool_error *err)
{
    struct urlp_h1_head_parser *parser = in->parser;
    size_t len = end - parser->line_at - 1;
    bool has_cr = len > 0 && in->data[end - 2] == '\r';
    struct urlp_span line = urlp_span_make(in->data + parser->line_at, has_cr ? len - 1 : len);

    /* RFC 9112 section 2.2: "a recipient MAY recognize a single LF as a line terminator" for the
     * start-line and fields; a trailer section is part of the chunked coding, where it may not. */
    if (!has_cr && (parser->is_trailers || in->bounds->refuse_bare_lf)) {
        return urlp_fail(
            err, parser->has_status_line ? URLPOOL_E_BAD_FIELD : URLPOOL_E_BAD_STATUS_LINE,
            phase_of(parser), "line ends in LF alone: \"%s\"", urlp_h1_quote_name(line).text);
    }
    parser->line_at = end;
    *out_is_last = false;
    if (!parser->has_status_line) {
        return take_status_line(in, line, err);
    }
    if (line.len == 0) {
        *out_is_last = true;
        return URLPOOL_OK;
    }
    return in->is_fold ? take_fold(in, line, err) : take_field(in, line, err);
}

/* complete turns the offsets into spans, in their place, now that the bytes stay where they are
 * until the next call. */
static void complete(const struct section *in)
{
    struct urlp_h1_head_parser *parser = in->parser;
    struct urlp_field *const fields = (struct urlp_field *)(void *)parser->places;
    const size_t num = parser->num_places;
    uint64_t lens = 0;

    for (size_t i = 0; i < num; i++) {
        const struct urlp_h1_field_place place = parser->places[i];

        lens |= (uint64_t)1 << place.name_len % 64;
        fields[i].name = urlp_span_make(in->data + place.name_at, place.name_len);
        fields[i].value =
            urlp_span_make(in->data + place.value_at, place.value_end - place.value_at);
    }
    parser->head.reason.data = (const char *)in->data + parser->reason_at;
    parser->head.fields = fields;
    parser->head.num_fields = num;
    parser->head.absent_lens = ~lens;
    parser->head.bytes = urlp_span_make(in->data, parser->line_at);
}

/* find_line_end searches what was not searched before, and returns whether there is an LF; then it
 * is the byte before `scanned`. */
static bool find_line_end(const struct section *in)
{
    struct urlp_h1_head_parser *parser = in->parser;
    const uint8_t *lf = NULL;

    if (parser->scanned < in->len) {
        lf = memchr(in->data + parser->scanned, '\n', in->len - parser->scanned);
    }
    parser->scanned = lf == NULL ? in->len : (size_t)(lf - in->data) + 1;
    return lf != NULL;
}

/* next_line takes the line in hand, if all of it is there. */
static enum urlpool_code next_line(struct section *in, bool *out_is_whole, bool *out_is_last,
                                   struct urlpool_error *err)
{
    enum urlpool_code code = check_beginning(in, err);

    in->is_fold = line_is_fold(in);
    *out_is_whole = find_line_end(in);
    if (code == URLPOOL_OK) {
        code = check_reach(in, *out_is_whole ? in->parser->scanned : in->len + 1, err);
    }
    if (code == URLPOOL_OK && *out_is_whole) {
        code = take_line(in, in->parser->scanned, out_is_last, err);
    }
    return code;
}

/* name_len is the length of the name that `line` begins with; 0 when no ":" follows it. */
static size_t name_len(struct urlp_span line)
{
    size_t len = line.len > URLP_BLOCK_BYTES ? urlp_block_name_len(line.data) : 0;

    if (len == 0 || line.data[len] != ':') {
        len = urlp_span_token_len(line); /* a long name, or one with a rarer character */
    }
    return len < line.len && line.data[len] == ':' ? len : 0;
}

/* ends_at says whether CR LF stands at `at` of `line`. */
static bool ends_at(struct urlp_span line, size_t at)
{
    return line.len - at >= 2 && line.data[at] == '\r' && line.data[at + 1] == '\n';
}

/* trim_value is urlp_span_trim of what stands behind a colon: mostly one space. */
static struct urlp_span trim_value(struct urlp_span value)
{
    if (value.len > 1 && value.data[0] == ' ' && value.data[1] > ' ' &&
        value.data[value.len - 1] > ' ') {
        return urlp_span_make(value.data + 1, value.len - 1);
    }
    return urlp_span_trim(value);
}

/* read_plain reads the field line at `at` in one pass, if it is whole, within `most` bytes and ends
 * in CR LF. Returns where it ends; 0 when it is anything else. */
static size_t read_plain(const uint8_t *data, size_t at, size_t most,
                         struct urlp_h1_field_place *out)
{
    const struct urlp_span line = urlp_span_make(data + at, most - at);
    const size_t colon = name_len(line);
    struct urlp_span value;
    size_t end;

    if (colon == 0) {
        return 0;
    }
    value = urlp_span_make(line.data + colon + 1, line.len - colon - 1);
    value.len = urlp_field_value_len(value);
    end = colon + 1 + value.len;
    if (!ends_at(line, end)) {
        return 0;
    }
    value = trim_value(value);
    out->name_at = at;
    out->name_len = colon;
    out->value_at = (size_t)(value.data - (const char *)data);
    out->value_end = out->value_at + value.len;
    return at + end + 2;
}

/* most_of is how many bytes of the buffer may belong to the section. */
static size_t most_of(const struct section *in)
{
    return in->len < in->parser->bytes_max ? in->len : in->parser->bytes_max;
}

/* go_on_at makes `end` the beginning of the next line. */
static void go_on_at(struct urlp_h1_head_parser *parser, size_t end)
{
    parser->line_at = end;
    parser->scanned = end;
}

/* take_plain_status takes the status line, if it has nothing odd about it, as almost all have not;
 * so do take_plain_lines and take_plain_end. What they leave is for next_line, which has the rules
 * and the words; so they say no themselves to nothing. Of a line that has come in part nothing is
 * looked at a second time. */
static void take_plain_status(const struct section *in)
{
    struct urlp_h1_head_parser *parser = in->parser;
    const size_t most = most_of(in);
    struct urlp_h1_status_line line;
    const size_t end = urlp_h1_plain_status_line(urlp_span_make(in->data, most), &line);

    if (end == 0 || end > in->bounds->line_bytes_max) {
        return;
    }
    take_status(in, &line);
    go_on_at(parser, end);
}

/* take_plain_lines takes field lines, as far as there is room for them. */
static void take_plain_lines(const struct section *in)
{
    struct urlp_h1_head_parser *parser = in->parser;
    const size_t most = most_of(in);
    const size_t line_max = in->bounds->line_bytes_max;
    const size_t num_max =
        parser->places_cap < in->bounds->fields_max ? parser->places_cap : in->bounds->fields_max;
    struct urlp_h1_field_place *const places = parser->places;
    const uint8_t *const data = in->data;
    size_t num = parser->num_places;
    size_t at = parser->line_at;

    while (num < num_max && at < most && data[at] != '\r') {
        const size_t end = read_plain(data, at, most, &places[num]);

        if (end == 0 || end - at > line_max) {
            break;
        }
        num++;
        at = end;
    }
    parser->num_places = num;
    go_on_at(parser, at);
}

/* take_plain_end takes the empty line, and says whether it is there. */
static bool take_plain_end(const struct section *in)
{
    struct urlp_h1_head_parser *parser = in->parser;
    const size_t most = most_of(in);

    if (parser->line_at >= most || in->bounds->line_bytes_max < 2 ||
        !ends_at(urlp_span_make(in->data, most), parser->line_at)) {
        return false;
    }
    go_on_at(parser, parser->line_at + 2);
    return true;
}

enum urlpool_code urlp_h1_head_step(struct urlp_h1_head_parser *parser,
                                    const struct urlp_h1_bounds *bounds, uint8_t *data, size_t len,
                                    size_t *out_used, struct urlpool_error *err)
{
    struct section in = {.parser = parser, .bounds = bounds, .len = len};
    bool is_whole = true;
    bool is_last = false;

    in.data = data;
    *out_used = 0;
    if (!parser->has_status_line && parser->scanned == 0) {
        take_plain_status(&in);
    }
    while (is_whole && !is_last) {
        enum urlpool_code code;

        if (parser->has_status_line && parser->scanned == parser->line_at) {
            take_plain_lines(&in);
            is_last = take_plain_end(&in);
        }
        if (is_last) {
            break;
        }
        code = next_line(&in, &is_whole, &is_last, err);
        if (code != URLPOOL_OK) {
            return code;
        }
    }
    if (is_last) {
        complete(&in);
        *out_used = parser->line_at;
    }
    return URLPOOL_OK;
}
