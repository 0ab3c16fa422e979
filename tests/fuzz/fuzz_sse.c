/* Server-sent events of whatever bytes. In pieces the same events come out as whole; each is within
 * its bound; they are those that a reader finds which takes the whole text as the standard words
 * it; and the events, written as a server would, are read as the same. An input is a byte that says
 * how large an event may be, the size of the pieces, and the stream. */

#include <inttypes.h>

#include "fuzz/input.h"
#include "http/sse.h"

/* struct outcome is a record of events, and how it ended. */
struct outcome {
    struct urlp_buf log;    /* what is compared */
    struct urlp_buf stream; /* the events written anew */
    enum urlpool_code code;
    size_t used;
    bool is_between;
};

/* write_lines writes `text` as lines called `name`. */
static void write_lines(struct urlp_buf *out, const char *name, struct urlp_span text)
{
    size_t start = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || text.data[i] == '\n') {
            fuzz_ok(urlp_buf_printf(out, "%s: ", name));
            fuzz_ok(urlp_buf_append(out, text.data + start, i - start));
            fuzz_ok(urlp_buf_append(out, "\n", 1));
            start = i + 1;
        }
    }
}

static void note(struct outcome *out, const struct urlp_sse *sse, struct urlp_span text)
{
    const struct urlp_span data = urlp_span_make(sse->data.data, sse->data.len);
    const struct urlp_span event = urlp_span_make(sse->event.data, sse->event.len);
    const struct urlp_span id = urlp_span_make(sse->last_id.data, sse->last_id.len);

    fuzz_require(sse->data.data[data.len] == '\0' && sse->event.data[event.len] == '\0' &&
                     sse->last_id.data[id.len] == '\0',
                 "no NUL behind it", text);
    fuzz_require(event.len > 0, "an event of no type", text);
    fuzz_require(memchr(event.data, '\n', event.len) == NULL &&
                     memchr(event.data, '\r', event.len) == NULL &&
                     (data.len == 0 || memchr(data.data, '\r', data.len) == NULL) &&
                     (id.len == 0 || memchr(id.data, '\0', id.len) == NULL),
                 "a line end where none can be", text);
    fuzz_require(sse->bytes_max < 0 || data.len + event.len <= (size_t)sse->bytes_max + 8,
                 "an event past its bound", text);
    fuzz_ok(urlp_buf_append_span(&out->log, event));
    fuzz_ok(urlp_buf_append(&out->log, "|", 1));
    fuzz_ok(urlp_buf_append_span(&out->log, data));
    fuzz_ok(urlp_buf_append(&out->log, "|", 1));
    fuzz_ok(urlp_buf_append_span(&out->log, id));
    fuzz_ok(urlp_buf_printf(&out->log, "|%" PRId64 "\n", sse->has_retry ? sse->retry_ms : -1));
    write_lines(&out->stream, "event", event);
    write_lines(&out->stream, "id", id);
    if (sse->has_retry) {
        fuzz_ok(urlp_buf_printf(&out->stream, "retry:%" PRId64 "\n", sse->retry_ms));
    }
    write_lines(&out->stream, "data", data);
    fuzz_ok(urlp_buf_append(&out->stream, "\n", 1));
}

static void read_all(struct outcome *out, int64_t bytes_max, struct urlp_span text, size_t step)
{
    struct urlp_sse sse = {.bytes_max = bytes_max};

    *out = (struct outcome){.code = URLPOOL_OK};
    while (out->code == URLPOOL_OK && out->used < text.len) {
        const size_t left = text.len - out->used;
        const struct urlp_span next =
            urlp_span_make(text.data + out->used, step > 0 && step < left ? step : left);
        uint8_t *piece = fuzz_copy(next);
        bool has_event = false;
        size_t used = 0;

        out->code = urlp_sse_next(&sse, piece, next.len, &used, &has_event, NULL);
        fuzz_require(out->code != URLPOOL_OK || (used > 0 && used <= next.len), "no step forward",
                     text);
        out->used += used;
        if (out->code == URLPOOL_OK && has_event) {
            note(out, &sse, text);
            fuzz_require(urlp_sse_is_between(&sse), "an event that is not over", text);
        }
        free(piece);
    }
    out->is_between = urlp_sse_is_between(&sse);
    urlp_sse_deinit(&sse);
}

/* struct reader is the reader of the standard's words: WHATWG HTML section 9.2.6. */
struct reader {
    struct urlp_buf data, event, id, log;
    int64_t retry_ms;
};

static void set_text(struct urlp_buf *buf, struct urlp_span text)
{
    buf->len = 0;
    fuzz_ok(urlp_buf_append_span(buf, text));
}

/* "If the line is empty": dispatch the event. */
static void dispatch(struct reader *reader)
{
    if (reader->data.len > 0) {
        fuzz_ok(reader->event.len > 0
                    ? urlp_buf_append(&reader->log, reader->event.data, reader->event.len)
                    : urlp_buf_append_text(&reader->log, "message"));
        fuzz_ok(urlp_buf_append(&reader->log, "|", 1));
        fuzz_ok(urlp_buf_append(&reader->log, reader->data.data, reader->data.len - 1));
        fuzz_ok(urlp_buf_append(&reader->log, "|", 1));
        fuzz_ok(urlp_buf_append(&reader->log, reader->id.data, reader->id.len));
        fuzz_ok(urlp_buf_printf(&reader->log, "|%" PRId64 "\n", reader->retry_ms));
    }
    reader->data.len = reader->event.len = 0;
}

static void take_line(struct reader *reader, struct urlp_span line)
{
    const char *colon = line.len == 0 ? NULL : memchr(line.data, ':', line.len);
    const size_t len = colon == NULL ? line.len : (size_t)(colon - line.data);
    const struct urlp_span name = urlp_span_make(line.data, len);
    const size_t skipped = colon == NULL ? len : len + 1 + (len + 1 < line.len && colon[1] == ' ');
    const struct urlp_span value = urlp_span_make(line.data + skipped, line.len - skipped);
    uint64_t ms = 0;

    if (line.len == 0) {
        dispatch(reader);
    } else if (urlp_span_is(name, "data")) {
        fuzz_ok(urlp_buf_append_span(&reader->data, value));
        fuzz_ok(urlp_buf_append(&reader->data, "\n", 1));
    } else if (urlp_span_is(name, "event")) {
        set_text(&reader->event, value);
    } else if (urlp_span_is(name, "id") &&
               (value.len == 0 || memchr(value.data, '\0', value.len) == NULL)) {
        set_text(&reader->id, value);
    } else if (urlp_span_is(name, "retry") && urlp_span_to_u64(value, &ms) && ms <= INT64_MAX) {
        reader->retry_ms = (int64_t)ms;
    }
}

/* check_standard reads the whole text so. */
static void check_standard(const struct outcome *whole, struct urlp_span text)
{
    struct reader reader = {.retry_ms = -1};
    size_t start = text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    for (size_t i = start; i < text.len; i++) {
        if (text.data[i] != '\n' && text.data[i] != '\r') {
            continue;
        }
        take_line(&reader, urlp_span_make(text.data + start, i - start));
        i += text.data[i] == '\r' && i + 1 < text.len && text.data[i + 1] == '\n';
        start = i + 1;
    }
    fuzz_require(
        reader.log.len == whole->log.len &&
            (reader.log.len == 0 || memcmp(reader.log.data, whole->log.data, reader.log.len) == 0),
        "other events than the standard's", text);
    urlp_buf_deinit(&reader.data);
    urlp_buf_deinit(&reader.event);
    urlp_buf_deinit(&reader.id);
    urlp_buf_deinit(&reader.log);
}

static void end(struct outcome *outcome)
{
    urlp_buf_deinit(&outcome->log);
    urlp_buf_deinit(&outcome->stream);
}

static void require_equal(const struct outcome *a, const struct outcome *b, const char *what,
                          struct urlp_span text)
{
    fuzz_require(a->log.len == b->log.len &&
                     (a->log.len == 0 || memcmp(a->log.data, b->log.data, a->log.len) == 0),
                 what, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t bound = fuzz_byte(&input);
    const int64_t bytes_max = bound == 0 ? -1 : (int64_t)bound * 4;
    const size_t step = 1 + (size_t)fuzz_byte(&input) % 64;
    const struct urlp_span text = fuzz_rest(&input);
    struct outcome whole;
    struct outcome cut;
    struct outcome again;

    read_all(&whole, bytes_max, text, 0);
    read_all(&cut, bytes_max, text, step);
    fuzz_require(whole.code == cut.code, "another code in pieces", text);
    require_equal(&whole, &cut, "other events in pieces", text);
    fuzz_require(whole.code != URLPOOL_OK || whole.is_between == cut.is_between,
                 "another end in pieces", text);
    if (bytes_max < 0) {
        check_standard(&whole, text);
    }
    read_all(&again, -1, urlp_span_make(whole.stream.data, whole.stream.len), 0);
    fuzz_require(again.code == URLPOOL_OK && again.is_between, "refused when written anew", text);
    require_equal(&whole, &again, "other events when written anew", text);
    end(&whole);
    end(&cut);
    end(&again);
    return 0;
}
