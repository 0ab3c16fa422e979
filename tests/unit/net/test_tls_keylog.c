/* Keys in a file: only when asked for, whole lines, behind what is there. */

#include <errno.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/run_tests.h"
#include "support/tls_client.h"
#include "support/tls_scene.h"
#include "support/tls_server.h"

enum {
    NUM_THREADS = 4,
    NUM_DIALS = 5
};

/* struct log is what a file of keys holds. */
struct log {
    bool exists;
    int num_lines, num_1_2, num_1_3;
    char first[64];
    mode_t mode;
};

/* read_log reads it and sees that every line but the first is "LABEL hex hex". */
static struct log read_log(const char *path)
{
    struct log log = {0};
    FILE *file = fopen(path, "r");
    struct stat state;
    char line[512];

    if (file == NULL) {
        return log;
    }
    ck_assert_int_eq(stat(path, &state), 0);
    log.exists = true;
    log.mode = state.st_mode & 0777;
    while (fgets(line, sizeof(line), file) != NULL) {
        char random[130];
        char secret[260];
        char label[64];

        ck_assert_ptr_nonnull(strchr(line, '\n'));
        if (log.num_lines++ == 0) {
            (void)snprintf(log.first, sizeof(log.first), "%.63s", line);
            if (strncmp(line, "# ", 2) == 0) {
                continue;
            }
        }
        ck_assert_int_eq(
            sscanf(line, "%63[A-Z0-9_] %129[0-9a-f] %259[0-9a-f]\n", label, random, secret), 3);
        ck_assert_uint_eq(strlen(random), 64);
        ck_assert_uint_ge(strlen(secret), 64);
        log.num_1_2 += strcmp(label, "CLIENT_RANDOM") == 0;
        log.num_1_3 += strcmp(label, "CLIENT_TRAFFIC_SECRET_0") == 0;
    }
    (void)fclose(file);
    return log;
}

static void converse(struct tls_scene *scene)
{
    struct urlp_stream *stream = tls_scene_dial(scene, "localhost", NULL);

    ck_assert_ptr_nonnull(stream);
    ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
}

/* logged is what `path` holds after one handshake with `options`. */
static struct log logged(struct urlpool_tls_options options, uint16_t max_version, const char *path)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.max_version = max_version});

    tls_scene_use(&scene, options);
    converse(&scene);
    tls_scene_end(&scene);
    return read_log(path);
}

START_TEST(keylog__has_the_keys_of_each_version)
{
    char *dir = test_dir();
    char *path = test_file(dir, "keys", "# before\n");
    const struct urlpool_tls_options options = {.keylog_file = path};
    struct log log = logged(options, TLS1_2_VERSION, path);

    ck_assert_int_eq(log.num_1_2, 1);
    ck_assert_int_eq(log.num_1_3, 0);
    log = logged(options, 0, path);
    ck_assert_int_eq(log.num_1_2, 1);
    ck_assert_int_eq(log.num_1_3, 1);
    ck_assert_str_eq(log.first, "# before\n");
    free(path);
    test_dir_remove(dir);
}
END_TEST

START_TEST(keylog__that_is_made_is_for_nobody_else)
{
    char *dir = test_dir();
    char *path = NULL;
    struct log log;

    ck_assert_int_gt(asprintf(&path, "%s/keys", dir), 0);
    log = logged((struct urlpool_tls_options){.keylog_file = path}, 0, path);
    ck_assert(log.exists);
    ck_assert_uint_eq(log.mode, 0600);
    free(path);
    test_dir_remove(dir);
}
END_TEST

START_TEST(keylog__is_in_the_environment_only_when_told_so)
{
    char *dir = test_dir();
    char *path = NULL;

    ck_assert_int_gt(asprintf(&path, "%s/keys", dir), 0);
    (void)setenv("SSLKEYLOGFILE", path, 1);
    ck_assert(!logged((struct urlpool_tls_options){0}, 0, path).exists);
    ck_assert(
        logged((struct urlpool_tls_options){.keylog_from_environment = true}, 0, path).num_1_3 ==
        1);
    (void)setenv("SSLKEYLOGFILE", "", 1);
    ck_assert_int_eq(
        logged((struct urlpool_tls_options){.keylog_from_environment = true}, 0, path).num_1_3, 1);
    (void)unsetenv("SSLKEYLOGFILE");
    ck_assert_int_eq(
        logged((struct urlpool_tls_options){.keylog_from_environment = true}, 0, path).num_1_3, 1);
    free(path);
    test_dir_remove(dir);
}
END_TEST

START_TEST(keylog__named_by_an_option_wins_over_the_environment)
{
    char *dir = test_dir();
    char *path = NULL;

    ck_assert_int_gt(asprintf(&path, "%s/keys", dir), 0);
    (void)setenv("SSLKEYLOGFILE", "/nowhere/keys", 1);
    ck_assert_int_eq(
        logged((struct urlpool_tls_options){.keylog_file = path, .keylog_from_environment = true},
               0, path)
            .num_1_3,
        1);
    free(path);
    test_dir_remove(dir);
}
END_TEST

START_TEST(keylog__that_cannot_be_written_is_an_error)
{
    struct urlpool_error err = {0};

    ck_assert_ptr_null(urlpool_tls_new(
        &(struct urlpool_tls_options){.insecure_no_verify = true, .keylog_file = "/nowhere/keys"},
        &err));
    ck_assert_int_eq(err.code, URLPOOL_E_SYSTEM);
    ck_assert_int_eq(err.os_errno, ENOENT);
    ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/keys"));
    (void)setenv("SSLKEYLOGFILE", "/nowhere/else", 1);
    ck_assert_ptr_null(urlpool_tls_new(
        &(struct urlpool_tls_options){.insecure_no_verify = true, .keylog_from_environment = true},
        &err));
    ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/else"));
}
END_TEST

START_TEST(keylog__that_is_a_pipe_nobody_reads_does_not_hold_us_up)
{
    char *dir = test_dir();
    char *path = NULL;
    struct urlpool_error err = {0};

    ck_assert_int_gt(asprintf(&path, "%s/keys", dir), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_ptr_null(urlpool_tls_new(
        &(struct urlpool_tls_options){.insecure_no_verify = true, .keylog_file = path}, &err));
    ck_assert_int_eq(err.os_errno, ENXIO);
    free(path);
    test_dir_remove(dir);
}
END_TEST

static void *dial_some(void *user)
{
    for (int i = 0; i < NUM_DIALS; i++) {
        converse(user);
    }
    return NULL;
}

START_TEST(keylog__lines_of_threads_do_not_mix)
{
    char *dir = test_dir();
    char *path = NULL;
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    pthread_t threads[NUM_THREADS];

    ck_assert_int_gt(asprintf(&path, "%s/keys", dir), 0);
    tls_scene_use(&scene, (struct urlpool_tls_options){.keylog_file = path});
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, dial_some, &scene), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    tls_scene_end(&scene);
    ck_assert_int_eq(read_log(path).num_1_3, NUM_THREADS * NUM_DIALS);
    free(path);
    test_dir_remove(dir);
}
END_TEST

RUN_TESTS("tls_keylog", keylog__has_the_keys_of_each_version,
          keylog__that_is_made_is_for_nobody_else, keylog__is_in_the_environment_only_when_told_so,
          keylog__named_by_an_option_wins_over_the_environment,
          keylog__that_cannot_be_written_is_an_error,
          keylog__that_is_a_pipe_nobody_reads_does_not_hold_us_up,
          keylog__lines_of_threads_do_not_mix)
