/* --help and --version. */

#include "help.h"

#include <stdio.h>
#include <string.h>

#include "urlpool/version.h"

#include "options.h"
#include "say.h"

enum {
    TEXT_COLUMN = 28,
    WIDTH = 80
};

static const struct {
    const char *name, *title;
} categories[PF_HELP_NUM] = {
    [PF_HELP_URLS] = {"urls",      "URLs"                                                                    },
    [PF_HELP_OUTPUT] =
        {"output",
                      "Where bodies go: to standard output, whole and in the order of the URLs, but for"     },
    [PF_HELP_REQUEST] = {"request",   "Requests"                                                                },
    [PF_HELP_REDIRECTS] = {"redirects", "Redirects"                                                               },
    [PF_HELP_RETRIES] = {"retries",   "Retries"                                                                 },
    [PF_HELP_LIMITS] = {"limits",    "Limits"                                                                  },
    [PF_HELP_TLS] = {"tls",       "TLS"                                                                     },
    [PF_HELP_NETWORK] = {"network",   "The network"                                                             },
    [PF_HELP_PROXIES] =
        {"proxies",
                      "Proxies; http_proxy, https_proxy, all_proxy and no_proxy in the environment are heard"},
    [PF_HELP_POOL] = {"pool",      "The pool"                                                                },
    [PF_HELP_REPORT] = {"report",    "What is said"                                                            },
    [PF_HELP_ACCEPTED] = {"accepted",  "Accepted, and so anyway"                                                 },
};

static const char beginning[] =
    "usage: pooled-fetch [option]... URL...\n"
    "Fetches URLs in parallel through one shared connection pool. Options are spelled as curl's\n"
    "wherever curl has them, but for -c, -n and --rate.\n"
    "\n"
    "  pooled-fetch https://example.com/          the body, on standard output\n"
    "  pooled-fetch -LO https://example.com/a.gz  into the file a.gz\n"
    "  pooled-fetch --input-file urls.txt -c 16 -O --output-dir out --create-dirs\n"
    "  pooled-fetch -n 10000 -c 16 --out-null --report http://127.0.0.1:8080/\n"
    "\n";

static const char ending[] = "\nExit codes are curl's; with several URLs, that of the first that "
                             "failed; 130 after Ctrl-C.\n";

static char letter_of(const char *name)
{
    for (size_t i = 0; i < pf_num_options; i++) {
        if (strcmp(pf_options[i].name, name) == 0) {
            return pf_options[i].letter;
        }
    }
    return 0;
}

/* print_text prints it from a column on, in lines that are not too long. */
static void print_text(const char *text, int column)
{
    if (column > TEXT_COLUMN - 2) {
        (void)printf("\n%*s", TEXT_COLUMN, "");
    } else {
        (void)printf("%*s", TEXT_COLUMN - column, "");
    }
    column = TEXT_COLUMN;
    while (*text != '\0') {
        int len = (int)strcspn(text, " ");

        if (column > TEXT_COLUMN && column + 1 + len > WIDTH) {
            (void)printf("\n%*s", TEXT_COLUMN, "");
            column = TEXT_COLUMN;
        } else if (column > TEXT_COLUMN) {
            (void)printf(" ");
            column++;
        }
        (void)printf("%.*s", len, text);
        column += len;
        text += len;
        text += *text == ' ';
    }
    (void)printf("\n");
}

static void print_row(const struct pf_help_row *row)
{
    char letter = letter_of(row->name);
    char name[80];
    int len =
        snprintf(name, sizeof(name), "  %c%c%c --%s%s%s", letter != 0 ? '-' : ' ',
                 letter != 0 ? letter : ' ', letter != 0 ? ',' : ' ', row->name,
                 row->argument != NULL ? " " : "", row->argument != NULL ? row->argument : "");

    (void)printf("%s", name);
    print_text(row->text, len);
}

static void print_category(enum pf_help_category category)
{
    (void)printf("%s\n", categories[category].title);
    for (size_t i = 0; i < pf_num_help_rows; i++) {
        if (pf_help_rows[i].category == category) {
            print_row(&pf_help_rows[i]);
        }
    }
}

static void print_beginning(void)
{
    (void)printf("%s--help CATEGORY tells the options; it is one of\n ", beginning);
    for (int i = 0; i < PF_HELP_NUM; i++) {
        (void)printf(" %s", categories[i].name);
    }
    (void)printf(" all\n%s", ending);
}

int pf_help_print(const char *category)
{
    bool is_all = category != NULL && strcmp(category, "all") == 0;
    bool is_known = false;

    if (category == NULL || strcmp(category, "category") == 0) {
        print_beginning();
        return PF_EXIT_OK;
    }
    for (int i = 0; i < PF_HELP_NUM; i++) {
        if (is_all || strcmp(categories[i].name, category) == 0) {
            (void)printf("%s", is_known ? "\n" : "");
            print_category((enum pf_help_category)i);
            is_known = true;
        }
    }
    if (!is_known) {
        pf_say("option --help: there is no category \"%s\"", category);
        return PF_EXIT_USAGE;
    }
    return PF_EXIT_OK;
}

void pf_version_print(void)
{
    (void)printf("pooled-fetch %s\n%s\n", URLPOOL_VERSION, urlpool_version());
}
