/* Starts nginx in the foreground as a child, with a configuration written on the spot. A port is
 * found by binding to port 0 and letting go of it; nginx that finds it taken again is started anew.
 */

#include "support/nginx.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/certs.h"

enum {
    NUM_TRIES = 5,
    COME_UP_MS = 5000,
    BIG_LEN = 300000
};

#define NGINX "/usr/sbin/nginx"

struct test_nginx {
    pid_t pid;
    int ports[2]; /* http, https */
    char folder[64];
    char *ca;
};

static void die(const char *what)
{
    fprintf(stderr, "nginx for a test: %s: %s\n", what, strerror(errno));
    abort();
}

bool test_nginx_exists(void)
{
    return access(NGINX, X_OK) == 0;
}

static void write_file(const char *folder, const char *name, const char *text, size_t len)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    if (file == NULL || fwrite(text, 1, len, file) != len || fclose(file) != 0) {
        die(path);
    }
}

static void write_text(const char *folder, const char *name, const char *text)
{
    write_file(folder, name, text, strlen(text));
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        die("port");
    }
    close(fd);
    return ntohs(address.sin_port);
}

static void write_certificates(struct test_nginx *nginx)
{
    const struct test_name names[] = {TEST_DNS("localhost"), TEST_IP("\x7f\x00\x00\x01")};
    const struct test_cert_options options = {
        .common_name = "nginx", .names = names, .num_names = 2};
    struct test_cert *ca = test_ca("Test CA");
    struct test_cert *leaf = test_cert_new(&options, ca);
    char *pem = test_cert_pem(leaf);
    char *key = test_cert_key_pem(leaf);

    nginx->ca = test_cert_pem(ca);
    write_text(nginx->folder, "cert.pem", pem);
    write_text(nginx->folder, "key.pem", key);
    write_text(nginx->folder, "ca.pem", nginx->ca);
    free(pem);
    free(key);
    test_cert_free(leaf);
    test_cert_free(ca);
}

static void write_configuration(const struct test_nginx *nginx, const char *more)
{
    const char *folder = nginx->folder;
    const char *user = geteuid() == 0 ? "user root; " : "";
    char text[8192];

    snprintf(text, sizeof(text),
             "%sdaemon off; master_process off; worker_processes 1; pid %s/pid; error_log "
             "%s/error.log;\n"
             "events { worker_connections 4096; }\n"
             "http { access_log off; keepalive_requests 1000000; keepalive_timeout 60s;\n"
             "  default_type text/plain; client_body_temp_path %s; proxy_temp_path %s;\n"
             "  fastcgi_temp_path %s; scgi_temp_path %s; uwsgi_temp_path %s; root %s/files;\n"
             "  server { listen 127.0.0.1:%d; %s }\n"
             "  server { listen 127.0.0.1:%d ssl; %s\n"
             "    ssl_certificate %s/cert.pem; ssl_certificate_key %s/key.pem;\n"
             "    ssl_session_cache shared:tests:1m; %s }\n"
             "}\n",
             user, folder, folder, folder, folder, folder, folder, folder, folder, nginx->ports[0],
             more, nginx->ports[1],
             strstr(more, "ssl_protocols") == NULL ? "ssl_protocols TLSv1.2 TLSv1.3;" : "", folder,
             folder, more);
    write_text(folder, "nginx.conf", text);
}

static void start_process(struct test_nginx *nginx)
{
    char conf[128];

    snprintf(conf, sizeof(conf), "%s/nginx.conf", nginx->folder);
    nginx->pid = fork();
    if (nginx->pid < 0) {
        die("fork");
    }
    if (nginx->pid == 0) {
        int nothing = open("/dev/null", O_RDWR);

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies takes its server along */
        (void)dup2(nothing, STDIN_FILENO);
        (void)dup2(nothing, STDERR_FILENO);
        execl(NGINX, NGINX, "-p", nginx->folder, "-c", conf, (char *)NULL);
        _exit(127);
    }
}

static bool answers(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_up = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    close(fd);
    return is_up;
}

/* came_up waits until both ports answer; false when nginx has ended instead. */
static bool came_up(struct test_nginx *nginx)
{
    for (int waited_ms = 0; waited_ms < COME_UP_MS; waited_ms += 10) {
        if (waitpid(nginx->pid, NULL, WNOHANG) != 0) {
            return false;
        }
        if (answers(nginx->ports[0]) && answers(nginx->ports[1])) {
            return true;
        }
        (void)poll(NULL, 0, 10);
    }
    die("does not come up");
    return false;
}

struct test_nginx *test_nginx_start(const char *more)
{
    struct test_nginx *nginx = calloc(1, sizeof(*nginx));
    char files[80];
    char *big = malloc(BIG_LEN);

    if (nginx == NULL || big == NULL) {
        die("memory");
    }
    snprintf(nginx->folder, sizeof(nginx->folder), "/tmp/urlpool-nginx-XXXXXX");
    if (mkdtemp(nginx->folder) == NULL) {
        die("folder");
    }
    snprintf(files, sizeof(files), "%s/files", nginx->folder);
    if (mkdir(files, 0755) != 0) {
        die(files);
    }
    memset(big, 'b', BIG_LEN);
    write_text(files, "small", "hello nginx");
    write_file(files, "big", big, BIG_LEN);
    free(big);
    write_certificates(nginx);
    for (int i = 0; i < NUM_TRIES; i++) {
        nginx->ports[0] = free_port();
        nginx->ports[1] = free_port();
        write_configuration(nginx, more != NULL ? more : "");
        start_process(nginx);
        if (came_up(nginx)) {
            return nginx;
        }
    }
    die("does not start: see error.log in its folder");
    return NULL;
}

void test_nginx_stop(struct test_nginx *nginx)
{
    char command[128];

    (void)kill(nginx->pid, SIGKILL);
    (void)waitpid(nginx->pid, NULL, 0);
    snprintf(command, sizeof(command), "rm -rf %s", nginx->folder);
    if (system(command) != 0) {
        die(command);
    }
    free(nginx->ca);
    free(nginx);
}

int test_nginx_port(const struct test_nginx *nginx, bool https)
{
    return nginx->ports[https ? 1 : 0];
}

const char *test_nginx_ca(const struct test_nginx *nginx)
{
    return nginx->ca;
}
