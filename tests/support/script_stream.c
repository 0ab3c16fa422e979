/* The scripted stream: two queues, one for reads and one for writes, and a record of both. */

#include "support/script_stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

enum {
    STEPS_MAX = 4096,
    CALLS_MAX = 512
};

/* struct step is one thing that a read or a write meets. */
struct step {
    size_t after;
    char *data; /* reads: bytes */
    size_t len; /* reads: of data; writes: the most that is taken */
    enum urlp_end end;
    enum urlpool_code code;
};

struct queue {
    struct step steps[STEPS_MAX];
    size_t num, next;
    size_t used; /* of the next one's data */
};

struct script {
    struct urlp_stream stream;
    struct queue reads, writes;
    char *written;
    size_t written_len;
    char calls[CALLS_MAX];
    const char *last_call;
    unsigned num_reads, num_writes;
    bool is_hidden;
    bool takes_files;
    size_t file_most, file_all;
};

static void *must(void *pointer)
{
    if (pointer == NULL) {
        abort();
    }
    return pointer;
}

struct script *script_new(void)
{
    struct script *script = must(calloc(1, sizeof(*script)));

    script->written = must(calloc(1, 1));
    return script;
}

void script_free(struct script *script)
{
    size_t i;

    for (i = 0; i < script->reads.num; i++) {
        free(script->reads.steps[i].data);
    }
    free(script->written);
    free(script);
}

static struct step *add(struct queue *queue)
{
    if (queue->num == STEPS_MAX) {
        abort();
    }
    return &queue->steps[queue->num++];
}

static void give(struct script *script, size_t after, const void *data, size_t len)
{
    struct step *step = add(&script->reads);

    step->after = after;
    step->data = must(malloc(len + 1));
    memcpy(step->data, data, len);
    step->len = len;
}

void script_give(struct script *script, const char *text)
{
    give(script, 0, text, strlen(text));
}

void script_give_bytes(struct script *script, const void *data, size_t len)
{
    give(script, 0, data, len);
}

void script_give_after(struct script *script, size_t after, const char *text)
{
    give(script, after, text, strlen(text));
}

void script_end_after(struct script *script, size_t after, enum urlp_end end)
{
    struct step *step = add(&script->reads);

    step->after = after;
    step->end = end;
}

void script_end(struct script *script, enum urlp_end end)
{
    script_end_after(script, 0, end);
}

void script_fail_read(struct script *script, enum urlpool_code code)
{
    add(&script->reads)->code = code;
}

void script_hide(struct script *script)
{
    script->is_hidden = true;
}

void script_take(struct script *script, size_t len)
{
    add(&script->writes)->len = len;
}

void script_fail_write(struct script *script, enum urlpool_code code)
{
    add(&script->writes)->code = code;
}

const char *script_written(const struct script *script)
{
    return script->written;
}

size_t script_written_len(const struct script *script)
{
    return script->written_len;
}

const char *script_calls(const struct script *script)
{
    return script->calls;
}

unsigned script_num_reads(const struct script *script)
{
    return script->num_reads;
}

unsigned script_num_writes(const struct script *script)
{
    return script->num_writes;
}

static void note(struct script *script, const char *call)
{
    size_t len = strlen(script->calls);

    if (call == script->last_call || len + strlen(call) + 2 > CALLS_MAX) {
        return;
    }
    script->last_call = call;
    (void)snprintf(script->calls + len, CALLS_MAX - len, "%s%s", len == 0 ? "" : " ", call);
}

/* due is the read step that has come, or NULL. */
static struct step *due(struct script *script)
{
    struct queue *reads = &script->reads;

    if (reads->next == reads->num || reads->steps[reads->next].after > script->written_len) {
        return NULL;
    }
    return &reads->steps[reads->next];
}

/* let_pass lets the time go by that a call may wait. */
static void let_pass(const struct urlp_call *call)
{
    if (urlp_clock_is_fake() && call->by.at_ns != URLP_NEVER.at_ns) {
        urlp_clock_fake_advance(call->by.at_ns - urlp_now_ns());
    }
}

static enum urlpool_code play_read(struct urlp_stream *stream, void *data, size_t len,
                                   size_t *out_len, enum urlp_end *out_end,
                                   const struct urlp_call *call, struct urlpool_error *err)
{
    struct script *script = (struct script *)stream;
    struct queue *reads = &script->reads;
    struct step *step = due(script);
    size_t most;

    note(script, "read");
    script->num_reads++;
    if (step == NULL) {
        let_pass(call);
        return urlp_fail(err, urlp_call_timeout_code(call, URLPOOL_E_READ_TIMEOUT),
                         URLPOOL_PHASE_BODY, "the script has nothing to give");
    }
    if (step->code != URLPOOL_OK) {
        return urlp_fail_errno(err, step->code, URLPOOL_PHASE_BODY, ECONNRESET, "scripted");
    }
    *out_end = step->end;
    if (step->end != URLP_END_NONE) {
        *out_len = 0;
        return URLPOOL_OK;
    }
    most = step->len - reads->used < len ? step->len - reads->used : len;
    memcpy(data, step->data + reads->used, most);
    reads->used += most;
    *out_len = most;
    if (reads->used == step->len) {
        reads->used = 0;
        reads->next++;
    }
    return URLPOOL_OK;
}

/* keep adds to what was written. */
static void keep(struct script *script, const void *data, size_t len)
{
    script->written = must(realloc(script->written, script->written_len + len + 1));
    memcpy(script->written + script->written_len, data, len);
    script->written_len += len;
    script->written[script->written_len] = '\0';
}

static enum urlpool_code play_write(struct urlp_stream *stream, const struct urlp_iovec *runs,
                                    size_t num_runs, size_t *out_written,
                                    const struct urlp_call *call, struct urlpool_error *err)
{
    struct script *script = (struct script *)stream;
    size_t room = SIZE_MAX;
    size_t before = script->written_len;
    size_t i;

    note(script, "write");
    script->num_writes++;
    if (script->writes.next < script->writes.num) {
        const struct step *step = &script->writes.steps[script->writes.next++];

        if (step->code != URLPOOL_OK) {
            return urlp_fail_errno(err, step->code, URLPOOL_PHASE_SEND, EPIPE, "scripted");
        }
        room = step->len;
    }
    if (room == 0) {
        let_pass(call);
        return urlp_fail(err, urlp_call_timeout_code(call, URLPOOL_E_WRITE_TIMEOUT),
                         URLPOOL_PHASE_SEND, "the script has no room");
    }
    for (i = 0; i < num_runs && room > 0; i++) {
        size_t len = runs[i].len < room ? runs[i].len : room;

        keep(script, runs[i].data, len);
        room -= len;
    }
    *out_written = script->written_len - before;
    return URLPOOL_OK;
}

static enum urlpool_code play_send_file(struct urlp_stream *stream, int fd, int64_t at, size_t len,
                                        size_t *out_sent, const struct urlp_call *call,
                                        struct urlpool_error *err)
{
    struct script *script = (struct script *)stream;
    size_t left = (size_t)at < script->file_all ? script->file_all - (size_t)at : 0;
    size_t most = left < script->file_most ? left : script->file_most;
    char *bytes = must(malloc(len));
    ssize_t got = pread(fd, bytes, len < most ? len : most, (off_t)at);

    (void)call;
    (void)err;
    note(script, "file");
    *out_sent = got > 0 ? (size_t)got : 0;
    keep(script, bytes, *out_sent);
    free(bytes);
    return URLPOOL_OK;
}

static enum urlp_idle_state play_idle_state(struct urlp_stream *stream)
{
    struct script *script = (struct script *)stream;
    const struct step *step = due(script);

    note(script, "look");
    if (step == NULL || script->is_hidden) {
        return URLP_IDLE_QUIET;
    }
    return step->data != NULL ? URLP_IDLE_UNEXPECTED : URLP_IDLE_CLOSED;
}

static struct urlp_stream *play_below(const struct urlp_stream *stream)
{
    (void)stream;
    return NULL;
}

static void play_free(struct urlp_stream *stream, enum urlp_close how)
{
    note((struct script *)stream, how == URLP_CLOSE_POLITE ? "free-polite" : "free-silent");
}

static const struct urlp_stream_ops script_ops = {
    .name = "script",
    .read = play_read,
    .write = play_write,
    .idle_state = play_idle_state,
    .below = play_below,
    .free = play_free,
};

static const struct urlp_stream_ops script_file_ops = {
    .name = "script",
    .read = play_read,
    .write = play_write,
    .send_file = play_send_file,
    .idle_state = play_idle_state,
    .below = play_below,
    .free = play_free,
};

void script_take_files(struct script *script, size_t len, size_t len_of_all)
{
    script->takes_files = true;
    script->file_most = len;
    script->file_all = len_of_all;
}

struct urlp_stream *script_open(struct script *script)
{
    script->stream.ops = script->takes_files ? &script_file_ops : &script_ops;
    return &script->stream;
}
