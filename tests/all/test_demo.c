/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The demo: what it says of each exchange is what the report and the alert log say. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "netns.h"

static char output[65536];

/* Whether a line has all of these, in this order. */
static bool has_line(const char *const *words)
{
    for (const char *line = output; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *at = line, *end = strchrnul(line, '\n');
        size_t i = 0;

        for (; words[i]; i++) {
            at = strstr(at, words[i]);
            if (!at || at >= end)
                break;
        }
        if (!words[i])
            return true;
    }
    return false;
}

Test(demo, says_what_was_staged, .timeout = NETNS_TIMEOUT_S)
{
    static const char *const said[][6] = {
        {"high", "data", "in", "tcp/4444", "ncat["},
        {"medium", "data", "out", "tcp/8443", "socat["},
        {"low", "refused", "in", "tcp/5555"},
        {"low", "attempted", "in", "tcp/6666"},
        {"low", "refused", "in", "ip/47"},
        {"low", "in", "61 ports, 9100-9160"},
        {"medium", "data", "in", "tcp/40001"},
        {"info", "data", "out", "tcp/53 "},
        {"info", "data", "out", "tcp/49153", "bash["},
        {"peer1", "IPv4"},
        {"peer2", "IPv6"},
        {"by reason", "midstream 1"},
        {"transit", "not-local 2"},
        {"high", "tcp/4444", "inbound-data"},
        {"medium", "scan"},
    };
    FILE *demo;

    netns_need_root();
    demo = popen("tests/demo/demo " QPW_BUILD "/qportwatch 2>&1", "r");
    cr_assert(demo);
    output[fread(output, 1, sizeof(output) - 1, demo)] = '\0';
    cr_assert_eq(pclose(demo), 0, "%s", output);
    for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
        cr_expect(has_line(said[i]), "no line with %s … %s:\n%s", said[i][0], said[i][2] ? said[i][2] : said[i][1], output);
    cr_expect(!has_line((const char *const[]){"tcp/40000", NULL}), "the vouched for data connection is told:\n%s", output);
}
