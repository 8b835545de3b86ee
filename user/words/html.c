/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/html.h"

#include <errno.h>
#include <libxml/xmlwriter.h>
#include <stdarg.h>
#include <stdlib.h>

#include "facts/totals.h"
#include "util/text.h"
#include "words/printer.h"

struct qpw_html {
    xmlTextWriterPtr writer;
    FILE *out;
    int error; /* -EIO once something failed */
};

struct qpw_html *qpw_html_open(FILE *out)
{
    struct qpw_html *h = calloc(1, sizeof(*h));
    xmlOutputBufferPtr buffer = h ? xmlOutputBufferCreateFile(out, NULL) : NULL;

    if (buffer)
        h->writer = xmlNewTextWriter(buffer);
    if (h && h->writer) {
        h->out = out;
        return h;
    }
    if (buffer)
        xmlOutputBufferClose(buffer);
    free(h);
    return NULL;
}

static void check(struct qpw_html *h, int r)
{
    if (r < 0)
        h->error = -EIO;
}

int qpw_html_close(struct qpw_html *h)
{
    int r;

    if (!h)
        return -ENOMEM;
    check(h, xmlTextWriterEndDocument(h->writer));
    check(h, xmlTextWriterFlush(h->writer));
    xmlFreeTextWriter(h->writer);
    r = ferror(h->out) ? -EIO : h->error;
    free(h);
    return r;
}

void qpw_html_start(struct qpw_html *h, const char *element, const char *class)
{
    check(h, xmlTextWriterStartElement(h->writer, BAD_CAST element));
    if (*class)
        qpw_html_attribute(h, "class", class);
}

static void write_text(struct qpw_html *h, const char *format, va_list args)
{
    char *text;

    if (vasprintf(&text, format, args) < 0) {
        h->error = -EIO;
        return;
    }
    check(h, xmlTextWriterWriteString(h->writer, BAD_CAST qpw_text_clean(text)));
    free(text);
}

void qpw_html_text(struct qpw_html *h, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_text(h, format, args);
    va_end(args);
}

void qpw_html_attribute(struct qpw_html *h, const char *name, const char *value)
{
    check(h, xmlTextWriterStartAttribute(h->writer, BAD_CAST name));
    qpw_html_text(h, "%s", value);
    check(h, xmlTextWriterEndAttribute(h->writer));
}

void qpw_html_width(struct qpw_html *h, uint64_t part, uint64_t whole)
{
    char width[32];

    qpw_html_attribute(h, "style", qpw_format(width, sizeof(width), "width:%.2f%%", qpw_percent_of(part, whole)));
}

void qpw_html_end(struct qpw_html *h)
{
    check(h, xmlTextWriterFullEndElement(h->writer)); /* never "<p/>", which HTML does not know */
}

void qpw_html_element(struct qpw_html *h, const char *element, const char *class, const char *format, ...)
{
    va_list args;

    qpw_html_start(h, element, class);
    va_start(args, format);
    write_text(h, format, args);
    va_end(args);
    qpw_html_end(h);
}

void qpw_html_raw(struct qpw_html *h, const char *markup)
{
    check(h, xmlTextWriterWriteRaw(h->writer, BAD_CAST markup));
}
