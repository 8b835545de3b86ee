/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether who holds a companion is who has its parent exchange; and what a port mapper's answer says. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "facts/vouch.h"

#define NEVER "/nowhere/" /* so that no link of this machine is followed */
#define FTPD NEVER "ftpd"
#define SHELL NEVER "sh"

static struct qpw_process process(enum qpw_match match, int pid, const char *exe, const char *unit)
{
    struct qpw_process p = {.match = match, .pid = pid};

    snprintf(p.exe, sizeof(p.exe), "%s", exe);
    snprintf(p.unit, sizeof(p.unit), "%s", unit);
    p.container = strchr(unit, ' ') != NULL;
    return p;
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
    /* Where it is only known who listened for the parent exchange. */
    {"the listener itself", {QPW_MATCH_EXACT, 7, FTPD, ""}, {QPW_MATCH_LISTENER, 7, FTPD, ""}, true, true, .word = QPW_OWNER_FITS},
    {"a child of the listener", {QPW_MATCH_EXACT, 8, FTPD, ""}, {QPW_MATCH_LISTENER, 7, FTPD, ""}, true, true,
     .word = QPW_OWNER_FITS},
    {"an ended one of the same executable", {QPW_MATCH_CREATED, 8, FTPD, "", true}, {QPW_MATCH_LISTENER, 7, FTPD, ""}, true,
     .word = QPW_OWNER_FITS},
    {"the interpreter of both, unrelated", {QPW_MATCH_EXACT, 8, SHELL, ""}, {QPW_MATCH_LISTENER, 7, SHELL, ""}, true,
     .word = QPW_OWNER_OTHER},
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
        struct qpw_process companion = process(c->match, c->pid, c->exe, c->unit);
        struct qpw_vouch_parent parent = {.process = process(p->match, p->pid, p->exe, p->unit),
                                          .listened = cases[i].listened, .ancestor = cases[i].ancestor};
        struct qpw_vouch_question q = {.companion = &companion, .parents = &parent, .n_parents = 1, .nfs = cases[i].nfs,
                                       .own_unit = "own.service"};

        companion.ended = c->ended;
        cr_expect_eq(qpw_vouch_judge(&q), cases[i].word, "%s: %u", cases[i].what, qpw_vouch_judge(&q));
        q.foreign = true; /* through a packet socket: no service sends so */
        cr_expect_eq(qpw_vouch_judge(&q), QPW_OWNER_OTHER, "%s", cases[i].what);
    }
}

Test(vouch, nothing_is_known_where_no_parent_is)
{
    struct qpw_process companion = process(QPW_MATCH_EXACT, 8, SHELL, "");
    struct qpw_vouch_question q = {.companion = &companion, .own_unit = ""};

    cr_expect_eq(qpw_vouch_judge(&q), QPW_OWNER_UNSURE);
}

/* Registered with the port mapper is believed of those that are known to be NFS's own, and of no others. */
Test(vouch, registrations)
{
    static const struct qpw_rpc_registration rows[] = {
        {QPW_RPC_MOUNT, 45000, IPPROTO_TCP}, {QPW_RPC_STATUS, 45001, IPPROTO_UDP}, {100003, 45002, IPPROTO_TCP},
        {QPW_RPC_QUOTA, 45003, IPPROTO_TCP}};
    struct qpw_rpcbind known = {(struct qpw_rpc_registration *)rows, sizeof(rows) / sizeof(*rows)};
    struct qpw_vouch_parent parent = {.process = process(QPW_MATCH_EXACT, 7, NEVER "rpcbind", "")};
    const struct {
        const char *exe;
        bool serves_nfs;
        unsigned uid;
        uint8_t protocol;
        uint16_t port;
        enum qpw_owner_word word;
    } one[] = {
        {SHELL, false, 0, IPPROTO_TCP, 45000, QPW_OWNER_OTHER},
        {SHELL, true, 0, IPPROTO_TCP, 45000, QPW_OWNER_FITS},
        {SHELL, true, 1000, IPPROTO_TCP, 45000, QPW_OWNER_OTHER},
        {SHELL, true, 0, IPPROTO_UDP, 45000, QPW_OWNER_OTHER},
        {SHELL, true, 0, IPPROTO_TCP, 45002, QPW_OWNER_OTHER}, /* NFS itself has its port */
        {SHELL, true, 0, IPPROTO_TCP, 44444, QPW_OWNER_OTHER},
        {"/usr/sbin/rpc.mountd", false, 0, IPPROTO_TCP, 45000, QPW_OWNER_FITS},
        {"/usr/sbin/rpc.mountd", false, 0, IPPROTO_UDP, 45001, QPW_OWNER_OTHER},
        {"/usr/sbin/rpc.statd", false, 100, IPPROTO_UDP, 45001, QPW_OWNER_FITS},
        {NEVER "rpcbind", false, 0, IPPROTO_UDP, 50000, QPW_OWNER_FITS},
    };

    for (size_t i = 0; i < sizeof(one) / sizeof(*one); i++) {
        struct qpw_process companion = process(QPW_MATCH_EXACT, 8, one[i].exe, "");
        struct qpw_vouch_question q = {.companion = &companion, .parents = &parent, .n_parents = 1, .nfs = true,
                                       .registers = true, .rpcbind = &known, .serves_nfs = one[i].serves_nfs,
                                       .protocol = one[i].protocol, .port = one[i].port, .own_unit = ""};

        companion.uid = one[i].uid;
        cr_expect_eq(qpw_vouch_judge(&q), one[i].word, "%zu: %u", i, qpw_vouch_judge(&q));
        q.rpcbind = NULL;
        if (one[i].port != 50000)
            cr_expect_eq(qpw_vouch_judge(&q), QPW_OWNER_UNSURE, "%zu", i);
    }
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
    for (size_t cut = 0; cut < m.length; cut++) /* sanitizers look on */
        cr_expect_eq(qpw_rpcbind_parse(m.bytes, cut, &r), -EBADMSG, "%zu bytes", cut);
    m.bytes[23] = 1; /* no success */
    cr_expect_eq(qpw_rpcbind_parse(m.bytes, m.length, &r), -EBADMSG);
}
