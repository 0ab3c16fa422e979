#ifndef URLP_BASE_OWN_FD_H
#define URLP_BASE_OWN_FD_H

/* Descriptors that a forked child must not inherit: those of connections, which it could neither
 * use nor say good-bye on, and whose peers would not see the parent close them while the child
 * lives. They are closed in the child before fork() returns there. CLOEXEC does the same for exec.
 */

/* urlp_own_fd_note remembers `fd` from now on. Descriptors from 65 536 on are not remembered, and
 * stay open in a child.
 *
 * Threads: any number at once; takes no lock. */
void urlp_own_fd_note(int fd);

/* urlp_own_fd_forget ends that: somebody else is about to close `fd`. */
void urlp_own_fd_forget(int fd);

/* urlp_own_fd_close forgets and closes `fd`. Not to be called in a child for one of its parent's:
 * the number may be another descriptor's there. */
void urlp_own_fd_close(int fd);

#endif /* URLP_BASE_OWN_FD_H */
