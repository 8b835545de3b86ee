/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether the owner of a companion also owns its parent exchange; and parsing the port mapper's answer. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "facts/vouch.h"

#define NEVER "/nowhere/" /* so that no link on this machine is followed */
#define FTPD NEVER "ftpd"
#define SHELL NEVER "sh"

static struct qpw_process process(enum qpw_match match, int pid, const char *exe, const char *unit)
{
    struct qpw_process p = {.match = match, .pid = pid};

    snprintf(p.exe, sizeof(p.exe), "%s", exe);
    snprintf(p.unit, sizeof(p.unit), "%s", unit);
    p.container = strchr(unit, ' ') != NULL;
    p.started_unix_ns = (uint64_t)pid * 1000000000u;
    for (; *exe; exe++) /* a different file for each path */
        p.exe_inode = p.exe_inode * 31 + (unsigned char)*exe;
    return p;
}

static struct qpw_process ended(int pid, const char *exe)
{
    struct qpw_process p = process(QPW_MATCH_CREATED, pid, exe, "");

    p.ended = true;
    p.exe_inode = p.started_unix_ns = 0;
    return p;
}

/* Owned by one process, which the socket's record names, too; by the kernel; or by no process any more. */
static struct qpw_vouch_companion held(const struct qpw_process *p)
{
    bool kernel = p->match == QPW_MATCH_KERNEL, known = p->pid && !p->ended;

    return (struct qpw_vouch_companion){.holders = p, .n_holders = known, .all = known || kernel, .open = known || kernel,
                                        .exact = true, .maker = p->pid ? p : NULL, .made = p->pid ? p : NULL};
}

struct is {
    enum qpw_match match;
    int pid;
    const char *exe, *unit;
    bool ended;
};

static const struct {
    const char *what;
    struct is companion, parent;
    bool listened, ancestor; /* of the parent */
    bool nfs;
    enum qpw_owner_word word;
} cases[] = {
    {"the same executable", {QPW_MATCH_LISTENER, 8, FTPD, ""}, {QPW_MATCH_EXACT, 7, FTPD, ""}, .word = QPW_OWNER_FITS},
    {"another", {QPW_MATCH_LISTENER, 8, SHELL, ""}, {QPW_MATCH_EXACT, 7, FTPD, ""}, .word = QPW_OWNER_OTHER},
    {"the same process, whatever it executes", {QPW_MATCH_CREATED, 7, "", ""}, {QPW_MATCH_CREATED, 7, "", ""},
     .word = QPW_OWNER_FITS},
    {"the same service", {QPW_MATCH_EXACT, 8, SHELL, "ftp.service"}, {QPW_MATCH_EXACT, 7, FTPD, "ftp.service"},
     .word = QPW_OWNER_FITS},
    {"the same container", {QPW_MATCH_EXACT, 8, SHELL, "docker 0123456789ab"}, {QPW_MATCH_EXACT, 7, FTPD, "docker 0123456789ab"},
     .word = QPW_OWNER_FITS},
    {"the auditor's own service", {QPW_MATCH_EXACT, 8, SHELL, "own.service"}, {QPW_MATCH_EXACT, 7, FTPD, "own.service"},
     .word = QPW_OWNER_OTHER},
    {"a session", {QPW_MATCH_EXACT, 8, SHELL, "session-3.scope"}, {QPW_MATCH_EXACT, 7, FTPD, "session-3.scope"},
     .word = QPW_OWNER_OTHER},
    {"a user's own units", {QPW_MATCH_EXACT, 8, SHELL, "user@1000.service/ftp.service"},
     {QPW_MATCH_EXACT, 7, FTPD, "user@1000.service/ftp.service"}, .word = QPW_OWNER_OTHER},
    {"the root cgroup", {QPW_MATCH_EXACT, 8, SHELL, ""}, {QPW_MATCH_EXACT, 7, FTPD, ""}, .word = QPW_OWNER_OTHER},
    {"an unknown companion", {QPW_MATCH_NONE, 0, "", ""}, {QPW_MATCH_EXACT, 7, FTPD, ""}, .word = QPW_OWNER_UNSURE},
    {"an unknown parent", {QPW_MATCH_EXACT, 8, SHELL, ""}, {QPW_MATCH_GONE, 0, "", ""}, .word = QPW_OWNER_UNSURE},
    {"an executable that is not known", {QPW_MATCH_CREATED, 8, "", "", true}, {QPW_MATCH_EXACT, 7, FTPD, ""},
     .word = QPW_OWNER_UNSURE},
    {"held by systemd", {QPW_MATCH_LISTENER, 1, NEVER "systemd", "init.scope"}, {QPW_MATCH_EXACT, 7, FTPD, ""},
     .word = QPW_OWNER_UNSURE},
    {"the kernel, of FTP", {QPW_MATCH_KERNEL, 0, "", ""}, {QPW_MATCH_EXACT, 7, FTPD, ""}, .word = QPW_OWNER_OTHER},
    {"the kernel, of NFS", {QPW_MATCH_KERNEL, 0, "", ""}, {QPW_MATCH_EXACT, 7, NEVER "rpcbind", ""}, .nfs = true,
     .word = QPW_OWNER_FITS},
    /* If only the listener of the parent exchange is known. */
    {"the listener itself", {QPW_MATCH_EXACT, 7, FTPD, ""}, {QPW_MATCH_LISTENER, 7, FTPD, ""}, true, true, .word = QPW_OWNER_FITS},
    {"a child of the listener", {QPW_MATCH_EXACT, 8, FTPD, ""}, {QPW_MATCH_LISTENER, 7, FTPD, ""}, true, true,
     .word = QPW_OWNER_FITS},
    {"an ended one of the same path", {QPW_MATCH_CREATED, 8, FTPD, "", true}, {QPW_MATCH_LISTENER, 7, FTPD, ""}, true,
     .word = QPW_OWNER_UNSURE},
    {"an ended one of another path", {QPW_MATCH_CREATED, 8, SHELL, "", true}, {QPW_MATCH_EXACT, 7, FTPD, ""},
     .word = QPW_OWNER_OTHER},
    {"the executable of both, unrelated", {QPW_MATCH_EXACT, 8, SHELL, ""}, {QPW_MATCH_LISTENER, 7, SHELL, ""}, true,
     .word = QPW_OWNER_UNSURE},
    {"unrelated to the listener", {QPW_MATCH_EXACT, 8, SHELL, ""}, {QPW_MATCH_LISTENER, 7, FTPD, ""}, true,
     .word = QPW_OWNER_OTHER},
    {"started by the listener, as inetd does", {QPW_MATCH_EXACT, 8, FTPD, ""}, {QPW_MATCH_LISTENER, 7, NEVER "inetd", ""}, true,
     true, .word = QPW_OWNER_UNSURE},
    {"ended, maybe started by the listener", {QPW_MATCH_CREATED, 8, FTPD, "", true}, {QPW_MATCH_LISTENER, 7, NEVER "inetd", ""},
     true, .word = QPW_OWNER_UNSURE},
};

Test(vouch, who_fits)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct is *c = &cases[i].companion, *p = &cases[i].parent;
        struct qpw_process process_of = c->ended ? ended(c->pid, c->exe) : process(c->match, c->pid, c->exe, c->unit);
        struct qpw_vouch_companion companion = held(&process_of);
        struct qpw_vouch_parent parent = {.process = process(p->match, p->pid, p->exe, p->unit),
                                          .listened = cases[i].listened, .ancestor = cases[i].ancestor};
        struct qpw_vouch_question q = {.companion = &companion, .parents = &parent, .n_parents = 1, .nfs = cases[i].nfs,
                                       .own_unit = "own.service"};

        cr_expect_eq(qpw_vouch_judge(&q, NULL), cases[i].word, "%s: %u", cases[i].what, qpw_vouch_judge(&q, NULL));
        q.foreign = true; /* through a packet socket, as no service sends */
        cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_OTHER, "%s", cases[i].what);
    }
}

Test(vouch, nothing_is_known_where_no_parent_is)
{
    struct qpw_process shell = process(QPW_MATCH_EXACT, 8, SHELL, "");
    struct qpw_vouch_companion companion = held(&shell);
    struct qpw_vouch_question q = {.companion = &companion, .own_unit = ""};

    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_UNSURE);
}

/* One socket with several owners: any of them can answer, and its creator may have executed another program since. */
Test(vouch, everybody_who_holds_the_socket_has_to_fit)
{
    struct qpw_process ftpd = process(QPW_MATCH_EXACT, 8, FTPD, ""), shell = process(QPW_MATCH_EXACT, 9, SHELL, ""),
                       systemd = process(QPW_MATCH_EXACT, 1, NEVER "systemd", "init.scope"), was_ftpd = ended(8, FTPD),
                       was_shell = ended(8, SHELL), was_unknown = ended(8, ""), gone = ended(6, FTPD);
    const struct {
        const char *what;
        const struct qpw_process *holders[2], *maker, *made;
        bool all, open;
        enum qpw_owner_word word;
    } hands[] = {
        {"by the maker alone", {&ftpd}, &ftpd, &was_ftpd, true, true, QPW_OWNER_FITS},
        {"with a shell", {&ftpd, &shell}, &ftpd, &was_ftpd, true, true, QPW_OWNER_OTHER},
        {"made before it became what fits", {&ftpd}, &ftpd, &was_shell, true, true, QPW_OWNER_OTHER},
        {"made by who is not known", {&ftpd}, &ftpd, &was_unknown, true, true, QPW_OWNER_FITS},
        {"made by one that has ended", {&ftpd}, &gone, &gone, true, true, QPW_OWNER_FITS},
        {"kept by systemd beside", {&ftpd, &systemd}, &ftpd, &was_ftpd, true, true, QPW_OWNER_FITS},
        {"by systemd for another", {&shell, &systemd}, &shell, &was_shell, true, true, QPW_OWNER_OTHER},
        {"perhaps by others, too, but the maker fits", {&ftpd}, &ftpd, &was_ftpd, false, true, QPW_OWNER_FITS},
        {"perhaps by others, too, of a maker not known then", {&ftpd}, &ftpd, &was_unknown, false, true, QPW_OWNER_UNSURE},
        {"perhaps by others, too, not noted", {&ftpd}, NULL, NULL, false, true, QPW_OWNER_UNSURE},
        {"closed, of a living maker", {NULL}, &ftpd, &was_ftpd, false, false, QPW_OWNER_FITS},
        {"closed, of a maker that was another", {NULL}, &ftpd, &was_shell, false, false, QPW_OWNER_OTHER},
        {"closed, of a maker that has ended", {NULL}, &gone, &gone, false, false, QPW_OWNER_UNSURE},
        {"in flight, or hidden", {NULL}, &ftpd, &was_ftpd, true, true, QPW_OWNER_UNSURE},
        {"in flight, or hidden, of a shell", {NULL}, &shell, &was_shell, true, true, QPW_OWNER_OTHER},
    };
    struct qpw_vouch_parent parent = {.process = process(QPW_MATCH_EXACT, 7, FTPD, "")};

    for (size_t i = 0; i < sizeof(hands) / sizeof(*hands); i++) {
        struct qpw_process holders[2];
        struct qpw_vouch_companion c = {.holders = holders, .all = hands[i].all, .open = hands[i].open, .exact = true,
                                        .maker = hands[i].maker, .made = hands[i].made};
        struct qpw_vouch_question q = {.companion = &c, .parents = &parent, .n_parents = 1, .nfs = true, .own_unit = ""};

        for (; c.n_holders < 2 && hands[i].holders[c.n_holders]; c.n_holders++)
            holders[c.n_holders] = *hands[i].holders[c.n_holders];
        cr_expect_eq(qpw_vouch_judge(&q, NULL), hands[i].word, "%s: %u", hands[i].what, qpw_vouch_judge(&q, NULL));
    }
}

/* Packets on a listener's port may have been sent by another namespace. */
Test(vouch, a_listener_alone_says_nothing_of_an_exchange)
{
    struct qpw_process ftpd = process(QPW_MATCH_LISTENER, 8, FTPD, ""), kernel = {.match = QPW_MATCH_KERNEL};
    struct qpw_vouch_parent parent = {.process = process(QPW_MATCH_EXACT, 7, FTPD, "")};
    struct qpw_vouch_companion c = held(&ftpd);
    struct qpw_vouch_question q = {.companion = &c, .parents = &parent, .n_parents = 1, .nfs = true,
                                   .protocol = IPPROTO_TCP, .own_unit = ""};

    c.exact = false;
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_FITS);
    c.maker = c.made = NULL;
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_UNSURE);
    c = held(&kernel);
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_FITS);
    c.exact = false;
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_UNSURE);
}

/*
 * An executable is identified by its file, not by its path: another may be mounted there, or have been before an
 * upgrade.
 */
Test(vouch, the_same_executable_is_the_same_file)
{
    struct qpw_process a = process(QPW_MATCH_EXACT, 8, FTPD, ""), b = process(QPW_MATCH_EXACT, 7, FTPD, "");

    cr_expect_eq(qpw_vouch_same(&a, &b, ""), QPW_OWNER_FITS);
    a.pid = 7;
    a.started_unix_ns = b.started_unix_ns + 5000; /* read twice, whatever it executes meanwhile */
    a.exe_inode++;
    cr_expect_eq(qpw_vouch_same(&a, &b, ""), QPW_OWNER_FITS);
    a.started_unix_ns += 1000000000u;
    a.exe_inode--;
    snprintf(a.exe, sizeof(a.exe), "%s", NEVER "link");
    cr_expect_eq(qpw_vouch_same(&a, &b, ""), QPW_OWNER_FITS);
    a = b;
    a.pid = 8;
    a.started_unix_ns += 1000000000u;
    a.exe_inode++;
    cr_expect_eq(qpw_vouch_same(&a, &b, ""), QPW_OWNER_OTHER);
    a.exe_inode--;
    a.exe_device++;
    cr_expect_eq(qpw_vouch_same(&a, &b, ""), QPW_OWNER_OTHER);
    snprintf(b.exe, sizeof(b.exe), "%s (deleted)", FTPD);
    cr_expect_eq(qpw_vouch_same(&a, &b, ""), QPW_OWNER_UNSURE);
    a.exe_device--;
    snprintf(a.exe, sizeof(a.exe), "(user namespace) %s", FTPD);
    cr_expect_eq(qpw_vouch_same(&a, &b, ""), QPW_OWNER_OTHER);
    a = ended(7, FTPD); /* its pid may have been reused */
    cr_expect_eq(qpw_vouch_same(&a, &b, ""), QPW_OWNER_UNSURE);
}

/* A session that has ended is matched by its process as seen while it lasted, unless its pid was reused. */
Test(vouch, the_process_of_an_ended_session)
{
    struct qpw_process gone = ended(7, FTPD), shell = ended(7, SHELL), other = ended(8, FTPD);
    struct qpw_vouch_parent parent = {.process = process(QPW_MATCH_EXACT, 7, FTPD, ""), .alive_ns = 5000000000u};
    struct qpw_vouch_companion c = held(&gone);
    struct qpw_vouch_question q = {.companion = &c, .parents = &parent, .n_parents = 1, .own_unit = ""};

    c.made_ns = 5100000000u;
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_FITS);
    c.made_ns = 9000000000u;
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_UNSURE);
    q.seen_alive = true; /* others of the same user and executable */
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_FITS);
    q.seen_alive = false;
    parent.same_note = true;
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_FITS);
    parent.same_note = false;
    c = held(&shell);
    c.made_ns = 5100000000u;
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_OTHER);
    c = held(&other);
    c.made_ns = 5100000000u;
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_UNSURE);
}

/* An intermediate process has ended, so it is unknown whether the companion descends from the listener. */
Test(vouch, a_broken_chain_of_parents)
{
    struct qpw_process ftpd = process(QPW_MATCH_EXACT, 8, FTPD, "");
    struct qpw_vouch_parent parent = {.process = process(QPW_MATCH_LISTENER, 7, NEVER "inetd", ""), .listened = true};
    struct qpw_vouch_companion c = held(&ftpd);
    struct qpw_vouch_question q = {.companion = &c, .parents = &parent, .n_parents = 1, .own_unit = ""};

    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_OTHER);
    parent.broken = true;
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_UNSURE);
    parent.process = process(QPW_MATCH_LISTENER, 7, FTPD, "");
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_UNSURE);
}

/* A registration with the port mapper counts for processes known to belong to NFS only. */
Test(vouch, registrations)
{
    static const struct qpw_rpc_registration rows[] = {
        {QPW_RPC_MOUNT, 45000, IPPROTO_TCP}, {QPW_RPC_STATUS, 45001, IPPROTO_UDP}, {QPW_RPC_NFS, 45002, IPPROTO_TCP},
        {QPW_RPC_QUOTA, 45003, IPPROTO_TCP}};
    struct qpw_rpcbind known = {(struct qpw_rpc_registration *)rows, sizeof(rows) / sizeof(*rows)};
    struct qpw_vouch_parent parent = {.process = process(QPW_MATCH_EXACT, 7, NEVER "rpcbind", "")};
    const struct {
        const char *exe;
        int server; /* owner of the NFS port over that protocol, 0: none */
        unsigned uid;
        uint8_t protocol;
        uint16_t port;
        enum qpw_owner_word word;
        bool asks;  /* without rpcbind's answer the result is unsure */
    } one[] = {
        {SHELL, 0, 0, IPPROTO_TCP, 45000, QPW_OWNER_OTHER, false},
        {SHELL, 8, 0, IPPROTO_TCP, 45000, QPW_OWNER_FITS, true},
        {SHELL, 9, 0, IPPROTO_TCP, 45000, QPW_OWNER_OTHER, false}, /* the same executable is not sufficient */
        {SHELL, 8, 1000, IPPROTO_TCP, 45000, QPW_OWNER_OTHER, false},
        {SHELL, 8, 0, IPPROTO_UDP, 45000, QPW_OWNER_OTHER, true},
        {SHELL, 8, 0, IPPROTO_TCP, 45002, QPW_OWNER_OTHER, true}, /* the NFS service itself owns that port */
        {SHELL, 8, 0, IPPROTO_TCP, 44444, QPW_OWNER_OTHER, true},
        {"/usr/sbin/rpc.mountd", 0, 0, IPPROTO_TCP, 45000, QPW_OWNER_FITS, true},
        {"/usr/sbin/rpc.mountd", 0, 0, IPPROTO_UDP, 45001, QPW_OWNER_OTHER, true},
        {"/usr/sbin/rpc.statd", 0, 100, IPPROTO_UDP, 45001, QPW_OWNER_FITS, true},
        {NEVER "rpcbind", 0, 0, IPPROTO_UDP, 50000, QPW_OWNER_FITS, false},
    };

    for (size_t i = 0; i < sizeof(one) / sizeof(*one); i++) {
        struct qpw_process holder = process(QPW_MATCH_EXACT, 8, one[i].exe, ""),
                           server = process(QPW_MATCH_EXACT, one[i].server, one[i].exe, "");
        struct qpw_vouch_companion companion = held(&holder);
        struct qpw_vouch_question q = {.companion = &companion, .parents = &parent, .n_parents = 1, .nfs = true,
                                       .registers = true, .rpcbind = &known, .servers = &server,
                                       .n_servers = one[i].server != 0, .protocol = one[i].protocol, .port = one[i].port,
                                       .own_unit = ""};
        bool early;

        holder.uid = one[i].uid;
        cr_expect_eq(qpw_vouch_judge(&q, &early), one[i].word, "%zu: %u", i, qpw_vouch_judge(&q, NULL));
        cr_expect_eq(early, one[i].asks && one[i].word == QPW_OWNER_OTHER, "%zu", i); /* it may still register */
        cr_expect_eq(qpw_vouch_asks_rpcbind(&q), one[i].asks, "%zu", i);
        q.rpcbind = NULL;
        cr_expect_eq(qpw_vouch_judge(&q, NULL), one[i].asks ? QPW_OWNER_UNSURE : one[i].word, "%zu", i);
    }
}

/* rpc.nfsd hands its sockets to the kernel, which then owns what a process created. */
Test(vouch, sockets_that_are_handed_to_the_kernel)
{
    static const struct qpw_rpc_registration rows[] = {{QPW_RPC_NFS, 45000, IPPROTO_TCP}, {QPW_RPC_MOUNT, 45001, IPPROTO_TCP}};
    struct qpw_rpcbind known = {(struct qpw_rpc_registration *)rows, sizeof(rows) / sizeof(*rows)};
    struct qpw_vouch_parent parent = {.process = process(QPW_MATCH_EXACT, 7, NEVER "rpcbind", "")};
    struct qpw_process nfsd = ended(8, "/usr/sbin/rpc.nfsd");
    struct qpw_vouch_companion c = {.all = true, .open = true, .exact = true, .maker = &nfsd, .made = &nfsd, .hands_over = true};
    struct qpw_vouch_question q = {.companion = &c, .parents = &parent, .n_parents = 1, .nfs = true, .registers = true,
                                   .rpcbind = &known, .protocol = IPPROTO_TCP, .port = 45000, .own_unit = ""};

    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_FITS);
    cr_expect(qpw_vouch_asks_rpcbind(&q));
    q.port = 45001;
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_OTHER);
    q.port = 45000;
    c.hands_over = false;
    cr_expect_eq(qpw_vouch_judge(&q, NULL), QPW_OWNER_OTHER); /* its creator is known, and does not match */
}

/* ---- The port mapper's answer ---- */

struct message {
    uint8_t bytes[1024];
    size_t length;
};

static void put(struct message *m, uint32_t word)
{
    word = htonl(word);
    memcpy(m->bytes + m->length, &word, 4);
    m->length += 4;
}

static void put_text(struct message *m, const char *text)
{
    put(m, (uint32_t)strlen(text));
    memcpy(m->bytes + m->length, text, strlen(text));
    m->length += (strlen(text) + 3) & ~3u;
}

static void put_row(struct message *m, uint32_t program, const char *netid, const char *address)
{
    put(m, 1);
    put(m, program);
    put(m, 3);
    put_text(m, netid);
    put_text(m, address);
    put_text(m, "superuser");
}

static struct message answer(void)
{
    static const uint32_t head[] = {0x71705731, 1, 0, 0, 0, 0};
    struct message m = {0};

    for (size_t i = 0; i < sizeof(head) / sizeof(*head); i++)
        put(&m, head[i]);
    put_row(&m, 100005, "tcp", "0.0.0.0.175.200");
    put_row(&m, 100024, "udp6", "::.3.232");
    put_row(&m, 100000, "local", "/run/rpcbind.sock");
    put_row(&m, 100021, "tcp", "nonsense");
    put(&m, 0);
    return m;
}

Test(rpcbind, answers)
{
    struct message m = answer();
    struct qpw_rpcbind r;

    cr_assert_eq(qpw_rpcbind_parse(m.bytes, m.length, &r), 0);
    cr_assert_eq(r.n, 2);
    cr_expect_eq(r.rows[0].program, 100005u);
    cr_expect_eq(r.rows[0].port, 45000);
    cr_expect_eq(r.rows[0].protocol, IPPROTO_TCP);
    cr_expect_eq(r.rows[1].program, 100024u);
    cr_expect_eq(r.rows[1].port, 1000);
    cr_expect_eq(r.rows[1].protocol, IPPROTO_UDP);
    qpw_rpcbind_clear(&r);
    for (size_t cut = 0; cut < m.length; cut++) /* sanitizers check */
        cr_expect_eq(qpw_rpcbind_parse(m.bytes, cut, &r), -EBADMSG, "%zu bytes", cut);
    m.bytes[23] = 1; /* no success */
    cr_expect_eq(qpw_rpcbind_parse(m.bytes, m.length, &r), -EBADMSG);
}
