/* The mutations: each changes the bytes of one answer, or what was asked, in one small way that
 * means something to a parser of HTTP: bytes, lines, line ends, numbers, fields that frame, chunks,
 * where it all ends. */

#include "mutations.h"

#include <string.h>

#include "chance.h"
#include "words.h"

/* --- where ------------------------------------------------------------------------------------ */

struct place {
    size_t at;
    size_t len;
};

static bool one_in(uint64_t *chance, size_t n)
{
    return chance_below(chance, n) == 0;
}

/* any_line is a line with its LF, the last one perhaps without. */
static struct place any_line(const struct work *work)
{
    const struct record *bytes = work->bytes;
    size_t begin = chance_below(work->chance, bytes->len + 1);
    struct place line;
    const unsigned char *lf;

    while (begin > 0 && bytes->data[begin - 1] != '\n') {
        begin--;
    }
    lf = begin < bytes->len ? memchr(bytes->data + begin, '\n', bytes->len - begin) : NULL;
    line.at = begin;
    line.len = lf != NULL ? (size_t)(lf - bytes->data) + 1 - begin : bytes->len - begin;
    return line;
}

/* some_line is a line that says something, if a few tries find one. */
static struct place some_line(const struct work *work)
{
    const struct record *bytes = work->bytes;
    struct place line = {0, 0};

    for (size_t tries = 0; tries < 4; tries++) {
        line = any_line(work);
        if (line.len > 2 || bytes->len == 0) {
            break;
        }
    }
    return line;
}

static bool is_digit_of(unsigned char byte, bool is_hex)
{
    unsigned char small = byte | 0x20;

    return (byte >= '0' && byte <= '9') || (is_hex && small >= 'a' && small <= 'f');
}

/* any_number is a run of digits at or behind a place taken by chance. */
static struct place any_number(const struct work *work, bool is_hex)
{
    const struct record *bytes = work->bytes;
    struct place number = {chance_below(work->chance, bytes->len), 0};

    while (number.at < bytes->len && !is_digit_of(bytes->data[number.at], is_hex)) {
        number.at++;
    }
    while (number.at > 0 && number.at < bytes->len &&
           is_digit_of(bytes->data[number.at - 1], is_hex)) {
        number.at--;
    }
    while (number.at + number.len < bytes->len &&
           is_digit_of(bytes->data[number.at + number.len], is_hex)) {
        number.len++;
    }
    return number;
}

/* --- what ------------------------------------------------------------------------------------- */

static void put(const struct work *work, size_t at, size_t old_len, const struct record *word)
{
    record_replace(work->bytes, at, old_len, word->data, word->len);
}

static const struct record *word(const struct work *work, enum word_kind kind)
{
    return words_pick(kind, work->chance);
}

static void flip_bit(const struct work *work)
{
    if (work->bytes->len > 0) {
        work->bytes->data[chance_below(work->chance, work->bytes->len)] ^=
            (unsigned char)(1U << chance_below(work->chance, 8));
    }
}

static void set_byte(const struct work *work)
{
    put(work, chance_below(work->chance, work->bytes->len), 1, word(work, WORD_BYTE));
}

static void insert_byte(const struct work *work)
{
    put(work, chance_below(work->chance, work->bytes->len + 1), 0, word(work, WORD_BYTE));
}

static void delete_byte(const struct work *work)
{
    record_replace(work->bytes, chance_below(work->chance, work->bytes->len), 1, NULL, 0);
}

static void delete_run(const struct work *work)
{
    record_replace(work->bytes, chance_below(work->chance, work->bytes->len),
                   1 + chance_below(work->chance, 16), NULL, 0);
}

static void delete_line(const struct work *work)
{
    struct place line = any_line(work);

    record_replace(work->bytes, line.at, line.len, NULL, 0);
}

/* move_line puts a line where another one begins, and takes it away from its place or does not. */
static void move_line(const struct work *work)
{
    struct place from = some_line(work);
    struct place to;
    struct record line = {0};

    record_add(&line, work->bytes->data + from.at, from.len);
    if (one_in(work->chance, 2)) {
        record_replace(work->bytes, from.at, from.len, NULL, 0);
    }
    to = any_line(work);
    put(work, to.at, 0, &line);
    record_free(&line);
}

static void repeat_line(const struct work *work)
{
    struct place from = some_line(work);
    struct record line = {0};

    record_add(&line, work->bytes->data + from.at, from.len);
    put(work, from.at, 0, &line);
    record_free(&line);
}

/* insert_field puts a field line behind the status line, or somewhere. */
static void insert_field(const struct work *work)
{
    struct record line = {0};
    struct place at = any_line(work);
    const struct record *field = word(work, WORD_FIELD);

    if (!one_in(work->chance, 3)) {
        const unsigned char *lf =
            work->bytes->len > 0 ? memchr(work->bytes->data, '\n', work->bytes->len) : NULL;

        at.at = lf == NULL ? 0 : (size_t)(lf - work->bytes->data) + 1;
    }
    record_add(&line, field->data, field->len);
    record_text(&line, "\r\n");
    put(work, at.at, 0, &line);
    record_free(&line);
}

static void set_line_end(const struct work *work)
{
    struct place line = any_line(work);
    size_t end = line.at + line.len;
    size_t len = 0;

    while (len < line.len && len < 2 &&
           (work->bytes->data[end - len - 1] == '\n' || work->bytes->data[end - len - 1] == '\r')) {
        len++;
    }
    put(work, end - len, len, word(work, WORD_LINE_END));
}

/* find_name is where the value of the first line that begins with `name` begins; the length of all
 * bytes when there is none. */
static size_t find_name(const struct record *bytes, const char *name)
{
    const size_t len = strlen(name);

    for (size_t i = 0; i + len <= bytes->len; i++) {
        size_t same = 0;

        while (same < len && (bytes->data[i + same] | 0x20) == (name[same] | 0x20)) {
            same++;
        }
        if (same == len) {
            return i + len;
        }
    }
    return bytes->len;
}

/* set_value gives a field that frames another value; where it is not there, one line is lost to it.
 */
static void set_value(const struct work *work)
{
    static const struct {
        const char *name;
        enum word_kind kind;
    } fields[] = {
        {"content-length:",    WORD_LENGTH    },
        {"transfer-encoding:", WORD_CODING    },
        {"connection:",        WORD_CONNECTION},
    };
    const size_t which = chance_below(work->chance, 3);
    const struct record *value = word(work, fields[which].kind);
    struct record *bytes = work->bytes;
    struct place at = {find_name(bytes, fields[which].name), 0};
    struct record text = {0};

    if (at.at == bytes->len) {
        at = any_line(work);
        record_text(&text, fields[which].name);
    } else {
        const unsigned char *lf = memchr(bytes->data + at.at, '\n', bytes->len - at.at);

        at.len = lf == NULL ? bytes->len - at.at : (size_t)(lf - bytes->data) + 1 - at.at;
    }
    if (!one_in(work->chance, 4)) {
        record_text(&text, " ");
    }
    record_add(&text, value->data, value->len);
    record_text(&text, "\r\n");
    put(work, at.at, at.len, &text);
    record_free(&text);
}

static void set_number(const struct work *work)
{
    struct place number = any_number(work, false);

    put(work, number.at, number.len, word(work, WORD_LENGTH));
}

static void set_size(const struct work *work)
{
    struct place number = any_number(work, true);

    put(work, number.at, number.len, word(work, WORD_SIZE));
}

static void change_number(const struct work *work)
{
    struct place number = any_number(work, true);

    if (number.len > 0) {
        work->bytes->data[number.at + chance_below(work->chance, number.len)] =
            (unsigned char)"0123456789abcdefABCDEF"[chance_below(work->chance, 22)];
    }
}

static void insert_extension(const struct work *work)
{
    struct place number = any_number(work, true);

    put(work, number.at + number.len, 0, word(work, WORD_EXTENSION));
}

static void set_status_line(const struct work *work)
{
    const unsigned char *lf =
        work->bytes->len > 0 ? memchr(work->bytes->data, '\n', work->bytes->len) : NULL;
    size_t len = lf == NULL ? 0 : (size_t)(lf - work->bytes->data);

    if (len > 0 && work->bytes->data[len - 1] == '\r') {
        len--;
    }
    put(work, 0, len, word(work, WORD_STATUS_LINE));
}

static void set_status(const struct work *work)
{
    put(work, 9, 3, word(work, WORD_STATUS));
}

static void set_version(const struct work *work)
{
    static const char minors[] = "0001123979x ";

    if (work->bytes->len > 7) {
        work->bytes->data[7] = (unsigned char)minors[chance_below(work->chance, 12)];
    }
}

static void insert_interim(const struct work *work)
{
    put(work, 0, 0, word(work, WORD_INTERIM));
}

static void append_surplus(const struct work *work)
{
    put(work, work->bytes->len, 0, word(work, WORD_SURPLUS));
}

static void cut_off(const struct work *work)
{
    work->bytes->len = chance_below(work->chance, work->bytes->len + 1);
}

static void set_stop(const struct work *work)
{
    work->exchange->stop = (enum differ_stop)chance_below(work->chance, 3);
}

/* set_method asks in another way; the status then matters more than it did. */
static void set_method(const struct work *work)
{
    static const char *const methods[] = {"GET", "GET", "HEAD", "HEAD", "POST", "CONNECT", "head"};

    work->exchange->method = methods[chance_below(work->chance, 7)];
    if (one_in(work->chance, 3)) {
        set_status(work);
    }
}

static void set_wishes(const struct work *work)
{
    static const char *const upgrades[] = {NULL, "websocket", "h2c,websocket", "WebSocket, foo/2"};

    work->exchange->upgrade = upgrades[chance_below(work->chance, 4)];
    work->exchange->asks_to_close = one_in(work->chance, 2);
    work->exchange->is_unsent = one_in(work->chance, 4);
}

static void change_case(const struct work *work)
{
    struct place line = some_line(work);

    for (size_t i = line.at; i < line.at + line.len; i++) {
        if (one_in(work->chance, 3) && (work->bytes->data[i] | 0x20) >= 'a' &&
            (work->bytes->data[i] | 0x20) <= 'z') {
            work->bytes->data[i] ^= 0x20;
        }
    }
}

/* join_next lets the next answer come with this one. */
static void join_next(const struct work *work)
{
    struct differ_input *input = work->input;
    size_t index = (size_t)(work->exchange - input->exchanges);

    if (index + 1 < input->num_exchanges) {
        put(work, work->bytes->len, 0, &input->exchanges[index + 1].bytes);
    }
}

/* splice goes on with the bytes of another exchange. */
static void splice(const struct work *work)
{
    struct place at = any_line(work);
    size_t from = chance_below(work->chance, work->other->len + 1);

    while (one_in(work->chance, 4) == false && from > 0 && work->other->data[from - 1] != '\n') {
        from--;
    }
    if (one_in(work->chance, 4)) {
        at.at = chance_below(work->chance, work->bytes->len + 1);
    }
    record_replace(work->bytes, at.at, work->bytes->len - at.at, work->other->data + from,
                   work->other->len - from);
}

static void set_body(const struct work *work)
{
    static const char end[] = "\r\n\r\n";
    size_t at = 0;

    while (at < work->bytes->len &&
           (work->bytes->len - at < 4 || memcmp(work->bytes->data + at, end, 4) != 0)) {
        at++;
    }
    at = at + 4 < work->bytes->len ? at + 4 : work->bytes->len;
    put(work, at, work->bytes->len - at, word(work, WORD_BODY));
}

static void set_rule(const struct work *work)
{
    struct differ_rules *rules = &work->input->rules;
    bool *flags[] = {&rules->refuse_bare_lf, &rules->refuse_missing_reason, &rules->refuse_obs_fold,
                     &rules->refuse_chunk_blanks};
    size_t *limits[] = {&rules->line_max,   &rules->head_max,     &rules->trailer_max,
                        &rules->fields_max, &rules->interims_max, &rules->chunk_line_max};
    size_t which = chance_below(work->chance, 10);

    if (which < 4) {
        *flags[which] = !*flags[which];
    } else {
        *limits[which - 4] = 1 + chance_below(work->chance, which > 6 && which < 9 ? 4 : 80);
    }
}

void mutate(const struct work *work)
{
    static void (*const mutations[])(const struct work *) = {
        flip_bit,       set_byte,         set_byte,         insert_byte,  insert_byte,
        delete_byte,    delete_run,       delete_line,      move_line,    repeat_line,
        insert_field,   insert_field,     set_line_end,     set_line_end, set_value,
        set_value,      set_value,        set_number,       set_size,     change_number,
        set_size,       insert_extension, set_status_line,  set_status,   set_version,
        insert_interim, append_surplus,   append_surplus,   cut_off,      set_stop,
        set_method,     set_wishes,       change_case,      join_next,    splice,
        set_body,       set_rule,         insert_extension,
    };

    mutations[chance_below(work->chance, sizeof(mutations) / sizeof(mutations[0]))](work);
}
