#ifndef POOLED_FETCH_SETTINGS_H
#define POOLED_FETCH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/form.h"
#include "urlpool/headers.h"
#include "urlpool/tls.h"

#include "text.h"

enum pf_report {
    PF_REPORT_NONE = 0,
    PF_REPORT_TEXT,
    PF_REPORT_JSON
};

enum {
    PF_RETRY_ON_MAX = 32,   /* the most statuses --retry-on takes */
    PF_NEW_FILE_MODE = 0666 /* of files that are made, less the umask */
};

/* struct pf_entry is one URL to be fetched and where its body goes. */
struct pf_entry {
    char *url;             /* with a scheme */
    char *shown;           /* the same without user and password */
    char *file;            /* NULL: standard output, or nowhere with --out-null */
    const char *upload;    /* the file to send, "-" for standard input; NULL: none */
    bool is_remote;        /* its file is named by the URL, or by the server */
    bool is_listed;        /* it came from --input-file */
    bool has_name_of_list; /* and had a name there */
};

/* struct pf_strings is a list of strings of its own. */
struct pf_strings {
    char **items;
    size_t count;
};

void pf_strings_add(struct pf_strings *strings, char *item); /* takes `item` */
void pf_strings_free(struct pf_strings *strings);

/* struct pf_settings is the command line. Numbers that were not given are 0, but for those with
 * defaults of their own (pf_settings_init). Durations are in ms, -1: no bound. */
struct pf_settings {
    struct pf_entry *entries;
    size_t num_entries;
    struct pf_strings outputs;      /* -o and -O in order; NULL: -O */
    struct pf_strings headers;      /* -H as given */
    struct pf_strings uploads;      /* -T in order; "" sends nothing */
    struct pf_strings upload_names; /* what patterns among them stand for */
    struct pf_text data;            /* -d and the like, joined */
    struct urlpool_form *form;      /* -F; NULL: none */
    int64_t form_bytes;             /* of all its contents; -1: not known */

    int64_t concurrency;
    int64_t repeat;                  /* 0: not given; pf_entries_settle makes it 1 */
    int64_t pool_maxsize, num_pools; /* -1: not given */
    int64_t max_redirs;              /* -1: any number */
    int64_t max_filesize;
    int64_t max_time_ms, connect_timeout_ms, read_timeout_ms;
    int64_t pool_timeout_ms; /* -1: not given */
    int64_t max_idle_ms, max_lifetime_ms;

    int64_t duration_ms;               /* 0: no bound */
    int64_t pace_ns;                   /* between two beginnings; 0: as fast as it goes */
    int64_t expect_ms;                 /* 0: the library's */
    int64_t speed_limit, speed_time_s; /* bytes a second, for so long: slower is a time-out */
    int64_t limit_rate;                /* bytes a second; 0: any */
    int64_t keepalive_s;
    int64_t continue_at; /* with `continues` */
    int64_t condition_s; /* of --time-cond, since 1970, when `has_condition` */

    int64_t retry; /* tries after the first */
    int64_t retry_delay_ms, retry_max_time_ms;
    uint16_t retry_on[PF_RETRY_ON_MAX]; /* statuses; none given: curl's */
    size_t num_retry_on;

    char *output_dir, *method, *cacert, *capath, *write_out, *user, *bearer;
    char *user_agent, *referer, *range, *dump_header; /* "" of the first two: not sent */
    char *proxy, *preproxy; /* with a scheme; "": none, whatever the environment says */
    char *proxy_user, *proxy_cacert, *no_proxy;
    char *cert, *key, *key_password, *pins, *ciphers;
    char *proxy_capath, *proxy_cert, *proxy_key, *proxy_key_password, *proxy_pins, *proxy_ciphers;
    char *cookie, *url_query, *proto_default, *etag_save, *etag_compare;
    char *stderr_file, *trace_file, *help_category;
    unsigned schemes; /* as redirect_schemes, of the first request */
    enum urlpool_tls_version tls_max;
    char *source_address, *interface_name; /* one of them at most */
    char *unix_socket;                     /* abstract: "@" in front */
    char *html_file;                       /* of --report=html, beside `report`; NULL: none */
    struct pf_strings answers, detours;    /* --resolve and --connect-to */
    struct urlpool_headers *proxy_headers; /* NULL: none */
    unsigned redirect_schemes;             /* an OR of enum urlpool_scheme */
    const char *ca_data;                   /* PEM; of the demo */
    size_t ca_data_len;
    enum pf_report report;

    bool has_data, has_json, data_in_url, head_only;
    bool retry_connrefused, retry_all_errors;
    bool post301, post302, post303, location_trusted;
    bool remote_name, create_dirs, out_null, remove_on_error, include;
    bool follow, compressed, raw, insecure, proxy_insecure, pool_block;
    bool fail, fail_with_body, fail_early;
    bool silent, show_error, verbose, no_progress, jsonl;
    bool tls_1_3_only, ipv4, ipv6;
    bool globoff, no_userinfo, remote_name_all, remote_header_name, remote_time, no_clobber;
    bool continues, continues_by_file, has_condition, condition_is_unless, no_keepalive;
    bool trace_time, trace_is_hex, no_connect_heads;
    bool demo, help, version, repeat_is_default;
};

void pf_settings_init(struct pf_settings *settings);
void pf_settings_free(struct pf_settings *settings);
/* pf_settings_to_stdout says whether bodies go to standard output. */
bool pf_settings_to_stdout(const struct pf_settings *settings);

#endif /* POOLED_FETCH_SETTINGS_H */
