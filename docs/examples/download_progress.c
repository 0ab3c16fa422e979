/* Downloads to a file, piece by piece, and says how far it is. The body is never in memory as a
 * whole, and a download that fails leaves no file of that name behind.
 *
 *   cc download_progress.c $(pkg-config --cflags --libs urlpool) -o download_progress
 *   ./download_progress https://example.com/big.iso big.iso */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <urlpool/urlpool.h>

struct download {
    FILE *file;
    const struct urlpool_response *resp;
    int percent_said;
};

/* take_piece is called with each piece of the decoded body. */
static enum urlpool_code take_piece(void *user, const void *data, size_t len,
                                    struct urlpool_error *err)
{
    struct download *to = user;
    int64_t had = urlpool_response_tell(to->resp);
    int64_t left = urlpool_response_length_remaining(to->resp); /* -1: the server did not say */
    int percent = left >= 0 && had + left > 0 ? (int)(had * 100 / (had + left)) : -1;

    if (fwrite(data, 1, len, to->file) != len) {
        snprintf(err->message, sizeof(err->message), "writing the file: %s", strerror(errno));
        return err->code = URLPOOL_E_SYSTEM;
    }
    if (percent >= to->percent_said + 10) {
        fprintf(stderr, "%3d %% of %" PRId64 " bytes\n", percent, had + left);
        to->percent_said = percent;
    }
    return URLPOOL_OK;
}

/* download writes the body of a 200 into `part`, an open file. */
static enum urlpool_code download(struct urlpool_manager *http, const char *url, FILE *part,
                                  struct urlpool_error *err)
{
    const struct urlpool_request_options options = {
        .stream = true,
        .timeout = {.read_ms = 20000}, /* silence ends it; a download that moves may take hours */
    };
    struct urlpool_response *resp = urlpool_request(http, "GET", url, &options, err);
    struct download to = {.file = part, .resp = resp};
    enum urlpool_code code = resp == NULL ? err->code : URLPOOL_OK;

    if (resp != NULL && resp->status != URLPOOL_HTTP_OK) {
        snprintf(err->message, sizeof(err->message), "the server says %d %s", resp->status,
                 resp->reason);
        code = err->code = URLPOOL_E_INVALID;
    } else if (resp != NULL) {
        code = urlpool_response_stream(resp, take_piece, &to, err);
    }
    urlpool_response_free(resp);
    return code;
}

int main(int argc, char **argv)
{
    struct urlpool_error err = {0};
    struct urlpool_manager *http = argc == 3 ? urlpool_manager_new(NULL, &err) : NULL;
    char part[4096];
    FILE *file = NULL;
    int good = 0;

    if (http != NULL && snprintf(part, sizeof(part), "%s.part", argv[2]) < (int)sizeof(part)) {
        file = fopen(part, "wb");
    }
    if (file != NULL) {
        good = download(http, argv[1], file, &err) == URLPOOL_OK;
        good &= fclose(file) == 0; /* the last bytes are written here */
        good = good && rename(part, argv[2]) == 0;
        if (!good) {
            (void)remove(part);
        }
    }
    if (!good) {
        fprintf(stderr, "no download: %s\n",
                err.code != URLPOOL_OK ? err.message : strerror(errno));
    }
    urlpool_manager_free(http);
    return good ? 0 : 1;
}
