#ifndef URLP_BASE_NO_FORK_H
#define URLP_BASE_NO_FORK_H

/* urlp_no_fork_begin: until urlp_no_fork_end no other thread of the process forks, so that no child
 * finds a lock held that is taken in between. For calls into libraries with locks of their own;
 * nothing in between may wait for a peer, or fork() of another thread waits with it. May be nested.
 *
 * Errors:  none; a child made by vfork, clone or posix_spawn does not wait.
 * Threads: any number at once. It waits while another thread is inside fork(). */
void urlp_no_fork_begin(void);
/* urlp_no_fork_end ends the last urlp_no_fork_begin of this thread. */
void urlp_no_fork_end(void);

#endif /* URLP_BASE_NO_FORK_H */
