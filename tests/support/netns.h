#ifndef TESTS_SUPPORT_NETNS_H
#define TESTS_SUPPORT_NETNS_H

/* A network of the test's own: a namespace of Linux with nothing in it but loopback, where port 53
 * is free and addresses are whatever the test says. It ends with the test's process. All but
 * netns_trouble abort the test when they cannot. */

/* netns_trouble says why this process cannot have one, NULL when it can. Where it cannot, main must
 * print it and return TEST_SKIPPED. */
const char *netns_trouble(void);

/* netns_enter moves this process into a network of its own, with mounts of its own; threads and
 * processes started from now on are in it. */
void netns_enter(void);

/* netns_add_address makes `ip`, of IPv4 or IPv6, one of this machine's. */
void netns_add_address(const char *ip);

/* netns_add_link_local makes the link-local `ip`, of IPv6, one of this machine's on each of its two
 * interfaces, "lo" and "hole". */
void netns_add_link_local(const char *ip);

/* netns_add_black_hole makes a way to `ip` on which everything is lost, without a word. */
void netns_add_black_hole(const char *ip);

/* netns_replace_file has this process find the file `with` where `path` was. */
void netns_replace_file(const char *path, const char *with);

#endif /* TESTS_SUPPORT_NETNS_H */
