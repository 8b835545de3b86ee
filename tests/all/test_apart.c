/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Commands that are given what others wrote: each process that reads a byte of it has given up its rights before, and has
 * had its system calls limited.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netns.h"
#include "packet.h"
#include "pcapfile.h"

#define PROGRAM QPW_BUILD "/qportwatch"

TestSuite(apart, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S);

static const char *const commands[] = {
    "replay --local 10.7.0.1 %s",       "policy test aws --local auto %s", "policy suggest --local 10.7.0.1 %s",
    "alerts --all %s",                  "alerts --verify %s",
};

/*
 * Of strace's lines "PID call(…) = …": whether any process read the file, and how many did before they had no capability (but
 * CAP_BPF, before 5.19) and a filter.
 */
static void judge(const struct netns *ns, const char *trace, const char *file, char *ret, size_t size)
{
    netns_output(ns, ret, size,
                 "awk -v file='<%s>' '/capset\\(.*effective=(0|1<<CAP_BPF), permitted=(0|1<<CAP_BPF), .* = 0$/ { gave[$1] = 1 } "
                 "/seccomp\\(SECCOMP_SET_MODE_FILTER, .* = 0$/ { limited[$1] = 1 } "
                 "/(read|pread64|readv)\\(/ && index($0, file) { readers[$1] = 1; if (!gave[$1] || !limited[$1]) early[$1] = 1 } "
                 "END { n = 0; m = 0; for (p in readers) n++; for (p in early) m++; print (n > 0) \" \" m }' %s", file, trace);
}

/* A SYN to the node, and its answer. */
static void write_capture(struct pcapfile *f)
{
    struct packet p;

    pcapfile_start(f, PCAPFILE_ETHERNET);
    packet_make_tcp(&p, "10.7.0.2", 40000, "10.7.0.1", 4444, SEGMENT(PACKET_SYN, 1));
    pcapfile_packet(f, 1.6e9, &p);
    packet_make_tcp(&p, "10.7.0.1", 4444, "10.7.0.2", 40000, SEGMENT(PACKET_SYN | PACKET_ACK, 9, 2));
    pcapfile_packet(f, 1.6e9 + .001, &p);
    pcapfile_end(f);
}

Test(apart, who_reads_has_no_rights)
{
    char folder[] = "/tmp/qportwatch-apart.XXXXXX", log[64], trace[64], words[160], text[4096];
    struct netns here = netns_here();
    struct pcapfile capture;

    cr_assert(mkdtemp(folder));
    snprintf(log, sizeof(log), "%s/eve.json", folder);
    snprintf(trace, sizeof(trace), "%s/trace", folder);
    write_capture(&capture);
    netns_run(&here, "echo '{}' >%s", log);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        const char *file = strstr(commands[i], "alerts") ? log : capture.path;

        snprintf(words, sizeof(words), commands[i], file);
        netns_output(&here, NULL, 0, "strace -f -y -e trace=read,pread64,readv,capset,seccomp -o %s " PROGRAM " %s >/dev/null 2>&1", trace, words);
        judge(&here, trace, file, text, sizeof(text));
        cr_expect_str_eq(text, "1 0\n", "%s: %s", words, text);
    }
    netns_run(&here, "rm -r %s %s", folder, capture.path);
    netns_close(&here);
}
