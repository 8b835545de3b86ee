/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The report as an HTML page, parsed as by a browser. tests/all/test_page.c tests how a browser renders it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/timeline.h"
#include "page.h"
#include "words/rule.h"

static struct qpw_snapshot s;
static struct qpw_report r;
static htmlDocPtr page;
static char *text;

static void make(size_t findings, bool hostile, const struct qpw_render_options *options)
{
    page_snapshot(&s, findings, hostile);
    cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
    text = page_of(&r, options);
    page = page_read(text);
}

static void teardown(void)
{
    xmlFreeDoc(page);
    free(text);
    qpw_report_clear(&r);
    qpw_snapshot_clear(&s);
}

TestSuite(page, .fini = teardown);

static void expect_text(const char *expression, const char *wanted)
{
    char *found = page_text(page, "%s", expression);

    cr_expect_str_eq(found, wanted, "%s: '%s'", expression, found);
    free(found);
}

/* Nothing is loaded from outside, and only scripts and styles with the page's nonce apply. */
Test(page, loads_nothing)
{
    char *policy, *nonce;

    make(3, false, &(struct qpw_render_options){0});
    cr_expect_eq(page_number(page, "count(//link | //img | //iframe | //object | //embed | //form | //base | //@src | //@style)"), 0);
    cr_expect_eq(page_number(page, "count(//@href[not(starts-with(., '#'))])"), 0);
    cr_expect_eq(page_number(page, "count(//@*[starts-with(name(), 'on')])"), 0);
    cr_expect_eq(page_number(page, "count(//script)"), 1);
    cr_expect_eq(page_number(page, "count(//style)"), 1);
    nonce = page_text(page, "string(//script/@nonce)");
    cr_expect_eq(strlen(nonce), 32);
    cr_expect_eq(page_number(page, "count(//style[@nonce = '%s'])", nonce), 1);
    policy = page_text(page, "string(//meta[@http-equiv = 'Content-Security-Policy']/@content)");
    cr_expect(strstr(policy, "default-src 'none'; style-src 'nonce-"), "%s", policy);
    cr_expect_null(strstr(policy, "unsafe"), "%s", policy);
    cr_expect_eq(page_number(page, "count(//a[not(id(substring(@href, 2)))])"), 0, "each link of the contents leads somewhere");
    free(policy);
    free(nonce);
}

Test(page, another_page_has_another_nonce)
{
    char *again, *first, *second;
    htmlDocPtr other;

    make(0, false, &(struct qpw_render_options){0});
    again = page_of(&r, &(struct qpw_render_options){0});
    other = page_read(again);
    first = page_text(page, "string(//script/@nonce)");
    second = page_text(other, "string(//script/@nonce)");
    cr_expect_str_neq(first, second);
    free(first);
    free(second);
    xmlFreeDoc(other);
    free(again);
}

/* Everything that a screen reader needs. */
Test(page, is_accessible)
{
    make(3, false, &(struct qpw_render_options){.owner = page_owner});
    expect_text("string(/html/@lang)", "en");
    cr_expect_eq(page_number(page, "count(//main)"), 1);
    cr_expect_eq(page_number(page, "count(//h1)"), 1);
    cr_expect_geq(page_number(page, "count(//section)"), 8);
    cr_expect_eq(page_number(page, "count(//section[not(@aria-labelledby = .//h2/@id)])"), 0);
    cr_expect_eq(page_number(page, "count(//table[not(thead/tr/th)])"), 0);
    cr_expect_eq(page_number(page, "count(//th[not(@scope)])"), 0);
    cr_expect_eq(page_number(page, "count(//table[not(caption) and not(ancestor::details)])"), 0);
    cr_expect_eq(page_number(page, "count(//*[name() = 'svg'][not(@role = 'img' and @aria-label) and not(@aria-hidden = 'true')])"), 0);
    cr_expect_eq(page_number(page, "count(//input[not(ancestor::label)])"), 0);
    cr_expect_eq(page_number(page, "count(//*[@id][@id = following::*/@id])"), 0, "each id once");
    /* Each row has as many cells as its table has titles, so that each cell is in its column. */
    cr_expect_eq(page_number(page, "count(//tbody/tr[not(@class = 'more')][count(td | th) != count(../../thead/tr/th)])"), 0);
}

Test(page, has_every_finding_with_all_its_facts)
{
    const struct qpw_finding_row *f;

    make(40, false, &(struct qpw_render_options){.owner = page_owner});
    cr_expect_eq(page_number(page, "count(//table[@class = 'findings']/tbody)"), r.found.n_lines);
    f = r.found.lines[0].first;
    cr_assert_eq(r.found.lines[0].findings, 1);
    expect_text("string((//table[@class = 'findings']/tbody)[1]/tr[1]/td[1])", "high");
    cr_expect_eq(page_number(page, "number((//table[@class = 'findings']/tbody)[1]//dd[../dt = 'flow id'])"), f->flow_id);
    for (size_t i = 0; i < r.found.n_lines; i++)
        for (size_t j = 0; j < r.found.lines[i].findings; j++)
            cr_expect_eq(page_number(page, "count(//dd[preceding-sibling::dt[1] = 'flow id'][. = '%llu']) + "
                                     "count(//td/text()[contains(., 'flow id %llu; ')])",
                                     (unsigned long long)r.found.lines[i].members[j]->flow_id,
                                     (unsigned long long)r.found.lines[i].members[j]->flow_id), 1, "each once");
    expect_text("string((//table[@class = 'findings']/tbody)[1]//dt[. = 'process found as']/following-sibling::dd)", "exact");
    cr_expect_eq(page_number(page, "count(//code[starts-with(., 'inbound tcp 10')])") > 20, 1, "the line that would allow it");
}

/* It holds ten thousand rows, and refers to other outputs for the rest. */
Test(page, takes_ten_thousand_findings_and_says_what_it_left_out)
{
    size_t rows = 0;

    page_snapshot(&s, 10100, false);
    cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
    text = page_of(&r, &(struct qpw_render_options){0});
    for (const char *at = strstr(text, "<table class=\"findings\""); *at && strncmp(at, "</table>", 8); at++)
        rows += *at == '<' && !strncmp(at, "<tbody>", 7);
    cr_expect_eq(rows, 10000);
    cr_expect_not_null(strstr(text, " more lines are in the JSON report.</p>"));
    cr_expect_lt(strlen(text), 20u << 20);
}

/* Names are text, whatever they contain. */
Test(page, hostile_names_stay_text)
{
    make(60, true, &(struct qpw_render_options){.owner = page_owner});
    cr_expect_eq(page_number(page, "count(//script)"), 1);
    cr_expect_eq(page_number(page, "count(//h1)"), 1);
    cr_expect_eq(page_number(page, "count(//img)"), 0);
    cr_expect_eq(page_number(page, "count(//@onclick | //@onerror)"), 0);
    expect_text("string(//h1)", page_hostile[0]);
    cr_expect_geq(page_number(page, "count(//td[contains(., '</style><h1>owned</h1>')])"), 1);
    cr_expect_null(strpbrk(text, "\033\a\r"), "nothing that steers a terminal");
    cr_expect_null(strstr(text, "\xe2\x80\xae"), "nor turns a line round");
}

/* A capture's path may be long, and its checksum follows it. */
Test(page, what_is_long_is_whole)
{
    char *name = malloc(4001);

    page_snapshot(&s, 0, false);
    s.replay = true;
    s.captures = calloc(1, sizeof(*s.captures));
    s.n_captures = 1;
    memset(name, 'n', 4000);
    name[4000] = '\0';
    s.captures[0].name = name;
    snprintf(s.captures[0].sha256, sizeof(s.captures[0].sha256), "%064d", 7);
    cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
    text = page_of(&r, &(struct qpw_render_options){0});
    page = page_read(text);
    cr_expect_eq(page_number(page, "count(//dd[contains(., '%s')][contains(., '%s')])", "nnnnnnnnnnnnnnnnnnnn", s.captures[0].sha256), 1);
    cr_expect_geq(page_number(page, "string-length(//dd[contains(., 'nnnnnnnn')])"), 4064);
}

Test(page, a_node_without_findings_says_so)
{
    page_snapshot(&s, 0, false);
    s.n_findings = 0;
    cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
    text = page_of(&r, &(struct qpw_render_options){0});
    page = page_read(text);
    cr_expect_eq(page_number(page, "count(//p[. = 'No open findings.'])"), 1);
    cr_expect_eq(page_number(page, "count(//table[@class = 'findings'])"), 0);
    cr_expect_eq(page_number(page, "count(//section)"), 8, "its other sections are there");
}

Test(page, rules_say_why_they_are_there)
{
    struct qpw_rule_info info = {.name = "ndmp", .text = "inbound tcp 10000 \"NDMP backup\" from=10.9.0.7 until=2027-03-01 ref=CHG-1234 owner=unit:ndmp"};
    struct qpw_rule_words words;
    char statement[sizeof(info.text) + 8];

    page_snapshot(&s, 0, false);
    snprintf(s.rules[1].text, sizeof(s.rules[1].text), "%s", info.text);
    cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
    text = page_of(&r, &(struct qpw_render_options){0});
    page = page_read(text);
    expect_text("string(//table[@class = 'rules']//th[. = 'in-tcp-445']/following-sibling::td[2])", "NDMP backup");
    expect_text("string(//table[@class = 'rules']//th[. = 'in-tcp-445']/following-sibling::td[3])", "CHG-1234");
    expect_text("string(//table[@class = 'rules']//th[. = 'in-tcp-445']/following-sibling::td[4])", "unit:ndmp");
    expect_text("string(//table[@class = 'rules']//th[. = 'in-tcp-445']/following-sibling::td[5])", "2027-03-01");
    qpw_rule_words(NULL, &info, &words);
    cr_expect_str_eq(words.from, "10.9.0.7");
    cr_expect_not(words.cut);
    cr_expect_str_eq(qpw_rule_origin(&words), "site");
    cr_expect_str_eq(qpw_rule_statement(NULL, &info, statement, sizeof(statement)), info.text);
    /* A built-in group has no statement; its description follows its name. */
    snprintf(info.text, sizeof(info.text), "infra arp: EtherType 0x0806, of its form");
    qpw_rule_words(NULL, &info, &words);
    cr_expect(words.own);
    cr_expect_str_eq(words.purpose, "EtherType 0x0806, of its form");
    cr_expect_str_empty(words.ref);
    /* A long statement may be cut off before the word in question: that does not mean "none". */
    memset(info.text, 'x', sizeof(info.text) - 1);
    memcpy(info.text, "inbound tcp 80 \"a long ", 23);
    qpw_rule_words(NULL, &info, &words);
    cr_expect(words.cut && !words.own);
    cr_expect_str_empty(words.ref);
    cr_expect(!strncmp(words.purpose, "a long", 6), "'%s'", words.purpose);
    qpw_rule_statement(NULL, &info, statement, sizeof(statement));
    cr_expect_eq(strlen(statement), sizeof(info.text) - 1 + strlen("…"), "and says that it is cut: %s", statement);
    snprintf(info.text, sizeof(info.text), "inbound tcp 80 purpose-0123456789 …");
    qpw_rule_words(NULL, &info, &words);
    cr_expect(words.cut, "so does what was cut and rewritten");
    cr_expect_str_eq(words.purpose, "purpose-0123456789");
    /* A line of the vendor's page is no approval of the site's. */
    snprintf(info.text, sizeof(info.text), "inbound tcp 80 HTTP ref=required-ports.md:35");
    qpw_rule_words(NULL, &info, &words);
    cr_expect_str_eq(qpw_rule_origin(&words), "vendor");
    snprintf(info.text, sizeof(info.text), "inbound tcp 80 HTTP");
    snprintf(info.file, sizeof(info.file), "built-in:on-prem");
    qpw_rule_words(NULL, &info, &words);
    cr_expect_str_eq(qpw_rule_origin(&words), "vendor");
}

Test(page, insecure_services_are_named)
{
    struct qpw_rule_info ftp = {.text = "inbound tcp 20,21 FTP"}, wide = {.text = "inbound tcp 1-60000 all"},
                         smb = {.text = "inbound tcp 445 SMB"}, udp = {.text = "inbound udp 21 x"}, nothing = {{0}};

    page_snapshot(&s, 0, false);
    cr_expect_not_null(qpw_words_insecure_rule(&ftp));
    cr_expect_null(qpw_words_insecure_rule(&wide));
    cr_expect_null(qpw_words_insecure_rule(&smb));
    cr_expect_null(qpw_words_insecure_rule(&udp));
    cr_expect_null(qpw_words_insecure_rule(&nothing));
    cr_expect_not_null(qpw_words_insecure(6, 23));
    cr_expect_null(qpw_words_insecure(6, 22));
}

/* ---- Drawings ---- */

Test(page, timeline_counts_each_finding_once)
{
    struct qpw_timeline t;
    size_t all = 0;

    page_snapshot(&s, 100, false);
    s.findings[0].first_unix_ns = s.from_unix_ns - 1;
    s.findings[1].first_unix_ns = s.unix_ns + 1; /* the clock was set back */
    cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
    qpw_timeline_make(&r, &t);
    for (unsigned part = 0; part < QPW_TIMELINE_PARTS; part++)
        for (unsigned severity = 0; severity <= QPW_SEVERITY_INFO; severity++)
            all += t.first[part][severity];
    cr_expect_eq(all + t.before, s.n_findings);
    cr_expect_eq(t.before, 1);
    cr_expect_eq(qpw_timeline_position(&t, 0), 0);
    cr_expect_eq(qpw_timeline_position(&t, UINT64_MAX), 1000);
    cr_expect_eq(qpw_timeline_position(&t, s.from_unix_ns + (s.unix_ns - s.from_unix_ns) / 2), 500);
}

Test(page, without_a_period_nothing_is_drawn)
{
    page_snapshot(&s, 0, false);
    s.from_unix_ns = s.unix_ns = 0;
    cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
    text = page_of(&r, &(struct qpw_render_options){0});
    page = page_read(text);
    cr_expect_eq(page_number(page, "count(//*[name() = 'svg'][@class = 'timeline'])"), 0);
    cr_expect_eq(page_number(page, "count(//p[contains(., 'No period to draw')])"), 1);
}

/* Each part is visible, and together they are no wider than the bar. */
Test(page, bars_hold_all_their_parts)
{
    make(50, false, &(struct qpw_render_options){0});
    cr_expect_geq(page_number(page, "count((//*[name() = 'svg'][@class = 'bar'])[1]/*[name() = 'rect'])"), 3);
    cr_expect_eq(page_number(page, "count(//*[name() = 'rect'][@width < 1])"), 0);
    cr_expect_eq(page_number(page, "count(//*[name() = 'rect'][@x + @width > 1000])"), 0);
    cr_expect_eq(page_number(page, "count(//*[name() = 'rect'][@y + @height > 120])"), 0);
    cr_expect_geq(page_number(page, "count((//ul[@class = 'legend'])[1]/li)"), 2);
}
