#ifndef TESTS_DIFFER_WORDS_H
#define TESTS_DIFFER_WORDS_H

#include <stdint.h>

#include "record.h"

/* What a mutation puts in: pieces of HTTP that parsers are known to disagree on. Each is written as
 * in the transcripts, with \r \n \t \0 \\ \xNN. */
enum word_kind {
    WORD_BYTE,        /* one byte that means something */
    WORD_LINE_END,    /* what may stand for CRLF */
    WORD_FIELD,       /* a field line without its end, mostly of a name that frames */
    WORD_LENGTH,      /* a value of Content-Length */
    WORD_CODING,      /* of Transfer-Encoding */
    WORD_CONNECTION,  /* of Connection */
    WORD_STATUS_LINE, /* without its end */
    WORD_STATUS,      /* a status code */
    WORD_INTERIM,     /* a whole interim response */
    WORD_SURPLUS,     /* what comes behind the end */
    WORD_SIZE,        /* a chunk size */
    WORD_EXTENSION,   /* what comes behind it */
    WORD_BODY,        /* chunked bodies, whole */
    N_WORD_KINDS
};

/* words_load unescapes them all. */
void words_load(void);

/* words_pick is one of a kind; `chance` says which. */
const struct record *words_pick(enum word_kind kind, uint64_t *chance);

#endif /* TESTS_DIFFER_WORDS_H */
