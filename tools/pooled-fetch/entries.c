/* The URLs, and where each body goes. The first -o or -O belongs to the first URL of the command
 * line, the second to the second, as in curl; a URL of a list has the name it has there, or its
 * remote name when -O is given at all. */

#include "entries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "urlpool/urlpool.h"

#include "glob.h"
#include "remote_name.h"
#include "say.h"
#include "text.h"

enum {
    NEW_DIR_MODE = 0777 /* less the umask */
};

void pf_entries_add(struct pf_settings *settings, const char *url, size_t len, const char *file)
{
    struct pf_entry *entry;

    settings->entries =
        pf_resize(settings->entries, (settings->num_entries + 1) * sizeof(*settings->entries));
    entry = &settings->entries[settings->num_entries++];
    *entry = (struct pf_entry){.url = pf_strndup(url, len)};
    if (file != NULL) {
        entry->file = pf_strdup(file);
        entry->has_name_of_list = true;
    }
}

static void add_line(struct pf_settings *settings, char *line)
{
    char *tab = strchr(line, '\t');
    char *file = NULL;
    size_t len;

    if (tab != NULL) {
        *tab = '\0';
        file = tab[1] != '\0' ? tab + 1 : NULL;
    }
    line += strspn(line, " ");
    len = strcspn(line, " ");
    if (len == 0 || line[0] == '#') {
        return;
    }
    pf_entries_add(settings, line, len, file);
    settings->entries[settings->num_entries - 1].is_listed = true;
}

enum pf_exit pf_entries_read(struct pf_settings *settings, const char *path)
{
    struct pf_text text = {0};
    char *rest;
    char *line;

    if (pf_text_read_file(&text, path) != 0) {
        pf_say("(26) cannot read \"%s\": %s", path, pf_errno_text(errno));
        pf_text_free(&text);
        return PF_EXIT_READ;
    }
    rest = text.data;
    while ((line = strsep(&rest, "\r\n")) != NULL) {
        add_line(settings, line);
    }
    pf_text_free(&text);
    return PF_EXIT_OK;
}

/* --- URLs ------------------------------------------------------------------------------------ */

/* settle_shown makes the URL that is shown: without user and password. */
static void settle_shown(struct pf_entry *entry)
{
    char *authority = strstr(entry->url, "://") + 3;
    const char *at = memrchr(authority, '@', strcspn(authority, "/?#"));

    entry->shown = pf_format("%.*s%s", (int)(authority - entry->url), entry->url,
                             at != NULL ? at + 1 : authority);
}

/* settle_query puts the data of -G behind the URL's query. */
static void settle_query(struct pf_entry *entry, const char *data)
{
    size_t len = strcspn(entry->url, "#");
    const char *separator = "?";
    char *url;

    if (memchr(entry->url, '?', len) != NULL) {
        separator = "&";
    }
    url = pf_format("%.*s%s%s%s", (int)len, entry->url, separator, data, entry->url + len);
    free(entry->url);
    entry->url = url;
}

/* settle_upload_name puts the name of the file to send behind a URL that ends in none. */
static void settle_upload_name(struct pf_entry *entry)
{
    char *path = strstr(entry->url, "://") + 3;
    const char *slash = strrchr(entry->upload, '/');
    const char *name = slash != NULL ? slash + 1 : entry->upload;
    struct pf_text url = {0};
    size_t len;

    path += strcspn(path, "/?#");
    len = strcspn(path, "?#");
    if (strcmp(entry->upload, "-") == 0 || (len > 0 && path[len - 1] != '/')) {
        return;
    }
    pf_text_add(&url, entry->url, (size_t)(path - entry->url) + len);
    pf_text_adds(&url, len == 0 ? "/" : "");
    pf_text_add_escaped(&url, name, strlen(name), "%20");
    pf_text_adds(&url, path + len);
    free(entry->url);
    entry->url = url.data;
}

static void settle_url(const struct pf_settings *settings, struct pf_entry *entry)
{
    if (pf_scheme_len(entry->url) == 0) {
        char *url =
            pf_format("%s://%s", settings->proto_default != NULL ? settings->proto_default : "http",
                      entry->url);
        free(entry->url);
        entry->url = url;
    }
    if (entry->upload != NULL) {
        settle_upload_name(entry);
    }
    if (settings->data_in_url && settings->data.len > 0) {
        settle_query(entry, settings->data.data);
    }
    if (settings->url_query != NULL) {
        settle_query(entry, settings->url_query);
    }
    settle_shown(entry);
}

/* assign_uploads gives the files of -T to the URLs of the command line, in order. */
static enum pf_exit assign_uploads(struct pf_settings *settings)
{
    size_t next = 0;
    int64_t num_stdin = 0;

    for (size_t i = 0; i < settings->num_entries && next < settings->uploads.count; i++) {
        struct pf_entry *entry = &settings->entries[i];

        if (!entry->is_listed) {
            const char *file = settings->uploads.items[next++];
            entry->upload = file[0] != '\0' ? file : NULL;
            num_stdin += strcmp(file, "-") == 0 ? settings->repeat : 0;
        }
    }
    if (next < settings->uploads.count) {
        pf_say("option --upload-file: there are more of them than URLs");
        return PF_EXIT_USAGE;
    }
    if (num_stdin > 1) {
        pf_say("option --upload-file: standard input can be sent but once");
        return PF_EXIT_USAGE;
    }
    return PF_EXIT_OK;
}

/* --- outputs --------------------------------------------------------------------------------- */

/* name_remotely gives an entry its remote name. A URL that cannot be parsed fails later, when it is
 * fetched, with a better word. */
static enum pf_exit name_remotely(struct pf_entry *entry)
{
    struct urlpool_url *url = urlpool_url_parse(entry->url, NULL);
    bool is_url = url != NULL;

    urlpool_url_free(url);
    entry->file = pf_name_of_url(entry->url);
    if (entry->file != NULL || !is_url) {
        return PF_EXIT_OK;
    }
    pf_say("(23) %s: the URL has no file name to use", entry->shown);
    return PF_EXIT_WRITE;
}

static enum pf_exit assign_outputs(struct pf_settings *settings)
{
    size_t next = 0;

    for (size_t i = 0; i < settings->num_entries; i++) {
        struct pf_entry *entry = &settings->entries[i];
        bool is_remote = false;

        if (entry->is_listed) {
            is_remote =
                (settings->remote_name || settings->remote_name_all) && !entry->has_name_of_list;
        } else if (next < settings->outputs.count) {
            const char *name = settings->outputs.items[next++];
            is_remote = name == NULL;
            entry->file = name != NULL && strcmp(name, "-") != 0 ? pf_strdup(name) : NULL;
        } else {
            is_remote = settings->remote_name_all;
        }
        entry->is_remote = is_remote;
    }
    for (; next < settings->outputs.count; next++) {
        if (settings->outputs.items[next] != NULL) {
            pf_say("option --output: there are more of them than URLs");
            return PF_EXIT_USAGE;
        }
    }
    return PF_EXIT_OK;
}

/* make_dirs makes every directory above the last part of `path`. */
static void make_dirs(const char *path)
{
    char *dir = pf_strdup(path);

    for (char *slash = strchr(dir + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(dir, NEW_DIR_MODE); /* what is wrong shows when the file is opened */
        *slash = '/';
    }
    free(dir);
}

static void settle_file(const struct pf_settings *settings, struct pf_entry *entry)
{
    if (settings->output_dir != NULL) { /* an absolute name too, as curl does */
        char *path = pf_format("%s/%s", settings->output_dir, entry->file);
        free(entry->file);
        entry->file = path;
    }
    if (settings->create_dirs) {
        make_dirs(entry->file);
    }
}

/* A device, a pipe or the like may be named many times; a file may not. */
static bool is_written_once(const char *path)
{
    struct stat info;

    return stat(path, &info) != 0 || S_ISREG(info.st_mode);
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* check_files_differ refuses that two transfers write one file at the same time. */
static enum pf_exit check_files_differ(const struct pf_settings *settings)
{
    char **files = pf_alloc(settings->num_entries * sizeof(*files));
    size_t count = 0;
    enum pf_exit code = PF_EXIT_OK;

    for (size_t i = 0; i < settings->num_entries; i++) {
        if (settings->entries[i].file != NULL) {
            files[count++] = settings->entries[i].file;
        }
    }
    qsort(files, count, sizeof(*files), compare_files);
    for (size_t i = 0; i < count && code == PF_EXIT_OK; i++) {
        bool is_again = i > 0 && strcmp(files[i - 1], files[i]) == 0;

        if ((is_again || settings->repeat > 1 || settings->duration_ms > 0) &&
            is_written_once(files[i])) {
            pf_say("\"%s\" would be written by more than one transfer", files[i]);
            code = PF_EXIT_USAGE;
        }
    }
    free(files);
    return code;
}

/* --- URLs that stand for many ----------------------------------------------------------------- */

static bool is_pattern(const char *text)
{
    return text != NULL && strpbrk(text, "{}[]\\") != NULL;
}

/* add_expanded appends an entry for each URL of `glob`, made of `entry`, which sends `upload`. */
static void add_expanded(struct pf_settings *settings, const struct pf_entry *entry,
                         const struct pf_glob *glob, const char *upload)
{
    for (size_t i = 0; i < glob->urls.count; i++) {
        struct pf_entry *added;

        pf_entries_add(settings, glob->urls.items[i], strlen(glob->urls.items[i]), NULL);
        added = &settings->entries[settings->num_entries - 1];
        added->is_remote = entry->is_remote;
        added->upload = upload;
        added->file = entry->file != NULL ? pf_glob_name(glob, i, entry->file) : NULL;
    }
}

/* expand puts all that `entry` stands for behind the others, and frees it: as in curl each file of
 * -T goes to each URL. */
static enum pf_exit expand(struct pf_settings *settings, struct pf_entry *entry)
{
    struct pf_glob urls = {0};
    struct pf_glob files = {0};
    enum pf_exit code = pf_glob_expand(&urls, entry->url);

    if (code == PF_EXIT_OK && is_pattern(entry->upload)) {
        code = pf_glob_expand(&files, entry->upload);
    } else if (code == PF_EXIT_OK) {
        add_expanded(settings, entry, &urls, entry->upload);
    }
    for (size_t i = 0; i < files.urls.count; i++) {
        char *file = pf_strdup(files.urls.items[i]);

        pf_strings_add(&settings->upload_names, file);
        add_expanded(settings, entry, &urls, file);
    }
    pf_glob_free(&urls);
    pf_glob_free(&files);
    free(entry->url);
    free(entry->file);
    return code;
}

/* expand_all puts the transfers that those of the command line stand for in their places. */
static enum pf_exit expand_all(struct pf_settings *settings)
{
    struct pf_entry *old = settings->entries;
    size_t count = settings->num_entries;
    enum pf_exit code = PF_EXIT_OK;

    settings->entries = NULL;
    settings->num_entries = 0;
    for (size_t i = 0; i < count; i++) {
        const bool is_many = is_pattern(old[i].url) || is_pattern(old[i].upload);

        if (is_many && !old[i].is_listed && !settings->globoff && code == PF_EXIT_OK) {
            code = expand(settings, &old[i]);
            continue;
        }
        settings->entries =
            pf_resize(settings->entries, (settings->num_entries + 1) * sizeof(*settings->entries));
        settings->entries[settings->num_entries++] = old[i];
    }
    free(old);
    return code;
}

enum pf_exit pf_entries_settle(struct pf_settings *settings)
{
    enum pf_exit code;

    settings->repeat_is_default = settings->repeat == 0;
    settings->repeat = settings->repeat > 0 ? settings->repeat : 1;
    if (settings->num_entries == 0) {
        pf_say("no URL is given; try 'pooled-fetch --help'");
        return PF_EXIT_USAGE;
    }
    code = assign_uploads(settings);
    if (code != PF_EXIT_OK) {
        return code;
    }
    code = assign_outputs(settings);
    if (code == PF_EXIT_OK) {
        code = expand_all(settings);
    }
    for (size_t i = 0; i < settings->num_entries && code == PF_EXIT_OK; i++) {
        settle_url(settings, &settings->entries[i]);
        if (settings->entries[i].is_remote) {
            code = name_remotely(&settings->entries[i]);
        }
    }
    if (code != PF_EXIT_OK || settings->out_null) {
        return code;
    }
    for (size_t i = 0; i < settings->num_entries; i++) {
        if (settings->entries[i].file != NULL) {
            settle_file(settings, &settings->entries[i]);
        }
    }
    return check_files_differ(settings);
}
