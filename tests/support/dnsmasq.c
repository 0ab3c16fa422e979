/* Starts dnsmasq in the foreground as a child. What it knows stands in a file that it reads again
 * at SIGHUP; that it has done so shows by a name that stands there too, other each time. */

#include "support/dnsmasq.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/daemon.h"

#define DNSMASQ "/usr/sbin/dnsmasq"

enum {
    COME_UP_MS = 60000,
    STEP_MS = 10,
    RCODE_MASK = 0x0f
};

struct dnsmasq {
    pid_t pid;
    char *folder;
    char *hosts_path;
    unsigned round;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "dnsmasq for a test: %s: %s\n", what, strerror(errno));
    abort();
}

bool dnsmasq_exists(void)
{
    return access(DNSMASQ, X_OK) == 0;
}

/* knows_round asks for the A record of "roundN", RFC 1035 section 4.1: true when there is one. */
static bool knows_round(const struct dnsmasq *dnsmasq)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint8_t packet[512] = {0, 1, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    struct pollfd wait = {.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), .events = POLLIN};
    bool is_known = false;
    int len = snprintf((char *)packet + 13, 64, "round%u", dnsmasq->round);

    packet[12] = (uint8_t)len;
    len += 14;           /* with the root behind it */
    packet[len + 1] = 1; /* A */
    packet[len + 3] = 1; /* IN */
    if (connect(wait.fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
        send(wait.fd, packet, (size_t)len + 4, MSG_NOSIGNAL) > 0 && poll(&wait, 1, STEP_MS) == 1 &&
        recv(wait.fd, packet, sizeof(packet), MSG_DONTWAIT) > 12) {
        is_known = (packet[3] & RCODE_MASK) == 0 && packet[7] > 0;
    }
    (void)close(wait.fd);
    return is_known;
}

static void await_round(const struct dnsmasq *dnsmasq)
{
    for (int waited_ms = 0; waited_ms < COME_UP_MS; waited_ms += STEP_MS) {
        if (waitpid(dnsmasq->pid, NULL, WNOHANG) != 0) {
            die("has ended");
        }
        if (knows_round(dnsmasq)) {
            return;
        }
        (void)poll(NULL, 0, STEP_MS);
    }
    die("does not answer");
}

static void write_hosts(struct dnsmasq *dnsmasq, const char *hosts)
{
    FILE *file = fopen(dnsmasq->hosts_path, "w");

    dnsmasq->round++;
    if (file == NULL || fprintf(file, "%s127.0.0.1 round%u\n", hosts, dnsmasq->round) < 0 ||
        fclose(file) != 0) {
        die(dnsmasq->hosts_path);
    }
}

struct dnsmasq *dnsmasq_start(unsigned ttl_s)
{
    struct dnsmasq *dnsmasq = calloc(1, sizeof(*dnsmasq));
    char hosts[256], ttl[32];

    if (dnsmasq == NULL) {
        die("memory");
    }
    dnsmasq->folder = test_dir();
    dnsmasq->hosts_path = test_file(dnsmasq->folder, "hosts", "");
    write_hosts(dnsmasq, "");
    (void)snprintf(hosts, sizeof(hosts), "--addn-hosts=%s", dnsmasq->hosts_path);
    (void)snprintf(ttl, sizeof(ttl), "--local-ttl=%u", ttl_s);
    dnsmasq->pid = test_daemon_fork(SIGKILL); /* a test that dies takes its server along */
    if (dnsmasq->pid == 0) {
        (void)execl(DNSMASQ, DNSMASQ, "--keep-in-foreground", "--conf-file=/dev/null",
                    "--no-resolv", "--no-hosts", "--user=root", "--pid-file=", "--log-facility=-",
                    "--bind-interfaces", "--listen-address=127.0.0.1," DNSMASQ_IP, hosts, ttl,
                    "--local=/example/", "--cname=alias.example,moving.example,2",
                    "--address=/half.example/192.0.2.1", "--server=/half.example/" DNSMASQ_NOWHERE,
                    "--address=/half6.example/2001:db8::1",
                    "--server=/half6.example/" DNSMASQ_NOWHERE,
                    "--server=/lost.example/" DNSMASQ_NOWHERE, (char *)NULL);
        _exit(127);
    }
    await_round(dnsmasq);
    return dnsmasq;
}

void dnsmasq_stop(struct dnsmasq *dnsmasq)
{
    if (dnsmasq == NULL) {
        return;
    }
    (void)kill(dnsmasq->pid, SIGKILL);
    (void)waitpid(dnsmasq->pid, NULL, 0);
    free(dnsmasq->hosts_path);
    test_dir_remove(dnsmasq->folder);
    free(dnsmasq);
}

void dnsmasq_know(struct dnsmasq *dnsmasq, const char *hosts)
{
    write_hosts(dnsmasq, hosts);
    if (kill(dnsmasq->pid, SIGHUP) != 0) {
        die("SIGHUP");
    }
    await_round(dnsmasq);
}
