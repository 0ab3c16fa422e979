/* The names that no server is asked about. */

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/resolver.h"
#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/run_tests.h"

static struct urlp_addresses answers[URLP_NUM_FAMILIES];
static bool is_found, is_literal;
static struct urlpool_error err;
static char hosts_path[] = "/tmp/urlpool-hosts-XXXXXX";

/* write_hosts makes a hosts file; the test's process ends before another reads it. */
static void write_hosts(const char *text)
{
    int fd = mkstemp(hosts_path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

static enum urlpool_code answer_in(const char *host, const char *zone, const char *hosts_file)
{
    struct urlp_dial_target target = {.host = urlp_span_of(host), .zone = urlp_span_of(zone)};

    memset(answers, 0, sizeof(answers));
    return urlp_local_answer(&target, false, hosts_file, answers, &is_found, &is_literal, &err);
}

/* answer_of lists the addresses of `host`, "-" when it is not found here. */
static const char *answer_of(const char *host)
{
    static char text[1024];

    text[0] = '\0';
    ck_assert_int_eq(answer_in(host, "", hosts_path), URLPOOL_OK);
    for (int family = 0; family < URLP_NUM_FAMILIES; family++) {
        for (size_t i = 0; i < answers[family].num_ips; i++) {
            char ip[URLP_IP_TEXT_MAX];

            urlp_ip_format(&answers[family].ips[i], ip);
            strcat(strcat(text, text[0] != '\0' ? " " : ""), ip);
        }
    }
    ck_assert_int_eq(text[0] != '\0', is_found);
    return is_found ? text : "-";
}

START_TEST(literal__is_its_own_address)
{
    ck_assert_str_eq(answer_of("192.0.2.7"), "192.0.2.7");
    ck_assert(is_literal);
    ck_assert_str_eq(answer_of("2001:DB8::1"), "2001:db8::1");
    ck_assert(is_literal);
    ck_assert_str_eq(answer_of("192.0.2.7."), "192.0.2.7");
    ck_assert(is_literal);
}
END_TEST

START_TEST(literal__lookalikes_are_names)
{
    static const char *const names[] = {"127.1", "0x7f.0.0.1", "2130706433", "1.2.3.4.5",
                                        "::1.",  "1.2.3.4..",  ".",          ""};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ck_assert_str_eq(answer_of(names[i]), "-");
        ck_assert(!is_literal);
    }
}
END_TEST

START_TEST(zone__is_an_interface_or_its_number)
{
    ck_assert_int_eq(answer_in("fe80::1", "lo", NULL), URLPOOL_OK);
    ck_assert_uint_eq(answers[URLP_FAMILY_V6].ips[0].scope_id, if_nametoindex("lo"));
    ck_assert_int_eq(answer_in("fe80::1", "17", NULL), URLPOOL_OK);
    ck_assert_uint_eq(answers[URLP_FAMILY_V6].ips[0].scope_id, 17);
}
END_TEST

START_TEST(zone__of_no_interface_is_an_error)
{
    static const char *const zones[] = {"no-such-if", "4294967296",
                                        "a-name-longer-than-interfaces"};

    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        ck_assert_int_eq(answer_in("fe80::1", zones[i], NULL), URLPOOL_E_RESOLVE);
        ck_assert_int_eq(err.phase, URLPOOL_PHASE_RESOLVE);
        ck_assert_ptr_nonnull(strstr(err.message, zones[i]));
    }
}
END_TEST

START_TEST(localhost__is_loopback_whatever_the_hosts_file_says)
{
    static const char *const names[] = {"localhost", "LocalHost", "localhost.", "a.b.localhost",
                                        "x.LOCALHOST."};

    write_hosts("192.0.2.1 localhost a.b.localhost\n");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ck_assert_str_eq(answer_of(names[i]), "::1 127.0.0.1");
        ck_assert(!is_literal);
    }
    (void)unlink(hosts_path);
}
END_TEST

START_TEST(localhost__as_part_of_another_name_is_not)
{
    ck_assert_str_eq(answer_of("notlocalhost"), "-");
    ck_assert_str_eq(answer_of("localhost.example"), "-");
    ck_assert_str_eq(answer_of(".localhostx"), "-");
}
END_TEST

START_TEST(hosts__gives_all_addresses_of_a_name_and_each_once)
{
    write_hosts("127.0.0.1\tlocalhost\n"
                "192.0.2.1   www.example  www\n"
                "192.0.2.2\tother\twww.example\r\n"
                "192.0.2.1 www.example\n"
                "2001:db8::1 www.example");
    ck_assert_str_eq(answer_of("www.example"), "2001:db8::1 192.0.2.1 192.0.2.2");
    ck_assert_str_eq(answer_of("WWW.Example."), "2001:db8::1 192.0.2.1 192.0.2.2");
    ck_assert_str_eq(answer_of("www"), "192.0.2.1");
    ck_assert_str_eq(answer_of("example"), "-");
    ck_assert_str_eq(answer_of("192.0.2.9"), "192.0.2.9");
    (void)unlink(hosts_path);
}
END_TEST

START_TEST(hosts__passes_over_comments_and_nonsense)
{
    write_hosts("# 192.0.2.1 a\n"
                "192.0.2.2 b # a\n"
                "#\n\n   \n"
                "not-an-address a\n"
                "192.0.2.256 a\n"
                "192.0.2.3\n"
                "fe80::1%no-such-if a\n"
                "192.0.2.4%lo a\n"
                " 192.0.2.5 c#a\n");
    ck_assert_str_eq(answer_of("a"), "-");
    ck_assert_str_eq(answer_of("b"), "192.0.2.2");
    ck_assert_str_eq(answer_of("c"), "192.0.2.5");
    ck_assert_str_eq(answer_of("#"), "-");
    (void)unlink(hosts_path);
}
END_TEST

START_TEST(hosts__reads_zones)
{
    write_hosts("fe80::1%5 a\nfe80::1%6 a\n");
    ck_assert_str_eq(answer_of("a"), "fe80::1 fe80::1");
    ck_assert_uint_eq(answers[URLP_FAMILY_V6].ips[0].scope_id, 5);
    ck_assert_uint_eq(answers[URLP_FAMILY_V6].ips[1].scope_id, 6);
    (void)unlink(hosts_path);
}
END_TEST

START_TEST(hosts__keeps_as_many_addresses_as_are_tried)
{
    char text[4096] = "";

    for (int i = 1; i <= URLP_ADDRESSES_MAX + 3; i++) {
        char line[32];

        (void)snprintf(line, sizeof(line), "192.0.2.%d a\n", i);
        strcat(text, line);
    }
    write_hosts(text);
    (void)answer_of("a");
    ck_assert_uint_eq(answers[URLP_FAMILY_V4].num_ips, URLP_ADDRESSES_MAX);
    (void)unlink(hosts_path);
}
END_TEST

START_TEST(hosts__longer_than_one_read_is_read_whole)
{
    enum {
        NUM_LINES = 1000
    };
    char *text = calloc(NUM_LINES, 40);
    size_t len = 0;

    for (int i = 0; i < NUM_LINES; i++) {
        len += (size_t)sprintf(text + len, "192.0.2.1 name-%d\n", i);
    }
    write_hosts(text);
    free(text);
    for (int i = 0; i < NUM_LINES; i += 37) {
        char name[20];

        (void)sprintf(name, "name-%d", i);
        ck_assert_str_eq(answer_of(name), "192.0.2.1");
    }
    (void)unlink(hosts_path);
}
END_TEST

START_TEST(hosts__that_does_not_exist_is_an_empty_one)
{
    ck_assert_int_eq(answer_in("www.example", "", "/nowhere/hosts"), URLPOOL_OK);
    ck_assert(!is_found);
}
END_TEST

START_TEST(hosts__out_of_descriptors_is_a_system_error)
{
    write_hosts("192.0.2.1 a\n");
    loopback_allow_fds(false);
    ck_assert_int_eq(answer_in("a", "", hosts_path), URLPOOL_E_SYSTEM);
    loopback_allow_fds(true);
    ck_assert_int_eq(err.os_errno, EMFILE);
    ck_assert_ptr_nonnull(strstr(err.message, hosts_path));
    (void)unlink(hosts_path);
}
END_TEST

START_TEST(hosts__out_of_memory_is_no_answer)
{
    write_hosts("192.0.2.1 a\n");
    failing_allocator_install();
    failing_allocator_fail_nth(1);
    ck_assert_int_eq(answer_in("a", "", hosts_path), URLPOOL_E_NOMEM);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    failing_allocator_remove();
    (void)unlink(hosts_path);
}
END_TEST

RUN_TESTS("local_names", literal__is_its_own_address, literal__lookalikes_are_names,
          zone__is_an_interface_or_its_number, zone__of_no_interface_is_an_error,
          localhost__is_loopback_whatever_the_hosts_file_says,
          localhost__as_part_of_another_name_is_not,
          hosts__gives_all_addresses_of_a_name_and_each_once,
          hosts__passes_over_comments_and_nonsense, hosts__reads_zones,
          hosts__keeps_as_many_addresses_as_are_tried, hosts__longer_than_one_read_is_read_whole,
          hosts__that_does_not_exist_is_an_empty_one, hosts__out_of_descriptors_is_a_system_error,
          hosts__out_of_memory_is_no_answer)
