/* --help and --version. */

#include "help.h"

#include <stdio.h>

#include "urlpool/version.h"

static const char help[] =
    "usage: pooled-fetch [option]... URL...\n"
    "Fetches URLs in parallel through one shared connection pool. Options are spelled as curl's\n"
    "wherever curl has them.\n"
    "\n"
    "URLs\n"
    "  URL, --url URL           any number\n"
    "  --input-file FILE        URLs, one a line, \"-\" for standard input; \"#\" begins a "
    "comment;\n"
    "                           a TAB and a name behind a URL say where its body goes\n"
    "  -c, --concurrency N      threads, 8 if not said; also --parallel-max\n"
    "  -n, --repeat N           fetch the whole list N times\n"
    "  -Z, --parallel; -q       accepted: it is always parallel, and reads no configuration file\n"
    "\n"
    "Where bodies go: to standard output, whole and in the order of the URLs, but for\n"
    "  -o, --output FILE        one for each URL, in order\n"
    "  -O, --remote-name        named as in the URL; one for each URL, or one for all of a list\n"
    "  --output-dir DIR         where those files are\n"
    "  --create-dirs            make the directories they need\n"
    "  --out-null               nowhere\n"
    "  --remove-on-error        a file whose transfer failed is removed\n"
    "  -i, --include            the response heads too\n"
    "\n"
    "Requests\n"
    "  -X, --request METHOD     -I, --head: HEAD\n"
    "  -H, --header LINE        \"Name: value\" sends it, \"Name:\" leaves it out, \"Name;\" sends "
    "it\n"
    "                           empty, \"@FILE\" takes lines from a file\n"
    "  -A, --user-agent NAME    -e, --referer URL\n"
    "  -u, --user USER:PASSWORD --oauth2-bearer TOKEN\n"
    "  -d, --data DATA          POST it; \"@FILE\" without its line ends; several are joined by "
    "\"&\"\n"
    "  --data-binary DATA       \"@FILE\" as it is\n"
    "  --data-raw DATA          \"@\" means nothing\n"
    "  --data-urlencode DATA    percent-encoded\n"
    "  --json DATA              POST it as JSON\n"
    "  -G, --get                put the data into the URL\n"
    "  --compressed             ask for and undo content codings\n"
    "  -L, --location           follow redirects, --max-redirs N of them (50; -1: any number)\n"
    "\n"
    "Limits; seconds may have decimals\n"
    "  -m, --max-time S         for a whole transfer\n"
    "  --connect-timeout S      for name, TCP and TLS; 300 if not said\n"
    "  --read-timeout S         for a gap without a byte\n"
    "  --max-filesize BYTES     of a decoded body; K, M and G are understood\n"
    "\n"
    "TLS\n"
    "  --cacert FILE            trust these instead of the system's; --capath DIR\n"
    "  -k, --insecure           trust anybody\n"
    "\n"
    "The pool\n"
    "  --pool-maxsize N         connections kept for an origin, 64 if not said\n"
    "  --pool-block             N also bounds the open ones; threads wait their turn,\n"
    "  --pool-timeout S         at most so long\n"
    "  --num-pools N            origins whose connections are kept\n"
    "  --max-idle S             an idle connection is kept so long; --max-lifetime S: any\n"
    "\n"
    "What is said\n"
    "  -f, --fail               a status of 400 or more is error 22, without a body;\n"
    "                           --fail-with-body: with its body\n"
    "  --fail-early             stop at the first failure\n"
    "  -s, --silent             neither progress nor errors; -S, --show-error: errors after all\n"
    "  --no-progress-meter      no progress; it is drawn only on a terminal\n"
    "  -v, --verbose            what happens, and the heads, without credentials\n"
    "  -w, --write-out FORMAT   after each transfer: curl's %{variables}, %{conn_reused},\n"
    "                           %{pool_wait}, %{json}\n"
    "  --jsonl                  a line of JSON after each transfer\n"
    "  --report[=text|json]     at the end: totals, latency, and what the pool did\n"
    "                           Both go to standard error where bodies go to standard output.\n"
    "  --demo                   start a server of our own, HTTP and HTTPS, fetch from it 2,000\n"
    "                           times, and report\n"
    "  -h, --help; -V, --version\n"
    "\n"
    "Exit codes are curl's; with several URLs, that of the first that failed; 130 after Ctrl-C.\n";

void pf_help_print(void)
{
    (void)fputs(help, stdout);
}

void pf_version_print(void)
{
    (void)printf("pooled-fetch %s\n%s\n", URLPOOL_VERSION, urlpool_version());
}
