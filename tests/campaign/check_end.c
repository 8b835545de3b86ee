/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* check_end.c - after the auditor's end: nothing of it is left. */
#include <signal.h>
#include <string.h>

#include "campaign.h"

static int in_hooks(void *campaign)
{
    struct campaign *c = campaign;

    return (int)bpfleft_in_hooks(netns_ifindex(&c->place.ns[NODE], c->place.node_if));
}

void check_nothing_left(struct campaign *c)
{
    char said[2048];
    int n = netns_call(&c->place.ns[NODE], in_hooks, c);

    if (n)
        campaign_fail(c, "nothing is left", "%d programs in the interface's hooks", n);
    if (!bpfleft_gone(&c->left, CAMPAIGN_DEADLINE_MS))
        campaign_fail(c, "nothing is left", "programs or maps in the kernel");
    netns_output(&c->place.ns[NODE], said, sizeof(said), "tc qdisc show dev %s", c->place.node_if);
    if (strstr(said, "clsact"))
        campaign_fail(c, "nothing is left", "a qdisc: %s", said);
    netns_output(&c->place.ns[NODE], said, sizeof(said), "grep -i qportwatch /proc/net/unix");
    if (said[0])
        campaign_fail(c, "nothing is left", "a socket: %s", said);
    netns_output(&c->place.ns[NODE], said, sizeof(said),
                 "ls %s | grep -vE '^(policy|log|syslog|attach\\.log\\.[0-9]+|stderr|check\\.py)$'; "
                 "ls %s/log | grep -vE '^eve\\.json(\\.[0-9]+)?$'", c->dir, c->dir);
    if (said[0])
        campaign_fail(c, "nothing is left", "files: %s", said);
    netns_output(&c->place.ns[NODE], said, sizeof(said),
                 "for p in /proc/[0-9]*; do [ \"$(readlink $p/ns/net 2>/dev/null)\" = "
                 "\"$(readlink /proc/self/ns/net)\" ] && readlink $p/exe; done | grep qportwatch$");
    if (said[0])
        campaign_fail(c, "nothing is left", "processes: %s", said);
    c->invariants += 6;
}
