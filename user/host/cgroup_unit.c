/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/cgroup_unit.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

/* Return the length of the run of lower-case hexadecimal digits at `text`. */
static size_t hex_run(const char *text, size_t length)
{
    size_t n = 0;

    while (n < length && (isdigit((unsigned char)text[n]) || (text[n] >= 'a' && text[n] <= 'f')))
        n++;
    return n;
}

/*
 * Name a unit or container by one component of a cgroup path; `parent` is the component before it. True if the name is
 * final: whatever is below was created inside the unit or container, under any name.
 */
static bool name_component(const char *part, size_t length, const char *parent, size_t parent_length, char *buf,
                           size_t size)
{
    const char *id = part;

    for (size_t i = 0; i < length; i++)
        if (part[i] == '-')
            id = part + i + 1;
    if (hex_run(id, length - (id - part)) == 64) { /* docker-ID.scope, cri-containerd-ID.scope, or docker/ID */
        if (id > part)
            snprintf(buf, size, "%.*s %.12s", (int)(id - part - 1), part, id);
        else if (parent_length)
            snprintf(buf, size, "%.*s %.12s", (int)parent_length, parent, id);
        else
            snprintf(buf, size, "container %.12s", id);
        return true;
    }
    if (length > 12 && !strncmp(part, "lxc.payload.", 12)) {
        snprintf(buf, size, "lxc %.*s", (int)(length - 12), part + 12);
        return true;
    }
    if (parent_length == 3 && !strncmp(parent, "lxc", 3)) {
        snprintf(buf, size, "lxc %.*s", (int)length, part);
        return true;
    }
    if (qpw_text_ends(part, length, ".service") || qpw_text_ends(part, length, ".scope")) {
        snprintf(buf, size, "%.*s", (int)length, part);
        return true;
    }
    return false;
}

/* Return whether the unit manages a user's own units; then the name continues below it. */
static bool is_user_manager(const char *part, size_t length)
{
    return length > 5 && !strncmp(part, "user@", 5) && qpw_text_ends(part, length, ".service");
}

void qpw_cgroup_unit(const char *text, char *buf, size_t size)
{
    const char *line = text, *end, *part, *next, *parent;
    size_t used = 0;

    buf[0] = '\0';
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Branch): the text is NUL-terminated */
    for (; *line; line = *end ? end + 1 : end) {
        end = line + strcspn(line, "\n");
        /* Version 2 ("0::") or version 1's systemd hierarchy; the controllers' hierarchies may differ. */
        if (strncmp(line, "0::", 3) && !memmem(line, end - line, ":name=systemd:", 14))
            continue;
        parent = part = memchr(line, '/', end - line);
        while (part && part < end) {
            part++;
            next = memchr(part, '/', end - part);
            if (!next)
                next = end;
            if (name_component(part, next - part, parent + 1, part - 1 > parent ? part - parent - 2 : 0, buf + used,
                               size - used)) {
                used = strlen(buf);
                if (!is_user_manager(buf, used) || used + 2 >= size)
                    return;
                buf[used++] = '/';
                buf[used] = '\0';
            }
            parent = part - 1;
            part = next;
        }
        if (!used)
            continue;
        if (buf[used - 1] == '/')
            buf[used - 1] = '\0'; /* no unit below the manager */
        return;
    }
}
