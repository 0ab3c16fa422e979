/* A manager that works on and on: bodies from nothing to 64 MiB, plain and over TLS in equal parts,
 * buffered, streamed, given up half-way, sent; servers that sometimes close. Descriptors stay
 * within the pool's size, threads are as many as they were, and memory is flat once it is warm. The
 * servers live in a child, so that what is measured is the client alone; it is measured when the
 * threads rest, between rounds.
 *
 * URLPOOL_TEST_SEED plays a run again, URLPOOL_TEST_SECONDS is how long it lasts; without that the
 * bodies are smaller and the run is short. */

#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/failing_allocator.h"
#include "support/foreign_heaps.h"
#include "support/loopback.h"
#include "support/now.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/sanitizers.h"
#include "support/tls_client.h"
#include "support/tls_kit.h"

enum {
    NUM_THREADS = 8,
    PLACES = 6, /* of each of the two origins */
    ROUND_MS = 5000,
    SHORT_ROUND_MS = 80,
    SHORT_ROUNDS = 10,
    ROUNDS_MAX = 10000,
    TABLE_BYTES = 65536,
    UPLOAD_MAX = 4 << 20,
    LARGE_BYTES = 128 << 10,
    URL_BYTES = 128,
    BLOCKS_SPAN = 40,       /* sessions, names, whatever has its own bound */
    OPENSSL_SPAN = 6 * 170, /* a session of OpenSSL has its peer's certificates as objects */
    KIB_SPAN = 512,         /* of resident memory, from the warm-up's most to the end's */
    USED_SPAN = 256, /* of what malloc has given out, what threads keep for themselves included */
    SHORT_KIB_SPAN = 4096,       /* of a run that has hardly warmed up */
    SLOPE_MAX_KIB_PER_HOUR = 256 /* of a run that is long enough to have one */
};

/* How often bodies are as long as that at most, of a thousand; and each size is as likely below. */
static const struct {
    unsigned permille;
    size_t max;
} sizes[] = {
    {100, 0        },
    {400, 1 << 10  },
    {300, 16 << 10 },
    {140, 256 << 10},
    {56,  4 << 20  },
    {4,   64 << 20 },
};

/* struct servers is what the child has. */
struct servers {
    int ports[2]; /* plain, TLS */
    int stop_fd;  /* closed to end it */
    pid_t child;
};

/* struct sample is what is seen between two rounds. */
struct sample {
    double hours;
    long rss_kib;
    int64_t num_blocks; /* urlpool's, and BoringSSL's and c-ares' for it */
    size_t kib_used;    /* of malloc's, by whomever: urlpool, BoringSSL, c-ares, the test */
    unsigned num_fds, num_idle_fds, num_threads;
};

/* struct soak is everything the threads share. */
struct soak {
    uint64_t seed;
    bool is_short;
    struct servers servers;
    struct urlpool_manager *manager;
    pthread_barrier_t barrier;
    _Atomic int64_t round_ends_ms;
    atomic_bool is_over;
    _Atomic uint64_t num_requests, num_bytes, num_large, num_given_up;
};

static uint8_t table[2 * TABLE_BYTES]; /* twice the same, so that any piece is in one piece */

static uint64_t next(uint64_t *chance)
{
    *chance ^= *chance << 13;
    *chance ^= *chance >> 7;
    *chance ^= *chance << 17;
    return *chance;
}

static void make_table(void)
{
    uint64_t chance = 88172645463325252U;

    for (size_t i = 0; i < TABLE_BYTES; i++) {
        table[i] = table[i + TABLE_BYTES] = (uint8_t)next(&chance);
    }
}

/* is_right compares `len` bytes of body number `key` from `at` on. */
static bool is_right(const uint8_t *data, size_t at, size_t len, size_t key)
{
    while (len > 0) {
        const size_t part = len < TABLE_BYTES ? len : TABLE_BYTES;

        if (memcmp(data, table + (at + key) % TABLE_BYTES, part) != 0) {
            return false;
        }
        data += part;
        at += part;
        len -= part;
    }
    return true;
}

/* --- the child --- */

/* send_body sends body number `key`, in chunks for odd numbers. */
static void send_body(struct test_peer *peer, size_t size, size_t key)
{
    const bool is_chunked = key % 2 != 0;
    char length[64];
    char line[128];
    size_t part;

    if (is_chunked) {
        (void)strcpy(length, "Transfer-Encoding: chunked");
    } else {
        (void)snprintf(length, sizeof(length), "Content-Length: %zu", size);
    }
    (void)snprintf(line, sizeof(line), "HTTP/1.1 200 OK\r\n%s\r\n%s\r\n", length,
                   key % 64 == 0 ? "Connection: close\r\n" : "");
    test_peer_send_text(peer, line);
    for (size_t at = 0; at < size; at += part) {
        part = size - at < TABLE_BYTES ? size - at : TABLE_BYTES;
        if (is_chunked) {
            (void)snprintf(line, sizeof(line), "%zx\r\n", part);
            test_peer_send_text(peer, line);
        }
        test_peer_send(peer, table + (at + key) % TABLE_BYTES, part);
        if (is_chunked) {
            test_peer_send_text(peer, "\r\n");
        }
    }
    if (is_chunked) {
        test_peer_send_text(peer, "0\r\n\r\n");
    }
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    size_t size = 0;
    size_t key = 0;

    (void)user;
    (void)sscanf(request->target, "/%zu/%zu", &size, &key);
    if (strcmp(request->method, "PUT") == 0) {
        test_peer_reply(
            peer, request->body_len == size && is_right(request->body, 0, size, key) ? 200 : 409,
            NULL, "");
    } else {
        send_body(peer, size, key);
    }
    if (key % 64 == 0) {
        test_peer_close(peer);
    }
}

/* serve is the child: it ends when its parent does, or says so. */
static void serve(SSL_CTX *context, int ports_fd, int stop_fd)
{
    struct test_server *plain = test_server_start(answer, NULL, NULL);
    const struct test_server_options over_tls = {.tls = context};
    struct test_server *tls = test_server_start(answer, NULL, &over_tls);
    const int ports[2] = {test_server_port(plain), test_server_port(tls)};
    char byte = 0;

    if (write(ports_fd, ports, sizeof(ports)) == (ssize_t)sizeof(ports)) {
        (void)read(stop_fd, &byte, 1);
    }
    test_server_stop(plain);
    test_server_stop(tls);
    _exit(0);
}

static struct servers start_servers(SSL_CTX *context)
{
    struct servers servers;
    int to_parent[2];
    int to_child[2];

    ck_assert_int_eq(pipe(to_parent), 0);
    ck_assert_int_eq(pipe(to_child), 0);
    servers.child = fork();
    ck_assert_int_ge(servers.child, 0);
    if (servers.child == 0) {
        (void)close(to_child[1]);
        serve(context, to_parent[1], to_child[0]);
    }
    (void)close(to_parent[1]);
    (void)close(to_child[0]);
    ck_assert_int_eq(read(to_parent[0], servers.ports, sizeof(servers.ports)),
                     sizeof(servers.ports));
    (void)close(to_parent[0]);
    servers.stop_fd = to_child[1];
    return servers;
}

/* --- the client --- */

static size_t draw_size(const struct soak *soak, uint64_t *chance)
{
    unsigned drawn = (unsigned)(next(chance) % 1000);
    size_t i = 0;

    while (drawn >= sizes[i].permille) {
        drawn -= sizes[i++].permille;
    }
    if (soak->is_short && i > 3) {
        i = 3;
    }
    return sizes[i].max == 0 ? 0 : (size_t)(next(chance) % sizes[i].max) + 1;
}

/* read_streamed reads a body, or gives it up half-way. */
static void read_streamed(struct soak *soak, struct urlpool_response *response, size_t size,
                          size_t key, struct urlpool_error *err)
{
    uint8_t piece[16384];
    size_t len = 1;

    for (size_t at = 0; len > 0; at += len) {
        if (key % 16 == 3 && at > size / 2) {
            atomic_fetch_add(&soak->num_given_up, 1);
            return;
        }
        ck_assert_msg(urlpool_response_read(response, piece, sizeof(piece), &len, err) ==
                          URLPOOL_OK,
                      "%s", err->message);
        ck_assert(is_right(piece, at, len, key));
        ck_assert(len > 0 || at == size);
    }
}

static void ask(struct soak *soak, uint64_t *chance, uint8_t *upload)
{
    const unsigned kind = (unsigned)(next(chance) % 4); /* 0: sent, 1: buffered, else streamed */
    const bool is_tls = next(chance) % 2 != 0;
    const size_t key = (size_t)(next(chance) % TABLE_BYTES);
    size_t size = draw_size(soak, chance);
    struct urlpool_request_options options = {.stream = kind > 1};
    struct urlpool_error err = {0};
    struct urlpool_response *response;
    char url[URL_BYTES];

    if (kind == 0) {
        size = size < UPLOAD_MAX ? size : UPLOAD_MAX;
        for (size_t at = 0; at < size; at += TABLE_BYTES) {
            memcpy(upload + at, table + key, size - at < TABLE_BYTES ? size - at : TABLE_BYTES);
        }
        options.body = urlpool_body_bytes(upload, size);
    }
    (void)snprintf(url, sizeof(url), "%s://127.0.0.1:%d/%zu/%zu", is_tls ? "https" : "http",
                   soak->servers.ports[is_tls], size, key);
    response = urlpool_request(soak->manager, kind == 0 ? "PUT" : "GET", url, &options, &err);
    ck_assert_msg(response != NULL && response->status == 200,
                  "URLPOOL_TEST_SEED=%" PRIu64 ": %zu bytes: %s", soak->seed, size, err.message);
    if (kind == 1) {
        ck_assert_uint_eq(response->data_len, size);
        ck_assert(is_right(response->data, 0, size, key));
    } else if (kind > 1) {
        read_streamed(soak, response, size, key, &err);
    }
    urlpool_response_free(response);
    atomic_fetch_add(&soak->num_requests, 1);
    atomic_fetch_add(&soak->num_bytes, size);
    atomic_fetch_add(&soak->num_large, size > 4 << 20);
}

struct asker {
    struct soak *soak;
    uint64_t chance;
    pthread_t thread;
};

static void *work(void *arg)
{
    struct asker *asker = arg;
    struct soak *soak = asker->soak;
    uint8_t *upload = malloc(UPLOAD_MAX + TABLE_BYTES);

    ck_assert_ptr_nonnull(upload);
    foreign_heaps_join(true);
    while (!atomic_load(&soak->is_over)) {
        while (test_now_ms() < atomic_load(&soak->round_ends_ms)) {
            ask(soak, &asker->chance, upload);
        }
        (void)pthread_barrier_wait(&soak->barrier);
        (void)pthread_barrier_wait(&soak->barrier); /* meanwhile it is looked */
    }
    free(upload);
    return NULL;
}

/* --- what is measured --- */

static long rss_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%*d %ld", &pages), 1);
    (void)fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static unsigned num_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    unsigned num = 0;

    ck_assert_ptr_nonnull(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        num += entry->d_name[0] != '.';
    }
    (void)closedir(dir);
    return num;
}

/* look takes a sample, with no connection open; what malloc keeps for later is given back first. */
static struct sample look(const struct soak *soak, int64_t began_ms)
{
    struct sample sample = {.hours = (double)(test_now_ms() - began_ms) / 3600000.0,
                            .num_idle_fds = loopback_num_fds(),
                            .num_threads = num_threads()};
    struct mallinfo2 info;

    (void)urlpool_manager_close_idle(soak->manager);
    (void)malloc_trim(0);
    info = mallinfo2();
    sample.kib_used = (info.uordblks + info.hblkhd) / 1024;
    sample.rss_kib = rss_kib();
    sample.num_blocks = failing_allocator_num_live() + foreign_heaps_num_live(HEAP_OF_TLS) +
                        foreign_heaps_num_live(HEAP_OF_NAMES);
    sample.num_fds = loopback_num_fds();
    return sample;
}

/* slope is that of resident memory, by least squares, in KiB an hour. */
static double slope(const struct sample *samples, size_t num)
{
    double sum_x = 0;
    double sum_y = 0;
    double sum_xx = 0;
    double sum_xy = 0;
    const double n = (double)num;

    for (size_t i = 0; i < num; i++) {
        const double x = samples[i].hours;
        const double y = (double)samples[i].rss_kib;

        sum_x += x;
        sum_y += y;
        sum_xx += x * x;
        sum_xy += x * y;
    }
    return (n * sum_xy - sum_x * sum_y) / (n * sum_xx - sum_x * sum_x);
}

static void tell(const struct soak *soak, const struct sample *samples, size_t num, size_t num_warm)
{
    const struct sample *first = &samples[num_warm];
    const struct sample *last = &samples[num - 1];
    const struct urlpool_stats stats = test_stats(soak->manager);

    printf("%.0f s, %" PRIu64 " requests, %" PRIu64 " MiB, %" PRIu64 " longer than 4 MiB, %" PRIu64
           " given up; %" PRIu64 " connections\n",
           last->hours * 3600, soak->num_requests, soak->num_bytes >> 20, soak->num_large,
           soak->num_given_up, stats.opened);
    for (size_t i = 0; i < num; i += num < 20 ? 1 : num / 20) {
        printf("%4.0f s: RSS %ld KiB, in use %zu KiB, %d blocks, %u descriptors, %u with the idle, "
               "%u threads\n",
               samples[i].hours * 3600, samples[i].rss_kib, samples[i].kib_used,
               (int)samples[i].num_blocks, samples[i].num_fds, samples[i].num_idle_fds,
               samples[i].num_threads);
    }
    printf("slope after %.0f s: %+.0f KiB/h\n", first->hours * 3600, slope(first, num - num_warm));
    (void)fflush(stdout);
}

/* check_flat holds the samples behind the warm-up against it. */
static void check_flat(const struct soak *soak, const struct sample *samples, size_t num,
                       unsigned num_fds)
{
    const size_t num_warm = num / 3;
    const int blocks_span = tls_kit_is_openssl() ? OPENSSL_SPAN : BLOCKS_SPAN;
    long warm_kib = 0;
    int64_t warm_blocks = 0;

    tell(soak, samples, num, num_warm);
    for (size_t i = 0; i < num; i++) {
        ck_assert_uint_eq(samples[i].num_fds, num_fds);
        ck_assert_uint_le(samples[i].num_idle_fds, num_fds + 2 * PLACES);
        ck_assert_uint_eq(samples[i].num_threads, samples[0].num_threads);
        if (i <= num_warm) {
            warm_kib = samples[i].rss_kib > warm_kib ? samples[i].rss_kib : warm_kib;
            warm_blocks = samples[i].num_blocks > warm_blocks ? samples[i].num_blocks : warm_blocks;
        } else {
            ck_assert_int_le(samples[i].num_blocks, warm_blocks + blocks_span);
        }
    }
    if (IS_SANITIZED) { /* whose heaps keep what was freed */
        return;
    }
    ck_assert_int_le(samples[num - 1].rss_kib,
                     warm_kib + (soak->is_short ? SHORT_KIB_SPAN : KIB_SPAN));
    if (!soak->is_short) {
        ck_assert_uint_le(samples[num - 1].kib_used, samples[num_warm].kib_used + USED_SPAN);
        ck_assert(slope(samples + num_warm, num - num_warm) < SLOPE_MAX_KIB_PER_HOUR);
    }
}

/* run lets the threads work round after round; returns how many samples there are. */
static size_t run(struct soak *soak, size_t num_rounds, struct sample *samples)
{
    const int round_ms = soak->is_short ? SHORT_ROUND_MS : ROUND_MS;
    const int64_t began_ms = test_now_ms();
    struct asker askers[NUM_THREADS];

    atomic_store(&soak->round_ends_ms, began_ms + round_ms);
    for (size_t i = 0; i < NUM_THREADS; i++) {
        askers[i] = (struct asker){.soak = soak, .chance = (soak->seed | 1) * (2 * i + 1)};
        ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, work, &askers[i]), 0);
    }
    for (size_t i = 0; i < num_rounds; i++) {
        (void)pthread_barrier_wait(&soak->barrier);
        samples[i] = look(soak, began_ms);
        atomic_store(&soak->is_over, i + 1 == num_rounds);
        atomic_store(&soak->round_ends_ms, test_now_ms() + round_ms);
        (void)pthread_barrier_wait(&soak->barrier);
    }
    for (size_t i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(askers[i].thread, NULL), 0);
    }
    return num_rounds;
}

/* hold_no_more has malloc give back what is freed: one arena whose end can be cut off, and large
 * blocks apart. Else what is resident is what its many arenas have ever had in use at once. */
static void hold_no_more(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
}

START_TEST(soak__leaves_descriptors_threads_and_memory_as_they_were)
{
    static const struct test_name names[] = {TEST_IP("\x7f\x00\x00\x01")};
    static const struct test_cert_options leaf_options = {.names = names, .num_names = 1};
    const char *seed = getenv("URLPOOL_TEST_SEED");
    const char *seconds = getenv("URLPOOL_TEST_SECONDS");
    static struct soak soak;
    static struct sample samples[ROUNDS_MAX];
    struct test_cert *ca = test_ca("Soak CA");
    struct test_cert *leaf = test_cert_new(&leaf_options, ca);
    SSL_CTX *context = test_cert_context((const struct test_cert *const[]){leaf, ca, NULL});
    struct urlpool_tls *tls;
    unsigned num_fds;
    size_t num;

    hold_no_more();
    make_table();
    soak.seed = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)test_now_ms() * 2654435761U;
    soak.is_short = seconds == NULL;
    printf("URLPOOL_TEST_SEED=%" PRIu64 "\n", soak.seed);
    (void)fflush(stdout);
    soak.servers = start_servers(context);
    failing_allocator_install();
    foreign_heaps_install();
    foreign_heaps_join(true);
    num_fds = loopback_num_fds();
    tls = test_trust(ca);
    soak.manager = test_manager(
        &(struct urlpool_manager_options){.tls = tls, .maxsize = PLACES, .block = true});
    ck_assert_int_eq(pthread_barrier_init(&soak.barrier, NULL, NUM_THREADS + 1), 0);
    num = run(&soak, seconds == NULL ? SHORT_ROUNDS : strtoul(seconds, NULL, 10) * 1000 / ROUND_MS,
              samples);
    check_flat(&soak, samples, num, num_fds);
    urlpool_manager_free(soak.manager);
    urlpool_tls_unref(tls);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    (void)close(soak.servers.stop_fd);
    ck_assert_int_eq(waitpid(soak.servers.child, NULL, 0), soak.servers.child);
    (void)pthread_barrier_destroy(&soak.barrier);
    SSL_CTX_free(context);
    test_cert_free(leaf);
    test_cert_free(ca);
}
END_TEST

RUN_TESTS("soak", soak__leaves_descriptors_threads_and_memory_as_they_were)
