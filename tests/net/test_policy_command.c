/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The `policy` command as typed: exit statuses, one-line errors, captures judged by both policies. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"

#define PROGRAM QPW_BUILD "/qportwatch"
#define PAGE "../shared/required-ports/required-ports.md"
#define FTP "../shared/captures/zeek-ftp-ipv4.pcap"

static char output[65536];

static int run(const char *arguments)
{
    struct netns here = netns_here();
    int status = netns_output(&here, output, sizeof(output), PROGRAM " policy %s", arguments);

    netns_close(&here);
    return status;
}

static void write_file(char *path, const char *text)
{
    int fd = mkstemp(path);

    cr_assert(fd >= 0);
    cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void need(const char *path)
{
    netns_need_root();
    if (access(path, R_OK) < 0)
        cr_skip_test("%s is not there", path);
}

Test(command, exit_statuses_and_one_line_of_error)
{
    char good[] = "/tmp/qpw-good-XXXXXX", odd[] = "/tmp/qpw-odd-XXXXXX", bad[] = "/tmp/qpw-bad-XXXXXX", line[256];

    netns_need_root();
    write_file(good, "include on-prem\n");
    write_file(odd, "include on-prem\ninbound tcp 445 again\n");
    write_file(bad, "inbound tcp 445 SMB\ninbound tcp 99999\n");
    snprintf(line, sizeof(line), "check --strict %s", good);
    cr_assert(eq(int, run(line), 0));
    snprintf(line, sizeof(line), "check %s", odd);
    cr_assert(eq(int, run(line), 0));
    snprintf(line, sizeof(line), "check --strict %s", odd);
    cr_assert(eq(int, run(line), 3));
    cr_assert(strstr(output, ":2: shadowed: ") != NULL || strstr(output, ":2: duplicate: ") != NULL, "%s", output);
    snprintf(line, sizeof(line), "check %s", bad);
    cr_assert(eq(int, run(line), 2));
    snprintf(line, sizeof(line), "%s:2:13: '99999' is not a port; use numbers 1-65535, ranges, or any\n", bad);
    cr_assert(eq(str, output, line));
    snprintf(line, sizeof(line), "diff on-prem %s", good);
    cr_assert(eq(int, run(line), 0));
    cr_assert(eq(int, run("diff azure on-prem"), 3));
    cr_assert(strstr(output, "now allowed: inbound tcp 22 (SSH) from any\n") != NULL, "%s", output);
    cr_assert(eq(int, run("show --platform moon"), 2));
    cr_assert(eq(int, run("show --json --platform aws"), 0));
    cr_assert(eq(int, run("export --format yaml"), 2));
    cr_assert(eq(int, run("nonsense"), 2));
    cr_assert(eq(int, run("--help"), 0));
    unlink(good);
    unlink(odd);
    unlink(bad);
}

/* Each error has its position in the included file; errors beyond the limit are counted. */
Test(command, check_prints_all_errors)
{
    char bad[] = "/tmp/qpw-bad-XXXXXX", inner[] = "/tmp/qpw-inner-XXXXXX", text[2048], line[256];
    size_t used;

    netns_need_root();
    write_file(inner, "infra routnig unexpected\n");
    snprintf(text, sizeof(text), "inbuond tcp 445 SMB\ninclude %s\ninbound tcp 99999\n", inner);
    write_file(bad, text);
    snprintf(line, sizeof(line), "check %s", bad);
    cr_assert(eq(int, run(line), 2));
    snprintf(text, sizeof(text), "%s:1:1: unknown statement 'inbuond'; did you mean 'inbound'?\n"
             "%s:3:13: '99999' is not a port; use numbers 1-65535, ranges, or any\n"
             "%s:1:7: no infra group is named 'routnig'; did you mean 'routing'?\n", bad, bad, inner);
    cr_expect(eq(str, output, text));
    snprintf(line, sizeof(line), "show --policy %s", bad);
    cr_assert(eq(int, run(line), 2));
    snprintf(text, sizeof(text), "%s:1:1: unknown statement 'inbuond'; did you mean 'inbound'? (and 2 more errors; 'qportwatch "
             "policy check' lists them)\n", bad);
    cr_expect(eq(str, output, text));
    unlink(bad);
    strcpy(bad + strlen(bad) - 6, "XXXXXX");
    for (used = 0; used < 2 * 60; used += 2)
        memcpy(text + used, "x\n", 3);
    write_file(bad, text);
    snprintf(line, sizeof(line), "check %s", bad);
    cr_assert(eq(int, run(line), 2));
    cr_expect(strstr(output, ":50:1: unknown statement 'x'\nand 10 more errors\n") != NULL, "%s", output);
    unlink(bad);
    unlink(inner);
}

Test(command, show_fits_the_screen_and_names_addresses)
{
    char policy[] = "/tmp/qpw-good-XXXXXX", hosts[] = "/tmp/qpw-hosts-XXXXXX", line[256];

    netns_need_root();
    write_file(policy, "inbound tcp 22 ssh from=10.0.0.5,10.0.0.6\npeer n2 10.0.0.6\n");
    write_file(hosts, "10.0.0.5 backup\n10.0.0.6 second two\n");
    snprintf(line, sizeof(line), "show --policy %s --hosts %s", policy, hosts);
    cr_assert(eq(int, run(line), 0));
    cr_expect(strstr(output, "names of addresses   10.0.0.5 backup, 10.0.0.6 second\n") != NULL, "%s", output);
    setenv("COLUMNS", "80", 1);
    cr_assert(eq(int, run("show on-prem"), 0));
    unsetenv("COLUMNS");
    for (const char *at = output; *at; at += strcspn(at, "\n") + 1)
        cr_expect(le(sz, strcspn(at, "\n"), 80), "%.100s", at);
    unlink(policy);
    unlink(hosts);
}

/* C1 controls and direction overrides in a purpose and in a file's name. */
Test(command, what_a_policy_says_cannot_steer_the_terminal)
{
    static const char purpose[] = "a\xe2\x80\xae" "b\xc2\x9b" "31mc";
    char odd[] = "/tmp/qpw-\xc2\x9b" "31m-XXXXXX", line[256], text[256];

    snprintf(text, sizeof(text), "include on-prem\ninbound tcp 7000 \"%s\"\n", purpose);
    write_file(odd, text);
    snprintf(line, sizeof(line), "diff on-prem %s", odd);
    cr_assert(eq(int, run(line), 3));
    cr_expect(strstr(output, "now allowed: inbound tcp 7000 (a?b?31mc) from any\n") != NULL, "%s", output);
    snprintf(line, sizeof(line), "check %s", odd);
    cr_assert(eq(int, run(line), 0));
    cr_expect(strstr(output, "/tmp/qpw-?31m-") == output && strstr(output, ": OK: "), "%s", output);
    cr_expect(strchr(output, '\x9b') == NULL, "%s", output);
    unlink(odd);
}

Test(command, import_of_a_page_and_of_a_broken_one)
{
    char broken[] = "/tmp/qpw-page-XXXXXX", partly[] = "/tmp/qpw-page-XXXXXX", whole[] = "/tmp/qpw-page-XXXXXX";
    char line[256];

    need(PAGE);
    cr_assert(eq(int, run("import " PAGE " --platform aws"), 0));
    cr_assert(strstr(output, "policy    qumulo/aws\n") != NULL, "%s", output);
    cr_assert(strstr(output, ": 20 rows in tables of ports: 20 taken, 0 for others, 0 errors\n") != NULL, "%s", output);
    write_file(broken, "## Inbound\n\n|Port|Protocol|\n|-|-|\n|x|TCP|\n");
    snprintf(line, sizeof(line), "import %s", broken);
    cr_assert(eq(int, run(line), 2));
    snprintf(line, sizeof(line),
             "%s:5: column 'Port': not a port: 'x'\n%s: 1 row in tables of ports: 0 taken, 0 for others, 1 error\n",
             broken, broken);
    cr_assert(eq(str, output, line));
    write_file(partly, "## Inbound\n\n|Port|Protocol|\n|-|-|\n|x|TCP|\n|22|TCP|\n");
    snprintf(line, sizeof(line), "import --partial %s", partly);
    cr_assert(eq(int, run(line), 1));
    cr_assert(strstr(output, "inbound   tcp      22 ") != NULL, "%s", output);
    write_file(whole, "## Inbound\n\n|Port|Protocol|Source|\n|-|-|-|\n|22|TCP|Admins|\n");
    snprintf(line, sizeof(line), "import %s -o %s.policy", whole, whole);
    cr_assert(eq(int, run(line), 0));
    snprintf(line, sizeof(line), "check %s.policy", whole);
    cr_assert(eq(int, run(line), 2));
    cr_assert(strstr(output, "no addresses yet for admins (line 5)") != NULL, "%s", output);
    snprintf(line, sizeof(line), "import %s -o %s", whole, whole); /* never over the page itself */
    cr_assert(eq(int, run(line), 2));
    cr_assert(strstr(output, " is the page itself\n") != NULL, "%s", output);
    snprintf(line, sizeof(line), "import %s", whole);
    cr_assert(eq(int, run(line), 0));
    snprintf(line, sizeof(line), "%s.policy", whole);
    unlink(line);
    unlink(whole);
    unlink(partly);
    unlink(broken);
}

Test(command, test_replays_a_capture_under_both_policies)
{
    char without[] = "/tmp/qpw-noftp-XXXXXX", line[256];

    need(FTP);
    write_file(without, "policy site/no-ftp\ninclude on-prem\ndisable ftp\n");
    cr_assert(eq(int, run("test aws --local 199.233.217.249 " FTP), 0));
    snprintf(line, sizeof(line), "test %s --local 199.233.217.249 " FTP, without);
    cr_assert(eq(int, run(line), 3));
    cr_assert(strstr(output,
                     "would have said instead of qumulo/on-prem (built-in): 79 of 95 packets would get a different verdict") != NULL,
              "%s", output);
    cr_assert(strstr(output, "inbound    tcp/21 ") != NULL, "%s", output);
    snprintf(line, sizeof(line), "suggest --policy %s --local 199.233.217.249 " FTP, without);
    cr_assert(eq(int, run(line), 0));
    cr_assert(strstr(output, "\n#inbound   tcp      21,") != NULL ||
                  strstr(output, "\n#inbound   tcp      21 ") != NULL,
              "%s", output);
    cr_assert(strstr(output, "from=141.142.220.235\n") != NULL, "%s", output);
    unlink(without);
}

/* man reads every manual page without a warning; qportwatch-serve(8) is an alias, which is found once installed. */
Test(command, manual_pages)
{
    struct netns here;

    netns_need_root();
    here = netns_here();
    cr_assert(eq(int,
                 netns_output(&here, output, sizeof(output),
                              "for page in $(ls user/dist/man/*.[1-9] | grep -v serve.8); do LC_ALL=C.UTF-8 MANROFFSEQ= "
                              "man --warnings -E UTF-8 -l -Tutf8 -Z $page 2>&1 >/dev/null || echo $page; done"),
                 0));
    cr_assert(eq(str, output, ""));
    netns_close(&here);
}
