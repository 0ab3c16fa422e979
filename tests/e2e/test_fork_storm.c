/* Eight threads fork while thirty-two use one manager, plain and over TLS. A child makes requests
 * with the manager it was given and with one of its own, and ends both; or it executes this program
 * anew, which looks for descriptors that it should not have. No connection is ever heard from by
 * two processes, nobody waits for ever, and no request of the parent's fails. URLPOOL_TEST_FORKS is
 * how often each thread forks.
 *
 * The servers are a process of their own: fork waits for nobody who calls the TLS library past
 * urlpool, as they do, and a child could find its locks held. */

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/sanitizers.h"

enum {
    NUM_USERS = 32,
    NUM_FORKERS = 8,
    NUM_FORKS = 6,
    PLACES = 8, /* of each of the two origins */
    CHILD_SECONDS = 60,
    CONNECTIONS_MAX = 65536,
    URL_BYTES = 128,
    CA_BYTES = 4096,
    TEXT_BYTES = 32
};

/* Where children cannot, they only execute. */
#define MAY_WORK_ON (!IS_SANITIZED)

/* Which process is heard from on each connection of a server. */
struct speakers {
    _Atomic int pids[CONNECTIONS_MAX];
    atomic_uint num_shared;
};

/* struct site is what the servers' process tells: where they are, and whom to trust. */
struct site {
    char urls[2][URL_BYTES]; /* plain, TLS */
    char ca[CA_BYTES];
};

struct storm {
    pid_t servers;
    struct speakers *speakers; /* plain, TLS: shared with the servers' process */
    struct urlpool_tls *tls;
    struct urlpool_manager *manager;
    char urls[2][URL_BYTES];
    char num_inherited[TEXT_BYTES]; /* descriptors that this process does not close on exec */
    atomic_bool is_over;
    atomic_uint num_answers, num_failed, num_children[3], num_bad_children;
};

static struct storm storm;

/* num_kept is how many descriptors an exec would leave open; those of other programs, which called
 * this one, are among them. */
static unsigned num_kept(bool tells)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned num = 0;

    if (dir == NULL) {
        return ~0U;
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        const int fd = atoi(entry->d_name);
        const int flags = entry->d_name[0] != '.' ? fcntl(fd, F_GETFD) : -1;

        if (flags >= 0 && (flags & FD_CLOEXEC) == 0) {
            num++;
            if (tells) {
                (void)fprintf(stderr, "descriptor %d is open\n", fd);
            }
        }
    }
    (void)closedir(dir);
    return num;
}

/* answer notes who speaks. */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    struct speakers *speakers = user;
    const char *field = strstr(request->head, "X-Pid: ");
    const int pid = field != NULL ? atoi(field + strlen("X-Pid: ")) : -1;
    int before = 0;

    if (!atomic_compare_exchange_strong(&speakers->pids[request->connection % CONNECTIONS_MAX],
                                        &before, pid) &&
        before != pid) {
        atomic_fetch_add(&speakers->num_shared, 1);
    }
    test_answer_hello(peer, request, NULL);
}

/* fetches makes a request in the name of this process. */
static bool fetches(struct urlpool_manager *manager, const char *url)
{
    struct urlpool_error err = {0};
    struct urlpool_headers *headers = urlpool_headers_new(&err);
    const struct urlpool_request_options options = {.headers = headers,
                                                    .timeout = {.total_ms = 15000}};
    struct urlpool_response *response = NULL;
    char pid[TEXT_BYTES];
    bool is_good;

    (void)snprintf(pid, sizeof(pid), "%d", getpid());
    if (headers != NULL && urlpool_headers_add(headers, "X-Pid", pid, &err) == URLPOOL_OK) {
        response = urlpool_request(manager, "GET", url, &options, &err);
    }
    is_good = response != NULL && response->status == 200;
    if (!is_good) {
        (void)fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_response_free(response);
    urlpool_headers_free(headers);
    return is_good;
}

static void *use(void *arg)
{
    const size_t number = *(size_t *)arg;

    for (size_t i = number; !atomic_load(&storm.is_over); i++) {
        atomic_fetch_add(
            fetches(storm.manager, storm.urls[i % 2]) ? &storm.num_answers : &storm.num_failed, 1);
    }
    return NULL;
}

static bool uses_both(struct urlpool_manager *manager)
{
    return fetches(manager, storm.urls[0]) && fetches(manager, storm.urls[1]) &&
           fetches(manager, storm.urls[0]) && fetches(manager, storm.urls[1]);
}

/* be_child ends the child: by what it was given, by its own, or in another program. */
static _Noreturn void be_child(unsigned kind)
{
    struct urlpool_manager *own;
    bool is_good;

    (void)signal(SIGALRM, SIG_DFL);
    (void)alarm(CHILD_SECONDS);
    if (kind == 2) {
        (void)execl("/proc/self/exe", "test_fork_storm", "look", storm.num_inherited, NULL);
        _exit(3);
    }
    if (kind == 1) {
        is_good = uses_both(storm.manager);
        urlpool_manager_free(storm.manager);
        _exit(is_good ? 0 : 1);
    }
    own = urlpool_manager_new(
        &(struct urlpool_manager_options){.tls = storm.tls, .maxsize = 1, .block = true}, NULL);
    is_good = own != NULL && uses_both(own);
    urlpool_manager_free(own);
    _exit(is_good ? 0 : 1);
}

static void *fork_often(void *arg)
{
    const size_t number = *(size_t *)arg;
    const char *asked = getenv("URLPOOL_TEST_FORKS");
    const size_t num = asked != NULL ? strtoul(asked, NULL, 10) : NUM_FORKS;

    for (size_t i = 0; i < num; i++) {
        const unsigned kind = MAY_WORK_ON ? (unsigned)((number + i) % 3) : 2;
        const pid_t child = fork();
        int status = -1;

        if (child == 0) {
            be_child(kind);
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
            (void)fprintf(stderr, "child of kind %u ended with 0x%x\n", kind, (unsigned)status);
            atomic_fetch_add(&storm.num_bad_children, 1);
        }
        atomic_fetch_add(&storm.num_children[kind], 1);
    }
    return NULL;
}

/* serve is the servers' process: it tells `out`, and is there until it is killed. */
static _Noreturn void serve(int out)
{
    struct https_scene https = https_scene_begin(answer, &storm.speakers[1], NULL);
    struct test_server *plain = test_server_start(answer, &storm.speakers[0], NULL);
    struct site site = {0};
    char *ca = test_cert_pem(https.ca);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)test_server_url(plain, "/", site.urls[0], URL_BYTES);
    (void)test_server_url(https.server, "/", site.urls[1], URL_BYTES);
    (void)snprintf(site.ca, sizeof(site.ca), "%s", ca);
    if (write(out, &site, sizeof(site)) != (ssize_t)sizeof(site)) {
        _exit(1);
    }
    for (;;) {
        (void)pause();
    }
}

static void begin_servers(struct site *out)
{
    const size_t size = 2 * sizeof(*storm.speakers);
    int ends[2];

    storm.speakers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(storm.speakers != MAP_FAILED);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    storm.servers = fork();
    ck_assert_int_ge(storm.servers, 0);
    if (storm.servers == 0) {
        serve(ends[1]);
    }
    (void)close(ends[1]);
    ck_assert_int_eq(read(ends[0], out, sizeof(*out)), (int)sizeof(*out));
    (void)close(ends[0]);
}

static void begin(void)
{
    struct site site;
    struct urlpool_tls_options trust = {.ca_data = site.ca};

    begin_servers(&site);
    memcpy(storm.urls, site.urls, sizeof(storm.urls));
    trust.ca_data_len = strlen(site.ca);
    storm.tls = urlpool_tls_new(&trust, &test_err);
    ck_assert_msg(storm.tls != NULL, "%s", test_err.message);
    (void)snprintf(storm.num_inherited, sizeof(storm.num_inherited), "%u", num_kept(false));
    storm.manager = test_manager(
        &(struct urlpool_manager_options){.tls = storm.tls, .maxsize = PLACES, .block = true});
}

START_TEST(fork__in_eight_threads_while_thirty_two_use_the_pool)
{
    pthread_t users[NUM_USERS];
    pthread_t forkers[NUM_FORKERS];
    size_t numbers[NUM_USERS];

    begin();
    for (size_t i = 0; i < NUM_USERS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&users[i], NULL, use, &numbers[i]), 0);
    }
    while (atomic_load(&storm.num_answers) < NUM_USERS) {
        ck_assert_uint_eq(atomic_load(&storm.num_failed), 0);
        (void)sched_yield();
    }
    for (size_t i = 0; i < NUM_FORKERS; i++) {
        ck_assert_int_eq(pthread_create(&forkers[i], NULL, fork_often, &numbers[i]), 0);
    }
    for (size_t i = 0; i < NUM_FORKERS; i++) {
        ck_assert_int_eq(pthread_join(forkers[i], NULL), 0);
    }
    atomic_store(&storm.is_over, true);
    for (size_t i = 0; i < NUM_USERS; i++) {
        ck_assert_int_eq(pthread_join(users[i], NULL), 0);
    }
    printf("%u children with the parent's manager, %u with one of their own, %u executed; "
           "%u requests of the parent's\n",
           storm.num_children[1], storm.num_children[0], storm.num_children[2], storm.num_answers);
    (void)fflush(stdout);
    ck_assert_uint_eq(storm.num_failed, 0);
    ck_assert_uint_eq(storm.num_bad_children, 0);
    ck_assert_uint_eq(storm.speakers[0].num_shared + storm.speakers[1].num_shared, 0);
    urlpool_manager_free(storm.manager);
    urlpool_tls_unref(storm.tls);
    ck_assert_int_eq(kill(storm.servers, SIGKILL), 0);
    ck_assert_int_eq(waitpid(storm.servers, NULL, 0), storm.servers);
    ck_assert_int_eq(munmap(storm.speakers, 2 * sizeof(*storm.speakers)), 0);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {fork__in_eight_threads_while_thirty_two_use_the_pool};

    if (argc == 3 && strcmp(argv[1], "look") == 0) {
        return num_kept(false) == (unsigned)atoi(argv[2]) ? 0 : (int)(num_kept(true) != 0);
    }
    return run_tests("fork storm", tests, 1);
}
