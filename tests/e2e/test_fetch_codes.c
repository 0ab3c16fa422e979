/* pooled-fetch: exit codes and what is said, on bad input and from bad servers. */

#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/fetch_site.h"
#include "support/loopback.h"
#include "support/run_tests.h"

static struct site site;

/* Paths of the site and what becomes of them. */
static const struct {
    const char *options[3];
    const char *path;
    int exit_code;
    const char *output, *said;
} answers[] = {
    {{NULL},                               "/status/404",  0,  "status 404\n", ""                 },
    {{"-f"},                               "/status/404",  22, "",             "404"              },
    {{"--fail"},                           "/status/500",  22, "",             "500"              },
    {{"-f"},                               "/hello",       0,  "hello\n",      ""                 },
    {{"--fail-with-body"},                 "/status/404",  22, "status 404\n", "404"              },
    {{NULL},                               "/cut",         18, "short",        "5 bytes"          },
    {{NULL},                               "/empty",       52, "",             "before a response"},
    {{NULL},                               "/reset",       56, "",             "reset"            },
    {{NULL},                               "/garbage",     8,  "",             "status line"      },
    {{NULL},                               "/bad-field",   8,  "",             "colon"            },
    {{NULL},                               "/cut-head",    56, "",             "head"             },
    {{NULL},                               "/bad-chunk",   56, "",             "chunk"            },
    {{NULL},                               "/coding",      61, "",             "foo"              },
    {{NULL},                               "/bad-gzip",    0,  "plain",        ""                 },
    {{"--compressed"},                     "/bad-gzip",    61, "",             "gzip"             },
    {{"-L"},                               "/loop",        47, "",             "50"               },
    {{"-L"},                               "/to-ftp",      1,  "",             "ldaps"            },
    {{"-L"},                               "/to-nonsense", 3,  "",             "no name may have" },
    {{"--max-filesize", "299999"},         "/big",         63, "",             "--max-filesize"   },
    {{"--max-filesize", "6"},              "/chunked",     63, NULL,           "--max-filesize"   },
    {{"--max-filesize=5", "-I"},           "/hello",       0,  NULL,           ""                 },
    {{"--max-filesize=9", "--compressed"}, "/gzip",        0,  "squeezed\n",   ""                 },
    {{"--max-filesize=8", "--compressed"}, "/gzip",        63, "",             "--max-filesize"   },
    {{"--max-filesize", "1k"},             "/hello",       0,  "hello\n",      ""                 },
    {{"-m", "0.05"},                       "/stay",        28, "",             ""                 },
    {{"--max-time=0.7"},                   "/drip",        28, "first",        ""                 },
    {{"--read-timeout", ".05"},            "/stay",        28, "",             ""                 },
};

START_TEST(fetch__an_answer_has_the_exit_code_of_curl)
{
    struct ran *ran;
    const char *words[6] = {POOLED_FETCH, NULL};
    size_t n = 1;

    site_begin(&site);
    for (size_t i = 0; i < 2 && answers[_i].options[i] != NULL; i++) {
        words[n++] = answers[_i].options[i];
    }
    words[n] = site_url(&site, answers[_i].path);
    ran = site_fetch(&site, NULL, words);
    ck_assert_msg(ran->exit_code == answers[_i].exit_code, "%s: exit code %d: %s", answers[_i].path,
                  ran->exit_code, ran->err);
    if (answers[_i].output != NULL) {
        ck_assert_str_eq(ran->out, answers[_i].output);
    }
    if (answers[_i].exit_code == 0) {
        ck_assert_str_eq(ran->err, "");
    } else {
        char begin[128];
        (void)snprintf(begin, sizeof(begin),
                       "pooled-fetch: (%d) http://127.0.0.1:", answers[_i].exit_code);
        ck_assert_msg(strncmp(ran->err, begin, strlen(begin)) == 0, "said \"%s\"", ran->err);
        ck_assert_msg(strstr(ran->err, answers[_i].said) != NULL, "said \"%s\"", ran->err);
    }
    ran_free(ran);
    site_end(&site);
}
END_TEST

/* Command lines that go wrong before anything is sent. */
static const struct {
    const char *words[5];
    int exit_code;
    const char *said;
} lines[] = {
    {{NULL},                                                     2,  "no URL"                   },
    {{"--no-such-option", "http://h/"},                          2,  "--no-such-option"         },
    {{"-P", "http://h/"},                                        2,  "-P"                       },
    {{"-sSP", "http://h/"},                                      2,  "-P"                       },
    {{"http://h/", "-o"},                                        2,  "--output: needs a value"  },
    {{"http://h/", "--max-time"},                                2,  "--max-time: needs a value"},
    {{"--silent=yes", "http://h/"},                              2,  "takes no value"           },
    {{"-m", "soon", "http://h/"},                                2,  "\"soon\""                 },
    {{"-m", "", "http://h/"},                                    2,  "seconds"                  },
    {{"-m", "inf", "http://h/"},                                 2,  "seconds"                  },
    {{"-c", "0", "http://h/"},                                   2,  "less than 1"              },
    {{"-c", "5000", "http://h/"},                                2,  "more than 4096"           },
    {{"-n", "0", "http://h/"},                                   2,  "less than 1"              },
    {{"-n", "-1", "http://h/"},                                  2,  "no number"                },
    {{"-n", "99999999999999999999", "http://h/"},                2,  "no number"                },
    {{"--max-redirs", "-2", "http://h/"},                        2,  "--max-redirs"             },
    {{"--max-filesize", "1x", "http://h/"},                      2,  "bytes"                    },
    {{"--report=xml", "http://h/"},                              2,  "xml"                      },
    {{"-w", "%{nonsense}", "http://h/"},                         2,  "nonsense"                 },
    {{"-H", "no colon", "http://h/"},                            2,  "no colon"                 },
    {{"-H", "Host:", "http://h/"},                               2,  "Host"                     },
    {{"-H", "Bad Name: x", "http://h/"},                         2,  "Bad Name"                 },
    {{"-X", "A B", "http://h/"},                                 2,  "A B"                      },
    {{"-I", "-d", "x", "http://h/"},                             2,  "--head"                   },
    {{"-f", "--fail-with-body", "http://h/"},                    2,  "--fail-with-body"         },
    {{"-u", "alone", "http://h/"},                               2,  "user:password"            },
    {{"-o", "a", "-o", "b", "http://h/"},                        2,  "more of them"             },
    {{"--pool-block", "--pool-maxsize", "0", "http://h/"},       2,  "block"                    },
    {{"-d", "@missing", "http://h/"},                            26, "missing"                  },
    {{"-H", "@missing", "http://h/"},                            26, "missing"                  },
    {{"-w", "@missing", "http://h/"},                            26, "missing"                  },
    {{"http://a b/"},                                            3,  "space"                    },
    {{"http://h:99999/"},                                        3,  "port"                     },
    {{"ldaps://h/"},                                             1,  "ldaps"                    },
    {{"--cacert", "missing", "http://h/"},                       77, "missing"                  },
    {{"--capath", "missing", "http://h/"},                       77, "missing"                  },
    {{"--next", "http://h/"},                                    2,  "one set of options"       },
    {{"-T", "a", "-d", "b", "http://h/"},                        2,  "two bodies"               },
    {{"-T", "a", "-I", "http://h/"},                             2,  "two methods"              },
    {{"-G", "-T", "a", "http://h/"},                             2,  "--get"                    },
    {{"-r", "abc", "http://h/"},                                 2,  "\"abc\""                  },
    {{"-r", "", "http://h/"},                                    2,  "range"                    },
    {{"-r", "0-4", "-dx", "http://h/"},                          2,  "--range"                  },
    {{"-e", "a;auto", "http://h/"},                              2,  ";auto"                    },
    {{"--proto-redir", "*http", "http://h/"},                    2,  "=https"                   },
    {{"--proto-redir", "", "http://h/"},                         2,  "=https"                   },
    {{"--proto-redir", "=http,,https", "http://h/"},             2,  "=https"                   },
    {{"-L", "--proto-redir", "=ftp", "http://h/"},               2,  "neither http nor https"   },
    {{"-L", "--proto-redir", "-all", "http://h/"},               2,  "neither http nor https"   },
    {{"--post301=1", "http://h/"},                               2,  "takes no value"           },
    {{"-D", "no/file", "http://h/"},                             23, "no/file"                  },
    {{"-T", "missing", "http://127.0.0.1:9/"},                   26, "missing"                  },
    {{"-sS", "-Ta", "-Tb", "http://h/"},                         2,  "more of them"             },
    {{"-T-", "-n2", "http://h/"},                                2,  "but once"                 },
    {{"-T-", "-T.", "http://h/", "http://h/"},                   2,  "but once"                 },
    {{"-F", "=b", "http://h/"},                                  2,  "name=content"             },
    {{"-F", "a=(;type=multipart/mixed", "http://h/"},            2,  "several parts"            },
    {{"-F", "a=@b,c", "http://h/"},                              2,  "several files"            },
    {{"-F", "a=b;encoder=base64", "http://h/"},                  2,  "encoder=base64"           },
    {{"-F", "a=b;c", "http://h/"},                               2,  "--form-string"            },
    {{"-F", "a=\"b\"c", "http://h/"},                            2,  "behind the quotes"        },
    {{"-F", "a=b;type=", "http://h/"},                           2,  "media type"               },
    {{"-F", "a=b;headers=x", "http://h/"},                       2,  "Name: value"              },
    {{"-F", "a=b;headers=@x", "http://h/"},                      2,  "Name: value"              },
    {{"-F", "a=b;headers=X Y: z", "http://h/"},                  2,  "--form: "                 },
    {{"-F", "a=<missing", "http://h/"},                          26, "missing"                  },
    {{"-F", "a=@missing", "http://127.0.0.1:9/"},                26, "missing"                  },
    {{"-F", "a=b", "-G", "http://h/"},                           2,  "--get"                    },
    {{"-F", "a=b", "-I", "http://h/"},                           2,  "--head"                   },
    {{"-F", "a=b", "-r0-1", "http://h/"},                        2,  "--range"                  },
    {{"--form-string", "a", "http://h/"},                        2,  "name=content"             },
    {{"-Fa=b", "-HContent-Type: a/b; boundary=\"", "http://h/"}, 2,  "boundary"                 },
    {{"--retry", "-1", "http://h/"},                             2,  "no number"                },
    {{"--retry", "x", "http://h/"},                              2,  "no number"                },
    {{"--retry-delay", "1x", "http://h/"},                       2,  "seconds"                  },
    {{"--retry-max-time", "-1", "http://h/"},                    2,  "seconds"                  },
    {{"--retry-on", "", "http://h/"},                            2,  "404,503"                  },
    {{"--retry-on", "99", "http://h/"},                          2,  "404,503"                  },
    {{"--retry-on", "503,", "http://h/"},                        2,  "404,503"                  },
    {{"-T-", "--retry", "1", "http://h/"},                       2,  "but once"                 },
    {{"--connect-to", "a:1:b", "http://h/"},                     2,  "--connect-to"             },
    {{"--connect-to", "a:1:b:x", "http://h/"},                   2,  "--connect-to"             },
    {{"--resolve", "a", "http://h/"},                            49, "--resolve"                },
    {{"--resolve", "a::127.0.0.1", "http://h/"},                 49, "--resolve"                },
    {{"--resolve", "a:80:nonsense", "http://h/"},                49, "nonsense"                 },
    {{"--resolve", "-a:80", "http://h/"},                        49, "--resolve"                },
    {{"--interface", "no-such", "http://h/"},                    45, "no-such"                  },
    {{"--interface", "192.0.2.1", "http://h/"},                  45, "192.0.2.1"                },
    {{"--interface", "if!127.0.0.1", "http://h/"},               45, "no interface"             },
    {{"--interface", "host!lo", "http://h/"},                    45, "no address"               },
    {{"--unix-socket", "", "http://h/"},                         2,  "--unix-socket"            },
    {{"--cert", "missing", "http://h/"},                         58, "missing"                  },
    {{"--key", "missing", "http://h/"},                          2,  "without a certificate"    },
    {{"--pinnedpubkey", "nonsense", "http://h/"},                2,  "nonsense"                 },
    {{"--ciphers", "nonsense", "http://h/"},                     59, "nonsense"                 },
    {{"--ciphers", "aNULL:PSK", "http://h/"},                    59, "aNULL:PSK"                },
    {{"--tls-max", "1.1", "http://h/"},                          2,  "\"1.1\""                  },
    {{"--tls-max", "1.2", "--tlsv1.3", "http://h/"},             2,  "above"                    },
    {{"--rate=5x", "http://h/"},                                 2,  "requests a second"        },
    {{"--rate=0", "http://h/"},                                  2,  "requests a second"        },
    {{"-C", "x", "http://h/"},                                   2,  "neither an offset"        },
    {{"-C-", "-r1-", "http://h/"},                               2,  "--continue-at"            },
    {{"-C-", "-dx", "http://h/"},                                2,  "--continue-at"            },
    {{"-C-", "-OJ", "http://h/a"},                               2,  "--continue-at"            },
    {{"-iOJ", "http://h/a"},                                     2,  "exclude each other"       },
    {{"--etag-save", "e", "http://h/", "http://h/"},             2,  "one URL"                  },
    {{"-b", "jar", "http://h/"},                                 2,  "NAME=VALUE"               },
    {{"--create-file-mode", "0600", "http://h/"},                2,  "only HTTP"                },
    {{"--proto", "=ftp", "http://h/"},                           1,  "--proto"                  },
    {{"--proto-default", "ftp", "h/"},                           1,  "ftp"                      },
    {{"--proto-default", "a b", "u:p@h/"},                       3,  " a b://h/:"               },
    {{"--disallow-username-in-url", "http://u@h/"},              67, "a user in the URL"        },
    {{"--cert-type", "P12", "http://h/"},                        58, "PEM nor DER"              },
    {{"--trace", "no/file", "http://h/"},                        23, "no/file"                  },
    {{"-K", "missing", "http://h/"},                             26, "missing"                  },
    {{"--http2", "http://h/"},                                   2,  "only HTTP/1.1"            },
    {{"-0", "http://h/"},                                        2,  "only HTTP/1.1"            },
    {{"--digest", "http://h/"},                                  2,  "Basic and Bearer"         },
    {{"--cookie-jar", "x", "http://h/"},                         2,  "not kept"                 },
    {{"--re", "x", "http://h/"},                                 2,  "more than one"            },
    {{"--no-pass", "http://h/"},                                 2,  "undone"                   },
    {{"--help", "nonsense"},                                     2,  "no category"              },
    {{"http://h/[1-"},                                           3,  "--globoff"                },
    {{"http://h/{a"},                                            3,  "--globoff"                },
    {{"http://h/[9-1]"},                                         3,  "--globoff"                },
    {{"-w", "\\%%{none}", "http://h/"},                          2,  "no variable \"none\""     },
    {{"--demo", "-Fa=b"},                                        2,  "--demo"                   },
    {{"--demo", "-Ta"},                                          2,  "--demo"                   },
    {{"--demo", "http://h/"},                                    2,  "--demo"                   },
};

START_TEST(fetch__refuses_what_it_cannot_do_in_one_sentence)
{
    const char *words[7] = {POOLED_FETCH, NULL};

    site_begin(&site);
    for (size_t i = 0; i < 5 && lines[_i].words[i] != NULL; i++) {
        words[i + 1] = lines[_i].words[i];
    }
    ck_assert_refused(site_fetch(&site, NULL, words), lines[_i].exit_code, lines[_i].said);
    ck_assert_uint_eq(test_server_num_requests(site.server), 0);
    site_end(&site);
}
END_TEST

START_TEST(fetch__several_urls_give_the_code_of_the_first_that_failed)
{
    site_begin(&site);
    ck_assert_code(FETCH(&site, "-s", "-m", "0.2", site_url(&site, "/hello"),
                         site_url(&site, "/stay"), site_url(&site, "/empty"),
                         site_url(&site, "/cut")),
                   28);
    ck_assert_code(FETCH(&site, "-s", site_url(&site, "/empty"), site_url(&site, "/hello")), 52);
    site_end(&site);
}
END_TEST

START_TEST(fetch__silent_hides_errors_and_show_error_shows_them)
{
    struct ran *ran;

    site_begin(&site);
    ran = FETCH(&site, "-s", site_url(&site, "/empty"));
    ck_assert_int_eq(ran->exit_code, 52);
    ck_assert_str_eq(ran->err, "");
    ran_free(ran);
    ck_assert_refused(FETCH(&site, "-sS", site_url(&site, "/empty")), 52, "(52)");
    site_end(&site);
}
END_TEST

START_TEST(fetch__fail_early_stops_at_the_first_failure)
{
    site_begin(&site);
    ck_assert_refused(
        FETCH(&site, "--fail-early", "-c1", site_url(&site, "/empty"), site_url(&site, "/hello")),
        52, "(52)");
    ck_assert_refused(FETCH(&site, "--fail-early", "-c2", site_url(&site, "/stay"),
                            site_url(&site, "/empty"), site_url(&site, "/hello")),
                      52, "(52)");
    site_end(&site);
}
END_TEST

START_TEST(fetch__a_port_where_nobody_listens_is_refused)
{
    int fd = loopback_bind("127.0.0.1", 0);
    char url[64];

    site_begin(&site);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(fd));
    ck_assert_refused(FETCH(&site, url), 7, "(7)");
    site_end(&site);
    (void)close(fd);
}
END_TEST

START_TEST(fetch__connect_timeout_bounds_the_dialling)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.1", 0);
    char url[64];

    site_begin(&site);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(hole.listener));
    ck_assert_refused(FETCH(&site, "--connect-timeout", "0.1", url), 28, "(28)");
    site_end(&site);
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(fetch__accepts_what_is_so_anyway)
{
    site_begin(&site);
    ck_assert_ran(FETCH(&site, "-q", "-Z", "-#", "--tlsv1.2", "--", site_url(&site, "/hello")), 0,
                  "hello\n");
    site_end(&site);
}
END_TEST

START_TEST(fetch__says_nothing_that_a_terminal_would_obey)
{
    struct ran *ran;

    site_begin(&site);
    ran = FETCH(&site, "http://127.0.0.1:1/\x1b[2J");
    ck_assert_int_eq(ran->exit_code, 3);
    ck_assert_ptr_null(strchr(ran->err, 0x1b));
    ran_free(ran);
    site_end(&site);
}
END_TEST

/* answer_and_tell posts `user` when the first half of a body is out. */
static void answer_and_tell(struct test_peer *peer, const struct test_request *request, void *user)
{
    if (strcmp(request->target, "/drip") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
        (void)sem_post(user);
        test_peer_stay(peer);
        return;
    }
    site_answer(peer, request, NULL);
}

static void assert_stops_cleanly(int num_signals)
{
    sem_t is_half_way;
    struct ran *ran;

    site_begin(&site);
    test_server_stop(site.server);
    ck_assert_int_eq(sem_init(&is_half_way, 0, 0), 0);
    site.server = test_server_start(answer_and_tell, &is_half_way, NULL);
    const char *const args[] = {POOLED_FETCH,
                                "--report=json",
                                "-o",
                                site_path(&site, "file"),
                                "-o",
                                "/dev/null",
                                "-c1",
                                site_url(&site, "/drip"),
                                site_url(&site, "/hello"),
                                NULL};
    struct program *program = program_start(args, NULL);

    ck_assert_int_eq(sem_wait(&is_half_way), 0);
    for (int i = 0; i < num_signals; i++) {
        program_signal(program, SIGINT);
    }
    ran = program_wait(program);
    ck_assert_int_eq(ran->exit_code, 130);
    ck_assert_ptr_nonnull(strstr(ran->err, "(42) "));
    ck_assert_ptr_nonnull(strstr(ran->out, "\"transfers\": 1,"));
    ck_assert_ptr_nonnull(strstr(ran->out, "\"42\": 1"));
    ck_assert_uint_eq(test_server_num_requests(site.server), 1);
    ran_free(ran);
    site_end(&site);
}

START_TEST(fetch__control_c_stops_cleanly_and_still_reports)
{
    assert_stops_cleanly(1);
}
END_TEST

/* timeout(1) signals the process, and then the group that it is in. */
START_TEST(fetch__a_signal_that_comes_twice_at_once_is_one)
{
    assert_stops_cleanly(2);
}
END_TEST

RUN_LOOPS("fetch codes", TEST_ROWS(fetch__an_answer_has_the_exit_code_of_curl, answers),
          TEST_ROWS(fetch__refuses_what_it_cannot_do_in_one_sentence, lines),
          TEST_ONCE(fetch__several_urls_give_the_code_of_the_first_that_failed),
          TEST_ONCE(fetch__silent_hides_errors_and_show_error_shows_them),
          TEST_ONCE(fetch__fail_early_stops_at_the_first_failure),
          TEST_ONCE(fetch__a_port_where_nobody_listens_is_refused),
          TEST_ONCE(fetch__connect_timeout_bounds_the_dialling),
          TEST_ONCE(fetch__accepts_what_is_so_anyway),
          TEST_ONCE(fetch__says_nothing_that_a_terminal_would_obey),
          TEST_ONCE(fetch__control_c_stops_cleanly_and_still_reports),
          TEST_ONCE(fetch__a_signal_that_comes_twice_at_once_is_one))
