/* How a request body is to be sent: how long it is, whether it can be sent again, where its bytes
 * come from. All of that is known before a connection is taken, so that a body which cannot be sent
 * costs none. It sends nothing itself: conn/request_body does. */

#include "conn/body_plan.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/option.h"

/* plan_bytes plans bytes in memory. */
static enum urlpool_code plan_bytes(struct urlp_body_plan *plan, struct urlpool_error *err)
{
    const struct urlpool_body *body = &plan->body;

    if (body->data == NULL && body->data_len > 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "body.data is NULL and body.data_len is not 0");
    }
    plan->one = (struct urlp_segment){.kind = URLP_SEGMENT_BYTES,
                                      .bytes = urlp_span_make(body->data, body->data_len),
                                      .fd = -1,
                                      .len = (int64_t)body->data_len};
    plan->can_rewind = true;
    return URLPOOL_OK;
}

/* plan_fd finds out where a descriptor stands and what is left of it. */
static enum urlpool_code plan_fd(struct urlp_body_plan *plan, struct urlpool_error *err)
{
    const int fd = plan->body.fd;
    struct stat about;
    off_t start;

    if (fstat(fd, &about) != 0) {
        return urlp_fail_errno(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND, errno,
                               "request body descriptor %d", fd);
    }
    if (S_ISDIR(about.st_mode)) {
        return urlp_fail_errno(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND, EISDIR,
                               "request body descriptor %d", fd);
    }
    plan->one = (struct urlp_segment){.kind = URLP_SEGMENT_FD, .fd = fd, .len = -1};
    if (!S_ISREG(about.st_mode)) {
        return URLPOOL_OK;
    }
    start = lseek(fd, 0, SEEK_CUR);
    if (start < 0) {
        return urlp_fail_errno(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND, errno,
                               "offset of request body descriptor %d", fd);
    }
    plan->one.start = (int64_t)start;
    plan->one.len = about.st_size > start ? (int64_t)(about.st_size - start) : 0;
    plan->can_rewind = true;
    return URLPOOL_OK;
}

/* plan_source finds the segments of the body. */
static enum urlpool_code plan_source(struct urlp_body_plan *plan, struct urlpool_error *err)
{
    plan->segments = &plan->one;
    plan->num_segments = 1;
    switch (plan->body.kind) {
    case URLPOOL_BODY_BYTES:
        return plan_bytes(plan, err);
    case URLPOOL_BODY_FD:
        return plan_fd(plan, err);
    default:
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "body.kind is %d",
                         (int)plan->body.kind);
    }
}

enum urlpool_code urlp_body_plan_make(struct urlp_body_plan *plan, const struct urlpool_body *body,
                                      struct urlpool_error *err)
{
    enum urlpool_code code;

    *plan = (struct urlp_body_plan){.expect_ms = -1};
    if (body == NULL) {
        return URLPOOL_OK;
    }
    code = urlp_option_check_reserved("body", body->reserved, sizeof(body->reserved), err);
    if (code != URLPOOL_OK || body->kind == URLPOOL_BODY_NONE) {
        return code;
    }
    plan->body = *body;
    plan->content_type = body->content_type;
    code = plan_source(plan, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    plan->has_body = true;
    plan->len = body->chunked ? -1 : plan->one.len;
    return URLPOOL_OK;
}

enum urlpool_code urlp_body_plan_rewind(struct urlp_body_plan *plan, struct urlpool_error *err)
{
    const struct urlp_segment *one = &plan->one;

    if (!plan->is_begun) {
        return URLPOOL_OK;
    }
    if (one->kind == URLP_SEGMENT_FD && lseek(one->fd, (off_t)one->start, SEEK_SET) < 0) {
        return urlp_fail_errno(err, URLPOOL_E_UNREWINDABLE, URLPOOL_PHASE_SEND, errno,
                               "request body descriptor %d cannot go back to %lld", one->fd,
                               (long long)one->start);
    }
    plan->is_begun = false;
    return URLPOOL_OK;
}

void urlp_body_plan_deinit(struct urlp_body_plan *plan)
{
    if (plan->segments != &plan->one) {
        urlp_free(plan->segments);
    }
    urlp_free(plan->own_content_type);
    urlp_buf_deinit(&plan->text);
    *plan = (struct urlp_body_plan){.expect_ms = -1};
}
