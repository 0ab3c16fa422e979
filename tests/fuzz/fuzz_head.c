/* Status line and field section, or a trailer section, of whatever bytes. In pieces the same comes
 * out as whole; what comes out is within the bounds, and fit to be sent; written anew and read
 * again it is the same head. An input is a byte of choices, the size of the pieces, and the
 * section. */

#include "fuzz/input.h"
#include "h1/head_parser.h"

enum {
    CHOICE_TRAILERS = 1,
    CHOICE_STRICT = 2,
    CHOICE_SMALL = 4
};

/* struct outcome is what a parser made of a section; the bytes are its own. */
struct outcome {
    struct urlp_h1_head_parser parser;
    enum urlpool_code code;
    size_t used;
    uint8_t *bytes;
};

static struct urlp_h1_bounds bounds_of(uint8_t choices)
{
    struct urlpool_limits limits = {0};
    struct urlp_h1_bounds bounds;

    limits.refuse_bare_lf = limits.refuse_missing_reason = limits.refuse_obs_fold =
        (choices & CHOICE_STRICT) != 0;
    if ((choices & CHOICE_SMALL) != 0) {
        limits.line_bytes_max = 40;
        limits.head_bytes_max = 120;
        limits.trailer_bytes_max = 60;
        limits.fields_max = 4;
    }
    if (urlp_h1_bounds_of(&limits, &bounds, NULL) != URLPOOL_OK) {
        abort();
    }
    return bounds;
}

static void parse(struct outcome *out, const struct urlp_h1_bounds *bounds, bool is_trailers,
                  struct urlp_span text, size_t step)
{
    size_t given = 0;

    *out = (struct outcome){.bytes = fuzz_copy(text)};
    urlp_h1_head_begin(&out->parser, is_trailers,
                       is_trailers ? bounds->trailer_bytes_max : bounds->head_bytes_max);
    do {
        given = step == 0 || text.len - given < step ? text.len : given + step;
        out->code = urlp_h1_head_step(&out->parser, bounds, out->bytes, given, &out->used, NULL);
    } while (out->code == URLPOOL_OK && out->used == 0 && given < text.len);
    fuzz_require(out->used <= given, "more used than there was", text);
}

static void end(struct outcome *outcome)
{
    urlp_h1_head_deinit(&outcome->parser);
    free(outcome->bytes);
}

static void check_fields(const struct outcome *outcome, const struct urlp_h1_bounds *bounds,
                         struct urlp_span text)
{
    const struct urlp_response_head *head = &outcome->parser.head;
    const struct urlp_span bytes = urlp_span_make(outcome->bytes, outcome->used);

    fuzz_require(head->num_fields <= bounds->fields_max, "more fields than allowed", text);
    fuzz_require(outcome->used <= outcome->parser.bytes_max, "a longer section than allowed", text);
    for (size_t i = 0; i < head->num_fields; i++) {
        const struct urlp_field *field = &head->fields[i];

        fuzz_require_within(field->name, bytes);
        fuzz_require_within(field->value, bytes);
        fuzz_require(urlp_field_name_is_valid(field->name), "a name that is none", text);
        fuzz_require(urlp_field_value_is_valid(field->value), "a value not fit to send", text);
        fuzz_require(urlp_span_trim(field->value).len == field->value.len, "blanks at a value",
                     text);
        fuzz_require(field->name.len + field->value.len < bounds->line_bytes_max ||
                         memchr(field->value.data, ' ', field->value.len) != NULL,
                     "a longer line than allowed", text);
    }
}

static void check_equal(const struct urlp_response_head *a, const struct urlp_response_head *b,
                        const char *what, struct urlp_span text)
{
    fuzz_require(a->status == b->status && a->version == b->version &&
                     urlp_span_equals(a->reason, b->reason) && a->num_fields == b->num_fields,
                 what, text);
    for (size_t i = 0; i < a->num_fields; i++) {
        fuzz_require(urlp_span_equals(a->fields[i].name, b->fields[i].name) &&
                         urlp_span_equals(a->fields[i].value, b->fields[i].value),
                     what, text);
    }
}

/* check_again writes the head as it ought to be written, and reads that. */
static void check_again(const struct outcome *outcome, bool is_trailers, struct urlp_span text)
{
    const struct urlp_response_head *head = &outcome->parser.head;
    const struct urlp_h1_bounds bounds = bounds_of(is_trailers ? 0 : CHOICE_STRICT);
    struct urlp_buf wire = {0};
    struct outcome again;
    enum urlpool_code code = URLPOOL_OK;

    if (!is_trailers) {
        code =
            urlp_buf_printf(&wire, "HTTP/1.%d %d %.*s\r\n", head->version % 10, head->status,
                            (int)head->reason.len, head->reason.len > 0 ? head->reason.data : "");
    }
    for (size_t i = 0; i < head->num_fields && code == URLPOOL_OK; i++) {
        code = urlp_buf_printf(&wire, "%.*s: %.*s\r\n", (int)head->fields[i].name.len,
                               head->fields[i].name.data, (int)head->fields[i].value.len,
                               head->fields[i].value.len > 0 ? head->fields[i].value.data : "");
    }
    if (code != URLPOOL_OK || urlp_buf_append_text(&wire, "\r\n") != URLPOOL_OK) {
        abort();
    }
    if (wire.len <= outcome->used) {
        parse(&again, &bounds, is_trailers, urlp_span_make(wire.data, wire.len), 0);
        fuzz_require(again.code == URLPOOL_OK && again.used == wire.len,
                     "refused when written anew", text);
        check_equal(head, &again.parser.head, "another head when written anew", text);
        end(&again);
    }
    urlp_buf_deinit(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t choices = fuzz_byte(&input);
    const size_t step = 1 + (size_t)fuzz_byte(&input);
    const struct urlp_span text = fuzz_rest(&input);
    const bool is_trailers = (choices & CHOICE_TRAILERS) != 0;
    const struct urlp_h1_bounds bounds = bounds_of(choices);
    struct outcome whole;
    struct outcome cut;

    parse(&whole, &bounds, is_trailers, text, 0);
    parse(&cut, &bounds, is_trailers, text, step);
    fuzz_require(whole.code == cut.code && whole.used == cut.used, "another outcome in pieces",
                 text);
    if (whole.code == URLPOOL_OK && whole.used > 0) {
        check_equal(&whole.parser.head, &cut.parser.head, "another head in pieces", text);
        fuzz_require(is_trailers ||
                         (whole.parser.head.status >= 100 && whole.parser.head.status <= 999),
                     "a status of other than three digits", text);
        fuzz_require(is_trailers || whole.parser.head.version == 10 ||
                         whole.parser.head.version == 11,
                     "another version", text);
        check_fields(&whole, &bounds, text);
        check_again(&whole, is_trailers, text);
    }
    end(&whole);
    end(&cut);
    return 0;
}
