/* What is tried again, how often, and what the caller learns of it: requests counted at the server,
 * codes and causes, the history of a response. test_pauses.c has the time between tries. */

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/count_of.h"
#include "support/dns_server.h"
#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/retry_scene.h"
#include "support/run_tests.h"

enum {
    SOON_MS = 400 /* a time limit that is meant to end a try */
};

/* A request to the script's server, and what comes of it. */
struct trial {
    const char *script;
    const char *method;
    unsigned num_visits;
    int result; /* a status, or the negative code of a failure */
    int cause;
    struct urlpool_retry retries;
};

/* Codes in short. */
enum {
    OUT = URLPOOL_E_MAX_RETRIES,
    GONE = URLPOOL_E_REMOTE_DISCONNECTED,
    RESET = URLPOOL_E_RESET,
    CUT = URLPOOL_E_INCOMPLETE_READ,
    BAD = URLPOOL_E_BAD_STATUS_LINE,
    SILENT = URLPOOL_E_READ_TIMEOUT,
    LATE = URLPOOL_E_TOTAL_TIMEOUT,
    LARGE = URLPOOL_E_DATA_TOO_LARGE,
    LOST = URLPOOL_E_TOO_MANY_REDIRECTS
};

static void expect(struct retry_scene *scene, size_t index, const struct trial *trial,
                   const struct urlpool_request_options *base)
{
    struct urlpool_request_options options =
        base != NULL ? *base : (struct urlpool_request_options){0};
    char url[128];
    struct urlpool_response *response;

    options.retries = trial->retries;
    memset(&test_err, 0, sizeof(test_err));
    retry_scene_play(scene, trial->script, "Retry-After: 0\r\n");
    response =
        urlpool_request(scene->manager, trial->method,
                        test_server_url(scene->server, "/", url, sizeof(url)), &options, &test_err);
    ck_assert_msg((response != NULL ? response->status : -(int)test_err.code) == trial->result,
                  "trial %zu, \"%s\": status %d, %s: %s", index, trial->script,
                  response != NULL ? response->status : 0, urlpool_code_name(test_err.code),
                  test_err.message);
    ck_assert_msg((int)test_err.cause == trial->cause, "trial %zu, \"%s\": because of %s", index,
                  trial->script, urlpool_code_name(test_err.cause));
    ck_assert_msg(retry_scene_num_visits(scene) == trial->num_visits,
                  "trial %zu, \"%s\": %u requests", index, trial->script,
                  retry_scene_num_visits(scene));
    if (response != NULL) {
        ck_assert_uint_eq(response->num_retries + response->num_redirects, trial->num_visits - 1);
        ck_assert_uint_eq(urlpool_response_num_hops(response), trial->num_visits - 1);
    } else {
        ck_assert_uint_eq(test_err.num_attempts, trial->num_visits);
        ck_assert(test_err.maybe_processed);
    }
    urlpool_response_free(response);
}

static void expect_all(const struct trial *trials, size_t num_trials,
                       const struct urlpool_request_options *base)
{
    struct retry_scene scene;

    retry_scene_begin(&scene, 0, NULL);
    for (size_t i = 0; i < num_trials; i++) {
        expect(&scene, i, &trials[i], base);
    }
    retry_scene_end(&scene);
}

START_TEST(failure__is_tried_again_three_times_by_default)
{
    static const struct trial trials[] = {
        {"2",     "GET", 1, 200,  0,     {0}},
        {"r2",    "GET", 2, 200,  0,     {0}},
        {"rcb2",  "GET", 4, 200,  0,     {0}},
        {"rcbi2", "GET", 4, -OUT, CUT,   {0}},
        {"c",     "GET", 4, -OUT, GONE,  {0}},
        {"r",     "GET", 4, -OUT, RESET, {0}},
        {"b",     "GET", 4, -OUT, BAD,   {0}},
    };

    expect_all(trials, COUNT_OF(trials), NULL);
}
END_TEST

#define OTHER_KINDS .connect = URLPOOL_NONE, .status = URLPOOL_NONE, .other = URLPOOL_NONE

START_TEST(failure__is_counted_in_total_and_by_its_kind)
{
    static const struct trial trials[] = {
        {"c",          "GET", 2,  -OUT,  GONE, {.total = 1}                 },
        {"ccccccccc2", "GET", 10, 200,   0,    {.total = URLPOOL_NO_TIMEOUT}},
        {"c",          "GET", 1,  -GONE, 0,    {.total = URLPOOL_NONE}      },
        {"c",          "GET", 1,  -GONE, 0,    {.read = URLPOOL_NONE}       },
        {"c",          "GET", 3,  -OUT,  GONE, {.read = 2}                  },
 /* read = 5 does not raise the total */
        {"c",          "GET", 4,  -OUT,  GONE, {.read = 5}                  },
 /* the other kinds' counts have no part in it */
        {"cc2",        "GET", 3,  200,   0,    {OTHER_KINDS}                },
    };

    expect_all(trials, COUNT_OF(trials), NULL);
}
END_TEST

START_TEST(failure__of_a_method_that_is_not_allowed_is_the_callers)
{
    static const struct trial trials[] = {
        {"r",  "POST",   1, -RESET, 0, {0}                             },
        {"i",  "PATCH",  1, -CUT,   0, {0}                             },
        {"r2", "PUT",    2, 200,    0, {0}                             },
        {"r2", "DELETE", 2, 200,    0, {0}                             },
        {"r2", "HEAD",   2, 200,    0, {0}                             },
        {"r2", "POST",   2, 200,    0, {.allowed_methods = "GET, POST"}},
        {"r2", "POST",   2, 200,    0, {.allowed_methods = "*"}        },
        {"r",  "GET",    1, -RESET, 0, {.allowed_methods = "POST"}     },
        {"r",  "GET",    1, -RESET, 0, {.allowed_methods = ""}         },
        {"5",  "POST",   1, 500,    0, {.status_forcelist = {500}}     },
        {"3",  "POST",   1, 503,    0, {0}                             },
        {"32", "POST",   2, 200,    0, {.allowed_methods = "POST"}     },
    };

    expect_all(trials, COUNT_OF(trials), NULL);
}
END_TEST

START_TEST(failure__of_a_post_with_an_idempotency_key_is_tried_again)
{
    static const struct trial trials[] = {
        {"rc2", "POST", 3, 200, 0, {0}},
        {"32",  "POST", 2, 200, 0, {0}},
    };
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    const struct urlpool_request_options options = {.headers = headers,
                                                    .body = urlpool_body_bytes("pay", 3)};

    ck_assert_int_eq(urlpool_headers_add(headers, "idempotency-key", "7", &test_err), URLPOOL_OK);
    expect_all(trials, COUNT_OF(trials), &options);
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(failure__by_a_time_limit_of_reading_is_tried_again)
{
    static const struct trial trials[] = {
        {"s2", "GET",  2, 200,     0,      {0}        },
        {"s",  "GET",  2, -OUT,    SILENT, {.read = 1}},
        {"s",  "POST", 1, -SILENT, 0,      {0}        },
    };
    const struct urlpool_request_options options = {.timeout = {.read_ms = SOON_MS}};

    expect_all(trials, COUNT_OF(trials), &options);
}
END_TEST

START_TEST(failure__by_the_total_time_is_not_tried_again)
{
    static const struct trial trials[] = {
        {"s", "GET", 1, -LATE, 0, {0}},
    };
    const struct urlpool_request_options options = {.timeout = {.total_ms = SOON_MS}};

    expect_all(trials, COUNT_OF(trials), &options);
}
END_TEST

START_TEST(failure__of_what_was_received_is_not_tried_again)
{
    static const struct trial trials[] = {
        {"2", "GET", 1, -LARGE, 0, {0}},
    };
    const struct urlpool_request_options options = {.data_bytes_max = 3};

    expect_all(trials, COUNT_OF(trials), &options);
}
END_TEST

START_TEST(status__is_tried_again_when_it_is_listed_or_says_when)
{
    static const struct trial trials[] = {
        {"4",   "GET", 1, 404, 0, {0}                             },
        {"5",   "GET", 1, 500, 0, {0}                             },
        {"32",  "GET", 2, 200, 0, {0}                             },
        {"M2",  "GET", 2, 200, 0, {0}                             },
        {"L2",  "GET", 2, 200, 0, {0}                             },
        {"3",   "GET", 4, 503, 0, {0}                             },
        {"3",   "GET", 1, 503, 0, {.ignore_retry_after = true}    },
        {"3",   "GET", 2, 503, 0, {.status = 1}                   },
        {"3",   "GET", 1, 503, 0, {.status = URLPOOL_NONE}        },
        {"3",   "GET", 1, 503, 0, {.total = URLPOOL_NONE}         },
        {"542", "GET", 3, 200, 0, {.status_forcelist = {404, 500}}},
        {"5r4", "GET", 3, 404, 0, {.status_forcelist = {500}}     },
        {"2",   "GET", 4, 200, 0, {.status_forcelist = {200}}     },
    };

    expect_all(trials, COUNT_OF(trials), NULL);
}
END_TEST

#define RAISED .status_forcelist = {500}, .raise_on_status = true

START_TEST(status__is_an_error_at_the_end_when_told_to)
{
    static const struct trial trials[] = {
        {"5",   "GET",  4, -OUT, 0, {RAISED}                       },
        {"3",   "GET",  4, -OUT, 0, {.raise_on_status = true}      },
        {"5",   "GET",  1, -OUT, 0, {RAISED, .total = URLPOOL_NONE}},
 /* what is not tried again is no error */
        {"4",   "GET",  1, 404,  0, {RAISED}                       },
        {"5",   "POST", 1, 500,  0, {RAISED}                       },
        {"552", "GET",  3, 200,  0, {RAISED}                       },
    };
    struct retry_scene scene;

    expect_all(trials, COUNT_OF(trials), NULL);
    retry_scene_begin(&scene, 0, NULL);
    expect(&scene, 0, &trials[0], NULL);
    ck_assert_int_eq(test_err.http_status, 500);
    ck_assert_ptr_nonnull(strstr(test_err.message, "500"));
    ck_assert(urlpool_code_is(test_err.code, URLPOOL_CLASS_POOL));
    retry_scene_end(&scene);
}
END_TEST

START_TEST(status__is_tried_again_over_the_same_connection)
{
    struct retry_scene scene;
    struct urlpool_response *response;

    retry_scene_begin(&scene, 0, NULL);
    retry_scene_play(&scene, "333", "Retry-After: 0\r\n");
    response = test_fetch(scene.manager, "GET", scene.server, "/", NULL);
    ck_assert_int_eq(response->status, 503);
    ck_assert_str_eq((const char *)response->data, "done"); /* the last one's, whole */
    urlpool_response_free(response);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 1);
    retry_scene_end(&scene);
}
END_TEST

START_TEST(redirect__counts_against_its_own_bound_and_total_when_set)
{
    static const struct trial trials[] = {
        {"RRRRRR2", "GET", 7,  200,   0,   {0}                                                  },
        {"R",       "GET", 1,  -LOST, 0,   {.total = URLPOOL_NONE}                              },
        {"R",       "GET", 1,  302,   0,   {.total = URLPOOL_NONE, .return_last_redirect = true}},
        {"R",       "GET", 1,  -LOST, 0,   {.redirect = URLPOOL_NONE}                           },
        {"RR2",     "GET", 3,  200,   0,   {.redirect = 2}                                      },
        {"R",       "GET", 3,  -LOST, 0,   {.redirect = 2}                                      },
        {"R",       "GET", 3,  302,   0,   {.redirect = 2, .return_last_redirect = true}        },
 /* total 3 */
        {"R",       "GET", 4,  -LOST, 0,   {.redirect = 9}                                      },
        {"Rb",      "GET", 3,  -OUT,  BAD, {.redirect = 9, .total = 2}                          },
        {"R",       "GET", 21, -LOST, 0,   {.redirect = URLPOOL_NO_TIMEOUT}                     },
        {"R",       "GET", 21, 302,   0,   {.return_last_redirect = true}                       },
    };

    expect_all(trials, COUNT_OF(trials), NULL);
}
END_TEST

START_TEST(stream__is_tried_again_until_there_is_a_response_and_then_no_more)
{
    static const struct trial trials[] = {
        {"rb2", "GET", 3, 200, 0, {0}},
        {"i",   "GET", 1, 200, 0, {0}},
        {"32",  "GET", 2, 200, 0, {0}},
    };
    const struct urlpool_request_options options = {.stream = true};

    expect_all(trials, COUNT_OF(trials), &options);
}
END_TEST

START_TEST(max_retries__says_what_the_last_failure_was)
{
    struct retry_scene scene;
    char alone[256];
    const struct urlpool_request_options once = {.retries = {.total = URLPOOL_NONE}};

    retry_scene_begin(&scene, 0, NULL);
    retry_scene_play(&scene, "b", NULL);
    ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &once),
                     URLPOOL_E_BAD_STATUS_LINE);
    snprintf(alone, sizeof(alone), "%s", test_err.message);
    ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", NULL),
                     URLPOOL_E_MAX_RETRIES);
    ck_assert_int_eq(test_err.cause, URLPOOL_E_BAD_STATUS_LINE);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_HEAD);
    ck_assert_msg(strstr(test_err.message, alone) != NULL, "%s", test_err.message);
    ck_assert_uint_eq(test_err.num_attempts, 4);
    retry_scene_end(&scene);
}
END_TEST

/* ---- no connection is had ---- */

static void count_retries(void *user, const struct urlpool_trace_event *event)
{
    if (event->kind == URLPOOL_TRACE_RETRY) {
        ++*(unsigned *)user;
    }
}

struct refusal {
    const char *method;
    unsigned num_retries; /* then the retries are used up; 0: the failure is the caller's */
    struct urlpool_retry retries;
};

static void expect_refusals(struct urlpool_manager *manager, const char *url,
                            enum urlpool_code code, const struct refusal *refusals,
                            size_t num_refusals, const struct urlpool_request_options *base)
{
    for (size_t i = 0; i < num_refusals; i++) {
        unsigned num_retries = 0;
        struct urlpool_request_options options = *base;

        options.retries = refusals[i].retries;
        options.trace = (struct urlpool_trace){.event = count_retries, .user = &num_retries};
        ck_assert_ptr_null(urlpool_request(manager, refusals[i].method, url, &options, &test_err));
        ck_assert_msg(refusals[i].num_retries > 0
                          ? test_err.code == URLPOOL_E_MAX_RETRIES && test_err.cause == code
                          : test_err.code == code && test_err.cause == URLPOOL_OK,
                      "case %zu: %s because of %s: %s", i, urlpool_code_name(test_err.code),
                      urlpool_code_name(test_err.cause), test_err.message);
        ck_assert_msg(num_retries == refusals[i].num_retries, "case %zu: %u retries", i,
                      num_retries);
        ck_assert(!test_err.maybe_processed);
        ck_assert_uint_eq(test_err.num_attempts, num_retries + 1);
    }
}

/* Any method: nothing is sent. */
static const struct refusal connect_refusals[] = {
    {"GET",  3, {0}                                                      },
    {"POST", 3, {0}                                                      },
    {"POST", 1, {.connect = 1}                                           },
    {"GET",  0, {.connect = URLPOOL_NONE}                                },
    {"GET",  0, {.total = URLPOOL_NONE}                                  },
    {"GET",  2, {.total = 2, .read = URLPOOL_NONE, .other = URLPOOL_NONE}},
};

/* No pauses between dials in vain: test_unreachable.c has them. */
static const struct urlpool_manager_options at_once = {.dial_pause_max_ms = URLPOOL_NONE};

START_TEST(connect__is_tried_again_with_any_method_and_body)
{
    const struct urlpool_request_options plain = {0};
    struct urlpool_request_options piped = {0};
    struct urlpool_manager *manager = test_manager(&at_once);
    int bound = loopback_bind("127.0.0.1", 0);
    int ends[2];
    char url[64];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    piped.body = urlpool_body_fd(ends[0]); /* cannot be rewound, but nothing of it was taken */
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(bound));
    expect_refusals(manager, url, URLPOOL_E_CONNECT, connect_refusals, COUNT_OF(connect_refusals),
                    &plain);
    expect_refusals(manager, url, URLPOOL_E_CONNECT, connect_refusals, COUNT_OF(connect_refusals),
                    &piped);
    close(ends[0]);
    close(ends[1]);
    close(bound);
    urlpool_manager_free(manager);
}
END_TEST

START_TEST(connect__covers_names_and_time_limits)
{
    struct dns_server *dns = dns_server_start();
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .network.dns_servers = dns_server_address(dns), .dial_pause_max_ms = URLPOOL_NONE});
    const struct urlpool_request_options plain = {0};
    const struct urlpool_request_options brief = {.timeout = {.connect_ms = 20}};
    struct loopback_hole hole = loopback_hole_open("127.0.0.1", 0);
    char url[64];

    expect_refusals(manager, "http://nowhere.test/", URLPOOL_E_RESOLVE, connect_refusals,
                    COUNT_OF(connect_refusals), &plain);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(hole.listener));
    expect_refusals(manager, url, URLPOOL_E_CONNECT_TIMEOUT, connect_refusals,
                    COUNT_OF(connect_refusals), &brief);
    loopback_hole_close(&hole);
    urlpool_manager_free(manager);
    dns_server_stop(dns);
}
END_TEST

/* A server that speaks no TLS, whatever it is told. */
static void *speak_nonsense(void *arg)
{
    int listener = *(int *)arg;

    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0) {
            return NULL;
        }
        (void)!write(fd, "220 ready\r\n", 11);
        (void)shutdown(fd, SHUT_WR);
        while (read(fd, &(char[512]){0}, 512) > 0) {
        }
        close(fd);
    }
}

START_TEST(other__is_a_handshake_that_goes_wrong)
{
    static const struct refusal refusals[] = {
        {"GET",  3, {0}                                            },
        {"POST", 3, {0}                                            },
        {"GET",  1, {.other = 1}                                   },
        {"GET",  0, {.other = URLPOOL_NONE}                        },
        {"GET",  3, {.connect = URLPOOL_NONE, .read = URLPOOL_NONE}},
    };
    const struct urlpool_request_options plain = {0};
    struct urlpool_manager *manager = test_manager(&at_once);
    int listener = loopback_listen("127.0.0.1", 0);
    pthread_t thread;
    char url[64];

    ck_assert_int_eq(pthread_create(&thread, NULL, speak_nonsense, &listener), 0);
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", loopback_port(listener));
    expect_refusals(manager, url, URLPOOL_E_TLS, refusals, COUNT_OF(refusals), &plain);
    (void)shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    urlpool_manager_free(manager);
}
END_TEST

START_TEST(certificate__that_is_refused_is_refused_once)
{
    static const struct refusal refusals[] = {
        {"GET", 0, {0}                                                    },
        {"GET", 0, {.total = URLPOOL_NO_TIMEOUT, .other = 9, .connect = 9}},
    };
    const struct urlpool_request_options plain = {0};
    struct https_scene trusted = https_scene_begin(test_answer_hello, NULL, NULL);
    struct https_scene other = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = trusted.tls});
    char url[64];

    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", test_server_port(other.server));
    expect_refusals(manager, url, URLPOOL_E_TLS_VERIFY, refusals, COUNT_OF(refusals), &plain);
    ck_assert_uint_eq(test_server_num_connections(other.server), 2);
    urlpool_manager_free(manager);
    https_scene_end(&trusted);
    https_scene_end(&other);
}
END_TEST

/* ---- bodies ---- */

START_TEST(body__is_sent_again_whole)
{
    static const char text[] = "0123456789";
    FILE *file = tmpfile();
    struct retry_scene scene;

    retry_scene_begin(&scene, 0, NULL);
    ck_assert_int_gt(fputs(text, file), 0);
    ck_assert_int_eq(fflush(file), 0);
    for (int how = 0; how < 4; how++) {
        struct urlpool_request_options options = {.body = how < 2 ? urlpool_body_bytes(text + 3, 7)
                                                                  : urlpool_body_fd(fileno(file))};

        options.body.chunked = how % 2 == 1;
        ck_assert_int_eq(lseek(fileno(file), 3, SEEK_SET), 3);
        retry_scene_play(&scene, "ri32", "Retry-After: 0\r\n");
        urlpool_response_free(test_fetch(scene.manager, "PUT", scene.server, "/", &options));
        ck_assert_uint_eq(retry_scene_num_visits(&scene), 4);
        for (unsigned i = 0; i < 4; i++) {
            ck_assert_str_eq(retry_scene_visit(&scene, i).body, text + 3);
        }
    }
    fclose(file);
    retry_scene_end(&scene);
}
END_TEST

START_TEST(body__that_cannot_be_rewound_is_sent_once)
{
    static const struct trial trials[] = {
        {"r", "PUT", 1, -RESET, 0, {0}                      },
        {"3", "PUT", 1, 503,    0, {0}                      },
        {"3", "PUT", 1, 503,    0, {.raise_on_status = true}},
    };
    struct retry_scene scene;

    retry_scene_begin(&scene, 0, NULL);
    for (size_t i = 0; i < COUNT_OF(trials); i++) {
        struct urlpool_request_options options = {0};
        int ends[2];

        ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
        ck_assert_int_eq(write(ends[1], "once", 4), 4);
        close(ends[1]);
        options.body = urlpool_body_fd(ends[0]);
        expect(&scene, i, &trials[i], &options);
        ck_assert_str_eq(retry_scene_visit(&scene, 0).body, "once");
        close(ends[0]);
    }
    retry_scene_end(&scene);
}
END_TEST

/* ---- history ---- */

static void expect_hop(const struct retry_scene *scene, const struct urlpool_response *response,
                       size_t index, const struct urlpool_hop *expected)
{
    struct urlpool_hop hop = urlpool_response_hop(response, index);
    char url[128];

    ck_assert_ptr_nonnull(hop.method);
    ck_assert_str_eq(hop.method, expected->method);
    ck_assert_str_eq(hop.url, test_server_url(scene->server, expected->url, url, sizeof(url)));
    ck_assert_int_eq(hop.code, expected->code);
    ck_assert_int_eq(hop.status, expected->status);
    if (expected->location == NULL) {
        ck_assert_ptr_null(hop.location);
    } else {
        ck_assert_str_eq(hop.location,
                         test_server_url(scene->server, expected->location, url, sizeof(url)));
    }
}

START_TEST(history__has_every_try_before_the_response)
{
    static const struct urlpool_hop hops[] = {
        {"POST", "/first?x=1", URLPOOL_E_BAD_STATUS_LINE, 0,   NULL,     {0}},
        {"POST", "/first?x=1", URLPOOL_OK,                302, "/moved", {0}},
        {"GET",  "/moved",     URLPOOL_E_RESET,           0,   NULL,     {0}}, /* stale, and free */
        {"GET",  "/moved",     URLPOOL_OK,                503, NULL,     {0}},
        {"GET",  "/moved",     URLPOOL_OK,                302, "/moved", {0}},
    };
    struct retry_scene scene;
    const struct urlpool_request_options options = {.body = urlpool_body_bytes("x", 1),
                                                    .retries = {.allowed_methods = "*"}};
    struct urlpool_response *response;
    char url[128];

    retry_scene_begin(&scene, 0, NULL);
    retry_scene_play(&scene, "bRr3R2", "Retry-After: 0\r\n");
    response = test_fetch(scene.manager, "POST", scene.server, "/first?x=1", &options);
    ck_assert_int_eq(response->status, 200);
    ck_assert_uint_eq(response->num_retries, 3);
    ck_assert_uint_eq(response->num_redirects, 2);
    ck_assert_str_eq(response->url, test_server_url(scene.server, "/moved", url, sizeof(url)));
    ck_assert_uint_eq(urlpool_response_num_hops(response), COUNT_OF(hops));
    for (size_t i = 0; i < COUNT_OF(hops); i++) {
        expect_hop(&scene, response, i, &hops[i]);
    }
    ck_assert_ptr_null(urlpool_response_hop(response, COUNT_OF(hops)).method);
    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(scene.manager).retries, 2);
    ck_assert_uint_eq(test_stats(scene.manager).stale_retries, 1);
    retry_scene_end(&scene);
}
END_TEST

START_TEST(history__has_no_password)
{
    struct retry_scene scene;
    struct urlpool_response *response;
    char url[128];

    retry_scene_begin(&scene, 0, NULL);
    retry_scene_play(&scene, "bR2", NULL);
    snprintf(url, sizeof(url), "http://user:s3cret@127.0.0.1:%d/", test_server_port(scene.server));
    response = urlpool_request(scene.manager, "GET", url, NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    for (size_t i = 0; i < 2; i++) {
        struct urlpool_hop hop = urlpool_response_hop(response, i);

        ck_assert_ptr_null(strstr(hop.url, "s3cret"));
        ck_assert(hop.location == NULL || strstr(hop.location, "s3cret") == NULL);
    }
    urlpool_response_free(response);
    retry_scene_end(&scene);
}
END_TEST

/* ---- options ---- */

START_TEST(options__of_the_manager_hold_and_those_of_the_request_win)
{
    static const struct trial trials[] = {
        {"c",  "GET",  2, -OUT,   GONE, {0}                        },
        {"c",  "GET",  3, -OUT,   GONE, {.total = 2}               },
        {"c",  "GET",  1, -GONE,  0,    {.total = URLPOOL_NONE}    },
        {"5",  "GET",  2, -OUT,   0,    {0}                        },
        {"5",  "GET",  1, 500,    0,    {.status_forcelist = {404}}},
        {"r2", "POST", 2, 200,    0,    {0}                        },
        {"r",  "POST", 1, -RESET, 0,    {.allowed_methods = "GET"} },
    };
    struct retry_scene scene;

    retry_scene_begin(&scene, 0,
                      &(struct urlpool_manager_options){
                          .retries = {.total = 1,
                                      .status_forcelist = {500},
                                      .allowed_methods = "GET, POST",
                                      .raise_on_status = true}
    });
    for (size_t i = 0; i < COUNT_OF(trials); i++) {
        expect(&scene, i, &trials[i], NULL);
    }
    retry_scene_end(&scene);
}
END_TEST

START_TEST(options__of_the_manager_are_copied)
{
    char methods[] = "POST";
    struct retry_scene scene;
    static const struct trial trial = {"r2", "POST", 2, 200, 0, {0}};

    retry_scene_begin(&scene, 0,
                      &(struct urlpool_manager_options){.retries = {.allowed_methods = methods}});
    memset(methods, 'X', sizeof(methods) - 1);
    expect(&scene, 0, &trial, NULL);
    retry_scene_end(&scene);
}
END_TEST

START_TEST(options__that_cannot_be_right_are_refused)
{
    static const struct {
        struct urlpool_retry retries;
        const char *words;
    } cases[] = {
        {{.total = -3},                         "retries.total"                     },
        {{.backoff_factor_ms = -1},             "retries.backoff_factor_ms"         },
        {{.status_forcelist = {99}},            "retries.status_forcelist"          },
        {{.allowed_methods = "GET PUT"},        "retries.allowed_methods"           },
        {{.remove_headers_on_redirect = "a b"}, "retries.remove_headers_on_redirect"},
        {{.reserved = {1}},                     "retries"                           },
    };
    struct retry_scene scene;

    retry_scene_begin(&scene, 0, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct urlpool_request_options options = {.retries = cases[i].retries};
        const struct urlpool_manager_options of_manager = {.retries = cases[i].retries};

        ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &options),
                         URLPOOL_E_INVALID);
        ck_assert_ptr_nonnull(strstr(test_err.message, cases[i].words));
        ck_assert_ptr_null(urlpool_manager_new(&of_manager, &test_err));
        ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
        ck_assert_ptr_nonnull(strstr(test_err.message, cases[i].words));
    }
    ck_assert_uint_eq(retry_scene_num_visits(&scene), 0);
    retry_scene_end(&scene);
}
END_TEST

RUN_TESTS("retries", failure__is_tried_again_three_times_by_default,
          failure__is_counted_in_total_and_by_its_kind,
          failure__of_a_method_that_is_not_allowed_is_the_callers,
          failure__of_a_post_with_an_idempotency_key_is_tried_again,
          failure__by_a_time_limit_of_reading_is_tried_again,
          failure__by_the_total_time_is_not_tried_again,
          failure__of_what_was_received_is_not_tried_again,
          status__is_tried_again_when_it_is_listed_or_says_when,
          status__is_an_error_at_the_end_when_told_to,
          status__is_tried_again_over_the_same_connection,
          redirect__counts_against_its_own_bound_and_total_when_set,
          stream__is_tried_again_until_there_is_a_response_and_then_no_more,
          max_retries__says_what_the_last_failure_was,
          connect__is_tried_again_with_any_method_and_body, connect__covers_names_and_time_limits,
          other__is_a_handshake_that_goes_wrong, certificate__that_is_refused_is_refused_once,
          body__is_sent_again_whole, body__that_cannot_be_rewound_is_sent_once,
          history__has_every_try_before_the_response, history__has_no_password,
          options__of_the_manager_hold_and_those_of_the_request_win,
          options__of_the_manager_are_copied, options__that_cannot_be_right_are_refused)
