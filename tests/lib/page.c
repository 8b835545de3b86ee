/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "page.h"

#include <criterion/criterion.h>
#include <libxml/xpath.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const page_hostile[] = {
    "<script>document.title='owned'</script>", "\"><img src=x onerror=document.title='owned'>", "</style><h1>owned</h1>",
    "\033[2J\033]0;owned\a",
    "\xe2\x80\xae" "drow", /* NOLINT(clang-diagnostic-string-concatenation): one */
    "a\r\nContent-Type: text/html", "]]>--><!--", "javascript:alert(1)", "&lt;b&gt;&#60;",
    "\xff\xfe\xc3", "${7*7}{{7*7}}%s%n", "</script><script>1", "' onclick='x",
};
const size_t page_n_hostile = sizeof(page_hostile) / sizeof(*page_hostile);

static const char *name_of(size_t i)
{
    return page_hostile[i % page_n_hostile];
}

static void make_hostile(struct qpw_snapshot *s)
{
    snprintf(s->host, sizeof(s->host), "%s", name_of(0));
    snprintf(s->meta.policy_name, sizeof(s->meta.policy_name), "%s", name_of(1));
    snprintf(s->meta.policy_path, sizeof(s->meta.policy_path), "/etc/%s", name_of(2));
    for (size_t i = 1; i < s->n_rules; i++) {
        snprintf(s->rules[i].name, sizeof(s->rules[i].name), "%s", name_of(i));
        snprintf(s->rules[i].text, sizeof(s->rules[i].text), "inbound tcp %zu \"%s\" ref=%s", i, name_of(i + 1), name_of(i + 2));
    }
    for (size_t i = 1; i < s->n_peers; i++)
        snprintf(s->peers[i].name, sizeof(s->peers[i].name), "%s", name_of(i + 3));
    for (size_t i = 0; i < s->n_ifaces; i++)
        snprintf(s->ifaces[i].name, sizeof(s->ifaces[i].name), "%s", name_of(i + 1));
    for (size_t i = 0; i < page_n_hostile; i++) {
        struct qpw_note note = {.kind = QPW_NOTE_BEFORE, .count = 1};

        snprintf(note.name, sizeof(note.name), "%s", name_of(i));
        snprintf(note.detail, sizeof(note.detail), "%s", name_of(i + 1));
        qpw_snapshot_note(s, &note);
    }
}

void page_snapshot(struct qpw_snapshot *s, size_t findings, bool hostile)
{
    char initiator[32];

    sample_snapshot(s, 0);
    for (size_t i = 0; i < findings; i++) {
        struct qpw_finding_row *f;

        snprintf(initiator, sizeof(initiator), "10.9.%zu.%zu", i / 250 % 250, 1 + i % 250);
        f = sample_finding(s,
                           (struct sample_service){6, 10000 + (unsigned)i, i % 7 ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND},
                           initiator, "10.1.0.12", i % 3 ? QPW_OUTCOME_ANSWERED : QPW_OUTCOME_DATA);
        f->counts.rx_packets = 1 + (i * 7919) % 100000;
        f->first_unix_ns = SAMPLE_START_NS + i * (SAMPLE_NOW_NS - SAMPLE_START_NS) / (findings + 1);
        f->last_unix_ns = f->first_unix_ns + 1000000000;
    }
    if (hostile)
        make_hostile(s);
}

bool page_owner(void *arg, const struct qpw_finding_row *finding, struct qpw_process *ret)
{
    size_t i = finding->key.port;

    *ret = (struct qpw_process){.match = QPW_MATCH_EXACT, .pid = 4000 + (int)(i % 1000), .started_unix_ns = SAMPLE_START_NS};
    snprintf(ret->name, sizeof(ret->name), "%s", name_of(i));
    snprintf(ret->user, sizeof(ret->user), "%s", name_of(i + 1));
    snprintf(ret->exe, sizeof(ret->exe), "/opt/%s", name_of(i + 2));
    snprintf(ret->unit, sizeof(ret->unit), "%s", name_of(i + 3));
    memset(ret->command, 'x', sizeof(ret->command) - 1); /* no blank to break it at */
    return true;
}

/* Go through a file, because with sanitizers a growing memory stream is copied again and again. */
char *page_of(const struct qpw_report *report, const struct qpw_render_options *options)
{
    FILE *file = tmpfile();
    char *page;
    long size;

    cr_assert_not_null(file);
    cr_assert_eq(qpw_report_html(report, options, file), 0);
    size = ftell(file);
    page = malloc((size_t)size + 1);
    rewind(file);
    cr_assert_eq(fread(page, 1, (size_t)size, file), (size_t)size);
    page[size] = '\0';
    fclose(file);
    return page;
}

htmlDocPtr page_read(const char *page)
{
    htmlParserCtxtPtr parser = htmlNewParserCtxt();
    htmlDocPtr document;
    const xmlError *error;

    document = htmlCtxtReadMemory(parser, page, (int)strlen(page), NULL, "UTF-8",
                                  HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | (int)XML_PARSE_HUGE);
    error = xmlCtxtGetLastError(parser);
    cr_assert_not_null(document);
    /* The parser does not know the elements of HTML 5 and of SVG. */
    cr_assert(!error || error->code == XML_HTML_UNKNOWN_TAG, "line %d: %s", error ? error->line : 0, error ? error->message : "");
    htmlFreeParserCtxt(parser);
    return document;
}

static xmlXPathObjectPtr ask(htmlDocPtr document, const char *format, va_list args)
{
    char expression[1024];
    xmlXPathContextPtr context = xmlXPathNewContext(document);
    xmlXPathObjectPtr result;

    vsnprintf(expression, sizeof(expression), format, args);
    result = xmlXPathEvalExpression((const xmlChar *)expression, context);
    cr_assert_not_null(result, "%s", expression);
    xmlXPathFreeContext(context);
    return result;
}

double page_number(htmlDocPtr document, const char *format, ...)
{
    xmlXPathObjectPtr result;
    double value;
    va_list args;

    va_start(args, format);
    result = ask(document, format, args);
    va_end(args);
    value = xmlXPathCastToNumber(result);
    xmlXPathFreeObject(result);
    return value;
}

char *page_text(htmlDocPtr document, const char *format, ...)
{
    xmlXPathObjectPtr result;
    xmlChar *value;
    char *text;
    size_t length;
    va_list args;

    va_start(args, format);
    result = ask(document, format, args);
    va_end(args);
    value = xmlXPathCastToString(result);
    text = strdup((char *)value + strspn((char *)value, " \n"));
    for (length = strlen(text); length && strchr(" \n", text[length - 1]); length--)
        text[length - 1] = '\0';
    xmlFree(value);
    xmlXPathFreeObject(result);
    return text;
}
