#ifndef POOLED_FETCH_TRANSFER_H
#define POOLED_FETCH_TRANSFER_H

#include "urlpool/urlpool.h"

#include "exit_code.h"
#include "settings.h"
#include "watch.h"

/* struct pf_transfer is one URL fetched once, and what came of it. */
struct pf_transfer {
    size_t index; /* of all transfers, repeats included, from 0 */
    const struct pf_entry *entry;
    struct pf_watch watch; /* of the last try */
    int64_t started_ns;    /* of the first */
    int64_t ended_ns;

    enum pf_exit exit_code;
    struct urlpool_error err; /* of the library, when it was that which failed */
    char message[512];        /* one line, "" when all went well */

    int status;  /* of the last head, 0 when none came */
    int version; /* 10, 11, or 0 */
    bool conn_reused;
    struct urlpool_timings timings;       /* of the last try that was answered; else zero bytes */
    char tls_version[16], tls_cipher[64]; /* with whom the connection led to; "": none */
    bool tls_verified;
    int64_t retry_after_ms; /* as long as the server asks to be left alone; 0: it does not */
    unsigned num_redirects;
    unsigned num_retries;            /* --retry's, and the library's after stale connections */
    int64_t num_bytes;               /* of decoded body that came */
    bool has_body;                   /* it was read, whole or not */
    uint64_t conn_requests;          /* which of its connection's this was; 0: not known */
    char *file;                      /* where the body went; NULL: to no file */
    struct urlpool_headers *headers; /* of the last response; NULL: none, or nobody wants them */
    const char *referer;             /* that was sent, or NULL */
    char *redirect_url;              /* where one that was not followed leads, or NULL */
    char *url, *content_type;        /* NULL when there was no answer, or no such field */
};

void pf_transfer_init(struct pf_transfer *transfer, size_t index, const struct pf_entry *entry);
void pf_transfer_free(struct pf_transfer *transfer);
/* pf_transfer_fail sets code and message, unless there is a failure already. */
__attribute__((format(printf, 3, 4))) void pf_transfer_fail(struct pf_transfer *transfer,
                                                            enum pf_exit code, const char *format,
                                                            ...);
/* pf_transfer_fail_by_error does so by an error of the library's. */
void pf_transfer_fail_by_error(struct pf_transfer *transfer, const struct urlpool_error *err);
/* pf_transfer_fail_by_writing does so by errno of what cannot be written to `file`; NULL is
 * standard output. */
void pf_transfer_fail_by_writing(struct pf_transfer *transfer, const char *file);
/* pf_transfer_restart forgets the last try but how many there were. */
void pf_transfer_restart(struct pf_transfer *transfer);
/* pf_transfer_ns is how long its last try took, as curl counts. */
int64_t pf_transfer_ns(const struct pf_transfer *transfer);
/* pf_transfer_wire_bytes is the length of the body as sent, as far as that is known. */
int64_t pf_transfer_wire_bytes(const struct pf_transfer *transfer);

/* pf_jsonl_add appends one line of JSON about it. */
void pf_jsonl_add(struct pf_text *out, const struct pf_transfer *transfer);

#endif /* POOLED_FETCH_TRANSFER_H */
