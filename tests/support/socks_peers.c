/* Starts microsocks, Dante or ssh in the foreground as a child, in a process group of its own,
 * since Dante has children and ssh has its server, which it talks to over a pipe: nothing of either
 * listens to the world, and what sshd wants to find in /run is put there for it. */

#include "support/socks_peers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/daemon.h"

#define MICROSOCKS "/usr/bin/microsocks"
#define DANTE      "/usr/sbin/danted"
#define SSH        "/usr/bin/ssh"
#define SSHD       "/usr/sbin/sshd"

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
    if (program == SOCKS_SSH) {
        return access(SSH, X_OK) == 0 && access(SSHD, X_OK) == 0;
    }
    return access(program == SOCKS_DANTE ? DANTE : MICROSOCKS, X_OK) == 0;
}

/* prepare_ssh makes keys of both sides, the server's configuration, and a /run of its own. */
static void prepare_ssh(const struct socks_peer *peer)
{
    const char *folder = peer->folder;
    char command[512];

    (void)snprintf(command, sizeof(command),
                   "cd %s && ssh-keygen -q -t ed25519 -N '' -f host && "
                   "ssh-keygen -q -t ed25519 -N '' -f me && "
                   "printf 'HostKey %s/host\\nAuthorizedKeysFile %s/me.pub\\nStrictModes no\\n"
                   "UsePAM no\\nUseDNS no\\nPermitRootLogin yes\\n' >sshd.conf",
                   folder, folder, folder);
    if (system(command) != 0) {
        die(command);
    }
    if (mount("none", "/run", "tmpfs", 0, NULL) != 0 || mkdir("/run/sshd", 0755) != 0) {
        die("/run");
    }
}

static void run_ssh(const struct socks_peer *peer)
{
    char listen[32], key[128], server[256];

    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%d", peer->port);
    (void)snprintf(key, sizeof(key), "%s/me", peer->folder);
    (void)snprintf(server, sizeof(server), "ProxyCommand=" SSHD " -i -f %s/sshd.conf",
                   peer->folder);
    (void)execl(SSH, SSH, "-F", "/dev/null", "-N", "-D", listen, "-i", key, "-o", server, "-o",
                "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
                "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "root@peer", (char *)NULL);
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
    if (peer->program == SOCKS_SSH) {
        run_ssh(peer);
    } else if (peer->program == SOCKS_DANTE) {
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
    if (program == SOCKS_SSH) {
        prepare_ssh(peer);
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

void socks_peer_kill(struct socks_peer *peer)
{
    (void)kill(-peer->pid, SIGKILL);
    (void)waitpid(peer->pid, NULL, 0);
    peer->pid = 0;
}

void socks_peer_stop(struct socks_peer *peer)
{
    char command[128];

    if (peer->pid != 0) {
        socks_peer_kill(peer);
    }
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
