/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether an owner matches the one that a rule names, and the alert if not. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alerts.h"
#include "facts/owner.h"
#include "host/owner.h"
#include "host/process.h"

static struct qpw_process process(enum qpw_match match, int pid, const char *exe, const char *unit)
{
    struct qpw_process p = {.match = match, .pid = pid};

    snprintf(p.exe, sizeof(p.exe), "%s", exe);
    snprintf(p.unit, sizeof(p.unit), "%s", unit);
    snprintf(p.name, sizeof(p.name), "%s", strrchr(exe, '/') ? strrchr(exe, '/') + 1 : "short");
    return p;
}

/* The path and the unit decide, not the file: an upgrade is no change, a program of the same name elsewhere is one. */
Test(owner, who_is_the_one_that_is_named)
{
    static const struct {
        const char *wanted;
        struct {
            enum qpw_match match;
            int pid;
            const char *exe, *unit;
            bool ended;
        } is;
        enum qpw_owner_word word;
    } cases[] = {
        {NULL, {QPW_MATCH_EXACT, 7, "/bin/x", ""}, QPW_OWNER_FITS},
        {"any", {QPW_MATCH_NONE}, QPW_OWNER_FITS},
        {"/usr/sbin/smbd", {QPW_MATCH_EXACT, 7, "/usr/sbin/smbd", "smbd.service"}, QPW_OWNER_FITS},
        {"/usr/sbin/smbd", {QPW_MATCH_LISTENER, 7, "/usr/sbin/smbd (deleted)", ""}, QPW_OWNER_FITS},
        {"/usr/sbin/smbd", {QPW_MATCH_EXACT, 7, "/tmp/smbd", "smbd.service"}, QPW_OWNER_OTHER},
        {"/usr/sbin/smbd", {QPW_MATCH_EXACT, 7, "/usr/sbin/smbd2", ""}, QPW_OWNER_OTHER},
        {"/usr/sbin/smbd2", {QPW_MATCH_EXACT, 7, "/usr/sbin/smbd", ""}, QPW_OWNER_OTHER},
        {"/usr/sbin/smbd", {QPW_MATCH_KERNEL}, QPW_OWNER_OTHER},
        {"/usr/sbin/smbd", {QPW_MATCH_NONE}, QPW_OWNER_UNSURE},
        {"/usr/sbin/smbd", {QPW_MATCH_GONE}, QPW_OWNER_UNSURE},
        {"/usr/sbin/smbd", {QPW_MATCH_CREATED, 7, "", "", true}, QPW_OWNER_UNSURE},
        {"/usr/sbin/smbd", {QPW_MATCH_LISTENER, 1, "/usr/lib/systemd/systemd", "init.scope"}, QPW_OWNER_UNSURE},
        {"/usr/lib/systemd/systemd", {QPW_MATCH_LISTENER, 1, "/usr/lib/systemd/systemd", "init.scope"}, QPW_OWNER_FITS},
        {"unit:smbd", {QPW_MATCH_EXACT, 7, "/bin/x", "smbd.service"}, QPW_OWNER_FITS},
        {"unit:smbd.service", {QPW_MATCH_EXACT, 7, "/bin/x", "smbd.service"}, QPW_OWNER_FITS},
        {"unit:docker 0123456789ab", {QPW_MATCH_EXACT, 7, "/bin/x", "docker 0123456789ab"}, QPW_OWNER_FITS},
        {"unit:smb", {QPW_MATCH_EXACT, 7, "/bin/x", "smbd.service"}, QPW_OWNER_OTHER},
        {"unit:smbd", {QPW_MATCH_EXACT, 7, "/bin/x", ""}, QPW_OWNER_OTHER},
        {"unit:smbd", {QPW_MATCH_CREATED, 7, "", "", true}, QPW_OWNER_UNSURE},
        {"unit:smbd", {QPW_MATCH_CREATED, 7, "", "smbd.service", true}, QPW_OWNER_FITS},
        {"kernel", {QPW_MATCH_KERNEL}, QPW_OWNER_FITS},
        {"kernel", {QPW_MATCH_EXACT, 7, "/usr/bin/ganesha", ""}, QPW_OWNER_OTHER},
        {"/usr/bin/ganesha,kernel", {QPW_MATCH_KERNEL}, QPW_OWNER_FITS},
        {"kernel,/usr/bin/ganesha,unit:x", {QPW_MATCH_EXACT, 7, "/usr/bin/ganesha", ""}, QPW_OWNER_FITS},
        {"unit:x,/usr/bin/ganesha", {QPW_MATCH_CREATED, 7, "", "y.service", true}, QPW_OWNER_UNSURE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct qpw_process p = process(cases[i].is.match, cases[i].is.pid, cases[i].is.exe ? cases[i].is.exe : "",
                                       cases[i].is.unit ? cases[i].is.unit : "");

        p.ended = cases[i].is.ended;
        cr_expect_eq(qpw_owner_judge(cases[i].wanted, &p), cases[i].word, "case %zu: owner=%s, %s %s", i,
                     cases[i].wanted ? cases[i].wanted : "-", p.exe, p.unit);
    }
}

/* Rules may share a name: one of those for the port must match. */
Test(owner, of_the_rows_that_speak_of_the_port)
{
    static const char text[] = "inbound tcp 445 SMB name=smb owner=/usr/sbin/smbd\n"
                               "inbound tcp 139 NetBIOS name=smb owner=/usr/sbin/nmbd\n"
                               "inbound tcp 139 NetBIOS name=smb from=10.0.0.9 owner=unit:old until=2020-01-01\n"
                               "inbound tcp 22 SSH name=ssh\n"
                               "outbound tcp 445 SMB name=smb owner=kernel\n";
    struct qpw_process smbd = process(QPW_MATCH_EXACT, 7, "/usr/sbin/smbd", "smbd.service");
    struct qpw_owner_question q = {.rule = "smb", .direction = QPW_DIR_INBOUND, .protocol = IPPROTO_TCP, .port = 445,
                                   .now = 1772323200};
    struct qpw_policy policy;
    struct qpw_error err;
    const char *wanted;

    cr_assert_eq(qpw_policy_parse_text("test", text, strlen(text), &policy, &err), 0, "%s", err.text);
    q.policy = &policy;
    cr_expect(qpw_policy_names_owners(&policy, q.now));
    cr_expect_eq(qpw_owner_of_rule(&q, &smbd, &wanted), QPW_OWNER_FITS);
    cr_expect_str_eq(wanted, "/usr/sbin/smbd");
    q.port = 139;
    cr_expect_eq(qpw_owner_of_rule(&q, &smbd, &wanted), QPW_OWNER_OTHER);
    cr_expect_str_eq(wanted, "/usr/sbin/nmbd");
    q.direction = QPW_DIR_OUTBOUND;
    q.port = 445;
    cr_expect_eq(qpw_owner_of_rule(&q, &smbd, &wanted), QPW_OWNER_OTHER);
    q.rule = "ssh";
    q.direction = QPW_DIR_INBOUND;
    q.port = 22;
    cr_expect_eq(qpw_owner_of_rule(&q, &smbd, &wanted), QPW_OWNER_FITS);
    cr_expect_null(wanted);
    qpw_policy_clear(&policy);
}

static struct qpw_engine_socket listener(const struct qpw_process *owner, uint16_t port)
{
    return (struct qpw_engine_socket){
        .key = {.kind = QPW_KIND_PORT, .protocol = IPPROTO_TCP, .port = port, .direction = QPW_DIR_INBOUND,
                .verdict = QPW_VERDICT_UNEXPECTED}, .device = "", .owner = owner};
}

/* Once for a protocol, port and program, whatever the process; a record that cannot be written is tried again. */
Test(owner, a_new_listener_is_told_once)
{
    struct sink sink = {0};
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_process one = process(QPW_MATCH_EXACT, 700, "/usr/bin/python3", "web.service"), other;
    struct qpw_engine_socket s = listener(&one, 9000);
    const struct seen *r;

    sink.broken = true;
    cr_expect_lt(qpw_engine_listener(e, &s, T0), 0);
    sink.broken = false;
    cr_expect_eq(qpw_engine_listener(e, &s, T0 + SEC), 0);
    one.pid = 701;
    cr_expect_eq(qpw_engine_listener(e, &s, T0 + 1000 * SEC), 0);
    cr_assert_eq(sink.n, 1);
    r = sink_last(&sink, QPW_SIG_LISTENER_NEW);
    cr_expect(strstr(r->text, "listens on tcp/9000 at any address (python3, pid 700, , web.service)"), "%s", r->text);
    cr_expect(strstr(r->text, "has no inbound rule for it."), "%s", r->text);
    cr_expect(strstr(r->line, "\"dest_port\":9000"), "%s", r->line);
    cr_expect(strstr(r->line, "\"verdict\":[\"unexpected\"]"), "%s", r->line);

    other = process(QPW_MATCH_EXACT, 702, "/tmp/python3", "");
    s = listener(&other, 9000);
    cr_expect_eq(qpw_engine_listener(e, &s, T0 + 1001 * SEC), 0);
    s = listener(&one, 9001);
    cr_expect_eq(qpw_engine_listener(e, &s, T0 + 1002 * SEC), 0);
    cr_expect_eq(sink_count(&sink, QPW_SIG_LISTENER_NEW), 3);
    qpw_engine_free(e);
    sink_clear(&sink);
}

/* Reported again only after it was gone for a while; as long as it exists it is the same finding. */
Test(owner, another_owner_is_told_once_and_again_when_it_is_back)
{
    struct sink sink = {0};
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_process nc = process(QPW_MATCH_EXACT, 700, "/usr/bin/nc", "");
    struct qpw_engine_socket s = listener(&nc, 22);
    const struct seen *r;

    s.rule = 1;
    s.wanted = "/usr/sbin/sshd";
    s.key.verdict = QPW_VERDICT_ALLOWED;
    for (unsigned i = 0; i < 1000; i++)
        cr_expect_eq(qpw_engine_other_owner(e, &s, T0 + i * 5 * SEC), 0);
    cr_assert_eq(sink.n, 1);
    r = sink_last(&sink, QPW_SIG_OWNER_CHANGED);
    cr_expect(strstr(r->text, "/usr/bin/nc listens on tcp/22 at any address for"), "%s", r->text);
    cr_expect(strstr(r->text, "Rule ssh of "), "%s", r->text);
    cr_expect(strstr(r->text, "only as that of /usr/sbin/sshd."), "%s", r->text);
    cr_expect(strstr(r->line, "\"verdict\":[\"mismatch\"]"), "%s", r->line);
    cr_expect_eq(qpw_engine_other_owner(e, &s, T0 + 10000 * SEC), 0);
    cr_expect_eq(sink.n, 2);
    cr_expect_eq(sink_last(&sink, QPW_SIG_OWNER_CHANGED)->kind, QPW_RECORD_AGAIN);
    qpw_engine_free(e);
    sink_clear(&sink);
}

/* ---- Links on the way to an executable ---- */

static char folder[] = "/tmp/qportwatch-owner-XXXXXX";

static const char *in_folder(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void make_file(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");

    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void make_folder(void)
{
    cr_assert(mkdtemp(folder));
    cr_assert(mkdir(in_folder("usr"), 0755) == 0 && mkdir(in_folder("other"), 0755) == 0);
    make_file("usr/server2", "\x7f" "ELF");
    make_file("usr/server3", "\x7f" "ELF");
    cr_assert(symlink("server2", in_folder("usr/server")) == 0);  /* an alternative */
    cr_assert(symlink("usr", in_folder("bin")) == 0);             /* a merged folder */
    make_file("script", "#! /nowhere\n");
    cr_assert(unlink(in_folder("script")) == 0);
    char text[300];
    snprintf(text, sizeof(text), "#! %s -x\nexit\n", in_folder("bin/server"));
    make_file("script", text);
    make_file("other/script", "#!relative\n");
    cr_assert(mkfifo(in_folder("pipe"), 0600) == 0);
}

static void remove_folder(void)
{
    char command[300];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

static void expect_word(const char *wanted, const char *exe, bool ended, enum qpw_owner_word word)
{
    struct qpw_process p = process(ended ? QPW_MATCH_CREATED : QPW_MATCH_EXACT, 7, exe, "");

    p.ended = ended;
    cr_expect_eq(qpw_owner_judge(wanted, &p), word, "owner=%s, %s%s: %u", wanted, exe, ended ? ", ended" : "",
                 qpw_owner_judge(wanted, &p));
}

Test(owner, links_lead_to_the_same_executable, .init = make_folder, .fini = remove_folder)
{
    char path[300];

    /* /proc gives the resolved path of a live process; the rule may name a link. */
    expect_word(in_folder("bin/server"), in_folder("usr/server2"), false, QPW_OWNER_FITS);
    expect_word(in_folder("usr/server"), in_folder("usr/server2"), false, QPW_OWNER_FITS);
    expect_word(in_folder("usr/server3"), in_folder("usr/server2"), false, QPW_OWNER_OTHER);
    expect_word(in_folder("usr/server2"), in_folder("other/server2"), false, QPW_OWNER_OTHER);
    /* A process that has ended is known by its argument of execve(2). */
    expect_word(in_folder("usr/server2"), in_folder("bin/server"), true, QPW_OWNER_FITS);
    expect_word(in_folder("bin/server2"), in_folder("usr/server"), true, QPW_OWNER_FITS);
    expect_word(in_folder("usr/server3"), in_folder("bin/server"), true, QPW_OWNER_OTHER);
    expect_word(in_folder("usr/server2"), in_folder("script"), true, QPW_OWNER_FITS);
    expect_word(in_folder("usr/server3"), in_folder("script"), true, QPW_OWNER_OTHER);
    expect_word(in_folder("usr/server2"), in_folder("other/script"), true, QPW_OWNER_OTHER);
    expect_word(in_folder("usr/server2"), in_folder("pipe"), true, QPW_OWNER_OTHER);
    expect_word(in_folder("usr/server2"), in_folder("usr/gone"), true, QPW_OWNER_OTHER);
    snprintf(path, sizeof(path), "%s", in_folder("usr/server2"));
    expect_word(path, "./server2", true, QPW_OWNER_UNSURE); /* relative to an unknown folder */
    expect_word(path, "./evil", true, QPW_OWNER_OTHER);
    expect_word(path, "/dev/fd/3", true, QPW_OWNER_OTHER);

    /* An upgrade: the file was replaced, the alternative leads to another version. */
    snprintf(path, sizeof(path), "%s (deleted)", in_folder("usr/server2"));
    expect_word(in_folder("usr/server2"), path, false, QPW_OWNER_FITS);
    expect_word(in_folder("bin/server2"), path, false, QPW_OWNER_FITS);
    cr_assert(unlink(in_folder("usr/server2")) == 0 && unlink(in_folder("usr/server")) == 0);
    cr_assert(symlink("server3", in_folder("usr/server")) == 0);
    expect_word(in_folder("usr/server2"), path, false, QPW_OWNER_FITS);
    expect_word(in_folder("bin/server2"), path, false, QPW_OWNER_FITS);
    expect_word(in_folder("usr/server"), path, false, QPW_OWNER_UNSURE);
    snprintf(path, sizeof(path), "%s (deleted)", in_folder("other/server2"));
    expect_word(in_folder("usr/server"), path, false, QPW_OWNER_OTHER);
}

/* A process in its own user namespace can claim any path. */
Test(owner, a_path_out_of_a_user_namespace_fits_nothing)
{
    expect_word("/usr/sbin/smbd", "(user namespace) /usr/sbin/smbd", false, QPW_OWNER_OTHER);
    expect_word("/usr/sbin/smbd,unit:x", "(user namespace) /usr/sbin/smbd", false, QPW_OWNER_OTHER);
}

/* Users name their own units and containers freely, so these are shown below their user manager. */
Test(owner, a_users_unit_is_not_the_systems)
{
    struct qpw_process p = process(QPW_MATCH_EXACT, 7, "/bin/nc", "user@1000.service/smbd.service");

    cr_expect_eq(qpw_owner_judge("unit:smbd", &p), QPW_OWNER_OTHER);
    cr_expect_eq(qpw_owner_judge("unit:user@1000.service/smbd", &p), QPW_OWNER_FITS);
    cr_expect_eq(qpw_owner_judge("unit:user@1000", &p), QPW_OWNER_FITS);
    cr_expect_eq(qpw_owner_judge("unit:user@100", &p), QPW_OWNER_OTHER);
}

/* Suppressions also apply to findings without packets, and must have an end. */
Test(owner, suppressions_hide_listeners_and_other_owners)
{
    static const char text[] = "suppress inbound tcp 9000\n"
                               "suppress inbound tcp 9001 from=10.0.0.9\n"
                               "suppress inbound tcp 22 outcome=answered until=2026-03-02\n"
                               "suppress inbound tcp 23\n";
    struct sink sink = {0};
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_engine_context context = plain_context();
    struct qpw_process nc = process(QPW_MATCH_EXACT, 700, "/usr/bin/nc", "");
    struct qpw_engine_socket s = listener(&nc, 9000);
    struct qpw_policy policy;
    struct qpw_error err;

    cr_assert_eq(qpw_policy_parse_text("test", text, strlen(text), &policy, &err), 0, "%s", err.text);
    context.policy = &policy;
    qpw_engine_context(e, &context, T0);
    cr_expect_lt(qpw_engine_listener(e, &s, T0), 0, "offered again");
    s = listener(&nc, 9001);
    cr_expect_eq(qpw_engine_listener(e, &s, T0), 0);
    cr_expect_eq(sink_count(&sink, QPW_SIG_LISTENER_NEW), 1, "nobody has asked it: from= hides it not");

    s = listener(&nc, 22);
    s.wanted = "/usr/sbin/sshd";
    cr_expect_lt(qpw_engine_other_owner(e, &s, T0), 0);
    s.exchange = true;
    s.key.port = 23;
    cr_expect_eq(qpw_engine_other_owner(e, &s, T0), 0, "what answered is hidden by outcome=answered alone");
    s.key.port = 22;
    cr_expect_lt(qpw_engine_other_owner(e, &s, T0), 0);
    cr_expect_eq(qpw_engine_other_owner(e, &s, T0 + 2 * 86400 * SEC), 0, "its time is over");
    cr_expect_eq(sink_count(&sink, QPW_SIG_OWNER_CHANGED), 2);

    context.policy = NULL;
    qpw_engine_context(e, &context, T0 + 3 * 86400 * SEC);
    s = listener(&nc, 9000);
    cr_expect_eq(qpw_engine_listener(e, &s, T0 + 3 * 86400 * SEC), 0);
    cr_expect_eq(sink_count(&sink, QPW_SIG_LISTENER_NEW), 2);
    qpw_engine_free(e);
    qpw_policy_clear(&policy);
    sink_clear(&sink);
}

/* The port was taken over: earlier exchanges keep their owner. */
Test(owner, who_listens_now_has_not_served_what_was_over_before_it_started)
{
    struct qpw_process listener = {.match = QPW_MATCH_LISTENER, .pid = 20, .started_unix_ns = T0 + 10 * SEC};
    struct qpw_owner note = {.how = QPW_OWNER_LISTENER, .tgid = 10};

    cr_expect(qpw_owner_came_later(&listener, &note, T0));
    cr_expect_not(qpw_owner_came_later(&listener, &note, T0 + 11 * SEC), "it was there");
    cr_expect_not(qpw_owner_came_later(&listener, &note, 0), "it goes on");
    cr_expect_not(qpw_owner_came_later(&listener, NULL, T0), "nobody else is known");
    note.tgid = 20;
    cr_expect_not(qpw_owner_came_later(&listener, &note, T0), "the same process");
    note.tgid = 1;
    cr_expect_not(qpw_owner_came_later(&listener, &note, T0 + 9 * SEC), "started by systemd for this exchange");
    cr_expect(qpw_owner_came_later(&listener, &note, T0));
    note.tgid = 10;
    listener.match = QPW_MATCH_EXACT;
    cr_expect_not(qpw_owner_came_later(&listener, &note, T0), "it holds the very socket");
}
