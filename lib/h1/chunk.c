/* The chunked transfer coding (RFC 9112 section 7.1), read byte by byte through one table, so that
 * nothing has to be kept of a line that came in pieces, and a wrong byte is told at once. CRLF ends
 * a line and nothing else does; extensions are checked for their form and dropped. The trailer
 * section behind the last chunk is for the head parser. */

#include "h1/chunk.h"

#include "base/error.h"
#include "base/span.h"

/* 16 digits hold every 64-bit size; more of them could only be zeros in front. */
#define DIGITS_MAX 16
/* What a chunk line may take for nothing, and what lines longer than that may add up to beyond the
 * data they come with. */
#define LINE_BYTES_FREE  16
#define EXCESS_BYTES_MAX 16384

enum byte_class {
    BYTE_OTHER, /* never allowed in a chunk line */
    BYTE_HEX,
    BYTE_TOKEN, /* tchar that is not HEXDIG */
    BYTE_BLANK,
    BYTE_SEMICOLON,
    BYTE_EQUALS,
    BYTE_QUOTE,
    BYTE_BACKSLASH,
    BYTE_TEXT, /* allowed only between quotes */
    BYTE_CR,
    N_BYTE_CLASSES
};

#define TO(state) URLP_H1_CHUNK_##state

/* chunk-size [ *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ) ] CRLF; blanks right
 * behind the size and before CRLF are a tolerance. A cell that is not here is zero: refused. */
static const enum urlp_h1_chunk_state line_table[TO(LINE_LF)][N_BYTE_CLASSES] = {
    [TO(SIZE_FIRST)] = {[BYTE_HEX] = TO(SIZE)             },
    [TO(SIZE)] = {                              [BYTE_HEX] = TO(SIZE),
                        [BYTE_BLANK] = TO(SIZE_BLANK),
                        [BYTE_SEMICOLON] = TO(EXT),
                        [BYTE_CR] = TO(LINE_LF)},
    [TO(SIZE_BLANK)] =
        {                                        [BYTE_BLANK] = TO(SIZE_BLANK),                                  [BYTE_SEMICOLON] = TO(EXT), [BYTE_CR] = TO(LINE_LF)},
    [TO(EXT)] = {[BYTE_BLANK] = TO(EXT),           [BYTE_HEX] = TO(EXT_NAME), [BYTE_TOKEN] = TO(EXT_NAME)},
    [TO(EXT_NAME)] = {                                        [BYTE_HEX] = TO(EXT_NAME),
                        [BYTE_TOKEN] = TO(EXT_NAME),
                        [BYTE_BLANK] = TO(EXT_NAME_BLANK),
                        [BYTE_EQUALS] = TO(EXT_EQUALS),
                        [BYTE_SEMICOLON] = TO(EXT),
                        [BYTE_CR] = TO(LINE_LF)},
    [TO(EXT_NAME_BLANK)] = { [BYTE_BLANK] = TO(EXT_NAME_BLANK),
                        [BYTE_EQUALS] = TO(EXT_EQUALS),
                        [BYTE_SEMICOLON] = TO(EXT)},
    [TO(EXT_EQUALS)] = {                                       [BYTE_BLANK] = TO(EXT_EQUALS),
                        [BYTE_HEX] = TO(EXT_VALUE),
                        [BYTE_TOKEN] = TO(EXT_VALUE),
                        [BYTE_QUOTE] = TO(EXT_QUOTED)},
    [TO(EXT_VALUE)] = {                                        [BYTE_HEX] = TO(EXT_VALUE),
                        [BYTE_TOKEN] = TO(EXT_VALUE),
                        [BYTE_BLANK] = TO(EXT_VALUE_BLANK),
                        [BYTE_SEMICOLON] = TO(EXT),
                        [BYTE_CR] = TO(LINE_LF)},
    [TO(EXT_QUOTED)] = {                              [BYTE_HEX] = TO(EXT_QUOTED),
                        [BYTE_TOKEN] = TO(EXT_QUOTED),
                        [BYTE_BLANK] = TO(EXT_QUOTED),
                        [BYTE_SEMICOLON] = TO(EXT_QUOTED),
                        [BYTE_EQUALS] = TO(EXT_QUOTED),
                        [BYTE_TEXT] = TO(EXT_QUOTED),
                        [BYTE_BACKSLASH] = TO(EXT_QUOTED_PAIR),
                        [BYTE_QUOTE] = TO(EXT_QUOTED_END)},
    [TO(EXT_QUOTED_PAIR)] = {                                      [BYTE_HEX] = TO(EXT_QUOTED),
                        [BYTE_TOKEN] = TO(EXT_QUOTED),
                        [BYTE_BLANK] = TO(EXT_QUOTED),
                        [BYTE_SEMICOLON] = TO(EXT_QUOTED),
                        [BYTE_EQUALS] = TO(EXT_QUOTED),
                        [BYTE_TEXT] = TO(EXT_QUOTED),
                        [BYTE_BACKSLASH] = TO(EXT_QUOTED),
                        [BYTE_QUOTE] = TO(EXT_QUOTED)},
    [TO(EXT_QUOTED_END)] =
        {                                      [BYTE_BLANK] = TO(EXT_VALUE_BLANK),                                  [BYTE_SEMICOLON] = TO(EXT), [BYTE_CR] = TO(LINE_LF)},
    [TO(EXT_VALUE_BLANK)] = {[BYTE_BLANK] = TO(EXT_VALUE_BLANK), [BYTE_SEMICOLON] = TO(EXT)},
};

static enum byte_class class_of(uint8_t byte)
{
    switch (byte) {
    case ' ':
    case '\t':
        return BYTE_BLANK;
    case ';':
        return BYTE_SEMICOLON;
    case '=':
        return BYTE_EQUALS;
    case '"':
        return BYTE_QUOTE;
    case '\\':
        return BYTE_BACKSLASH;
    case '\r':
        return BYTE_CR;
    default:
        break;
    }
    if (urlp_hex_value(byte) >= 0) {
        return BYTE_HEX;
    }
    if (urlp_is_tchar(byte)) {
        return BYTE_TOKEN;
    }
    return byte < ' ' || byte == 0x7f ? BYTE_OTHER : BYTE_TEXT;
}

static enum urlpool_code fail_byte(const char *where, uint8_t byte, struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_BAD_CHUNK, URLPOOL_PHASE_BODY, "unexpected \"%s\" %s",
                     urlp_quote(&byte, 1).text, where);
}

void urlp_h1_chunk_begin(struct urlp_h1_chunk_reader *reader)
{
    *reader = (struct urlp_h1_chunk_reader){.state = URLP_H1_CHUNK_SIZE_FIRST};
}

void urlp_h1_chunk_took(struct urlp_h1_chunk_reader *reader, size_t len)
{
    reader->remaining -= len;
    if (reader->remaining == 0) {
        reader->state = URLP_H1_CHUNK_DATA_CR;
    }
}

static enum urlpool_code add_digit(struct urlp_h1_chunk_reader *reader, uint8_t byte,
                                   struct urlpool_error *err)
{
    reader->num_digits++;
    /* RFC 9112 section 7.1: "A recipient MUST anticipate potentially large hexadecimal numerals and
     * prevent parsing errors due to integer conversion overflows". */
    if (reader->num_digits > DIGITS_MAX || reader->remaining > (uint64_t)INT64_MAX >> 4) {
        return urlp_fail(err, URLPOOL_E_BAD_CHUNK, URLPOOL_PHASE_BODY, "chunk size out of range");
    }
    reader->remaining = reader->remaining << 4 | (uint64_t)urlp_hex_value(byte);
    return URLPOOL_OK;
}

/* end_line weighs the chunk line against the data it announces and goes on to that. */
static enum urlpool_code end_line(struct urlp_h1_chunk_reader *reader, struct urlpool_error *err)
{
    uint64_t earned = LINE_BYTES_FREE;

    earned += reader->remaining < UINT64_MAX / 4 ? reader->remaining * 2 : UINT64_MAX / 2;
    reader->excess += reader->line_len;
    reader->excess = reader->excess > earned ? reader->excess - (size_t)earned : 0;
    if (reader->excess > EXCESS_BYTES_MAX) {
        return urlp_fail(err, URLPOOL_E_LINE_TOO_LONG, URLPOOL_PHASE_BODY,
                         "chunk lines out of proportion to the data in the chunks");
    }
    reader->state = reader->remaining > 0 ? URLP_H1_CHUNK_DATA : URLP_H1_CHUNK_TRAILERS;
    return URLPOOL_OK;
}

static enum urlpool_code take_line_byte(struct urlp_h1_chunk_reader *reader,
                                        const struct urlp_h1_bounds *bounds, uint8_t byte,
                                        struct urlpool_error *err)
{
    enum urlp_h1_chunk_state from = reader->state;
    enum byte_class class = class_of(byte);

    reader->line_len++;
    if (reader->line_len > bounds->chunk_line_bytes_max) {
        return urlp_fail(err, URLPOOL_E_LINE_TOO_LONG, URLPOOL_PHASE_BODY,
                         "chunk line longer than %zu bytes", bounds->chunk_line_bytes_max);
    }
    if (from == URLP_H1_CHUNK_LINE_LF) {
        return byte == '\n' ? end_line(reader, err) : fail_byte("behind CR", byte, err);
    }
    reader->state = line_table[from][class];
    if (from == URLP_H1_CHUNK_SIZE_BLANK && class == BYTE_CR && bounds->refuse_chunk_blanks) {
        reader->state = URLP_H1_CHUNK_BAD;
    }
    if (reader->state == URLP_H1_CHUNK_BAD) {
        return fail_byte(from <= URLP_H1_CHUNK_SIZE_BLANK ? "in a chunk size"
                                                          : "in a chunk extension",
                         byte, err);
    }
    return reader->state == URLP_H1_CHUNK_SIZE ? add_digit(reader, byte, err) : URLPOOL_OK;
}

/* take_byte takes a byte that is not chunk data. */
static enum urlpool_code take_byte(struct urlp_h1_chunk_reader *reader,
                                   const struct urlp_h1_bounds *bounds, uint8_t byte,
                                   struct urlpool_error *err)
{
    if (reader->state == URLP_H1_CHUNK_DATA_CR) {
        reader->state = URLP_H1_CHUNK_DATA_LF;
        return byte == '\r' ? URLPOOL_OK : fail_byte("behind chunk data", byte, err);
    }
    if (reader->state == URLP_H1_CHUNK_DATA_LF) {
        reader->state = URLP_H1_CHUNK_SIZE_FIRST;
        reader->num_digits = 0;
        reader->line_len = 0;
        return byte == '\n' ? URLPOOL_OK : fail_byte("behind chunk data and CR", byte, err);
    }
    return take_line_byte(reader, bounds, byte, err);
}

/* is_at_rest reports whether what comes next is for others: data, or trailers. */
static bool is_at_rest(const struct urlp_h1_chunk_reader *reader)
{
    return reader->state == URLP_H1_CHUNK_DATA || reader->state == URLP_H1_CHUNK_TRAILERS;
}

enum urlpool_code urlp_h1_chunk_step(struct urlp_h1_chunk_reader *reader,
                                     const struct urlp_h1_bounds *bounds, const uint8_t *data,
                                     size_t len, struct urlp_h1_chunk_run *out,
                                     struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;
    size_t used = 0;
    size_t data_len = 0;

    while (code == URLPOOL_OK && used < len && !is_at_rest(reader)) {
        code = take_byte(reader, bounds, data[used++], err);
    }
    if (code != URLPOOL_OK) {
        return code;
    }
    if (used < len && reader->state == URLP_H1_CHUNK_DATA) {
        data_len = len - used < reader->remaining ? len - used : (size_t)reader->remaining;
        urlp_h1_chunk_took(reader, data_len);
    }
    *out = (struct urlp_h1_chunk_run){used + data_len, data_len};
    return URLPOOL_OK;
}
