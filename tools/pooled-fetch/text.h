#ifndef POOLED_FETCH_TEXT_H
#define POOLED_FETCH_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Memory and growing text. A program that runs out of memory ends at once with curl's code 27, so
 * nothing here fails. */

/* pf_alloc gives zeroed bytes; pf_resize is realloc. Owns: for free(). */
void *pf_alloc(size_t size);
void *pf_resize(void *block, size_t size);
/* pf_strndup copies `len` bytes and ends them with NUL. Owns: for free(). */
char *pf_strndup(const char *data, size_t len);
char *pf_strdup(const char *text);
/* pf_format is sprintf into memory of its own. Owns: for free(). */
__attribute__((format(printf, 1, 2))) char *pf_format(const char *format, ...);

/* pf_errno_text is what an errno means, in English. */
const char *pf_errno_text(int os_errno);
/* pf_digits reads the digits that `text` begins with, and nothing else: no blank and no sign.
 *
 * Returns: what stands behind them, which is `text` when there are none.
 * Sizes:   a number above INT64_MAX becomes INT64_MAX. */
const char *pf_digits(const char *text, int64_t *out);

/* pf_scheme_len is how long the scheme of a URL and its "://" are; 0: it has none. */
size_t pf_scheme_len(const char *url);

/* struct pf_text is bytes that grow; zero bytes are an empty one. Once it holds something, a NUL
 * that `len` does not count stands behind them. */
struct pf_text {
    char *data;
    size_t len, cap;
};

void pf_text_add(struct pf_text *text, const void *data, size_t len);
void pf_text_adds(struct pf_text *text, const char *string);
__attribute__((format(printf, 2, 3))) void pf_text_addf(struct pf_text *text, const char *format,
                                                        ...);
/* pf_text_add_escaped percent-encodes all bytes but letters, digits and "-._~"; a space becomes
 * `space`. */
void pf_text_add_escaped(struct pf_text *text, const void *data, size_t len, const char *space);
/* pf_text_cut keeps the first `len` bytes. */
void pf_text_cut(struct pf_text *text, size_t len);
void pf_text_free(struct pf_text *text);

/* pf_text_read_fd appends what `fd` gives until its end. Errors: -1 with errno. */
int pf_text_read_fd(struct pf_text *text, int fd);
/* pf_text_read_file appends a file's bytes; "-" is standard input. Errors: -1 with errno. */
int pf_text_read_file(struct pf_text *text, const char *path);

#endif /* POOLED_FETCH_TEXT_H */
