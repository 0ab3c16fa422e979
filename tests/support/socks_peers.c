/* Starts microsocks or Dante in the foreground as a child, in a process group of its own, since
 * Dante has children. A port is found by binding to port 0 and letting go of it; a program that
 * finds it taken again is started anew. */

#include "support/socks_peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    NUM_TRIES = 5,
    COME_UP_MS = 5000
};

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

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        die("port");
    }
    (void)close(fd);
    return ntohs(address.sin_port);
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
    peer->pid = fork();
    if (peer->pid < 0) {
        die("fork");
    }
    if (peer->pid == 0) {
        int nothing = open("/dev/null", O_RDWR);

        (void)setpgid(0, 0);
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that dies takes its proxy along */
        (void)dup2(nothing, STDIN_FILENO);
        (void)dup2(nothing, STDOUT_FILENO);
        (void)dup2(nothing, STDERR_FILENO);
        run(peer);
    }
    (void)setpgid(peer->pid, peer->pid);
}

static bool answers(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_up = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    (void)close(fd);
    return is_up;
}

/* came_up waits until the port answers; false when the program has ended instead. */
static bool came_up(struct socks_peer *peer)
{
    for (int waited_ms = 0; waited_ms < COME_UP_MS; waited_ms += 10) {
        if (waitpid(peer->pid, NULL, WNOHANG) != 0) {
            return false;
        }
        if (answers(peer->port)) {
            return true;
        }
        (void)poll(NULL, 0, 10);
    }
    die("does not come up");
    return false;
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
    for (int i = 0; i < NUM_TRIES; i++) {
        peer->port = free_port();
        write_configuration(peer);
        start_process(peer);
        if (came_up(peer)) {
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
