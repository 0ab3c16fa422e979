/* Real servers beside a test: a port, a process, and the wait for it. What cannot be had aborts the
 * test. */

#include "support/daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/loopback.h"

enum {
    COME_UP_MS = 60000,
    STEP_MS = 10
};

static void die(const char *what)
{
    fprintf(stderr, "server for a test: %s: %s\n", what, strerror(errno));
    abort();
}

int test_daemon_free_port(void)
{
    const int fd = loopback_bind("127.0.0.1", 0);
    const int port = loopback_port(fd);

    (void)close(fd);
    return port;
}

pid_t test_daemon_fork(int death_signal)
{
    pid_t pid = fork();

    if (pid < 0) {
        die("fork");
    }
    if (pid == 0) {
        int nothing = open("/dev/null", O_RDWR);

        (void)prctl(PR_SET_PDEATHSIG, death_signal);
        (void)dup2(nothing, STDIN_FILENO);
        (void)dup2(nothing, STDOUT_FILENO);
        (void)dup2(nothing, STDERR_FILENO);
    }
    return pid;
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

bool test_daemon_came_up(pid_t pid, const int *ports, size_t num_ports)
{
    size_t num_up = 0;

    for (int waited_ms = 0; waited_ms < COME_UP_MS; waited_ms += STEP_MS) {
        if (waitpid(pid, NULL, WNOHANG) != 0) {
            return false;
        }
        while (num_up < num_ports && answers(ports[num_up])) {
            num_up++;
        }
        if (num_up == num_ports) {
            return true;
        }
        (void)poll(NULL, 0, STEP_MS);
    }
    die("does not come up");
    return false;
}
