/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/html.h"

#include <errno.h>
#include <libxml/xmlwriter.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include "util/text.h"

struct qpw_html {
    xmlTextWriterPtr writer;
    FILE *out;
    int error; /* -EIO after any error */
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

void qpw_html_vtext(struct qpw_html *h, const char *format, va_list args)
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
    qpw_html_vtext(h, format, args);
    va_end(args);
}

void qpw_html_attribute(struct qpw_html *h, const char *name, const char *value)
{
    check(h, xmlTextWriterStartAttribute(h->writer, BAD_CAST name));
    qpw_html_text(h, "%s", value);
    check(h, xmlTextWriterEndAttribute(h->writer));
}

void qpw_html_end(struct qpw_html *h)
{
    check(h, xmlTextWriterFullEndElement(h->writer)); /* never "<p/>", which HTML does not have */
}

void qpw_html_end_void(struct qpw_html *h)
{
    check(h, xmlTextWriterEndElement(h->writer));
}

void qpw_html_element(struct qpw_html *h, const char *element, const char *class, const char *format, ...)
{
    va_list args;

    qpw_html_start(h, element, class);
    va_start(args, format);
    qpw_html_vtext(h, format, args);
    va_end(args);
    qpw_html_end(h);
}

void qpw_html_raw(struct qpw_html *h, const char *markup)
{
    check(h, xmlTextWriterWriteRaw(h->writer, BAD_CAST markup));
}

void qpw_html_raw_part(struct qpw_html *h, const char *markup, size_t length)
{
    check(h, xmlTextWriterWriteRawLen(h->writer, BAD_CAST markup, (int)length));
}

int qpw_html_nonce(char ret[QPW_HTML_NONCE])
{
    uint8_t bytes[(QPW_HTML_NONCE - 1) / 2];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return errno ? -errno : -EIO;
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}
