/* The contender libcurl: an easy handle for each thread, kept, as its manual advises. Bodies are
 * put into memory that is kept, or grows anew; headers libcurl keeps for curl_easy_header. */

#include <curl/curl.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

struct own {
    const struct bench_job *job;
    CURL *easy;
    char *data;
    size_t len, room;
    uint64_t bytes;
    uint64_t sent;
    int fd;
    char error[CURL_ERROR_SIZE];
};

static void *open_curl(const struct bench_job *job)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return (void *)(uintptr_t)job;
}

static void close_curl(void *shared)
{
    (void)shared;
}

/* keep appends to the body in memory. */
static void keep(struct own *own, const char *data, size_t len)
{
    if (own->len + len > own->room) {
        curl_off_t length = 0;

        /* the whole at once where its length is known */
        curl_easy_getinfo(own->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        own->room = length > 0 && own->len == 0 ? (size_t)length : 2 * (own->len + len);
        own->data = realloc(own->data, own->room);
        if (own->data == NULL) {
            bench_die("memory");
        }
    }
    memcpy(own->data + own->len, data, len);
    own->len += len;
}

static size_t on_body(char *data, size_t one, size_t len, void *arg)
{
    struct own *own = arg;

    (void)one;
    own->bytes += len;
    if (own->job->what == BENCH_SAVE) {
        if (write(own->fd, data, len) != (ssize_t)len) {
            bench_die("write");
        }
    } else if (own->job->what == BENCH_GET || own->job->what == BENCH_FRESH) {
        keep(own, data, len);
    }
    return len;
}

static size_t on_upload(char *buf, size_t one, size_t len, void *arg)
{
    struct own *own = arg;
    const uint64_t left = own->job->bytes - own->sent;
    ssize_t n;

    len = one * len < left ? one * len : left;
    if (own->job->what == BENCH_SEND) {
        memcpy(buf, own->data + own->sent, len);
    } else if ((n = read(own->fd, buf, len)) != (ssize_t)len) {
        bench_die("read");
    }
    own->sent += len;
    return len;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
    struct own *own = arg;

    own->sent = (uint64_t)offset;
    return own->fd < 0 || lseek(own->fd, offset, origin) == offset ? CURL_SEEKFUNC_OK
                                                                   : CURL_SEEKFUNC_FAIL;
}

static void set_upload(struct own *own)
{
    static struct curl_slist no_expect = {.data = (char *)(uintptr_t) "Expect:"};

    curl_easy_setopt(own->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(own->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BENCH_PIECE);
    curl_easy_setopt(own->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)own->job->bytes);
    curl_easy_setopt(own->easy, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(own->easy, CURLOPT_READDATA, own);
    curl_easy_setopt(own->easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(own->easy, CURLOPT_SEEKDATA, own);
    curl_easy_setopt(own->easy, CURLOPT_HTTPHEADER, &no_expect);
    if (own->job->what == BENCH_SEND) {
        own->data = malloc(own->job->bytes);
        if (own->data == NULL) {
            bench_die("memory");
        }
        memset(own->data, 'x', own->job->bytes);
    }
}

static void set_options(struct own *own)
{
    const struct bench_job *job = own->job;

    curl_easy_setopt(own->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(own->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(own->easy, CURLOPT_USERAGENT, "bench/1.0");
    curl_easy_setopt(own->easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(own->easy, CURLOPT_ERRORBUFFER, own->error);
    curl_easy_setopt(own->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(own->easy, CURLOPT_WRITEDATA, own);
    if (job->what == BENCH_STREAM || job->what == BENCH_SAVE || job->what == BENCH_FRESH) {
        curl_easy_setopt(own->easy, CURLOPT_BUFFERSIZE, (long)BENCH_PIECE);
    }
    if (job->ca != NULL) {
        curl_easy_setopt(own->easy, CURLOPT_CAINFO, job->ca);
        curl_easy_setopt(own->easy, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(own->easy, CURLOPT_SSL_SESSIONID_CACHE, job->resume ? 1L : 0L);
    curl_easy_setopt(own->easy, CURLOPT_FORBID_REUSE, job->fresh ? 1L : 0L);
}

static void *enter(void *shared, const struct bench_job *job)
{
    struct own *own = calloc(1, sizeof(*own));

    (void)shared;
    if (own == NULL) {
        bench_die("memory");
    }
    own->job = job;
    own->fd = -1;
    own->easy = curl_easy_init();
    set_options(own);
    if (job->what == BENCH_SAVE) {
        own->fd = open(job->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    } else if (job->what == BENCH_SEND_FILE) {
        own->fd = open(job->file, O_RDONLY | O_CLOEXEC);
    }
    if (job->what == BENCH_SEND || job->what == BENCH_SEND_FILE) {
        set_upload(own);
    }
    return own;
}

static void leave(void *arg)
{
    struct own *own = arg;

    curl_easy_cleanup(own->easy);
    if (own->fd >= 0) {
        close(own->fd);
    }
    free(own->data);
    free(own);
}

static uint64_t go(void *arg, const char *url)
{
    struct own *own = arg;
    struct curl_header *header;
    long status = 0;

    own->bytes = 0;
    own->len = 0;
    own->sent = 0;
    if (own->fd >= 0) {
        (void)lseek(own->fd, 0, SEEK_SET);
    }
    curl_easy_setopt(own->easy, CURLOPT_URL, url);
    if (curl_easy_perform(own->easy) != CURLE_OK) {
        bench_die(own->error);
    }
    curl_easy_getinfo(own->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 ||
        curl_easy_header(own->easy, "Content-Type", 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
        bench_die("status");
    }
    if (own->job->what == BENCH_FRESH) {
        free(own->data);
        own->data = NULL;
        own->room = 0;
    }
    return own->job->what == BENCH_SEND || own->job->what == BENCH_SEND_FILE ? own->sent
                                                                             : own->bytes;
}

const struct bench_client bench_client = {
    .open = open_curl, .enter = enter, .go = go, .leave = leave, .close = close_curl};
