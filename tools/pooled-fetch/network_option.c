/* Where connections go and where they come from: what --resolve and its kin say. */

#include "network_option.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "urlpool/connection.h"

#include "options.h"
#include "text.h"

/* is_readable says whether the library can read what is in `network`. */
static bool is_readable(const struct urlpool_network *network)
{
    const struct urlpool_connection_options options = {.network = *network};
    struct urlpool_error err = {0};
    struct urlpool_connection *connection = urlpool_connection_new("host", 80, &options, &err);

    urlpool_connection_free(connection);
    return connection != NULL || err.code != URLPOOL_E_INVALID;
}

/* has_port says whether digits stand between the first two colons. */
static bool has_port(const char *value)
{
    const char *port = strchr(value, ':');
    size_t len = port != NULL ? strspn(port + 1, "0123456789") : 0;

    return len > 0 && port[1 + len] == ':';
}

/* pf_apply_resolve takes HOST:PORT:ADDRESS[,ADDRESS]; a "+" in front lets curl forget it some time,
 * which a single run does not live to see. */
enum pf_exit pf_apply_resolve(struct pf_settings *settings, const struct pf_option *option,
                              const char *value)
{
    const char *text = value + (value[0] == '+');
    const char *const answers[] = {text, NULL};
    const struct urlpool_network network = {.answers = answers};

    if (text[0] == '-' || !has_port(text) || !is_readable(&network)) {
        (void)pf_option_fail(option, "\"%s\" is no HOST:PORT:ADDRESS[,ADDRESS]", value);
        return PF_EXIT_SYNTAX;
    }
    pf_strings_add(&settings->answers, pf_strdup(text));
    return PF_EXIT_OK;
}

static size_t count_of(const char *text, char wanted)
{
    size_t count = 0;

    for (; *text != '\0'; text++) {
        count += *text == wanted;
    }
    return count;
}

enum pf_exit pf_apply_connect_to(struct pf_settings *settings, const struct pf_option *option,
                                 const char *value)
{
    const char *const detours[] = {value, NULL};
    const struct urlpool_network network = {.connect_to = detours};

    if (count_of(value, ':') < 3 || !is_readable(&network)) {
        return pf_option_fail(option, "\"%s\" is no HOST:PORT:HOST2:PORT2", value);
    }
    pf_strings_add(&settings->detours, pf_strdup(value));
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_family(struct pf_settings *settings, const struct pf_option *option,
                             const char *value)
{
    (void)value;
    settings->ipv4 = option->letter == '4';
    settings->ipv6 = !settings->ipv4;
    return PF_EXIT_OK;
}

/* check_source binds a socket to an address. Returns false with errno; EINVAL is no address. */
static bool check_source(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool is_v6 = inet_pton(AF_INET6, text, &v6.sin6_addr) == 1;
    int error;
    int fd;

    if (!is_v6 && inet_pton(AF_INET, text, &v4.sin_addr) != 1) {
        errno = EINVAL;
        return false;
    }
    fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    error = is_v6 ? bind(fd, (struct sockaddr *)&v6, sizeof(v6))
                  : bind(fd, (struct sockaddr *)&v4, sizeof(v4));
    error = error != 0 ? errno : 0;
    (void)close(fd);
    errno = error;
    return error == 0;
}

static enum pf_exit take_one(char **out, char **other, const char *value)
{
    free(*other);
    *other = NULL;
    free(*out);
    *out = pf_strdup(value);
    return PF_EXIT_OK;
}

/* pf_apply_interface takes an address of this machine or the name of an interface; "host!" and
 * "if!" in front say which. */
enum pf_exit pf_apply_interface(struct pf_settings *settings, const struct pf_option *option,
                                const char *value)
{
    bool is_host = strncmp(value, "host!", 5) == 0;
    bool is_name = strncmp(value, "if!", 3) == 0;
    const char *text = value;

    if (is_host || is_name) {
        text = strchr(value, '!') + 1;
    }
    if (!is_name && check_source(text)) {
        return take_one(&settings->source_address, &settings->interface_name, text);
    }
    if (!is_name && errno != EINVAL) {
        (void)pf_option_fail(option, "cannot dial from %s: %s", text, pf_errno_text(errno));
        return PF_EXIT_INTERFACE;
    }
    if (!is_host && if_nametoindex(text) != 0) {
        return take_one(&settings->interface_name, &settings->source_address, text);
    }
    (void)pf_option_fail(option, "\"%s\" is no %s", value,
                         is_host   ? "address"
                         : is_name ? "interface of this machine"
                                   : "address or interface of this machine");
    return PF_EXIT_INTERFACE;
}

/* pf_apply_unix_socket keeps a path; the library takes "@" in front for an abstract one. */
enum pf_exit pf_apply_unix_socket(struct pf_settings *settings, const struct pf_option *option,
                                  const char *value)
{
    bool is_abstract = strcmp(option->name, "abstract-unix-socket") == 0;

    if (value[0] == '\0') {
        return pf_option_fail(option, "is empty");
    }
    free(settings->unix_socket);
    settings->unix_socket = pf_format("%s%s",
                                      is_abstract       ? "@"
                                      : value[0] == '@' ? "./"
                                                        : "",
                                      value);
    return PF_EXIT_OK;
}

static bool is_for_any(const char *answer)
{
    return strncmp(answer, "*:", 2) == 0;
}

/* list_answers lists what --resolve said. The library takes the first that fits; in curl the last
 * one given for a host holds, and one for any host comes after all others. */
static const char **list_answers(const struct pf_strings *strings)
{
    const char **list = pf_alloc((strings->count + 1) * sizeof(*list));
    size_t n = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = strings->count; i > 0; i--) {
            if (is_for_any(strings->items[i - 1]) == (pass == 1)) {
                list[n++] = strings->items[i - 1];
            }
        }
    }
    return list;
}

static const char **list_detours(const struct pf_strings *strings)
{
    const char **list = pf_alloc((strings->count + 1) * sizeof(*list));

    for (size_t i = 0; i < strings->count; i++) {
        list[i] = strings->items[i];
    }
    return list;
}

void pf_network_init(struct urlpool_network *network, const struct pf_settings *settings)
{
    *network = (struct urlpool_network){
        .answers = list_answers(&settings->answers),
        .connect_to = list_detours(&settings->detours),
        .source_address = settings->source_address,
        .interface_name = settings->interface_name,
        .unix_socket = settings->unix_socket,
        .keepalive_idle_s = settings->no_keepalive ? URLPOOL_NONE : (int32_t)settings->keepalive_s};
    if (settings->ipv4 || settings->ipv6) {
        network->family = settings->ipv4 ? URLPOOL_FAMILY_V4 : URLPOOL_FAMILY_V6;
    }
}

void pf_network_deinit(struct urlpool_network *network)
{
    free((void *)(uintptr_t)network->answers);
    free((void *)(uintptr_t)network->connect_to);
}
