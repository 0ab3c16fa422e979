/* The reference parser: what RFC 9112 makes of all that a peer sent, written from its text and that
 * of RFC 9110 alone. It shares no code with the library and none of its ways: it has all bytes at
 * once, takes whole lines, keeps no state between them but what it was asked, and is slow.
 *
 * Where the RFCs leave a choice it takes the strict one, for a client that offers no transfer
 * coding; the tolerances of struct differ_rules are the only ones. */

#include "reference.h"

#include <stdlib.h>
#include <string.h>

#include "grammar.h"

/* What chunk lines may add up to beyond 16 bytes each and twice the data they come with. */
#define CHUNK_EXCESS_MAX 16384

struct field {
    struct text name;
    struct text raw; /* from behind the colon to the end of the last line, folds as they came */
};

struct head {
    int version;
    int status;
    struct field *fields;
    size_t num_fields;
};

struct reading {
    const struct differ_exchange *asked;
    const struct differ_rules *rules;
    struct differ_answer *answer;
    struct text rest;    /* of the peer's bytes */
    struct head head;    /* the one in hand, or the trailers */
    size_t heads_before; /* what is written of those before it */
    bool is_odd;         /* there is something about the framing not to be trusted */
};

/* Each step returns false when the reading has come to an end, and says how. */
static bool stop(struct reading *reading, enum differ_outcome outcome)
{
    reading->answer->outcome = outcome;
    return false;
}

static bool refuse(struct reading *reading)
{
    return stop(reading, DIFFER_REFUSED);
}

/* refuse_head is for a head that is well formed, and wrong: nobody gets to see it. */
static bool refuse_head(struct reading *reading)
{
    reading->answer->heads.len = reading->heads_before;
    return refuse(reading);
}

/* take_line takes a line off the rest, without what ends it. */
static bool take_line(struct reading *reading, bool may_end_in_lf_alone, struct text *out)
{
    struct text *rest = &reading->rest;
    const unsigned char *lf = rest->len == 0 ? NULL : memchr(rest->at, '\n', rest->len);

    if (lf == NULL) {
        return stop(reading, DIFFER_UNFINISHED);
    }
    out->at = rest->at;
    out->len = (size_t)(lf - rest->at);
    *rest = text_from(*rest, out->len + 1);
    if (out->len > 0 && lf[-1] == '\r') {
        out->len--;
        return true;
    }
    return may_end_in_lf_alone || refuse(reading);
}

/* value_of gives the value of a field, in memory to be freed: RFC 9112 section 5.2, "replace each
 * received obs-fold with one or more SP octets", obs-fold = OWS CRLF RWS. */
static struct text value_of(const struct field *field, unsigned char **out_memory)
{
    size_t len = field->raw.len;
    unsigned char *copy = malloc(len + 1);
    const struct text value = {copy, len};

    if (copy == NULL) {
        abort();
    }
    memcpy(copy, field->raw.at, len);
    for (size_t i = 0; i < len; i++) {
        if (copy[i] != '\n') {
            continue;
        }
        for (size_t j = i; j > 0 && strchr(" \t\r", copy[j - 1]) != NULL && copy[j - 1] != 0; j--) {
            copy[j - 1] = ' ';
        }
        for (size_t j = i + 1; j < len && (copy[j] == ' ' || copy[j] == '\t'); j++) {
            copy[j] = ' ';
        }
        copy[i] = ' ';
    }
    *out_memory = copy;
    return text_trim(value);
}

static bool take_fold(struct reading *reading, struct text line, bool are_trailers)
{
    struct head *head = &reading->head;
    struct field *field;

    if (head->num_fields == 0 || are_trailers || reading->rules->refuse_obs_fold) {
        return refuse(reading);
    }
    field = &head->fields[head->num_fields - 1];
    if (text_is_nocase(field->name, "Content-Length") ||
        text_is_nocase(field->name, "Transfer-Encoding") || !is_field_text(line)) {
        return refuse(reading);
    }
    field->raw.len = (size_t)(line.at + line.len - field->raw.at);
    if ((size_t)(reading->rest.at - field->name.at) > reading->rules->line_max) {
        return refuse(reading);
    }
    return true;
}

/* take_field reads field-name ":" OWS field-value OWS. */
static bool take_field(struct reading *reading, struct text line)
{
    struct head *head = &reading->head;
    const unsigned char *colon = memchr(line.at, ':', line.len);
    struct field field = {line, line};

    if (colon == NULL || head->num_fields >= reading->rules->fields_max) {
        return refuse(reading);
    }
    field.name.len = (size_t)(colon - line.at);
    field.raw = text_from(line, field.name.len + 1);
    if (!is_token(field.name) || !is_field_text(field.raw)) {
        return refuse(reading);
    }
    head->fields = realloc(head->fields, (head->num_fields + 1) * sizeof(*head->fields));
    if (head->fields == NULL) {
        abort();
    }
    head->fields[head->num_fields++] = field;
    return true;
}

/* take_fields reads field lines up to the empty line, and that. */
static bool take_fields(struct reading *reading, bool are_trailers, size_t section_max,
                        const unsigned char *section)
{
    const struct differ_rules *rules = reading->rules;
    const bool may_end_in_lf = !are_trailers && !rules->refuse_bare_lf;
    struct text line;
    bool goes_on = true;

    while (goes_on) {
        goes_on = take_line(reading, may_end_in_lf, &line);
        if (!goes_on) {
            return false;
        }
        if ((size_t)(reading->rest.at - section) > section_max ||
            (size_t)(reading->rest.at - line.at) > rules->line_max) {
            return refuse(reading);
        }
        if (line.len == 0) {
            return true;
        }
        if (line.at[0] == ' ' || line.at[0] == '\t') {
            goes_on = take_fold(reading, line, are_trailers);
        } else {
            goes_on = take_field(reading, line);
        }
    }
    return false;
}

static void write_fields(const struct head *head, struct record *out)
{
    for (size_t i = 0; i < head->num_fields; i++) {
        unsigned char *memory;
        struct text value = value_of(&head->fields[i], &memory);

        record_add(out, head->fields[i].name.at, head->fields[i].name.len);
        record_text(out, ": ");
        record_add(out, value.at, value.len);
        record_text(out, "\n");
        free(memory);
    }
}

/* take_head reads a status line and what follows up to the empty line, `bytes_max` at most. */
static bool take_head(struct reading *reading, size_t bytes_max)
{
    struct head *head = &reading->head;
    const unsigned char *begin = reading->rest.at;
    struct record *out = &reading->answer->heads;
    struct text line;
    struct text reason;

    head->num_fields = 0;
    if (!take_line(reading, !reading->rules->refuse_bare_lf, &line)) {
        return false;
    }
    if ((size_t)(reading->rest.at - begin) > reading->rules->line_max ||
        (size_t)(reading->rest.at - begin) > bytes_max ||
        !read_status_line(line, reading->rules->refuse_missing_reason, &head->version,
                          &head->status, &reason)) {
        return refuse(reading);
    }
    if (!take_fields(reading, false, bytes_max, begin)) {
        return false;
    }
    reading->heads_before = out->len;
    record_text(out, head->version == 10 ? "1.0 " : "1.1 ");
    record_number(out, (unsigned)head->status);
    record_text(out, " ");
    record_add(out, reason.at, reason.len);
    record_text(out, "\n");
    write_fields(head, out);
    return true;
}

/* --- what the fields of a head say ------------------------------------------------------------ */

/* has_option says whether one of the Connection lines has the member `option`. */
static bool has_option(const struct head *head, const char *option, bool minds_quotes)
{
    bool has = false;

    for (size_t i = 0; i < head->num_fields; i++) {
        unsigned char *memory;
        struct text rest = value_of(&head->fields[i], &memory);
        struct text member;

        while (text_is_nocase(head->fields[i].name, "Connection") &&
               next_member(&rest, minds_quotes, &member)) {
            has = has || text_is_nocase(member, option);
        }
        free(memory);
    }
    return has;
}

/* may_persist is RFC 9112 section 9.3. A list is no place for quoted strings here, so "close"
 * counts even within what looks like one, and "keep-alive" does not. */
static bool may_persist(const struct head *head)
{
    if (has_option(head, "close", false)) {
        return false;
    }
    return head->version == 11 || has_option(head, "keep-alive", true);
}

/* is_among says whether `wanted` is one of the list `offered`. */
static bool is_among(struct text wanted, struct text offered)
{
    struct text member;

    while (next_member(&offered, false, &member)) {
        if (text_equals_nocase(member, wanted)) {
            return true;
        }
    }
    return false;
}

/* is_switch_wanted is RFC 9110 section 7.8: a 101 names protocols, all of them offered. */
static bool is_switch_wanted(const struct head *head, const char *offered)
{
    bool is_wanted = true;
    size_t num_named = 0;

    for (size_t i = 0; i < head->num_fields; i++) {
        unsigned char *memory;
        struct text rest = value_of(&head->fields[i], &memory);
        struct text member;

        while (text_is_nocase(head->fields[i].name, "Upgrade") &&
               next_member(&rest, false, &member)) {
            num_named++;
            is_wanted = is_wanted && is_among(member, text_of(offered == NULL ? "" : offered));
        }
        free(memory);
    }
    return is_wanted && num_named > 0;
}

struct framing {
    bool has_length;
    bool has_bad_length;
    bool has_coding;
    bool is_chunked;
    uint64_t length;
};

/* note_lengths reads one Content-Length line: a number, or the same one several times, each written
 * as the `first` of all was. */
static void note_lengths(struct text rest, struct framing *framing, struct text *first)
{
    bool is_last = false;

    while (!is_last) {
        const unsigned char *comma = rest.len == 0 ? NULL : memchr(rest.at, ',', rest.len);
        struct text member = rest;

        is_last = comma == NULL;
        if (!is_last) {
            member.len = (size_t)(comma - rest.at);
            rest = text_from(rest, member.len + 1);
        }
        member = text_trim(member);
        if (!read_decimal(member, &framing->length) ||
            (framing->has_length && !text_equals_nocase(member, *first))) {
            framing->has_bad_length = true;
        }
        if (!framing->has_length) {
            *first = member;
        }
        framing->has_length = true;
    }
}

/* framing_of reads Content-Length and Transfer-Encoding; neither of them is ever folded. */
static struct framing framing_of(const struct head *head)
{
    struct framing framing = {0};
    struct text first = text_of("");

    for (size_t i = 0; i < head->num_fields; i++) {
        const struct field *field = &head->fields[i];

        if (text_is_nocase(field->name, "Content-Length")) {
            note_lengths(text_trim(field->raw), &framing, &first);
        }
        if (text_is_nocase(field->name, "Transfer-Encoding")) {
            framing.is_chunked =
                !framing.has_coding && text_is_nocase(text_trim(field->raw), "chunked");
            framing.has_coding = true;
        }
    }
    return framing;
}

/* --- bodies ----------------------------------------------------------------------------------- */

static bool take_content(struct reading *reading, uint64_t len)
{
    bool is_all = reading->rest.len >= len;
    size_t num = is_all ? (size_t)len : reading->rest.len;

    record_add(&reading->answer->body, reading->rest.at, num);
    reading->rest = text_from(reading->rest, num);
    return is_all || stop(reading, DIFFER_UNFINISHED);
}

/* take_crlf is what follows the data of a chunk. */
static bool take_crlf(struct reading *reading)
{
    static const char crlf[] = "\r\n";

    for (size_t i = 0; i < 2; i++) {
        if (reading->rest.len == 0) {
            return stop(reading, DIFFER_UNFINISHED);
        }
        if (reading->rest.at[0] != (unsigned char)crlf[i]) {
            return refuse(reading);
        }
        reading->rest = text_from(reading->rest, 1);
    }
    return true;
}

/* take_chunk reads chunk-size [ chunk-ext ] CRLF chunk-data CRLF, or the line of the last chunk. */
static bool take_chunk(struct reading *reading, uint64_t *out_size, uint64_t *excess)
{
    const unsigned char *begin = reading->rest.at;
    struct text line;
    uint64_t spent;
    uint64_t earned;

    if (!take_line(reading, false, &line)) {
        return false;
    }
    spent = (uint64_t)(reading->rest.at - begin);
    if (spent > reading->rules->chunk_line_max ||
        !read_chunk_line(line, reading->rules->refuse_chunk_blanks, out_size)) {
        return refuse(reading);
    }
    earned = *out_size > 1000000 ? 2000000 : 16 + *out_size * 2;
    *excess = *excess + spent > earned ? *excess + spent - earned : 0;
    if (*excess > CHUNK_EXCESS_MAX) {
        return refuse(reading);
    }
    return *out_size == 0 || (take_content(reading, *out_size) && take_crlf(reading));
}

static bool take_chunked(struct reading *reading)
{
    uint64_t size = 1;
    uint64_t excess = 0;
    const unsigned char *trailers;

    while (size > 0) {
        if (!take_chunk(reading, &size, &excess)) {
            return false;
        }
    }
    trailers = reading->rest.at;
    reading->head.num_fields = 0;
    if (!take_fields(reading, true, reading->rules->trailer_max, trailers)) {
        return false;
    }
    write_fields(&reading->head, &reading->answer->trailers);
    return true;
}

static bool take_until_close(struct reading *reading)
{
    static const enum differ_outcome outcomes[] = {
        [DIFFER_WAIT] = DIFFER_UNFINISHED,
        [DIFFER_EOF] = DIFFER_WHOLE,
        [DIFFER_CUT] = DIFFER_REFUSED,
    };

    reading->is_odd = true; /* there will not be anything else on this connection */
    (void)take_content(reading, reading->rest.len);
    return stop(reading, outcomes[reading->asked->stop]);
}

/* take_body is RFC 9112 section 6.3, case by case. */
static bool take_body(struct reading *reading)
{
    const struct head *head = &reading->head;
    const struct framing framing = framing_of(head);
    const bool has_other_coding = framing.has_coding && !framing.is_chunked;

    if (text_is(text_of(reading->asked->method), "HEAD") || head->status == 204 ||
        head->status == 304) {
        reading->is_odd = framing.has_bad_length || has_other_coding ||
                          (framing.has_length && framing.has_coding);
        if (head->status == 204 && (framing.has_coding || framing.length > 0)) {
            reading->is_odd = true;
        }
        return true;
    }
    if (framing.has_bad_length || has_other_coding) {
        return refuse_head(reading);
    }
    if (framing.is_chunked) {
        reading->is_odd = framing.has_length || head->version == 10;
        return take_chunked(reading);
    }
    if (framing.has_length) {
        return take_content(reading, framing.length);
    }
    return take_until_close(reading);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* take_interims reads heads up to the one that is final. */
static bool take_interims(struct reading *reading)
{
    const struct head *head = &reading->head;
    const unsigned char *begin = reading->rest.at;
    size_t num = 0;

    while (take_head(reading, reading->rules->head_max - (size_t)(reading->rest.at - begin))) {
        if (head->status == 101) {
            return is_switch_wanted(head, reading->asked->upgrade) ? stop(reading, DIFFER_SWITCHED)
                                                                   : refuse_head(reading);
        }
        if (head->status >= 200) {
            return true;
        }
        num++;
        if (num > reading->rules->interims_max) {
            return refuse_head(reading);
        }
    }
    return false;
}

static void read_answer(struct reading *reading)
{
    struct differ_answer *answer = reading->answer;
    const bool is_connect = text_is(text_of(reading->asked->method), "CONNECT");
    bool persists = false;

    answer->outcome = DIFFER_WHOLE;
    if (take_interims(reading)) {
        persists = may_persist(&reading->head);
        if (is_connect && reading->head.status < 300) {
            (void)stop(reading, DIFFER_SWITCHED);
        } else {
            (void)take_body(reading);
        }
    }
    if (answer->outcome == DIFFER_UNFINISHED && reading->asked->stop != DIFFER_WAIT) {
        answer->outcome = DIFFER_REFUSED;
    }
    answer->left = reading->rest.len;
    answer->may_reuse = answer->outcome == DIFFER_WHOLE && persists && !reading->is_odd &&
                        answer->left == 0 && !reading->asked->asks_to_close &&
                        !reading->asked->is_unsent;
}

void reference_read(const struct differ_input *input, struct differ_verdict *out)
{
    bool goes_on = true;

    differ_verdict_clear(out);
    for (size_t i = 0; goes_on && i < input->num_exchanges; i++) {
        const struct differ_exchange *asked = &input->exchanges[i];
        struct reading reading = {
            .asked = asked,
            .rules = &input->rules,
            .answer = &out->answers[i],
            .rest = {asked->bytes.data, asked->bytes.len}
        };

        read_answer(&reading);
        free(reading.head.fields);
        out->num_answers = i + 1;
        goes_on = out->answers[i].may_reuse;
    }
}
