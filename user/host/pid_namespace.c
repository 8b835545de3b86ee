/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/pid_namespace.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/process.h"

/* Return the inode of a process's pid namespace; 0: unknown. */
static uint64_t namespace_of(const char *process)
{
    struct stat st;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%.20s/ns/pid", process);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

uint64_t qpw_pid_namespace(void)
{
    return namespace_of("self");
}

bool qpw_pid_proc_is_ours(void)
{
    char number[32];
    ssize_t length = readlink("/proc/self", number, sizeof(number) - 1);

    if (length <= 0)
        return false;
    number[length] = '\0';
    return strtol(number, NULL, 10) == getpid();
}

/*
 * Return a process's number in its innermost namespace: the last number of the line NSpid (proc_pid_status(5), Linux
 * 4.1).
 */
static pid_t own_number(pid_t here)
{
    char text[4096], *line, *end;

    if (qpw_process_text(here, "status", text, sizeof(text)) <= 0)
        return 0;
    line = strstr(text, "\nNSpid:");
    if (!line)
        return 0;
    line++;
    end = line + strcspn(line, "\n");
    *end = '\0';
    while (end > line && isdigit((unsigned char)end[-1]))
        end--;
    return (pid_t)strtol(end, NULL, 10);
}

/* Search all processes visible from here. */
static pid_t look_for(pid_t own, uint64_t pid_namespace)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    pid_t here = 0;

    while (!here && processes && (entry = readdir(processes)))
        if (isdigit((unsigned char)*entry->d_name) && namespace_of(entry->d_name) == pid_namespace &&
            own_number((pid_t)strtol(entry->d_name, NULL, 10)) == own)
            here = (pid_t)strtol(entry->d_name, NULL, 10);
    if (processes)
        closedir(processes);
    return here;
}

struct qpw_pid qpw_pid_of(pid_t own, uint64_t pid_namespace)
{
    struct qpw_pid pid = {.own = own};

    if (own <= 0 || !pid_namespace)
        return pid;
    if (pid_namespace == qpw_pid_namespace())
        pid.here = own;
    else if (qpw_pid_proc_is_ours())
        pid.here = look_for(own, pid_namespace);
    return pid;
}

const char *qpw_pid_text(struct qpw_pid pid, char *buf, size_t size)
{
    if (pid.here)
        snprintf(buf, size, "pid %d", (int)pid.here);
    else if (pid.own)
        snprintf(buf, size, "process %d of another pid namespace", (int)pid.own);
    else
        snprintf(buf, size, "of an unknown pid");
    return buf;
}
