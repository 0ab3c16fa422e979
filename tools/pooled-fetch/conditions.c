/* Going on where a file ends, and asking only for what has changed.
 *
 * Of a body that broke off the rest is asked for with If-Range where its version is known: from the
 * try before, or from the file of --etag-save. Then a server whose file has changed sends all of
 * it, and the file is begun anew; without it such an answer is an error, as in curl. */

#include "conditions.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "date.h"
#include "text.h"

static bool is_strong(const char *etag)
{
    return etag[0] == '"' && etag[1] != '"' && etag[1] != '\0';
}

enum urlpool_code pf_conditions_next(struct pf_conditions *conditions,
                                     const struct pf_settings *settings,
                                     const struct pf_request *request,
                                     const struct pf_output *output, struct urlpool_error *err)
{
    char *range;
    enum urlpool_code code;

    urlpool_headers_free(conditions->headers);
    conditions->headers = NULL;
    conditions->asks_if_same = false;
    if (output->offset == 0) {
        return URLPOOL_OK;
    }
    if (conditions->validator == NULL && settings->etag_save != NULL) {
        char *etag = pf_etag_read(settings->etag_save);
        conditions->validator = etag != NULL && is_strong(etag) ? pf_strdup(etag) : NULL;
        free(etag);
    }
    conditions->headers = urlpool_headers_copy(request->headers, err);
    if (conditions->headers == NULL) {
        return err->code;
    }
    range = pf_format("bytes=%" PRId64 "-", output->offset);
    code = urlpool_headers_set(conditions->headers, "Range", range, err);
    free(range);
    if (code == URLPOOL_OK && conditions->validator != NULL) {
        conditions->asks_if_same = true;
        code = urlpool_headers_set(conditions->headers, "If-Range", conditions->validator, err);
    }
    return code;
}

void pf_conditions_note(struct pf_conditions *conditions, const struct urlpool_response *response)
{
    const char *etag = urlpool_response_header(response, "ETag");

    if (response->status == URLPOOL_HTTP_OK || response->status == URLPOOL_HTTP_PARTIAL_CONTENT) {
        free(conditions->validator);
        conditions->validator = etag != NULL && is_strong(etag) ? pf_strdup(etag) : NULL;
    }
}

void pf_conditions_deinit(struct pf_conditions *conditions)
{
    urlpool_headers_free(conditions->headers);
    free(conditions->validator);
    *conditions = (struct pf_conditions){0};
}

/* read_content_range reads "bytes 5-9/10" and "bytes * /10"; what is not there is -1. */
static void read_content_range(const char *value, int64_t *out_first, int64_t *out_size)
{
    const char *slash = value != NULL ? strchr(value, '/') : NULL;

    *out_first = -1;
    *out_size = -1;
    if (value == NULL || strncmp(value, "bytes ", 6) != 0) {
        return;
    }
    if (value[6] >= '0' && value[6] <= '9') {
        (void)pf_digits(value + 6, out_first);
    }
    if (slash != NULL && slash[1] >= '0' && slash[1] <= '9') {
        (void)pf_digits(slash + 1, out_size);
    }
}

/* is_of_other_version says whether a part is not of what there is already. RFC 9110
 * section 15.3.7.3: parts may be put together "if they all share the same strong validator". */
static bool is_of_other_version(const struct pf_conditions *conditions,
                                const struct urlpool_response *response)
{
    const char *etag = urlpool_response_header(response, "ETag");

    return conditions->asks_if_same && etag != NULL && strcmp(etag, conditions->validator) != 0;
}

enum pf_part pf_conditions_judge(const struct pf_conditions *conditions,
                                 const struct pf_output *output,
                                 const struct urlpool_response *response)
{
    int64_t first;
    int64_t size;

    if (output->offset == 0) {
        return PF_PART_WHOLE;
    }
    read_content_range(urlpool_response_header(response, "Content-Range"), &first, &size);
    if (first == output->offset) {
        return is_of_other_version(conditions, response) ? PF_PART_WRONG : PF_PART_WHOLE;
    }
    if (response->status == URLPOOL_HTTP_PARTIAL_CONTENT) {
        return PF_PART_WRONG; /* however long it is */
    }
    if (response->status == URLPOOL_HTTP_RANGE_NOT_SATISFIABLE) {
        return output->settings->continues_by_file && size >= 0 && size != output->offset
                   ? PF_PART_WRONG /* the file is longer than the server's */
                   : PF_PART_NONE;
    }
    if (response->status == URLPOOL_HTTP_OK && conditions->asks_if_same) {
        return PF_PART_ANEW;
    }
    if (urlpool_response_length_remaining(response) == output->offset) {
        return PF_PART_NONE; /* as curl: it is as long as what there is already */
    }
    return urlpool_response_length_remaining(response) == 0 ? PF_PART_NONE : PF_PART_WRONG;
}

bool pf_is_too_old(const struct pf_settings *settings, const struct urlpool_response *response)
{
    const char *value = urlpool_response_header(response, "Last-Modified");
    time_t date = value != NULL ? pf_date_of_field(value) : -1;

    if (!settings->has_condition || date < 0 || settings->range != NULL) {
        return false;
    }
    return settings->condition_is_unless ? date >= settings->condition_s
                                         : date <= settings->condition_s;
}

char *pf_etag_read(const char *path)
{
    struct pf_text text = {0};
    char *etag;

    if (pf_text_read_file(&text, path) != 0) {
        pf_text_free(&text);
        return NULL;
    }
    pf_text_adds(&text, "");
    etag = pf_strndup(text.data, strcspn(text.data, "\r\n"));
    pf_text_free(&text);
    if (etag[0] == '\0') {
        free(etag);
        return pf_strdup("\"\"");
    }
    return etag;
}

int pf_etag_write(const char *path, const struct urlpool_response *response)
{
    const char *etag = response != NULL ? urlpool_response_header(response, "ETag") : NULL;
    char *line;
    int result = 0;
    int fd;

    if (etag == NULL && response != NULL && response->status == URLPOOL_HTTP_NOT_MODIFIED) {
        return 0; /* it is what it was */
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, PF_NEW_FILE_MODE);
    if (fd < 0) {
        return -1;
    }
    if (etag != NULL) {
        line = pf_format("%s\n", etag);
        result = pf_write_all(fd, line, strlen(line));
        free(line);
    }
    return close(fd) == 0 ? result : -1;
}
