/* The public URL object: a parsed URL whose parts are C strings. Immutable once made; all the
 * reading and writing is url.c's. */

#include <string.h>

#include "urlpool/headers.h"
#include "urlpool/url.h"

#include "base/alloc.h"
#include "base/error.h"
#include "http/url.h"

/* What a struct urlpool_url really is; `strings` holds its parts, each with its NUL. */
struct url_object {
    struct urlpool_url shown; /* first, so that one pointer is both */
    struct urlp_url parsed;
    char strings[];
};

static const char *put_string(char **end, struct urlp_span part)
{
    char *start = *end;

    if (part.data == NULL) {
        return NULL;
    }
    memcpy(start, part.data, part.len);
    start[part.len] = '\0';
    *end = start + part.len + 1;
    return start;
}

/* Takes `parsed` over, also on failure. */
static struct urlpool_url *make_object(struct urlp_url *parsed, struct urlpool_error *err)
{
    size_t len = parsed->scheme.len + parsed->userinfo.len + parsed->host.len + parsed->zone.len +
                 parsed->path.len + parsed->query.len + parsed->fragment.len + 7;
    struct url_object *object = urlp_alloc(sizeof(*object) + len);

    if (object == NULL) {
        urlp_url_deinit(parsed);
        (void)urlp_fail_nomem(err);
        return NULL;
    }

    char *end = object->strings;

    object->parsed = *parsed;
    object->shown = (struct urlpool_url){
        .scheme = put_string(&end, parsed->scheme),
        .userinfo = put_string(&end, parsed->userinfo),
        .host = put_string(&end, parsed->host),
        .zone = put_string(&end, parsed->zone),
        .port = parsed->port,
        .path = put_string(&end, parsed->path),
        .query = put_string(&end, parsed->query),
        .fragment = put_string(&end, parsed->fragment),
    };
    return &object->shown;
}

static const struct urlp_url *parsed_of(const struct urlpool_url *url)
{
    return &((const struct url_object *)url)->parsed;
}

struct urlpool_url *urlpool_url_parse(const char *text, struct urlpool_error *err)
{
    struct urlp_url parsed = {0};

    if (text == NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "URL is NULL");
        return NULL;
    }
    if (urlp_url_parse(urlp_span_of(text), &parsed, err) != URLPOOL_OK) {
        urlp_url_deinit(&parsed);
        return NULL;
    }
    return make_object(&parsed, err);
}

struct urlpool_url *urlpool_url_join(const struct urlpool_url *base, const char *reference,
                                     struct urlpool_error *err)
{
    struct urlp_url parsed = {0};

    if (base == NULL || reference == NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "base or reference is NULL");
        return NULL;
    }
    if (urlp_url_resolve(parsed_of(base), urlp_span_of(reference), &parsed, err) != URLPOOL_OK) {
        urlp_url_deinit(&parsed);
        return NULL;
    }
    return make_object(&parsed, err);
}

char *urlpool_url_format(const struct urlpool_url *url, struct urlpool_error *err)
{
    if (url == NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "URL is NULL");
        return NULL;
    }

    const struct urlp_url *parsed = parsed_of(url);
    char *text = urlp_strndup((const char *)parsed->text.data, parsed->text.len);

    if (text == NULL) {
        (void)urlp_fail_nomem(err);
    }
    return text;
}

void urlpool_url_free(struct urlpool_url *url)
{
    struct url_object *object = (struct url_object *)url;

    if (object == NULL) {
        return;
    }
    urlp_url_deinit(&object->parsed);
    urlp_free(object);
}
