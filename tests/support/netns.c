/* Network namespaces, by unshare(2), and iproute2 for what is in them.
 *
 * The black hole is one end of a pair of Ethernet devices: the other end is up, and drops all that
 * is not for itself. Neighbours are not asked for (arp off), or the kernel would say after three
 * seconds that there is nobody. */

#define _GNU_SOURCE

#include "support/netns.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define IP "/usr/sbin/ip"

static void die(const char *what)
{
    (void)fprintf(stderr, "network of a test: %s: %s\n", what, strerror(errno));
    abort();
}

static void run(const char *command)
{
    if (system(command) != 0) {
        die(command);
    }
}

static bool can_unshare(void)
{
    int status = 1;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

const char *netns_trouble(void)
{
    if (access(IP, X_OK) != 0) {
        return "no iproute2";
    }
    if (geteuid() != 0) {
        return "only root may have a network namespace";
    }
    return can_unshare() ? NULL : "this machine gives nobody a network namespace";
}

void netns_enter(void)
{
    if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) {
        die("unshare");
    }
    /* In a chroot the root is no mount; then who made it has seen to what mounts it shares. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 && errno != EINVAL) {
        die("mount");
    }
    run(IP " link set lo up");
    run(IP " link add hole type veth peer name void");
    run(IP " link set hole arp off");
    run(IP " link set hole up");
    run(IP " link set void arp off");
    run(IP " link set void up");
}

void netns_add_address(const char *ip)
{
    const bool is_v6 = strchr(ip, ':') != NULL;
    char command[128];

    (void)snprintf(command, sizeof(command), IP " address add %s/%d dev lo%s", ip, is_v6 ? 128 : 32,
                   is_v6 ? " nodad" : "");
    run(command);
}

void netns_add_link_local(const char *ip)
{
    char command[256];

    (void)snprintf(command, sizeof(command),
                   IP " address add %s/64 dev lo nodad && " IP " address add %s/64 dev hole nodad",
                   ip, ip);
    run(command);
}

void netns_add_black_hole(const char *ip)
{
    char command[128];

    (void)snprintf(command, sizeof(command), IP " route add %s dev hole", ip);
    run(command);
}

void netns_replace_file(const char *path, const char *with)
{
    if (mount(with, path, NULL, MS_BIND, NULL) != 0) {
        die(path);
    }
}
