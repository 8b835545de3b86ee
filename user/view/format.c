/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/format.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *qpw_short_number(double value, char *buf, size_t size)
{
    static const char units[] = "kMGTPE";
    int unit = -1;

    if (value > 0 && value < 9.95 && value != (double)(int)value) {
        snprintf(buf, size, "%.1f", value);
        return buf;
    }
    if (value < 9999.5) {
        snprintf(buf, size, "%.0f", value);
        return buf;
    }
    while (value >= 999.5 && units[unit + 1]) {
        value /= 1000;
        unit++;
    }
    snprintf(buf, size, value < 9.995 ? "%.2f%c" : value < 99.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
    return buf;
}

const char *qpw_short_age(uint64_t ns, char *buf, size_t size)
{
    unsigned long long s = ns / 1000000000u;

    if (s < 1)
        snprintf(buf, size, "now");
    else if (s < 100)
        snprintf(buf, size, "%llus", s);
    else if (s < 6000)
        snprintf(buf, size, "%llum", s / 60);
    else if (s < 86400)
        snprintf(buf, size, "%lluh%02llu", s / 3600, s / 60 % 60);
    else if (s < 100 * 86400ull)
        snprintf(buf, size, "%llud%02llu", s / 86400, s / 3600 % 24);
    else
        snprintf(buf, size, "%llud", s / 86400);
    return buf;
}

const char *qpw_share(uint64_t part, uint64_t whole, char *buf, size_t size)
{
    double percent = whole ? 100.0 * (double)part / (double)whole : 0;

    if (!whole)
        snprintf(buf, size, "-");
    else if (!part || part == whole)
        snprintf(buf, size, "%.0f%%", percent);
    else if (percent < 0.01)
        snprintf(buf, size, "<0.01%%");
    else if (percent < 1)
        snprintf(buf, size, "%.2f%%", percent);
    else
        snprintf(buf, size, "%.1f%%", percent > 99.9 ? 99.9 : percent); /* 100 % only where it is all */
    return buf;
}

const char *qpw_sparkline(const float *values, size_t n, char *buf, size_t size)
{
    static const char bars[][4] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    float top = 0;
    size_t used = 0;

    for (size_t i = 0; i < n; i++)
        top = values[i] > top ? values[i] : top;
    for (size_t i = 0; i < n && used + 4 < size; i++) {
        int bar = top > 0 ? (int)(values[i] / top * 7.999f) : 0;

        used += (size_t)snprintf(buf + used, size - used, "%s", values[i] > 0 ? bars[bar] : " ");
    }
    buf[used] = '\0';
    return buf;
}

/* ---- Services: one table, since getservbyport() reads the file anew with every call ---- */

#define SERVICE_BUCKETS 1024

struct service {
    struct service *next;
    uint16_t port;
    uint8_t protocol;
    char name[29];
};

static struct service *services[SERVICE_BUCKETS];

static void read_services(void)
{
    struct servent entry, *found;
    char buf[1024];

    setservent(1);
    while (getservent_r(&entry, buf, sizeof(buf), &found) == 0 && found) {
        struct service *s = calloc(1, sizeof(*s));

        if (!s)
            break;
        s->port = ntohs((uint16_t)entry.s_port);
        s->protocol = !strcmp(entry.s_proto, "tcp") ? IPPROTO_TCP : !strcmp(entry.s_proto, "udp") ? IPPROTO_UDP
                                                                                                 : IPPROTO_SCTP;
        snprintf(s->name, sizeof(s->name), "%.28s", entry.s_name);
        s->next = services[s->port % SERVICE_BUCKETS];
        services[s->port % SERVICE_BUCKETS] = s;
    }
    endservent();
}

const char *qpw_service_name(unsigned protocol, unsigned port)
{
    static int once;

    if (!once) {
        once = 1;
        read_services();
    }
    for (const struct service *s = services[port % SERVICE_BUCKETS]; s; s = s->next)
        if (s->port == port && s->protocol == protocol)
            return s->name;
    return "";
}
