/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* faults.c - the auditor's life, and what is done to it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign.h"
#include "instance/instance.h"

#ifndef QPW_BUILD
#define QPW_BUILD "build"
#endif
#define PROGRAM QPW_BUILD "/qportwatch"

static void write_policy(struct campaign *c, const char *text)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/policy", c->dir);
    FILE *f = fopen(path, "w");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s: %s", path, strerror(errno));
}

static bool attached_or_ended(void *campaign)
{
    struct campaign *c = campaign;
    static char text[1 << 20];
    json_t *status;
    bool is;

    campaign_drain(c);
    if (netns_has_ended(c->auditor))
        return true;
    if (campaign_command(c, text, sizeof(text), "status --json 2>/dev/null"))
        return false;
    status = json_loads(text, 0, NULL);
    is = json_integer_value(json_object_get(json_object_get(status, "auditor"), "pid")) == c->auditor;
    json_decref(status);
    return is;
}

static int note_hooks(void *campaign)
{
    struct campaign *c = campaign;
    struct qpw_error err;

    if (!c->following && qpw_instance_find(&c->kernel, &err) == 0)
        c->following = true;
    return (int)bpfleft_add_hooks(netns_ifindex(&c->place.ns[NODE], "node0"), &c->left);
}

/* Starts it and waits until it is attached. What it finds in the kernel it takes over. */
static void launch(struct campaign *c)
{
    static const char *const modes[] = {"--mode xdp", "--mode tc", "--mode tc --tc-hook clsact"};
    char command[1024], log[96], tail[1024];
    char *argv[] = {"/bin/sh", "-c", command, NULL};

    snprintf(log, sizeof(log), "%s/attach.log.%u", c->dir, ++c->launches);
    snprintf(command, sizeof(command),
             "exec " PROGRAM " attach node0 --no-tui --interval 2 --alert summary_s=20 --policy %s/policy --alerts "
             "%s/eve.json --udp-timeout %d --other-timeout %d --parent-timeout %d %s", c->dir, c->dir, TIMEOUT_UDP_S,
             TIMEOUT_OTHER_S, TIMEOUT_PARENT_S, modes[c->mode]);
    c->auditor = netns_start(&c->place.ns[NODE], log, argv);
    c->started_ns = wire_now_ns();
    c->descriptors = 0;
    if (!netns_until(attached_or_ended, c, NETNS_DEADLINE_MS) || netns_has_ended(c->auditor)) {
        netns_output(&c->place.ns[NODE], tail, sizeof(tail), "tail -n 3 %s", log);
        campaign_fail(c, "the auditor starts", "it did not: %s", tail);
    }
    c->blind.starts++;
    netns_call(&c->place.ns[NODE], note_hooks, c);
    cr_assert(c->following, "the kernel side cannot be found");
}

/*
 * From nothing: counters at zero. Attaching XDP makes the node's own stack announce its groups again; which of these
 * frames were in time to be seen nobody can say. Anything else that passes meanwhile: once more.
 */
void auditor_start(struct campaign *c)
{
    char text[2048];

    policy_text(c->policy, text, sizeof(text));
    write_policy(c, text);
    for (unsigned i = 0; i < 20; i++) {
        campaign_settle(c, 300);
        book_attach(c->book);
        book_policy(c->book, c->policy);
        c->blind = (struct blindness){0};
        launch(c);
        campaign_settle(c, c->mode == MODE_XDP ? 1200 : 20);
        if (check_adopt(c)) {
            c->window_end_ns = wire_now_ns() + (TIMEOUT_UDP_S + 1) * 1000000000ull;
            return;
        }
        auditor_stop(c, SIGINT);
    }
    cr_assert_fail("no quiet moment to start in");
}

void auditor_stop(struct campaign *c, int signal_number)
{
    int rc = netns_stop(c->auditor, signal_number);

    c->auditor = 0;
    if (signal_number != SIGKILL && c->following) { /* else its maps would stay for our sake */
        qpw_kernel_close(&c->kernel);
        c->following = false;
    }
    if (signal_number != SIGKILL && rc != 0)
        campaign_fail(c, "the auditor ends well", "exit status %d after signal %d", rc, signal_number);
}

/* ---- Faults ---- */

static void wait_ms(struct campaign *c, unsigned ms)
{
    uint64_t end = wire_now_ns() + ms * 1000000ull;

    for (uint64_t now = wire_now_ns(); now < end; now = wire_now_ns()) {
        poll(NULL, 0, (int)((end - now) / 1000000) < 20 ? (int)((end - now) / 1000000) + 1 : 20);
        campaign_drain(c);
    }
}

/* A few exchanges while the fault lasts. */
static void go_on(struct campaign *c, struct rng *r, unsigned n)
{
    unsigned kinds = 0;

    while (tcp_kinds[kinds].name)
        kinds++;
    for (unsigned i = 0; i < n; i++) {
        tcp_kinds[rng_below(r, kinds)].run(c, r);
        wait_ms(c, rng_below(r, 30));
    }
}

/* Killed, while the traffic goes on; the next one takes over what the kernel counted and tells what it missed. */
static void kill_and_restart(struct campaign *c, struct rng *r)
{
    auditor_stop(c, SIGKILL);
    go_on(c, r, rng_between(r, 1, 40));
    wait_ms(c, rng_below(r, 2500));
    launch(c);
    book_policy(c->book, c->policy); /* the same, written once more */
    c->blind.auditor_gaps++;
    c->ever_gaps++;
}

/* Ended and started anew: a new audit of what is open already. */
static void restart(struct campaign *c, struct rng *r)
{
    campaign_settle(c, 50);
    auditor_stop(c, rng_below(r, 2) ? SIGINT : SIGTERM);
    check_alerts(c, true); /* whatever was seen has been written by then */
    c->book->attached = false;
    go_on(c, r, rng_between(r, 1, 10));
    auditor_start(c);
}

static void stop_and_continue(struct campaign *c, struct rng *r)
{
    kill(c->auditor, SIGSTOP);
    c->stopped = true;
    go_on(c, r, rng_between(r, 1, 60));
    campaign_command(c, NULL, 0, "status");
    campaign_command(c, NULL, 0, "report");
    kill(c->auditor, SIGCONT);
    c->stopped = false;
}

static void reload_right(struct campaign *c, struct rng *r)
{
    const struct policy *next = policies[rng_below(r, (unsigned)n_policies)];
    char text[4096];
    int rc;

    campaign_settle(c, 20);
    policy_text(next, text, sizeof(text));
    write_policy(c, text);
    rc = campaign_command(c, text, sizeof(text), "reload");
    if (rc)
        campaign_fail(c, "a right policy is taken", "exit status %d: %s", rc, text);
    c->blind.reloads++;
    c->policy = next;
    book_policy(c->book, next);
}

static void reload_wrong(struct campaign *c, struct rng *r)
{
    static const char *const wrong[] = {"inbound tcp 70000 NONSENSE\n", "include nowhere\n", "inbound tcp\n",
                                        "peer\n", "\x01\x02\n", "inbound tcp 445 SMB from=@nobody\n"};
    char text[4096];
    int rc;

    write_policy(c, wrong[rng_below(r, sizeof(wrong) / sizeof(*wrong))]);
    rc = campaign_command(c, text, sizeof(text), "reload");
    if (rc != 2)
        campaign_fail(c, "a wrong policy changes nothing", "exit status %d, not 2: %s", rc, text);
    c->blind.failed_reloads++;
    c->ever_failed_reloads++;
    policy_text(c->policy, text, sizeof(text));
    write_policy(c, text);
}

/* As logrotate does it: the newest is .1. */
static void rotate(struct campaign *c, struct rng *r)
{
    char from[128], to[128];

    snprintf(from, sizeof(from), "%s/eve.json", c->dir);
    if (access(from, F_OK))
        return; /* not one record since the last time */
    for (unsigned i = c->rotations; i > 0; i--) {
        snprintf(from, sizeof(from), "%s/eve.json.%u", c->dir, i);
        snprintf(to, sizeof(to), "%s/eve.json.%u", c->dir, i + 1);
        cr_assert(rename(from, to) == 0, "%s: %s", from, strerror(errno));
    }
    snprintf(from, sizeof(from), "%s/eve.json", c->dir);
    snprintf(to, sizeof(to), "%s/eve.json.1", c->dir);
    cr_assert(rename(from, to) == 0, "%s: %s", from, strerror(errno));
    c->rotations++;
    if (rng_below(r, 2))
        kill(c->auditor, SIGHUP); /* else it notices by itself */
}

static bool is_judged_anew(void *campaign)
{
    struct campaign *c = campaign;

    campaign_drain(c);
    return c->rejudged != c->rejudged_before;
}

/* A floating address moves between the node and a peer; the auditor learns it from the kernel. */
static void move_address(struct campaign *c, struct rng *r)
{
    unsigned which = rng_below(r, FLOATS);

    campaign_settle(c, 20);
    c->rejudged_before = c->rejudged;
    place_move(&c->place, which, !c->place.floating[which]);
    if (!netns_until(is_judged_anew, c, 20000))
        campaign_fail(c, "local addresses follow the kernel", "%s moved %s the node, nothing was judged anew for 20 s",
                      floats[which][0], c->place.floating[which] ? "to" : "from");
    wait_ms(c, 500); /* both families */
    book_policy(c->book, c->policy);
}

/* Forged SYNs from very many addresses: most of one kind, so that the run knows what they are. */
static void flood(struct campaign *c, struct rng *r)
{
    unsigned n = rng_between(r, 200, 1500);
    static struct packet p;

    c->flooded = true;
    for (unsigned i = 0; i < n; i++) {
        struct exchange e = {.kind = "flood", .step = c->step, .planned = ATTEMPTED};
        char source[64];

        c->forged++;
        snprintf(source, sizeof(source), FORGED_V4 "%u.%u", c->forged >> 8 & 255, c->forged & 255);
        book_tuple(&e.tuple, 6, hosts[NODE].address[0], NODE_DROPPED_TCP, source, (uint16_t)rng_between(r, 2000, 60000));
        if (book_knows(c->book, &e.tuple))
            continue;
        book_enter(c->book, &e);
        packet_make_tcp(&p, source, e.tuple.remote_port, hosts[NODE].address[0], NODE_DROPPED_TCP, PACKET_SYN,
                        (uint32_t)rng_next(r), 0, 0);
        memcpy(p.data, "\x02\x77\x00\x00\x00\x01", 6);
        memcpy(p.data + 6, "\x02\x77\x00\x00\x00\x66", 6);
        place_send(&c->place, INTRUDER, &p);
        if (i % 64 == 63)
            campaign_drain(c);
    }
    campaign_settle(c, 20);
}

static void link_down(struct campaign *c, struct rng *r)
{
    campaign_settle(c, 50);
    netns_run(&c->place.ns[NODE], "ip link set node0 down");
    wait_ms(c, rng_between(r, 2500, 5000));
    netns_run(&c->place.ns[NODE], "ip link set node0 up && ip -6 addr replace %s/64 dev node0 nodad && "
                                  "ip -6 route replace " FORGED_V6 "/64 via %s", hosts[NODE].address[1],
              hosts[INTRUDER].address[1]);
    wait_ms(c, 2500);
    c->blind.downs++;
    c->ever_downs++;
    c->blind.ups++;
}

const struct fault faults[] = {
    {"kill-and-restart", 4, kill_and_restart},
    {"restart", 2, restart},
    {"stop-and-continue", 3, stop_and_continue},
    {"reload-right", 4, reload_right},
    {"reload-wrong", 2, reload_wrong},
    {"rotate", 3, rotate},
    {"move-address", 3, move_address},
    {"flood", 2, flood},
    {"link-down", 0, link_down},
    {NULL, 0, NULL},
};
