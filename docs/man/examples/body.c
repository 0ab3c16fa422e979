/* The example of urlpool_body(3).
 *
 * Arguments: url
 * Prints:
 * 200 OK */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <urlpool/urlpool.h>

int main(int argc, char **argv)
{
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *response = NULL;
    int fd = open(argc > 2 ? argv[2] : "/etc/hostname", O_RDONLY | O_CLOEXEC);

    if (argc > 1 && fd >= 0 && http != NULL) {
        struct urlpool_request_options options = {.body = urlpool_body_fd(fd)};

        response = urlpool_request(http, "PUT", argv[1], &options, &err);
    }
    if (response != NULL) {
        printf("%d %s\n", response->status, response->reason);
    } else {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_response_free(response);
    urlpool_manager_free(http);
    if (fd >= 0) {
        close(fd);
    }
    return response == NULL;
}
