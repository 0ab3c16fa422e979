#ifndef TESTS_SUPPORT_SCRIPT_STREAM_H
#define TESTS_SUPPORT_SCRIPT_STREAM_H

#include <stddef.h>

#include "net/stream.h"

/* A stream that plays a script in memory: what it gives to reads, in which pieces and when, how it
 * ends, what it takes of writes. It records what was written and which calls were made. It never
 * waits: a read for which the script has nothing yet, and a write that it has no room for, time out
 * at once; under a fake clock all the time goes by that was given. */
struct script;

/* script_new makes an empty script: everything written is taken, every read times out. script_free
 * ends it; the stream is gone before. */
struct script *script_new(void);
void script_free(struct script *script);

/* script_open makes the one stream that plays `script`. */
struct urlp_stream *script_open(struct script *script);

/* What reads get, in this order; each piece is one read, or several when the reader has less room.
 * A piece is there only once `after` bytes were written. */
void script_give(struct script *script, const char *text);
void script_give_bytes(struct script *script, const void *data, size_t len);
void script_give_after(struct script *script, size_t after, const char *text);
void script_end(struct script *script, enum urlp_end end);
void script_end_after(struct script *script, size_t after, enum urlp_end end);
void script_fail_read(struct script *script, enum urlpool_code code);

/* script_hide keeps looks from seeing what reads would get: everything has come just after them. */
void script_hide(struct script *script);

/* What writes meet, in this order: the next takes at most `len` bytes, 0 of which is no room for
 * once; or fails. Those behind the last take everything. */
void script_take(struct script *script, size_t len);
void script_fail_write(struct script *script, enum urlpool_code code);

/* script_take_files makes the stream one that sends files: at most `len` bytes at a time, and none
 * at all behind the first `len_of_all` of a file. */
void script_take_files(struct script *script, size_t len, size_t len_of_all);

/* script_written is what was written so far, NUL-terminated; script_written_len without the NUL. */
const char *script_written(const struct script *script);
size_t script_written_len(const struct script *script);

/* script_calls is what was called: "write file read look free-polite", or "free-silent". Many like
 * calls in a row stand once. */
const char *script_calls(const struct script *script);

/* script_num_reads and script_num_writes count the calls. */
unsigned script_num_reads(const struct script *script);
unsigned script_num_writes(const struct script *script);

#endif /* TESTS_SUPPORT_SCRIPT_STREAM_H */
