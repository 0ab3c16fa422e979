/* Where the bytes of a body come from, over a scripted stream: callbacks that do as they please,
 * files that change between plan and sending, parts of several kinds behind one another. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "conn/body_source.h"
#include "conn/wire.h"
#include "support/conn_fixture.h"
#include "support/run_tests.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define CHUNKED  "Transfer-Encoding: chunked\n"

static struct fixture fixture;

/* struct player gives what it is told to, piece by piece. */
struct player {
    const char *pieces[8]; /* NULL: the end */
    size_t num_calls, least_room;
    enum urlpool_code code; /* in place of the end */
    const char *message;
    size_t claim; /* in place of the first piece's length */
};
static struct player player;

static enum urlpool_code play(void *user, void *buf, size_t len, size_t *out_len,
                              struct urlpool_error *err)
{
    struct player *from = user;
    const char *piece = from->pieces[from->num_calls];

    from->least_room = from->num_calls == 0 || len < from->least_room ? len : from->least_room;
    if (piece == NULL && from->code != URLPOOL_OK) {
        return from->message == NULL
                   ? from->code
                   : urlp_fail(err, from->code, URLPOOL_PHASE_NONE, "%s", from->message);
    }
    if (piece == NULL) {
        *out_len = 0;
        return URLPOOL_OK;
    }
    from->num_calls++;
    *out_len = from->claim > 0 ? from->claim : strlen(piece);
    if (*out_len <= len) {
        memcpy(buf, piece, strlen(piece) < *out_len ? strlen(piece) : *out_len);
    } else if (from->claim == 0) {
        *out_len = len;
        memcpy(buf, piece, len);
    }
    return URLPOOL_OK;
}

/* begin_post makes the exchange a POST of what the player gives. */
static void begin_post(const char *fields, int64_t length)
{
    fixture_begin(&fixture);
    script_hide(fixture.script);
    fixture.method = "POST";
    fixture.fields = fields;
    fixture.body = urlpool_body_callback(play, NULL, &player, length);
}

/* body_sent is what was written behind the head. */
static const char *body_sent(void)
{
    const char *end = strstr(script_written(fixture.script), "\r\n\r\n");

    return end == NULL ? "" : end + 4;
}

static void expect_sent(const char *text)
{
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    ck_assert_str_eq(body_sent(), text);
    ck_assert(fixture.verdict.is_reusable);
    fixture_end(&fixture);
}

/* expect_failure wants the exchange to fail, in the phase of sending, with less than `whole` of
 * the body on the wire, and the connection never to be used again. */
static void expect_failure(enum urlpool_code code, const char *message, const char *whole)
{
    struct urlp_connection_verdict verdict;

    script_give(fixture.script, OK_EMPTY);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, code);
    ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_SEND);
    ck_assert_msg(strstr(fixture.err.message, message) != NULL, "%s", fixture.err.message);
    ck_assert_uint_lt(strlen(body_sent()), strlen(whole));
    urlp_connection_judge(fixture.connection, &verdict);
    ck_assert(!verdict.is_reusable);
    fixture_end(&fixture);
}

START_TEST(callback__without_length_is_sent_in_chunks_as_its_pieces_come)
{
    player = (struct player){
        .pieces = {"hello", ", ", "world"}
    };
    begin_post(CHUNKED, 0);
    expect_sent("5\r\nhello\r\n2\r\n, \r\n5\r\nworld\r\n0\r\n\r\n");
    ck_assert_uint_eq(player.least_room, URLP_BODY_PIECE_BYTES);
}
END_TEST

START_TEST(callback__without_length_may_give_nothing_at_all)
{
    player = (struct player){.pieces = {NULL}};
    begin_post(CHUNKED, 0);
    expect_sent("0\r\n\r\n");
}
END_TEST

START_TEST(callback__with_length_is_sent_as_it_is)
{
    player = (struct player){
        .pieces = {"hello", ", ", "world"}
    };
    begin_post("Content-Length: 12\n", 12);
    expect_sent("hello, world");
}
END_TEST

START_TEST(callback__that_is_to_give_no_byte_is_a_head_alone)
{
    player = (struct player){.pieces = {NULL}};
    begin_post("Content-Length: 0\n", URLPOOL_NONE);
    expect_sent("");
}
END_TEST

START_TEST(callback__that_is_too_short_fails_the_request)
{
    player = (struct player){.pieces = {"hello"}};
    begin_post("Content-Length: 12\n", 12);
    expect_failure(URLPOOL_E_BODY, "a callback ended 7 bytes before its announced 12",
                   "hello, world");
    player = (struct player){.pieces = {"hello"}};
    begin_post(CHUNKED, 12);
    fixture.body.chunked = true;
    expect_failure(URLPOOL_E_BODY, "ended 7 bytes before its announced 12",
                   "5\r\nhello\r\n0\r\n\r\n");
}
END_TEST

START_TEST(callback__that_is_too_long_fails_the_request_before_its_last_byte)
{
    player = (struct player){
        .pieces = {"hello", "!"}
    };
    begin_post("Content-Length: 5\n", 5);
    expect_failure(URLPOOL_E_BODY, "a callback is longer than its announced 5 bytes", "hello");
    player = (struct player){.pieces = {"!"}};
    begin_post("Content-Length: 0\n", URLPOOL_NONE);
    script_hide(fixture.script);
    script_give(fixture.script, OK_EMPTY);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_BODY);
    ck_assert_uint_eq(script_written_len(fixture.script), 0); /* its head would be all of it */
    fixture_end(&fixture);
}
END_TEST

START_TEST(callback__is_never_given_room_for_more_than_its_length)
{
    player = (struct player){
        .pieces = {"hello", "world", "!"}
    };
    begin_post("Content-Length: 8\n", 8);
    expect_failure(URLPOOL_E_BODY, "is longer than its announced 8 bytes", "hellowor");
}
END_TEST

START_TEST(callback__that_claims_more_than_there_was_room_for_fails_the_request)
{
    player = (struct player){.pieces = {"hello"}, .claim = URLP_BODY_PIECE_BYTES + 1};
    begin_post(CHUNKED, 0);
    expect_failure(URLPOOL_E_BODY, "gave 65537 bytes, and there was room for 65536", "0\r\n\r\n");
}
END_TEST

START_TEST(callback__that_fails_ends_the_request_with_its_own_words)
{
    player = (struct player){.pieces = {"hello"}, .code = URLPOOL_E_SYSTEM, .message = "tape torn"};
    begin_post(CHUNKED, 0);
    expect_failure(URLPOOL_E_BODY, "tape torn", "5\r\nhello\r\n0\r\n\r\n");
    ck_assert_int_eq(fixture.err.cause, URLPOOL_E_SYSTEM);
    ck_assert(fixture.err.maybe_processed);
    player = (struct player){.code = URLPOOL_E_SYSTEM};
    begin_post("Content-Length: 5\n", 5);
    expect_failure(URLPOOL_E_BODY, "a callback of the request body returned URLPOOL_E_SYSTEM",
                   "hello");
    player = (struct player){.code = URLPOOL_E_CANCELLED, .message = "enough"};
    begin_post(CHUNKED, 0);
    expect_failure(URLPOOL_E_CANCELLED, "enough", "0\r\n\r\n");
    ck_assert_int_eq(fixture.err.cause, URLPOOL_OK);
}
END_TEST

START_TEST(callback__is_asked_no_more_once_an_answer_came_early)
{
    struct urlpool_response *response;

    player = (struct player){
        .pieces = {"hello", "world", "again"}
    };
    begin_post(CHUNKED, 0);
    fixture_end(&fixture);
    fixture_begin(&fixture);
    fixture.method = "POST";
    fixture.fields = CHUNKED;
    fixture.body = urlpool_body_callback(play, NULL, &player, 0);
    script_give_after(fixture.script, 60, "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n");
    response = fixture_exchange(&fixture);
    ck_assert_msg(response != NULL, "%s", fixture.err.message);
    ck_assert_int_eq(response->status, 413);
    ck_assert_uint_eq(player.num_calls, 1);
    ck_assert(!fixture.verdict.is_reusable);
    urlpool_response_free(response);
    fixture_end(&fixture);
}
END_TEST

START_TEST(callback__counts_as_begun_only_when_it_was_asked)
{
    player = (struct player){.pieces = {"hello"}};
    begin_post(CHUNKED, 0);
    script_fail_write(fixture.script, URLPOOL_E_RESET);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert(urlp_body_plan_can_rewind(&fixture.plan)); /* not a byte of it was taken */
    fixture_end(&fixture);
    begin_post(CHUNKED, 0);
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    ck_assert(!urlp_body_plan_can_rewind(&fixture.plan));
    fixture_end(&fixture);
}
END_TEST

/* --- files --- */

static char path[32];
static int file = -1;

/* begin_file makes a file with a name that holds `len` bytes 'a' to 'z', open as `file`. */
static void begin_file(size_t len)
{
    char *bytes = malloc(len + 1);

    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)('a' + i % 26);
    }
    strcpy(path, "/tmp/urlpool-file-XXXXXX");
    file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, bytes, len), (ssize_t)len);
    ck_assert_int_eq(lseek(file, 0, SEEK_SET), 0);
    free(bytes);
}

static void end_file(void)
{
    (void)unlink(path);
    close(file);
}

/* begin_put makes the exchange a PUT of `file`. */
static void begin_put(const char *fields)
{
    fixture_begin(&fixture);
    script_hide(fixture.script);
    fixture.method = "PUT";
    fixture.fields = fields;
    fixture.body = urlpool_body_fd(file);
}

static void shrink(struct fixture *unused)
{
    (void)unused;
    ck_assert_int_eq(ftruncate(file, 7), 0);
}

static void grow(struct fixture *unused)
{
    (void)unused;
    ck_assert_int_eq(ftruncate(file, 300001), 0);
}

START_TEST(file__that_shrinks_or_grows_after_it_was_measured_fails_the_request)
{
    static const struct {
        size_t len;
        const char *fields;
    } cases[] = {
        {10,     "Content-Length: 10\n"    },
        {300000, "Content-Length: 300000\n"},
    };

    for (size_t i = 0; i < 4; i++) {
        char whole[300001];
        char message[64];

        (void)memset(whole, 'x', sizeof(whole));
        whole[cases[i / 2].len] = '\0';
        begin_file(cases[i / 2].len);
        begin_put(cases[i / 2].fields);
        fixture.planned = i % 2 == 0 ? shrink : grow;
        if (i / 2 == 1) {
            script_take_files(fixture.script, 100000, SIZE_MAX);
        }
        (void)snprintf(message, sizeof(message), "descriptor %d %s", file,
                       i % 2 == 0 ? "ended" : "is longer");
        expect_failure(URLPOOL_E_BODY, message, whole);
        end_file();
    }
}
END_TEST

START_TEST(file__is_left_as_if_it_had_been_read)
{
    begin_file(100000);
    ck_assert_int_eq(lseek(file, 10, SEEK_SET), 10);
    begin_put("Content-Length: 99990\n");
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    ck_assert_int_eq(lseek(file, 0, SEEK_CUR), 100000);
    fixture_end(&fixture);

    ck_assert_int_eq(lseek(file, 10, SEEK_SET), 10);
    begin_put("Content-Length: 99990\n");
    script_take(fixture.script, 1000);
    script_fail_write(fixture.script, URLPOOL_E_RESET);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(lseek(file, 0, SEEK_CUR), 10 + URLP_BODY_PIECE_BYTES); /* what was taken */
    /* The next try begins where the body does, wherever that was. */
    ck_assert(urlp_body_plan_can_rewind(&fixture.plan));
    ck_assert_int_eq(fixture.plan.segments[0].start, 10);
    fixture_end(&fixture);
    end_file();
}
END_TEST

/* assert_file_sent looks at the `len` bytes of the file behind `start`. An assertion for each of
 * them would take Check seconds. */
static void assert_file_sent(size_t start, size_t len)
{
    const char *sent = body_sent();

    ck_assert_uint_eq(strlen(sent), len);
    for (size_t i = 0; i < len; i++) {
        if (sent[i] != (char)('a' + (start + i) % 26)) {
            ck_abort_msg("byte %zu is %d", i, sent[i]);
        }
    }
}

START_TEST(file__goes_to_a_stream_that_takes_files_without_being_read_but_for_its_end)
{
    begin_file(200000);
    ck_assert_int_eq(lseek(file, 3, SEEK_SET), 3);
    begin_put("Content-Length: 199997\n");
    script_take_files(fixture.script, 50000, SIZE_MAX);
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    assert_file_sent(3, 199997);
    ck_assert_str_eq(script_calls(fixture.script),
                     "write file look file look file look file write read");
    ck_assert_uint_eq(script_num_writes(fixture.script), 2); /* the head, the end */
    ck_assert_int_eq(lseek(file, 0, SEEK_CUR), 200000);
    ck_assert(fixture.verdict.is_reusable);
    fixture_end(&fixture);
    end_file();
}
END_TEST

START_TEST(file__that_the_kernel_does_not_send_is_read)
{
    static const size_t sent_before[] = {0, 70000};

    for (size_t i = 0; i < 2; i++) {
        begin_file(200000);
        begin_put("Content-Length: 200000\n");
        script_take_files(fixture.script, SIZE_MAX, sent_before[i]);
        urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
        assert_file_sent(0, 200000);
        fixture_end(&fixture);
        end_file();
    }
}
END_TEST

START_TEST(file__is_read_where_it_goes_chunked_or_is_small)
{
    begin_file(200000);
    begin_put(CHUNKED);
    fixture.body.chunked = true;
    script_take_files(fixture.script, SIZE_MAX, SIZE_MAX);
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    ck_assert_ptr_null(strstr(script_calls(fixture.script), "file"));
    fixture_end(&fixture);
    end_file();
    begin_file(65536);
    begin_put("Content-Length: 65536\n");
    script_take_files(fixture.script, SIZE_MAX, SIZE_MAX);
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    ck_assert_ptr_null(strstr(script_calls(fixture.script), "file"));
    ck_assert_uint_eq(script_num_writes(fixture.script), 1);
    fixture_end(&fixture);
    end_file();
}
END_TEST

/* --- parts --- */

static struct urlpool_form *form;

/* begin_form makes the exchange a POST of a form with the boundary "b". */
static void begin_form(const char *fields)
{
    fixture_begin(&fixture);
    script_hide(fixture.script);
    fixture.method = "POST";
    fixture.fields = fields;
    form = urlpool_form_new(NULL);
    ck_assert_int_eq(urlpool_form_set_boundary(form, "b", NULL), URLPOOL_OK);
    fixture.body = urlpool_body_multipart(form);
}

static int num_open_fds(void)
{
    int num = 0;

    for (int fd = 0; fd < 1024; fd++) {
        num += fcntl(fd, F_GETFD) >= 0;
    }
    return num;
}

#define PART(name, rest) "--b\r\nContent-Disposition: form-data; name=\"" name "\"" rest

START_TEST(multipart__leaves_with_its_head_in_one_write_and_no_descriptor_open)
{
    char expected[512];
    char fields[64];
    int num_before;

    begin_file(10);
    num_before = num_open_fds();
    (void)snprintf(
        expected, sizeof(expected),
        PART("a", "\r\n\r\n1\r\n") PART(
            "f", "; filename=\"%s\"\r\n") "Content-Type: "
                                          "application/octet-stream\r\n\r\nabcdefghij\r\n--b--\r\n",
        path + 5);
    (void)snprintf(fields, sizeof(fields), "Content-Length: %zu\n", strlen(expected));
    begin_form(fields);
    ck_assert_int_eq(urlpool_form_add(form, "a", "1", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add_file(form, "f", path, NULL), URLPOOL_OK);
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    ck_assert_str_eq(body_sent(), expected);
    ck_assert_uint_eq(script_num_writes(fixture.script), 1);
    ck_assert_int_eq(num_open_fds(), num_before);
    fixture_end(&fixture);
    urlpool_form_free(form);
    end_file();
}
END_TEST

static void remove_it(struct fixture *unused)
{
    (void)unused;
    ck_assert_int_eq(unlink(path), 0);
}

START_TEST(multipart__whose_file_changes_or_goes_away_fails_the_request)
{
    static void (*const changes[])(struct fixture *) = {shrink, grow, remove_it};
    static const char *const words[] = {"ended 3 bytes", "is longer", "No such file"};

    for (size_t i = 0; i < 3; i++) {
        char message[64];
        char fields[64];
        struct urlp_body_plan plan;
        int num_before;

        begin_file(10);
        num_before = num_open_fds();
        begin_form("");
        ck_assert_int_eq(urlpool_form_add_file(form, "f", path, NULL), URLPOOL_OK);
        ck_assert_int_eq(urlpool_form_add(form, "a", "1", NULL), URLPOOL_OK);
        ck_assert_int_eq(urlp_body_plan_make(&plan, &fixture.body, NULL), URLPOOL_OK);
        (void)snprintf(fields, sizeof(fields), "Content-Length: %lld\n", (long long)plan.len);
        urlp_body_plan_deinit(&plan);
        fixture.fields = fields;
        fixture.planned = changes[i];
        (void)snprintf(message, sizeof(message), "file \"%s\"", path);
        script_give(fixture.script, OK_EMPTY);
        ck_assert_ptr_null(fixture_exchange(&fixture));
        ck_assert_int_eq(fixture.err.code, URLPOOL_E_BODY);
        ck_assert_ptr_nonnull(strstr(fixture.err.message, message));
        ck_assert_ptr_nonnull(strstr(fixture.err.message, words[i]));
        ck_assert_ptr_null(strstr(script_written(fixture.script), "--b--"));
        ck_assert_int_eq(num_open_fds(), num_before);
        fixture_end(&fixture);
        urlpool_form_free(form);
        end_file();
    }
}
END_TEST

START_TEST(multipart__with_a_part_of_unknown_length_is_chunked_and_sends_what_it_has_first)
{
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(write(fds[1], "piped", 5), 5);
    close(fds[1]);
    begin_form(CHUNKED);
    ck_assert_int_eq(
        urlpool_form_add_part(form, &(struct urlpool_part){.name = "p", .fd = fds[0]}, NULL),
        URLPOOL_OK);
    expect_sent("31\r\n" PART("p", "\r\n\r\n") "\r\n"
                                               "5\r\npiped\r\n9\r\n\r\n--b--"
                                               "\r\n\r\n0\r\n\r\n");
    urlpool_form_free(form);
    close(fds[0]);
}
END_TEST

/* A fifo that nobody writes to must not be waited for longer than the deadline. */
START_TEST(multipart__of_a_fifo_without_a_writer_is_left_at_the_deadline)
{
    char fifo[] = "/tmp/urlpool-fifo-XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(fifo));
    ck_assert_int_eq(rmdir(fifo), 0);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    begin_form(CHUNKED);
    ck_assert_int_eq(urlpool_form_add_file(form, "f", fifo, NULL), URLPOOL_OK);
    fixture.call.by = fixture.call.total_by = urlp_deadline_in(30);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_TOTAL_TIMEOUT);
    fixture_end(&fixture);
    urlpool_form_free(form);
    ck_assert_int_eq(unlink(fifo), 0);
}
END_TEST

RUN_TESTS("body_source", callback__without_length_is_sent_in_chunks_as_its_pieces_come,
          callback__without_length_may_give_nothing_at_all, callback__with_length_is_sent_as_it_is,
          callback__that_is_to_give_no_byte_is_a_head_alone,
          callback__that_is_too_short_fails_the_request,
          callback__that_is_too_long_fails_the_request_before_its_last_byte,
          callback__is_never_given_room_for_more_than_its_length,
          callback__that_claims_more_than_there_was_room_for_fails_the_request,
          callback__that_fails_ends_the_request_with_its_own_words,
          callback__is_asked_no_more_once_an_answer_came_early,
          callback__counts_as_begun_only_when_it_was_asked,
          file__that_shrinks_or_grows_after_it_was_measured_fails_the_request,
          file__is_left_as_if_it_had_been_read,
          file__goes_to_a_stream_that_takes_files_without_being_read_but_for_its_end,
          file__that_the_kernel_does_not_send_is_read,
          file__is_read_where_it_goes_chunked_or_is_small,
          multipart__leaves_with_its_head_in_one_write_and_no_descriptor_open,
          multipart__whose_file_changes_or_goes_away_fails_the_request,
          multipart__with_a_part_of_unknown_length_is_chunked_and_sends_what_it_has_first,
          multipart__of_a_fifo_without_a_writer_is_left_at_the_deadline)
