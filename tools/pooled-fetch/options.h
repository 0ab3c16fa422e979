#ifndef POOLED_FETCH_OPTIONS_H
#define POOLED_FETCH_OPTIONS_H

#include "exit_code.h"
#include "settings.h"

/* pf_options_parse reads a command line into `settings`, which the caller has initialised and frees
 * in any case. Credentials in `argv` are overwritten, so that no list of processes shows them.
 * Errors: not 0, and has been said on standard error. */
enum pf_exit pf_options_parse(struct pf_settings *settings, int argc, char *const *argv);

/* struct pf_option is one row of the table: an option's names, and what its value does. */
struct pf_option {
    char letter; /* 0: none */
    const char *name;
    enum pf_option_kind {
        PF_OPTION_FLAG,    /* sets the bool at `offset` */
        PF_OPTION_TEXT,    /* the char * at `offset` */
        PF_OPTION_SECRET,  /* the same, and hides it from who lists the processes */
        PF_OPTION_COUNT,   /* the int64_t at `offset`, from `min` */
        PF_OPTION_SECONDS, /* the same, decimals allowed, in ms */
        PF_OPTION_SIZE,    /* the same; a unit from B to P behind it */
        PF_OPTION_APPLY,   /* gives its value to `apply` */
        PF_OPTION_CHOICE,  /* the same; the value is optional and behind "=" */
        PF_OPTION_HELP,    /* the same; the value is the next word, unless that is an option */
        PF_OPTION_NOTHING  /* is accepted: what it asks for is so anyway */
    } kind;
    size_t offset;
    int64_t min;
    enum pf_exit (*apply)(struct pf_settings *settings, const struct pf_option *option,
                          const char *value);
};

/* The table; option_table.c. */
extern const struct pf_option pf_options[];
extern const size_t pf_num_options;

/* pf_option_take carries out an option as a file has it: `name` with its dashes, `value` NULL when
 * there is none. Both may be overwritten. Errors: not 0, said. */
enum pf_exit pf_option_take(struct pf_settings *settings, char *name, char *value);
/* pf_options_check refuses what cannot be meant together; option_check.c. */
enum pf_exit pf_options_check(const struct pf_settings *settings);

/* Options of curl's that have no place here; refused.c. pf_refused_count says how many begin with
 * `name`. pf_refuse_long and pf_refuse_letter say why one is not taken, or that there is none;
 * `num_others` begin with `name` and would be taken. */
size_t pf_refused_count(const char *name);
void pf_refuse_long(const char *name, size_t num_others);
enum pf_exit pf_refuse_letter(char letter);

/* pf_option_fail says what is wrong with an option's value; returns PF_EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) enum pf_exit pf_option_fail(const struct pf_option *option,
                                                                  const char *format, ...);
/* pf_option_shown is an option's name for messages: "--max-time". */
const char *pf_option_shown(const struct pf_option *option, char out[64]);

/* What options of the kinds APPLY and CHOICE do; option_apply.c. */
enum pf_exit pf_apply_url(struct pf_settings *settings, const struct pf_option *option,
                          const char *value);
enum pf_exit pf_apply_input_file(struct pf_settings *settings, const struct pf_option *option,
                                 const char *value);
enum pf_exit pf_apply_output(struct pf_settings *settings, const struct pf_option *option,
                             const char *value);
enum pf_exit pf_apply_remote_name(struct pf_settings *settings, const struct pf_option *option,
                                  const char *value);
enum pf_exit pf_apply_header(struct pf_settings *settings, const struct pf_option *option,
                             const char *value);
enum pf_exit pf_apply_range(struct pf_settings *settings, const struct pf_option *option,
                            const char *value);
enum pf_exit pf_apply_upload(struct pf_settings *settings, const struct pf_option *option,
                             const char *value);
enum pf_exit pf_apply_location_trusted(struct pf_settings *settings, const struct pf_option *option,
                                       const char *value);
enum pf_exit pf_apply_proto(struct pf_settings *settings, const struct pf_option *option,
                            const char *value);
enum pf_exit pf_apply_proto_redir(struct pf_settings *settings, const struct pf_option *option,
                                  const char *value);
enum pf_exit pf_apply_referer(struct pf_settings *settings, const struct pf_option *option,
                              const char *value);
enum pf_exit pf_apply_retry_on(struct pf_settings *settings, const struct pf_option *option,
                               const char *value);
enum pf_exit pf_apply_max_redirs(struct pf_settings *settings, const struct pf_option *option,
                                 const char *value);
enum pf_exit pf_apply_write_out(struct pf_settings *settings, const struct pf_option *option,
                                const char *value);
enum pf_exit pf_apply_report(struct pf_settings *settings, const struct pf_option *option,
                             const char *value);

/* What options do that say when, how fast and under which conditions; option_terms.c. */
enum pf_exit pf_apply_rate(struct pf_settings *settings, const struct pf_option *option,
                           const char *value);
enum pf_exit pf_apply_continue(struct pf_settings *settings, const struct pf_option *option,
                               const char *value);
enum pf_exit pf_apply_time_cond(struct pf_settings *settings, const struct pf_option *option,
                                const char *value);
enum pf_exit pf_apply_cookie(struct pf_settings *settings, const struct pf_option *option,
                             const char *value);
enum pf_exit pf_apply_url_query(struct pf_settings *settings, const struct pf_option *option,
                                const char *value);
enum pf_exit pf_apply_file_type(struct pf_settings *settings, const struct pf_option *option,
                                const char *value);
enum pf_exit pf_apply_trace(struct pf_settings *settings, const struct pf_option *option,
                            const char *value);
enum pf_exit pf_apply_help(struct pf_settings *settings, const struct pf_option *option,
                           const char *value);
/* What -K does; config.c. */
enum pf_exit pf_apply_config(struct pf_settings *settings, const struct pf_option *option,
                             const char *value);

/* What -d and its kin do; post_data.c. */
enum pf_exit pf_apply_data(struct pf_settings *settings, const struct pf_option *option,
                           const char *value);
enum pf_exit pf_apply_data_binary(struct pf_settings *settings, const struct pf_option *option,
                                  const char *value);
enum pf_exit pf_apply_data_raw(struct pf_settings *settings, const struct pf_option *option,
                               const char *value);
enum pf_exit pf_apply_data_urlencode(struct pf_settings *settings, const struct pf_option *option,
                                     const char *value);
enum pf_exit pf_apply_json(struct pf_settings *settings, const struct pf_option *option,
                           const char *value);

/* What -F and --form-string do; form_option.c. */
enum pf_exit pf_apply_form(struct pf_settings *settings, const struct pf_option *option,
                           const char *value);
enum pf_exit pf_apply_form_string(struct pf_settings *settings, const struct pf_option *option,
                                  const char *value);

/* What -x and its kin do; proxy_option.c. */
enum pf_exit pf_apply_proxy(struct pf_settings *settings, const struct pf_option *option,
                            const char *value);
enum pf_exit pf_apply_preproxy(struct pf_settings *settings, const struct pf_option *option,
                               const char *value);
enum pf_exit pf_apply_socks(struct pf_settings *settings, const struct pf_option *option,
                            const char *value);
enum pf_exit pf_apply_proxy_header(struct pf_settings *settings, const struct pf_option *option,
                                   const char *value);
/* pf_option_is_of_proxy says whether an option's value is a proxy's URL, perhaps with a password.
 */
bool pf_option_is_of_proxy(const struct pf_option *option);

/* What --cert and its kin do; tls_option.c. */
enum pf_exit pf_apply_cert(struct pf_settings *settings, const struct pf_option *option,
                           const char *value);
enum pf_exit pf_apply_ciphers(struct pf_settings *settings, const struct pf_option *option,
                              const char *value);
enum pf_exit pf_apply_tls_min(struct pf_settings *settings, const struct pf_option *option,
                              const char *value);
enum pf_exit pf_apply_tls_max(struct pf_settings *settings, const struct pf_option *option,
                              const char *value);
/* pf_cert_password is where the password begins in a value of --cert, or NULL. */
const char *pf_cert_password(const char *value);

/* What --resolve and its kin do; network_option.c. */
enum pf_exit pf_apply_resolve(struct pf_settings *settings, const struct pf_option *option,
                              const char *value);
enum pf_exit pf_apply_connect_to(struct pf_settings *settings, const struct pf_option *option,
                                 const char *value);
enum pf_exit pf_apply_family(struct pf_settings *settings, const struct pf_option *option,
                             const char *value);
enum pf_exit pf_apply_interface(struct pf_settings *settings, const struct pf_option *option,
                                const char *value);
enum pf_exit pf_apply_unix_socket(struct pf_settings *settings, const struct pf_option *option,
                                  const char *value);

#endif /* POOLED_FETCH_OPTIONS_H */
