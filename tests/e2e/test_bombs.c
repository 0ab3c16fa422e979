/* Bodies that are small on the wire and without end once they are decoded, of every coding and of
 * codings upon codings: what is held of them is what the caller asked for, wherever they are met.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endless_bomb.h"
#include "support/count_of.h"
#include "support/flood_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    MIB = 1 << 20,
    DATA = MIB,         /* data_bytes_max here */
    GROWING = 3 * DATA, /* while memory for a body doubles, the old and the new are held */
    FREE = 16 * MIB,    /* what comes out before a ratio counts */
    LONG = 32 * MIB,
    EVENT = 65536,
    DRAIN = 65536,
    AHEAD = 16384,
    INTO = 65536,
    HEAD_ROOM = 8192
};

/* struct bomb: `is_steep` says that it passes the default of coding_ratio_max. */
struct bomb {
    const char *codings;
    struct bomb_layer layers[BOMB_LAYERS_MAX];
    bool is_steep;
};

static const struct bomb bombs[] = {
  /* clang-format off */
    {"gzip", {{BOMB_GZIP, 0}}, false},
    {"deflate", {{BOMB_ZLIB, 0}}, false},
    {"Deflate", {{BOMB_RAW, 0}}, false},
    {"gzip, x-gzip", {{BOMB_GZIP, 0}, {BOMB_GZIP, 0}}, true},
    {"gzip, deflate, gzip, deflate, gzip",
     {{BOMB_GZIP, 0}, {BOMB_RAW, 0}, {BOMB_GZIP, 0}, {BOMB_ZLIB, 0}, {BOMB_GZIP, 0}}, true},
#if URLP_HAS_BROTLI
    {"br", {{BOMB_BR, 0}}, true},
    {"br, gzip", {{BOMB_BR, 0}, {BOMB_GZIP, 0}}, true},
    {"br, br, br, br, br",
     {{BOMB_BR, 0}, {BOMB_BR, 0}, {BOMB_BR, 0}, {BOMB_BR, 0}, {BOMB_BR, 0}}, true},
#endif
#if URLP_HAS_ZSTD
    {"zstd", {{BOMB_ZSTD, 0}}, true},
    {"gzip, zstd", {{BOMB_GZIP, 0}, {BOMB_ZSTD, 0}}, true},
    {"zstd, zstd, zstd, zstd, zstd",
     {{BOMB_ZSTD, 0}, {BOMB_ZSTD, 0}, {BOMB_ZSTD, 0}, {BOMB_ZSTD, 0}, {BOMB_ZSTD, 0}}, true},
#endif
  /* clang-format on */
};

/* act_bomb answers every target but /good by the bomb: with the status that is its name, as events,
 * or with 200. */
static void act_bomb(struct flood_peer *peer, const void *user)
{
    const struct bomb *bomb = user;
    char head[HEAD_ROOM];
    char answer[HEAD_ROOM];
    int status = 200;

    while (flood_hear(peer, head, sizeof(head))) {
        if (strstr(head, "/good ") != NULL) {
            (void)flood_good(peer);
            continue;
        }
        (void)sscanf(head, "%*s /%d", &status);
        (void)snprintf(
            answer, sizeof(answer), "HTTP/1.1 %d Well\r\nContent-Encoding: %s\r\n%s%s%s\r\n",
            status, bomb->codings, status / 100 == 3 ? "Location: /good\r\n" : "",
            status == 503 ? "Retry-After: 0\r\n" : "",
            strstr(head, "/events ") != NULL ? "Content-Type: text/event-stream\r\n" : "");
        if (flood_say_text(peer, answer)) {
            bomb_say(peer, bomb->layers);
        }
        return;
    }
}

/* struct scene is a bomb and a manager that has been to its server, and what is told of it. */
struct scene {
    struct flood_scene flood;
    struct meter meter;
    char name[128];
};

static void begin(struct scene *scene, const char *way, const struct bomb *bomb,
                  struct urlpool_limits limits)
{
    const struct urlpool_manager_options options = {
        .limits = limits, .data_bytes_max = DATA, .timeout = {.total_ms = 20000}};

    (void)snprintf(scene->name, sizeof(scene->name), "%s, %s", way, bomb->codings);
    flood_scene_begin(&scene->flood, act_bomb, bomb, false, &options);
    urlpool_response_free(flood_scene_get(&scene->flood, "GET", "/good", NULL));
    scene->meter = meter_begin(scene->flood.manager);
}

/* end holds the bomb against its costs. */
static void end(struct scene *scene, int64_t beyond, int64_t bytes_max)
{
    const int64_t bytes = meter_end(&scene->meter, scene->name, beyond);

    ck_assert_msg(bytes <= bytes_max, "%s: read %lld bytes", scene->name, (long long)bytes);
    flood_scene_is_well(&scene->flood);
    flood_scene_end(&scene->flood);
}

static struct urlpool_response *get(struct scene *scene, const char *method, const char *path,
                                    const struct urlpool_request_options *options)
{
    struct urlpool_response *response = flood_scene_get(&scene->flood, method, path, options);

    ck_assert_msg(response != NULL, "%s: %s", scene->name, test_err.message);
    return response;
}

/* get_fails is for a request that must fail by `code`. */
static void get_fails(struct scene *scene, const char *path,
                      const struct urlpool_request_options *options, enum urlpool_code code)
{
    ck_assert_ptr_null(flood_scene_get(&scene->flood, "GET", path, options));
    ck_assert_msg(test_err.code == code, "%s: %s: %s", scene->name,
                  urlpool_code_name(test_err.code), test_err.message);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
}

static const struct urlpool_request_options streamed = {.stream = true};

START_TEST(bomb__in_memory_ends_at_data_bytes_max)
{
    struct scene scene;

    begin(&scene, "buffered", &bombs[flood_row(_i, 2)], (struct urlpool_limits){0});
    get_fails(&scene, "/", NULL, URLPOOL_E_DATA_TOO_LARGE);
    end(&scene, GROWING, 2 * MIB);
}
END_TEST

START_TEST(bomb__in_memory_of_the_callers_ends_with_it)
{
    static char room[INTO];
    const struct urlpool_request_options options = {
        .into = {.buf = room, .len = sizeof(room)}
    };
    struct scene scene;

    begin(&scene, "into", &bombs[flood_row(_i, 2)], (struct urlpool_limits){0});
    get_fails(&scene, "/", &options, URLPOOL_E_DATA_TOO_LARGE);
    end(&scene, 0, 2 * MIB);
}
END_TEST

/* read_on reads `most` bytes, 4096 at a time; stops at an error. */
static enum urlpool_code read_on(struct urlpool_response *response, int64_t most)
{
    static char piece[4096];
    enum urlpool_code code = URLPOOL_OK;
    size_t got = 1;

    for (int64_t len = 0; code == URLPOOL_OK && len < most; len += (int64_t)got) {
        code = urlpool_response_read(response, piece, sizeof(piece), &got, &test_err);
        ck_assert_uint_le(got, sizeof(piece));
    }
    return code;
}

START_TEST(bomb__that_is_streamed_takes_no_memory)
{
    struct urlpool_response *response;
    struct scene scene;

    begin(&scene, "streamed", &bombs[flood_row(_i, 2)],
          (struct urlpool_limits){.coding_ratio_max = INT_MAX});
    response = get(&scene, "GET", "/", &streamed);
    ck_assert_msg(read_on(response, LONG) == URLPOOL_OK, "%s: %s", scene.name, test_err.message);
    urlpool_response_free(response);
    end(&scene, 0, 2 * MIB);
}
END_TEST

START_TEST(bomb__that_is_streamed_ends_at_coding_ratio_max)
{
    const int row = flood_row(_i, 2);
    const struct bomb *bomb = &bombs[row / 2];
    const bool is_default = row % 2 == 0;
    const enum urlpool_code code = bomb->is_steep || !is_default ? URLPOOL_E_DECODE : URLPOOL_OK;
    struct urlpool_response *response;
    struct scene scene;

    begin(&scene, is_default ? "coding_ratio_max" : "coding_ratio_max of 100", bomb,
          (struct urlpool_limits){.coding_ratio_max = is_default ? 0 : 100});
    response = get(&scene, "GET", "/", &streamed);
    ck_assert_msg(read_on(response, FREE - 4096) == URLPOOL_OK, "%s: %s", scene.name,
                  test_err.message);
    ck_assert_msg(read_on(response, LONG - FREE) == code, "%s: %s", scene.name, test_err.message);
    ck_assert(code == URLPOOL_OK || strstr(test_err.message, "expands to more than") != NULL);
    urlpool_response_free(response);
    end(&scene, 0, 2 * MIB);
}
END_TEST

START_TEST(bomb__of_a_second_read_ends_at_data_bytes_max)
{
    char piece[1000];
    struct urlpool_response *response;
    struct scene scene;
    size_t got = 0;

    begin(&scene, "second read", &bombs[flood_row(_i, 2)], (struct urlpool_limits){0});
    response = get(&scene, "GET", "/", &streamed);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(urlpool_response_read(response, piece, sizeof(piece), &got, &test_err),
                         URLPOOL_OK);
        ck_assert_uint_gt(got, 0);
        ck_assert_uint_le(got, sizeof(piece));
    }
    ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_E_DATA_TOO_LARGE);
    urlpool_response_free(response);
    end(&scene, GROWING, 2 * MIB);
}
END_TEST

START_TEST(bomb__that_nobody_reads_is_not_decoded)
{
    static void (*const endings[])(struct urlpool_response *
                                   response) = {urlpool_response_drain, urlpool_response_release,
                                                urlpool_response_close, urlpool_response_free};
    struct urlpool_response *response;
    struct scene scene;
    char piece[100];
    size_t got = 0;

    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        begin(&scene, "given up", &bombs[flood_row(_i, 2)], (struct urlpool_limits){0});
        response = get(&scene, "GET", "/", &streamed);
        if (i % 2 == 0) {
            ck_assert_int_eq(urlpool_response_read(response, piece, sizeof(piece), &got, &test_err),
                             URLPOOL_OK);
        }
        endings[i](response);
        if (endings[i] != urlpool_response_free) {
            urlpool_response_free(response);
        }
        end(&scene, 0, DRAIN + AHEAD);
    }
}
END_TEST

START_TEST(bomb__on_the_way_is_not_decoded)
{
    struct urlpool_response *response;
    struct scene scene;

    begin(&scene, "redirect", &bombs[flood_row(_i, 2)], (struct urlpool_limits){0});
    response = get(&scene, "GET", "/302", NULL);
    ck_assert_int_eq(response->status, 200);
    ck_assert_uint_eq(response->data_len, 5);
    urlpool_response_free(response);
    ck_assert_uint_eq(urlpool_manager_close_idle(scene.flood.manager), 1);
    end(&scene, 0, DRAIN + AHEAD);
}
END_TEST

START_TEST(bomb__of_a_503_is_decoded_at_the_last_try_alone)
{
    struct scene scene;

    begin(&scene, "503", &bombs[flood_row(_i, 2)], (struct urlpool_limits){0});
    get_fails(&scene, "/503", NULL, URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_uint_eq(test_stats(scene.flood.manager).retries, 3);
    end(&scene, GROWING, 2 * MIB);
}
END_TEST

START_TEST(bomb__without_a_body_is_not_decoded)
{
    static const char *const ways[][2] = {
        {"HEAD", "/"   },
        {"GET",  "/204"},
        {"GET",  "/304"}
    };
    struct urlpool_response *response;
    struct scene scene;

    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        begin(&scene, "no body", &bombs[flood_row(_i, 2)], (struct urlpool_limits){0});
        response = get(&scene, ways[i][0], ways[i][1], NULL);
        ck_assert_uint_eq(response->data_len, 0);
        urlpool_response_free(response);
        (void)urlpool_manager_close_idle(scene.flood.manager);
        end(&scene, 0, DRAIN + AHEAD);
    }
}
END_TEST

START_TEST(bomb__that_is_kept_encoded_is_as_long_as_it_came)
{
    const struct urlpool_request_options options = {.keep_encoded = true, .data_bytes_max = INTO};
    struct scene scene;

    begin(&scene, "kept encoded", &bombs[_i], (struct urlpool_limits){0});
    get_fails(&scene, "/", &options, URLPOOL_E_DATA_TOO_LARGE);
    end(&scene, GROWING, 2 * INTO);
}
END_TEST

START_TEST(bomb__of_events_ends_at_event_bytes_max)
{
    struct urlpool_response *response;
    struct urlpool_sse *sse;
    struct urlpool_sse_event event;
    struct scene scene;
    bool at_end = false;

    begin(&scene, "events", &bombs[flood_row(_i, 2)], (struct urlpool_limits){0});
    response = get(&scene, "GET", "/events", &streamed);
    sse = urlpool_sse_new(response, EVENT, &test_err);
    ck_assert_msg(sse != NULL, "%s", test_err.message);
    ck_assert_int_eq(urlpool_sse_next(sse, &event, &at_end, &test_err), URLPOOL_E_DATA_TOO_LARGE);
    urlpool_sse_free(sse);
    urlpool_response_free(response);
    end(&scene, 0, 2 * MIB);
}
END_TEST

START_TEST(bomb__of_too_many_codings_is_not_decoded)
{
    static const struct bomb six = {
        "gzip, gzip, gzip, gzip, gzip, gzip",
        {{BOMB_GZIP, 0},
          {BOMB_GZIP, 0},
          {BOMB_GZIP, 0},
          {BOMB_GZIP, 0},
          {BOMB_GZIP, 0},
          {BOMB_GZIP, 0}},
        true
    };
    struct scene scene;

    begin(&scene, "codings_max", &six, (struct urlpool_limits){0});
    get_fails(&scene, "/", NULL, URLPOOL_E_DECODE);
    ck_assert_ptr_nonnull(strstr(test_err.message, "6 content codings"));
    end(&scene, 0, DRAIN + AHEAD);
}
END_TEST

#if URLP_HAS_BROTLI && URLP_HAS_ZSTD
/* The largest windows there are, and what holding them costs. */
static const struct {
    struct bomb bomb;
    int window_log, num_layers;
} windows[] = {
  /* clang-format off */
    {{"br", {{BOMB_BR, 24}}, true}, 24, 1},
    {{"zstd", {{BOMB_ZSTD, 23}}, true}, 23, 1},
    {{"gzip, br", {{BOMB_GZIP, 0}, {BOMB_BR, 24}}, true}, 24, 1},
    {{"zstd, br", {{BOMB_ZSTD, 23}, {BOMB_BR, 20}}, true}, 23, 2},
  /* clang-format on */
};

START_TEST(bomb__of_a_large_window_takes_the_window)
{
    struct urlpool_response *response;
    struct scene scene;

    begin(&scene, "largest window", &windows[_i].bomb,
          (struct urlpool_limits){.coding_ratio_max = INT_MAX});
    response = get(&scene, "GET", "/", &streamed);
    ck_assert_msg(read_on(response, LONG) == URLPOOL_OK, "%s: %s", scene.name, test_err.message);
    urlpool_response_free(response);
    /* The window of br doubles as it fills: for a moment the old one is held, too. */
    end(&scene, 3 * windows[_i].num_layers * (1LL << (windows[_i].window_log - 1)), 2 * MIB);
}
END_TEST

START_TEST(bomb__of_a_window_beyond_coding_window_max_is_not_decoded)
{
    const int half = 1 << (windows[_i].window_log - 1);
    struct scene scene;

    begin(&scene, "coding_window_max", &windows[_i].bomb,
          (struct urlpool_limits){.coding_window_max = half});
    get_fails(&scene, "/", NULL, URLPOOL_E_DECODE);
    end(&scene, 0, DRAIN + AHEAD);
}
END_TEST

START_TEST(bomb__of_a_window_beyond_the_standard_is_not_decoded)
{
    static const struct bomb bomb = {"zstd", {{BOMB_ZSTD, 27}}, true};
    struct scene scene;

    begin(&scene, "window of 128 MiB", &bomb,
          (struct urlpool_limits){.coding_window_max = INT_MAX});
    get_fails(&scene, "/", NULL, URLPOOL_E_DECODE);
    end(&scene, 0, DRAIN + AHEAD);
}
END_TEST
#define OF_WINDOWS                                                                     \
    TEST_ROWS(bomb__of_a_large_window_takes_the_window, windows),                      \
        TEST_ROWS(bomb__of_a_window_beyond_coding_window_max_is_not_decoded, windows), \
        TEST_ONCE(bomb__of_a_window_beyond_the_standard_is_not_decoded),
#else
#define OF_WINDOWS
#endif

#define OF_BOMBS(test)                           \
    {                                            \
        test, flood_num_rows(COUNT_OF(bombs), 2) \
    }

RUN_LOOPS("bombs", OF_WINDOWS OF_BOMBS(bomb__in_memory_ends_at_data_bytes_max),
          OF_BOMBS(bomb__in_memory_of_the_callers_ends_with_it),
          OF_BOMBS(bomb__that_is_streamed_takes_no_memory),
          {bomb__that_is_streamed_ends_at_coding_ratio_max, flood_num_rows(2 * COUNT_OF(bombs), 2)},
          OF_BOMBS(bomb__of_a_second_read_ends_at_data_bytes_max),
          OF_BOMBS(bomb__that_nobody_reads_is_not_decoded),
          OF_BOMBS(bomb__on_the_way_is_not_decoded),
          OF_BOMBS(bomb__of_a_503_is_decoded_at_the_last_try_alone),
          OF_BOMBS(bomb__without_a_body_is_not_decoded),
          TEST_ONCE(bomb__that_is_kept_encoded_is_as_long_as_it_came),
          OF_BOMBS(bomb__of_events_ends_at_event_bytes_max),
          TEST_ONCE(bomb__of_too_many_codings_is_not_decoded))
