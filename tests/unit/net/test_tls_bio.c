/* BoringSSL's view of a stream, over a stream that is a script. */

#include <openssl/bio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "net/tls_bio.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

/* struct script gives `num_chunks` times as many bytes as there is room for, up to `chunk_len`,
 * then ends, fails, or is quiet. */
struct script {
    struct urlp_stream base;
    size_t chunk_len;
    unsigned num_chunks;
    enum urlpool_code read_code, write_code;
    size_t write_len; /* taken by one write */
    unsigned num_reads, num_looks;
    uint8_t next;
    struct urlpool_deadline by; /* of the last call */
};

static enum urlpool_code script_read(struct urlp_stream *base, void *data, size_t len,
                                     size_t *out_len, enum urlp_end *out_end,
                                     const struct urlp_call *call, struct urlpool_error *err)
{
    struct script *script = (struct script *)base;
    const size_t got = len < script->chunk_len ? len : script->chunk_len;

    script->num_reads++;
    script->by = call->by;
    if (script->num_chunks == 0 && script->read_code != URLPOOL_OK) {
        return urlp_fail(err, script->read_code, URLPOOL_PHASE_BODY, "scripted");
    }
    *out_end = script->num_chunks == 0 ? URLP_END_CLEAN : URLP_END_NONE;
    *out_len = 0;
    if (script->num_chunks > 0) {
        script->num_chunks--;
        for (size_t i = 0; i < got; i++) {
            ((uint8_t *)data)[i] = script->next++;
        }
        *out_len = got;
    }
    return URLPOOL_OK;
}

static enum urlpool_code script_write(struct urlp_stream *base, const struct urlp_iovec *runs,
                                      size_t num_runs, size_t *out_written,
                                      const struct urlp_call *call, struct urlpool_error *err)
{
    struct script *script = (struct script *)base;

    ck_assert_uint_eq(num_runs, 1);
    script->by = call->by;
    if (script->write_code != URLPOOL_OK) {
        return urlp_fail(err, script->write_code, URLPOOL_PHASE_SEND, "scripted");
    }
    *out_written = runs[0].len < script->write_len ? runs[0].len : script->write_len;
    return URLPOOL_OK;
}

static enum urlp_idle_state script_look(struct urlp_stream *base)
{
    struct script *script = (struct script *)base;

    script->num_looks++;
    return script->num_chunks > 0 ? URLP_IDLE_UNEXPECTED : URLP_IDLE_QUIET;
}

static const struct urlp_stream_ops script_ops = {
    .name = "script",
    .read = script_read,
    .write = script_write,
    .idle_state = script_look,
};

struct stage {
    struct script script;
    struct urlp_tls_bio bio;
    struct urlp_call call;
    struct urlpool_error err;
    BIO *handle;
    uint8_t next;
};

static void stage_begin(struct stage *stage, struct script script)
{
    *stage = (struct stage){.script = script};
    stage->script.base.ops = &script_ops;
    stage->bio.inner = &stage->script.base;
    stage->call = (struct urlp_call){.by = {12345}, .total_by = URLP_NEVER};
    stage->handle = urlp_tls_bio_new(&stage->bio);
    ck_assert_ptr_nonnull(stage->handle);
    urlp_tls_bio_begin(&stage->bio, &stage->call, &stage->err);
}

static void stage_end(struct stage *stage)
{
    urlp_tls_bio_end(&stage->bio);
    BIO_free(stage->handle);
    urlp_tls_bio_deinit(&stage->bio);
}

/* read_bytes reads once, and holds what came against what was sent. */
static int read_bytes(struct stage *stage, int len)
{
    static uint8_t bytes[URLP_TLS_AHEAD_LARGE * 2];
    const int got = BIO_read(stage->handle, bytes, len);
    unsigned num_wrong = 0;

    for (int i = 0; i < got; i++) {
        num_wrong += bytes[i] != stage->next++;
    }
    ck_assert_uint_eq(num_wrong, 0);
    return got;
}

START_TEST(read__of_a_head_and_a_body_is_one_read_below)
{
    struct stage stage;

    stage_begin(&stage, (struct script){.chunk_len = 100, .num_chunks = 1});
    ck_assert_int_eq(read_bytes(&stage, 5), 5);
    ck_assert(urlp_tls_bio_has_bytes(&stage.bio));
    ck_assert_int_eq(read_bytes(&stage, 95), 95);
    ck_assert(!urlp_tls_bio_has_bytes(&stage.bio));
    ck_assert_uint_eq(stage.script.num_reads, 1);
    ck_assert_int_eq(stage.script.by.at_ns, 12345);
    stage_end(&stage);
}
END_TEST

START_TEST(read__gives_what_is_there_and_no_more)
{
    struct stage stage;

    stage_begin(&stage, (struct script){.chunk_len = 100, .num_chunks = 2});
    ck_assert_int_eq(read_bytes(&stage, 1000), 100);
    ck_assert_uint_eq(stage.script.num_reads, 1);
    stage_end(&stage);
}
END_TEST

START_TEST(read__takes_more_room_while_the_room_is_filled)
{
    struct stage stage;

    stage_begin(&stage, (struct script){.chunk_len = SIZE_MAX, .num_chunks = 3});
    ck_assert_int_eq(read_bytes(&stage, URLP_TLS_AHEAD_LARGE), URLP_TLS_AHEAD_SMALL);
    ck_assert_int_eq(read_bytes(&stage, URLP_TLS_AHEAD_LARGE), URLP_TLS_AHEAD_LARGE);
    ck_assert_int_eq(read_bytes(&stage, 1000), 1000);
    ck_assert_int_eq(read_bytes(&stage, URLP_TLS_AHEAD_LARGE), URLP_TLS_AHEAD_LARGE - 1000);
    ck_assert_uint_eq(stage.script.num_reads, 3);
    stage_end(&stage);
}
END_TEST

START_TEST(read__gives_room_back_that_is_not_filled)
{
    struct stage stage;

    stage_begin(&stage, (struct script){.chunk_len = SIZE_MAX, .num_chunks = 2});
    (void)read_bytes(&stage, URLP_TLS_AHEAD_LARGE);
    (void)read_bytes(&stage, URLP_TLS_AHEAD_LARGE);
    ck_assert_ptr_nonnull(stage.bio.large);
    stage.script.num_chunks = 1;
    stage.script.chunk_len = 10;
    ck_assert_int_eq(read_bytes(&stage, 9), 9);
    ck_assert_ptr_nonnull(stage.bio.large);
    ck_assert_int_eq(read_bytes(&stage, 9), 1);
    ck_assert_ptr_null(stage.bio.large);
    stage_end(&stage);
}
END_TEST

START_TEST(read__does_with_little_room_when_there_is_no_memory)
{
    struct stage stage;

    failing_allocator_install();
    stage_begin(&stage, (struct script){.chunk_len = SIZE_MAX, .num_chunks = 2});
    (void)read_bytes(&stage, URLP_TLS_AHEAD_LARGE);
    failing_allocator_fail_nth(1);
    ck_assert_int_eq(read_bytes(&stage, URLP_TLS_AHEAD_LARGE), URLP_TLS_AHEAD_SMALL);
    ck_assert(failing_allocator_has_failed());
    stage_end(&stage);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

START_TEST(read__end_stays_an_end)
{
    struct stage stage;

    stage_begin(&stage, (struct script){.chunk_len = 1});
    ck_assert_int_eq(read_bytes(&stage, 1), 0);
    ck_assert_int_eq(read_bytes(&stage, 1), 0);
    ck_assert(stage.bio.is_at_end);
    ck_assert_uint_eq(stage.script.num_reads, 1);
    stage_end(&stage);
}
END_TEST

START_TEST(read__failure_is_kept_for_the_operation_and_not_the_next)
{
    struct stage stage;

    stage_begin(&stage, (struct script){.chunk_len = 1, .read_code = URLPOOL_E_READ_TIMEOUT});
    ck_assert_int_eq(read_bytes(&stage, 1), -1);
    ck_assert(!BIO_should_retry(stage.handle));
    ck_assert_int_eq(stage.bio.code, URLPOOL_E_READ_TIMEOUT);
    ck_assert_int_eq(stage.err.code, URLPOOL_E_READ_TIMEOUT);

    urlp_tls_bio_begin(&stage.bio, &stage.call, &stage.err);
    ck_assert_int_eq(stage.bio.code, URLPOOL_OK);
    stage.script.num_chunks = 1;
    ck_assert_int_eq(read_bytes(&stage, 1), 1);
    stage_end(&stage);
}
END_TEST

START_TEST(look__at_a_quiet_stream_does_not_read)
{
    struct stage stage;

    stage_begin(&stage, (struct script){.chunk_len = 1});
    urlp_tls_bio_begin_look(&stage.bio);
    ck_assert_int_eq(read_bytes(&stage, 1), -1);
    ck_assert(BIO_should_read(stage.handle));
    ck_assert_uint_eq(stage.script.num_reads, 0);
    ck_assert_uint_eq(stage.script.num_looks, 1);
    stage_end(&stage);
}
END_TEST

START_TEST(look__reads_what_has_come_and_then_is_quiet)
{
    struct stage stage;

    stage_begin(&stage, (struct script){.chunk_len = 10, .num_chunks = 2});
    urlp_tls_bio_begin_look(&stage.bio);
    ck_assert_int_eq(read_bytes(&stage, 15), 10);
    ck_assert_int_eq(read_bytes(&stage, 5), 5);
    ck_assert_int_eq(read_bytes(&stage, 15), 5);
    ck_assert_int_eq(read_bytes(&stage, 15), -1);
    ck_assert(BIO_should_read(stage.handle));
    stage_end(&stage);
}
END_TEST

START_TEST(look__ends_although_the_peer_never_stops)
{
    struct stage stage;
    unsigned num_read = 0;

    stage_begin(&stage, (struct script){.chunk_len = 10, .num_chunks = 1000});
    urlp_tls_bio_begin_look(&stage.bio);
    while (read_bytes(&stage, 10) > 0) {
        num_read++;
    }
    ck_assert_uint_lt(num_read, 100);
    ck_assert(!BIO_should_retry(stage.handle));
    stage_end(&stage);
}
END_TEST

START_TEST(look__writes_at_once_or_not_at_all)
{
    struct stage stage;

    stage_begin(&stage, (struct script){.write_len = 100});
    urlp_tls_bio_begin_look(&stage.bio);
    ck_assert_int_eq(BIO_write(stage.handle, "alert", 5), 5);
    ck_assert_int_eq(stage.script.by.at_ns, URLP_AT_ONCE.at_ns);
    stage_end(&stage);
}
END_TEST

START_TEST(write__says_how_much_was_taken)
{
    struct stage stage;

    stage_begin(&stage, (struct script){.write_len = 3});
    ck_assert_int_eq(BIO_write(stage.handle, "record", 6), 3);
    ck_assert_int_eq(stage.script.by.at_ns, 12345);
    ck_assert_int_eq(BIO_flush(stage.handle), 1);
    stage_end(&stage);
}
END_TEST

START_TEST(write__failure_is_kept_for_the_operation)
{
    struct stage stage;

    stage_begin(&stage, (struct script){.write_code = URLPOOL_E_RESET});
    ck_assert_int_eq(BIO_write(stage.handle, "record", 6), -1);
    ck_assert(!BIO_should_retry(stage.handle));
    ck_assert_int_eq(stage.bio.code, URLPOOL_E_RESET);
    ck_assert_int_eq(stage.err.code, URLPOOL_E_RESET);
    stage_end(&stage);
}
END_TEST

RUN_TESTS("tls_bio", read__of_a_head_and_a_body_is_one_read_below,
          read__gives_what_is_there_and_no_more, read__takes_more_room_while_the_room_is_filled,
          read__gives_room_back_that_is_not_filled,
          read__does_with_little_room_when_there_is_no_memory, read__end_stays_an_end,
          read__failure_is_kept_for_the_operation_and_not_the_next,
          look__at_a_quiet_stream_does_not_read, look__reads_what_has_come_and_then_is_quiet,
          look__ends_although_the_peer_never_stops, look__writes_at_once_or_not_at_all,
          write__says_how_much_was_taken, write__failure_is_kept_for_the_operation)
