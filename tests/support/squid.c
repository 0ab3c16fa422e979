/* Starts squid in the foreground as a child, with a configuration written on the spot. Started by
 * root it becomes the user "proxy", who must then own its folder. */

#include "support/squid.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/daemon.h"

#define SQUID     "/usr/sbin/squid"
#define ASKER     "/usr/lib/squid/basic_ncsa_auth"
#define PASSWORDS "me:$apr1$urlpool$0MajmpU4R0RHtsaLHSuNU.\n" /* secret */

struct test_squid {
    pid_t pid;
    int ports[2]; /* http, https */
    char *folder;
    char *ca;
};

static void die(const char *what)
{
    fprintf(stderr, "squid for a test: %s: %s\n", what, strerror(errno));
    abort();
}

bool test_squid_exists(void)
{
    return access(SQUID, X_OK) == 0 && access(ASKER, X_OK) == 0 &&
           system(SQUID " -v 2>/dev/null | grep -q -e --with-openssl") == 0;
}

static void write_certificates(struct test_squid *squid)
{
    const struct test_name names[] = {TEST_DNS("localhost"), TEST_IP("\x7f\x00\x00\x01")};
    const struct test_cert_options options = {
        .common_name = "squid", .names = names, .num_names = 2};
    struct test_cert *ca = test_ca("Test CA");
    struct test_cert *leaf = test_cert_new(&options, ca);
    char *pem = test_cert_pem(leaf);
    char *key = test_cert_key_pem(leaf);

    squid->ca = test_cert_pem(ca);
    free(test_file(squid->folder, "cert.pem", pem));
    free(test_file(squid->folder, "key.pem", key));
    free(pem);
    free(key);
    test_cert_free(leaf);
    test_cert_free(ca);
}

static void write_configuration(const struct test_squid *squid, bool asks_who)
{
    const char *folder = squid->folder;
    char who[512] = "http_access allow all\n";
    char text[4096];

    if (asks_who) {
        snprintf(who, sizeof(who),
                 "auth_param basic program " ASKER " %s/passwords\n"
                 "auth_param basic children 1\n"
                 "auth_param basic realm test\n"
                 "acl known proxy_auth REQUIRED\n"
                 "http_access allow known\n"
                 "http_access deny all\n",
                 folder);
    }
    snprintf(text, sizeof(text),
             "http_port 127.0.0.1:%d\n"
             "https_port 127.0.0.1:%d tls-cert=%s/cert.pem tls-key=%s/key.pem\n"
             "pid_filename %s/pid\n"
             "cache_log %s/cache.log\n"
             "coredump_dir %s\n"
             "access_log none\n"
             "cache deny all\n"
             "cache_mem 0\n"
             "pinger_enable off\n"
             "shutdown_lifetime 0 seconds\n"
             "visible_hostname squid.test\n"
             "max_filedescriptors 1024\n"
             "%s",
             squid->ports[0], squid->ports[1], folder, folder, folder, folder, folder, who);
    free(test_file(folder, "squid.conf", text));
    free(test_file(folder, "passwords", PASSWORDS));
}

/* hand_over gives the folder to whom squid turns into. */
static void hand_over(const struct test_squid *squid)
{
    static const char *const names[] = {"", "/cert.pem", "/key.pem", "/squid.conf", "/passwords"};
    const struct passwd *user = geteuid() == 0 ? getpwnam("proxy") : NULL;
    char path[256];

    for (size_t i = 0; user != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", squid->folder, names[i]);
        if (chown(path, user->pw_uid, user->pw_gid) != 0) {
            die(path);
        }
    }
}

static void start_process(struct test_squid *squid)
{
    char conf[256];
    char name[32];

    snprintf(conf, sizeof(conf), "%s/squid.conf", squid->folder);
    snprintf(name, sizeof(name), "test%d", squid->ports[0]);
    squid->pid = test_daemon_fork(SIGKILL); /* a test that dies takes its server along */
    if (squid->pid == 0) {
        execl(SQUID, SQUID, "-N", "-n", name, "-f", conf, (char *)NULL);
        _exit(127);
    }
}

struct test_squid *test_squid_start(bool asks_who)
{
    struct test_squid *squid = calloc(1, sizeof(*squid));

    if (squid == NULL) {
        die("memory");
    }
    squid->folder = test_dir();
    write_certificates(squid);
    for (int i = 0; i < TEST_DAEMON_TRIES; i++) {
        squid->ports[0] = test_daemon_free_port();
        squid->ports[1] = test_daemon_free_port();
        write_configuration(squid, asks_who);
        hand_over(squid);
        start_process(squid);
        if (test_daemon_came_up(squid->pid, squid->ports, 2)) {
            return squid;
        }
    }
    die("does not start: see cache.log in its folder");
    return NULL;
}

/* forget_memory removes what a squid that is killed leaves in shared memory. */
static void forget_memory(const struct test_squid *squid)
{
    static const char *const parts[] = {"cf__metadata", "cf__queues", "cf__readers",
                                        "tls_session_cache"};
    char name[64];

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        snprintf(name, sizeof(name), "/test%d-%s.shm", squid->ports[0], parts[i]);
        (void)shm_unlink(name);
    }
}

void test_squid_stop(struct test_squid *squid)
{
    (void)kill(squid->pid, SIGKILL);
    (void)waitpid(squid->pid, NULL, 0);
    forget_memory(squid);
    test_dir_remove(squid->folder);
    free(squid->ca);
    free(squid);
}

int test_squid_port(const struct test_squid *squid, bool https)
{
    return squid->ports[https ? 1 : 0];
}

const char *test_squid_ca(const struct test_squid *squid)
{
    return squid->ca;
}
