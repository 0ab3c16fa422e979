/* The tries that came before a response: a table of rows, and one run of text that they point into
 * by offset, so that both may move as they grow.
 *
 * Most requests have none of it, so nothing is allocated before the first row. It does not know
 * what a retry or a redirect is. */

#include "conn/hops.h"

/* struct row is a hop whose strings are offsets into the text. */
struct row {
    size_t method_at;
    size_t url_at;
    size_t location_at;
    bool has_location;
    enum urlpool_code code;
    int status;
};

/* put appends `text` with a NUL behind it; there is room. */
static size_t put(struct urlp_buf *out, struct urlp_span text)
{
    size_t at = out->len;

    (void)!urlp_buf_append_span(out, text);
    (void)!urlp_buf_append(out, "", 1);
    return at;
}

enum urlpool_code urlp_hops_add(struct urlp_hops *hops, const struct urlp_hop_note *note)
{
    size_t text_len = note->method.len + note->url.len + note->location.len + 3;
    struct row row = {
        .has_location = note->location.data != NULL,
        .code = note->code,
        .status = note->status,
    };

    if (urlp_hops_count(hops) >= URLP_HOPS_MAX) {
        return URLPOOL_OK;
    }
    if (urlp_buf_reserve(&hops->rows, sizeof(row)) != URLPOOL_OK ||
        urlp_buf_reserve(&hops->text, text_len) != URLPOOL_OK) {
        return URLPOOL_E_NOMEM;
    }
    row.method_at = put(&hops->text, note->method);
    row.url_at = put(&hops->text, note->url);
    row.location_at = put(&hops->text, note->location);
    return urlp_buf_append(&hops->rows, &row, sizeof(row));
}

size_t urlp_hops_count(const struct urlp_hops *hops)
{
    return hops->rows.len / sizeof(struct row);
}

struct urlpool_hop urlp_hops_get(const struct urlp_hops *hops, size_t index)
{
    const struct row *rows = (const struct row *)(const void *)hops->rows.data;
    const char *text = (const char *)hops->text.data;
    const struct row *row;

    if (index >= urlp_hops_count(hops)) {
        return (struct urlpool_hop){0};
    }
    row = &rows[index];
    return (struct urlpool_hop){
        .method = text + row->method_at,
        .url = text + row->url_at,
        .code = row->code,
        .status = row->status,
        .location = row->has_location ? text + row->location_at : NULL,
    };
}

void urlp_hops_deinit(struct urlp_hops *hops)
{
    urlp_buf_deinit(&hops->rows);
    urlp_buf_deinit(&hops->text);
}
