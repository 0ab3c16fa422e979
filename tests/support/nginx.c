/* Starts nginx in the foreground as a child, with a configuration written on the spot. */

#include "support/nginx.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/daemon.h"

enum {
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
    nginx->pid = test_daemon_fork(SIGKILL); /* a test that dies takes its server along */
    if (nginx->pid == 0) {
        execl(NGINX, NGINX, "-p", nginx->folder, "-c", conf, (char *)NULL);
        _exit(127);
    }
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
    for (int i = 0; i < TEST_DAEMON_TRIES; i++) {
        nginx->ports[0] = test_daemon_free_port();
        nginx->ports[1] = test_daemon_free_port();
        write_configuration(nginx, more != NULL ? more : "");
        start_process(nginx);
        if (test_daemon_came_up(nginx->pid, nginx->ports, 2)) {
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
