/* Starts microsocks or Dante in the foreground as a child, in a process group of its own, since
 * Dante has children. */

#include "support/socks_peers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/daemon.h"

#define MICROSOCKS "/usr/bin/microsocks"
#define DANTE      "/usr/sbin/danted"

struct socks_peer {
    enum socks_program program;
    const char *user, *password;
    pid_t pid;
    int port;
    char folder[64];
};

static void die(const char *what)
{
    (void)fprintf(stderr, "SOCKS proxy for a test: %s: %s\n", what, strerror(errno));
    abort();
}

bool socks_peer_exists(enum socks_program program)
{
    return access(program == SOCKS_DANTE ? DANTE : MICROSOCKS, X_OK) == 0;
}

/* Another user would not be told when the test dies: the kernel forgets that with the user. */
static void write_configuration(const struct socks_peer *peer)
{
    const char *users = geteuid() == 0 ? "user.privileged: root\nuser.unprivileged: root\n" : "";
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/danted.conf", peer->folder);
    file = fopen(path, "w");
    if (file == NULL ||
        fprintf(file,
                "internal: 127.0.0.1 port = %d\nexternal: 127.0.0.1\n"
                "socksmethod: none\nclientmethod: none\n%s"
                "client pass {\n from: 0.0.0.0/0 to: 0.0.0.0/0\n}\n"
                "socks block {\n from: 0.0.0.0/0 to: 0.0.0.0/0 port = 7\n}\n"
                "socks pass {\n from: 0.0.0.0/0 to: 0.0.0.0/0\n command: connect\n}\n",
                peer->port, users) < 0 ||
        fclose(file) != 0) {
        die(path);
    }
}

static void run(const struct socks_peer *peer)
{
    char port[8], conf[128], pid[128];

    (void)snprintf(port, sizeof(port), "%d", peer->port);
    (void)snprintf(conf, sizeof(conf), "%s/danted.conf", peer->folder);
    (void)snprintf(pid, sizeof(pid), "%s/pid", peer->folder);
    if (peer->program == SOCKS_DANTE) {
        (void)execl(DANTE, DANTE, "-f", conf, "-p", pid, "-N", "1", (char *)NULL);
    } else if (peer->user == NULL) {
        (void)execl(MICROSOCKS, MICROSOCKS, "-i", "127.0.0.1", "-p", port, (char *)NULL);
    } else {
        (void)execl(MICROSOCKS, MICROSOCKS, "-i", "127.0.0.1", "-p", port, "-u", peer->user, "-P",
                    peer->password, (char *)NULL);
    }
    _exit(127);
}

static void start_process(struct socks_peer *peer)
{
    peer->pid = test_daemon_fork(SIGTERM); /* a test that dies takes its server along */
    if (peer->pid == 0) {
        (void)setpgid(0, 0);
        run(peer);
    }
    (void)setpgid(peer->pid, peer->pid);
}

struct socks_peer *socks_peer_start(enum socks_program program, const char *user,
                                    const char *password)
{
    struct socks_peer *peer = calloc(1, sizeof(*peer));

    if (peer == NULL) {
        die("memory");
    }
    peer->program = program;
    peer->user = user;
    peer->password = password;
    (void)snprintf(peer->folder, sizeof(peer->folder), "/tmp/urlpool-socks-XXXXXX");
    if (mkdtemp(peer->folder) == NULL) {
        die("folder");
    }
    for (int i = 0; i < TEST_DAEMON_TRIES; i++) {
        peer->port = test_daemon_free_port();
        write_configuration(peer);
        start_process(peer);
        if (test_daemon_came_up(peer->pid, &peer->port, 1)) {
            return peer;
        }
    }
    die("does not start");
    return NULL;
}

void socks_peer_stop(struct socks_peer *peer)
{
    char command[128];

    (void)kill(-peer->pid, SIGKILL);
    (void)waitpid(peer->pid, NULL, 0);
    (void)snprintf(command, sizeof(command), "rm -rf %s", peer->folder);
    if (system(command) != 0) {
        die(command);
    }
    free(peer);
}

int socks_peer_port(const struct socks_peer *peer)
{
    return peer->port;
}
