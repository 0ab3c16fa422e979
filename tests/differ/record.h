#ifndef TESTS_DIFFER_RECORD_H
#define TESTS_DIFFER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* struct record is a run of bytes that grows; all zero is an empty one. The program ends when there
 * is no memory. */
struct record {
    unsigned char *data;
    size_t len;
    size_t cap;
};

void record_free(struct record *record);
void record_add(struct record *record, const void *data, size_t len);
void record_text(struct record *record, const char *text);
void record_number(struct record *record, unsigned long long number);

/* record_replace puts `len` bytes in the place of the `old_len` at `at`; what is beyond the end is
 * cut off. `data` is not part of the record. */
void record_replace(struct record *record, size_t at, size_t old_len, const void *data, size_t len);

bool record_equals(const struct record *a, const struct record *b);
bool record_ends_with(const struct record *record, const struct record *end);

/* record_print shows the bytes with escapes: those of the transcripts. */
void record_print(FILE *out, const struct record *record);

#endif /* TESTS_DIFFER_RECORD_H */
