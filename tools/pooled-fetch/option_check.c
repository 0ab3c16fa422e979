/* What a command line must not ask for at once, seen when the whole of it is known. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "count_of.h"
#include "options.h"
#include "say.h"

enum {
    CONCURRENCY_MAX = 4096
};

/* find_body names the option that asks for a body. Refuses two; NULL when there is none. */
static enum pf_exit find_body(const struct pf_settings *settings, const char **out_name)
{
    const struct {
        bool is_set;
        const char *name;
    } bodies[] = {
        {settings->has_data && !settings->data_in_url, "--data"       },
        {settings->form != NULL,                       "--form"       },
        {settings->uploads.count > 0,                  "--upload-file"},
    };

    *out_name = NULL;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        if (bodies[i].is_set && *out_name != NULL) {
            pf_say("%s and %s ask for two bodies; only one can be sent", *out_name, bodies[i].name);
            return PF_EXIT_USAGE;
        }
        *out_name = bodies[i].is_set ? bodies[i].name : *out_name;
    }
    return PF_EXIT_OK;
}

static bool uploads_standard_input(const struct pf_settings *settings)
{
    for (size_t i = 0; i < settings->uploads.count; i++) {
        if (strcmp(settings->uploads.items[i], "-") == 0) {
            return true;
        }
    }
    return false;
}

/* check_bodies refuses two kinds of body, and what cannot go with the one there is. */
static enum pf_exit check_bodies(const struct pf_settings *settings)
{
    const char *found = NULL;
    enum pf_exit code = find_body(settings, &found);

    if (code != PF_EXIT_OK || found == NULL) {
        return code;
    }
    if (settings->head_only || settings->data_in_url) {
        pf_say("%s and %s ask for two methods; only one can be sent",
               settings->head_only ? "--head" : "--get", found);
        return PF_EXIT_USAGE;
    }
    if (settings->retry > 0 && uploads_standard_input(settings)) {
        pf_say("option --upload-file: standard input can be sent but once; --retry needs more");
        return PF_EXIT_USAGE;
    }
    if (settings->range != NULL || settings->continues) {
        pf_say("--range and --continue-at are of what is fetched; they cannot go with %s", found);
        return PF_EXIT_USAGE;
    }
    return PF_EXIT_OK;
}

/* check_etags refuses what cannot be read to compare with, and one file for several URLs. */
static enum pf_exit check_etags(const struct pf_settings *settings)
{
    const char *save = settings->etag_save;
    const char *compare = settings->etag_compare;
    const bool is_made = save != NULL && compare != NULL && strcmp(save, compare) == 0;

    if (compare != NULL && !is_made && access(compare, R_OK) != 0) {
        pf_say("option --etag-compare: cannot read \"%s\": %s", compare, pf_errno_text(errno));
        return PF_EXIT_READ;
    }
    if ((save != NULL || compare != NULL) && settings->num_entries > 1) {
        pf_say("--etag-save and --etag-compare are of one URL only");
        return PF_EXIT_USAGE;
    }
    return PF_EXIT_OK;
}

static bool has_no_password(const char *user)
{
    return user != NULL && strchr(user, ':') == NULL;
}

/* is_refused says `text` if `holds`, and returns that. */
static bool is_refused(bool holds, const char *text)
{
    if (holds) {
        pf_say("%s", text);
    }
    return holds;
}

/* check_conflicts refuses settings that cannot all be meant. */
static enum pf_exit check_conflicts(const struct pf_settings *settings)
{
    const bool is_wrong =
        is_refused(settings->fail && settings->fail_with_body,
                   "--fail and --fail-with-body exclude each other") ||
        is_refused(has_no_password(settings->user),
                   "option --user: expected user:password; a password is not asked for") ||
        is_refused(has_no_password(settings->proxy_user),
                   "option --proxy-user: expected user:password; a password is not asked for") ||
        is_refused(settings->follow && settings->redirect_schemes == 0,
                   "option --proto-redir: it allows neither http nor https; leave --location "
                   "out") ||
        is_refused(settings->include && settings->remote_header_name,
                   "--include and --remote-header-name exclude each other: a head is no part of "
                   "a file that is named by it") ||
        is_refused(
            settings->continues &&
                (settings->range != NULL || settings->remote_header_name || settings->no_clobber),
            "--continue-at goes with none of --range, --remote-header-name and --no-clobber") ||
        is_refused(settings->concurrency > CONCURRENCY_MAX, "option --concurrency: more than 4096");

    return is_wrong ? PF_EXIT_USAGE : check_etags(settings);
}

enum pf_exit pf_options_check(const struct pf_settings *settings)
{
    enum pf_exit code = check_bodies(settings);

    return code == PF_EXIT_OK ? check_conflicts(settings) : code;
}
