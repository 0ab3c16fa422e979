/* Options of curl's that have no place here, and why: each is refused with one sentence, so that a
 * command line does what it says or does nothing. */

#include <string.h>

#include "count_of.h"
#include "options.h"
#include "say.h"

/* Why not. */
static const char of_others[] = "it is of a protocol that is not spoken here: only HTTP is";
static const char one_version[] = "only HTTP/1.1 is spoken here";
static const char no_jar[] = "cookies are sent as --cookie says them, and not kept";
static const char two_auths[] = "only Basic and Bearer are known here: --user, --oauth2-bearer";
static const char no_netrc[] = "that file is not read; --config can have a --user in it";
static const char no_windows[] = "it is of TLS libraries that are not in here";
static const char no_old_tls[] = "TLS before 1.2 is not spoken: RFC 8996 forbids it";
static const char no_dns[] = "names are looked up as the system does; --resolve gives addresses";
static const char no_socks_auth[] = "with SOCKS only user and password are known";
static const char no_lists[] = "there are no lists of revoked certificates here";
static const char target_of_url[] = "what is asked for is what the URL says, in normal form";
static const char is_missing[] = "there is no such thing here";

static const struct {
    char letter; /* 0: none */
    const char *name, *why;
} refused[] = {
    {':', "next",                       "one set of options holds for all URLs here"                     },
    {0,   "alt-svc",                    is_missing                                                       },
    {0,   "anyauth",                    two_auths                                                        },
    {'a', "append",                     of_others                                                        },
    {0,   "aws-sigv4",                  two_auths                                                        },
    {0,   "cert-status",                no_lists                                                         },
    {0,   "compressed-ssh",             of_others                                                        },
    {0,   "cookie-jar",                 no_jar                                                           },
    {0,   "create-file-mode",           of_others                                                        },
    {0,   "crlf",                       "what is sent is sent as it is"                                  },
    {0,   "crlfile",                    no_lists                                                         },
    {0,   "curves",                     "the curves are fixed: X25519, P-256, P-384"                     },
    {0,   "delegation",                 two_auths                                                        },
    {0,   "digest",                     two_auths                                                        },
    {'P', "ftp-port",                   of_others                                                        },
    {0,   "disable-eprt",               of_others                                                        },
    {0,   "disable-epsv",               of_others                                                        },
    {0,   "dns-interface",              no_dns                                                           },
    {0,   "dns-ipv4-addr",              no_dns                                                           },
    {0,   "dns-ipv6-addr",              no_dns                                                           },
    {0,   "dns-servers",                no_dns                                                           },
    {0,   "doh-cert-status",            no_dns                                                           },
    {0,   "doh-insecure",               no_dns                                                           },
    {0,   "doh-url",                    no_dns                                                           },
    {0,   "egd-file",                   "random numbers are the kernel's"                                },
    {0,   "engine",                     no_windows                                                       },
    {0,   "false-start",                no_windows                                                       },
    {0,   "form-escape",                "quotes in names of forms are percent-encoded, as browsers do"   },
    {0,   "ftp-account",                of_others                                                        },
    {0,   "ftp-alternative-to-user",    of_others                                                        },
    {0,   "ftp-create-dirs",            of_others                                                        },
    {0,   "ftp-method",                 of_others                                                        },
    {0,   "ftp-pasv",                   of_others                                                        },
    {0,   "ftp-pret",                   of_others                                                        },
    {0,   "ftp-skip-pasv-ip",           of_others                                                        },
    {0,   "ftp-ssl",                    of_others                                                        },
    {0,   "ftp-ssl-ccc",                of_others                                                        },
    {0,   "ftp-ssl-ccc-mode",           of_others                                                        },
    {0,   "ftp-ssl-control",            of_others                                                        },
    {0,   "ftp-ssl-reqd",               of_others                                                        },
    {0,   "happy-eyeballs-timeout-ms",  "addresses are raced as RFC 8305 says"                           },
    {0,   "haproxy-protocol",           is_missing                                                       },
    {0,   "hostpubmd5",                 of_others                                                        },
    {0,   "hostpubsha256",              of_others                                                        },
    {0,   "hsts",                       is_missing                                                       },
    {0,   "http0.9",                    one_version                                                      },
    {'0', "http1.0",                    one_version                                                      },
    {0,   "http2",                      one_version                                                      },
    {0,   "http2-prior-knowledge",      one_version                                                      },
    {0,   "http3",                      one_version                                                      },
    {0,   "http3-only",                 one_version                                                      },
    {0,   "ignore-content-length",      "where a body ends is what Content-Length says"                  },
    {'j', "junk-session-cookies",       no_jar                                                           },
    {0,   "krb",                        of_others                                                        },
    {0,   "libcurl",                    "there is no libcurl in here"                                    },
    {'l', "list-only",                  of_others                                                        },
    {0,   "local-port",                 "the port on this side is the kernel's choice"                   },
    {0,   "login-options",              of_others                                                        },
    {0,   "mail-auth",                  of_others                                                        },
    {0,   "mail-from",                  of_others                                                        },
    {0,   "mail-rcpt",                  of_others                                                        },
    {0,   "mail-rcpt-allowfails",       of_others                                                        },
    {'M', "manual",                     "the manual is pooled-fetch(1)"                                  },
    {0,   "metalink",                   is_missing                                                       },
    {0,   "negotiate",                  two_auths                                                        },
    {0,   "netrc",                      no_netrc                                                         },
    {0,   "netrc-file",                 no_netrc                                                         },
    {0,   "netrc-optional",             no_netrc                                                         },
    {0,   "no-alpn",                    "the protocol is agreed upon by ALPN"                            },
    {0,   "no-npn",                     no_windows                                                       },
    {0,   "no-sessionid",               "TLS sessions are resumed; that is what a pool is for"           },
    {0,   "ntlm",                       two_auths                                                        },
    {0,   "ntlm-wb",                    two_auths                                                        },
    {0,   "path-as-is",                 target_of_url                                                    },
    {0,   "proxy-anyauth",              two_auths                                                        },
    {0,   "proxy-cert-type",            "PEM and DER are told apart by looking"                          },
    {0,   "proxy-crlfile",              no_lists                                                         },
    {0,   "proxy-digest",               two_auths                                                        },
    {0,   "proxy-key-type",             "PEM and DER are told apart by looking"                          },
    {0,   "proxy-negotiate",            two_auths                                                        },
    {0,   "proxy-ntlm",                 two_auths                                                        },
    {0,   "proxy-service-name",         two_auths                                                        },
    {0,   "proxy-ssl-allow-beast",      no_windows                                                       },
    {0,   "proxy-ssl-auto-client-cert", no_windows                                                       },
    {0,   "proxy-tls13-ciphers",        "those of TLS 1.3 are fixed"                                     },
    {0,   "proxy-tlsauthtype",          no_windows                                                       },
    {0,   "proxy-tlspassword",          no_windows                                                       },
    {0,   "proxy-tlsuser",              no_windows                                                       },
    {0,   "proxy-tlsv1",                no_old_tls                                                       },
    {0,   "proxy1.0",                   one_version                                                      },
    {'p', "proxytunnel",                "https goes through a tunnel, http does not"                     },
    {0,   "pubkey",                     of_others                                                        },
    {'Q', "quote",                      of_others                                                        },
    {0,   "random-file",                "random numbers are the kernel's"                                },
    {0,   "request-target",             target_of_url                                                    },
    {0,   "sasl-authzid",               of_others                                                        },
    {0,   "sasl-ir",                    of_others                                                        },
    {0,   "service-name",               two_auths                                                        },
    {0,   "socks5-gssapi",              no_socks_auth                                                    },
    {0,   "socks5-gssapi-nec",          no_socks_auth                                                    },
    {0,   "socks5-gssapi-service",      no_socks_auth                                                    },
    {0,   "ssl",                        of_others                                                        },
    {0,   "ssl-allow-beast",            no_windows                                                       },
    {0,   "ssl-auto-client-cert",       no_windows                                                       },
    {0,   "ssl-no-revoke",              no_windows                                                       },
    {0,   "ssl-reqd",                   of_others                                                        },
    {0,   "ssl-revoke-best-effort",     no_windows                                                       },
    {'2', "sslv2",                      no_old_tls                                                       },
    {'3', "sslv3",                      no_old_tls                                                       },
    {0,   "tcp-fastopen",               is_missing                                                       },
    {'t', "telnet-option",              of_others                                                        },
    {0,   "tftp-blksize",               of_others                                                        },
    {0,   "tftp-no-options",            of_others                                                        },
    {0,   "tls13-ciphers",              "those of TLS 1.3 are fixed"                                     },
    {0,   "tlsauthtype",                no_windows                                                       },
    {0,   "tlspassword",                no_windows                                                       },
    {0,   "tlsuser",                    no_windows                                                       },
    {0,   "tr-encoding",                "transfers are chunked or as they are; --compressed is of bodies"},
    {'B', "use-ascii",                  of_others                                                        },
    {0,   "xattr",                      is_missing                                                       },
};

size_t pf_refused_count(const char *name)
{
    size_t len = strlen(name);
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        count += strncmp(refused[i].name, name, len) == 0 ? 1 : 0;
    }
    return count;
}

void pf_refuse_long(const char *name, size_t num_others)
{
    size_t count = pf_refused_count(name);
    const char *why = NULL;
    const char *whole = name;

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        bool is_it = strcmp(refused[i].name, name) == 0;

        if (is_it ||
            (count == 1 && num_others == 0 && strncmp(refused[i].name, name, strlen(name)) == 0)) {
            why = refused[i].why;
            whole = refused[i].name;
        }
    }
    if (why != NULL) {
        pf_say("option --%s: %s", whole, why);
    } else if (count + num_others > 0) {
        pf_say("option --%s: more than one begins so", name);
    } else {
        pf_say("option --%s: is unknown; try 'pooled-fetch --help'", name);
    }
}

enum pf_exit pf_refuse_letter(char letter)
{
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        if (refused[i].letter == letter) {
            pf_say("option -%c, --%s: %s", letter, refused[i].name, refused[i].why);
            return PF_EXIT_USAGE;
        }
    }
    pf_say("option -%c: is unknown; try 'pooled-fetch --help'", letter);
    return PF_EXIT_USAGE;
}
