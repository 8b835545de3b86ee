/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Commands with an output file: a full disk costs the new text, never the old one. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"

TestSuite(output, .timeout = NETNS_TIMEOUT_S);

#define PAGE "../shared/required-ports/required-ports.md"
#define FTP "../shared/captures/zeek-ftp-ipv4.pcap"
#define KEPT "the old text\n"

/* Run it with a file size limit in kilobytes, which looks like a full disk to the program. Returns the exit status. */
static int limited(struct node *n, unsigned kilobytes, const char *arguments, const char *path, char *out, size_t size)
{
    return netns_output(&n->node, out, size, "bash -c 'trap \"\" XFSZ; ulimit -f %u; exec %s %s -o %s'", kilobytes,
                        QPW_BUILD "/qportwatch", arguments, path);
}

static void check(struct node *n, const char *arguments, const char *begin)
{
    char path[128], text[4096], line[256];

    node_write(n, "out", KEPT, path, sizeof(path));
    cr_expect_eq(limited(n, 1, arguments, path, text, sizeof(text)), 1, "%s", arguments);
    snprintf(line, sizeof(line), "%s cannot be written: File too large\n", path);
    cr_expect(strstr(text, line), "%s: %s", arguments, text);
    netns_output(&n->node, text, sizeof(text), "cat %s", path);
    cr_expect_str_eq(text, KEPT, "%s", arguments);
    cr_expect_eq(limited(n, 4096, arguments, path, text, sizeof(text)), 0, "%s: %s", arguments, text);
    netns_output(&n->node, text, sizeof(text), "cat %s", path);
    cr_expect(strncmp(text, begin, strlen(begin)) == 0, "%s: %.100s", arguments, text);
    cr_expect_eq(limited(n, 4096, arguments, "- 2>/dev/null", text, sizeof(text)), 0, "%s", arguments);
    cr_expect(strncmp(text, begin, strlen(begin)) == 0, "%s -o -: %.100s", arguments, text);
    netns_output(&n->node, text, sizeof(text), "ls -A %s | grep -c '^\\.'", n->folder);
    cr_expect_str_eq(text, "0\n", "%s: nothing is left beside it", arguments);
}

Test(output, the_old_text_survives_a_full_disk)
{
    struct node n;

    node_open(&n);
    node_attach(&n, "node0 --platform on-prem");
    check(&n, "report --json", "{\n \"schema\": \"qportwatch.report/1\"");
    if (access(PAGE, R_OK) == 0)
        check(&n, "policy import --platform on-prem " PAGE, "policy    qumulo/on-prem\n");
    if (access(FTP, R_OK) == 0)
        check(&n, "replay --platform on-prem --local 199.233.217.249 --connections " FTP, "{\"protocol\":");
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}
