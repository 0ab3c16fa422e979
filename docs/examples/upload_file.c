/* Uploads a file with PUT: the kernel takes it from the disk (sendfile, where there is no TLS), its
 * size is the Content-Length, and it is sent again from where it began when a connection fails.
 *
 *   cc upload_file.c $(pkg-config --cflags --libs urlpool) -o upload_file
 *   ./upload_file photo.jpg https://example.com/photos/1.jpg */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <urlpool/urlpool.h>

/* upload sends what `fd` has; returns the status, or 0 and `err`. */
static int upload(struct urlpool_manager *http, int fd, const char *name, const char *url,
                  struct urlpool_error *err)
{
    struct urlpool_request_options options = {
        .body = urlpool_body_fd(fd),
        .timeout = {.write_ms = 30000}, /* the longest that the server may take no byte */
    };
    struct urlpool_response *resp;
    int status;

    options.body.content_type = urlpool_media_type_guess(name);
    options.body.expect_continue = true; /* who will not have it may say so before it is sent */
    resp = urlpool_request(http, "PUT", url, &options, err);
    if (resp == NULL) {
        return 0;
    }
    status = resp->status;
    printf("%d %s\n", resp->status, resp->reason);
    urlpool_response_free(resp);
    return status;
}

int main(int argc, char **argv)
{
    struct urlpool_error err;
    struct urlpool_manager *http;
    int fd;
    int status;

    if (argc != 3) {
        fprintf(stderr, "upload_file FILE URL\n");
        return 2;
    }
    fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    http = urlpool_manager_new(NULL, &err);
    status = http == NULL ? 0 : upload(http, fd, argv[1], argv[2], &err);
    if (status == 0) {
        fprintf(stderr, "%s%s\n", err.message,
                urlpool_error_is(&err, URLPOOL_CLASS_CONNECT) ? " (nothing was sent)"
                : err.maybe_processed ? " (the server may have it all the same)"
                                      : "");
    }
    urlpool_manager_free(http);
    (void)close(fd);
    return status / 100 == 2 ? 0 : 1;
}
