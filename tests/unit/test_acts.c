/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Commands on findings: naming a finding, until when, why; and files that are rewritten. */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alerts.h"
#include "cmd/acts.h"
#include "cmd/policy_file.h"
#include "facts/select.h"
#include "policy/lang/policy.h"
#include "util/since.h"

#define NOW 1790000000 /* 2026-09-21T14:13:20Z */

Test(select, a_finding_by_its_number_or_as_reports_print_it)
{
    static const struct {
        const char *words[4];
        bool has;
    } cases[] = {
        {{"in", "tcp/4444"}, true},
        {{"inbound", "tcp/4444", "10.0.0.5"}, true},
        {{"in", "tcp/4444", "10.0.0.5", "10.0.0.1"}, true},
        {{"in", "tcp/4444", "10.0.0.6"}, false},
        {{"in", "tcp/4444", "10.0.0.5", "10.0.0.2"}, false},
        {{"out", "tcp/4444"}, false},
        {{"in", "udp/4444"}, false},
        {{"in", "tcp/4445"}, false},
        {{"unknown", "tcp/4444"}, false},
        {{"in", "ip/47"}, false},
        {{"in", "icmp/8"}, false},
        {{"in", "any", "10.0.0.5"}, true},
        {{"in", "any", "10.0.0.6"}, false},
        {{"out", "any", "10.0.0.5"}, false},
    };
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0});
    struct qpw_selection s;
    struct qpw_error err;
    const char *number[1];
    char text[32];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        size_t n = 0;

        while (n < 4 && cases[i].words[n])
            n++;
        cr_assert_eq(qpw_selection_parse(cases[i].words, n, &s, &err), 0, "%zu: %s", i, err.text);
        cr_expect_eq(qpw_selection_has(&s, &row), cases[i].has, "%zu", i);
    }
    snprintf(text, sizeof(text), "%llu", (unsigned long long)row.flow_id);
    number[0] = text;
    cr_assert_eq(qpw_selection_parse(number, 1, &s, &err), 0);
    cr_expect(qpw_selection_has(&s, &row));
    row.flow_id++;
    cr_expect_not(qpw_selection_has(&s, &row));
}

Test(select, who_names_a_remote_end_means_it_alone)
{
    static const struct {
        const char *words[4];
        size_t n;
        bool alone;
    } cases[] = {
        {{"77"}, 1, true},
        {{"in", "tcp/4444"}, 2, false},
        {{"in", "tcp/4444", "10.0.0.5"}, 3, true},
        {{"in", "any", "10.0.0.5", "10.0.0.1"}, 4, true},
        {{"out", "tcp/4444", "10.0.0.1"}, 3, false}, /* 10.0.0.1 is the node itself */
        {{"out", "tcp/4444", "10.0.0.1", "10.0.0.5"}, 4, true},
    };
    struct qpw_selection s;
    struct qpw_error err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        cr_assert_eq(qpw_selection_parse(cases[i].words, cases[i].n, &s, &err), 0, "%zu: %s", i, err.text);
        cr_expect_eq(qpw_selection_is_single(&s), cases[i].alone, "%zu", i);
    }
}

Test(select, what_names_nothing_is_an_error_that_says_how)
{
    static const char *const wrong[][5] = {
        {"in"}, {"x", "tcp/1"}, {"i", "tcp/1"}, {"in", "tcp"}, {"in", "tcp/"}, {"in", "tcp/65536"}, {"in", "tcp/1x"},
        {"in", "ip/256"}, {"in", "icmp/256"}, {"in", "arp/1"}, {"in", "any"}, {"in", "tcp/1", "host"}, {"in", "tcp/1", "10.0.0.1", "10.0.0.0/24"},
        {"0"}, {"-1"}, {"99999999999999999999999"}, {"in", "tcp/1", "10.0.0.1", "10.0.0.2", "10.0.0.3"},
    };
    struct qpw_selection s;
    struct qpw_error err;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        size_t n = 0;

        while (n < 5 && wrong[i][n])
            n++;
        cr_expect_lt(qpw_selection_parse(wrong[i], n, &s, &err), 0, "%zu", i);
        cr_expect(strstr(err.text, "DIRECTION SERVICE"), "%s", err.text);
    }
    cr_expect_lt(qpw_selection_parse(NULL, 0, &s, &err), 0);
}

Test(until, an_age_counts_from_now_on_and_a_date_has_to_come)
{
    static const struct {
        const char *text;
        int64_t until;
    } right[] = {{"45s", NOW + 45}, {"12h", NOW + 43200}, {"7d", NOW + 604800}, {"4w", NOW + 2419200},
                 {"2026-09-22", 1790035200}, {"2026-09-22T12:00", 1790078400}};
    static const char *const wrong[] = {"", "0d", "7", "d", "7x", "2026-09-21", "2020-01-01", "tomorrow"};
    int64_t until = 5;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        cr_expect_lt(qpw_until_parse(wrong[i], NOW, &until), 0, "%s", wrong[i]);
    cr_expect_eq(until, 5, "untouched");
    for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
        cr_expect_eq(qpw_until_parse(right[i].text, NOW, &until), 0, "%s", right[i].text);
        cr_expect_eq(until, right[i].until, "%s: %lld", right[i].text, (long long)until);
    }
}

Test(reason, is_one_line_that_a_policy_can_hold)
{
    static const char *const wrong[] = {"a\nsuppress any any any", "a\033[2J", "\xff", "a\xe2\x80\xae"};
    struct qpw_error err;
    char longest[QPW_REASON_BYTES + 1];

    cr_expect_eq(qpw_reason_check("known \"exporter\" \\ of Zoë", &err), 0);
    cr_expect_eq(qpw_reason_check("", &err), 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        cr_expect_lt(qpw_reason_check(wrong[i], &err), 0, "%zu", i);
    memset(longest, 'x', sizeof(longest));
    longest[QPW_REASON_BYTES] = '\0';
    cr_expect_lt(qpw_reason_check(longest, &err), 0);
    longest[QPW_REASON_BYTES - 1] = '\0';
    cr_expect_eq(qpw_reason_check(longest, &err), 0);
}

/* ---- Files ---- */

struct folder {
    char path[64], policy[96], muted[96];
};

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

static char *get(const char *path)
{
    static char text[1024];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

    if (f)
        fclose(f);
    text[n] = '\0';
    return f ? text : NULL;
}

static void make(struct folder *f)
{
    strcpy(f->path, "/tmp/qpw-acts-XXXXXX");
    cr_assert(mkdtemp(f->path));
    snprintf(f->policy, sizeof(f->policy), "%s/site", f->path);
    snprintf(f->muted, sizeof(f->muted), "%s/site.muted", f->path);
    put(f->policy, "policy site\ninbound tcp 22 ssh");
    chmod(f->policy, 0640);
}

static void clear(struct folder *f)
{
    unlink(f->muted);
    unlink(f->policy);
    cr_expect_eq(rmdir(f->path), 0, "nothing else is left in it");
}

/* The snapshot for qpw_act_mute(): a node with that policy and one finding. */
static struct qpw_snapshot node(struct folder *f, struct qpw_finding_row *row, unsigned outcome)
{
    struct qpw_snapshot s = {.unix_ns = NOW * 1000000000ull, .findings = row, .n_findings = 1};

    *row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 9100, outcome, (struct span){T0, T0});
    snprintf(s.meta.policy_path, sizeof(s.meta.policy_path), "%s", f->policy);
    snprintf(s.meta.policy_args, sizeof(s.meta.policy_args), "{\"policy\":\"%s\"}", f->policy);
    return s;
}

/* Accepts requests as an auditor does, and records them; a reload reads the policy. */
struct auditor {
    char asked[64];
    const char *policy;
    bool refuses;
    char in_force[80]; /* the digest requested by the last reload */
};

static int answer(void *context, const json_t *request, json_t **ret_answer, struct qpw_error *err)
{
    struct auditor *a = context;
    const char *name = json_string_value(json_object_get(request, "request"));
    struct qpw_policy policy;

    strcat(strcat(a->asked, name), " ");
    *ret_answer = NULL;
    if (strcmp(name, "reload"))
        return QPW_EXIT_OK;
    snprintf(a->in_force, sizeof(a->in_force), "%s", json_string_value(json_object_get(request, "in_force")));
    if (a->refuses) {
        qpw_fail(err, -EPERM, "not you");
        return QPW_EXIT_FAILED;
    }
    if (qpw_policy_parse_file(a->policy, &policy, err) < 0)
        return QPW_EXIT_USAGE;
    qpw_policy_clear(&policy);
    return QPW_EXIT_OK;
}

Test(mute, writes_one_line_a_finding_and_includes_the_file_once)
{
    static const char *const words[] = {"in", "tcp/9100"};
    struct folder f;
    struct auditor a = {.policy = f.policy};
    struct qpw_act_asker asker = {answer, &a};
    struct qpw_act act = {.words = words, .n_words = 2, .until = NOW + 86400, .reason = "a \"known\" one"};
    struct qpw_finding_row row;
    struct qpw_snapshot s;
    struct qpw_policy policy;
    struct qpw_error err = {""};
    struct stat st;
    char said[512], before[80];

    make(&f);
    s = node(&f, &row, QPW_OUTCOME_DATA);
    cr_assert_eq(qpw_policy_parse_file(f.policy, &policy, &err), 0, "%s", err.text);
    snprintf(before, sizeof(before), "%s", policy.digest);
    qpw_policy_clear(&policy);
    cr_assert_eq(qpw_act_mute(&act, &s, &asker, said, sizeof(said), &err), QPW_EXIT_OK, "%s", err.text);
    cr_expect_str_eq(a.asked, "reload ack ");
    cr_expect_str_eq(a.in_force, before, "what else the files would change is refused by the auditor");
    cr_expect_str_eq(get(f.policy), "policy site\ninbound tcp 22 ssh\ninclude   \"site.muted\"\n");
    cr_assert_eq(stat(f.policy, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0640);
    cr_expect_eq(qpw_act_mute(&act, &s, &asker, said, sizeof(said), &err), QPW_EXIT_OK, "%s", err.text);
    cr_expect_str_eq(get(f.policy), "policy site\ninbound tcp 22 ssh\ninclude   \"site.muted\"\n", "included once");
    cr_assert_eq(qpw_policy_parse_file(f.policy, &policy, &err), 0, "%s", err.text);
    cr_assert_eq(policy.n_suppressions, 1, "the same again takes the line's place");
    cr_expect_eq(policy.suppressions[0].until, NOW + 86400);
    cr_expect_eq(policy.suppressions[0].outcome, QPW_OUTCOME_DATA);
    cr_expect(strstr(policy.suppressions[0].reason, "a \"known\" one (") && strstr(policy.suppressions[0].reason, ", 2026-09-21)"),
              "%s", policy.suppressions[0].reason);
    cr_expect(strstr(get(f.muted), "suppress  inbound tcp 9100 from=10.0.0.5 outcome=answered until=2026-09-22T14:13:20Z"), "%s",
              get(f.muted));
    qpw_policy_clear(&policy);
    act.words = (const char *const[]){"in", "any", "10.0.0.5"};
    act.n_words = 3;
    cr_expect_eq(qpw_act_mute(&act, &s, &asker, said, sizeof(said), &err), QPW_EXIT_OK, "%s", err.text);
    cr_expect(strstr(get(f.muted), "suppress  inbound any any from=10.0.0.5 outcome=answered until="), "%s", get(f.muted));
    clear(&f);
}

Test(mute, a_refused_reload_leaves_both_files_as_they_were)
{
    static const char *const words[] = {"in", "tcp/9100"};
    struct folder f;
    struct auditor a = {.policy = f.policy, .refuses = true};
    struct qpw_act_asker asker = {answer, &a};
    struct qpw_act act = {.words = words, .n_words = 2, .reason = "known"};
    struct qpw_finding_row row;
    struct qpw_snapshot s;
    struct qpw_error err = {""};
    char said[512];

    make(&f);
    s = node(&f, &row, QPW_OUTCOME_ATTEMPTED);
    cr_expect_eq(qpw_act_mute(&act, &s, &asker, said, sizeof(said), &err), QPW_EXIT_FAILED);
    cr_expect_str_eq(err.text, "not you");
    cr_expect_str_eq(a.asked, "reload ");
    cr_expect_str_eq(get(f.policy), "policy site\ninbound tcp 22 ssh");
    cr_expect_null(get(f.muted), "it was not there");
    put(f.policy, "policy site\nnonsense\n");
    cr_expect_eq(qpw_act_mute(&act, &s, &asker, said, sizeof(said), &err), QPW_EXIT_USAGE);
    cr_expect_null(get(f.muted));
    clear(&f);
}

Test(mute, refuses_what_it_cannot_say_or_should_not)
{
    static const char *const words[] = {"in", "tcp/9100"}, *const others[] = {"in", "tcp/9101"};
    struct folder f;
    struct auditor a = {.policy = f.policy};
    struct qpw_act_asker asker = {answer, &a};
    struct qpw_act act = {.words = words, .n_words = 2, .reason = "known"};
    struct qpw_finding_row row;
    struct qpw_snapshot s;
    struct qpw_error err = {""};
    char said[512];

    make(&f);
    s = node(&f, &row, QPW_OUTCOME_ANSWERED);
    cr_expect_eq(qpw_act_mute(&act, &s, &asker, said, sizeof(said), &err), QPW_EXIT_USAGE);
    cr_expect(strstr(err.text, "--until is required"), "%s", err.text);
    act.until = NOW + 86400;
    act.words = others;
    cr_expect_eq(qpw_act_mute(&act, &s, &asker, said, sizeof(said), &err), QPW_EXIT_FAILED, "no such finding");
    act.words = words;
    strcpy(s.meta.policy_path, "built-in:on-prem");
    cr_expect_eq(qpw_act_mute(&act, &s, &asker, said, sizeof(said), &err), QPW_EXIT_FAILED);
    cr_expect(strstr(err.text, "policy edit"), "%s", err.text);
    strcpy(s.meta.policy_path, f.policy);
    {
        struct qpw_policy_file place;

        cr_assert_eq(qpw_policy_file_open(f.policy, &place, &err), 0);
        cr_expect_eq(qpw_act_mute(&act, &s, &asker, said, sizeof(said), &err), QPW_EXIT_FAILED);
        cr_expect(strstr(err.text, "is changing a policy"), "%s", err.text);
        cr_expect_eq(qpw_policy_file_check(&place, &err), 0, "%s", err.text);
        put(f.policy, "policy other\n");
        cr_expect_eq(qpw_policy_file_check(&place, &err), -ESTALE);
        unlink(f.policy);
        cr_expect_eq(qpw_policy_file_check(&place, &err), -ESTALE);
        put(f.policy, "policy site\ninbound tcp 22 ssh");
        qpw_policy_file_close(&place);
    }
    cr_assert_eq(symlink("nowhere", f.muted), 0);
    cr_expect_eq(qpw_act_mute(&act, &s, &asker, said, sizeof(said), &err), QPW_EXIT_USAGE);
    cr_expect(strstr(err.text, "is a link to a file that does not exist"), "%s", err.text);
    cr_expect_str_eq(a.asked, "");
    cr_expect_null(get(f.muted));
    clear(&f);
}
