/* Runs a program with its output in files of its own, so that it can never wait for us. It dies
 * with the test that began it. */

#include "support/program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CANNOT_RUN = 127
};

struct program {
    pid_t pid;
    int out_fd, err_fd; /* -1: not ours */
};

static void die(const char *what)
{
    fprintf(stderr, "running a program: %s: %s\n", what, strerror(errno));
    abort();
}

static int new_file(const char *text)
{
    int fd = memfd_create("program", MFD_CLOEXEC);
    size_t len = strlen(text);

    if (fd < 0 || write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0) {
        die("memfd_create");
    }
    return fd;
}

/* become runs in the child. */
static void become(const char *const *args, const char *dir, int in, int out, int err)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || dup2(in, STDIN_FILENO) < 0 ||
        dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0 ||
        (dir != NULL && chdir(dir) != 0)) {
        _exit(CANNOT_RUN);
    }
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)execv(args[0], (char *const *)(const void *)args);
    _exit(CANNOT_RUN);
}

struct program *program_start(const char *const *args, const struct program_options *options)
{
    static const struct program_options none;
    struct program *program = calloc(1, sizeof(*program));
    int in;

    if (options == NULL) {
        options = &none;
    }
    if (program == NULL) {
        die("calloc");
    }
    in = new_file(options->input != NULL ? options->input : "");
    program->out_fd = options->out_fd > 0 ? -1 : new_file("");
    program->err_fd = options->err_fd > 0 ? -1 : new_file("");
    program->pid = fork();
    if (program->pid < 0) {
        die("fork");
    }
    if (program->pid == 0) {
        become(args, options->dir, in, options->out_fd > 0 ? options->out_fd : program->out_fd,
               options->err_fd > 0 ? options->err_fd : program->err_fd);
    }
    (void)close(in);
    return program;
}

int program_pid(const struct program *program)
{
    return program->pid;
}

void program_signal(const struct program *program, int number)
{
    if (kill(program->pid, number) != 0) {
        die("kill");
    }
}

static char *take_file(int fd, size_t *out_len)
{
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    char *text = calloc(1, (size_t)size + 1);
    size_t len = 0;

    if (text == NULL || size < 0) {
        die("calloc");
    }
    while (len < (size_t)size) {
        ssize_t got = pread(fd, text + len, (size_t)size - len, (off_t)len);
        if (got <= 0) {
            die("pread");
        }
        len += (size_t)got;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    *out_len = len;
    return text;
}

struct ran *program_wait(struct program *program)
{
    struct ran *ran = calloc(1, sizeof(*ran));
    struct rusage usage;
    int status = 0;

    if (ran == NULL) {
        die("calloc");
    }
    while (wait4(program->pid, &status, 0, &usage) < 0) {
        if (errno != EINTR) {
            die("wait4");
        }
    }
    ran->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    ran->peak_kib = usage.ru_maxrss;
    ran->out = take_file(program->out_fd, &ran->out_len);
    ran->err = take_file(program->err_fd, &ran->err_len);
    free(program);
    return ran;
}

struct ran *program_run(const char *const *args, const struct program_options *options)
{
    return program_wait(program_start(args, options));
}

void ran_free(struct ran *ran)
{
    if (ran != NULL) {
        free(ran->out);
        free(ran->err);
        free(ran);
    }
}
