/* The public URL object: a parsed URL whose parts are C strings. Immutable once made; all the
 * reading and writing is url.c's. */

#include <string.h>

#include "urlpool/headers.h"
#include "urlpool/url.h"

#include "base/alloc.h"
#include "base/error.h"
#include "http/url.h"
#include "http/url_text.h"

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

/* The authority within the text: from behind "//" to where the path begins. */
static struct urlp_span authority_of(const struct urlp_url *url)
{
    const char *text = (const char *)url->text.data;
    size_t start = url->scheme.data != NULL ? url->scheme.len + 1 : 0;

    if (url->host.data == NULL) {
        return urlp_span_make(NULL, 0);
    }
    start += 2;
    return urlp_span_make(text + start, strcspn(text + start, "/?#"));
}

/* The authority behind the userinfo. */
static struct urlp_span netloc_of(const struct urlp_url *url)
{
    struct urlp_span authority = authority_of(url);
    size_t skipped = url->userinfo.data != NULL ? url->userinfo.len + 1 : 0;

    return authority.data == NULL
               ? authority
               : urlp_span_make(authority.data + skipped, authority.len - skipped);
}

/* put_decoded is put_string of percent-encoded text: NULL for what no string can hold. */
static const char *put_decoded(char **end, struct urlp_span part)
{
    char *start = *end;
    size_t len;

    if (part.data == NULL) {
        return NULL;
    }
    len = urlp_url_decode(start, part);
    start[len] = '\0';
    *end = start + len + 1;
    return strlen(start) == len ? start : NULL;
}

/* show_userinfo shows user and password, which a colon parts. */
static void show_userinfo(struct urlp_span userinfo, char **end, struct urlpool_url *out)
{
    const char *colon = userinfo.len > 0 ? memchr(userinfo.data, ':', userinfo.len) : NULL;
    size_t user_len = colon != NULL ? (size_t)(colon - userinfo.data) : userinfo.len;

    out->user = put_decoded(end, urlp_span_make(userinfo.data, user_len));
    if (colon != NULL) {
        out->password = put_decoded(end, urlp_span_make(colon + 1, userinfo.len - user_len - 1));
    }
}

/* put_target puts what urlp_url_append_target appends. */
static const char *put_target(char **end, const struct urlp_url *url)
{
    const char *start = put_string(end, url->path.len > 0 ? url->path : urlp_span_of("/"));

    if (url->query.data != NULL) {
        (*end)[-1] = '?';
        (void)put_string(end, url->query);
    }
    return start;
}

/* Room for every string with its NUL: each part as it is, and once more within the other cuts. */
static size_t room_for(const struct urlp_url *url)
{
    size_t parts_len = url->scheme.len + url->userinfo.len + url->host.len + url->zone.len +
                       url->path.len + url->query.len + url->fragment.len + 7;

    return parts_len + authority_of(url).len + netloc_of(url).len + url->path.len + url->query.len +
           url->userinfo.len + 7;
}

/* Takes `parsed` over, also on failure. */
static struct urlpool_url *make_object(struct urlp_url *parsed, struct urlpool_error *err)
{
    struct url_object *object = urlp_alloc(sizeof(*object) + room_for(parsed));

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
        .authority = put_string(&end, authority_of(parsed)),
        .netloc = put_string(&end, netloc_of(parsed)),
        .target = put_target(&end, parsed),
    };
    show_userinfo(parsed->userinfo, &end, &object->shown);
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
