/* The command line of a client program: MODE and words "name=value", which name members of struct
 * bench_job. */

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "client.h"

_Noreturn void bench_die(const char *what)
{
    fprintf(stderr, "%s: %s (%s)\n", program_invocation_short_name, what, strerror(errno));
    exit(1);
}

uint64_t bench_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void bench_url_parse(const char *text, struct bench_url *out)
{
    char scheme[8];

    if (sscanf(text, "%7[a-z]://%63[^:/]:%d%127s", scheme, out->host, &out->port, out->path) != 4) {
        bench_die("not a URL of the bench");
    }
    out->tls = strcmp(scheme, "https") == 0;
}

void bench_url_of(const struct bench_job *job, int origin, char out[256])
{
    const char *mark = strstr(job->url, "%d");

    if (mark == NULL) {
        snprintf(out, 256, "%s", job->url);
        return;
    }
    snprintf(out, 256, "%.*s127.%d.%d.%d%s", (int)(mark - job->url), job->url,
             1 + (origin >> 16 & 63), origin >> 8 & 255, origin & 255, mark + 2);
}

static enum bench_what what_of(const char *name)
{
    static const char *const names[] = {"get",  "recycle",   "fresh",  "stream", "save",
                                        "send", "send-file", "decode", "lease"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            return (enum bench_what)i;
        }
    }
    bench_die("no such load");
}

enum kind {
    INT,
    COUNT,
    TEXT,
    FLAG,
    RATE,
    WHAT
};

static const struct word {
    const char *name;
    enum kind kind;
    size_t at;
} words[] = {
    {"what",     WHAT,  offsetof(struct bench_job, what)    },
    {"url",      TEXT,  offsetof(struct bench_job, url)     },
    {"ca",       TEXT,  offsetof(struct bench_job, ca)      },
    {"file",     TEXT,  offsetof(struct bench_job, file)    },
    {"threads",  INT,   offsetof(struct bench_job, threads) },
    {"places",   INT,   offsetof(struct bench_job, places)  },
    {"floor",    INT,   offsetof(struct bench_job, floor)   },
    {"origins",  INT,   offsetof(struct bench_job, origins) },
    {"idle",     INT,   offsetof(struct bench_job, idle)    },
    {"ms",       INT,   offsetof(struct bench_job, ms)      },
    {"requests", COUNT, offsetof(struct bench_job, requests)},
    {"warm",     COUNT, offsetof(struct bench_job, warm)    },
    {"bytes",    COUNT, offsetof(struct bench_job, bytes)   },
    {"around",   FLAG,  offsetof(struct bench_job, around)  },
    {"resume",   FLAG,  offsetof(struct bench_job, resume)  },
    {"new",      FLAG,  offsetof(struct bench_job, fresh)   },
    {"rate",     RATE,  offsetof(struct bench_job, rate)    },
};

static void set_word(struct bench_job *job, const struct word *word, const char *value)
{
    void *at = (char *)job + word->at;

    switch (word->kind) {
    case INT:
        *(int *)at = (int)strtol(value, NULL, 10);
        break;
    case COUNT:
        *(uint64_t *)at = strtoull(value, NULL, 10);
        break;
    case TEXT:
        *(const char **)at = value;
        break;
    case FLAG:
        *(bool *)at = true;
        break;
    case RATE:
        *(double *)at = strtod(value, NULL);
        break;
    case WHAT:
        *(enum bench_what *)at = what_of(value);
        break;
    }
}

static void read_word(struct bench_job *job, const char *text)
{
    const char *sign = strchrnul(text, '=');
    const size_t len = (size_t)(sign - text);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].name) == len && memcmp(words[i].name, text, len) == 0) {
            set_word(job, &words[i], *sign == '\0' ? "" : sign + 1);
            return;
        }
    }
    bench_die(text);
}

int main(int argc, char **argv)
{
    struct bench_job job = {.threads = 1, .floor = 2};
    struct rlimit files;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    job.mode = argc > 1 ? argv[1] : "";
    for (int i = 2; i < argc; i++) {
        read_word(&job, argv[i]);
    }
    if (job.places == 0) {
        job.places = job.threads;
    }
    if (job.url == NULL) {
        bench_die("no URL");
    }
    if (strcmp(job.mode, "load") == 0) {
        bench_load(&job);
    } else if (strcmp(job.mode, "memory") == 0) {
        bench_memory(&job);
    } else if (strcmp(job.mode, "start") == 0) {
        bench_start(&job);
    } else {
        bench_die("load, memory or start");
    }
    return 0;
}
