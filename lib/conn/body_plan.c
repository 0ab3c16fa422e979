/* How a request body is to be sent: how long it is, whether it can be sent again, where its bytes
 * come from. All of that is known before a connection is taken, so that a body which cannot be sent
 * costs none. It sends nothing itself: conn/request_body does. */

#include "conn/body_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/option.h"
#include "http/field.h"
#include "http/form.h"

/* RFC 9110 section 10.1.1 leaves the wait to the client; a second is what curl waits. */
#define EXPECT_MS 1000

static struct urlp_segment segment_of_bytes(const void *data, size_t len)
{
    return (struct urlp_segment){.kind = URLP_SEGMENT_BYTES,
                                 .bytes = urlp_span_make(data, len),
                                 .fd = -1,
                                 .len = (int64_t)len};
}

static enum urlpool_code plan_bytes(struct urlp_body_plan *plan, struct urlpool_error *err)
{
    const struct urlpool_body *body = &plan->body;

    if (body->data == NULL && body->data_len > 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "body.data is NULL and body.data_len is not 0");
    }
    plan->one = segment_of_bytes(body->data, body->data_len);
    return URLPOOL_OK;
}

static enum urlpool_code fail_fd(int fd, int os_errno, struct urlpool_error *err)
{
    return urlp_fail_errno(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND, os_errno,
                           "request body descriptor %d", fd);
}

/* plan_fd finds out where a descriptor stands and what is left of it. */
static enum urlpool_code plan_fd(int fd, struct urlp_segment *out, struct urlpool_error *err)
{
    const int flags = fcntl(fd, F_GETFL);
    struct stat about;
    off_t start;

    if (flags < 0 || fstat(fd, &about) != 0) {
        return fail_fd(fd, errno, err);
    }
    if ((flags & O_ACCMODE) == O_WRONLY) {
        return fail_fd(fd, EBADF, err);
    }
    if (S_ISDIR(about.st_mode)) {
        return fail_fd(fd, EISDIR, err);
    }
    *out = (struct urlp_segment){.kind = URLP_SEGMENT_FD, .fd = fd, .len = -1};
    if (!S_ISREG(about.st_mode)) {
        return URLPOOL_OK;
    }
    start = lseek(fd, 0, SEEK_CUR);
    if (start < 0) {
        return fail_fd(fd, errno, err);
    }
    out->start = (int64_t)start;
    out->len = about.st_size > start ? (int64_t)(about.st_size - start) : 0;
    out->is_regular = true;
    return URLPOOL_OK;
}

static enum urlpool_code fail_file(const char *path, int os_errno, struct urlpool_error *err)
{
    return urlp_fail_errno(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND, os_errno,
                           "request body file \"%s\"", urlp_quote(path, strlen(path)).text);
}

/* plan_file measures a file, and sees whether it can be opened: but for what is no regular file,
 * where opening alone would be noticed by whoever is to write. */
static enum urlpool_code plan_file(const char *path, struct urlp_segment *out,
                                   struct urlpool_error *err)
{
    struct stat about;
    int fd;

    if (stat(path, &about) != 0) {
        return fail_file(path, errno, err);
    }
    if (S_ISDIR(about.st_mode)) {
        return fail_file(path, EISDIR, err);
    }
    *out = (struct urlp_segment){.kind = URLP_SEGMENT_FILE, .fd = -1, .path = path, .len = -1};
    if (!S_ISREG(about.st_mode)) {
        return URLPOOL_OK;
    }
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return fail_file(path, errno, err);
    }
    (void)close(fd);
    out->len = (int64_t)about.st_size;
    out->is_regular = true;
    return URLPOOL_OK;
}

static enum urlpool_code plan_callback(struct urlp_body_plan *plan, struct urlpool_error *err)
{
    const struct urlpool_body *body = &plan->body;

    if (body->read == NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "body.read is NULL");
    }
    if (body->length < 0 && body->length != URLPOOL_NONE) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "body.length is %lld",
                         (long long)body->length);
    }
    plan->one = (struct urlp_segment){.kind = URLP_SEGMENT_CALLBACK, .fd = -1, .len = -1};
    if (body->length != 0) {
        plan->one.len = body->length == URLPOOL_NONE ? 0 : body->length;
    }
    return URLPOOL_OK;
}

static enum urlpool_code plan_form(struct urlp_body_plan *plan, struct urlpool_error *err)
{
    enum urlpool_code code = urlp_form_append_encoded(plan->body.form, &plan->text, err);

    plan->one = segment_of_bytes(plan->text.data, plan->text.len);
    if (plan->content_type == NULL) {
        plan->content_type = "application/x-www-form-urlencoded";
    }
    return code;
}

/* name_type makes `type`, which says the boundary, the body's, unless the caller has named one. */
static enum urlpool_code name_type(struct urlp_body_plan *plan, const char *type,
                                   struct urlpool_error *err)
{
    const size_t size = strlen(type) + 1;

    if (plan->content_type != NULL) {
        return URLPOOL_OK;
    }
    plan->own_content_type = urlp_alloc(size);
    if (plan->own_content_type == NULL) {
        return urlp_fail_nomem(err);
    }
    memcpy(plan->own_content_type, type, size);
    plan->content_type = plan->own_content_type;
    return URLPOOL_OK;
}

static enum urlpool_code plan_piece(const struct urlp_form_piece *piece, struct urlp_segment *out,
                                    struct urlpool_error *err)
{
    if (piece->path != NULL) {
        return plan_file(piece->path, out, err);
    }
    if (piece->fd >= 0) {
        return plan_fd(piece->fd, out, err);
    }
    *out = segment_of_bytes(piece->text.data, piece->text.len);
    return URLPOOL_OK;
}

static enum urlpool_code plan_multipart(struct urlp_body_plan *plan, struct urlpool_error *err)
{
    struct urlp_multipart multipart = {0};
    enum urlpool_code code = urlp_form_lay_out(plan->body.form, &multipart, err);

    if (code == URLPOOL_OK) {
        code = name_type(plan, multipart.content_type, err);
    }
    if (code != URLPOOL_OK) {
        goto done;
    }
    plan->num_segments = 0;
    plan->segments = urlp_zalloc(multipart.num_pieces * sizeof(*plan->segments));
    if (plan->segments == NULL) {
        code = urlp_fail_nomem(err);
        goto done;
    }
    plan->text = multipart.text; /* pieces point into it */
    multipart.text = (struct urlp_buf){0};
    while (code == URLPOOL_OK && plan->num_segments < multipart.num_pieces) {
        code = plan_piece(&multipart.pieces[plan->num_segments],
                          &plan->segments[plan->num_segments], err);
        plan->num_segments++;
    }
done:
    urlp_multipart_deinit(&multipart);
    return code;
}

/* plan_source finds the segments of the body. */
static enum urlpool_code plan_source(struct urlp_body_plan *plan, struct urlpool_error *err)
{
    const enum urlpool_body_kind kind = plan->body.kind;

    plan->segments = &plan->one;
    plan->num_segments = 1;
    if ((kind == URLPOOL_BODY_FORM || kind == URLPOOL_BODY_MULTIPART) && plan->body.form == NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "body.form is NULL");
    }
    switch (kind) {
    case URLPOOL_BODY_BYTES:
        return plan_bytes(plan, err);
    case URLPOOL_BODY_FD:
        return plan_fd(plan->body.fd, &plan->one, err);
    case URLPOOL_BODY_CALLBACK:
        return plan_callback(plan, err);
    case URLPOOL_BODY_FORM:
        return plan_form(plan, err);
    case URLPOOL_BODY_MULTIPART:
        return plan_multipart(plan, err);
    default:
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "body.kind is %d", (int)kind);
    }
}

/* add_up tells how long all segments are together, and whether each can be sent again. */
static enum urlpool_code add_up(struct urlp_body_plan *plan, struct urlpool_error *err)
{
    plan->len = plan->body.chunked || plan->trailers != NULL ? -1 : 0;
    plan->can_rewind = true;
    for (size_t i = 0; i < plan->num_segments; i++) {
        const struct urlp_segment *segment = &plan->segments[i];

        plan->can_rewind = plan->can_rewind &&
                           (segment->kind == URLP_SEGMENT_BYTES || segment->is_regular ||
                            (segment->kind == URLP_SEGMENT_CALLBACK && plan->body.rewind != NULL));
        if (segment->len < 0 || plan->len < 0) {
            plan->len = -1;
        } else if (segment->len > INT64_MAX - plan->len) {
            return urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND,
                             "a request body has %lld bytes at the most", (long long)INT64_MAX);
        } else {
            plan->len += segment->len;
        }
    }
    return URLPOOL_OK;
}

/* check_trailers refuses what must not be a trailer while that still costs no connection. What a
 * callback adds is checked when it is sent. */
static enum urlpool_code check_trailers(const struct urlpool_headers *trailers,
                                        struct urlpool_error *err)
{
    const size_t num = trailers != NULL ? urlpool_headers_count(trailers) : 0;

    for (size_t i = 0; i < num; i++) {
        const struct urlp_span name = urlp_headers_field(trailers, i).name;

        if (!urlp_field_may_trail(name)) {
            return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                             "field that cannot be a trailer: \"%s\"",
                             urlp_quote(name.data, name.len).text);
        }
    }
    return URLPOOL_OK;
}

/* resolve_expect learns how long to wait for 100 (Continue). RFC 9110 section 10.1.1: a client MUST
 * NOT generate that expectation in a request that does not include content. */
static enum urlpool_code resolve_expect(struct urlp_body_plan *plan, struct urlpool_error *err)
{
    int64_t wait_ms = 0;
    enum urlpool_code code =
        urlp_option_resolve("body.expect_ms", plan->body.expect_ms, EXPECT_MS, &wait_ms, err);

    if (code == URLPOOL_OK && plan->body.expect_continue && plan->len != 0) {
        plan->expect_ms = wait_ms >= 0 ? wait_ms : INT64_MAX;
    }
    return code;
}

enum urlpool_code urlp_body_plan_make(struct urlp_body_plan *plan, const struct urlpool_body *body,
                                      struct urlpool_error *err)
{
    enum urlpool_code code;

    urlp_body_plan_init(plan);
    if (body == NULL) {
        return URLPOOL_OK;
    }
    code = urlp_option_check_reserved("body", body->reserved, sizeof(body->reserved), err);
    if (code != URLPOOL_OK || body->kind == URLPOOL_BODY_NONE) {
        return code;
    }
    plan->body = *body;
    plan->content_type = body->content_type;
    plan->trailers = body->trailers;
    code = check_trailers(plan->trailers, err);
    if (code == URLPOOL_OK) {
        code = plan_source(plan, err);
    }
    if (plan->content_type != NULL && plan->content_type[0] == '\0') {
        plan->content_type = NULL;
    }
    if (code == URLPOOL_OK) {
        code = add_up(plan, err);
    }
    if (code == URLPOOL_OK) {
        code = resolve_expect(plan, err);
    }
    plan->has_body = code == URLPOOL_OK;
    return code;
}

enum urlpool_code urlp_body_fail_callback(struct urlpool_error *err, enum urlpool_code code,
                                          const struct urlpool_error *why)
{
    const int message_len = (int)strnlen(why->message, sizeof(why->message));

    if (message_len > 0) {
        (void)urlp_fail(err, code, URLPOOL_PHASE_SEND, "%.*s", message_len, why->message);
    } else {
        (void)urlp_fail(err, code, URLPOOL_PHASE_SEND, "a callback of the request body returned %s",
                        urlpool_code_name(why->code));
    }
    if (err != NULL) {
        err->cause = why->code != code ? why->code : URLPOOL_OK;
        err->os_errno = why->os_errno;
    }
    return code;
}

enum urlpool_code urlp_body_plan_rewind(struct urlp_body_plan *plan, struct urlpool_error *err)
{
    struct urlpool_error why = {.code = URLPOOL_OK};

    if (!plan->is_begun) {
        return URLPOOL_OK;
    }
    if (!plan->can_rewind) {
        return urlp_fail(err, URLPOOL_E_UNREWINDABLE, URLPOOL_PHASE_SEND,
                         "the request body cannot be read a second time");
    }
    if (plan->body.kind == URLPOOL_BODY_CALLBACK) {
        const enum urlpool_code code = plan->body.rewind(plan->body.user, &why);

        if (code != URLPOOL_OK) {
            why.code = code;
            return urlp_body_fail_callback(err, URLPOOL_E_UNREWINDABLE, &why);
        }
    }
    plan->is_begun = false;
    return URLPOOL_OK;
}

void urlp_body_plan_free(struct urlp_body_plan *plan)
{
    if (plan->segments != &plan->one) {
        urlp_free(plan->segments);
    }
    urlp_free(plan->own_content_type);
    urlp_buf_deinit(&plan->text);
    urlp_body_plan_init(plan);
}
