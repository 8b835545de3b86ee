/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of addresses and ports from a hosts file and the policy: precedence, and what is not a name. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qportwatch.h"
#include "util/names.h"
#include "words/known.h"
#include "words/words.h"

static const char text[] = "addresses admin 10.0.0.0/24\n"
                           "addresses all 10.0.0.0/8\n"
                           "peer node2 10.0.0.7\n"
                           "inbound tcp 445 SMB\n"
                           "inbound tcp,udp 9100 \"our exporter\"\n"
                           "inbound tcp 47000-47001 range\n"
                           "inbound tcp 9999 \"TODO: purpose\"\n";

static void take_policy(void)
{
    struct qpw_policy policy;
    struct qpw_error err;

    cr_assert_eq(qpw_policy_parse_text("p", text, strlen(text), &policy, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_known_policy(&policy), 0);
    qpw_policy_clear(&policy);
}

/* Write the file and load it. Returns the error, "" for none. Static. */
static const char *take_hosts(const char *content)
{
    static struct qpw_error err;
    char path[] = "/tmp/qportwatch-hosts.XXXXXX";
    int fd = mkstemp(path);

    cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
    err.text[0] = '\0';
    qpw_known_hosts(path, &err);
    unlink(path);
    return strchr(err.text, ':') ? strchr(err.text, ':') + 1 : err.text;
}

static const char *end_of(const char *address)
{
    static char buf[128];
    uint8_t addr[16];

    cr_assert_eq(qpw_address_parse(address, addr), 0);
    return qpw_words_end_named(QPW_KIND_PORT, addr, "", buf, sizeof(buf));
}

static const char *service_of(unsigned protocol, unsigned port)
{
    static char buf[64];

    return qpw_words_service_named(QPW_KIND_PORT, protocol, port, buf, sizeof(buf));
}

TestSuite(known, .fini = qpw_known_clear);

Test(known, hosts_then_peers_then_the_smallest_set)
{
    cr_expect_str_eq(end_of("10.0.0.5"), "10.0.0.5");
    take_policy();
    cr_expect_str_eq(end_of("10.0.0.5"), "@admin (10.0.0.5)");
    cr_expect_str_eq(end_of("10.9.0.5"), "@all (10.9.0.5)");
    cr_expect_str_eq(end_of("10.0.0.7"), "node2 (10.0.0.7)");
    cr_expect_str_eq(end_of("11.0.0.7"), "11.0.0.7");
    cr_expect_str_eq(take_hosts("# ours\n\n127.0.0.1 localhost\n10.0.0.5\tadmin1.example.org admin1 # Ann\n"
                                "10.0.0.7 other\nfd00::9 six\nfe80::1%eth0 router"), "");
    cr_expect_str_eq(end_of("10.0.0.5"), "admin1.example.org (10.0.0.5)");
    cr_expect_str_eq(end_of("10.0.0.7"), "other (10.0.0.7)");
    cr_expect_str_eq(end_of("fd00::9"), "six (fd00::9)");
    cr_expect_str_eq(end_of("fe80::1"), "router (fe80::1)");
    cr_expect_str_eq(end_of("10.0.0.6"), "@admin (10.0.0.6)");
}

Test(known, what_is_no_hosts_file_is_an_error_with_its_line)
{
    cr_expect_str_eq(take_hosts("10.0.0.1 a\nnonsense\n"), "2: not an address and its name, as in /etc/hosts");
    cr_expect_str_eq(take_hosts("10.0.0.1\n"), "1: not an address and its name, as in /etc/hosts");
    cr_expect_str_eq(take_hosts("a 10.0.0.1\n"), "1: not an address and its name, as in /etc/hosts");
    cr_expect_str_eq(end_of("10.0.0.1"), "10.0.0.1", "of a bad file nothing is taken");
}

Test(known, names_cannot_disturb_the_terminal)
{
    cr_expect_str_eq(take_hosts("10.0.0.1 a\033[31mb\n"), "");
    cr_expect_not(strchr(end_of("10.0.0.1"), '\033'));
}

Test(known, many_names_are_found_each)
{
    static char content[64 * 3000];
    char expected[64], address[32];
    size_t used = 0;

    for (unsigned i = 0; i < 3000; i++)
        used += (size_t)sprintf(content + used, "10.1.%u.%u host%u\n", i / 200, i % 200, i);
    cr_expect_str_eq(take_hosts(content), "");
    for (unsigned i = 0; i < 3000; i += 777) {
        snprintf(address, sizeof(address), "10.1.%u.%u", i / 200, i % 200);
        snprintf(expected, sizeof(expected), "host%u (%s)", i, address);
        cr_expect_str_eq(end_of(address), expected);
    }
}

Test(known, purposes_then_what_storage_speaks_then_the_system)
{
    cr_expect_str_eq(service_of(IPPROTO_TCP, 9100), "tcp/9100 node-exporter");
    cr_expect_str_eq(service_of(IPPROTO_TCP, 10000), "tcp/10000 ndmp");
    cr_expect_str_eq(service_of(IPPROTO_TCP, 20048), "tcp/20048 mountd");
    cr_expect_str_eq(service_of(IPPROTO_UDP, 20048), "udp/20048 mountd");
    cr_expect_str_eq(service_of(IPPROTO_TCP, 3268), "tcp/3268 global-catalog");
    cr_expect_str_eq(service_of(IPPROTO_UDP, 10000), "udp/10000", "the table is of protocols, too");
    take_policy();
    cr_expect_str_eq(service_of(IPPROTO_TCP, 9100), "tcp/9100 our exporter");
    cr_expect_str_eq(service_of(IPPROTO_UDP, 9100), "udp/9100 our exporter");
    cr_expect_str_eq(service_of(IPPROTO_TCP, 445), "tcp/445 SMB");
    cr_expect_str_eq(service_of(IPPROTO_TCP, 47000), "tcp/47000", "a range names none of its ports");
    cr_expect_str_eq(service_of(IPPROTO_TCP, 9999), "tcp/9999", "what is to be filled in is no name");
}
