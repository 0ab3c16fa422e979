/* A growing run of bytes for the differential tests: they keep millions of small ones, one after
 * another, so memory is kept when a record is emptied (`len` set to 0). */

#include "record.h"

#include <stdlib.h>
#include <string.h>

void record_free(struct record *record)
{
    free(record->data);
    *record = (struct record){0};
}

static void reserve(struct record *record, size_t len)
{
    unsigned char *data;

    if (len <= record->cap) {
        return;
    }
    data = realloc(record->data, len * 2);
    if (data == NULL) {
        abort();
    }
    record->data = data;
    record->cap = len * 2;
}

void record_add(struct record *record, const void *data, size_t len)
{
    if (len > 0) {
        reserve(record, record->len + len);
        memcpy(record->data + record->len, data, len);
        record->len += len;
    }
}

void record_text(struct record *record, const char *text)
{
    record_add(record, text, strlen(text));
}

void record_number(struct record *record, unsigned long long number)
{
    char digits[24];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    record_add(record, digits + at, sizeof(digits) - at);
}

void record_replace(struct record *record, size_t at, size_t old_len, const void *data, size_t len)
{
    size_t tail;

    if (at > record->len) {
        at = record->len;
    }
    if (old_len > record->len - at) {
        old_len = record->len - at;
    }
    tail = record->len - at - old_len;
    reserve(record, record->len - old_len + len + 1);
    memmove(record->data + at + len, record->data + at + old_len, tail);
    if (len > 0) {
        memcpy(record->data + at, data, len);
    }
    record->len = at + len + tail;
}

bool record_equals(const struct record *a, const struct record *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

bool record_ends_with(const struct record *record, const struct record *end)
{
    return end->len == 0 ||
           (end->len <= record->len &&
            memcmp(record->data + record->len - end->len, end->data, end->len) == 0);
}

void record_print(FILE *out, const struct record *record)
{
    for (size_t i = 0; i < record->len; i++) {
        unsigned char byte = record->data[i];

        if (byte == '\r') {
            fputs("\\r", out);
        } else if (byte == '\n') {
            fputs("\\n", out);
        } else if (byte == '\t') {
            fputs("\\t", out);
        } else if (byte == '\\') {
            fputs("\\\\", out);
        } else if (byte < ' ' || byte >= 0x7f) {
            fprintf(out, "\\x%02x", byte);
        } else {
            fputc(byte, out);
        }
    }
}
