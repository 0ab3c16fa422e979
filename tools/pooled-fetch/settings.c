/* The command line as a value. */

#include "settings.h"

#include <stdlib.h>

#include "urlpool/retry.h"

#include "count_of.h"

enum {
    CONCURRENCY_DEFAULT = 8,
    REDIRS_DEFAULT = 50 /* curl's */
};

void pf_strings_add(struct pf_strings *strings, char *item)
{
    strings->items = pf_resize(strings->items, (strings->count + 1) * sizeof(*strings->items));
    strings->items[strings->count++] = item;
}

void pf_strings_free(struct pf_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++) {
        free(strings->items[i]);
    }
    free(strings->items);
    *strings = (struct pf_strings){0};
}

void pf_settings_init(struct pf_settings *settings)
{
    *settings =
        (struct pf_settings){.concurrency = CONCURRENCY_DEFAULT,
                             .pool_maxsize = -1,
                             .num_pools = -1,
                             .pool_timeout_ms = -1,
                             .max_redirs = REDIRS_DEFAULT,
                             .schemes = URLPOOL_SCHEME_HTTP | URLPOOL_SCHEME_HTTPS,
                             .redirect_schemes = URLPOOL_SCHEME_HTTP | URLPOOL_SCHEME_HTTPS};
}

static void free_texts(const struct pf_settings *settings)
{
    char *const texts[] = {settings->output_dir,
                           settings->method,
                           settings->cacert,
                           settings->capath,
                           settings->write_out,
                           settings->user,
                           settings->bearer,
                           settings->user_agent,
                           settings->referer,
                           settings->range,
                           settings->dump_header,
                           settings->proxy,
                           settings->preproxy,
                           settings->proxy_user,
                           settings->proxy_cacert,
                           settings->no_proxy,
                           settings->cert,
                           settings->key,
                           settings->key_password,
                           settings->pins,
                           settings->ciphers,
                           settings->source_address,
                           settings->interface_name,
                           settings->unix_socket,
                           settings->html_file,
                           settings->proxy_capath,
                           settings->proxy_cert,
                           settings->proxy_key,
                           settings->proxy_key_password,
                           settings->proxy_pins,
                           settings->proxy_ciphers,
                           settings->cookie,
                           settings->url_query,
                           settings->proto_default,
                           settings->etag_save,
                           settings->etag_compare,
                           settings->stderr_file,
                           settings->trace_file,
                           settings->help_category};

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        free(texts[i]);
    }
}

void pf_settings_free(struct pf_settings *settings)
{
    for (size_t i = 0; i < settings->num_entries; i++) {
        free(settings->entries[i].url);
        free(settings->entries[i].shown);
        free(settings->entries[i].file);
    }
    free(settings->entries);
    free_texts(settings);
    pf_strings_free(&settings->outputs);
    pf_strings_free(&settings->headers);
    pf_strings_free(&settings->uploads);
    pf_strings_free(&settings->upload_names);
    pf_strings_free(&settings->answers);
    pf_strings_free(&settings->detours);
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
