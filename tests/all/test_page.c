/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The report's page in a real browser: Chromium without a window. What the page says is tests/unit/test_page.c. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"
#include "page.h"

TestSuite(browser, .timeout = NETNS_TIMEOUT_S);

static char folder[] = "/tmp/qportwatch-page-XXXXXX";

/* Put into the page behind its <body>, with its nonce: what happens there is the line "RESULT {…}" of the console. */
static const char harness[] =
    "const wrong = [];\n"
    "addEventListener('error', (e) => wrong.push('error: ' + e.message));\n"
    "addEventListener('securitypolicyviolation', (e) => wrong.push('blocked: ' + e.violatedDirective + ' ' + e.blockedURI));\n"
    "const rows = () => Array.from(document.querySelector('table.findings').tBodies);\n"
    "const seen = () => rows().filter((row) => row.offsetHeight > 0).length;\n"
    "const packets = () => rows().map((row) => Number(row.rows[0].cells[9].dataset.k));\n"
    "const ordered = (list) => list.every((n, i) => !i || list[i - 1] <= n);\n"
    "const type = (text) => { const box = document.querySelector('#find input'); box.value = text; box.dispatchEvent(new Event('input')); };\n"
    "const sort = () => document.querySelector('table.findings').tHead.rows[0].cells[9].querySelector('[role=button]').click();\n"
    "addEventListener('load', () => {\n"
    "  const result = {width: innerWidth, wide: document.documentElement.scrollWidth, title: document.title, rows: rows().length, first: seen()};\n"
    "  const table = document.querySelector('table.findings'); result.over = table.offsetWidth - table.parentElement.clientWidth;\n"
    "  type('tcp/10042'); result.filtered = seen();\n"
    "  type('nothing-like-this'); result.none = seen();\n"
    "  type(''); sort(); result.compared = Number(document.querySelector('table.findings').dataset.compared);\n"
    "  result.ascending = ordered(packets()); sort(); result.descending = ordered(packets().reverse());\n"
    "  result.label = document.querySelector('table.findings [aria-sort]').getAttribute('aria-sort');\n"
    "  document.querySelector('#find button').click(); result.all = seen();\n"
    "  dispatchEvent(new Event('beforeprint')); result.closed = document.querySelectorAll('details:not([open])').length;\n"
    "  dispatchEvent(new Event('afterprint')); result.open = document.querySelectorAll('details[open]').length;\n"
    "  result.background = getComputedStyle(document.body).backgroundColor;\n"
    "  result.loaded = performance.getEntriesByType('resource').length; result.wrong = wrong;\n"
    "  console.log('RESULT ' + JSON.stringify(result) + ' END');\n"
    "});\n";

static void start(void)
{
    if (system("command -v chromium >/dev/null"))
        cr_skip_test("chromium is not installed");
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    if (!access(folder, F_OK))
        cr_expect_eq(system(command), 0);
}

/* The page of such a snapshot in the folder, with or without the harness. */
static void write_page(size_t findings, bool hostile, bool harnessed)
{
    struct qpw_snapshot s;
    struct qpw_report r;
    char path[64], *page, *body, *nonce;
    htmlDocPtr document;
    FILE *file;

    page_snapshot(&s, findings, hostile);
    cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
    page = page_of(&r, &(struct qpw_render_options){.owner = page_owner});
    document = page_read(page);
    nonce = page_text(document, "string(//script/@nonce)");
    xmlFreeDoc(document);
    body = strstr(page, "<main>");
    cr_assert_not_null(body);
    snprintf(path, sizeof(path), "%s/page.html", folder);
    file = fopen(path, "w");
    fprintf(file, "%.*s", (int)(body - page), page);
    if (harnessed)
        fprintf(file, "<script nonce=\"%s\">%s</script>", nonce, harness);
    fputs(body, file);
    fclose(file);
    free(nonce);
    free(page);
    qpw_report_clear(&r);
    qpw_snapshot_clear(&s);
}

/* What the console and the browser say. The caller frees it. */
static char *browse(const char *options, const char *file)
{
    char command[512], *log = NULL;
    size_t size = 0;
    FILE *out;

    snprintf(command, sizeof(command),
             "exec timeout 500 chromium --headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars "
             "--user-data-dir=%s/profile --enable-logging=stderr %s file://%s/%s 2>&1", folder, options, folder, file);
    out = popen(command, "r");
    cr_assert_not_null(out);
    if (getdelim(&log, &size, '\0', out) < 0 && !log)
        log = strdup("");
    cr_expect_eq(pclose(out), 0, "%s: %.2000s", command, log);
    return log;
}

/* In a frame of that many pixels: windows are 500 wide at least. */
static json_t *result_of(unsigned width, const char *options)
{
    char all[160], path[64], *log, *begin, *end;
    json_t *result;
    FILE *file;

    snprintf(path, sizeof(path), "%s/frame.html", folder);
    file = fopen(path, "w");
    fprintf(file, "<!DOCTYPE html><iframe src=\"page.html\" style=\"width:%upx;height:900px;border:0\"></iframe>", width);
    fclose(file);
    snprintf(all, sizeof(all), "--window-size=1600,1000 --screenshot=%s/page.png %s", folder, options);
    log = browse(all, "frame.html");
    begin = strstr(log, "RESULT {");
    end = begin ? strstr(begin, " END") : NULL;
    cr_assert_not_null(end, "%.2000s", log);
    result = json_loadb(begin + 7, (size_t)(end - begin) - 7, 0, NULL);
    cr_assert_not_null(result, "%.2000s", begin);
    begin[0] = '\0';
    cr_expect_null(strstr(end + 4, ":CONSOLE"), "the console: %.2000s", end);
    for (char *line = strstr(log, ":CONSOLE"), *next; line; line = next) { /* of those before, all but the one of the result */
        next = strstr(line + 1, ":CONSOLE");
        cr_expect_null(next, "the console: %.1000s", line);
    }
    free(log);
    return result;
}

static long long number(json_t *result, const char *key)
{
    return json_integer_value(json_object_get(result, key));
}

static void expect_quiet(json_t *result)
{
    cr_expect_eq(number(result, "loaded"), 0, "the page asks for something");
    cr_expect_eq(json_array_size(json_object_get(result, "wrong")), 0, "%s",
                 json_string_value(json_array_get(json_object_get(result, "wrong"), 0)));
    cr_expect(!strncmp(json_string_value(json_object_get(result, "title")), "qportwatch: ", 12));
}

/* Whatever the width and the names: nothing is wider than the screen, nothing runs, nothing is asked for. */
Test(browser, no_width_and_no_name_breaks_the_page, .init = start, .fini = end)
{
    static const int widths[] = {390, 820, 1440};

    write_page(60, true, true);
    for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
        json_t *result = result_of((unsigned)widths[i], "");

        cr_expect_eq(number(result, "width"), widths[i]);
        cr_expect_leq(number(result, "wide"), number(result, "width"), "%d: %lld wide", widths[i], number(result, "wide"));
        expect_quiet(result);
        json_decref(result);
    }
}

/* Findings with names as usual need no scrolling sideways. */
Test(browser, findings_fit_the_screen, .init = start, .fini = end)
{
    static const int widths[] = {390, 790, 791, 800, 901, 920, 1101, 1120, 1341, 1400};

    write_page(60, false, true);
    for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
        json_t *result = result_of((unsigned)widths[i], "");

        cr_expect_leq(number(result, "over"), 0, "%d: %lld pixels beyond the edge", widths[i], number(result, "over"));
        json_decref(result);
    }
}

Test(browser, light_and_dark_as_the_reader_has_it, .init = start, .fini = end)
{
    json_t *light, *dark;

    write_page(3, false, true);
    light = result_of(820, "--blink-settings=preferredColorScheme=1");
    dark = result_of(820, "--blink-settings=preferredColorScheme=0");
    cr_expect_str_neq(json_string_value(json_object_get(light, "background")), json_string_value(json_object_get(dark, "background")));
    json_decref(light);
    json_decref(dark);
}

/* Sorting is bounded by comparisons: twice those of a merge sort, whatever the machine. */
Test(browser, five_thousand_findings_are_sorted_filtered_and_unfolded, .init = start, .fini = end)
{
    json_t *result;
    long long n;

    write_page(5000, true, true);
    result = result_of(1440, "");
    n = number(result, "rows");
    cr_expect_geq(n, 5000);
    cr_expect_eq(number(result, "first"), 100);
    cr_expect_eq(number(result, "filtered"), 1);
    cr_expect_eq(number(result, "none"), 0);
    cr_expect_gt(number(result, "compared"), 0);
    cr_expect_leq(number(result, "compared"), 2 * n * (long long)ceil(log2((double)n)), "%lld", number(result, "compared"));
    cr_expect(json_is_true(json_object_get(result, "ascending")));
    cr_expect(json_is_true(json_object_get(result, "descending")));
    cr_expect_str_eq(json_string_value(json_object_get(result, "label")), "descending");
    cr_expect_eq(number(result, "all"), n);
    cr_expect_eq(number(result, "closed"), 0, "printed whole");
    cr_expect_eq(number(result, "open"), 0, "and folded again");
    expect_quiet(result);
    json_decref(result);
}

/* On paper: every fact, heads on each page, no word beyond the edge. */
Test(browser, prints_whole, .init = start, .fini = end)
{
    char command[512], option[96], *text = NULL;
    size_t size = 0;
    FILE *out;
    int pages = 0, heads = 0, beyond = -1, flows = 0;

    if (system("command -v pdftotext >/dev/null"))
        cr_skip_test("pdftotext is not installed");
    write_page(120, true, false);
    snprintf(option, sizeof(option), "--no-pdf-header-footer --print-to-pdf=%s/page.pdf", folder);
    free(browse(option, "page.html"));
    snprintf(command, sizeof(command),
             "cd %s && pdftotext -layout page.pdf text && awk 'BEGIN { RS = \"\\f\" } /flow id/ { pages++; if (/Severity +Verdict/) heads++; "
             "flows += gsub(/flow id/, \"\") } END { printf \"%%d %%d %%d \", pages, heads, flows }' text && pdftotext -bbox page.pdf boxes && "
             "awk -F'\"' '/<page/ { wide = $2; tall = $4 } /<word/ && ($2 < 0 || $6 > wide || $8 > tall) { n++ } END { print n + 0 }' boxes",
             folder);
    out = popen(command, "r");
    cr_assert_gt(getdelim(&text, &size, '\0', out), 0);
    pclose(out);
    cr_assert_eq(sscanf(text, "%d %d %d %d", &pages, &heads, &flows, &beyond), 4, "%s", text);
    cr_expect_gt(pages, 2, "%s", text);
    cr_expect_eq(heads, pages, "pages with findings whose columns have titles: %s", text);
    cr_expect_geq(flows, 120, "findings with all their facts: %s", text);
    cr_expect_eq(beyond, 0, "words beyond the paper: %s", text);
    free(text);
}
