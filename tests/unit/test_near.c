/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Suggestions for misspelled words: the distance, and the messages of policies. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "policy/lang/policy.h"
#include "util/near.h"
#include "view/filter.h"

static const char *const words[] = {"inbound", "outbound", "peer", "only", "disable", "suppress", "tcp", "in", NULL};

static const char *meant(const char *word)
{
    static char hint[80];

    return qpw_near_among(word, words, hint, sizeof(hint));
}

Test(near, two_edits_and_fewer_than_half)
{
    static const struct {
        const char *word, *meant;
    } cases[] = {{"inbuond", "inbound"}, {"inbond", "inbound"}, {"inbounds", "inbound"}, {"imbount", "inbound"},
                 {"outbond", "outbound"}, {"per", "peer"}, {"pere", "peer"}, {"olny", "only"}, {"tpc", "tcp"},
                 {"supress", "suppress"}, {"disabel", "disable"}, {"inn", "in"}};
    static const char *const none[] = {"", "x", "ip", "xyz", "inbxyzd", "pxxr", "inbound",
                                       "a word that is longer than any that could be known to anybody at all"};
    char text[64];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(text, sizeof(text), "; did you mean '%s'?", cases[i].meant);
        cr_expect_str_eq(meant(cases[i].word), text, "%s: %s", cases[i].word, meant(cases[i].word));
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        cr_expect_str_eq(meant(none[i]), "", "%s: %s", none[i], meant(none[i]));
}

Test(near, the_nearest_of_several)
{
    static const char *const of[] = {"import", "export", "report", NULL};
    char hint[80];

    cr_expect_str_eq(qpw_near_among("repport", of, hint, sizeof(hint)), "; did you mean 'report'?");
    cr_expect_str_eq(qpw_near_among("exprt", of, hint, sizeof(hint)), "; did you mean 'export'?");
}

Test(near, policies_say_what_was_meant)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"inbuond tcp 22 ssh\n", "unknown statement 'inbuond'; did you mean 'inbound'?"},
        {"adresses dc 10.0.0.1\n", "unknown statement 'adresses'; did you mean 'addresses'?"},
        {"inbound tcp 22 ssh form=10.0.0.1\n", "unexpected 'form=10.0.0.1'; did you mean 'from='?"},
        {"inbound tcp 22 ssh optonal\n", "unexpected 'optonal'; did you mean 'optional'?"},
        {"inbound tcp 22 ssh my\n", "unexpected 'my'; quote a purpose of several words: \"my ssh\""},
        {"inbound tcp 22 ssh name=ssh\ndisable shs\n", "no rule above has the name or feature 'shs'; did you mean 'ssh'?"},
        {"inbound tcp 22 ssh name=sshd\nonly sshdd from=10.0.0.1\n", "no rule above is named 'sshdd'; did you mean 'sshd'?"},
        {"addresses admin 10.0.0.1\ninbound tcp 22 ssh from=@admni\n", "no address set is named 'admni'; did you mean 'admin'?"},
        {"infra ruoting unexpected\n", "no infra group is named 'ruoting'; did you mean 'routing'?"},
        {"implied kpaswd allowed\n", "no implied group is named 'kpaswd'; did you mean 'kpasswd'?"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct qpw_policy policy;
        struct qpw_error err = {""};

        cr_assert(qpw_policy_parse_text("p", cases[i].text, strlen(cases[i].text), &policy, &err) < 0, "%s", cases[i].text);
        cr_expect(strstr(err.text, cases[i].says), "%s: %s", cases[i].text, err.text);
    }
}

Test(near, so_does_the_filter_of_the_view)
{
    struct qpw_filter filter;
    struct qpw_error err = {""};

    cr_assert(qpw_filter_parse("prot:80", &filter, &err) < 0);
    cr_expect(strstr(err.text, "'prot' is not a field; did you mean '"), "%s", err.text);
}
