/* The command line as a value. */

#include "settings.h"

#include <stdlib.h>

#include "urlpool/retry.h"

enum {
    CONCURRENCY_DEFAULT = 8,
    REDIRS_DEFAULT = 50 /* curl's */
};

void pf_strings_add(struct pf_strings *strings, char *item)
{
    strings->items = pf_resize(strings->items, (strings->count + 1) * sizeof(*strings->items));
    strings->items[strings->count++] = item;
}

static void free_strings(struct pf_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++) {
        free(strings->items[i]);
    }
    free(strings->items);
}

void pf_settings_init(struct pf_settings *settings)
{
    *settings =
        (struct pf_settings){.concurrency = CONCURRENCY_DEFAULT,
                             .pool_maxsize = -1,
                             .num_pools = -1,
                             .pool_timeout_ms = -1,
                             .max_redirs = REDIRS_DEFAULT,
                             .redirect_schemes = URLPOOL_SCHEME_HTTP | URLPOOL_SCHEME_HTTPS};
}

void pf_settings_free(struct pf_settings *settings)
{
    char *const texts[] = {
        settings->output_dir,     settings->method,         settings->cacert,
        settings->capath,         settings->write_out,      settings->user,
        settings->bearer,         settings->user_agent,     settings->referer,
        settings->range,          settings->dump_header,    settings->proxy,
        settings->preproxy,       settings->proxy_user,     settings->proxy_cacert,
        settings->no_proxy,       settings->cert,           settings->key,
        settings->key_password,   settings->pins,           settings->ciphers,
        settings->source_address, settings->interface_name, settings->unix_socket,
        settings->html_file};

    for (size_t i = 0; i < settings->num_entries; i++) {
        free(settings->entries[i].url);
        free(settings->entries[i].shown);
        free(settings->entries[i].file);
    }
    free(settings->entries);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        free(texts[i]);
    }
    free_strings(&settings->outputs);
    free_strings(&settings->headers);
    free_strings(&settings->uploads);
    free_strings(&settings->answers);
    free_strings(&settings->detours);
    pf_text_free(&settings->data);
    urlpool_form_free(settings->form);
    urlpool_headers_free(settings->proxy_headers);
    *settings = (struct pf_settings){0};
}

bool pf_settings_to_stdout(const struct pf_settings *settings)
{
    if (settings->out_null) {
        return false;
    }
    for (size_t i = 0; i < settings->num_entries; i++) {
        if (settings->entries[i].file == NULL) {
            return true;
        }
    }
    return false;
}
